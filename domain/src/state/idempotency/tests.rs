use super::*;
use crate::command::{Command, Credential};
use crate::decisions::Action;
use crate::decisions::{ChargePoints, IssueToken};
use crate::record::{IdempotencyKey, Metadata, OperatorName};
use crate::rejection::Rejection;
use crate::rule::Decided;
use crate::spec::*;
use crate::state::State;
use crate::values::{Points, UserId};

const DAY: i64 = 24 * 60 * 60;

fn fingerprint(number: u64) -> Fingerprint {
    Fingerprint::new(u128::from(number).to_be_bytes())
}

/// The `key`th key with the `request`th request.
fn keyed(key: u64, request: u64) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: fingerprint(key), request: fingerprint(request) })
}

/// A log in which requests with keys are made.
struct Requests {
    state: State,
}

/// ANN and BOB have fixed tokens, which last a day, and ANN a token that she left.
fn requests(max_keys: usize) -> Requests {
    let idempotency = IdempotencyKeys { max_keys, ..IdempotencyKeys::default() };
    let before = [admitted(ANN, 1), left(ANN, 1), granted(ANN, 2, None), granted(BOB, 3, None)];
    let state = State { idempotency, ..given([room(9)]).and(before).state().clone() };
    Requests { state }
}

impl Requests {
    /// One event of a request, at `seconds`.
    fn write(mut self, seconds: i64, metadata: Metadata) -> Self {
        let event = charged(EVE, 1, 1);
        let record = recorded(&self.state.head, T0.plus_seconds(seconds), event);
        self.state.apply(&RecordedEvent { metadata, ..record });
        self
    }

    /// A request of one event, at `seconds`, by that user with the `key`th key.
    fn made(self, seconds: i64, by: UserId, key: u64, request: u64) -> Self {
        let actor = ActorName::User(by);
        self.write(seconds, Metadata { actor, idempotency: keyed(key, request), ..metadata() })
    }

    /// What a request with that key comes to, at `seconds`: `Ok(None)` where it is decided afresh.
    fn asked(&self, seconds: i64, by: Credential, key: u64, request: u64) -> Result<Option<Position>, Rejection> {
        let user_id = if by == fixed_token(BOB) { BOB } else { ANN };
        let charge = ChargePoints { user_id, amount: Points::new(1) };
        let command = Command { by, idempotency: keyed(key, request), action: Action::ChargePoints(charge) };
        let (_, decided) = command.decide(&self.state, T0.plus_seconds(seconds))?;
        Ok(if let Decided::Repeated(position) = decided { Some(position) } else { None })
    }

    /// Which of ANN's keys are known at `seconds`.
    fn known(&self, seconds: i64, keys: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let now = T0.plus_seconds(seconds);
        let known =
            |key: &u64| self.state.idempotency.first_use(&ActorName::User(ANN), fingerprint(*key), now).is_some();
        keys.into_iter().filter(known).collect()
    }
}

#[test]
fn the_same_request_with_the_same_key_is_answered_by_the_first() {
    let requests = requests(9).made(0, ANN, 1, 1).made(0, ANN, 2, 2);
    assert_eq!(requests.asked(0, fixed_token(ANN), 1, 1), Ok(Some(Position::new(6))));
    assert_eq!(requests.asked(0, fixed_token(ANN), 2, 2), Ok(Some(Position::new(7))));
    assert_eq!(requests.asked(0, fixed_token(ANN), 3, 3), Ok(None));
}

#[test]
fn another_request_with_the_same_key_is_refused() {
    let requests = requests(9).made(0, ANN, 1, 1);
    assert_eq!(requests.asked(0, fixed_token(ANN), 1, 2), Err(Rejection::IdempotencyKeyReused));
}

#[test]
fn a_key_that_another_user_used_is_free() {
    let requests = requests(9).made(0, BOB, 1, 1);
    assert_eq!(requests.asked(0, fixed_token(ANN), 1, 2), Ok(None));
}

#[test]
fn a_key_works_with_any_token_of_its_user() {
    let requests = requests(9).made(0, ANN, 1, 1);
    assert_eq!(requests.asked(0, token(ANN), 1, 1), Ok(Some(Position::new(6))));
    assert_eq!(requests.asked(0, token(ANN), 1, 2), Err(Rejection::IdempotencyKeyReused));
}

#[test]
fn a_key_works_for_those_whom_the_edge_knows() {
    let requests = requests(9).made(0, ANN, 1, 1);
    let issue = Action::IssueToken(IssueToken { user_id: Some(ANN), seed: seed(ANN), token_hash: token_hash(ANN) });
    let again = Command { by: user(ANN), idempotency: keyed(1, 1), action: issue };
    let (_, decided) = again.decide(&requests.state, T0).unwrap();
    assert_eq!(decided, Decided::Repeated(Position::new(6)));
}

#[test]
fn who_is_nobody_has_no_keys() {
    let requests = requests(9).made(0, ANN, 1, 1);
    let refused = requests.asked(0, Credential::Token(token_hash(EVE)), 1, 1);
    assert_eq!(refused, Err(Rejection::TokenUnknown));
}

#[test]
fn a_key_is_kept_for_a_day() {
    let requests = requests(9).made(60, ANN, 1, 1);
    assert_eq!(requests.known(60 + DAY - 1, [1]), [1]);
    assert!(requests.known(60 + DAY, [1]).is_empty());
}

#[test]
fn a_key_is_dropped_by_the_first_record_after_its_day() {
    let requests = requests(9).made(0, ANN, 1, 1).made(1, ANN, 2, 2).write(DAY, metadata());
    assert!(requests.known(0, [1]).is_empty());
    assert_eq!(requests.known(0, [2]), [2]);
    let idempotency = &requests.state.idempotency;
    assert_eq!((idempotency.by_key.len(), idempotency.by_owner.len()), (1, 1));
    let none = requests.write(DAY + 1, metadata()).state.idempotency;
    assert!(none.uses.is_empty() && none.by_key.is_empty() && none.by_owner.is_empty() && none.counts.is_empty());
}

#[test]
fn a_key_used_again_after_its_day_counts_from_then_on() {
    let requests = requests(2).made(0, ANN, 1, 1).made(60, ANN, 2, 2).made(DAY, ANN, 1, 7).made(DAY, ANN, 3, 3);
    assert_eq!(requests.known(DAY, [1, 2, 3]), [1, 3]);
    assert_eq!(requests.state.idempotency.counts[&KeyOwner::of(&ActorName::User(ANN)).unwrap()], 2);
    let (ann, at) = (ActorName::User(ANN), T0.plus_seconds(2 * DAY - 1));
    let again = requests.state.idempotency.first_use(&ann, fingerprint(1), at).unwrap();
    assert_eq!((again.request, again.position), (fingerprint(7), Position::new(8)));
}

#[test]
fn the_last_1024_keys_of_a_user_are_kept_and_the_oldest_goes_first() {
    let full = (1..=1_024).fold(requests(9_999).made(0, BOB, 1, 1), |made, key| made.made(0, ANN, key, key));
    assert_eq!(full.known(0, [1, 2, 1_024]), [1, 2, 1_024]);
    let over = full.made(0, ANN, 1_025, 1);
    assert_eq!(over.known(0, [1, 2, 1_024, 1_025]), [2, 1_024, 1_025]);
    assert_eq!(over.asked(0, fixed_token(BOB), 1, 1), Ok(Some(Position::new(6))));
}

#[test]
fn where_there_are_too_many_in_all_the_oldest_goes_first_whosever_it_is() {
    let full = requests(3).made(0, BOB, 1, 1).made(0, ANN, 1, 1).made(0, ANN, 2, 2);
    assert_eq!(full.asked(0, fixed_token(BOB), 1, 1), Ok(Some(Position::new(6))));
    let over = full.made(0, ANN, 3, 3);
    assert_eq!(over.asked(0, fixed_token(BOB), 1, 1), Ok(None));
    assert_eq!(over.known(0, 1..=3), [1, 2, 3]);
}

#[test]
fn the_limit_in_all_is_four_million() {
    assert_eq!(IdempotencyKeys::default().max_keys, 4_000_000);
}

#[test]
fn of_a_command_with_several_events_the_last_is_remembered() {
    let event = |index: u32| {
        let actor = ActorName::User(ANN);
        Metadata { actor, index, count: 3, idempotency: keyed(1, 1), ..metadata() }
    };
    let unfinished = requests(9).write(0, event(0)).write(0, event(1));
    assert_eq!(unfinished.asked(0, fixed_token(ANN), 1, 1), Ok(None));
    let whole = unfinished.write(0, event(2));
    assert_eq!(whole.asked(0, fixed_token(ANN), 1, 1), Ok(Some(Position::new(8))));
    assert_eq!(whole.state.idempotency.by_key.len(), 1);
}

#[test]
fn what_the_server_itself_does_is_not_remembered() {
    let by_itself = Metadata { actor: ActorName::System, idempotency: keyed(1, 1), ..metadata() };
    assert!(requests(9).write(0, by_itself).state.idempotency.by_key.is_empty());
}

#[test]
fn each_operator_has_a_space_of_their_own_and_none_is_a_users() {
    let subject = OperatorName::of_subject;
    let operators = [OperatorName::ANYONE, OperatorName::of_local_user(1), subject("1"), subject("ann")];
    let made = |name: &OperatorName| Metadata {
        actor: ActorName::Operator(name.clone()),
        idempotency: keyed(1, 1),
        ..metadata()
    };
    let all = operators.iter().fold(requests(9), |requests, name| requests.write(0, made(name)));
    let first =
        |actor: &ActorName| all.state.idempotency.first_use(actor, fingerprint(1), T0).map(|first| first.position);
    let positions: Vec<_> = operators.iter().map(|name| first(&ActorName::Operator(name.clone()))).collect();
    assert_eq!(positions, [6, 7, 8, 9].map(|position| Some(Position::new(position))));
    assert_eq!(first(&ActorName::User(ANN)), None);
    let charge = Command {
        by: Credential::OPERATOR,
        idempotency: keyed(1, 2),
        action: ChargePoints { user_id: ANN, amount: Points::new(1) }.into(),
    };
    assert_eq!(charge.decide(&all.state, T0).unwrap_err(), Rejection::IdempotencyKeyReused);
}

#[test]
fn a_request_without_a_key_is_not_remembered() {
    let requests = requests(9).write(0, Metadata { actor: ActorName::User(ANN), ..metadata() });
    assert!(requests.state.idempotency.by_key.is_empty());
}

#[test]
fn a_refusal_is_not_remembered_and_decided_afresh() {
    let refused_or_not = |state: &State| {
        let charge = ChargePoints { user_id: BOB, amount: Points::new(1) };
        let command = Command { by: fixed_token(ANN), idempotency: keyed(1, 1), action: charge.into() };
        command.decide(state, T0).map(|(_, decided)| decided)
    };
    let requests = requests(9);
    assert_eq!(refused_or_not(&requests.state), Err(Rejection::NotYours));
    assert_eq!(refused_or_not(&requests.state), Err(Rejection::NotYours));
    assert_eq!(requests.asked(0, fixed_token(ANN), 1, 2), Ok(None));
}

#[test]
fn a_known_key_is_answered_before_anything_is_decided() {
    let requests = requests(9).made(0, ANN, 1, 1);
    let not_hers = ChargePoints { user_id: BOB, amount: Points::new(1) };
    let command = |request: u64| Command {
        by: fixed_token(ANN),
        idempotency: keyed(1, request),
        action: not_hers.clone().into(),
    };
    let decided = |request: u64| command(request).decide(&requests.state, T0).map(|(_, decided)| decided);
    assert_eq!(decided(1), Ok(Decided::Repeated(Position::new(6))));
    assert_eq!(decided(2), Err(Rejection::IdempotencyKeyReused));
}
