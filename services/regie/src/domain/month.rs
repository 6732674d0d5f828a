//! The month within which the municipality answers what a client asks about the own data, and the two months by which it can be
//! extended, once (R-REG-21; AVG 12(3)). Requests for access and for correction have the same.

use super::case::codes;
use kernel::{Calendar, Date, Moment, Reason, Refusal, Term};

codes! {
    /// Why the month is extended.
    ExtensionGround {
        Complex = "complex", "What is asked is complex.";
        ManyRequests = "many_requests", "The client asked many things.";
    }
}

const MONTH: Term = Term::Months(1);
const EXTENDED: Term = Term::Months(3);

/// How far a request is.
pub struct Asked {
    /// The day on which it came in.
    pub requested_on: Date,
    /// The last day to answer.
    pub answer_by: Date,
    /// Why it was extended, and when the client was told; none while it was not.
    pub extended: Option<(ExtensionGround, Date)>,
    /// Whether it was answered.
    pub answered: bool,
}

/// For which reasons a kind of request refuses.
pub struct Reasons {
    /// A day that cannot be: `day`.
    pub day_wrong: &'static Reason,
    /// It was answered already.
    pub answered: &'static Reason,
    /// It was extended already: `answer_by`.
    pub extended: &'static Reason,
    /// The client heard of it too late: `answer_by`.
    pub told_too_late: &'static Reason,
}

/// The last day of a term from receipt. The month stands in the AVG, a European regulation: the Algemene termijnenwet is about
/// acts and AMvBs (R-REG-08), so a month that ends on a Sunday ends on that Sunday. Who answers by then is on time under any
/// way of counting, and for the client the answer comes as soon as possible.
fn last_day(requested_on: Date, term: Term, calendar: &Calendar) -> Date {
    calendar.plain_end(requested_on, term)
}

/// The last day to answer what came in on that day.
pub fn answer_by(requested_on: Date, reasons: &Reasons, calendar: &Calendar, now: Moment) -> Result<Date, Refusal> {
    if requested_on > now.date {
        return Err(reasons.day_wrong.with("day", requested_on));
    }
    Ok(last_day(requested_on, MONTH, calendar))
}

/// The last day to answer when the month is extended, after the client was told so within the month; none when it was extended
/// just so.
pub fn extend(
    asked: &Asked,
    (ground, told_on): (ExtensionGround, Date),
    reasons: &Reasons,
    calendar: &Calendar,
    now: Moment,
) -> Result<Option<Date>, Refusal> {
    match asked.extended {
        Some((before, _)) if before == ground => return Ok(None),
        _ if asked.answered => return Err(reasons.answered.into()),
        Some(_) => return Err(reasons.extended.with("answer_by", asked.answer_by)),
        None => {}
    }
    if told_on < asked.requested_on || told_on > now.date {
        return Err(reasons.day_wrong.with("day", told_on));
    }
    if told_on > asked.answer_by {
        return Err(reasons.told_too_late.with("answer_by", asked.answer_by));
    }
    Ok(Some(last_day(asked.requested_on, EXTENDED, calendar)))
}
