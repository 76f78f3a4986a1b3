//! Every kind of problem: its status, code, title, meaning and remedy. Clients distinguish problems by their codes.

use axum::http::StatusCode;

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The HTTP status.
    pub status: StatusCode,
    /// The name in `code` and `type`.
    pub code: &'static str,
    /// The title. It never changes.
    pub title: &'static str,
    /// The meaning, in a sentence or two. Names of members and headers stand between backticks.
    pub means: &'static str,
    /// What the client should do.
    pub remedy: &'static str,
}

macro_rules! kinds {
    ($($name:ident $status:ident $code:literal $title:literal $means:literal $remedy:literal;)*) => {
        $(pub static $name: ProblemKind = ProblemKind {
            status: StatusCode::$status, code: $code, title: $title, means: $means, remedy: $remedy,
        };)*

        /// Every kind.
        pub static ALL: &[&ProblemKind] = &[$(&$name),*];
    };
}

kinds! {
    MALFORMED_BODY BAD_REQUEST "malformed-body" "The body cannot be read"
        "The body is not JSON (or, where seats are imported, CSV) in UTF-8, or it ended before its announced length."
        "Correct the client: it must send one JSON object in UTF-8.";
    MALFORMED_PATH BAD_REQUEST "malformed-path" "A part of the path is no id"
        "A part of the path must be an id, and is not one. An id is a whole number from 1 to 9007199254740991."
        "Correct the path in the client.";
    MALFORMED_HEADER BAD_REQUEST "malformed-header" "A header cannot be read"
        "A header was sent twice, is empty, or has characters that are not allowed. `detail` names it."
        "Correct the headers in the client.";

    TOKEN_MISSING UNAUTHORIZED "token-missing" "A token is needed"
        "The route needs a token, and none was sent."
        "Send the token that `POST /api/tokens` answered: `Authorization: Bearer <token>`.";
    TOKEN_MALFORMED UNAUTHORIZED "token-malformed" "The token cannot be read"
        "The header `Authorization` does not contain a token."
        "Send the token exactly as `POST /api/tokens` answered it: a UUID with its hyphens.";
    TOKEN_UNKNOWN UNAUTHORIZED "token-unknown" "The token is not known"
        "The server does not know this token. It was never issued, or it ended long ago."
        "Ask for a new one: `POST /api/tokens`.";
    TOKEN_EXPIRED UNAUTHORIZED "token-expired" "The token has expired"
        "The token's time in the waiting room is over. Holds of its user stay."
        "Ask for a new one: `POST /api/tokens`.";

    IDENTITY_MISSING UNAUTHORIZED "identity-missing" "An identity provider's token is needed"
        "An identity provider's token is needed, and none was sent."
        "Sign in, and send the token: `Authorization: Bearer <JWT>`.";
    IDENTITY_INVALID UNAUTHORIZED "identity-invalid" "The identity provider's token is not accepted"
        "The identity provider's token is not accepted. `reason` says why."
        "Sign in again. If that does not help, ask the organiser.";

    NOT_ADMITTED FORBIDDEN "not-admitted" "Not admitted"
        "The token is not ACTIVE. It still waits in line, or its visit is over."
        "Wait until `GET /api/tokens/me` answers the status ACTIVE.";
    NOT_YOURS FORBIDDEN "not-yours" "It belongs to another user"
        "The token belongs to one user, and the request is about another user."
        "Send the token of the user in the request.";
    ROLE_MISSING FORBIDDEN "role-missing" "A role is missing"
        "The identity provider's token has none of the roles in `roles`. One of them is needed."
        "Ask the administrator of the identity provider for a role, and sign in again.";

    HOST_NOT_ALLOWED FORBIDDEN "host-not-allowed" "The host is not one of this machine"
        "The header `Host` of a request to the operators' listener is not a loopback name or address."
        "Use `localhost` or `127.0.0.1` in the URL.";
    ORIGIN_NOT_ALLOWED FORBIDDEN "origin-not-allowed" "A page of another origin asks"
        "A web page of another origin sent a request to the operators' listener."
        "Open the page that this listener serves. A program must not send `Origin`.";

    ROUTE_NOT_FOUND NOT_FOUND "route-not-found" "There is no such route"
        "No route has this path."
        "Find the path in `GET /openapi.json`, which lists every route.";
    CONCERT_NOT_FOUND NOT_FOUND "concert-not-found" "There is no such concert"
        "There is no concert with this id."
        "Take the id from `GET /api/concerts`.";
    SCHEDULE_NOT_FOUND NOT_FOUND "schedule-not-found" "There is no such schedule"
        "The concert has no schedule with this id."
        "Take the id from `GET /api/concerts/{concertId}/dates`.";
    ZONE_NOT_FOUND NOT_FOUND "zone-not-found" "There is no such zone"
        "The schedule has no zone with this name."
        "Take the name from `zones` in `GET /api/concerts/{concertId}/dates`.";
    SEAT_NOT_FOUND NOT_FOUND "seat-not-found" "There is no such seat"
        "The schedule has no seat with this id."
        "Take the id from the list of seats.";
    RECORD_NOT_FOUND NOT_FOUND "record-not-found" "There is no such record of yours"
        "The log has no record at this position that moves the points of this user."
        "Take the position from the history of points.";
    OPENING_NOT_FOUND NOT_FOUND "opening-not-found" "There is no such opening"
        "No opening is announced, or the opening does not wait for this request."
        "Read the opening's state: `GET /api/operations/room`.";
    RESERVATION_NOT_FOUND NOT_FOUND "reservation-not-found" "There is no such reservation"
        "There is no such reservation, or it was closed more than a day ago."
        "Take the id from the list of reservations.";
    USER_NOT_FOUND NOT_FOUND "user-not-found" "There is no such user"
        "No user is known by this id or `sub`. A user is known who has a wallet, a token or a reservation, or is \
         registered."
        "Compare the id or the `sub` with the buyer's.";
    PROJECTION_NOT_FOUND NOT_FOUND "projection-not-found" "There is no such projection"
        "There is no projection with this name."
        "Take the name from `GET /api/operations/projections`.";

    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method-not-allowed" "The route does not have this method"
        "The path exists, but the route does not have this method."
        "Use a method that the header `Allow` lists.";
    REQUEST_TIMEOUT REQUEST_TIMEOUT "request-timeout" "The body did not come in time"
        "The body did not come within 30 seconds."
        "Send the request again. A slow connection may be the cause.";
    BODY_TOO_LARGE PAYLOAD_TOO_LARGE "body-too-large" "The body is too large"
        "The body has more bytes than the route accepts."
        "Send a smaller body. A command may have at most 16 KiB.";
    UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body must be application/json"
        "The header `Content-Type` is not `application/json`, or the body is compressed."
        "Send `Content-Type: application/json`, once, and no `Content-Encoding`.";

    SEAT_TAKEN CONFLICT "seat-taken" "Seats are taken"
        "Some of the seats are held or sold. `seatIds` lists all of these."
        "Choose other seats.";
    NO_SEATS_LEFT CONFLICT "no-seats-left" "Not enough seats are left"
        "No zone that was asked for has that many seats left."
        "Ask for fewer seats, another zone, or a higher price.";
    NOT_TOGETHER CONFLICT "not-together" "The seats are not next to each other"
        "Enough seats are free, but not next to each other. `largestBlock` is the most seats that are free next to \
         each other."
        "Ask for fewer seats, or accept seats that are not next to each other.";
    SEAT_LIMIT_REACHED CONFLICT "seat-limit-reached" "Too many seats for one user"
        "A user may hold or own at most `limit` seats of one schedule."
        "Cancel a hold first, or take fewer seats.";
    INSUFFICIENT_POINTS CONFLICT "insufficient-points" "Not enough points"
        "The wallet has `balance` points, and `required` are needed."
        "Charge the wallet first.";
    AMOUNT_MISMATCH CONFLICT "amount-mismatch" "The amount is not the price"
        "The amount is not the reservation's total price, which is `required`."
        "Send exactly this amount.";
    BALANCE_LIMIT_REACHED CONFLICT "balance-limit-reached" "The wallet is full"
        "The balance of the wallet would be above the limit."
        "Send a smaller amount.";
    RESERVATION_NOT_PAYABLE CONFLICT "reservation-not-payable" "The reservation cannot be paid"
        "The reservation was cancelled or refunded."
        "Reserve the seats again.";
    SCHEDULE_CANCELLED CONFLICT "schedule-cancelled" "The show was called off"
        "The show was called off. Its seats can no longer be held or paid."
        "Do nothing: payments are refunded automatically.";
    SCHEDULE_OVER CONFLICT "schedule-over" "The show was long ago"
        "The show started more than 30 days ago, and cannot be changed any more."
        "This cannot be solved: a change comes too late.";
    SALE_PAUSED CONFLICT "sale-paused" "The sale is paused"
        "The sale is paused. No more seats can be held meanwhile. Holds can be paid."
        "Wait until the sale resumes. `resumesAt` says when, if this is known.";
    RESERVATION_NOT_HELD CONFLICT "reservation-not-held" "The reservation is no hold"
        "The reservation is paid. The request said `only=hold`, so it is not refunded."
        "Send the request without `only=hold` to refund the reservation.";
    NOT_ON_SALE CONFLICT "not-on-sale" "Not on sale"
        "The sale of this schedule is not open now, or the show has started."
        "Compare the time with `saleOpensAt` and `saleClosesAt`.";
    NOT_EXTENDABLE CONFLICT "not-extendable" "The hold cannot be extended"
        "A hold can be extended only once, and only in its last two minutes."
        "Try again at `extendableFrom`. Without this member the hold can never be extended.";
    OPENING_EXISTS CONFLICT "opening-exists" "An opening is announced already"
        "Only one opening can be announced at a time, and there is one already."
        "Move that opening, or withdraw it before its pre-queue begins.";
    OPENING_BEGUN CONFLICT "opening-begun" "The opening has begun"
        "The pre-queue of the opening has begun."
        "Do nothing: the opening continues as it was announced.";
    BEACON_NOT_DUE CONFLICT "beacon-not-due" "The beacon has not appeared yet"
        "The beacon's value cannot be known yet."
        "Send it after `beaconAt`.";
    BEACON_KNOWN CONFLICT "beacon-known" "The beacon has another value"
        "The log already has a value of this beacon, and it is another value."
        "Compare the value with its source.";
    CATALOG_CONFLICT CONFLICT "catalog-conflict" "The catalogue contradicts what is published"
        "The file differs from the published catalogue, or it is not clear whether an entry is new or a correction."
        "Correct the file. If an entry looks like a correction but is new, send `new=true`.";
    HOLD_EXPIRED GONE "hold-expired" "The hold has expired"
        "The hold was not paid in time."
        "Reserve the seats again.";

    RATE_LIMITED TOO_MANY_REQUESTS "rate-limited" "Too many requests"
        "One user, or one address, has sent more requests than this server allows."
        "Wait for the seconds in `Retry-After`, and send requests less often.";

    INVALID_REQUEST UNPROCESSABLE_ENTITY "invalid-request" "The request is not valid"
        "Members of the body, or parameters, are missing, wrong or unknown. `errors` names each of them."
        "Correct what `errors` names.";
    IDEMPOTENCY_KEY_REUSED UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used before"
        "This `Idempotency-Key` was sent before, with another request."
        "Use a new key for a new request.";

    INTERNAL INTERNAL_SERVER_ERROR "internal" "A fault of the server"
        "The server failed. Nothing is wrong with the request."
        "Report this to the organiser, together with `instance`.";
    TRANSFER_CODING_UNKNOWN NOT_IMPLEMENTED "transfer-coding-unknown" "The body's transfer coding is not understood"
        "The body was sent in a transfer coding other than `chunked`."
        "Send the body with `Content-Length`, or `chunked`.";

    OVERLOADED SERVICE_UNAVAILABLE "overloaded" "Too much is asked at once"
        "The server has too many requests at the moment. This request was not processed."
        "Send the request again after `Retry-After`, with the same `Idempotency-Key`.";
    ROOM_FULL SERVICE_UNAVAILABLE "room-full" "The line is full"
        "The line has reached its greatest length."
        "Try again later.";
    LOG_UNAVAILABLE SERVICE_UNAVAILABLE "log-unavailable" "The log is not available"
        "The log cannot be written or read at the moment."
        "Send the request again after `Retry-After`, with the same `Idempotency-Key`.";
    READ_MODEL_BEHIND SERVICE_UNAVAILABLE "read-model-behind" "The position is not reached yet"
        "The read model has not yet reached the position in `minPosition`, or cannot be read at the moment."
        "Try again after `Retry-After`.";
    IDENTITY_UNAVAILABLE SERVICE_UNAVAILABLE "identity-unavailable" "Identity cannot be checked at the moment"
        "The server does not have the identity provider's keys at the moment. This request did nothing."
        "Try again after `Retry-After`.";
    OUTCOME_UNKNOWN SERVICE_UNAVAILABLE "outcome-unknown" "The outcome is not known"
        "The request may have taken effect, or not: the log's reply was lost."
        "Send the same request with the same `Idempotency-Key`. The answer says what happened, and nothing is done \
         twice.";
}
