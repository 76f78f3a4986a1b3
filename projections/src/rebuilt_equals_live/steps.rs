//! Random histories: commands in any order.

use std::collections::BTreeSet;

use domain::spec::*;
use domain::*;
use proptest::prelude::*;

/// Someone asks for something, a while after the step before.
#[derive(Debug, Clone)]
pub struct Step {
    pub user_id: UserId,
    pub wish: Wish,
    pub after_seconds: i64,
}

#[derive(Debug, Clone)]
pub enum Wish {
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

/// The commands that operators send now and then.
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

/// Makes random commands of users and operators, one after another.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
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
