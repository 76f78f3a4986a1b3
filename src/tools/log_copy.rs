//! `reprise log copy`: copies a log from one backend to another. Positions and hashes stay the same.
//!
//! A stopped copy leaves the beginning of the log, and the next copy goes on after it. The last hash shows whether it
//! is a beginning of this log, since it covers all records before it.

use domain::{Hash, Head, Position};
use serde::Serialize;

use super::copying::{copy, read_back, state_of_key};
use super::output::{Said, count};
use super::{ToolError, source};
use crate::engine::Proved;
use crate::key::KEY_FILE;
use crate::log::{self, EventLog, FolderLock, LogAddress, LogPlace};
use crate::past::PastError;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied {
    /// The copy's last position.
    events: Position,
    head_hash: Hash,
    /// How many of these an earlier copy had made.
    found: Position,
    /// True if the copy was read back, record by record.
    verified: bool,
    /// `fits`, `missing` or `another log's` in the folder of a copy in SQLite; `null` elsewhere.
    server_key: Option<&'static str>,
}

/// Copies the current records of `from`, or those up to a position, to `to`, and reads them back.
pub async fn run(from: &LogPlace, to: &LogPlace, until: Option<Position>, json: bool) -> Result<Said, ToolError> {
    let source = log::open_read_only(&from.log, &from.folder).await?;
    let _lock = match to.log {
        LogAddress::Sqlite => Some(FolderLock::take(&to.folder)?),
        LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => None,
    };
    let target = log::open_to_fill(&to.log, &to.folder).await?;
    // Records after the last wanted one are not read.
    let end = match until {
        Some(until) => until,
        None => source.head().await?.position,
    };
    let found = target.head().await?;
    let proved = goes_on(from, to, source.as_ref(), found).await?;
    target.mark_unfinished(true).await?;
    let bar = source::progress_bar_after(found.position, "copying", end, json);
    let copied = copy(source.as_ref(), target.as_ref(), proved, end, &bar).await?;
    bar.finish_and_clear();
    if copied.position < end {
        return Err(PastError::NotYet { asked: end, last: copied.position }.into());
    }
    let key_check = read_back(&target, copied, json).await?;
    target.mark_unfinished(false).await?;
    target.close().await;
    let server_key = match to.log {
        LogAddress::Sqlite => Some(state_of_key(&to.folder.join(KEY_FILE), key_check)),
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
        text.push_str("\nthe server's key was not copied: copy `server.key` too; without it the log cannot be served");
    }
    Ok(Said::new(&document, text))
}

/// Fails unless the target is empty or holds a beginning of this log.
async fn goes_on(from: &LogPlace, to: &LogPlace, source: &dyn EventLog, found: Head) -> Result<Proved, ToolError> {
    if found.position == Position::START {
        return Ok(Proved::NOTHING);
    }
    match source.record(found.position).await? {
        Some(record) if record.head() == found => Ok(Proved { head: found, recorded_at: record.recorded_at }),
        Some(_) | None => {
            let reason = format!(
                "{to} does not hold the first records of {from}: its record at position {} is not in {from}",
                found.position
            );
            Err(ToolError::OtherLog(reason))
        }
    }
}
