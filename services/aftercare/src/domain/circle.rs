//! Which teams are responsible for a client: asked once, when a signal comes in, and fixed then (P5, R-AFT-05).

use kernel::Organisation;
use std::collections::BTreeSet;

/// How far a handover is, as far as responsibility goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// The receiver has nothing yet: the giver is responsible alone.
    Waiting,
    /// The form is with the receiver, who hears along; the giver is responsible until the answer.
    UnderWay,
    /// The receiver is responsible.
    Done,
}

/// One handover that is neither cancelled nor followed by an aftercare that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guidance {
    /// The giver.
    pub from: Organisation,
    /// The receiver.
    pub to: Organisation,
    /// How far it is.
    pub takeover: Takeover,
}

/// Who stands around a client.
#[derive(Clone, Debug, Default)]
pub struct Circle {
    /// The handovers that count.
    pub guidance: Vec<Guidance>,
    /// The teams that subscribed to the client.
    pub subscribed: Vec<Organisation>,
    /// Debt help with a relation to the client.
    pub debt_help: Vec<Organisation>,
}

impl Circle {
    /// The teams responsible for the client: who guides now, who is taking over, and who subscribed.
    pub fn teams(&self) -> BTreeSet<Organisation> {
        let guides = self.guidance.iter().flat_map(|g| match g.takeover {
            Takeover::Waiting => vec![&g.from],
            Takeover::UnderWay => vec![&g.from, &g.to],
            Takeover::Done => vec![&g.to],
        });
        guides.chain(&self.subscribed).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(code: &str) -> Organisation {
        Organisation::parse("organisation", code).unwrap()
    }

    /// P5, R-AFT-02
    #[test]
    fn until_the_handover_is_accepted_the_giver_stays_responsible_and_the_receiver_hears_along() {
        for (takeover, teams) in [
            (Takeover::Waiting, vec!["giver", "subscriber"]),
            (Takeover::UnderWay, vec!["giver", "receiver", "subscriber"]),
            (Takeover::Done, vec!["receiver", "subscriber"]),
        ] {
            let circle = Circle {
                guidance: vec![Guidance { from: org("giver"), to: org("receiver"), takeover }],
                subscribed: vec![org("subscriber")],
                debt_help: vec![org("debt")],
            };
            assert_eq!(circle.teams(), teams.into_iter().map(org).collect(), "{takeover:?}");
        }
    }

    /// P5
    #[test]
    fn a_team_that_is_responsible_twice_is_named_once() {
        let circle = Circle {
            guidance: vec![Guidance { from: org("giver"), to: org("team"), takeover: Takeover::Done }],
            subscribed: vec![org("team")],
            debt_help: vec![],
        };
        assert_eq!(circle.teams().len(), 1);
    }
}
