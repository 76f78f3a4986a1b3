//! Whatever is decided, read models say what the state says, a rebuilt one equals a live one, and an ETag changes exactly
//! when its bytes do.

use std::collections::{BTreeMap, BTreeSet};

use domain::spec::*;
use domain::*;
use proptest::prelude::*;
use serde_json::Value;

use crate::testing::sealed;
use crate::{ReadModels, Representation};

/// A log being written: decided on by the state, shown by the read models.
#[derive(Default)]
struct Live {
    log: Vec<RecordedEvent>,
    state: State,
    models: ReadModels,
}

/// Someone asks for something, a while after the step before.
#[derive(Debug, Clone)]
struct Step {
    user_id: UserId,
    wish: Wish,
    after_seconds: i64,
}

#[derive(Debug, Clone)]
enum Wish {
    Join,
    Leave,
    Grant,
    Charge,
    Hold(Vec<SeatId>),
    HoldSome(usize),
    /// Pays the reservation so many before the last.
    Pay(u64),
    /// Cancels the reservation so many before the last.
    Cancel(u64),
    Configure(u64),
    Operate(Action),
    Tick,
}

/// A second schedule.
fn import() -> ImportCatalogue {
    let (schedule_id, import_id) = (SCHEDULE.successor(), Some(uuid::Uuid::from_u128(7)));
    let seats = AddSeats { concert_id: CONCERT, schedule_id, seats: vec![seat_in_row(1, "R", 1), seat(2)] };
    let schedule = PublishSchedule { schedule_id, import_id, ..publish_schedule() };
    let parts = vec![CataloguePart::Seats(seats), CataloguePart::Schedule(schedule)];
    ImportCatalogue { parts, end: Some(ImportEnd { import_id, reason: None }) }
}

/// What an operator asks for now and then.
fn operators_wishes() -> Vec<Action> {
    let resumes_at = |seconds| Some(T0.plus_seconds(seconds));
    vec![
        PauseSale { reason: "rain".to_owned(), resumes_at: resumes_at(2_000) }.into(),
        PauseSale { reason: "storm".to_owned(), resumes_at: None }.into(),
        ResumeSale { reason: "the sun is out".to_owned() }.into(),
        ResumeSale { reason: "at last".to_owned() }.into(),
        AdjustPoints { user_id: ANN, amount: -50, reason: "charged twice".to_owned(), corrects: None }.into(),
        AdjustPoints { user_id: BOB, amount: 50, reason: "for the trouble".to_owned(), corrects: None }.into(),
        ExpelUser { user_id: EVE, reason: "a script".to_owned() }.into(),
        ExpelUser { user_id: ANN, reason: "a script".to_owned() }.into(),
        ChangePrice {
            schedule_id: SCHEDULE,
            zone: "A".to_owned(),
            price: Points::new(PRICE - 1),
            reason: "too dear".to_owned(),
        }
        .into(),
        ChangePrice {
            schedule_id: SCHEDULE,
            zone: "A".to_owned(),
            price: Points::new(PRICE),
            reason: "too cheap".to_owned(),
        }
        .into(),
        window(Some(SALE_CLOSES - 60), None),
        window(None, Some(STARTS + 600)),
        window(None, Some(STARTS)),
        CancelForBuyer { reservation_id: reservation_id(1), reason: "by telephone".to_owned() }.into(),
        CancelForBuyer { reservation_id: reservation_id(3), reason: "by telephone".to_owned() }.into(),
        CancelSchedule { schedule_id: SCHEDULE, reason: "the singer is ill".to_owned() }.into(),
        import().into(),
    ]
}

/// Another end of the sale, or another start, in seconds after [`T0`].
fn window(closes: Option<i64>, starts: Option<i64>) -> Action {
    let start = |seconds| NewStart {
        starts_at: T0.plus_seconds(seconds),
        local_date: "2026-12-25".to_owned(),
        local_time: "20:00".to_owned(),
    };
    ChangeSchedule {
        schedule_id: SCHEDULE,
        sale_opens_at: None,
        sale_closes_at: closes.map(|seconds| T0.plus_seconds(seconds)),
        start: starts.map(start),
        reason: "the singer is ill".to_owned(),
    }
    .into()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seats = prop::collection::btree_set(1..=SEATS, 1..=3);
    let wish = prop_oneof![
        2 => Just(Wish::Join),
        1 => Just(Wish::Leave),
        1 => Just(Wish::Grant),
        2 => Just(Wish::Charge),
        6 => seats.prop_map(|seats: BTreeSet<u64>| Wish::Hold(seats.into_iter().map(seat_id).collect())),
        2 => (1..4_usize).prop_map(Wish::HoldSome),
        4 => (0..4_u64).prop_map(Wish::Pay),
        3 => (0..6_u64).prop_map(Wish::Cancel),
        1 => (1..4_u64).prop_map(Wish::Configure),
        1 => prop::sample::select(operators_wishes()).prop_map(Wish::Operate),
        3 => Just(Wish::Tick),
    ];
    let user = prop::sample::select(vec![ANN, BOB, EVE]);
    // Now and then a hold's time, a token's, and a day go by.
    let pause = prop_oneof![80 => 0..30_i64, 8 => 200..400_i64, 1 => 600..3_000_i64, 1 => 80_000..90_000_i64];
    let step = (user, wish, pause).prop_map(|(user_id, wish, after_seconds)| Step { user_id, wish, after_seconds });
    prop::collection::vec(step, 1..120)
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

/// The reservation so many before the last. Whoever's it is will ask, so that most of these wishes come true.
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
    let mut all =
        BTreeMap::from([("concerts", models.concerts.list()), ("queue", models.room.queue(models.recorded_at))]);
    all.extend(models.concerts.concert(CONCERT).map(|concert| ("concert", concert)));
    all.extend(models.concerts.dates(CONCERT, &models.seat_lists).map(|dates| ("dates", dates)));
    if let Ok(list) = models.seat_lists.get(CONCERT, SCHEDULE) {
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
        self.state.apply(&recorded);
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
        let now = self.state.recorded_at.plus_seconds(step.after_seconds);
        if let Ok((_, Decided::Events(events))) = step.command(&self.state).decide(&self.state, now) {
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

/// What the state says of a seat.
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
fn agree(models: &ReadModels, state: &State) {
    let list = models.seat_lists.get(CONCERT, SCHEDULE).unwrap();
    let shown: Vec<(u64, String)> = json(&list.all()).as_array().unwrap().iter().map(id_and_status).collect();
    let expected: Vec<(u64, String)> = (1..=SEATS).map(|number| (number, status(state, number).to_owned())).collect();
    assert_eq!(shown, expected);
    let available = expected.iter().filter(|(_, status)| status == "AVAILABLE").map(|(number, _)| *number);
    let available: Vec<u64> = available.collect();
    let listed = json(&list.available());
    assert_eq!(listed.as_array().unwrap().iter().map(|seat| id_and_status(seat).0).collect::<Vec<_>>(), available);
    assert_eq!(
        json(&models.concerts.dates(CONCERT, &models.seat_lists).unwrap())[0]["seatsAvailable"],
        available.len()
    );
    for user in [ANN, BOB, EVE] {
        assert_eq!(models.balances.balance(user), state.wallets.balance(user));
        if let Some(token) = state.room.in_room(user) {
            assert_eq!(models.room.room().token(token.token_id), Some(token));
        }
        let hash = fixed_hash(user);
        assert_eq!(models.room.room().by_hash(&hash), state.room.by_hash(&hash));
    }
    for number in 1..state.reservations.next_reservation_id().get() {
        let id = reservation_id(number);
        assert_eq!(models.reservations.get(id), state.reservation(id, state.recorded_at));
    }
    let queue = json(&models.room.queue(models.recorded_at));
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
            agree(&live.models, &live.state);
        }
    }

    #[test]
    fn a_rebuilt_read_model_equals_a_live_one(steps in steps()) {
        let mut live = live_on_sale();
        steps.iter().for_each(|step| live.take(step));
        let rebuilt = live.rebuilt();
        prop_assert_eq!(representations(&rebuilt), representations(&live.models));
        prop_assert_eq!((rebuilt.head, rebuilt.recorded_at), (live.models.head, live.models.recorded_at));
        agree(&rebuilt, &live.state);
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
