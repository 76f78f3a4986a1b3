//! Events are given their meaning by a `match` that names them all, so that the compiler asks every place that a new one
//! concerns. `_` is held off by clippy (`wildcard_enum_match_arm`); what would pass it is looked for here.

#![expect(clippy::unwrap_used, reason = "what serves tests only is a test")]

use std::path::{Path, PathBuf};

/// What asks about one event, and stays silent about all others.
const SILENT: [&str; 3] = ["let Event::", "let Self::Room(", "matches!(event, Event::"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", "tests", "spec"].contains(&name) {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn no_meaning_of_an_event_is_decided_by_if_let_or_matches() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["domain/src", "projections/src", "src"] {
        sources(&workspace.join(folder), &mut files);
    }
    assert!(files.len() > 100, "the sources were found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in (1..).zip(code.lines()) {
            let silent = SILENT.iter().find(|silent| line.contains(**silent));
            assert!(silent.is_none(), "{}:{number}: use `match` and name what has no meaning here", file.display());
        }
    }
}
