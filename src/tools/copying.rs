//! Copies records from one log to another. Each is proved before it is written, and the copy is read back.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use domain::{Event, Hash, Head, Position, Record, RecordedEvent};
use indicatif::ProgressBar;

use super::{ToolError, source};
use crate::engine::{Proved, decode};
use crate::key::ServerKey;
use crate::log::{EventLog, MAX_BATCH_BYTES};
use crate::past::{AsOf, walk};

/// How many records are read and collected at once.
pub const CHUNK_RECORDS: usize = 4_096;

/// Copies the records of `source` after `proved` up to `end` to `target`, whose head is `proved`. Returns the new head.
pub async fn copy(
    source: &dyn EventLog,
    target: &dyn EventLog,
    mut proved: Proved,
    end: Position,
    bar: &ProgressBar,
) -> Result<Head, ToolError> {
    let mut head = proved.head;
    while head.position < end {
        let left = usize::try_from(end.get() - head.position.get()).unwrap_or(CHUNK_RECORDS);
        let chunk = source.read(head.position, CHUNK_RECORDS.min(left)).await?;
        if chunk.is_empty() {
            break;
        }
        for record in &chunk {
            proved.prove(record)?;
            decode(record)?;
        }
        head = append(target, head, &chunk).await?;
        bar.set_position(head.position.get());
    }
    Ok(head)
}

/// Appends the collected records in batches that every backend accepts. Returns the new head.
pub async fn append(log: &dyn EventLog, after: Head, mut gathered: &[Record]) -> Result<Head, ToolError> {
    let mut head = after;
    while !gathered.is_empty() {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.size_bytes();
            bytes <= MAX_BATCH_BYTES
        };
        let (batch, later) = gathered.split_at(gathered.iter().take_while(fits).count().max(1));
        log.append(&head, batch).await?;
        head = batch.last().map_or(head, Record::head);
        gathered = later;
    }
    Ok(head)
}

/// Reads a copy from its first record to the last copied one. Returns the check value of its key.
pub async fn read_back(copy: &Arc<dyn EventLog>, copied: Head, json: bool) -> Result<Option<Hash>, ToolError> {
    let bar = source::progress_bar("verifying", copied.position, json);
    let mut check = None;
    let read_back = walk(copy, Some(AsOf::Position(copied.position)), decode, |recorded: &RecordedEvent| {
        check = check.or(key_check(&recorded.event));
        bar.inc(1);
        ControlFlow::Continue(())
    });
    let read_back = read_back.await?;
    if read_back != copied {
        return Err(ToolError::Unfaithful(format!("the copy ends with {}", read_back.hash)));
    }
    Ok(check)
}

/// The check value of the log's key, if the event holds it.
pub fn key_check(event: &Event) -> Option<Hash> {
    event.log_created().map(|created| created.key_check)
}

/// Compares the key at `path` with this check value: `fits`, `missing` or `another log's`.
pub fn state_of_key(path: &Path, check: Option<Hash>) -> &'static str {
    match ServerKey::load(path) {
        Ok(key) if Some(key.check()) == check => "fits",
        Ok(_) => "another log's",
        Err(_) => "missing",
    }
}
