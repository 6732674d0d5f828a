//! The policy table is complete: every RPC of the contract has one line in it, and every line an RPC.

use auth::Policy;
use kernel::{Actor, Organisation, Role};
use prost_reflect::DescriptorPool;
use std::fmt::Write as _;

fn methods() -> Vec<String> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let mut names: Vec<String> = pool
        .services()
        .filter(|service| service.full_name().starts_with("doorstroom."))
        .flat_map(|service| {
            service.methods().map(|method| format!("{}/{}", service.name(), method.name())).collect::<Vec<_>>()
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// P8, R-REG-13
#[test]
fn every_rpc_has_one_line_in_the_policy_table() {
    let names = methods();
    Policy::embedded().check(names.iter().map(String::as_str)).unwrap();
}

/// P8: who may call what, for every role and RPC, as one reviewed picture. A change of the table shows up here.
#[test]
fn the_table_of_rights_is_the_reviewed_one() {
    let mut made = String::from(
        "# Who may call what\n\nMade from the policy table: by role the relation that it needs to the client or the thing.\n\n| RPC |",
    );
    let roles: Vec<Role> = Role::ALL.to_vec();
    for role in &roles {
        let _ = write!(made, " {role} |");
    }
    made.push_str("\n|---|");
    made.push_str(&"---|".repeat(roles.len()));
    made.push('\n');
    for name in methods() {
        let _ = write!(made, "| {name} |");
        for role in &roles {
            let actor = Actor {
                subject: "somebody".to_owned(),
                organisation: Organisation::parse("organisation", "somewhere").unwrap(),
                roles: vec![*role],
                on_behalf_of: None,
                client_id: None,
            };
            let grants = Policy::embedded().grants(&name, &actor).unwrap_or_default();
            let relations: Vec<&str> = grants.iter().map(|grant| grant.relation.as_str()).collect();
            let _ = write!(made, " {} |", if relations.is_empty() { "–".to_owned() } else { relations.join(" or ") });
        }
        made.push('\n');
    }
    crate::documents::agree("tests/RIGHTS.md", &made);
}

/// R-REG-17, R-HOU-04: what a corporation can receive has no field for a debt, a health fact or a BSN.
#[test]
fn a_corporation_can_receive_no_debt_no_health_and_no_bsn() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let category = pool.get_extension_by_name("doorstroom.audit.v1.category").unwrap();
    let receivers = pool.get_extension_by_name("doorstroom.audit.v1.receivers").unwrap();
    let corporation = Actor {
        subject: "somebody".to_owned(),
        organisation: Organisation::parse("organisation", "trivire").unwrap(),
        roles: vec![Role::Corporation],
        on_behalf_of: None,
        client_id: None,
    };
    let mut reachable = Vec::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let name = format!("{}/{}", method.parent_service().name(), method.name());
        if Policy::embedded().grants(&name, &corporation).is_ok_and(|grants| !grants.is_empty()) {
            reachable.push(method.output());
        }
    }
    for file in pool.files().filter(|file| file.name().ends_with("/events.proto")) {
        for event in file.messages() {
            let roles = event.options().get_extension(&receivers).into_owned();
            let roles = roles.as_list().unwrap_or_default();
            if roles.iter().any(|role| role.as_str() == Some("corporation")) {
                reachable.push(event);
            }
        }
    }
    assert!(reachable.len() > 10, "the table names what a corporation may call");
    let forbidden = ["BSN", "DEBT", "SAFE_LOCATION", "LIFE_DOMAINS", "SCORES", "INCOME", "ACCESS_LOG"];
    let (mut seen, mut faults) = (std::collections::BTreeSet::new(), Vec::new());
    while let Some(message) = reachable.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            if let prost_reflect::Kind::Message(inner) = field.kind() {
                reachable.push(inner);
            }
            let number = field.options().get_extension(&category).as_enum_number().unwrap_or(0);
            let kind = pool.get_enum_by_name("doorstroom.audit.v1.DataCategory").unwrap();
            let name = kind.get_value(number).map(|value| value.name().to_owned()).unwrap_or_default();
            if forbidden.iter().any(|what| name == format!("DATA_CATEGORY_{what}")) {
                faults.push(format!("{} carries {name}", field.full_name()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
