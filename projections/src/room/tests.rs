use crate::ReadModels;
use crate::testing::*;
use domain::limits::{ACTIVE_SECONDS, WAITING_SECONDS};
use domain::spec::*;

#[test]
fn the_queue_tells_how_the_line_stands() {
    let models = shown([room(1), admitted(ANN, 1), waiting(BOB, 2), waiting(EVE, 3)]);
    let expected = concat!(
        r#"{"roomId":1,"state":"OPEN","opensAt":null,"pauseReason":null,"resumesAt":null,"servingNumber":1,"#,
        r#""waiting":2,"active":1,"capacity":1,"entrants":null,"opening":null,"draw":null}"#,
    );
    assert_eq!(models.room().queue(T0).body, expected);
}

#[test]
fn the_queue_changes_with_its_figures_only() {
    let mut models = shown([room(1), admitted(ANN, 1)]);
    let before = models.room().queue(T0);
    fold(&mut models, [charged(ANN, 500, 500), paced_room(1, 5), granted(EVE, 2, None)]);
    assert_eq!(models.room().queue(T0), before);
    assert_eq!(models.room().queue(T0).body.as_ptr(), before.body.as_ptr());
    fold(&mut models, [waiting(BOB, 3)]);
    assert_ne!(models.room().queue(T0).etag, before.etag);
}

fn queue(models: &ReadModels, seconds: i64) -> serde_json::Value {
    serde_json::from_slice(&models.room().queue(T0.plus_seconds(seconds)).body).unwrap()
}

#[test]
fn an_opening_is_told_from_its_announcement_to_its_draw() {
    let mut models = shown([room(1), opening(Some(beacon()))]);
    let announced = queue(&models, 0);
    let position = serde_json::json!(2);
    assert_eq!(
        (&announced["state"], &announced["entrants"], &announced["draw"]),
        (&"OPEN".into(), &().into(), &().into())
    );
    assert_eq!(
        (&announced["opening"]["position"], &announced["opening"]["beaconSource"]),
        (&position, &"drand round 1".into())
    );
    assert_eq!(announced["opensAt"], announced["opening"]["opensAt"]);
    let before = models.room().queue(T0.plus_seconds(PREQUEUE - 1));
    let begun = models.room().queue(T0.plus_seconds(PREQUEUE));
    assert_ne!(before.etag, begun.etag, "it begins by no event");
    fold(&mut models, [waiting(ANN, 1), waiting(BOB, 2), entry_closed(1, 2)]);
    let closed = queue(&models, OPENS);
    assert_eq!((&closed["state"], &closed["entrants"]), (&"PREQUEUE".into(), &2.into()));
    assert_eq!((&closed["draw"]["closedPosition"], &closed["draw"]["seed"]), (&5.into(), &().into()));
    fold(&mut models, [beacon_received(DRAW_SEED), queue_drawn()]);
    let drawn = queue(&models, OPENS);
    assert_eq!((&drawn["state"], &drawn["opening"], &drawn["opensAt"]), (&"OPEN".into(), &().into(), &().into()));
    assert_eq!((&drawn["draw"]["first"], &drawn["draw"]["position"]), (&1.into(), &7.into()));
    assert_eq!(drawn["draw"]["seed"], drawn["draw"]["beacon"]);
    assert_eq!(drawn["draw"]["commitment"], announced["opening"]["commitment"]);
}

#[test]
fn a_pause_ends_at_its_time_whether_or_not_an_event_says_so() {
    let mut models = shown([room(1), paused(Some(30))]);
    let told = |models: &ReadModels, seconds| {
        let queue = queue(models, seconds);
        (queue["state"].clone(), queue["pauseReason"].clone(), queue["resumesAt"].is_string())
    };
    assert_eq!(told(&models, 29), ("PAUSED".into(), "rain".into(), true));
    assert_eq!(told(&models, 30), ("OPEN".into(), ().into(), false));
    assert_ne!(models.room().queue(T0.plus_seconds(29)).etag, models.room().queue(T0.plus_seconds(30)).etag);
    fold_at(&mut models, T0.plus_seconds(31), [resumed(30)]);
    assert_eq!(told(&models, 31), ("OPEN".into(), ().into(), false));
}

#[test]
fn where_a_pre_queue_and_a_pause_are_on_both_are_told() {
    let models = shown([room(1), opening(None), paused(Some(PREQUEUE + 30))]);
    let during = queue(&models, PREQUEUE);
    assert_eq!((&during["state"], &during["pauseReason"]), (&"PREQUEUE".into(), &"rain".into()));
    let after = queue(&models, PREQUEUE + 30);
    assert_eq!((&after["state"], &after["pauseReason"]), (&"PREQUEUE".into(), &().into()));
}

#[test]
fn a_payment_gives_its_slot_back() {
    let models = shown([room(1), admitted(ANN, 1), held(1, ANN, [1]), paid(1, 1, ANN, [1], 0).finishing(1)]);
    assert_eq!(models.state.room.active(), 0);
}

#[test]
fn a_token_is_known_as_the_domain_knows_it() {
    let events = || [room(1), admitted(ANN, 1), waiting(BOB, 2), left(ANN, 1), let_in(BOB, 2), expired(BOB, 2)];
    let (models, decided_on) = (shown(events()), given(events()));
    for user in [ANN, BOB, EVE] {
        let hash = token_hash(user);
        assert_eq!(models.state.room.identify(&hash, T0), decided_on.state().room.identify(&hash, T0));
    }
}

#[test]
fn waiting_is_estimated_by_the_admissions_of_the_last_minute() {
    let mut models = shown([room(2), admitted(ANN, 1), admitted(EVE, 2), waiting(BOB, 9)]);
    let token = models.state.room.by_hash(&token_hash(BOB)).unwrap().clone();
    // Six are ahead, and two a minute come in: the seventh needs three and a half minutes.
    assert_eq!(models.room().estimated_wait_seconds(&token, T0), 210);
    fold_at(&mut models, T0.plus_seconds(30), [left(ANN, 1), waiting(ANN, 7), let_in(ANN, 7)]);
    // One is ahead now. Three came in until half a minute ago, one of them in the last minute.
    assert_eq!(models.room().estimated_wait_seconds(&token, T0.plus_seconds(59)), 40);
    assert_eq!(models.room().estimated_wait_seconds(&token, T0.plus_seconds(60)), 120);
}

#[test]
fn nobody_waits_longer_than_those_inside_may_stay() {
    let mut models = shown([room(2), admitted(ANN, 1)]);
    fold_at(
        &mut models,
        T0.plus_seconds(20),
        [admitted(EVE, 2).at_seconds(20), waiting(BOB, 3), waiting(user_id(7), 4)],
    );
    let estimated = |models: &ReadModels, user, seconds| {
        let token = models.state.room.by_hash(&token_hash(user)).unwrap();
        models.room().estimated_wait_seconds(token, T0.plus_seconds(seconds))
    };
    let stay = ACTIVE_SECONDS.unsigned_abs();
    assert_eq!((estimated(&models, BOB, 100), estimated(&models, user_id(7), 100)), (stay - 100, stay + 20 - 100));
    // The third of those who wait needs the slot of somebody who is not inside yet.
    fold_at(&mut models, T0.plus_seconds(100), [waiting(user_id(8), 5)]);
    assert_eq!(estimated(&models, user_id(8), 100), stay + 20 - 100 + stay);
    fold_at(&mut models, T0.plus_seconds(100), [left(ANN, 1)]);
    assert_eq!(estimated(&models, BOB, 100), 1, "a slot is free");
}

#[test]
fn nobody_comes_in_faster_than_the_pace() {
    let models = shown([paced_room(1_000, 2), waiting(ANN, 7)]);
    let token = models.state.room.by_hash(&token_hash(ANN)).unwrap();
    assert_eq!(models.room().estimated_wait_seconds(token, T0), 4);
}

#[test]
fn where_nobody_came_in_a_token_waits_no_longer_than_it_lives() {
    let models = shown([room(0), waiting(ANN, 1)]);
    let token = models.state.room.by_hash(&token_hash(ANN)).unwrap();
    let seconds = models.room().estimated_wait_seconds(token, T0.plus_seconds(100));
    assert_eq!(seconds, WAITING_SECONDS.unsigned_abs() - 100);
}

#[test]
fn who_was_told_to_wait_and_has_come_in_since_does_not_wait() {
    let mut models = shown([room(1), admitted(ANN, 1), waiting(BOB, 2)]);
    let told = models.state.room.by_hash(&token_hash(BOB)).unwrap().clone();
    assert!(models.room().estimated_wait_seconds(&told, T0) > 0);
    fold(&mut models, [left(ANN, 1), let_in(BOB, 2)]);
    assert_eq!(models.room().estimated_wait_seconds(&told, T0), 0);
}

#[test]
fn who_is_inside_does_not_wait() {
    let models = shown([room(1), admitted(ANN, 1)]);
    let token = models.state.room.by_hash(&token_hash(ANN)).unwrap();
    assert_eq!(models.room().estimated_wait_seconds(token, T0), 0);
}
