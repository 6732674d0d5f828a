//! P1 to P4: one home, no gap day, one effect, and what is undone.

use super::*;

impl Reader<'_> {
    /// P1
    pub(super) async fn one_home_one_household(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let mut dwelling_of = BTreeMap::new();
        let mut living: BTreeMap<String, String> = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| fact.service == "housing") {
            if let Some(accepted) = fact.of::<housing::AllocationAccepted>() {
                let before = living.insert(accepted.dwelling_id.clone(), accepted.allocation_id.clone());
                tally.hold(before.is_none(), || format!("dwelling {} went to two households", accepted.dwelling_id));
                dwelling_of.insert(accepted.allocation_id, accepted.dwelling_id);
            }
            let withdrawn = fact.of::<housing::AllocationWithdrawn>().map(|event| event.allocation_id);
            let ended = fact.of::<housing::LeaseEnded>().map(|event| event.allocation_id);
            if let Some(dwelling) = withdrawn.or(ended).and_then(|allocation| dwelling_of.get(&allocation)) {
                living.remove(dwelling);
            }
        }
        for dwelling in self.dwellings().await? {
            let allocated = dwelling.state() == housing::DwellingState::Allocated;
            tally.hold(allocated == living.contains_key(&dwelling.dwelling_id), || {
                format!("dwelling {} is shown as {:?}", dwelling.dwelling_id, dwelling.state())
            });
        }
        *self.tally("P1") = tally;
        Ok(())
    }

    pub(super) async fn dwellings(&self) -> anyhow::Result<Vec<housing::Dwelling>> {
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").housing("regie");
        let mut dwellings = Vec::new();
        let mut request = housing::ListDwellingsRequest { page_size: 500, ..Default::default() };
        loop {
            let page = regie.list_dwellings(request.clone()).await.said("ListDwellings")?;
            dwellings.extend(page.dwellings);
            if page.next_page_token.is_empty() {
                return Ok(dwellings);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// P2
    pub(super) fn no_gap_day(&mut self) {
        let mut tally = Tally::default();
        let accepted = self.all::<housing::AllocationAccepted>();
        let withdrawn: BTreeMap<String, Date> = self
            .all::<housing::AllocationWithdrawn>()
            .into_iter()
            .map(|(fact, event)| (event.allocation_id, fact.on))
            .collect();
        let asked = self.all::<income::BenefitRequestCompleted>();
        let tasks = self.all::<regie::TaskOpened>();
        let signed: BTreeMap<String, Date> = self
            .all::<housing::LeaseSigned>()
            .into_iter()
            .map(|(fact, event)| (event.allocation_id, fact.on))
            .collect();
        let today = self.world.today();
        for (fact, home) in &accepted {
            let left =
                asked.iter().any(|(asked, event)| event.allocation_id == home.allocation_id && asked.on == fact.on);
            tally.hold(left, || {
                format!("nothing was asked for allocation {} on the day it was accepted", home.allocation_id)
            });

            let Ok(starts) = proto::to_date("lease_start_on", home.lease_start_on.as_ref()) else { continue };
            let (mut open, mut opened_on) = (false, None);
            for gate in self.facts.iter().filter(|fact| fact.service == "housing") {
                if gate.of::<housing::GateOpened>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    (open, opened_on) = (true, opened_on.or(Some(gate.on)));
                }
                if gate.of::<housing::GateShut>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    open = false;
                }
                if gate.of::<housing::LeaseSigned>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    let secured = self.secured(&home.client_id, &home.allocation_id, starts, gate.at);
                    tally.hold(open && secured, || {
                        format!(
                            "the lease of allocation {} was signed: gate open {open}, secured {secured}",
                            home.allocation_id
                        )
                    });
                }
            }
            // Still shut three working days before the lease starts: the municipality has it on its list.
            let last = Calendar::default().add_working_days(starts, -3);
            let over = withdrawn
                .get(&home.allocation_id)
                .into_iter()
                .chain(signed.get(&home.allocation_id))
                .chain(&opened_on)
                .min();
            if fact.on < last && last <= today && over.is_none_or(|day| *day > last) {
                let told = tasks.iter().any(|(task, event)| {
                    event.kind() == regie::TaskKind::DecideGate
                        && event.subject_id == home.allocation_id
                        && task.on <= last
                });
                tally.hold(told, || {
                    format!("nobody was asked to decide on the gate of allocation {}", home.allocation_id)
                });
            }
        }
        *self.tally("P2") = tally;
    }

    /// Whether by then the income was secured from the first day of the lease.
    pub(super) fn secured(&self, client: &str, allocation: &str, starts: Date, by: (i64, i32)) -> bool {
        let day = |date: &Option<proto::google::r#type::Date>| proto::to_date("date", date.as_ref()).ok();
        let in_time = |date: Option<Date>| date.is_some_and(|date| date <= starts);
        self.facts.iter().filter(|fact| fact.at <= by && fact.client == client).any(|fact| {
            fact.of::<income::BenefitDecided>().is_some_and(|event| {
                event.granted && (in_time(day(&event.start_on)) || in_time(day(&event.running_from_on)))
            }) || fact.of::<income::OwnIncomeVerified>().is_some_and(|event| in_time(day(&event.from_on)))
                || fact.of::<income::AdvancePaid>().is_some_and(|event| {
                    in_time(day(&event.expected_from_on))
                        && day(&event.expected_until).is_none_or(|until| until >= starts)
                })
                || fact
                    .of::<income::RentGuaranteeGranted>()
                    .is_some_and(|event| event.bridging && event.allocation_id == allocation)
                || fact.of::<regie::GateDecided>().is_some_and(|event| {
                    event.open && event.ground() == regie::GateGround::Override && event.allocation_id == allocation
                })
        })
    }

    /// P3
    pub(super) fn exactly_one_effect(&mut self) {
        let mut tally = Tally::default();
        let ids = |of: Vec<String>| {
            let mut count: BTreeMap<String, u32> = BTreeMap::new();
            of.into_iter().for_each(|id| *count.entry(id).or_default() += 1);
            count
        };
        let starts = ids(self
            .all::<income::BenefitRequestCompleted>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .collect());
        let guarantees = ids(self
            .all::<income::RentGuaranteeRequested>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .collect());
        let handovers =
            ids(self.all::<aftercare::HandoverDrafted>().into_iter().map(|(_, event)| event.allocation_id).collect());
        for (_, home) in self.all::<housing::AllocationAccepted>() {
            let id = &home.allocation_id;
            let wanted = u32::from(home.guarantee_required);
            for (what, count, wanted) in
                [("benefit starts", &starts, 1), ("guarantees", &guarantees, wanted), ("handovers", &handovers, 1)]
            {
                let found = count.get(id).copied().unwrap_or(0);
                tally.hold(found == wanted, || format!("allocation {id} has {found} {what}, not {wanted}"));
            }
        }
        let mut notified = BTreeSet::new();
        for (_, event) in self.all::<access::NotificationReceived>() {
            let fresh = notified.insert(event.notification_id.clone());
            tally.hold(fresh, || format!("notification {} came twice", event.notification_id));
        }
        *self.tally("P3") = tally;
    }

    /// P4
    pub(super) async fn undone_everywhere(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let accepted: BTreeMap<String, housing::AllocationAccepted> = self
            .all::<housing::AllocationAccepted>()
            .into_iter()
            .map(|(_, home)| (home.allocation_id.clone(), home))
            .collect();
        let starts: BTreeSet<_> =
            self.all::<income::BenefitStartWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let guarantees: BTreeSet<_> =
            self.all::<income::RentGuaranteeWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let handovers: BTreeSet<_> =
            self.all::<aftercare::HandoverCancelled>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let died: BTreeSet<_> = self.all::<access::ClientDied>().into_iter().map(|(_, e)| e.client_id).collect();
        let withdrawn: Vec<_> =
            self.all::<housing::AllocationWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        // A whole request that was withdrawn takes the start with it.
        let whole: BTreeSet<_> = self
            .all::<income::BenefitRequestWithdrawn>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .filter(|id| !id.is_empty())
            .collect();
        let gone: BTreeSet<_> =
            self.all::<income::BenefitRequestWithdrawn>().into_iter().map(|(fact, _)| fact.client.clone()).collect();
        for id in &withdrawn {
            let Some(home) = accepted.get(id) else { continue };
            let start = starts.contains(id) || whole.contains(id);
            tally.hold(start, || format!("the benefit start of fallen allocation {id} stands"));
            tally.hold(handovers.contains(id), || format!("the handover of fallen allocation {id} stands"));
            if home.guarantee_required {
                tally.hold(guarantees.contains(id), || format!("the guarantee of fallen allocation {id} stands"));
            }
            if !died.contains(&home.client_id) {
                // No more than that: the client's own request goes on.
                tally
                    .hold(!gone.contains(&home.client_id), || format!("the benefit request went with allocation {id}"));
                let desk = self.world.person(Role::Shelter, &home.provider).income("shelter");
                let request = income::GetBenefitStatusRequest { client_id: home.client_id.clone() };
                let status = { desk }.get_benefit_status(request).await.said("GetBenefitStatus")?;
                tally.hold(status.status() != income::BenefitStatus::None, || {
                    format!("no benefit request is left after {id}")
                });
            }
        }
        let over: BTreeSet<&String> = withdrawn.iter().collect();
        let mut live: BTreeMap<&str, i32> = BTreeMap::new();
        for home in accepted.values().filter(|home| !over.contains(&home.allocation_id)) {
            *live.entry(&home.contingent_id).or_default() += 1;
        }
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").housing("regie");
        let request = housing::ListContingentsRequest { page_size: 500, ..Default::default() };
        for contingent in regie.list_contingents(request).await.said("ListContingents")?.contingents {
            let wanted = live.get(contingent.contingent_id.as_str()).copied().unwrap_or(0);
            tally.hold(contingent.drawn == wanted, || {
                format!("contingent {} shows {} drawn, not {wanted}", contingent.contingent_id, contingent.drawn)
            });
        }
        *self.tally("P4") = tally;
        Ok(())
    }
}
