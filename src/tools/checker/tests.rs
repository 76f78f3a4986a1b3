//! Logs that no server would write, and one that any would.

use domain::limits::{HOLD_SECONDS, MAX_CHARGE};
use domain::spec::*;
use domain::{Event, Head, Hold, HoldExtended, LogCreated, Metadata, Points, ReservationId, SaleEvent, SeatsHeld};

use super::*;

/// Checks these events, each recorded at its own time in seconds after [`T0`], on top of a house on sale.
fn checked(events: impl IntoIterator<Item = (i64, Event)>) -> Checker {
    let name = Event::from(LogCreated {
        log_id: Uuid::nil(),
        format: 1,
        hash_algorithm: "SHA-256".to_owned(),
        key_check: zeros(),
    });
    let house = [name, room(2), concert(), seats_added((1..=SEATS).map(seat).collect()), schedule_published()];
    let mut checker = Checker::default();
    let mut head = Head::EMPTY;
    for (seconds, event) in house.into_iter().map(|event| (0, event)).chain(events) {
        let recorded = recorded(&head, T0.plus_seconds(seconds), event.at_seconds(seconds));
        checker.check(&recorded);
        head = recorded.head;
    }
    checker.finish();
    checker
}

fn zeros() -> domain::Hash {
    domain::Hash::new([0; 32])
}

/// Which proofs do not hold.
fn violated(events: impl IntoIterator<Item = (i64, Event)>) -> Vec<Proof> {
    let checker = checked(events);
    Proof::ALL.into_iter().filter(|proof| checker.outcome(*proof).1 > 0).collect()
}

/// All at the beginning.
fn now<const N: usize>(events: [Event; N]) -> Vec<Proof> {
    violated(events.map(|event| (0, event)))
}

/// What of this hold is changed.
fn but(mut event: Event, change: impl FnOnce(&mut Hold)) -> Event {
    if let Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold }) | SaleEvent::HoldExtended(HoldExtended { hold, .. })) =
        &mut event
    {
        change(hold);
    }
    event
}

#[test]
fn a_sale_as_it_should_be_violates_nothing() {
    let hold = held(3, ANN, [3]).at_seconds(20);
    let events = [
        (0, admitted(ANN, 1)),
        (0, admitted(BOB, 2)),
        (0, waiting(EVE, 3)),
        (0, charged(ANN, 500, 500)),
        (0, held(1, ANN, [1, 2])),
        (5, held(2, BOB, [4])),
        (10, paid(1, 1, ANN, [1, 2], 300).finishing(1)),
        (10, let_in(EVE, 3)),
        (15, refunded(1, 1, ANN, [1, 2], 500)),
        (15, cancelled(2, BOB, [4]).of(&held(2, BOB, [4]).at_seconds(5))),
        (20, but(held(3, EVE, [3]), |_| ())),
        (20 + HOLD_SECONDS, hold_expired(3, EVE, [3]).of(&but(hold, |hold| hold.user_id = EVE))),
    ];
    let checker = checked(events);
    assert_eq!(checker.violations(), []);
    assert_eq!(checker.totals(), Totals { charged: 500, adjusted: 0, balances: 500, takings: 0 });
    assert!(Proof::ALL.iter().all(|proof| checker.outcome(*proof).0 > 0), "every proof was tried");
}

#[test]
fn what_happens_in_a_pause_that_must_not_is_found() {
    let inside = |events: Vec<(i64, Event)>| violated([(0, admitted(ANN, 1))].into_iter().chain(events));
    let over = HOLD_SECONDS + 60;
    // A minute of pause is a minute more.
    let late = |at| (at, hold_expired(1, ANN, [1]));
    let pause = || vec![(0, held(1, ANN, [1])), (10, paused(None)), (70, resumed(0))];
    assert_eq!(inside([pause(), vec![late(over)]].concat()), []);
    assert_eq!(inside([pause(), vec![late(over - 1)]].concat()), [Proof::PaymentsHaveHolds]);
    let in_it = vec![(0, held(1, ANN, [1])), (10, paused(None)), late(over)];
    assert_eq!(inside(in_it), [Proof::PaymentsHaveHolds], "it stands still for as long as that takes");
    assert_eq!(inside(vec![(10, paused(None)), (10, held(1, ANN, [1]))]), [Proof::PlacesWereKept]);
    assert_eq!(inside(vec![(10, paused(None)), (10, waiting(BOB, 2))]), [], "nobody is let in");
    assert_eq!(inside(vec![(10, paused(None)), (10, admitted(BOB, 2))]), [Proof::PlacesWereKept]);
}

#[test]
fn a_seat_that_is_held_twice_is_found() {
    let twice = now([admitted(ANN, 1), admitted(BOB, 2), held(1, ANN, [1]), held(2, BOB, [1])]);
    assert_eq!(twice, [Proof::NoSeatSoldTwice]);
}

#[test]
fn a_payment_without_a_hold_or_after_its_deadline_is_found() {
    let none = now([admitted(ANN, 1), charged(ANN, 100, 100), paid(1, 1, ANN, [1], 0).finishing(1)]);
    assert!(none.contains(&Proof::PaymentsHaveHolds), "{none:?}");
    let hold = || [(0, granted(ANN, 1, None)), (0, charged(ANN, 100, 100)), (0, held(1, ANN, [1]))];
    let paid_at = |seconds| (seconds, paid(1, 1, ANN, [1], 0).finishing(1));
    assert_eq!(violated(hold().into_iter().chain([paid_at(HOLD_SECONDS - 1)])), []);
    assert_eq!(violated(hold().into_iter().chain([paid_at(HOLD_SECONDS)])), [Proof::PaymentsHaveHolds]);
}

#[test]
fn an_expiry_before_its_deadline_is_found() {
    let hold = || [(0, granted(ANN, 1, None)), (0, held(1, ANN, [1]))];
    let expiry = |seconds| (seconds, hold_expired(1, ANN, [1]));
    assert_eq!(violated(hold().into_iter().chain([expiry(HOLD_SECONDS)])), []);
    assert_eq!(violated(hold().into_iter().chain([expiry(HOLD_SECONDS - 1)])), [Proof::PaymentsHaveHolds]);
}

#[test]
fn an_extension_that_is_not_five_minutes_more_of_the_same_hold_is_found() {
    let extended_at = |seconds, change: fn(&mut Hold)| {
        violated([(0, granted(ANN, 1, None)), (0, held(1, ANN, [1])), (seconds, but(extended(1, ANN, [1]), change))])
    };
    assert_eq!(extended_at(HOLD_SECONDS - 1, |_| ()), []);
    assert_eq!(extended_at(0, |_| ()), [Proof::NoCapPassed], "before its last two minutes");
    assert_eq!(extended_at(HOLD_SECONDS - 1, |hold| hold.total_price = Points::new(1)), [Proof::NoCapPassed]);
    assert_eq!(extended_at(HOLD_SECONDS - 1, |hold| hold.user_id = BOB), [Proof::NoCapPassed]);
}

#[test]
fn a_refund_after_the_start_is_found() {
    let sold = |seconds| {
        let sold =
            [granted(ANN, 1, None), charged(ANN, 100, 100), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0).finishing(1)];
        sold.map(|event| (0, event)).into_iter().chain([(seconds, refunded(1, 1, ANN, [1], 100))])
    };
    assert_eq!(violated(sold(STARTS - 1)), []);
    assert_eq!(violated(sold(STARTS)), [Proof::PaymentsHaveHolds]);
}

#[test]
fn points_from_nowhere_are_found() {
    assert_eq!(now([charged(ANN, 100, 200)]), [Proof::NoWalletBelowZero, Proof::PointsAreConserved]);
    let overspent = now([granted(ANN, 1, None), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0).finishing(1)]);
    assert_eq!(overspent, [Proof::NoWalletBelowZero, Proof::PointsAreConserved]);
}

#[test]
fn what_passes_a_cap_is_found() {
    let most = MAX_CHARGE.get();
    assert_eq!(now([charged(ANN, most, most)]), []);
    assert_eq!(now([charged(ANN, most + 1, most + 1)]), [Proof::NoCapPassed]);
    let seats = [granted(ANN, 1, None), held(1, ANN, [1, 2, 3, 4]), held(2, ANN, [5])];
    assert_eq!(now(seats), [Proof::NoCapPassed]);
    let longer = but(held(1, ANN, [1]), |hold| hold.expires_at = hold.expires_at.plus_seconds(1));
    assert_eq!(now([granted(ANN, 1, None), longer]), [Proof::NoCapPassed]);
}

#[test]
fn a_seat_at_another_price_or_of_no_schedule_is_found() {
    let cheap = but(held(1, ANN, [1]), |hold| {
        hold.seats[0].price = Points::new(1);
        hold.total_price = Points::new(1);
    });
    assert_eq!(now([granted(ANN, 1, None), cheap]), [Proof::CatalogueChangesAreSaid]);
    assert_eq!(now([granted(ANN, 1, None), held(1, ANN, [SEATS + 1])]), [Proof::CatalogueChangesAreSaid]);
    let late = [(0, granted(ANN, 1, None)), (SALE_CLOSES, held(1, ANN, [1]))];
    assert_eq!(violated(late), [Proof::CatalogueChangesAreSaid]);
}

#[test]
fn a_number_that_is_left_out_is_found() {
    let skipped = but(held(1, ANN, [1]), |hold| hold.reservation_id = ReservationId::FIRST.successor());
    assert_eq!(now([granted(ANN, 1, None), skipped]), [Proof::NumbersAreConsecutive]);
    assert_eq!(now([admitted(ANN, 2)]), [Proof::NumbersAreConsecutive]);
}

#[test]
fn who_comes_in_out_of_turn_is_found() {
    let kept = || [admitted(ANN, 1), admitted(BOB, 2), waiting(EVE, 3)];
    assert_eq!(now(kept()), []);
    let full = [Proof::PlacesWereKept];
    let [ann, bob, _] = kept();
    assert_eq!(now([ann, bob, admitted(EVE, 3)]), full, "more than there are slots");
    let [ann, bob, eve] = kept();
    assert_eq!(now([ann, bob, eve, let_in(EVE, 3)]), full, "no slot was free");
    let ahead = [room(0), waiting(ANN, 1), waiting(BOB, 2), room(1), let_in(BOB, 2)];
    assert_eq!(now(ahead), full, "not the first in line");
    assert_eq!(now([paced_room(9, 1), admitted(ANN, 1), admitted(BOB, 2)]), full, "faster than the pace");
    assert_eq!(now([waiting(ANN, 1)]), full, "who need not wait");
    assert_eq!(now([admitted(ANN, 1), expired(ANN, 1)]), full, "before the deadline");
}

#[test]
fn who_holds_or_pays_beside_the_room_is_found() {
    assert_eq!(now([held(1, ANN, [1])]), [Proof::PlacesWereKept]);
    let kept_slot = [admitted(ANN, 1), charged(ANN, 100, 100), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0)];
    assert_eq!(now(kept_slot), [Proof::PlacesWereKept]);
}

#[test]
fn what_operators_change_violates_nothing_where_it_is_said() {
    let hold = |seconds, sale| held(2, BOB, [3]).at(seconds, sale);
    let cheaper = but(held(3, EVE, [4]).at(0, -20), |hold| {
        hold.seats[0].price = Points::new(70);
        hold.total_price = Points::new(70);
    });
    let events = [
        (0, room(3)),
        (0, admitted(ANN, 1)),
        (0, admitted(BOB, 2)),
        (0, admitted(EVE, 3)),
        (0, charged(ANN, 500, 500)),
        (0, adjusted(ANN, -100, 400)),
        (0, held(1, ANN, [1])),
        (5, paid(1, 1, ANN, [1], 300).finishing(1)),
        (10, paused(None)),
        (30, resumed(0)),
    ];
    let later = [
        (30, hold(0, -20)),
        (40, price_changed(70)),
        (40, cheaper),
        (40, window_changed(0, 600)),
        (40, moved(STARTS + 60)),
        (50, expelled(BOB, 2)),
        (60, called_off()),
        (70, refunded(1, 1, ANN, [1], 400).because("the singer is ill")),
    ];
    let checker = checked(events.into_iter().chain(later));
    assert_eq!(checker.violations(), []);
    assert_eq!(checker.totals(), Totals { charged: 500, adjusted: -100, balances: 400, takings: 0 });
}

#[test]
fn what_is_held_or_paid_of_a_show_that_is_off_is_found() {
    assert_eq!(now([granted(ANN, 1, None), called_off(), held(1, ANN, [1])]), [Proof::CatalogueChangesAreSaid]);
    let cheap = [granted(ANN, 1, None), price_changed(70), held(1, ANN, [1])];
    assert_eq!(now(cheap), [Proof::CatalogueChangesAreSaid]);
    let kept = [granted(ANN, 1, None), charged(ANN, 100, 100), held(1, ANN, [1]), called_off()];
    let paid = kept.into_iter().chain([paid(1, 1, ANN, [1], 0).finishing(1)]).map(|event| (0, event));
    assert_eq!(violated(paid), [Proof::PaymentsHaveHolds]);
}

#[test]
fn a_command_that_is_not_whole_is_found() {
    let first_of_two = |index| {
        let mut recorded = recorded(&Head::EMPTY, T0, room(2));
        recorded.metadata = Metadata { index, count: 2, ..metadata() };
        recorded
    };
    let mut checker = Checker::default();
    checker.check(&first_of_two(0));
    let before = checker.outcome(Proof::CommandsAreWhole).1;
    checker.finish();
    assert_eq!(checker.outcome(Proof::CommandsAreWhole).1, before + 1, "the log ends in the middle of a command");
    let mut checker = Checker::default();
    checker.check(&first_of_two(1));
    assert!(checker.violations().iter().any(|violation| violation.reason.contains("event 1 of 2")));
}

#[test]
fn violations_are_counted_all_and_told_up_to_a_bound() {
    let checker = checked((0..50).map(|_| (0, charged(ANN, 1, 7))));
    assert_eq!(checker.outcome(Proof::NoWalletBelowZero).1, 50);
    assert_eq!(checker.violations().len(), VIOLATIONS_KEPT + 1, "and one that points are not conserved");
}
