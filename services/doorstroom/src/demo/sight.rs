//! Who may see what: the field's matrix, held against what the contract itself says of its messages and fields.

use kernel::Role;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};
use proto::audit::v1::DataCategory;
use std::collections::BTreeSet;

/// What a role may be told: its column of the matrix, status and consent included. Ids, codes and what is about
/// organisations tell of nobody. What is not named here is not told.
pub fn may_hear(role: Role, told: DataCategory) -> bool {
    use DataCategory as C;
    let column: &[C] = match role {
        // All of the own file, and who looked in it.
        Role::Client => &[
            C::Identity,
            C::Bsn,
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Guarantee,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
            C::AccessLog,
        ],
        Role::Caseholder => &[
            C::Identity,
            C::Bsn,
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Guarantee,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
        ],
        Role::Shelter | Role::Vo => &[
            C::Identity,
            C::Bsn,
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
        ],
        Role::Access => &[
            C::Identity,
            C::Bsn,
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Stay,
            C::Tenancy,
            C::Scores,
        ],
        // The municipality sees the road, not the person.
        Role::Regie => &[
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Guarantee,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
            C::Aggregate,
        ],
        Role::Corporation => &[C::Identity, C::Decision, C::CareNeed, C::Guarantee, C::Tenancy],
        Role::Income => &[C::Identity, C::Bsn, C::Decision, C::Income, C::Debt, C::Guarantee, C::Tenancy],
        Role::Debt => &[C::Identity, C::Bsn, C::Decision, C::Income, C::Debt, C::Guarantee, C::Tenancy, C::Signal],
        Role::Civil => &[C::Identity, C::Bsn, C::Tenancy],
        Role::District => &[
            C::Identity,
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
        ],
        Role::Guardian => &[C::Income, C::Debt, C::Guarantee, C::Tenancy],
        Role::PrivacyOfficer => &[C::AccessLog],
        Role::Monitor => &[C::Aggregate],
        Role::Treatment | Role::Remote | Role::Informal | Role::Police | Role::Hotline | Role::PeerMuni => &[],
        // The services keep the chain together, and none needs to know who somebody is.
        Role::SvcAccess
        | Role::SvcHousing
        | Role::SvcIncome
        | Role::SvcAftercare
        | Role::SvcRegie
        | Role::SvcMonitor => &[
            C::Decision,
            C::LifeDomains,
            C::CareNeed,
            C::Income,
            C::Debt,
            C::Guarantee,
            C::Stay,
            C::Tenancy,
            C::Handover,
            C::Signal,
            C::Scores,
        ],
    };
    tells_of_nobody(told) || column.contains(&told)
}

/// A nomination rests on finances that are stabilised or guaranteed (R-HOU-03): whoever prepares one may hear yes or no and
/// until when, in the one answer that says no more than that.
fn rests_on(role: Role, told: DataCategory, answer: &str) -> bool {
    answer == "doorstroom.income.v1.GetFinancesStatusResponse"
        && told == DataCategory::Guarantee
        && matches!(role, Role::Access | Role::Shelter | Role::Vo)
}

/// The municipality reviews emergency access when its privacy officer does not (R-REG-20): it may hear who opened which, and no
/// more of the log.
fn reviews(role: Role, told: DataCategory, answer: &str) -> bool {
    answer == "doorstroom.regie.v1.ListEmergencyAccessResponse"
        && told == DataCategory::AccessLog
        && role == Role::Regie
}

fn tells_of_nobody(told: DataCategory) -> bool {
    matches!(told, DataCategory::Reference | DataCategory::Organisation)
}

/// What is wrong with a role receiving an event with this in it.
pub fn overheard(role: Role, event: &DynamicMessage) -> Option<String> {
    let descriptor = event.descriptor();
    if !receivers(&descriptor).contains(&role.as_str().to_owned()) {
        return Some(format!("{role} got {}, which is not for it", descriptor.name()));
    }
    let forbidden: Vec<_> = told(event).into_iter().filter(|told| !may_hear(role, *told)).collect();
    (!forbidden.is_empty()).then(|| format!("{} told {role} {forbidden:?}", descriptor.name()))
}

/// What an answer can tell a role that the role may not hear.
pub fn too_much(role: Role, answer: &MessageDescriptor) -> Vec<DataCategory> {
    let too_much = |told: &DataCategory| {
        let answer = answer.full_name();
        !may_hear(role, *told) && !rests_on(role, *told, answer) && !reviews(role, *told, answer)
    };
    carried(answer).into_iter().filter(too_much).collect()
}

/// Whether an answer can tell anything of anybody.
pub fn tells_of_people(answer: &MessageDescriptor) -> bool {
    carried(answer).into_iter().any(|told| !tells_of_nobody(told))
}

/// The roles that may receive an event.
fn receivers(event: &MessageDescriptor) -> Vec<String> {
    let Some(option) = proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.receivers") else {
        return Vec::new();
    };
    let roles = event.options().get_extension(&option).into_owned();
    roles.as_list().unwrap_or_default().iter().filter_map(|role| role.as_str().map(str::to_owned)).collect()
}

fn category(field: &FieldDescriptor) -> Option<DataCategory> {
    let option = proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.category")?;
    let options = field.options();
    options
        .has_extension(&option)
        .then(|| options.get_extension(&option).as_enum_number())?
        .and_then(|n| DataCategory::try_from(n).ok())
}

/// The categories that a message holds: of fields that are filled.
fn told(message: &DynamicMessage) -> BTreeSet<DataCategory> {
    let mut all = BTreeSet::new();
    for (field, value) in message.fields() {
        all.extend(category(&field));
        let inner: Vec<&Value> = match value {
            Value::List(several) => several.iter().collect(),
            single => vec![single],
        };
        for message in inner.into_iter().filter_map(Value::as_message) {
            all.extend(told(message));
        }
    }
    all
}

/// The categories that a message can hold.
fn carried(message: &MessageDescriptor) -> BTreeSet<DataCategory> {
    let (mut carried, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![message.clone()]);
    while let Some(message) = open.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            carried.extend(category(&field));
            if let Kind::Message(inner) = field.kind() {
                open.push(inner);
            }
        }
    }
    carried
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, of: &impl prost::Message) -> DynamicMessage {
        DynamicMessage::decode(proto::CONTRACT.get_message_by_name(name).unwrap(), of.encode_to_vec().as_slice())
            .unwrap()
    }

    /// P8
    #[test]
    fn nobody_may_hear_everything() {
        let all: Vec<DataCategory> = (1..=17).map(|number| DataCategory::try_from(number).unwrap()).collect();
        assert!(DataCategory::try_from(18).is_err(), "a new category needs a place in every column");
        for role in Role::ALL {
            assert!(all.iter().any(|told| !may_hear(*role, *told)), "{role} may hear everything");
        }
    }

    /// P8: each of the answers that matter most, in the hands of somebody for whom it is not.
    #[test]
    fn an_answer_in_the_wrong_hands_is_too_much() {
        let answer = |name: &str| crate::dynamic::method(name).unwrap().output();
        let cases = [
            (Role::Corporation, "GetBenefitRequest"),
            (Role::District, "GetClient"),
            (Role::Regie, "GetClient"),
            (Role::Shelter, "GetIncomeFileAsSelf"),
            (Role::Shelter, "GetRentGuarantee"),
            (Role::District, "GetFinancesStatus"),
            (Role::Caseholder, "ListAccess"),
            (Role::SvcRegie, "GetClient"),
            (Role::Client, "MonitorService/GetFigures"),
        ];
        for (role, name) in cases {
            assert!(!too_much(role, &answer(name)).is_empty(), "{name} in the hands of {role}");
            assert!(tells_of_people(&answer(name)), "{name}");
        }
        assert_eq!(too_much(Role::Client, &answer("GetIncomeFileAsSelf")), vec![]);
    }

    /// P8: an event that is not for a role, or that tells it too much.
    #[test]
    fn an_event_in_the_wrong_hands_is_overheard() {
        let benefit = proto::income::v1::BenefitDecided { granted: true, ..Default::default() };
        let benefit = message("doorstroom.income.v1.BenefitDecided", &benefit);
        let said = overheard(Role::Corporation, &benefit).unwrap_or_default();
        assert!(said.contains("corporation got BenefitDecided"), "{said}");
        let home = proto::housing::v1::AllocationAccepted { rent_cents: 1, ..Default::default() };
        let home = message("doorstroom.housing.v1.AllocationAccepted", &home);
        assert_eq!(overheard(Role::Corporation, &home), None);
        // Addressed to it, and still no business of its: found by what is filled in, field by field.
        let forbidden = |role| told(&home).into_iter().any(|told| !may_hear(role, told));
        assert!(!forbidden(Role::Corporation) && forbidden(Role::Police));
    }
}
