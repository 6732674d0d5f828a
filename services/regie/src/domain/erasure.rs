//! Erasure: the client asks in writing that everything be destroyed, and a person of the municipality decides within three
//! months (R-REG-22). Only two grounds of the act allow a refusal, and a refusal is a decision that the client can object to.

use super::case::codes;
use kernel::{Calendar, Date, Moment, Refusal, Term};

kernel::id! {
    /// A request for erasure.
    ErasureId
}

kernel::reasons! {
    ERASURE_UNKNOWN: NotFound, "R-REG-22",
        "There is no such request for erasure of this client.", "Dit verzoek om vernietiging van de cliënt bestaat niet.",
        "List the client's requests.", "Vraag de verzoeken van de cliënt op.";
    ERASURE_NOT_YET_ASKED: Rule, "R-REG-22",
        "A request cannot have come in later than today.", "Een verzoek kan niet later dan vandaag zijn ontvangen.",
        "Give the day on which the written request came in.", "Geef de dag waarop het schriftelijke verzoek binnenkwam.";
    ERASURE_DECIDED: Rule, "R-REG-22",
        "This request was decided otherwise.", "Op dit verzoek is al anders beslist.",
        "Against a refusal the client can object, or ask again.",
        "Tegen een afwijzing kan de cliënt bezwaar maken, of opnieuw een verzoek doen.";
    ERASURE_CASE_OPEN: Rule, "R-REG-22",
        "The client's case is open: what help still needs cannot be destroyed.",
        "De zaak van de cliënt loopt nog: wat voor de hulp nodig is, kan niet worden vernietigd.",
        "Close the case with the client first; the request stands until its last day.",
        "Sluit eerst samen met de cliënt de zaak; het verzoek blijft staan tot de laatste dag.";
}

codes! {
    /// Why keeping weighs more: the two grounds of the act, and no other.
    Ground {
        OtherPerson = "other_person", "Keeping matters substantially to somebody else.";
        LegalDuty = "legal_duty", "A law forbids destroying.";
    }
}

/// The term of the act (Wmo 5.3.5).
const TERM: Term = Term::Months(3);

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Everything is destroyed.
    Granted,
    /// It is kept, on this ground.
    Refused(Ground),
}

/// A request for erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// The day on which it came in.
    pub requested_on: Date,
    /// The last day to decide and to have destroyed.
    pub decide_by: Date,
    /// What was decided, and when; none while it waits.
    pub decided: Option<(Decision, Date)>,
}

/// Records a request; one that waits already is given back as it is, and false with it.
pub fn request(
    known: &[Erasure],
    id: ErasureId,
    requested_on: Date,
    calendar: &Calendar,
    now: Moment,
) -> Result<(Erasure, bool), Refusal> {
    if requested_on > now.date {
        return Err((&ERASURE_NOT_YET_ASKED).into());
    }
    if let Some(waiting) = known.iter().find(|one| one.decided.is_none()) {
        return Ok((waiting.clone(), false));
    }
    let decide_by = calendar.statutory_end(requested_on, TERM);
    Ok((Erasure { id, requested_on, decide_by, decided: None }, true))
}

/// Decides on a request; none when it was decided just so before.
pub fn decide(
    known: &[Erasure],
    id: ErasureId,
    decision: Decision,
    case_open: bool,
    now: Moment,
) -> Result<Option<Erasure>, Refusal> {
    let erasure = known.iter().find(|one| one.id == id).ok_or(&ERASURE_UNKNOWN)?;
    match erasure.decided {
        Some((stands, _)) if stands == decision => Ok(None),
        Some(_) => Err((&ERASURE_DECIDED).into()),
        None if decision == Decision::Granted && case_open => Err((&ERASURE_CASE_OPEN).into()),
        None => Ok(Some(Erasure { decided: Some((decision, now.date)), ..erasure.clone() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn ask(known: &[Erasure], on: Date) -> Result<(Erasure, bool), &'static str> {
        let id = ErasureId(Uuid::from_u128(known.len() as u128 + 1));
        let calendar = Calendar::parse(Calendar::FILE).unwrap();
        request(known, id, on, &calendar, now()).map_err(|refusal| refusal.reason.code)
    }

    fn answer(known: &[Erasure], decision: Decision, case_open: bool) -> Result<Option<Erasure>, &'static str> {
        decide(known, known[0].id, decision, case_open, now()).map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-22
    #[test]
    fn a_request_is_decided_within_three_months_of_its_receipt() {
        assert_eq!(ask(&[], date(2026, 3, 2)).unwrap().0.decide_by, date(2026, 6, 2));
        assert_eq!(ask(&[], date(2026, 1, 31)).unwrap().0.decide_by, date(2026, 4, 30));
        // A term of an act that ends on a Sunday runs on to the next working day (R-REG-07).
        assert_eq!(ask(&[], date(2025, 12, 15)).unwrap().0.decide_by, date(2026, 3, 16));
        assert_eq!(ask(&[], date(2026, 3, 3)).err(), Some("ERASURE_NOT_YET_ASKED"));
    }

    /// R-REG-22
    #[test]
    fn one_request_waits_at_a_time_and_after_a_refusal_the_client_may_ask_again() {
        let (first, new) = ask(&[], date(2026, 3, 2)).unwrap();
        assert!(new);
        assert_eq!(ask(std::slice::from_ref(&first), date(2026, 3, 1)).unwrap(), (first.clone(), false));
        let refused = answer(&[first], Decision::Refused(Ground::LegalDuty), true).unwrap().unwrap();
        let (second, new) = ask(std::slice::from_ref(&refused), date(2026, 3, 2)).unwrap();
        assert!(new && second.id != refused.id);
    }

    /// R-REG-22
    #[test]
    fn a_decision_is_taken_once_and_granted_only_when_the_case_is_closed() {
        let known = [ask(&[], date(2026, 3, 2)).unwrap().0];
        assert_eq!(answer(&known, Decision::Granted, true).err(), Some("ERASURE_CASE_OPEN"));
        let granted = [answer(&known, Decision::Granted, false).unwrap().unwrap()];
        assert_eq!(granted[0].decided, Some((Decision::Granted, date(2026, 3, 2))));
        assert_eq!(answer(&granted, Decision::Granted, false), Ok(None));
        let other = Decision::Refused(Ground::OtherPerson);
        assert_eq!(answer(&granted, other, false).err(), Some("ERASURE_DECIDED"));
        let unknown = decide(&[], ErasureId(Uuid::from_u128(9)), other, false, now());
        assert_eq!(unknown.err().map(|refusal| refusal.reason.code), Some("ERASURE_UNKNOWN"));
    }
}
