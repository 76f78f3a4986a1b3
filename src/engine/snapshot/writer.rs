//! Writes snapshots while commands go on. The sequencer gives away a copy, which costs it nothing, and a thread writes
//! the copy.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use domain::Position;
use projections::ReadModels;
use tokio::sync::oneshot;

use super::file::Header;
use super::folder::SnapshotFolder;

/// How many events there are between two snapshots: a second's worth of folding at start-up.
pub const EVENTS_BETWEEN_SNAPSHOTS: u64 = 500_000;
/// With fewer new events than this, no snapshot is made at a stop: the next start folds them quickly.
pub const EVENTS_FOR_SNAPSHOT_AT_STOP: u64 = 10_000;

/// Takes copies of the read models with the state, and writes them one after another.
pub struct SnapshotWriter {
    copies: SyncSender<ReadModels>,
    /// The position of the last copy given away. At first, the position of the snapshot that was restored.
    last: Position,
    between: u64,
}

/// Ends after the [`SnapshotWriter`] is gone and the last snapshot was written or has failed.
pub type SnapshotsWritten = oneshot::Receiver<()>;

impl SnapshotWriter {
    /// Starts the thread. `last` is the position of the newest snapshot, 0 where there is none.
    pub fn start(folder: SnapshotFolder, last: Position) -> (Self, SnapshotsWritten) {
        Self::with_interval(folder, last, EVENTS_BETWEEN_SNAPSHOTS)
    }

    /// Starts the thread with another number of events between two snapshots, for tests.
    pub(crate) fn with_interval(folder: SnapshotFolder, last: Position, between: u64) -> (Self, SnapshotsWritten) {
        // No copy waits: while one is written, later ones are not wanted.
        let (copies, taken) = sync_channel(0);
        let (finish, finished) = oneshot::channel();
        std::thread::spawn(move || {
            folder.clear();
            write_all(&folder, &taken);
            let _ = finish.send(());
        });
        (Self { copies, last, between }, finished)
    }

    /// Gives a copy away if enough events came since the last copy, and no snapshot is being written.
    pub fn offer(&mut self, models: &ReadModels) {
        let position = models.state.head.position;
        if position.get() < self.last.get() + self.between {
            return;
        }
        match self.copies.try_send(models.clone()) {
            // If the thread is gone, do not try again with each batch.
            Ok(()) | Err(TrySendError::Disconnected(_)) => self.last = position,
            Err(TrySendError::Full(_)) => {}
        }
    }

    /// Gives the last copy away if enough events came. It is written after the snapshot that is being written now.
    pub fn stop(self, models: ReadModels) {
        if models.state.head.position.get() >= self.last.get() + EVENTS_FOR_SNAPSHOT_AT_STOP {
            // The thread takes it as soon as it is free; nobody waits for that here.
            std::thread::spawn(move || {
                let _ = self.copies.send(models);
            });
        }
    }
}

fn write_all(folder: &SnapshotFolder, copies: &Receiver<ReadModels>) {
    for models in copies {
        let started = Instant::now();
        let Some(header) = Header::of(&models) else { continue };
        let position = header.head.position;
        match folder.write(&header, &models) {
            Ok(bytes) => {
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!("snapshot of position {position}: {bytes} bytes in {seconds:.3} s");
            }
            // The log is the truth: without a snapshot the next start takes longer, and nothing else.
            Err(error) => tracing::warn!(
                "the snapshot of position {position} could not be written; the next start takes longer: {error}"
            ),
        }
    }
}
