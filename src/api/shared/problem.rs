//! Whatever is not a success becomes HTTP here, and only here: rejections of the domain, commands without a decision,
//! and requests that cannot be understood.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Position, Rejection};
use projections::{Behind, rfc3339};
use serde_json::{Map, Value, json};

use super::json::{self, LOG_POSITION};
use super::kinds::{self, ProblemKind};
use super::request_id::RequestId;
use super::wire;
use crate::catalog::CatalogError;
use crate::engine::Undecided;
use crate::identity::{Refusal, Role};

/// The longest that a client is told to wait before it tries again, in seconds. Each is told another number, so that
/// they do not all come back at once.
const MAX_RETRY_SECONDS: u32 = 3;

/// What the server itself says about a fault of its own: details are in its log.
const OUR_FAULT: &str = "The server failed. Nothing is wrong with the request.";

/// What a handler comes to.
pub type Outcome = Result<Response, Problem>;

/// An answer that is no success (RFC 9457).
///
/// It is rendered at the door ([`respond`](super::respond)), where the request's id is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: &'static ProblemKind,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    position: Option<Position>,
    /// For how long nothing else can be said; a short time by chance where a 503 does not know.
    retry_after_seconds: Option<u32>,
    closes_connection: bool,
}

/// A member of a body or a query parameter that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Its name.
    pub field: String,
    /// What is wrong with it.
    pub message: Cow<'static, str>,
}

impl Problem {
    /// A problem without members of its own.
    pub fn new(kind: &'static ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let (members, detail) = (Map::new(), detail.into());
        Self { kind, detail, members, position: None, retry_after_seconds: None, closes_connection: false }
    }

    /// Members or parameters that are not as they must be, every one of them.
    pub fn invalid_request(errors: &[FieldError]) -> Self {
        let sentences = errors.iter().map(|error| format!("`{}` {}.", error.field, error.message));
        let detail = sentences.collect::<Vec<_>>().join(" ");
        Self::new(&kinds::INVALID_REQUEST, detail).with(json!({ "errors": errors }))
    }

    /// A fault of ours. `reason` goes into the server's log, never to the client.
    pub fn internal(reason: &str) -> Self {
        tracing::error!("{reason}");
        Self::new(&kinds::INTERNAL, OUR_FAULT)
    }

    /// The same, decided or seen at `position`.
    pub fn at(self, position: Position) -> Self {
        Self { position: Some(position), ..self }
    }

    /// The same, after which the connection ends: what is left of the request will not be read.
    pub fn closing(self) -> Self {
        Self { closes_connection: true, ..self }
    }

    /// The same, which asking again before so many seconds will not change.
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// Its code, by which clients tell problems apart.
    pub fn code(&self) -> &'static str {
        self.kind.code
    }

    /// Whether it says that somebody has no right or that something is not there, which may have changed elsewhere.
    pub fn may_be_outdated(&self) -> bool {
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&self.kind.status)
    }

    fn with(mut self, members: Value) -> Self {
        if let Value::Object(members) = members {
            self.members.extend(members);
        }
        self
    }

    /// As a response.
    pub fn render(self, request_id: &RequestId) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.kind.code),
            "title": self.kind.title,
            "status": self.kind.status.as_u16(),
            "detail": self.detail,
            "code": self.kind.code,
            "instance": request_id.as_str(),
        });
        if let Value::Object(body) = &mut body {
            body.extend(self.members);
        }
        let mut response = (self.kind.status, json::bytes(&body)).into_response();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
        set(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(position) = self.position {
            set(LOG_POSITION, position.get().into());
        }
        if self.closes_connection {
            set(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.kind.status == StatusCode::UNAUTHORIZED {
            let is_plain =
                [&kinds::TOKEN_MISSING, &kinds::IDENTITY_MISSING, &kinds::IDENTITY_INVALID].contains(&self.kind);
            let challenge = if is_plain { "Bearer" } else { "Bearer error=\"invalid_token\"" };
            set(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after_seconds {
            set(header::RETRY_AFTER, seconds.into());
        } else if self.kind.status == StatusCode::SERVICE_UNAVAILABLE {
            set(header::RETRY_AFTER, retry_seconds().into());
        }
        response
    }
}

/// 1..=[`MAX_RETRY_SECONDS`], by chance.
fn retry_seconds() -> u32 {
    1 + getrandom::u32().unwrap_or_default() % MAX_RETRY_SECONDS
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::TokenUnknown => Self::new(&kinds::TOKEN_UNKNOWN, "The server does not know this token. `POST /api/tokens` gives a new one."),
            Rejection::TokenExpired => {
                Self::new(&kinds::TOKEN_EXPIRED, "The token has expired. `POST /api/tokens` gives a new one.")
            }
            Rejection::NotAdmitted { queue_number, serving_number, ahead } => {
                Self::new(&kinds::NOT_ADMITTED, "This needs an ACTIVE token. This one has not been admitted, or has finished: see `GET /api/tokens/me`.")
                    .with(json!({ "queueNumber": queue_number, "servingNumber": serving_number, "ahead": ahead }))
            }
            Rejection::NotYours => Self::new(&kinds::NOT_YOURS, "The token belongs to another user than the one that is asked for."),
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
                let detail = format!("These of the seats are held or sold: {}.", ids.join(", "));
                Self::new(&kinds::SEAT_TAKEN, detail).with(json!({ "seatIds": seat_ids }))
            }
            Rejection::NoSeatsLeft => {
                Self::new(&kinds::NO_SEATS_LEFT, "No zone that was asked for has that many seats left.")
            }
            Rejection::NotTogether { largest_block } => {
                let detail = format!("At most {largest_block} seats are left next to each other.");
                Self::new(&kinds::NOT_TOGETHER, detail).with(json!({ "largestBlock": largest_block }))
            }
            Rejection::SeatLimitReached { limit } => {
                let detail = format!("A user may hold or own at most {limit} seats of one schedule.");
                Self::new(&kinds::SEAT_LIMIT_REACHED, detail).with(json!({ "limit": limit }))
            }
            Rejection::InsufficientPoints { balance, required } => {
                let detail = format!("The balance is {} points; {} points are needed.", balance.get(), required.get());
                Self::new(&kinds::INSUFFICIENT_POINTS, detail)
                    .with(json!({ "balance": balance, "required": required }))
            }
            Rejection::AmountMismatch { required } => {
                Self::new(&kinds::AMOUNT_MISMATCH, format!("The amount must be the reservation's total price: {}.", required.get()))
                    .with(json!({ "required": required }))
            }
            Rejection::BalanceLimitReached { limit } => {
                let detail = format!("A charge may lead to a balance of at most {} points.", limit.get());
                Self::new(&kinds::BALANCE_LIMIT_REACHED, detail)
            }
            Rejection::ReservationNotHeld => {
                Self::new(&kinds::RESERVATION_NOT_HELD, "The reservation is no hold any more: it was paid for.")
            }
            Rejection::ReservationNotPayable { status } => {
                Self::new(&kinds::RESERVATION_NOT_PAYABLE, "The reservation was cancelled or refunded. Only a held one can be paid.")
                    .with(json!({ "reservationStatus": wire::reservation_status(status) }))
            }
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
                let detail = format!("Schedule {schedule_id} started more than 30 days ago. It cannot be changed any more.");
                Self::new(&kinds::SCHEDULE_OVER, detail)
            }
            Rejection::OtherIdentity => {
                let detail = "Users of this log are named in another way than this server was told to name them.";
                Self::new(&kinds::IDENTITY_UNAVAILABLE, detail)
            }
            Rejection::SalePaused { reason, resumes_at } => {
                Self::new(&kinds::SALE_PAUSED, format!("The sale is paused: {reason}"))
                    .with(json!({ "pauseReason": reason, "resumesAt": resumes_at.map(rfc3339) }))
            }
            Rejection::Invalid { field, message } => {
                Self::invalid_request(&[FieldError { field: field.to_owned(), message: message.into() }])
            }
            Rejection::HoldExpired => Self::new(&kinds::HOLD_EXPIRED, "The hold has expired before it was paid. Its seats can be reserved again."),
            Rejection::NotExtendable { extendable_from } => {
                let detail = match extendable_from {
                    Some(from) => format!("A hold can be extended in its last two minutes: from {} on.", rfc3339(from)),
                    None => "The reservation is not a hold, or was extended before.".to_owned(),
                };
                let from = extendable_from.map(|from| json!({ "extendableFrom": rfc3339(from) }));
                Self::new(&kinds::NOT_EXTENDABLE, detail).with(from.unwrap_or_default())
            }
            Rejection::OpeningExists => {
                Self::new(&kinds::OPENING_EXISTS, "An opening is announced. It can be moved, or taken back before its pre-queue.")
            }
            Rejection::OpeningNotFound => Self::new(&kinds::OPENING_NOT_FOUND, "No opening is announced, or none that waits for this."),
            Rejection::OpeningBegun => Self::new(&kinds::OPENING_BEGUN, "The opening has begun. It can no longer be changed like this."),
            Rejection::BeaconNotDue { at } => {
                Self::new(&kinds::BEACON_NOT_DUE, format!("The beacon appears at {}. Send its value then.", rfc3339(at)))
                    .with(json!({ "beaconAt": rfc3339(at) }))
            }
            Rejection::BeaconKnown => Self::new(&kinds::BEACON_KNOWN, "The beacon's value is in the log, and is another one."),
            Rejection::SeedNotCommitted => Self::internal("the seed of a draw is not the one that was committed to"),
            Rejection::RoomFull => Self::new(&kinds::ROOM_FULL, "The waiting room is full. Try again later."),
            Rejection::IdempotencyKeyReused => {
                Self::new(&kinds::IDEMPOTENCY_KEY_REUSED, "The user has sent this `Idempotency-Key` with another request before. A new request needs a new key.")
            }
            Rejection::CatalogueConflict { reason } => Self::new(&kinds::CATALOG_CONFLICT, reason),
        }
    }
}

impl From<Undecided> for Problem {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            // Whoever is turned away at the door was not looked up: an earlier request under the same key may have happened.
            Undecided::Overloaded => Self::new(
                &kinds::OVERLOADED,
                "Too many commands wait, and this request was not taken. That says nothing of an earlier request under the same Idempotency-Key. Try again later.",
            ),
            Undecided::LogUnavailable => Self::new(
                &kinds::LOG_UNAVAILABLE,
                "The log takes no events at the moment, and this request wrote nothing. That says nothing of an earlier request under the same Idempotency-Key. Try again later.",
            ),
            Undecided::OutcomeUnknown => Self::new(
                &kinds::OUTCOME_UNKNOWN,
                "Whether it happened is not known yet. The same request with the same Idempotency-Key tells.",
            ),
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        let detail = error.to_string();
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
            CatalogError::Refused { rejection, .. } => Self::from(rejection),
            CatalogError::Undecided { undecided, .. } => Self::from(undecided),
        };
        Self { detail: detail.into(), ..problem }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => {
                let detail = "A token of the identity provider goes into Authorization, after Bearer.";
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
                let detail = "The identity provider's keys cannot be had at the moment. Nothing happened.";
                Self::new(&kinds::IDENTITY_UNAVAILABLE, detail).retry_after(retry_after_seconds)
            }
        }
    }
}

impl From<Behind> for Problem {
    fn from(behind: Behind) -> Self {
        let detail = format!("The read model has reached position {} only. Try again.", behind.position);
        Self::new(&kinds::READ_MODEL_BEHIND, detail).at(behind.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;
    use domain::{ConcertId, Points, ReservationId, ReservationStatus, ScheduleId, SeatId, Timestamp};

    fn shown(problem: impl Into<Problem>) -> (u16, &'static str, Value) {
        let problem = problem.into();
        (problem.kind.status.as_u16(), problem.kind.code, Value::Object(problem.members))
    }

    #[test]
    fn each_rejection_has_the_contract_s_status_code_and_members() {
        use Rejection::*;
        let (points, limit) = (Points::new(5), Points::new(9));
        let (queue_number, serving_number, ahead) = (Some(7), 3, Some(3));
        let status = ReservationStatus::Cancelled;
        let cases = [
            (TokenUnknown, 401, "token-unknown", json!({})),
            (TokenExpired, 401, "token-expired", json!({})),
            (
                NotAdmitted { queue_number, serving_number, ahead },
                403,
                "not-admitted",
                json!({ "queueNumber": 7, "servingNumber": 3, "ahead": 3 }),
            ),
            (NotYours, 403, "not-yours", json!({})),
            (ConcertNotFound { concert_id: ConcertId::FIRST }, 404, "concert-not-found", json!({})),
            (ScheduleNotFound { schedule_id: ScheduleId::FIRST }, 404, "schedule-not-found", json!({})),
            (SeatNotFound { seat_id: SeatId::FIRST }, 404, "seat-not-found", json!({})),
            (ReservationNotFound { reservation_id: ReservationId::FIRST }, 404, "reservation-not-found", json!({})),
            (SeatTaken { seat_ids: vec![SeatId::FIRST] }, 409, "seat-taken", json!({ "seatIds": [1] })),
            (ZoneNotFound { zone: "Z".to_owned() }, 404, "zone-not-found", json!({})),
            (NoSeatsLeft, 409, "no-seats-left", json!({})),
            (NotTogether { largest_block: 2 }, 409, "not-together", json!({ "largestBlock": 2 })),
            (SeatLimitReached { limit: 4 }, 409, "seat-limit-reached", json!({ "limit": 4 })),
            (
                InsufficientPoints { balance: points, required: limit },
                409,
                "insufficient-points",
                json!({ "balance": 5, "required": 9 }),
            ),
            (AmountMismatch { required: points }, 409, "amount-mismatch", json!({ "required": 5 })),
            (BalanceLimitReached { limit }, 409, "balance-limit-reached", json!({})),
            (
                ReservationNotPayable { status },
                409,
                "reservation-not-payable",
                json!({ "reservationStatus": "CANCELLED" }),
            ),
            (ReservationNotHeld, 409, "reservation-not-held", json!({})),
            (
                NotOnSale { opens_at: Timestamp::from_millis(0), closes_at: Timestamp::from_millis(1) },
                409,
                "not-on-sale",
                json!({ "saleOpensAt": "1970-01-01T00:00:00.000Z", "saleClosesAt": "1970-01-01T00:00:00.001Z" }),
            ),
            (HoldExpired, 410, "hold-expired", json!({})),
            (
                NotExtendable { extendable_from: Some(Timestamp::from_millis(0)) },
                409,
                "not-extendable",
                json!({ "extendableFrom": "1970-01-01T00:00:00.000Z" }),
            ),
            (NotExtendable { extendable_from: None }, 409, "not-extendable", json!({})),
            (OpeningExists, 409, "opening-exists", json!({})),
            (OpeningNotFound, 404, "opening-not-found", json!({})),
            (OpeningBegun, 409, "opening-begun", json!({})),
            (
                BeaconNotDue { at: Timestamp::from_millis(0) },
                409,
                "beacon-not-due",
                json!({ "beaconAt": "1970-01-01T00:00:00.000Z" }),
            ),
            (BeaconKnown, 409, "beacon-known", json!({})),
            (SeedNotCommitted, 500, "internal", json!({})),
            (
                Invalid { field: "opensAt", message: "must be later".to_owned() },
                422,
                "invalid-request",
                json!({ "errors": [{ "field": "opensAt", "message": "must be later" }] }),
            ),
            (RoomFull, 503, "room-full", json!({})),
            (IdempotencyKeyReused, 422, "idempotency-key-reused", json!({})),
            (CatalogueConflict { reason: "the reason".to_owned() }, 409, "catalog-conflict", json!({})),
        ];
        for (rejection, status, code, members) in cases {
            assert_eq!(shown(rejection), (status, code, members));
        }
    }

    #[test]
    fn what_has_no_decision_is_a_503() {
        assert_eq!(shown(Undecided::Overloaded), (503, "overloaded", json!({})));
        assert_eq!(shown(Undecided::LogUnavailable), (503, "log-unavailable", json!({})));
        assert_eq!(shown(Undecided::OutcomeUnknown), (503, "outcome-unknown", json!({})));
        assert_eq!(shown(Behind { position: Position::START }), (503, "read-model-behind", json!({})));
    }

    #[test]
    fn who_is_not_let_through_learns_why() {
        use crate::identity::Reason;
        assert_eq!(shown(Refusal::Missing), (401, "identity-missing", json!({})));
        let expired = shown(Refusal::Invalid(Reason::Expired));
        assert_eq!(expired, (401, "identity-invalid", json!({ "reason": "expired" })));
        let roles = shown(Refusal::RoleMissing(&[Role::Cashier, Role::Operator]));
        assert_eq!(roles, (403, "role-missing", json!({ "roles": ["cashier", "operator"] })));
        let unavailable = Problem::from(Refusal::Unavailable { retry_after_seconds: 17 });
        let rendered = unavailable.render(&RequestId::of(&HeaderMap::new()));
        assert_eq!((rendered.status().as_u16(), &rendered.headers()[header::RETRY_AFTER]), (503, &17.into()));
        let invalid = Problem::from(Refusal::Invalid(Reason::Key)).render(&RequestId::of(&HeaderMap::new()));
        assert_eq!(invalid.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn what_was_not_looked_up_is_not_said_to_have_never_happened() {
        for undecided in [Undecided::Overloaded, Undecided::LogUnavailable] {
            let detail = Problem::from(undecided).detail.to_lowercase();
            assert!(detail.contains("says nothing of an earlier request"), "{detail}");
            assert!(!detail.contains("happened") && !detail.contains("did not happen"), "{detail}");
        }
    }

    #[test]
    fn clients_come_back_in_1_to_3_seconds() {
        let told: std::collections::BTreeSet<u32> = (0..1_000).map(|_| retry_seconds()).collect();
        assert_eq!(told, (1..=MAX_RETRY_SECONDS).collect());
    }
}
