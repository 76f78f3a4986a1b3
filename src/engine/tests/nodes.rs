//! What several nodes on one log must hold, whatever the log: passed by every shared backend with the same code.

use std::sync::atomic::AtomicU64;

use futures_util::future::join_all;
use projections::ReadModels;

use super::*;
use crate::data_folder::system_clock;
use crate::log::conformance::Fixture;

/// How many nodes sell from one log.
const NODES: usize = 3;
/// How many want one and the same seat.
const RIVALS: u64 = 60;
/// How often a command is asked again that was not decided, while things go wrong, and the pause before that.
const TRIES: usize = 1_000;
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Runs every check on a fresh log each.
pub(crate) async fn pass<F: Fixture>(fresh: impl AsyncFn() -> F) {
    one_seat_has_one_buyer_wherever_they_ask(&fresh().await).await;
    who_goes_from_node_to_node_is_known_everywhere_at_once(&fresh().await).await;
    a_key_is_one_event_on_whichever_nodes_it_is_used(&fresh().await).await;
    every_seat_is_sold_once_and_every_node_comes_to_the_same(&fresh().await).await;
}

/// Several nodes, each with a handle of its own on the log.
struct Cluster {
    nodes: Vec<Engine>,
    log: Arc<dyn EventLog>,
    /// Things go wrong: commands carry a key, and are asked again until they are decided.
    is_troubled: bool,
    keys: AtomicU64,
}

impl Cluster {
    async fn start(fixture: &dyn Fixture) -> Self {
        let log = fixture.open().await;
        assert!(log.is_shared(), "other nodes can only be followed on a log that says that there may be some");
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            nodes.push(start(&fixture.open().await, system_clock()).await.0);
        }
        let now = system_clock()();
        let (opens_at, starts_at) = (now.plus_seconds(-3_600), now.plus_seconds(86_400));
        let sale = ScheduleTimes { starts_at, sale_opens_at: opens_at, sale_closes_at: starts_at, ..times() };
        open_sale(&nodes[0], sale).await;
        Self { nodes, log, is_troubled: fixture.trouble(), keys: AtomicU64::new(1_000) }
    }

    /// Has a command decided by the node that is `number`th in turn.
    async fn ask(&self, number: u64, by: Credential, action: impl Into<Action>) -> Reply {
        if !self.is_troubled {
            return self.submit(number, submission(by, action)).await;
        }
        self.submit(number, keyed(self.keys.fetch_add(1, Ordering::Relaxed), by, action)).await
    }

    async fn submit(&self, number: u64, submission: Submission) -> Reply {
        let nodes = self.nodes.iter().cycle().skip(number as usize % NODES);
        for node in nodes.take(TRIES) {
            match node.submit(submission.clone()).await {
                Ok(reply) => return reply,
                Err(undecided) => assert!(self.is_troubled, "{number}: {undecided}"),
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("{number}: never decided")
    }

    /// What a node shows at a position.
    async fn seen(&self, number: u64, position: Position) -> Arc<ReadModels> {
        let node = &self.nodes[number as usize % NODES];
        loop {
            match node.read_models_at(position).await {
                Ok(seen) => return seen,
                Err(behind) => assert!(self.is_troubled, "{behind:?}"),
            }
        }
    }

    /// What the log says, folded anew.
    async fn folded(&self) -> ReadModels {
        loop {
            match replay(&self.log, |_| {}).await {
                Ok(folded) => return folded,
                Err(error) => assert!(self.is_troubled, "{error}"),
            }
        }
    }
}

fn keyed(key: u64, by: Credential, action: impl Into<Action>) -> Submission {
    let [key, request] = [Fingerprint::new(u128::from(key).to_be_bytes()), Fingerprint::new([1; 16])];
    let idempotency = Some(IdempotencyKey { key, request });
    Submission::new(Command { by, idempotency, action: action.into() }, None)
}

fn pay(user_id: UserId, reservation_id: ReservationId, amount: Points) -> PayReservation {
    PayReservation { reservation_id, user_id, amount }
}

fn reservation(reply: Reply) -> Reservation {
    let answer = reply.outcome.unwrap();
    let Answer::Reservation(reservation) = answer else { panic!("{answer:?}") };
    reservation
}

async fn one_seat_has_one_buyer_wherever_they_ask(fixture: &dyn Fixture) {
    let cluster = Cluster::start(fixture).await;
    let ask = async |number: u64| {
        let user_id = user_id(100 + number);
        cluster.ask(number, user(user_id), joining(user_id)).await.outcome.unwrap();
        cluster.ask(number + 1, token(user_id), hold(user_id, 1)).await.outcome
    };
    let outcomes = join_all((0..RIVALS).map(ask)).await;
    let taken = Err(Rejection::SeatTaken { seat_ids: vec![seat_id(1)] });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), RIVALS as usize - 1);
}

/// Each request goes to another node than the one before it, as soon as that has answered.
async fn who_goes_from_node_to_node_is_known_everywhere_at_once(fixture: &dyn Fixture) {
    let cluster = Cluster::start(fixture).await;
    let wander = async |number: u64| {
        let user_id = user_id(100 + number);
        cluster.ask(number, user(user_id), joining(user_id)).await.outcome.unwrap();
        for round in 1..=3 {
            let charged = cluster.ask(number + round, token(user_id), charge(user_id, 1_000)).await;
            let seen = cluster.seen(number + round + 1, charged.position).await;
            assert!(seen.state.wallets.balance(user_id).get() >= 1_000, "its own charge is seen at minPosition");
        }
        let seat = number + 1;
        let held = reservation(cluster.ask(number + 1, token(user_id), hold(user_id, seat)).await);
        let again = reservation(cluster.ask(number + 2, token(user_id), hold(user_id, seat)).await);
        assert_eq!(again, held, "its own seat is not taken");
        let amount = held.hold.total_price;
        let left = Points::new(amount.get().saturating_sub(3_000).max(1));
        cluster.ask(number, token(user_id), charge(user_id, left.get())).await.outcome.unwrap();
        let reservation_id = held.hold.reservation_id;
        let paid = cluster.ask(number + 1, token(user_id), pay(user_id, reservation_id, amount)).await.outcome.unwrap();
        let again = cluster.ask(number + 2, token(user_id), pay(user_id, reservation_id, amount)).await.outcome;
        assert_eq!(again, Ok(paid));
    };
    join_all((0..SEATS).map(wander)).await;
}

async fn a_key_is_one_event_on_whichever_nodes_it_is_used(fixture: &dyn Fixture) {
    let cluster = Cluster::start(fixture).await;
    cluster.ask(0, user(ANN), joining(ANN)).await.outcome.unwrap();
    for key in 0..8 {
        let ask = |number: u64| cluster.submit(number, keyed(key, token(ANN), charge(ANN, 5)));
        let replies = join_all((0..NODES as u64 * 2).map(ask)).await;
        // Where replies get lost, so may the first one.
        let first = replies.iter().filter(|reply| !reply.replayed).count();
        assert!(first == 1 || (first == 0 && cluster.is_troubled), "{replies:?}");
        assert!(replies.iter().all(|reply| reply.outcome == replies[0].outcome), "{replies:?}");
    }
    assert_eq!(cluster.folded().await.state.wallets.balance(ANN), Points::new(40));
}

async fn every_seat_is_sold_once_and_every_node_comes_to_the_same(fixture: &dyn Fixture) {
    let cluster = Cluster::start(fixture).await;
    let buy = async |number: u64| {
        let user_id = user_id(100 + number);
        cluster.ask(number, user(user_id), joining(user_id)).await.outcome.unwrap();
        for seat in (0..SEATS).map(|offset| (number + offset) % SEATS + 1) {
            let held = cluster.ask(number + seat, token(user_id), hold(user_id, seat)).await;
            if held.outcome.is_err() {
                continue;
            }
            let Hold { reservation_id, total_price, .. } = reservation(held).hold;
            cluster.ask(number, token(user_id), charge(user_id, total_price.get())).await.outcome.unwrap();
            let paid = cluster.ask(number + 1, token(user_id), pay(user_id, reservation_id, total_price)).await;
            paid.outcome.unwrap();
            return 1;
        }
        0
    };
    let sold: u64 = join_all((0..2 * SEATS).map(buy)).await.into_iter().sum();
    assert_eq!(sold, SEATS);
    let folded = cluster.folded().await;
    for number in 0..NODES as u64 {
        let seen = cluster.seen(number, folded.state.head.position).await;
        if seen.state.head == folded.state.head {
            for user_id in (0..2 * SEATS).map(|number| user_id(100 + number)) {
                assert_eq!(seen.state.wallets.balance(user_id), folded.state.wallets.balance(user_id));
            }
        } else {
            assert!(seen.state.head.position > folded.state.head.position, "a tick came meanwhile");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sell_from_one_log_in_memory() {
    pass(async || MemoryLog::new()).await;
}
