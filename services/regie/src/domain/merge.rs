//! Merges: two records that turned out to be of one person (R-REG-26). One is kept, the other points to it from then on: no fact
//! moves, so that undoing it is ending that.
//!
//! There are no chains: a record that others point to does not itself point to one, so that whoever is told which record to
//! use is told so once.

use super::process::Running;
use kernel::{ClientId, Date, Moment, Organisation, Refusal};
use std::collections::BTreeSet;

kernel::id! {
    /// A merge.
    MergeId
}

kernel::reasons! {
    MERGE_OF_ONE: Rule, "R-REG-26",
        "A record cannot point to itself.", "Een dossier kan niet naar zichzelf verwijzen.",
        "Name the two records.", "Noem de twee dossiers.";
    MERGE_UNKNOWN: NotFound, "R-REG-26",
        "There is no such merge of this client.", "Deze samenvoeging is er niet voor deze cliënt.",
        "List the client's merges.", "Vraag de samenvoegingen van de cliënt op.";
    MERGE_STANDS: Rule, "R-REG-26",
        "This record points to another one already: {client_id}.", "Dit dossier verwijst al naar een ander dossier: {client_id}.",
        "Undo that merge first.", "Maak die samenvoeging eerst ongedaan.";
    MERGE_CHAIN: Rule, "R-REG-26",
        "A record that others point to points to none itself.",
        "Een dossier waarnaar andere verwijzen, verwijst zelf nergens naar.",
        "Name the record that is used, or undo the earlier merge first.",
        "Noem het dossier dat in gebruik is, of maak de eerdere samenvoeging eerst ongedaan.";
    MERGE_RUNS: Rule, "R-REG-26",
        "Something runs under the record that would no longer be used: {what}.",
        "Er loopt iets onder het dossier dat niet meer gebruikt zou worden: {wat}.",
        "Keep that record instead, or end this first; mark a separation for the record that is kept before you end it here.",
        "Houd dat dossier aan, of beëindig dit eerst; leg een scheiding vast voor het dossier dat blijft voordat u haar hier beëindigt.";
    MERGE_BOTH_RUN: Rule, "R-REG-26",
        "Something runs under both records: {what}; and {what_kept}.", "Er loopt iets onder beide dossiers: {wat}; en {wat_blijft}.",
        "End under one of them what runs there, and keep the other.",
        "Beëindig onder een van beide wat daar loopt, en houd het andere aan.";
}

/// One record that points to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Its id.
    pub id: MergeId,
    /// The record that points.
    pub client: ClientId,
    /// The record that is used.
    pub kept: ClientId,
    /// Why, in the words of whoever decided it.
    pub explanation: String,
    /// Since when.
    pub merged_on: Date,
    /// Whose decision it was.
    pub merged_by: Organisation,
    /// When and why it was undone; none while it stands.
    pub undone: Option<(Date, String)>,
}

impl Merge {
    /// Whether the one points to the other now.
    pub fn stands(&self) -> bool {
        self.undone.is_none()
    }
}

/// What stands in the way on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Whether its place is secret.
    pub shielded: bool,
    /// Whether somebody is kept apart from it.
    pub kept_apart: bool,
    /// What runs under it.
    pub running: BTreeSet<Running>,
    /// Whether its case is open.
    pub case_open: bool,
}

/// Lets one record point to another; gives back the merge that stands, and whether it is new. `known` are the merges in which
/// either of the two has a part.
pub fn merge(known: &[Merge], wanted: Merge, side: &Side, kept: &Side) -> Result<(Merge, bool), Refusal> {
    if wanted.client == wanted.kept {
        return Err((&MERGE_OF_ONE).into());
    }
    let standing = || known.iter().filter(|one| one.stands());
    if let Some(stands) = standing().find(|one| one.client == wanted.client) {
        return match stands.kept == wanted.kept {
            true => Ok((stands.clone(), false)),
            false => Err(MERGE_STANDS.with("client_id", stands.kept)),
        };
    }
    if standing().any(|one| one.kept == wanted.client || one.client == wanted.kept) {
        return Err((&MERGE_CHAIN).into());
    }
    let mut running = side.running.clone();
    // By one reason with all the rest: which one it was is in the access log, and the client reads that (R-REG-28).
    running.extend((side.shielded || kept.shielded).then_some(Running::Shield));
    running.extend(side.kept_apart.then_some(Running::Separation));
    // Of an open case nothing is lost when the one that is kept has one too.
    running.extend((side.case_open && !kept.case_open).then_some(Running::Case));
    match (running.is_empty(), kept.running.is_empty()) {
        (true, _) => Ok((wanted, true)),
        (false, true) => Err(Running::say(&running, (&MERGE_RUNS).into(), ("what", "wat"))),
        (false, false) => {
            let refusal = Running::say(&running, (&MERGE_BOTH_RUN).into(), ("what", "wat"));
            Err(Running::say(&kept.running, refusal, ("what_kept", "wat_blijft")))
        }
    }
}

/// Undoes a merge; none when it is undone already.
pub fn undo(known: &[Merge], id: MergeId, explanation: String, now: Moment) -> Result<Option<Merge>, Refusal> {
    let merge = known.iter().find(|one| one.id == id).ok_or(&MERGE_UNKNOWN)?;
    Ok(merge.stands().then(|| Merge { undone: Some((now.date, explanation)), ..merge.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const TODAY: Date = date(2026, 3, 2);

    fn client(n: u128) -> ClientId {
        ClientId(Uuid::from_u128(n))
    }

    fn wanted(id: u128, of: u128, kept: u128) -> Merge {
        Merge {
            id: MergeId(Uuid::from_u128(id)),
            client: client(of),
            kept: client(kept),
            explanation: "Zelfde geboortedatum en paspoort.".into(),
            merged_on: TODAY,
            merged_by: Organisation::parse("o", "gemeente-dordrecht").unwrap(),
            undone: None,
        }
    }

    fn undone(merge: Merge) -> Merge {
        Merge { undone: Some((TODAY, "Toch een ander.".into())), ..merge }
    }

    fn runs(what: &[Running]) -> Side {
        Side { running: what.iter().copied().collect(), ..Side::default() }
    }

    fn code(outcome: Result<(Merge, bool), Refusal>) -> Result<bool, &'static str> {
        outcome.map(|(_, new)| new).map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-26
    #[test]
    fn a_record_points_to_one_other_and_none_points_further() {
        let free = Side::default();
        for (known, wish, answer) in [
            (vec![], wanted(9, 1, 1), Err("MERGE_OF_ONE")),
            (vec![], wanted(9, 2, 1), Ok(true)),
            (vec![wanted(1, 2, 1)], wanted(9, 2, 1), Ok(false)),
            (vec![wanted(1, 2, 1)], wanted(9, 2, 3), Err("MERGE_STANDS")),
            (vec![wanted(1, 2, 1)], wanted(9, 1, 3), Err("MERGE_CHAIN")),
            (vec![wanted(1, 2, 1)], wanted(9, 3, 2), Err("MERGE_CHAIN")),
            (vec![wanted(1, 2, 1)], wanted(9, 1, 2), Err("MERGE_CHAIN")),
            (vec![wanted(1, 2, 1)], wanted(9, 3, 1), Ok(true)),
            (vec![undone(wanted(1, 2, 1))], wanted(9, 1, 2), Ok(true)),
            (vec![undone(wanted(1, 2, 1))], wanted(9, 2, 1), Ok(true)),
        ] {
            assert_eq!(code(merge(&known, wish.clone(), &free, &free)), answer, "{wish:?}");
        }
    }

    /// R-REG-26, R-REG-28
    #[test]
    fn what_runs_or_is_secret_is_not_merged_away() {
        use Running::{Case, Home, Offer, Stay};
        let (free, open) = (Side::default(), Side { case_open: true, ..Side::default() });
        let (shielded, apart) =
            (Side { shielded: true, ..Side::default() }, Side { kept_apart: true, ..Side::default() });
        for (side, kept, answer) in [
            (&shielded, &free, Err("MERGE_RUNS")),
            (&free, &shielded, Err("MERGE_RUNS")),
            (&apart, &free, Err("MERGE_RUNS")),
            (&free, &apart, Ok(true)),
            (&runs(&[Stay]), &free, Err("MERGE_RUNS")),
            (&free, &runs(&[Stay]), Ok(true)),
            (&runs(&[Stay]), &runs(&[Home]), Err("MERGE_BOTH_RUN")),
            (&open, &free, Err("MERGE_RUNS")),
            (&open, &open, Ok(true)),
            (&free, &open, Ok(true)),
        ] {
            assert_eq!(code(merge(&[], wanted(9, 2, 1), side, kept)), answer, "{side:?} {kept:?}");
        }
        let both = merge(&[], wanted(9, 2, 1), &runs(&[Offer, Stay]), &runs(&[Home])).unwrap_err();
        assert_eq!(both.en(), "Something runs under both records: a stay, an offer; and a home.");
        assert_eq!(both.nl(), "Er loopt iets onder beide dossiers: een verblijf, een aanbod; en een woning.");
        let case = merge(&[], wanted(9, 2, 1), &open, &free).unwrap_err();
        assert_eq!(case.facts, [("what", "an open case".to_owned()), ("wat", "een open dossier".to_owned())]);
        assert_eq!(Running::ALL.len(), Running::ALL.iter().map(|one| one.words()).collect::<BTreeSet<_>>().len());
        assert!(Running::ALL.contains(&Case));
    }

    /// R-REG-26
    #[test]
    fn a_merge_is_undone_once() {
        let undo = |known: &[Merge], id: u128| {
            let id = MergeId(Uuid::from_u128(id));
            super::undo(known, id, "Toch een ander.".into(), Moment::start_of(TODAY))
        };
        assert_eq!(undo(&[], 1).unwrap_err().reason.code, "MERGE_UNKNOWN");
        let gone = undo(&[wanted(1, 2, 1)], 1).unwrap().unwrap();
        assert_eq!(gone, undone(wanted(1, 2, 1)));
        assert_eq!(undo(&[gone], 1), Ok(None));
    }

    proptest! {
        /// R-REG-26: merged and undone in any order, and each wish twice: a record points to one at most and no further, each
        /// wish again changes nothing, and with everything undone nothing points anywhere.
        #[test]
        fn no_order_of_merging_and_undoing_makes_a_chain(
            wishes in prop::collection::vec((0u128..4, 0u128..4, any::<bool>()), 0..40),
        ) {
            let (free, now) = (Side::default(), Moment::start_of(TODAY));
            let mut known: Vec<Merge> = Vec::new();
            for (n, (of, kept, undoing)) in wishes.into_iter().enumerate() {
                if undoing {
                    let of_this = known.iter().filter(|one| one.client == client(of)).map(|one| one.id).collect::<Vec<_>>();
                    for id in of_this {
                        if let Some(gone) = undo(&known, id, String::new(), now).unwrap() {
                            known.retain(|one| one.id != id);
                            known.push(gone);
                        }
                        prop_assert_eq!(undo(&known, id, String::new(), now), Ok(None));
                    }
                } else if let Ok((stands, new)) = merge(&known, wanted(100 + n as u128, of, kept), &free, &free) {
                    if new {
                        known.push(stands.clone());
                    }
                    let again = merge(&known, wanted(1000, of, kept), &free, &free);
                    prop_assert_eq!(again, Ok((stands, false)));
                }
                let points: BTreeMap<_, _> =
                    known.iter().filter(|one| one.stands()).map(|one| (one.client, one.kept)).collect();
                prop_assert_eq!(points.len(), known.iter().filter(|one| one.stands()).count());
                prop_assert!(points.values().all(|kept| !points.contains_key(kept)));
            }
        }
    }
}
