//! An opening, from its announcement until the last seat is sold: 20,000 people join a pre-queue of 30 seconds, are drawn, let
//! in and hold pairs by quantity; one in ten never comes; in the middle the sale is paused for 10 seconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use projections::rfc3339;
use reprise::data_folder::system_clock;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::crowd::{Crowd, Person};
use super::Sale;
use crate::http::connection::Connection;
use crate::http::load::{Client, open};
use crate::http::operators::Operators;
use crate::http::requests;
use crate::sale::Plan;
use crate::sample::Sample;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

mod books;
mod crowd;

const NAME: &str = "opening";
pub const PEOPLE: u64 = 20_000;
pub const SEATS: u64 = 20_000;
const ROW_SEATS: u64 = 50;
/// Slots of the room, and how long somebody who was let in may take to come.
const CAPACITY: u64 = 1_000;
const ARRIVAL_SECONDS: u64 = 10;
/// One of so many never comes.
const NO_SHOW_EVERY: u64 = 10;
/// From the announcement to the pre-queue, and from there to the opening.
const ANNOUNCED_SECONDS: i64 = 31;
const PREQUEUE_SECONDS: i64 = 30;
const PAUSE: Duration = Duration::from_secs(10);
/// Connections over which people come, each one person after another.
const CLIENTS: usize = 256;
/// How often it is looked how the line stands.
const LOOK: Duration = Duration::from_millis(20);
/// Longer than a sale takes, from the opening on.
const AT_MOST: Duration = Duration::from_secs(120);
const DRAWN_WITHIN_MS: f64 = 1_000.0;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let plan = Plan { schedules: 1, seats: SEATS, row_seats: ROW_SEATS, capacity: 0, ..Plan::default() };
    let sale = Sale::open(options, plan).await?;
    let mut operators = Operators::of(sale.folder()).await?;
    let room = json!({ "capacity": CAPACITY, "admissionsPerSecond": null, "arrivalSeconds": ARRIVAL_SECONDS,
        "reason": "it opens soon" });
    operators.ask("PUT", "/api/operations/room", &room).await?;
    let prequeue_from = system_clock()().plus_seconds(ANNOUNCED_SECONDS);
    let opens_at = prequeue_from.plus_seconds(PREQUEUE_SECONDS);
    let opening = json!({ "prequeueFrom": rfc3339(prequeue_from), "opensAt": rfc3339(opens_at), "reason": "spring" });
    operators.ask("POST", "/api/operations/opening", &opening).await?;

    until(prequeue_from.millis()).await;
    let crowd = Crowd::new(PEOPLE);
    let joined = join(&sale, &crowd).await?;
    until(opens_at.millis()).await;
    let mut look = Connection::open(sale.server.address).await?;
    while queue(&mut look).await?["draw"]["seed"].is_null() {
        sleep(LOOK).await;
    }
    let drawn_after_ms = (system_clock()().millis() - opens_at.millis()) as f64;
    let (sold, seconds) = sell(&sale, &crowd, &mut operators).await?;
    let books = books::prove(sale).await?;

    let what = format!("{PEOPLE} people join a pre-queue in {PREQUEUE_SECONDS} s");
    let told = format!("{} let in, {} never came; the books are right", books.admitted, books.no_shows);
    Ok(vec![
        Row::of(NAME, what, CLIENTS, &joined),
        Row::figure(NAME, "from the opening time until the draw is shown", drawn_after_ms, "ms")
            .must(Bound::Below(DRAWN_WITHIN_MS)),
        Row::of(NAME, "arriving, holding a pair by quantity, charging, paying", CLIENTS, &sold),
        Row::figure(NAME, "from the draw until all is sold, a pause of 10 s included", seconds, "s").noting(told),
    ])
}

/// Everyone joins, spread over the pre-queue.
async fn join(sale: &Sale, crowd: &Arc<Crowd>) -> Result<Sample, BenchError> {
    let joining = (0..CLIENTS).map(|_| crowd::Joining::of(crowd));
    let mut clients = Client::all(sale.server.address, joining).await?;
    // A little faster than they have to, so that the last one is not late.
    let lasting = Duration::from_secs(PREQUEUE_SECONDS.unsigned_abs()) - Duration::from_secs(1);
    let sample = open(&mut clients, PEOPLE as f64 / lasting.as_secs_f64() * 1.05, lasting).await?;
    match sample.answers.get(&200) {
        Some(joined) if *joined == PEOPLE => Ok(sample),
        _ => Err(BenchError::Books(format!("of {PEOPLE} who joined, these were answered: {:?}", sample.answers))),
    }
}

/// Who is let in comes and buys, until nothing is left. Tells what was asked, and how long it took.
async fn sell(sale: &Sale, crowd: &Arc<Crowd>, operators: &mut Operators) -> Result<(Sample, f64), BenchError> {
    let began = Instant::now();
    let line = crowd.drawn(sale.server.address, CLIENTS).await?;
    let inside = Arc::new(Inside::default());
    let mut buying = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (connection, inside) = (Connection::open(sale.server.address).await?, Arc::clone(&inside));
        buying.spawn(crowd::buy(connection, inside));
    }
    let (mut look, mut line) = (Connection::open(sale.server.address).await?, VecDeque::from(line));
    let mut was_paused = false;
    while inside.paid() < SEATS / 2 {
        if began.elapsed() > AT_MOST {
            return Err(BenchError::Books(format!("after {AT_MOST:?} {} pairs are sold", inside.paid())));
        }
        if let Some(failed) = buying.try_join_next() {
            failed??;
        }
        let serving = queue(&mut look).await?["servingNumber"].as_u64().unwrap_or_default();
        while let Some((_, person)) = line.pop_front_if(|(number, _)| *number <= serving) {
            if person.user.get() % NO_SHOW_EVERY != 0 {
                inside.waiting.lock().expect("nobody panics with it").push_back(person);
            }
        }
        if !was_paused && inside.paid() >= SEATS / 4 {
            was_paused = true;
            operators.ask("POST", "/api/operations/pause", &json!({ "reason": "the wrong zone is shown" })).await?;
            sleep(PAUSE).await;
            operators.ask("POST", "/api/operations/resume", &json!({ "reason": "mended" })).await?;
        }
        sleep(LOOK).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    buying.shutdown().await;
    let mut sample = std::mem::take(&mut *inside.sample.lock().expect("nobody panics with it"));
    sample.seconds = seconds;
    Ok((sample, seconds))
}

/// Those who were let in and have not been served, and what those were answered who have.
#[derive(Default)]
pub struct Inside {
    pub waiting: Mutex<VecDeque<Person>>,
    pub sample: Mutex<Sample>,
    pub pairs: Mutex<u64>,
}

impl Inside {
    fn paid(&self) -> u64 {
        *self.pairs.lock().expect("nobody panics with it")
    }
}

/// How the line stands.
async fn queue(connection: &mut Connection) -> Result<Value, BenchError> {
    let (status, body) = connection.ask(&requests::anyone("/api/queue")).await?;
    serde_json::from_slice(body)
        .map_err(|_| BenchError::Unexpected { status, body: String::from_utf8_lossy(body).into_owned() })
}

async fn until(millis: i64) {
    let left = millis - system_clock()().millis();
    sleep(Duration::from_millis(left.max(0).unsigned_abs())).await;
}
