//! 100,000 people who all want one of 10,000 seats at once: each joins and asks for a seat, and who gets one charges and pays.

use std::time::Duration;

use crate::http::alternation::Side;
use crate::http::buyers::{Buyers, Buying, Choice};
use crate::sale::Plan;
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "crowd";
const PEOPLE: u64 = 100_000;
const SEATS: u64 = 10_000;
const CLIENTS: usize = 256;
/// Longer than it takes.
const AT_MOST: Duration = Duration::from_secs(120);
const MOST_SECONDS: f64 = 5.5;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let plan = Plan { schedules: 1, seats: SEATS, capacity: PEOPLE, ..Plan::default() };
    let sale = Sale::open(options, plan).await?;
    let buyers = Buyers::of(1..=PEOPLE, SEATS, Choice::Random);
    let sample = Side::of(&sale.server, CLIENTS, |number| Buying::of(&buyers, number)).await?.turn(AT_MOST).await?;
    let [held, paid] = buyers.sold();
    if held != paid {
        return Err(BenchError::Books(format!("{held} seats were held, and {paid} paid")));
    }
    sale.audit()?;
    let what = format!("{PEOPLE} buyers for {SEATS} seats: {} requests", sample.all());
    let requests = Row::of(NAME, what, CLIENTS, &sample).noting(format!("{paid} sold; the books are right"));
    let seconds = Row::figure(NAME, "the same: seconds for all of them", sample.seconds, "s");
    Ok(vec![requests, seconds.must(Bound::Below(MOST_SECONDS))])
}
