//! A charge as it is asked for, by whoever may put money into a wallet.

use domain::limits::MAX_CHARGE;
use domain::{Action, ChargePoints, Points};

use super::command::CommandRequest;
use super::contract::schema::{Shape, body, integer, needs};
use super::problem::Problem;

/// What its body holds.
pub fn taken() -> Shape {
    body([needs("amount", integer(1..=MAX_CHARGE.get()))])
}

/// The charge of the user in the path that the request asks for.
///
/// # Errors
/// The path or the body is wrong.
pub fn asked(request: &CommandRequest) -> Result<Action, Problem> {
    let user_id = request.path.id("userId")?;
    let mut members = request.members()?;
    let amount = members.integer("amount", 1..=MAX_CHARGE.get());
    let amount = members.complete(amount.map(Points::new))?;
    Ok(Action::ChargePoints(ChargePoints { user_id, amount }))
}
