//! What the tests of the whole chain share.

use std::path::{Path, PathBuf};

/// The top of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file under a folder with that extension, sorted, with its path from the top.
pub fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    let top = root();
    let named = |path: &PathBuf| path.strip_prefix(&top).unwrap_or(path).display().to_string();
    found.iter().filter_map(|path| Some((named(path), std::fs::read_to_string(path).ok()?))).collect()
}

fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// Whether a source file, by its path from the top, holds tests and nothing else.
pub fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

/// A source file in two: what is shipped, and its inline tests. A test module that is declared only (`mod tests;`) is another
/// file, and cuts nothing off here.
pub fn without_tests(text: &str) -> (&str, &str) {
    let inline = |at: usize| {
        let rest = text[at..].lines().skip(1).find(|line| !line.trim_start().starts_with("#["));
        rest.is_some_and(|line| line.contains("mod ") && line.trim_end().ends_with('{'))
    };
    let cut = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| inline(*at));
    text.split_at(cut.unwrap_or(text.len()))
}
