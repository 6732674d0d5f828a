//! Nominations and the ranking.

use super::views;
use super::wire::{Wire, count, nomination_state, state_filter};
use crate::domain::nomination::{Nomination, State, Wishes};
use crate::domain::ranking::{Place, Ranked};
use crate::domain::suitable::Household;
use crate::domain::{AgeClass, ContractForm, DwellingId, DwellingKind, IncomeClass, NominationId, TargetGroup};
use crate::{Housing, acts, store};
use chassis::{Page, Result, Work};
use kernel::{Cents, ClientId, District, Municipality, Organisation, Refusal, Uuid, general};
use proto::from_date;
use proto::housing::v1 as pb;
use std::cmp::Reverse;
use std::collections::BTreeSet;

fn districts(field: &'static str, all: &[String]) -> Result<Vec<District>> {
    all.iter().map(|code| Ok(District::parse(field, code)?)).collect()
}

fn wishes(m: &pb::Wishes) -> Result<Wishes> {
    let municipality = |code: &String| Ok(Municipality::parse("wishes.other_municipalities", code)?);
    let origin = Some(&m.origin_municipality).filter(|code| !code.is_empty());
    Ok(Wishes {
        wished: districts("wishes.wished_districts", &m.wished_districts)?,
        network: districts("wishes.network_districts", &m.network_districts)?,
        school: districts("wishes.school_districts", &m.school_districts)?,
        work: districts("wishes.work_districts", &m.work_districts)?,
        origin: origin.map(|code| Municipality::parse("wishes.origin_municipality", code)).transpose()?,
        elsewhere: m.other_municipalities.iter().map(municipality).collect::<Result<_>>()?,
        excluded: districts("wishes.excluded_districts", &m.excluded_districts)?,
        kinds: DwellingKind::read_all("wishes.kinds", &m.kinds)?,
        forms: ContractForm::read_all("wishes.contract_forms", &m.contract_forms)?,
        max_rent: Some(Cents(m.max_rent_cents)).filter(|rent| rent.0 != 0),
        min_rooms: count("wishes.min_rooms", m.min_rooms)?,
    })
}

pub async fn nominate(_: &Housing, work: &mut Work, m: &pb::NominateRequest) -> Result<pb::NominateResponse> {
    let provider = Some(&m.provider).filter(|provider| !provider.is_empty());
    let nominated_by = work.organisation().clone();
    let one = Nomination {
        id: NominationId(Uuid::now_v7()),
        client_id: ClientId::parse("client_id", &m.client_id)?,
        municipality: Municipality::parse("municipality", &m.municipality)?,
        group: TargetGroup::require("target_group", m.target_group)?,
        provider: provider.map_or(Ok(nominated_by.clone()), |code| Organisation::parse("provider", code))?,
        nominated_by,
        nominated_on: work.now.date,
        household: Household {
            adults: count("adults", m.adults)?,
            children: count("children", m.children)?,
            age: AgeClass::read("age_class", m.age_class)?.unwrap_or(AgeClass::From23),
        },
        income: IncomeClass::read("income_class", m.income_class)?,
        guarantee_required: m.guarantee_required,
        wishes: wishes(&m.wishes.clone().unwrap_or_default())?,
        state: State::InPool,
    };
    work.permit("client", Some(one.client_id), &[]).await?;
    acts::nominate(work, &one).await?;
    let state = nomination_state(one.state.name());
    Ok(pb::NominateResponse { nomination_id: one.id.to_string(), version: 1, state })
}

pub async fn withdraw(
    housing: &Housing,
    work: &mut Work,
    m: &pb::WithdrawNominationRequest,
) -> Result<pb::WithdrawNominationResponse> {
    let id = NominationId::parse("nomination_id", &m.nomination_id)?;
    let (nomination, version) = acts::find_nomination(work, id, Some(m.expected_version)).await?;
    let (after, version) = acts::withdraw_nomination(housing, work, nomination, version).await?;
    let state = nomination_state(after.state.name());
    Ok(pb::WithdrawNominationResponse { nomination_id: id.to_string(), version, state })
}

pub async fn get(_: &Housing, work: &mut Work, m: &pb::GetNominationRequest) -> Result<pb::GetNominationResponse> {
    let id = NominationId::parse("nomination_id", &m.nomination_id)?;
    let (nomination, version) = acts::find_nomination(work, id, None).await?;
    let offers = store::offer::states(work, id).await?;
    Ok(pb::GetNominationResponse { nomination: Some(views::nomination(&nomination, version, &offers)) })
}

pub async fn list(_: &Housing, work: &mut Work, m: &pb::ListNominationsRequest) -> Result<pb::ListNominationsResponse> {
    let (page, scope) = (Page::read(m.page_size, &m.page_token, 500)?, work.scope());
    let wanted = pb::NominationState::try_from(m.state).ok().map(|state| state.as_str_name());
    let state = state_filter("state", "NOMINATION_STATE_", wanted)?;
    let (found, next_page_token) = store::nomination::list(work, &scope, &state, &m.municipality, &page).await?;
    let mut nominations = Vec::with_capacity(found.len());
    for (nomination, version) in &found {
        work.touched(nomination.client_id);
        let offers = store::offer::states(work, nomination.id).await?;
        nominations.push(views::nomination(nomination, *version, &offers));
    }
    Ok(pb::ListNominationsResponse { nominations, next_page_token })
}

pub async fn rank(
    housing: &Housing,
    work: &mut Work,
    m: &pb::RankCandidatesRequest,
) -> Result<pb::RankCandidatesResponse> {
    let id = DwellingId::parse("dwelling_id", &m.dwelling_id)?;
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let standing = acts::find_dwelling(work, id, None).await?;
    // Ranking for an allocated dwelling is allowed: the allocation may fall.
    standing.dwelling.open_for_offers(false)?;
    let (ranking, pool) = acts::rank(housing, work, &standing).await?;
    let (ranking, next) = ranking.page(place_after(&page)?, page.limit as usize);
    let ranked = ranking.ranked.iter().map(|one| one.nomination);
    let shown: BTreeSet<NominationId> = ranked.chain(ranking.not_ranked.iter().map(|one| one.nomination)).collect();
    for nomination in pool.iter().filter(|nomination| shown.contains(&nomination.id)) {
        work.touched(nomination.client_id);
    }
    let ranked = |one: &Ranked| pb::RankedCandidate {
        nomination_id: one.nomination.to_string(),
        score: one.score,
        parts: views::parts(&one.parts),
        offered: one.offered,
    };
    let rule = |failed: &Refusal| pb::FailedRule {
        reason: failed.reason.code.to_owned(),
        rule: failed.reason.rule.to_owned(),
        text: failed.en(),
        text_nl: failed.nl(),
    };
    Ok(pb::RankCandidatesResponse {
        ranked: ranking.ranked.iter().map(ranked).collect(),
        not_ranked: ranking
            .not_ranked
            .iter()
            .map(|out| pb::WhyNot {
                nomination_id: out.nomination.to_string(),
                failed: out.failed.iter().map(rule).collect(),
            })
            .collect(),
        spread_warning: acts::spread_warning(housing, work, &standing).await?,
        figures_valid_from: housing.figures_from(standing.dwelling.available_on).map(from_date),
        next_page_token: next.map(|place| Page::token(place_key(place))).unwrap_or_default(),
    })
}

/// A place in the ranking as the key in a page's token.
fn place_key(place: Place) -> Vec<String> {
    match place {
        Place::Ranked { score, since, nomination } => {
            vec![since.to_string(), nomination.to_string(), score.0.to_string()]
        }
        Place::NotRanked { since, nomination } => vec![since.to_string(), nomination.to_string()],
    }
}

/// The place after which a page begins; none on the first.
fn place_after(page: &Page) -> Result<Option<Place>> {
    if page.after.is_empty() {
        return Ok(None);
    }
    let (since, nomination) = (page.date(0)?, NominationId(page.uuid(1)?));
    if page.text(2).is_empty() {
        return Ok(Some(Place::NotRanked { since, nomination }));
    }
    let score = Reverse(page.text(2).parse().map_err(|_| Refusal::from(&general::PAGE_TOKEN_INVALID))?);
    Ok(Some(Place::Ranked { score, since, nomination }))
}
