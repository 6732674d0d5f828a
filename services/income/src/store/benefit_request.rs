//! Benefit requests and their starts.

use super::lost_race;
use crate::domain::benefit_request::{BenefitRequest, Move, Stage};
use crate::domain::{AllocationId, BenefitRequestId, Rules};
use ::store::{code, json};
use chassis::{Result, Row, Scope, Tx, args};
use kernel::{ClientId, Date, Municipality};
use uuid::Uuid;

/// A request as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its id.
    pub id: BenefitRequestId,
    /// Its version.
    pub version: i64,
    /// The request.
    pub state: BenefitRequest,
}

/// The columns of a request, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select b.benefit_request_id, b.client_id, b.version, b.authority, b.reported_on, b.search_term, \
             b.short_reapplication, b.running_at, b.partner_id, b.circumstances, b.prepared, b.application, b.benefit, \
             b.refusal, b.advances_cents, b.withdrawn, b.due_on from benefit_request b ",
            $rest
        )
    };
}

/// One request.
pub async fn load(tx: &mut Tx, id: BenefitRequestId) -> Result<Option<Stored>> {
    let row = tx.row(select!("where b.benefit_request_id = $1"), args![id.0]).await?;
    whole(tx, row).await
}

/// The client's open request.
pub async fn load_open(tx: &mut Tx, client: ClientId) -> Result<Option<Stored>> {
    let row =
        tx.row(select!("where b.client_id = $1 and b.state not in ('withdrawn', 'ended')"), args![client]).await?;
    whole(tx, row).await
}

/// The request that has, or had, the start for an allocation.
pub async fn load_by_allocation(tx: &mut Tx, allocation: AllocationId) -> Result<Option<Stored>> {
    let row = tx
        .row(
            select!(
                "where b.benefit_request_id = (select s.benefit_request_id from benefit_start s where s.allocation_id = $1)"
            ),
            args![allocation.0],
        )
        .await?;
    whole(tx, row).await
}

/// Everything that a client ever asked, the newest first.
pub async fn load_all(tx: &mut Tx, client: ClientId) -> Result<Vec<Stored>> {
    let rows = tx.rows(select!("where b.client_id = $1 order by b.benefit_request_id desc"), args![client]).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend(whole(tx, Some(row)).await?);
    }
    Ok(all)
}

/// The open requests that the caller may see, the nearest due date first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    stage: Option<Stage>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<(Stored, Option<Date>)>> {
    let mut parameters = scope.args();
    parameters.extend(args![stage.map(|stage| code(&stage)).unwrap_or_default(), after.0, after.1, limit]);
    let rows = tx
        .rows(
            select!(
                "where ($1 or ($2 and b.authority = $4) or b.client_id = $6
                        or ($3 and exists (select 1 from relation r where r.client_id = b.client_id
                            and r.organisation = $4 and r.person = $5 and r.ended_at is null)))
                   and (b.state = $7 or ($7 = '' and b.state not in ('withdrawn', 'ended')))
                   and (coalesce(b.due_on, '9999-12-31') > $8
                        or (coalesce(b.due_on, '9999-12-31') = $8 and b.benefit_request_id > $9))
                 order by coalesce(b.due_on, '9999-12-31'), b.benefit_request_id limit $10"
            ),
            parameters,
        )
        .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let due_on = row.get("due_on")?;
        lines.extend(whole(tx, Some(row)).await?.map(|stored| (stored, due_on)));
    }
    Ok(lines)
}

/// Whether the partner has an open request, or an open request names the client as partner.
pub async fn partner_open(tx: &mut Tx, client: ClientId, partner: Option<ClientId>) -> Result<bool> {
    let row = tx
        .row(
            "select 1 as one from benefit_request
             where state not in ('withdrawn', 'ended') and client_id <> $1 and (client_id = $2 or partner_id = $1) limit 1",
            args![client, partner.map_or(String::new(), |partner| partner.to_string())],
        )
        .await?;
    Ok(row.is_some())
}

/// The last day of the client's last benefit here.
pub async fn ended_on(tx: &mut Tx, client: ClientId) -> Result<Option<Date>> {
    let row =
        tx.row("select max(ended_on) as ended_on from benefit_request where client_id = $1", args![client]).await?;
    row.map_or(Ok(None), |row| row.get("ended_on"))
}

/// Keeps a request at its next version.
pub async fn save(tx: &mut Tx, stored: &Stored, rules: Rules<'_>, policy_version: &str) -> Result<()> {
    let Stored { id, version, state } = stored;
    let due_on = [state.decision_due_on(rules), state.advance_due_on(rules)].into_iter().flatten().min();
    let ended_on = state.grant.as_ref().and_then(|grant| grant.ended).map(|(ends_on, _)| ends_on);
    tx.run(
        "insert into benefit_request (benefit_request_id, client_id, version, state, authority, reported_on, search_term,
             short_reapplication, running_at, partner_id, circumstances, prepared, application, benefit, ended_on, refusal,
             advances_cents, withdrawn, due_on, policy_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         on conflict (benefit_request_id) do update set version = excluded.version, state = excluded.state,
             authority = excluded.authority, reported_on = excluded.reported_on, search_term = excluded.search_term,
             short_reapplication = excluded.short_reapplication, running_at = excluded.running_at,
             partner_id = excluded.partner_id, circumstances = excluded.circumstances, prepared = excluded.prepared,
             application = excluded.application, benefit = excluded.benefit, ended_on = excluded.ended_on,
             refusal = excluded.refusal, advances_cents = excluded.advances_cents, withdrawn = excluded.withdrawn,
             due_on = excluded.due_on, policy_version = excluded.policy_version",
        args![
            id.0,
            state.client,
            *version,
            code(&state.stage()),
            &state.authority,
            state.reported_on,
            state.search_term.as_ref().map(json),
            state.short_reapplication,
            state.running_at.as_ref(),
            state.partner.map(|partner| partner.0),
            state.circumstances.as_ref().map(json),
            state.prepared,
            state.application.as_ref().map(json),
            state.grant.as_ref().map(json),
            ended_on,
            state.refusal.as_ref().map(code),
            state.advances,
            state.withdrawn.as_ref().map(code),
            due_on,
            policy_version
        ],
    )
    .await
    .map_err(lost_race)?;
    save_starts(tx, stored).await
}

/// The start of the move that stands; what stood before it is past or fallen.
async fn save_starts(tx: &mut Tx, Stored { id, state, .. }: &Stored) -> Result<()> {
    let current = state.relocation.as_ref().map_or(Uuid::nil(), |one| one.allocation.0);
    tx.keep(
        "update benefit_start set state = 'past' where benefit_request_id = $1 and state = 'current' and allocation_id <> $2",
        args![id.0, current],
    )
    .await?;
    for fallen in &state.fallen {
        tx.keep(
            "update benefit_start set state = 'fallen' where benefit_request_id = $1 and allocation_id = $2",
            args![id.0, fallen.0],
        )
        .await?;
    }
    if let Some(one) = &state.relocation {
        let known =
            tx.row("select 1 as one from benefit_start where allocation_id = $1", args![one.allocation.0]).await?;
        if known.is_none() {
            tx.run(
                "insert into benefit_start (allocation_id, benefit_request_id, state, lease_start_on, start_on, rent_cents,
                     authority_before)
                 values ($1, $2, 'current', $3, $4, $5, $6)",
                args![one.allocation.0, id.0, one.lease_start_on, one.start_on, one.rent, &one.authority_before],
            )
            .await
            .map_err(lost_race)?;
        }
    }
    Ok(())
}

/// A request with its starts.
async fn whole(tx: &mut Tx, row: Option<Row>) -> Result<Option<Stored>> {
    let Some(row) = row else { return Ok(None) };
    let id: Uuid = row.get("benefit_request_id")?;
    let starts = tx
        .rows(
            "select allocation_id, state, lease_start_on, start_on, rent_cents, authority_before from benefit_start
             where benefit_request_id = $1 and state <> 'past' order by allocation_id",
            args![id],
        )
        .await?;
    let (mut relocation, mut fallen) = (None, vec![]);
    for start in &starts {
        let allocation = AllocationId(start.get("allocation_id")?);
        if start.get::<String>("state")? == "fallen" {
            fallen.push(allocation);
            continue;
        }
        relocation = Some(Move {
            allocation,
            lease_start_on: start.get("lease_start_on")?,
            start_on: start.get("start_on")?,
            rent: start.get("rent_cents")?,
            authority_before: start.get("authority_before")?,
        });
    }
    let state = BenefitRequest {
        client: row.get("client_id")?,
        authority: row.get("authority")?,
        reported_on: row.get("reported_on")?,
        search_term: nested(&row, "search_term")?,
        short_reapplication: row.get("short_reapplication")?,
        running_at: row.get::<Option<Municipality>>("running_at")?,
        partner: row.get("partner_id")?,
        circumstances: nested(&row, "circumstances")?,
        prepared: row.get("prepared")?,
        application: nested(&row, "application")?,
        relocation,
        fallen,
        grant: nested(&row, "benefit")?,
        refusal: row.code_opt("refusal")?,
        advances: row.get("advances_cents")?,
        withdrawn: row.code_opt("withdrawn")?,
    };
    Ok(Some(Stored { id: BenefitRequestId(id), version: row.get("version")?, state }))
}

fn nested<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>> {
    match row.get::<Option<String>>(column)? {
        Some(_) => row.json(column).map(Some),
        None => Ok(None),
    }
}
