//! What access decides, and by which rules. Pure: the moment, the policy and the ids come in as arguments.

pub mod client;
pub mod codes;
pub mod decision;
pub mod facility;
pub mod household;
pub mod intake;
pub mod nights;
pub mod notification;
pub mod own_access;
pub mod place_claim;
pub mod policy;
pub mod stay;
pub mod waiting_list;

use kernel::{Date, Moment, Reason, Refusal, Timestamp};

pub use policy::Policy;

/// Every page of this service's error catalogue.
pub const REASONS: &[&[&Reason]] = &[
    REASONS_OF_DATES,
    client::REASONS,
    decision::REASONS,
    facility::REASONS,
    household::REASONS,
    intake::REASONS,
    nights::REASONS,
    notification::REASONS,
    place_claim::REASONS,
    stay::REASONS,
];

pub use dates::REASONS as REASONS_OF_DATES;

mod dates {
    kernel::reasons! {
        ACCESS_DATE_IN_FUTURE: Malformed, "-",
            "The date lies after {latest}.", "De datum ligt na {latest}.",
            "Give a date up to and including {latest}.", "Geef een datum tot en met {latest}.";
        ACCESS_DATE_TOO_OLD: Malformed, "-",
            "The date lies before {oldest}, too long ago to record now.", "De datum ligt voor {oldest}, te lang geleden om nu vast te leggen.",
            "Give a date from {oldest} on.", "Geef een datum vanaf {oldest}.";
    }
}

pub use dates::{ACCESS_DATE_IN_FUTURE, ACCESS_DATE_TOO_OLD};

kernel::id! {
    /// A notification.
    NotificationId
}
kernel::id! {
    /// An intake.
    IntakeId
}
kernel::id! {
    /// An application.
    ApplicationId
}
kernel::id! {
    /// A decision.
    DecisionId
}
kernel::id! {
    /// A facility.
    FacilityId
}
kernel::id! {
    /// A stay.
    StayId
}
kernel::id! {
    /// An entry on a waiting list.
    EntryId
}
kernel::id! {
    /// A claimed place.
    ClaimId
}

/// When something must be looked at again, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// What is due then.
    pub due: Due,
    /// From this instant on.
    pub at: Timestamp,
}

codes::codes! {
    /// What can fall due in this service.
    Due {
        InvestigationSoon = "investigation_soon", "The investigation is nearly out of time (R-ACC-04).";
        InvestigationOver = "investigation_over", "The six weeks have passed (R-ACC-07).";
        UrgentProvision = "urgent_provision", "The target for an urgent provision has passed (R-ACC-09).";
        ApplicationSoon = "application_soon", "The decision term is nearly over (R-ACC-08).";
        DecisionSoon = "decision_soon", "A decision nears its end (R-ACC-20).";
        DecisionOver = "decision_over", "The last day of a decision has passed.";
        StayTarget = "stay_target", "The target stay is reached (R-ACC-18).";
        ClaimSoon = "claim_soon", "A claimed place is kept for one more night.";
        ClaimOver = "claim_over", "A claimed place is kept no longer.";
        OwnAccess = "own_access", "A birthday changes what the client may do with the own file (R-REG-21).";
    }
}

/// Refuses a day outside `oldest ..= now`; `field` is the path of the field.
pub fn check_day(field: &'static str, day: Date, oldest: Date, now: Moment) -> Result<(), Refusal> {
    check_span(field, day, oldest, now.date)
}

/// Refuses a day outside `oldest ..= latest`; `field` is the path of the field.
pub fn check_span(field: &'static str, day: Date, oldest: Date, latest: Date) -> Result<(), Refusal> {
    if day > latest {
        return Err(ACCESS_DATE_IN_FUTURE.field(field, "is too late", "is te laat").with("latest", latest));
    }
    if day < oldest {
        return Err(ACCESS_DATE_TOO_OLD.field(field, "is too early", "is te vroeg").with("oldest", oldest));
    }
    Ok(())
}

/// Refuses an instant that has not come; `field` is the path of the field.
pub fn check_instant(field: &'static str, at: Timestamp, now: Moment) -> Result<(), Refusal> {
    if at <= now.at {
        return Ok(());
    }
    Err(ACCESS_DATE_IN_FUTURE.field(field, "has not come yet", "is nog niet geweest").with("latest", now.at))
}

/// The day `days` calendar days later, or earlier when negative.
pub fn plus_days(day: Date, days: i32) -> Date {
    day.saturating_add(jiff::Span::new().days(days))
}

/// Whole years between two days.
pub fn age(born: Date, on: Date) -> i32 {
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    i32::from(on.year()) - i32::from(born.year()) - i32::from(!had_birthday)
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use kernel::{Dated, Municipality};

    pub fn policies() -> Dated<Policy> {
        Dated::parse(policy::DEFAULT).unwrap()
    }

    pub fn policy() -> Policy {
        policies().at(&dordrecht(), jiff::civil::date(2018, 3, 1)).clone()
    }

    pub fn dordrecht() -> Municipality {
        Municipality::parse("municipality", "0505").unwrap()
    }

    /// Thursday 1 March 2018, ten in the morning.
    pub fn now() -> Moment {
        Moment::at_hour(jiff::civil::date(2018, 3, 1), 10)
    }

    pub fn id(n: u128) -> kernel::Uuid {
        kernel::Uuid::from_u128(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_to_come_and_an_absurdly_old_one_are_refused_with_the_path_of_the_field() {
        let now = samples::now();
        let oldest = plus_days(now.date, -31);
        for (day, code) in [
            (date(2018, 3, 2), Some("ACCESS_DATE_IN_FUTURE")),
            (date(9999, 12, 31), Some("ACCESS_DATE_IN_FUTURE")),
            (date(2018, 3, 1), None),
            (date(2018, 1, 29), None),
            (date(2018, 1, 28), Some("ACCESS_DATE_TOO_OLD")),
            (date(1, 1, 1), Some("ACCESS_DATE_TOO_OLD")),
        ] {
            let refusal = check_day("received_on", day, oldest, now).err();
            assert_eq!(refusal.as_ref().map(|r| r.reason.code), code, "{day}");
            assert!(refusal.is_none_or(|r| r.fields[0].path == "received_on"));
        }
    }

    #[test]
    fn an_age_changes_on_the_birthday() {
        assert_eq!(age(date(2000, 3, 1), date(2018, 2, 28)), 17);
        assert_eq!(age(date(2000, 3, 1), date(2018, 3, 1)), 18);
        assert_eq!(age(date(2000, 2, 29), date(2018, 2, 28)), 17);
    }

    #[test]
    fn every_reason_has_a_name_of_its_own_and_a_way_out_in_both_languages() {
        let all: Vec<_> = REASONS.iter().flat_map(|page| page.iter()).collect();
        let names: std::collections::BTreeSet<_> = all.iter().map(|r| r.code).collect();
        assert_eq!(names.len(), all.len());
        for reason in all {
            for text in [reason.en, reason.nl, reason.way_out, reason.uitweg] {
                assert!(text.ends_with('.'), "{}: {text}", reason.code);
            }
        }
    }
}
