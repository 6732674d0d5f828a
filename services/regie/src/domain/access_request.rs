//! A request for access (inzage) that somebody answers: the client asks for what is held, on paper or with an own token, and
//! the municipality answers within a month (R-REG-21; AVG 12, 15; Wmo 5.3.2).
//!
//! A client with an own token gets the same at any hour from `RightsService/ExportClient`; this is for who asks people.

use super::case::codes;
use super::month::{self, ExtensionGround};
use kernel::{Calendar, Date, Moment, Refusal};

kernel::id! {
    /// A request for access.
    AccessRequestId
}

kernel::reasons! {
    ACCESS_REQUEST_UNKNOWN: NotFound, "R-REG-21",
        "There is no such request for access of this client.", "Dit verzoek om inzage van de cliënt bestaat niet.",
        "List the client's requests.", "Vraag de verzoeken van de cliënt op.";
    ACCESS_REQUEST_DAY_WRONG: Rule, "R-REG-21",
        "The day {day} cannot be: it lies ahead, or before the request.",
        "De dag {day} kan niet: die ligt in de toekomst, of voor het verzoek.",
        "Give the day on which it happened.", "Geef de dag waarop het gebeurde.";
    ACCESS_REQUEST_ANSWERED: Rule, "R-REG-21",
        "This request was answered already.", "Dit verzoek is al beantwoord.",
        "Record a new request; the client can complain to the supervisory authority about an answer.",
        "Leg een nieuw verzoek vast; over een antwoord kan de cliënt klagen bij de Autoriteit Persoonsgegevens.";
    ACCESS_REQUEST_EXTENDED: Rule, "R-REG-21",
        "The month was extended already, and once only.", "De maand is al verlengd, en dat kan één keer.",
        "Answer before {answer_by} is over.", "Antwoord uiterlijk op {answer_by}.";
    ACCESS_REQUEST_TOLD_TOO_LATE: Rule, "R-REG-21",
        "The client must hear of it within the month: on {answer_by} at the latest.",
        "De cliënt moet dat binnen de maand horen: uiterlijk op {answer_by}.",
        "Answer the request now.", "Beantwoord het verzoek nu.";
    REQUESTER_NOT_CHECKED: Rule, "R-REG-21",
        "It is not established that the client asked.", "Er is niet vastgesteld dat de cliënt zelf het vraagt.",
        "Establish who asks and record it with ConfirmRequester, or refuse as not identified.",
        "Stel vast wie het vraagt en leg dat vast met ConfirmRequester, of wijs af omdat dat niet kon.";
}

codes! {
    /// Why a part is withheld (AVG 15(4)).
    WithheldGround {
        OtherPersons = "other_persons", "It is about somebody else.";
        Reporter = "reporter", "It can tell who reported something.";
    }
}

codes! {
    /// Why nothing is given (AVG 12(2), 12(5)).
    RefusalGround {
        ManifestlyUnfounded = "manifestly_unfounded", "The request is manifestly unfounded.";
        Excessive = "excessive", "The request is excessive, above all by its repetition.";
        NotIdentified = "not_identified", "It could not be established who asks.";
    }
}

codes! {
    /// How the client got the answer.
    Way {
        InPerson = "in_person", "Handed over.";
        Post = "post", "Sent by post.";
        Electronic = "electronic", "Sent in a secured electronic way.";
    }
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Everything was given.
    Whole,
    /// A part was given, and the rest withheld.
    InPart(WithheldGround),
    /// Nothing was given.
    Refused(RefusalGround),
}

/// For which reasons the month refuses.
const MONTH: month::Reasons = month::Reasons {
    day_wrong: &ACCESS_REQUEST_DAY_WRONG,
    answered: &ACCESS_REQUEST_ANSWERED,
    extended: &ACCESS_REQUEST_EXTENDED,
    told_too_late: &ACCESS_REQUEST_TOLD_TOO_LATE,
};

/// A request for access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Its id.
    pub id: AccessRequestId,
    /// The day on which it came in.
    pub requested_on: Date,
    /// The last day to answer.
    pub answer_by: Date,
    /// When it was established that the client asks; none while it was not.
    pub checked_on: Option<Date>,
    /// Why it was extended, and when the client was told; none while it was not.
    pub extended: Option<(ExtensionGround, Date)>,
    /// What was answered, how and when; none while it waits.
    pub answered: Option<(Answer, Way, Date)>,
}

/// Records a request; one that waits already is given back as it is, and false with it. Who asks with an own token has been
/// identified by it.
pub fn record(
    known: &[AccessRequest],
    id: AccessRequestId,
    (by_client, requested_on): (bool, Date),
    calendar: &Calendar,
    now: Moment,
) -> Result<(AccessRequest, bool), Refusal> {
    let answer_by = month::answer_by(requested_on, &MONTH, calendar, now)?;
    if let Some(waiting) = known.iter().find(|one| one.answered.is_none()) {
        return Ok((waiting.clone(), false));
    }
    let checked_on = by_client.then_some(now.date);
    Ok((AccessRequest { id, requested_on, answer_by, checked_on, extended: None, answered: None }, true))
}

fn find(known: &[AccessRequest], id: AccessRequestId) -> Result<&AccessRequest, Refusal> {
    known.iter().find(|one| one.id == id).ok_or_else(|| (&ACCESS_REQUEST_UNKNOWN).into())
}

/// Records that it is the client who asks; none when that was known.
pub fn confirm(known: &[AccessRequest], id: AccessRequestId, now: Moment) -> Result<Option<AccessRequest>, Refusal> {
    let request = find(known, id)?;
    match (request.checked_on, request.answered) {
        (Some(_), _) => Ok(None),
        (None, Some(_)) => Err((&ACCESS_REQUEST_ANSWERED).into()),
        (None, None) => Ok(Some(AccessRequest { checked_on: Some(now.date), ..request.clone() })),
    }
}

/// Extends the month by two, once, after the client was told so within the month; none when it was extended just so.
pub fn extend(
    known: &[AccessRequest],
    id: AccessRequestId,
    why: (ExtensionGround, Date),
    calendar: &Calendar,
    now: Moment,
) -> Result<Option<AccessRequest>, Refusal> {
    let request = find(known, id)?;
    let &AccessRequest { requested_on, answer_by, extended, .. } = request;
    let asked = month::Asked { requested_on, answer_by, extended, answered: request.answered.is_some() };
    let longer = month::extend(&asked, why, &MONTH, calendar, now)?;
    Ok(longer.map(|answer_by| AccessRequest { answer_by, extended: Some(why), ..request.clone() }))
}

/// Records the answer; none when it was answered just so. Before it is established who asks, nothing is given and nothing
/// else is refused.
pub fn answer(
    known: &[AccessRequest],
    id: AccessRequestId,
    (answer, way, answered_on): (Answer, Way, Date),
    now: Moment,
) -> Result<Option<AccessRequest>, Refusal> {
    let request = find(known, id)?;
    match request.answered {
        Some((before, by, _)) if (before, by) == (answer, way) => return Ok(None),
        Some(_) => return Err((&ACCESS_REQUEST_ANSWERED).into()),
        None => {}
    }
    let unknown = answer == Answer::Refused(RefusalGround::NotIdentified);
    if unknown == request.checked_on.is_some() {
        return Err((&REQUESTER_NOT_CHECKED).into());
    }
    if answered_on < request.requested_on || answered_on > now.date {
        return Err(ACCESS_REQUEST_DAY_WRONG.with("day", answered_on));
    }
    Ok(Some(AccessRequest { answered: Some((answer, way, answered_on)), ..request.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn at(day: Date) -> Moment {
        Moment::start_of(day)
    }

    fn calendar() -> Calendar {
        Calendar::parse(Calendar::FILE).unwrap()
    }

    fn code<T>(outcome: Result<T, Refusal>) -> Result<T, &'static str> {
        outcome.map_err(|refusal| refusal.reason.code)
    }

    fn asked(on: Date, by_client: bool) -> AccessRequest {
        let id = AccessRequestId(Uuid::from_u128(1));
        record(&[], id, (by_client, on), &calendar(), at(on)).unwrap().0
    }

    fn answer_one(one: &AccessRequest, answer: Answer, on: Date) -> Result<Option<AccessRequest>, &'static str> {
        code(super::answer(std::slice::from_ref(one), one.id, (answer, Way::Post, on), at(on)))
    }

    /// R-REG-21, R-REG-08
    #[test]
    fn the_month_of_the_avg_is_a_calendar_month_that_no_weekend_extends() {
        let cases = [
            (date(2026, 3, 2), date(2026, 4, 2), date(2026, 6, 2)),
            // A Saturday, and Christmas Day.
            (date(2026, 4, 2), date(2026, 5, 2), date(2026, 7, 2)),
            (date(2026, 11, 25), date(2026, 12, 25), date(2027, 2, 25)),
            // A month that is shorter ends on its last day.
            (date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        ];
        for (received, month, extended) in cases {
            let one = asked(received, true);
            assert_eq!(one.answer_by, month, "{received}");
            let told = (ExtensionGround::Complex, month);
            let longer = extend(std::slice::from_ref(&one), one.id, told, &calendar(), at(month)).unwrap().unwrap();
            assert_eq!(longer.answer_by, extended, "{received}");
        }
        let id = AccessRequestId(Uuid::from_u128(1));
        let ahead = record(&[], id, (false, date(2026, 3, 3)), &calendar(), at(date(2026, 3, 2)));
        assert_eq!(code(ahead).err(), Some("ACCESS_REQUEST_DAY_WRONG"));
    }

    /// R-REG-21
    #[test]
    fn it_is_extended_once_and_the_client_hears_so_within_the_month() {
        let one = asked(date(2026, 3, 2), true);
        let extend_one = |one: &AccessRequest, ground, told_on: Date, today: Date| {
            code(extend(std::slice::from_ref(one), one.id, (ground, told_on), &calendar(), at(today)))
        };
        use ExtensionGround::{Complex, ManyRequests};
        let cases = [
            (date(2026, 3, 1), date(2026, 3, 10), Some("ACCESS_REQUEST_DAY_WRONG")),
            (date(2026, 3, 11), date(2026, 3, 10), Some("ACCESS_REQUEST_DAY_WRONG")),
            (date(2026, 4, 3), date(2026, 4, 3), Some("ACCESS_REQUEST_TOLD_TOO_LATE")),
            (date(2026, 4, 2), date(2026, 4, 3), None),
        ];
        for (told_on, today, expected) in cases {
            assert_eq!(extend_one(&one, Complex, told_on, today).err(), expected, "told on {told_on}");
        }
        let longer = extend_one(&one, Complex, date(2026, 4, 2), date(2026, 4, 2)).unwrap().unwrap();
        assert_eq!(extend_one(&longer, Complex, date(2026, 4, 2), date(2026, 4, 2)), Ok(None));
        let again = extend_one(&longer, ManyRequests, date(2026, 4, 2), date(2026, 4, 2));
        assert_eq!(again.err(), Some("ACCESS_REQUEST_EXTENDED"));
        let given = answer_one(&one, Answer::Whole, date(2026, 3, 9)).unwrap().unwrap();
        let late = extend_one(&given, Complex, date(2026, 3, 9), date(2026, 3, 9));
        assert_eq!(late.err(), Some("ACCESS_REQUEST_ANSWERED"));
    }

    /// R-REG-21
    #[test]
    fn nothing_is_given_before_it_is_known_who_asks() {
        let today = date(2026, 3, 9);
        let paper = asked(date(2026, 3, 2), false);
        let all = [
            Answer::Whole,
            Answer::InPart(WithheldGround::Reporter),
            Answer::Refused(RefusalGround::Excessive),
            Answer::Refused(RefusalGround::ManifestlyUnfounded),
        ];
        for given in all {
            assert_eq!(answer_one(&paper, given, today).err(), Some("REQUESTER_NOT_CHECKED"), "{given:?}");
        }
        assert!(answer_one(&paper, Answer::Refused(RefusalGround::NotIdentified), today).is_ok());
        let known = confirm(std::slice::from_ref(&paper), paper.id, at(today)).unwrap().unwrap();
        assert_eq!(confirm(std::slice::from_ref(&known), known.id, at(today)), Ok(None));
        for given in all {
            assert!(answer_one(&known, given, today).is_ok(), "{given:?}");
        }
        let unknown = answer_one(&known, Answer::Refused(RefusalGround::NotIdentified), today);
        assert_eq!(unknown.err(), Some("REQUESTER_NOT_CHECKED"));
    }

    /// R-REG-21
    #[test]
    fn one_request_waits_at_a_time_and_is_answered_once() {
        let today = date(2026, 3, 9);
        let one = asked(date(2026, 3, 2), true);
        let other = AccessRequestId(Uuid::from_u128(2));
        let again = record(std::slice::from_ref(&one), other, (false, today), &calendar(), at(today)).unwrap();
        assert_eq!(again, (one.clone(), false));
        assert_eq!(answer_one(&one, Answer::Whole, date(2026, 3, 1)).err(), Some("ACCESS_REQUEST_DAY_WRONG"));
        let given = answer_one(&one, Answer::Whole, today).unwrap().unwrap();
        assert_eq!(answer_one(&given, Answer::Whole, today), Ok(None));
        let refused = Answer::Refused(RefusalGround::Excessive);
        assert_eq!(answer_one(&given, refused, today).err(), Some("ACCESS_REQUEST_ANSWERED"));
        let (next, new) = record(std::slice::from_ref(&given), other, (true, today), &calendar(), at(today)).unwrap();
        assert!(new && next.id == other);
        assert_eq!(code(confirm(&[], other, at(today))).err(), Some("ACCESS_REQUEST_UNKNOWN"));
    }
}
