//! Registering a user: a subject of the identity provider becomes a user before their first visit.
//!
//! Rejections: [`Rejection::OtherIdentity`].

use crate::answer::Answer;
use crate::event::UserRegistered;
use crate::rejection::Rejection;
use crate::rule::{Actor, Decide, Decided, Decision};
use crate::state::State;
use crate::values::{Hash, Timestamp};

/// Makes the subject a user. A second request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterUser {
    /// HMAC-SHA-256 of issuer and subject, made by the HTTP layer.
    pub subject: Hash,
}

impl Decide for RegisterUser {
    fn decide(&self, _: &Actor, state: &State, now: Timestamp) -> Decision {
        if let Some(user_id) = state.users.of_subject(&self.subject) {
            return Ok(Decided::Already(Answer::User(user_id)));
        }
        if state.users.are_mapped() == Some(false) {
            return Err(Rejection::OtherIdentity);
        }
        let (user_id, subject) = (state.users.next_id(), self.subject);
        Ok(Decided::one(UserRegistered { user_id, subject, registered_at: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Credential;
    use crate::decisions::{ChargePoints, IssueToken};
    use crate::spec::*;
    use crate::values::Points;

    fn register(number: u8) -> RegisterUser {
        RegisterUser { subject: subject(number) }
    }

    fn issue(user_id: Option<crate::values::UserId>) -> IssueToken {
        IssueToken { user_id, seed: seed(ANN), token_hash: token_hash(ANN) }
    }

    #[test]
    fn users_are_counted_from_one_and_registered_once() {
        given([room(1)]).when(Credential::OPERATOR, register(7)).then([registered(ANN, 7)]);
        given([room(1), registered(ANN, 7)]).when(Credential::OPERATOR, register(8)).then([registered(BOB, 8)]);
        given([room(1), registered(ANN, 7)]).when(Credential::OPERATOR, register(7)).already(Answer::User(ANN));
    }

    #[test]
    fn a_subject_that_comes_for_the_first_time_is_registered_before_its_token() {
        let by = || Credential::Subject(subject(7));
        given([room(1)]).when(by(), issue(None)).then([registered(ANN, 7), admitted(ANN, 1)]);
        let known = || given([room(1), registered(ANN, 7)]);
        known().when(by(), issue(None)).then([admitted(ANN, 1)]);
        known().when(by(), issue(Some(ANN))).then([admitted(ANN, 1)]);
        known().when(by(), issue(Some(BOB))).refuses(Rejection::NotYours);
    }

    #[test]
    fn in_one_log_all_users_are_mapped_or_none() {
        let own = given([room(1), admitted(ANN, 1)]);
        own.when(Credential::OPERATOR, register(7)).refuses(Rejection::OtherIdentity);
        let own = given([room(1), admitted(ANN, 1)]);
        own.when(Credential::Subject(subject(7)), issue(None)).refuses(Rejection::OtherIdentity);
        let mapped = given([room(1), registered(ANN, 7)]);
        mapped.when(user(BOB), issue(Some(BOB))).refuses(Rejection::OtherIdentity);
    }

    #[test]
    fn money_can_come_in_before_the_first_visit() {
        let charge = |user_id| ChargePoints { user_id, amount: Points::new(5) };
        given([registered(ANN, 7)]).when(Credential::OPERATOR, charge(ANN)).then([charged(ANN, 5, 5)]);
        given([registered(ANN, 7)])
            .when(Credential::OPERATOR, charge(BOB))
            .refuses(Rejection::UserNotFound { user_id: BOB });
    }
}
