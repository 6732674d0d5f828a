//! The monitor over real gRPC, on both engines, fed by stand-ins for access, aftercare and regie.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use jiff::civil::date;
use kernel::{ClientId, Date, Role};
use monitor::Monitor;
use prost::Message as _;
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::monitor::v1 as pb;
use proto::monitor::v1::monitor_service_client::MonitorServiceClient;
use proto::regie::v1 as regie;
use store::{Store, args};
use testkit::{Bench, Client, Code, FakePeer, reason};
use uuid::Uuid;

fn monitor(bench: &Bench<Monitor>) -> MonitorServiceClient<Client> {
    MonitorServiceClient::new(bench.as_(&testkit::actor(Role::Monitor, "gemeente-dordrecht"), "monitoring"))
}

async fn ask(bench: &Bench<Monitor>, measures: &[&str], periods: &[&str]) -> pb::GetFiguresResponse {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
    let request = pb::GetFiguresRequest { measures: owned(measures), periods: owned(periods) };
    monitor(bench).get_figures(request).await.unwrap().into_inner()
}

/// `["2018 registrations 6000", "2018 origin/0505 hidden"]`
async fn cells(bench: &Bench<Monitor>, measures: &[&str], periods: &[&str]) -> Vec<String> {
    let shown = |cell: pb::Cell| {
        let slash = if cell.category.is_empty() { "" } else { "/" };
        let value = cell.value_milli.map_or("hidden".to_owned(), |value| value.to_string());
        format!("{} {}{slash}{} {value}", cell.period, cell.measure, cell.category)
    };
    ask(bench, measures, periods).await.cells.into_iter().map(shown).collect()
}

async fn rebuild(bench: &Bench<Monitor>) -> pb::RebuildResponse {
    monitor(bench).rebuild(pb::RebuildRequest { request_id: testkit::rid() }).await.unwrap().into_inner()
}

fn day(d: Date) -> Option<proto::google::r#type::Date> {
    Some(proto::from_date(d))
}

/// One person's stay, and the events that tell of it.
struct Life {
    client: ClientId,
    notification: Uuid,
    stay: Uuid,
}

const FACILITY: &str = "0198a000-0000-7000-8000-00000000facc";

fn lives(n: u128) -> Vec<Life> {
    let id = |kind: u128, i: u128| Uuid::from_u128(0x4000_8000_0000_0000_0000 + (kind << 64) + i);
    (1..=n).map(|i| Life { client: ClientId(id(1, i)), notification: id(2, i), stay: id(3, i) }).collect()
}

impl Life {
    fn notified(&self, on: Date) -> access::NotificationReceived {
        access::NotificationReceived {
            notification_id: self.notification.to_string(),
            client_id: self.client.to_string(),
            municipality: "0505".into(),
            origin: "0505".into(),
            triggers: vec![access::Trigger::RentArrears.into(), access::Trigger::RentArrears.into()],
            received_on: day(on),
            ..Default::default()
        }
    }

    fn trajectory(&self) -> access::TrajectoryStarted {
        access::TrajectoryStarted {
            stay_id: self.stay.to_string(),
            client_id: self.client.to_string(),
            notification_id: self.notification.to_string(),
            ..Default::default()
        }
    }

    fn departed(&self, from: Date, on: Date, destination: access::Destination) -> access::Departed {
        let outcome = match destination {
            access::Destination::Unspecified => access::DepartureOutcome::DropOut,
            _ => access::DepartureOutcome::Left,
        };
        access::Departed {
            stay_id: self.stay.to_string(),
            client_id: self.client.to_string(),
            admitted_on: day(from),
            departed_on: day(on),
            outcome: outcome.into(),
            destination: destination.into(),
            ..Default::default()
        }
    }

    fn night(&self, used: access::NightUse) -> access::NightEntry {
        access::NightEntry { client_id: self.client.to_string(), stay_id: self.stay.to_string(), r#use: used.into() }
    }
}

fn register(lives: &[Life], night: Date, revision: i32) -> access::NightsRecorded {
    let entries = lives.iter().map(|life| life.night(access::NightUse::Used)).collect();
    access::NightsRecorded { facility_id: FACILITY.into(), night: day(night), entries, revision, ..Default::default() }
}

/// Says that a record points to another of the same person.
async fn merge(bench: &Bench<Monitor>, client: ClientId, kept: ClientId) {
    let (client_id, kept_client_id) = (client.to_string(), kept.to_string());
    let merged = regie::ClientsMerged { merge_id: Uuid::new_v4().to_string(), client_id, kept_client_id };
    bench.peer("regie").publish(Some(client), date(2018, 4, 1), &merged).await;
}

/// Six people come on 1 March 2018, sleep three nights, and five of them leave with a home on the 4th.
async fn spring(access: &FakePeer, lives: &[Life]) {
    for life in lives {
        access.publish(Some(life.client), date(2018, 3, 1), &life.notified(date(2018, 3, 1))).await;
    }
    for n in 1..=3 {
        access.publish(None, date(2018, 3, n), &register(lives, date(2018, 3, n), 1)).await;
    }
    for (i, life) in lives.iter().enumerate() {
        let to = if i == 0 { access::Destination::Unspecified } else { access::Destination::OwnHome };
        access.publish(Some(life.client), date(2018, 3, 4), &life.trajectory()).await;
        access
            .publish(Some(life.client), date(2018, 3, 4), &life.departed(date(2018, 3, 1), date(2018, 3, 4), to))
            .await;
    }
}

const SIX: &[&str] =
    &["registrations", "trajectories", "mean_nights", "mean_trajectory_days", "left", "mean_occupied_beds"];

testkit::on_both_engines! {
    /// R-MON-01, R-MON-04
    async fn figures_follow_from_the_events_alone(bench: Bench<Monitor> = Monitor::embedded()) {
        assert_eq!(cells(&bench, &[], &["2018"]).await, [""; 0]);
        spring(bench.peer("access"), &lives(6)).await;
        assert_eq!(
            cells(&bench, SIX, &["2018-03", "2018-Q1"]).await,
            [
                "2018-Q1 registrations 6000",
                "2018-03 registrations 6000",
                "2018-Q1 trajectories 6000",
                "2018-03 trajectories 6000",
                "2018-Q1 mean_nights 3000",
                "2018-03 mean_nights 3000",
                "2018-Q1 mean_trajectory_days 3000",
                "2018-03 mean_trajectory_days 3000",
                "2018-Q1 left 5000",
                "2018-03 left 5000",
                "2018-Q1 mean_occupied_beds 200",
                "2018-03 mean_occupied_beds 581",
            ]
        );
        assert_eq!(
            cells(&bench, &["origin", "municipality", "trigger", "destinations"], &["2018"]).await,
            ["2018 origin/0505 6000", "2018 municipality/0505 6000", "2018 trigger/rent_arrears 6000", "2018 destinations/own_home 5000"]
        );
        assert_eq!(cells(&bench, SIX, &["2017", "2019"]).await, [""; 0]);
    }

    /// R-MON-02
    async fn a_cell_about_few_people_is_there_without_its_value(bench: Bench<Monitor> = Monitor::embedded()) {
        spring(bench.peer("access"), &lives(4)).await;
        let answer = ask(&bench, &["registrations", "mean_nights", "mean_occupied_beds"], &["2018"]).await;
        assert_eq!(answer.cells.len(), 3);
        for cell in answer.cells {
            assert_eq!((cell.state(), cell.value_milli, cell.unfinished), (pb::CellState::Hidden, None, true));
        }
    }

    /// R-MON-02, R-REG-26
    async fn two_records_of_one_person_are_one_person_where_a_cell_is_about_few(bench: Bench<Monitor> = Monitor::embedded()) {
        let lives = lives(5);
        spring(bench.peer("access"), &lives).await;
        let measures = &["registrations", "mean_occupied_beds"];
        let shown = ["2018 registrations 5000", "2018 mean_occupied_beds 41"];
        assert_eq!(cells(&bench, measures, &["2018"]).await, shown);
        merge(&bench, lives[0].client, lives[1].client).await;
        let hidden = ["2018 registrations hidden", "2018 mean_occupied_beds hidden"];
        assert_eq!(cells(&bench, measures, &["2018"]).await, hidden);
        assert!(rebuild(&bench).await.identical);
        assert_eq!(cells(&bench, measures, &["2018"]).await, hidden);
        let undone = regie::MergeUndone { client_id: lives[0].client.to_string(), ..Default::default() };
        bench.peer("regie").publish(Some(lives[0].client), date(2018, 4, 2), &undone).await;
        assert_eq!(cells(&bench, measures, &["2018"]).await, shown);
    }

    /// R-MON-02: also where regie would tell more than was asked for.
    async fn no_client_id_is_kept_of_what_regie_tells(bench: Bench<Monitor> = Monitor::embedded()) {
        let [one, other] = lives(2).try_into().ok().unwrap();
        merge(&bench, one.client, other.client).await;
        let granted = regie::RelationGranted {
            relation_id: Uuid::new_v4().to_string(),
            client_id: one.client.to_string(),
            organisation: "trivire".into(),
            role: "corporation".into(),
            ..Default::default()
        };
        bench.peer("regie").publish(Some(one.client), date(2018, 4, 1), &granted).await;
        let store = Store::open("monitor", bench.database(), &bench.sealing(), Monitor::ABOUT.migrations).await.unwrap();
        let mut tx = store.read().await.unwrap();
        assert!(tx.rows("select client_id from relation", args![]).await.unwrap().is_empty());
        let merged = tx.row("select client_id, kept_client_id from merged", args![]).await.unwrap().unwrap();
        let kept = ["client_id", "kept_client_id"].map(|column| merged.get::<String>(column).unwrap());
        assert_eq!(kept, [one, other].map(|life| (Monitor::ABOUT.known_as)(life.client)));
    }

    /// R-ACC-32
    async fn a_corrected_register_replaces_the_former_one_whichever_came_first(bench: Bench<Monitor> = Monitor::embedded()) {
        let (access, lives, night) = (bench.peer("access"), lives(7), date(2018, 3, 1));
        access.publish(None, night, &register(&lives[..6], night, 2)).await;
        access.publish(None, night, &register(&lives, night, 1)).await;
        assert_eq!(cells(&bench, &["mean_occupied_beds"], &["2018-03"]).await, ["2018-03 mean_occupied_beds 194"]);
        let mut third = register(&lives, night, 3);
        third.entries.push(lives[0].night(access::NightUse::Held));
        third.entries.push(lives[0].night(access::NightUse::Released));
        access.publish(None, night, &third).await;
        assert_eq!(cells(&bench, &["mean_occupied_beds"], &["2018-03"]).await, ["2018-03 mean_occupied_beds 226"]);
        access.publish(None, night, &register(&[], night, 4)).await;
        assert_eq!(cells(&bench, &["mean_occupied_beds"], &["2018-03"]).await, ["2018-03 mean_occupied_beds 0"]);
    }

    /// P3, P9
    async fn the_order_of_events_and_a_second_delivery_change_nothing(bench: Bench<Monitor> = Monitor::embedded()) {
        let (access, lives) = (bench.peer("access"), lives(6));
        let (from, to) = (date(2018, 3, 1), date(2018, 3, 4));
        // Everything the other way round: departures before trajectories before nights before notifications, all twice.
        for _ in 0..2 {
            for (i, life) in lives.iter().enumerate() {
                let home = if i == 0 { access::Destination::Unspecified } else { access::Destination::OwnHome };
                access.publish(Some(life.client), to, &life.departed(from, to, home)).await;
                access.publish(Some(life.client), to, &life.trajectory()).await;
            }
            for n in [3, 1, 2] {
                access.publish(None, date(2018, 3, n), &register(&lives, date(2018, 3, n), 1)).await;
            }
            for life in &lives {
                access.publish(Some(life.client), from, &life.notified(from)).await;
            }
        }
        let backwards = ask(&bench, &[], &["2018", "2018-03"]).await.encode_to_vec();
        let sqlite = bench.database().starts_with("sqlite");
        let engine = if sqlite { testkit::Engine::Sqlite } else { testkit::Engine::Postgres };
        let other = Bench::start(engine, Monitor::embedded).await.unwrap();
        spring(other.peer("access"), &lives).await;
        assert_eq!(backwards, ask(&other, &[], &["2018", "2018-03"]).await.encode_to_vec());
    }

    /// R-AFT-02, R-AFT-06
    async fn waiting_and_answers_are_measured_over_both_feeds(bench: Bench<Monitor> = Monitor::embedded()) {
        let (access, aftercare) = (bench.peer("access"), bench.peer("aftercare"));
        for life in lives(5) {
            let (id, client) = (life.stay.to_string(), life.client);
            let left = access::WaitingListLeft {
                entry_id: id.clone(),
                client_id: client.to_string(),
                left_on: day(date(2019, 5, 11)),
                reason: access::WaitingLeaveReason::Admitted.into(),
                ..Default::default()
            };
            // Admission is heard of before joining; a second entry was left for another reason.
            access.publish(Some(client), date(2019, 5, 11), &left).await;
            let elsewhere = access::WaitingListLeft {
                entry_id: life.notification.to_string(),
                reason: access::WaitingLeaveReason::ByClient.into(),
                ..left
            };
            access.publish(Some(client), date(2019, 5, 11), &elsewhere).await;
            for entry_id in [id.clone(), life.notification.to_string()] {
                let joined = access::Waitlisted { entry_id, joined_on: day(date(2019, 5, 1)), ..Default::default() };
                access.publish(Some(client), date(2019, 5, 1), &joined).await;
            }
            let taken_up = aftercare::SignalTakenUp { signal_id: id.clone(), answer_minutes: 90, ..Default::default() };
            aftercare.publish(Some(client), date(2019, 5, 12), &taken_up).await;
            let accepted = aftercare::HandoverAccepted { handover_id: id.clone(), ..Default::default() };
            aftercare.publish(Some(client), date(2019, 5, 9), &accepted).await;
            let filled = aftercare::HandoverFilled { handover_id: id, ..Default::default() };
            aftercare.publish(Some(client), date(2019, 5, 7), &filled).await;
        }
        assert_eq!(
            cells(&bench, &["handover_answer_days", "signal_answer_hours", "waiting_days"], &["2019-05"]).await,
            ["2019-05 waiting_days 10000", "2019-05 signal_answer_hours 1500", "2019-05 handover_answer_days 2000"]
        );
    }

    /// P9
    async fn a_rebuild_gives_the_same_bytes_and_serves_the_fresh_rows(bench: Bench<Monitor> = Monitor::embedded()) {
        let lives = lives(8);
        spring(bench.peer("access"), &lives[..6]).await;
        let before = ask(&bench, &[], &["2018", "2018-03"]).await.encode_to_vec();
        let first = rebuild(&bench).await;
        assert_eq!((first.version, first.events, first.identical, first.digest.len()), (2, 21, true, 64));
        assert_eq!(before, ask(&bench, &[], &["2018", "2018-03"]).await.encode_to_vec());
        // What comes in afterwards goes into the fresh rows.
        bench.peer("access").publish(Some(lives[7].client), date(2018, 4, 1), &lives[7].notified(date(2018, 3, 1))).await;
        assert_eq!(cells(&bench, &["registrations"], &["2018"]).await, ["2018 registrations 7000"]);
        let second = rebuild(&bench).await;
        assert_eq!((second.version, second.identical), (3, true));
        assert_ne!(first.digest, second.digest);
        assert_eq!(bench.event_names().await, ["FiguresRebuilt", "FiguresRebuilt"]);
    }

    /// P3
    async fn a_repeated_rebuild_gives_the_first_answer_and_reads_nothing(bench: Bench<Monitor> = Monitor::embedded()) {
        spring(bench.peer("access"), &lives(6)).await;
        let request = pb::RebuildRequest { request_id: testkit::rid() };
        let first = monitor(&bench).rebuild(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, monitor(&bench).rebuild(request).await.unwrap().into_inner());
        assert_eq!(bench.event_names().await, ["FiguresRebuilt"]);
        let without = monitor(&bench).rebuild(pb::RebuildRequest::default()).await.unwrap_err();
        assert_eq!(reason(&without), "REQUEST_ID_MISSING");
    }

    /// P9
    async fn rebuilds_at_once_and_events_meanwhile_lose_nothing(bench: Bench<Monitor> = Monitor::embedded()) {
        let lives = lives(30);
        spring(bench.peer("access"), &lives[..6]).await;
        let (mut one, mut other) = (monitor(&bench), monitor(&bench));
        let ask_for = || pb::RebuildRequest { request_id: testkit::rid() };
        let feed = async {
            for life in &lives[6..] {
                bench.peer("access").publish(Some(life.client), date(2018, 5, 1), &life.notified(date(2018, 5, 1))).await;
            }
        };
        let (first, second, ()) = tokio::join!(one.rebuild(ask_for()), other.rebuild(ask_for()), feed);
        let done: Vec<_> = [&first, &second].into_iter().filter_map(|r| r.as_ref().ok()).collect();
        assert!(!done.is_empty() && done.iter().all(|r| r.get_ref().identical));
        for refused in [&first, &second].into_iter().filter_map(|r| r.as_ref().err()) {
            assert_eq!(reason(refused), "REBUILD_RUNNING");
        }
        assert_eq!(cells(&bench, &["registrations"], &["2018"]).await, ["2018 registrations 30000"]);
        assert!(rebuild(&bench).await.identical);
    }

    async fn a_restart_keeps_everything(started: Bench<Monitor> = Monitor::embedded()) {
        let mut bench = started;
        spring(bench.peer("access"), &lives(6)).await;
        rebuild(&bench).await;
        let before = ask(&bench, &[], &["2018", "2018-03"]).await;
        bench.restart().await;
        assert_eq!(before, ask(&bench, &[], &["2018", "2018-03"]).await);
    }

    /// P3, P9
    async fn a_rebuild_that_was_cut_off_is_taken_up_again(started: Bench<Monitor> = Monitor::embedded()) {
        let mut bench = started;
        spring(bench.peer("access"), &lives(6)).await;
        let request = pb::RebuildRequest { request_id: testkit::rid() };
        let (mut client, cut_off) = (monitor(&bench), request.clone());
        let call = tokio::spawn(async move { client.rebuild(cut_off).await });
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        bench.restart().await;
        let _ = call.await;
        let report = monitor(&bench).rebuild(request).await.unwrap().into_inner();
        assert_eq!((report.version, report.events, report.identical), (2, 21, true));
        bench.settled().await;
        assert_eq!(bench.event_names().await, ["FiguresRebuilt"]);
    }

    /// R-REG-13
    async fn only_monitor_and_regie_may_ask_and_only_for_monitoring(bench: Bench<Monitor> = Monitor::embedded()) {
        let question = || pb::GetFiguresRequest { measures: vec![], periods: vec!["2018".into()] };
        for role in Role::ALL {
            let actor = match role {
                Role::Client => testkit::client_actor(lives(1)[0].client),
                _ => testkit::actor(*role, "an-organisation"),
            };
            let mut as_role = MonitorServiceClient::new(bench.as_(&actor, "monitoring"));
            let answers = [
                as_role.get_figures(question()).await.err(),
                as_role.list_measures(pb::ListMeasuresRequest::default()).await.err(),
            ];
            for refused in answers {
                match role {
                    Role::Monitor | Role::Regie => assert!(refused.is_none(), "{role}"),
                    _ => assert_eq!(refused.map(|status| status.code()), Some(Code::PermissionDenied), "{role}"),
                }
            }
        }
        let corporation = testkit::actor(Role::Corporation, "trivire");
        let mut corporation = MonitorServiceClient::new(bench.as_(&corporation, "monitoring"));
        let refused = corporation.rebuild(pb::RebuildRequest { request_id: testkit::rid() }).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        let mut astray = MonitorServiceClient::new(bench.as_(&testkit::actor(Role::Monitor, "gemeente-dordrecht"), "shelter"));
        assert_eq!(astray.get_figures(question()).await.unwrap_err().code(), Code::PermissionDenied);
        let mut forged = MonitorServiceClient::new(bench.with_token("no.token.atall", "monitoring"));
        assert_eq!(forged.get_figures(question()).await.unwrap_err().code(), Code::Unauthenticated);
    }

    async fn a_question_that_cannot_be_read_names_every_field(bench: Bench<Monitor> = Monitor::embedded()) {
        let ask = |measures: Vec<&str>, periods: Vec<&str>| {
            let request = pb::GetFiguresRequest {
                measures: measures.into_iter().map(str::to_owned).collect(),
                periods: periods.into_iter().map(str::to_owned).collect(),
            };
            let mut client = monitor(&bench);
            async move { client.get_figures(request).await.unwrap_err() }
        };
        for (measures, periods) in [
            (vec!["people"], vec!["2018"]),
            (vec![], vec![]),
            (vec![], vec!["2018-13"]),
            (vec![], vec!["0000"]),
            (vec![], vec!["2018"; 201]),
            (vec!["left"; 50], vec!["2018"]),
        ] {
            let refused = ask(measures, periods).await;
            assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "MALFORMED"));
        }
        let page = |page_size, page_token: String| {
            let mut client = monitor(&bench);
            async move { client.list_measures(pb::ListMeasuresRequest { page_size, page_token }).await }
        };
        let all = page(0, String::new()).await.unwrap().into_inner().measures;
        let first = page(4, String::new()).await.unwrap().into_inner();
        let rest = page(100, first.next_page_token).await.unwrap().into_inner();
        assert_eq!([first.measures, rest.measures].concat(), all);
        assert_eq!(reason(&page(4, "eA".into()).await.unwrap_err()), "PAGE_TOKEN_INVALID");
    }
}
