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
        "Mend the client: it must send one JSON object in UTF-8.";
    MALFORMED_PATH BAD_REQUEST "malformed-path" "A part of the path is no id"
        "A part of the path that must be an id is none. Ids are whole numbers from 1 to 9007199254740991."
        "Mend the client's path.";
    MALFORMED_HEADER BAD_REQUEST "malformed-header" "A header cannot be read"
        "A header is there twice, is empty, or has characters that it cannot have. `detail` names it."
        "Mend the client's headers.";

    TOKEN_MISSING UNAUTHORIZED "token-missing" "A token is needed"
        "The route needs a token, and none was sent."
        "Send the token that `POST /api/tokens` answered: `Authorization: Bearer <token>`.";
    TOKEN_MALFORMED UNAUTHORIZED "token-malformed" "The token cannot be read"
        "What stands in `Authorization` is no token."
        "Send the token exactly as `POST /api/tokens` answered it: a UUID with its hyphens.";
    TOKEN_UNKNOWN UNAUTHORIZED "token-unknown" "The token is not known"
        "The server does not know this token: it was never given, or ended long ago."
        "Ask for a new one: `POST /api/tokens`.";
    TOKEN_EXPIRED UNAUTHORIZED "token-expired" "The token has expired"
        "The token's time in the waiting room is over. Holds outlive it."
        "Ask for a new one: `POST /api/tokens`.";

    IDENTITY_MISSING UNAUTHORIZED "identity-missing" "An identity provider's token is needed"
        "An identity provider's token is needed, and none was sent."
        "Sign in, and send the token: `Authorization: Bearer <JWT>`.";
    IDENTITY_INVALID UNAUTHORIZED "identity-invalid" "The identity provider's token is not accepted"
        "The identity provider's token is not accepted. `reason` says why."
        "Sign in again. If that does not help, ask the organiser.";

    NOT_ADMITTED FORBIDDEN "not-admitted" "Not admitted"
        "The token is not ACTIVE: it waits in line, or has finished."
        "Wait until `GET /api/tokens/me` says ACTIVE.";
    NOT_YOURS FORBIDDEN "not-yours" "It belongs to another user"
        "The token belongs to another user than the one who is asked for."
        "Use the token of that user.";
    ROLE_MISSING FORBIDDEN "role-missing" "A role is missing"
        "The identity provider's token has none of the roles in `roles`."
        "Ask for a role at the identity provider, and sign in again.";

    HOST_NOT_ALLOWED FORBIDDEN "host-not-allowed" "The host is not one of this machine"
        "The operators' listener was asked under a name that is none of this machine."
        "Ask for it as `localhost` or `127.0.0.1`.";
    ORIGIN_NOT_ALLOWED FORBIDDEN "origin-not-allowed" "A page of another origin asks"
        "A web page of somebody else asked the operators' listener."
        "Open the operators' own page, or leave `Origin` out.";

    ROUTE_NOT_FOUND NOT_FOUND "route-not-found" "There is no such route"
        "No route has this path."
        "Look the path up: `GET /openapi.json` has every route.";
    CONCERT_NOT_FOUND NOT_FOUND "concert-not-found" "There is no such concert"
        "There is no concert of this id."
        "Take the id from `GET /api/concerts`.";
    SCHEDULE_NOT_FOUND NOT_FOUND "schedule-not-found" "There is no such schedule"
        "The concert has no schedule of this id."
        "Take the id from `GET /api/concerts/{concertId}/dates`.";
    ZONE_NOT_FOUND NOT_FOUND "zone-not-found" "There is no such zone"
        "The schedule has no zone of this name."
        "Take the name from `zones` of the dates.";
    SEAT_NOT_FOUND NOT_FOUND "seat-not-found" "There is no such seat"
        "The schedule has no seat of this id."
        "Take the id from the list of seats.";
    RECORD_NOT_FOUND NOT_FOUND "record-not-found" "There is no such record of yours"
        "At this position stands no record that moves the points of this user."
        "Take the position from the history of points.";
    OPENING_NOT_FOUND NOT_FOUND "opening-not-found" "There is no such opening"
        "No opening is announced, or none that waits for this."
        "Look at the room: `GET /api/operations/room`.";
    RESERVATION_NOT_FOUND NOT_FOUND "reservation-not-found" "There is no such reservation"
        "There is no such reservation, or it was closed more than a day ago."
        "Take the id from the list of reservations.";
    USER_NOT_FOUND NOT_FOUND "user-not-found" "There is no such user"
        "Nobody is known by this: no wallet, no token and no reservation."
        "Compare the id with the buyer's.";
    PROJECTION_NOT_FOUND NOT_FOUND "projection-not-found" "There is no such projection"
        "There is no projection of this name."
        "Take the name from `GET /api/operations/projections`.";

    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method-not-allowed" "The route does not have this method"
        "The route is there, and does not have this method."
        "Use one of those that the header `Allow` lists.";
    REQUEST_TIMEOUT REQUEST_TIMEOUT "request-timeout" "The body did not come in time"
        "The body did not come within 30 seconds."
        "Send it again. A slow connection may be the cause.";
    BODY_TOO_LARGE PAYLOAD_TOO_LARGE "body-too-large" "The body is too large"
        "The body has more bytes than the route takes."
        "Send less: a command has at most 16 KiB.";
    UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body must be application/json"
        "The body is not said to be JSON, or is compressed."
        "Send `Content-Type: application/json`, once, and no `Content-Encoding`.";

    SEAT_TAKEN CONFLICT "seat-taken" "Seats are taken"
        "Some of the seats are held or sold. `seatIds` names every one that is."
        "Choose other seats.";
    NO_SEATS_LEFT CONFLICT "no-seats-left" "Not enough seats are left"
        "No zone that was asked for has that many seats left."
        "Ask for fewer seats, another zone, or a higher price.";
    NOT_TOGETHER CONFLICT "not-together" "The seats are not next to each other"
        "There are seats, but not that many next to each other. `largestBlock` is the most there are."
        "Ask for fewer seats, or let them be apart.";
    SEAT_LIMIT_REACHED CONFLICT "seat-limit-reached" "Too many seats for one user"
        "A user may hold or own at most `limit` seats of one schedule."
        "Give a hold up first, or take fewer seats.";
    INSUFFICIENT_POINTS CONFLICT "insufficient-points" "Not enough points"
        "The wallet has `balance` points, and `required` are needed."
        "Charge the wallet first.";
    AMOUNT_MISMATCH CONFLICT "amount-mismatch" "The amount is not the price"
        "The amount is not the reservation's total price, which is `required`."
        "Pay exactly that.";
    BALANCE_LIMIT_REACHED CONFLICT "balance-limit-reached" "The wallet is full"
        "A charge would lead past the most that a wallet takes."
        "Charge less.";
    RESERVATION_NOT_PAYABLE CONFLICT "reservation-not-payable" "The reservation cannot be paid"
        "The reservation was cancelled or refunded."
        "Reserve again.";
    SCHEDULE_CANCELLED CONFLICT "schedule-cancelled" "The show was called off"
        "The show was called off. No seat of it can be held or paid any more."
        "Do nothing: payments are refunded automatically.";
    SCHEDULE_OVER CONFLICT "schedule-over" "The show was long ago"
        "The show started more than 30 days ago, and cannot be changed any more."
        "Nothing can be done any more.";
    SALE_PAUSED CONFLICT "sale-paused" "The sale is paused"
        "The sale is paused. Nothing new is held meanwhile; what is held can be paid."
        "Wait until the sale goes on, at `resumesAt` where that is known.";
    RESERVATION_NOT_HELD CONFLICT "reservation-not-held" "The reservation is no hold"
        "The reservation was paid for, and only a hold was to be cancelled."
        "Leave `only=hold` out to have it refunded.";
    NOT_ON_SALE CONFLICT "not-on-sale" "Not on sale"
        "The sale of this schedule is not open now, or the show has started."
        "Look at the dates: `saleOpensAt` and `saleClosesAt`.";
    NOT_EXTENDABLE CONFLICT "not-extendable" "The hold cannot be extended"
        "A hold can be extended once, in its last two minutes."
        "Try again at `extendableFrom`, where that is told.";
    OPENING_EXISTS CONFLICT "opening-exists" "An opening is announced already"
        "An opening is announced already."
        "Move it, or take it back before its pre-queue.";
    OPENING_BEGUN CONFLICT "opening-begun" "The opening has begun"
        "The pre-queue of the opening has begun."
        "Nothing: it goes on as it was announced.";
    BEACON_NOT_DUE CONFLICT "beacon-not-due" "The beacon has not appeared yet"
        "The beacon's value cannot be known yet."
        "Send it after `beaconAt`.";
    BEACON_KNOWN CONFLICT "beacon-known" "The beacon has another value"
        "The beacon's value is in the log, and is another one."
        "Compare the value with its source.";
    CATALOG_CONFLICT CONFLICT "catalog-conflict" "The catalogue contradicts what is published"
        "The file says something else of what is published, or it is not clear which of both it means."
        "Mend the file, or say `new=true` where what looks like a correction is new.";
    HOLD_EXPIRED GONE "hold-expired" "The hold has expired"
        "The hold was not paid in time."
        "Reserve again.";

    RATE_LIMITED TOO_MANY_REQUESTS "rate-limited" "Too many requests"
        "One user, or one address, has asked more than this server allows."
        "Wait for as many seconds as `Retry-After` says, and ask less often.";

    INVALID_REQUEST UNPROCESSABLE_ENTITY "invalid-request" "The request is not valid"
        "Members of the body or parameters are missing, wrong, or not known. `errors` names each."
        "Mend what `errors` names.";
    IDEMPOTENCY_KEY_REUSED UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used before"
        "This `Idempotency-Key` was sent before, with another request."
        "Use a new key for a new request.";

    INTERNAL INTERNAL_SERVER_ERROR "internal" "A fault of the server"
        "The server failed. Nothing is wrong with the request."
        "Report it to the organiser, with `instance`.";
    TRANSFER_CODING_UNKNOWN NOT_IMPLEMENTED "transfer-coding-unknown" "The body's transfer coding is not understood"
        "The body comes in a transfer coding that is not `chunked`."
        "Send it plain or `chunked`.";

    OVERLOADED SERVICE_UNAVAILABLE "overloaded" "Too much is asked at once"
        "Too much is asked at once, and this request was not taken."
        "Send it again after `Retry-After`, with the same `Idempotency-Key`.";
    ROOM_FULL SERVICE_UNAVAILABLE "room-full" "The line is full"
        "The line has as many people as it can have."
        "Try again later.";
    LOG_UNAVAILABLE SERVICE_UNAVAILABLE "log-unavailable" "The log is not available"
        "The log takes no events at the moment, or cannot be read."
        "Send the request again after `Retry-After`, with the same `Idempotency-Key`.";
    READ_MODEL_BEHIND SERVICE_UNAVAILABLE "read-model-behind" "The position is not reached yet"
        "What is shown has not reached the position that was asked for."
        "Try again after `Retry-After`.";
    IDENTITY_UNAVAILABLE SERVICE_UNAVAILABLE "identity-unavailable" "Identity cannot be checked at the moment"
        "The identity provider's keys cannot be had at the moment. Nothing happened."
        "Try again after `Retry-After`.";
    OUTCOME_UNKNOWN SERVICE_UNAVAILABLE "outcome-unknown" "The outcome is not known"
        "It may have happened. The log's reply was lost."
        "Send the same request with the same `Idempotency-Key`: it tells what happened, and does nothing twice.";
}
