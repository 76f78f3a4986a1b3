//! What the documents say of files, commands, options, variables and routes is so. What they mark by [`NOT_YET`] is not in
//! the program, and the mark goes when it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use reprise::config::Cli;
use reqwest::Method;

use crate::server::Server;

/// Stands in a line that tells of what is not there yet.
const NOT_YET: char = '†';

/// Every page that people read, and every file that they start from.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["", "docs", "deploy", "loadtest"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    let is_page = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default();
        path.is_file() && (path.starts_with(root.join("deploy")) || extension == "md")
    };
    files.filter(is_page).map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// Each line, with where it stands.
fn lines() -> Vec<(String, String)> {
    let lines = |(path, text): (PathBuf, String)| {
        let numbered = |(number, line): (usize, &str)| (format!("{}:{}", path.display(), number + 1), line.to_owned());
        text.lines().enumerate().map(numbered).collect::<Vec<_>>()
    };
    pages().into_iter().flat_map(lines).collect()
}

/// That what each line names is there, and that something is missing of what a marked line names. `missing` tells what a
/// line names, and what of it is not there.
fn are_true(missing: impl Fn(&str) -> (usize, Vec<String>)) {
    let mut wrong = Vec::new();
    for (place, line) in lines() {
        let (named, missing) = missing(&line);
        match (line.contains(NOT_YET), missing.is_empty()) {
            (false, false) => wrong.push(format!("{place}: there is no {}", missing.join(", "))),
            (true, true) if named > 0 => wrong.push(format!("{place}: it is there, and marked as if it were not")),
            (false, true) | (true, _) => {}
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn program() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// The anchor that a heading has on the pages of a forge.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut wrong = Vec::new();
    for (path, text) in pages() {
        let lines = text.lines().filter(|line| !line.contains(NOT_YET));
        for link in lines.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let has_it = || anchors(&std::fs::read_to_string(&target).unwrap()).contains(anchor);
            if !target.exists() || !anchor.is_empty() && !has_it() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_variable_is_one_that_the_program_reads() {
    fn variables(command: &Command) -> BTreeSet<String> {
        let own = command.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_str()?.to_owned()));
        own.chain(command.get_subcommands().flat_map(variables)).collect()
    }
    let known = variables(&program());
    are_true(|line| {
        let name = |(begin, _): (usize, &str)| {
            let is_in_it = |character: char| character.is_ascii_uppercase() || character == '_';
            line[begin..].chars().take_while(|character| is_in_it(*character)).collect::<String>()
        };
        let names: Vec<String> = line.match_indices("REPRISE_").map(name).collect();
        let is_the_program_s = |name: &&String| !name.starts_with("REPRISE_TEST_") && *name != "REPRISE_";
        let named = names.iter().filter(is_the_program_s);
        (names.len(), named.filter(|name| !known.contains(*name)).cloned().collect())
    });
}

/// Finds what follows `reprise` in a line of a shell or between backticks.
fn calls(line: &str) -> Vec<Vec<&str>> {
    let mut calls = Vec::new();
    for (begin, _) in line.match_indices("reprise ") {
        if line[..begin].chars().next_back().is_some_and(|before| !" `/(".contains(before)) {
            continue;
        }
        let call = line[begin + "reprise ".len()..].split(['`', '#', '|', '>', ';', '(', ')']).next().unwrap();
        calls.push(call.split_whitespace().map(|word| word.trim_matches(['.', ',', ':', '"', '[', ']'])).collect());
    }
    calls
}

/// What of a call the program does not have. Elsewhere `reprise` is a user's name, or a package's.
fn unknown(program: &Command, words: &[&str]) -> Option<Vec<String>> {
    let is_command = |word: &&&str| word.chars().all(|character| character.is_ascii_lowercase());
    let first = words.first().filter(is_command).filter(|word| !word.is_empty() && **word != "reprise")?;
    if program.find_subcommand(first).is_none() {
        return Some(vec![format!("`reprise {}`", words.join(" "))]);
    }
    let mut command = program;
    for word in words {
        let Some(found) = command.find_subcommand(word) else { break };
        command = found;
    }
    let has = |name: &str| command.get_arguments().any(|arg| arg.get_long() == Some(name)) || name == "help";
    let options =
        words.iter().filter_map(|word| word.strip_prefix("--")).map(|option| option.split('=').next().unwrap());
    Some(options.filter(|option| !has(option)).map(|option| format!("--{option} of `{}`", words.join(" "))).collect())
}

#[test]
fn every_command_and_option_is_one_that_the_program_has() {
    let program = program();
    are_true(|line| {
        let found: Vec<Vec<String>> = calls(line).iter().filter_map(|words| unknown(&program, words)).collect();
        (found.len(), found.concat())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_contract_is_one_that_the_server_has() {
    let server = Server::start(&["--demo", "--operations", "127.0.0.1:0"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (number, line) in std::fs::read_to_string(root.join("docs/api.md")).unwrap().lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2) {
            let Some((method, path)) = quoted.split_once(' ').filter(|(_, path)| path.starts_with('/')) else {
                continue;
            };
            let Ok(method) = method.parse::<Method>() else { continue };
            let path = path.split(['?', ' ']).next().unwrap().replace("{name}", "sales").replace("{code}", "internal");
            let path = path
                .split('/')
                .map(|part| if part.starts_with('{') { "1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let request = if path.starts_with("/api/operations") || path == "/metrics" {
                let url = server.ask_operations(&path).build().unwrap().url().clone();
                reqwest::Client::new().request(method, url)
            } else {
                server.request(method, &path, "")
            };
            let answer = request.send().await.unwrap();
            // A stream has no end; what is not there has one.
            let status = answer.status();
            let is_unknown = status == 404 && answer.text().await.unwrap().contains("route-not-found");
            let is_there = status != 405 && !is_unknown;
            if is_there == line.contains(NOT_YET) {
                wrong.push(format!("docs/api.md:{}: {quoted}", number + 1));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What a listener's document has is in the contract. Files of pages are no part of it.
#[test]
fn every_route_and_every_problem_of_the_server_is_in_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Names in a path are for the reader: any will do.
    let unnamed = |text: &str| {
        let parts = text.split('{').enumerate();
        parts
            .map(|(number, part)| if number == 0 { part } else { part.split_once('}').map_or(part, |(_, rest)| rest) })
            .collect::<Vec<_>>()
            .join("{}")
    };
    let contract = std::fs::read_to_string(root.join("docs/api.md")).unwrap();
    let routes = unnamed(&contract);
    let mut missing = BTreeSet::new();
    for name in ["public", "operations"] {
        let document = std::fs::read(root.join(format!("docs/openapi/{name}.json"))).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
            let routes = methods.filter(|method| !routes.contains(&format!("{method} {}", unnamed(path))));
            missing.extend(routes.filter(|_| !path.ends_with("{file}")).map(|method| format!("{method} {path}")));
        }
        let shapes = document["components"]["schemas"].as_object().unwrap().keys();
        let codes = shapes.filter(|name| name.starts_with(char::is_lowercase));
        missing.extend(codes.filter(|code| !contract.contains(&format!("`{code}`"))).cloned());
    }
    assert!(missing.is_empty(), "docs/api.md says nothing of {missing:?}");
}
