//! The waiting room, for queries: tokens, the length of the line, and its speed.

use domain::limits::ACTIVE_SECONDS;
use domain::{Deadline, Event, Pause, RecordedEvent, Room, RoomEvent, RoomId, SaleTime, Timestamp, Token, TokenStatus};
use serde::{Deserialize, Serialize};

use crate::admissions::{Admissions, WINDOW_SECONDS};
use crate::opening::{DrawShown, OpeningShown};
use crate::representation::{Page, Representation, json};
use crate::time::rfc3339;

/// The version of the queue's shape, in its ETag.
const QUEUE_VERSION: u32 = 2;
/// The number of phases: see [`RoomView::phase`].
const PHASES: usize = 4;

/// What is shown of the room besides its state: the speed of its line, and ready answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RoomPages {
    admissions: Admissions,
    /// One page for each phase, which begins or ends by the clock and not by an event: see [`RoomView::phase`].
    queue: [Page; PHASES],
}

/// The room as of one position, for queries.
#[derive(Clone, Copy)]
pub struct RoomView<'a> {
    room: &'a Room,
    pages: &'a RoomPages,
}

/// The room as clients read it. A client compares `servingNumber` with its own number.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue<'a> {
    room_id: RoomId,
    state: &'static str,
    opens_at: Option<String>,
    /// The reason of the pause, and below it the time when the pause ends automatically. Both are null without a pause.
    pause_reason: Option<&'a str>,
    resumes_at: Option<String>,
    #[serde(flatten)]
    figures: Figures,
    /// The number of entrants, in a pre-queue.
    entrants: Option<u64>,
    opening: Option<OpeningShown<'a>>,
    draw: Option<DrawShown<'a>>,
}

/// The numbers that change often.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    serving_number: u64,
    waiting: usize,
    active: u64,
    capacity: u64,
}

impl Figures {
    pub(crate) fn of(room: &Room) -> Self {
        Self {
            serving_number: room.serving_number(),
            waiting: room.waiting(),
            active: room.active(),
            capacity: room.capacity(),
        }
    }
}

impl RoomPages {
    /// Takes note of a record, after it was folded into `room`. `before` are the figures before it.
    pub(crate) fn apply(&mut self, recorded: &RecordedEvent, before: &Figures, room: &Room) {
        if admits(&recorded.event) {
            self.admissions.count(recorded.recorded_at);
        }
        if Figures::of(room) != *before || changes_state(&recorded.event) {
            self.queue = std::array::from_fn(|_| Page::at(recorded.head));
        }
    }
}

impl<'a> RoomView<'a> {
    pub(crate) fn of(room: &'a Room, pages: &'a RoomPages) -> Self {
        Self { room, pages }
    }

    /// The room at `now`. Each phase has its own ETag.
    pub fn queue(&self, now: Timestamp) -> Representation {
        let phase = self.phase(now);
        let version = QUEUE_VERSION * 10 + u32::try_from(phase).expect("there are few phases");
        self.pages.queue[phase].read(version, || json(&self.shown(now)))
    }

    /// The phase at `now`. The clock decides it: has a pre-queue begun, and is a pause over that has no event of its
    /// end?
    fn phase(&self, now: Timestamp) -> usize {
        let is_prequeue = self.room.openings().is_prequeue(now);
        let is_over = self.room.sale_clock().overdue(now).is_some();
        usize::from(is_prequeue) + 2 * usize::from(is_over)
    }

    /// Estimates how many seconds a waiting token will still wait, from the admissions in the last minute before `now`.
    /// The result is at most the time until enough tokens inside must leave, at least the time that the pace needs, and
    /// at most the time that the token lives. It is 0 if the token does not wait any more; `token` may be older.
    pub fn estimated_wait_seconds(&self, token: &Token, now: Timestamp) -> u64 {
        let waiting = self.room.token(token.token_id).filter(|token| token.status == TokenStatus::Waiting);
        let deadline = waiting.map(|token| self.room.deadline(token, now));
        let Some(Deadline::Sale(deadline)) = deadline else { return 0 };
        let (ahead, now_in_sale) = (self.room.place(token, now).ahead.unwrap_or(0), self.room.sale_time(now));
        let place = ahead + 1;
        let as_of_late = match self.pages.admissions.last_minute(now) {
            0 => None,
            admitted => Some((place * WINDOW_SECONDS.unsigned_abs()).div_ceil(admitted)),
        };
        let at_most = self.slots_free_in(place, now_in_sale);
        let expected = as_of_late.into_iter().chain(at_most).min().unwrap_or(u64::MAX);
        let at_least = self.room.admissions_per_second().map_or(1, |pace| place.div_ceil(u64::from(pace.max(1))));
        expected.max(at_least).min(now_in_sale.seconds_until(deadline))
    }

    /// In how many seconds of sale time `many` slots will have become free at the latest. `None` if the room has no
    /// slots.
    fn slots_free_in(&self, many: u64, now: SaleTime) -> Option<u64> {
        let (active, capacity) = (self.room.active(), self.room.capacity());
        let must_leave = (many + active).saturating_sub(capacity);
        if must_leave == 0 {
            return Some(0);
        }
        if let Some(left_by) = self.room.agenda().left_by(must_leave) {
            return Some(now.seconds_until(left_by));
        }
        // The tokens after them stay as long, as many at a time as there are slots.
        let rounds = must_leave.saturating_sub(active).checked_div(capacity)? + 1;
        let all_left = self.room.agenda().all_left().map_or(0, |left| now.seconds_until(left));
        Some(all_left + rounds * ACTIVE_SECONDS.unsigned_abs())
    }

    /// The state: `OPEN`, `PREQUEUE` or `PAUSED`. A pause during a pre-queue is `PREQUEUE`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        if self.room.openings().is_prequeue(now) {
            "PREQUEUE"
        } else if self.pause(now).is_some() {
            "PAUSED"
        } else {
            "OPEN"
        }
    }

    /// The pause that holds at `now`.
    pub fn pause(&self, now: Timestamp) -> Option<&'a Pause> {
        self.room.sale_clock().pause(now)
    }

    fn shown(&self, now: Timestamp) -> Queue<'a> {
        let (announced, pause) = (self.room.openings().announced(), self.pause(now));
        Queue {
            room_id: RoomId::FIRST,
            state: self.state(now),
            opens_at: announced.map(|opening| rfc3339(opening.opens_at)),
            pause_reason: pause.map(|pause| &*pause.reason),
            resumes_at: pause.and_then(|pause| pause.resumes_at).map(rfc3339),
            figures: Figures::of(self.room),
            entrants: self.entrants(now),
            opening: announced.map(OpeningShown::of),
            draw: self.draw(),
        }
    }

    /// The number of entrants, in a pre-queue.
    pub fn entrants(&self, now: Timestamp) -> Option<u64> {
        self.room.openings().is_prequeue(now).then(|| self.room.entrants())
    }

    /// The draw of a closed list that is still to come, else the last draw.
    pub fn draw(&self) -> Option<DrawShown<'a>> {
        let openings = self.room.openings();
        let pending = openings.announced().and_then(|opening| DrawShown::of(opening, None));
        pending.or_else(|| openings.last_draw().and_then(|draw| DrawShown::of(&draw.opening, Some(draw))))
    }
}

/// True if the event changes an opening, a draw or a pause.
fn changes_state(event: &Event) -> bool {
    match event {
        Event::Opening(_) => true,
        Event::Room(event) => event.pause_change().is_some(),
        Event::Log(_) | Event::Users(_) | Event::Points(_) | Event::Catalogue(_) | Event::Sale(_) => false,
    }
}

/// True if a token was admitted. A granted token does not count, since it does not change the line.
fn admits(event: &Event) -> bool {
    match event {
        Event::Room(RoomEvent::TokenIssued(issued)) => issued.admitted,
        Event::Room(RoomEvent::TokenAdmitted(_)) => true,
        Event::Room(
            RoomEvent::RoomConfigured(_)
            | RoomEvent::TokenArrived(_)
            | RoomEvent::TokenExpired(_)
            | RoomEvent::RoomLeft(_)
            | RoomEvent::TokenGranted(_)
            | RoomEvent::SalePaused(_)
            | RoomEvent::SaleResumed(_),
        )
        | Event::Log(_)
        | Event::Opening(_)
        | Event::Users(_)
        | Event::Points(_)
        | Event::Catalogue(_)
        | Event::Sale(_) => false,
    }
}

#[cfg(test)]
mod tests;
