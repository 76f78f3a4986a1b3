//! The problems that were seen, in files beside what is built: the tests of one program run at once, and nobody is the last.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use super::DOCUMENTS;
use super::document::Operation;

/// What one piece of the program tells for all routes alike, before or after their own rules: seen on one, it is seen on all of a
/// listener.
const OF_EVERY_ROUTE: [&str; 11] = [
    "malformed-header",
    "malformed-body",
    "host-not-allowed",
    "origin-not-allowed",
    "rate-limited",
    "transfer-coding-unknown",
    "request-timeout",
    "overloaded",
    "log-unavailable",
    "outcome-unknown",
    "internal",
];

/// Declared, and not to be seen from outside: each with its reason.
const UNSEEN: [(&str, &str); 4] = [
    (
        "public POST /api/tokens room-full",
        "five million people are more than a test likes to join; the rule has tests of its own",
    ),
    ("public internal", "no test knows how to cause a fault of ours"),
    ("operations internal", "no test knows how to cause a fault of ours"),
    ("operations POST /api/operations/catalog body-too-large", "64 MiB are sent by the tests of `src/api`"),
];

/// Where the files are: one for each run.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("problems-seen")
}

fn line(operation: &Operation, code: &str) -> String {
    let listener = operation.listener();
    if OF_EVERY_ROUTE.contains(&code) {
        return format!("{listener} {code}");
    }
    format!("{listener} {} {} {code}", operation.method, operation.path)
}

/// Remembers that it answered this problem.
pub fn add(operation: &Operation, code: &str) {
    static SEEN: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);
    let line = line(operation, code) + "\n";
    let mut seen = SEEN.lock().unwrap();
    if !seen.insert(line.clone()) {
        return;
    }
    std::fs::create_dir_all(folder()).unwrap();
    let file = folder().join(std::process::id().to_string());
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

/// Run on its own after all others, on a folder of one run: `cargo test --workspace --test e2e -- --ignored every_declared_problem`.
#[test]
#[ignore = "it looks at what all others have seen"]
fn every_declared_problem_was_seen_or_has_a_reason_why_not() {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let seen: BTreeSet<String> = files.flat_map(|file| file.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut declared = BTreeSet::new();
    for operation in DOCUMENTS.iter().flat_map(|document| document.operations()) {
        declared.extend(operation.problems().iter().map(|code| line(&operation, code)));
    }
    let excused: BTreeSet<String> = UNSEEN.iter().map(|(line, _)| (*line).to_owned()).collect();
    let unseen: BTreeSet<String> = declared.difference(&seen).cloned().collect();
    let wrong: Vec<&String> = unseen.difference(&excused).collect();
    let needless: Vec<&String> = excused.difference(&unseen).collect();
    assert!(wrong.is_empty() && needless.is_empty(), "unseen: {wrong:#?}, excused and seen: {needless:?}");
}
