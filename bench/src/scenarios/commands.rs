//! Durable commands over HTTP, against handlers that parse the same body and answer at once.

use crate::http::alternation::{Side, by_turns};
use crate::http::child::Server;
use crate::http::requests;
use crate::http::scripts::{Again, Holds, Payments, Seats};
use crate::sale::Plan;
use crate::sample::Sample;
use crate::scenarios::{Sale, one_each};
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

/// How many clients the bounds are for.
pub const BOUND_AT: usize = 256;
const CHARGE_OF_FLOOR: f64 = 0.5;
/// The processor time of a charge, to that of a handler that answers at once.
const CPU_OF_FLOOR: f64 = 1.7;
const ONE_USER_OF_MANY: f64 = 0.8;
const HOLD_OF_CHARGE: f64 = 0.8;

/// Seats of each schedule, as in the demo.
const SEATS: u64 = 50;
/// Schedules of a sale of holds, and of those how many are for one number of clients: more than can be held in a few seconds.
const SCHEDULES: u64 = 20_000;
/// People who hold and pay.
const PEOPLE: u64 = 2_000;
/// Points that everyone has who pays.
const POINTS: u64 = 10_000_000;
/// Holds that are paid, for each second that paying is measured.
const HOLDS_A_SECOND: f64 = 40_000.0;
const NO_BYTES: usize = 0;

/// Charges, one user a client.
pub async fn charge(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = Sale::open(options, one_each(options)).await?;
    let floor = Server::floor(NO_BYTES, NO_BYTES)?;
    let mut rows = Vec::new();
    for clients in options.connections.iter().copied() {
        let script = |number: usize| Again(requests::charge(&sale.guests[number]));
        let mut charges = Side::of(&sale.server, clients, script).await?;
        let mut nothing = Side::of(&floor, clients, script).await?;
        let (ours, floors) = by_turns(&mut charges, &mut nothing, options.round()).await?;
        rows.extend(against_floor("charge", "durable charge", clients, &ours, &floors));
    }
    Ok(rows)
}

/// Charges, all for one user, against one user a client.
pub async fn one_user(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = Sale::open(options, one_each(options)).await?;
    let mut rows = Vec::new();
    for clients in options.connections.iter().copied() {
        let mut one = Side::of(&sale.server, clients, |_| Again(requests::charge(&sale.guests[0]))).await?;
        let mut many = Side::of(&sale.server, clients, |number| Again(requests::charge(&sale.guests[number]))).await?;
        let (ones, manys) = by_turns(&mut one, &mut many, options.round()).await?;
        let row =
            Row::of("one-user", "charge, all for one user; against one user each", clients, &ones).against(&manys);
        rows.push(bounded(row, clients, ONE_USER_OF_MANY));
    }
    Ok(rows)
}

/// Holds of distinct seats.
pub async fn hold(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = Sale::open(options, sale_of_holds(options)).await?;
    let floor = Server::floor(NO_BYTES, NO_BYTES)?;
    let mut rows = Vec::new();
    for (schedules, clients) in shares(options) {
        let seats = Seats::of(schedules.clone(), SEATS, sale.guests.clone());
        let unheld = Seats::of(schedules, SEATS, sale.guests.clone());
        let mut holds = Side::of(&sale.server, clients, |_| Holds::of(&seats)).await?;
        let mut nothing = Side::of(&floor, clients, |_| Holds::of(&unheld)).await?;
        let (ours, floors) = by_turns(&mut holds, &mut nothing, options.round() / 2).await?;
        rows.extend(against_floor("hold", "durable hold", clients, &ours, &floors));
        let charge = |number: usize| Again(requests::charge(&sale.guests[number % sale.guests.len()]));
        let mut charges = Side::of(&sale.server, clients, charge).await?;
        let (ours, charged) = by_turns(&mut holds, &mut charges, options.round() / 2).await?;
        let row = Row::of("hold", "durable hold; against durable charge", clients, &ours).against(&charged);
        rows.push(bounded(row, clients, HOLD_OF_CHARGE));
    }
    Ok(rows)
}

/// Payments of holds that were made before.
pub async fn payment(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = Sale::open(options, sale_of_holds(options)).await?;
    let floor = Server::floor(NO_BYTES, NO_BYTES)?;
    let mut rows = Vec::new();
    // Each number of clients has its own users: a user who has paid is no longer in the room, and can hold nothing
    // more.
    let share = sale.guests.len() / options.connections.len().max(1);
    for ((schedules, clients), guests) in shares(options).zip(sale.guests.chunks_exact(share)) {
        let wanted = SEATS.max((options.seconds * HOLDS_A_SECOND) as u64) / SEATS;
        let schedules = schedules.start..schedules.end.min(schedules.start + wanted);
        let seats = Seats::of(schedules, SEATS, guests.to_vec());
        let mut payments = Side::of(&sale.server, clients.max(BOUND_AT), |_| Holds::of(&seats)).await?;
        payments.turn(options.round() * 2).await?;
        payments = Side::of(&sale.server, clients, |_| Payments::of(&seats)).await?;
        let pay = |number: usize| Again(requests::pay(1, &sale.guests[number % sale.guests.len()]));
        let mut nothing = Side::of(&floor, clients, pay).await?;
        let (ours, floors) = by_turns(&mut payments, &mut nothing, options.round()).await?;
        rows.extend(against_floor("payment", "durable payment", clients, &ours, &floors));
    }
    Ok(rows)
}

/// Compares durable commands with handlers that only answer: their rate, and at the number of clients that bounds are
/// for also the server's processor time.
fn against_floor(scenario: &str, what: &str, clients: usize, ours: &Sample, floor: &Sample) -> Vec<Row> {
    let row = Row::of(scenario, format!("{what}; against the floor"), clients, ours).against(floor);
    if clients != BOUND_AT {
        return vec![row];
    }
    let cpu = Row::cpu(scenario, what, clients, ours, floor);
    if scenario != "charge" {
        return vec![row, cpu];
    }
    vec![row.must(Bound::RatioAtLeast(CHARGE_OF_FLOOR)), cpu.must(Bound::RatioAtMost(CPU_OF_FLOOR))]
}

fn bounded(row: Row, clients: usize, least: f64) -> Row {
    if clients == BOUND_AT { row.must(Bound::RatioAtLeast(least)) } else { row }
}

fn sale_of_holds(options: &Options) -> Plan {
    let people = PEOPLE.max(one_each(options).people);
    Plan { people, schedules: SCHEDULES, seats: SEATS, points: POINTS, ..Plan::default() }
}

/// The schedules that each number of clients has for itself.
fn shares(options: &Options) -> impl Iterator<Item = (std::ops::Range<u64>, usize)> {
    let share = SCHEDULES / options.connections.len().max(1) as u64;
    options.connections.iter().enumerate().map(move |(index, clients)| {
        let first = 1 + index as u64 * share;
        (first..first + share, *clients)
    })
}
