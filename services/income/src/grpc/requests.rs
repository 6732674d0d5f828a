//! From requests to what the domain knows; what is malformed ends here, and all wrong fields are named at once.

use crate::domain::benefit_request::{self, Command};
use crate::domain::{Circumstances, rent_guarantee};
use crate::words::Word;
use chassis::Page;
use kernel::{Cents, Date, Refusal, general};
use proto::google::r#type::Date as DateMessage;
use proto::income::v1 as pb;
use proto::to_date;

/// What reading gives.
pub type Read<T> = Result<T, Refusal>;

/// Reads several fields and refuses all that are wrong at once: `fields! { client = ClientId::parse(…); }`
macro_rules! fields {
    ($($name:ident = $value:expr;)+) => {
        $(let $name = $value;)+
        let mut wrong: Option<kernel::Refusal> = None;
        $(if let Err(refusal) = &$name { $crate::grpc::requests::merge(&mut wrong, refusal); })+
        if let Some(refusal) = wrong {
            return Err(refusal.into());
        }
        $(let $name = $name?;)+
    };
}
pub(crate) use fields;

/// A date that may be absent.
pub fn date_opt(field: &'static str, date: Option<&DateMessage>) -> Result<Option<Date>, Refusal> {
    date.map(|date| proto::to_date(field, Some(date))).transpose()
}

/// Text that may be absent, read when it is there.
pub fn opt<T>(text: &str, read: impl FnOnce(&str) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// The answer to a request in which none of the alternatives was chosen.
pub fn unset(field: &'static str) -> Refusal {
    general::MALFORMED.field(field, "is not set", "is niet ingevuld")
}

/// Takes the wrong fields of one refusal over into another.
pub fn merge(wrong: &mut Option<Refusal>, refusal: &Refusal) {
    match wrong {
        Some(known) => known.fields.extend(refusal.fields.iter().cloned()),
        None => *wrong = Some(refusal.clone()),
    }
}

/// Who signed an application, and when.
pub fn signature(message: &pb::SubmitBenefitApplicationRequest) -> Read<Command> {
    fields! {
        by = Word::read("signed_by", message.signed_by);
        on = to_date("signed_on", message.signed_on.as_ref());
    }
    Ok(Command::Submit(benefit_request::Signature { by, on }))
}

/// What is asked, and until when.
pub fn question(message: &pb::AskInformationRequest) -> Read<Command> {
    let items = message.items.iter().map(|item| Word::read("items", *item)).collect::<Read<Vec<_>>>();
    fields! {
        items = items.and_then(|items| if items.is_empty() { Err(unset("items")) } else { Ok(items) });
        answer_by = to_date("answer_by", message.answer_by.as_ref());
    }
    Ok(Command::Ask { items, answer_by })
}

/// An advance.
pub fn advance(message: &pb::PayAdvanceRequest) -> Read<Command> {
    fields! {
        amount = amount("amount_cents", message.amount_cents);
        paid_on = to_date("paid_on", message.paid_on.as_ref());
        circumstances = circumstances(message.circumstances.as_ref());
        from_on = date_opt("expected_from_on", message.expected_from_on.as_ref());
        until = date_opt("expected_until", message.expected_until.as_ref());
    }
    Ok(Command::PayAdvance { amount, paid_on, circumstances, expectation: (from_on, until) })
}

/// The decision on a request.
pub fn decision(message: &pb::DecideBenefitRequest) -> Read<Command> {
    use pb::decide_benefit_request::Decision;
    match &message.decision {
        Some(Decision::Refusal(ground)) => Word::read("refusal", *ground).map(Command::Refuse),
        Some(Decision::Grant(grant)) => {
            fields! {
                start_on = to_date("grant.start_on", grant.start_on.as_ref());
                circumstances = circumstances(grant.circumstances.as_ref());
                retroactive = Word::read_opt("grant.retroactive_ground", grant.retroactive_ground);
                old_ends_on = date_opt("grant.old_benefit_ends_on", grant.old_benefit_ends_on.as_ref());
            }
            Ok(Command::Grant { start_on, circumstances, retroactive, old_ends_on })
        }
        None => Err(unset("decision")),
    }
}

/// The end of a benefit.
pub fn ending(message: &pb::EndBenefitRequest) -> Read<Command> {
    fields! {
        ends_on = to_date("ends_on", message.ends_on.as_ref());
        reason = Word::read("reason", message.reason);
    }
    Ok(Command::End { ends_on, reason })
}

/// The decision on a guarantee.
pub fn guarantee_decision(message: &pb::DecideRentGuaranteeRequest) -> Read<rent_guarantee::Command> {
    use pb::decide_rent_guarantee_request::Decision;
    match &message.decision {
        Some(Decision::Refusal(ground)) => Word::read("refusal", *ground).map(rent_guarantee::Command::Refuse),
        Some(Decision::Grant(grant)) => {
            fields! {
                cap = amount("grant.cap_cents", grant.cap_cents);
                ends_on = to_date("grant.ends_on", grant.ends_on.as_ref());
                reason = Word::read("grant.reason", grant.reason);
            }
            Ok(rent_guarantee::Command::Give(rent_guarantee::Grant { cap, ends_on, reason, bridging: grant.bridging }))
        }
        None => Err(unset("decision")),
    }
}

/// Circumstances as given, checked.
pub fn circumstances(given: Option<&pb::Circumstances>) -> Read<Option<Circumstances>> {
    given
        .map(|given| {
            let &pb::Circumstances { age, partner, cost_sharers, institution } = given;
            let read = Circumstances { age, partner, cost_sharers, institution };
            read.check("circumstances").map(|()| read)
        })
        .transpose()
}

/// An amount of money that is one: more than nothing, less than a million euro.
pub fn amount(field: &'static str, cents: i64) -> Read<Cents> {
    if (1..=100_000_000).contains(&cents) {
        Ok(Cents(cents))
    } else {
        Err(general::MALFORMED.field(field, "is not an amount above nothing", "is geen bedrag boven nul"))
    }
}

/// A rent per month.
pub fn rent(cents: i64) -> Read<Cents> {
    amount("rent_cents", cents)
}

/// The day and id after which a page begins; empty on the first.
pub fn after(page: &Page) -> Read<(String, String)> {
    if page.after.is_empty() {
        return Ok((String::new(), String::new()));
    }
    Ok((page.date(0)?.to_string(), page.uuid(1)?.to_string()))
}
