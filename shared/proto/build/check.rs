//! What the contract must say of itself: purposes on every method, a data category on every field that leaves a service. And
//! that of every method it is said who may call it.

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, Value};
use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

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

/// Every method without a line in the table of rights, which is in this folder. Only whether it is there; what a line says, and
/// that there are no others, is for who reads the table.
pub fn rights(pool: &DescriptorPool, table: &Path) -> io::Result<Vec<String>> {
    let mut lines = BTreeSet::new();
    for file in fs::read_dir(table)? {
        let mut service = String::new();
        for line in fs::read_to_string(file?.path())?.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                name.clone_into(&mut service);
            } else if let Some((method, _)) = line.split_once(" = {") {
                lines.insert(format!("{service}/{method}"));
            }
        }
    }
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let named = methods.map(|method| format!("{}/{}", method.parent_service().name(), method.name()));
    Ok(named.filter(|method| !lines.contains(method)).map(|method| format!("{method} has no line")).collect())
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
