//! The one road of each aggregate: load, ask the relation, check the version, decide, keep, tell, set the next deadline.
//! Calls and deadlines all go it.

pub mod benefit_request;
pub mod finances;
pub mod own_income;
pub mod rent_guarantee;

use crate::Income;
use crate::domain::{BenefitRequestId, GuaranteeId};
use chassis::{Deadline, Error, Result, Work};
use kernel::{ClientId, Date, Moment};

/// Looks again at what is due.
pub async fn wake(income: &Income, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let subject = &deadline.subject;
    match deadline.kind.as_str() {
        benefit_request::DEADLINE => {
            benefit_request::wake(income, work, BenefitRequestId::parse("benefit_request_id", subject)?).await
        }
        own_income::DEADLINE => own_income::wake(income, work, ClientId::parse("client_id", subject)?).await,
        rent_guarantee::DEADLINE => {
            rent_guarantee::wake(income, work, GuaranteeId::parse("guarantee_id", subject)?).await
        }
        other => Err(Error::inconsistent("deadline", "kind", other)),
    }
}

/// Sets the deadline of what comes next, or none (P7).
async fn watch(work: &mut Work, kind: &str, subject: String, client: ClientId, next: Option<Date>) -> Result<()> {
    let Some(day) = next else { return work.clear_deadline(kind, &subject).await };
    let due_at = Moment::start_of(day).at;
    work.set_deadline(&Deadline { kind: kind.to_owned(), subject, client_id: Some(client), due_at }).await
}
