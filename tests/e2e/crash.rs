//! kill -9 under load, again and again: what was answered is there, and nothing is there twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::server::{Answer, Server};

const KILLS: u64 = 20;
const USERS: u64 = 16;

/// A charge under its own key: its amount, and what was answered, if anything was.
struct Charge {
    user: u64,
    key: String,
    amount: u64,
    answered: Option<(String, u64)>,
}

fn charge(server: &Server, token: &str, charge: &Charge) -> reqwest::RequestBuilder {
    let request = server.request(Method::POST, &format!("/api/users/{}/points/charge", charge.user), token);
    request.header("Idempotency-Key", &charge.key).json(&json!({ "amount": charge.amount }))
}

/// Charges until the server is gone.
async fn load(server: Arc<Server>, user: u64, round: u64) -> Vec<Charge> {
    let Ok(token) =
        Answer::try_of(server.request(Method::POST, "/api/tokens", "").json(&json!({ "userId": user }))).await
    else {
        return Vec::new();
    };
    let token = token.ok()["token"].as_str().unwrap().to_owned();
    let mut charges = Vec::new();
    for count in 0.. {
        let key = format!("{round}-{user}-{count}");
        let mut next = Charge { user, key, amount: 1 + count % 97, answered: None };
        let answer = Answer::try_of(charge(&server, &token, &next)).await;
        let gone = answer.is_err();
        if let Ok(answer) = answer {
            let position = answer.header("log-position").to_owned();
            next.answered = Some((position, answer.ok()["currentBalance"].as_u64().unwrap()));
        }
        charges.push(next);
        if gone {
            break;
        }
    }
    charges
}

/// Every charge again under its key: those that were answered have the same answer, and then all have happened once.
async fn settle(folder: &Path, charges: &[Charge]) {
    let server = Server::start_in(folder, &["--identity", "open"]);
    let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
    let mut tokens = BTreeMap::new();
    for user in 1..=USERS {
        tokens.insert(user, server.token(user).await);
    }
    for before in charges {
        let answer = Answer::of(charge(&server, &tokens[&before.user], before)).await;
        if let Some((position, balance)) = &before.answered {
            assert_eq!(answer.header("idempotent-replayed"), "true", "{} was answered and is lost", before.key);
            assert_eq!(answer.header("log-position"), position);
            assert_eq!(answer.ok()["currentBalance"], *balance);
        }
        answer.ok();
        *sums.entry(before.user).or_default() += before.amount;
    }
    for (user, token) in tokens {
        let path = format!("/api/users/{user}/points/balance");
        let balance = server.get(&path, &token).await.ok()["balance"].as_u64().unwrap();
        assert_eq!(balance, sums.get(&user).copied().unwrap_or(0), "user {user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_load_twenty_times_loses_nothing_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut charges: Vec<Charge> = Vec::new();
    for round in 0..KILLS {
        let server = Arc::new(Server::start_in(folder.path(), &["--identity", "open"]));
        let clients: Vec<_> = (1..=USERS).map(|user| tokio::spawn(load(Arc::clone(&server), user, round))).collect();
        tokio::time::sleep(Duration::from_millis(40 + 17 * round)).await;
        let pid = server.pid().to_string();
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        for client in clients {
            charges.extend(client.await.unwrap());
        }
    }
    let answered = charges.iter().filter(|charge| charge.answered.is_some()).count();
    assert!(answered > 200, "the load was no load: {answered} answers");
    // What was charged long ago may be past the last 1,024 keys of its user: those are not asked again.
    let mut recent: BTreeMap<u64, usize> = BTreeMap::new();
    for charge in &charges {
        *recent.entry(charge.user).or_default() += 1;
    }
    assert!(recent.values().all(|count| *count < 1_000), "fewer charges a user than keys are kept: {recent:?}");
    settle(folder.path(), &charges).await;
}
