//! What was asked with an idempotency key: where the answer stands in the log.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits::{MAX_KEYS, MAX_KEYS_PER_USER, REMEMBERED_SECONDS};
use crate::record::{ActorName, RecordedEvent};
use crate::values::{Fingerprint, Position, Timestamp};

/// The first use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstUse {
    /// What was asked.
    pub request: Fingerprint,
    /// Where the command's last event stands: the one that the answer tells of.
    pub position: Position,
    recorded_at: Timestamp,
}

/// Whose a key is: a user's number, or a number of an operator's name, which no user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct KeyOwner(u64);

impl KeyOwner {
    /// Above every user's number.
    const OPERATORS: u64 = 1 << 63;

    fn of(actor: &ActorName) -> Option<Self> {
        match actor {
            ActorName::User(user_id) => Some(Self(user_id.get())),
            ActorName::Operator(name) => {
                let hash: [u8; 32] = Sha256::digest(name.as_str()).into();
                let first = u64::from_be_bytes(*hash.first_chunk().expect("32 bytes have 8"));
                Some(Self(first | Self::OPERATORS))
            }
            ActorName::System => None,
        }
    }
}

/// Keys of the last 24 hours, the last 1,024 of each user, the last 4,000,000 in all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdempotencyKeys {
    by_key: OrdMap<(KeyOwner, Fingerprint), FirstUse>,
    by_age: OrdMap<Position, (KeyOwner, Fingerprint)>,
    by_user: OrdSet<(KeyOwner, Position)>,
    /// How many keys of each user there are.
    counts: OrdMap<KeyOwner, usize>,
    #[serde(skip, default = "max_keys")]
    max_keys: usize,
}

fn max_keys() -> usize {
    MAX_KEYS
}

impl Default for IdempotencyKeys {
    fn default() -> Self {
        Self {
            by_key: OrdMap::new(),
            by_age: OrdMap::new(),
            by_user: OrdSet::new(),
            counts: OrdMap::new(),
            max_keys: MAX_KEYS,
        }
    }
}

impl IdempotencyKeys {
    /// What they first asked with the key, unless that was 24 hours before `now`.
    pub fn first_use(&self, by: &ActorName, key: Fingerprint, now: Timestamp) -> Option<FirstUse> {
        let first = self.by_key.get(&(KeyOwner::of(by)?, key))?;
        (now < first.recorded_at.plus_seconds(REMEMBERED_SECONDS)).then_some(*first)
    }

    pub(super) fn remember(&mut self, recorded: &RecordedEvent) {
        let metadata = &recorded.metadata;
        let (Some(idempotency), Some(owner), true) =
            (metadata.idempotency, KeyOwner::of(&metadata.actor), metadata.is_last())
        else {
            return;
        };
        let (position, recorded_at) = (recorded.head.position, recorded.recorded_at);
        let first = FirstUse { request: idempotency.request, position, recorded_at };
        if let Some(forgotten) = self.by_key.get(&(owner, idempotency.key)).copied() {
            self.remove(forgotten.position);
        }
        self.by_key.insert((owner, idempotency.key), first);
        self.by_age.insert(position, (owner, idempotency.key));
        self.by_user.insert((owner, position));
        let count = self.counts.entry(owner).or_default();
        *count += 1;
        if *count > MAX_KEYS_PER_USER {
            let (_, oldest) = *self.by_user.get_next(&(owner, Position::START)).expect("the user has one");
            self.remove(oldest);
        }
        if self.by_age.len() > self.max_keys {
            let (oldest, _) = *self.by_age.get_min().expect("it is not empty");
            self.remove(oldest);
        }
    }

    pub(super) fn forget(&mut self, recorded_at: Timestamp) {
        while let Some((oldest, owner)) = self.by_age.get_min()
            && let Some(first) = self.by_key.get(owner)
            && first.recorded_at.plus_seconds(REMEMBERED_SECONDS) <= recorded_at
        {
            self.remove(*oldest);
        }
    }

    fn remove(&mut self, position: Position) {
        let Some(owner) = self.by_age.remove(&position) else { return };
        self.by_key.remove(&owner);
        let (owner, _) = owner;
        self.by_user.remove(&(owner, position));
        let Some(count) = self.counts.get_mut(&owner) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Action, Command, Credential, Decided};
    use crate::decisions::{ChargePoints, IssueToken};
    use crate::record::{IdempotencyKey, Metadata, OperatorName};
    use crate::rejection::Rejection;
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
        assert_eq!((idempotency.by_key.len(), idempotency.by_age.len()), (1, 1));
        let none = requests.write(DAY + 1, metadata()).state.idempotency;
        assert!(none.by_key.is_empty() && none.by_age.is_empty() && none.by_user.is_empty() && none.counts.is_empty());
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
        assert_eq!(whole.state.idempotency.by_age.len(), 1);
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
}
