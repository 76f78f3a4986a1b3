//! The shapes of problems. Each kind has its own shape, named by its code.

use utoipa::openapi::schema::{AllOfBuilder, Discriminator, OneOfBuilder};

use super::schema::{Member, Shape, count, id, integer, list, may, named, needs, nullable, object, text, time, word};
use crate::api::shared::kinds::{self, ProblemKind};

/// The name of the shape that all problems have.
pub const PROBLEM: &str = "Problem";

/// The shape that all problems have.
pub fn problem() -> Shape {
    object([
        needs("type", text()),
        needs("title", text()),
        needs("status", integer(400..=599)),
        needs("detail", text()),
        needs("code", text()),
        needs("instance", text()),
    ])
}

/// The shape of one kind.
pub fn of_kind(kind: &'static ProblemKind) -> Shape {
    let own = [needs("code", word([kind.code]))].into_iter().chain(members(kind));
    AllOfBuilder::new().item(named(PROBLEM)).item(object(own)).description(Some(kind.title)).into()
}

/// One of these kinds.
pub fn any_of(kinds: &[&'static ProblemKind]) -> Shape {
    if let [only] = kinds {
        return named(only.code);
    }
    let one_of = kinds.iter().fold(OneOfBuilder::new(), |one_of, kind| one_of.item(named(kind.code)));
    // A code is the name of its shape.
    one_of.discriminator(Some(Discriminator::new("code"))).into()
}

/// The further members of a kind.
fn members(kind: &'static ProblemKind) -> Vec<Member> {
    let field = || object([needs("field", text()), needs("message", text())]);
    match kind.code {
        "invalid-request" => vec![needs("errors", list(field()))],
        "identity-invalid" => vec![needs("reason", text())],
        "role-missing" => vec![needs("roles", list(word(["viewer", "operator", "cashier"])))],
        "not-admitted" => vec![
            needs("queueNumber", nullable(count())),
            needs("servingNumber", count()),
            needs("ahead", nullable(count())),
        ],
        "seat-taken" => vec![needs("seatIds", list(id()))],
        "seat-limit-reached" => vec![needs("limit", count())],
        "not-together" => vec![needs("largestBlock", count())],
        "insufficient-points" => vec![needs("balance", count()), needs("required", count())],
        "amount-mismatch" => vec![needs("required", count())],
        "reservation-not-payable" => vec![needs("reservationStatus", text())],
        "sale-paused" => vec![needs("pauseReason", text()), needs("resumesAt", nullable(time()))],
        "not-on-sale" => vec![needs("saleOpensAt", time()), needs("saleClosesAt", time())],
        "beacon-not-due" => vec![needs("beaconAt", time())],
        "not-extendable" => vec![may("extendableFrom", time())],
        _ => Vec::new(),
    }
}

/// Groups the kinds by status, in rising order.
pub fn by_status(mut kinds: Vec<&'static ProblemKind>) -> Vec<(u16, Vec<&'static ProblemKind>)> {
    kinds.sort_by_key(|kind| (kind.status, kind.code));
    kinds.dedup();
    let statuses = kinds.chunk_by(|one, other| one.status == other.status);
    statuses.map(|kinds| (kinds[0].status.as_u16(), kinds.to_vec())).collect()
}

/// Problems that every route may answer.
pub const ANY: [&ProblemKind; 5] = [
    &kinds::MALFORMED_HEADER,
    &kinds::RATE_LIMITED,
    &kinds::INTERNAL,
    &kinds::TRANSFER_CODING_UNKNOWN,
    // While the server waits for its log.
    &kinds::LOG_UNAVAILABLE,
];
