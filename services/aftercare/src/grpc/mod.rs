//! The RPCs: from message to command, and from state to view. What may happen is decided elsewhere.

mod requests;
mod views;

use crate::domain::handover::Command as HandoverCommand;
use crate::domain::signal::{Command as SignalCommand, Kind, Report};
use crate::domain::{AftercareId, AllocationId, HandoverId, SignalId};
use crate::words::{Word, date_opt, instant, text};
use crate::{Aftercare, acts, store};
use chassis::{Answer, Chassis, Page, Result, Work};
use kernel::{ClientId, Municipality, Organisation, Role};
use proto::aftercare::v1::aftercare_service_server::AftercareService;
use proto::aftercare::v1::*;
use proto::to_date;
use std::sync::Arc;
use tonic::Request;
use uuid::Uuid;

/// The longest page of a list.
const PAGE: i64 = 500;

/// The RPC whose line in the policy table says who may report that somebody has nowhere to sleep.
const NOWHERE_TO_SLEEP: &str = "AftercareService/ReportNowhereToSleep";

/// The service as tonic sees it.
pub struct Grpc {
    /// What every service stands on.
    pub chassis: Chassis,
    /// What handlers need beside it.
    pub aftercare: Arc<Aftercare>,
}

/// A call that changes something.
macro_rules! command {
    ($self:ident, $request:ident, |$service:ident, $work:ident, $m:ident| $body:block) => {{
        let service = $self.aftercare.clone();
        $self
            .chassis
            .command($request, move |$work, $m| {
                let $service = service.clone();
                Box::pin(async move { $body })
            })
            .await
    }};
}

/// A call that reads.
macro_rules! query {
    ($self:ident, $request:ident, |$work:ident, $m:ident| $body:block) => {
        $self.chassis.query($request, move |$work, $m| Box::pin(async move { $body })).await
    };
}

/// The answer to a command on one thing: its id, version and state.
macro_rules! answer {
    ($response:ident, $id:ident, $stored:expr) => {{
        let (thing, version) = $stored;
        Ok($response { $id: thing.id.to_string(), version, state: views::State::of(&thing).into() })
    }};
}

#[tonic::async_trait]
impl AftercareService for Grpc {
    async fn draft_handover(&self, request: Request<DraftHandoverRequest>) -> Answer<DraftHandoverResponse> {
        command!(self, request, |service, work, m| {
            let brief = requests::brief(m)?;
            answer!(DraftHandoverResponse, handover_id, acts::handover::draft(&service, work, brief).await?)
        })
    }

    async fn fill_handover(&self, request: Request<FillHandoverRequest>) -> Answer<FillHandoverResponse> {
        command!(self, request, |service, work, m| {
            let id = HandoverId::parse("handover_id", &m.handover_id)?;
            let form = requests::form(m.form.as_ref())?;
            let command = HandoverCommand::Fill { form, womens_shelter: work.acts_as(Role::Vo) };
            let stored = acts::handover::change(&service, work, id, m.expected_version, command).await?;
            answer!(FillHandoverResponse, handover_id, stored)
        })
    }

    async fn accept_handover(&self, request: Request<AcceptHandoverRequest>) -> Answer<AcceptHandoverResponse> {
        command!(self, request, |service, work, m| {
            let id = HandoverId::parse("handover_id", &m.handover_id)?;
            let stored =
                acts::handover::change(&service, work, id, m.expected_version, HandoverCommand::Accept).await?;
            answer!(AcceptHandoverResponse, handover_id, stored)
        })
    }

    async fn return_handover(&self, request: Request<ReturnHandoverRequest>) -> Answer<ReturnHandoverResponse> {
        command!(self, request, |service, work, m| {
            let id = HandoverId::parse("handover_id", &m.handover_id)?;
            let command =
                HandoverCommand::Return { reason: Word::read("reason", m.reason)?, note: text("note", &m.note)? };
            let stored = acts::handover::change(&service, work, id, m.expected_version, command).await?;
            answer!(ReturnHandoverResponse, handover_id, stored)
        })
    }

    async fn assign_handover(&self, request: Request<AssignHandoverRequest>) -> Answer<AssignHandoverResponse> {
        command!(self, request, |service, work, m| {
            let id = HandoverId::parse("handover_id", &m.handover_id)?;
            let command = HandoverCommand::Assign { to: Organisation::parse("to_organisation", &m.to_organisation)? };
            let stored = acts::handover::change(&service, work, id, m.expected_version, command).await?;
            answer!(AssignHandoverResponse, handover_id, stored)
        })
    }

    async fn cancel_handover(&self, request: Request<CancelHandoverRequest>) -> Answer<CancelHandoverResponse> {
        command!(self, request, |service, work, m| {
            let id = AllocationId::parse("allocation_id", &m.allocation_id)?;
            match acts::handover::cancel(&service, work, id).await? {
                Some(stored) => answer!(CancelHandoverResponse, handover_id, stored),
                None => Ok(CancelHandoverResponse { state: HandoverState::Cancelled.into(), ..Default::default() }),
            }
        })
    }

    async fn get_handover(&self, request: Request<GetHandoverRequest>) -> Answer<GetHandoverResponse> {
        query!(self, request, |work, m| {
            let id = HandoverId::parse("handover_id", &m.handover_id)?;
            let (handover, version) = acts::handover::load(work, id).await?;
            let sides = [&handover.brief.from, &handover.brief.to];
            work.permit("handover", Some(handover.brief.client_id), &sides).await?;
            Ok(views::handover(&handover, version, &work.safe_contacts().await?))
        })
    }

    async fn list_handovers(&self, request: Request<ListHandoversRequest>) -> Answer<ListHandoversResponse> {
        query!(self, request, |work, m| {
            let page = Page::read(m.page_size, &m.page_token, PAGE)?;
            let state = views::word(m.state().as_str_name(), "HANDOVER_STATE_");
            let scope = work.scope();
            let mut rows = store::handover::list(work, &scope, &state, page.text(0), page.limit + 1).await?;
            let next_page_token = page.cut(&mut rows, |(handover, _)| vec![handover.id.to_string()]);
            rows.iter().for_each(|(handover, _)| work.touched(handover.brief.client_id));
            let safe = work.safe_contacts().await?;
            let shown = rows.iter().map(|(handover, version)| views::handover_summary(handover, *version, &safe));
            let handovers = shown.collect();
            Ok(ListHandoversResponse { handovers, next_page_token })
        })
    }

    async fn agree_signalling_plan(
        &self,
        request: Request<AgreeSignallingPlanRequest>,
    ) -> Answer<AgreeSignallingPlanResponse> {
        self.chassis
            .command(request, |work, m| {
                Box::pin(async move {
                    let client = ClientId::parse("client_id", &m.client_id)?;
                    let plan = requests::plan(m.plan.as_ref())?;
                    let version = acts::signalling_plan::agree(work, client, m.expected_version, &plan).await?;
                    Ok(AgreeSignallingPlanResponse { version })
                })
            })
            .await
    }

    async fn get_signalling_plan(
        &self,
        request: Request<GetSignallingPlanRequest>,
    ) -> Answer<GetSignallingPlanResponse> {
        query!(self, request, |work, m| {
            let client = ClientId::parse("client_id", &m.client_id)?;
            work.permit("signalling plan", Some(client), &[]).await?;
            let plan = store::signalling_plan::load(work, client).await?;
            let (plan, version) = plan.ok_or_else(|| Work::unknown("signalling plan"))?;
            let safe_contact = work.safe_contact(client).await?;
            Ok(GetSignallingPlanResponse { plan: Some(views::plan(&plan)), version, safe_contact })
        })
    }

    async fn start_aftercare(&self, request: Request<StartAftercareRequest>) -> Answer<StartAftercareResponse> {
        command!(self, request, |service, work, m| {
            let id = AllocationId::parse("allocation_id", &m.allocation_id)?;
            let started_on = to_date("started_on", m.started_on.as_ref())?;
            let stored = acts::aftercare::start(&service, work, id, started_on).await?;
            answer!(StartAftercareResponse, aftercare_id, (stored.aftercare, stored.version))
        })
    }

    async fn record_contact(&self, request: Request<RecordContactRequest>) -> Answer<RecordContactResponse> {
        command!(self, request, |service, work, m| {
            let id = AftercareId::parse("aftercare_id", &m.aftercare_id)?;
            let on = to_date("contact_on", m.contact_on.as_ref())?;
            let contact = (on, Word::read("result", m.result)?, Word::read("form", m.form)?);
            let stored = acts::aftercare::record(&service, work, id, m.expected_version, contact).await?;
            answer!(RecordContactResponse, aftercare_id, (stored.aftercare, stored.version))
        })
    }

    async fn end_aftercare(&self, request: Request<EndAftercareRequest>) -> Answer<EndAftercareResponse> {
        command!(self, request, |service, work, m| {
            let outcome = Word::read("outcome", m.outcome)?;
            let agreed_on = date_opt("agreed_with_client_on", m.agreed_with_client_on.as_ref())?;
            let Some(stored) = requests::aftercare(work, m).await? else {
                return Ok(EndAftercareResponse { state: AftercareState::Ended.into(), ..Default::default() });
            };
            let stored = acts::aftercare::end(&service, work, stored, m.expected_version, outcome, agreed_on).await?;
            answer!(EndAftercareResponse, aftercare_id, (stored.aftercare, stored.version))
        })
    }

    async fn get_aftercare(&self, request: Request<GetAftercareRequest>) -> Answer<GetAftercareResponse> {
        query!(self, request, |work, m| {
            let id = AftercareId::parse("aftercare_id", &m.aftercare_id)?;
            let stored = acts::aftercare::load(work, id).await?;
            work.permit("aftercare", Some(stored.aftercare.client_id), &[&stored.responsible]).await?;
            let contacts = store::aftercare::contacts(work, id).await?.iter().map(views::contact).collect();
            let aftercare = views::aftercare(&stored, &work.safe_contacts().await?);
            Ok(GetAftercareResponse { aftercare: Some(aftercare), contacts })
        })
    }

    async fn list_aftercare(&self, request: Request<ListAftercareRequest>) -> Answer<ListAftercareResponse> {
        query!(self, request, |work, m| {
            let page = Page::read(m.page_size, &m.page_token, PAGE)?;
            let scope = work.scope();
            let after = (page.text(0), page.text(1));
            let mut rows = store::aftercare::list(work, &scope, after, page.limit + 1).await?;
            let key = |stored: &store::aftercare::Stored| {
                vec![stored.schedule.next_on.to_string(), stored.aftercare.id.to_string()]
            };
            let next_page_token = page.cut(&mut rows, key);
            rows.iter().for_each(|stored| work.touched(stored.aftercare.client_id));
            let safe = work.safe_contacts().await?;
            let aftercare = rows.iter().map(|stored| views::aftercare(stored, &safe)).collect();
            Ok(ListAftercareResponse { aftercare, next_page_token })
        })
    }

    async fn subscribe_team(&self, request: Request<SubscribeTeamRequest>) -> Answer<SubscribeTeamResponse> {
        self.chassis
            .command(request, |work, m| {
                Box::pin(async move {
                    acts::signal::subscribe(work, ClientId::parse("client_id", &m.client_id)?).await?;
                    Ok(SubscribeTeamResponse {})
                })
            })
            .await
    }

    async fn unsubscribe_team(&self, request: Request<UnsubscribeTeamRequest>) -> Answer<UnsubscribeTeamResponse> {
        self.chassis
            .command(request, |work, m| {
                Box::pin(async move {
                    acts::signal::unsubscribe(work, ClientId::parse("client_id", &m.client_id)?).await?;
                    Ok(UnsubscribeTeamResponse {})
                })
            })
            .await
    }

    async fn raise_signal(&self, request: Request<RaiseSignalRequest>) -> Answer<RaiseSignalResponse> {
        command!(self, request, |service, work, m| {
            let report = Report {
                id: SignalId(Uuid::now_v7()),
                client_id: ClientId::parse("client_id", &m.client_id)?,
                municipality: None,
                kind: Word::read("kind", m.kind)?,
                severity: (m.severity != 0).then(|| Word::read("severity", m.severity)).transpose()?,
                text: text("text", &m.text)?,
                source: acts::signal::source(work, m.anonymous, m.hearsay),
            };
            receive(&service, work, report).await?;
            Ok(RaiseSignalResponse { received_at: Some(instant(work.now.at)) })
        })
    }

    async fn report_nowhere_to_sleep(
        &self,
        request: Request<ReportNowhereToSleepRequest>,
    ) -> Answer<ReportNowhereToSleepResponse> {
        command!(self, request, |service, work, m| {
            let here = Some(m.municipality.as_str()).filter(|code| !code.is_empty());
            let report = Report {
                id: SignalId(Uuid::now_v7()),
                client_id: ClientId::parse("client_id", &m.client_id)?,
                municipality: here.map(|code| Municipality::parse("municipality", code)).transpose()?,
                kind: Kind::NowhereToSleep,
                severity: None,
                text: text("text", &m.text)?,
                source: acts::signal::source(work, false, false),
            };
            receive(&service, work, report).await?;
            Ok(ReportNowhereToSleepResponse { received_at: Some(instant(work.now.at)) })
        })
    }

    async fn take_up_signal(&self, request: Request<TakeUpSignalRequest>) -> Answer<TakeUpSignalResponse> {
        command!(self, request, |service, work, m| {
            let id = SignalId::parse("signal_id", &m.signal_id)?;
            let (by, by_regie) = (work.organisation().clone(), work.acts_as(Role::Regie));
            let seen = Some(m.expected_version).filter(|version| *version != 0);
            let stored = acts::signal::change(&service, work, id, seen, SignalCommand::TakeUp { by, by_regie }).await?;
            answer!(TakeUpSignalResponse, signal_id, stored)
        })
    }

    async fn close_signal(&self, request: Request<CloseSignalRequest>) -> Answer<CloseSignalResponse> {
        command!(self, request, |service, work, m| {
            let id = SignalId::parse("signal_id", &m.signal_id)?;
            let command = SignalCommand::Close {
                by: work.organisation().clone(),
                by_regie: work.acts_as(Role::Regie),
                outcome: Word::read("outcome", m.outcome)?,
                heard_on: date_opt("client_heard_on", m.client_heard_on.as_ref())?,
                note: text("note", &m.note)?,
            };
            let stored = acts::signal::change(&service, work, id, Some(m.expected_version), command).await?;
            answer!(CloseSignalResponse, signal_id, stored)
        })
    }

    async fn invoke_relapse_guarantee(
        &self,
        request: Request<InvokeRelapseGuaranteeRequest>,
    ) -> Answer<InvokeRelapseGuaranteeResponse> {
        command!(self, request, |service, work, m| {
            let id = SignalId::parse("signal_id", &m.signal_id)?;
            let stored = acts::signal::invoke_guarantee(&service, work, id).await?;
            answer!(InvokeRelapseGuaranteeResponse, signal_id, stored)
        })
    }

    async fn get_signal(&self, request: Request<GetSignalRequest>) -> Answer<GetSignalResponse> {
        query!(self, request, |work, m| {
            let (signal, version) = acts::signal::load(work, SignalId::parse("signal_id", &m.signal_id)?).await?;
            acts::signal::permit(work, &signal).await?;
            let for_team = Some(views::signal_for_team(&signal, version, &work.safe_contacts().await?));
            Ok(GetSignalResponse { signal: for_team, text: signal.text, closing_note: signal.closing_note })
        })
    }

    async fn list_signals(&self, request: Request<ListSignalsRequest>) -> Answer<ListSignalsResponse> {
        query!(self, request, |work, m| {
            let page = Page::read(m.page_size, &m.page_token, PAGE)?;
            let state = views::word(m.state().as_str_name(), "SIGNAL_STATE_");
            let team = work.organisation().clone();
            let rows = store::signal::of_team(work, &team, &state, page.text(0), page.limit + 1).await?;
            let safe = work.safe_contacts().await?;
            let shown = |signal: &_, version| views::signal_for_team(signal, version, &safe);
            let (signals, next_page_token) = views::signals(work, &page, rows, shown);
            Ok(ListSignalsResponse { signals, next_page_token })
        })
    }

    async fn list_signals_as_caseholder(
        &self,
        request: Request<ListSignalsAsCaseholderRequest>,
    ) -> Answer<ListSignalsAsCaseholderResponse> {
        query!(self, request, |work, m| {
            let page = Page::read(m.page_size, &m.page_token, PAGE)?;
            let client = ClientId::parse("client_id", &m.client_id)?;
            work.permit("client", Some(client), &[]).await?;
            let all = work.scope().everything;
            let rows = store::signal::of_client(work, client, all, page.text(0), page.limit + 1).await?;
            let safe = work.safe_contacts().await?;
            let shown = |signal: &_, version| views::signal_for_team(signal, version, &safe);
            let (signals, next_page_token) = views::signals(work, &page, rows, shown);
            Ok(ListSignalsAsCaseholderResponse { signals, next_page_token })
        })
    }

    async fn list_signals_as_self(
        &self,
        request: Request<ListSignalsAsSelfRequest>,
    ) -> Answer<ListSignalsAsSelfResponse> {
        query!(self, request, |work, m| {
            let page = Page::read(m.page_size, &m.page_token, PAGE)?;
            let client = match m.client_id.as_str() {
                "" => work.actor().client_id.ok_or_else(|| Work::unknown("client"))?,
                text => ClientId::parse("client_id", text)?,
            };
            work.permit("client", Some(client), &[]).await?;
            let rows = store::signal::of_client(work, client, true, page.text(0), page.limit + 1).await?;
            let (signals, next_page_token) =
                views::signals(work, &page, rows, |signal, _| views::signal_for_client(signal));
            Ok(ListSignalsAsSelfResponse { signals, next_page_token })
        })
    }
}

/// Takes a report in from whoever may report about that client. That somebody has nowhere to sleep is heard from
/// everybody who may say so, by whichever RPC (P6). What is told of a record that points to another of the same person is taken
/// in for that other one (P5, R-REG-26).
async fn receive(service: &Aftercare, work: &mut Work, report: Report) -> Result<()> {
    match report.kind {
        Kind::NowhereToSleep => work.permit_as(NOWHERE_TO_SLEEP, "client", Some(report.client_id), &[]).await?,
        _ => work.permit_merged_too("client", Some(report.client_id), &[]).await?,
    }
    let client_id = work.used_for(report.client_id).await?;
    work.touched(client_id);
    acts::signal::receive(service, work, Report { client_id, ..report }).await
}
