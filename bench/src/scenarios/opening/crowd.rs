//! The people of an opening: they join, learn what the draw gave them, and buy a pair once they are let in.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::UserId;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Inside;
use crate::BenchError;
use crate::http::buyers::joined;
use crate::http::connection::Connection;
use crate::http::requests;
use crate::http::scripts::{Script, reservation_id};
use crate::sale::{self, Guest};

/// What a pair costs.
const PAIR: u64 = 2 * sale::PRICE;
/// The pause before a user tries again after `sale-paused`, or while they wait.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Someone who wants two seats.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub user: UserId,
    pub guest: Guest,
}

/// Everyone.
pub struct Crowd {
    people: u64,
    next: AtomicU64,
    joined: Mutex<Vec<Person>>,
}

impl Crowd {
    /// The users 1 to `people`.
    pub fn new(people: u64) -> Arc<Self> {
        Arc::new(Self { people, next: AtomicU64::new(1), joined: Mutex::default() })
    }

    /// Everyone asks once which number the draw gave them: all of them, in that order.
    pub async fn drawn(&self, address: SocketAddr, clients: usize) -> Result<Vec<(u64, Person)>, BenchError> {
        let everyone = std::mem::take(&mut *self.joined.lock().expect("nobody panics with it"));
        let mut asking = JoinSet::new();
        for people in everyone.chunks(everyone.len().div_ceil(clients).max(1)) {
            asking.spawn(numbers(address, people.to_vec()));
        }
        let mut line = Vec::new();
        while let Some(numbers) = asking.join_next().await {
            line.extend(numbers??);
        }
        line.sort_unstable_by_key(|(number, _)| *number);
        Ok(line)
    }
}

async fn numbers(address: SocketAddr, people: Vec<Person>) -> Result<Vec<(u64, Person)>, BenchError> {
    let mut connection = Connection::open(address).await?;
    let mut line = Vec::new();
    for person in people {
        let (status, body) = connection.ask(&requests::me(&person.guest)).await?;
        let token: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = token["queueNumber"].as_u64();
        line.push((number.ok_or_else(|| BenchError::Unexpected { status, body: token.to_string() })?, person));
    }
    Ok(line)
}

/// One client, through which users join one after another.
pub struct Joining {
    crowd: Arc<Crowd>,
    user: Option<UserId>,
}

impl Joining {
    /// People of this crowd.
    pub fn of(crowd: &Arc<Crowd>) -> Self {
        Self { crowd: Arc::clone(crowd), user: None }
    }
}

impl Script for Joining {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let number = self.crowd.next.fetch_add(1, Ordering::Relaxed);
        if number > self.crowd.people {
            return false;
        }
        self.user = Some(sale::user_id(number));
        request.extend_from_slice(&requests::join(sale::user_id(number)));
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) {
        let Some(user) = self.user.take().filter(|_| status == 200) else { return };
        let person = joined(user, body).map(|guest| Person { user, guest });
        self.crowd.joined.lock().expect("nobody panics with it").extend(person);
    }
}

/// One connection: each admitted user arrives, holds a pair, charges and pays. It goes on until it is stopped.
pub async fn buy(mut connection: Connection, inside: Arc<Inside>) -> Result<(), BenchError> {
    loop {
        let next = inside.waiting.lock().expect("nobody panics with it").pop_front();
        let Some(person) = next else {
            sleep(ASK_AGAIN).await;
            continue;
        };
        if visit(&mut connection, &inside, &person.guest).await? {
            *inside.pairs.lock().expect("nobody panics with it") += 1;
        }
    }
}

/// Whether a pair was bought: of those who come last, nobody gets one.
async fn visit(connection: &mut Connection, inside: &Inside, guest: &Guest) -> Result<bool, BenchError> {
    expect(ask(connection, inside, &requests::arrive(guest)).await?)?;
    let reservation = loop {
        let (status, body) = ask(connection, inside, &requests::reserve_best(1, 2, guest)).await?;
        match reservation_id(body.as_bytes()) {
            Some(reservation) => break reservation,
            None if body.contains("sale-paused") => sleep(ASK_AGAIN).await,
            None if body.contains("no-seats-left") => return Ok(false),
            None => return Err(BenchError::Unexpected { status, body }),
        }
    };
    expect(ask(connection, inside, &requests::charge_points(guest, PAIR)).await?)?;
    expect(ask(connection, inside, &requests::pay_points(reservation, PAIR, guest)).await?)?;
    Ok(true)
}

async fn ask(connection: &mut Connection, inside: &Inside, request: &[u8]) -> Result<(u16, String), BenchError> {
    let asked = Instant::now();
    let (status, body) = connection.ask(request).await?;
    inside.sample.lock().expect("nobody panics with it").record(status, asked.elapsed());
    Ok((status, String::from_utf8_lossy(body).into_owned()))
}

fn expect((status, body): (u16, String)) -> Result<(), BenchError> {
    if status == 200 { Ok(()) } else { Err(BenchError::Unexpected { status, body }) }
}
