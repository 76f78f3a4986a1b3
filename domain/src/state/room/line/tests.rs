//! An opening from its announcement to the last of the drawn, as the line sees it.

use super::*;
use crate::answer::Answer;
use crate::command::Credential;
use crate::decisions::{HoldSeats, IssueToken, LeaveRoom, Tick};
use crate::draw::{self, Shuffle};
use crate::event::{Event, ExpiryCause, RoomEvent, RoomLeft};
use crate::limits::ACTIVE_SECONDS;
use crate::rejection::Rejection;
use crate::rule::Decided;
use crate::spec::*;
use crate::values::{Hash, UserId};

fn issue(user_id: UserId) -> IssueToken {
    IssueToken { user_id: Some(user_id), seed: seed(user_id), token_hash: token_hash(user_id) }
}

/// So many wait, from `first` on: user and place have the same number.
fn line(first: u64, count: u64) -> impl Iterator<Item = Event> {
    (first..first + count).map(|number| waiting(user_id(number), number))
}

/// The order of `count` entrants in a draw of this cast, whose records have no real hash.
fn order(count: u64) -> Shuffle {
    Shuffle::new(draw::key(&DRAW_SEED, None, &Hash::new([0; 32]), count), count)
}

/// A room of `capacity` whose first `count` places were drawn.
fn drawn(capacity: u64, count: u64) -> Given {
    let joined = given([room(capacity), opening(None)]).after_seconds(PREQUEUE).and(line(1, count));
    joined.after_seconds(OPENS - PREQUEUE).and([entry_closed(1, count), queue_drawn()])
}

/// A tick's events, folded.
fn ticked(given: Given) -> (Given, Vec<Event>) {
    let decided = given.ask(Credential::System, Tick::ALONE).decided();
    let events = match decided {
        Ok(Decided::Events(events)) => events,
        Ok(Decided::Already(_)) => vec![],
        other => panic!("{other:?}"),
    };
    (given.and(events.clone()), events)
}

/// Who was let in, with which place.
fn let_in_by(events: &[Event]) -> Vec<(u64, u64)> {
    let admitted = events.iter().filter_map(|event| {
        if let Event::Room(RoomEvent::TokenAdmitted(admitted)) = event {
            return Some((admitted.user_id.get(), admitted.queue_number));
        }
        None
    });
    admitted.collect()
}

impl Given {
    fn place_of(&self, user_id: UserId) -> PlaceInLine {
        let room = &self.state().room;
        room.place(room.in_room(user_id).unwrap(), self.now())
    }
}

fn place(entrant: Option<u64>, queue_number: Option<u64>, ahead: Option<u64>) -> PlaceInLine {
    PlaceInLine { entrant, queue_number, ahead }
}

#[test]
fn until_the_pre_queue_begins_people_are_let_in_and_then_no_more() {
    let announced = || given([room(5), opening(None)]);
    let early = announced().after_seconds(PREQUEUE - 1);
    early.when(user(ANN), issue(ANN)).then([admitted(ANN, 1).at_seconds(PREQUEUE - 1)]);
    let late = announced().after_seconds(PREQUEUE);
    late.when(user(ANN), issue(ANN)).then([waiting(ANN, 1).at_seconds(PREQUEUE)]);
    let (_, events) = ticked(announced().and([waiting(ANN, 1)]).after_seconds(PREQUEUE - 1));
    assert_eq!(let_in_by(&events), [(1, 1)]);
    let (_, events) = ticked(announced().and([waiting(ANN, 1)]).after_seconds(PREQUEUE));
    assert_eq!(events, []);
}

#[test]
fn who_waits_in_a_pre_queue_is_an_entrant_and_has_no_place_yet() {
    let joined = given([room(1), admitted(EVE, 1), waiting(ANN, 2), opening(None)]);
    assert_eq!(joined.place_of(ANN), place(None, Some(2), Some(0)));
    let joined = joined.after_seconds(PREQUEUE).and([waiting(BOB, 3)]);
    assert_eq!(joined.place_of(ANN), place(Some(0), None, None));
    assert_eq!(joined.place_of(BOB), place(Some(1), None, None));
    assert_eq!(joined.state().room.entrants(), 2);
}

#[test]
fn who_leaves_a_pre_queue_and_comes_again_is_another_entrant() {
    let joined = given([room(1), opening(None)]).after_seconds(PREQUEUE).and(line(1, 2));
    let gone = {
        let Event::Room(RoomEvent::RoomLeft(left)) = left(ANN, 1).at_seconds(PREQUEUE) else { panic!() };
        let issued_at = T0;
        Event::from(RoomLeft { queue_number: 0, issued_at, ..left })
    };
    joined.ask(token(ANN), LeaveRoom).then([gone.clone()]);
    let again = joined.and([gone]).and([waiting(ANN, 3)]);
    assert_eq!(again.place_of(ANN), place(Some(2), None, None));
    assert_eq!(again.state().room.entrants(), 3);
}

#[test]
fn the_first_decision_at_the_opening_time_closes_entry_before_all_else() {
    let joined = || given([room(5), opening(None)]).after_seconds(PREQUEUE).and(line(1, 2));
    let just_before = joined().after_seconds(OPENS - PREQUEUE - 1);
    just_before.when(user(EVE), issue(EVE)).then([waiting(EVE, 3).at_seconds(OPENS - 1)]);
    let then = joined().after_seconds(OPENS - PREQUEUE);
    let closed = entry_closed(1, 2).at_seconds(OPENS);
    then.ask(Credential::System, Tick::ALONE).then([closed.clone()]);
    then.ask(user(EVE), issue(EVE)).then([closed.clone(), waiting(EVE, 3).at_seconds(OPENS)]);
    then.and([closed]).when(Credential::System, Tick::ALONE).already(Answer::Done);
}

#[test]
fn what_writes_nothing_closes_nothing() {
    let due = given([room(5), waiting(ANN, 1), opening(None)]).after_seconds(OPENS);
    let ann = due.state().room.in_room(ANN).unwrap().clone();
    due.ask(user(ANN), issue(ANN)).already(Answer::Token(ann));
    due.ask(token(BOB), LeaveRoom).refuses(Rejection::TokenUnknown);
}

#[test]
fn after_the_server_was_down_at_the_opening_time_who_joins_first_is_no_entrant() {
    let late = OPENS + 9_000;
    let joined = given([room(5), opening(None)]).after_seconds(PREQUEUE).and(line(1, 1)).after_seconds(late - PREQUEUE);
    let closed = entry_closed(1, 1).at_seconds(late);
    let joins = [closed, waiting(BOB, 2).at_seconds(late)];
    joined.ask(user(BOB), issue(BOB)).then(joins.clone());
    let closed = joined.and(joins);
    assert_eq!(closed.place_of(ANN), place(Some(0), None, None));
    assert_eq!(closed.place_of(BOB), place(None, None, None));
    let drawn = closed.and([queue_drawn()]);
    assert_eq!(drawn.place_of(ANN), place(Some(0), Some(1), Some(0)));
    assert_eq!(drawn.place_of(BOB), place(None, Some(2), Some(1)));
}

#[test]
fn whoever_is_inside_is_out_at_the_opening_time_and_keeps_their_seats() {
    let inside = || {
        let late = OPENS - 10;
        on_sale([opening(None)]).after_seconds(PREQUEUE - 1).and([
            admitted(ANN, 1).at_seconds(PREQUEUE - 1),
            granted(BOB, 2, None),
            held(1, ANN, [1]).at_seconds(late),
        ])
    };
    let hold = |user_id| HoldSeats { user_id, concert_id: CONCERT, schedule_id: SCHEDULE, seat_ids: vec![seat_id(2)] };
    let just_before = inside().after_seconds(OPENS - PREQUEUE);
    assert!(just_before.ask(token(ANN), hold(ANN)).decided().is_ok());
    let then = just_before.after_seconds(1);
    then.ask(token(ANN), hold(ANN)).refuses(Rejection::TokenExpired);
    assert!(then.ask(fixed_token(BOB), hold(BOB)).decided().is_ok(), "a demo's fixed token goes on");
    let (then, events) = ticked(then);
    assert_eq!(
        events,
        [entry_closed(2, 0).at_seconds(OPENS), expired(ANN, 1).ended_by(ExpiryCause::Opening).at_seconds(OPENS)]
    );
    assert_eq!(then.state().room.active(), 0);
    assert_eq!(then.state().reservations.overdue(then.state().sale_time(then.now())).count(), 0);
}

#[test]
fn entrants_are_let_in_by_the_places_that_were_drawn() {
    let order = order(9);
    let (_, events) = ticked(drawn(9, 9));
    let expected: Vec<_> = (0..9).map(|place| (order.entrant(place) + 1, place + 1)).collect();
    assert_eq!(let_in_by(&events), expected);
    let waiting = drawn(0, 9);
    for entrant in 0..9 {
        let number = order.place(entrant) + 1;
        assert_eq!(waiting.place_of(user_id(entrant + 1)), place(Some(entrant), Some(number), Some(number - 1)));
    }
}

#[test]
fn who_was_let_in_still_knows_which_entrant_they_were() {
    let order = order(9);
    let (after, events) = ticked(drawn(2, 9));
    assert_eq!(events.len(), 2);
    let first = order.entrant(0);
    assert_eq!(after.place_of(user_id(first + 1)), place(Some(first), Some(1), Some(0)));
    assert_eq!(after.state().room.serving_number(), 2);
}

#[test]
fn who_joins_after_the_close_comes_behind_all_entrants() {
    let late = drawn(0, 3).and([waiting(user_id(4), 4), room(4)]);
    let (_, events) = ticked(late);
    assert_eq!(let_in_by(&events).last(), Some(&(4, 4)));
    assert_eq!(events.len(), 4);
}

#[test]
fn the_place_of_who_has_left_is_nobodys() {
    let order = order(5);
    let gone = order.entrant(0) + 1;
    let here = drawn(1, 5);
    let left_with = |queue_number| {
        let left = RoomLeft {
            token_id: here.state().room.in_room(user_id(gone)).unwrap().token_id,
            user_id: user_id(gone),
            room_id: RoomId::FIRST,
            seed: Some(seed(user_id(gone))),
            queue_number,
            issued_at: T0,
            left_at: T0.plus_seconds(OPENS),
        };
        Event::from(left)
    };
    here.ask(token(user_id(gone)), LeaveRoom).then([left_with(1)]);
    let left = left_with(1);
    let (_, events) = ticked(here.and([left]));
    assert_eq!(let_in_by(&events), [(order.entrant(1) + 1, 2)]);
}

#[test]
fn an_entrant_lives_until_a_day_after_the_opening_time_however_long_they_waited_before() {
    let early = || given([room(0), waiting(ANN, 1)]).after_seconds(WAITING_SECONDS - PREQUEUE - 1);
    let announced =
        |given: Given| given.and([opening(None).opening_in(PREQUEUE, OPENS, WAITING_SECONDS - PREQUEUE - 1)]);
    let opens = WAITING_SECONDS - PREQUEUE - 1 + OPENS;
    let entrant = announced(early()).after_seconds(OPENS).and([entry_closed(1, 1)]);
    let known = |at: i64| entrant.state().room.identify(&token_hash(ANN), T0.plus_seconds(at)).map(|_| ());
    assert_eq!(known(opens + WAITING_SECONDS - 1), Ok(()));
    assert_eq!(known(opens + WAITING_SECONDS), Err(Rejection::TokenExpired));
    let drawn = entrant.and([queue_drawn()]);
    let room = &drawn.state().room;
    assert_eq!(room.overdue(T0.plus_seconds(opens + WAITING_SECONDS - 1)).count(), 0);
    assert_eq!(room.overdue(T0.plus_seconds(opens + WAITING_SECONDS)).count(), 1);
}

#[test]
fn an_opening_that_is_put_off_takes_its_entrants_deadline_along() {
    let moved = given([room(0), opening(None)])
        .after_seconds(PREQUEUE)
        .and([waiting(ANN, 1), opening_moved(OPENS + 500, None)])
        .after_seconds(OPENS + 500 - PREQUEUE)
        .and([entry_closed(1, 1), queue_drawn()]);
    let deadline = T0.plus_seconds(OPENS + 500 + WAITING_SECONDS);
    assert_eq!(moved.state().room.overdue(Timestamp::from_millis(deadline.millis() - 1)).count(), 0);
    assert_eq!(moved.state().room.overdue(deadline).count(), 1);
}

#[test]
fn a_second_draw_orders_those_whom_the_first_has_left_in_line() {
    let first = order(8);
    let (two_inside, _) = ticked(drawn(2, 8));
    let again = two_inside.and([opening(None).opening_in(0, 60, OPENS), waiting(user_id(9), 9)]);
    for place in 2..8 {
        let entrant = first.entrant(place);
        assert_eq!(again.place_of(user_id(entrant + 1)).entrant, Some(place - 2));
    }
    assert_eq!(again.place_of(user_id(9)).entrant, Some(6));
    let (drawn, _) = ticked(again.after_seconds(60));
    let second = order(7);
    let drawn = drawn.and([queue_drawn(), room(7)]);
    let (_, events) = ticked(drawn);
    // By the second draw, an entrant's number is what the first one made of the place in line.
    let user = |entrant: u64| if entrant == 6 { 9 } else { first.entrant(entrant + 2) + 1 };
    let expected: Vec<_> = (0..7).map(|place| (user(second.entrant(place)), place + 3)).collect();
    assert_eq!(let_in_by(&events), expected);
}

#[test]
fn where_nearly_all_have_left_the_few_are_found() {
    let count = 3 * MAX_PLACES_WALKED;
    let order = order(count);
    let (last, before) = (order.entrant(count - 1) + 1, order.entrant(count - 2) + 1);
    let leave =
        (1..=count).filter(|number| ![last, before].contains(number)).map(|number| left(user_id(number), number));
    let (_, events) = ticked(drawn(2, count).and(leave).and([waiting(user_id(count + 1), count + 1)]));
    assert_eq!(let_in_by(&events), [(before, count - 1), (last, count)]);
}

#[test]
fn of_a_long_gap_a_tick_takes_whom_it_has_found() {
    let count = 2 * MAX_PLACES_WALKED;
    let order = order(count);
    let (first, last) = (order.entrant(0) + 1, order.entrant(count - 1) + 1);
    let leave =
        (1..=count).filter(|number| ![first, last].contains(number)).map(|number| left(user_id(number), number));
    let (then, events) = ticked(drawn(2, count).and(leave));
    assert_eq!(let_in_by(&events), [(first, 1)]);
    let (_, events) = ticked(then);
    assert_eq!(let_in_by(&events), [(last, count)]);
}

#[test]
fn an_opening_to_which_nobody_came_opens_the_room() {
    let empty = given([room(1), opening(None)]).after_seconds(OPENS).and([entry_closed(1, 0), queue_drawn()]);
    empty.when(user(ANN), issue(ANN)).then([admitted(ANN, 1).at_seconds(OPENS)]);
}

#[test]
fn a_close_outlives_those_who_were_inside_for_their_full_time() {
    // Nobody who came in before is inside after the draw, however many ticks it takes to tell.
    let old =
        given([room(5), opening(None)]).after_seconds(PREQUEUE - 1).and([admitted(ANN, 1).at_seconds(PREQUEUE - 1)]);
    let drawn = old.after_seconds(OPENS - PREQUEUE + 1).and([entry_closed(2, 0), queue_drawn()]);
    let now = T0.plus_seconds(OPENS);
    assert!(now < T0.plus_seconds(PREQUEUE - 1 + ACTIVE_SECONDS));
    let room = &drawn.state().room;
    assert!(!room.is_active(room.in_room(ANN).unwrap(), now));
    let (_, events) = ticked(drawn);
    assert_eq!(events, [expired(ANN, 1).ended_by(ExpiryCause::Opening).at_seconds(OPENS)]);
}
