//! The benefit standard of a household, from dated figures (R-INC-06, R-INC-24).

use kernel::{Cents, Refusal};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    CIRCUMSTANCES_INVALID: Malformed, "R-INC-06",
        "The circumstances cannot be right.", "De omstandigheden kunnen niet kloppen.",
        "Correct the named fields.", "Verbeter de genoemde velden.";
    FIGURES_NOT_LOADED: Rule, "R-INC-06",
        "The standards of {on} are not loaded for this household.", "De normen van {on} zijn voor dit huishouden niet geladen.",
        "Load the official figures of that half-year.", "Laad de officiële bedragen van dat halfjaar.";
}

/// National figures of the Participatiewet (figures.toml). An amount that is absent is not loaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// The age from which somebody shares costs, in years (R-INC-06).
    pub sharer_age: i32,
    /// The least that an advance is, in percent of the standard (R-INC-04).
    pub advance_percent: i64,
    /// Months that benefit may start before the reporting day (R-INC-02).
    pub retroactive_months: i32,
    /// Whether the search term may be waived (R-INC-05).
    pub search_term_waivable: bool,
    /// Couple of 21 and older, per month.
    pub couple_cents: Option<Cents>,
    /// Single of 21 and older, per month.
    pub single_cents: Option<Cents>,
    /// Single of 18 to 20, per month (R-INC-24).
    pub single_under_21_cents: Option<Cents>,
    /// Single in an institution, per month (R-INC-08).
    pub institution_single_cents: Option<Cents>,
    /// Couple in an institution, per month (R-INC-08).
    pub institution_couple_cents: Option<Cents>,
}

/// What decides the standard of a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The applicant's age, in years.
    pub age: i32,
    /// Whether there is a partner in the household.
    pub partner: bool,
    /// Adults who share the costs of the dwelling and have the age that counts, the applicant included.
    pub cost_sharers: i32,
    /// Whether the applicant stays in an institution.
    pub institution: bool,
}

impl Circumstances {
    /// Checks the ranges; `field` is the path of the message.
    pub fn check(&self, field: &str) -> Result<(), Refusal> {
        let mut refusal = Refusal::from(&CIRCUMSTANCES_INVALID);
        if !(16..=120).contains(&self.age) {
            refusal = refusal.field(format!("{field}.age"), "is not between 16 and 120", "ligt niet tussen 16 en 120");
        }
        if !(0..=50).contains(&self.cost_sharers) {
            refusal =
                refusal.field(format!("{field}.cost_sharers"), "is not between 0 and 50", "ligt niet tussen 0 en 50");
        }
        if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
    }

    /// Whether the search term holds: under 27 (R-INC-05).
    pub fn youth(&self) -> bool {
        self.age < 27
    }

    /// Whether the standard may not carry independent living (R-INC-24).
    pub fn shortfall(&self) -> bool {
        self.age < 21
    }
}

/// The standard per month of this applicant, or of this couple; nothing when the figures are not loaded.
///
/// Cost-sharers get ((40% + A x 30%) / A) of the couple standard each, where A counts the applicant; A = 1 is the single
/// standard (R-INC-06).
pub fn standard(figures: &Figures, circumstances: &Circumstances) -> Option<Cents> {
    let persons = if circumstances.partner { 2 } else { 1 };
    let sharers = i64::from(circumstances.cost_sharers).max(persons);
    match circumstances {
        Circumstances { institution: true, partner, .. } => {
            if *partner {
                figures.institution_couple_cents
            } else {
                figures.institution_single_cents
            }
        }
        Circumstances { age: ..18, .. } => None,
        // The standard of a couple with a partner under 21 depends on the partner's age and on children: a human decides.
        Circumstances { age: ..21, partner, .. } => figures.single_under_21_cents.filter(|_| !partner),
        _ if sharers == 1 => figures.single_cents,
        _ => figures.couple_cents.map(|couple| rounded(couple.0 * persons * (40 + 30 * sharers), 100 * sharers)),
    }
}

/// The least that an advance has to be: a share of the standard (R-INC-04).
pub fn least_advance(figures: &Figures, standard: Cents) -> Cents {
    rounded(standard.0 * figures.advance_percent, 100)
}

/// Half a cent goes up.
fn rounded(numerator: i64, denominator: i64) -> Cents {
    Cents((2 * numerator + denominator) / (2 * denominator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Dated;
    use proptest::prelude::*;

    fn figures(year: i16) -> Figures {
        Dated::<Figures>::parse(crate::domain::DEFAULT_FIGURES)
            .unwrap()
            .at(&crate::domain::testing::dordrecht(), date(year, 1, 1))
            .clone()
    }

    fn alone(age: i32) -> Circumstances {
        Circumstances { age, partner: false, cost_sharers: 0, institution: false }
    }

    /// R-INC-06
    #[test]
    fn cost_sharers_get_their_share_of_the_couple_standard() {
        for (sharers, cents) in [(0, 140_150), (1, 140_150), (2, 100_107), (3, 86_759), (4, 80_085)] {
            let shared = Circumstances { cost_sharers: sharers, ..alone(40) };
            assert_eq!(standard(&figures(2026), &shared), Some(Cents(cents)), "{sharers}");
        }
        let couple = Circumstances { partner: true, ..alone(40) };
        assert_eq!(standard(&figures(2026), &couple), Some(Cents(200_213)));
        let couple_with_one_more = Circumstances { cost_sharers: 3, ..couple };
        assert_eq!(standard(&figures(2026), &couple_with_one_more), Some(Cents(173_518)));
    }

    /// R-INC-06
    #[test]
    fn the_age_from_which_one_shares_costs_is_of_its_date() {
        assert_eq!(figures(2022).sharer_age, 21);
        assert_eq!(figures(2023).sharer_age, 27);
    }

    /// R-INC-24
    #[test]
    fn the_standard_under_21_is_lower_and_is_flagged() {
        assert_eq!(standard(&figures(2026), &alone(20)), Some(Cents(34_599)));
        assert!(alone(20).shortfall() && !alone(21).shortfall());
        assert_eq!(standard(&figures(2026), &alone(17)), None);
    }

    /// R-INC-04
    #[test]
    fn an_advance_is_at_least_the_share_of_its_date() {
        assert_eq!(least_advance(&figures(2025), Cents(140_150)), Cents(126_135));
        assert_eq!(least_advance(&figures(2026), Cents(140_150)), Cents(133_143));
    }

    #[test]
    fn figures_that_are_not_loaded_give_no_standard() {
        assert_eq!(standard(&figures(2018), &alone(40)), None);
        assert_eq!(standard(&figures(2026), &Circumstances { institution: true, ..alone(40) }), None);
    }

    #[test]
    fn absurd_circumstances_name_every_field() {
        let absurd = Circumstances { age: 3, partner: false, cost_sharers: -1, institution: false };
        assert_eq!(absurd.check("circumstances").unwrap_err().fields.len(), 2);
        assert!(alone(18).check("circumstances").is_ok());
    }

    proptest! {
        /// R-INC-06
        #[test]
        fn one_more_sharer_never_raises_the_standard(sharers in 1i32..20, partner: bool) {
            let of = |n| standard(&figures(2026), &Circumstances { cost_sharers: n, partner, ..alone(40) }).unwrap();
            prop_assert!(of(sharers + 1) <= of(sharers));
        }
    }
}
