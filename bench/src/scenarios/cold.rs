//! One seat, 50 people at once, on a server just started.

use std::time::Duration;

use tempfile::TempDir;

use crate::http::child::Server;
use crate::http::load::{Client, closed};
use crate::http::requests;
use crate::http::scripts::Once;
use crate::sale::{self, Plan};
use crate::sample::Sample;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

/// People who want the seat.
const PEOPLE: usize = 50;
/// How many servers are started for it, each on a new folder.
const STARTS: usize = 5;
/// The seat: the 33rd of 50.
const SEATS: u64 = 50;
const SEAT: u64 = 33;
/// Longer than anyone waits.
const AT_MOST: Duration = Duration::from_secs(10);
const P95_MS: f64 = 10.0;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let mut all = Sample::default();
    for _ in 0..STARTS {
        all.add(&once(options.folder()?).await?);
    }
    let won = all.answers.get(&200).copied().unwrap_or(0);
    let row = Row::of("cold", "one seat, 50 people at once, server just started", PEOPLE, &all);
    Ok(vec![row.noting(format!("{won} won in {STARTS} starts")).must(Bound::P95Below(P95_MS))])
}

async fn once(folder: TempDir) -> Result<Sample, BenchError> {
    let plan = Plan { people: PEOPLE as u64, schedules: 1, seats: SEATS, ..Plan::default() };
    let guests = sale::prepare_folder(folder.path(), plan).await?;
    let server = Server::reprise(folder.path())?;
    let reserve = guests.iter().map(|guest| Once(Some(requests::reserve(1, SEAT, guest))));
    let mut clients = Client::all(server.address, reserve).await?;
    closed(&mut clients, AT_MOST).await
}
