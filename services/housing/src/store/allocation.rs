//! Allocations. That a dwelling has at most one live allocation is the database's own refusal (P1).

use super::{code, code_opt, of_state};
use crate::domain::allocation::{Allocation, Gate, State, Suitability};
use crate::domain::dwelling::{DWELLING_TAKEN, Dwelling};
use crate::domain::nomination::NOMINATION_ALLOCATED;
use crate::domain::offer::OFFER_CLOSED;
use crate::domain::suitable::Share;
use crate::domain::{AllocationId, Code, GateGround, OfferId};
use chassis::{Error, Result, Row, Value, Work, args};
use jiff::civil::Date;
use kernel::{Moment, Municipality, Organisation};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select allocation_id, offer_id, nomination_id, dwelling_id, client_id, corporation, provider, municipality,
                 contingent_id, form, lease_start_on, rent_cents, guarantee_required, suitability, accepted_at, agreement,
                 state, gate, reason, keys_on, ended_on, version
             from allocation ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<(Allocation, i64)> {
    let gate = match code_opt::<GateGround>(row, "gate")? {
        Some(ground) => Gate::Open(ground),
        None => Gate::Shut,
    };
    let day = |column: &str| of_state(row.get::<Option<Date>>(column)?, "allocation", column);
    let state = match row.get::<String>("state")?.as_str() {
        "accepted" => State::Accepted { gate },
        "agreement_signed" => State::AgreementSigned { gate },
        "lease_signed" => State::LeaseSigned,
        "keys_handed_over" => State::KeysHandedOver { on: day("keys_on")? },
        "ended" => State::Ended { keys_on: day("keys_on")?, on: day("ended_on")?, reason: code(row, "reason")? },
        "withdrawn" => State::Withdrawn { reason: code(row, "reason")? },
        _ => return Err(Error::inconsistent("allocation", "state", "no such state")),
    };
    let agreement: Option<String> = row.get("agreement")?;
    let allocation = Allocation {
        id: row.id("allocation_id")?,
        offer: row.id("offer_id")?,
        nomination: row.id("nomination_id")?,
        dwelling: row.id("dwelling_id")?,
        client_id: row.get("client_id")?,
        corporation: row.get("corporation")?,
        provider: row.get("provider")?,
        municipality: row.get("municipality")?,
        contingent: row.id("contingent_id")?,
        form: code(row, "form")?,
        lease_start_on: row.get("lease_start_on")?,
        rent: row.get("rent_cents")?,
        guarantee_required: row.get("guarantee_required")?,
        suitability: match row.get::<String>("suitability")?.as_str() {
            "suitable" => Suitability::Suitable,
            "above_cap" => Suitability::AboveCap,
            _ => Suitability::NotJudged,
        },
        accepted_at: row.get("accepted_at")?,
        agreement: agreement
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| Error::inconsistent("allocation", "agreement", e))?,
        state,
    };
    Ok((allocation, row.get("version")?))
}

/// One allocation with its version.
pub async fn load(work: &mut Work, id: AllocationId) -> Result<Option<(Allocation, i64)>> {
    work.row(select!("where allocation_id = $1"), args![id.0]).await?.as_ref().map(read).transpose()
}

/// The allocation that came of an offer.
pub async fn of_offer(work: &mut Work, offer: OfferId) -> Result<Option<AllocationId>> {
    let row = work.row("select allocation_id from allocation where offer_id = $1", args![offer.0]).await?;
    row.map(|row| row.id("allocation_id")).transpose()
}

/// The columns that change: state and what belongs to it.
fn changing(allocation: &Allocation) -> Vec<Value> {
    let gate = match allocation.state {
        State::Accepted { gate: Gate::Open(ground) } | State::AgreementSigned { gate: Gate::Open(ground) } => {
            Some(ground)
        }
        _ => None,
    };
    let (reason, keys_on, ended_on) = match allocation.state {
        State::KeysHandedOver { on } => (None, Some(on), None),
        State::Ended { keys_on, on, reason } => (Some(reason.as_str()), Some(keys_on), Some(on)),
        State::Withdrawn { reason } => (Some(reason.as_str()), None, None),
        _ => (None, None, None),
    };
    args![
        allocation.id.0,
        allocation.state.name(),
        gate.map(Code::as_str).map(str::to_owned),
        reason.map(str::to_owned),
        keys_on,
        ended_on,
        allocation.agreement.as_ref().map(store::json)
    ]
}

/// A new allocation. Two for one dwelling are refused by the database, whoever asked first (P1).
pub async fn insert(work: &mut Work, one: &Allocation, dwelling: &Dwelling) -> Result<()> {
    let mut values = changing(one);
    values.extend(args![
        one.offer.0,
        one.nomination.0,
        one.dwelling.0,
        one.client_id,
        &one.corporation,
        &one.provider,
        &one.municipality,
        &dwelling.neighbourhood,
        one.contingent.0,
        one.form.as_str(),
        one.lease_start_on,
        one.rent,
        one.guarantee_required,
        match one.suitability {
            Suitability::NotJudged => "not_judged",
            Suitability::Suitable => "suitable",
            Suitability::AboveCap => "above_cap",
        },
        one.accepted_at,
        Moment::of(one.accepted_at).date,
    ]);
    work.run(
        "insert into allocation (allocation_id, state, gate, reason, keys_on, ended_on, agreement, offer_id, nomination_id,
             dwelling_id, client_id, corporation, provider, municipality, neighbourhood, contingent_id, form, lease_start_on,
             rent_cents, guarantee_required, suitability, accepted_at, accepted_on, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, 1)",
        values,
    )
    .await
    .map_err(|error| {
        error
            .on_unique("allocation_one_live_per_dwelling", "allocation.dwelling_id", &DWELLING_TAKEN)
            .on_unique("allocation_one_live_per_nomination", "allocation.nomination_id", &NOMINATION_ALLOCATED)
            .on_unique("allocation_one_per_offer", "allocation.offer_id", OFFER_CLOSED.with("state", "accepted"))
    })?;
    Ok(())
}

/// The allocation as it is now.
pub async fn save(work: &mut Work, allocation: &Allocation, version: i64) -> Result<()> {
    let mut values = changing(allocation);
    values.extend(args![version]);
    work.keep(
        "update allocation set state = $2, gate = $3, reason = $4, keys_on = $5, ended_on = $6, agreement = $7, version = $8
         where allocation_id = $1",
        values,
    )
    .await?;
    Ok(())
}

/// A corporation's allocations of the year, for suitable allocation (R-HOU-06).
pub async fn share(work: &mut Work, corporation: &Organisation, on: Date) -> Result<Share> {
    let rows = work
        .rows(
            "select suitability, count(*) as n from allocation
             where corporation = $1 and accepted_on >= $2 and accepted_on <= $3 and state not in ('withdrawn')
               and suitability in ('suitable', 'above_cap')
             group by suitability",
            args![corporation, on.first_of_year(), on.last_of_year()],
        )
        .await?;
    let mut share = Share::default();
    for row in &rows {
        let n: u32 = row.get("n")?;
        share.judged += n;
        if row.get::<String>("suitability")? == "above_cap" {
            share.above += n;
        }
    }
    Ok(share)
}

/// The allocations of a year in a neighbourhood and in its municipality (R-HOU-07).
pub async fn spread(work: &mut Work, neighbourhood: &str, municipality: &Municipality, on: Date) -> Result<(u32, u32)> {
    let rows = work
        .rows(
            "select neighbourhood, count(*) as n from allocation
             where municipality = $1 and accepted_on >= $2 and accepted_on <= $3 and state not in ('withdrawn')
             group by neighbourhood",
            args![municipality, on.first_of_year(), on.last_of_year()],
        )
        .await?;
    let (mut here, mut all) = (0, 0);
    for row in &rows {
        let n: u32 = row.get("n")?;
        all += n;
        if row.get::<String>("neighbourhood")? == neighbourhood {
            here = n;
        }
    }
    Ok((here, all))
}
