//! The domain: events, commands, and the state on which they are decided.
//!
//! Nothing here waits, reads a clock, draws a random number or touches a file. A decision is a function of the state, a
//! command and a time, so every one of them can be tried in a few lines:
//!
//! ```
//! use domain::spec::*;
//! use domain::{ChargePoints, Points, Rejection};
//!
//! // Given what happened: Ann is in the room and has 1,000 points.
//! given([admitted(ANN, 1), charged(ANN, 1_000, 1_000)])
//!     // when Ann asks for something,
//!     .when(token(ANN), ChargePoints { user_id: ANN, amount: Points::new(500) })
//!     // then this happens, and nothing else.
//!     .then([charged(ANN, 500, 1_500)]);
//!
//! // Or it is refused, and nothing happens.
//! given([admitted(ANN, 1)])
//!     .when(token(ANN), ChargePoints { user_id: BOB, amount: Points::new(500) })
//!     .refuses(Rejection::NotYours);
//! ```
//!
//! | To read | Begin with |
//! |---|---|
//! | what can happen | [`Event`]: it is stored for ever |
//! | what can be asked for | [`Action`], and [`Command`], which carries one; the rule of each is one file in `decisions/` |
//! | how it is decided | [`Decide`]; a refusal is a [`Rejection`] |
//! | what is decided on | [`State`], which the events fold to |
//! | what stands in the log | [`Record`]: an event with its position, its time and its hash |
//! | every limit | [`limits`] |

mod action;
mod answer;
mod command;
mod coordinate;
mod decisions;
pub mod draw;
mod event;
mod house;
pub mod limits;
mod name;
mod record;
mod rejection;
mod rule;
#[cfg(any(test, feature = "testing"))]
pub mod spec;
mod state;
mod values;

pub use action::Lane;
pub use answer::{Answer, Charge};
pub use command::{Command, Credential};
pub use coordinate::{Coordinate, MAX_COORDINATE, NotACoordinate};
pub use decisions::*;
pub use event::*;
pub use house::{House, NoChoice, Plan, Row, Together, Wanted, Zone, ZoneSeats};
pub use name::{is_name, is_shown, shows_nothing};
pub use record::{
    ActorName, ChainError, HASH_ALGORITHM, Head, IdempotencyKey, LOG_FORMAT, Metadata, OperatorName, PROGRAM, Record,
    RecordedEvent,
};
pub use rejection::Rejection;
pub use rule::{Actor, Decide, Decided, Decision};
pub use state::catalogue::{CalledOff, Catalogue, Concert, Schedule, ScheduleTimes};
pub use state::reservations::{Payment, Reservation};
pub use state::room::{Beacon, Closed, Deadline, Draw, Opening, Openings, PlaceInLine, Room, Token, TokenStatus};
pub use state::sale_clock::{Pause, SaleClock};
pub use state::seating::{Seating, Taken};
pub use state::users::Users;
pub use state::wallets::Wallets;
pub use state::{LogIdentity, State};
pub use values::{
    ConcertId, Fingerprint, Hash, MAX_SAFE_INTEGER, Nonce, NotAnId, PaymentId, Points, Position, ReservationId,
    ReservationStatus, RoomId, SaleTime, ScheduleId, SeatId, Seed, Timestamp, TokenHash, TokenId, UserId,
};
