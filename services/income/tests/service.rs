//! Income over real gRPC, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use income::Income;
use kernel::{Actor, ClientId, Date, Role, Uuid};
use proto::feed::v1::Event;
use proto::from_date;
use proto::income::v1::income_service_client::IncomeServiceClient;
use proto::income::v1::*;
use proto::regie::v1::{RelationEnded, RelationGranted, RelationKind};
use testkit::{Bench, Client, Code, actor, client_actor, reason, rid};

type Api = IncomeServiceClient<Client>;

/// Where the clock stands when a test begins.
const TODAY: Date = Date::constant(2026, 3, 2);
const LEASE: Date = Date::constant(2026, 4, 1);

fn client() -> ClientId {
    ClientId(Uuid::from_u128(7))
}

fn allocation(n: u128) -> String {
    Uuid::from_u128(1_000 + n).to_string()
}

/// Who calls, with the purpose that goes with it.
struct Callers {
    regie: Api,
    officer: Api,
    stranger: Api,
    corporation: Api,
    person: Api,
}

fn officer() -> Actor {
    actor(Role::Income, "sociale-dienst")
}

fn callers(bench: &Bench<Income>) -> Callers {
    let api = |actor: &Actor, purpose| IncomeServiceClient::new(bench.as_(actor, purpose));
    Callers {
        regie: api(&actor(Role::SvcRegie, "svc-regie"), "regie"),
        officer: api(&officer(), "income"),
        stranger: api(&actor(Role::Income, "ferm-werk"), "income"),
        corporation: api(&actor(Role::Corporation, "trivire"), "housing"),
        person: api(&client_actor(client()), "own-file"),
    }
}

fn report(client: ClientId) -> ReportForBenefitRequest {
    ReportForBenefitRequest {
        request_id: rid(),
        client_id: client.to_string(),
        municipality: "0505".into(),
        reported_on: Some(from_date(TODAY)),
        circumstances: Some(Circumstances { age: 40, ..Default::default() }),
        ..Default::default()
    }
}

fn complete(n: u128) -> CompleteBenefitRequestRequest {
    CompleteBenefitRequestRequest {
        request_id: rid(),
        client_id: client().to_string(),
        allocation_id: allocation(n),
        lease_start_on: Some(from_date(LEASE)),
        municipality: "0505".into(),
        rent_cents: 60_000,
    }
}

fn withdraw_start(n: u128) -> WithdrawBenefitStartRequest {
    let (request_id, client_id) = (rid(), client().to_string());
    WithdrawBenefitStartRequest { request_id, client_id, allocation_id: allocation(n) }
}

fn submit(id: &str, version: i64) -> SubmitBenefitApplicationRequest {
    SubmitBenefitApplicationRequest {
        request_id: rid(),
        benefit_request_id: id.into(),
        expected_version: version,
        signed_by: Signatory::Client.into(),
        signed_on: Some(from_date(TODAY)),
    }
}

fn decide(id: &str, version: i64, decision: decide_benefit_request::Decision) -> DecideBenefitRequest {
    let decision = Some(decision);
    DecideBenefitRequest { request_id: rid(), benefit_request_id: id.into(), expected_version: version, decision }
}

fn grant_from(day: Date) -> decide_benefit_request::Decision {
    decide_benefit_request::Decision::Grant(BenefitGrant { start_on: Some(from_date(day)), ..Default::default() })
}

fn guarantee(n: u128) -> RequestRentGuaranteeRequest {
    RequestRentGuaranteeRequest {
        request_id: rid(),
        client_id: client().to_string(),
        allocation_id: allocation(n),
        corporation: "trivire".into(),
        municipality: "0505".into(),
        lease_start_on: Some(from_date(LEASE)),
        rent_cents: 60_000,
    }
}

async fn get(api: &mut Api, id: &str) -> BenefitRequest {
    let request = GetBenefitRequestRequest { benefit_request_id: id.into() };
    api.get_benefit_request(request).await.unwrap().into_inner().benefit_request.unwrap()
}

/// The last event of a type that a caller gets.
fn last<E: prost::Message + prost::Name + Default>(events: &[Event]) -> Option<E> {
    events.iter().rev().find_map(|event| event.payload.as_ref().and_then(|payload| payload.to_msg().ok()))
}

fn relation(organisation: &str, role: &str, kind: RelationKind) -> RelationGranted {
    RelationGranted {
        relation_id: Uuid::now_v7().to_string(),
        client_id: client().to_string(),
        organisation: organisation.into(),
        person: String::new(),
        role: role.into(),
        kind: kind.into(),
        until: None,
    }
}

testkit::on_both_engines! {
    /// P2, R-INC-01, R-INC-03, R-INC-11, R-INC-25
    async fn benefit_is_there_from_the_first_day_of_the_lease(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, mut person, .. } = callers(&bench);
        let reported = officer.report_for_benefit(report(client())).await.unwrap().into_inner();
        assert_eq!((reported.version, reported.state()), (1, BenefitRequestState::Reported));
        let id = reported.benefit_request_id;
        let (request_id, client_id) = (rid(), client().to_string());
        let prepare = PrepareBenefitRequestRequest { request_id, client_id, municipality: "0505".into() };
        let prepared = regie.prepare_benefit_request(prepare).await.unwrap().into_inner();
        assert_eq!((&prepared.benefit_request_id, prepared.state()), (&id, BenefitRequestState::Prepared));
        let completed = regie.complete_benefit_request(complete(1)).await.unwrap().into_inner();
        assert_eq!((&completed.benefit_request_id, completed.start_on), (&id, Some(from_date(LEASE))));
        let signed = person.submit_benefit_application(submit(&id, completed.version)).await.unwrap().into_inner();
        let acknowledge = AcknowledgeBenefitRequestRequest {
            request_id: rid(),
            benefit_request_id: id.clone(),
            expected_version: signed.version,
        };
        let acknowledged = officer.acknowledge_benefit_request(acknowledge).await.unwrap().into_inner();
        assert_eq!(acknowledged.state(), BenefitRequestState::Acknowledged);
        let granted = officer.decide_benefit(decide(&id, acknowledged.version, grant_from(LEASE))).await.unwrap().into_inner();
        let pay = StartPaymentRequest {
            request_id: rid(),
            benefit_request_id: id.clone(),
            expected_version: granted.version,
            from_on: Some(from_date(LEASE)),
        };
        assert_eq!(officer.start_payment(pay).await.unwrap().into_inner().state(), BenefitRequestState::InPayment);
        let seen = get(&mut officer, &id).await;
        assert_eq!((seen.standard_cents, seen.gap_days, seen.kind()), (140_150, 0, BenefitRequestKind::Change));
        assert_eq!(seen.rent_allowance_from_on, Some(from_date(LEASE)));
        assert_eq!(
            bench.event_names().await,
            [
                "ClientReportedForBenefit", "BenefitRequestPrepared", "BenefitRequestCompleted",
                "BenefitApplicationSubmitted", "BenefitRequestAcknowledged", "BenefitDecided", "BenefitPaymentStarted"
            ]
        );
        let decided: BenefitDecided = last(&bench.events().await).unwrap();
        assert_eq!((decided.granted, decided.running_from_on), (true, Some(from_date(LEASE))));
    }

    /// P3
    async fn an_allocation_has_one_start_and_one_guarantee_whatever_is_repeated(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, .. } = callers(&bench);
        let (ask, stand) = (complete(1), guarantee(1));
        let first = regie.complete_benefit_request(ask.clone()).await.unwrap().into_inner();
        let given = regie.request_rent_guarantee(stand.clone()).await.unwrap().into_inner();
        // The same call, another call with the same wish, and many at once.
        assert_eq!(regie.complete_benefit_request(ask.clone()).await.unwrap().into_inner(), first);
        let together = (0..8).map(|_| {
            let mut regie = regie.clone();
            tokio::spawn(async move {
                let asked = regie.complete_benefit_request(complete(1)).await.unwrap().into_inner();
                let stood = regie.request_rent_guarantee(guarantee(1)).await.unwrap().into_inner();
                (asked, stood)
            })
        });
        for answer in together.collect::<Vec<_>>() {
            assert_eq!(answer.await.unwrap(), (first.clone(), given.clone()));
        }
        let other = CompleteBenefitRequestRequest { rent_cents: 70_000, ..ask };
        assert_eq!(reason(&regie.complete_benefit_request(other).await.unwrap_err()), "REQUEST_ID_REUSED");
        let names = bench.event_names().await;
        let count = |name: &str| names.iter().filter(|one| *one == name).count();
        assert_eq!((count("BenefitRequestCompleted"), count("RentGuaranteeRequested")), (1, 1));
    }

    /// P3
    async fn the_first_completions_of_one_allocation_race_and_one_wins(bench: Bench<Income> = Income::embedded()) {
        let Callers { regie, .. } = callers(&bench);
        let racing = (0..8).map(|_| {
            let mut regie = regie.clone();
            tokio::spawn(async move { regie.complete_benefit_request(complete(1)).await.unwrap().into_inner() })
        });
        let mut ids = vec![];
        for answer in racing.collect::<Vec<_>>() {
            ids.push(answer.await.unwrap().benefit_request_id);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(bench.event_names().await.iter().filter(|name| *name == "BenefitRequestCompleted").count(), 1);
    }

    /// P4
    async fn a_fallen_allocation_takes_back_its_start_and_its_guarantee_only(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, .. } = callers(&bench);
        let reported = officer.report_for_benefit(report(client())).await.unwrap().into_inner();
        let id = reported.benefit_request_id;
        let signed = officer.submit_benefit_application(submit(&id, reported.version)).await.unwrap().into_inner();
        let before = get(&mut officer, &id).await;
        regie.complete_benefit_request(complete(1)).await.unwrap();
        regie.request_rent_guarantee(guarantee(1)).await.unwrap();
        let undo = WithdrawRentGuaranteeRequest {
            request_id: rid(),
            client_id: client().to_string(),
            allocation_id: allocation(1),
        };
        for _ in 0..2 {
            regie.withdraw_benefit_start(withdraw_start(1)).await.unwrap();
            let undo = WithdrawRentGuaranteeRequest { request_id: rid(), ..undo.clone() };
            let withdrawn = regie.withdraw_rent_guarantee(undo).await.unwrap().into_inner();
            assert_eq!(withdrawn.state(), RentGuaranteeState::Withdrawn);
        }
        let after = get(&mut officer, &id).await;
        assert_eq!(BenefitRequest { version: before.version, ..after.clone() }, before);
        assert_eq!(after.version, signed.version + 2);
        assert_eq!(reason(&regie.complete_benefit_request(complete(1)).await.unwrap_err()), "BENEFIT_START_WITHDRAWN");
        assert_eq!(reason(&regie.request_rent_guarantee(guarantee(1)).await.unwrap_err()), "RENT_GUARANTEE_WITHDRAWN");
        // Another allocation, on the same application.
        assert_eq!(regie.complete_benefit_request(complete(2)).await.unwrap().into_inner().benefit_request_id, id);
        // What never was cannot be taken back, and that is no fault.
        let nothing = regie.withdraw_benefit_start(withdraw_start(9)).await.unwrap().into_inner();
        assert_eq!(nothing.benefit_request_id, "");
        let withdrawn: BenefitStartWithdrawn = last(&bench.events().await).unwrap();
        assert!(withdrawn.application_survives && !withdrawn.benefit_survives);
    }

    /// R-INC-11, R-INC-27
    async fn a_gap_and_a_refusal_close_to_the_move_are_told_at_once(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, .. } = callers(&bench);
        let early = CompleteBenefitRequestRequest { lease_start_on: Some(from_date(Date::constant(2026, 2, 23))), ..complete(1) };
        let completed = regie.complete_benefit_request(early).await.unwrap().into_inner();
        officer.report_for_benefit(report(client())).await.unwrap();
        let id = completed.benefit_request_id;
        let refusal = decide_benefit_request::Decision::Refusal(BenefitRefusalGround::Means.into());
        let refused = officer.decide_benefit(decide(&id, completed.version, refusal)).await.unwrap().into_inner();
        assert_eq!(refused.state(), BenefitRequestState::Refused);
        let events = bench.events().await;
        let gap: BenefitStartGapDetected = last(&events).unwrap();
        assert_eq!((gap.gap_days, gap.start_on), (7, Some(from_date(TODAY))));
        let near: BenefitRefusedNearMove = last(&events).unwrap();
        assert_eq!((near.allocation_id, near.ways_out.len()), (allocation(1), 4));
    }

    /// P7, R-INC-03, R-INC-04
    async fn terms_wake_by_themselves_and_warn_before(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, .. } = callers(&bench);
        officer.report_for_benefit(report(client())).await.unwrap();
        regie.complete_benefit_request(complete(1)).await.unwrap();
        regie.request_rent_guarantee(guarantee(1)).await.unwrap();
        let told = bench.event_names().await.len();
        for (day, name) in [
            (Date::constant(2026, 3, 5), "BenefitRequestUnacknowledged"),
            (Date::constant(2026, 3, 6), "RentGuaranteeUnanswered"),
            (Date::constant(2026, 3, 23), "AdvanceDue"),
            (Date::constant(2026, 3, 31), "AdvanceOverdue"),
            (Date::constant(2026, 4, 14), "BenefitDecisionDue"),
            (Date::constant(2026, 4, 29), "BenefitDecisionOverdue"),
        ] {
            bench.on(day.yesterday().unwrap()).await;
            let before = bench.event_names().await.len();
            bench.on(day).await;
            assert_eq!(bench.event_names().await[before..], [name], "{day}");
        }
        bench.on(Date::constant(2027, 1, 1)).await;
        assert_eq!(bench.event_names().await.len(), told + 6);
    }

    /// R-HOU-04, R-INC-26, P7
    async fn readiness_is_a_yes_or_no_with_a_day(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut officer, .. } = callers(&bench);
        let mut housing = IncomeServiceClient::new(bench.as_(&actor(Role::SvcHousing, "svc-housing"), "housing"));
        officer.report_for_benefit(report(client())).await.unwrap();
        let ask = || GetFinancesStatusRequest { client_id: client().to_string() };
        assert_eq!(housing.get_finances_status(ask()).await.unwrap().into_inner(), GetFinancesStatusResponse::default());
        let stabilise = |version| StabiliseFinancesRequest {
            request_id: rid(),
            client_id: client().to_string(),
            expected_version: version,
            since: Some(from_date(TODAY)),
        };
        let stabilised = officer.stabilise_finances(stabilise(0)).await.unwrap().into_inner();
        assert!(stabilised.stabilised);
        assert_eq!(reason(&officer.stabilise_finances(stabilise(0)).await.unwrap_err()), "STALE_VERSION");
        let verify = VerifyOwnIncomeRequest {
            request_id: rid(),
            client_id: client().to_string(),
            expected_version: 0,
            kind: OwnIncomeKind::Wages.into(),
            from_on: Some(from_date(TODAY)),
            ends_on: Some(from_date(Date::constant(2026, 4, 30))),
        };
        officer.verify_own_income(verify).await.unwrap();
        let ready = housing.get_finances_status(ask()).await.unwrap().into_inner();
        assert_eq!((ready.stabilised, ready.stabilised_since), (true, Some(from_date(TODAY))));
        assert_eq!((ready.own_income, ready.own_income_from), (true, Some(from_date(TODAY))));
        bench.on(Date::constant(2026, 5, 1)).await;
        assert!(!housing.get_finances_status(ask()).await.unwrap().into_inner().own_income);
        let end = EndStabilisationRequest {
            request_id: rid(),
            client_id: client().to_string(),
            expected_version: stabilised.version,
        };
        officer.end_stabilisation(end).await.unwrap();
        assert_eq!(
            bench.event_names().await[1..],
            ["FinancesStabilised", "OwnIncomeVerified", "OwnIncomeEndingSoon", "OwnIncomeRevoked", "StabilisationEnded"]
        );
    }

    /// R-HOU-05, P8
    async fn a_corporation_sees_that_a_guarantee_exists_its_cap_and_its_end(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, mut corporation, .. } = callers(&bench);
        let landlord = relation("trivire", "corporation", RelationKind::Landlord);
        bench.peer("regie").publish(Some(client()), TODAY, &landlord).await;
        officer.report_for_benefit(report(client())).await.unwrap();
        let asked = regie.request_rent_guarantee(guarantee(1)).await.unwrap().into_inner();
        let ask = || GetRentGuaranteeAsCorporationRequest { allocation_id: allocation(1) };
        assert!(!corporation.get_rent_guarantee_as_corporation(ask()).await.unwrap().into_inner().exists);
        let listed = officer.list_rent_guarantees(ListRentGuaranteesRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.rent_guarantees.len(), 1);
        let give = |cap_cents| DecideRentGuaranteeRequest {
            request_id: rid(),
            guarantee_id: asked.guarantee_id.clone(),
            expected_version: asked.version,
            decision: Some(decide_rent_guarantee_request::Decision::Grant(RentGuaranteeGrant {
                cap_cents,
                ends_on: Some(from_date(Date::constant(2027, 4, 1))),
                reason: RentGuaranteeReason::DebtsBlockLease.into(),
                bridging: true,
            })),
        };
        let too_high = officer.decide_rent_guarantee(give(180_001)).await.unwrap_err();
        assert_eq!((reason(&too_high).as_str(), too_high.code()), ("RENT_GUARANTEE_CAP_TOO_HIGH", Code::FailedPrecondition));
        officer.decide_rent_guarantee(give(180_000)).await.unwrap();
        let seen = corporation.get_rent_guarantee_as_corporation(ask()).await.unwrap().into_inner();
        assert_eq!((seen.exists, seen.cap_cents), (true, 180_000));
        let mut other = IncomeServiceClient::new(bench.as_(&actor(Role::Corporation, "woonbron"), "housing"));
        assert_eq!(other.get_rent_guarantee_as_corporation(ask()).await.unwrap_err().code(), Code::NotFound);
        let mut theirs = vec![];
        for _ in 0..20 {
            // A busy machine may be silent for longer than a partner's stream is listened to.
            theirs = bench.events_for(&actor(Role::Corporation, "trivire"), "housing").await;
            if !theirs.is_empty() {
                break;
            }
        }
        let types: Vec<_> = theirs.iter().map(|event| event.r#type.as_str()).collect();
        assert_eq!(types, ["nl.doorstroom.income.rent-guarantee-issued"]);
        let granted: RentGuaranteeGranted = last(&bench.events().await).unwrap();
        assert!(granted.bridging);
    }

    /// P8, R-REG-13
    async fn without_a_relation_nobody_finds_anything_and_a_wrong_role_may_not_ask(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut officer, mut stranger, mut corporation, .. } = callers(&bench);
        let id = officer.report_for_benefit(report(client())).await.unwrap().into_inner().benefit_request_id;
        let ask = |id: &str| GetBenefitRequestRequest { benefit_request_id: id.into() };
        let hidden = stranger.get_benefit_request(ask(&id)).await.unwrap_err();
        let unknown = stranger.get_benefit_request(ask(&allocation(5))).await.unwrap_err();
        assert_eq!((hidden.code(), hidden.message()), (Code::NotFound, unknown.message()));
        assert_eq!(corporation.get_benefit_request(ask(&id)).await.unwrap_err().code(), Code::PermissionDenied);
        let regie_only = officer.complete_benefit_request(complete(1)).await.unwrap_err();
        assert_eq!(reason(&regie_only), "ROLE_NOT_ALLOWED");
        assert!(stranger.list_benefit_requests(ListBenefitRequestsRequest::default()).await.unwrap().into_inner().lines.is_empty());
        // A relation opens, and closes again.
        let shelter_actor = actor(Role::Shelter, "leger-des-heils");
        let mut shelter = IncomeServiceClient::new(bench.as_(&shelter_actor, "shelter"));
        let status = || GetBenefitStatusRequest { client_id: client().to_string() };
        assert_eq!(shelter.get_benefit_status(status()).await.unwrap_err().code(), Code::NotFound);
        let stay = relation("leger-des-heils", "shelter", RelationKind::Stay);
        bench.peer("regie").publish(Some(client()), TODAY, &stay).await;
        let seen = shelter.get_benefit_status(status()).await.unwrap().into_inner();
        assert_eq!(seen.status(), BenefitStatus::Requested);
        let relation_id = stay.relation_id;
        let ended = RelationEnded { relation_id, client_id: client().to_string(), ..Default::default() };
        bench.peer("regie").publish(Some(client()), TODAY, &ended).await;
        assert_eq!(shelter.get_benefit_status(status()).await.unwrap_err().code(), Code::NotFound);
        // Clients see their own file, and nobody else's.
        let Callers { mut person, .. } = callers(&bench);
        let file = |client: ClientId| GetIncomeFileAsSelfRequest { client_id: client.to_string() };
        assert_eq!(person.get_income_file_as_self(file(client())).await.unwrap().into_inner().benefit_requests.len(), 1);
        assert_eq!(person.get_income_file_as_self(file(ClientId(Uuid::from_u128(8)))).await.unwrap_err().code(), Code::NotFound);
    }

    /// P3
    async fn a_stale_version_is_told_and_a_repeat_gets_its_first_answer(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut officer, mut person, .. } = callers(&bench);
        let first = report(client());
        let reported = officer.report_for_benefit(first.clone()).await.unwrap().into_inner();
        let signed = submit(&reported.benefit_request_id, reported.version);
        let answer = person.submit_benefit_application(signed.clone()).await.unwrap().into_inner();
        assert_eq!(person.submit_benefit_application(signed).await.unwrap().into_inner(), answer);
        assert_eq!(officer.report_for_benefit(first).await.unwrap().into_inner(), reported);
        let stale = person.submit_benefit_application(submit(&reported.benefit_request_id, reported.version)).await;
        assert_eq!(reason(&stale.unwrap_err()), "STALE_VERSION");
    }

    async fn what_cannot_be_read_is_named_field_by_field(bench: Bench<Income> = Income::embedded()) {
        use testkit::StatusExt as _;
        let Callers { mut officer, mut regie, .. } = callers(&bench);
        let paths = |status: tonic::Status| -> Vec<String> {
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            let details = status.get_error_details();
            details.bad_request().unwrap().field_violations.iter().map(|field| field.field.clone()).collect()
        };
        let nothing = ReportForBenefitRequest { request_id: rid(), ..Default::default() };
        assert_eq!(paths(officer.report_for_benefit(nothing).await.unwrap_err()), ["client_id", "municipality", "reported_on"]);
        let absurd = ReportForBenefitRequest {
            circumstances: Some(Circumstances { age: 7, cost_sharers: 99, ..Default::default() }),
            reported_on: Some(proto::google::r#type::Date { year: 2026, month: 2, day: 30 }),
            ..report(client())
        };
        assert_eq!(
            paths(officer.report_for_benefit(absurd).await.unwrap_err()),
            ["reported_on", "circumstances.age", "circumstances.cost_sharers"]
        );
        let free = CompleteBenefitRequestRequest { rent_cents: -1, allocation_id: "x".into(), ..complete(1) };
        assert_eq!(paths(regie.complete_benefit_request(free).await.unwrap_err()), ["allocation_id", "rent_cents"]);
        let reported = officer.report_for_benefit(report(client())).await.unwrap().into_inner();
        let undecided = DecideBenefitRequest {
            request_id: rid(),
            benefit_request_id: reported.benefit_request_id.clone(),
            expected_version: reported.version,
            decision: None,
        };
        assert_eq!(paths(officer.decide_benefit(undecided).await.unwrap_err()), ["decision"]);
        let asked = AskInformationRequest {
            request_id: rid(),
            benefit_request_id: reported.benefit_request_id,
            expected_version: reported.version,
            ..Default::default()
        };
        assert_eq!(paths(officer.ask_information(asked).await.unwrap_err()), ["items", "answer_by"]);
        let unknown = PayAdvanceRequest { request_id: rid(), benefit_request_id: allocation(9), ..Default::default() };
        assert_eq!(officer.pay_advance(unknown).await.unwrap_err().code(), Code::NotFound);
        let state = ListBenefitRequestsRequest { state: 99, ..Default::default() };
        assert_eq!(paths(officer.list_benefit_requests(state).await.unwrap_err()), ["state"]);
        let token = ListBenefitRequestsRequest { page_token: "x".into(), ..Default::default() };
        assert_eq!(officer.list_benefit_requests(token).await.unwrap_err().code(), Code::InvalidArgument);
    }

    /// R-INC-06, R-INC-04
    async fn a_standard_is_calculated_from_the_figures_of_its_day(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut officer, .. } = callers(&bench);
        let ask = |day: Date, cost_sharers| CalculateStandardRequest {
            on: Some(from_date(day)),
            circumstances: Some(Circumstances { age: 40, cost_sharers, ..Default::default() }),
        };
        let two = officer.calculate_standard(ask(TODAY, 2)).await.unwrap().into_inner();
        assert_eq!((two.standard_cents, two.advance_cents, two.shortfall), (100_107, 95_102, false));
        let unloaded = officer.calculate_standard(ask(Date::constant(2019, 1, 1), 2)).await.unwrap_err();
        assert_eq!(reason(&unloaded), "FIGURES_NOT_LOADED");
    }

    async fn the_work_list_comes_page_by_page_the_nearest_due_date_first(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut officer, .. } = callers(&bench);
        let mut reported = vec![];
        for n in 0..5 {
            reported.push(officer.report_for_benefit(report(ClientId(Uuid::from_u128(50 + n)))).await.unwrap().into_inner());
        }
        let urgent = &reported[3];
        officer.submit_benefit_application(submit(&urgent.benefit_request_id, urgent.version)).await.unwrap();
        let (mut lines, mut page_token) = (vec![], String::new());
        loop {
            let ask = ListBenefitRequestsRequest { page_size: 2, page_token, ..Default::default() };
            let page = officer.list_benefit_requests(ask).await.unwrap().into_inner();
            lines.extend(page.lines);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let found: Vec<_> = lines.iter().map(|line| &line.benefit_request_id).collect();
        let expected: Vec<_> = [3, 0, 1, 2, 4].iter().map(|n| &reported[*n].benefit_request_id).collect();
        assert_eq!(found, expected);
        let applied = ListBenefitRequestsRequest { state: BenefitRequestState::Applied.into(), ..Default::default() };
        assert_eq!(officer.list_benefit_requests(applied).await.unwrap().into_inner().lines.len(), 1);
    }

    /// P4, R-REG-29, R-INC-12
    async fn a_death_withdraws_everything_and_a_later_report_starts_anew(bench: Bench<Income> = Income::embedded()) {
        let Callers { mut regie, mut officer, .. } = callers(&bench);
        let completed = regie.complete_benefit_request(complete(1)).await.unwrap().into_inner();
        officer.report_for_benefit(report(client())).await.unwrap();
        let id = completed.benefit_request_id;
        let died = WithdrawBenefitRequestRequest {
            request_id: rid(),
            benefit_request_id: id.clone(),
            expected_version: 0,
            reason: BenefitWithdrawalReason::Died.into(),
        };
        let withdrawn = regie.withdraw_benefit_request(died).await.unwrap().into_inner();
        assert_eq!(withdrawn.state(), BenefitRequestState::Withdrawn);
        let event: BenefitRequestWithdrawn = last(&bench.events().await).unwrap();
        assert_eq!(event.allocation_id, allocation(1));
        let again = officer.report_for_benefit(report(client())).await.unwrap().into_inner();
        assert_ne!(again.benefit_request_id, id);
        assert_eq!(reason(&regie.complete_benefit_request(complete(1)).await.unwrap_err()), "BENEFIT_START_WITHDRAWN");
    }
}

testkit::on_both_engines! {
    /// R-INC-03
    async fn a_restart_forgets_no_request_and_no_term(bench: Bench<Income> = Income::embedded()) {
        let mut bench = bench;
        let Callers { mut regie, mut officer, .. } = callers(&bench);
        officer.report_for_benefit(report(client())).await.unwrap();
        let id = regie.complete_benefit_request(complete(1)).await.unwrap().into_inner().benefit_request_id;
        let before = get(&mut officer, &id).await;
        bench.restart().await;
        let Callers { mut officer, .. } = callers(&bench);
        assert_eq!(get(&mut officer, &id).await, before);
        bench.on(Date::constant(2026, 3, 5)).await;
        assert_eq!(bench.event_names().await.last().map(String::as_str), Some("BenefitRequestUnacknowledged"));
    }
}
