//! Makers of events about an opening.

use super::{DRAW_SEED, OPENS, PREQUEUE, REASON, T0};
use crate::draw;
use crate::event::{
    BeaconReceived, EntryClosed, Event, OpeningEvent, OpeningMoved, OpeningScheduled, OpeningWithdrawn, QueueDrawn,
};
use crate::state::room::Beacon;
use crate::values::{Hash, Nonce, RoomId};

const ROOM: RoomId = RoomId::FIRST;

/// The beacon of the cast.
pub fn beacon() -> Beacon {
    Beacon { source: "drand round 1".into(), at: T0.plus_seconds(OPENS + 30) }
}

/// The opening is announced: a pre-queue from [`PREQUEUE`] seconds on until [`OPENS`].
pub fn opening(beacon: Option<Beacon>) -> Event {
    Event::from(OpeningScheduled {
        room_id: ROOM,
        prequeue_from: T0.plus_seconds(PREQUEUE),
        opens_at: T0.plus_seconds(OPENS),
        nonce: Nonce::new([7; 16]),
        commitment: draw::commitment(&DRAW_SEED),
        beacon_source: beacon.as_ref().map(|beacon| beacon.source.to_string()),
        beacon_at: beacon.map(|beacon| beacon.at),
        reason: REASON.to_owned(),
        scheduled_at: T0,
    })
}

impl Event {
    /// This opening, announced `at` seconds and otherwise so many seconds after that.
    pub fn opening_in(mut self, prequeue: i64, opens: i64, at: i64) -> Self {
        if let Self::Opening(OpeningEvent::OpeningScheduled(scheduled)) = &mut self {
            scheduled.prequeue_from = T0.plus_seconds(at + prequeue);
            scheduled.opens_at = T0.plus_seconds(at + opens);
            scheduled.scheduled_at = T0.plus_seconds(at);
        }
        self
    }
}

/// The opening is at `opens` seconds now.
pub fn opening_moved(opens: i64, beacon: Option<Beacon>) -> Event {
    Event::from(OpeningMoved {
        room_id: ROOM,
        opens_at: T0.plus_seconds(opens),
        beacon_source: beacon.as_ref().map(|beacon| beacon.source.to_string()),
        beacon_at: beacon.map(|beacon| beacon.at),
        reason: REASON.to_owned(),
        moved_at: T0,
    })
}

/// The opening is taken back.
pub fn opening_withdrawn() -> Event {
    Event::from(OpeningWithdrawn { room_id: ROOM, reason: REASON.to_owned(), withdrawn_at: T0 })
}

/// Entry is closed.
pub fn entry_closed(first: u64, entrants: u64) -> Event {
    Event::from(EntryClosed { room_id: ROOM, first, entrants, closed_at: T0 })
}

/// The beacon's value is known.
pub fn beacon_received(value: Hash) -> Event {
    Event::from(BeaconReceived { room_id: ROOM, value, reason: REASON.to_owned(), received_at: T0 })
}

/// The entrants are drawn.
pub fn queue_drawn() -> Event {
    Event::from(QueueDrawn { room_id: ROOM, seed: DRAW_SEED, drawn_at: T0 })
}
