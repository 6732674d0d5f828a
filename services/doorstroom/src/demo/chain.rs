//! Part (b): six people go through the whole chain, with what goes wrong in real life.
//!
//! | who | what happens |
//! |---|---|
//! | Anna | wins the home that Bram declines; her handover is returned once; lands |
//! | Bram | declines a home, takes the next; his benefit is late, an advance opens the gate |
//! | Carla | races Dirk for one home; whoever wins it loses it again, and it goes to the other |
//! | Dirk | the other one; relapses after the move, and is back under a roof the same night |
//! | Els | dies after a home was accepted for her |
//! | Hugo | does not answer an offer, and his decision runs out |
//!
//! Meanwhile one team is away for a week, a signal waits until it reaches the municipality, and somebody has nowhere to
//! sleep where there is no place at all.

use super::dice::Dice;
use super::people;
use super::team::Team;
use super::world::{Said, World, on, rid};
use super::years::DORDRECHT;
use crate::doors::Person;
use anyhow::{Context as _, ensure};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::regie::v1 as regie;

/// The Monday on which it begins.
pub const BEGINS: Date = Date::constant(2026, 1, 5);
/// The last day.
pub const ENDS: Date = Date::constant(2026, 4, 8);
/// On which the leases start.
const LEASES: Date = Date::constant(2026, 2, 1);

/// A neighbouring municipality without any shelter.
const ZWIJNDRECHT: &str = "0642";
const WEST: &str = "WK050503";
const OOST: &str = "WK050507";
const RENT_CENTS: i64 = 59_000;

/// Something that the demo may leave out, to show that the checker notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The register of one night.
    Night,
    /// A team's acknowledgements after its week away.
    Acknowledgement,
}

/// Everybody who works in the chain.
struct Chain<'a> {
    world: &'a World,
    /// Hears each day.
    tell: &'a dyn Fn(Date),
    dice: Dice,
    day: Date,
    shelter: Person,
    desk: Person,
    regie: Person,
    social: Person,
    trivire: Person,
    woonbron: Person,
    police: Person,
    west: Team,
    oost: Team,
    facility: String,
    staying: Vec<Staying>,
    homes: u32,
    left_out: Option<LeftOut>,
}

/// A bed that is slept in.
struct Staying {
    stay_id: String,
    from: Date,
}

/// A client, by what the services answered.
#[derive(Clone, Default)]
struct Client {
    id: String,
    notification: String,
    stay: String,
    benefit: String,
    nomination: String,
}

/// A household, and the home that was accepted for it.
#[derive(Clone)]
struct Move {
    client: Client,
    allocation: String,
    corporation: Person,
}

/// Who moves in the end, after everything that went wrong on the way.
struct Moves {
    anna: Move,
    bram: Move,
    /// Who won the race and lost the home again.
    winner: Move,
    /// Who got it then.
    loser: Move,
}

impl Moves {
    fn all(&self) -> [&Move; 4] {
        [&self.anna, &self.bram, &self.loser, &self.winner]
    }
}

/// A day of the story.
const fn day(month: i8, day: i8) -> Date {
    Date::constant(2026, month, day)
}

/// Lives through the story. `tell` hears each day. Gives back how many clients there were.
pub async fn live(world: &World, seed: u64, left_out: Option<LeftOut>, tell: impl Fn(Date)) -> anyhow::Result<usize> {
    let mut chain = Chain {
        world,
        tell: &tell,
        dice: Dice::new(seed ^ 0xd00d),
        day: BEGINS,
        shelter: world.person(Role::Shelter, "leger-des-heils"),
        desk: world.person(Role::Access, "gemeente-dordrecht"),
        regie: world.person(Role::Regie, "gemeente-dordrecht"),
        social: world.person(Role::Income, "sociale-dienst"),
        trivire: world.person(Role::Corporation, "trivire"),
        woonbron: world.person(Role::Corporation, "woonbron"),
        police: world.person(Role::Police, "politie-drechtsteden"),
        west: Team::new(world, "wijkteam-west"),
        oost: Team::new(world, "wijkteam-oost"),
        facility: String::new(),
        staying: Vec::new(),
        homes: 0,
        left_out,
    };
    chain.west.listen();
    chain.oost.listen();
    let clients = chain.story().await?;
    chain.west.leave(world).await?;
    chain.oost.leave(world).await?;
    Ok(clients)
}

impl Chain<'_> {
    async fn story(&mut self) -> anyhow::Result<usize> {
        let clients = self.arrivals().await?;
        let number = clients.len();
        let [anna, bram, carla, dirk, els, hugo] = clients;
        let (anna, bram) = self.one_home_two_offers(anna, bram, &hugo).await?;
        let (winner, loser) = self.a_home_falls_through(carla, dirk).await?;
        self.handover(&anna.allocation, true).await?;
        let winner = self.a_home_comes_free(els, winner).await?;
        for home in [&bram, &loser] {
            self.handover(&home.allocation, false).await?;
        }
        self.to(day(1, 19)).await?;
        let moves = Moves { anna, bram, winner, loser };
        self.income_for_each(&moves).await?;
        self.moving(&moves).await?;
        self.contacts(&moves).await?;
        self.relapses(&moves).await?;
        self.a_team_away(&moves).await?;
        self.to(ENDS).await?;
        Ok(number)
    }

    /// Six arrive, get what a home asks, and are nominated.
    async fn arrivals(&mut self) -> anyhow::Result<[Client; 6]> {
        self.set_up().await?;
        let mut clients: [Client; 6] = Default::default();
        for (number, client) in clients.iter_mut().enumerate() {
            *client = self.arrive(number).await?;
        }
        self.to(day(1, 6)).await?;
        for client in &mut clients {
            self.equip(client).await?;
        }
        self.short_decision(&clients[5]).await?;
        for (number, client) in clients.iter_mut().enumerate() {
            self.nominate(client, number).await?;
        }
        self.to(day(1, 7)).await?;
        Ok(clients)
    }

    /// One home, two offers: Bram declines, Anna accepts. Bram takes the next; Hugo does not answer.
    async fn one_home_two_offers(&mut self, anna: Client, bram: Client, hugo: &Client) -> anyhow::Result<(Move, Move)> {
        let (trivire, woonbron) = (self.trivire.clone(), self.woonbron.clone());
        let first = self.home(&trivire, WEST, housing::ContractForm::ConvertibleLease).await?;
        let ranking = housing::RankCandidatesRequest { dwelling_id: first.clone(), ..Default::default() };
        let ranked = self.regie.housing("regie").rank_candidates(ranking).await.said("RankCandidates")?.ranked;
        ensure!(ranked.len() == 6, "all six are in the ranking, not {}", ranked.len());
        let to_bram = self.offer(&first, &bram).await?;
        let to_anna = self.offer(&first, &anna).await?;
        self.decline(&to_bram, &bram).await?;
        let anna = self.accept(&to_anna, anna, &trivire).await?;
        self.to(day(1, 8)).await?;

        // Bram needs a guarantee.
        let second = self.home(&woonbron, OOST, housing::ContractForm::OwnLease).await?;
        let to_bram = self.offer(&second, &bram).await?;
        let bram = self.accept(&to_bram, bram, &woonbron).await?;
        let third = self.home(&woonbron, OOST, housing::ContractForm::OwnLease).await?;
        self.offer(&third, hugo).await?;
        self.to(day(1, 9)).await?;
        Ok((anna, bram))
    }

    /// Carla and Dirk race for one home. It falls through, and goes to the other: the contingent had no place left but this
    /// one. Gives back who won the race, and the move of who lost it.
    async fn a_home_falls_through(&mut self, carla: Client, dirk: Client) -> anyhow::Result<(Client, Move)> {
        let trivire = self.trivire.clone();
        let fourth = self.home(&trivire, WEST, housing::ContractForm::OwnLease).await?;
        let (carla_won, fallen) = self.race(&fourth, &carla, &dirk).await?;
        let (winner, loser) = if carla_won { (carla, dirk) } else { (dirk, carla) };
        self.to(day(1, 13)).await?;
        self.withdraw(&fallen, housing::WithdrawalReason::HouseholdChanged).await?;
        let to_loser = self.offer(&fourth, &loser).await?;
        let loser = self.accept(&to_loser, loser, &trivire).await?;
        Ok((winner, loser))
    }

    /// Els gets a home and dies; the home goes to whoever lost one.
    async fn a_home_comes_free(&mut self, els: Client, winner: Client) -> anyhow::Result<Move> {
        let woonbron = self.woonbron.clone();
        let fifth = self.home(&woonbron, WEST, housing::ContractForm::OwnLease).await?;
        let to_els = self.offer(&fifth, &els).await?;
        let els = self.accept(&to_els, els, &woonbron).await?;
        self.to(day(1, 15)).await?;
        self.death(&els.client).await?;
        let to_winner = self.offer(&fifth, &winner).await?;
        self.accept(&to_winner, winner, &woonbron).await
    }

    /// Income: granted, late, of one's own, and by the municipality's own decision.
    async fn income_for_each(&mut self, moves: &Moves) -> anyhow::Result<()> {
        let Moves { anna, bram, winner, loser } = moves;
        self.agreement(anna).await?;
        self.grant(&anna.client).await?;
        self.own_income(&loser.client).await?;
        self.guarantee(&bram.allocation).await?;
        self.handover(&winner.allocation, false).await?;
        self.to(day(1, 29)).await?;
        self.advance(&bram.client).await?;
        self.override_gate(winner).await?;
        self.to(day(1, 30)).await
    }

    /// Leases, keys, and out of the shelter.
    async fn moving(&mut self, moves: &Moves) -> anyhow::Result<()> {
        for one in moves.all() {
            self.sign_lease(one).await?;
        }
        self.to(day(2, 2)).await?;
        for one in moves.all() {
            self.move_in(one).await?;
        }
        self.to(day(2, 4)).await?;
        self.grant(&moves.bram.client).await?;
        for one in [&moves.anna, &moves.bram] {
            self.plan_for_signals(&one.client).await?;
        }
        Ok(())
    }

    /// Contacts go well for Anna; whoever lives in the fourth home is not seen, and that becomes a signal.
    async fn contacts(&mut self, moves: &Moves) -> anyhow::Result<()> {
        let Moves { anna, loser, .. } = moves;
        let (annas_care, losers_care) = (self.care(&anna.allocation).await?, self.care(&loser.allocation).await?);
        self.contact(&annas_care, aftercare::ContactResult::Held).await?;
        self.contact(&losers_care, aftercare::ContactResult::Missed).await?;
        self.to(day(2, 11)).await?;
        self.contact(&annas_care, aftercare::ContactResult::Held).await?;
        self.contact(&losers_care, aftercare::ContactResult::Missed).await?;
        let missed = self.west.hears_of(&loser.client.id).await?;
        self.take_up(&missed).await?;
        self.to(day(2, 12)).await?;
        self.close_signal(&missed).await
    }

    /// Nowhere to sleep: a place the same evening; and where there is no place at all, a person who is alarmed.
    async fn relapses(&mut self, moves: &Moves) -> anyhow::Result<()> {
        self.to(day(2, 18)).await?;
        self.nowhere_to_sleep(&moves.loser.client, DORDRECHT).await?;
        self.back_under_a_roof(&moves.loser.client).await?;
        self.to(day(2, 20)).await?;
        self.nowhere_to_sleep(&moves.bram.client, ZWIJNDRECHT).await
    }

    /// The team in the west is away for a week; signals come in meanwhile, and one is never taken up.
    async fn a_team_away(&mut self, moves: &Moves) -> anyhow::Result<()> {
        self.to(day(3, 2)).await?;
        self.west.leave(self.world).await?;
        let before = self.west.heard().len();
        for (on, kind) in [(3, aftercare::SignalKind::HelpAsked), (5, aftercare::SignalKind::Nuisance)] {
            self.to(day(3, on)).await?;
            self.signal(&moves.anna.client, kind).await?;
        }
        self.to(day(3, 9)).await?;
        if self.left_out == Some(LeftOut::Acknowledgement) {
            self.west.listen_only();
        } else {
            self.west.listen();
        }
        self.west.caught_up(self.world).await?;
        let after = self.west.heard();
        ensure!(after.len() == before + 2, "the team that was away heard {} signals, not 2", after.len() - before);
        for heard in &after[before..] {
            self.take_up(&heard.signal_id).await?;
            self.close_signal(&heard.signal_id).await?;
        }
        Ok(())
    }

    /// Lives on until a day: the register of each night, and whatever falls due.
    async fn to(&mut self, day: Date) -> anyhow::Result<()> {
        self.world.settle().await?;
        while self.day < day {
            let night = self.day;
            self.day = night.tomorrow()?;
            self.world.at(self.day, 9);
            let slept = self.staying.iter().filter(|staying| staying.from <= night);
            let request = access::RecordNightsRequest {
                request_id: rid(),
                facility_id: self.facility.clone(),
                night: on(night),
                expected_version: 0,
                nights: slept
                    .map(|staying| access::NightOfStay {
                        stay_id: staying.stay_id.clone(),
                        r#use: access::NightUse::Used.into(),
                        ..Default::default()
                    })
                    .collect(),
            };
            if self.left_out != Some(LeftOut::Night) || night != Date::constant(2026, 1, 20) {
                self.shelter.access("shelter").record_nights(request).await.said("RecordNights")?;
            }
            self.world.settle().await.with_context(|| self.day.to_string())?;
            (self.tell)(self.day);
        }
        Ok(())
    }

    async fn set_up(&mut self) -> anyhow::Result<()> {
        let request = access::RegisterFacilityRequest {
            request_id: rid(),
            organisation: "leger-des-heils".to_owned(),
            municipality: DORDRECHT.to_owned(),
            name: "Nachtopvang".to_owned(),
            kind: access::FacilityKind::NightShelter.into(),
            audience: access::Audience::Adults.into(),
            provision: access::Provision::General.into(),
            places: 50,
            reserve: 10,
            opened_on: on(self.day),
        };
        self.facility =
            self.desk.access("operations").register_facility(request).await.said("RegisterFacility")?.facility_id;
        for (corporation, places) in [("trivire", 2), ("woonbron", 3)] {
            let request = housing::AgreeContingentRequest {
                request_id: rid(),
                corporation: corporation.to_owned(),
                municipality: DORDRECHT.to_owned(),
                year: 2026,
                target_group: housing::TargetGroup::Outflow.into(),
                places,
            };
            self.regie.housing("regie").agree_contingent(request).await.said("AgreeContingent")?;
        }
        Ok(())
    }

    /// Registered, notified, a bed for tonight, and an intake together with income.
    async fn arrive(&mut self, number: usize) -> anyhow::Result<Client> {
        let mut shelter = self.shelter.access("shelter");
        let identity =
            access::Identity { bsn: people::bsn(number), ..people::identity(number, self.day, &mut self.dice) };
        let request = access::RegisterClientRequest {
            request_id: rid(),
            municipality: DORDRECHT.to_owned(),
            identity: Some(identity),
        };
        let client = shelter.register_client(request.clone()).await.said("RegisterClient")?;
        // The line was bad: the same wish again is the same client.
        let again = shelter.register_client(request).await.said("RegisterClient")?;
        ensure!(again == client, "a repeat gave another client");
        let request = access::RecordNotificationRequest {
            request_id: rid(),
            client_id: client.client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![access::Trigger::RentArrears.into()],
            received_on: on(self.day),
            used_shelter_before: false,
            needs_shelter_now: true,
            told_of_personal_plan: true,
            told_of_client_support: true,
        };
        let notified = shelter.record_notification(request).await.said("RecordNotification")?;
        let request = access::DecideUrgentProvisionRequest {
            request_id: rid(),
            notification_id: notified.notification_id.clone(),
            expected_version: notified.version,
            granted: true,
            facility_id: self.facility.clone(),
            ..Default::default()
        };
        self.desk.access("decision").decide_urgent_provision(request).await.said("DecideUrgentProvision")?;
        let request = access::PlanIntakeRequest {
            request_id: rid(),
            notification_id: notified.notification_id.clone(),
            planned_on: on(self.day),
            asks_benefit: true,
            asks_mail_address: false,
        };
        let mut desk = self.desk.access("investigation");
        let intake = desk.plan_intake(request).await.said("PlanIntake")?;
        ensure!(intake.integrated, "an intake with a benefit is integrated (R-ACC-12)");
        let request = access::CompleteIntakeRequest {
            request_id: rid(),
            intake_id: intake.intake_id,
            expected_version: intake.version,
            result: access::IntakeResult::Shelter.into(),
            completed_on: on(self.day),
            ..Default::default()
        };
        desk.complete_intake(request).await.said("CompleteIntake")?;
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: client.client_id.clone(),
            facility_id: self.facility.clone(),
            notification_id: notified.notification_id.clone(),
            claim_id: String::new(),
            admitted_on: on(self.day),
        };
        let stay = shelter.admit_client(request).await.said("AdmitClient")?.stay_id;
        self.staying.push(Staying { stay_id: stay.clone(), from: self.day });
        Ok(Client { id: client.client_id, notification: notified.notification_id, stay, ..Client::default() })
    }

    /// All that readiness asks (R-HOU-03): decision, plan, guidance, finances; and the application for benefit.
    async fn equip(&mut self, client: &mut Client) -> anyhow::Result<()> {
        self.decide(client, 0).await?;
        let mut desk = self.desk.regie("investigation");
        let wanted = regie::GetCaseRequest { client_id: client.id.clone(), case_id: String::new() };
        let case = desk.get_case(wanted).await.said("GetCase")?.case.context("the client has a case")?;
        let request = regie::AssignCaseHolderRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            person: "trajecthouder".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
            ..Default::default()
        };
        let case = desk.assign_case_holder(request).await.said("AssignCaseHolder")?;
        let mut shelter = self.shelter.regie("shelter");
        let request = regie::AssignSupervisorRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            person: "begeleider".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
        };
        let case = shelter.assign_supervisor(request).await.said("AssignSupervisor")?;
        let request = regie::AdoptPlanRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            client_present: true,
            ..Default::default()
        };
        let case = shelter.adopt_plan(request).await.said("AdoptPlan")?;
        let request = regie::SetGoalRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            domain: regie::LifeDomain::Housing.into(),
            text: "Een eigen voordeur.".to_owned(),
            owner: regie::GoalOwner::Client.into(),
            due_on: on(Date::constant(2026, 6, 30)),
            ..Default::default()
        };
        let case = shelter.set_goal(request).await.said("SetGoal")?;
        let scores = [regie::ScoreDomain::Finances, regie::ScoreDomain::Housing, regie::ScoreDomain::SocialNetwork];
        let request = regie::RecordScoresRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            moment: regie::ScoreMoment::Intake.into(),
            scored_on: on(self.day),
            scores: scores
                .map(|domain| regie::Score { domain: domain.into(), level: self.dice.between(1, 3) })
                .to_vec(),
        };
        let case = shelter.record_scores(request).await.said("RecordScores")?;
        let request = regie::SetGuidanceRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            guidance: regie::Guidance::Arranged.into(),
        };
        shelter.set_guidance(request).await.said("SetGuidance")?;

        let mut social = self.social.income("income");
        let request = income::ReportForBenefitRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: DORDRECHT.to_owned(),
            reported_on: on(self.day),
            circumstances: Some(income::Circumstances { age: 41, institution: true, ..Default::default() }),
            ..Default::default()
        };
        let reported = social.report_for_benefit(request).await.said("ReportForBenefit")?;
        let request = income::SubmitBenefitApplicationRequest {
            request_id: rid(),
            benefit_request_id: reported.benefit_request_id.clone(),
            expected_version: reported.version,
            signed_by: income::Signatory::Client.into(),
            signed_on: on(self.day),
        };
        social.submit_benefit_application(request).await.said("SubmitBenefitApplication")?;
        client.benefit = reported.benefit_request_id;
        let request = income::StabiliseFinancesRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            since: on(self.day),
        };
        social.stabilise_finances(request).await.said("StabiliseFinances")?;
        self.world.settle().await
    }

    async fn decide(&self, client: &Client, months: i32) -> anyhow::Result<()> {
        let mut desk = self.desk.access("decision");
        let request = access::SubmitApplicationRequest {
            request_id: rid(),
            notification_id: client.notification.clone(),
            received_on: on(self.day),
        };
        let application = desk.submit_application(request).await.said("SubmitApplication")?;
        let deviation =
            if months == 0 { access::DeviationReason::Unspecified } else { access::DeviationReason::ShorterNeed };
        let request = access::TakeDecisionRequest {
            request_id: rid(),
            application_id: application.application_id,
            expected_version: application.version,
            granted: true,
            target_group: access::TargetGroup::Economic.into(),
            starts_on: on(self.day),
            months,
            deviation: deviation.into(),
            ground: access::RefusalGround::Unspecified.into(),
        };
        desk.take_decision(request).await.said("TakeDecision").map(drop)
    }

    /// A second, shorter decision that nobody extends: it ends, but not silently (P7).
    async fn short_decision(&self, client: &Client) -> anyhow::Result<()> {
        self.decide(client, 2).await
    }

    async fn nominate(&self, client: &mut Client, number: usize) -> anyhow::Result<()> {
        let request = housing::NominateRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: DORDRECHT.to_owned(),
            target_group: housing::TargetGroup::Outflow.into(),
            provider: String::new(),
            adults: 1,
            children: 0,
            age_class: housing::AgeClass::From23.into(),
            income_class: housing::IncomeClass::RentAllowance.into(),
            // Bram's debts, and those of whoever races, ask a guarantee.
            guarantee_required: (1..=3).contains(&number),
            wishes: Some(housing::Wishes { wished_districts: vec![WEST.to_owned()], ..Default::default() }),
        };
        client.nomination = self.shelter.housing("shelter").nominate(request).await.said("Nominate")?.nomination_id;
        Ok(())
    }

    async fn home(
        &mut self,
        corporation: &Person,
        district: &str,
        form: housing::ContractForm,
    ) -> anyhow::Result<String> {
        self.homes += 1;
        let request = housing::RegisterDwellingRequest {
            request_id: rid(),
            bag_object_id: format!("050501{:010}", self.homes),
            unit_suffix: String::new(),
            unit_number: format!("E-{}", self.homes),
            address: Some(housing::Address {
                street: "Voorstraat".to_owned(),
                house_number: self.homes.to_string(),
                postcode: "3311EN".to_owned(),
                town: "Dordrecht".to_owned(),
            }),
            district: district.to_owned(),
            neighbourhood: format!("BU{}01", &district[2..]),
            kind: housing::DwellingKind::Flat.into(),
            contract_form: form.into(),
            rent_cents: RENT_CENTS,
            floor_area_m2: 48,
            rooms: 2,
            max_persons: 2,
            available_on: on(LEASES),
        };
        Ok(corporation.housing("housing").register_dwelling(request).await.said("RegisterDwelling")?.dwelling_id)
    }

    async fn offer(&self, dwelling: &str, client: &Client) -> anyhow::Result<String> {
        let request = housing::OfferDwellingRequest {
            request_id: rid(),
            dwelling_id: dwelling.to_owned(),
            nomination_id: client.nomination.clone(),
            lease_start_on: on(LEASES),
            deviation_reason: housing::DeviationReason::Fitted.into(),
        };
        Ok(self.regie.housing("regie").offer_dwelling(request).await.said("OfferDwelling")?.offer_id)
    }

    async fn decline(&self, offer: &str, client: &Client) -> anyhow::Result<()> {
        let request = housing::DeclineOfferRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version: self.offer_version(offer, client).await?,
            reason: housing::DeclineReason::Location.into(),
            ..Default::default()
        };
        self.world.client(&client.id)?.housing("own-file").decline_offer(request).await.said("DeclineOffer").map(drop)
    }

    /// The version of an offer, as the client reads it.
    async fn offer_version(&self, offer: &str, client: &Client) -> anyhow::Result<i64> {
        let request = housing::GetOfferRequest { offer_id: offer.to_owned() };
        let shown = self.world.client(&client.id)?.housing("own-file").get_offer(request).await.said("GetOffer")?;
        Ok(shown.offer.context("an offer is shown")?.version)
    }

    /// The version of an allocation, as the municipality reads it.
    async fn allocation_version(&self, allocation: &str) -> anyhow::Result<i64> {
        let request = housing::GetAllocationRequest { allocation_id: allocation.to_owned() };
        let shown = self.regie.housing("regie").get_allocation(request).await.said("GetAllocation")?;
        Ok(shown.allocation.context("an allocation is shown")?.version)
    }

    /// The client says yes, with an own token; says the version of the offer then.
    async fn client_accepts(&self, offer: &str, client: &Client) -> anyhow::Result<i64> {
        let request = housing::AcceptOfferRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version: self.offer_version(offer, client).await?,
            ..Default::default()
        };
        let said =
            self.world.client(&client.id)?.housing("own-file").accept_offer(request).await.said("AcceptOffer")?;
        Ok(said.version)
    }

    /// The client with an own token, then the corporation, twice at once over a bad line.
    async fn accept(&self, offer: &str, client: Client, corporation: &Person) -> anyhow::Result<Move> {
        let expected_version = self.client_accepts(offer, &client).await?;
        let request = housing::AcceptCandidateRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version,
            ..Default::default()
        };
        let (mut one, mut other) = (corporation.housing("housing"), corporation.housing("housing"));
        let (one, other) = tokio::join!(one.accept_candidate(request.clone()), other.accept_candidate(request));
        let (one, other) = (one.said("AcceptCandidate")?, other.said("AcceptCandidate")?);
        ensure!(one.allocation_id == other.allocation_id, "the same wish twice gave two allocations");
        self.world.settle().await?;
        Ok(Move { client, allocation: one.allocation_id, corporation: corporation.clone() })
    }

    /// Two candidates, both accepted at the same moment. Says whether the first won, and the allocation.
    async fn race(&self, dwelling: &str, one: &Client, other: &Client) -> anyhow::Result<(bool, String)> {
        let mut offers = Vec::new();
        for client in [one, other] {
            let offer = self.offer(dwelling, client).await?;
            let version = self.client_accepts(&offer, client).await?;
            offers.push((offer, version));
        }
        let accept = |(offer, version): &(String, i64)| {
            let (offer_id, expected_version) = (offer.clone(), *version);
            let request =
                housing::AcceptCandidateRequest { request_id: rid(), offer_id, expected_version, ..Default::default() };
            let mut corporation = self.trivire.housing("housing");
            async move { corporation.accept_candidate(request).await }
        };
        let (first, second) = tokio::join!(accept(&offers[0]), accept(&offers[1]));
        self.world.settle().await?;
        match (first, second) {
            (Ok(first), Err(_)) => Ok((true, first.into_inner().allocation_id)),
            (Err(_), Ok(second)) => Ok((false, second.into_inner().allocation_id)),
            (first, second) => anyhow::bail!("of two, exactly one wins a home: {first:?} and {second:?}"),
        }
    }

    async fn withdraw(&self, allocation: &str, reason: housing::WithdrawalReason) -> anyhow::Result<()> {
        let request = housing::WithdrawAllocationRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            reason: reason.into(),
        };
        self.regie.housing("regie").withdraw_allocation(request).await.said("WithdrawAllocation")?;
        self.world.settle().await
    }

    async fn death(&mut self, client: &Client) -> anyhow::Result<()> {
        let mut shelter = self.shelter.access("shelter");
        let shown =
            shelter.get_client_for_guidance(access::GetClientForGuidanceRequest { client_id: client.id.clone() });
        let version = shown.await.said("GetClientForGuidance")?.client.context("a client is shown")?.version;
        let request = access::RecordDeathRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: version,
            died_on: on(self.day),
        };
        shelter.record_death(request).await.said("RecordDeath")?;
        self.staying.retain(|staying| staying.stay_id != client.stay);
        self.world.settle().await
    }

    /// The warm handover; returned once if so wished.
    async fn handover(&self, allocation: &str, returned: bool) -> anyhow::Result<()> {
        let find = || async {
            let request = aftercare::ListHandoversRequest { page_size: 100, ..Default::default() };
            let all = self.regie.aftercare("regie").list_handovers(request).await.said("ListHandovers")?.handovers;
            all.into_iter().find(|handover| handover.allocation_id == allocation).context("every home has a handover")
        };
        let fill = |handover: aftercare::HandoverSummary| {
            let request = aftercare::FillHandoverRequest {
                request_id: rid(),
                handover_id: handover.handover_id,
                expected_version: handover.version,
                form: Some(aftercare::HandoverForm {
                    discussed_with_client_on: on(self.day),
                    guidance_needed: "Twee uur per week, het eerste half jaar.".to_owned(),
                    wishes_and_strengths: "Kookt graag; wil rust.".to_owned(),
                    agreements: "Budgetbeheer loopt door.".to_owned(),
                    day_activity: "Drie ochtenden in het buurthuis.".to_owned(),
                    network: "Een zus in de wijk.".to_owned(),
                    safety: "Geen bijzonderheden.".to_owned(),
                    giver_contact: "Begeleider, 078-5550123.".to_owned(),
                    first_meeting_on: on(LEASES),
                }),
            };
            let mut shelter = self.shelter.aftercare("shelter");
            async move { shelter.fill_handover(request).await.said("FillHandover") }
        };
        let filled = fill(find().await?).await?;
        let handover = find().await?;
        let team = self.team(&handover.to_organisation).person.aftercare("aftercare");
        let version = if returned {
            let request = aftercare::ReturnHandoverRequest {
                request_id: rid(),
                handover_id: handover.handover_id.clone(),
                expected_version: filled.version,
                reason: aftercare::HandoverReturnReason::Unclear.into(),
                note: "Welke afspraken over geld lopen door?".to_owned(),
            };
            { team.clone() }.return_handover(request).await.said("ReturnHandover")?;
            fill(find().await?).await?.version
        } else {
            filled.version
        };
        let request = aftercare::AcceptHandoverRequest {
            request_id: rid(),
            handover_id: handover.handover_id,
            expected_version: version,
        };
        { team }.accept_handover(request).await.said("AcceptHandover")?;
        self.world.settle().await
    }

    fn team(&self, organisation: &str) -> &Team {
        if organisation == "wijkteam-west" { &self.west } else { &self.oost }
    }

    /// The tri-party agreement, signed by all three.
    async fn agreement(&self, Move { allocation, client, .. }: &Move) -> anyhow::Result<()> {
        use housing::{Capacity, Party};
        let parties = [
            (Party::Corporation, Capacity::Officer),
            (Party::Client, Capacity::Self_),
            (Party::Provider, Capacity::Officer),
        ];
        let request = housing::DraftAgreementRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            parties: parties
                .map(|(party, capacity)| housing::AgreementParty {
                    party: party.into(),
                    signatories: vec![capacity.into()],
                })
                .to_vec(),
            tenant: housing::Tenant::Provider.into(),
            ..Default::default()
        };
        let drafted = self.shelter.housing("shelter").draft_agreement(request).await.said("DraftAgreement")?;
        let mut expected_version = drafted.version;
        let doors = [
            self.trivire.housing("housing"),
            self.world.client(&client.id)?.housing("own-file"),
            self.shelter.housing("shelter"),
        ];
        for (mut door, (party, capacity)) in doors.into_iter().zip(parties) {
            let request = housing::SignAgreementRequest {
                request_id: rid(),
                allocation_id: allocation.to_owned(),
                expected_version,
                party: party.into(),
                capacity: capacity.into(),
                ..Default::default()
            };
            expected_version = door.sign_agreement(request).await.said("SignAgreement")?.version;
        }
        Ok(())
    }

    async fn benefit(&self, client: &Client) -> anyhow::Result<income::BenefitRequest> {
        let request = income::GetBenefitRequestRequest { benefit_request_id: client.benefit.clone() };
        let found = self.social.income("income").get_benefit_request(request).await.said("GetBenefitRequest")?;
        found.benefit_request.context("a benefit request is shown")
    }

    /// Benefit from the first day of the lease.
    async fn grant(&self, client: &Client) -> anyhow::Result<()> {
        let now = self.benefit(client).await?;
        let grant = income::BenefitGrant {
            start_on: on(LEASES),
            circumstances: Some(income::Circumstances { age: 41, ..Default::default() }),
            ..Default::default()
        };
        let request = income::DecideBenefitRequest {
            request_id: rid(),
            benefit_request_id: client.benefit.clone(),
            expected_version: now.version,
            decision: Some(income::decide_benefit_request::Decision::Grant(grant)),
        };
        self.social.income("income").decide_benefit(request).await.said("DecideBenefit")?;
        self.world.settle().await
    }

    /// The decision is late: an advance, with the written expectation that there is a right.
    async fn advance(&self, client: &Client) -> anyhow::Result<()> {
        let now = self.benefit(client).await?;
        let request = income::PayAdvanceRequest {
            request_id: rid(),
            benefit_request_id: client.benefit.clone(),
            expected_version: now.version,
            amount_cents: 140_150,
            paid_on: on(self.day),
            circumstances: Some(income::Circumstances { age: 41, ..Default::default() }),
            expected_from_on: on(LEASES),
            expected_until: on(Date::constant(2026, 3, 31)),
        };
        self.social.income("income").pay_advance(request).await.said("PayAdvance")?;
        self.world.settle().await
    }

    async fn own_income(&self, client: &Client) -> anyhow::Result<()> {
        let request = income::VerifyOwnIncomeRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            kind: income::OwnIncomeKind::Wages.into(),
            from_on: on(Date::constant(2026, 1, 15)),
            ends_on: None,
        };
        self.social.income("income").verify_own_income(request).await.said("VerifyOwnIncome")?;
        self.world.settle().await
    }

    async fn guarantee(&self, allocation: &str) -> anyhow::Result<()> {
        let mut social = self.social.income("income");
        let request = income::ListRentGuaranteesRequest { page_size: 100, ..Default::default() };
        let all = social.list_rent_guarantees(request).await.said("ListRentGuarantees")?.rent_guarantees;
        let asked =
            all.into_iter().find(|guarantee| guarantee.allocation_id == allocation).context("a guarantee was asked")?;
        let grant = income::RentGuaranteeGrant {
            cap_cents: 2 * RENT_CENTS,
            ends_on: on(Date::constant(2026, 12, 31)),
            reason: income::RentGuaranteeReason::DebtsBlockLease.into(),
            bridging: false,
        };
        let request = income::DecideRentGuaranteeRequest {
            request_id: rid(),
            guarantee_id: asked.guarantee_id,
            expected_version: asked.version,
            decision: Some(income::decide_rent_guarantee_request::Decision::Grant(grant)),
        };
        social.decide_rent_guarantee(request).await.said("DecideRentGuarantee").map(drop)
    }

    async fn override_gate(&self, Move { allocation, client, .. }: &Move) -> anyhow::Result<()> {
        let request = regie::OverrideGateRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            allocation_id: allocation.to_owned(),
            open: true,
            reason: regie::OverrideReason::HomeWouldBeLost.into(),
            explanation: "De gemeente staat in voor de eerste maanden.".to_owned(),
        };
        self.regie.regie("regie").override_gate(request).await.said("OverrideGate")?;
        self.world.settle().await
    }

    async fn sign_lease(&self, Move { allocation, corporation, .. }: &Move) -> anyhow::Result<()> {
        let expected_version = self.allocation_version(allocation).await?;
        let request =
            housing::SignLeaseRequest { request_id: rid(), allocation_id: allocation.to_owned(), expected_version };
        corporation.housing("housing").sign_lease(request).await.said("SignLease")?;
        self.world.settle().await
    }

    /// The keys, and out of the shelter.
    async fn move_in(&mut self, Move { allocation, client, corporation }: &Move) -> anyhow::Result<()> {
        let request = housing::HandOverKeysRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            on: on(self.day),
        };
        corporation.housing("housing").hand_over_keys(request).await.said("HandOverKeys")?;
        let mut shelter = self.shelter.access("shelter");
        let journey =
            shelter.get_journey(access::GetJourneyRequest { client_id: client.id.clone() }).await.said("GetJourney")?;
        let stays = journey.journey.context("a journey is shown")?.stays;
        let stay = stays.into_iter().find(|stay| stay.stay_id == client.stay).context("the stay is in the journey")?;
        let request = access::RecordDepartureRequest {
            request_id: rid(),
            stay_id: client.stay.clone(),
            expected_version: stay.version,
            departed_on: on(self.day),
            outcome: Some(access::record_departure_request::Outcome::Destination(access::Destination::OwnHome.into())),
        };
        shelter.record_departure(request).await.said("RecordDeparture")?;
        self.staying.retain(|staying| staying.stay_id != client.stay);
        self.world.settle().await
    }

    async fn plan_for_signals(&self, client: &Client) -> anyhow::Result<()> {
        let request = aftercare::AgreeSignallingPlanRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            plan: Some(aftercare::SignallingPlan {
                signs: vec![aftercare::EarlySign {
                    sign: "De post blijft ongeopend.".to_owned(),
                    action: "Samen de post doornemen.".to_owned(),
                }],
                what_helps: "Een wandeling.".to_owned(),
                who_to_call: "De zus.".to_owned(),
                day_and_night_channel: "078-5550199".to_owned(),
                shared_money_kinds: vec![aftercare::SignalKind::MissedRent.into()],
                agreed_on: on(self.day),
            }),
        };
        let own = self.world.client(&client.id)?;
        own.aftercare("own-file").agree_signalling_plan(request).await.said("AgreeSignallingPlan").map(drop)
    }

    /// The aftercare of a home.
    async fn care(&self, allocation: &str) -> anyhow::Result<String> {
        let request = aftercare::ListAftercareRequest { page_size: 100, ..Default::default() };
        let all = self.regie.aftercare("regie").list_aftercare(request).await.said("ListAftercare")?.aftercare;
        let found = all.into_iter().find(|aftercare| aftercare.allocation_id == allocation);
        Ok(found.context("aftercare starts with the keys")?.aftercare_id)
    }

    async fn contact(&self, aftercare_id: &str, result: aftercare::ContactResult) -> anyhow::Result<()> {
        let request = aftercare::GetAftercareRequest { aftercare_id: aftercare_id.to_owned() };
        let now = self.regie.aftercare("regie").get_aftercare(request).await.said("GetAftercare")?.aftercare;
        let now = now.context("aftercare is shown")?;
        let request = aftercare::RecordContactRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.to_owned(),
            expected_version: now.version,
            contact_on: on(self.day),
            result: result.into(),
            form: aftercare::ContactForm::Visit.into(),
        };
        let team = self.team(&now.responsible_organisation);
        team.person.aftercare("aftercare").record_contact(request).await.said("RecordContact")?;
        self.world.settle().await
    }

    async fn signal(&self, client: &Client, kind: aftercare::SignalKind) -> anyhow::Result<()> {
        let request = aftercare::RaiseSignalRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            kind: kind.into(),
            text: "De buren maken zich zorgen.".to_owned(),
            ..Default::default()
        };
        self.police.aftercare("aftercare").raise_signal(request).await.said("RaiseSignal")?;
        self.world.settle().await
    }

    async fn signal_version(&self, signal_id: &str) -> anyhow::Result<i64> {
        let request = aftercare::GetSignalRequest { signal_id: signal_id.to_owned() };
        let found = self.regie.aftercare("regie").get_signal(request).await.said("GetSignal")?;
        Ok(found.signal.context("a signal is shown")?.version)
    }

    async fn take_up(&self, signal_id: &str) -> anyhow::Result<()> {
        let request = aftercare::TakeUpSignalRequest {
            request_id: rid(),
            signal_id: signal_id.to_owned(),
            expected_version: self.signal_version(signal_id).await?,
        };
        self.west.person.aftercare("aftercare").take_up_signal(request).await.said("TakeUpSignal").map(drop)
    }

    async fn close_signal(&self, signal_id: &str) -> anyhow::Result<()> {
        let request = aftercare::CloseSignalRequest {
            request_id: rid(),
            signal_id: signal_id.to_owned(),
            expected_version: self.signal_version(signal_id).await?,
            outcome: aftercare::SignalOutcome::GuidanceScaledUp.into(),
            client_heard_on: on(self.day),
            note: "Gesproken; vaker langs.".to_owned(),
        };
        self.west.person.aftercare("aftercare").close_signal(request).await.said("CloseSignal")?;
        self.world.settle().await
    }

    /// In the evening the police find somebody without a place; within the hour something stands.
    async fn nowhere_to_sleep(&self, client: &Client, municipality: &str) -> anyhow::Result<()> {
        self.world.at(self.day, 21);
        let request = aftercare::ReportNowhereToSleepRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: municipality.to_owned(),
            text: "Staat bij het station.".to_owned(),
        };
        self.police.aftercare("crisis").report_nowhere_to_sleep(request).await.said("ReportNowhereToSleep")?;
        self.world.settle().await?;
        self.world.at(self.day, 22);
        self.world.settle().await
    }

    /// The place that was claimed is taken the same night, without a new procedure.
    async fn back_under_a_roof(&mut self, client: &Client) -> anyhow::Result<()> {
        let request = access::GetJourneyRequest { client_id: client.id.clone() };
        let journey = self.desk.access("investigation").get_journey(request).await.said("GetJourney")?.journey;
        let claim = journey.context("a journey is shown")?.claims.pop().context("a place was claimed")?;
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            facility_id: claim.facility_id,
            notification_id: String::new(),
            claim_id: claim.claim_id,
            admitted_on: on(self.day),
        };
        let stay_id = self.shelter.access("crisis").admit_client(request).await.said("AdmitClient")?.stay_id;
        self.staying.push(Staying { stay_id, from: self.day });
        self.world.settle().await
    }
}
