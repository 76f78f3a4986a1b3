//! Export and import, backup and restore: whole, or not there.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{charge, document, found, said, some_purchases, stopped};
use crate::server::{Server, reprise};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_log_has_the_same_last_hash_and_is_served_with_its_key() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let (file, data) = (elsewhere.path().join("log.jsonl"), elsewhere.path().join("data"));
    let before = found(folder.path(), &["log", "stat"]);
    let exported = found(folder.path(), &["log", "export", text(&file)]);
    assert_eq!((&exported["headHash"], &exported["events"]), (&before["headHash"], &before["position"]));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (code, again) = document(folder.path(), &["log", "export", text(&file)]);
    assert!(code == 1 && again["error"].as_str().unwrap().contains("not overwritten"), "{again}");

    let imported = found(&data, &["log", "import", text(&file)]);
    assert_eq!((&imported["headHash"], &imported["serverKey"]), (&before["headHash"], &json!("missing")));
    let after = found(&data, &["log", "stat"]);
    assert_eq!((&after["headHash"], &after["logId"]), (&before["headHash"], &before["logId"]));
    let (code, again) = document(&data, &["log", "import", text(&file)]);
    assert!(code == 1 && again["error"].as_str().unwrap().contains("there is a log already"), "{again}");
    let again = elsewhere.path().join("again.jsonl");
    found(&data, &["log", "export", text(&again)]);
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&file).unwrap());

    let (code, _, error) = said(&data, &["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert!(code == 78 && error.contains("server.key"), "{error}");
    std::fs::copy(folder.path().join("server.key"), data.join("server.key")).unwrap();
    let server = Server::start_in(&data, &["--demo"]);
    let token = server.token(43).await;
    assert_eq!(server.get("/api/users/43/points/balance", &token).await.ok()["balance"], 0);
}

#[tokio::test]
async fn a_spoilt_file_is_not_imported_and_leaves_no_log() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let (file, data) = (elsewhere.path().join("log.jsonl"), elsewhere.path().join("data"));
    found(folder.path(), &["log", "export", text(&file)]);
    let good = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let swapped = [&lines[..9], &[lines[10], lines[9]], &lines[11..]].concat();
    let spoilt = [
        (good.replacen("\"amount\\\":500000", "\"amount\\\":500001", 1), json!(734)),
        (swapped.join("\n"), json!(10)),
        ([&lines[..9], &lines[10..]].concat().join("\n"), json!(10)),
        (good[..good.len() - 40].to_owned(), json!(null)),
        // Cut at a line's end.
        (lines[..9].join("\n") + "\n", json!(null)),
        (lines[..lines.len() - 1].join("\n") + "\n", json!(null)),
        (good.clone() + &good, json!(null)),
        (String::new(), json!(null)),
    ];
    for (text_of, position) in spoilt {
        assert_ne!(text_of, good);
        std::fs::write(&file, text_of).unwrap();
        let (code, refused) = document(&data, &["log", "import", text(&file)]);
        assert_eq!((code, &refused["position"]), (1, &position), "{refused}");
        let left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    }
}

#[tokio::test]
async fn a_file_without_its_end_is_imported_where_somebody_says_what_its_last_record_is() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let (file, data) = (elsewhere.path().join("log.jsonl"), elsewhere.path().join("data"));
    let exported = found(folder.path(), &["log", "export", text(&file)]);
    let good = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    std::fs::write(&file, lines[..lines.len() - 1].join("\n")).unwrap();
    let (code, refused) = document(&data, &["log", "import", text(&file)]);
    assert!(code == 1 && refused["error"].as_str().unwrap().contains("--expect"), "{refused}");
    let noted = format!("{}:{}", exported["events"], exported["headHash"].as_str().unwrap());
    let imported = found(&data, &["log", "import", text(&file), "--expect", &noted]);
    assert_eq!(imported["headHash"], exported["headHash"]);
}

#[tokio::test]
async fn a_log_goes_through_a_pipe() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let data = elsewhere.path().join("data");
    let export = reprise(folder.path(), &["log", "export", "-"]).stdout(Stdio::piped()).spawn();
    let mut export = export.unwrap();
    let mut import = reprise(&data, &["log", "import", "-"]);
    let imported = import.stdin(export.stdout.take().unwrap()).output().unwrap();
    assert!(export.wait().unwrap().success());
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert_eq!(found(&data, &["log", "stat"])["headHash"], found(folder.path(), &["log", "stat"])["headHash"]);
    assert!(!Path::new("-").exists());
}

#[tokio::test]
async fn a_line_that_no_record_can_have_is_refused_before_all_of_it_is_read() {
    let elsewhere = tempfile::tempdir().unwrap();
    let (file, data) = (elsewhere.path().join("log.jsonl"), elsewhere.path().join("data"));
    // Without room on disk, and 3 GiB long.
    std::fs::File::create(&file).unwrap().set_len(3 << 30).unwrap();
    let (code, refused) = document(&data, &["log", "import", text(&file)]);
    assert!(code == 1 && refused["error"].as_str().unwrap().contains("longer than"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_may_have_a_name_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let name = elsewhere.path().join(std::ffi::OsStr::from_bytes(b"backup-\xff"));
    let mut backup = reprise(folder.path(), &["backup", "--json"]);
    let backup = backup.arg(&name).output().unwrap();
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    assert!(name.join("log.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_and_can_be_served() {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("backup");
    let server = Arc::new(Server::demo());
    some_purchases(&server).await;
    let token = server.token(44).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (100..108)
        .map(|user| {
            let (server, stop) = (Arc::clone(&server), Arc::clone(&stop));
            tokio::spawn(async move {
                let token = server.token(user).await;
                let mut charged = 0;
                while !stop.load(Ordering::Relaxed) {
                    charge(&server, user, &token, 1).await.ok();
                    charged += 1;
                }
                charged
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = found(server.folder(), &["log", "stat"]);
    let backup = found(server.folder(), &["backup", &format!("{}/", text(&folder))]);
    stop.store(true, Ordering::Relaxed);
    for load in load {
        assert!(load.await.unwrap() > 0);
    }
    assert!(backup["events"].as_u64() >= before["position"].as_u64(), "{backup} {before}");
    let noted = format!("{}:{}", backup["events"], backup["headHash"].as_str().unwrap());
    found(server.folder(), &["log", "verify", "--expect", &noted]);
    found(&folder, &["log", "verify", "--expect", &noted]);
    let key = folder.join("server.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["log.db", "server.key"]);
    let (code, refused) = document(server.folder(), &["backup", text(&folder)]);
    assert!(code == 1 && refused["error"].as_str().unwrap().contains("not overwritten"), "{refused}");

    let restored = Server::start_in(&folder, &["--demo"]);
    assert_eq!(restored.get("/api/tokens/me", &token).await.ok()["status"], "ACTIVE", "tokens of before go on");
    assert_eq!(restored.get("/api/users/44/points/balance", &token).await.ok()["balance"], 0);
}

#[tokio::test]
async fn a_log_without_its_key_has_no_backup() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("backup");
    std::fs::write(folder.path().join("server.key"), "00".repeat(32)).unwrap();
    let (code, refused) = document(folder.path(), &["backup", text(&target)]);
    assert!(code == 78 && refused["error"].as_str().unwrap().contains("key"), "{refused}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// Runs the tool again and again, killed a little later each time, until it came to its end.
fn killed_until_done(folder: &Path, arguments: &[&str], made: &Path) -> u32 {
    for kills in 0..2_000 {
        let mut tool = reprise(folder, arguments);
        let mut tool = tool.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(4 * u64::from(kills)));
        let ended = tool.try_wait().unwrap();
        tool.kill().unwrap();
        tool.wait().unwrap();
        if made.exists() {
            return kills;
        }
        assert!(ended.is_none(), "{arguments:?} ended by itself and made nothing");
    }
    panic!("{arguments:?} never ended");
}

#[tokio::test]
async fn killed_while_copying_it_leaves_no_half() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let (backup, file) = (elsewhere.path().join("backup"), elsewhere.path().join("log.jsonl"));
    let kills = killed_until_done(folder.path(), &["backup", text(&backup)], &backup);
    assert!(kills > 2, "no kill came while it copied");
    let head = |folder: &Path| found(folder, &["log", "verify"])["headHash"].clone();
    assert_eq!(head(&backup), head(folder.path()));
    assert!(backup.join("server.key").exists());

    killed_until_done(folder.path(), &["log", "export", text(&file)], &file);
    let data = elsewhere.path().join("data");
    let kills = killed_until_done(&data, &["log", "import", text(&file)], &data.join("log.db"));
    assert!(kills > 2, "no kill came while it imported");
    assert_eq!(head(&data), head(folder.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exports_to_one_file_do_not_mix() {
    let (folder, elsewhere) = (stopped().await, tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("log.jsonl");
    let both: Vec<_> = (0..4)
        .map(|_| reprise(folder.path(), &["log", "export", text(&file)]))
        .map(|mut export| export.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    let codes: Vec<_> = both.into_iter().map(|mut export| export.wait().unwrap().code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    let data = elsewhere.path().join("data");
    assert_eq!(
        found(&data, &["log", "import", text(&file)])["headHash"],
        found(folder.path(), &["log", "stat"])["headHash"]
    );
    assert!(!elsewhere.path().join("log.jsonl.partial").exists());
}
