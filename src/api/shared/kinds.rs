//! Every kind of problem: its status, its code and its title. The codes are what clients tell problems apart by.

use axum::http::StatusCode;

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The HTTP status that it always has.
    pub status: StatusCode,
    /// Its name in `code` and `type`.
    pub code: &'static str,
    /// What it is, in words that never change.
    pub title: &'static str,
}

macro_rules! kinds {
    ($($name:ident $status:ident $code:literal $title:literal;)*) => {$(
        pub static $name: ProblemKind = ProblemKind { status: StatusCode::$status, code: $code, title: $title };
    )*};
}

kinds! {
    MALFORMED_BODY BAD_REQUEST "malformed-body" "The body is not JSON";
    MALFORMED_PATH BAD_REQUEST "malformed-path" "A part of the path is no id";
    MALFORMED_HEADER BAD_REQUEST "malformed-header" "A header cannot be read";

    TOKEN_MISSING UNAUTHORIZED "token-missing" "A token is needed";
    TOKEN_MALFORMED UNAUTHORIZED "token-malformed" "The token cannot be read";
    TOKEN_UNKNOWN UNAUTHORIZED "token-unknown" "The token is not known";
    TOKEN_EXPIRED UNAUTHORIZED "token-expired" "The token has expired";

    IDENTITY_MISSING UNAUTHORIZED "identity-missing" "An identity provider's token is needed";
    IDENTITY_INVALID UNAUTHORIZED "identity-invalid" "The identity provider's token is not accepted";

    NOT_ADMITTED FORBIDDEN "not-admitted" "Not admitted";
    NOT_YOURS FORBIDDEN "not-yours" "It belongs to another user";
    ROLE_MISSING FORBIDDEN "role-missing" "A role is missing";

    HOST_NOT_ALLOWED FORBIDDEN "host-not-allowed" "The host is not one of this machine";
    ORIGIN_NOT_ALLOWED FORBIDDEN "origin-not-allowed" "A page of another origin asks";

    ROUTE_NOT_FOUND NOT_FOUND "route-not-found" "There is no such route";
    CONCERT_NOT_FOUND NOT_FOUND "concert-not-found" "There is no such concert";
    SCHEDULE_NOT_FOUND NOT_FOUND "schedule-not-found" "There is no such schedule";
    ZONE_NOT_FOUND NOT_FOUND "zone-not-found" "There is no such zone";
    SEAT_NOT_FOUND NOT_FOUND "seat-not-found" "There is no such seat";
    RECORD_NOT_FOUND NOT_FOUND "record-not-found" "There is no such record of yours";
    OPENING_NOT_FOUND NOT_FOUND "opening-not-found" "There is no such opening";
    RESERVATION_NOT_FOUND NOT_FOUND "reservation-not-found" "There is no such reservation";
    USER_NOT_FOUND NOT_FOUND "user-not-found" "There is no such user";
    PROJECTION_NOT_FOUND NOT_FOUND "projection-not-found" "There is no such projection";

    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method-not-allowed" "The route does not have this method";
    REQUEST_TIMEOUT REQUEST_TIMEOUT "request-timeout" "The body did not come in time";
    BODY_TOO_LARGE PAYLOAD_TOO_LARGE "body-too-large" "The body is too large";
    UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body must be application/json";

    SEAT_TAKEN CONFLICT "seat-taken" "Seats are taken";
    NO_SEATS_LEFT CONFLICT "no-seats-left" "Not enough seats are left";
    NOT_TOGETHER CONFLICT "not-together" "The seats are not next to each other";
    SEAT_LIMIT_REACHED CONFLICT "seat-limit-reached" "Too many seats for one user";
    INSUFFICIENT_POINTS CONFLICT "insufficient-points" "Not enough points";
    AMOUNT_MISMATCH CONFLICT "amount-mismatch" "The amount is not the price";
    BALANCE_LIMIT_REACHED CONFLICT "balance-limit-reached" "The wallet is full";
    RESERVATION_NOT_PAYABLE CONFLICT "reservation-not-payable" "The reservation cannot be paid";
    SCHEDULE_CANCELLED CONFLICT "schedule-cancelled" "The show was called off";
    SCHEDULE_OVER CONFLICT "schedule-over" "The show was long ago";
    SALE_PAUSED CONFLICT "sale-paused" "The sale is paused";
    RESERVATION_NOT_HELD CONFLICT "reservation-not-held" "The reservation is no hold";
    NOT_ON_SALE CONFLICT "not-on-sale" "Not on sale";
    NOT_EXTENDABLE CONFLICT "not-extendable" "The hold cannot be extended";
    OPENING_EXISTS CONFLICT "opening-exists" "An opening is announced already";
    OPENING_BEGUN CONFLICT "opening-begun" "The opening has begun";
    BEACON_NOT_DUE CONFLICT "beacon-not-due" "The beacon has not appeared yet";
    BEACON_KNOWN CONFLICT "beacon-known" "The beacon has another value";
    CATALOG_CONFLICT CONFLICT "catalog-conflict" "The catalogue contradicts what is published";
    HOLD_EXPIRED GONE "hold-expired" "The hold has expired";

    INVALID_REQUEST UNPROCESSABLE_ENTITY "invalid-request" "The request is not valid";
    IDEMPOTENCY_KEY_REUSED UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used before";

    INTERNAL INTERNAL_SERVER_ERROR "internal" "A fault of the server";
    TRANSFER_CODING_UNKNOWN NOT_IMPLEMENTED "transfer-coding-unknown" "The body's transfer coding is not understood";

    OVERLOADED SERVICE_UNAVAILABLE "overloaded" "Too much is asked at once";
    ROOM_FULL SERVICE_UNAVAILABLE "room-full" "The line is full";
    LOG_UNAVAILABLE SERVICE_UNAVAILABLE "log-unavailable" "The log is not available";
    READ_MODEL_BEHIND SERVICE_UNAVAILABLE "read-model-behind" "The position is not reached yet";
    IDENTITY_UNAVAILABLE SERVICE_UNAVAILABLE "identity-unavailable" "Identity cannot be checked at the moment";
    OUTCOME_UNKNOWN SERVICE_UNAVAILABLE "outcome-unknown" "The outcome is not known";
}
