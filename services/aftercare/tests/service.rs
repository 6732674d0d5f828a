//! Aftercare over real gRPC, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use aftercare::Aftercare;
use jiff::civil::date;
use kernel::{ClientId, Date, Role, Uuid};
use prost::{Message, Name};
use proto::aftercare::v1::aftercare_service_client::AftercareServiceClient;
use proto::aftercare::v1::*;
use proto::{from_date, regie::v1 as regie};
use testkit::{Bench, Client, Code, actor, client_actor, reason, rid};
use tonic::Status;

const MONDAY: Date = date(2026, 3, 2);
const GIVER: &str = "leger";
const TEAM: &str = "wijkteam-west";
const OTHER_TEAM: &str = "wijkteam-oost";
const SECRET: &str = "slaapt slecht sinds dinsdag";

type Api = AftercareServiceClient<Client>;

/// A household on its way to a home, and everybody around it.
struct Chain<'a> {
    bench: &'a Bench<Aftercare>,
    client: ClientId,
    allocation: String,
}

fn api(bench: &Bench<Aftercare>, role: Role, organisation: &str, purpose: &str) -> Api {
    AftercareServiceClient::new(bench.as_(&actor(role, organisation), purpose))
}

fn day(date: Date) -> Option<proto::google::r#type::Date> {
    Some(from_date(date))
}

fn form() -> HandoverForm {
    HandoverForm {
        discussed_with_client_on: day(MONDAY),
        guidance_needed: SECRET.into(),
        wishes_and_strengths: "kookt graag".into(),
        agreements: "bewindvoerder tot juni".into(),
        day_activity: "fietsenwerkplaats".into(),
        network: "zus".into(),
        safety: String::new(),
        giver_contact: "Sjaan, 06".into(),
        first_meeting_on: day(date(2026, 3, 10)),
    }
}

fn plan(shared: &[SignalKind]) -> SignallingPlan {
    SignallingPlan {
        signs: vec![EarlySign { sign: "gordijnen dicht".into(), action: "bellen".into() }],
        what_helps: "wandelen".into(),
        who_to_call: "zus".into(),
        day_and_night_channel: "0800".into(),
        shared_money_kinds: shared.iter().map(|kind| (*kind).into()).collect(),
        agreed_on: day(MONDAY),
    }
}

impl<'a> Chain<'a> {
    async fn new(bench: &'a Bench<Aftercare>) -> Self {
        let client = ClientId(Uuid::new_v4());
        let opened = regie::CaseOpened {
            case_id: Uuid::now_v7().to_string(),
            client_id: client.to_string(),
            municipality: "0505".into(),
            ..Default::default()
        };
        bench.peer("regie").publish(Some(client), MONDAY, &opened).await;
        Chain { bench, client, allocation: Uuid::now_v7().to_string() }
    }

    fn as_(&self, role: Role, organisation: &str) -> Api {
        api(self.bench, role, organisation, "aftercare")
    }

    fn regie(&self) -> Api {
        api(self.bench, Role::SvcRegie, "svc-regie", "regie")
    }

    fn giver(&self) -> Api {
        self.as_(Role::Shelter, GIVER)
    }

    fn team(&self) -> Api {
        self.as_(Role::District, TEAM)
    }

    async fn relate(&self, role: Role, organisation: &str) -> regie::RelationGranted {
        let granted = regie::RelationGranted {
            relation_id: Uuid::now_v7().to_string(),
            client_id: self.client.to_string(),
            organisation: organisation.into(),
            role: role.to_string(),
            ..Default::default()
        };
        self.bench.peer("regie").publish(Some(self.client), MONDAY, &granted).await;
        granted
    }

    fn draft(&self) -> DraftHandoverRequest {
        DraftHandoverRequest {
            request_id: rid(),
            client_id: self.client.to_string(),
            allocation_id: self.allocation.clone(),
            from_organisation: GIVER.into(),
            to_organisation: TEAM.into(),
            municipality: "0505".into(),
            district: "WK050503".into(),
            move_on: day(date(2026, 3, 16)),
        }
    }

    async fn drafted(&self) -> DraftHandoverResponse {
        self.regie().draft_handover(self.draft()).await.unwrap().into_inner()
    }

    async fn filled(&self) -> FillHandoverResponse {
        let DraftHandoverResponse { handover_id, version, .. } = self.drafted().await;
        let fill =
            FillHandoverRequest { request_id: rid(), handover_id, expected_version: version, form: Some(form()) };
        self.giver().fill_handover(fill).await.unwrap().into_inner()
    }

    async fn accepted(&self) -> AcceptHandoverResponse {
        let FillHandoverResponse { handover_id, version, .. } = self.filled().await;
        let accept = AcceptHandoverRequest { request_id: rid(), handover_id, expected_version: version };
        self.team().accept_handover(accept).await.unwrap().into_inner()
    }

    fn start(&self) -> StartAftercareRequest {
        StartAftercareRequest { request_id: rid(), allocation_id: self.allocation.clone(), started_on: day(MONDAY) }
    }

    /// Aftercare since Monday, with the team.
    async fn landed(&self) -> StartAftercareResponse {
        self.accepted().await;
        self.regie().start_aftercare(self.start()).await.unwrap().into_inner()
    }

    fn report(&self, kind: SignalKind) -> RaiseSignalRequest {
        RaiseSignalRequest {
            request_id: rid(),
            client_id: self.client.to_string(),
            kind: kind.into(),
            text: SECRET.into(),
            ..Default::default()
        }
    }

    /// A neighbour's signal, as the team sees it.
    async fn signal(&self, kind: SignalKind) -> SignalForTeam {
        self.as_(Role::Informal, "buurt").raise_signal(self.report(kind)).await.unwrap();
        self.signals(Role::District, TEAM).await.remove(0)
    }

    async fn signals(&self, role: Role, organisation: &str) -> Vec<SignalForTeam> {
        let list = self.as_(role, organisation).list_signals(ListSignalsRequest::default()).await;
        list.unwrap().into_inner().signals
    }

    async fn take_up(&self, role: Role, organisation: &str, signal_id: &str) -> Result<TakeUpSignalResponse, Status> {
        let take_up = TakeUpSignalRequest { request_id: rid(), signal_id: signal_id.into(), expected_version: 0 };
        self.as_(role, organisation).take_up_signal(take_up).await.map(tonic::Response::into_inner)
    }

    /// The kinds of event that one caller gets from the feed.
    async fn feed(&self, role: Role, organisation: &str) -> Vec<String> {
        let events = self.bench.events_for(&actor(role, organisation), "aftercare").await;
        events.into_iter().map(|event| event.r#type.rsplit('.').next().unwrap().to_owned()).collect()
    }

    /// The events of one type on the feed.
    async fn payloads<E: Message + Name + Default>(&self) -> Vec<E> {
        let events = self.bench.events().await;
        events.into_iter().filter_map(|event| event.payload?.to_msg().ok()).collect()
    }
}

testkit::on_both_engines! {
    /// R-AFT-02, R-AFT-01
    async fn from_handover_to_a_landing(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let StartAftercareResponse { aftercare_id, version, .. } = chain.landed().await;
        let contact = RecordContactRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.clone(),
            expected_version: version,
            contact_on: day(MONDAY),
            result: ContactResult::Held.into(),
            form: ContactForm::Visit.into(),
        };
        let recorded = chain.team().record_contact(contact).await.unwrap().into_inner();
        let list = chain.team().list_aftercare(ListAftercareRequest::default()).await.unwrap().into_inner().aftercare;
        assert_eq!(list[0].next_contact_on, day(date(2026, 3, 9)));
        let end = EndAftercareRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.clone(),
            expected_version: recorded.version,
            outcome: AftercareOutcome::Agreement.into(),
            agreed_with_client_on: day(MONDAY),
            ..Default::default()
        };
        chain.team().end_aftercare(end).await.unwrap();
        assert_eq!(
            bench.event_names().await,
            ["HandoverDrafted", "HandoverFilled", "HandoverAccepted", "AftercareStarted", "ContactHeld", "AftercareEnded"]
        );
        // It is over: the team hears nothing more of this client, and the municipality does.
        chain.as_(Role::Informal, "buurt").raise_signal(chain.report(SignalKind::Nuisance)).await.unwrap();
        assert!(chain.signals(Role::District, TEAM).await.is_empty());
        let get = GetAftercareRequest { aftercare_id };
        let seen = chain.team().get_aftercare(get).await.unwrap().into_inner();
        assert_eq!(seen.aftercare.unwrap().outcome(), AftercareOutcome::Agreement);
        assert_eq!(seen.contacts.len(), 1);
    }

    /// P3
    async fn an_allocation_gets_one_handover_and_one_aftercare(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let drafts = (0..8).map(|_| {
            let (mut api, draft) = (chain.regie(), chain.draft());
            tokio::spawn(async move { api.draft_handover(draft).await.unwrap().into_inner().handover_id })
        });
        let mut ids = Vec::new();
        for draft in drafts.collect::<Vec<_>>() {
            ids.push(draft.await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let elsewhere = DraftHandoverRequest { from_organisation: "lister".into(), ..chain.draft() };
        assert_eq!(reason(&chain.regie().draft_handover(elsewhere).await.unwrap_err()), "HANDOVER_EXISTS");

        let first = chain.regie().start_aftercare(chain.start()).await.unwrap().into_inner();
        let again = chain.regie().start_aftercare(chain.start()).await.unwrap().into_inner();
        assert_eq!(first.aftercare_id, again.aftercare_id);
        assert_eq!(bench.event_names().await, ["HandoverDrafted", "AftercareStarted"]);
    }

    /// R-REG-26, P5, P6: what is told of a record that points to another is heard for the one that is used, and told to whoever
    /// cares for that one; what was told before can still be taken up.
    async fn what_is_told_of_a_record_that_points_to_another_is_heard_for_the_one_that_is_used(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let (chain, kept) = (Chain::new(&bench).await, Chain::new(&bench).await);
        chain.relate(Role::Shelter, GIVER).await;
        chain.as_(Role::Police, "politie").raise_signal(chain.report(SignalKind::Nuisance)).await.unwrap();
        let merged = regie::ClientsMerged {
            merge_id: rid(),
            client_id: chain.client.to_string(),
            kept_client_id: kept.client.to_string(),
        };
        bench.peer("regie").publish(Some(chain.client), MONDAY, &merged).await;
        let mut police = chain.as_(Role::Police, "politie");
        police.raise_signal(chain.report(SignalKind::NowhereToSleep)).await.unwrap();
        police.raise_signal(chain.report(SignalKind::Nuisance)).await.unwrap();
        let about = chain.bench.events().await;
        let about = |kind: &str| {
            let of_kind = about.iter().filter(|event| event.r#type.ends_with(kind));
            of_kind.map(|event| event.client_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(about("nowhere-to-sleep-reported"), [kept.client.to_string()]);
        let received = about("signal-received");
        assert_eq!(received.first(), Some(&chain.client.to_string()));
        assert_eq!(received.last(), Some(&kept.client.to_string()));
        let plan = AgreeSignallingPlanRequest {
            request_id: rid(),
            client_id: chain.client.to_string(),
            expected_version: 0,
            plan: Some(plan(&[])),
        };
        assert_eq!(reason(&chain.giver().agree_signalling_plan(plan).await.unwrap_err()), "CLIENT_NOT_IN_USE");
    }

    /// P6
    async fn nowhere_to_sleep_is_heard_from_everybody_by_whichever_call(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let strangers = [
            (Role::Shelter, "lister"), (Role::District, "wijkteam-oost"), (Role::Corporation, "woonbron"),
            (Role::Caseholder, "lister"), (Role::PeerMuni, "gemeente-zwijndrecht"), (Role::Regie, "gemeente-dordrecht"),
        ];
        for (role, organisation) in strangers {
            let report = chain.report(SignalKind::NowhereToSleep);
            chain.as_(role, organisation).raise_signal(report).await.unwrap();
        }
        assert_eq!(chain.payloads::<NowhereToSleepReported>().await.len(), 1);
        assert_eq!(chain.payloads::<NowhereToSleepRepeated>().await.len(), strangers.len() - 1);
        // Anything else still asks a relation, and a client speaks for nobody else.
        let other = chain.report(SignalKind::Nuisance);
        let status = chain.as_(Role::Shelter, "lister").raise_signal(other).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let mut stranger = AftercareServiceClient::new(bench.as_(&client_actor(ClientId(Uuid::new_v4())), "own-file"));
        let status = stranger.raise_signal(chain.report(SignalKind::NowhereToSleep)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }

    /// R-AFT-05
    async fn the_municipality_signals_about_anybody_and_another_one_about_its_own(
        bench: Bench<Aftercare> = Aftercare::embedded()
    ) {
        let chain = Chain::new(&bench).await;
        let report = || chain.report(SignalKind::Neglect);
        chain.as_(Role::Regie, "gemeente-dordrecht").raise_signal(report()).await.unwrap();
        let mut peer = chain.as_(Role::PeerMuni, "gemeente-zwijndrecht");
        assert_eq!(peer.raise_signal(report()).await.unwrap_err().code(), Code::NotFound);
        chain.relate(Role::PeerMuni, "gemeente-zwijndrecht").await;
        bench.settled().await;
        peer.raise_signal(report()).await.unwrap();
    }

    /// P3
    async fn the_same_call_twice_is_one_call(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        let report = chain.report(SignalKind::Neglect);
        let mut neighbour = chain.as_(Role::Informal, "buurt");
        let first = neighbour.raise_signal(report.clone()).await.unwrap().into_inner();
        bench.on(date(2026, 3, 3)).await;
        assert_eq!(neighbour.raise_signal(report.clone()).await.unwrap().into_inner(), first);
        assert_eq!(chain.signals(Role::District, TEAM).await.len(), 1);
        let other = RaiseSignalRequest { text: "iets anders".into(), ..report };
        assert_eq!(reason(&neighbour.raise_signal(other).await.unwrap_err()), "REQUEST_ID_REUSED");
    }

    /// R-AFT-02
    async fn an_incomplete_form_names_every_missing_field(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let DraftHandoverResponse { handover_id, version, .. } = chain.drafted().await;
        let fill = FillHandoverRequest { request_id: rid(), handover_id, expected_version: version, form: None };
        let refused = chain.giver().fill_handover(fill).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "HANDOVER_INCOMPLETE"));
        assert!(refused.message().contains("form.network"), "{}", refused.message());
    }

    /// R-AFT-02, P7
    async fn silence_goes_to_the_municipality_which_assigns(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let FillHandoverResponse { handover_id, .. } = chain.filled().await;
        bench.on(date(2026, 3, 3)).await;
        bench.on(date(2026, 3, 5)).await;
        assert_eq!(bench.event_names().await[2..], ["HandoverDueSoon", "HandoverOverdue"]);
        let get = GetHandoverRequest { handover_id: handover_id.clone() };
        let seen = chain.giver().get_handover(get.clone()).await.unwrap().into_inner().handover.unwrap();
        assert_eq!((seen.overdue, seen.responsible_organisation.as_str()), (true, GIVER));

        let assign = AssignHandoverRequest {
            request_id: rid(),
            handover_id: handover_id.clone(),
            expected_version: seen.version,
            to_organisation: OTHER_TEAM.into(),
        };
        let mut municipality = api(&bench, Role::Regie, "gemeente", "regie");
        let assigned = municipality.assign_handover(assign).await.unwrap().into_inner();
        assert_eq!(chain.team().get_handover(get).await.unwrap_err().code(), Code::NotFound);
        let mut other = chain.as_(Role::District, OTHER_TEAM);
        let back = ReturnHandoverRequest {
            request_id: rid(),
            handover_id: handover_id.clone(),
            expected_version: assigned.version,
            reason: HandoverReturnReason::NoRoom.into(),
            note: String::new(),
        };
        assert_eq!(reason(&other.return_handover(back).await.unwrap_err()), "HANDOVER_ASSIGNED");
        let accept = AcceptHandoverRequest { request_id: rid(), handover_id, expected_version: assigned.version };
        other.accept_handover(accept).await.unwrap();
    }

    /// R-AFT-02
    async fn a_returned_handover_comes_back_with_a_note(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let FillHandoverResponse { handover_id, version, .. } = chain.filled().await;
        let back = ReturnHandoverRequest {
            request_id: rid(),
            handover_id: handover_id.clone(),
            expected_version: version,
            reason: HandoverReturnReason::Unclear.into(),
            note: "wie is de zus?".into(),
        };
        let returned = chain.team().return_handover(back).await.unwrap().into_inner();
        let get = GetHandoverRequest { handover_id: handover_id.clone() };
        let seen = chain.giver().get_handover(get).await.unwrap().into_inner();
        assert_eq!(seen.return_note, "wie is de zus?");
        assert_eq!(seen.form.unwrap().guidance_needed, SECRET);
        let refill = |seen| {
            FillHandoverRequest { request_id: rid(), handover_id: handover_id.clone(), expected_version: seen, form: Some(form()) }
        };
        assert_eq!(reason(&chain.giver().fill_handover(refill(version)).await.unwrap_err()), "STALE_VERSION");
        chain.giver().fill_handover(refill(returned.version)).await.unwrap();
        assert_eq!(bench.event_names().await[2..], ["HandoverReturned", "HandoverFilled"]);
    }

    /// P4
    async fn a_fallen_allocation_takes_its_handover_along_once(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let cancel = || CancelHandoverRequest { request_id: rid(), allocation_id: chain.allocation.clone() };
        let before = chain.regie().cancel_handover(cancel()).await.unwrap().into_inner();
        assert_eq!((before.handover_id.as_str(), before.state()), ("", HandoverState::Cancelled));
        chain.accepted().await;
        for _ in 0..2 {
            let cancelled = chain.regie().cancel_handover(cancel()).await.unwrap().into_inner();
            assert_eq!(cancelled.state(), HandoverState::Cancelled);
        }
        assert_eq!(bench.event_names().await[3..], ["HandoverCancelled"]);
        assert_eq!(reason(&chain.regie().start_aftercare(chain.start()).await.unwrap_err()), "AFTERCARE_WITHOUT_HANDOVER");
        assert_eq!(reason(&chain.regie().draft_handover(chain.draft()).await.unwrap_err()), "HANDOVER_CANCELLED");
        // The team has nothing to do with the client any more.
        let get = GetSignallingPlanRequest { client_id: chain.client.to_string() };
        assert_eq!(chain.team().get_signalling_plan(get).await.unwrap_err().code(), Code::NotFound);
    }

    /// P8
    async fn who_has_nothing_to_do_with_it_hears_nothing(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let DraftHandoverResponse { handover_id, version, .. } = chain.drafted().await;
        let mut stranger = chain.as_(Role::Shelter, "lister");
        let fill = FillHandoverRequest {
            request_id: rid(),
            handover_id: handover_id.clone(),
            expected_version: version,
            form: Some(form()),
        };
        let hidden = stranger.fill_handover(fill.clone()).await.unwrap_err();
        let unknown = FillHandoverRequest { handover_id: Uuid::now_v7().to_string(), ..fill.clone() };
        let nothing = stranger.fill_handover(unknown).await.unwrap_err();
        assert_eq!((hidden.code(), hidden.message()), (Code::NotFound, nothing.message()));
        let by_a_team = chain.team().fill_handover(fill).await.unwrap_err();
        assert_eq!(by_a_team.code(), Code::PermissionDenied);
        let get = GetHandoverRequest { handover_id };
        let by_a_corporation = chain.as_(Role::Corporation, "woonbron").get_handover(get).await.unwrap_err();
        assert_eq!(by_a_corporation.code(), Code::PermissionDenied);
        let signals = chain.signals(Role::District, OTHER_TEAM).await;
        assert!(signals.is_empty());
        let listed = stranger.list_handovers(ListHandoversRequest::default()).await.unwrap().into_inner();
        assert!(listed.handovers.is_empty());
    }

    /// P5, R-AFT-05
    async fn a_signal_reaches_the_responsible_teams_also_after_a_week_and_nobody_else(
        bench: Bench<Aftercare> = Aftercare::embedded()
    ) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        chain.relate(Role::District, "fact").await;
        let subscribe = SubscribeTeamRequest { request_id: rid(), client_id: chain.client.to_string() };
        chain.as_(Role::District, "fact").subscribe_team(subscribe).await.unwrap();
        let first = chain.signal(SignalKind::Neglect).await;
        let unsubscribe = UnsubscribeTeamRequest { request_id: rid(), client_id: chain.client.to_string() };
        chain.as_(Role::District, "fact").unsubscribe_team(unsubscribe).await.unwrap();
        chain.signal(SignalKind::Nuisance).await;
        bench.on(date(2026, 3, 9)).await;

        let received = |feed: Vec<String>| feed.iter().filter(|kind| *kind == "signal-received").count();
        assert_eq!(received(chain.feed(Role::District, TEAM).await), 2);
        assert_eq!(received(chain.feed(Role::District, "fact").await), 1, "the teams are fixed at receipt");
        assert!(chain.feed(Role::District, OTHER_TEAM).await.is_empty());
        assert_eq!(received(chain.feed(Role::Shelter, GIVER).await), 0, "the giver handed over");
        assert_eq!(first.teams, ["fact", TEAM]);
        assert!(first.unverified);
    }

    /// R-AFT-05
    async fn a_reporter_learns_only_that_it_was_received(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        let mut neighbour = chain.as_(Role::Informal, "buurt");
        let known = neighbour.raise_signal(chain.report(SignalKind::Other)).await.unwrap().into_inner();
        let nobody = RaiseSignalRequest { client_id: Uuid::new_v4().to_string(), ..chain.report(SignalKind::Other) };
        let unknown = neighbour.raise_signal(nobody).await.unwrap().into_inner();
        assert_eq!(known, unknown, "the same words for a client that nobody knows");
        let signal_id = chain.signals(Role::District, TEAM).await.remove(0).signal_id;
        let get = neighbour.get_signal(GetSignalRequest { signal_id }).await.unwrap_err();
        assert_eq!(get.code(), Code::PermissionDenied);
        // A partner with clients of its own signals about those.
        let mut corporation = chain.as_(Role::Corporation, "woonbron");
        let stranger = corporation.raise_signal(chain.report(SignalKind::MissedRent)).await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
        chain.relate(Role::Corporation, "woonbron").await;
        corporation.raise_signal(chain.report(SignalKind::EvictionNotice)).await.unwrap();
    }

    /// R-AFT-05, R-AFT-17
    async fn facts_about_money_go_where_the_client_chose(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        for (role, organisation) in [(Role::Income, "sociale-dienst"), (Role::Debt, "stadsgeld")] {
            chain.relate(role, organisation).await;
        }
        let mut income = api(&bench, Role::Income, "sociale-dienst", "income");
        income.raise_signal(chain.report(SignalKind::BenefitStopped)).await.unwrap();
        assert!(chain.signals(Role::District, TEAM).await.is_empty());
        let for_debt_help = chain.signals(Role::Debt, "stadsgeld").await.remove(0);
        assert_eq!(for_debt_help.teams, ["stadsgeld"]);
        let get = GetSignalRequest { signal_id: for_debt_help.signal_id.clone() };
        assert_eq!(chain.team().get_signal(get).await.unwrap_err().code(), Code::NotFound);

        let agree = AgreeSignallingPlanRequest {
            request_id: rid(),
            client_id: chain.client.to_string(),
            expected_version: 0,
            plan: Some(plan(&[SignalKind::BenefitStopped])),
        };
        let mut own = AftercareServiceClient::new(bench.as_(&client_actor(chain.client), "own-file"));
        own.agree_signalling_plan(agree).await.unwrap();
        income.raise_signal(chain.report(SignalKind::BenefitStopped)).await.unwrap();
        assert_eq!(chain.signals(Role::District, TEAM).await[0].teams, ["stadsgeld", TEAM]);
        let mine = own.list_signals_as_self(ListSignalsAsSelfRequest::default()).await.unwrap().into_inner();
        assert_eq!(mine.signals.len(), 2, "the client reads all of the own file");
        let received: Vec<SignalReceived> = chain.payloads().await;
        assert_eq!(received.iter().map(|one| one.debt_help_only).collect::<Vec<_>>(), [true, false]);
    }

    /// R-AFT-06, P5
    async fn what_nobody_takes_up_is_escalated_and_taking_up_stops_it(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        let forgotten = chain.signal(SignalKind::Nuisance).await;
        let seen = chain.signal(SignalKind::Neglect).await;
        assert_eq!(forgotten.answer_by, day(date(2026, 3, 5)));
        chain.take_up(Role::District, TEAM, &seen.signal_id).await.unwrap();
        assert_eq!(chain.take_up(Role::District, OTHER_TEAM, &seen.signal_id).await.unwrap_err().code(), Code::NotFound);
        bench.on(date(2026, 3, 6)).await;
        bench.on(date(2026, 3, 7)).await;
        let escalated: Vec<SignalEscalated> = chain.payloads().await;
        let steps: Vec<_> = escalated.iter().map(|one| (one.signal_id.as_str(), one.to())).collect();
        let id = forgotten.signal_id.as_str();
        assert_eq!(steps, [(id, EscalationLevel::Caseholder), (id, EscalationLevel::Regie)]);

        let taken = chain.take_up(Role::Regie, "gemeente", id).await.unwrap();
        let close = |heard| CloseSignalRequest {
            request_id: rid(),
            signal_id: id.into(),
            expected_version: taken.version,
            outcome: SignalOutcome::Solved.into(),
            client_heard_on: heard,
            note: "koffie gedronken".into(),
        };
        let mut municipality = api(&bench, Role::Regie, "gemeente", "regie");
        assert_eq!(reason(&municipality.close_signal(close(None)).await.unwrap_err()), "SIGNAL_CLIENT_NOT_HEARD");
        municipality.close_signal(close(day(MONDAY))).await.unwrap();
        let closed = chain.team().get_signal(GetSignalRequest { signal_id: id.into() }).await.unwrap().into_inner();
        assert_eq!((closed.text.as_str(), closed.closing_note.as_str()), (SECRET, "koffie gedronken"));
        assert_eq!(closed.signal.unwrap().taken_up_by, "gemeente");
        // An unverified signal is kept briefly.
        bench.on(date(2026, 4, 30)).await;
        let later = chain.team().get_signal(GetSignalRequest { signal_id: id.into() }).await.unwrap().into_inner();
        assert_eq!((later.text.as_str(), later.signal.unwrap().reported_by.as_str()), ("", ""));
    }

    /// R-AFT-07
    async fn two_missed_contacts_make_a_signal_also_when_nobody_records_them(
        bench: Bench<Aftercare> = Aftercare::embedded()
    ) {
        let chain = Chain::new(&bench).await;
        let StartAftercareResponse { aftercare_id, version, .. } = chain.landed().await;
        bench.on(date(2026, 3, 4)).await;
        let missed = RecordContactRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.clone(),
            expected_version: version,
            contact_on: day(date(2026, 3, 4)),
            result: ContactResult::Missed.into(),
            form: ContactForm::Call.into(),
        };
        chain.team().record_contact(missed).await.unwrap();
        assert!(chain.signals(Role::District, TEAM).await.is_empty());
        bench.on(date(2026, 3, 15)).await;
        let signal = chain.signals(Role::District, TEAM).await.remove(0);
        assert_eq!((signal.kind(), signal.unverified, signal.reported_by.as_str()), (SignalKind::ContactLost, false, ""));
        let seen = chain.team().get_aftercare(GetAftercareRequest { aftercare_id }).await.unwrap().into_inner();
        let by: Vec<_> = seen.contacts.iter().map(|contact| contact.organisation.as_str()).collect();
        assert_eq!(by, ["", TEAM]);
        assert_eq!(seen.aftercare.unwrap().missed_in_a_row, 2);
    }

    /// R-AFT-07
    async fn the_second_missed_contact_that_a_team_records_is_a_signal_by_itself(
        bench: Bench<Aftercare> = Aftercare::embedded()
    ) {
        let chain = Chain::new(&bench).await;
        let StartAftercareResponse { aftercare_id, mut version, .. } = chain.landed().await;
        for on in [date(2026, 3, 4), date(2026, 3, 6)] {
            assert!(chain.signals(Role::District, TEAM).await.is_empty());
            bench.on(on).await;
            let missed = RecordContactRequest {
                request_id: rid(),
                aftercare_id: aftercare_id.clone(),
                expected_version: version,
                contact_on: day(on),
                result: ContactResult::Missed.into(),
                form: ContactForm::Visit.into(),
            };
            version = chain.team().record_contact(missed).await.unwrap().into_inner().version;
        }
        let signal = chain.signals(Role::District, TEAM).await.remove(0);
        assert_eq!((signal.kind(), signal.unverified, signal.reported_by.as_str()), (SignalKind::ContactLost, false, ""));
    }

    /// P6, R-AFT-10
    async fn nowhere_to_sleep_is_told_at_once_whoever_reports_it(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        let report = |municipality: &str, client: ClientId| ReportNowhereToSleepRequest {
            request_id: rid(),
            client_id: client.to_string(),
            municipality: municipality.into(),
            text: "bij het station".into(),
        };
        let mut police = api(&bench, Role::Police, "politie", "crisis");
        police.report_nowhere_to_sleep(report("", chain.client)).await.unwrap();
        police.report_nowhere_to_sleep(report("", chain.client)).await.unwrap();
        let stranger = ClientId(Uuid::new_v4());
        police.report_nowhere_to_sleep(report("0642", stranger)).await.unwrap();

        let told: Vec<NowhereToSleepReported> = chain.payloads().await;
        let seen: Vec<_> = told.iter().map(|one| (one.municipality.as_str(), one.in_aftercare)).collect();
        assert_eq!(seen, [("0505", true), ("0642", false)]);
        let repeated: Vec<NowhereToSleepRepeated> = chain.payloads().await;
        assert_eq!((repeated.len(), repeated[0].count), (1, 2));
        let signal = chain.signals(Role::District, TEAM).await.remove(0);
        assert_eq!((signal.severity(), &signal.signal_id), (SignalSeverity::Crisis, &told[0].signal_id));
        let escalated: Vec<SignalEscalated> = chain.payloads().await;
        assert!(escalated.iter().all(|one| one.without_team && one.to() == EscalationLevel::Regie), "{escalated:?}");

        let invoke = InvokeRelapseGuaranteeRequest { request_id: rid(), signal_id: signal.signal_id };
        let refused = chain.team().invoke_relapse_guarantee(invoke).await.unwrap_err();
        assert_eq!(reason(&refused), "RELAPSE_GUARANTEE_OFF");
        bench.on(date(2026, 3, 3)).await;
        police.report_nowhere_to_sleep(report("", chain.client)).await.unwrap();
        let told: Vec<NowhereToSleepReported> = chain.payloads().await;
        assert_eq!(told.len(), 3, "another night is another report");
    }

    /// P6
    async fn reports_of_one_night_that_race_are_one_signal(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let calls: Vec<_> = (0..6).map(|_| {
            let mut police = api(&bench, Role::Police, "politie", "crisis");
            let client_id = chain.client.to_string();
            let report = ReportNowhereToSleepRequest { request_id: rid(), client_id, ..Default::default() };
            tokio::spawn(async move { police.report_nowhere_to_sleep(report).await.unwrap() })
        }).collect();
        for call in calls {
            call.await.unwrap();
        }
        let told: Vec<NowhereToSleepReported> = chain.payloads().await;
        let repeated: Vec<NowhereToSleepRepeated> = chain.payloads().await;
        assert_eq!((told.len(), repeated.len()), (1, 5));
    }

    /// R-AFT-10
    async fn where_the_guarantee_is_on_a_relapse_needs_no_new_procedure(
        bench: Bench<Aftercare> = Aftercare::with_policy(
            &aftercare::domain::DEFAULT_POLICY.replace("relapse_guarantee = false", "relapse_guarantee = true")
        ).unwrap()
    ) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        let mut own = AftercareServiceClient::new(bench.as_(&client_actor(chain.client), "crisis"));
        let report = ReportNowhereToSleepRequest {
            request_id: rid(),
            client_id: chain.client.to_string(),
            ..Default::default()
        };
        own.report_nowhere_to_sleep(report).await.unwrap();
        let told: Vec<NowhereToSleepReported> = chain.payloads().await;
        assert!(told[0].relapse_guarantee);
        for _ in 0..2 {
            let invoke = InvokeRelapseGuaranteeRequest { request_id: rid(), signal_id: told[0].signal_id.clone() };
            chain.regie().invoke_relapse_guarantee(invoke).await.unwrap();
        }
        let invoked: Vec<RelapseGuaranteeInvoked> = chain.payloads().await;
        assert_eq!(invoked.len(), 1);
    }

    /// R-AFT-18, R-REG-29
    async fn aftercare_ends_by_who_may_and_death_stops_everything(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let StartAftercareResponse { aftercare_id, version, .. } = chain.landed().await;
        let signal = chain.signal(SignalKind::Neglect).await;
        let end = |outcome: AftercareOutcome| EndAftercareRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.clone(),
            expected_version: version,
            outcome: outcome.into(),
            agreed_with_client_on: day(MONDAY),
            ..Default::default()
        };
        let by_team = chain.team().end_aftercare(end(AftercareOutcome::Agreement)).await.unwrap_err();
        assert_eq!(reason(&by_team), "AFTERCARE_SIGNAL_OPEN");
        let by_team = chain.team().end_aftercare(end(AftercareOutcome::Died)).await.unwrap_err();
        assert_eq!(reason(&by_team), "AFTERCARE_REGIE_DECIDES");
        for _ in 0..2 {
            let died = EndAftercareRequest {
                request_id: rid(),
                aftercare_id: String::new(),
                allocation_id: chain.allocation.clone(),
                expected_version: 0,
                outcome: AftercareOutcome::Died.into(),
                agreed_with_client_on: None,
            };
            let ended = chain.regie().end_aftercare(died).await.unwrap().into_inner();
            assert_eq!(ended.state(), AftercareState::Ended);
        }
        let elsewhere = EndAftercareRequest {
            request_id: rid(),
            allocation_id: Uuid::now_v7().to_string(),
            outcome: AftercareOutcome::Died.into(),
            ..Default::default()
        };
        chain.regie().end_aftercare(elsewhere).await.unwrap();
        let closed: Vec<SignalClosed> = chain.payloads().await;
        assert_eq!((closed.len(), closed[0].signal_id.as_str()), (1, signal.signal_id.as_str()));
        bench.on(date(2027, 4, 1)).await;
        let ended: Vec<AftercareEnded> = chain.payloads().await;
        assert_eq!(ended.len(), 1);
        assert_eq!(bench.event_names().await.last().map(String::as_str), Some("SignalClosed"), "nothing wakes any more");
    }

    /// P7
    async fn an_undecided_end_of_aftercare_is_put_forward(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        bench.on(date(2027, 2, 16)).await;
        let due: Vec<AftercareReviewDue> = chain.payloads().await;
        assert_eq!(due.last().map(|one| (one.last, one.due_on)), Some((true, day(date(2027, 3, 2)))));
    }

    /// P5, P7
    async fn a_restart_forgets_nothing(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let mut bench = bench;
        let (client, allocation, signal_id) = {
            let chain = Chain::new(&bench).await;
            chain.landed().await;
            let signal = chain.signal(SignalKind::Nuisance).await;
            (chain.client, chain.allocation.clone(), signal.signal_id)
        };
        bench.restart().await;
        let chain = Chain { bench: &bench, client, allocation };
        bench.on(date(2026, 3, 6)).await;
        let escalated: Vec<SignalEscalated> = chain.payloads().await;
        assert_eq!(escalated[0].signal_id, signal_id);
        assert_eq!(chain.drafted_again().await, HandoverState::Accepted);
    }

    /// R-AFT-05
    async fn free_text_is_sealed_in_the_database_and_in_no_event(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        chain.signal(SignalKind::Neglect).await;
        for event in bench.events().await {
            let payload = event.payload.unwrap().value;
            assert!(!String::from_utf8_lossy(&payload).contains(SECRET), "{}", event.r#type);
        }
        if let Some(path) = bench.database().strip_prefix("sqlite:") {
            for file in [path.to_owned(), format!("{path}-wal")] {
                let bytes = std::fs::read(file).unwrap_or_default();
                assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
            }
        }
    }

    /// R-REG-21, R-REG-27
    async fn the_client_reads_the_own_file_and_nobody_elses(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let AcceptHandoverResponse { handover_id, .. } = chain.accepted().await;
        let own = |client| AftercareServiceClient::new(bench.as_(&client_actor(client), "own-file"));
        let get = GetHandoverRequest { handover_id };
        own(chain.client).get_handover(get.clone()).await.unwrap();
        let other = own(ClientId(Uuid::new_v4())).get_handover(get).await.unwrap_err();
        assert_eq!(other.code(), Code::NotFound);
        chain.signal(SignalKind::Nuisance).await;
        let mine = own(chain.client).list_signals_as_self(ListSignalsAsSelfRequest::default()).await.unwrap().into_inner();
        assert_eq!((mine.signals.len(), mine.signals[0].unverified), (1, true));
    }

    async fn malformed_requests_name_their_field(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        let mut neighbour = chain.as_(Role::Informal, "buurt");
        let report = || chain.report(SignalKind::Other);
        for (request, field) in [
            (RaiseSignalRequest { client_id: "x".into(), ..report() }, "client_id"),
            (RaiseSignalRequest { kind: 0, ..report() }, "kind"),
            (RaiseSignalRequest { kind: 999, ..report() }, "kind"),
            (RaiseSignalRequest { severity: -1, ..report() }, "severity"),
            (RaiseSignalRequest { text: "x".repeat(4_001), ..report() }, "text"),
        ] {
            let refused = neighbour.raise_signal(request).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert!(refused.message().contains(field), "{field}: {}", refused.message());
        }
        let absurd = DraftHandoverRequest {
            move_on: Some(proto::google::r#type::Date { year: 2026, month: 2, day: 30 }),
            ..chain.draft()
        };
        assert!(chain.regie().draft_handover(absurd).await.unwrap_err().message().contains("move_on"));
        let list = ListSignalsRequest { page_token: "no".into(), ..Default::default() };
        assert_eq!(reason(&chain.team().list_signals(list).await.unwrap_err()), "PAGE_TOKEN_INVALID");
    }

    async fn lists_go_on_where_the_page_before_ended(bench: Bench<Aftercare> = Aftercare::embedded()) {
        let chain = Chain::new(&bench).await;
        chain.landed().await;
        for _ in 0..5 {
            chain.signal(SignalKind::Other).await;
        }
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let list = ListSignalsRequest { page_size: 2, page_token, state: SignalState::Open.into() };
            let page = chain.team().list_signals(list).await.unwrap().into_inner();
            seen.extend(page.signals.into_iter().map(|signal| signal.signal_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen.len(), 5);
        assert!(seen.is_sorted_by(|newer, older| newer > older));
    }
}

impl Chain<'_> {
    /// Drafting once more finds the handover that there is, as it is.
    async fn drafted_again(&self) -> HandoverState {
        self.drafted().await.state()
    }
}
