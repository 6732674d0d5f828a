//! What the feeds told about one client.
//!
//! One part per feed, and a fact touches the part of its own feed only. A feed keeps its own order, feeds have none among
//! each other: so whatever way they interleave, the parts come out the same. That is half of why the processes converge;
//! the other half is that what is wanted is a function of these parts and the day, and of nothing else.

use kernel::{Cents, Date, District, Moment, Municipality, Organisation, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

kernel::id! {
    /// Access' notification.
    NotificationId
}
kernel::id! {
    /// Access' stay in a facility.
    StayId
}
kernel::id! {
    /// Access' claim on a place for tonight.
    ClaimId
}
kernel::id! {
    /// Housing's nomination to the pool.
    NominationId
}
kernel::id! {
    /// Housing's offer of a dwelling.
    OfferId
}
kernel::id! {
    /// Housing's allocation: one accepted home, one move.
    AllocationId
}
kernel::id! {
    /// Income's benefit request.
    BenefitRequestId
}
kernel::id! {
    /// Aftercare's signal.
    SignalId
}
kernel::id! {
    /// Regie's case; follows from the notification that opened it.
    CaseId
}

/// One event as it reached regie.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The event's own id: what makes a second delivery recognisable, and what request ids are derived from.
    pub id: Uuid,
    /// When the service that tells it recorded it.
    pub at: Moment,
    /// What happened.
    pub fact: Fact,
}

/// Every event that a process reacts to, by the feed that tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// From access.
    Access(Access),
    /// From housing.
    Housing(Housing),
    /// From income.
    Income(Income),
    /// From aftercare.
    Aftercare(Aftercare),
    /// From regie itself: what people decided there, and what became of its commands.
    Regie(Regie),
    /// A deadline that was set has come. Tells nothing new but the day: everything is looked at again.
    DeadlineReached {
        /// The task that the deadline guards.
        kind: super::TaskKind,
        /// What it is about.
        subject: Uuid,
    },
}

/// What access tells.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the one of the same name in access' events.proto")]
pub enum Access {
    /// A registration may be of somebody known already (R-REG-26).
    DuplicateSuspected { of_client: Uuid, municipality: Municipality },
    /// The road begins (R-ACC-03).
    NotificationReceived { notification: NotificationId, municipality: Municipality, notified_by: Organisation },
    /// It was a mistake, or no longer wanted.
    NotificationWithdrawn { notification: NotificationId },
    /// Nobody decided on urgent shelter within its hours (R-ACC-09).
    UrgentProvisionOverdue { notification: NotificationId },
    /// Decided, either way.
    UrgentProvisionDecided { notification: NotificationId },
    /// Also what follows `InvestigationOverdue` (R-ACC-04).
    InvestigationDueSoon { notification: NotificationId, due_on: Date },
    /// The investigation ended in a coded result (R-ACC-26).
    IntakeCompleted { notification: NotificationId },
    /// The decision on an application is due (R-ACC-08).
    ApplicationDueSoon { application: Uuid, due_on: Date },
    /// Somebody waits for a decision (R-ACC-08).
    ApplicationReceived { application: Uuid },
    /// No decision needed any more.
    ApplicationWithdrawn { application: Uuid },
    /// Decided, either way.
    DecisionTaken { application: Uuid },
    /// A decision runs out (R-ACC-20).
    DecisionEndingSoon { decision: Uuid, ends_on: Date },
    /// It runs longer.
    DecisionExtended { decision: Uuid },
    /// It is over.
    DecisionEnded { decision: Uuid },
    /// The client waits for a place.
    Waitlisted { entry: Uuid },
    /// No longer.
    WaitingListLeft { entry: Uuid },
    /// The client has a bed.
    Admitted { stay: StayId, organisation: Organisation, notification: Option<NotificationId> },
    /// The stay became a trajectory, which needs a plan (R-ACC-17).
    TrajectoryStarted { stay: StayId, started_on: Date },
    /// The stay ended, one way or another.
    Departed { stay: StayId },
    /// A place for tonight (P6).
    PlaceClaimed { claim: ClaimId, signal: SignalId },
    /// The claimed place is nearly over.
    PlaceClaimEndingSoon { claim: ClaimId, until_on: Date },
    /// The claim ended; `lapsed` when nobody came and nobody said why.
    PlaceClaimReleased { claim: ClaimId, lapsed: bool },
    /// Everything stops (R-REG-29).
    ClientDied,
}

/// An accepted home, as housing tells it the moment all have said yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    /// The nomination that it answers.
    pub nomination: NominationId,
    /// Who lets it.
    pub corporation: Organisation,
    /// Who guides the client now: the giver of the handover.
    pub provider: Organisation,
    /// Where it is.
    pub municipality: Municipality,
    /// The district it is in, if known.
    pub district: Option<District>,
    /// First day of the lease.
    pub lease_start_on: Date,
    /// Rent per month.
    pub rent: Cents,
    /// Whether the corporation asks for a rent guarantee.
    pub guarantee_required: bool,
}

/// What housing tells.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the one of the same name in housing's events.proto")]
pub enum Housing {
    /// Ready for a home.
    Nominated { nomination: NominationId, municipality: Municipality, nominated_by: Organisation },
    /// No longer in the pool.
    NominationWithdrawn { nomination: NominationId },
    /// A home is on offer until that day.
    OfferMade { offer: OfferId, nomination: NominationId, corporation: Organisation, until: Date },
    /// One of the two answered.
    OfferAnswered { offer: OfferId, by_client: bool, accepted: bool },
    /// The term ran out.
    OfferLapsed { offer: OfferId },
    /// The term is nearly over (P7); `provider` guides the client.
    OfferEndingSoon { offer: OfferId, provider: Organisation },
    /// Withdrawn, or another home was accepted first.
    OfferEnded { offer: OfferId },
    /// Accepted by all.
    AllocationAccepted { allocation: AllocationId, home: Home },
    /// Signed: the gate is behind us.
    LeaseSigned { allocation: AllocationId },
    /// The move.
    KeysHandedOver { allocation: AllocationId, on: Date },
    /// The home fell through.
    AllocationWithdrawn { allocation: AllocationId },
    /// The client lives there no longer.
    LeaseEnded { allocation: AllocationId },
}

/// What income tells: days and states, no amounts.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the one of the same name in income's events.proto")]
pub enum Income {
    /// There is a request, not yet for a certain home.
    BenefitRequestPrepared { request: BenefitRequestId },
    /// Asked for one home; `running_from` is the first day of a benefit that runs already and goes on.
    BenefitRequestCompleted { request: BenefitRequestId, running_from: Option<Date> },
    /// Something is missing (R-INC-04).
    InformationAsked { request: BenefitRequestId, answer_by: Date },
    /// Answered.
    InformationGiven { request: BenefitRequestId },
    /// Not answered in time: the decision term runs on (R-REG-10).
    InformationOverdue { request: BenefitRequestId, decision_due_on: Option<Date> },
    /// `BenefitRequestUnacknowledged`, `BenefitDecisionDue` and `…Overdue` (R-INC-03).
    BenefitDecisionDue { request: BenefitRequestId, due_on: Date },
    /// An advance is due (R-INC-04).
    AdvanceDue { request: BenefitRequestId, due_on: Date },
    /// Paid; with a written expectation from and until when there is a right, or without.
    AdvancePaid { request: BenefitRequestId, expected: Option<Period> },
    /// Not paid, with a reason.
    AdvanceRefused { request: BenefitRequestId },
    /// `running_from`: first day of the benefit that holds after this decision, also an older one.
    BenefitDecided { request: BenefitRequestId, granted: bool, running_from: Option<Date> },
    /// A benefit has a last day.
    BenefitEnded { request: BenefitRequestId, ends_on: Date },
    /// The whole request is off.
    BenefitRequestWithdrawn { request: BenefitRequestId },
    /// Wages, pension, study (R-INC-26).
    OwnIncomeVerified { period: Period },
    /// Nothing of it is certain any more.
    OwnIncomeRevoked,
    /// Granted; `bridging` carries the rent until income starts (P2).
    RentGuaranteeGranted { allocation: AllocationId, ends_on: Date, bridging: bool },
    /// Not decided within the local term (P7).
    RentGuaranteeUnanswered { allocation: AllocationId },
    /// Not granted.
    RentGuaranteeRefused { allocation: AllocationId },
    /// It runs out.
    RentGuaranteeEndingSoon { allocation: AllocationId, ends_on: Date },
    /// Withdrawn or ended.
    RentGuaranteeEnded { allocation: AllocationId },
}

/// What aftercare tells.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the one of the same name in aftercare's events.proto")]
pub enum Aftercare {
    /// `HandoverDrafted` and `HandoverReturned`: the giver is to fill it.
    HandoverToFill { allocation: AllocationId, giver: Organisation, fill_by: Date },
    /// `HandoverFilled` and `HandoverReassigned`: the receiver is to answer.
    HandoverToAnswer { allocation: AllocationId, receiver: Organisation, answer_by: Date },
    /// The term of whoever is to fill or to answer it is nearly over (P7).
    HandoverDueSoon { allocation: AllocationId },
    /// The receiver stayed silent: the municipality assigns (R-AFT-02).
    HandoverUnanswered { allocation: AllocationId, due_on: Date },
    /// The receiver is responsible from now on.
    HandoverAccepted { allocation: AllocationId, receiver: Organisation },
    /// Fell with its move.
    HandoverCancelled { allocation: AllocationId },
    /// A time to look whether it goes well (R-AFT-18).
    AftercareReviewDue { allocation: AllocationId, due_on: Date },
    /// Over; `landed` when agreed, or when contact was given up: then the case is done. Not when the home was lost.
    AftercareEnded { allocation: AllocationId, landed: bool },
    /// Somebody has nowhere to sleep (P6).
    NowhereToSleepReported { signal: SignalId, municipality: Municipality, relapse_guarantee: bool },
    /// Reported again in the same night: the first answer did not hold (P6). `count`: how many reports there are now.
    NowhereToSleepRepeated { signal: SignalId, municipality: Municipality, count: i32 },
    /// Nobody took a signal up in time: it goes to the case holder, or to the municipality (P5).
    SignalEscalated { signal: SignalId, to_regie: bool, municipality: Municipality },
    /// A person has it in hand.
    SignalTakenUp { signal: SignalId },
    /// Done with.
    SignalClosed { signal: SignalId },
}

/// What happened in regie.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each field is the one of the same name in regie's events.proto")]
pub enum Regie {
    /// The client has one contact (R-ACC-13).
    CaseHolderChanged { case: CaseId },
    /// There is a plan (R-ACC-17).
    PlanAdopted { case: CaseId },
    /// The municipality takes the risk of a move itself, or takes that back (P2).
    GateOverridden { allocation: AllocationId, open: bool },
    /// Closed by a person, for a reason that no event tells.
    CaseClosed { case: CaseId },
    /// This record points to another of the same person from now on (R-REG-26).
    Merged { merge: Uuid },
    /// It points there no longer.
    MergeUndone,
    /// The case of the record that it points to was closed: whoever knew it by that knows neither.
    KeptCaseClosed,
    /// Another record points to this one from now on.
    TookOver { other: Uuid },
    /// It points here no longer.
    GaveBack { other: Uuid },
    /// A service refused a command for good; `request_id` and `step` are those of the outcome.
    CommandRefused { request_id: Uuid, step: String },
    /// A person had it done after all: it stands, and can be undone again.
    CommandSettled { request_id: Uuid },
}

macro_rules! of_a_feed {
    ($($feed:ident),*) => {
        $(impl From<$feed> for Fact {
            fn from(fact: $feed) -> Self {
                Fact::$feed(fact)
            }
        })*
    };
}
of_a_feed!(Access, Housing, Income, Aftercare, Regie);

/// From a first to a last day; no last day: it has no end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Option<Date>,
}

impl Period {
    pub(super) fn holds(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|last| day <= last)
    }
}

// ---------------------------------------------------------------------------------------------- what is kept of it

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub access: OfAccess,
    pub housing: OfHousing,
    pub income: OfIncome,
    pub aftercare: OfAftercare,
    pub regie: OfRegie,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OfAccess {
    pub duplicates: BTreeMap<Uuid, (Municipality, Date)>,
    pub notifications: Vec<Notification>,
    pub urgent: BTreeMap<NotificationId, Date>,
    pub investigations: BTreeMap<NotificationId, Date>,
    pub applications: BTreeMap<Uuid, Date>,
    /// Those that are not decided, whether their term is nearly over or not.
    #[serde(default)]
    pub received: BTreeSet<Uuid>,
    #[serde(default)]
    pub waiting: BTreeSet<Uuid>,
    pub decisions: BTreeMap<Uuid, Date>,
    pub stays: BTreeMap<StayId, Stay>,
    pub claims: BTreeMap<ClaimId, Claim>,
    /// When the client last got a bed.
    pub admitted_at: Option<Timestamp>,
    /// The stay that ended last, while the client has no other.
    pub departed: Option<Departure>,
    pub died: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Notification {
    pub id: NotificationId,
    pub municipality: Municipality,
    pub by: Organisation,
    pub at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stay {
    pub organisation: Organisation,
    pub trajectory_on: Option<Date>,
    #[serde(default)]
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Departure {
    pub stay: StayId,
    pub admitted_at: Timestamp,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub signal: SignalId,
    /// When it was claimed, or used.
    #[serde(default)]
    pub at: Timestamp,
    pub ending_on: Option<Date>,
    pub released: bool,
    pub lapsed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OfHousing {
    pub nominations: BTreeMap<NominationId, Nomination>,
    pub offers: BTreeMap<OfferId, Offer>,
    pub moves: BTreeMap<AllocationId, Move>,
    /// The home that was lost last and is not yet followed by a new nomination, offer or home.
    pub lost: Option<(AllocationId, Date)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Nomination {
    pub municipality: Municipality,
    pub by: Organisation,
    pub withdrawn: bool,
    pub at: Timestamp,
    /// The offer that lapsed last without a newer one, and when.
    pub lapsed: Option<(OfferId, Date)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Offer {
    pub nomination: NominationId,
    pub corporation: Organisation,
    pub until: Date,
    /// By the client, by the corporation.
    pub yes: (bool, bool),
    /// Whose it is to see that the client answers, once the term is nearly over.
    pub ending: Option<Organisation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Move {
    pub home: Home,
    pub at: Timestamp,
    pub on: Date,
    pub signed: bool,
    pub keys: Option<(Date, Timestamp)>,
    pub over: Option<Over>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Over {
    /// Withdrawn: what depends on this move is undone.
    Fell,
    /// Lived in and left: nothing to undo.
    Left,
}

impl Move {
    pub fn on(&self) -> bool {
        self.over.is_none()
    }
    /// Accepted by all and not yet signed: the gate means something.
    pub fn waits(&self) -> bool {
        self.on() && !self.signed && self.keys.is_none()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OfIncome {
    pub requests: BTreeMap<BenefitRequestId, Request>,
    pub own: Option<Period>,
    pub guarantees: BTreeMap<AllocationId, Guarantee>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub withdrawn: bool,
    pub refused_on: Option<Date>,
    pub running: Option<Period>,
    pub expected: Option<Period>,
    pub information_by: Option<Date>,
    pub information_missed_on: Option<Date>,
    pub decision_by: Option<Date>,
    pub advance_by: Option<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Guarantee {
    Granted { ends_on: Date, bridging: bool, ending: bool },
    Unanswered { on: Date },
    Refused { on: Date },
    Ended,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OfAftercare {
    pub handovers: BTreeMap<AllocationId, Handover>,
    pub reviews: BTreeMap<AllocationId, Date>,
    pub ended: BTreeMap<AllocationId, bool>,
    pub nights: BTreeMap<SignalId, Night>,
    pub escalated: BTreeMap<SignalId, (bool, Municipality, Date)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Handover {
    ToFill {
        giver: Organisation,
        by: Date,
        #[serde(default)]
        soon: bool,
    },
    ToAnswer {
        receiver: Organisation,
        by: Date,
        #[serde(default)]
        soon: bool,
    },
    Unanswered {
        since: Date,
    },
    Accepted {
        receiver: Organisation,
    },
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Night {
    pub municipality: Municipality,
    pub relapse_guarantee: bool,
    pub at: Timestamp,
    pub on: Date,
    pub closed: bool,
    pub again: Option<Again>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Again {
    pub municipality: Municipality,
    pub count: i32,
    pub at: Timestamp,
    pub on: Date,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OfRegie {
    pub held: BTreeSet<CaseId>,
    pub planned: BTreeSet<CaseId>,
    pub overridden: BTreeSet<AllocationId>,
    pub closed: BTreeMap<CaseId, Timestamp>,
    pub refused: BTreeMap<Uuid, String>,
    #[serde(default)]
    pub merged: Option<Merged>,
    /// The records that point to this one.
    #[serde(default)]
    pub took_over: BTreeSet<Uuid>,
}

/// That this record points to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merged {
    pub merge: Uuid,
    /// Whether the case of that other one was closed since.
    pub at_rest: bool,
}

impl Facts {
    pub fn record(&mut self, Incoming { at, fact, .. }: &Incoming) {
        match fact {
            Fact::Access(fact) => self.access.record(fact, at),
            Fact::Housing(fact) => self.housing.record(fact, at),
            Fact::Income(fact) => self.income.record(fact, at),
            Fact::Aftercare(fact) => self.aftercare.record(fact, at),
            Fact::Regie(fact) => self.regie.record(fact, at),
            Fact::DeadlineReached { .. } => {}
        }
    }
}

impl OfAccess {
    fn record(&mut self, fact: &Access, at: &Moment) {
        match fact.clone() {
            Access::DuplicateSuspected { of_client, municipality } => {
                self.duplicates.insert(of_client, (municipality, at.date));
            }
            Access::NotificationReceived { notification: id, municipality, notified_by: by } => {
                self.notifications.push(Notification { id, municipality, by, at: at.at, withdrawn_at: None });
            }
            Access::NotificationWithdrawn { notification } => {
                self.urgent.remove(&notification);
                self.investigations.remove(&notification);
                if let Some(known) = self.notifications.iter_mut().find(|known| known.id == notification) {
                    known.withdrawn_at = Some(at.at);
                }
            }
            Access::UrgentProvisionOverdue { notification } => {
                self.urgent.insert(notification, at.date);
            }
            Access::UrgentProvisionDecided { notification } => {
                self.urgent.remove(&notification);
            }
            Access::InvestigationDueSoon { notification, due_on } => {
                self.investigations.insert(notification, due_on);
            }
            Access::IntakeCompleted { notification } => {
                self.investigations.remove(&notification);
            }
            Access::ApplicationDueSoon { application, due_on } => {
                self.applications.insert(application, due_on);
            }
            Access::ApplicationReceived { application } => {
                self.received.insert(application);
            }
            Access::ApplicationWithdrawn { application } | Access::DecisionTaken { application } => {
                self.applications.remove(&application);
                self.received.remove(&application);
            }
            Access::DecisionEndingSoon { decision, ends_on } => {
                self.decisions.insert(decision, ends_on);
            }
            Access::DecisionExtended { decision } | Access::DecisionEnded { decision } => {
                self.decisions.remove(&decision);
            }
            Access::Waitlisted { entry } => {
                self.waiting.insert(entry);
            }
            Access::WaitingListLeft { entry } => {
                self.waiting.remove(&entry);
            }
            Access::Admitted { stay, organisation, notification } => {
                notification.map(|notification| self.urgent.remove(&notification));
                self.stays.insert(stay, Stay { organisation, trajectory_on: None, at: at.at });
                (self.admitted_at, self.departed) = (Some(at.at), None);
            }
            Access::TrajectoryStarted { stay, started_on } => {
                if let Some(stay) = self.stays.get_mut(&stay) {
                    stay.trajectory_on = Some(started_on);
                }
            }
            Access::Departed { stay } => {
                let left = self.stays.remove(&stay);
                let departure = left.map(|left| Departure { stay, admitted_at: left.at, at: at.at });
                self.departed = departure.filter(|_| self.stays.is_empty()).or(self.departed);
            }
            Access::PlaceClaimed { claim, signal } => {
                let new = Claim { signal, at: at.at, ending_on: None, released: false, lapsed: false };
                self.claims.insert(claim, new);
            }
            Access::PlaceClaimEndingSoon { claim, until_on } => {
                if let Some(claim) = self.claims.get_mut(&claim) {
                    claim.ending_on = Some(until_on);
                }
            }
            Access::PlaceClaimReleased { claim, lapsed } => {
                if let Some(claim) = self.claims.get_mut(&claim) {
                    (claim.released, claim.lapsed, claim.at) = (true, lapsed, at.at);
                }
            }
            Access::ClientDied => self.died = true,
        }
    }
}

impl OfHousing {
    fn record(&mut self, fact: &Housing, at: &Moment) {
        match fact.clone() {
            Housing::Nominated { nomination, municipality, nominated_by: by } => {
                self.lost = None;
                let new = Nomination { municipality, by, withdrawn: false, at: at.at, lapsed: None };
                self.nominations.insert(nomination, new);
            }
            Housing::NominationWithdrawn { nomination } => {
                if let Some(nomination) = self.nominations.get_mut(&nomination) {
                    nomination.withdrawn = true;
                }
            }
            Housing::OfferMade { offer, nomination, corporation, until } => {
                self.lost = None;
                let new = Offer { nomination, corporation, until, yes: (false, false), ending: None };
                self.offers.insert(offer, new);
                if let Some(nomination) = self.nominations.get_mut(&nomination) {
                    nomination.lapsed = None;
                }
            }
            Housing::OfferAnswered { offer, accepted: false, .. } | Housing::OfferEnded { offer } => {
                self.offers.remove(&offer);
            }
            Housing::OfferAnswered { offer, by_client, accepted: true } => {
                if let Some(offer) = self.offers.get_mut(&offer) {
                    offer.yes = (offer.yes.0 || by_client, offer.yes.1 || !by_client);
                }
            }
            Housing::OfferEndingSoon { offer, provider } => {
                if let Some(offer) = self.offers.get_mut(&offer) {
                    offer.ending = Some(provider);
                }
            }
            Housing::OfferLapsed { offer } => {
                if let Some(lapsed) = self.offers.remove(&offer)
                    && let Some(nomination) = self.nominations.get_mut(&lapsed.nomination)
                {
                    nomination.lapsed = Some((offer, at.date));
                }
            }
            Housing::AllocationAccepted { allocation, home } => {
                self.lost = None;
                self.offers.retain(|_, offer| offer.nomination != home.nomination);
                if let Some(nomination) = self.nominations.get_mut(&home.nomination) {
                    nomination.lapsed = None;
                }
                let (at, on) = (at.at, at.date);
                let new = Move { home, at, on, signed: false, keys: None, over: None };
                self.moves.insert(allocation, new);
            }
            Housing::LeaseSigned { allocation } => self.a_move(allocation, |m| m.signed = true),
            Housing::KeysHandedOver { allocation, on } => self.a_move(allocation, |m| m.keys = Some((on, at.at))),
            Housing::AllocationWithdrawn { allocation } => self.lose(allocation, Over::Fell, at),
            Housing::LeaseEnded { allocation } => self.lose(allocation, Over::Left, at),
        }
    }

    fn lose(&mut self, allocation: AllocationId, over: Over, at: &Moment) {
        self.a_move(allocation, |m| m.over = Some(over));
        let elsewhere = self.moves.values().any(Move::on);
        self.lost = Some((allocation, at.date)).filter(|_| !elsewhere);
    }

    fn a_move(&mut self, allocation: AllocationId, change: impl FnOnce(&mut Move)) {
        self.moves.get_mut(&allocation).map(change);
    }

    /// In the pool, or moving on it: neither withdrawn nor used up.
    pub fn in_the_pool(&self, id: &NominationId) -> bool {
        let taken = self.moves.values().any(|m| m.home.nomination == *id && m.over != Some(Over::Fell));
        !taken && self.nominations.get(id).is_some_and(|nomination| !nomination.withdrawn)
    }
}

impl OfIncome {
    fn record(&mut self, fact: &Income, at: &Moment) {
        match fact.clone() {
            Income::BenefitRequestPrepared { request } => self.request(request, |_| {}),
            Income::BenefitRequestCompleted { request, running_from } => self.request(request, |r| {
                r.running = running_from.map(|from| Period { from, until: None });
            }),
            Income::InformationAsked { request, answer_by } => {
                self.request(request, |r| (r.information_by, r.information_missed_on) = (Some(answer_by), None));
            }
            Income::InformationGiven { request } => self.request(request, |r| {
                (r.information_by, r.information_missed_on) = (None, None);
            }),
            Income::InformationOverdue { request, decision_due_on } => self.request(request, |r| {
                (r.information_by, r.information_missed_on) = (None, Some(at.date));
                r.decision_by = decision_due_on.or(r.decision_by);
            }),
            Income::BenefitDecisionDue { request, due_on } => self.request(request, |r| r.decision_by = Some(due_on)),
            Income::AdvanceDue { request, due_on } => self.request(request, |r| r.advance_by = Some(due_on)),
            Income::AdvancePaid { request, expected } => self.request(request, |r| {
                (r.advance_by, r.expected) = (None, expected);
            }),
            Income::AdvanceRefused { request } => self.request(request, |r| r.advance_by = None),
            Income::BenefitDecided { request, granted, running_from } => self.request(request, |r| {
                let running = running_from.map(|from| Period { from, until: None });
                *r = Request { running, refused_on: (!granted).then_some(at.date), ..Request::default() };
            }),
            Income::BenefitEnded { request, ends_on } => self.request(request, |r| {
                r.running = r.running.map(|period| Period { until: Some(ends_on), ..period });
            }),
            Income::BenefitRequestWithdrawn { request } => self.request(request, |r| {
                *r = Request { withdrawn: true, ..Request::default() };
            }),
            Income::OwnIncomeVerified { period } => self.own = Some(period),
            Income::OwnIncomeRevoked => self.own = None,
            Income::RentGuaranteeGranted { allocation, ends_on, bridging } => {
                self.guarantees.insert(allocation, Guarantee::Granted { ends_on, bridging, ending: false });
            }
            Income::RentGuaranteeUnanswered { allocation } => {
                self.guarantees.insert(allocation, Guarantee::Unanswered { on: at.date });
            }
            Income::RentGuaranteeRefused { allocation } => {
                self.guarantees.insert(allocation, Guarantee::Refused { on: at.date });
            }
            Income::RentGuaranteeEndingSoon { allocation, .. } => {
                if let Some(Guarantee::Granted { ending, .. }) = self.guarantees.get_mut(&allocation) {
                    *ending = true;
                }
            }
            Income::RentGuaranteeEnded { allocation } => {
                self.guarantees.insert(allocation, Guarantee::Ended);
            }
        }
    }

    /// A request that was withdrawn stays so.
    fn request(&mut self, request: BenefitRequestId, change: impl FnOnce(&mut Request)) {
        Some(self.requests.entry(request).or_default()).filter(|r| !r.withdrawn).map(change);
    }
}

impl OfAftercare {
    fn record(&mut self, fact: &Aftercare, at: &Moment) {
        match fact.clone() {
            Aftercare::HandoverToFill { allocation, giver, fill_by: by } => {
                self.handovers.insert(allocation, Handover::ToFill { giver, by, soon: false });
            }
            Aftercare::HandoverToAnswer { allocation, receiver, answer_by: by } => {
                self.handovers.insert(allocation, Handover::ToAnswer { receiver, by, soon: false });
            }
            Aftercare::HandoverDueSoon { allocation } => {
                if let Some(Handover::ToFill { soon, .. } | Handover::ToAnswer { soon, .. }) =
                    self.handovers.get_mut(&allocation)
                {
                    *soon = true;
                }
            }
            Aftercare::HandoverUnanswered { allocation, due_on: since } => {
                self.handovers.insert(allocation, Handover::Unanswered { since });
            }
            Aftercare::HandoverAccepted { allocation, receiver } => {
                self.handovers.insert(allocation, Handover::Accepted { receiver });
            }
            Aftercare::HandoverCancelled { allocation } => {
                self.handovers.insert(allocation, Handover::Cancelled);
            }
            Aftercare::AftercareReviewDue { allocation, due_on } => {
                self.reviews.insert(allocation, due_on);
            }
            Aftercare::AftercareEnded { allocation, landed } => {
                self.reviews.remove(&allocation);
                // What ended does not end again in another way: whether its case is closed would hang on who was heard first.
                self.ended.entry(allocation).or_insert(landed);
            }
            Aftercare::NowhereToSleepReported { signal, municipality, relapse_guarantee } => {
                let (at, on) = (at.at, at.date);
                let new = Night { municipality, relapse_guarantee, at, on, closed: false, again: None };
                self.nights.insert(signal, new);
            }
            Aftercare::NowhereToSleepRepeated { signal, municipality, count } => {
                if let Some(night) = self.nights.get_mut(&signal) {
                    night.again = Some(Again { municipality, count, at: at.at, on: at.date });
                }
            }
            Aftercare::SignalEscalated { signal, to_regie, municipality } => {
                self.escalated.insert(signal, (to_regie, municipality, at.date));
            }
            Aftercare::SignalTakenUp { signal } => {
                self.escalated.remove(&signal);
            }
            Aftercare::SignalClosed { signal } => {
                self.escalated.remove(&signal);
                if let Some(night) = self.nights.get_mut(&signal) {
                    night.closed = true;
                }
            }
        }
    }
}

impl OfRegie {
    fn record(&mut self, fact: &Regie, at: &Moment) {
        match fact.clone() {
            Regie::CaseHolderChanged { case } => {
                self.held.insert(case);
            }
            Regie::PlanAdopted { case } => {
                self.planned.insert(case);
            }
            Regie::GateOverridden { allocation, open: true } => {
                self.overridden.insert(allocation);
            }
            Regie::GateOverridden { allocation, open: false } => {
                self.overridden.remove(&allocation);
            }
            Regie::CaseClosed { case } => {
                self.closed.insert(case, at.at);
            }
            Regie::Merged { merge } => self.merged = Some(Merged { merge, at_rest: false }),
            Regie::MergeUndone => self.merged = None,
            Regie::KeptCaseClosed => self.merged.iter_mut().for_each(|merged| merged.at_rest = true),
            Regie::TookOver { other } => {
                self.took_over.insert(other);
            }
            Regie::GaveBack { other } => {
                self.took_over.remove(&other);
            }
            Regie::CommandRefused { request_id, step } => {
                self.refused.insert(request_id, step);
            }
            Regie::CommandSettled { request_id } => {
                self.refused.remove(&request_id);
            }
        }
    }
}
