//! The problems that were seen, in files beside what is built: the tests of one program run at once, and nobody is the last.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use super::DOCUMENTS;

/// Declared, and not to be seen from outside: each with its reason.
const UNSEEN: [(&str, &str); 0] = [];

/// Where the files are: one for each run.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("problems-seen")
}

/// Remembers it.
pub fn add(document: &'static str, code: &str) {
    static SEEN: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);
    let line = format!("{document} {code}\n");
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
    let mut unseen = Vec::new();
    for document in &*DOCUMENTS {
        let shapes = document.json["components"]["schemas"].as_object().unwrap().iter();
        let codes = shapes.filter(|(_, shape)| shape["allOf"][0]["$ref"] == "#/components/schemas/Problem");
        unseen.extend(codes.map(|(code, _)| format!("{} {code}", document.name)).filter(|line| !seen.contains(line)));
    }
    let excused: Vec<String> = UNSEEN.iter().map(|(line, _)| (*line).to_owned()).collect();
    let (wrong, expected) = (unseen.iter().filter(|line| !excused.contains(line)), excused.iter());
    let needless: Vec<_> = expected.filter(|line| !unseen.contains(line)).collect();
    assert_eq!((wrong.collect::<Vec<_>>(), needless), (Vec::<&String>::new(), Vec::<&String>::new()));
}
