//! What can happen. **These events are stored for ever: they are a storage contract.**
//!
//! A variant's name and its fields are what stands in every log that was ever written. An event never changes its
//! meaning. A changed shape is a new version with an upcaster in [`Event::decode`], and a golden file beside the old one
//! in `tests/golden/`. Each event carries all that was decided, so that it can be read by itself, and names every id
//! that it touches.

use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::values::{
    ConcertId, Hash, PaymentId, Points, ReservationId, RoomId, ScheduleId, SeatId, Seed, Timestamp, TokenHash, TokenId,
    UserId,
};

/// A fact. The variant's name is the record's `type`, its fields are the record's `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// Position 1 of every log: which log this is, and which server key belongs to it.
    LogCreated { log_id: Uuid, format: u32, hash_algorithm: String, key_check: Hash },
    /// How many tokens the room holds, and how many it admits in a second (`None`: as fast as slots become free).
    RoomConfigured {
        room_id: RoomId,
        capacity: u64,
        #[serde(deserialize_with = "never_absent")]
        admissions_per_second: Option<u32>,
        configured_at: Timestamp,
    },

    /// Someone joined the line, or the room itself where a slot was free and nobody waited.
    TokenIssued {
        token_id: TokenId,
        user_id: UserId,
        room_id: RoomId,
        token_hash: TokenHash,
        seed: Seed,
        queue_number: u64,
        admitted: bool,
        issued_at: Timestamp,
        expires_at: Timestamp,
    },
    /// The first in line came in. The serving number is now their queue number.
    TokenAdmitted {
        token_id: TokenId,
        user_id: UserId,
        room_id: RoomId,
        queue_number: u64,
        admitted_at: Timestamp,
        expires_at: Timestamp,
    },
    /// A waiting or active token's deadline was over.
    TokenExpired { token_id: TokenId, user_id: UserId, room_id: RoomId, expired_at: Timestamp },
    /// Someone left the line or the room by themselves.
    RoomLeft {
        token_id: TokenId,
        user_id: UserId,
        room_id: RoomId,
        #[serde(deserialize_with = "never_absent")]
        seed: Option<Seed>,
        queue_number: u64,
        issued_at: Timestamp,
        left_at: Timestamp,
    },
    /// A demo's fixed token became active, outside the line and the capacity. It has no seed: only such a token comes
    /// from the server's table. `replaced_token_id` is the user's token in the room that it ended.
    TokenGranted {
        token_id: TokenId,
        user_id: UserId,
        room_id: RoomId,
        token_hash: TokenHash,
        #[serde(deserialize_with = "never_absent")]
        replaced_token_id: Option<TokenId>,
        granted_at: Timestamp,
        expires_at: Timestamp,
    },

    /// Money came in from outside, the wallet grew.
    PointsCharged { user_id: UserId, amount: Points, balance_after: Points, charged_at: Timestamp },

    /// A concert exists.
    ConcertPublished { concert_id: ConcertId, name: String, artist: String, venue: String },
    /// Seats of a schedule that is not yet published, at most 1,000.
    SeatsAdded {
        concert_id: ConcertId,
        schedule_id: ScheduleId,
        #[serde(deserialize_with = "sharing_names")]
        seats: Vec<Seat>,
    },
    /// A schedule and all of its seats became visible. `local_date` and `local_time` are the venue's, fixed here.
    SchedulePublished {
        concert_id: ConcertId,
        schedule_id: ScheduleId,
        starts_at: Timestamp,
        time_zone: String,
        local_date: String,
        local_time: String,
        sale_opens_at: Timestamp,
        sale_closes_at: Timestamp,
        seats_total: u64,
    },

    /// Seats were taken off sale for one user, until the hold's deadline.
    SeatsHeld { hold: Hold },
    /// A hold's deadline was over, its seats are free again.
    HoldExpired { hold: Hold, expired_at: Timestamp },
    /// A hold was given up, its seats are free again.
    HoldCancelled { hold: Hold, cancelled_at: Timestamp },
    /// Points were spent, the seats sold and the room's slot given on, at once. `finished_token_id` is the token whose
    /// slot that was.
    ReservationPaid {
        payment_id: PaymentId,
        hold: Hold,
        balance_after: Points,
        room_id: RoomId,
        #[serde(deserialize_with = "never_absent")]
        finished_token_id: Option<TokenId>,
        paid_at: Timestamp,
    },
    /// A sale was taken back: the price returned to the wallet, the seats are free again.
    ReservationRefunded { payment_id: PaymentId, hold: Hold, balance_after: Points, refunded_at: Timestamp },
}

/// A member that may be null is still there: where it is missing, the data is of another shape.
fn never_absent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// Neighbours in one zone or row share its name: there are tens of thousands of them in a house.
fn sharing_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Seat>, D::Error> {
    let mut seats = Vec::<Seat>::deserialize(deserializer)?;
    for index in 1..seats.len() {
        let [before, seat] = &mut seats[index - 1..=index] else { unreachable!("two neighbours are two") };
        if seat.zone == before.zone {
            seat.zone = Arc::clone(&before.zone);
        }
        if seat.row == before.row {
            seat.row.clone_from(&before.row);
        }
    }
    Ok(seats)
}

/// A reservation as it was made: whose, which seats, at what price and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The reservation's number, which people see.
    pub reservation_id: ReservationId,
    /// Whose it is.
    pub user_id: UserId,
    /// The concert.
    pub concert_id: ConcertId,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Its seats, in the order in which they were asked for.
    pub seats: Vec<PricedSeat>,
    /// What they cost together.
    pub total_price: Points,
    /// When it began.
    pub held_at: Timestamp,
    /// Its deadline: it must be paid before.
    pub expires_at: Timestamp,
}

impl Hold {
    /// Its seats' ids.
    pub fn seat_ids(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.seats.iter().map(|seat| seat.seat_id)
    }

    fn subjects(&self) -> Vec<Subject> {
        vec![
            Subject::User(self.user_id),
            Subject::Concert(self.concert_id),
            Subject::Schedule(self.schedule_id),
            Subject::Reservation(self.reservation_id),
        ]
    }
}

/// A seat as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Unique in its schedule.
    pub seat_id: SeatId,
    /// What is printed on the ticket.
    pub name: Arc<str>,
    /// The part of the house that it is in.
    pub zone: Arc<str>,
    /// What it costs.
    pub price: Points,
    /// Its row, where that is known.
    #[serde(default)]
    pub row: Option<Arc<str>>,
    /// Its number in the row, where that is known.
    #[serde(default)]
    pub number: Option<u32>,
}

/// An event leaves out what is not known. A snapshot must not: its members have places and no names.
impl Serialize for Seat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_whole = !serializer.is_human_readable();
        let (has_row, has_number) = (is_whole || self.row.is_some(), is_whole || self.number.is_some());
        let members = 4 + usize::from(has_row) + usize::from(has_number);
        let mut seat = serializer.serialize_struct("Seat", members)?;
        seat.serialize_field("seat_id", &self.seat_id)?;
        seat.serialize_field("name", &self.name)?;
        seat.serialize_field("zone", &self.zone)?;
        seat.serialize_field("price", &self.price)?;
        if has_row {
            seat.serialize_field("row", &self.row)?;
        }
        if has_number {
            seat.serialize_field("number", &self.number)?;
        }
        seat.end()
    }
}

/// A seat in a reservation, with the price that was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricedSeat {
    /// The seat.
    pub seat_id: SeatId,
    /// Its price at the time of the hold.
    pub price: Points,
}

/// Something that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user's wallet, token or reservation.
    User(UserId),
    /// A concert.
    Concert(ConcertId),
    /// A schedule.
    Schedule(ScheduleId),
    /// A waiting room.
    Room(RoomId),
    /// A reservation.
    Reservation(ReservationId),
}

/// Why a stored event cannot be read by this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The type was never heard of.
    #[error("event type {0:?} is not known to this program")]
    UnknownType(String),
    /// The type is known, in other versions.
    #[error("version {version} of event type {event_type} is not known to this program")]
    UnknownVersion { event_type: String, version: u32 },
    /// The data is not what this type and version has.
    #[error("data of a {event_type} cannot be read: {reason}")]
    MalformedData { event_type: String, reason: String },
}

impl Event {
    /// Every type with the version that this program writes.
    pub const TYPES: [(&'static str, u32); 16] = [
        ("LogCreated", 1),
        ("RoomConfigured", 1),
        ("TokenIssued", 1),
        ("TokenAdmitted", 1),
        ("TokenExpired", 1),
        ("RoomLeft", 1),
        ("TokenGranted", 1),
        ("PointsCharged", 1),
        ("ConcertPublished", 1),
        ("SeatsAdded", 1),
        ("SchedulePublished", 1),
        ("SeatsHeld", 1),
        ("HoldExpired", 1),
        ("HoldCancelled", 1),
        ("ReservationPaid", 1),
        ("ReservationRefunded", 1),
    ];

    /// The record's `type`.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::LogCreated { .. } => "LogCreated",
            Self::RoomConfigured { .. } => "RoomConfigured",
            Self::TokenIssued { .. } => "TokenIssued",
            Self::TokenAdmitted { .. } => "TokenAdmitted",
            Self::TokenExpired { .. } => "TokenExpired",
            Self::RoomLeft { .. } => "RoomLeft",
            Self::TokenGranted { .. } => "TokenGranted",
            Self::PointsCharged { .. } => "PointsCharged",
            Self::ConcertPublished { .. } => "ConcertPublished",
            Self::SeatsAdded { .. } => "SeatsAdded",
            Self::SchedulePublished { .. } => "SchedulePublished",
            Self::SeatsHeld { .. } => "SeatsHeld",
            Self::HoldExpired { .. } => "HoldExpired",
            Self::HoldCancelled { .. } => "HoldCancelled",
            Self::ReservationPaid { .. } => "ReservationPaid",
            Self::ReservationRefunded { .. } => "ReservationRefunded",
        }
    }

    /// The record's `type_version`: every shape is still its first.
    pub const fn type_version(&self) -> u32 {
        1
    }

    /// The record's `data`: the fields as JSON, in the order in which they are declared.
    pub fn encode(&self) -> String {
        let tagged = serde_json::to_string(self).expect("events hold only what JSON can say");
        let before = r#"{"":"#.len() + self.event_type().len();
        tagged[before..tagged.len() - 1].to_owned()
    }

    /// Reads a record's `type`, `type_version` and `data`.
    ///
    /// # Errors
    /// A type or version that is not known, or data of another shape: never skipped, since nobody knows what it means.
    pub fn decode(event_type: &str, version: u32, data: &str) -> Result<Self, DecodeError> {
        let known = Self::TYPES.iter().find(|(name, _)| *name == event_type);
        match known {
            None => Err(DecodeError::UnknownType(event_type.to_owned())),
            Some((_, current)) if version != *current => {
                Err(DecodeError::UnknownVersion { event_type: event_type.to_owned(), version })
            }
            Some(_) => serde_json::from_str(&format!(r#"{{"{event_type}":{data}}}"#)).map_err(|error| {
                DecodeError::MalformedData { event_type: event_type.to_owned(), reason: error.to_string() }
            }),
        }
    }

    /// What it is about: every user, concert, schedule, room and reservation that it names.
    pub fn subjects(&self) -> Vec<Subject> {
        use Subject::{Concert, Room, Schedule, User};
        match self {
            Self::LogCreated { .. } => vec![],
            Self::RoomConfigured { room_id, .. } => vec![Room(*room_id)],
            Self::TokenIssued { user_id, room_id, .. }
            | Self::TokenAdmitted { user_id, room_id, .. }
            | Self::TokenExpired { user_id, room_id, .. }
            | Self::RoomLeft { user_id, room_id, .. }
            | Self::TokenGranted { user_id, room_id, .. } => vec![User(*user_id), Room(*room_id)],
            Self::PointsCharged { user_id, .. } => vec![User(*user_id)],
            Self::ConcertPublished { concert_id, .. } => vec![Concert(*concert_id)],
            Self::SeatsAdded { concert_id, schedule_id, .. }
            | Self::SchedulePublished { concert_id, schedule_id, .. } => {
                vec![Concert(*concert_id), Schedule(*schedule_id)]
            }
            Self::SeatsHeld { hold }
            | Self::HoldExpired { hold, .. }
            | Self::HoldCancelled { hold, .. }
            | Self::ReservationRefunded { hold, .. } => hold.subjects(),
            Self::ReservationPaid { hold, room_id, .. } => {
                let mut subjects = hold.subjects();
                subjects.push(Room(*room_id));
                subjects
            }
        }
    }
}
