//! What the contract must say of itself: purposes on every method, a data category on every field that leaves a service.

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, Value};
use std::collections::BTreeSet;

/// Every fault in the contract, or none.
pub fn contract(pool: &DescriptorPool) -> Result<(), Vec<String>> {
    let extension = |name: &str| pool.get_extension_by_name(name);
    let (Some(category), Some(purposes)) =
        (extension("doorstroom.audit.v1.category"), extension("doorstroom.audit.v1.purposes"))
    else {
        return Err(vec!["the options of doorstroom.audit.v1 are missing".to_owned()]);
    };

    let mut faults = Vec::new();
    let mut leaving = BTreeSet::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        if method.options().get_extension(&purposes).as_list().is_none_or(<[Value]>::is_empty) {
            faults.push(format!("{} has no purposes", method.full_name()));
        }
        reach(&method.output(), &mut leaving);
    }
    for file in pool.files().filter(|file| file.name().ends_with("/events.proto")) {
        file.messages().for_each(|event| reach(&event, &mut leaving));
    }

    for message in pool.all_messages().filter(|message| leaving.contains(message.full_name())) {
        for field in message.fields() {
            let ours = matches!(field.kind(), Kind::Message(inner) if is_ours(&inner));
            let categorised =
                field.options().get_extension(&category).as_enum_number().is_some_and(|number| number != 0);
            if !ours && !categorised {
                faults.push(format!("{} has no data category", field.full_name()));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn is_ours(message: &MessageDescriptor) -> bool {
    message.package_name().starts_with("doorstroom.")
}

fn reach(message: &MessageDescriptor, seen: &mut BTreeSet<String>) {
    if is_ours(message) && seen.insert(message.full_name().to_owned()) {
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                reach(&inner, seen);
            }
        }
    }
}
