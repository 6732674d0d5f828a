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

mod home;
mod landing;
mod money;
mod shelter;

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
}
