//! Who is known by which token, for how long, and how the line moves.

use super::*;
use crate::event::{Event, RoomEvent, TokenIssued};
use crate::limits::{ACTIVE_SECONDS, FINISHED_SECONDS, GRANTED_SECONDS, WAITING_SECONDS};
use crate::spec::*;

const DAY: i64 = 24 * 60 * 60;

fn token_id(number: u64) -> TokenId {
    TokenId::try_from(number).unwrap()
}

/// The hash of the user's token with this number: here users have several.
fn hash(number: u64) -> TokenHash {
    TokenHash::new([number as u8; 32])
}

/// The user's active token `number`, under a hash of its own.
fn active(user_id: UserId, number: u64) -> Event {
    let mut event = admitted(user_id, number);
    if let Event::Room(RoomEvent::TokenIssued(TokenIssued { token_hash, .. })) = &mut event {
        *token_hash = hash(number);
    }
    event
}

/// A token that came and went.
fn ended(user_id: UserId, number: u64) -> [Event; 2] {
    [active(user_id, number), left(user_id, number)]
}

impl Given {
    /// What a token's hash names, some milliseconds after the start.
    fn known(&self, hash: &TokenHash, millis: i64) -> Result<TokenId, Rejection> {
        let now = Timestamp::from_millis(T0.millis() + millis);
        self.state().room.identify(hash, now).map(|token| token.token_id)
    }

    /// The token is known until `seconds` after the start, expired for a day, and then unknown.
    fn is_known_until(&self, hash: &TokenHash, number: u64, seconds: i64) {
        let deadline = seconds * 1_000;
        assert_eq!(self.known(hash, deadline - 1), Ok(token_id(number)));
        self.is_expired_from(hash, seconds);
    }

    /// The token is expired from `seconds` after the start on, for a day, and then unknown.
    fn is_expired_from(&self, hash: &TokenHash, seconds: i64) {
        let deadline = seconds * 1_000;
        assert_eq!(self.known(hash, deadline), Err(Rejection::TokenExpired));
        assert_eq!(self.known(hash, deadline + DAY * 1_000 - 1), Err(Rejection::TokenExpired));
        assert_eq!(self.known(hash, deadline + DAY * 1_000), Err(Rejection::TokenUnknown));
    }

    fn numbers_known(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
        numbers.into_iter().filter(|number| self.known(&hash(*number), 0).is_ok()).collect()
    }
}

#[test]
fn a_token_never_issued_is_unknown() {
    assert_eq!(given([]).known(&hash(1), 0), Err(Rejection::TokenUnknown));
}

#[test]
fn a_waiting_token_names_its_user_for_a_day() {
    given([room(0), waiting(ANN, 1)]).is_known_until(&token_hash(ANN), 1, WAITING_SECONDS);
}

#[test]
fn an_active_token_names_its_user_for_ten_minutes() {
    given([room(1), admitted(ANN, 1)]).is_known_until(&token_hash(ANN), 1, ACTIVE_SECONDS);
}

#[test]
fn who_is_let_in_is_active_for_ten_minutes_from_then_on() {
    let late = WAITING_SECONDS - 1;
    let line = given([room(1), waiting(ANN, 1)]).after_seconds(late).and([let_in(ANN, 1).at_seconds(late)]);
    line.is_known_until(&token_hash(ANN), 1, late + ACTIVE_SECONDS);
}

#[test]
fn a_granted_token_names_its_user_for_a_day() {
    given([granted(ANN, 1, None)]).is_known_until(&fixed_hash(ANN), 1, GRANTED_SECONDS);
}

#[test]
fn who_left_is_known_for_a_day_from_then_on() {
    let gone = left(ANN, 1).at_seconds(60);
    let room = given([room(1), admitted(ANN, 1)]).after_seconds(60).and([gone]);
    room.is_known_until(&token_hash(ANN), 1, 60 + FINISHED_SECONDS);
}

#[test]
fn who_paid_is_known_for_a_day_from_then_on() {
    let paid = paid(1, 1, ANN, [1], 0).finishing(1).at_seconds(60);
    let sold = on_sale([admitted(ANN, 1), held(1, ANN, [1])]).after_seconds(60).and([paid]);
    sold.is_known_until(&token_hash(ANN), 1, 60 + FINISHED_SECONDS);
    assert_eq!(sold.state().room.token(token_id(1)).unwrap().status, TokenStatus::Finished);
}

#[test]
fn a_published_expiry_changes_nothing_of_what_is_known() {
    let over = given([room(1), admitted(ANN, 1)])
        .after_seconds(ACTIVE_SECONDS + 5)
        .and([expired(ANN, 1).at_seconds(ACTIVE_SECONDS + 5)]);
    over.is_expired_from(&token_hash(ANN), ACTIVE_SECONDS);
}

#[test]
fn an_ended_token_names_its_user_beside_a_newer_one() {
    let both = given([room(1)]).and(ended(ANN, 1)).and([active(ANN, 2)]);
    assert_eq!((both.known(&hash(1), 0), both.known(&hash(2), 0)), (Ok(token_id(1)), Ok(token_id(2))));
    assert_eq!(both.state().room.in_room(ANN).unwrap().token_id, token_id(2));
}

#[test]
fn a_token_that_others_let_in_after_its_end_is_forgotten_all_the_same() {
    let twice = given([room(9)]).and(ended(ANN, 1)).and([let_in(ANN, 1)]).after_seconds(9).and([left(ANN, 1)]);
    assert_eq!(twice.state().room.active(), 0);
    let over = twice.after_seconds(FINISHED_SECONDS + DAY).and([charged(BOB, 1, 1)]);
    assert!(over.state().room.token(token_id(1)).is_none());
}

#[test]
fn an_ended_token_is_dropped_by_the_first_record_after_its_time() {
    let over = given([room(1)]).and(ended(ANN, 1));
    let before = FINISHED_SECONDS + DAY - 1;
    let kept = over.after_seconds(before).and([charged(BOB, 1, 1)]);
    assert!(kept.state().room.token(token_id(1)).is_some());
    let dropped = kept.after_seconds(1).and([charged(BOB, 1, 2)]);
    assert!(dropped.state().room.token(token_id(1)).is_none());
    assert!(dropped.state().room.by_hash(&hash(1)).is_none());
}

#[test]
fn of_what_is_forgotten_nothing_is_left() {
    let ends = [active(ANN, 1), active(BOB, 2), left(ANN, 1), expired(BOB, 2), granted(EVE, 3, None)];
    let all_ends = given([room(9)]).and(ends).and((4..=9).flat_map(|number| ended(ANN, number)));
    let at = GRANTED_SECONDS + FINISHED_SECONDS + DAY;
    let over = all_ends.after_seconds(at).and([expired(EVE, 3).at_seconds(at)]);
    let room = &over.state().room;
    assert!(room.tokens.is_empty() && room.by_hash.is_empty() && room.ended.is_empty());
    let Agenda { line, deadlines, in_room, .. } = &room.agenda;
    assert!(line.is_empty() && deadlines.is_empty() && in_room.is_empty());
    assert_eq!(room.agenda.all_left(), None);
    assert!(room.forgettable.is_empty());
}

#[test]
fn the_last_four_ended_tokens_of_a_user_are_known_and_the_fifth_last_is_not() {
    let four = given([room(9)]).and((1..=4).flat_map(|number| ended(ANN, number)));
    assert_eq!(four.numbers_known(1..=4), [1, 2, 3, 4]);
    let five = four.and(ended(ANN, 5));
    assert_eq!(five.known(&hash(1), 0), Err(Rejection::TokenUnknown));
    assert_eq!(five.numbers_known(1..=5), [2, 3, 4, 5]);
}

#[test]
fn expired_tokens_count_among_a_users_last_four() {
    let four = given([room(9), active(ANN, 1), expired(ANN, 1)]).and((2..=4).flat_map(|number| ended(ANN, number)));
    assert_eq!(four.known(&hash(1), 0), Err(Rejection::TokenExpired));
    let five = four.and([active(ANN, 5), expired(ANN, 5)]);
    assert_eq!(five.known(&hash(1), 0), Err(Rejection::TokenUnknown));
    assert_eq!(five.numbers_known(1..=5), [2, 3, 4]);
}

#[test]
fn one_users_ended_tokens_push_out_nobody_elses() {
    let both = given([room(9)]).and(ended(BOB, 1)).and((2..=6).flat_map(|number| ended(ANN, number)));
    assert_eq!(both.numbers_known(1..=6), [1, 3, 4, 5, 6]);
}

#[test]
fn the_oldest_ended_tokens_go_first_where_there_are_too_many_in_all() {
    let users = || (1..=4).map(|number| UserId::try_from(number).unwrap()).zip(1..=4);
    let in_all = |limit: usize| {
        let ends = users().flat_map(|(user_id, number)| ended(user_id, number));
        given_in(Room::with_limits(9, limit), [room(9)]).and(ends)
    };
    assert_eq!(in_all(4).numbers_known(1..=4), [1, 2, 3, 4]);
    assert_eq!(in_all(3).numbers_known(1..=4), [2, 3, 4]);
    assert_eq!(in_all(1).numbers_known(1..=4), [4]);
}

#[test]
fn tokens_in_the_room_do_not_count_among_the_ended() {
    let few = given_in(Room::with_limits(9, 1), [room(9), active(ANN, 1), active(BOB, 2), active(EVE, 3)]);
    assert_eq!(few.and([left(ANN, 1)]).numbers_known(1..=3), [1, 2, 3]);
}

#[test]
fn the_rooms_limits_are_those_of_the_business() {
    let room: Room = Room::default();
    assert_eq!((room.max_waiting, room.max_ended), (5_000_000, 10_000_000));
}

#[test]
fn a_granted_token_comes_alive_again_and_is_not_forgotten_at_its_first_end() {
    let revived = DAY;
    let again = given([granted(ANN, 1, None), left(ANN, 0)])
        .after_seconds(revived)
        .and([granted(ANN, 1, None).at_seconds(revived)]);
    again.is_known_until(&fixed_hash(ANN), 1, revived + GRANTED_SECONDS);
    let token = again.state().room.token(token_id(1)).unwrap().clone();
    assert_eq!((token.status, token.issued_at), (TokenStatus::Active, T0));

    let first_end = FINISHED_SECONDS + DAY;
    let later = again.after_seconds(first_end - revived).and([granted(ANN, 1, None).at_seconds(first_end)]);
    later.is_known_until(&fixed_hash(ANN), 1, first_end + GRANTED_SECONDS);
}

#[test]
fn a_granted_token_that_is_alive_is_not_among_the_ended() {
    let granted_again = [granted(ANN, 1, None), left(ANN, 0), granted(ANN, 1, None)];
    let with_four_ended = given_in(Room::with_limits(9, 4), [room(9)])
        .and(granted_again)
        .and((2..=5).flat_map(|number| ended(ANN, number)));
    assert_eq!(with_four_ended.numbers_known(2..=5), [2, 3, 4, 5]);
    assert_eq!(with_four_ended.known(&fixed_hash(ANN), 0), Ok(token_id(1)));
}

#[test]
fn a_token_that_a_granted_one_replaced_is_finished_and_gives_its_slot_on() {
    let replaced = given([room(1), admitted(ANN, 1), granted(ANN, 2, Some(1))]);
    let room = &replaced.state().room;
    assert_eq!(room.token(token_id(1)).unwrap().status, TokenStatus::Finished);
    assert_eq!((room.in_room(ANN).unwrap().token_id, room.active()), (token_id(2), 0));
}

#[test]
fn the_next_token_has_the_next_number_whatever_ended() {
    let gone = given([room(9), admitted(ANN, 1), granted(BOB, 2, None), left(ANN, 1)]);
    assert_eq!(gone.state().room.next_token_id(), token_id(3));
    assert_eq!(gone.and([granted(BOB, 2, None)]).state().room.next_token_id(), token_id(3));
}

#[test]
fn the_serving_number_only_grows() {
    let mut line = given([room(9)]);
    let steps = [
        (admitted(ANN, 1), 1),
        (waiting(BOB, 2), 1),
        (waiting(EVE, 3), 1),
        (let_in(BOB, 2), 2),
        (left(BOB, 2), 2),
        (granted(BOB, 4, None), 2),
        (let_in(EVE, 3), 3),
        (let_in(BOB, 2), 3),
        (room(0), 3),
        (expired(EVE, 3), 3),
    ];
    for (event, serving_number) in steps {
        line = line.and([event]);
        assert_eq!(line.state().room.serving_number(), serving_number);
    }
}

#[test]
fn ahead_counts_the_places_between_the_serving_number_and_ones_own() {
    let line = given([room(9), admitted(EVE, 1), waiting(ANN, 2), waiting(BOB, 5), granted(EVE, 6, None)]);
    let ahead =
        |user_id: UserId| line.state().room.place(line.state().room.in_room(user_id).unwrap(), T0).ahead.unwrap();
    assert_eq!((ahead(ANN), ahead(BOB), ahead(EVE)), (0, 3, 0));
}

#[test]
fn fewer_slots_than_people_inside_leave_none_open() {
    let crowded = given([room(2), admitted(ANN, 1), admitted(BOB, 2), room(1)]);
    assert_eq!((crowded.state().room.open_slots(T0), crowded.state().room.active()), (0, 2));
    assert_eq!(crowded.and([left(ANN, 1), left(BOB, 2)]).state().room.open_slots(T0), 1);
}

#[test]
fn the_pace_counts_admissions_of_the_same_second_only() {
    let paced = given([paced_room(9, 2), admitted(ANN, 1)]);
    let open = |paced: &Given, millis: i64| paced.state().room.open_slots(Timestamp::from_millis(T0.millis() + millis));
    assert_eq!((open(&paced, 0), open(&paced, 999), open(&paced, 1_000)), (1, 1, 2));
    let full = paced.and([admitted(BOB, 2)]);
    assert_eq!((open(&full, 999), open(&full, 1_000)), (0, 2));
    let next_second = full.and([admitted(EVE, 3).at_seconds(1)]);
    assert_eq!(open(&next_second, 1_000), 1);
}

#[test]
fn each_end_frees_one_slot_and_a_second_end_none() {
    let both = given([room(2), admitted(ANN, 1), admitted(BOB, 2), left(ANN, 1), left(ANN, 1), expired(ANN, 1)]);
    assert_eq!(both.state().room.active(), 1);
    assert_eq!(both.state().room.token(token_id(1)).unwrap().status, TokenStatus::Finished);
}
