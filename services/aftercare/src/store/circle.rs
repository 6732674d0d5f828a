//! Who stands around a client, and what is known when a signal comes in.

use super::{aftercare, signalling_plan};
use crate::domain::circle::{Circle, Guidance, Takeover};
use crate::domain::signal::Known;
use chassis::{Result, Row, Work, args};
use kernel::{ClientId, Municipality, Organisation};
use uuid::Uuid;

/// Everything that deciding about a new signal takes.
pub async fn known(work: &mut Work, client: ClientId) -> Result<Known> {
    let plan = signalling_plan::load(work, client).await?;
    let latest = aftercare::latest_of(work, client).await?;
    Ok(Known {
        circle: circle(work, client).await?,
        shared_money_kinds: plan.map(|(plan, _)| plan.shared_money_kinds).unwrap_or_default(),
        aftercare_since: latest.map(|(started_on, _)| started_on),
        in_aftercare: latest.is_some_and(|(_, runs)| runs),
    })
}

/// Who stands around a client now.
pub async fn circle(work: &mut Work, client: ClientId) -> Result<Circle> {
    let handovers = work
        .rows(
            "select h.from_organisation, h.to_organisation, h.state from handover h
             where h.client_id = $1 and h.state <> 'cancelled'
             and not exists (select 1 from aftercare a where a.allocation_id = h.allocation_id and a.outcome is not null)",
            args![client],
        )
        .await?;
    let guidance = |row: &Row| {
        let takeover = match row.get::<String>("state")?.as_str() {
            "accepted" => Takeover::Done,
            "filled" => Takeover::UnderWay,
            _ => Takeover::Waiting,
        };
        Ok(Guidance { from: row.get("from_organisation")?, to: row.get("to_organisation")?, takeover })
    };
    let organisations = |rows: Vec<Row>| rows.iter().map(|row| row.get("organisation")).collect::<Result<Vec<_>>>();
    let subscribed = "select organisation from subscription where client_id = $1 and until is null";
    let debt_help = "select distinct organisation from debt_help where client_id = $1";
    Ok(Circle {
        guidance: handovers.iter().map(guidance).collect::<Result<_>>()?,
        subscribed: organisations(work.rows(subscribed, args![client]).await?)?,
        debt_help: organisations(work.rows(debt_help, args![client]).await?)?,
    })
}

/// The municipality of a client's case, if regie ever said.
pub async fn municipality(work: &mut Work, client: ClientId) -> Result<Option<Municipality>> {
    let row = work.row("select municipality from client where client_id = $1", args![client]).await?;
    row.map(|row| row.get("municipality")).transpose()
}

/// Keeps the municipality of a client's newest case.
pub async fn set_municipality(work: &mut Work, client: ClientId, municipality: &Municipality) -> Result<()> {
    work.keep(
        "insert into client (client_id, municipality) values ($1, $2)
         on conflict (client_id) do update set municipality = excluded.municipality",
        args![client, municipality],
    )
    .await?;
    Ok(())
}

/// Keeps that debt help has to do with a client.
pub async fn add_debt_help(
    work: &mut Work,
    relation: Uuid,
    client: ClientId,
    organisation: &Organisation,
) -> Result<()> {
    work.keep(
        "insert into debt_help (relation_id, client_id, organisation) values ($1, $2, $3)
         on conflict (relation_id) do nothing",
        args![relation, client, organisation],
    )
    .await?;
    Ok(())
}

/// Keeps that it no longer has.
pub async fn end_debt_help(work: &mut Work, relation: Uuid) -> Result<()> {
    work.keep("delete from debt_help where relation_id = $1", args![relation]).await?;
    Ok(())
}

/// Whether a team subscribed to a client.
pub async fn is_subscribed(work: &mut Work, client: ClientId, team: &Organisation) -> Result<bool> {
    let sql = "select 1 as one from subscription where client_id = $1 and organisation = $2 and until is null";
    Ok(work.row(sql, args![client, team]).await?.is_some())
}

/// Subscribes a team to a client.
pub async fn subscribe(work: &mut Work, client: ClientId, team: &Organisation) -> Result<()> {
    let now = work.now.at;
    work.keep(
        "insert into subscription (client_id, organisation, since) values ($1, $2, $3)
         on conflict (client_id, organisation, since) do update set until = null",
        args![client, team, now],
    )
    .await?;
    Ok(())
}

/// Ends a team's subscription.
pub async fn unsubscribe(work: &mut Work, client: ClientId, team: &Organisation) -> Result<()> {
    let now = work.now.at;
    work.keep(
        "update subscription set until = $3 where client_id = $1 and organisation = $2 and until is null",
        args![client, team, now],
    )
    .await?;
    Ok(())
}
