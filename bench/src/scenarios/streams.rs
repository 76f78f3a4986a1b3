//! 10,000 people watch the line while others buy: what a stream costs, how soon all know of a change, and what it leaves of
//! the commands' rate.

use std::time::{Duration, Instant};

use crate::http::alternation::{Side, WARM_UP};
use crate::http::buyers::{Buyers, Buying, Choice};
use crate::http::child::SETTLING;
use crate::http::connection::Connection;
use crate::http::load::{Client, open};
use crate::http::requests;
use crate::http::scripts::Again;
use crate::http::watching::{Seen, Watchers};
use crate::sale::{self, Plan};
use crate::sample::Sample;
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options, process};

const NAME: &str = "streams";
const STREAMS: usize = 10_000;
const SEATS: u64 = 50_000;
/// Clients who charge, and who buy.
const CLIENTS: usize = 256;
const BUYERS: usize = 16;
/// Purchases in a second, of four requests each.
const PURCHASES: f64 = 200.0;
const REQUESTS_A_PURCHASE: f64 = 4.0;
/// The first user who buys, and the first whose joining is waited for: nobody else has their numbers.
const FIRST_BUYER: u64 = 1_000_000;
const FIRST_MARK: u64 = 2_000_000;
const MARK_EVERY: Duration = Duration::from_millis(700);
/// How often each side gets its turn.
const TURNS: u32 = 4;
const BYTES_A_STREAM: f64 = 16.0 * 1_024.0;
const ALL_KNOW_WITHIN_MS: f64 = 1_000.0;
const CHARGE_OF_ALONE: f64 = 0.8;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let plan = Plan { people: CLIENTS as u64, schedules: 1, seats: SEATS, ..Plan::default() };
    let (watched, alone) = (Sale::open(options, plan).await?, Sale::open(options, plan).await?);
    let before = process::resident_bytes(watched.server.pid());
    let watchers = Watchers::open(watched.server.address, STREAMS)?;
    tokio::time::sleep(SETTLING).await;
    let bytes = (process::resident_bytes(watched.server.pid()) - before) / STREAMS as f64;

    let (mut with, mut without) = (Selling::on(&watched).await?, Selling::on(&alone).await?);
    let (bought, marks) = tokio::join!(with.buy(options.round()), mark(&watched, options.round()));
    let (bought, marks) = (bought?, marks?);
    let (mut ours, mut others) = (Sample::default(), Sample::default());
    for side in [&mut with, &mut without] {
        side.turn(WARM_UP).await?;
    }
    for _ in 0..TURNS {
        ours.add(&with.turn(options.round() / TURNS).await?);
        others.add(&without.turn(options.round() / TURNS).await?);
    }
    let delay = last_to_know(&watchers.end()?, &marks)?;
    let charges = "charge beside 10,000 streams and 200 purchases/s; against without streams";
    Ok(vec![
        Row::figure(NAME, "memory of a stream of the queue", bytes, "bytes").must(Bound::Below(BYTES_A_STREAM)),
        Row::figure(NAME, "until all 10,000 know of a change", delay, "ms").must(Bound::Below(ALL_KNOW_WITHIN_MS)),
        Row::of(NAME, "requests of 200 purchases/s meanwhile", BUYERS, &bought),
        Row::of(NAME, charges, CLIENTS, &ours).against(&others).must(Bound::RatioAtLeast(CHARGE_OF_ALONE)),
    ])
}

/// Who charges and who buys on one server.
struct Selling<'a> {
    charges: Side<'a>,
    buyers: Vec<Client>,
}

impl<'a> Selling<'a> {
    async fn on(sale: &'a Sale) -> Result<Self, BenchError> {
        let charge = |number: usize| Again(requests::charge(&sale.guests[number]));
        let charges = Side::of(&sale.server, CLIENTS, charge).await?;
        let all = Buyers::of(FIRST_BUYER..=FIRST_MARK, SEATS, Choice::InOrder);
        let buying = (0..BUYERS).map(|number| Buying::of(&all, number));
        let buyers = Client::all(sale.server.address, buying).await?;
        Ok(Self { charges, buyers })
    }

    async fn buy(&mut self, lasting: Duration) -> Result<Sample, BenchError> {
        open(&mut self.buyers, PURCHASES * REQUESTS_A_PURCHASE, lasting).await
    }

    /// Charges, while others buy.
    async fn turn(&mut self, lasting: Duration) -> Result<Sample, BenchError> {
        let buying = open(&mut self.buyers, PURCHASES * REQUESTS_A_PURCHASE, lasting);
        let (charged, bought) = tokio::join!(self.charges.turn(lasting), buying);
        bought?;
        charged
    }
}

/// Somebody joins now and then: when that was answered, and the number that is served since.
async fn mark(sale: &Sale, lasting: Duration) -> Result<Vec<(Instant, u64)>, BenchError> {
    let mut connection = Connection::open(sale.server.address).await?;
    let (until, mut marks) = (Instant::now() + lasting, Vec::new());
    for user in FIRST_MARK.. {
        let (status, body) = connection.ask(&requests::join(sale::user_id(user))).await?;
        let token: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(number) = token["queueNumber"].as_u64() else {
            return Err(BenchError::Unexpected { status, body: token.to_string() });
        };
        marks.push((Instant::now(), number));
        if Instant::now() + MARK_EVERY > until {
            break;
        }
        tokio::time::sleep(MARK_EVERY).await;
    }
    Ok(marks)
}

/// How long it took at most until the last subscriber knew of a change, in milliseconds.
fn last_to_know(all: &[Seen], marks: &[(Instant, u64)]) -> Result<f64, BenchError> {
    let mut longest = Duration::ZERO;
    for (changed, number) in marks {
        for seen in all {
            let told = seen.iter().find(|(_, serving)| serving >= number);
            let (at, _) = told.ok_or_else(|| BenchError::Books(format!("somebody was never told of {number}")))?;
            longest = longest.max(at.saturating_duration_since(*changed));
        }
    }
    Ok(longest.as_secs_f64() * 1_000.0)
}
