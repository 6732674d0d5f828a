//! Signals, and the teams that are subscribed to them.

use super::{PAGE, views, views::answer};
use crate::acts::signal as acts;
use crate::domain::SignalId;
use crate::domain::signal::{Command, Kind, Report};
use crate::words::{Word, date_opt, instant, text};
use crate::{Aftercare, store};
use chassis::{Page, Result, Work};
use kernel::{ClientId, Municipality, Role};
use proto::aftercare::v1::*;
use uuid::Uuid;

pub async fn subscribe(_: &Aftercare, work: &mut Work, m: &SubscribeTeamRequest) -> Result<SubscribeTeamResponse> {
    acts::subscribe(work, ClientId::parse("client_id", &m.client_id)?).await?;
    Ok(SubscribeTeamResponse {})
}

pub async fn unsubscribe(
    _: &Aftercare,
    work: &mut Work,
    m: &UnsubscribeTeamRequest,
) -> Result<UnsubscribeTeamResponse> {
    acts::unsubscribe(work, ClientId::parse("client_id", &m.client_id)?).await?;
    Ok(UnsubscribeTeamResponse {})
}

pub async fn raise(service: &Aftercare, work: &mut Work, m: &RaiseSignalRequest) -> Result<RaiseSignalResponse> {
    let report = Report {
        id: SignalId(Uuid::now_v7()),
        client_id: ClientId::parse("client_id", &m.client_id)?,
        municipality: None,
        kind: Word::read("kind", m.kind)?,
        severity: (m.severity != 0).then(|| Word::read("severity", m.severity)).transpose()?,
        text: text("text", &m.text)?,
        source: acts::source(work, m.anonymous, m.hearsay),
    };
    acts::report(service, work, report).await?;
    Ok(RaiseSignalResponse { received_at: Some(instant(work.now.at)) })
}

pub async fn report_nowhere_to_sleep(
    service: &Aftercare,
    work: &mut Work,
    m: &ReportNowhereToSleepRequest,
) -> Result<ReportNowhereToSleepResponse> {
    let here = Some(m.municipality.as_str()).filter(|code| !code.is_empty());
    let report = Report {
        id: SignalId(Uuid::now_v7()),
        client_id: ClientId::parse("client_id", &m.client_id)?,
        municipality: here.map(|code| Municipality::parse("municipality", code)).transpose()?,
        kind: Kind::NowhereToSleep,
        severity: None,
        text: text("text", &m.text)?,
        source: acts::source(work, false, false),
    };
    acts::report(service, work, report).await?;
    Ok(ReportNowhereToSleepResponse { received_at: Some(instant(work.now.at)) })
}

pub async fn take_up(service: &Aftercare, work: &mut Work, m: &TakeUpSignalRequest) -> Result<TakeUpSignalResponse> {
    let id = SignalId::parse("signal_id", &m.signal_id)?;
    let (by, by_regie) = (work.organisation().clone(), work.acts_as(Role::Regie));
    let seen = Some(m.expected_version).filter(|version| *version != 0);
    let stored = acts::change(service, work, id, seen, Command::TakeUp { by, by_regie }).await?;
    answer!(TakeUpSignalResponse, signal_id, stored)
}

pub async fn close(service: &Aftercare, work: &mut Work, m: &CloseSignalRequest) -> Result<CloseSignalResponse> {
    let id = SignalId::parse("signal_id", &m.signal_id)?;
    let command = Command::Close {
        by: work.organisation().clone(),
        by_regie: work.acts_as(Role::Regie),
        outcome: Word::read("outcome", m.outcome)?,
        heard_on: date_opt("client_heard_on", m.client_heard_on.as_ref())?,
        note: text("note", &m.note)?,
    };
    let stored = acts::change(service, work, id, Some(m.expected_version), command).await?;
    answer!(CloseSignalResponse, signal_id, stored)
}

pub async fn invoke_guarantee(
    service: &Aftercare,
    work: &mut Work,
    m: &InvokeRelapseGuaranteeRequest,
) -> Result<InvokeRelapseGuaranteeResponse> {
    let id = SignalId::parse("signal_id", &m.signal_id)?;
    let stored = acts::invoke_guarantee(service, work, id).await?;
    answer!(InvokeRelapseGuaranteeResponse, signal_id, stored)
}

pub async fn get(_: &Aftercare, work: &mut Work, m: &GetSignalRequest) -> Result<GetSignalResponse> {
    let (signal, version) = acts::load(work, SignalId::parse("signal_id", &m.signal_id)?).await?;
    acts::permit(work, &signal).await?;
    let for_team = Some(views::signal_for_team(&signal, version, &work.safe_contacts().await?));
    Ok(GetSignalResponse { signal: for_team, text: signal.text, closing_note: signal.closing_note })
}

pub async fn list(_: &Aftercare, work: &mut Work, m: &ListSignalsRequest) -> Result<ListSignalsResponse> {
    let page = Page::read(m.page_size, &m.page_token, PAGE)?;
    let state = views::word(m.state().as_str_name(), "SIGNAL_STATE_");
    let team = work.organisation().clone();
    let rows = store::signal::of_team(work, &team, &state, page.text(0), page.limit + 1).await?;
    let safe = work.safe_contacts().await?;
    let shown = |signal: &_, version| views::signal_for_team(signal, version, &safe);
    let (signals, next_page_token) = views::signals(work, &page, rows, shown);
    Ok(ListSignalsResponse { signals, next_page_token })
}

pub async fn list_as_caseholder(
    _: &Aftercare,
    work: &mut Work,
    m: &ListSignalsAsCaseholderRequest,
) -> Result<ListSignalsAsCaseholderResponse> {
    let page = Page::read(m.page_size, &m.page_token, PAGE)?;
    let client = ClientId::parse("client_id", &m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let all = work.scope().everything;
    let rows = store::signal::of_client(work, client, all, page.text(0), page.limit + 1).await?;
    let safe = work.safe_contacts().await?;
    let shown = |signal: &_, version| views::signal_for_team(signal, version, &safe);
    let (signals, next_page_token) = views::signals(work, &page, rows, shown);
    Ok(ListSignalsAsCaseholderResponse { signals, next_page_token })
}

pub async fn list_as_self(
    _: &Aftercare,
    work: &mut Work,
    m: &ListSignalsAsSelfRequest,
) -> Result<ListSignalsAsSelfResponse> {
    let page = Page::read(m.page_size, &m.page_token, PAGE)?;
    let client = match m.client_id.as_str() {
        "" => work.actor().client_id.ok_or_else(|| Work::unknown("client"))?,
        text => ClientId::parse("client_id", text)?,
    };
    work.permit("client", Some(client), &[]).await?;
    let rows = store::signal::of_client(work, client, true, page.text(0), page.limit + 1).await?;
    let (signals, next_page_token) = views::signals(work, &page, rows, |signal, _| views::signal_for_client(signal));
    Ok(ListSignalsAsSelfResponse { signals, next_page_token })
}
