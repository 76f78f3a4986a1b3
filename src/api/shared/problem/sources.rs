//! Conversions to problems: of the domain's rejections, commands without a decision, faults of a catalogue, and refused
//! JWTs.

use domain::Rejection;
use projections::{Behind, rfc3339};
use serde_json::json;

use super::{FieldError, Problem};
use crate::api::shared::{kinds, wire};
use crate::catalog::CatalogError;
use crate::engine::Undecided;
use crate::identity::{Refusal, Role};

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::TokenUnknown => Self::new(
                &kinds::TOKEN_UNKNOWN,
                "The server does not know this token. `POST /api/tokens` answers a new one.",
            ),
            Rejection::TokenExpired => {
                Self::new(&kinds::TOKEN_EXPIRED, "The token has expired. `POST /api/tokens` answers a new one.")
            }
            Rejection::NotAdmitted { queue_number, serving_number, ahead } => Self::new(
                &kinds::NOT_ADMITTED,
                "The request needs an ACTIVE token. This token is not admitted yet, \
                    or its visit is over: see `GET /api/tokens/me`.",
            )
            .with(json!({ "queueNumber": queue_number, "servingNumber": serving_number, "ahead": ahead })),
            Rejection::NotYours => {
                Self::new(&kinds::NOT_YOURS, "The token belongs to one user, and the request is about another user.")
            }
            Rejection::ConcertNotFound { concert_id } => {
                Self::new(&kinds::CONCERT_NOT_FOUND, format!("There is no concert {concert_id}."))
            }
            Rejection::ScheduleNotFound { schedule_id } => {
                Self::new(&kinds::SCHEDULE_NOT_FOUND, format!("The concert has no schedule {schedule_id}."))
            }
            Rejection::SeatNotFound { seat_id } => {
                Self::new(&kinds::SEAT_NOT_FOUND, format!("The schedule has no seat {seat_id}."))
            }
            Rejection::ZoneNotFound { zone } => {
                Self::new(&kinds::ZONE_NOT_FOUND, format!("The schedule has no zone {zone:?}."))
            }
            Rejection::ReservationNotFound { reservation_id } => {
                Self::new(&kinds::RESERVATION_NOT_FOUND, format!("There is no reservation {reservation_id}."))
            }
            Rejection::SeatTaken { seat_ids } => {
                let ids: Vec<String> = seat_ids.iter().map(ToString::to_string).collect();
                let detail = format!("These seats are held or sold: {}.", ids.join(", "));
                Self::new(&kinds::SEAT_TAKEN, detail).with(json!({ "seatIds": seat_ids }))
            }
            Rejection::NoSeatsLeft => {
                Self::new(&kinds::NO_SEATS_LEFT, "No zone that was asked for has that many seats left.")
            }
            Rejection::NotTogether { largest_block } => {
                let detail = format!("The most seats that are free next to each other: {largest_block}.");
                Self::new(&kinds::NOT_TOGETHER, detail).with(json!({ "largestBlock": largest_block }))
            }
            Rejection::SeatLimitReached { limit } => {
                let detail = format!("A user may hold or own at most {limit} seats of one schedule.");
                Self::new(&kinds::SEAT_LIMIT_REACHED, detail).with(json!({ "limit": limit }))
            }
            Rejection::InsufficientPoints { balance, required } => {
                let detail = format!("The balance is {} points; {} points are needed.", balance.get(), required.get());
                Self::new(&kinds::INSUFFICIENT_POINTS, detail).with(json!({ "balance": balance, "required": required }))
            }
            Rejection::AmountMismatch { required } => Self::new(
                &kinds::AMOUNT_MISMATCH,
                format!("The amount must be the reservation's total price: {}.", required.get()),
            )
            .with(json!({ "required": required })),
            Rejection::BalanceLimitReached { limit } => {
                let detail = format!("The balance would be above the limit: {} points.", limit.get());
                Self::new(&kinds::BALANCE_LIMIT_REACHED, detail)
            }
            Rejection::ReservationNotHeld => {
                Self::new(&kinds::RESERVATION_NOT_HELD, "The reservation is no longer a hold: it is paid.")
            }
            Rejection::ReservationNotPayable { status } => Self::new(
                &kinds::RESERVATION_NOT_PAYABLE,
                "The reservation was cancelled or refunded. Only a hold can be paid.",
            )
            .with(json!({ "reservationStatus": wire::reservation_status(status) })),
            Rejection::NotOnSale { opens_at, closes_at } => {
                Self::new(&kinds::NOT_ON_SALE, "The sale of this schedule is not open now, or the show has started.")
                    .with(json!({ "saleOpensAt": rfc3339(opens_at), "saleClosesAt": rfc3339(closes_at) }))
            }
            Rejection::UserNotFound { user_id } => {
                Self::new(&kinds::USER_NOT_FOUND, format!("There is no user {user_id}."))
            }
            Rejection::ScheduleCancelled { schedule_id } => {
                Self::new(&kinds::SCHEDULE_CANCELLED, format!("Schedule {schedule_id} was called off."))
            }
            Rejection::ScheduleOver { schedule_id } => {
                let detail =
                    format!("Schedule {schedule_id} started more than 30 days ago. It cannot be changed any more.");
                Self::new(&kinds::SCHEDULE_OVER, detail)
            }
            Rejection::OtherIdentity => {
                let detail = "The users of this log were identified in another way than this server is set up for.";
                Self::new(&kinds::IDENTITY_UNAVAILABLE, detail)
            }
            Rejection::SalePaused { reason, resumes_at } => {
                Self::new(&kinds::SALE_PAUSED, format!("The sale is paused: {reason}"))
                    .with(json!({ "pauseReason": reason, "resumesAt": resumes_at.map(rfc3339) }))
            }
            Rejection::Invalid { field, message } => {
                Self::invalid_request(&[FieldError { field: field.to_owned(), message: message.into() }])
            }
            Rejection::HoldExpired => {
                Self::new(&kinds::HOLD_EXPIRED, "The hold expired before it was paid. Its seats can be reserved again.")
            }
            Rejection::NotExtendable { extendable_from } => {
                let detail = match extendable_from {
                    Some(from) => format!("A hold can be extended in its last two minutes: from {} on.", rfc3339(from)),
                    None => "The reservation is not a hold, or was extended before.".to_owned(),
                };
                let from = extendable_from.map(|from| json!({ "extendableFrom": rfc3339(from) }));
                Self::new(&kinds::NOT_EXTENDABLE, detail).with(from.unwrap_or_default())
            }
            Rejection::OpeningExists => Self::new(
                &kinds::OPENING_EXISTS,
                "An opening is already announced. Move it, or withdraw it before its pre-queue begins.",
            ),
            Rejection::OpeningNotFound => Self::new(
                &kinds::OPENING_NOT_FOUND,
                "No opening is announced, or the opening does not wait for this request.",
            ),
            Rejection::OpeningBegun => {
                Self::new(&kinds::OPENING_BEGUN, "The opening has begun. It can no longer be changed in this way.")
            }
            Rejection::BeaconNotDue { at } => Self::new(
                &kinds::BEACON_NOT_DUE,
                format!("The beacon appears at {}. Send its value then.", rfc3339(at)),
            )
            .with(json!({ "beaconAt": rfc3339(at) })),
            Rejection::BeaconKnown => {
                Self::new(&kinds::BEACON_KNOWN, "The log already has a value of this beacon, and it is another value.")
            }
            Rejection::SeedNotCommitted => Self::internal("the seed of a draw is not the one that was committed to"),
            Rejection::RoomFull => Self::new(&kinds::ROOM_FULL, "The waiting room is full. Try again later."),
            Rejection::IdempotencyKeyReused => Self::new(
                &kinds::IDEMPOTENCY_KEY_REUSED,
                "The user has sent this `Idempotency-Key` with another request before. A new request needs a new key.",
            ),
            Rejection::CatalogueConflict { reason } => Self::new(&kinds::CATALOG_CONFLICT, reason),
        }
    }
}

impl From<Undecided> for Problem {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            // The idempotency key was not looked up: an earlier request with this key may have happened.
            Undecided::Overloaded => Self::new(
                &kinds::OVERLOADED,
                "Too many commands are waiting, and this request was not processed. An earlier request with the same \
                 `Idempotency-Key` may have been processed. Try again later.",
            ),
            Undecided::LogUnavailable => Self::new(
                &kinds::LOG_UNAVAILABLE,
                "The log cannot be written at the moment, and this request wrote nothing. An earlier request with the \
                 same `Idempotency-Key` may have been processed. Try again later.",
            ),
            Undecided::OutcomeUnknown => Self::new(
                &kinds::OUTCOME_UNKNOWN,
                "It is not known yet whether this request took effect. Send it again with the same `Idempotency-Key` \
                 to learn it.",
            ),
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        let told = error.to_string();
        let problem = match error {
            CatalogError::Unreadable(_) => Self::new(&kinds::MALFORMED_BODY, ""),
            CatalogError::Unfit(faults) => {
                let named = |(place, reason): (&str, &str)| FieldError {
                    field: place.to_owned(),
                    message: reason.to_owned().into(),
                };
                Self::invalid_request(&faults.iter().map(named).collect::<Vec<_>>())
            }
            CatalogError::Differs(_) | CatalogError::Unclear(_) => Self::new(&kinds::CATALOG_CONFLICT, ""),
            CatalogError::Refused { place, rejection } => {
                let refused = Self::from(rejection);
                return Self { detail: format!("{place}: {}", refused.detail).into(), ..refused };
            }
            CatalogError::Undecided { undecided, .. } => Self::from(undecided),
        };
        Self { detail: told.into(), ..problem }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => {
                let detail = "The header `Authorization` must hold a token of the identity provider, after `Bearer`.";
                Self::new(&kinds::IDENTITY_MISSING, detail)
            }
            Refusal::Invalid(reason) => {
                let detail = format!("The token of the identity provider is not accepted: {}.", reason.name());
                Self::new(&kinds::IDENTITY_INVALID, detail).with(json!({ "reason": reason.name() }))
            }
            Refusal::RoleMissing(roles) => {
                let roles: Vec<&str> = roles.iter().copied().map(Role::name).collect();
                Self::new(&kinds::ROLE_MISSING, format!("One of these roles is needed: {}.", roles.join(", ")))
                    .with(json!({ "roles": roles }))
            }
            Refusal::Unavailable { retry_after_seconds } => {
                let detail =
                    "The server does not have the identity provider's keys at the moment. The request did nothing.";
                Self::new(&kinds::IDENTITY_UNAVAILABLE, detail).retry_after(retry_after_seconds)
            }
        }
    }
}

impl From<Behind> for Problem {
    fn from(behind: Behind) -> Self {
        let detail = format!("The read model has only reached position {}. Try again.", behind.position);
        Self::new(&kinds::READ_MODEL_BEHIND, detail).at(behind.position)
    }
}
