//! Pairs held by quantity, against pairs held by their ids, in houses of 50,000 seats, until the last pair is sold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::http::alternation::Side;
use crate::http::connection::Connection;
use crate::http::requests;
use crate::http::scripts::Script;
use crate::sale::{Guest, Plan};
use crate::sample::Sample;
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "quantity";
const SEATS: u64 = 50_000;
const ROW_SEATS: u64 = 50;
const PAIRS: u64 = SEATS / 2;
/// Each user holds two pairs: all that they may.
const PEOPLE: u64 = PAIRS / 2;
/// Houses sold on each side.
const TURNS: u64 = 3;
const CLIENTS: usize = 256;
const QUANTITY_OF_IDS: f64 = 0.7;
/// Longer than a house takes.
const AT_MOST: Duration = Duration::from_secs(60);

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let people = PEOPLE + 1;
    let plan = Plan { people, schedules: 2 * TURNS, seats: SEATS, row_seats: ROW_SEATS, ..Plan::default() };
    let sale = Sale::open(options, plan).await?;
    let (late, guests) = sale.guests.split_last().expect("there are people");
    let (mut by_quantity, mut by_ids) = (Sample::default(), Sample::default());
    for turn in 0..TURNS {
        let (first, second) = (2 * turn + 1, 2 * turn + 2);
        by_quantity.add(&sell(&sale, first, guests, How::Quantity).await?);
        is_sold_out(&sale, first, late).await?;
        by_ids.add(&sell(&sale, second, guests, How::Ids).await?);
    }
    let row = Row::of(NAME, "pairs by quantity until sold out; against by ids", CLIENTS, &by_quantity).against(&by_ids);
    sale.audit()?;
    Ok(vec![row.must(Bound::RatioAtLeast(QUANTITY_OF_IDS))])
}

/// Sells all pairs of a house.
async fn sell(sale: &Sale, schedule: u64, guests: &[Guest], how: How) -> Result<Sample, BenchError> {
    let house = Arc::new(House { schedule, how, guests: guests.to_vec(), given: AtomicU64::new(0) });
    let sample = Side::of(&sale.server, CLIENTS, |_| Pairs(Arc::clone(&house))).await?.turn(AT_MOST).await?;
    let held = sample.answers.get(&200).copied().unwrap_or(0);
    if held != PAIRS {
        return Err(BenchError::Books(format!("of {PAIRS} pairs {held} were held: {:?}", sample.answers)));
    }
    Ok(sample)
}

/// Sold out means sold out: not one seat is left.
async fn is_sold_out(sale: &Sale, schedule: u64, late: &Guest) -> Result<(), BenchError> {
    let mut connection = Connection::open(sale.server.address).await?;
    let (status, body) = connection.ask(&requests::reserve_best(schedule, 1, late)).await?;
    let body = String::from_utf8_lossy(body).into_owned();
    if status == 409 && body.contains("no-seats-left") { Ok(()) } else { Err(BenchError::Unexpected { status, body }) }
}

/// How a pair is asked for.
#[derive(Debug, Clone, Copy)]
enum How {
    Quantity,
    Ids,
}

struct House {
    schedule: u64,
    how: How,
    guests: Vec<Guest>,
    given: AtomicU64,
}

/// One client, who asks for one pair after another.
struct Pairs(Arc<House>);

impl Script for Pairs {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let House { schedule, how, guests, given } = &*self.0;
        let pair = given.fetch_add(1, Ordering::Relaxed);
        let Some(guest) = usize::try_from(pair / 2).ok().and_then(|index| guests.get(index)) else { return false };
        let asked = match how {
            How::Quantity => requests::reserve_best(*schedule, 2, guest),
            How::Ids => requests::reserve_both(*schedule, [2 * pair + 1, 2 * pair + 2], guest),
        };
        request.extend_from_slice(&asked);
        true
    }
}
