//! Makers of events of users and of points.

use super::cast::subject;
use crate::event::{Event, PointsAdjusted, PointsCharged, UserRegistered};
use crate::spec::T0;
use crate::values::{Points, UserId};

/// The subject with this number is that user.
pub fn registered(user_id: UserId, number: u8) -> Event {
    UserRegistered { user_id, subject: subject(number), registered_at: T0 }.into()
}

/// Points came in.
pub fn charged(user_id: UserId, amount: u64, balance_after: u64) -> Event {
    Event::from(PointsCharged {
        user_id,
        amount: Points::new(amount),
        balance_after: Points::new(balance_after),
        charged_at: T0,
    })
}

/// An operator puts a wallet right.
pub fn adjusted(user_id: UserId, amount: i64, balance_after: u64) -> Event {
    let (balance_after, reason) = (Points::new(balance_after), "charged twice".to_owned());
    PointsAdjusted { user_id, amount, balance_after, reason, corrects: None, adjusted_at: T0 }.into()
}
