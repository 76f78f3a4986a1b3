//! Visits of 15 requests, against what a large seller's peak was estimated at in public: 62,000 requests a second.

use crate::http::alternation::{Side, WARM_UP};
use crate::http::visits::{Visiting, Visits};
use crate::sale::Plan;
use crate::scenarios::Sale;
use crate::table::Row;
use crate::{BenchError, Options};

const NAME: &str = "visits";
const CLIENTS: usize = 256;
/// Seats of a schedule, and schedules: more visits than a few seconds have.
const SEATS: u64 = 50;
const SCHEDULES: u64 = 1_200;
const PEAK: f64 = 62_000.0;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let plan = Plan { schedules: SCHEDULES, seats: SEATS, ..Plan::default() };
    let sale = Sale::open(options, plan).await?;
    let visits = Visits::of(SCHEDULES, SEATS);
    let mut side = Side::of(&sale.server, CLIENTS, |_| Visiting::of(&visits)).await?;
    side.turn(WARM_UP).await?;
    let before = visits.whole();
    let sample = side.turn(options.round()).await?;
    let bought = visits.whole() - before;
    sale.audit()?;
    let what = "visits of 15 requests; against a published peak";
    Ok(vec![Row::of(NAME, what, CLIENTS, &sample).against_figure(PEAK).noting(format!("{bought} bought"))])
}
