//! Folds events into sales by concert and schedule: seats held, sold and refunded, and takings.

use std::collections::BTreeMap;

use domain::{
    CatalogImported, CatalogueEvent, ConcertId, ConcertPublished, Event, Hold, HoldCancelled, HoldExpired,
    ReservationPaid, ReservationRefunded, SaleEvent, ScheduleId, SchedulePublished, SeatsHeld,
};
use serde::Serialize;
use uuid::Uuid;

use super::output::{Table, count};

/// Every published schedule's sales.
#[derive(Debug, Default)]
pub struct Sales {
    concerts: BTreeMap<ConcertId, String>,
    schedules: BTreeMap<(ConcertId, ScheduleId), Sold>,
    /// Schedules that are not visible yet, by their import.
    hidden: BTreeMap<Uuid, Vec<(ConcertId, ScheduleId, Sold)>>,
}

#[derive(Debug, Clone, Default)]
struct Sold {
    seats_total: u64,
    held: u64,
    sold: u64,
    refunded: u64,
    takings: u64,
}

/// One schedule's sales, with the members of `GET /api/operations/sales`. Seats are numbers of seats; `takings` are
/// points, net of refunds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    concert_id: ConcertId,
    concert_name: &'a str,
    schedule_id: ScheduleId,
    seats_total: u64,
    held: u64,
    sold: u64,
    refunded: u64,
    takings: u64,
}

impl Sales {
    /// Folds the next event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Catalogue(CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, name, .. })) => {
                self.concerts.insert(*concert_id, name.clone());
            }
            Event::Catalogue(CatalogueEvent::SchedulePublished(SchedulePublished {
                concert_id,
                schedule_id,
                seats_total,
                import_id,
                ..
            })) => {
                let sold = Sold { seats_total: *seats_total, ..Sold::default() };
                match import_id {
                    Some(import_id) => {
                        self.hidden.entry(*import_id).or_default().push((*concert_id, *schedule_id, sold));
                    }
                    None => drop(self.schedules.insert((*concert_id, *schedule_id), sold)),
                }
            }
            Event::Catalogue(CatalogueEvent::CatalogImported(CatalogImported { import_id, .. })) => {
                let shown = import_id.and_then(|import_id| self.hidden.remove(&import_id)).unwrap_or_default();
                self.schedules.extend(shown.into_iter().map(|(concert, schedule, sold)| ((concert, schedule), sold)));
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) => self.of(hold).held += seats(hold),
            Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. })) => {
                let sold = self.of(hold);
                sold.held = sold.held.saturating_sub(seats(hold));
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, .. })) => {
                let sold = self.of(hold);
                sold.held = sold.held.saturating_sub(seats(hold));
                sold.sold += seats(hold);
                sold.takings += hold.total_price.get();
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                let sold = self.of(hold);
                sold.sold = sold.sold.saturating_sub(seats(hold));
                sold.refunded += seats(hold);
                sold.takings = sold.takings.saturating_sub(hold.total_price.get());
            }
            Event::Sale(SaleEvent::HoldExtended(_))
            | Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(
                CatalogueEvent::SeatsAdded(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_)
                | CatalogueEvent::PriceChanged(_)
                | CatalogueEvent::ScheduleCancelled(_),
            ) => {}
        }
    }

    fn of(&mut self, hold: &Hold) -> &mut Sold {
        self.schedules.entry((hold.concert_id, hold.schedule_id)).or_default()
    }

    /// The lines, one for each schedule, by concert and schedule.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let line = |((concert_id, schedule_id), sold): (&(ConcertId, ScheduleId), &Sold)| Line {
            concert_id: *concert_id,
            concert_name: self.concerts.get(concert_id).map_or("", String::as_str),
            schedule_id: *schedule_id,
            seats_total: sold.seats_total,
            held: sold.held,
            sold: sold.sold,
            refunded: sold.refunded,
            takings: sold.takings,
        };
        self.schedules.iter().map(line).collect()
    }

    /// The sum of all takings, net of refunds.
    pub fn takings(&self) -> u64 {
        self.schedules.values().map(|sold| sold.takings).sum()
    }

    /// The text for people: all schedules of which a seat was ever held, and the sum.
    pub fn text(&self) -> String {
        let headings = ["concert", "name", "schedule", "seats", "held", "sold", "refunded", "takings"];
        let mut table = Table::new(headings, &[0, 2, 3, 4, 5, 6, 7]);
        let lines = self.lines();
        let (touched, untouched): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.held + line.sold + line.refunded > 0);
        for line in touched {
            table.row([
                line.concert_id.to_string(),
                line.concert_name.to_owned(),
                line.schedule_id.to_string(),
                count(line.seats_total),
                count(line.held),
                count(line.sold),
                count(line.refunded),
                count(line.takings),
            ]);
        }
        let takings = count(self.takings());
        format!("{table}\n{} other schedules without sales\ntakings {takings}", count(untouched.len()))
    }
}

fn seats(hold: &Hold) -> u64 {
    hold.seats.len() as u64
}
