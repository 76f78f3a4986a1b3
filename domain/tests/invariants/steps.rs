//! What random users do, and when.

use domain::limits::{ACTIVE_SECONDS, HOLD_SECONDS};
use domain::{Points, Seat, SeatId, UserId};
use proptest::prelude::*;
use proptest::sample::subsequence;

const USERS: u64 = 5;
const SEATS: u64 = 7;
/// What a seat costs; the last one, twice that.
pub const PRICE: u64 = 100;
const DAY: i64 = 24 * 60 * 60;

/// What someone does next, and after how long.
#[derive(Debug, Clone)]
pub struct Step {
    pub after_millis: i64,
    /// Who: a user by index, and which of their tokens, the last first.
    pub user: usize,
    pub token: usize,
    pub key: Option<u8>,
    pub does: Does,
}

/// What they do. A reservation is picked from the last ones.
#[derive(Debug, Clone)]
pub enum Does {
    Tick,
    Issue,
    Grant,
    Leave,
    Configure { capacity: u64, pace: Option<u32>, arrival: Option<u32> },
    Pause { seconds: Option<i64> },
    Resume,
    Adjust { amount: i64 },
    Expel,
    CancelForBuyer { pick: usize },
    Charge { amount: u64 },
    Hold { seats: Vec<u64> },
    HoldSome { quantity: usize, zone: Option<&'static str>, max_price: Option<u64>, is_required: bool },
    Pay { pick: usize, by_owner: bool, amount: u64 },
    Cancel { pick: usize, by_owner: bool },
    Extend { pick: usize },
    Arrive,
    Announce { prequeue_in: i64, opens_in: i64, beacon_in: Option<i64> },
    Beacon { value: u8 },
    Move { later: i64 },
    Withdraw,
    Draw,
    Reprice { zone: &'static str, price: u64 },
    Retime { opens_in: Option<i64>, closes_in: Option<i64>, starts_in: Option<i64> },
    CallOff,
}

fn does() -> impl Strategy<Value = Does> {
    let seats = (1..=4_usize).prop_flat_map(|count| subsequence((1..=SEATS).collect::<Vec<_>>(), count).prop_shuffle());
    prop_oneof![
        4 => Just(Does::Tick),
        5 => Just(Does::Issue),
        1 => Just(Does::Grant),
        1 => Just(Does::Leave),
        1 => (1..5_u64, proptest::option::of(0..3_u32), proptest::option::of(10..60_u32))
            .prop_map(|(capacity, pace, arrival)| Does::Configure { capacity, pace, arrival }),
        1 => proptest::option::of(1..2_000_i64).prop_map(|seconds| Does::Pause { seconds }),
        1 => Just(Does::Resume),
        1 => (-2_000..2_000_i64).prop_filter("not 0", |amount| *amount != 0).prop_map(|amount| Does::Adjust { amount }),
        1 => Just(Does::Expel),
        1 => (0..5_usize).prop_map(|pick| Does::CancelForBuyer { pick }),
        4 => (1..2_000_u64).prop_map(|amount| Does::Charge { amount }),
        5 => seats.prop_map(|seats| Does::Hold { seats }),
        5 => some(),
        8 => (0..5_usize, prop::bool::weighted(0.9), 0..9_u64)
            .prop_map(|(pick, by_owner, amount)| Does::Pay { pick, by_owner, amount }),
        3 => (0..5_usize, prop::bool::weighted(0.9)).prop_map(|(pick, by_owner)| Does::Cancel { pick, by_owner }),
        3 => (0..3_usize).prop_map(|pick| Does::Extend { pick }),
        1 => Just(Does::Arrive),
        1 => (0..9_i64, 1..90_i64, proptest::option::of(1..30_i64))
            .prop_map(|(prequeue_in, opens_in, beacon_in)| Does::Announce { prequeue_in, opens_in, beacon_in }),
        2 => (0..3_u8).prop_map(|value| Does::Beacon { value: value / 2 }),
        1 => (0..90_i64).prop_map(|later| Does::Move { later }),
        1 => Just(Does::Withdraw),
        2 => Just(Does::Draw),
        1 => (prop_oneof![Just("A"), Just("B"), Just("C")], 1..4_u64)
            .prop_map(|(zone, times)| Does::Reprice { zone, price: times * PRICE }),
        1 => (day(), day(), day())
            .prop_map(|(opens_in, closes_in, starts_in)| Does::Retime { opens_in, closes_in, starts_in }),
        // Nothing is sold after it, so most histories have none.
        1 => prop::bool::weighted(0.2).prop_map(|is_off| if is_off { Does::CallOff } else { Does::Tick }),
    ]
}

/// Seconds from now to another time of a schedule, or no other time.
fn day() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(prop_oneof![-60..60_i64, -DAY..3 * DAY])
}

fn some() -> impl Strategy<Value = Does> {
    let zone = prop_oneof![4 => Just(None), 1 => Just(Some("A")), 1 => Just(Some("B")), 1 => Just(Some("C"))];
    let max_price = prop_oneof![3 => Just(None), 1 => Just(Some(PRICE)), 1 => Just(Some(PRICE - 1))];
    (1..=4_usize, zone, max_price, any::<bool>()).prop_map(|(quantity, zone, max_price, is_required)| Does::HoldSome {
        quantity,
        zone,
        max_price,
        is_required,
    })
}

/// Mostly soon, sometimes at or past a deadline.
pub fn step() -> impl Strategy<Value = Step> {
    let after_millis = prop_oneof![
        160 => 0..500_i64,
        24 => 0..60_000_i64,
        4 => Just(HOLD_SECONDS * 1_000),
        3 => Just(ACTIVE_SECONDS * 1_000),
        1 => 0..DAY * 1_000,
        1 => Just(DAY * 1_000),
    ];
    let token = prop_oneof![9 => Just(0_usize), 1 => 1..4_usize];
    let key = proptest::option::weighted(0.2, 0..3_u8);
    (after_millis, 0..USERS as usize, token, key, does()).prop_map(|(after_millis, user, token, key, does)| Step {
        after_millis,
        user,
        token,
        key,
        does,
    })
}

/// Everyone.
pub fn users() -> Vec<UserId> {
    (1..=USERS).map(|number| UserId::try_from(number).unwrap()).collect()
}

/// Every seat of the schedule.
pub fn seat_ids() -> Vec<SeatId> {
    (1..=SEATS).map(|number| SeatId::try_from(number).unwrap()).collect()
}

/// Five seats in a row and two places without one.
pub fn seats() -> Vec<Seat> {
    let seat = |seat_id: SeatId| {
        let (number, is_in_row) = (seat_id.get(), seat_id.get() <= 5);
        Seat {
            seat_id,
            name: format!("{number}").into(),
            zone: if is_in_row { "A" } else { "B" }.into(),
            price: Points::new(if number < SEATS { PRICE } else { 2 * PRICE }),
            row: is_in_row.then(|| "R".into()),
            number: is_in_row.then_some(number as u32),
            x: None,
            y: None,
        }
    };
    seat_ids().into_iter().map(seat).collect()
}
