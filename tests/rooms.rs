//! What each room of the house never holds.

use chain_tests::{files, is_test_file, without_tests};

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
        if is_test_file(&path) {
            continue;
        }
        let (code, _) = without_tests(&text);
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

/// The code of a file ends where its inline tests begin, and not where a test module of its own is named.
#[test]
fn only_an_inline_test_module_is_no_code() {
    let declared = "use a;\n#[cfg(test)]\nmod tests;\nfn code() {}\n";
    assert_eq!(without_tests(declared), (declared, ""));
    let inline = "fn code() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n}\n";
    assert_eq!(without_tests(inline).0, "fn code() {}\n");
    let both = format!("#[cfg(test)]\nmod more;\n{inline}");
    assert_eq!(without_tests(&both).0, "#[cfg(test)]\nmod more;\nfn code() {}\n");
    let (process, _) =
        &files("services/regie/src/domain/process", "rs").into_iter().find(|(p, _)| p.ends_with("mod.rs")).unwrap();
    let text = std::fs::read_to_string(chain_tests::root().join(process)).unwrap();
    assert!(without_tests(&text).0.contains("pub fn react("), "the processes are looked at");
}

/// SQL is written in the store, and nowhere else: a call, an act, an event and a command reach the tables by it.
#[test]
fn only_the_store_speaks_sql() {
    let speaks = ["args![", "sqlx::", "select ", "insert into ", "delete from "];
    let mut faults = Vec::new();
    for (path, text) in files("services", "rs") {
        let Some((_, inside)) = path.split_once("/src/") else { continue };
        if inside.starts_with("store/") || inside == "store.rs" || path.starts_with("services/doorstroom/") {
            continue;
        }
        for (n, line) in without_tests(&text).0.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let quoted = line.trim_start().trim_start_matches('"');
            if speaks[..2].iter().any(|word| line.contains(word))
                || speaks[2..].iter().any(|word| quoted.starts_with(word))
            {
                faults.push(format!("{path}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "SQL beside the store:\n{}", faults.join("\n"));
}

/// Nothing in the services or shared crates leaves work for later.
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
