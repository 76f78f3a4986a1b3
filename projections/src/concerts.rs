//! Concerts, and the dates of each with the number of free seats.

use std::sync::Arc;

use domain::{
    CatalogImported, CatalogueEvent, ConcertId, ConcertPublished, Event, Head, HoldCancelled, HoldExpired,
    RecordedEvent, ReservationRefunded, SaleEvent, ScheduleId, SchedulePublished, SeatsHeld, State, Timestamp,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::representation::{Page, Representation, json};
use crate::seat_zone::ZoneShown;
use crate::time::{serialize_rfc3339, serialize_rfc3339_if_any};

/// The version of a concert's shape and of the list's, in their ETags.
const CONCERT_VERSION: u32 = 2;
/// The version of a date's shape, in the ETags of lists of dates.
const DATES_VERSION: u32 = 4;

/// A concert.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed {
    concert_id: ConcertId,
    concert_name: Arc<str>,
    artist: Arc<str>,
    venue: Arc<str>,
    /// The first local date of a published schedule. Dates are ISO 8601, so their order is that of their text.
    start_date: Option<Arc<str>>,
    /// The last local date of a published schedule.
    end_date: Option<Arc<str>>,
}

/// A concert as clients read it: without dates it has no first and no last date. (A snapshot has no names of members,
/// so it must have all of them.)
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedShown<'a> {
    concert_id: ConcertId,
    concert_name: &'a str,
    artist: &'a str,
    venue: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<&'a str>,
}

impl Listed {
    fn shown(&self) -> ListedShown<'_> {
        ListedShown {
            concert_id: self.concert_id,
            concert_name: &self.concert_name,
            artist: &self.artist,
            venue: &self.venue,
            start_date: self.start_date.as_deref(),
            end_date: self.end_date.as_deref(),
        }
    }
}

/// A published schedule as clients read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Date {
    concert_schedule_id: ScheduleId,
    concert_id: ConcertId,
    concert_date: Arc<str>,
    concert_time: Arc<str>,
    time_zone: Arc<str>,
    #[serde(serialize_with = "serialize_rfc3339")]
    starts_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    sale_opens_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    sale_closes_at: Timestamp,
    seats_total: u64,
    seats_per_user: u8,
    /// The time of the call-off. Null if the show was not called off.
    #[serde(serialize_with = "serialize_rfc3339_if_any")]
    cancelled_at: Option<Timestamp>,
}

impl Date {
    fn published(published: &SchedulePublished) -> Self {
        Self {
            concert_schedule_id: published.schedule_id,
            concert_id: published.concert_id,
            concert_date: published.local_date.as_str().into(),
            concert_time: published.local_time.as_str().into(),
            time_zone: published.time_zone.as_str().into(),
            starts_at: published.starts_at,
            sale_opens_at: published.sale_opens_at,
            sale_closes_at: published.sale_closes_at,
            seats_total: published.seats_total,
            seats_per_user: published.seats_per_user,
            cancelled_at: None,
        }
    }
}

/// A date with what the state counts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DateShown<'a> {
    #[serde(flatten)]
    date: &'a Date,
    seats_available: u64,
    zones: Option<Vec<ZoneShown<'a>>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Concert {
    listed: Listed,
    /// The visible schedules.
    dates: OrdMap<ScheduleId, Date>,
    listed_page: Page,
    dates_page: Page,
}

/// Every concert, by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Concerts {
    concerts: OrdMap<ConcertId, Arc<Concert>>,
    list_page: Page,
    /// Dates that are not visible yet, by the import with whose end they become visible.
    hidden: OrdMap<Uuid, Vec<Date>>,
}

impl Concerts {
    /// Every concert, by id.
    pub fn list(&self) -> Representation {
        self.list_page.read(CONCERT_VERSION, || {
            json(&self.concerts.values().map(|concert| concert.listed.shown()).collect::<Vec<_>>())
        })
    }

    /// One concert.
    pub fn concert(&self, concert_id: ConcertId) -> Option<Representation> {
        let concert = self.concerts.get(&concert_id)?;
        Some(concert.listed_page.read(CONCERT_VERSION, || json(&concert.listed.shown())))
    }

    /// A concert's published schedules, by id; `state` is of the same position.
    pub fn dates(&self, concert_id: ConcertId, state: &State) -> Option<Representation> {
        let concert = self.concerts.get(&concert_id)?;
        Some(concert.dates_page.read(DATES_VERSION, || {
            let shown = concert.dates.iter().map(|(schedule_id, date)| DateShown {
                date,
                seats_available: state.seats_available(*schedule_id),
                zones: zones(state, *schedule_id),
            });
            json(&shown.collect::<Vec<_>>())
        }))
    }

    /// Folds an event, after it was folded into `state`, which counts the seats.
    pub(crate) fn apply(&mut self, recorded: &RecordedEvent, state: &State) {
        let head = recorded.head;
        match &recorded.event {
            Event::Catalogue(CatalogueEvent::ConcertPublished(published)) => self.publish_concert(published, head),
            Event::Catalogue(CatalogueEvent::SchedulePublished(published)) => {
                let date = Date::published(published);
                match published.import_id {
                    Some(import_id) => self.hidden.entry(import_id).or_default().push(date),
                    None => self.publish_date(date, head),
                }
            }
            Event::Catalogue(CatalogueEvent::CatalogImported(CatalogImported { import_id, .. })) => {
                let shown = import_id.and_then(|import_id| self.hidden.remove(&import_id)).unwrap_or_default();
                shown.into_iter().for_each(|date| self.publish_date(date, head));
            }
            Event::Catalogue(CatalogueEvent::SaleWindowChanged(changed)) => {
                self.change_date(changed.concert_id, changed.schedule_id, head, |date| {
                    (date.sale_opens_at, date.sale_closes_at) = (changed.sale_opens_at, changed.sale_closes_at);
                });
            }
            Event::Catalogue(CatalogueEvent::ScheduleMoved(moved)) => {
                self.change_date(moved.concert_id, moved.schedule_id, head, |date| {
                    date.starts_at = moved.starts_at;
                    date.concert_date = moved.local_date.as_str().into();
                    date.concert_time = moved.local_time.as_str().into();
                });
            }
            Event::Catalogue(CatalogueEvent::ScheduleCancelled(cancelled)) => {
                self.change_date(cancelled.concert_id, cancelled.schedule_id, head, |date| {
                    date.cancelled_at = Some(cancelled.cancelled_at);
                });
            }
            Event::Catalogue(CatalogueEvent::PriceChanged(changed)) => {
                // Only the zones change, and they are read from the state.
                self.change_date(changed.concert_id, changed.schedule_id, head, |_| {});
            }
            Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }))
            | Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. }))
            | Event::Sale(SaleEvent::HoldCancelled(HoldCancelled { hold, .. }))
            | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, .. })) => {
                // Of a show that is off, no seat can be had, whatever is given back.
                if !state.catalogue.is_called_off(hold.schedule_id)
                    && let Some(concert) = self.concerts.get_mut(&hold.concert_id)
                {
                    Arc::make_mut(concert).dates_page = Page::at(head);
                }
            }
            Event::Catalogue(CatalogueEvent::SeatsAdded(_))
            | Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Sale(SaleEvent::HoldExtended(_) | SaleEvent::ReservationPaid(_)) => {}
        }
    }

    fn publish_concert(&mut self, published: &ConcertPublished, head: Head) {
        let ConcertPublished { concert_id, name, artist, venue } = published;
        let [concert_name, artist, venue] = [name, artist, venue].map(|text| Arc::from(text.as_str()));
        let concert_id = *concert_id;
        let listed = Listed { concert_id, concert_name, artist, venue, start_date: None, end_date: None };
        let concert = Concert { listed, dates: OrdMap::new(), listed_page: Page::at(head), dates_page: Page::at(head) };
        self.concerts.insert(concert_id, Arc::new(concert));
        self.list_page = Page::at(head);
    }

    fn publish_date(&mut self, date: Date, head: Head) {
        let Some(concert) = self.concerts.get_mut(&date.concert_id).map(Arc::make_mut) else { return };
        concert.dates.insert(date.concert_schedule_id, date);
        concert.dates_page = Page::at(head);
        let start_date = concert.dates.values().map(|date| &date.concert_date).min().cloned();
        let end_date = concert.dates.values().map(|date| &date.concert_date).max().cloned();
        if start_date != concert.listed.start_date || end_date != concert.listed.end_date {
            concert.listed.start_date = start_date;
            concert.listed.end_date = end_date;
            concert.listed_page = Page::at(head);
            self.list_page = Page::at(head);
        }
    }

    /// Changes a date with `change`, and its pages.
    fn change_date(
        &mut self,
        concert_id: ConcertId,
        schedule_id: ScheduleId,
        head: Head,
        change: impl FnOnce(&mut Date),
    ) {
        let shown = self.concerts.get(&concert_id).and_then(|concert| concert.dates.get(&schedule_id)).cloned();
        if let Some(mut date) = shown {
            change(&mut date);
            self.publish_date(date, head);
        }
    }
}

fn zones(state: &State, schedule_id: ScheduleId) -> Option<Vec<ZoneShown<'_>>> {
    let is_called_off = state.catalogue.is_called_off(schedule_id);
    Some(state.seating.house(schedule_id)?.zones().map(|zone| ZoneShown::of(&zone, is_called_off)).collect())
}

#[cfg(test)]
mod tests;
