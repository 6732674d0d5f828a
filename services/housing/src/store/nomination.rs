//! The pool, and what regie published about readiness.

use super::{code, code_opt, of_state};
use crate::domain::nomination::{NOMINATION_EXISTS, Nomination, Readiness, State};
use crate::domain::offer;
use crate::domain::ranking::Candidate;
use crate::domain::suitable::Household;
use crate::domain::{AllocationId, Code, DwellingId, NominationId};
use chassis::{Error, Page, Result, Row, Scope, Work, args};
use kernel::ClientId;
use std::collections::BTreeMap;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select n.nomination_id, n.client_id, n.municipality, n.target_group, n.nominated_by, n.provider, n.nominated_on,
                 n.adults, n.children, n.age_class, n.income, n.guarantee_required, n.wishes, n.state, n.allocation_id, n.version,
                 r.ready, r.failed, r.since
             from nomination n left join readiness r on r.client_id = n.client_id ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<(Nomination, i64)> {
    let allocation: Option<AllocationId> = row.id_opt("allocation_id")?;
    let state = match row.get::<String>("state")?.as_str() {
        "in_pool" => State::InPool,
        "allocated" => State::Allocated { allocation: of_state(allocation, "nomination", "allocation_id")? },
        "housed" => State::Housed { allocation: of_state(allocation, "nomination", "allocation_id")? },
        "withdrawn" => State::Withdrawn,
        _ => return Err(Error::inconsistent("nomination", "state", "no such state")),
    };
    let nomination = Nomination {
        id: row.id("nomination_id")?,
        client_id: row.get("client_id")?,
        municipality: row.get("municipality")?,
        group: code(row, "target_group")?,
        nominated_by: row.get("nominated_by")?,
        provider: row.get("provider")?,
        nominated_on: row.get("nominated_on")?,
        household: Household {
            adults: row.get("adults")?,
            children: row.get("children")?,
            age: code(row, "age_class")?,
        },
        income: code_opt(row, "income")?,
        guarantee_required: row.get("guarantee_required")?,
        wishes: row.json("wishes")?,
        state,
    };
    Ok((nomination, row.get("version")?))
}

fn read_readiness(row: &Row) -> Result<Option<Readiness>> {
    let Some(ready) = row.get::<Option<bool>>("ready")? else { return Ok(None) };
    Ok(Some(Readiness { ready, failed: row.json("failed")?, since: row.get("since")? }))
}

/// One nomination with its version.
pub async fn load(work: &mut Work, id: NominationId) -> Result<Option<(Nomination, i64)>> {
    work.row(select!("where n.nomination_id = $1"), args![id.0]).await?.as_ref().map(read).transpose()
}

/// The nomination that another row refers to.
pub async fn referred(work: &mut Work, id: NominationId) -> Result<(Nomination, i64)> {
    load(work, id).await?.ok_or_else(|| Error::inconsistent("nomination", "nomination_id", "gone"))
}

/// Whether a client is in the pool or has a home on its way.
pub async fn waiting(work: &mut Work, client: ClientId) -> Result<bool> {
    let sql = "select 1 as one from nomination where client_id = $1 and state in ('in_pool', 'allocated')";
    Ok(work.row(sql, args![client.0]).await?.is_some())
}

/// A page of nominations that the caller may see, the longest waiting first.
pub async fn list(
    work: &mut Work,
    scope: &Scope,
    state: &str,
    municipality: &str,
    page: &Page,
) -> Result<(Vec<(Nomination, i64)>, String)> {
    let sql = select!(
        "where ($1 or ($2 and n.nominated_by = $4) or n.client_id = $6
              or ($3 and exists (select 1 as one from relation e where e.client_id = n.client_id and e.organisation = $4
                                 and e.person = $5 and e.ended_at is null)))
         and ($7 = '' or n.state = $7) and ($8 = '' or n.municipality = $8)
         and (n.nominated_on, n.nomination_id) > ($9, $10)
         order by n.nominated_on, n.nomination_id limit $11"
    );
    let mut args = scope.args();
    args.extend(args![state, municipality, page.text(0), page.text(1), page.limit + 1]);
    let rows = work.rows(sql, args).await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next = page.cut(&mut found, |(one, _)| vec![one.nominated_on.to_string(), one.id.to_string()]);
    Ok((found, next))
}

/// Everybody in the pool, with what a ranking for this dwelling must know.
pub async fn pool(work: &mut Work, dwelling: DwellingId, neighbourhood: &str) -> Result<Vec<Candidate>> {
    let mut offers: BTreeMap<NominationId, (u32, bool, bool)> = BTreeMap::new();
    for (nomination, of, state) in super::offer::of_pool(work, dwelling).await? {
        let (declined, declined_this, offered) = offers.entry(nomination).or_default();
        *declined += u32::from(offer::counts(state));
        *declined_this |= of == dwelling && matches!(state, offer::State::Declined { .. });
        *offered |= of == dwelling && matches!(state, offer::State::Open { .. });
    }
    let not_near = super::separation::not_near(work, neighbourhood).await?;
    let rows =
        work.rows(select!("where n.state = 'in_pool' order by n.nominated_on, n.nomination_id"), args![]).await?;
    rows.iter()
        .map(|row| {
            let (nomination, _) = read(row)?;
            let (declined, declined_this, offered) = offers.get(&nomination.id).copied().unwrap_or_default();
            let kept_apart = not_near.contains(&nomination.client_id);
            let readiness = read_readiness(row)?;
            Ok(Candidate { readiness, nomination, declined, declined_this, offered, kept_apart })
        })
        .collect()
}

/// A new nomination.
pub async fn insert(work: &mut Work, one: &Nomination) -> Result<()> {
    work.run(
        "insert into nomination (nomination_id, client_id, municipality, target_group, nominated_by, provider, nominated_on,
             adults, children, age_class, income, guarantee_required, wishes, state, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)",
        args![
            one.id.0,
            one.client_id,
            &one.municipality,
            one.group.as_str(),
            &one.nominated_by,
            &one.provider,
            one.nominated_on,
            one.household.adults,
            one.household.children,
            one.household.age.as_str(),
            one.income.map(Code::as_str).map(str::to_owned),
            one.guarantee_required,
            store::json(&one.wishes),
            one.state.name()
        ],
    )
    .await
    .map_err(|error| error.on_unique("nomination_one_per_client", "nomination.client_id", &NOMINATION_EXISTS))?;
    Ok(())
}

/// The state as it is now.
pub async fn save(work: &mut Work, one: &Nomination, version: i64) -> Result<()> {
    let allocation = match one.state {
        State::Allocated { allocation } | State::Housed { allocation } => Some(allocation.0),
        State::InPool | State::Withdrawn => None,
    };
    work.keep(
        "update nomination set state = $2, allocation_id = $3, version = $4 where nomination_id = $1",
        args![one.id.0, one.state.name(), allocation, version],
    )
    .await?;
    Ok(())
}

/// What regie last published about a client.
pub async fn readiness(work: &mut Work, client: ClientId) -> Result<Option<Readiness>> {
    let row = work.row("select ready, failed, since from readiness where client_id = $1", args![client.0]).await?;
    row.as_ref().map_or(Ok(None), read_readiness)
}

/// Keeps what regie published.
pub async fn keep_readiness(work: &mut Work, client: ClientId, readiness: &Readiness) -> Result<()> {
    work.keep(
        "insert into readiness (client_id, ready, failed, since) values ($1, $2, $3, $4)
         on conflict (client_id) do update set ready = excluded.ready, failed = excluded.failed, since = excluded.since",
        args![client.0, readiness.ready, store::json(&readiness.failed), readiness.since],
    )
    .await?;
    Ok(())
}
