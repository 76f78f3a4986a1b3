use axum::http::HeaderMap;
use domain::{ConcertId, Points, Rejection, ReservationId, ReservationStatus, ScheduleId, SeatId, Timestamp};
use projections::Behind;

use super::*;
use crate::catalog::CatalogError;
use crate::engine::Undecided;
use crate::identity::{Reason, Refusal, Role};

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
        (ReservationNotPayable { status }, 409, "reservation-not-payable", json!({ "reservationStatus": "CANCELLED" })),
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
fn a_part_of_a_catalogue_that_is_refused_is_told_as_people_read_it() {
    let (place, rejection) = ("concerts[0]".to_owned(), Rejection::ConcertNotFound { concert_id: ConcertId::FIRST });
    let refused = Problem::from(CatalogError::Refused { place, rejection });
    assert_eq!((refused.code(), &*refused.detail), ("concert-not-found", "concerts[0]: There is no concert 1."));
}

#[test]
fn what_was_not_looked_up_is_not_said_to_have_never_happened() {
    for undecided in [Undecided::Overloaded, Undecided::LogUnavailable] {
        let detail = Problem::from(undecided).detail.to_lowercase();
        assert!(detail.contains("earlier request with the same `idempotency-key` may have been processed"), "{detail}");
        assert!(!detail.contains("happened") && !detail.contains("did not happen"), "{detail}");
    }
}

#[test]
fn clients_come_back_in_1_to_3_seconds() {
    let told: std::collections::BTreeSet<u32> = (0..1_000).map(|_| retry_seconds()).collect();
    assert_eq!(told, (1..=MAX_RETRY_SECONDS).collect());
}
