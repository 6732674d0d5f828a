//! P8 and P10: only what you need to know, and entered once.

use super::*;

impl Reader<'_> {
    /// P8
    pub(super) async fn only_what_you_need(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        self.partners_feeds(&mut tally).await?;
        self.views(&mut tally).await?;
        self.strangers(&mut tally).await?;
        self.own_log(&mut tally).await?;
        *self.tally("P8") = tally;
        Ok(())
    }

    /// What a partner's feed carried: types for its role, and no category beyond its column of the matrix.
    pub(super) async fn partners_feeds(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let partners = [
            (Role::Corporation, "trivire", "housing"),
            (Role::Corporation, "woonbron", "housing"),
            (Role::Income, "sociale-dienst", "income"),
            (Role::District, "wijkteam-west", "aftercare"),
            (Role::District, "wijkteam-oost", "aftercare"),
            (Role::Shelter, "leger-des-heils", "shelter"),
        ];
        for (role, organisation, purpose) in partners {
            let partner = self.world.person(role, organisation);
            let mut streams = Vec::new();
            for service in ["access", "housing", "income", "aftercare", "regie"] {
                let partner = partner.clone();
                streams.push(async move { self.world.read(&partner, service, purpose, "").await });
            }
            for event in futures_util::future::try_join_all(streams).await?.into_iter().flatten() {
                let payload = event.payload.context("an event has a payload")?;
                let name = payload.type_url.rsplit('/').next().unwrap_or_default();
                let descriptor = proto::CONTRACT.get_message_by_name(name).context("an event is of the contract")?;
                let message = DynamicMessage::decode(descriptor, payload.value.as_slice())?;
                let overheard = overheard(role, &message);
                tally.hold(overheard.is_none(), || format!("{organisation}: {}", overheard.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// What the answers that a role may ask for can carry at all. Who may ask is found out by asking without saying what
    /// for, so that nothing is done and nothing shown.
    pub(super) async fn views(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let askers: Vec<(Role, Person)> = Role::ALL.iter().map(|role| (*role, self.world.anybody(*role))).collect();
        for method in crate::dynamic::methods().filter(|method| tells_of_people(&method.output())) {
            let name = format!("{}/{}", method.parent_service().name(), method.name());
            let service = crate::dynamic::service_of(&method).unwrap_or_else(|| "access".to_owned());
            let ask = async |person: &Person| {
                let request = tonic::Request::new(DynamicMessage::new(method.input()));
                crate::dynamic::call(person.to(&service, ""), &method, request).await.map(drop)
            };
            let answers = futures_util::future::join_all(askers.iter().map(|(_, person)| ask(person))).await;
            for ((role, _), said) in askers.iter().zip(answers) {
                let forbidden = too_much(*role, &method.output());
                match may_ask(&said) {
                    Some(true) => {
                        tally.hold(forbidden.is_empty(), || format!("{name} can tell {role} {forbidden:?}"));
                    }
                    Some(false) => {}
                    None => tally.hold(false, || format!("{name} without a purpose: {said:?}")),
                }
            }
        }
        Ok(())
    }

    /// Whoever has nothing to do with a client hears the same as of somebody who does not exist.
    pub(super) async fn strangers(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let clients: BTreeSet<String> =
            self.all::<access::ClientRegistered>().into_iter().map(|(_, event)| event.client_id).take(3).collect();
        let stranger = self.world.person(Role::Shelter, "vreemde-opvang").access("shelter");
        let corporation = self.world.person(Role::Corporation, "vreemde-corporatie");
        let nobody = uuid::Uuid::new_v4().to_string();
        for client_id in clients {
            let look = |client_id: String| {
                let (mut shelter, mut landlord) = (stranger.clone(), corporation.access("housing"));
                async move {
                    let journey = access::GetJourneyRequest { client_id: client_id.clone() };
                    let tenant = access::GetTenantRequest { client_id };
                    [shelter.get_journey(journey).await.err(), landlord.get_tenant(tenant).await.err()]
                }
            };
            for (known, unknown) in look(client_id).await.into_iter().zip(look(nobody.clone()).await) {
                tally.hold(alike(known.as_ref(), unknown.as_ref()), || {
                    format!("a stranger can tell who is known: {known:?} and {unknown:?}")
                });
            }
        }
        let mut housing = corporation.income("housing");
        let denied =
            housing.get_benefit_request(income::GetBenefitRequestRequest { benefit_request_id: nobody }).await.err();
        let by_role = denied.as_ref().is_some_and(|status| refusal::reason(status) == "ROLE_NOT_ALLOWED");
        tally.hold(by_role, || format!("a corporation may ask for a benefit: {denied:?}"));
        Ok(())
    }

    /// The client reads who looked: also this reader, a moment ago.
    pub(super) async fn own_log(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let clients: Vec<String> =
            self.all::<access::ClientRegistered>().into_iter().map(|(_, event)| event.client_id).take(20).collect();
        let mut desk = self.world.person(Role::Access, "gemeente-dordrecht").access("investigation");
        for client_id in clients {
            let before = self.looks(&client_id).await?;
            desk.get_journey(access::GetJourneyRequest { client_id: client_id.clone() }).await.said("GetJourney")?;
            let after = self.looks(&client_id).await?;
            tally.hold(after == before + 1, || format!("a look at {client_id} is not in the own log"));
        }
        Ok(())
    }

    /// How often the access desk read the journey, by the client's own log.
    pub(super) async fn looks(&self, client_id: &str) -> anyhow::Result<usize> {
        let mut own = self.world.client(client_id)?.audit("access", "own-file");
        let request = ListAccessRequest { client_id: client_id.to_owned(), page_size: 500, page_token: String::new() };
        let entries = own.list_access(request).await.said("ListAccess")?.entries;
        let by_desk = |entry: &&proto::audit::v1::AccessEntry| {
            entry.method == "AccessService/GetJourney"
                && entry.organisation == "gemeente-dordrecht"
                && entry.result == "ok"
        };
        Ok(entries.iter().filter(by_desk).count())
    }

    /// P10
    pub(super) async fn enter_once(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let starts: BTreeMap<String, income::BenefitRequestCompleted> = self
            .all::<income::BenefitRequestCompleted>()
            .into_iter()
            .map(|(_, e)| (e.allocation_id.clone(), e))
            .collect();
        let handovers: BTreeMap<String, aftercare::HandoverDrafted> =
            self.all::<aftercare::HandoverDrafted>().into_iter().map(|(_, e)| (e.allocation_id.clone(), e)).collect();
        let withdrawn: BTreeSet<String> =
            self.all::<housing::AllocationWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        for (_, home) in self.all::<housing::AllocationAccepted>() {
            let id = &home.allocation_id;
            let lease = starts.get(id).is_some_and(|start| {
                start.lease_start_on == home.lease_start_on && start.municipality == home.municipality
            });
            tally.hold(lease, || format!("income does not know the lease start of {id} from housing"));
            let giver = handovers.get(id).is_some_and(|handover| handover.from_organisation == home.provider);
            tally.hold(giver, || format!("aftercare does not know who gives the handover of {id} from housing"));
            if withdrawn.contains(id) {
                continue;
            }
            let mut desk = self.world.person(Role::Income, "sociale-dienst").housing("income");
            let request = housing::GetMoveForIncomeRequest { allocation_id: id.clone() };
            match desk.get_move_for_income(request).await {
                Ok(answer) => {
                    tally.hold(answer.into_inner().rent_cents == home.rent_cents, || format!("another rent for {id}"))
                }
                // Once the move is over social services have nothing to do with it any more.
                Err(status) => tally.hold(status.code() == Code::NotFound, || refusal::explain(&status)),
            }
        }
        // The name is entered at the door and nowhere else: who guides a client reads it there.
        let notified: BTreeSet<(String, String)> = self
            .all::<access::ClientRegistered>()
            .into_iter()
            .map(|(_, event)| (event.client_id, event.registered_by))
            .take(20)
            .collect();
        for (client_id, organisation) in notified {
            let mut desk = self.world.person(Role::Access, &organisation).access("notification");
            let client =
                desk.get_client(access::GetClientRequest { client_id: client_id.clone() }).await.said("GetClient")?;
            let named = client.client.is_some_and(|client| !client.surname.is_empty());
            tally.hold(named, || format!("client {client_id} has no name at the door"));
        }
        *self.tally("P10") = tally;
        Ok(())
    }
}

/// What a call without a purpose says of who may ask: whoever may not hears that first, whoever may is asked for the
/// purpose. Anything else is no answer to that.
fn may_ask(said: &Result<(), Status>) -> Option<bool> {
    match refusal::reason(said.as_ref().err()?).as_str() {
        "ROLE_NOT_ALLOWED" => Some(false),
        "PURPOSE_MISSING" => Some(true),
        _ => None,
    }
}

/// Whether somebody who is known and somebody who is not cannot be told apart.
fn alike(known: Option<&Status>, unknown: Option<&Status>) -> bool {
    let (Some(known), Some(unknown)) = (known, unknown) else { return false };
    known.code() == Code::NotFound && refusal::explain(known) == refusal::explain(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P8
    #[test]
    fn a_stranger_may_not_be_able_to_tell_who_is_known() {
        let nobody = || proto::status(&(&kernel::general::NOT_FOUND).into());
        let named =
            || proto::status(&kernel::general::NOT_FOUND.field("client_id", "is another's", "is van een ander"));
        let denied = || proto::status(&kernel::general::ROLE_NOT_ALLOWED.with("rpc", "GetJourney"));
        assert!(alike(Some(&nobody()), Some(&nobody())));
        assert!(!alike(None, Some(&nobody())), "the known one is shown");
        assert!(!alike(Some(&denied()), Some(&denied())), "that something is there is told");
        assert!(!alike(Some(&named()), Some(&nobody())), "the details differ");
        assert!(!alike(None, None));
    }

    /// P8
    #[test]
    fn who_may_ask_is_told_by_what_is_asked_back() {
        let said = |reason: &'static kernel::Reason| may_ask(&Err(proto::status(&reason.into())));
        assert_eq!(said(&kernel::general::ROLE_NOT_ALLOWED), Some(false));
        assert_eq!(said(&kernel::general::PURPOSE_MISSING), Some(true));
        assert_eq!(said(&kernel::general::NOT_FOUND), None, "it was let in without a purpose");
        assert_eq!(may_ask(&Ok(())), None, "it was answered without a purpose");
    }
}
