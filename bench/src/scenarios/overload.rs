//! Charges by an open loop: at half of the top rate, and at three times the top rate.

use crate::http::load::{Client, closed, open};
use crate::http::requests;
use crate::http::scripts::Again;
use crate::process::Cpu;
use crate::sale::Plan;
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "overload";
/// The number of clients with which the top rate is found.
const CLIENTS: usize = 256;
/// Connections that three times the top rate comes over: twice as many as commands may wait in their lane.
const CROWD: usize = 2 * reprise::engine::LANE_CAPACITY;
const HALF: f64 = 0.5;
const TOO_MUCH: f64 = 3.0;
const P99_AT_HALF_MS: f64 = 10.0;
const P99_OF_ACCEPTED_MS: f64 = 250.0;
const ANSWERED_OF_TOP: f64 = 0.9;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let sale = Sale::open(options, Plan { people: CROWD as u64, ..Plan::default() }).await?;
    let charges = sale.guests.iter().map(|guest| Again(requests::charge(guest)));
    let mut clients = Client::all(sale.server.address, charges).await?;
    let crowd = clients.split_off(CLIENTS);
    closed(&mut clients, options.round() / 4).await?;
    let top = closed(&mut clients, options.round()).await?;
    let mut rows = vec![Row::of(NAME, "top rate of charges", CLIENTS, &top)];

    let half = open(&mut clients, top.rate() * HALF, options.round()).await?;
    let row = Row::of(NAME, "half of the top rate, each latency from when it was due", CLIENTS, &half).against(&top);
    rows.push(row.noting(format!("{} not sent", half.unsent)).must(Bound::P99AtMost(P99_AT_HALF_MS)));

    clients.extend(crowd);
    let cpu_before = Cpu::of(sale.server.pid());
    let mut flood = open(&mut clients, top.rate() * TOO_MUCH, options.round()).await?;
    flood.cpu = Cpu::of(sale.server.pid()).since(&cpu_before);
    let row = Row::of(NAME, "three times the top rate: accepted", CROWD, &flood).against(&top);
    let not_sent = format!("{} found no free connection", flood.unsent);
    rows.push(row.noting(not_sent).must(Bound::P99AtMost(P99_OF_ACCEPTED_MS)));
    let answered = Row::figure(NAME, "three times the top rate: answered", flood.all() as f64 / flood.seconds, "/s");
    rows.push(answered.against_figure(top.rate()).must(Bound::RatioAtLeast(ANSWERED_OF_TOP)));
    Ok(rows)
}
