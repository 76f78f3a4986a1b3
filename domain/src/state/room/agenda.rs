//! The agenda: what a room has to do next. Decisions need it. Read models, which only show the room, do without it.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::{Token, TokenStatus};
use crate::values::{SaleTime, TokenId, UserId};

/// Is told of every token that comes in line or into the room, and of every one that leaves.
pub trait Agenda {
    /// Called when a token becomes waiting or active with this deadline.
    fn enter(&mut self, token: &Token, deadline: SaleTime);
    /// Called when a token stops being waiting or active, or gets another deadline.
    fn leave(&mut self, before: &Token, deadline: SaleTime);
}

/// An empty agenda, for read models.
impl Agenda for () {
    fn enter(&mut self, _: &Token, _: SaleTime) {}
    fn leave(&mut self, _: &Token, _: SaleTime) {}
}

/// The agenda of decisions: whose turn it is, which deadlines are over, and which token a user has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ToDo {
    /// Waiting tokens by the number that they came with.
    pub line: OrdMap<u64, TokenId>,
    /// Deadlines of active tokens. Deadlines of waiting tokens are in the order of the line.
    pub deadlines: OrdSet<(SaleTime, TokenId)>,
    /// The waiting or active token of each user.
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
