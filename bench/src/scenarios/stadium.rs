//! Holds in schedules of 50,000 seats while their lists are read, against the same in schedules of 50.

use std::time::Duration;

use crate::http::alternation::Side;
use crate::http::load::{Client, open};
use crate::http::scripts::{Holds, Lists, Seats};
use crate::sale::Plan;
use crate::sample::Sample;
use crate::scenarios::Sale;
use crate::table::{Bound, Row};
use crate::{BenchError, Options};

const NAME: &str = "stadium";
/// Seats of a stadium, of which there are so many, and people enough to fill it at four seats each.
const STADIUM_SEATS: u64 = 50_000;
const STADIUMS: u64 = 6;
const PEOPLE: u64 = STADIUM_SEATS / 4;
/// Seats of a hall, of which there are as many as have the stadiums' seats.
const HALL_SEATS: u64 = 50;
const HALLS: u64 = STADIUMS * STADIUM_SEATS / HALL_SEATS;
/// Clients who hold, and those who read.
const CLIENTS: usize = 256;
const READERS: usize = 4;
/// Lists of the schedule that is sold, read in a second: its 4 MB are 40 MB/s.
const READS_A_SECOND: f64 = 10.0;
const STADIUM_OF_HALL: f64 = 0.8;
/// How often each side gets its turn.
const TURNS: u32 = 4;

/// Runs the scenario.
pub async fn run(options: &Options) -> Result<Vec<Row>, BenchError> {
    let plan = |schedules, seats| Plan { people: PEOPLE, schedules, seats, ..Plan::default() };
    let stadiums = Sale::open(options, plan(STADIUMS, STADIUM_SEATS)).await?;
    let halls = Sale::open(options, plan(HALLS, HALL_SEATS)).await?;
    let mut stadium = Sold::of(&stadiums, STADIUMS, STADIUM_SEATS).await?;
    let mut hall = Sold::of(&halls, HALLS, HALL_SEATS).await?;
    let mut both = [(Sample::default(), Sample::default()), (Sample::default(), Sample::default())];
    for _ in 0..TURNS {
        for (side, sums) in [&mut stadium, &mut hall].into_iter().zip(&mut both) {
            let (held, read) = side.turn(options.round() / TURNS).await?;
            sums.0.add(&held);
            sums.1.add(&read);
        }
    }
    let [(held, read), (held_in_halls, read_in_halls)] = both;
    let what = "hold in schedules of 50,000 seats, lists being read; against schedules of 50";
    let holds = Row::of(NAME, what, CLIENTS, &held).against(&held_in_halls).must(Bound::RatioAtLeast(STADIUM_OF_HALL));
    let reads =
        Row::of(NAME, "lists of 50,000 seats meanwhile; against lists of 50", READERS, &read).against(&read_in_halls);
    Ok(vec![holds, reads])
}

/// One sale, with who holds and who reads.
struct Sold<'a> {
    holders: Side<'a>,
    readers: Vec<Client>,
}

impl<'a> Sold<'a> {
    async fn of(sale: &'a Sale, schedules: u64, seats: u64) -> Result<Self, BenchError> {
        let seats = Seats::of(1..schedules + 1, seats, sale.guests.clone());
        let holders = Side::of(&sale.server, CLIENTS, |_| Holds::of(&seats)).await?;
        let (address, reader) = (sale.server.address, sale.guests[0]);
        let readers = Client::all(address, (0..READERS).map(|_| Lists::of(&seats, reader))).await?;
        Ok(Self { holders, readers })
    }

    async fn turn(&mut self, lasting: Duration) -> Result<(Sample, Sample), BenchError> {
        let reading = open(&mut self.readers, READS_A_SECOND, lasting);
        let (held, read) = tokio::join!(self.holders.turn(lasting), reading);
        Ok((held?, read?))
    }
}
