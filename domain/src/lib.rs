//! What is decided: events, commands and state, and nothing else.
//!
//! Nothing here waits, reads a clock, draws a random number or touches a file: a decision is a function of the state, a
//! command and a time, so every one of them can be replayed. Start with [`Event`], then [`Command`], then one file in
//! `decisions/`.

mod answer;
mod command;
mod decisions;
pub mod draw;
mod event;
mod house;
pub mod limits;
mod name;
mod record;
mod rejection;
#[cfg(any(test, feature = "testing"))]
pub mod spec;
mod state;
mod values;

pub use answer::{Answer, Charge, Payment};
pub use command::{Action, Actor, Command, Credential, Decide, Decided, Decision};
pub use decisions::{
    AddSeats, CancelReservation, ChargePoints, ConfigureRoom, CreateLog, GrantToken, HoldSeats, IssueToken, LeaveRoom,
    PayReservation, PublishConcert, PublishSchedule, Tick,
};
pub use event::{
    CatalogueEvent, ConcertPublished, DecodeError, Event, Hold, HoldCancelled, HoldExpired, LogCreated, LogEvent,
    PointsCharged, PointsEvent, PricedSeat, ReservationPaid, ReservationRefunded, RoomConfigured, RoomEvent, RoomLeft,
    SaleEvent, SchedulePublished, Seat, SeatsAdded, SeatsHeld, TokenAdmitted, TokenExpired, TokenGranted, TokenIssued,
};
pub use house::{House, NoChoice, Plan, Row, Together, Wanted, Zone};
pub use name::{is_name, shows_nothing};
pub use record::{
    ActorName, ChainError, HASH_ALGORITHM, Head, IdempotencyKey, LOG_FORMAT, Metadata, PROGRAM, Record, RecordedEvent,
};
pub use rejection::Rejection;
pub use state::catalogue::{Catalogue, Concert, Schedule, ScheduleTimes};
pub use state::reservations::{Reservation, ReservationStatus};
pub use state::room::{Room, Token, TokenStatus};
pub use state::{LogIdentity, State};
pub use values::{
    ConcertId, Fingerprint, Hash, MAX_SAFE_INTEGER, NotAnId, PaymentId, Points, Position, ReservationId, RoomId,
    ScheduleId, SeatId, Seed, Timestamp, TokenHash, TokenId, UserId,
};
