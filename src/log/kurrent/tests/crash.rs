//! A node that is killed while it appends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::log::conformance::chain;

/// Tells the child process which log to append to.
const CHILD: &str = "REPRISE_TEST_KURRENTDB_CHILD";
/// How often a node is killed.
const KILLS: usize = 5;

/// Run by [`what_a_killed_node_was_told_is_there`] in a process of its own.
#[tokio::test]
#[ignore = "appends until it is killed"]
async fn appends_until_it_is_killed() {
    let url = std::env::var(CHILD).expect("run by another test");
    let log = KurrentLog::open(&url.parse().unwrap()).await.unwrap();
    let mut head = log.head().await.unwrap();
    loop {
        let records = chain(&head, 1 + head.position.get() % 7);
        log.append(&head, &records).await.unwrap();
        head = records.last().unwrap().head();
        println!("told {}", serde_json::to_string(&head).unwrap());
    }
}

/// The test's own thread waits for the node's lines; the server answers on the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_node_was_told_is_there() {
    let stream = Stream::fresh().await;
    let mut told: Vec<Head> = Vec::new();
    for kill in 0..KILLS {
        let mut node = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "log::kurrent::tests::crash::appends_until_it_is_killed"])
            .env(CHILD, stream.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut heads = lines.filter_map(|line| Some(line.strip_prefix("told ")?.to_owned()));
        told.extend(heads.by_ref().take(10 + 7 * kill).map(|head| serde_json::from_str::<Head>(&head).unwrap()));
        node.kill().unwrap();
        node.wait().unwrap();
        // What it was still told before it was killed is in the pipe; its last line may be half there.
        told.extend(heads.filter_map(|head| serde_json::from_str::<Head>(&head).ok()));
    }
    let records = whole(&stream.log().await).await;
    for head in &told {
        assert_eq!(records[head.position.get() as usize - 1].head(), *head);
    }
    assert!(told.len() >= KILLS * 10);
}
