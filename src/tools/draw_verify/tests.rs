//! A log as the server writes it, and logs that somebody altered and sealed anew.

use domain::spec::*;
use domain::{
    Action, BeaconReceived, Command, Credential, Decided, DrawQueue, EntryClosed, Hash, IssueToken, LogCreated,
    OpeningScheduled, QueueDrawn, ReceiveBeacon, Record, State, Tick, Timestamp, TokenAdmitted,
};
use uuid::Uuid;

use super::*;

const ENTRANTS: u64 = 8;
/// When the beacon has appeared, in seconds after the beginning.
const BEACON: i64 = OPENS + 30;
const VALUE: Hash = Hash::new([9; 32]);

type Log = Vec<(Timestamp, Event)>;

/// The log of one opening with a beacon: eight take part, one joins after the close, and all are let in.
struct Server {
    state: State,
    log: Log,
}

impl Server {
    fn write(&mut self, seconds: i64, event: Event) {
        let now = T0.plus_seconds(seconds);
        let record = Record::seal(&self.state.head, now, &event, &metadata());
        self.state.apply(&record.decode().unwrap());
        self.log.push((now, event));
    }

    fn ask(&mut self, seconds: i64, by: Credential, action: impl Into<Action>) {
        let command = Command { by, idempotency: None, action: action.into() };
        if let (_, Decided::Events(events)) = command.decide(&self.state, T0.plus_seconds(seconds)).unwrap() {
            events.into_iter().for_each(|event| self.write(seconds, event));
        }
    }

    fn join(&mut self, seconds: i64, number: u64) {
        let user_id = user_id(number);
        self.ask(
            seconds,
            user(user_id),
            IssueToken { user_id: Some(user_id), seed: seed(user_id), token_hash: token_hash(user_id) },
        );
    }
}

fn true_log() -> Log {
    let mut server = Server { state: State::default(), log: Vec::new() };
    let (log_id, key_check) = (Uuid::nil(), Hash::new([0; 32]));
    let name = LogCreated { log_id, format: 1, hash_algorithm: "SHA-256".to_owned(), key_check };
    server.write(0, name.into());
    server.write(0, room(20));
    server.write(0, opening(Some(beacon())));
    (1..=ENTRANTS).for_each(|number| server.join(PREQUEUE + number as i64, number));
    server.ask(OPENS, Credential::System, Tick::ALONE);
    server.join(OPENS + 1, ENTRANTS + 1);
    server.ask(BEACON, Credential::OPERATOR, ReceiveBeacon { value: VALUE, reason: REASON.to_owned() });
    server.ask(BEACON, Credential::System, DrawQueue { seed: DRAW_SEED });
    server.ask(BEACON + 1, Credential::System, Tick::ALONE);
    server.log
}

/// Seals a log anew, and verifies it: where it is wrong first, and why.
fn wrong(log: &Log) -> Option<(u64, String)> {
    let mut verifier = Verifier { asked: Some(1), ..Verifier::default() };
    let mut head = Head::EMPTY;
    for (at, event) in log {
        let record = Record::seal(&head, *at, event, &metadata());
        head = record.head();
        verifier.see(&record.decode().unwrap());
    }
    verifier.violation().map(|violation| (violation.position.get(), violation.reason.clone()))
}

/// Where the first event of this type stands in the list.
fn find(log: &Log, event_type: &str) -> usize {
    log.iter().position(|(_, event)| event.event_type() == event_type).unwrap()
}

/// The same log with a change.
fn altered(change: impl FnOnce(&mut Log)) -> (u64, String) {
    let mut log = true_log();
    change(&mut log);
    wrong(&log).expect("an altered log is found out")
}

fn scheduled(event: &mut Event) -> &mut OpeningScheduled {
    let Event::Opening(OpeningEvent::OpeningScheduled(scheduled)) = event else { panic!("{event:?}") };
    scheduled
}

fn closed(event: &mut Event) -> &mut EntryClosed {
    let Event::Opening(OpeningEvent::EntryClosed(closed)) = event else { panic!("{event:?}") };
    closed
}

fn received(event: &mut Event) -> &mut BeaconReceived {
    let Event::Opening(OpeningEvent::BeaconReceived(received)) = event else { panic!("{event:?}") };
    received
}

fn drawn(event: &mut Event) -> &mut QueueDrawn {
    let Event::Opening(OpeningEvent::QueueDrawn(drawn)) = event else { panic!("{event:?}") };
    drawn
}

fn admitted_token(event: &mut Event) -> &mut TokenAdmitted {
    let Event::Room(RoomEvent::TokenAdmitted(admitted)) = event else { panic!("{event:?}") };
    admitted
}

#[test]
fn a_true_log_is_accepted_and_a_token_is_traced_through_it() {
    let log = true_log();
    assert_eq!(log.iter().filter(|(_, event)| event.event_type() == "TokenAdmitted").count() as u64, ENTRANTS + 1);
    assert_eq!(wrong(&log), None);
    let mut verifier = Verifier { asked: Some(3), ..Verifier::default() };
    let mut head = Head::EMPTY;
    for (at, event) in &log {
        let record = Record::seal(&head, *at, event, &metadata());
        head = record.head();
        verifier.see(&record.decode().unwrap());
    }
    let token = verifier.traced.unwrap();
    let let_in = log.iter().find_map(|(_, event)| {
        if let Event::Room(RoomEvent::TokenAdmitted(admitted)) = event
            && admitted.user_id == user_id(3)
        {
            return Some(admitted.queue_number);
        }
        None
    });
    assert_eq!((token.entrant, Some(token.queue_number)), (Some(2), let_in));
    assert_eq!((verifier.draws, verifier.steps.len()), (1, 4));
}

#[test]
fn another_seed_is_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "QueueDrawn");
        drawn(&mut log[at].1).seed = Hash::new([6; 32]);
    });
    assert_eq!(reason, "the seed does not fit the commitment");
}

#[test]
fn another_seed_with_its_commitment_is_found_by_who_was_let_in() {
    let mut first = 0;
    let (position, reason) = altered(|log| {
        let other = Hash::new([6; 32]);
        let (opening, draw) = (find(log, "OpeningScheduled"), find(log, "QueueDrawn"));
        scheduled(&mut log[opening].1).commitment = domain::draw::commitment(&other);
        drawn(&mut log[draw].1).seed = other;
        first = find(log, "TokenAdmitted") as u64 + 1;
    });
    assert!(position >= first && reason.contains("the first in line is"), "{position}: {reason}");
}

#[test]
fn a_swapped_number_is_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "TokenAdmitted");
        let (one, two) = (admitted_token(&mut log[at].1).queue_number, admitted_token(&mut log[at + 1].1).queue_number);
        admitted_token(&mut log[at].1).queue_number = two;
        admitted_token(&mut log[at + 1].1).queue_number = one;
    });
    assert!(reason.contains("the first in line is"), "{reason}");
}

#[test]
fn an_entrant_left_out_is_found() {
    let (position, reason) = altered(|log| {
        let at = find(log, "TokenIssued") + 2;
        log.remove(at);
    });
    assert_eq!((position, reason.as_str()), (6, "token 4 follows token 2"));
    let (_, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        closed(&mut log[at].1).entrants -= 1;
    });
    assert_eq!(reason, "the entrants at the close are not those who had joined");
}

#[test]
fn one_added_after_the_close_is_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        closed(&mut log[at].1).entrants += 1;
    });
    assert_eq!(reason, "the entrants at the close are not those who had joined");
    let (position, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        let late = log.remove(at + 1);
        log.insert(at, (T0.plus_seconds(OPENS), late.1));
    });
    assert!(position > 1 && reason == "the opening time had come, and entry was not closed first", "{reason}");
}

#[test]
fn a_commitment_after_the_first_entrant_is_found() {
    let (position, reason) = altered(|log| {
        let at = find(log, "OpeningScheduled");
        let (_, opening) = log.remove(at);
        log.insert(at + 1, (log[at].0, opening));
    });
    assert_eq!((position, reason.contains("should be admitted")), (3, true), "{reason}");
    let mut second = 0;
    let (position, reason) = altered(|log| {
        // Nobody was let in for want of room, so that only the commitment's time tells.
        log[1].1 = room(0);
        let at = find(log, "OpeningScheduled");
        let (_, opening) = log.remove(at);
        log.insert(at + 1, (log[at].0, opening));
        second = at as u64 + 2;
    });
    assert_eq!((position, reason.as_str()), (second, "the commitment came after the pre-queue had begun"));
}

#[test]
fn a_beacon_before_it_was_due_another_one_and_none_are_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "BeaconReceived");
        log[at].0 = T0.plus_seconds(BEACON - 1);
        received(&mut log[at].1).received_at = T0.plus_seconds(BEACON - 1);
    });
    assert_eq!(reason, "the beacon came before it was due, or no draw waited for it");
    let (_, reason) = altered(|log| {
        let at = find(log, "BeaconReceived");
        received(&mut log[at].1).value = Hash::new([8; 32]);
    });
    assert!(reason.contains("the first in line is"), "{reason}");
    let (_, reason) = altered(|log| {
        let at = find(log, "BeaconReceived");
        log.remove(at);
    });
    assert_eq!(reason, "a draw was made without its beacon");
}

#[test]
fn an_admission_out_of_order_or_before_the_draw_is_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "TokenAdmitted");
        log.swap(at, at + 1);
    });
    assert!(reason.contains("the first in line is"), "{reason}");
    let (_, reason) = altered(|log| {
        let (draw, at) = (find(log, "QueueDrawn"), find(log, "TokenAdmitted"));
        let (_, early) = log.remove(at);
        log.insert(draw, (T0.plus_seconds(BEACON), early));
    });
    assert!(reason.contains("admitted"), "{reason}");
}

#[test]
fn a_close_before_the_opening_time_and_a_draw_before_the_close_are_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        log[at].0 = T0.plus_seconds(OPENS - 1);
        closed(&mut log[at].1).closed_at = T0.plus_seconds(OPENS - 1);
    });
    assert_eq!(reason, "entry was closed before the opening time, or twice");
    let (_, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        log.remove(at);
    });
    assert_eq!(reason, "the opening time had come, and entry was not closed first");
}

#[test]
fn an_opening_that_was_taken_back_too_late_is_found() {
    let (_, reason) = altered(|log| {
        let at = find(log, "EntryClosed");
        log.insert(at, (T0.plus_seconds(PREQUEUE + 30), opening_withdrawn().at_seconds(PREQUEUE + 30)));
    });
    assert_eq!(reason, "an opening was withdrawn after its pre-queue had begun");
}

/// The lines of the first Python block of `docs/fairness.md`.
fn python_of_the_page() -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fairness.md")).unwrap();
    let (_, block) = page.split_once("```python\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn a_buyer_recomputes_their_place_with_the_lines_of_the_page_and_the_answer_of_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let (program, answer) = (folder.path().join("place.py"), folder.path().join("queue.json"));
    let (mut read_models, mut head) = (projections::ReadModels::default(), Head::EMPTY);
    let log = true_log();
    for (at, event) in &log {
        let record = Record::seal(&head, *at, event, &metadata());
        head = record.head();
        read_models.apply(&record.decode().unwrap());
    }
    std::fs::write(&program, python_of_the_page()).unwrap();
    std::fs::write(&answer, read_models.room().queue(read_models.state.recorded_at).body).unwrap();
    let lines = python_of_the_page().lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 20, "the page promises twenty lines, and has {lines}");
    for (_, event) in &log {
        if let Event::Room(RoomEvent::TokenAdmitted(admitted)) = event
            && admitted.user_id.get() <= ENTRANTS
        {
            let entrant = (admitted.user_id.get() - 1).to_string();
            let output = std::process::Command::new("python3").args([&program, &answer]).arg(entrant).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), admitted.queue_number.to_string());
        }
    }
}
