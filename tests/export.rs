//! What a client gets of everything that is held on them (R-REG-21), held against the tables themselves: of each table and
//! each column a service says that it is given, withheld with a ground, or about nobody.

use chain_tests::files;
use chassis::{About, Held, Kind, LABELS, NotHeld, SHARED, SHARED_NOT};
use std::collections::{BTreeMap, BTreeSet};

/// Every table of a migration's text with its columns and their types; a table that is made again stands as it is then.
fn read_tables(tables: &mut BTreeMap<String, BTreeMap<String, String>>, sql: &str) {
    let (mut inside, mut of) = (None, String::new());
    for line in sql.lines().map(|line| line.split("--").next().unwrap_or_default().trim()) {
        let words: Vec<&str> = line.trim_end_matches([',', ';', '(']).split_whitespace().collect();
        match (&inside, words.as_slice()) {
            (_, ["create", "table", name, ..]) => {
                inside = Some((*name).to_owned());
                tables.insert((*name).to_owned(), BTreeMap::new());
            }
            (_, ["alter", "table", table, "add", "column", name, kind, ..]) => {
                tables.get_mut(*table).unwrap().insert((*name).to_owned(), (*kind).to_owned());
            }
            (_, ["alter", "table", table, "rename", "to", name]) => {
                let made = tables.remove(*table).unwrap();
                tables.insert((*name).to_owned(), made);
            }
            (Some(_), [")", ..] | [");", ..]) => inside = None,
            (Some(table), [name, kind, ..]) if !["primary", "unique", "check", "foreign"].contains(name) => {
                of.clone_from(table);
                tables.get_mut(&of).unwrap().insert((*name).to_owned(), (*kind).to_owned());
            }
            _ => {}
        }
    }
}

fn judge(
    of: &str,
    tables: &BTreeMap<String, BTreeMap<String, String>>,
    held: &[Held],
    not: &[(&str, NotHeld)],
) -> Vec<String> {
    let mut faults = Vec::new();
    let named: Vec<&str> = held.iter().map(|held| held.table).chain(not.iter().map(|(table, _)| *table)).collect();
    let known: BTreeSet<&str> = named.iter().copied().collect();
    if known.len() != named.len() {
        faults.push(format!("{of} names a table twice"));
    }
    for table in tables.keys().filter(|table| !known.contains(table.as_str())) {
        faults.push(format!("{of}: nothing is said of the table {table}"));
    }
    for table in known.iter().filter(|table| !tables.contains_key(**table)) {
        faults.push(format!("{of}: there is no table {table}"));
    }
    for held in held {
        let Some(columns) = tables.get(held.table) else { continue };
        let mut left: BTreeSet<&str> = columns.keys().map(String::as_str).collect();
        for (column, kind) in held.columns {
            let fits = match columns.get(*column).map(String::as_str) {
                Some("text") => matches!(kind, Kind::Text | Kind::Json),
                Some("bigint" | "integer") => matches!(kind, Kind::Number | Kind::Moment),
                Some("boolean") => *kind == Kind::Flag,
                Some("bytea") => *kind == Kind::Sealed,
                _ => false,
            };
            if !left.remove(column) || !fits {
                faults.push(format!("{of}: {}.{column} is no {kind:?}, or stands there twice", held.table));
            }
            if !LABELS.iter().any(|(name, _)| name == column) {
                faults.push(format!("{of}: {}.{column} has no Dutch name", held.table));
            }
            let opened = held.seals.iter().filter(|seal| seal.column == *column).count();
            if opened != usize::from(*kind == Kind::Sealed) {
                faults.push(format!("{of}: {}.{column} is opened {opened} times", held.table));
            }
        }
        for (column, _) in held.withheld {
            if !left.remove(column) {
                faults.push(format!("{of}: {}.{column} is withheld and is not there, or is given", held.table));
            }
        }
        faults.extend(left.iter().map(|column| format!("{of}: nothing is said of {}.{column}", held.table)));
    }
    faults
}

fn of_service(about: &About) -> Vec<String> {
    let mut tables = BTreeMap::new();
    about.migrations.iter().for_each(|(_, _, sql)| read_tables(&mut tables, sql));
    assert!(!tables.is_empty(), "{} has tables", about.name);
    judge(about.name, &tables, about.held, about.not_held)
}

/// R-REG-21: no table and no column is forgotten, and each is read as what it is.
#[test]
fn of_every_column_a_client_gets_it_or_hears_why_not() {
    let mut faults: Vec<String> = doorstroom::cluster::ABOUT.into_iter().flat_map(of_service).collect();
    let mut tables = BTreeMap::new();
    for (path, sql) in files("shared/store/migrations", "sql") {
        if !path.contains("/keys/") && !path.contains("/apart/") && !path.ends_with(".postgres.sql") {
            read_tables(&mut tables, &sql);
        }
    }
    faults.extend(judge("every service", &tables, SHARED, SHARED_NOT));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A table or column that nothing is said of is found.
#[test]
fn what_is_not_spoken_of_is_found() {
    let sql = "create table a (\n    b text not null,\n    c bigint,\n    primary key (b)\n);\nalter table a add column d boolean;";
    let mut tables = BTreeMap::new();
    read_tables(&mut tables, sql);
    assert_eq!(tables["a"].len(), 3);
    assert_eq!(judge("x", &tables, &[], &[]), ["x: nothing is said of the table a"]);
    let columns = &[("b", Kind::Text), ("c", Kind::Flag)];
    let held = Held { table: "a", columns, ..Held::NOTHING };
    let faults = judge("x", &tables, &[held], &[]);
    assert!(faults.iter().any(|fault| fault.contains("a.c is no Flag")), "{faults:?}");
    assert!(faults.contains(&"x: nothing is said of a.d".to_owned()), "{faults:?}");
}

/// R-REG-21: every code of the contract and every event about a client is said in plain Dutch.
#[test]
fn no_code_and_no_event_is_without_dutch_words() {
    let services = ["access", "housing", "income", "aftercare", "regie"].map(|name| format!("doorstroom.{name}.v1"));
    // A part of an event, what is about no client, and what a client never hears of (R-REG-28).
    let apart = [
        "night-entry",
        "facility-registered",
        "capacity-changed",
        "contingent-agreed",
        "contingent-changed",
        "dwelling-registered",
        "dwelling-withdrawn",
        "figures-rebuilt",
        "separated-in-one-facility",
        "separated-in-one-neighbourhood",
        "separation-marked",
        "separation-ended",
    ];
    let lacks = |words: &[(&str, &str)], wanted: &str| !words.iter().any(|(known, _)| *known == wanted);
    let mut faults = Vec::new();
    for one in proto::CONTRACT.all_enums().filter(|one| services.contains(&one.package_name().to_owned())) {
        let list = snake(one.name());
        for value in one.values().filter(|value| value.number() != 0) {
            let code = value.name().to_lowercase();
            let code = code.strip_prefix(&format!("{list}_")).unwrap_or(&code).to_owned();
            if lacks(chassis::CODES, &code) {
                faults.push(format!("{}: {code}", one.full_name()));
            }
        }
    }
    for file in proto::CONTRACT.files().filter(|file| file.name().ends_with("/events.proto")) {
        for event in file.messages() {
            let name = snake(event.name()).replace('_', "-");
            if lacks(chassis::EVENTS, &name) && !apart.contains(&name.as_str()) {
                faults.push(format!("{}: {name}", event.full_name()));
            }
        }
    }
    assert!(faults.is_empty(), "no Dutch words for:\n{}", faults.join("\n"));
}

/// `own_home` for `OwnHome`.
fn snake(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
