//! Whatever is decided, seat lists and the queue say what the state says, a rebuilt one equals a live one, and an ETag changes exactly
//! when its bytes do.

mod steps;

use std::collections::{BTreeMap, BTreeSet};

use domain::spec::*;
use domain::*;
use proptest::prelude::*;
use serde_json::Value;

use self::steps::{Step, Wish, steps};
use crate::testing::sealed;
use crate::{ReadModels, Representation};

/// A log being written: decided on and shown by the read models.
#[derive(Default)]
struct Live {
    log: Vec<RecordedEvent>,
    models: ReadModels,
}

impl Step {
    fn command(&self, state: &State) -> Command {
        let user_id = self.user_id;
        let by = state.room.in_room(user_id).map_or(Credential::User(user_id), |token| {
            Credential::Token(if token.seed.is_some() { issued_hash(token.token_id) } else { fixed_hash(user_id) })
        });
        let (by, action) = match &self.wish {
            Wish::Join => {
                let token_hash = issued_hash(state.room.next_token_id());
                (
                    Credential::User(user_id),
                    IssueToken { user_id: Some(user_id), seed: seed(user_id), token_hash }.into(),
                )
            }
            Wish::Leave => (by, LeaveRoom.into()),
            Wish::Grant => (Credential::System, GrantToken { user_id, token_hash: fixed_hash(user_id) }.into()),
            Wish::Charge => (by, ChargePoints { user_id, amount: Points::new(3 * PRICE) }.into()),
            Wish::Hold(seat_ids) => {
                let seat_ids = seat_ids.clone();
                (by, HoldSeats { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids }.into())
            }
            Wish::HoldSome(quantity) => {
                let wanted = Wanted { quantity: *quantity, zone: None, max_price: None, together: Together::Preferred };
                (by, HoldByQuantity { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, wanted }.into())
            }
            Wish::Pay(before_last) => {
                let (reservation_id, hold) = before(state, *before_last);
                let user_id = hold.map_or(user_id, |hold| hold.user_id);
                let amount = hold.map_or(Points::ZERO, |hold| hold.total_price);
                (Credential::User(user_id), PayReservation { reservation_id, user_id, amount }.into())
            }
            Wish::Cancel(before_last) => {
                let (reservation_id, hold) = before(state, *before_last);
                let owner = hold.map_or(user_id, |hold| hold.user_id);
                (Credential::User(owner), CancelReservation { reservation_id, only_hold: false }.into())
            }
            Wish::Configure(capacity) => (
                Credential::OPERATOR,
                ConfigureRoom { capacity: *capacity, admissions_per_second: None, arrival_seconds: None, reason: None }
                    .into(),
            ),
            Wish::Operate(action) => (OPERATOR, action.clone()),
            Wish::Tick => (Credential::System, Tick::ALONE.into()),
        };
        Command { by, idempotency: None, action }
    }
}

/// Finds the reservation so many before the last one. Its own user will ask, so that most of these commands succeed.
fn before(state: &State, before_last: u64) -> (ReservationId, Option<&Hold>) {
    let last = state.reservations.next_reservation_id().get() - 1;
    let id = reservation_id(last.saturating_sub(before_last).max(1));
    (id, state.reservation(id, state.recorded_at).map(|reservation| &reservation.hold))
}

/// Every issued token has its own hash.
fn issued_hash(token_id: TokenId) -> TokenHash {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&token_id.get().to_be_bytes());
    TokenHash::new(bytes)
}

/// Everything that has an ETag, by name.
fn representations(models: &ReadModels) -> BTreeMap<&'static str, Representation> {
    let mut all = BTreeMap::from([
        ("concerts", models.concerts.list()),
        ("queue", models.room().queue(models.state.recorded_at)),
    ]);
    all.extend(models.concerts.concert(CONCERT).map(|concert| ("concert", concert)));
    all.extend(models.concerts.dates(CONCERT, &models.state).map(|dates| ("dates", dates)));
    if let Ok(list) = models.seats(CONCERT, SCHEDULE) {
        all.extend([("available seats", list.available()), ("all seats", list.all())]);
    }
    all
}

fn ends_a_pause(event: &Event) -> bool {
    match event {
        Event::Room(event) => matches!(event.pause_change(), Some(PauseChange::Resumed(_))),
        Event::Log(_)
        | Event::Opening(_)
        | Event::Users(_)
        | Event::Points(_)
        | Event::Catalogue(_)
        | Event::Sale(_) => false,
    }
}

impl Live {
    fn record(&mut self, recorded_at: Timestamp, event: Event) {
        let recorded = sealed(&self.models, recorded_at, event);
        let event = &recorded.event;
        let published = self.models.clone();
        let before = representations(&published);
        self.models.apply(&recorded);
        let after = representations(&self.models);
        for (name, shown) in &after {
            let Some(shown_before) = before.get(name) else { continue };
            let is_same = shown.body == shown_before.body;
            // A pause that was over is not shown any more, whether or not an event says so.
            if *name == "queue" && is_same && ends_a_pause(event) {
                continue;
            }
            assert_eq!(shown.etag == shown_before.etag, is_same, "the ETag of {name} after {event:?}");
            let is_same_memory = shown.body.as_ptr() == shown_before.body.as_ptr();
            assert_eq!(is_same_memory, is_same, "{name} is made once a change, after {event:?}");
        }
        assert_eq!(representations(&published), before, "a published copy stays as it is");
        self.log.push(recorded);
    }

    fn take(&mut self, step: &Step) {
        let now = self.models.state.recorded_at.plus_seconds(step.after_seconds);
        if let Ok((_, Decided::Events(events))) = step.command(&self.models.state).decide(&self.models.state, now) {
            for event in events {
                self.record(now, event);
            }
        }
    }

    fn rebuilt(&self) -> ReadModels {
        let mut rebuilt = ReadModels::default();
        self.log.iter().for_each(|recorded| rebuilt.apply(recorded));
        rebuilt
    }
}

fn live_on_sale() -> Live {
    let mut live = Live::default();
    let seats = seats_added((1..=SEATS).map(seat).collect());
    for event in [room(2), concert(), seats, schedule_published()] {
        live.record(T0, event);
    }
    live
}

/// The status of a seat by the state.
fn status(state: &State, number: u64) -> &'static str {
    match state.seating.taken(SCHEDULE, seat_id(number)) {
        None if state.catalogue.is_called_off(SCHEDULE) => "CANCELLED",
        None => "AVAILABLE",
        Some(taken) if taken.held_until.is_some() => "HELD",
        Some(_) => "SOLD",
    }
}

fn json(shown: &Representation) -> Value {
    serde_json::from_slice(&shown.body).unwrap()
}

/// Read models say what the state says.
fn agree(models: &ReadModels) {
    let state = &models.state;
    let list = models.seats(CONCERT, SCHEDULE).unwrap();
    let shown: Vec<(u64, String)> = json(&list.all()).as_array().unwrap().iter().map(id_and_status).collect();
    let expected: Vec<(u64, String)> = (1..=SEATS).map(|number| (number, status(state, number).to_owned())).collect();
    assert_eq!(shown, expected);
    let available = expected.iter().filter(|(_, status)| status == "AVAILABLE").map(|(number, _)| *number);
    let available: Vec<u64> = available.collect();
    let listed = json(&list.available());
    assert_eq!(listed.as_array().unwrap().iter().map(|seat| id_and_status(seat).0).collect::<Vec<_>>(), available);
    assert_eq!(json(&models.concerts.dates(CONCERT, &models.state).unwrap())[0]["seatsAvailable"], available.len());
    let queue = json(&models.room().queue(models.state.recorded_at));
    assert_eq!(queue["waiting"], state.room.waiting());
    assert_eq!(queue["active"], state.room.active());
    assert_eq!(queue["servingNumber"], state.room.serving_number());
    assert_eq!(queue["capacity"], state.room.capacity());
}

fn id_and_status(seat: &Value) -> (u64, String) {
    (seat["seatId"].as_u64().unwrap(), seat["status"].as_str().unwrap_or_default().to_owned())
}

proptest! {
    #[test]
    fn read_models_say_what_the_state_says(steps in steps()) {
        let mut live = live_on_sale();
        for step in &steps {
            live.take(step);
            agree(&live.models);
        }
    }

    #[test]
    fn a_rebuilt_read_model_equals_a_live_one(steps in steps()) {
        let mut live = live_on_sale();
        steps.iter().for_each(|step| live.take(step));
        let rebuilt = live.rebuilt();
        prop_assert_eq!(representations(&rebuilt), representations(&live.models));
        prop_assert_eq!(rebuilt.state.head, live.models.state.head);
        prop_assert_eq!(format!("{:?}", rebuilt.state), format!("{:?}", live.models.state));
        agree(&rebuilt);
    }
}

#[test]
fn the_random_steps_reach_every_event_of_a_sale() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut types = BTreeSet::new();
    for _ in 0..64 {
        let mut live = live_on_sale();
        steps().new_tree(&mut runner).unwrap().current().iter().for_each(|step| live.take(step));
        types.extend(live.log.iter().map(|recorded| recorded.event.event_type()));
    }
    let missing: Vec<_> = Event::TYPES.iter().map(|(name, _)| *name).filter(|name| !types.contains(name)).collect();
    // Openings, arrivals and longer holds have random steps in `domain/tests/invariants`.
    let elsewhere = [
        "LogCreated",
        "TokenArrived",
        "OpeningScheduled",
        "OpeningMoved",
        "OpeningWithdrawn",
        "EntryClosed",
        "BeaconReceived",
        "QueueDrawn",
        "UserRegistered",
        "HoldExtended",
    ];
    assert_eq!(missing, elsewhere, "let `steps` in projections/src/rebuilt_equals_live.rs reach the others");
}
