//! What a room has to do next. Decisions rest on it; who only shows the room need not have it in memory.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::{Token, TokenStatus};
use crate::values::{SaleTime, TokenId, UserId};

/// Hears of every token that comes in line or in the room, and that leaves.
pub trait Agenda {
    /// It is waiting or active now, with this deadline.
    fn enter(&mut self, token: &Token, deadline: SaleTime);
    /// It is not any more what it was.
    fn leave(&mut self, before: &Token, deadline: SaleTime);
}

/// Nothing is to be done.
impl Agenda for () {
    fn enter(&mut self, _: &Token, _: SaleTime) {}
    fn leave(&mut self, _: &Token, _: SaleTime) {}
}

/// Whose turn it is, whose time is over, and which token is a user's own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ToDo {
    /// By the number with which each came.
    pub line: OrdMap<u64, TokenId>,
    /// Of active tokens; those of waiting ones are in the order of the line.
    pub deadlines: OrdSet<(SaleTime, TokenId)>,
    /// A user's waiting or active token.
    pub in_room: OrdMap<UserId, TokenId>,
}

impl Agenda for ToDo {
    fn enter(&mut self, token: &Token, deadline: SaleTime) {
        self.in_room.insert(token.user_id, token.token_id);
        if token.status == TokenStatus::Waiting {
            self.line.insert(token.queue_number, token.token_id);
        } else {
            self.deadlines.insert((deadline, token.token_id));
        }
    }

    fn leave(&mut self, before: &Token, deadline: SaleTime) {
        if self.in_room.get(&before.user_id) == Some(&before.token_id) {
            self.in_room.remove(&before.user_id);
        }
        if before.status == TokenStatus::Waiting {
            self.line.remove(&before.queue_number);
        } else {
            self.deadlines.remove(&(deadline, before.token_id));
        }
    }
}
