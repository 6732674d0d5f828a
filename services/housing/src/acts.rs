//! What a command does in its transaction: the one road per aggregate from what stands to what stands next. Calls,
//! deadlines and events of others all take it; the rules are in `domain`, the rows in `store`.

use crate::domain::allocation::{self, Allocation};
use crate::domain::contingent::{self, Contingent};
use crate::domain::dwelling::{DWELLING_WITHDRAWN, State as DwellingPool};
use crate::domain::nomination::{self, Nomination};
use crate::domain::offer::{self, Advice, Evidence, Offer};
use crate::domain::ranking::{self, Ranking, Yardstick};
use crate::domain::{AllocationId, ContingentId, DeviationReason, DwellingId, NominationId, OfferId, Policy};
use crate::store::dwelling::Standing;
use crate::{Housing, events, store};
use chassis::{Apart, Deadline, Result, Work};
use kernel::{Date, Moment, Municipality, Organisation, Uuid};

/// The deadline on which an open offer is brought to mind (P7).
pub const OFFER_REMINDER: &str = "offer-reminder";
/// The deadline on which an open offer lapses (P7).
pub const OFFER_LAPSE: &str = "offer-lapse";

impl Housing {
    fn policy(&self, municipality: &Municipality, now: Moment) -> &Policy {
        self.policy.at(municipality, now.date)
    }
}

/// Refuses a change by who saw another version; who only looks saw none yet.
fn expect(work: &Work, seen: Option<i64>, current: i64) -> Result<()> {
    seen.map_or(Ok(()), |seen| work.expect_version(seen, current))
}

// Contingents -----------------------------------------------------------------------------------------------------------

/// The contingent, if the caller may have to do with it.
pub async fn find_contingent(work: &mut Work, id: ContingentId, seen: Option<i64>) -> Result<(Contingent, i64)> {
    let (contingent, version) = store::contingent::load(work, id).await?.ok_or_else(|| Work::unknown("contingent"))?;
    work.permit("contingent", None, &[&contingent.corporation]).await?;
    expect(work, seen, version)?;
    Ok((contingent, version))
}

/// Agrees a contingent, or finds it agreed already.
pub async fn agree_contingent(work: &mut Work, new: Contingent) -> Result<(ContingentId, i64)> {
    let of_year = store::contingent::of_year(work, &new.corporation, &new.municipality, new.year).await?;
    if let Some((standing, version)) = of_year.into_iter().find(|(one, _)| one.group == new.group) {
        let id = standing.id;
        let version =
            change_contingent(work, standing, version, &contingent::Command::Agree { places: new.places }).await?;
        return Ok((id, version));
    }
    store::contingent::insert(work, &new).await?;
    events::contingent_agreed(work, &new).await?;
    Ok((new.id, 1))
}

/// Does something with a contingent; returns its version.
pub async fn change_contingent(
    work: &mut Work,
    mut contingent: Contingent,
    version: i64,
    command: &contingent::Command,
) -> Result<i64> {
    let happened = contingent::decide(&contingent, command)?;
    if happened.is_empty() {
        return Ok(version);
    }
    for event in &happened {
        contingent = contingent::apply(contingent, event);
        events::contingent(work, &contingent, event).await?;
        if let contingent::Event::Changed { reason, .. } = event {
            store::contingent::keep_change(work, &contingent, version + 1, Some(*reason)).await?;
        }
    }
    store::contingent::save(work, &contingent, version + 1).await?;
    Ok(version + 1)
}

async fn move_contingent(work: &mut Work, id: ContingentId, command: &contingent::Command) -> Result<()> {
    let found = store::contingent::load(work, id).await?;
    let (contingent, version) =
        found.ok_or_else(|| chassis::Error::inconsistent("contingent", "contingent_id", "gone"))?;
    change_contingent(work, contingent, version, command).await.map(drop)
}

async fn contingents(
    work: &mut Work,
    corporation: &Organisation,
    municipality: &Municipality,
) -> Result<Vec<(Contingent, i64)>> {
    let year = work.now.date.year();
    store::contingent::of_year(work, corporation, municipality, year).await
}

// Dwellings -------------------------------------------------------------------------------------------------------------

/// The dwelling, if the caller may have to do with it.
pub async fn find_dwelling(work: &mut Work, id: DwellingId, seen: Option<i64>) -> Result<Standing> {
    let standing = store::dwelling::load(work, id).await?.ok_or_else(|| Work::unknown("dwelling"))?;
    work.permit("dwelling", None, &[&standing.dwelling.corporation]).await?;
    expect(work, seen, standing.version)?;
    Ok(standing)
}

/// Takes a dwelling out of the pool, and its open offers with it; returns its version.
pub async fn withdraw_dwelling(housing: &Housing, work: &mut Work, standing: &Standing) -> Result<i64> {
    if !standing.dwelling.withdraw(standing.allocated())? {
        return Ok(standing.version);
    }
    for (offer, version) in store::offer::open_of(work, Some(standing.dwelling.id), None).await? {
        change_offer(housing, work, offer, version, &offer::Command::Withdraw).await?;
    }
    store::dwelling::withdraw(work, standing.dwelling.id, standing.version + 1).await?;
    events::dwelling_withdrawn(work, &standing.dwelling).await?;
    Ok(standing.version + 1)
}

// Nominations -----------------------------------------------------------------------------------------------------------

/// The nomination, if the caller may have to do with it.
pub async fn find_nomination(work: &mut Work, id: NominationId, seen: Option<i64>) -> Result<(Nomination, i64)> {
    let (nomination, version) = store::nomination::load(work, id).await?.ok_or_else(|| Work::unknown("nomination"))?;
    work.permit("nomination", Some(nomination.client_id), &[]).await?;
    expect(work, seen, version)?;
    Ok((nomination, version))
}

/// Puts a client in the pool.
pub async fn nominate(work: &mut Work, nomination: &Nomination) -> Result<()> {
    let readiness = store::nomination::readiness(work, nomination.client_id).await?;
    let waiting = store::nomination::waiting(work, nomination.client_id).await?;
    nomination::admit(nomination, readiness.as_ref(), waiting)?;
    store::nomination::insert(work, nomination).await?;
    events::nominated(work, nomination).await
}

/// Takes a client out of the pool, and the open offers with it; returns the nomination and its version.
pub async fn withdraw_nomination(
    housing: &Housing,
    work: &mut Work,
    nomination: Nomination,
    version: i64,
) -> Result<(Nomination, i64)> {
    let (after, new) = change_nomination(work, nomination, version, &nomination::Command::Withdraw).await?;
    if new != version {
        for (offer, version) in store::offer::open_of(work, None, Some(after.id)).await? {
            change_offer(housing, work, offer, version, &offer::Command::Withdraw).await?;
        }
        events::nomination_withdrawn(work, &after).await?;
    }
    Ok((after, new))
}

async fn change_nomination(
    work: &mut Work,
    mut nomination: Nomination,
    version: i64,
    command: &nomination::Command,
) -> Result<(Nomination, i64)> {
    let happened = nomination::decide(&nomination.state, command)?;
    if happened.is_empty() {
        return Ok((nomination, version));
    }
    nomination.state = happened.iter().fold(nomination.state, nomination::apply);
    store::nomination::save(work, &nomination, version + 1).await?;
    Ok((nomination, version + 1))
}

async fn move_nomination(work: &mut Work, id: NominationId, command: &nomination::Command) -> Result<()> {
    let (nomination, version) = store::nomination::referred(work, id).await?;
    change_nomination(work, nomination, version, command).await.map(drop)
}

// Offers ----------------------------------------------------------------------------------------------------------------

/// Ranks the pool for a dwelling (R-REG-25).
pub async fn rank(housing: &Housing, work: &mut Work, standing: &Standing) -> Result<(Ranking, Vec<Nomination>)> {
    let (dwelling, now) = (&standing.dwelling, work.now);
    let municipality = dwelling.municipality();
    let pool = store::nomination::pool(work, dwelling.id, &dwelling.neighbourhood).await?;
    let contingents = contingents(work, &dwelling.corporation, &municipality).await?;
    let contingents: Vec<Contingent> = contingents.into_iter().map(|(contingent, _)| contingent).collect();
    let by = Yardstick {
        policy: housing.policy(&municipality, now),
        figures: housing.figures(dwelling.available_on),
        contingents: &contingents,
        now,
    };
    let ranking = ranking::rank(dwelling, &pool, by);
    Ok((ranking, pool.into_iter().map(|candidate| candidate.nomination).collect()))
}

/// Whether allocations to a dwelling's neighbourhood have crossed the set share (R-HOU-07).
pub async fn spread_warning(housing: &Housing, work: &mut Work, standing: &Standing) -> Result<bool> {
    let municipality = standing.dwelling.municipality();
    let (now, neighbourhood) = (work.now, &standing.dwelling.neighbourhood);
    let (here, all) = store::allocation::spread(work, neighbourhood, &municipality, now.date).await?;
    Ok(ranking::spread_warning(here, all, housing.policy(&municipality, now)))
}

/// Offers a dwelling to a candidate, in the name of the caller.
pub async fn make_offer(
    housing: &Housing,
    work: &mut Work,
    standing: &Standing,
    to: &Nomination,
    wished_start: Option<Date>,
    deviation: Option<DeviationReason>,
) -> Result<Offer> {
    let (dwelling, now) = (&standing.dwelling, work.now);
    let municipality = dwelling.municipality();
    let policy = housing.policy(&municipality, now);
    dwelling.open_for_offers(standing.allocated())?;
    let lease_start_on = offer::lease_start(wished_start, dwelling.available_on)?;
    let (ranking, _) = rank(housing, work, standing).await?;
    let share = store::allocation::share(work, &dwelling.corporation, now.date).await?;
    let (rank, parts) = offer::advise(&ranking, to.id, deviation, share, policy)?;
    let made = Offer {
        id: OfferId(Uuid::now_v7()),
        dwelling: dwelling.id,
        nomination: to.id,
        client_id: to.client_id,
        corporation: dwelling.corporation.clone(),
        provider: to.provider.clone(),
        rent: dwelling.rent,
        household: to.household,
        income: to.income,
        income_tested_on: None,
        guarantee_required: to.guarantee_required,
        lease_start_on,
        offered_on: now.date,
        until: offer::until(policy, now),
        advice: Advice {
            rank,
            parts,
            deviation,
            decided_by: work.actor().subject.clone(),
            policy_version: housing.policy.version_at(&municipality, now.date),
        },
        municipality,
        state: offer::State::Open { client: false, corporation: false },
    };
    store::offer::insert(work, &made).await?;
    events::offer_made(work, &made).await?;
    let (remind_at, lapse_at) = offer::wake_at(policy, made.until);
    for (kind, at) in [(OFFER_REMINDER, remind_at), (OFFER_LAPSE, lapse_at)] {
        let (subject, client_id) = (made.id.to_string(), Some(made.client_id));
        work.set_deadline(&Deadline { kind: kind.to_owned(), subject, client_id, due_at: at.at }).await?;
    }
    Ok(made)
}

/// The offer, if the caller may have to do with it.
pub async fn find_offer(work: &mut Work, id: OfferId, seen: Option<i64>) -> Result<(Offer, i64)> {
    let (offer, version) = store::offer::load(work, id).await?.ok_or_else(|| Work::unknown("offer"))?;
    work.permit("offer", Some(offer.client_id), &[&offer.corporation]).await?;
    expect(work, seen, version)?;
    Ok((offer, version))
}

/// The client's answer, by whoever gives it (R-HOU-29).
pub async fn answer_for_client(
    housing: &Housing,
    work: &mut Work,
    (offer, version): (Offer, i64),
    document: &str,
    command: &offer::Command,
) -> Result<(Offer, i64)> {
    let evidence = Evidence::of(work.actor().client_id == Some(offer.client_id), document)?;
    let (after, new) = change_offer(housing, work, offer, version, command).await?;
    store::keep_evidence(work, after.client_id, (&after.id.to_string(), after.state.name()), &evidence).await?;
    Ok((after, new))
}

/// The corporation's yes, judged by its allocations of the year (R-HOU-06).
pub async fn accept_candidate(
    housing: &Housing,
    work: &mut Work,
    (offer, version): (Offer, i64),
    tested: Option<(crate::domain::IncomeClass, Date)>,
    guarantee: bool,
) -> Result<(Offer, i64)> {
    let on = work.now.date;
    let share = store::allocation::share(work, &offer.corporation, on).await?;
    let command = offer::Command::AcceptCandidate { tested, guarantee, share };
    change_offer(housing, work, offer, version, &command).await
}

/// Does something with an offer; accepted by all, it becomes the allocation in the same transaction.
pub async fn change_offer(
    housing: &Housing,
    work: &mut Work,
    offer: Offer,
    version: i64,
    command: &offer::Command,
) -> Result<(Offer, i64)> {
    store::dwelling::hold(work, offer.dwelling, offer.nomination).await?;
    let (after, new, happened) = record_offer(housing, work, offer, version, command).await?;
    if happened.contains(&offer::Event::AcceptedByAll) {
        allocate(housing, work, &after).await?;
    }
    Ok((after, new))
}

async fn record_offer(
    housing: &Housing,
    work: &mut Work,
    offer: Offer,
    version: i64,
    command: &offer::Command,
) -> Result<(Offer, i64, Vec<offer::Event>)> {
    let now = work.now;
    let figures = housing.figures(offer.lease_start_on);
    let happened = offer::decide(&offer, command, housing.policy(&offer.municipality, now), figures, now)?;
    if happened.is_empty() {
        return Ok((offer, version, happened));
    }
    let after = happened.iter().fold(offer, offer::apply);
    store::offer::save(work, &after, version + 1).await?;
    for event in &happened {
        events::offer(work, &after, event).await?;
    }
    if !matches!(after.state, offer::State::Open { .. }) {
        for kind in [OFFER_REMINDER, OFFER_LAPSE] {
            work.clear_deadline(kind, &after.id.to_string()).await?;
        }
    }
    Ok((after, version + 1, happened))
}

/// All have accepted: the allocation, its contingent place, and the end of every other offer of this dwelling and to this
/// client. If anything of it is refused, nothing of it happens (P1).
async fn allocate(housing: &Housing, work: &mut Work, offer: &Offer) -> Result<()> {
    let now = work.now;
    let dwelling = store::dwelling::referred(work, offer.dwelling).await?.dwelling;
    if dwelling.state == DwellingPool::Withdrawn {
        return Err((&DWELLING_WITHDRAWN).into());
    }
    // A separation may have been marked since the offer.
    let lives_near = store::separation::lives_near(work, offer.client_id, &dwelling.neighbourhood).await?;
    ranking::check_suitable(lives_near)?;
    let (nomination, nominated) = store::nomination::referred(work, offer.nomination).await?;
    let contingents = contingents(work, &offer.corporation, &offer.municipality).await?;
    let of_year: Vec<Contingent> = contingents.iter().map(|(contingent, _)| contingent.clone()).collect();
    let drawn_from = contingent::choose(&of_year, nomination.group)?.id;

    let figures = housing.figures(offer.lease_start_on);
    let id = AllocationId(Uuid::now_v7());
    let one = allocation::open(id, offer, dwelling.form, drawn_from, figures, now);
    store::allocation::insert(work, &one, &dwelling).await?;
    change_nomination(work, nomination, nominated, &nomination::Command::Allocate { allocation: id }).await?;
    move_contingent(work, drawn_from, &contingent::Command::Draw).await?;
    events::allocation_accepted(work, &one, &dwelling).await?;
    for (other, version) in store::offer::open_of(work, Some(offer.dwelling), Some(offer.nomination)).await? {
        let command = offer::Command::Supersede { dwelling_taken: other.dwelling == offer.dwelling };
        record_offer(housing, work, other, version, &command).await?;
    }
    Ok(())
}

/// Two clients are to be kept apart from now on: tells regie when they have homes in one neighbourhood already, and nobody else
/// (R-REG-28).
pub async fn separated(work: &mut Work, apart: &Apart) -> Result<()> {
    match store::separation::near(work, apart).await? {
        true => events::separated_in_one_neighbourhood(work, apart).await,
        false => Ok(()),
    }
}

/// A deadline of an offer is due (P7).
pub async fn wake_offer(housing: &Housing, work: &mut Work, id: OfferId, command: &offer::Command) -> Result<()> {
    match store::offer::load(work, id).await? {
        Some((offer, version)) => change_offer(housing, work, offer, version, command).await.map(drop),
        None => Ok(()),
    }
}

// Allocations -----------------------------------------------------------------------------------------------------------

/// The allocation, if the caller may have to do with it.
pub async fn find_allocation(work: &mut Work, id: AllocationId, seen: Option<i64>) -> Result<(Allocation, i64)> {
    let (allocation, version) = store::allocation::load(work, id).await?.ok_or_else(|| Work::unknown("allocation"))?;
    work.permit("allocation", Some(allocation.client_id), &[&allocation.corporation]).await?;
    expect(work, seen, version)?;
    Ok((allocation, version))
}

/// Does something with an allocation, and with the contingent place and the nomination that hang on it (P4).
pub async fn change_allocation(
    housing: &Housing,
    work: &mut Work,
    (allocation, version): (Allocation, i64),
    command: &allocation::Command,
) -> Result<(Allocation, i64)> {
    let now = work.now;
    let happened = allocation::decide(&allocation, command, housing.policy(&allocation.municipality, now), now)?;
    if happened.is_empty() {
        return Ok((allocation, version));
    }
    let after = happened.iter().fold(allocation, allocation::apply);
    store::allocation::save(work, &after, version + 1).await?;
    for event in &happened {
        match event {
            allocation::Event::Withdrawn { .. } => {
                move_contingent(work, after.contingent, &contingent::Command::Free).await?;
                move_nomination(work, after.nomination, &nomination::Command::Return).await?;
            }
            allocation::Event::KeysHandedOver { .. } => {
                move_contingent(work, after.contingent, &contingent::Command::Realise).await?;
                move_nomination(work, after.nomination, &nomination::Command::House).await?;
            }
            _ => {}
        }
        events::allocation(work, &after, event).await?;
    }
    Ok((after, version + 1))
}
