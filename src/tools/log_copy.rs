//! `reprise log copy`: a log moves from one backend to another, every position and every hash kept.
//!
//! What a stopped copy leaves is a beginning of the same log, and the next one goes on behind it. Whether it is that is told
//! by its last hash alone, which fixes all before it.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Event, Hash, Head, Position, Record, RecordedEvent};
use indicatif::ProgressBar;
use serde::Serialize;

use super::log_import::append;
use super::output::{Said, count};
use super::walk::walk;
use super::{AsOf, ToolError, source};
use crate::engine::{PAGE_RECORDS, Proved, decode};
use crate::key::{KEY_FILE, ServerKey};
use crate::log::{self, EventLog, FolderLock, LogAddress, LogPlace};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied {
    /// The copy's last position.
    events: Position,
    head_hash: Hash,
    /// Of these, how many an earlier copy had brought.
    found: Position,
    /// Read back from the copy, record by record.
    verified: bool,
    /// `fits`, `missing` or `another log's` in the folder of a copy in SQLite; `null` elsewhere.
    server_key: Option<&'static str>,
}

/// Copies what `from` holds now to `to`, and reads it back.
pub async fn run(from: &LogPlace, to: &LogPlace, json: bool) -> Result<Said, ToolError> {
    let source = log::open_read_only(&from.log, &from.folder).await?;
    let _lock = match to.log {
        LogAddress::Sqlite => Some(FolderLock::take(&to.folder)?),
        LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => None,
    };
    let target = log::open(&to.log, &to.folder).await?;
    let end = source.head().await?;
    let found = target.head().await?;
    let proved = goes_on(from, to, source.as_ref(), found).await?;
    let bar = source::progress_bar("copying", end.position, json).with_position(found.position.get());
    let copied = copy(source.as_ref(), target.as_ref(), proved, end.position, &bar).await?;
    bar.finish_and_clear();
    let key_check = verify(&target, copied, json).await?;
    target.close().await;
    let server_key = match to.log {
        LogAddress::Sqlite => Some(match ServerKey::load(&to.folder.join(KEY_FILE)) {
            Ok(key) if Some(key.check()) == key_check => "fits",
            Ok(_) => "another log's",
            Err(_) => "missing",
        }),
        LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => None,
    };
    let Head { position, hash } = copied;
    let document = Copied { events: position, head_hash: hash, found: found.position, verified: true, server_key };
    let mut text = format!(
        "{to}: {} records, {} of them copied now, verified\nhead {position}:{hash}",
        count(position.get()),
        count(position.get() - found.position.get())
    );
    if server_key != Some("fits") {
        text.push_str("\nserver.key must come along: the copy is served only with the key that the log was made with");
    }
    Ok(Said::new(&document, text))
}

/// The copy goes on only behind a beginning of the very log.
async fn goes_on(from: &LogPlace, to: &LogPlace, source: &dyn EventLog, found: Head) -> Result<Proved, ToolError> {
    let Some(before) = found.position.get().checked_sub(1) else { return Ok(Proved::NOTHING) };
    let same = source.read(Position::new(before), 1).await?;
    match same.first() {
        Some(record) if record.head() == found => Ok(Proved { head: found, recorded_at: record.recorded_at }),
        Some(_) | None => {
            let reason = format!("{to} holds position {}, which is not in {from} as it is there", found.position);
            Err(ToolError::OtherLog(reason))
        }
    }
}

async fn copy(
    source: &dyn EventLog,
    target: &dyn EventLog,
    mut proved: Proved,
    end: Position,
    bar: &ProgressBar,
) -> Result<Head, ToolError> {
    let mut head = proved.head;
    while head.position < end {
        let left = usize::try_from(end.get() - head.position.get()).unwrap_or(PAGE_RECORDS);
        let mut page: Vec<Record> = source.read(head.position, PAGE_RECORDS.min(left)).await?;
        if page.is_empty() {
            break;
        }
        for record in &page {
            proved.prove(record)?;
            decode(record)?;
        }
        head = append(target, head, &mut page).await?;
        bar.set_position(head.position.get());
    }
    Ok(head)
}

/// Reads the copy from its first record to its last, and tells the check of its key.
async fn verify(target: &Arc<dyn EventLog>, copied: Head, json: bool) -> Result<Option<Hash>, ToolError> {
    let bar = source::progress_bar("verifying", copied.position, json);
    let mut check = None;
    let read_back = walk(target, Some(AsOf::Position(copied.position)), decode, |recorded: &RecordedEvent| {
        if let Event::LogCreated { key_check, .. } = &recorded.event {
            check = Some(*key_check);
        }
        bar.inc(1);
        ControlFlow::Continue(())
    });
    let read_back = read_back.await?;
    if read_back != copied {
        return Err(ToolError::Unfaithful(format!("the copy ends with {}", read_back.hash)));
    }
    Ok(check)
}
