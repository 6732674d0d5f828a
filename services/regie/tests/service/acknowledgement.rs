//! A wrong fact is corrected, and every receiver acknowledges it (R-REG-26).

use super::*;

async fn corrected(bench: &Bench<Regie>, client: ClientId) -> (Uuid, access::ClientCorrected) {
    let corrected = access::ClientCorrected { client_id: client.to_string(), client_version: 2 };
    let event = bench.peer("access").publish(Some(client), TODAY, &corrected).await;
    (event, corrected)
}

/// What is asked of whom: desk, and whether and how it was acknowledged.
async fn listed(caller: &mut Caller, client: ClientId) -> Result<Vec<(String, Option<TaskOutcome>)>, Status> {
    let request = ListAcknowledgementsRequest { client_id: client.to_string() };
    let all = caller.list_acknowledgements(request).await?.into_inner().acknowledgements;
    let line = |one: &AcknowledgementView| {
        assert_eq!(one.kind(), TaskKind::TakeOverCorrection);
        let outcome = Some(one.outcome()).filter(|outcome| *outcome != TaskOutcome::Unspecified);
        assert_eq!(one.acknowledged_on.is_some(), outcome.is_some());
        (format!("{}/{}", one.organisation, one.role), outcome)
    };
    let mut lines: Vec<_> = all.iter().map(line).collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(lines)
}

async fn to_take_over(caller: &mut Caller) -> Vec<TaskView> {
    let mut all = tasks(caller, ListTasksRequest::default()).await;
    all.retain(|task| task.kind() == TaskKind::TakeOverCorrection);
    all
}

fn done(task: &TaskView, outcome: TaskOutcome) -> CompleteTaskRequest {
    CompleteTaskRequest {
        request_id: rid(),
        task_id: task.task_id.clone(),
        expected_version: task.version,
        outcome: outcome.into(),
    }
}

testkit::on_both_engines! {
    /// R-REG-26, P7: each desk that may have read acknowledges for itself; who has, who has not and since when is seen by the
    /// municipality, the case holder and the client, and by nobody else.
    async fn a_correction_is_acknowledged_by_every_receiver(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        regie.assign_case_holder(assign(client, "anna", 1, AssignmentReason::Unspecified)).await.unwrap();
        accepted(&bench, client).await;
        bench.settled().await;
        corrected(&bench, client).await;
        let open = |desk: &str| (desk.to_owned(), None);
        let mut all = vec![
            open("gemeente-dordrecht/access"),
            open("gemeente-dordrecht/caseholder"),
            open("leger-des-heils/shelter"),
            open("sociale-dienst/income"),
            open("trivire/corporation"),
            open("wijkteam-west/district"),
        ];
        let mut own = as_(&bench, &client_actor(client), "own-file");
        assert_eq!(listed(&mut own, client).await.unwrap(), all);
        let task = &to_take_over(&mut shelter(&bench)).await[0];
        assert_eq!((task.title.as_str(), task.due_on), ("Neem de verbeterde gegevens over", Some(from_date(date(2026, 3, 9)))));
        let mut corporation = as_(&bench, &actor(Role::Corporation, "trivire"), "housing");
        let rented = &to_take_over(&mut corporation).await[0];
        // Another desk of the same organisation acknowledges its own only.
        let not_theirs = as_(&bench, &anna(), "regie").complete_task(done(task, TaskOutcome::Done)).await.unwrap_err();
        assert_eq!(not_theirs.code(), Code::NotFound);
        let taken_over = done(task, TaskOutcome::Done);
        shelter(&bench).complete_task(taken_over.clone()).await.unwrap();
        shelter(&bench).complete_task(taken_over).await.unwrap();
        corporation.complete_task(done(rented, TaskOutcome::NotNeeded)).await.unwrap();
        (all[2].1, all[4].1) = (Some(TaskOutcome::Done), Some(TaskOutcome::NotNeeded));
        for caller in [&mut regie, &mut own, &mut as_(&bench, &anna(), "regie")] {
            assert_eq!(listed(caller, client).await.unwrap(), all);
        }
        let mut colleague = as_(&bench, &actor(Role::Caseholder, "gemeente-dordrecht"), "regie");
        assert_eq!(listed(&mut colleague, client).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(listed(&mut shelter(&bench), client).await.unwrap_err().code(), Code::PermissionDenied);
        // P7: what nobody acknowledges is warned of, and then the municipality's.
        let waiting = async || {
            let request = ListTasksRequest { all_organisations: true, client_id: client.to_string(), ..Default::default() };
            tasks(&mut municipality(&bench), request).await
        };
        let of_kind = |all: &[TaskView], kind| all.iter().filter(|task| task.kind() == kind).cloned().collect::<Vec<_>>();
        bench.on(date(2026, 3, 4)).await;
        let warned = of_kind(&waiting().await, TaskKind::TakeOverCorrection);
        assert!(warned.len() == 4 && warned.iter().all(|task| task.approaching && !task.overdue));
        bench.on(date(2026, 3, 10)).await;
        let all = waiting().await;
        let late: BTreeSet<String> = of_kind(&all, TaskKind::TakeOverCorrection).into_iter().filter(|task| task.overdue).map(|task| task.task_id).collect();
        let escalated = of_kind(&all, TaskKind::Escalated);
        let escalated: Vec<_> = escalated.iter().filter(|task| late.contains(&task.subject_id)).collect();
        assert_eq!((late.len(), escalated.len()), (4, 2), "what is the municipality's own stays on its own list");
    }

    /// R-REG-26: who had to do with the client before the correction is asked, who came after it is not.
    async fn who_had_a_relation_is_asked_and_who_gets_one_later_is_not(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let close = CloseCaseRequest {
            request_id: rid(),
            expected_version: version(&bench, client).await,
            client_id: client.to_string(),
            reason: CloseReason::Left.into(),
        };
        municipality(&bench).close_case(close).await.unwrap();
        bench.settled().await;
        assert_eq!(case_of(&mut shelter(&bench), client).await.unwrap_err().code(), Code::NotFound);
        let stranger = ClientId(Uuid::new_v4());
        corrected(&bench, stranger).await;
        corrected(&bench, client).await;
        notify(&bench, client).await;
        accepted(&bench, client).await;
        bench.settled().await;
        let mut own = as_(&bench, &client_actor(client), "own-file");
        let asked = listed(&mut own, client).await.unwrap();
        assert_eq!(asked, [("gemeente-dordrecht/access".to_owned(), None), ("leger-des-heils/shelter".to_owned(), None)]);
        assert_eq!(listed(&mut municipality(&bench), stranger).await.unwrap(), []);
    }

    /// R-REG-26, P3: corrected again before anybody answered, there is one task each, and nobody acknowledges what they did
    /// not see; corrected after an answer, there is a new one; delivered twice, nothing is.
    async fn a_second_correction_is_asked_by_the_task_that_stands(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (event, first) = corrected(&bench, client).await;
        let seen = to_take_over(&mut shelter(&bench)).await;
        bench.on(date(2026, 3, 3)).await;
        corrected(&bench, client).await;
        let now = to_take_over(&mut shelter(&bench)).await;
        assert_eq!((now.len(), now[0].task_id.clone(), now[0].due_on), (1, seen[0].task_id.clone(), seen[0].due_on));
        let blind = shelter(&bench).complete_task(done(&seen[0], TaskOutcome::Done)).await.unwrap_err();
        assert_eq!(reason(&blind), "STALE_VERSION");
        shelter(&bench).complete_task(done(&now[0], TaskOutcome::Done)).await.unwrap();
        bench.peer("access").publish_as(event, Some(client), TODAY, &first).await;
        assert_eq!(to_take_over(&mut shelter(&bench)).await, []);
        corrected(&bench, client).await;
        let third = to_take_over(&mut shelter(&bench)).await;
        assert!(third.len() == 1 && third[0].task_id != seen[0].task_id);
        let mut own = as_(&bench, &client_actor(client), "own-file");
        let of_shelter = listed(&mut own, client).await.unwrap();
        let of_shelter: Vec<_> = of_shelter.iter().filter(|(desk, _)| desk == "leger-des-heils/shelter").collect();
        assert_eq!(of_shelter.len(), 2);
    }
}
