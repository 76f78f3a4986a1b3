//! Joining a pre-queue, against joining a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http::alternation::{Side, by_turns};
use crate::http::requests;
use crate::http::scripts::Script;
use crate::sale::{self, Plan};
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "joins";
const CLIENTS: usize = 256;
/// The opening is far away.
const OPENS_IN_SECONDS: i64 = 24 * 60 * 60;
const PREQUEUE_OF_LINE: f64 = 0.9;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let line = Plan { capacity: 0, ..Plan::default() };
    let prequeue = Plan { opens_in_seconds: Some(OPENS_IN_SECONDS), ..line };
    let (line, prequeue) = (Sale::open(options, line).await?, Sale::open(options, prequeue).await?);
    let (in_line, in_prequeue) = (Joins::begin(), Joins::begin());
    let mut first = Side::of(&prequeue.server, CLIENTS, |_| Joins::of(&in_prequeue)).await?;
    let mut second = Side::of(&line.server, CLIENTS, |_| Joins::of(&in_line)).await?;
    let (ours, others) = by_turns(&mut first, &mut second, options.round()).await?;
    let row = Row::of(NAME, "joining a pre-queue; against joining a line", CLIENTS, &ours).against(&others);
    Ok(vec![row.must(Bound::RatioAtLeast(PREQUEUE_OF_LINE))])
}

/// One user after another joins.
struct Joins(Arc<AtomicU64>);

impl Joins {
    fn begin() -> Arc<AtomicU64> {
        Arc::new(AtomicU64::new(1))
    }

    fn of(next: &Arc<AtomicU64>) -> Self {
        Self(Arc::clone(next))
    }
}

impl Script for Joins {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        request.extend_from_slice(&requests::join(sale::user_id(self.0.fetch_add(1, Ordering::Relaxed))));
        true
    }
}
