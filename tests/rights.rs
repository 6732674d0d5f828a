//! The policy table is complete: every RPC of the contract has one line in it, and every line an RPC. What it grants is the
//! picture that people reviewed, cell by cell.

use auth::{Policy, Relation, Rule};
use chain_tests::root;
use kernel::{Actor, Organisation, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The name of every RPC, as the table has it.
fn methods() -> Vec<String> {
    static NAMES: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| crate::wire::methods().map(|method| crate::wire::rpc(&method)).collect());
    NAMES.iter().cloned().collect()
}

/// By RPC and role the relations of which one is needed; none is a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture(BTreeMap<(String, Role), BTreeSet<Relation>>);

impl Picture {
    /// What was reviewed, as it stands in the document and nowhere else.
    pub fn reviewed() -> Self {
        let text = std::fs::read_to_string(root().join("tests/RIGHTS.md")).unwrap();
        let mut rows = text.lines().filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            Some(cells)
        });
        let head = rows.next().expect("the table has a head");
        let roles: Vec<Role> = head[1..].iter().map(|name| Role::from_key(name).expect("a role")).collect();
        let mut picture = BTreeMap::new();
        for cells in rows.filter(|cells| cells[0].contains('/')) {
            assert_eq!(cells.len(), roles.len() + 1, "{}", cells[0]);
            for (role, cell) in roles.iter().zip(&cells[1..]) {
                let relations = cell.split(" or ").filter(|word| *word != "–").map(relation).collect();
                let before = picture.insert((cells[0].to_owned(), *role), relations);
                assert_eq!(before, None, "{} stands there twice", cells[0]);
            }
        }
        Self(picture)
    }

    /// What a policy table grants.
    fn of(policy: &Policy) -> Self {
        let cells = methods().into_iter().flat_map(|rpc| {
            let granted = policy.rule(&rpc).map_or(&[][..], Rule::all).to_vec();
            Role::ALL.iter().map(move |role| {
                let relations = granted.iter().filter(|grant| grant.role == *role).map(|grant| grant.relation);
                ((rpc.clone(), *role), relations.collect())
            })
        });
        Self(cells.collect())
    }

    /// The relations of which one is needed; none is a refusal.
    pub fn relations(&self, rpc: &str, role: Role) -> &BTreeSet<Relation> {
        self.0.get(&(rpc.to_owned(), role)).unwrap_or_else(|| panic!("nobody reviewed {rpc} for {role}"))
    }

    /// The cells in which two pictures differ.
    fn differences(&self, other: &Self) -> BTreeSet<(String, Role)> {
        assert!(self.0.keys().eq(other.0.keys()), "both have all cells");
        self.0.iter().filter(|(cell, relations)| other.0[*cell] != **relations).map(|(cell, _)| cell.clone()).collect()
    }
}

fn relation(word: &str) -> Relation {
    let all = [Relation::Any, Relation::Caseload, Relation::Own, Relation::OwnSelf];
    all.into_iter().find(|relation| relation.as_str() == word).unwrap_or_else(|| panic!("{word} is no relation"))
}

/// A policy table as its file is written.
fn written(table: &BTreeMap<(String, Role), BTreeSet<Relation>>) -> Policy {
    let mut lines: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for ((rpc, role), relations) in table.iter().filter(|(_, relations)| !relations.is_empty()) {
        let (service, method) = rpc.split_once('/').expect("service and method");
        let words: Vec<String> = relations.iter().map(|relation| format!("{:?}", relation.as_str())).collect();
        lines.entry(service).or_default().entry(method).or_default().push(format!("{role} = [{}]", words.join(", ")));
    }
    let mut text = String::new();
    for (service, methods) in lines {
        let _ = writeln!(text, "[{service}]");
        for (method, grants) in methods {
            let _ = writeln!(text, "{method} = {{ {} }}", grants.join(", "));
        }
    }
    Policy::parse(&[("table", &text)]).unwrap()
}

/// R-REG-26: who reads identity data at access is who is asked to take over a correction of them.
#[test]
fn whoever_reads_identity_data_is_asked_to_take_over_a_correction() {
    let reads = ["GetClient", "GetClientForGuidance", "GetTenant", "GetBenefitApplicant", "GetClientForDistrict"];
    let picture = Picture::reviewed();
    let read =
        |role: &Role| reads.iter().any(|rpc| !picture.relations(&format!("AccessService/{rpc}"), *role).is_empty());
    let readers: BTreeSet<Role> = Role::ALL.iter().copied().filter(read).collect();
    assert_eq!(readers, regie::domain::acknowledgement::READ_IDENTITY.iter().copied().collect());
}

/// P8, R-REG-13: the services' own table is the reviewed picture; and any line taken out of it, any grant taken out, put
/// in or given for another relation shows up in exactly the cells that it is about, and so in the calls of those cells
/// (`cells.rs`).
#[test]
fn every_line_and_every_grant_of_the_table_shows_in_its_own_cells() {
    let (reviewed, whole) = (Picture::reviewed(), Picture::of(Policy::embedded()));
    assert_eq!(reviewed, whole);
    let mut lines = 0;
    for (rpc, rule) in Policy::embedded().lines() {
        let without = whole.0.iter().filter(|((of, _), _)| of != rpc);
        let without = written(&without.map(|(cell, relations)| (cell.clone(), relations.clone())).collect());
        assert!(without.rule(rpc).is_none(), "{rpc}");
        let cells: BTreeSet<_> = rule.roles().into_iter().map(|role| (rpc.to_owned(), role)).collect();
        assert!(!cells.is_empty(), "{rpc}");
        assert_eq!(reviewed.differences(&Picture::of(&without)), cells);
        lines += 1;
    }
    assert!(lines > 100, "only {lines} lines");
    // One cell after another with each relation turned about; a table of that one line is enough for that.
    for ((rpc, role), relations) in &reviewed.0 {
        let line: BTreeMap<_, _> =
            reviewed.0.iter().filter(|((of, _), _)| of == rpc).map(|(c, r)| (c.clone(), r.clone())).collect();
        for turned in [Relation::Any, Relation::Caseload, Relation::Own, Relation::OwnSelf] {
            let mut other = line.clone();
            let cell = other.get_mut(&(rpc.clone(), *role)).expect("it is there");
            if !cell.remove(&turned) {
                cell.insert(turned);
            }
            let policy = written(&other);
            let granted = policy.rule(rpc).map_or(&[][..], Rule::all);
            let in_cell = |of: Role| {
                granted.iter().filter(|grant| grant.role == of).map(|grant| grant.relation).collect::<BTreeSet<_>>()
            };
            let differing: Vec<Role> =
                Role::ALL.iter().copied().filter(|of| in_cell(*of) != *reviewed.relations(rpc, *of)).collect();
            assert_eq!(differing, [*role], "{rpc}: {turned:?} turned about in {relations:?}");
        }
    }
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

/// R-REG-17, R-HOU-04: what a corporation can receive is named here, and a debt, a health fact or a BSN is not.
#[test]
fn a_corporation_can_receive_what_is_allowed_and_nothing_else() {
    let category = proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.category").unwrap();
    let receivers = proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.receivers").unwrap();
    let corporation = Actor {
        subject: "somebody".to_owned(),
        organisation: Organisation::parse("organisation", "trivire").unwrap(),
        roles: vec![Role::Corporation],
        on_behalf_of: None,
        client_id: None,
    };
    let mut reachable = Vec::new();
    for method in proto::CONTRACT.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let name = format!("{}/{}", method.parent_service().name(), method.name());
        if Policy::embedded().grants(&name, &corporation).is_ok_and(|grants| !grants.is_empty()) {
            reachable.push(method.output());
        }
    }
    for file in proto::CONTRACT.files().filter(|file| file.name().ends_with("/events.proto")) {
        for event in file.messages() {
            let roles = event.options().get_extension(&receivers).into_owned();
            let roles = roles.as_list().unwrap_or_default();
            if roles.iter().any(|role| role.as_str() == Some("corporation")) {
                reachable.push(event);
            }
        }
    }
    assert!(reachable.len() > 10, "the table names what a corporation may call");
    // The name once accepted by all, that there is a decision, whether guidance is arranged, the cap of a guarantee, and the
    // tenancy; and what tells of nobody. A signal it gives, and never gets.
    let allowed = ["REFERENCE", "ORGANISATION", "IDENTITY", "DECISION", "CARE_NEED", "GUARANTEE", "TENANCY"];
    let allowed = allowed.map(|what| format!("DATA_CATEGORY_{what}"));
    let kind = proto::CONTRACT.get_enum_by_name("doorstroom.audit.v1.DataCategory").unwrap();
    for name in &allowed {
        assert!(kind.values().any(|value| value.name() == name), "{name} is no category of the contract");
    }
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
            let name = kind.get_value(number).map(|value| value.name().to_owned()).unwrap_or_default();
            // A field that holds a message says nothing itself: its fields do.
            let is_message = matches!(field.kind(), prost_reflect::Kind::Message(_)) && number == 0;
            if !is_message && !of_a_standard_message(&message) && !allowed.contains(&name) {
                faults.push(format!("{} carries {name}", field.full_name()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Google's own messages (a date, a timestamp) carry no category; the field that holds one does.
fn of_a_standard_message(message: &prost_reflect::MessageDescriptor) -> bool {
    message.full_name().starts_with("google.")
}
