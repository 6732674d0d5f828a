//! What is depended on, held against `deny.toml`: licences that the EUPL-1.2 can carry, no second version that is not
//! named there, one registry, nothing that its maker withdrew. Advisories are cargo-deny's (`.ci/run`).

use chain_tests::root;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every package of the lock file that is built for where the programs run.
fn packages() -> Vec<Value> {
    let asked = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
    metadata["packages"].as_array().cloned().unwrap()
}

fn deny() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

/// Whether a licence expression can be met with what is allowed: one of each choice.
fn met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    if expression.contains('(') {
        return expression.split(" AND ").all(|part| met(&part.replace(['(', ')'], ""), allowed));
    }
    let every = |all: &str| all.split(" AND ").all(|one| allowed.contains(one.trim()));
    expression.replace('/', " OR ").split(" OR ").any(every)
}

#[test]
fn every_licence_is_one_that_ours_can_carry() {
    let deny = deny();
    let allowed = deny["licenses"]["allow"].as_array().unwrap();
    let allowed: BTreeSet<String> = allowed.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
    let packages = packages();
    assert!(packages.len() > 100);
    let faults: Vec<String> = packages
        .iter()
        .filter(|package| !met(text(package, "license"), &allowed))
        .map(|package| format!("{} is under {:?}", text(package, "name"), text(package, "license")))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (expression, is_met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
        ("Apache-2.0/MIT", true),
        ("", false),
    ] {
        assert_eq!(met(expression, &allowed), is_met, "{expression}");
    }
}

#[test]
fn a_second_version_is_named_or_there_is_none() {
    let deny = deny();
    let skipped = deny["bans"]["skip"].as_array().unwrap().iter();
    let skipped: BTreeSet<&str> = skipped.filter_map(|one| one.get("crate")?.as_str()).collect();
    let packages = packages();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &packages {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    let several = versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| *name);
    assert_eq!(several.collect::<BTreeSet<_>>(), skipped, "found with several versions, and named with them");
}

/// What cargo itself keeps of the registry's index: the entries of a package.
fn index(name: &str) -> Option<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let path = match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    };
    let indexes = std::fs::read_dir(home.join("registry/index")).ok()?.flatten();
    let mut kept = indexes.filter_map(|index| std::fs::read(index.path().join(".cache").join(&path)).ok());
    Some(String::from_utf8_lossy(&kept.next()?).into_owned())
}

/// Whether the entries of a package say that a version was withdrawn.
fn withdrawn(entries: &str, version: &str) -> bool {
    let entries = entries.split('\0').filter_map(|entry| serde_json::from_str::<Value>(entry).ok());
    entries.into_iter().any(|entry| entry["vers"] == version && entry["yanked"] == true)
}

/// As of when cargo here last asked the registry; where it never did, nothing is known.
#[test]
fn no_version_was_withdrawn_by_its_maker() {
    let packages = packages();
    let kept = packages.iter().filter_map(|package| Some((package, index(text(package, "name"))?)));
    let (mut known, mut faults) = (0, Vec::new());
    for (package, entries) in kept {
        known += 1;
        if withdrawn(&entries, text(package, "version")) {
            faults.push(format!("{} {}", text(package, "name"), text(package, "version")));
        }
    }
    eprintln!("looked up {known} of {} packages", packages.len());
    assert_eq!(faults, Vec::<String>::new());
    let entries =
        ["etag", "1.0.0", r#"{"vers": "1.0.0", "yanked": true}"#, "2.0.0", r#"{"vers": "2.0.0", "yanked": false}"#];
    let entries = &entries.join("\0");
    assert!(withdrawn(entries, "1.0.0") && !withdrawn(entries, "2.0.0"));
}

#[test]
fn everything_comes_from_here_or_from_the_registry() {
    let packages = packages();
    let elsewhere = packages.iter().filter(|package| !["", REGISTRY].contains(&text(package, "source")));
    assert_eq!(elsewhere.map(|package| text(package, "name")).collect::<Vec<_>>(), Vec::<&str>::new());
}
