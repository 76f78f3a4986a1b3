//! `reprise backup`: copies the log and its key into a new folder, also while the log is served. The folder is made
//! whole or not at all.
//!
//! It copies records, not pages. Each record is proved on its way. The reads are short, so that a busy server's WAL
//! does not grow. The result is one clean file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Hash, Head};

use super::copying::{copy, read_back};
use super::log_export::{parent, partial};
use super::output::{Said, count};
use super::{ToolError, source};
use crate::data_folder::FolderProblem;
use crate::engine::Proved;
use crate::key::{KEY_FILE, ServerKey};
use crate::log::{EventLog, FolderLock, LogAddress, SqliteLog, sync_names};
use crate::place::Place;

/// Copies the log as it is now, proves the copy, and gives it its final name.
pub async fn run(place: &Place, folder: &Path, json: bool) -> Result<Said, ToolError> {
    if let Some(instead) = instead(&place.log) {
        return Err(ToolError::NotSqlite { log: place.log_name(), instead });
    }
    let log = source::open(place).await?;
    if folder.exists() {
        return Err(ToolError::Exists(folder.to_owned()));
    }
    let partial = partial(folder);
    // Held while the copy is made, so that two backups to one name do not mix, and the rest of a killed one is
    // recognised.
    let lock = FolderLock::take(&partial)?;
    let head = match make(place, &log, &partial, json).await {
        Ok(head) => head,
        Err(error) => {
            let _ = std::fs::remove_dir_all(&partial);
            return Err(error);
        }
    };
    let named = std::fs::remove_file(partial.join("lock"))
        .and_then(|()| sync_names(&partial))
        .and_then(|()| std::fs::rename(&partial, folder))
        .and_then(|()| sync_names(parent(folder)));
    named.map_err(ToolError::file(folder))?;
    drop(lock);
    let Head { position, hash } = head;
    let document = serde_json::json!({ "folder": folder.display().to_string(), "events": position, "headHash": hash, "verified": true });
    let text = format!(
        "{}: {} records and the server's key, verified\nhead {position}:{hash}",
        folder.display(),
        count(position.get())
    );
    Ok(Said::new(&document, text))
}

/// The advice for a log on a server.
fn instead(log: &LogAddress) -> Option<&'static str> {
    match log {
        LogAddress::Sqlite => None,
        LogAddress::Postgres(_) => Some(
            "PostgreSQL is backed up by its own tools: `pg_basebackup` and archived WAL, or `pg_dump`. Keep a copy of \
             the server's key, too. `reprise log export` or `reprise log copy` makes a copy of any log",
        ),
        LogAddress::KurrentDb(_) => Some(
            "KurrentDB is backed up by a snapshot of a node's disk, or by copies of its files, `*.chk` before all others. \
             Keep a copy of the server's key, too. `reprise log export` or `reprise log copy` makes a copy of any log",
        ),
    }
}

/// Makes the whole backup in `partial`, and reads it back.
async fn make(place: &Place, log: &Arc<dyn EventLog>, partial: &Path, json: bool) -> Result<Head, ToolError> {
    clear(partial).map_err(ToolError::file(partial))?;
    let end = log.head().await?;
    let bar = source::progress_bar("copying", end.position, json);
    let failed = |error| ToolError::Open { path: partial.to_owned(), error };
    let target = SqliteLog::open(partial).await.map_err(failed)?;
    let copied = copy(log.as_ref(), &target, Proved::NOTHING, end.position, &bar).await?;
    target.into_one_file().await?;
    bar.finish_and_clear();
    let written: Arc<dyn EventLog> = Arc::new(SqliteLog::open_read_only(partial).await.map_err(failed)?);
    let key_check = read_back(&written, copied, json).await?;
    written.close().await;
    copy_key(place.key_path(), partial, key_check)?;
    Ok(copied)
}

/// Removes the files that a killed backup left, except for the lock.
fn clear(partial: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(partial)? {
        let entry = entry?;
        if entry.file_name() != "lock" {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Copies the key, readable only by its owner. A key that does not fit the log is refused.
fn copy_key(path: PathBuf, to: &Path, key_check: Option<Hash>) -> Result<(), ToolError> {
    let unusable = |error| FolderProblem::Key { path: path.clone(), error };
    let key = ServerKey::load(&path).map_err(unusable)?;
    if key_check.is_some_and(|check| check != key.check()) {
        return Err(FolderProblem::WrongKey(path).into());
    }
    let bytes = std::fs::read(&path).map_err(unusable)?;
    let target = to.join(KEY_FILE);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target);
    written.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all())).map_err(ToolError::file(target))
}
