//! A request for correction, from its receipt to the decision.

use super::*;

const WORDS: &str = "Mijn zoon Jesse staat er nog bij; hij woont bij zijn vader.";
const WHY: &str = "De gemeente vroeg het na bij u en bij de school.";

fn own(bench: &Bench<Regie>, client: ClientId) -> Caller {
    as_(bench, &client_actor(client), "own-file")
}

fn ask(client: ClientId, received_on: Option<Date>) -> RequestCorrectionRequest {
    RequestCorrectionRequest {
        request_id: rid(),
        client_id: client.to_string(),
        received_on: received_on.map(from_date),
        concerns: CorrectionSubject::Household.into(),
        words: WORDS.to_owned(),
    }
}

fn extend(client: ClientId, correction_id: &str, told_on: Date) -> ExtendCorrectionRequest {
    ExtendCorrectionRequest {
        request_id: rid(),
        client_id: client.to_string(),
        correction_id: correction_id.to_owned(),
        ground: AccessExtensionGround::Complex.into(),
        told_on: Some(from_date(told_on)),
    }
}

fn decide(
    client: ClientId,
    correction_id: &str,
    outcome: CorrectionOutcome,
    ground: CorrectionGround,
) -> DecideCorrectionRequest {
    DecideCorrectionRequest {
        request_id: rid(),
        client_id: client.to_string(),
        correction_id: correction_id.to_owned(),
        outcome: outcome.into(),
        ground: ground.into(),
        explanation: WHY.to_owned(),
    }
}

async fn asked(caller: &mut Caller, client: ClientId) -> Vec<CorrectionView> {
    let request = ListCorrectionsRequest { client_id: client.to_string() };
    caller.list_corrections(request).await.unwrap().into_inner().corrections
}

async fn on_the_list(bench: &Bench<Regie>, client: ClientId) -> Vec<TaskView> {
    let request = ListTasksRequest { all_organisations: true, client_id: client.to_string(), ..Default::default() };
    let mut all = tasks(&mut municipality(bench), request).await;
    all.retain(|task| task.kind() == TaskKind::DecideCorrection);
    all
}

fn told(names: &[String], name: &str) -> usize {
    names.iter().filter(|one| *one == name).count()
}

/// What the table holds of a client: the words that were asked, and those of the decision.
async fn kept(bench: &Bench<Regie>, client: ClientId) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let migrations = Regie::ABOUT.migrations;
    let store = store::Store::open("regie", bench.database(), &bench.sealing(), migrations).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let sql = "select words, explanation from correction where client_id = $1 order by correction_id";
    let rows = tx.rows(sql, chassis::args![client]).await.unwrap();
    let kept = rows.iter().map(|row| (row.get("words").unwrap(), row.get("explanation").unwrap())).collect();
    drop(tx);
    store.close().await;
    kept
}

testkit::on_both_engines! {
    /// R-REG-21, P7
    async fn a_correction_that_is_asked_for_is_on_the_municipalitys_list_for_a_month(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let first = regie.request_correction(ask(client, Some(date(2026, 2, 20)))).await.unwrap().into_inner();
        assert_eq!(first.answer_by, Some(from_date(date(2026, 3, 20))));
        // Another stands beside it; the same wish again is the same request, and for the client it came in today.
        let wish = ask(client, Some(date(2026, 2, 20)));
        let second = own.request_correction(wish.clone()).await.unwrap().into_inner();
        assert_eq!(own.request_correction(wish).await.unwrap().into_inner(), second);
        assert_eq!(second.answer_by, Some(from_date(date(2026, 4, 2))));
        assert_ne!(first.correction_id, second.correction_id);
        let list = on_the_list(&bench, client).await;
        let due: BTreeSet<_> = list.iter().map(|task| task.due_on.map(|on| (on.month, on.day))).collect();
        assert_eq!((list.len(), due), (2, [Some((3, 20)), Some((4, 2))].into()));
        let task = &list[0];
        assert_eq!((task.organisation.as_str(), task.role.as_str()), ("gemeente-dordrecht", "regie"));
        // It ends with the decision, not by hand.
        let by_hand = CompleteTaskRequest {
            request_id: rid(),
            expected_version: task.version,
            task_id: task.task_id.clone(),
            outcome: TaskOutcome::Done.into(),
        };
        assert_eq!(reason(&regie.complete_task(by_hand).await.unwrap_err()), "TASK_ENDS_WITH_ANSWER");
        let shown: Vec<_> = asked(&mut own, client).await.into_iter().map(|one| (one.by_client, one.requested_on)).collect();
        assert_eq!(shown, [(false, Some(from_date(date(2026, 2, 20)))), (true, Some(from_date(TODAY)))]);
        assert_eq!(told(&bench.event_names().await, "CorrectionRequested"), 2);
    }

    /// R-REG-21, R-REG-14
    async fn a_correction_is_the_clients_own_and_nobody_elses_client_is_told_of(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let id = own(&bench, client).request_correction(ask(client, None)).await.unwrap().into_inner().correction_id;
        let mut stranger = own(&bench, ClientId(Uuid::new_v4()));
        let mut holder = as_(&bench, &anna(), "regie");
        for caller in [&mut stranger, &mut holder] {
            assert_eq!(caller.request_correction(ask(client, None)).await.unwrap_err().code(), Code::NotFound);
            let list = ListCorrectionsRequest { client_id: client.to_string() };
            assert_eq!(caller.list_corrections(list).await.unwrap_err().code(), Code::NotFound);
        }
        let yes = decide(client, &id, CorrectionOutcome::Corrected, CorrectionGround::Unspecified);
        assert_eq!(reason(&own(&bench, client).decide_correction(yes).await.unwrap_err()), "ROLE_NOT_ALLOWED");
        // A request of another client is not found under this one.
        let other = notified(&bench).await;
        let mixed = decide(other, &id, CorrectionOutcome::Corrected, CorrectionGround::Unspecified);
        assert_eq!(reason(&municipality(&bench).decide_correction(mixed).await.unwrap_err()), "CORRECTION_UNKNOWN");
        let mixed = extend(other, &id, TODAY);
        assert_eq!(reason(&municipality(&bench).extend_correction(mixed).await.unwrap_err()), "CORRECTION_UNKNOWN");
    }

    /// R-REG-21
    async fn a_request_without_subject_or_words_is_refused_and_so_is_a_day_that_lies_ahead(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        let cases = [
            (RequestCorrectionRequest { concerns: 0, ..ask(client, None) }, "CORRECTION_INCOMPLETE"),
            (RequestCorrectionRequest { words: "te kort".into(), ..ask(client, None) }, "CORRECTION_INCOMPLETE"),
            (RequestCorrectionRequest { words: "x".repeat(2001), ..ask(client, None) }, "CORRECTION_INCOMPLETE"),
            (ask(client, Some(date(2026, 3, 3))), "CORRECTION_DAY_WRONG"),
        ];
        for (request, expected) in cases {
            assert_eq!(reason(&regie.request_correction(request).await.unwrap_err()), expected);
        }
        assert_eq!(asked(&mut regie, client).await, []);
    }

    /// R-REG-21
    async fn the_month_of_a_correction_is_extended_once_and_the_task_moves_along(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let id = own.request_correction(ask(client, None)).await.unwrap().into_inner().correction_id;
        bench.on(date(2026, 4, 3)).await;
        let late = regie.extend_correction(extend(client, &id, date(2026, 4, 3))).await.unwrap_err();
        assert_eq!(reason(&late), "CORRECTION_TOLD_TOO_LATE");
        for _ in 0..2 {
            let longer = regie.extend_correction(extend(client, &id, date(2026, 4, 1))).await.unwrap().into_inner();
            assert_eq!(longer.answer_by, Some(from_date(date(2026, 6, 2))));
        }
        let [task] = &on_the_list(&bench, client).await[..] else { panic!() };
        assert_eq!((task.due_on, task.overdue), (Some(from_date(date(2026, 6, 2))), false));
        let other = ExtendCorrectionRequest {
            ground: AccessExtensionGround::ManyRequests.into(),
            ..extend(client, &id, date(2026, 4, 1))
        };
        assert_eq!(reason(&regie.extend_correction(other).await.unwrap_err()), "CORRECTION_EXTENDED");
        let without = ExtendCorrectionRequest { ground: 0, ..extend(client, &id, date(2026, 4, 1)) };
        assert_eq!(reason(&regie.extend_correction(without).await.unwrap_err()), "MALFORMED");
        let [shown] = &asked(&mut own, client).await[..] else { panic!() };
        assert_eq!(shown.extension_ground(), AccessExtensionGround::Complex);
        assert_eq!((shown.told_on, shown.answer_by), (Some(from_date(date(2026, 4, 1))), Some(from_date(date(2026, 6, 2)))));
        assert_eq!(told(&bench.event_names().await, "CorrectionExtended"), 1);
    }

    /// R-REG-21
    async fn what_is_not_corrected_needs_a_ground_and_an_explanation_that_the_client_reads(bench: Bench<Regie> = Regie::embedded()) {
        use CorrectionGround::{NotIdentified, NotIncorrect, ProfessionalOpinion, Unspecified};
        use CorrectionOutcome::{Corrected, InPart, Refused};
        let client = notified(&bench).await;
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let id = own.request_correction(ask(client, None)).await.unwrap().into_inner().correction_id;
        let cases = [
            (decide(client, &id, Refused, Unspecified), "CORRECTION_REASON_MISSING"),
            (decide(client, &id, InPart, Unspecified), "CORRECTION_REASON_MISSING"),
            (DecideCorrectionRequest { explanation: "nee".into(), ..decide(client, &id, Refused, NotIncorrect) }, "CORRECTION_REASON_MISSING"),
            (decide(client, &id, Refused, NotIdentified), "CORRECTION_GROUND_UNFIT"),
            (decide(client, &id, CorrectionOutcome::Unspecified, NotIncorrect), "MALFORMED"),
            (decide(client, &rid(), Refused, NotIncorrect), "CORRECTION_UNKNOWN"),
        ];
        for (request, expected) in cases {
            assert_eq!(reason(&regie.decide_correction(request).await.unwrap_err()), expected);
        }
        assert_eq!(on_the_list(&bench, client).await.len(), 1);

        for _ in 0..2 {
            regie.decide_correction(decide(client, &id, InPart, ProfessionalOpinion)).await.unwrap();
        }
        let otherwise = [decide(client, &id, InPart, NotIncorrect), decide(client, &id, Corrected, Unspecified)];
        for request in otherwise {
            assert_eq!(reason(&regie.decide_correction(request).await.unwrap_err()), "CORRECTION_DECIDED");
        }
        let late = regie.extend_correction(extend(client, &id, TODAY)).await.unwrap_err();
        assert_eq!(reason(&late), "CORRECTION_DECIDED");
        assert!(on_the_list(&bench, client).await.is_empty());
        let [shown] = &asked(&mut own, client).await[..] else { panic!() };
        assert_eq!((shown.outcome(), shown.ground(), shown.explanation.as_str()), (InPart, ProfessionalOpinion, WHY));
        assert_eq!((shown.concerns(), shown.words.as_str()), (CorrectionSubject::Household, WORDS));
        assert_eq!(shown.decided_on, Some(from_date(TODAY)));
        assert!(shown.way_out_nl.contains("Autoriteit Persoonsgegevens") && shown.way_out_en.contains("court"));
        assert_eq!(told(&bench.event_names().await, "CorrectionDecided"), 1);
    }

    /// R-REG-21
    async fn what_is_corrected_needs_no_reason_and_a_request_on_paper_may_be_from_nobody_knows_whom(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        let first = regie.request_correction(ask(client, Some(TODAY))).await.unwrap().into_inner().correction_id;
        let second = regie.request_correction(ask(client, Some(TODAY))).await.unwrap().into_inner().correction_id;
        let yes = decide(client, &first, CorrectionOutcome::Corrected, CorrectionGround::Unspecified);
        regie.decide_correction(DecideCorrectionRequest { explanation: String::new(), ..yes }).await.unwrap();
        let [left] = &on_the_list(&bench, client).await[..] else { panic!() };
        let no = decide(client, &second, CorrectionOutcome::Refused, CorrectionGround::NotIdentified);
        regie.decide_correction(no).await.unwrap();
        assert!(on_the_list(&bench, client).await.is_empty(), "{left:?} is off the list");
        let [one, other] = &asked(&mut own(&bench, client), client).await[..] else { panic!() };
        assert_eq!((one.outcome(), one.explanation.as_str(), one.way_out_nl.as_str()), (CorrectionOutcome::Corrected, "", ""));
        assert_eq!((other.outcome(), other.ground()), (CorrectionOutcome::Refused, CorrectionGround::NotIdentified));
    }

    /// R-REG-21, R-REG-26
    async fn a_correction_that_waits_is_decided_in_a_record_that_points_to_another_since(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept) = (notified(&bench).await, notified(&bench).await);
        let mut regie = municipality(&bench);
        let id = regie.request_correction(ask(client, Some(TODAY))).await.unwrap().into_inner().correction_id;
        merge::merged(&bench, client, kept).await;
        bench.settled().await;
        assert_eq!(on_the_list(&bench, client).await.len(), 1, "its month runs on");
        assert_eq!(reason(&regie.request_correction(ask(client, None)).await.unwrap_err()), "CLIENT_MERGED");
        regie.extend_correction(extend(client, &id, TODAY)).await.unwrap();
        let yes = decide(client, &id, CorrectionOutcome::Corrected, CorrectionGround::Unspecified);
        regie.decide_correction(yes).await.unwrap();
        assert!(on_the_list(&bench, client).await.is_empty());
    }

    /// R-REG-21, R-REG-22, P8: for who reads the database the words are nothing, and with the client they go.
    async fn the_words_of_a_correction_are_sealed_and_go_with_the_client(bench: Bench<Regie> = Regie::embedded()) {
        // Nothing was notified: no case is open that would hold the erasure up.
        let client = ClientId(Uuid::new_v4());
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let id = regie.request_correction(ask(client, None)).await.unwrap().into_inner().correction_id;
        let no = decide(client, &id, CorrectionOutcome::Refused, CorrectionGround::NotIncorrect);
        regie.decide_correction(no).await.unwrap();
        let [(words, Some(explanation))] = &kept(&bench, client).await[..] else { panic!() };
        for (sealed, plain) in [(words, WORDS), (explanation, WHY)] {
            assert!(sealed.len() > plain.len() && !String::from_utf8_lossy(sealed).contains(plain));
        }
        let [shown] = &asked(&mut own, client).await[..] else { panic!() };
        assert_eq!((shown.words.as_str(), shown.explanation.as_str()), (WORDS, WHY));
        let events = format!("{:?}", bench.events().await);
        assert!(!events.contains("Jesse") && !events.contains("school"));

        // One waits still: where everything is gone, nothing is left to correct.
        own.request_correction(ask(client, None)).await.unwrap();
        let (request_id, client_id) = (rid(), client.to_string());
        let erase = RequestErasureRequest { request_id, client_id: client_id.clone(), received_on: None };
        let erasure_id = regie.request_erasure(erase).await.unwrap().into_inner().erasure_id;
        let yes = DecideErasureRequest { request_id: rid(), client_id, erasure_id, granted: true, ground: 0 };
        regie.decide_erasure(yes).await.unwrap();
        bench.settled().await;
        assert_eq!(kept(&bench, client).await, [(vec![], Some(vec![])), (vec![], None)]);
        assert!(on_the_list(&bench, client).await.is_empty());
        let [left, _] = &asked(&mut municipality(&bench), client).await[..] else { panic!() };
        assert_eq!((left.words.as_str(), left.explanation.as_str(), left.outcome()), ("", "", CorrectionOutcome::Refused));
    }
}
