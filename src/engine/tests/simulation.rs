//! Two nodes, many clients, and a log that fails at random: whatever was answered is true, whatever the order.

use super::*;

const SEEDS: u64 = 200;
const CLIENTS: u64 = 12;
const COMMANDS: u64 = 8;

/// One client charges unique amounts and holds seats; what it was told is compared with the log.
async fn client(engine: Engine, number: u64, mut random: fastrand::Rng) -> Vec<(u64, Result<Reply, Undecided>)> {
    let user_id = user_id(100 + number);
    let mut told = Vec::new();
    for count in 0..COMMANDS {
        tokio::time::sleep(Duration::from_millis(random.u64(0..400))).await;
        let amount = 1_000 + number * COMMANDS + count;
        told.push((amount, engine.submit(submission(token(user_id), charge(user_id, amount))).await));
        let _ = engine.submit(submission(token(user_id), hold(user_id, random.u64(1..=SEATS)))).await;
    }
    told
}

pub(super) fn random_fault(random: &mut fastrand::Rng) -> Fault {
    match random.u8(0..8) {
        0 => Fault::Unavailable,
        1 => Fault::UnknownNeverLands,
        2 => Fault::UnknownLanded,
        3 => Fault::UnknownLandsLater,
        4 => Fault::Delay(Duration::from_millis(random.u64(0..8_000))),
        5 => Fault::Full,
        6 => Fault::Late(Duration::from_millis(random.u64(0..500)), Box::new(random_fault(random))),
        _ => Fault::Overtaken(Box::new(charged(EVE, 1, 1))),
    }
}

async fn simulate(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (log, one) = sale().await;
    for number in 0..CLIENTS {
        one.join(user_id(100 + number)).await;
    }
    let two = Node::start(&shared(&log)).await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let engine = if number % 2 == 0 { one.engine.clone() } else { two.engine.clone() };
            tokio::spawn(client(engine, number, random.fork()))
        })
        .collect();
    for _ in 0..random.u64(1..40) {
        tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await;
        log.fail(random_fault(&mut random));
    }
    for told in clients {
        for (amount, reply) in told.await.unwrap() {
            let times = charges(&log, amount);
            match reply {
                Ok(reply) => {
                    assert_eq!((times, reply.outcome.is_ok()), (1, true), "seed {seed}: {amount} was answered")
                }
                Err(Undecided::OutcomeUnknown) => assert!(times <= 1, "seed {seed}: {amount} happened twice"),
                Err(refused) => assert_eq!(times, 0, "seed {seed}: {amount} was {refused:?}, and happened"),
            }
        }
    }
    // Nothing is on its way any more: both nodes have come to the same head, which is the log's.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let replayed = replay(&shared(&log), |_| {}).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    for node in [&one, &two] {
        assert_eq!(node.engine.read_models().state.head, replayed.state.head, "seed {seed}");
    }
    assert_no_seat_twice(&log, seed);
}

fn assert_no_seat_twice(log: &MemoryLog, seed: u64) {
    let mut taken = std::collections::BTreeSet::new();
    for record in log.records() {
        let event = record.decode().unwrap().event;
        if let Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) = &event {
            for seat_id in hold.seat_ids() {
                assert!(taken.insert(seat_id), "seed {seed}: seat {seat_id} was held twice");
            }
        }
        if let Event::Sale(SaleEvent::HoldExpired(HoldExpired { hold, .. })) = &event {
            hold.seat_ids().for_each(|seat_id| {
                taken.remove(&seat_id);
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_what_was_answered_is_true() {
    for seed in 0..SEEDS {
        simulate(seed).await;
    }
}
