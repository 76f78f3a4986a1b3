//! Given, when, then: the words in which decisions are specified, and a small cast that they are about.
//!
//! Time starts at [`T0`]. An event maker gives the event as it is at that time; `at_seconds` moves it.

mod choice;
mod events;
mod opening;

use uuid::Uuid;

use crate::answer::Answer;
use crate::command::{Command, Credential};
use crate::decisions::Action;
use crate::event::Event;
use crate::record::{ActorName, Head, Metadata, RecordedEvent};
use crate::rejection::Rejection;
use crate::rule::{Actor, Decided, Decision};
use crate::state::State;
#[cfg(test)]
use crate::state::room::Room;
pub use choice::slow_choice;
pub use events::*;
pub use opening::*;

use crate::values::{ConcertId, Hash, ScheduleId, Timestamp, UserId};

/// The time at which every specification starts.
pub const T0: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// A user.
pub const ANN: UserId = UserId::FIRST;
/// Another.
pub const BOB: UserId = UserId::FIRST.successor();
/// A third.
pub const EVE: UserId = BOB.successor();
/// The concert on stage.
pub const CONCERT: ConcertId = ConcertId::FIRST;
/// Its schedule.
pub const SCHEDULE: ScheduleId = ScheduleId::FIRST;
/// How many seats the schedule has: 1 to this.
pub const SEATS: u64 = 10;
/// The price of each seat.
pub const PRICE: u64 = 100;
/// The end of the schedule's sale, in seconds after [`T0`]. The sale opens at [`T0`].
pub const SALE_CLOSES: i64 = 3_600;
/// The begin of the announced opening's pre-queue, in seconds after [`T0`].
pub const PREQUEUE: i64 = 60;
/// The time of the announced opening, in seconds after [`T0`].
pub const OPENS: i64 = 120;
/// The seed of its draw.
pub const DRAW_SEED: Hash = Hash::new([5; 32]);
/// The reason of operators' changes.
pub const REASON: &str = "as planned";
/// The start of the schedule, in seconds after [`T0`].
pub const STARTS: i64 = 7_200;

/// A log that folds to a state, and the time at which something is asked.
pub struct Given {
    state: State,
    now: Timestamp,
}

/// Folds `events`, all recorded at [`T0`].
pub fn given(events: impl IntoIterator<Item = Event>) -> Given {
    Given { state: State::default(), now: T0 }.and(events)
}

/// Folds `events` over an empty room that has limits of its own.
#[cfg(test)]
pub(crate) fn given_in(room: Room, events: impl IntoIterator<Item = Event>) -> Given {
    Given { state: State { room, ..State::default() }, now: T0 }.and(events)
}

/// A concert with a schedule of ten seats on sale, and then `events`.
pub fn on_sale(events: impl IntoIterator<Item = Event>) -> Given {
    let seats = seats_added((1..=SEATS).map(seat).collect());
    given([room(100), concert(), seats, schedule_published()]).and(events)
}

impl Given {
    /// Lets time pass.
    pub fn after_seconds(mut self, seconds: i64) -> Self {
        self.now = self.now.plus_seconds(seconds);
        self
    }

    /// Folds more events, recorded at this time.
    pub fn and(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        for event in events {
            let recorded = recorded(&self.state.head, self.now, event);
            self.state.apply(&recorded);
        }
        self
    }

    /// The state that it all folds to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The time at which something is asked.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks for something.
    pub fn when(self, by: Credential, action: impl Into<Action>) -> Then {
        self.ask(by, action)
    }

    /// Asks for something, and then for something else of the same.
    pub fn ask(&self, by: Credential, action: impl Into<Action>) -> Then {
        let command = Command { by, idempotency: None, action: action.into() };
        Then(command.decide(&self.state, self.now).map(|(_, decided): (Actor, Decided)| decided))
    }
}

/// The decision.
pub struct Then(Decision);

impl Then {
    /// The decision itself.
    pub fn decided(self) -> Decision {
        self.0
    }

    /// Asserts that exactly these events happen.
    pub fn then(self, events: impl IntoIterator<Item = Event>) {
        assert_eq!(self.0, Ok(Decided::Events(events.into_iter().collect())));
    }

    /// Asserts that nothing happens, and that this is the answer.
    pub fn already(self, answer: Answer) {
        assert_eq!(self.0, Ok(Decided::Already(answer)));
    }

    /// Asserts that the command is refused for this reason.
    pub fn refuses(self, rejection: Rejection) {
        assert_eq!(self.0, Err(rejection));
    }
}

/// `event` as the record after `previous`. Its hash is no real one: folding does not look at it.
pub fn recorded(previous: &Head, recorded_at: Timestamp, event: Event) -> RecordedEvent {
    let position = previous.position.next();
    RecordedEvent { head: Head { position, hash: Hash::new([0; 32]) }, recorded_at, event, metadata: metadata() }
}

/// Metadata of a command by the system, with one event.
pub fn metadata() -> Metadata {
    Metadata {
        command_id: Uuid::nil(),
        index: 0,
        count: 1,
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        actor: ActorName::System,
        node_id: Uuid::nil(),
        program: "0.0.0".into(),
        request_id: None,
        idempotency: None,
    }
}
