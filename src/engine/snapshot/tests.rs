//! A start from a snapshot is as good as one from the first record, or is not made.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use domain::spec::*;
use domain::*;
use projections::ReadModels;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::file::{self, Header};
use super::*;
use crate::engine::{Engine, StartError, Submission, replay, replay_on};
use crate::log::EventLog;
use crate::log::memory::MemoryLog;
use crate::tools::made_log as made;

/// What stories of events fold to, each after [`every_event`] and by itself: their name, and the first bytes of the hash of
/// the read models with the state. **A line that changes means that snapshots of before are wrong**: raise `FOLD_VERSION`. A new
/// event is a new story with a line of its own, and raises nothing.
const FOLDED: [(&str, &str); 13] = [
    ("every event of the first program", "391e52558da68316"),
    ("a pause that was ended", "f43d32d9a90c56a3"),
    ("a pause that is on", "a47b046e9d4613b8"),
    ("an import", "8a8d2f2a2b6d1da6"),
    ("an opening that was taken back", "3b9541f4110664dc"),
    ("a draw with a beacon", "da78da04b42c8206"),
    ("who was let in has come", "4d6aaba794a34cb9"),
    ("a hold that lasts longer", "16c6ad8e463220d0"),
    ("a user who is registered", "6608bff0f2ab0e69"),
    ("a wallet that is put right", "ae34bb74aa823389"),
    ("other times and another price", "60953838f9fd119e"),
    ("a show that is off", "e5a3a9e3c2dafae2"),
    ("a user who is expelled", "a80fbb153d60a62c"),
];

/// The version of the fold that [`FOLDED`] is of.
const FOLD_VERSION: u32 = 8;

/// Events that came later, and what they do to the sale of [`every_event`].
fn stories() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("every event of the first program", vec![]),
        ("a pause that was ended", vec![paused(Some(60)), resumed(0)]),
        ("a pause that is on", vec![paused(None)]),
        ("an import", import()),
        ("an opening that was taken back", vec![opening(None), opening_withdrawn()]),
        ("a draw with a beacon", draw()),
        ("who was let in has come", vec![admitted(ANN, 4), arrived(ANN, 4)]),
        ("a hold that lasts longer", vec![extended(5, BOB, [6])]),
        ("a user who is registered", vec![registered(ANN, 7)]),
        ("a wallet that is put right", vec![adjusted(ANN, -100, 600)]),
        ("other times and another price", vec![window_changed(0, 60), moved(STARTS + 60), price_changed(70)]),
        ("a show that is off", vec![called_off(), refunded(1, 1, ANN, [1, 2], 900).because("the singer is ill")]),
        ("a user who is expelled", vec![expelled(EVE, 1)]),
    ]
}

/// One entrant, and a beacon whose time was put off.
fn draw() -> Vec<Event> {
    vec![
        opening(Some(beacon())),
        opening_moved(7_200, Some(beacon())),
        waiting(ANN, 4),
        entry_closed(4, 1),
        beacon_received(Hash::new([9; 32])),
        queue_drawn(),
    ]
}

/// A second schedule, in rows, which becomes visible with the end of its import; a third, whose import does not end.
fn import() -> Vec<Event> {
    let ended = Uuid::from_u128(7);
    let seats = || seats_added(vec![seat_in_row(1, "R", 1), seat_in_row(2, "R", 2), seat(3)]);
    let (second, third) = (SCHEDULE.successor(), SCHEDULE.successor().successor());
    vec![
        of_schedule(second, seats()),
        of_schedule(second, schedule_imported(ended)),
        of_schedule(third, seats()),
        of_schedule(third, schedule_imported(Uuid::nil())),
        catalog_imported(ended),
    ]
}

fn of_schedule(schedule_id: ScheduleId, mut event: Event) -> Event {
    if let Event::Catalogue(CatalogueEvent::SeatsAdded(added)) = &mut event {
        added.schedule_id = schedule_id;
    }
    if let Event::Catalogue(CatalogueEvent::SchedulePublished(published)) = &mut event {
        published.schedule_id = schedule_id;
    }
    event
}

/// Every event of the first program, in a sale that goes on.
fn every_event() -> Vec<Event> {
    let hash_algorithm = HASH_ALGORITHM.to_owned();
    let key_check = Hash::new([7; 32]);
    let seats = (1..=SEATS).map(seat).collect();
    vec![
        Event::from(LogCreated { log_id: Uuid::nil(), format: LOG_FORMAT, hash_algorithm, key_check }),
        paced_room(2, 9),
        concert(),
        seats_added(seats),
        schedule_published(),
        granted(EVE, 1, None),
        admitted(ANN, 2),
        waiting(BOB, 3),
        left(ANN, 2),
        let_in(BOB, 3),
        expired(BOB, 3),
        charged(ANN, 900, 900),
        held(1, ANN, [1, 2]),
        paid(1, 1, ANN, [1, 2], 700),
        held(2, ANN, [3]),
        paid(2, 2, ANN, [3], 600),
        refunded(2, 2, ANN, [3], 700),
        held(3, BOB, [4]),
        hold_expired(3, BOB, [4]),
        held(4, BOB, [5]),
        cancelled(4, BOB, [5]),
        held(5, BOB, [6]),
    ]
}

/// A log of these events, each asked for with an idempotency key by ANN.
async fn log_of(events: Vec<Event>) -> MemoryLog {
    let log = MemoryLog::new();
    let mut head = Head::EMPTY;
    for event in events {
        let key = Fingerprint::new(u128::from(head.position.get()).to_be_bytes());
        let idempotency = Some(IdempotencyKey { key, request: key });
        let metadata = Metadata { actor: ActorName::User(ANN), idempotency, ..metadata() };
        let record = Record::seal(&head, T0, &event, &metadata);
        log.append(&head, std::slice::from_ref(&record)).await.unwrap();
        head = record.head();
    }
    log
}

fn shared(log: &MemoryLog) -> Arc<dyn EventLog> {
    Arc::new(log.clone())
}

/// What the log folds to up to `position`.
async fn folded(log: &MemoryLog, position: u64) -> ReadModels {
    let before = MemoryLog::new();
    let records: Vec<Record> = log.records().into_iter().take(position as usize).collect();
    before.append(&Head::EMPTY, &records).await.unwrap();
    replay(&shared(&before), |_| {}).await.unwrap()
}

/// All that a snapshot holds, and all bytes and ETags that are made of it.
fn all(models: &ReadModels) -> (Vec<u8>, Vec<(bytes::Bytes, bytes::Bytes)>) {
    let mut shown = vec![models.concerts.list(), models.room().queue(models.state.recorded_at)];
    shown.extend(models.concerts.concert(CONCERT));
    shown.extend(models.concerts.dates(CONCERT, &models.state));
    for schedule_id in models.state.catalogue.schedules().keys() {
        if let Ok(list) = models.seats(CONCERT, *schedule_id) {
            shown.extend([list.available(), list.all()]);
        }
    }
    let shown = shown.into_iter().map(|shown| (shown.etag, shown.body)).collect();
    (postcard::to_stdvec(models).unwrap(), shown)
}

/// Snapshots of the log at these positions, in a folder of their own.
async fn taken(log: &MemoryLog, positions: &[u64]) -> (TempDir, SnapshotFolder) {
    let data = tempfile::tempdir().unwrap();
    let folder = SnapshotFolder::beside(data.path());
    for position in positions {
        let replayed = folded(log, *position).await;
        folder.write(&Header::of(&replayed).unwrap(), &replayed).unwrap();
    }
    (data, folder)
}

fn names(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join(SNAPSHOT_FOLDER)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Changes the snapshot of this position.
fn edit(data: &Path, position: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let path = data.join(SNAPSHOT_FOLDER).join(format!("{position:020}.snapshot"));
    let mut bytes = std::fs::read(&path).unwrap();
    change(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
}

/// Replaces a text of the header, and makes the checksum fit again.
fn forge(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let header = String::from_utf8(bytes[..end].to_vec()).unwrap();
    assert!(header.contains(from), "{header}");
    bytes.splice(..end, header.replace(from, to).into_bytes());
    let content = bytes.len() - 32;
    let checksum = Sha256::digest(&bytes[..content]);
    bytes[content..].copy_from_slice(&checksum);
}

async fn restored(folder: &SnapshotFolder, log: &MemoryLog) -> Result<Option<u64>, StartError> {
    let restored = folder.restore(&log.clone()).await?;
    Ok(restored.map(|replayed| replayed.state.head.position.get()))
}

#[test]
fn every_event_has_a_story() {
    let told: BTreeSet<&str> = every_event().iter().map(Event::event_type).collect();
    let told: BTreeSet<&str> =
        stories().iter().flat_map(|(_, events)| events.iter().map(Event::event_type)).chain(told).collect();
    let missing: Vec<_> = Event::TYPES.iter().map(|(name, _)| *name).filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "add a story with {missing:?} to `stories` in src/engine/snapshot/tests.rs");
}

#[tokio::test]
async fn a_fold_that_changes_raises_its_version() {
    let digest = |bytes: &[u8]| Hash::new(Sha256::digest(bytes).into()).to_string()[..16].to_owned();
    let mut found = Vec::new();
    for (name, events) in stories() {
        let log = log_of(every_event().into_iter().chain(events).collect()).await;
        let (models, _) = all(&replay(&shared(&log), |_| {}).await.unwrap());
        found.push((name.to_owned(), digest(&models)));
    }
    let table: String = found.iter().map(|line| format!("    {line:?},\n")).collect();
    for (name, models) in FOLDED {
        let line =
            found.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("the story {name:?} is gone"));
        assert_eq!(
            line.1, models,
            "{name:?} folds to something else than before, or is stored in another way: raise ReadModels::FOLD_VERSION \
             and FOLD_VERSION here, and let FOLDED be\n{table}"
        );
    }
    let unknown: Vec<_> = found.iter().skip(FOLDED.len()).collect();
    assert!(unknown.is_empty(), "add {unknown:?} to FOLDED in this file; no FOLD_VERSION is raised for a new event");
    assert_eq!(ReadModels::FOLD_VERSION, FOLD_VERSION);
}

#[tokio::test]
async fn a_start_from_a_snapshot_is_the_same_as_one_from_the_first_record() {
    let log = made(12_000, 3).await;
    let whole = replay(&shared(&log), |_| {}).await.unwrap();
    for position in [2, 4_096, 9_999, 12_000] {
        let (_data, folder) = taken(&log, &[position]).await;
        let restored = folder.restore(&log).await.unwrap().unwrap();
        assert_eq!(restored.state.head.position.get(), position);
        assert!(all(&restored) == all(&folded(&log, position).await), "the snapshot of {position}");
        let read_on = replay_on(restored, &shared(&log), |_| {}).await.unwrap();
        assert!(all(&read_on) == all(&whole), "read on from {position}");
    }
}

#[tokio::test]
async fn keys_deadlines_and_limits_are_as_before() {
    let log = log_of(every_event()).await;
    let (_data, folder) = taken(&log, &[22]).await;
    let state = folder.restore(&log).await.unwrap().unwrap().state;
    let key = Fingerprint::new(11_u128.to_be_bytes());
    assert_eq!(state.idempotency.first_use(&ActorName::User(ANN), key, T0).unwrap().position, Position::new(12));
    let over = T0.plus_seconds(limits::HOLD_SECONDS);
    assert_eq!(state.reservations.overdue(state.sale_time(over)).count(), 1);
    assert_eq!(state.room.overdue(T0.plus_seconds(limits::GRANTED_SECONDS)).count(), 1);
    assert!(!state.room.is_line_full());
}

#[tokio::test]
async fn the_newest_two_are_kept_and_nothing_else_is_left() {
    let log = made(100, 1).await;
    let (data, folder) = taken(&log, &[10, 20, 30]).await;
    assert_eq!(names(data.path()), ["00000000000000000020.snapshot", "00000000000000000030.snapshot"]);
    assert_eq!(restored(&folder, &log).await.unwrap(), Some(30));
}

#[tokio::test]
async fn a_damaged_one_is_passed_over_for_the_one_before_it_and_then_none() {
    let log = made(100, 1).await;
    let length = {
        let (data, _) = taken(&log, &[20]).await;
        std::fs::metadata(data.path().join(SNAPSHOT_FOLDER).join("00000000000000000020.snapshot")).unwrap().len()
    };
    for wrong in [0, 12, 60, length / 2, length - 41, length - 35, length - 1] {
        let (data, folder) = taken(&log, &[10, 20]).await;
        edit(data.path(), 20, |bytes| bytes[wrong as usize] ^= 4);
        assert_eq!(restored(&folder, &log).await.unwrap(), Some(10), "byte {wrong}");
    }
    for kept in [0, 1, 31, 200, length - 1] {
        let (data, folder) = taken(&log, &[10, 20]).await;
        edit(data.path(), 20, |bytes| bytes.truncate(kept as usize));
        assert_eq!(restored(&folder, &log).await.unwrap(), Some(10), "{kept} bytes");
        edit(data.path(), 10, |bytes| bytes.truncate(bytes.len().min(kept as usize + 1) - 1));
        assert_eq!(restored(&folder, &log).await.unwrap(), None, "{kept} bytes");
    }
}

#[tokio::test]
async fn one_that_another_version_made_is_passed_over() {
    let log = made(100, 1).await;
    let version = format!(r#""fold_version":{FOLD_VERSION}"#);
    for (from, to) in [
        (r#""format":2"#, r#""format":1"#),
        (r#""format":2"#, r#""format":3"#),
        (&format!(r#""format":2,{version}"#), r#""format":1,"state_version":5,"read_models_version":5"#),
        (&version, r#""fold_version":1"#),
    ] {
        let (data, folder) = taken(&log, &[10, 20]).await;
        edit(data.path(), 20, |bytes| forge(bytes, from, to));
        assert_eq!(restored(&folder, &log).await.unwrap(), Some(10), "{to}");
        let claimed: Vec<u64> = folder.claims().iter().map(|(_, served)| served.head.position.get()).collect();
        assert_eq!(claimed, [20, 10], "it still tells what was served: {to}");
    }
}

#[tokio::test]
async fn a_log_that_does_not_hold_the_snapshots_head_is_refused() {
    let log = made(100, 1).await;
    let (data, folder) = taken(&log, &[30]).await;
    log.truncate(Position::new(20));
    let error = restored(&folder, &log).await.unwrap_err().to_string();
    for word in ["rewound", "position 30", "position 20", "00000000000000000030.snapshot"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    log.truncate(Position::START);
    let error = restored(&folder, &log).await.unwrap_err().to_string();
    assert!(error.contains("rewound") && error.contains("position 0"), "{error}");
    // The same length and log, with another end.
    let log = made(100, 1).await;
    log.edit(|records| {
        for index in 28..100 {
            let before = records[index - 1].head();
            records[index].recorded_at = records[index].recorded_at.plus_seconds(1);
            records[index].hash = records[index].hash_after(&before.hash);
        }
    });
    let error = restored(&folder, &log).await.unwrap_err().to_string();
    assert!(error.contains("rewound") && error.contains("position 100"), "{error}");
    std::fs::remove_dir_all(data.path().join(SNAPSHOT_FOLDER)).unwrap();
    assert_eq!(restored(&folder, &log).await.unwrap(), None);
}

#[tokio::test]
async fn a_snapshot_of_another_log_is_refused() {
    let (_data, folder) = taken(&made(100, 1).await, &[30]).await;
    let error = restored(&folder, &made(100, 2).await).await.unwrap_err().to_string();
    assert!(error.contains("belongs to log") && error.contains(".snapshot"), "{error}");
}

#[tokio::test]
async fn the_logs_last_record_is_proved_though_the_snapshot_holds_it() {
    for position in [2, 100] {
        let log = made(100, 1).await;
        let (_data, folder) = taken(&log, &[position]).await;
        log.truncate(Position::new(position));
        log.edit(|records| records.last_mut().unwrap().data = "{} ".into());
        let error = restored(&folder, &log).await.unwrap_err().to_string();
        assert!(error.contains(&format!("position {position}")), "{error}");
    }
}

#[tokio::test]
async fn one_that_cannot_be_written_leaves_nothing() {
    let replayed = folded(&made(100, 1).await, 100).await;
    let header = Header::of(&replayed).unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(file::write(full, &header, &replayed).is_err());
    let data = tempfile::tempdir().unwrap();
    let folder = SnapshotFolder::beside(data.path());
    folder.write(&header, &replayed).unwrap();
    // A folder where the file is to go cannot be renamed over.
    let taken = data.path().join(SNAPSHOT_FOLDER).join("00000000000000000100.snapshot");
    std::fs::remove_file(&taken).unwrap();
    std::fs::create_dir(&taken).unwrap();
    assert!(folder.write(&header, &replayed).is_err());
    assert_eq!(names(data.path()), ["00000000000000000100.snapshot"]);
}

#[tokio::test]
async fn snapshots_are_written_while_commands_go_on_and_once_more_at_the_end() {
    let log = made(11_000, 1).await;
    let data = tempfile::tempdir().unwrap();
    let folder = SnapshotFolder::beside(data.path());
    let (writer, finished) = SnapshotWriter::with_interval(folder.clone(), Position::START, 11_001);
    let replayed = replay(&shared(&log), |_| {}).await.unwrap();
    let now = replayed.state.recorded_at;
    let (engine, sequencer) = Engine::new(shared(&log), replayed, Arc::new(move || now), Uuid::nil());
    let sequencer = tokio::spawn(sequencer.with_snapshots(writer).run());
    let charge = || {
        let charge = ChargePoints { user_id: ANN, amount: Points::new(1) };
        engine.submit(Submission::new(Command { by: user(ANN), idempotency: None, action: charge.into() }, None))
    };
    while restored(&folder, &log).await.unwrap().is_none() {
        charge().await.unwrap().outcome.unwrap();
    }
    let first = restored(&folder, &log).await.unwrap().unwrap();
    assert!(first >= 11_001);
    drop(engine);
    sequencer.await.unwrap().unwrap();
    finished.await.unwrap();
    assert_eq!(restored(&folder, &log).await.unwrap(), Some(first), "there was little new at the end");

    let (writer, finished) = SnapshotWriter::start(folder.clone(), Position::START);
    let replayed = replay(&shared(&log), |_| {}).await.unwrap();
    let head = replayed.state.head;
    writer.stop(replayed);
    finished.await.unwrap();
    assert_eq!(restored(&folder, &log).await.unwrap(), Some(head.position.get()));
}
