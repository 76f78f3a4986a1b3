//! The shapes of answers that have a name. [`wire`](super::super::wire), the read models and the tools make such
//! answers, and the end-to-end tests compare every answer with its shape.

use domain::MovementKind;

use super::schema::{
    Member, Shape, anything, count, flag, hash, id, list, may, named, needs, nullable, number, object, signed, text,
    time, uuid, word,
};

macro_rules! shapes {
    ($($name:ident $called:literal $shape:expr;)*) => {
        $(pub const $name: &str = $called;)*

        /// Every shape, by its name.
        pub fn all() -> Vec<(&'static str, Shape)> {
            vec![$(($called, $shape)),*]
        }
    };
}

shapes! {
    TOKEN "Token" object(token().into_iter().chain([needs("token", uuid())]));
    QUEUE "Queue" object([
        needs("roomId", id()), needs("state", room_state()), needs("opensAt", nullable(time())),
        needs("pauseReason", nullable(text())), needs("resumesAt", nullable(time())), needs("servingNumber", count()),
        needs("waiting", count()), needs("active", count()), needs("capacity", count()),
        needs("entrants", nullable(count())), needs("opening", nullable(named(OPENING))),
        needs("draw", nullable(named(DRAW))),
    ]);
    OPENING "Opening" object([
        needs("prequeueFrom", time()), needs("opensAt", time()), needs("commitment", hash()), needs("position", count()),
        needs("beaconSource", nullable(text())), needs("beaconAt", nullable(time())),
    ]);
    DRAW "Draw" object([
        needs("first", count()), needs("entrants", count()), needs("closedPosition", count()), needs("closedHash", hash()),
        needs("seed", nullable(hash())), needs("beaconSource", nullable(text())), needs("beacon", nullable(hash())),
        needs("commitment", hash()), needs("position", nullable(count())),
    ]);

    BALANCE "Balance" object([needs("userId", id()), needs("balance", count())]);
    CHARGE "Charge" object([
        needs("userId", id()), needs("chargedAmount", count()), needs("currentBalance", count()),
        needs("chargedAt", time()),
    ]);
    MOVEMENT "Movement" object([
        needs("position", count()), needs("kind", word(MovementKind::ALL.map(MovementKind::name))), needs("amount", signed()),
        needs("balanceAfter", count()), needs("at", time()), may("reservationId", id()), may("paymentId", id()),
        may("reason", text()), needs("hash", hash()),
    ]);
    RECORD "Record" object([
        needs("position", count()), needs("recordedAt", time()), needs("type", text()), needs("typeVersion", count()),
        needs("data", text()), needs("metadataHash", hash()), needs("previousHash", hash()), needs("hash", hash()),
    ]);

    CONCERT "Concert" object([
        needs("concertId", id()), needs("concertName", text()), needs("artist", text()), needs("venue", text()),
        may("startDate", text()), may("endDate", text()),
    ]);
    DATE "Date" object([
        needs("concertScheduleId", id()), needs("concertId", id()), needs("concertDate", text()),
        needs("concertTime", text()), needs("timeZone", text()), needs("startsAt", time()), needs("saleOpensAt", time()),
        needs("saleClosesAt", time()), needs("seatsTotal", count()), needs("seatsAvailable", count()),
        needs("seatsPerUser", count()), needs("cancelledAt", nullable(time())),
        needs("zones", nullable(list(named(ZONE)))),
    ]);
    ZONE "Zone" object([
        needs("zoneName", text()), needs("priceFrom", count()), needs("priceTo", count()), needs("seatsTotal", count()),
        needs("seatsAvailable", count()),
    ]);
    SEAT "Seat" object([
        needs("seatId", id()), needs("seatName", text()), needs("price", count()), needs("zoneName", text()),
        may("status", seat_status()), may("row", text()), may("number", count()),
    ]);
    MAP "Map" object([needs("scheduleId", id()), needs("zones", list(object([
        needs("zoneName", text()), needs("rows", list(object([needs("row", text()), needs("seats", list(named(PLACE)))]))),
        needs("seats", list(named(PLACE))),
    ])))]);
    PLACE "Place" object([
        needs("seatId", id()), needs("seatName", text()), may("number", count()), may("x", number()), may("y", number()),
    ]);

    RESERVATION "Reservation" object([
        needs("reservationId", id()), needs("userId", id()), needs("concertId", id()), needs("scheduleId", id()),
        needs("seatId", id()), needs("seatName", text()), needs("price", count()),
        needs("seats", list(object([
            needs("seatId", id()), needs("seatName", text()), needs("zoneName", text()), needs("price", count()),
        ]))),
        needs("totalPrice", count()),
        needs("reservationStatus", word(["HELD", "PAID", "CANCELLED", "EXPIRED", "REFUNDED"])),
        needs("reservationTime", time()), may("expiresAt", nullable(time())), may("expiresInSeconds", count()),
        needs("extendable", flag()), may("nextToEachOther", flag()),
    ]);
    PAYMENT "Payment" object([
        needs("paymentId", id()), needs("reservationId", id()), needs("userId", id()), needs("paymentAmount", count()),
        needs("paymentTime", time()), needs("currentBalance", count()),
    ]);

    ROOM "Room" object([
        needs("state", room_state()), needs("capacity", count()), needs("admissionsPerSecond", nullable(count())),
        needs("arrivalSeconds", nullable(count())), needs("waiting", count()), needs("active", count()),
        needs("servingNumber", count()), needs("entrants", nullable(count())),
        needs("opening", nullable(named(OPENING))), needs("draw", nullable(named(DRAW))),
        needs("pause", nullable(object([needs("reason", text()), needs("resumesAt", nullable(time()))]))),
    ]);
    USER "User" object([
        needs("userId", id()), needs("balance", count()), needs("token", nullable(named(TOKEN_SEEN))),
        needs("reservations", list(named(RESERVATION))),
    ]);
    TOKEN_SEEN "TokenSeen" object(token());
    SCHEDULE "Schedule" object([
        needs("scheduleId", id()), needs("concertId", id()), needs("concertDate", text()), needs("concertTime", text()),
        needs("timeZone", text()), needs("startsAt", time()), needs("saleOpensAt", time()), needs("saleClosesAt", time()),
        needs("seatsPerUser", count()), needs("zones", list(named(ZONE))),
        needs("cancelled", nullable(object([
            needs("at", time()), needs("reason", text()), needs("holdsLeft", count()), needs("paymentsLeft", count()),
            needs("refunded", count()),
        ]))),
    ]);
    SCHEDULE_SALES "ScheduleSales" object([
        needs("concertId", id()), needs("scheduleId", id()), needs("seatsTotal", count()), needs("held", count()),
        needs("sold", count()), needs("refunded", count()), needs("takings", signed()),
    ]);
    SEATS_AT "SeatsAt" at_a_moment([
        needs("concertId", id()), needs("scheduleId", id()), needs("seats", list(named(SEAT))),
    ]);
    STORY "Story" at_a_moment([
        needs("scheduleId", id()), needs("seatId", id()), needs("status", seat_status()), needs("because", text()),
        needs("steps", list(object([
            needs("position", count()), needs("at", time()), needs("event", text()), needs("userId", nullable(id())),
            needs("reservationId", nullable(id())), needs("paymentId", nullable(id())),
            needs("requestId", nullable(text())), needs("what", text()), needs("hash", hash()),
        ]))),
    ]);
    IMPORTED "Imported" object([needs("importId", nullable(uuid())), needs("added", named(ADDED))]);
    ADDED "Added" object([needs("concerts", count()), needs("schedules", count()), needs("seats", count())]);
    PLAN "Plan" object([
        needs("importId", uuid()), needs("concerts", list(anything())), needs("added", named(ADDED)),
        needs("differences", anything()), needs("questions", anything()), needs("words", text()),
        needs("refusal", nullable(text())),
    ]);
    HEAD "Head" object([needs("position", count()), needs("hash", hash()), needs("logId", uuid())]);
    PROJECTION "Projection" object([
        needs("projection", text()),
        needs("state", word(["current", "behind", "stopped", "outdated", "newer", "missing", "unfit"])),
        needs("version", nullable(count())), needs("programVersion", count()), needs("position", count()),
        needs("lagEvents", count()), needs("lagSeconds", count()), needs("building", nullable(count())),
        needs("reason", nullable(text())),
    ]);
    REPAIRED "Repaired" object([
        needs("projection", text()), needs("position", count()), needs("rows", count()), needs("repaired", count()),
    ]);
    HEALTH "Health" object([needs("status", word(["ok", "ready"]))]);
}

/// A token without its text.
fn token() -> [Member; 12] {
    [
        needs("tokenId", id()),
        needs("userId", id()),
        needs("status", word(["WAITING", "ACTIVE", "FINISHED", "EXPIRED"])),
        needs("queueNumber", nullable(count())),
        needs("ahead", nullable(count())),
        needs("estimatedWaitSeconds", nullable(count())),
        needs("entrant", nullable(count())),
        needs("createdAt", time()),
        needs("expiresAt", nullable(time())),
        needs("expiresInSeconds", count()),
        needs("arriveBy", nullable(time())),
        needs("arriveInSeconds", nullable(count())),
    ]
}

fn room_state() -> Shape {
    word(["OPEN", "PREQUEUE", "PAUSED"])
}

fn seat_status() -> Shape {
    word(["AVAILABLE", "HELD", "SOLD", "CANCELLED"])
}

/// Adds the members of a moment: position, time and hash.
fn at_a_moment<const N: usize>(members: [Member; N]) -> Shape {
    let moment = [needs("position", count()), needs("recordedAt", nullable(time())), needs("hash", hash())];
    object(moment.into_iter().chain(members))
}
