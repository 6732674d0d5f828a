//! Offers.

use super::{code, code_opt, of_state};
use crate::domain::offer::{Advice, OFFER_OPEN_ALREADY, Offer, State};
use crate::domain::suitable::Household;
use crate::domain::{Code, DwellingId, NominationId, OfferId};
use chassis::{Error, Page, Result, Row, Scope, Value, Work, args};
use kernel::ClientId;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select o.offer_id, o.dwelling_id, o.nomination_id, o.client_id, o.corporation, o.provider, o.municipality,
                 o.rent_cents, o.adults, o.children, o.age_class, o.income, o.income_tested_on, o.guarantee_required,
                 o.lease_start_on, o.offered_on, o.answer_until, o.place, o.parts, o.deviation, o.decided_by, o.policy_version,
                 o.state, o.client_accepted, o.corporation_accepted, o.reason, o.upheld, o.dwelling_taken, o.version
             from offer o ",
            $rest
        )
    };
}

fn read_state(row: &Row) -> Result<State> {
    Ok(match row.get::<String>("state")?.as_str() {
        "open" => State::Open { client: row.get("client_accepted")?, corporation: row.get("corporation_accepted")? },
        "accepted" => State::Accepted,
        "declined" => State::Declined { reason: code(row, "reason")?, upheld: row.get("upheld")? },
        "refused" => State::Refused { reason: code(row, "reason")? },
        "lapsed" => State::Lapsed,
        "withdrawn" => State::Withdrawn,
        "superseded" => {
            State::Superseded { dwelling_taken: of_state(row.get("dwelling_taken")?, "offer", "dwelling_taken")? }
        }
        _ => return Err(Error::inconsistent("offer", "state", "no such state")),
    })
}

fn read(row: &Row) -> Result<(Offer, i64)> {
    let offer = Offer {
        id: row.id("offer_id")?,
        dwelling: row.id("dwelling_id")?,
        nomination: row.id("nomination_id")?,
        client_id: row.get("client_id")?,
        corporation: row.get("corporation")?,
        provider: row.get("provider")?,
        municipality: row.get("municipality")?,
        rent: row.get("rent_cents")?,
        household: Household {
            adults: row.get("adults")?,
            children: row.get("children")?,
            age: code(row, "age_class")?,
        },
        income: code_opt(row, "income")?,
        income_tested_on: row.get("income_tested_on")?,
        guarantee_required: row.get("guarantee_required")?,
        lease_start_on: row.get("lease_start_on")?,
        offered_on: row.get("offered_on")?,
        until: row.get("answer_until")?,
        advice: Advice {
            rank: row.get::<Option<i64>>("place")?.and_then(|place| u32::try_from(place).ok()),
            parts: row.json("parts")?,
            deviation: code_opt(row, "deviation")?,
            decided_by: row.get("decided_by")?,
            policy_version: row.get("policy_version")?,
        },
        state: read_state(row)?,
    };
    Ok((offer, row.get("version")?))
}

/// One offer with its version.
pub async fn load(work: &mut Work, id: OfferId) -> Result<Option<(Offer, i64)>> {
    work.row(select!("where o.offer_id = $1"), args![id.0]).await?.as_ref().map(read).transpose()
}

/// The open offers of a dwelling, or to a candidate.
pub async fn open_of(
    work: &mut Work,
    dwelling: Option<DwellingId>,
    nomination: Option<NominationId>,
) -> Result<Vec<(Offer, i64)>> {
    let sql = select!("where o.state in ('open') and (o.dwelling_id = $1 or o.nomination_id = $2) order by o.offer_id");
    let rows = work.rows(sql, args![dwelling.map(|id| id.0), nomination.map(|id| id.0)]).await?;
    rows.iter().map(read).collect()
}

/// The states of what those in the pool declined, and of what is open to them of this dwelling.
pub async fn of_pool(work: &mut Work, dwelling: DwellingId) -> Result<Vec<(NominationId, DwellingId, State)>> {
    let sql =
        "select o.nomination_id, o.dwelling_id, o.state, o.client_accepted, o.corporation_accepted, o.reason, o.upheld,
                   o.dwelling_taken
               from offer o join nomination n on n.nomination_id = o.nomination_id
               where n.state = 'in_pool' and (o.state = 'declined' or (o.state = 'open' and o.dwelling_id = $1))";
    let rows = work.rows(sql, args![dwelling.0]).await?;
    rows.iter().map(|row| Ok((row.id("nomination_id")?, row.id("dwelling_id")?, read_state(row)?))).collect()
}

/// The states of all offers to a candidate.
pub async fn states(work: &mut Work, nomination: NominationId) -> Result<Vec<State>> {
    let rows = work.rows(select!("where o.nomination_id = $1"), args![nomination.0]).await?;
    rows.iter().map(read_state).collect()
}

/// A page of one client's offers, newest first.
pub async fn list(work: &mut Work, client: ClientId, page: &Page) -> Result<(Vec<(Offer, i64)>, String)> {
    // A UUIDv7 sorts by the moment at which it was made.
    let sql = select!("where o.client_id = $1 and ($2 = '' or o.offer_id < $2) order by o.offer_id desc limit $3");
    let rows = work.rows(sql, args![client.0, page.text(0), page.limit + 1]).await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next = page.cut(&mut found, |(offer, _)| vec![offer.id.to_string()]);
    Ok((found, next))
}

/// A page of the caller's own candidates, newest first.
pub async fn list_own(work: &mut Work, scope: &Scope, state: &str, page: &Page) -> Result<(Vec<(Offer, i64)>, String)> {
    let sql = select!(
        "where o.corporation = $1 and ($2 = '' or o.state = $2) and ($3 = '' or o.offer_id < $3)
         order by o.offer_id desc limit $4"
    );
    let rows = work.rows(sql, args![&scope.organisation, state, page.text(0), page.limit + 1]).await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let next = page.cut(&mut found, |(offer, _)| vec![offer.id.to_string()]);
    Ok((found, next))
}

/// The columns that change: state and what belongs to it.
fn changing(offer: &Offer) -> Vec<Value> {
    let (client, corporation) = match offer.state {
        State::Open { client, corporation } => (client, corporation),
        State::Accepted => (true, true),
        _ => (false, false),
    };
    let (reason, upheld, taken) = match offer.state {
        State::Declined { reason, upheld } => (Some(reason.as_str()), upheld, None),
        State::Refused { reason } => (Some(reason.as_str()), None, None),
        State::Superseded { dwelling_taken } => (None, None, Some(dwelling_taken)),
        _ => (None, None, None),
    };
    args![
        offer.id.0,
        offer.state.name(),
        client,
        corporation,
        reason.map(str::to_owned),
        upheld,
        taken,
        offer.income.map(Code::as_str).map(str::to_owned),
        offer.income_tested_on,
        offer.guarantee_required
    ]
}

/// A new offer.
pub async fn insert(work: &mut Work, offer: &Offer) -> Result<()> {
    let mut values = changing(offer);
    values.extend(args![
        offer.dwelling.0,
        offer.nomination.0,
        offer.client_id,
        &offer.corporation,
        &offer.provider,
        &offer.municipality,
        offer.rent,
        offer.household.adults,
        offer.household.children,
        offer.household.age.as_str(),
        offer.lease_start_on,
        offer.offered_on,
        offer.until,
        offer.advice.rank.map(i64::from),
        store::json(&offer.advice.parts),
        offer.advice.deviation.map(Code::as_str).map(str::to_owned),
        &offer.advice.decided_by,
        &offer.advice.policy_version,
    ]);
    work.run(
        "insert into offer (offer_id, state, client_accepted, corporation_accepted, reason, upheld, dwelling_taken, income,
             income_tested_on, guarantee_required, dwelling_id, nomination_id, client_id, corporation, provider, municipality,
             rent_cents, adults, children, age_class, lease_start_on, offered_on, answer_until, place, parts, deviation,
             decided_by, policy_version, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             $24, $25, $26, $27, $28, 1)",
        values,
    )
    .await
    .map_err(|error| error.on_unique("offer_one_open", "offer.dwelling_id, offer.nomination_id", &OFFER_OPEN_ALREADY))?;
    Ok(())
}

/// The offer as it is now.
pub async fn save(work: &mut Work, offer: &Offer, version: i64) -> Result<()> {
    let mut values = changing(offer);
    values.extend(args![version]);
    work.keep(
        "update offer set state = $2, client_accepted = $3, corporation_accepted = $4, reason = $5, upheld = $6,
             dwelling_taken = $7, income = $8, income_tested_on = $9, guarantee_required = $10, version = $11
         where offer_id = $1",
        values,
    )
    .await?;
    Ok(())
}
