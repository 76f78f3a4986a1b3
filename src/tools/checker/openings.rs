//! The books of openings: the commitment, the entrants, and the order that follows.

use domain::draw::{self, Shuffle};
use domain::{
    BeaconReceived, EntryClosed, Event, Hash, Head, OpeningEvent, OpeningMoved, OpeningScheduled, QueueDrawn, SaleTime,
    Timestamp,
};

use super::{Findings, Proof};

/// The least time from an announcement to the opening, in seconds.
const NOTICE_SECONDS: i64 = domain::limits::MIN_OPENING_NOTICE_SECONDS;

/// An opening that is not drawn yet.
#[derive(Debug, Clone)]
struct Announced {
    prequeue_from: Timestamp,
    opens_at: Timestamp,
    commitment: Hash,
    beacon_source: Option<String>,
    beacon_at: Option<Timestamp>,
    beacon: Option<Hash>,
    closed: Option<Close>,
}

/// A close of entry.
#[derive(Debug, Clone, Copy)]
pub struct Close {
    /// The first place of the draw.
    pub first: u64,
    /// The first place after the draw.
    pub end: u64,
    /// The opening time, in sale time.
    pub opened_at: SaleTime,
    hash: Hash,
}

/// The places that a draw gives.
#[derive(Debug)]
pub struct Drawn {
    /// The close of entry, with the entrants.
    pub close: Close,
    order: Shuffle,
}

impl Drawn {
    /// The entrant at a number, if it takes part.
    pub fn entrant(&self, number: u64) -> Option<u64> {
        (self.close.first..self.close.end).contains(&number).then(|| number - self.close.first)
    }

    /// The place that the draw gives to a number.
    pub fn place(&self, number: u64) -> u64 {
        let Close { first, end, .. } = self.close;
        if (first..end).contains(&number) { first + self.order.place(number - first) } else { number }
    }
}

#[derive(Debug, Default)]
pub struct OpeningsCheck {
    announced: Option<Announced>,
    last_close: Option<Close>,
}

impl OpeningsCheck {
    /// True if nobody may be admitted.
    pub fn is_prequeue(&self, now: Timestamp) -> bool {
        self.announced.as_ref().is_some_and(|opening| now >= opening.prequeue_from)
    }

    /// The time of the announced opening.
    pub fn opens_at(&self) -> Option<Timestamp> {
        self.announced.as_ref().map(|opening| opening.opens_at)
    }

    /// True if waiting tokens are entrants without a place.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.is_prequeue(now) && self.announced.as_ref().is_some_and(|opening| opening.closed.is_none())
    }

    /// The last close.
    pub fn last_close(&self) -> Option<&Close> {
        self.last_close.as_ref()
    }

    /// Checks an event against the books. `given` places were given, and those up to `served` were admitted.
    pub(super) fn check(&self, event: &Event, now: Timestamp, given: u64, served: u64, findings: &mut Findings) {
        let mut fair = |is_so: bool, reason: &str| findings.holds(Proof::DrawsAreFair, is_so, || reason.to_owned());
        let due = self.announced.as_ref().filter(|opening| opening.closed.is_none() && now >= opening.opens_at);
        match event {
            Event::Opening(OpeningEvent::EntryClosed(EntryClosed { first, entrants, .. })) => {
                fair(due.is_some(), "entry was closed before the opening time, or twice");
                let counts = (*first, *entrants) == (served + 1, given - served.min(given));
                fair(counts, "the entrants at the close are not those who had joined");
            }
            Event::Opening(event) => {
                fair(due.is_none(), "the opening time had come, and entry was not closed first");
                self.check_opening(event, now, &mut fair);
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Users(_)
            | Event::Points(_)
            | Event::Catalogue(_)
            | Event::Sale(_) => {
                fair(due.is_none(), "the opening time had come, and entry was not closed first");
            }
        }
    }

    fn check_opening(&self, event: &OpeningEvent, now: Timestamp, fair: &mut impl FnMut(bool, &str)) {
        let announced = self.announced.as_ref();
        match event {
            OpeningEvent::OpeningScheduled(OpeningScheduled { prequeue_from, opens_at, beacon_at, .. }) => {
                fair(announced.is_none(), "an opening was announced while there was another");
                fair(now <= *prequeue_from, "the commitment came after the pre-queue had begun");
                let in_order = prequeue_from < opens_at && *opens_at >= now.plus_seconds(NOTICE_SECONDS);
                fair(in_order, "the opening was announced too late, or its times are not in order");
                fair(beacon_at.is_none_or(|at| at > *opens_at), "the beacon appears before the opening time");
            }
            OpeningEvent::OpeningMoved(OpeningMoved { opens_at, beacon_source, beacon_at, .. }) => {
                let later = announced.is_some_and(|opening| opening.closed.is_none() && *opens_at > opening.opens_at);
                fair(later, "an opening was moved after its close, or to an earlier time");
                let is_new = announced.is_some_and(|opening| match (&opening.beacon_source, beacon_source) {
                    (None, None) => true,
                    (Some(old), Some(new)) => old != new && beacon_at.is_some_and(|at| at > *opens_at),
                    (None, Some(_)) | (Some(_), None) => false,
                });
                fair(is_new, "an opening was moved, and its new beacon does not fit");
            }
            OpeningEvent::OpeningWithdrawn(_) => {
                let in_time = announced.is_some_and(|opening| now < opening.prequeue_from);
                fair(in_time, "an opening was withdrawn after its pre-queue had begun");
            }
            OpeningEvent::EntryClosed(_) => {}
            OpeningEvent::BeaconReceived(_) => {
                let waits = announced.and_then(|opening| opening.beacon_at.filter(|_| opening.beacon.is_none()));
                fair(waits.is_some_and(|at| now >= at), "the beacon came before it was due, or no draw waited for it");
            }
            OpeningEvent::QueueDrawn(QueueDrawn { seed, .. }) => {
                let closed = announced.and_then(|opening| opening.closed.as_ref().map(|close| (opening, close)));
                fair(closed.is_some(), "a draw was made before entry was closed");
                let fits = announced.is_some_and(|opening| draw::commitment(seed) == opening.commitment);
                fair(fits, "the seed does not fit the commitment");
                let may_be_drawn = closed.is_some_and(|(opening, close)| {
                    close.first == close.end || opening.beacon_at.is_none() || opening.beacon.is_some()
                });
                fair(may_be_drawn, "a draw was made without its beacon");
            }
        }
    }

    /// Enters an event. Returns the places of a draw.
    pub fn fold(&mut self, event: &OpeningEvent, head: Head, opened_at: Option<SaleTime>) -> Option<Drawn> {
        match event {
            OpeningEvent::OpeningScheduled(scheduled) => {
                self.announced = Some(Announced {
                    prequeue_from: scheduled.prequeue_from,
                    opens_at: scheduled.opens_at,
                    commitment: scheduled.commitment,
                    beacon_source: scheduled.beacon_source.clone(),
                    beacon_at: scheduled.beacon_at,
                    beacon: None,
                    closed: None,
                });
            }
            OpeningEvent::OpeningMoved(OpeningMoved { opens_at, beacon_source, beacon_at, .. }) => {
                if let Some(opening) = &mut self.announced {
                    (opening.opens_at, opening.beacon_at) = (*opens_at, *beacon_at);
                    opening.beacon_source.clone_from(beacon_source);
                }
            }
            OpeningEvent::OpeningWithdrawn(_) => self.announced = None,
            OpeningEvent::EntryClosed(EntryClosed { first, entrants, .. }) => {
                if let Some(opening) = &mut self.announced {
                    let (opened_at, hash) = (opened_at.unwrap_or_default(), head.hash);
                    opening.closed =
                        Some(Close { first: *first, end: first.saturating_add(*entrants), opened_at, hash });
                    self.last_close = opening.closed;
                }
            }
            OpeningEvent::BeaconReceived(BeaconReceived { value, .. }) => {
                if let Some(opening) = &mut self.announced {
                    opening.beacon = Some(*value);
                }
            }
            OpeningEvent::QueueDrawn(QueueDrawn { seed, .. }) => {
                let opening = self.announced.take()?;
                let close = opening.closed?;
                let entrants = close.end - close.first;
                let key = draw::key(seed, opening.beacon.as_ref(), &close.hash, entrants);
                return Some(Drawn { close, order: Shuffle::new(key, entrants.min(draw::MAX_ENTRANTS)) });
            }
        }
        None
    }
}
