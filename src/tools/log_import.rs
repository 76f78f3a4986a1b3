//! `reprise log import`: an exported file becomes the log of a folder that has none, whole or not at all; or the records
//! of a log elsewhere that has none.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use domain::{Hash, Head, Record};
use indicatif::ProgressBar;

use super::copying::{CHUNK_RECORDS, append, state_of_key};
use super::output::{Said, count};
use super::{ToolError, copying, source};
use crate::config::Place;
use crate::engine::{Proved, decode};
use crate::log::{self, EventLog, FolderLock, LOG_FILE, LogAddress, RecordLine, SqliteLog, sync_names};

/// Where a log is made before it has its name.
const PARTIAL: &str = "import.partial";

/// Imports `file`: each record is proved before it is written, and the log gets its name when all of it is on disk.
pub async fn run(place: &Place, file: &Path, json: bool) -> Result<Said, ToolError> {
    let exported = File::open(file).map_err(ToolError::file(file))?;
    let bytes = exported.metadata().map_err(ToolError::file(file))?.len();
    let bar = source::bar_of_bytes("importing", bytes, json);
    let imported = match place.log {
        LogAddress::Sqlite => into_folder(&place.data, file, exported, &bar).await,
        LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => into_shared(place, file, exported, &bar).await,
    };
    let (Head { position, hash }, key_check) = imported?;
    let path = place.key_path();
    let key = state_of_key(&path, key_check);
    let document = serde_json::json!({ "events": position, "headHash": hash, "serverKey": key });
    let mut text = format!("{}: {} records\nhead {position}:{hash}", place.log_name(), count(position.get()));
    if key != "fits" {
        text.push_str(&format!(
            "\n{} is {key}: copy the key that the log was made with there, without it the log cannot be served",
            path.display()
        ));
    }
    Ok(Said::new(&document, text))
}

/// The log is made beside its place, and moved there when it is whole.
async fn into_folder(
    folder: &Path,
    file: &Path,
    exported: File,
    bar: &ProgressBar,
) -> Result<(Head, Option<Hash>), ToolError> {
    let _lock = FolderLock::take(folder)?;
    for name in [LOG_FILE.to_owned(), format!("{LOG_FILE}-wal")] {
        if folder.join(name).exists() {
            return Err(ToolError::HasLog(folder.display().to_string()));
        }
    }
    let partial = folder.join(PARTIAL);
    remove(&partial)?;
    std::fs::create_dir(&partial).map_err(ToolError::file(&partial))?;
    let imported = into_file(file, exported, &partial, bar).await;
    let finished = imported.and_then(|imported| {
        std::fs::rename(partial.join(LOG_FILE), folder.join(LOG_FILE)).map_err(ToolError::file(folder))?;
        sync_names(folder).map_err(ToolError::file(folder))?;
        Ok(imported)
    });
    remove(&partial)?;
    finished
}

/// Makes the log in `partial`.
async fn into_file(
    file: &Path,
    exported: File,
    partial: &Path,
    bar: &ProgressBar,
) -> Result<(Head, Option<Hash>), ToolError> {
    let failed = |error| ToolError::Open { path: partial.to_owned(), error };
    let log = SqliteLog::open(partial).await.map_err(failed)?;
    let imported = import(file, exported, &log, Head::EMPTY, bar).await?;
    log.into_one_file().await?;
    Ok(imported)
}

/// The records go where they belong at once. What a stopped import leaves is marked as no log, and another import of the
/// same file goes on behind it.
async fn into_shared(
    place: &Place,
    file: &Path,
    exported: File,
    bar: &ProgressBar,
) -> Result<(Head, Option<Hash>), ToolError> {
    let log = log::open_to_fill(&place.log, &place.data).await?;
    let begun = log.head().await?;
    if begun != Head::EMPTY && !log.is_unfinished().await? {
        return Err(ToolError::HasLog(place.log_name()));
    }
    log.mark_unfinished(true).await?;
    let imported = import(file, exported, log.as_ref(), begun, bar).await;
    if imported.is_ok() {
        log.mark_unfinished(false).await?;
    }
    log.close().await;
    imported
}

/// Removes what a killed import left.
fn remove(partial: &Path) -> Result<(), ToolError> {
    match std::fs::remove_dir_all(partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ToolError::file(partial)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Appends what the file holds to a log that has its beginning already, up to a head, and tells the new one and the check of
/// its key.
async fn import(
    file: &Path,
    exported: File,
    log: &dyn EventLog,
    begun: Head,
    bar: &ProgressBar,
) -> Result<(Head, Option<Hash>), ToolError> {
    let mut proved = Proved::NOTHING;
    let (mut appended, mut key_check) = (begun, None);
    let mut chunk: Vec<Record> = Vec::with_capacity(CHUNK_RECORDS);
    for (number, line) in (1..).zip(BufReader::new(exported).lines()) {
        let line = line.map_err(ToolError::file(file))?;
        bar.inc(line.len() as u64 + 1);
        let unfit = |reason: String| ToolError::Line { path: file.to_owned(), line: number, reason };
        let parsed: RecordLine = serde_json::from_str(&line).map_err(|error| unfit(error.to_string()))?;
        let record = Record::from(parsed);
        proved.prove(&record)?;
        key_check = key_check.or(copying::key_check(&decode(&record)?.event));
        if record.position == begun.position && record.hash != begun.hash {
            return Err(unfit("an earlier import of another file has begun this log".to_owned()));
        }
        if record.position <= begun.position {
            continue;
        }
        chunk.push(record);
        if chunk.len() == CHUNK_RECORDS {
            appended = append(log, appended, &chunk).await?;
            chunk.clear();
        }
    }
    appended = append(log, appended, &chunk).await?;
    if appended == Head::EMPTY {
        return Err(ToolError::NotFound(format!("{}: the file holds no record", file.display())));
    }
    Ok((appended, key_check))
}
