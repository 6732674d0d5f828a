//! An allocation: one household for one dwelling, from the moment that all accepted until the lease ends (P1).
//!
//! The gate is part of its state and shut by default: no lease is signed while it is shut (P2). Only regie moves it.

use super::agreement::{
    self, AGREEMENT_MISSING, AGREEMENT_SIGNED_ALREADY, Agreement, Draft, Signatory, Signature, Signer,
};
use super::offer::Offer;
use super::suitable::Figures;
use super::{
    AgreementId, AllocationId, ContingentId, ContractForm, DwellingId, GateGround, LeaseEndReason, NominationId,
};
use super::{OfferId, Policy, WithdrawalReason};
use kernel::{Cents, ClientId, Date, Moment, Municipality, Organisation, Refusal, Timestamp};

kernel::reasons! {
    ALLOCATION_CLOSED: Rule, "P4",
        "The allocation is {state}.", "De toewijzing is afgesloten ({state}).",
        "Read the allocation again.", "Lees de toewijzing opnieuw.";
    GATE_SHUT: Rule, "P2",
        "The household's income is not secured from the start of the lease, {lease_start_on}.",
        "Het inkomen van het huishouden is niet zeker vanaf de ingang van de huur, {lease_start_on}.",
        "Wait for the benefit, the income check, an advance or a guarantee, or ask the municipality to decide.",
        "Wacht op de uitkering, de inkomenstoets, een voorschot of een garantstelling, of vraag de gemeente om een besluit.";
    LEASE_SIGNED_ALREADY: Rule, "P2",
        "The lease is signed.", "Het huurcontract is getekend.",
        "See to the household's income in another way.", "Zorg op een andere manier voor het inkomen van het huishouden.";
    LEASE_NOT_SIGNED: Rule, "P2",
        "The lease is not signed.", "Het huurcontract is niet getekend.",
        "Sign the lease first.", "Teken eerst het huurcontract.";
    KEYS_IN_FUTURE: Rule, "R-AFT-01",
        "Keys are recorded once they are handed over.", "De sleutels worden vastgelegd als ze zijn overhandigd.",
        "Record it on the day itself.", "Leg het vast op de dag zelf.";
    KEYS_HANDED_OVER_ALREADY: Rule, "P4",
        "The client has the keys.", "De cliënt heeft de sleutels.",
        "End the lease instead.", "Beëindig in plaats daarvan de huur.";
    KEYS_NOT_HANDED_OVER: Rule, "P4",
        "The client does not have the keys yet.", "De cliënt heeft de sleutels nog niet.",
        "Withdraw the allocation instead.", "Trek in plaats daarvan de toewijzing in.";
}

/// An allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Its id.
    pub id: AllocationId,
    /// The offer that all accepted.
    pub offer: OfferId,
    /// The nomination.
    pub nomination: NominationId,
    /// The dwelling.
    pub dwelling: DwellingId,
    /// The client.
    pub client_id: ClientId,
    /// Whose dwelling it is.
    pub corporation: Organisation,
    /// Who guides the client.
    pub provider: Organisation,
    /// Where the dwelling stands.
    pub municipality: Municipality,
    /// The contingent that the place was drawn from (R-HOU-01).
    pub contingent: ContingentId,
    /// The contract (R-HOU-10).
    pub form: ContractForm,
    /// When the lease starts.
    pub lease_start_on: Date,
    /// Basic rent per month.
    pub rent: Cents,
    /// A rent guarantee must be asked (R-HOU-05).
    pub guarantee_required: bool,
    /// How it counts for suitable allocation (R-HOU-06).
    pub suitability: Suitability,
    /// When all had accepted.
    pub accepted_at: Timestamp,
    /// The tri-party agreement, if one was drawn up.
    pub agreement: Option<Agreement>,
    /// Where it is.
    pub state: State,
}

/// How an allocation counts for suitable allocation (R-HOU-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suitability {
    /// The household is above the income limit: it does not count.
    NotJudged,
    /// Up to the cap.
    Suitable,
    /// Above it.
    AboveCap,
}

/// The move-in gate (P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// No lease may be signed: how every allocation begins.
    Shut,
    /// Income is secured, on this ground.
    Open(GateGround),
}

/// Where an allocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All accepted.
    Accepted {
        /// The gate.
        gate: Gate,
    },
    /// The tri-party agreement is signed.
    AgreementSigned {
        /// The gate.
        gate: Gate,
    },
    /// The lease is signed.
    LeaseSigned,
    /// The client has the keys.
    KeysHandedOver {
        /// Since when.
        on: Date,
    },
    /// The lease ended.
    Ended {
        /// Since when the client had the keys.
        keys_on: Date,
        /// The last day.
        on: Date,
        /// Why.
        reason: LeaseEndReason,
    },
    /// Fell before the keys.
    Withdrawn {
        /// Why.
        reason: WithdrawalReason,
    },
}

impl State {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Accepted { .. } => "accepted",
            State::AgreementSigned { .. } => "agreement_signed",
            State::LeaseSigned => "lease_signed",
            State::KeysHandedOver { .. } => "keys_handed_over",
            State::Ended { .. } => "ended",
            State::Withdrawn { .. } => "withdrawn",
        }
    }

    /// Whether it holds the dwelling (P1).
    pub fn live(self) -> bool {
        !matches!(self, State::Ended { .. } | State::Withdrawn { .. })
    }
}

/// What can be asked of an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Draw up the agreement.
    DraftAgreement {
        /// The id that it gets.
        id: AgreementId,
        /// What is drawn up.
        draft: Draft,
    },
    /// Sign the agreement.
    SignAgreement {
        /// Who calls.
        by: Signer,
        /// For whom.
        who: Signatory,
    },
    /// Open the gate.
    OpenGate {
        /// On which ground.
        ground: GateGround,
    },
    /// Shut the gate.
    ShutGate,
    /// Sign the lease.
    SignLease,
    /// Hand over the keys.
    HandOverKeys {
        /// On which day.
        on: Date,
    },
    /// Withdraw it.
    Withdraw {
        /// Why.
        reason: WithdrawalReason,
    },
    /// End the lease.
    EndLease {
        /// Why.
        reason: LeaseEndReason,
        /// The last day.
        on: Date,
    },
}

/// What happened to an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An agreement was drawn up.
    AgreementDrafted {
        /// It.
        agreement: Agreement,
    },
    /// Somebody signed it.
    Signed {
        /// The signature.
        signature: Signature,
    },
    /// Everybody has signed it.
    AgreementSigned {
        /// The agreement.
        agreement: AgreementId,
    },
    /// The gate is open.
    GateOpened {
        /// On this ground.
        ground: GateGround,
    },
    /// The gate is shut.
    GateShut,
    /// The lease is signed.
    LeaseSigned,
    /// The client has the keys.
    KeysHandedOver {
        /// Since when.
        on: Date,
    },
    /// It fell.
    Withdrawn {
        /// Why.
        reason: WithdrawalReason,
    },
    /// The lease ended.
    LeaseEnded {
        /// Why.
        reason: LeaseEndReason,
        /// The last day.
        on: Date,
    },
}

/// The allocation that an offer becomes when all have accepted it.
pub fn open(
    id: AllocationId,
    offer: &Offer,
    form: ContractForm,
    contingent: ContingentId,
    figures: &Figures,
    now: Moment,
) -> Allocation {
    let suitability = match (offer.income, figures.above_cap(offer.rent, offer.household, offer.income)) {
        (Some(super::IncomeClass::Social | super::IncomeClass::Above), _) => Suitability::NotJudged,
        (_, None) => Suitability::Suitable,
        (_, Some(_)) => Suitability::AboveCap,
    };
    Allocation {
        id,
        offer: offer.id,
        nomination: offer.nomination,
        dwelling: offer.dwelling,
        client_id: offer.client_id,
        corporation: offer.corporation.clone(),
        provider: offer.provider.clone(),
        municipality: offer.municipality.clone(),
        contingent,
        form,
        lease_start_on: offer.lease_start_on,
        rent: offer.rent,
        guarantee_required: offer.guarantee_required,
        suitability,
        accepted_at: now.at,
        agreement: None,
        state: State::Accepted { gate: Gate::Shut },
    }
}

/// What may happen to an allocation.
pub fn decide(allocation: &Allocation, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    use Command as C;
    use State as S;
    let closed = || ALLOCATION_CLOSED.with("state", allocation.state.name());
    match (allocation.state, command) {
        (S::Accepted { .. }, C::DraftAgreement { id, draft }) => {
            let agreement = agreement::draw_up(*id, draft, allocation.lease_start_on, policy)?;
            match &allocation.agreement {
                Some(former) if former.same_terms(&agreement) => Ok(vec![]),
                _ => Ok(vec![Event::AgreementDrafted { agreement }]),
            }
        }
        (S::AgreementSigned { .. } | S::LeaseSigned, C::DraftAgreement { .. }) if allocation.agreement.is_some() => {
            Err((&AGREEMENT_SIGNED_ALREADY).into())
        }
        (_, C::DraftAgreement { .. }) => Err(closed()),

        (S::Accepted { .. }, C::SignAgreement { by, who }) => {
            let Some(agreement) = &allocation.agreement else { return Err((&AGREEMENT_MISSING).into()) };
            let Some(signature) = agreement::sign(agreement, *by, *who, now.date)? else { return Ok(vec![]) };
            let mut signed = agreement.clone();
            signed.signatures.push(signature);
            let last = signed.complete().then_some(Event::AgreementSigned { agreement: agreement.id });
            Ok([Event::Signed { signature }].into_iter().chain(last).collect())
        }
        (S::AgreementSigned { .. } | S::LeaseSigned, C::SignAgreement { by, who }) => match &allocation.agreement {
            Some(agreement) => agreement::sign(agreement, *by, *who, now.date).map(|_| vec![]),
            None => Err(closed()),
        },
        (_, C::SignAgreement { .. }) => Err(closed()),

        (S::Accepted { gate } | S::AgreementSigned { gate }, C::OpenGate { ground }) => match gate {
            Gate::Open(same) if same == *ground => Ok(vec![]),
            _ => Ok(vec![Event::GateOpened { ground: *ground }]),
        },
        (S::Accepted { gate } | S::AgreementSigned { gate }, C::ShutGate) => match gate {
            Gate::Shut => Ok(vec![]),
            Gate::Open(_) => Ok(vec![Event::GateShut]),
        },
        // Once signed the gate has done its work; that income falls away afterwards is for a person to see to.
        (S::LeaseSigned | S::KeysHandedOver { .. } | S::Ended { .. }, C::OpenGate { .. }) => Ok(vec![]),
        (S::LeaseSigned | S::KeysHandedOver { .. }, C::ShutGate) => Err((&LEASE_SIGNED_ALREADY).into()),
        (S::Withdrawn { .. }, C::OpenGate { .. }) => Err(closed()),
        (S::Withdrawn { .. } | S::Ended { .. }, C::ShutGate) => Ok(vec![]),

        (S::Accepted { .. }, C::SignLease) if policy.agreement_forms.contains(&allocation.form) => {
            Err((&AGREEMENT_MISSING).into())
        }
        (S::Accepted { gate } | S::AgreementSigned { gate }, C::SignLease) => match gate {
            Gate::Shut => Err(GATE_SHUT.with("lease_start_on", allocation.lease_start_on)),
            Gate::Open(_) => Ok(vec![Event::LeaseSigned]),
        },
        (S::LeaseSigned | S::KeysHandedOver { .. }, C::SignLease) => Ok(vec![]),
        (S::Ended { .. } | S::Withdrawn { .. }, C::SignLease) => Err(closed()),

        (S::LeaseSigned, C::HandOverKeys { on }) if *on > now.date => Err((&KEYS_IN_FUTURE).into()),
        (S::LeaseSigned, C::HandOverKeys { on }) => Ok(vec![Event::KeysHandedOver { on: *on }]),
        (S::KeysHandedOver { .. }, C::HandOverKeys { .. }) => Ok(vec![]),
        (S::Accepted { .. } | S::AgreementSigned { .. }, C::HandOverKeys { .. }) => Err((&LEASE_NOT_SIGNED).into()),
        (S::Ended { .. } | S::Withdrawn { .. }, C::HandOverKeys { .. }) => Err(closed()),

        (S::Accepted { .. } | S::AgreementSigned { .. } | S::LeaseSigned, C::Withdraw { reason }) => {
            Ok(vec![Event::Withdrawn { reason: *reason }])
        }
        (S::Withdrawn { .. }, C::Withdraw { .. }) => Ok(vec![]),
        (S::KeysHandedOver { .. } | S::Ended { .. }, C::Withdraw { .. }) => Err((&KEYS_HANDED_OVER_ALREADY).into()),

        (S::KeysHandedOver { .. }, C::EndLease { reason, on }) => {
            Ok(vec![Event::LeaseEnded { reason: *reason, on: *on }])
        }
        (S::Ended { .. }, C::EndLease { .. }) => Ok(vec![]),
        (S::Withdrawn { .. }, C::EndLease { .. }) => Err(closed()),
        (_, C::EndLease { .. }) => Err((&KEYS_NOT_HANDED_OVER).into()),
    }
}

/// The allocation after an event.
pub fn apply(mut allocation: Allocation, event: &Event) -> Allocation {
    let gate = match allocation.state {
        State::Accepted { gate } | State::AgreementSigned { gate } => gate,
        _ => Gate::Shut,
    };
    let with_gate = |state: State, gate: Gate| match state {
        State::AgreementSigned { .. } => State::AgreementSigned { gate },
        _ => State::Accepted { gate },
    };
    match event {
        Event::AgreementDrafted { agreement } => allocation.agreement = Some(agreement.clone()),
        Event::Signed { signature } => {
            if let Some(agreement) = &mut allocation.agreement {
                agreement.signatures.push(*signature);
            }
        }
        Event::AgreementSigned { .. } => allocation.state = State::AgreementSigned { gate },
        Event::GateOpened { ground } => allocation.state = with_gate(allocation.state, Gate::Open(*ground)),
        Event::GateShut => allocation.state = with_gate(allocation.state, Gate::Shut),
        Event::LeaseSigned => allocation.state = State::LeaseSigned,
        Event::KeysHandedOver { on } => allocation.state = State::KeysHandedOver { on: *on },
        Event::Withdrawn { reason } => allocation.state = State::Withdrawn { reason: *reason },
        Event::LeaseEnded { reason, on } => {
            let keys_on = match allocation.state {
                State::KeysHandedOver { on } => on,
                _ => *on,
            };
            allocation.state = State::Ended { keys_on, on: *on, reason: *reason };
        }
    }
    allocation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::agreement::tests::draft;
    use crate::domain::offer::{self, tests::offer};
    use crate::domain::tests::{figures, policy, uuid};
    use crate::domain::{Capacity, Code, Party, Tenant};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn allocation(form: ContractForm) -> Allocation {
        let offer = offer(offer::State::Accepted);
        open(AllocationId(uuid(1)), &offer, form, ContingentId(uuid(1)), &figures(2026), now())
    }

    fn now() -> Moment {
        Moment::at_hour(date(2026, 3, 5), 9)
    }

    fn run(start: Allocation, commands: &[Command]) -> Allocation {
        commands
            .iter()
            .fold(start, |state, command| decide(&state, command, &policy(), now()).unwrap().iter().fold(state, apply))
    }

    fn refusal(state: &Allocation, command: Command) -> &'static str {
        decide(state, &command, &policy(), now()).unwrap_err().reason.code
    }

    const GRANTED: Command = Command::OpenGate { ground: GateGround::Benefit };
    const KEYS: Command = Command::HandOverKeys { on: date(2026, 3, 5) };
    const FALL: Command = Command::Withdraw { reason: WithdrawalReason::Corporation };
    const END: Command = Command::EndLease { reason: LeaseEndReason::Tenant, on: date(2026, 3, 5) };

    /// P2
    #[test]
    fn no_lease_is_signed_through_a_shut_gate() {
        let own = allocation(ContractForm::OwnLease);
        assert_eq!(refusal(&own, Command::SignLease), "GATE_SHUT");
        let open = run(own, &[GRANTED]);
        assert_eq!(refusal(&run(open.clone(), &[Command::ShutGate]), Command::SignLease), "GATE_SHUT");
        let signed = run(open, &[Command::SignLease]);
        assert_eq!(signed.state, State::LeaseSigned);
        assert_eq!(refusal(&signed, Command::ShutGate), "LEASE_SIGNED_ALREADY");
        assert_eq!(decide(&signed, &GRANTED, &policy(), now()), Ok(vec![]));
    }

    /// R-HOU-11
    #[test]
    fn a_convertible_lease_waits_for_the_signed_agreement() {
        let convertible = run(allocation(ContractForm::ConvertibleLease), &[GRANTED]);
        assert_eq!(refusal(&convertible, Command::SignLease), "AGREEMENT_MISSING");
        let sign = |by, party, capacity| Command::SignAgreement { by, who: Signatory { party, capacity } };
        let by_client = sign(Signer::Client, Party::Client, Capacity::SelfSigned);
        assert_eq!(refusal(&convertible, by_client.clone()), "AGREEMENT_MISSING");
        let drafted = Command::DraftAgreement { id: AgreementId(uuid(3)), draft: draft() };
        let almost = run(
            convertible,
            &[
                drafted.clone(),
                sign(Signer::Corporation, Party::Corporation, Capacity::Officer),
                by_client.clone(),
                by_client,
                sign(Signer::Guardian, Party::Client, Capacity::Guardian),
            ],
        );
        assert_eq!(refusal(&almost, Command::SignLease), "AGREEMENT_MISSING");
        let last = sign(Signer::Provider, Party::Provider, Capacity::Officer);
        let signed = run(almost.clone(), std::slice::from_ref(&last));
        assert_eq!(signed.state, State::AgreementSigned { gate: Gate::Open(GateGround::Benefit) });
        assert_eq!(run(signed.clone(), &[last, Command::SignLease]).state, State::LeaseSigned);
        assert_eq!(refusal(&signed, drafted.clone()), "AGREEMENT_SIGNED_ALREADY");
        // The same draft keeps the signatures; another one starts afresh.
        assert_eq!(run(almost.clone(), &[drafted]), almost);
        let other = Draft { tenant: Tenant::Client, ..draft() };
        let again = run(almost, &[Command::DraftAgreement { id: AgreementId(uuid(4)), draft: other }]);
        assert!(again.agreement.unwrap().signatures.is_empty());
    }

    /// P4
    #[test]
    fn an_allocation_is_withdrawn_at_any_point_before_the_keys_and_ended_after() {
        let own = || allocation(ContractForm::OwnLease);
        for steps in [vec![], vec![GRANTED], vec![GRANTED, Command::SignLease]] {
            let before = run(own(), &steps);
            assert_eq!(refusal(&before, END), "KEYS_NOT_HANDED_OVER");
            let fallen = run(before, &[FALL, FALL, Command::ShutGate]);
            assert_eq!(fallen.state, State::Withdrawn { reason: WithdrawalReason::Corporation });
            assert!(!fallen.state.live());
            for command in [GRANTED, Command::SignLease, KEYS, END] {
                assert_eq!(refusal(&fallen, command), "ALLOCATION_CLOSED");
            }
        }
        assert_eq!(refusal(&run(own(), &[GRANTED]), KEYS), "LEASE_NOT_SIGNED");
        let signed = run(own(), &[GRANTED, Command::SignLease]);
        assert_eq!(refusal(&signed, Command::HandOverKeys { on: date(2026, 3, 6) }), "KEYS_IN_FUTURE");
        let housed = run(signed, &[KEYS, KEYS]);
        assert!(housed.state.live());
        assert_eq!(refusal(&housed, FALL), "KEYS_HANDED_OVER_ALREADY");
        let ended = run(housed, &[END, END]);
        assert_eq!(refusal(&ended, FALL), "KEYS_HANDED_OVER_ALREADY");
        assert!(!ended.state.live());
    }

    /// R-HOU-06
    #[test]
    fn an_allocation_counts_for_its_year_by_income_and_rent() {
        let with = |income, rent| {
            let offer = offer::Offer { income, rent: Cents(rent), ..offer(offer::State::Accepted) };
            let (id, contingent) = (AllocationId(uuid(1)), ContingentId(uuid(1)));
            open(id, &offer, ContractForm::OwnLease, contingent, &figures(2026), now()).suitability
        };
        use crate::domain::IncomeClass::*;
        assert_eq!(with(Some(Social), 90_000), Suitability::NotJudged);
        assert_eq!(with(Some(RentAllowance), 65_043), Suitability::Suitable);
        assert_eq!(with(None, 65_044), Suitability::AboveCap);
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            (0..GateGround::ALL.len()).prop_map(|n| Command::OpenGate { ground: GateGround::ALL[n] }),
            Just(Command::ShutGate),
            Just(Command::SignLease),
            Just(KEYS),
            Just(FALL),
            Just(END),
            Just(Command::DraftAgreement { id: AgreementId(uuid(3)), draft: draft() }),
            Just(Command::SignAgreement {
                by: Signer::Client,
                who: Signatory { party: Party::Client, capacity: Capacity::SelfSigned },
            }),
        ]
    }

    proptest! {
        /// P2, P4
        #[test]
        fn whatever_is_asked_a_lease_is_signed_only_through_an_open_gate(
            commands in proptest::collection::vec(any_command(), 0..40), own in any::<bool>(),
        ) {
            let form = if own { ContractForm::OwnLease } else { ContractForm::ConvertibleLease };
            let mut state = allocation(form);
            let mut open = false;
            for command in &commands {
                let was_live = state.state.live();
                for event in decide(&state, command, &policy(), now()).unwrap_or_default() {
                    match event {
                        Event::GateOpened { .. } => open = true,
                        Event::GateShut => open = false,
                        Event::LeaseSigned => prop_assert!(open && own, "the agreement was never completed"),
                        _ => {}
                    }
                    prop_assert!(was_live, "nothing happens to an allocation that is over");
                    state = apply(state, &event);
                }
            }
        }
    }
}
