//! What each room of the house never holds.

use chain_tests::files;

/// The field's rules are pure: a domain and the kernel import nothing that does I/O, tells the time or draws at random.
#[test]
fn the_domain_imports_no_io() {
    let banned = [
        "tonic",
        "prost",
        "sqlx",
        "tokio",
        "proto",
        "store",
        "chassis",
        "auth",
        "telemetry",
        "tracing",
        "rand",
        "anyhow",
    ];
    let mut rooms = files("shared/kernel/src", "rs");
    for service in ["access", "housing", "income", "aftercare", "regie", "monitor"] {
        let own = files(&format!("services/{service}/src/domain"), "rs");
        assert!(!own.is_empty(), "{service} has no domain");
        rooms.extend(own);
    }
    let mut faults = Vec::new();
    for (path, text) in rooms {
        let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (n, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let imports = |name: &&str| {
                [format!("use {name}::"), format!("use ::{name}::"), format!(" {name}::"), format!("({name}::")]
                    .iter()
                    .any(|pattern| line.contains(pattern.as_str()) || line.starts_with(pattern.trim_start()))
            };
            let outside = ["store", "grpc", "acts", "events", "words"]
                .iter()
                .any(|room| line.contains(&format!("crate::{room}")));
            let impure =
                ["SystemTime", "Instant::now", "Timestamp::now", "std::env", "std::fs", "std::net", "now_v7", "new_v4"];
            if banned.iter().any(imports) || outside || impure.iter().any(|what| line.contains(what)) {
                faults.push(format!("{path}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "the pure core reaches for I/O:\n{}", faults.join("\n"));
}

/// SQL is written in the store: a call, an act and a taken-in event reach the tables by it.
#[test]
fn only_the_store_speaks_sql() {
    let rooms = ["/grpc", "/acts", "/inbox.rs"];
    let mut faults = Vec::new();
    for (path, text) in files("services", "rs") {
        let service = path.split("/src").nth(1).unwrap_or_default();
        if rooms.iter().any(|room| service.starts_with(room)) && text.contains("args![") {
            faults.push(path);
        }
    }
    assert!(faults.is_empty(), "SQL beside the store: {}", faults.join(", "));
}

/// Nothing in the services or shared crates waits by sleeping where something can be awaited, or leaves work for later.
#[test]
fn no_code_is_left_for_later() {
    let mut faults = Vec::new();
    for (path, text) in files("services", "rs").into_iter().chain(files("shared", "rs")) {
        for (n, line) in text.lines().enumerate() {
            let later = ["todo!(", "unimplemented!(", "FIXME", "TODO", "XXX", "#[ignore"];
            if later.iter().any(|word| line.contains(word)) {
                faults.push(format!("{path}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
