//! P5 to P7: no signal is lost, nobody is back on the street, nothing lapses silently.

use super::*;

impl Reader<'_> {
    /// P5
    pub(super) async fn no_signal_lost(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let received = self.all::<aftercare::SignalReceived>();
        let mut teams: BTreeSet<(Role, String)> = BTreeSet::new();
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").regie("regie");
        let request = regie::ListOrganisationsRequest { page_size: 500, ..Default::default() };
        for organisation in regie.list_organisations(request).await.said("ListOrganisations")?.organisations {
            for role in organisation.roles.iter().filter_map(|role| Role::from_key(role)) {
                if matches!(role, Role::District | Role::Shelter | Role::Vo) {
                    teams.insert((role, organisation.organisation.clone()));
                }
            }
        }
        for (role, organisation) in &teams {
            let team = self.world.person(*role, organisation);
            let purpose = if *role == Role::District { "aftercare" } else { "shelter" };
            let stream: Vec<(String, String)> = self
                .world
                .read(&team, "aftercare", purpose, "")
                .await?
                .into_iter()
                .filter_map(|event| Fact::read("aftercare", event).ok())
                .filter_map(|fact| {
                    fact.of::<aftercare::SignalReceived>().map(|signal| (fact.client.clone(), signal.signal_id))
                })
                .collect();
            let mine: Vec<(String, String)> = received
                .iter()
                .filter(|(_, signal)| signal.teams.contains(organisation))
                .map(|(fact, signal)| (fact.client.clone(), signal.signal_id.clone()))
                .collect();
            for signal in &mine {
                tally.hold(stream.contains(signal), || format!("signal {} did not reach {organisation}", signal.1));
            }
            for signal in &stream {
                tally.hold(mine.contains(signal), || format!("{organisation} got signal {} of others", signal.1));
            }
            let order = |of: &[(String, String)]| {
                let mut by_client: BTreeMap<String, Vec<String>> = BTreeMap::new();
                of.iter()
                    .for_each(|(client, signal)| by_client.entry(client.clone()).or_default().push(signal.clone()));
                by_client
            };
            tally.hold(order(&stream) == order(&mine), || format!("{organisation} got its signals out of order"));
        }
        // Whoever resumes a named subscription has acknowledged all that was for them.
        for (organisation, name) in &subscriptions(self.world, "aftercare").await? {
            let Some((role, _)) = teams.iter().find(|(_, team)| team == organisation) else { continue };
            let team = self.world.person(*role, organisation);
            let purpose = if *role == Role::District { "aftercare" } else { "shelter" };
            let left = self.world.read(&team, "aftercare", purpose, name).await?.len();
            tally.hold(left == 0, || format!("{organisation} has not acknowledged {left} events of {name}"));
        }
        // Taken up in time, or it went on to the case holder and the municipality.
        let taken: BTreeMap<String, Date> = self
            .all::<aftercare::SignalTakenUp>()
            .into_iter()
            .map(|(fact, event)| (event.signal_id, fact.on))
            .collect();
        let closed: BTreeMap<String, Date> =
            self.all::<aftercare::SignalClosed>().into_iter().map(|(fact, event)| (event.signal_id, fact.on)).collect();
        let escalated: BTreeSet<String> =
            self.all::<aftercare::SignalEscalated>().into_iter().map(|(_, event)| event.signal_id).collect();
        let told: BTreeSet<String> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .filter(|(_, task)| {
                matches!(task.kind(), regie::TaskKind::TakeUpSignal | regie::TaskKind::FindPlaceTonight)
            })
            .map(|(_, task)| task.subject_id)
            .collect();
        for (_, signal) in &received {
            let Ok(answer_by) = proto::to_date("answer_by", signal.answer_by.as_ref()) else { continue };
            let ended = taken.get(&signal.signal_id).into_iter().chain(closed.get(&signal.signal_id)).min();
            if answer_by >= self.world.today() || ended.is_some_and(|day| *day <= answer_by) {
                tally.hold(true, String::new);
            } else {
                let reached = escalated.contains(&signal.signal_id) && told.contains(&signal.signal_id);
                tally.hold(reached, || format!("signal {} was left lying", signal.signal_id));
            }
        }
        *self.tally("P5") = tally;
        Ok(())
    }

    /// P6
    pub(super) fn never_back_on_the_street(&mut self) {
        let mut tally = Tally::default();
        let claims = self.all::<access::PlaceClaimed>();
        let tasks = self.all::<regie::TaskOpened>();
        for (fact, report) in self.all::<aftercare::NowhereToSleepReported>() {
            let claimed = claims.iter().any(|(claim, event)| {
                (event.signal_id == report.signal_id || event.client_id == report.client_id) && claim.on == fact.on
            });
            let alarmed = tasks.iter().any(|(task, event)| {
                event.kind() == regie::TaskKind::FindPlaceTonight
                    && event.subject_id == report.signal_id
                    && task.on == fact.on
            });
            tally.hold(claimed || alarmed, || format!("nobody saw to signal {} the same day", report.signal_id));
        }
        *self.tally("P6") = tally;
    }

    /// P7
    pub(super) fn nothing_lapses_silently(&mut self) {
        let mut tally = Tally::default();
        // When each task was first put on somebody's list.
        let tasks: BTreeMap<(Task, String), Date> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .rev()
            .map(|(fact, task)| ((task.kind(), task.subject_id), fact.on))
            .collect();
        let mut lapses: Vec<Lapse> = Vec::new();
        macro_rules! lapse {
            ($what:literal, $lapsed:ty, $warned:ty, $id:ident, $tasks:expr) => {
                lapse!($what, $lapsed, $warned, $id, $tasks, |_| true);
            };
            ($what:literal, $lapsed:ty, $warned:ty, $id:ident, $tasks:expr, $counts:expr) => {
                let warnings: BTreeMap<String, Date> =
                    self.all::<$warned>().into_iter().rev().map(|(fact, event)| (event.$id, fact.on)).collect();
                let counts: fn(&$lapsed) -> bool = $counts;
                for (fact, event) in self.all::<$lapsed>().into_iter().filter(|(_, event)| counts(event)) {
                    let warned = warnings.get(&event.$id).copied();
                    lapses.push(Lapse { what: $what, id: event.$id, on: fact.on, warned, wanted: $tasks });
                }
            };
        }
        let answers = &[Task::AnswerOffer, Task::AnswerCandidate];
        lapse!("offer", housing::OfferLapsed, housing::OfferEndingSoon, offer_id, answers);
        let extension = &[Task::ExtendDecision];
        lapse!("decision", access::DecisionEnded, access::DecisionEndingSoon, decision_id, extension, |event| {
            event.reason() == access::DecisionEndReason::Expired
        });
        let finding = &[Task::FinishInvestigation];
        lapse!("investigation", access::InvestigationOverdue, access::InvestigationDueSoon, notification_id, finding);
        lapse!("claimed place", access::PlaceClaimReleased, access::PlaceClaimEndingSoon, claim_id, &[], |event| {
            event.reason() == access::ClaimReleaseReason::Lapsed
        });
        lapse!("handover", aftercare::HandoverOverdue, aftercare::HandoverDueSoon, handover_id, &[]);
        lapse!("rent guarantee", income::RentGuaranteeEnded, income::RentGuaranteeEndingSoon, guarantee_id, &[]);
        let answer = &[Task::GiveInformation];
        lapse!("information", income::InformationOverdue, income::InformationDueSoon, benefit_request_id, answer);
        let decision = &[Task::DecideBenefit];
        lapse!("benefit", income::BenefitDecisionOverdue, income::BenefitDecisionDue, benefit_request_id, decision);
        lapse!("advance", income::AdvanceOverdue, income::AdvanceDue, benefit_request_id, &[Task::PayAdvance]);
        for Lapse { what, id, on: lapsed, warned, wanted } in lapses {
            tally.hold(warned.is_some_and(|warned| warned <= lapsed), || {
                format!("the {what} {id} lapsed on {lapsed} unannounced")
            });
            if !wanted.is_empty() {
                tally.hold(was_listed(&tasks, wanted, &id, lapsed), || {
                    format!("the {what} {id} lapsed on {lapsed} and was on nobody's list before")
                });
            }
        }
        self.tasks_warn(&mut tally);
        *self.tally("P7") = tally;
    }

    /// A task that nobody did was on somebody's list before its day, and warned of it unless it was that short.
    pub(super) fn tasks_warn(&self, tally: &mut Tally) {
        // A task that gets another last day is opened anew.
        let due_of = |due: &Option<proto::google::r#type::Date>| proto::to_date("due_on", due.as_ref()).ok();
        let opened: BTreeMap<(String, Option<Date>), Date> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .rev()
            .map(|(fact, task)| ((task.task_id, due_of(&task.due_on)), fact.on))
            .collect();
        let warned: BTreeMap<String, Date> = self
            .all::<regie::DeadlineApproaching>()
            .into_iter()
            .rev()
            .map(|(fact, event)| (event.task_id, fact.on))
            .collect();
        for (fact, missed) in self.all::<regie::DeadlineMissed>() {
            let id = &missed.task_id;
            let Some(due) = due_of(&missed.due_on) else { continue };
            let on_the_list = opened.get(&(id.clone(), Some(due))).copied();
            tally.hold(on_the_list.is_some_and(|day| day <= due), || {
                format!("task {id} was missed and on nobody's list")
            });
            let short = on_the_list.is_some_and(|day| day >= Calendar::default().add_working_days(due, -3));
            let told = warned.get(id).is_some_and(|day| *day <= fact.on);
            tally.hold(short || told, || {
                format!("task {id} ({:?}) of {on_the_list:?} was missed on {due} without a warning", missed.kind())
            });
        }
    }
}

/// The named subscriptions on a feed: organisation and name.
async fn subscriptions(world: &World, service: &str) -> anyhow::Result<Vec<(String, String)>> {
    let regie = world.person(Role::Regie, roles::organisation(Role::Regie));
    let status = regie.feed(service, "operations").get_status(GetStatusRequest {}).await.said("GetStatus")?;
    Ok(status.subscriptions.into_iter().map(|subscription| (subscription.organisation, subscription.name)).collect())
}

/// Something that lapsed.
struct Lapse {
    what: &'static str,
    id: String,
    on: Date,
    /// When it was warned of.
    warned: Option<Date>,
    /// The tasks of which one had to be on somebody's list before.
    wanted: &'static [Task],
}

/// Whether one of the tasks that keep something from lapsing was on somebody's list before it did. A task of another kind,
/// as the one to see to what follows from the lapse, is none of them.
fn was_listed(opened: &BTreeMap<(Task, String), Date>, wanted: &[Task], subject: &str, lapsed: Date) -> bool {
    wanted.iter().any(|kind| opened.get(&(*kind, subject.to_owned())).is_some_and(|day| *day < lapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P7
    #[test]
    fn what_follows_from_a_lapse_is_no_warning_of_it() {
        let day = |day| Date::constant(2026, 3, day);
        let answers = &[Task::AnswerOffer, Task::AnswerCandidate];
        let listed = |kind, on| was_listed(&[((kind, "offer".to_owned()), day(on))].into(), answers, "offer", day(9));
        assert!(listed(Task::AnswerOffer, 8) && listed(Task::AnswerCandidate, 8));
        assert!(!listed(Task::AnswerOffer, 9), "on the day itself it is too late");
        assert!(!listed(Task::FollowUpOffer, 8), "another task about the same offer");
        assert!(!was_listed(&BTreeMap::new(), answers, "offer", day(9)));
    }
}
