//! A show of 50,000 sold seats that is called off while 200 charges a second go on elsewhere. The server is killed three times
//! before all is given back; afterwards everything was, once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::{Event, SaleEvent};
use reprise::log::{LogAddress, open as open_log};
use serde_json::json;
use tokio::time::sleep;

use super::Sale;
use super::fold::events;
use crate::http::load::{Client, closed, open};
use crate::http::operators::Operators;
use crate::http::requests;
use crate::http::scripts::{Again, Holds, Payments, Seats};
use crate::sale::{Guest, PRICE, Plan};
use crate::sample::Sample;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "called-off";
const SEATS: u64 = 50_000;
/// As many seats as a user may have, each a reservation of its own.
const SEATS_A_BUYER: u64 = domain::limits::MAX_SEATS_PER_USER_IN_SCHEDULE as u64;
const BUYERS: u64 = SEATS / SEATS_A_BUYER;
/// Connections over which the show is sold, and those who charge elsewhere.
const SELLERS: usize = 64;
const CHARGERS: usize = 16;
const CHARGES_A_SECOND: f64 = 200.0;
const KILLS: u64 = 3;
/// How long charges are measured before the show is called off, and how often it is looked what is left.
const BEFORE: Duration = Duration::from_secs(10);
const SLICE: Duration = Duration::from_millis(250);
/// Longer than selling, and longer than giving back takes.
const AT_MOST: Duration = Duration::from_secs(240);
/// The bound of the 99th percentile of charges meanwhile, as a multiple of the value before.
const P99_OF_BEFORE: f64 = 2.0;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let people = BUYERS + CHARGERS as u64;
    let plan = Plan { people, schedules: 1, seats: SEATS, points: SEATS_A_BUYER * PRICE, ..Plan::default() };
    let mut sale = Sale::open(options, plan).await?;
    let chargers = sale.guests.split_off(sale.guests.len() - CHARGERS);
    sell(&sale).await?;
    let before = open(&mut charging(&sale, &chargers).await?, CHARGES_A_SECOND, BEFORE).await?;

    let began = Instant::now();
    let off = json!({ "reason": "the singer is ill" });
    Operators::of(sale.folder()).await?.ask("POST", "/api/operations/schedules/1/cancel", &off).await?;
    let during = until_all_is_given_back(&mut sale, &chargers).await?;
    let seconds = began.elapsed().as_secs_f64();
    prove(sale).await?;

    let what = format!("charges while a show of {SEATS} sold seats is called off; against before");
    let p99 = before.quantile_ms(0.99);
    let bound = Bound::P99AtMost(P99_OF_BEFORE * p99);
    let told = format!("p99 before: {p99:.2} ms; {KILLS} kills; all is refunded once, and the books are right");
    Ok(vec![
        Row::of(NAME, "charges before it", CHARGERS, &before),
        Row::of(NAME, what, CHARGERS, &during).against(&before).must(bound),
        Row::figure(NAME, "from calling it off until all is refunded", seconds, "s").noting(told),
    ])
}

/// Every seat is held, then paid.
async fn sell(sale: &Sale) -> Result<(), BenchError> {
    let seats = Seats::of(1..2, SEATS, sale.guests.clone());
    let address = sale.server.address;
    let mut holders = Client::all(address, (0..SELLERS).map(|_| Holds::of(&seats))).await?;
    let mut payers = Client::all(address, (0..SELLERS).map(|_| Payments::of(&seats))).await?;
    for clients in [&mut holders, &mut payers] {
        let done = closed(clients, AT_MOST).await?;
        if done.answers != [(200, SEATS)].into() {
            return Err(BenchError::Books(format!("the show is not sold: {:?}", done.answers)));
        }
    }
    Ok(())
}

/// Those who charge, connected.
async fn charging(sale: &Sale, chargers: &[Guest]) -> Result<Vec<Client>, BenchError> {
    let charges = chargers.iter().map(|guest| Again(requests::charge(guest)));
    Ok(Client::all(sale.server.address, charges).await?)
}

/// Charges while the server gives back, and kills it in the middle of both, again and again. Tells of the charges that no kill
/// interrupted.
async fn until_all_is_given_back(sale: &mut Sale, chargers: &[Guest]) -> Result<Sample, BenchError> {
    let (mut during, mut kills, began) = (Sample::default(), 0, Instant::now());
    let mut clients = charging(sale, chargers).await?;
    let mut operators = Operators::of(sale.folder()).await?;
    while began.elapsed() < AT_MOST {
        let cancelled = operators.look("/api/operations/schedules/1").await?["cancelled"].take();
        let count = |member: &str| cancelled[member].as_u64().unwrap_or_default();
        if count("paymentsLeft") == 0 {
            return match (kills, count("refunded")) {
                (KILLS, SEATS) => Ok(during),
                (kills, refunded) => Err(BenchError::Books(format!("{kills} kills, {refunded} refunded"))),
            };
        }
        if kills == KILLS || count("refunded") < SEATS * (kills + 1) / (KILLS + 1) {
            during.add(&open(&mut clients, CHARGES_A_SECOND, SLICE).await?);
            continue;
        }
        let killed = async {
            sleep(SLICE / 2).await;
            sale.kill()
        };
        // The clients that were charging get no answer.
        let (_, killed) = tokio::join!(open(&mut clients, CHARGES_A_SECOND, SLICE), killed);
        killed?;
        kills += 1;
        clients = charging(sale, chargers).await?;
        operators = Operators::of(sale.folder()).await?;
    }
    Err(BenchError::Books(format!("not all was given back within {AT_MOST:?}")))
}

/// Every rule is proved, and every payment is refunded once, because the show was called off.
async fn prove(sale: Sale) -> Result<(), BenchError> {
    let folder = sale.audit()?;
    let log = open_log(&LogAddress::Sqlite, folder.path()).await?;
    let (mut paid, mut refunded) = (BTreeSet::new(), BTreeSet::new());
    for recorded in events(&log).await? {
        let is_new = match &recorded.event {
            Event::Sale(SaleEvent::ReservationPaid(event)) => paid.insert(event.hold.reservation_id),
            Event::Sale(SaleEvent::ReservationRefunded(event)) => refunded.insert(event.hold.reservation_id),
            Event::Sale(_)
            | Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_) => true,
        };
        if !is_new {
            return Err(BenchError::Books(format!("position {}: a second time", recorded.head.position)));
        }
    }
    log.close().await;
    if paid != refunded || refunded.len() as u64 != SEATS {
        return Err(BenchError::Books(format!("{} paid, {} refunded", paid.len(), refunded.len())));
    }
    Ok(())
}
