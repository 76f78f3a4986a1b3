//! The request of a charge, for the routes of buyers, cashiers and operators.

use domain::limits::MAX_CHARGE;
use domain::{Action, ChargePoints, Points};

use super::command::CommandRequest;
use super::contract::schema::{Shape, body, integer, needs};
use super::problem::Problem;
use crate::identity::Role;

/// The roles that may charge any wallet, and find users.
pub const CHARGES: &[Role] = &[Role::Cashier, Role::Operator];

/// The shape of the body.
pub fn taken() -> Shape {
    body([needs("amount", integer(1..=MAX_CHARGE.get()))])
}

/// Makes the charge that the request asks for. The user is in the path.
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
