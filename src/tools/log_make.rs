//! `reprise log make`: makes a log for measurements with the program's own commands. They are decided one after another
//! as in the sequencer, but without clients, and with simulated time.

mod crowd;

use std::time::Instant;

use domain::{Head, Position, Timestamp};
use indicatif::ProgressBar;
use projections::ReadModels;
use serde_json::json;
use uuid::Uuid;

use self::crowd::Crowd;
use super::ToolError;
use super::output::{Said, count};
use crate::config::MakeLog;
use crate::data_folder::system_clock;
use crate::engine::Batch;
use crate::key::ServerKey;
use crate::log::{self, AppendError, EventLog, FolderLock};
use crate::place::Place;
use crate::progress;

/// How many records are appended at once.
const BATCH_RECORDS: usize = 1_000;
/// The simulated time of each batch, in milliseconds. So 1,000,000 events take less than three hours, in which many
/// holds and tokens expire.
const BATCH_MILLIS: i64 = 10_000;
/// 2025-01-01 00:00 UTC: in the past, so that the log can be served.
const BEGINS_AT: Timestamp = Timestamp::from_millis(1_735_689_600_000);

/// Makes the log in a place without one.
///
/// # Errors
/// There is a log already, or the folder cannot be written.
pub async fn run(place: &Place, options: &MakeLog) -> Result<Said, ToolError> {
    let started = Instant::now();
    let _lock = FolderLock::take(&place.data)?;
    let log = log::open(&place.log, &place.data).await?;
    if log.head().await? != Head::EMPTY {
        return Err(ToolError::HasLog(place.log_name()));
    }
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let key_path = place.key_path();
    let key = ServerKey::known(crowd::bytes(&mut rng), &key_path).map_err(ToolError::file(key_path))?;
    let bar = progress::of_events("making", Position::START, Position::new(options.events));
    let begins_at = if options.ends_now { begin_of(options.events) } else { BEGINS_AT };
    let Head { position, hash } = make(log.as_ref(), key, options.events, rng, begins_at, &bar).await?;
    log.close().await;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let (log, events) = (place.log_name(), count(position.get()));
    let text = format!("{log}: {events} events, made in {seconds:.1} s\nhead {position}:{hash}");
    Ok(Said::new(&json!({ "position": position, "hash": hash, "seconds": seconds }), text))
}

/// The begin of a log of `events` events that ends now or a little earlier.
fn begin_of(events: u64) -> Timestamp {
    // Half as many batches are added, since some batches are not full.
    let batches = i64::try_from(events / BATCH_RECORDS as u64).unwrap_or(0) * 3 / 2 + 1;
    Timestamp::from_millis(system_clock()().millis() - batches * BATCH_MILLIS)
}

/// Appends exactly `events` events to an empty log. Returns its head.
async fn make(
    log: &dyn EventLog,
    key: ServerKey,
    events: u64,
    mut rng: fastrand::Rng,
    begins_at: Timestamp,
    bar: &ProgressBar,
) -> Result<Head, AppendError> {
    let node_id = Uuid::from_bytes(crowd::bytes(&mut rng));
    let mut crowd = Crowd::new(key, rng, begins_at);
    let (mut models, mut now) = (ReadModels::default(), begins_at);
    while models.state.head.position.get() < events {
        let left = events - models.state.head.position.get();
        let mut batch = Batch::new(&models, node_id, now);
        crowd.fill(&mut batch, usize::try_from(left).unwrap_or(usize::MAX).min(BATCH_RECORDS), left);
        log.append(&models.state.head, &batch.records).await?;
        models = batch.models;
        now = Timestamp::from_millis(now.millis() + BATCH_MILLIS);
        bar.set_position(models.state.head.position.get());
    }
    Ok(models.state.head)
}

/// Makes a log of `events` events in memory, for tests.
#[cfg(test)]
pub(crate) async fn made(events: u64, seed: u64) -> log::memory::MemoryLog {
    let log = log::memory::MemoryLog::new();
    make_in(&log, events, seed).await;
    log
}

/// Makes the events in a log that other tasks read meanwhile.
#[cfg(test)]
pub(crate) async fn make_in(log: &log::memory::MemoryLog, events: u64, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let key = ServerKey::known([7; 32], &folder.path().join("server.key")).unwrap();
    let rng = fastrand::Rng::with_seed(seed);
    make(log, key, events, rng, BEGINS_AT, &ProgressBar::hidden()).await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::memory::MemoryLog;
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn a_made_log_has_so_many_events_of_all_that_buyers_do() {
        let records = made(80_000, 1).await.records();
        assert_eq!(records.len(), 80_000);
        let made: BTreeSet<&str> = records.iter().map(|record| &*record.event_type).collect();
        let all = "LogCreated RoomConfigured TokenIssued TokenAdmitted TokenExpired RoomLeft PointsCharged \
                   ConcertPublished SeatsAdded SchedulePublished SeatsHeld HoldExpired HoldCancelled ReservationPaid \
                   ReservationRefunded";
        assert_eq!(made, all.split(' ').collect());
    }

    #[tokio::test]
    async fn the_same_seed_makes_the_same_log_and_another_another() {
        let last = |log: MemoryLog| log.records().pop().unwrap().hash;
        assert_eq!(last(made(3_000, 1).await), last(made(3_000, 1).await));
        assert_ne!(last(made(3_000, 1).await), last(made(3_000, 2).await));
        assert_eq!(made(2, 1).await.records().len(), 2);
    }
}
