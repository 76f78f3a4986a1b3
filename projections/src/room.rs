//! The waiting room as it is seen from outside: who a token is, how long the line is, how fast it moves.

use domain::{
    Deadline, Event, RecordedEvent, ReservationPaid, Room, RoomEvent, RoomId, SaleEvent, Timestamp, Token, TokenStatus,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::admissions::{Admissions, WINDOW_SECONDS};
use crate::representation::{Page, Representation, json};
use crate::time::rfc3339;

/// The version of the queue's shape, in its ETag.
const QUEUE_VERSION: u32 = 2;

/// The room and its line. It is folded by the domain's own code, so that a query knows a token exactly as a decision does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RoomView {
    room: Room<()>,
    admissions: Admissions,
    queue_page: Page,
}

/// The line as clients read it: each compares it with their own number.
#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    room_id: RoomId,
    state: &'static str,
    /// Null: a room is open from its first day on.
    opens_at: (),
    /// Why the sale is paused, and when it goes on by itself; null where it is not, or does not.
    pause_reason: Option<Arc<str>>,
    resumes_at: Option<String>,
    serving_number: u64,
    waiting: usize,
    active: u64,
    capacity: u64,
}

impl RoomView {
    /// The room itself: tokens by hash and by number.
    pub fn room(&self) -> &Room<()> {
        &self.room
    }

    /// How the line stands.
    pub fn queue(&self) -> Representation {
        self.queue_page.read(QUEUE_VERSION, || json(&self.shown()))
    }

    /// How many seconds a waiting token will wait, by the admissions of the last minute before `now`; 0 for one that does
    /// not wait any more, though `token` may be of a time when it did. Where nobody was let in, all that can be said is that the token waits no longer than it lives.
    pub fn estimated_wait_seconds(&self, token: &Token, now: Timestamp) -> u64 {
        let waiting = self.room.token(token.token_id).filter(|token| token.status == TokenStatus::Waiting);
        let Some(Deadline::Sale(deadline)) = waiting.map(Token::deadline) else { return 0 };
        match self.admissions.last_minute(now) {
            0 => self.room.sale_time(now).seconds_until(deadline),
            admitted => ((self.room.ahead(token) + 1) * WINDOW_SECONDS.unsigned_abs()).div_ceil(admitted),
        }
    }

    /// A pause that ends by itself ends here with the tick that says so.
    fn shown(&self) -> Queue {
        let pause = self.room.sale_clock().last_pause();
        Queue {
            room_id: RoomId::FIRST,
            state: if pause.is_some() { "PAUSED" } else { "OPEN" },
            opens_at: (),
            pause_reason: pause.map(|pause| Arc::clone(&pause.reason)),
            resumes_at: pause.and_then(|pause| pause.resumes_at).map(rfc3339),
            serving_number: self.room.serving_number(),
            waiting: self.room.waiting(),
            active: self.room.active(),
            capacity: self.room.capacity(),
        }
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        let before = self.shown();
        self.fold(recorded);
        self.room.forget(recorded.recorded_at);
        if self.shown() != before {
            self.queue_page = Page::at(recorded.head);
        }
    }

    fn fold(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            Event::Room(event) => {
                self.room.fold(event);
                if admits(event) {
                    self.admissions.count(recorded.recorded_at);
                }
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { finished_token_id, paid_at, .. })) => {
                if let Some(token_id) = finished_token_id {
                    self.room.finish(*token_id, *paid_at);
                }
            }
            Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_)
                | SaleEvent::ReservationRefunded(_),
            )
            | Event::Log(_)
            | Event::Points(_)
            | Event::Catalogue(_) => {}
        }
    }
}

/// Whether someone of the line came in. A granted token is outside the line: nobody comes in sooner or later by it.
fn admits(event: &RoomEvent) -> bool {
    match event {
        RoomEvent::TokenIssued(issued) => issued.admitted,
        RoomEvent::TokenAdmitted(_) => true,
        RoomEvent::RoomConfigured(_)
        | RoomEvent::TokenExpired(_)
        | RoomEvent::RoomLeft(_)
        | RoomEvent::TokenGranted(_)
        | RoomEvent::SalePaused(_)
        | RoomEvent::SaleResumed(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use domain::limits::WAITING_SECONDS;
    use domain::spec::*;

    #[test]
    fn the_queue_tells_how_the_line_stands() {
        let models = shown([room(1), admitted(ANN, 1), waiting(BOB, 2), waiting(EVE, 3)]);
        let expected = r#"{"roomId":1,"state":"OPEN","opensAt":null,"pauseReason":null,"resumesAt":null,"servingNumber":1,"waiting":2,"active":1,"capacity":1}"#;
        assert_eq!(models.room.queue().body, expected);
    }

    #[test]
    fn the_queue_changes_with_its_figures_only() {
        let mut models = shown([room(1), admitted(ANN, 1)]);
        let before = models.room.queue();
        fold(&mut models, [charged(ANN, 500, 500), paced_room(1, 5), granted(EVE, 2, None)]);
        assert_eq!(models.room.queue(), before);
        assert_eq!(models.room.queue().body.as_ptr(), before.body.as_ptr());
        fold(&mut models, [waiting(BOB, 3)]);
        assert_ne!(models.room.queue().etag, before.etag);
    }

    #[test]
    fn a_payment_gives_its_slot_back() {
        let models = shown([room(1), admitted(ANN, 1), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0).finishing(1)]);
        assert_eq!(models.room.room().active(), 0);
    }

    #[test]
    fn a_token_is_known_as_the_domain_knows_it() {
        let events = || [room(1), admitted(ANN, 1), waiting(BOB, 2), left(ANN, 1), let_in(BOB, 2), expired(BOB, 2)];
        let (models, decided_on) = (shown(events()), given(events()));
        for user in [ANN, BOB, EVE] {
            let hash = token_hash(user);
            assert_eq!(models.room.room().identify(&hash, T0), decided_on.state().room.identify(&hash, T0));
        }
    }

    #[test]
    fn waiting_is_estimated_by_the_admissions_of_the_last_minute() {
        let mut models = shown([room(2), admitted(ANN, 1), admitted(EVE, 2), waiting(BOB, 9)]);
        let token = models.room.room().by_hash(&token_hash(BOB)).unwrap().clone();
        // Six are ahead, and two a minute come in: the seventh needs three and a half minutes.
        assert_eq!(models.room.estimated_wait_seconds(&token, T0), 210);
        fold_at(&mut models, T0.plus_seconds(30), [left(ANN, 1), left(EVE, 2), waiting(EVE, 8), let_in(EVE, 8)]);
        // None is ahead now. Three came in until half a minute ago, one of them in the last minute.
        assert_eq!(models.room.estimated_wait_seconds(&token, T0.plus_seconds(59)), 20);
        assert_eq!(models.room.estimated_wait_seconds(&token, T0.plus_seconds(60)), 60);
    }

    #[test]
    fn where_nobody_came_in_a_token_waits_no_longer_than_it_lives() {
        let models = shown([room(0), waiting(ANN, 1)]);
        let token = models.room.room().by_hash(&token_hash(ANN)).unwrap();
        let seconds = models.room.estimated_wait_seconds(token, T0.plus_seconds(100));
        assert_eq!(seconds, WAITING_SECONDS.unsigned_abs() - 100);
    }

    #[test]
    fn who_was_told_to_wait_and_has_come_in_since_does_not_wait() {
        let mut models = shown([room(1), admitted(ANN, 1), waiting(BOB, 2)]);
        let told = models.room.room().by_hash(&token_hash(BOB)).unwrap().clone();
        assert!(models.room.estimated_wait_seconds(&told, T0) > 0);
        fold(&mut models, [left(ANN, 1), let_in(BOB, 2)]);
        assert_eq!(models.room.estimated_wait_seconds(&told, T0), 0);
    }

    #[test]
    fn who_is_inside_does_not_wait() {
        let models = shown([room(1), admitted(ANN, 1)]);
        let token = models.room.room().by_hash(&token_hash(ANN)).unwrap();
        assert_eq!(models.room.estimated_wait_seconds(token, T0), 0);
    }
}
