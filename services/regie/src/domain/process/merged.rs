//! A record that points to another of the same person (R-REG-26): it rests, until the merge is undone.
//!
//! | what happened | what should stand | undone when |
//! |---|---|---|
//! | merged | the case closed, and nothing asked of anybody | the merge is undone |
//! | the case of the record that is used closed | no relation (R-REG-13) | the merge is undone |
//! | something runs under it after all | a task to look at the merge | it is over; the merge is undone |
//! | nobody took up a signal; nowhere to sleep | as for everybody (P5, P6) | as for everybody |
//!
//! What was brought about before stays as it is, neither done again nor undone: once the merge is undone, all goes on from
//! there, and from what the feeds told meanwhile.

use super::facts::{Facts, Merged, Over};
use super::to_a_home::CASE;
use super::{Act, Case, CloseReason, Page, Stage, TaskKind, View, to_a_landing};
use kernel::{Date, Refusal};
use std::collections::BTreeSet;

pub(super) fn page(v: &View<'_>, p: &mut Page, merged: &Merged) {
    if v.alive() {
        to_a_landing::calls_for_help(v, p);
    }
    if !v.facts.running(v.now.date).is_empty() {
        let (kind, subject) = (TaskKind::LookAtMerge, merged.merge);
        p.task(kind, subject, v.regie(), v.due_of(kind, subject));
    }
    let ends = |step: &str| {
        let asks = step.starts_with("task/") || step.starts_with("deadline/");
        asks || (merged.at_rest && step.starts_with("relation/"))
    };
    for (step, standing) in v.standing.iter().filter(|(step, _)| !ends(step)) {
        p.keep(step, standing);
    }
    let stands = |case: &&Case| v.standing.contains_key(&format!("{CASE}{}", case.id));
    if let Some(case) = v.open_case().filter(stands) {
        let opens = Act::OpenCase { case: case.id, municipality: case.municipality.clone() };
        let closes = Act::CloseCase { case: case.id, reason: CloseReason::Merged };
        p.step(("merged", merged.merge), Stage::Wanted, [closes], [opens]);
    }
}

macro_rules! running {
    ($($name:ident = $en:literal, $nl:literal;)*) => {
        /// What runs under a record, so that no other record can take its place (R-REG-26).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Running { $(#[doc = $en] $name,)* }

        impl Running {
            /// Everything that can run.
            pub const ALL: &'static [Running] = &[$(Running::$name,)*];

            /// What it is, in English and in Dutch.
            pub fn words(self) -> (&'static str, &'static str) {
                match self { $(Running::$name => ($en, $nl),)* }
            }
        }
    };
}

running! {
    Case = "an open case", "een open dossier";
    Shield = "a shield of one of the two", "een afscherming van een van de twee";
    Separation = "a separation", "een scheiding";
    Shelter = "urgent shelter that is waited for", "spoedopvang waarop wordt gewacht";
    Application = "an application", "een aanvraag";
    Decision = "a decision", "een beschikking";
    Stay = "a stay", "een verblijf";
    Place = "a claimed place", "een vastgehouden plek";
    Waiting = "a place on a waiting list", "een plaats op een wachtlijst";
    Night = "a report of nowhere to sleep", "een melding van geen slaapplek";
    Nomination = "a nomination", "een voordracht";
    Offer = "an offer", "een aanbod";
    Home = "a home", "een woning";
    Aftercare = "aftercare", "nazorg";
    Benefit = "a benefit, or a request for one", "een uitkering, of een aanvraag daarvan";
}

impl Running {
    /// Says in a refusal what runs, in both languages.
    pub fn say(running: &BTreeSet<Running>, refusal: Refusal, (en, nl): (&'static str, &'static str)) -> Refusal {
        let join = |words: fn(&Running) -> &'static str| running.iter().map(words).collect::<Vec<_>>().join(", ");
        refusal.with(en, join(|one| one.words().0)).with(nl, join(|one| one.words().1))
    }
}

impl Facts {
    /// What the feeds told that runs on this day.
    pub fn running(&self, today: Date) -> BTreeSet<Running> {
        let (access, housing, income) = (&self.access, &self.housing, &self.income);
        let ended = |id| self.aftercare.ended.contains_key(id);
        let benefit = |r: &super::facts::Request| {
            let over = r.running.is_some_and(|period| period.until.is_some_and(|until| until < today));
            !r.withdrawn && r.refused_on.is_none() && !over
        };
        let runs = [
            (Running::Shelter, !access.urgent.is_empty()),
            (Running::Application, !access.received.is_empty() || !access.applications.is_empty()),
            (Running::Stay, !access.stays.is_empty()),
            (Running::Place, access.claims.values().any(|claim| !claim.released)),
            (Running::Waiting, !access.waiting.is_empty()),
            (Running::Night, self.aftercare.nights.values().any(|night| !night.closed)),
            (Running::Nomination, housing.nominations.keys().any(|id| housing.in_the_pool(id))),
            (Running::Offer, !housing.offers.is_empty()),
            (Running::Home, housing.moves.values().any(|m| m.on())),
            (Running::Aftercare, housing.moves.iter().any(|(id, m)| m.over == Some(Over::Left) && !ended(id))),
            (Running::Benefit, income.requests.values().any(benefit)),
        ];
        runs.into_iter().filter(|(_, runs)| *runs).map(|(what, _)| what).filter(|_| !access.died).collect()
    }
}
