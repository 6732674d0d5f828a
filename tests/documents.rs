//! The error catalogue and the rule index are made from the code, never kept by hand. `DOORSTROOM_BLESS=1` writes them
//! anew; without it a difference fails.

use chain_tests::{files, is_test_file, root, without_tests};
use kernel::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const ERROR_PROTO: &str = "proto/doorstroom/error/v1/error.proto";

/// Every page of the catalogue, with the service that gives these reasons.
fn pages() -> Vec<(&'static str, Vec<&'static Reason>)> {
    let flat = |pages: &[&[&'static Reason]]| pages.iter().flat_map(|page| page.iter().copied()).collect();
    vec![
        ("every service", kernel::general::REASONS.to_vec()),
        ("access", flat(access::domain::REASONS)),
        ("housing", flat(housing::domain::REASONS)),
        ("income", flat(income::domain::REASONS)),
        ("aftercare", flat(aftercare::domain::REASONS)),
        ("regie", flat(regie::domain::REASONS)),
        ("monitor", flat(monitor::domain::REASONS)),
    ]
}

/// Compares a made document with the file, or writes it when asked to.
pub fn agree(path: &str, made: &str) {
    let file = root().join(path);
    if std::env::var_os("DOORSTROOM_BLESS").is_some() {
        std::fs::write(&file, made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "{path} is out of date; DOORSTROOM_BLESS=1 cargo test -p chain-tests documents writes it anew"
    );
}

#[test]
fn a_reason_has_one_name_and_speaks_two_languages() {
    let mut seen = BTreeSet::new();
    for reason in pages().into_iter().flat_map(|(_, reasons)| reasons) {
        assert!(seen.insert(reason.code), "{} is declared twice", reason.code);
        for text in [reason.en, reason.nl, reason.way_out, reason.uitweg] {
            assert!(text.ends_with(['.', '}', '?']) && !text.trim().is_empty(), "{}: {text:?}", reason.code);
        }
        assert_ne!(reason.en, reason.nl, "{}", reason.code);
    }
}

/// The constants in the domains and the enum in the contract name the same reasons, both ways.
#[test]
fn the_contract_lists_every_reason() {
    let known: BTreeMap<String, i32> = std::fs::read_to_string(root().join(ERROR_PROTO))
        .unwrap()
        .lines()
        .filter_map(|line| {
            let (name, number) = line.trim().strip_prefix("REASON_")?.split_once(" = ")?;
            Some((name.to_owned(), number.trim_end_matches(';').parse().ok()?))
        })
        .collect();
    let mut next = known.values().max().map_or(1, |highest| highest + 1);
    let mut values: Vec<(i32, &Reason)> = Vec::new();
    for reason in pages().into_iter().flat_map(|(_, reasons)| reasons) {
        let number = known.get(reason.code).copied().unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        values.push((number, reason));
    }
    values.sort_by_key(|(number, _)| *number);

    let mut made = String::from(
        r#"syntax = "proto3";

package doorstroom.error.v1;

// Why a call was refused: `google.rpc.ErrorInfo.reason` carries the name without its prefix, with domain "doorstroom" and
// the rule in its metadata. The comment of each value is what a caller reads in English; the Dutch text comes with it as
// `google.rpc.LocalizedMessage`.
enum Reason {
  // Never sent.
  REASON_UNSPECIFIED = 0;
"#,
    );
    for (number, reason) in values {
        let _ = writeln!(
            made,
            "  // {} {} ({})\n  REASON_{} = {number};",
            reason.en, reason.way_out, reason.rule, reason.code
        );
    }
    made.push_str("}\n");
    agree(ERROR_PROTO, &made);
}

#[test]
fn the_error_catalogue_is_what_the_code_says() {
    let mut made = String::from(
        "# Error catalogue\n\nMade from the code. Every refusal carries `ErrorInfo` with the reason and the rule, the Dutch text as \
         `LocalizedMessage`,\nand the way out. `{…}` is filled in with the facts of the case.\n",
    );
    for (page, reasons) in pages() {
        let _ = write!(
            made,
            "\n## {page}\n\n| reason | code | rule | why | way out | waarom | uitweg |\n|---|---|---|---|---|---|---|\n"
        );
        for r in reasons {
            let code = proto::status(&r.into()).code();
            let _ = writeln!(
                made,
                "| `{}` | {code:?} | {} | {} | {} | {} | {} |",
                r.code, r.rule, r.en, r.way_out, r.nl, r.uitweg
            );
        }
    }
    agree("proto/ERRORS.md", &made);
}

/// Where each rule lives, and which tests prove it: from the rule ids in code and above tests.
#[test]
fn the_rule_index_is_what_the_code_says() {
    let mut index: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for folder in ["services", "shared", "tests"] {
        for (path, text) in files(folder, "rs") {
            let tests_from = if is_test_file(&path) { 0 } else { without_tests(&text).0.len() };
            if path.contains("/domain/") || path.contains("kernel/") {
                for rule in rules_in(&text[..tests_from]) {
                    index.entry(rule).or_default().0.insert(path.clone());
                }
            }
            for (rules, name) in proofs(&text[tests_from..]) {
                for rule in rules {
                    index.entry(rule).or_default().1.insert(format!("`{name}` ({path})"));
                }
            }
        }
    }

    let mut made = String::from(
        "# Rule index\n\nMade from the code: where each rule lives, and which tests prove it. A test names its rules in the comment \
         above it.\n\n| rule | lives in | proved by |\n|---|---|---|\n",
    );
    for (rule, (homes, proofs)) in &index {
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("<br>");
        let _ = writeln!(made, "| {rule} | {} | {} |", list(homes), list(proofs));
    }
    agree("tests/RULES.md", &made);

    let refused_by: BTreeSet<&str> = pages().into_iter().flat_map(|(_, page)| page).map(|reason| reason.rule).collect();
    let unproved: Vec<&str> = refused_by
        .into_iter()
        .filter(|rule| *rule != "-" && index.get(*rule).is_none_or(|(_, proofs)| proofs.is_empty()))
        .collect();
    assert!(unproved.is_empty(), "no test names these rules, by which calls are refused: {unproved:?}");
}

/// Rule ids (`R-HOU-22`) and promises (`P3`) in a text.
fn rules_in(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let rule = |word: &&str| {
        let parts: Vec<&str> = word.split('-').collect();
        matches!(parts[..], ["R", area, number] if area.len() == 3 && number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let promise =
        |word: &&str| word.strip_prefix('P').is_some_and(|n| n.parse::<u8>().is_ok_and(|n| (1..=10).contains(&n)));
    text.split(word).filter(|w| rule(w) || promise(w)).map(str::to_owned).collect()
}

/// The rules in the comment above each function, with its name.
fn proofs(text: &str) -> Vec<(BTreeSet<String>, String)> {
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(said) = line.strip_prefix("///") {
            comment.push_str(said);
            comment.push(' ');
        } else if let Some(rest) = line.split("fn ").nth(1).filter(|_| !line.starts_with("//")) {
            let rules = rules_in(&comment);
            if !rules.is_empty() {
                let name = rest.split(['(', '<']).next().unwrap_or(rest);
                found.push((rules, name.to_owned()));
            }
            comment.clear();
        } else if !line.starts_with("#[") && !line.starts_with("#![") {
            comment.clear();
        }
    }
    found
}
