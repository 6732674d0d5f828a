//! The tri-party agreement: corporation, client and provider, each with its signatories (R-HOU-11), and the terms of the
//! lease that it ties (R-HOU-12, R-HOU-13, R-HOU-25).

use super::{AgreementId, Capacity, Party, Policy, TemporaryGround, Tenant};
use jiff::ToSpan;
use kernel::{Date, Refusal};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    AGREEMENT_PARTIES_WRONG: Rule, "R-HOU-11",
        "A tri-party agreement has exactly three parties: corporation, client and provider, each with a signatory.",
        "Een driepartijenovereenkomst heeft precies drie partijen: corporatie, cliënt en aanbieder, elk met een ondertekenaar.",
        "Name each party once, with its signatories.", "Noem elke partij één keer, met haar ondertekenaars.";
    AGREEMENT_SIGNATORY_WRONG: Rule, "R-HOU-11",
        "{capacity} cannot sign for {party}.", "{capacity} kan niet tekenen voor {party}.",
        "For the client sign self, guardian, curator or parent, possibly with the partner; for an organisation its officer.",
        "Voor de cliënt tekent deze zelf, de bewindvoerder, curator of ouder, eventueel met de partner; voor een organisatie haar gemachtigde.";
    AGREEMENT_TERM_TOO_LONG: Rule, "R-HOU-13",
        "A temporary lease in the client's name lasts at most {months} months.",
        "Een tijdelijk huurcontract op naam van de cliënt duurt ten hoogste {months} maanden.",
        "Shorten the lease, make it permanent, or let the provider rent.",
        "Verkort het contract, maak het vast, of laat de aanbieder huren.";
    AGREEMENT_GROUND_MISSING: Rule, "R-HOU-13",
        "From 1 July 2024 a temporary lease in the client's name needs a legal ground.",
        "Vanaf 1 juli 2024 heeft een tijdelijk huurcontract op naam van de cliënt een wettelijke grond nodig.",
        "Give temporary_ground, or make the lease permanent.", "Geef temporary_ground op, of maak het contract vast.";
    AGREEMENT_CONVERSION_TOO_LATE: Rule, "R-HOU-12",
        "The lease goes to the client after at most {months} months.",
        "Het huurcontract gaat na ten hoogste {months} maanden naar de cliënt.",
        "Agree an earlier conversion.", "Spreek eerder omklappen af.";
    AGREEMENT_SIGNED_ALREADY: Rule, "R-HOU-11",
        "All parties have signed the agreement.", "Alle partijen hebben de overeenkomst getekend.",
        "Withdraw the allocation if the terms must change.", "Trek de toewijzing in als de voorwaarden moeten wijzigen.";
    AGREEMENT_MISSING: Rule, "R-HOU-11",
        "There is no agreement that all parties have signed.", "Er is geen overeenkomst die alle partijen hebben getekend.",
        "Draw up the tri-party agreement and let all sign.", "Stel de driepartijenovereenkomst op en laat allen tekenen.";
    AGREEMENT_NOT_YOURS_TO_SIGN: Rule, "R-HOU-11",
        "You cannot sign for {party}.", "U kunt niet tekenen voor {party}.",
        "Let that party sign.", "Laat die partij tekenen.";
    AGREEMENT_NO_SUCH_SIGNATORY: Rule, "R-HOU-11",
        "The agreement has no {capacity} for {party}.", "De overeenkomst kent geen {capacity} voor {party}.",
        "Sign in a capacity that the agreement names.", "Teken in een hoedanigheid die de overeenkomst noemt.";
}

/// A temporary lease in the client's name lasts at most two years (BW 7:271), and has needed a listed ground since this
/// day (Stb. 2024, 152).
const TEMPORARY_MAX_MONTHS: u32 = 24;
const GROUND_NEEDED_FROM: Date = jiff::civil::date(2024, 7, 1);

/// One who must sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signatory {
    /// For which party.
    pub party: Party,
    /// In which capacity.
    pub capacity: Capacity,
}

/// What is drawn up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The parties as they were named, each with its signatories.
    pub parties: Vec<(Party, Vec<Capacity>)>,
    /// Who rents.
    pub tenant: Tenant,
    /// Length of the lease in months; `None` for a permanent one.
    pub lease_months: Option<u32>,
    /// Ground of a temporary lease in the client's name (R-HOU-25).
    pub temporary_ground: Option<TemporaryGround>,
    /// Months until the lease goes to the client; `None` for the local default (R-HOU-12).
    pub conversion_months: Option<u32>,
    /// Guidance is tied to the lease.
    pub guidance_tied: bool,
}

/// An agreement that can be signed: its parties and terms are in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Who must sign, ordered.
    pub signatories: Vec<Signatory>,
    /// Who rents.
    pub tenant: Tenant,
    /// Length of the lease in months; `None` for a permanent one.
    pub lease_months: Option<u32>,
    /// Ground of a temporary lease in the client's name.
    pub temporary_ground: Option<TemporaryGround>,
    /// When the lease goes to the client at the latest; `None` when it is the client's from the start.
    pub conversion_on: Option<Date>,
    /// Guidance is tied to the lease.
    pub guidance_tied: bool,
    /// Who has signed, and when.
    pub signatures: Vec<Signature>,
}

/// A signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who.
    #[serde(flatten)]
    pub by: Signatory,
    /// When.
    pub on: Date,
}

/// On whose behalf somebody calls to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The corporation of the dwelling.
    Corporation,
    /// The client.
    Client,
    /// A provider: for itself, or with evidence for the client.
    Provider,
    /// A guardian of finances or curator of the client.
    Guardian,
}

impl Signer {
    /// Whether a signature for that party is somebody else's word, and needs evidence (R-HOU-29).
    pub fn signs_for_another(self, party: Party) -> bool {
        self == Signer::Provider && party == Party::Client
    }
}

impl Signatory {
    /// Party and capacity in one word.
    pub fn name(self) -> String {
        use super::Code;
        format!("{}:{}", self.party.as_str(), self.capacity.as_str())
    }
}

/// Draws up an agreement for a lease that starts on a day, or says what is not in order.
pub fn draw_up(id: AgreementId, draft: &Draft, lease_start_on: Date, policy: &Policy) -> Result<Agreement, Refusal> {
    let signatories = signatories(&draft.parties)?;
    let after = |months: u32| lease_start_on.saturating_add(i64::from(months).months());
    let conversion_on = match draft.tenant {
        Tenant::Client => {
            check_temporary(draft, lease_start_on)?;
            None
        }
        Tenant::Provider => {
            let months = draft.conversion_months.unwrap_or(policy.conversion_months);
            if months > policy.conversion_max_months {
                return Err(AGREEMENT_CONVERSION_TOO_LATE.with("months", policy.conversion_max_months));
            }
            Some(after(months))
        }
    };
    Ok(Agreement {
        id,
        signatories,
        tenant: draft.tenant,
        lease_months: draft.lease_months,
        temporary_ground: draft.temporary_ground,
        conversion_on,
        guidance_tied: draft.guidance_tied,
        signatures: vec![],
    })
}

/// Exactly three parties, each once, each with signatories who can sign for it (R-HOU-11).
fn signatories(parties: &[(Party, Vec<Capacity>)]) -> Result<Vec<Signatory>, Refusal> {
    let once =
        |party: Party| parties.iter().filter(|(p, capacities)| *p == party && !capacities.is_empty()).count() == 1;
    if parties.len() != 3 || ![Party::Corporation, Party::Client, Party::Provider].into_iter().all(once) {
        return Err((&AGREEMENT_PARTIES_WRONG).into());
    }
    let mut all = Vec::new();
    for (party, capacities) in parties {
        let wrong = |capacity: &&Capacity| (*party == Party::Client) == (**capacity == Capacity::Officer);
        if let Some(capacity) = capacities.iter().find(wrong) {
            return Err(wrong_signatory(&AGREEMENT_SIGNATORY_WRONG, *party, *capacity));
        }
        // A partner is a co-tenant beside somebody who signs for the client, never instead.
        if capacities.iter().all(|capacity| *capacity == Capacity::Partner) {
            return Err(wrong_signatory(&AGREEMENT_SIGNATORY_WRONG, *party, Capacity::Partner));
        }
        all.extend(capacities.iter().map(|capacity| Signatory { party: *party, capacity: *capacity }));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn wrong_signatory(reason: &'static kernel::Reason, party: Party, capacity: Capacity) -> Refusal {
    use super::Code;
    reason.with("party", party.as_str()).with("capacity", capacity.as_str())
}

/// A temporary lease in the client's own name (R-HOU-13, R-HOU-25).
fn check_temporary(draft: &Draft, lease_start_on: Date) -> Result<(), Refusal> {
    match draft.lease_months {
        None => Ok(()),
        Some(months) if months > TEMPORARY_MAX_MONTHS => {
            Err(AGREEMENT_TERM_TOO_LONG.with("months", TEMPORARY_MAX_MONTHS))
        }
        Some(_) if lease_start_on >= GROUND_NEEDED_FROM && draft.temporary_ground.is_none() => {
            Err((&AGREEMENT_GROUND_MISSING).into())
        }
        Some(_) => Ok(()),
    }
}

impl Agreement {
    /// Whether everybody has signed.
    pub fn complete(&self) -> bool {
        self.signatories.iter().all(|who| self.signed(*who))
    }

    /// Whether the terms are the same, whoever has signed.
    pub fn same_terms(&self, other: &Agreement) -> bool {
        let bare = |agreement: &Agreement| Agreement { id: self.id, signatures: vec![], ..agreement.clone() };
        bare(self) == bare(other)
    }

    fn signed(&self, who: Signatory) -> bool {
        self.signatures.iter().any(|signature| signature.by == who)
    }
}

/// A signature, if it is that caller's to give; none when it was given before.
pub fn sign(agreement: &Agreement, by: Signer, who: Signatory, on: Date) -> Result<Option<Signature>, Refusal> {
    use super::Code;
    let theirs = matches!(
        (by, who.party, who.capacity),
        (Signer::Corporation, Party::Corporation, _)
            | (Signer::Client, Party::Client, Capacity::SelfSigned)
            | (Signer::Provider, Party::Provider | Party::Client, _)
            | (Signer::Guardian, Party::Client, Capacity::Guardian | Capacity::Curator)
    );
    if !theirs {
        return Err(AGREEMENT_NOT_YOURS_TO_SIGN.with("party", who.party.as_str()));
    }
    if !agreement.signatories.contains(&who) {
        return Err(wrong_signatory(&AGREEMENT_NO_SUCH_SIGNATORY, who.party, who.capacity));
    }
    Ok((!agreement.signed(who)).then_some(Signature { by: who, on }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::tests::{policy, uuid};
    use jiff::civil::date;

    pub fn draft() -> Draft {
        Draft {
            parties: vec![
                (Party::Corporation, vec![Capacity::Officer]),
                (Party::Client, vec![Capacity::SelfSigned, Capacity::Guardian]),
                (Party::Provider, vec![Capacity::Officer]),
            ],
            tenant: Tenant::Provider,
            lease_months: None,
            temporary_ground: None,
            conversion_months: None,
            guidance_tied: true,
        }
    }

    fn drawn(draft: &Draft) -> Result<Agreement, Refusal> {
        draw_up(AgreementId(uuid(1)), draft, date(2026, 4, 1), &policy())
    }

    /// R-HOU-11
    #[test]
    fn an_agreement_has_exactly_three_parties_each_with_signatories() {
        let with = |parties: Vec<(Party, Vec<Capacity>)>| drawn(&Draft { parties, ..draft() });
        let officer = || vec![Capacity::Officer];
        let three = draft().parties;
        assert!(with(three.clone()).is_ok());
        for wrong in [
            three[..2].to_vec(),
            [three.clone(), vec![(Party::Provider, officer())]].concat(),
            vec![three[0].clone(), three[0].clone(), three[1].clone()],
            vec![three[0].clone(), three[1].clone(), (Party::Provider, vec![])],
        ] {
            assert_eq!(with(wrong).unwrap_err().reason, &AGREEMENT_PARTIES_WRONG);
        }
        for client in [officer(), vec![Capacity::Partner]] {
            let parties = vec![three[0].clone(), (Party::Client, client), three[2].clone()];
            assert_eq!(with(parties).unwrap_err().reason, &AGREEMENT_SIGNATORY_WRONG);
        }
        let parties = vec![(Party::Corporation, vec![Capacity::Parent]), three[1].clone(), three[2].clone()];
        assert_eq!(with(parties).unwrap_err().reason, &AGREEMENT_SIGNATORY_WRONG);
    }

    /// R-HOU-12
    #[test]
    fn the_lease_goes_to_the_client_in_time() {
        let after = |months| drawn(&Draft { conversion_months: months, ..draft() });
        assert_eq!(after(None).unwrap().conversion_on, Some(date(2028, 4, 1)));
        assert_eq!(after(Some(36)).unwrap().conversion_on, Some(date(2029, 4, 1)));
        assert_eq!(after(Some(37)).unwrap_err().reason, &AGREEMENT_CONVERSION_TOO_LATE);
        assert_eq!(drawn(&Draft { tenant: Tenant::Client, ..draft() }).unwrap().conversion_on, None);
    }

    /// R-HOU-13, R-HOU-25
    #[test]
    fn a_temporary_lease_in_the_clients_name_is_short_and_has_a_ground() {
        let own = |months, ground, start| {
            let draft =
                Draft { tenant: Tenant::Client, lease_months: Some(months), temporary_ground: ground, ..draft() };
            draw_up(AgreementId(uuid(1)), &draft, start, &policy()).map(drop).map_err(|refusal| refusal.reason.code)
        };
        let ground = Some(TemporaryGround::FromShelter);
        assert_eq!(own(24, ground, date(2024, 7, 1)), Ok(()));
        assert_eq!(own(25, ground, date(2024, 7, 1)), Err("AGREEMENT_TERM_TOO_LONG"));
        assert_eq!(own(24, None, date(2024, 7, 1)), Err("AGREEMENT_GROUND_MISSING"));
        assert_eq!(own(24, None, date(2024, 6, 30)), Ok(()));
        // A lease of the provider may be longer.
        assert!(drawn(&Draft { lease_months: Some(36), ..draft() }).is_ok());
    }

    /// R-HOU-11
    #[test]
    fn everybody_signs_for_the_own_party_only() {
        let agreement = drawn(&draft()).unwrap();
        let on = date(2026, 3, 10);
        let who = |party, capacity| Signatory { party, capacity };
        let (client, corporation) =
            (who(Party::Client, Capacity::SelfSigned), who(Party::Corporation, Capacity::Officer));
        for (by, signatory, outcome) in [
            (Signer::Corporation, corporation, Ok(Some(Signature { by: corporation, on }))),
            (Signer::Corporation, client, Err(&AGREEMENT_NOT_YOURS_TO_SIGN)),
            (Signer::Client, client, Ok(Some(Signature { by: client, on }))),
            (Signer::Client, who(Party::Client, Capacity::Guardian), Err(&AGREEMENT_NOT_YOURS_TO_SIGN)),
            (Signer::Provider, corporation, Err(&AGREEMENT_NOT_YOURS_TO_SIGN)),
            (Signer::Provider, client, Ok(Some(Signature { by: client, on }))),
            (Signer::Guardian, client, Err(&AGREEMENT_NOT_YOURS_TO_SIGN)),
            (Signer::Guardian, who(Party::Client, Capacity::Curator), Err(&AGREEMENT_NO_SUCH_SIGNATORY)),
        ] {
            assert_eq!(sign(&agreement, by, signatory, on).map_err(|refusal| refusal.reason), outcome);
        }
        let mut signed = agreement.clone();
        for who in &agreement.signatories {
            assert!(!signed.complete());
            signed.signatures.push(Signature { by: *who, on });
        }
        assert!(signed.complete() && signed.same_terms(&agreement));
        assert_eq!(sign(&signed, Signer::Client, client, on), Ok(None));
    }
}
