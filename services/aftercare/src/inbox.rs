//! What aftercare hears from regie: in which municipality a client's case is, and who helps with debts. Relations
//! themselves are taken in already.

use crate::store;
use chassis::{Event, Result, Work};
use kernel::{ClientId, Municipality, Organisation, Role};
use proto::regie::v1 as regie;
use uuid::Uuid;

/// Takes in one event.
pub async fn take(work: &mut Work, event: &Event) -> Result<()> {
    match event.name() {
        "CaseOpened" => {
            let opened: regie::CaseOpened = event.decode()?;
            let client = ClientId::parse("client_id", &opened.client_id)?;
            let municipality = Municipality::parse("municipality", &opened.municipality)?;
            store::circle::set_municipality(work, client, &municipality).await
        }
        "RelationGranted" => {
            let granted: regie::RelationGranted = event.decode()?;
            if granted.role != Role::Debt.as_str() {
                return Ok(());
            }
            let client = ClientId::parse("client_id", &granted.client_id)?;
            let organisation = Organisation::parse("organisation", &granted.organisation)?;
            store::circle::add_debt_help(work, relation(&granted.relation_id)?, client, &organisation).await
        }
        "RelationEnded" => {
            let ended: regie::RelationEnded = event.decode()?;
            store::circle::end_debt_help(work, relation(&ended.relation_id)?).await
        }
        _ => Ok(()),
    }
}

fn relation(id: &str) -> Result<Uuid> {
    Uuid::parse_str(id).map_err(|_| chassis::Error::inconsistent("event", "relation_id", "no id"))
}
