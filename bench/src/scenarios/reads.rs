//! Queries over HTTP, against static bytes of the same size in the same server stack.

use crate::http::alternation::{Side, by_turns, look};
use crate::http::child::Server;
use crate::http::requests;
use crate::http::scripts::Again;
use crate::sale::{Guest, Plan};
use crate::scenarios::commands::BOUND_AT;
use crate::scenarios::{Sale, one_each};
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

/// At every number of clients.
const READ_OF_STATIC: f64 = 0.9;
const CPU_OF_STATIC: f64 = 1.1;
/// Seats of the list, as in the demo.
const SEATS: u64 = 50;

/// Balances.
pub async fn balance(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = open(options).await?;
    let (body, _) = look(sale.server.address, &requests::balance(&sale.guests[0])).await?;
    let floor = Server::floor(body.len(), 0)?;
    let what = format!("balance; against {} static bytes", body.len());
    compare(options, "balance", &what, &sale, &floor, requests::balance).await
}

/// Lists of 50 seats.
pub async fn seats(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = open(options).await?;
    let (body, _) = look(sale.server.address, &requests::seats(1, &sale.guests[0], None)).await?;
    let floor = Server::floor(0, body.len())?;
    let what = format!("list of {SEATS} seats; against {} static bytes", body.len());
    compare(options, "seats", &what, &sale, &floor, |guest| requests::seats(1, guest, None)).await
}

/// Lists that the client has already.
pub async fn not_modified(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = open(options).await?;
    let (_, etag) = look(sale.server.address, &requests::seats(1, &sale.guests[0], None)).await?;
    let floor = Server::floor(0, 0)?;
    let what = "304; against a handler that answers 304 at once";
    let known = |guest: &Guest| requests::seats(1, guest, etag.as_deref());
    compare(options, "not-modified", what, &sale, &floor, known).await
}

async fn compare(
    options: &Options,
    scenario: &str,
    what: &str,
    sale: &Sale,
    floor: &Server,
    request: impl Fn(&Guest) -> Vec<u8>,
) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for clients in options.connections.iter().copied() {
        let script = |number: usize| Again(request(&sale.guests[number]));
        let mut ours = Side::of(&sale.server, clients, script).await?;
        let mut floors = Side::of(floor, clients, script).await?;
        let (ours, floors) = by_turns(&mut ours, &mut floors, options.round()).await?;
        rows.push(Row::of(scenario, what, clients, &ours).against(&floors).must(Bound::RatioAtLeast(READ_OF_STATIC)));
        if clients == BOUND_AT {
            rows.push(Row::cpu(scenario, scenario, clients, &ours, &floors).must(Bound::RatioAtMost(CPU_OF_STATIC)));
        }
    }
    Ok(rows)
}

async fn open(options: &Options) -> Result<Sale, BenchError> {
    Sale::open(options, Plan { schedules: 1, seats: SEATS, ..one_each(options) }).await
}
