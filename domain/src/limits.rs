//! Every limit of the business, with its unit. Each has a test at the limit and one past it.

use crate::values::Points;

/// Seats in one reservation.
pub const MAX_SEATS_PER_RESERVATION: usize = 4;
/// Seats that one user may hold or own in one schedule.
pub const MAX_SEATS_PER_USER_IN_SCHEDULE: usize = 4;
/// How long a hold lasts, in seconds.
pub const HOLD_SECONDS: i64 = 5 * 60;
/// By how much an extension makes a hold longer, in seconds.
pub const EXTENSION_SECONDS: i64 = 5 * 60;
/// How long before its deadline a hold may be extended, in seconds.
pub const EXTENSION_WINDOW_SECONDS: i64 = 2 * 60;
/// How long an admitted token may choose and hold seats, in seconds.
pub const ACTIVE_SECONDS: i64 = 10 * 60;
/// How long a token may wait in line, in seconds.
pub const WAITING_SECONDS: i64 = 24 * 60 * 60;
/// How long a finished token still identifies its user, in seconds.
pub const FINISHED_SECONDS: i64 = 24 * 60 * 60;
/// How long a granted token is active, in seconds.
pub const GRANTED_SECONDS: i64 = 24 * 60 * 60;
/// A granted token that has more than this left is not granted again, in seconds.
pub const GRANT_AGAIN_SECONDS: i64 = 12 * 60 * 60;
/// How long ended things are remembered (expired tokens, closed reservations, idempotency keys), in seconds.
pub const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;
/// The least time from an opening's announcement to the opening, in seconds.
pub const MIN_OPENING_NOTICE_SECONDS: i64 = 60;
/// The largest charge.
pub const MAX_CHARGE: Points = Points::new(10_000_000);
/// The largest balance that a charge may lead to. A refund may exceed it.
pub const MAX_BALANCE: Points = Points::new(1_000_000_000_000);
/// The highest price of a seat.
pub const MAX_SEAT_PRICE: Points = Points::new(1_000_000_000);
/// Tokens waiting in line.
pub const MAX_WAITING_TOKENS: usize = 5_000_000;
/// Ended tokens remembered for one user.
pub const MAX_ENDED_TOKENS_PER_USER: usize = 4;
/// Ended tokens remembered in all.
pub const MAX_ENDED_TOKENS: usize = 10_000_000;
/// Idempotency keys remembered for one user.
pub const MAX_KEYS_PER_USER: usize = 1_024;
/// Idempotency keys remembered in all.
pub const MAX_KEYS: usize = 4_000_000;
/// Seats in one `SeatsAdded` event.
pub const MAX_SEATS_PER_EVENT: usize = 1_000;
/// Bytes of a name in the catalogue (concert, artist, venue).
pub const MAX_NAME_BYTES: usize = 200;
/// Bytes of a seat's name, zone and row, each.
pub const MAX_SEAT_NAME_BYTES: usize = 100;
/// Bytes of a record: its type, data and metadata.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// Bytes of a record's data, so that type and metadata fit beside it.
pub const MAX_DATA_BYTES: usize = MAX_RECORD_BYTES - 4 * 1024;
/// Events of one tick.
pub const MAX_TICK_EVENTS: usize = 1_000;
/// Characters of the reason that an operator gives for a change.
pub const MAX_REASON_CHARACTERS: usize = 200;
/// Expiries of other holds that a hold by quantity writes, beside those of the seats that it takes.
pub const MAX_EXPIRIES_WITH_A_CHOICE: usize = 250;
/// The largest adjustment of a wallet, up or down, in points.
pub const MAX_ADJUSTMENT: i64 = 1_000_000_000;
/// How long after its start a paid schedule can still be changed by operators, in seconds.
pub const CHANGEABLE_SECONDS: i64 = 30 * 24 * 60 * 60;
/// How many holds and payments of schedules that were called off a tick gives back while other commands wait.
pub const MAX_GIVEN_BACK_WHILE_OTHERS_WAIT: usize = 100;
/// Bytes of data and metadata of the events with which a tick gives back holds and payments. A batch has room for them.
pub const MAX_GIVEN_BACK_BYTES: usize = 512 * 1024;
