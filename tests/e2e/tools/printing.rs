//! What becomes of an answer that nobody reads, or that cannot be written; and how it fits where it is read.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{READING, charge, found, said, stopped};
use crate::server::{Server, made, reprise};

const PLAIN: [&[&str]; 7] = [
    &["catalog", "example"],
    &["completions", "bash"],
    &["man"],
    &["help"],
    &["help", "serve"],
    &["--version"],
    &["log", "tail", "--follow"],
];

/// The program's command without a folder, where it takes none.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = reprise(folder, &[]);
    if arguments.first() == Some(&"help") || arguments == ["--version"] {
        command = Command::new(env!("CARGO_BIN_EXE_reprise"));
    }
    command.args(arguments);
    command
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_a_failure_of_every_command() {
    let folder = stopped().await;
    for arguments in READING.iter().chain(&PLAIN) {
        for json in [&[][..], &["--json"]] {
            if !json.is_empty() && !READING.contains(arguments) {
                continue;
            }
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            let Output { status, stderr, .. } =
                command(folder.path(), &[arguments, json].concat()).stdout(full).output().unwrap();
            let error = String::from_utf8(stderr).unwrap();
            assert_eq!(status.code(), Some(1), "{arguments:?}: {error}");
            let line = "reprise: standard output cannot be written: No space left on device (os error 28)\n";
            assert_eq!(error, line, "{arguments:?}");
        }
    }
}

#[tokio::test]
async fn a_pipe_that_was_closed_ends_every_command_without_a_word() {
    let folder = stopped().await;
    for arguments in READING.iter().chain(&PLAIN) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let Output { status, stderr, .. } = command(folder.path(), arguments).stdout(writer).output().unwrap();
        assert_eq!(String::from_utf8(stderr).unwrap(), "", "{arguments:?}");
        let gives_a_verdict = matches!(arguments[..], ["audit", ..] | ["log", "verify"]);
        assert_eq!(status.code(), Some(i32::from(gives_a_verdict)), "{arguments:?}");
    }
}

#[tokio::test]
async fn what_is_followed_for_nobody_ends() {
    let folder = stopped().await;
    let mut tail = reprise(folder.path(), &["log", "tail", "--follow", "--lines", "1"]);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("SeatsHeld") || line.contains("HoldExpired"), "{line}");
    // Its reader is gone, and nothing more comes.
    let begin = Instant::now();
    let Output { status, stderr, .. } = tail.wait_with_output().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_eq!((status.code(), stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test]
async fn the_last_records_fit_the_terminal() {
    let folder = stopped().await;
    for columns in [40, 80, 132] {
        let mut tail = reprise(folder.path(), &["log", "tail", "--lines", "1000"]);
        let output = tail.env("COLUMNS", columns.to_string()).output().unwrap().stdout;
        let output = String::from_utf8(output).unwrap();
        let widest = output.lines().map(|line| line.chars().count()).max();
        assert_eq!(widest, Some(columns), "{output}");
    }
    let (_, whole, _) = said(folder.path(), &["log", "tail", "--lines", "1000"]);
    assert!(whole.lines().all(|line| line.contains(", hash ")), "a program reads all of it");
}

#[tokio::test]
async fn one_user_s_records_are_found_however_far_back_they_are() {
    let folder = made(6_000);
    let all = found(folder.path(), &["log", "tail", "--lines", "6000"]);
    let of_user = |user: u64| {
        let records = all["records"].as_array().unwrap().iter();
        let named = |data: &serde_json::Value| data["user_id"] == user || data["hold"]["user_id"] == user;
        records.filter(|record| named(&record["data"])).cloned().collect::<Vec<_>>()
    };
    let user = all["records"].as_array().unwrap().iter().find_map(|record| record["data"]["user_id"].as_u64()).unwrap();
    let user_s = of_user(user);
    let tail = |lines: &str| found(folder.path(), &["log", "tail", "--user", &user.to_string(), "--lines", lines]);
    assert_eq!(tail("6000")["records"].as_array().unwrap(), &user_s);
    assert_eq!(tail("1")["records"].as_array().unwrap(), &user_s[user_s.len() - 1..]);

    let mut server = Server::start_in(folder.path(), &["--identity", "open"]);
    let token = server.token(7_000_000).await;
    charge(&server, 7_000_000, &token, 5).await.ok();
    let newest = found(folder.path(), &["log", "tail", "--user", "7000000"]);
    let types: Vec<_> = newest["records"].as_array().unwrap().iter().map(|record| record["type"].clone()).collect();
    assert_eq!(types, ["TokenIssued", "PointsCharged"]);
    assert!(server.terminate().success());
}

#[test]
fn what_is_wrong_with_a_variable_is_told_with_its_name_and_an_empty_one_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |name: &str, value: &str| {
        let mut command = reprise(folder.path(), &["log", "stat"]);
        let output = command.env(name, value).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (name, wrong) in
        [("REPRISE_LOG_LEVEL", "nonsense"), ("REPRISE_LOG_FORMAT", "xml"), ("REPRISE_LOG", "mysql://x")]
    {
        let (code, error) = serve(name, wrong);
        assert!(code == 2 && error.contains(&format!("environment variable `{name}`")), "{error}");
        let (code, error) = serve(name, "");
        assert!(code == 1 && error.contains("there is no log"), "{name}: {error}");
    }
}

#[tokio::test]
async fn lines_for_programs_are_json_and_have_no_colours_where_none_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(folder.path(), &["--demo", "--log-format", "json", "--log-level", "debug"]);
    server.get("/api/concerts", "").await.ok();
    assert!(server.terminate().success());
    for line in server.output().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(server.output().contains("\"request_id\":"));
}
