//! The deadlines (in sale time) of all tokens inside the room: they show how long a slot takes to become free at most.

use domain::{Agenda, SaleTime, Token, TokenStatus};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

const MILLIS_PER_SECOND: i64 = 1_000;

/// For each second, the number of tokens that must leave in it at the latest; tokens without a slot are not counted.
/// There is one entry per second, so the size does not grow with the room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inside {
    leaving: OrdMap<i64, u32>,
}

impl Inside {
    /// The time at which `many` tokens will have left at the latest. `None` if fewer are inside.
    pub(crate) fn left_by(&self, many: u64) -> Option<SaleTime> {
        let mut left = 0;
        let second = self.leaving.iter().find(|(_, leaving)| {
            left += u64::from(**leaving);
            left >= many
        });
        second.map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }

    /// The time at which the last token will have left.
    pub(crate) fn all_left(&self) -> Option<SaleTime> {
        self.leaving.get_max().map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }
}

/// The second of a token's deadline. `None` if the token takes no slot.
fn second_of(token: &Token, deadline: SaleTime) -> Option<i64> {
    let takes_a_slot = token.status == TokenStatus::Active && !token.is_granted();
    takes_a_slot.then(|| deadline.millis().div_euclid(MILLIS_PER_SECOND))
}

impl Agenda for Inside {
    fn enter(&mut self, token: &Token, deadline: SaleTime) {
        if let Some(second) = second_of(token, deadline) {
            *self.leaving.entry(second).or_default() += 1;
        }
    }

    fn leave(&mut self, before: &Token, deadline: SaleTime) {
        let Some(second) = second_of(before, deadline) else { return };
        let Some(leaving) = self.leaving.get_mut(&second) else { return };
        *leaving -= 1;
        if *leaving == 0 {
            self.leaving.remove(&second);
        }
    }
}
