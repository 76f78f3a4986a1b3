//! Events: what can happen. **They are stored for ever, so they are a storage contract.**
//!
//! An event's name and its fields stand in every log that was ever written. An event never changes its meaning. A
//! changed shape is a new version: the old one stays, beside the event, with its upcaster ([`stored::OldShape`]), and
//! has its golden file in `tests/golden/`. Each event carries all that was decided, so that it can be understood alone,
//! and names every id that it touches. Events stand in groups, so that a fold can name the events that it does not need
//! in one line.

mod catalogue;
mod log;
mod movement;
mod opening;
mod points;
mod room;
mod sale;
mod stored;
mod users;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

pub use catalogue::{
    CatalogImported, ConcertPublished, PriceChanged, SaleWindowChanged, ScheduleCancelled, ScheduleMoved,
    SchedulePublished, Seat, SeatsAdded,
};
use catalogue::{SchedulePublishedV1, SeatsAddedV1};
pub use log::LogCreated;
pub use movement::{MovementKind, PointsMoved};
pub use opening::{BeaconReceived, EntryClosed, OpeningMoved, OpeningScheduled, OpeningWithdrawn, QueueDrawn};
pub use points::{PointsAdjusted, PointsCharged};
pub use room::{
    ExpiryCause, PauseChange, RoomConfigured, RoomLeft, SalePaused, SaleResumed, TokenAdmitted, TokenArrived,
    TokenExpired, TokenGranted, TokenIssued,
};
use room::{RoomConfiguredV1, TokenExpiredV1};
pub use sale::{
    Cause, Hold, HoldCancelled, HoldExpired, HoldExtended, PricedSeat, ReservationPaid, ReservationRefunded, SeatsHeld,
};
use sale::{HoldCancelledV1, ReservationRefundedV1};
use stored::{Newest, Older, events};
pub use users::UserRegistered;

events! {
    /// An event. Its name is the record's `type`, and its fields are the record's `data`. The group is not stored. `at`
    /// names the member that holds the time of the decision. `since` names a member that may hold an earlier time.
    pub enum Event {
        /// The log itself.
        Log(LogEvent) {
            LogCreated (no time) { 1: Newest }
        }
        /// The waiting room.
        Room(RoomEvent) {
            RoomConfigured (at configured_at) { 1: Older<RoomConfiguredV1>, 2: Newest }
            TokenIssued (at issued_at) { 1: Newest }
            TokenAdmitted (at admitted_at) { 1: Newest }
            TokenArrived (at arrived_at) { 1: Newest }
            TokenExpired (at expired_at) { 1: Older<TokenExpiredV1>, 2: Newest }
            RoomLeft (at left_at) { 1: Newest }
            TokenGranted (at granted_at) { 1: Newest }
            SalePaused (at paused_at) { 1: Newest }
            SaleResumed (since resumed_at) { 1: Newest }
        }
        /// The opening of a sale: its pre-queue and its draw.
        Opening(OpeningEvent) {
            OpeningScheduled (at scheduled_at) { 1: Newest }
            OpeningMoved (at moved_at) { 1: Newest }
            OpeningWithdrawn (at withdrawn_at) { 1: Newest }
            EntryClosed (at closed_at) { 1: Newest }
            BeaconReceived (at received_at) { 1: Newest }
            QueueDrawn (at drawn_at) { 1: Newest }
        }
        /// The users.
        Users(UsersEvent) {
            UserRegistered (at registered_at) { 1: Newest }
        }
        /// Charges and adjustments of points.
        Points(PointsEvent) {
            PointsCharged (at charged_at) { 1: Newest }
            PointsAdjusted (at adjusted_at) { 1: Newest }
        }
        /// The catalogue: what is sold, when, and for how much.
        Catalogue(CatalogueEvent) {
            ConcertPublished (no time) { 1: Newest }
            SeatsAdded (no time) { 1: Older<SeatsAddedV1>, 2: Newest }
            SchedulePublished (no time) { 1: Older<SchedulePublishedV1>, 2: Newest }
            CatalogImported (at imported_at) { 1: Newest }
            SaleWindowChanged (at changed_at) { 1: Newest }
            ScheduleMoved (at moved_at) { 1: Newest }
            PriceChanged (at changed_at) { 1: Newest }
            ScheduleCancelled (at cancelled_at) { 1: Newest }
        }
        /// The sale: holds, payments and refunds of seats.
        Sale(SaleEvent) {
            SeatsHeld (at hold.held_at) { 1: Newest }
            HoldExtended (at extended_at) { 1: Newest }
            HoldExpired (at expired_at) { 1: Newest }
            HoldCancelled (at cancelled_at) { 1: Older<HoldCancelledV1>, 2: Newest }
            ReservationPaid (at paid_at) { 1: Newest }
            ReservationRefunded (at refunded_at) { 1: Older<ReservationRefundedV1>, 2: Newest }
        }
    }
}

/// Reads a member that may be null. It must be there: without it the data has another shape.
fn never_absent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// The reason why this program cannot read a stored event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// This program does not know the type.
    #[error("event type {0:?} is not known to this program")]
    UnknownType(String),
    /// This program knows the type, but not this version.
    #[error("version {version} of event type {event_type} is not known to this program")]
    UnknownVersion { event_type: String, version: u32 },
    /// The data does not have the shape of this type and version.
    #[error("data of a {event_type} cannot be read: {reason}")]
    MalformedData { event_type: String, reason: String },
}

impl Event {
    /// The event that every log begins with, if this is it. It names the log.
    pub fn log_created(&self) -> Option<&LogCreated> {
        match self {
            Self::Log(LogEvent::LogCreated(created)) => Some(created),
            Self::Room(_)
            | Self::Opening(_)
            | Self::Users(_)
            | Self::Points(_)
            | Self::Catalogue(_)
            | Self::Sale(_) => None,
        }
    }

    /// The end of an import, if this event is one.
    pub fn catalog_imported(&self) -> Option<&CatalogImported> {
        match self {
            Self::Catalogue(CatalogueEvent::CatalogImported(imported)) => Some(imported),
            Self::Catalogue(
                CatalogueEvent::ConcertPublished(_)
                | CatalogueEvent::SeatsAdded(_)
                | CatalogueEvent::SchedulePublished(_)
                | CatalogueEvent::SaleWindowChanged(_)
                | CatalogueEvent::ScheduleMoved(_)
                | CatalogueEvent::PriceChanged(_)
                | CatalogueEvent::ScheduleCancelled(_),
            )
            | Self::Log(_)
            | Self::Room(_)
            | Self::Opening(_)
            | Self::Users(_)
            | Self::Points(_)
            | Self::Sale(_) => None,
        }
    }

    /// The record's `type_version`: the oldest version that can hold this event.
    pub fn type_version(&self) -> u32 {
        self.written().0
    }

    /// The record's `data`: the fields as JSON, in the order in which they are declared.
    pub fn encode(&self) -> String {
        self.written().1
    }

    /// True if [`Event::decode`] knows this type and version.
    pub fn is_known(event_type: &str, version: u32) -> bool {
        Self::versions(event_type).is_some_and(|versions| versions.contains(&version))
    }

    /// Reads a record's `type`, `type_version` and `data`.
    ///
    /// # Errors
    /// The type or version is unknown, or the data has another shape. Such a record is never skipped, since it may mean
    /// anything.
    pub fn decode(event_type: &str, version: u32, data: &str) -> Result<Self, DecodeError> {
        match Self::read(event_type, version, data) {
            Some(read) => read.map_err(|error| DecodeError::MalformedData {
                event_type: event_type.to_owned(),
                reason: error.to_string(),
            }),
            None if Self::versions(event_type).is_none() => Err(DecodeError::UnknownType(event_type.to_owned())),
            None => Err(DecodeError::UnknownVersion { event_type: event_type.to_owned(), version }),
        }
    }

    /// The text of a record's `type`. A known type is borrowed, so that it is not copied.
    pub fn type_named(event_type: &str) -> Cow<'static, str> {
        Self::known(event_type).map_or_else(|| Cow::Owned(event_type.to_owned()), |(name, _)| Cow::Borrowed(*name))
    }

    fn versions(event_type: &str) -> Option<&'static [u32]> {
        Self::known(event_type).map(|(_, versions)| *versions)
    }

    fn known(event_type: &str) -> Option<&'static (&'static str, &'static [u32])> {
        Self::TYPES.iter().find(|(name, _)| *name == event_type)
    }
}
