//! kill -9 under load, again and again: what was answered is there, and nothing is there twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::server::{Answer, Server, rows};

const KILLS: u64 = 20;
const CLIENTS: u64 = 16;

/// A command under a key of its own, and what was answered, if anything was.
struct Asked {
    path: String,
    body: Value,
    key: String,
    answered: Option<Answer>,
}

/// One person: everything that they asked, in their order.
struct Person {
    user: u64,
    asked: Vec<Asked>,
}

impl Asked {
    fn request(&self, server: &Server, token: &str) -> RequestBuilder {
        let request = server.request(Method::POST, &self.path, token);
        request.header("Idempotency-Key", &self.key).json(&self.body)
    }
}

impl Person {
    /// Asks for the next thing; `None` once the server is gone.
    async fn ask(&mut self, server: &Server, token: &str, path: &str, body: Value) -> Option<Answer> {
        let key = format!("{}-{}", self.user, self.asked.len());
        let mut asked = Asked { path: path.to_owned(), body, key, answered: None };
        let answer = Answer::try_of(asked.request(server, token)).await.ok();
        asked.answered.clone_from(&answer);
        self.asked.push(asked);
        answer
    }

    /// Joins, charges, holds a seat of their own, pays, and charges on, until the server is gone.
    async fn buy(mut self, server: Arc<Server>, schedule: u64, seat: u64) -> Self {
        let _ = self.try_buy(&server, schedule, seat).await;
        self
    }

    async fn try_buy(&mut self, server: &Server, schedule: u64, seat: u64) -> Option<()> {
        let user = self.user;
        let charge = format!("/api/users/{user}/points/charge");
        let joined = self.ask(server, "", "/api/tokens", json!({ "userId": user })).await?;
        let token = joined.ok()["token"].as_str().unwrap().to_owned();
        self.ask(server, &token, &charge, json!({ "amount": 200_000 })).await?.ok();
        let hold = json!({ "concertId": 1, "scheduleId": schedule, "userId": user, "seatId": seat });
        let held = self.ask(server, &token, "/api/concerts/reservation", hold).await?;
        let (id, price) = (&held.ok()["reservationId"], &held.ok()["totalPrice"]);
        let pay = json!({ "reservationId": id, "userId": user, "paymentAmount": price });
        self.ask(server, &token, "/api/payments", pay).await?.ok();
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.ask(server, &token, &charge, json!({ "amount": 1 + self.asked.len() })).await?.ok();
        }
    }

    /// Everything again under its key: what was answered has the same answer, and then all has happened once.
    async fn settle(&self, server: &Server) {
        let mut token = String::new();
        let mut balance = 0;
        for asked in &self.asked {
            let answer = Answer::of(asked.request(server, &token)).await;
            if let Some(before) = &asked.answered {
                assert_eq!(answer.header("idempotent-replayed"), "true", "{} was answered and is lost", asked.key);
                assert_eq!(answer.header("log-position"), before.header("log-position"));
                assert_eq!(timeless(answer.ok()), timeless(before.ok()));
            }
            let member = |name: &str| answer.ok()[name].as_u64().unwrap_or(0);
            balance = balance + member("chargedAmount") - member("paymentAmount");
            if let Some(issued) = answer.ok()["token"].as_str() {
                token = issued.to_owned();
            }
        }
        let path = format!("/api/users/{}/points/balance", self.user);
        assert_eq!(server.get(&path, &token).await.ok()["balance"], balance, "user {}", self.user);
    }
}

/// Without what counts seconds and people, which is as of now.
fn timeless(body: &Value) -> Value {
    let mut body = body.clone();
    for member in ["expiresInSeconds", "ahead", "estimatedWaitSeconds"] {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}

async fn one_round(folder: &Path, round: u64) -> Vec<Person> {
    let server = Arc::new(Server::start_in(folder, &["--demo"]));
    let people = (1..=CLIENTS).map(|seat| {
        let person = Person { user: 1_000 * (round + 1) + seat, asked: Vec::new() };
        tokio::spawn(person.buy(Arc::clone(&server), round + 1, seat))
    });
    let people: Vec<_> = people.collect();
    tokio::time::sleep(Duration::from_millis(20 + 11 * round)).await;
    let killed = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut asked = Vec::new();
    for person in people {
        asked.push(person.await.unwrap());
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_load_twenty_times_loses_nothing_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut people = Vec::new();
    for round in 0..KILLS {
        people.extend(one_round(folder.path(), round).await);
    }
    let asked = || people.iter().flat_map(|person| &person.asked);
    let answered = asked().filter(|asked| asked.answered.is_some()).count();
    assert!(answered > 500, "the load was no load: {answered} answers");
    assert!(asked().count() > answered, "no kill came while something was asked");

    let server = Server::start_in(folder.path(), &["--demo"]);
    for person in &people {
        person.settle(&server).await;
    }
    let twice = "SELECT max(type) FROM log GROUP BY json_extract(metadata, '$.command_id'), \
                 json_extract(metadata, '$.index') HAVING count(*) > 1";
    assert_eq!(rows(folder.path(), twice).await, Vec::<String>::new());
    let sold_twice = "SELECT max(type) FROM log WHERE type = 'ReservationPaid' GROUP BY \
                      json_extract(data, '$.hold.schedule_id'), json_extract(data, '$.hold.seats[0].seat_id') HAVING count(*) > 1";
    assert_eq!(rows(folder.path(), sold_twice).await, Vec::<String>::new());
}
