//! Concerts, their schedules, and every seat of a schedule.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::numbered::{Number, Numbered};
use crate::event::{CatalogueEvent, ConcertPublished, Seat, SeatsAdded};
use crate::rejection::Rejection;
use crate::values::{ConcertId, ScheduleId, Timestamp};

/// A concert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concert {
    /// Its name.
    pub name: String,
    /// Who plays.
    pub artist: String,
    /// Where.
    pub venue: String,
}

/// One performance, with its seats; it is visible once its times are published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedule {
    /// Whose performance it is.
    pub concert_id: ConcertId,
    /// Every seat.
    pub seats: Numbered<Seat>,
    /// `None` until it is published.
    pub times: Option<ScheduleTimes>,
}

impl Number for Seat {
    fn number(&self) -> u64 {
        self.seat_id.get()
    }
}

/// When a schedule is sold and played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTimes {
    /// The performance's start: until then a sale can be taken back.
    pub starts_at: Timestamp,
    /// The venue's time zone (IANA).
    pub time_zone: String,
    /// The first instant of the sale.
    pub sale_opens_at: Timestamp,
    /// The first instant after the sale.
    pub sale_closes_at: Timestamp,
}

/// All that can be sold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalogue {
    concerts: OrdMap<ConcertId, Concert>,
    schedules: OrdMap<ScheduleId, Schedule>,
}

impl Catalogue {
    /// Every concert, by id.
    pub fn concerts(&self) -> &OrdMap<ConcertId, Concert> {
        &self.concerts
    }

    /// Every schedule by id, the unpublished ones too.
    pub fn schedules(&self) -> &OrdMap<ScheduleId, Schedule> {
        &self.schedules
    }

    /// A published schedule of a concert, with its times.
    ///
    /// # Errors
    /// There is no such concert, or it has no such schedule that is published.
    pub fn on_stage(
        &self,
        concert_id: ConcertId,
        schedule_id: ScheduleId,
    ) -> Result<(&Schedule, &ScheduleTimes), Rejection> {
        if !self.concerts.contains_key(&concert_id) {
            return Err(Rejection::ConcertNotFound { concert_id });
        }
        self.schedules
            .get(&schedule_id)
            .filter(|schedule| schedule.concert_id == concert_id)
            .and_then(|schedule| Some((schedule, schedule.times.as_ref()?)))
            .ok_or(Rejection::ScheduleNotFound { schedule_id })
    }

    /// When a published schedule starts.
    pub fn starts_at(&self, schedule_id: ScheduleId) -> Option<Timestamp> {
        self.schedules.get(&schedule_id)?.times.as_ref().map(|times| times.starts_at)
    }

    pub(super) fn fold(&mut self, event: &CatalogueEvent) {
        match event {
            CatalogueEvent::ConcertPublished(ConcertPublished { concert_id, name, artist, venue }) => {
                let concert = Concert { name: name.clone(), artist: artist.clone(), venue: venue.clone() };
                self.concerts.insert(*concert_id, concert);
            }
            CatalogueEvent::SeatsAdded(SeatsAdded { concert_id, schedule_id, seats }) => {
                let schedule = self.schedules.entry(*schedule_id).or_insert_with(|| Schedule {
                    concert_id: *concert_id,
                    seats: Numbered::default(),
                    times: None,
                });
                seats.iter().for_each(|seat| schedule.seats.insert(seat.clone()));
            }
            CatalogueEvent::SchedulePublished(published) => {
                if let Some(schedule) = self.schedules.get_mut(&published.schedule_id) {
                    schedule.times = Some(ScheduleTimes {
                        starts_at: published.starts_at,
                        time_zone: published.time_zone.clone(),
                        sale_opens_at: published.sale_opens_at,
                        sale_closes_at: published.sale_closes_at,
                    });
                }
            }
        }
    }
}
