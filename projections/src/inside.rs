//! Until when (in sale time) those inside the room may stay at most: how long a slot takes to become free, whoever leaves.

use domain::{Agenda, SaleTime, Token, TokenStatus};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

const MILLIS_PER_SECOND: i64 = 1_000;

/// How many have to leave in each second at the latest, those with a slot only. By second, so that there are no more of
/// them than seconds in which somebody may stay, however large the room is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Inside {
    leaving: OrdMap<i64, u32>,
}

impl Inside {
    /// When so many of those inside will have left at the latest. `None` where fewer are inside.
    pub(crate) fn left_by(&self, many: u64) -> Option<SaleTime> {
        let mut left = 0;
        let second = self.leaving.iter().find(|(_, leaving)| {
            left += u64::from(**leaving);
            left >= many
        });
        second.map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }

    /// When the last of them will have left.
    pub(crate) fn all_left(&self) -> Option<SaleTime> {
        self.leaving.get_max().map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }
}

/// The second of a deadline, where the token takes a slot until then.
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
