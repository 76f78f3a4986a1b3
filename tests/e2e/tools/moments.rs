//! `--as-of`: any moment is shown as the server answered it then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{charge, document, found, hold, pay, said, tamper};
use crate::server::{Answer, Server, TOKEN_2, made};

const SEATS: &str = "/api/concerts/1/schedules/296/seats?status=all";
const SHOW_SEATS: &str = "seats --concert 1 --schedule 296";

/// What was answered, to the byte, and from which position.
struct Answered {
    /// What `reprise show` is asked for the same.
    show: String,
    position: String,
    body: String,
}

impl Answered {
    async fn get(server: &Server, path: &str, token: &str, show: impl Into<String>) -> Self {
        Self::of(server.request(Method::GET, path, token), show).await
    }

    async fn of(request: reqwest::RequestBuilder, show: impl Into<String>) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let position = response.headers()["log-position"].to_str().unwrap().to_owned();
        Self { show: show.into(), position, body: response.text().await.unwrap() }
    }

    /// That the same is shown of that moment.
    fn is_shown(&self, server: &Server) {
        let arguments: Vec<&str> = ["show"].into_iter().chain(self.show.split(' ')).collect();
        let as_of = ["--json", "--as-of", &self.position];
        let (code, text, error) = said(server.folder(), &[arguments.as_slice(), &as_of].concat());
        assert_eq!((code, error.as_str()), (0, ""), "{text}");
        let (answered, shown): (Value, Value) =
            (serde_json::from_str(&self.body).unwrap(), serde_json::from_str(&text).unwrap());
        let at = format!("{} at {}: {text}, but {}", self.show, self.position, self.body);
        assert_eq!(shown["position"].to_string(), self.position);
        match *arguments.get(1).unwrap() {
            "seats" => assert!(text.trim_end().ends_with(&format!("\"seats\":{}}}", self.body)), "{at}"),
            "room" => assert!(text.contains(&format!("\"room\":{}", self.body)), "{at}"),
            "wallet" => assert_eq!(shown["balance"], answered["balance"], "{at}"),
            "reservation" => {
                assert_eq!(without(&shown["reservation"], "expiresInSeconds"), without(&answered, "expiresInSeconds"));
            }
            "sales" => {
                let lines = shown["sales"].as_array().unwrap().iter().map(|line| without(line, "concertName"));
                assert_eq!(lines.collect::<Vec<_>>(), *answered.as_array().unwrap(), "{at}");
            }
            other => panic!("{other}"),
        }
    }
}

fn without(shown: &Value, member: &str) -> Value {
    let mut shown = shown.clone();
    shown.as_object_mut().unwrap().remove(member);
    shown
}

/// Buys, gives up, and takes back, and looks at what became of it each time.
async fn buy(server: Arc<Server>, user: u64) -> Vec<Answered> {
    let mut recorded = Vec::new();
    for round in 0..4 {
        let token = server.token(user).await;
        charge(&server, user, &token, 500_000).await.ok();
        let held = hold(&server, user, &token, &[user % 10 * 5 + round + 1]).await;
        let path = format!("/api/reservations/{}", held.ok()["reservationId"]);
        let show = format!("reservation --id {}", held.ok()["reservationId"]);
        recorded.push(Answered::get(&server, &path, &token, show.as_str()).await);
        if round != 1 {
            pay(&server, user, &token, &held).await.ok();
        }
        recorded.push(Answered::get(&server, &path, &token, show.as_str()).await);
        if round != 2 {
            server.delete(&path, &token).await.ok();
        }
        recorded.push(Answered::get(&server, &path, &token, show).await);
        let balance = format!("/api/users/{user}/points/balance");
        recorded.push(Answered::get(&server, &balance, &token, format!("wallet --user {user}")).await);
    }
    recorded
}

#[tokio::test(flavor = "multi_thread")]
async fn any_moment_of_a_sale_is_shown_as_it_was_answered_then() {
    let server = Arc::new(Server::start(&["--demo", "--operations", "127.0.0.1:0"]));
    let mut recorded = vec![Answered::get(&server, SEATS, TOKEN_2, SHOW_SEATS).await];
    let buyers: Vec<_> = (41..=45).map(|user| tokio::spawn(buy(Arc::clone(&server), user))).collect();
    while buyers.iter().any(|buyer| !buyer.is_finished()) {
        recorded.push(Answered::get(&server, SEATS, TOKEN_2, SHOW_SEATS).await);
        recorded.push(Answered::get(&server, "/api/queue", "", "room").await);
        recorded.push(Answered::of(server.ask_operations("/api/operations/sales"), "sales").await);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    for buyer in buyers {
        recorded.extend(buyer.await.unwrap());
    }
    let last = found(server.folder(), &["log", "stat"])["position"].as_u64().unwrap();
    let middle = recorded.iter().filter(|answered| answered.position.parse::<u64>().unwrap() < last).count();
    assert!(middle > 50, "{middle} answers in the middle");
    recorded.iter().for_each(|answered| answered.is_shown(&server));

    // A time is the last record of it.
    let folder = server.folder();
    let shown = found(folder, &["show", "wallet", "--user", "42", "--as-of", "736"]);
    let then = found(folder, &["show", "wallet", "--user", "42", "--as-of", shown["recordedAt"].as_str().unwrap()]);
    assert_eq!(then["recordedAt"], shown["recordedAt"]);
    assert!(then["position"].as_u64() >= shown["position"].as_u64());
    let (code, late) = document(folder, &["show", "room", "--as-of", "1000000"]);
    assert!(code == 1 && late["error"].as_str().unwrap().contains("not in the log yet"), "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_any_moment_of_a_line_that_moves_and_of_holds_that_expire() {
    // What is held in a log of long ago expires when it is served.
    let folder = made(5_000);
    let room = ["room", "set", "--capacity", "3", "--admissions-per-second", "10"];
    let (code, _, error) = said(folder.path(), &room);
    assert_eq!(code, 0, "{error}");
    let server = Server::start_in(folder.path(), &["--identity", "open", "--operations", "127.0.0.1:0"]);
    let mut recorded: Vec<Answered> = Vec::new();
    for user in 100_000..100_030 {
        let token = server.token(user).await;
        recorded.push(Answered::get(&server, "/api/queue", "", "room").await);
        if user % 3 == 0 {
            server.delete("/api/tokens/me", &token).await.ok();
            recorded.push(Answered::get(&server, "/api/queue", "", "room").await);
        }
        // They are built for the first time meanwhile.
        let sales = || server.ask_operations("/api/operations/sales");
        if user % 5 == 0 && Answer::of(sales()).await.status == 200 {
            recorded.push(Answered::of(sales(), "sales").await);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let different = |show: &str| {
        let bodies = recorded.iter().filter(|answered| answered.show == show).map(|answered| &answered.body);
        bodies.collect::<BTreeSet<_>>().len()
    };
    assert!(different("room") > 10 && different("sales") > 0);
    recorded.iter().for_each(|answered| answered.is_shown(&server));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_as_of_now_is_folded_from_the_snapshot_on_and_is_the_same() {
    let folder = made(12_000);
    let mut server = Server::start_in(folder.path(), &["--identity", "open"]);
    assert!(server.terminate().success());
    let snapshots = folder.path().join("snapshots");
    assert_eq!(std::fs::read_dir(&snapshots).unwrap().count(), 1);
    // One that was forgotten long ago is not in the snapshot.
    let shows =
        ["room", "wallet --user 5", "seats --concert 1 --schedule 1", "reservation --id 1", "reservation --id 300"];
    let show = |what: &str| {
        let arguments: Vec<&str> = ["show"].into_iter().chain(what.split(' ')).collect();
        document(folder.path(), &arguments)
    };
    let from_the_snapshot = shows.map(show);
    std::fs::rename(&snapshots, folder.path().join("elsewhere")).unwrap();
    assert_eq!(shows.map(show), from_the_snapshot);
    assert!(from_the_snapshot.iter().all(|(code, _)| *code == 0), "{from_the_snapshot:?}");
    std::fs::rename(folder.path().join("elsewhere"), &snapshots).unwrap();

    // What the snapshot was taken of is not read again.
    tamper(folder.path(), "UPDATE log SET data = '{}' WHERE position = 100").await;
    assert_eq!(show("room"), from_the_snapshot[0]);
    for reads_all in ["room --as-of 12000", "sales"] {
        let (code, document) = show(reads_all);
        assert_eq!((code, &document["position"]), (1, &Value::from(100)), "{reads_all}: {document}");
    }
}
