//! The agenda: what the room has to do next, and for how long it can be full.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::{Token, TokenStatus};
use crate::state::changed;
use crate::values::{SaleTime, TokenId, UserId};

const MILLIS_PER_SECOND: i64 = 1_000;

/// Whose turn it is, which deadlines are over, and which token a user has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Agenda {
    /// Waiting tokens by the number that they came with.
    pub(super) line: OrdMap<u64, TokenId>,
    /// Deadlines of active tokens. Deadlines of waiting tokens are in the order of the line.
    pub(super) deadlines: OrdSet<(SaleTime, TokenId)>,
    /// The waiting or active token of each user.
    pub(super) in_room: OrdMap<UserId, TokenId>,
    /// For each second, the number of tokens that must leave in it at the latest. Tokens without a slot are not counted.
    leaving: OrdMap<i64, u32>,
}

impl Agenda {
    /// The time at which `many` tokens with a slot will have left at the latest. `None` if fewer are inside.
    pub fn left_by(&self, many: u64) -> Option<SaleTime> {
        let mut left = 0;
        let second = self.leaving.iter().find(|(_, leaving)| {
            left += u64::from(**leaving);
            left >= many
        });
        second.map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }

    /// The time at which the last token with a slot will have left.
    pub fn all_left(&self) -> Option<SaleTime> {
        self.leaving.get_max().map(|(second, _)| SaleTime::from_millis(second * MILLIS_PER_SECOND))
    }

    /// Takes note of a user's token that comes.
    pub(super) fn come(&mut self, token: &Token) {
        self.in_room.insert(token.user_id, token.token_id);
    }

    /// Takes note of a user's token that ends.
    pub(super) fn end(&mut self, token: &Token) {
        if self.in_room.get(&token.user_id) == Some(&token.token_id) {
            self.in_room.remove(&token.user_id);
        }
    }

    /// Takes note of a token that becomes waiting or active with this deadline.
    pub(super) fn enter(&mut self, token: &Token, deadline: SaleTime) {
        if token.status == TokenStatus::Waiting {
            self.line.insert(token.queue_number, token.token_id);
            return;
        }
        self.deadlines.insert((deadline, token.token_id));
        if !token.is_granted() {
            changed(&mut self.leaving, second_of(deadline), |leaving| *leaving += 1);
        }
    }

    /// Takes note of a token that stops being waiting or active, or gets another deadline.
    pub(super) fn leave(&mut self, before: &Token, deadline: SaleTime) {
        if before.status == TokenStatus::Waiting {
            self.line.remove(&before.queue_number);
            return;
        }
        if self.deadlines.remove(&(deadline, before.token_id)).is_none() || before.is_granted() {
            return;
        }
        let second = second_of(deadline);
        if let Some(leaving) = self.leaving.get_mut(&second) {
            *leaving -= 1;
            if *leaving == 0 {
                self.leaving.remove(&second);
            }
        }
    }
}

fn second_of(deadline: SaleTime) -> i64 {
    deadline.millis().div_euclid(MILLIS_PER_SECOND)
}
