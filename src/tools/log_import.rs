//! `reprise log import`: makes a log from an exported file. In a folder without a log it is made whole or not at all.
//! Elsewhere the records go into an empty log.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use domain::limits::MAX_RECORD_BYTES;
use domain::{Hash, Head, Record};
use indicatif::ProgressBar;

use super::copying::{CHUNK_RECORDS, append, state_of_key};
use super::log_export::{End, Exported};
use super::output::{Said, count};
use super::{ToolError, copying, source};
use crate::config::Expected;
use crate::engine::{Proved, decode};
use crate::log::{self, EventLog, FolderLock, LOG_FILE, LogAddress, RecordLine, SqliteLog, sync_names};
use crate::place::Place;

/// The name of the folder in which a log is made.
const PARTIAL: &str = "import.partial";
/// The longest line: each byte of the largest record as a JSON escape (`\u0000`), and the other members.
const MAX_LINE_BYTES: usize = 6 * MAX_RECORD_BYTES + 1_024;

/// An exported file.
struct Source<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead>,
    /// Lines read so far.
    lines: u64,
    expected: Option<Expected>,
    bar: ProgressBar,
}

/// Imports `file`. Each record is proved before it is written, and the log gets its final name when all of it is
/// synced.
pub async fn run(place: &Place, file: &Path, expected: Option<Expected>, json: bool) -> Result<Said, ToolError> {
    let source = Source::open(file, expected, json)?;
    let imported = match place.log {
        LogAddress::Sqlite => into_folder(&place.data, source).await,
        LogAddress::Postgres(_) | LogAddress::KurrentDb(_) => into_shared(place, source).await,
    };
    let (Head { position, hash }, key_check) = imported?;
    let path = place.key_path();
    let key = state_of_key(&path, key_check);
    let document = serde_json::json!({ "events": position, "headHash": hash, "serverKey": key });
    let mut text = format!("{}: {} records\nhead {position}:{hash}", place.log_name(), count(position.get()));
    if key != "fits" {
        text.push_str(&format!(
            "\n{} is {key}: copy the key that the log was made with to this file; without it the log cannot be served",
            path.display()
        ));
    }
    Ok(Said::new(&document, text))
}

/// Makes the log beside its final place, and moves it there when it is whole.
async fn into_folder(folder: &Path, source: Source<'_>) -> Result<(Head, Option<Hash>), ToolError> {
    let _lock = FolderLock::take(folder)?;
    for name in [LOG_FILE.to_owned(), format!("{LOG_FILE}-wal")] {
        if folder.join(name).exists() {
            return Err(ToolError::HasLog(folder.display().to_string()));
        }
    }
    let partial = folder.join(PARTIAL);
    remove(&partial)?;
    std::fs::create_dir(&partial).map_err(ToolError::file(&partial))?;
    let imported = into_file(source, &partial).await;
    let finished = imported.and_then(|imported| {
        let log = folder.join(LOG_FILE);
        std::fs::rename(partial.join(LOG_FILE), &log).map_err(ToolError::file(folder))?;
        sync_names(folder).map_err(|error| match std::fs::remove_file(&log) {
            Ok(()) => ToolError::file(folder)(error),
            Err(_) => ToolError::IsThere { path: log, error },
        })?;
        Ok(imported)
    });
    match (finished, remove(&partial)) {
        (Ok(imported), Err(left)) => {
            // The log is complete, so this is only a warning.
            tracing::warn!("{left}; it can be removed");
            Ok(imported)
        }
        (finished, _) => finished,
    }
}

/// Makes the log in `partial`.
async fn into_file(source: Source<'_>, partial: &Path) -> Result<(Head, Option<Hash>), ToolError> {
    let failed = |error| ToolError::Open { path: partial.to_owned(), error };
    let log = SqliteLog::open(partial).await.map_err(failed)?;
    let imported = source.import(&log, Head::EMPTY).await?;
    log.into_one_file().await?;
    Ok(imported)
}

/// Appends the records directly to the shared log. A stopped import leaves it marked as unfinished, and another import
/// of this file goes on after it.
async fn into_shared(place: &Place, source: Source<'_>) -> Result<(Head, Option<Hash>), ToolError> {
    let log = log::open_to_fill(&place.log, &place.data).await?;
    let begun = log.head().await?;
    if begun != Head::EMPTY && !log.is_unfinished().await? {
        return Err(ToolError::HasLog(place.log_name()));
    }
    log.mark_unfinished(true).await?;
    let imported = source.import(log.as_ref(), begun).await;
    if imported.is_ok() {
        log.mark_unfinished(false).await?;
    }
    log.close().await;
    imported
}

/// Removes the files that a killed import left.
fn remove(partial: &Path) -> Result<(), ToolError> {
    match std::fs::remove_dir_all(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ToolError::file(partial)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl<'a> Source<'a> {
    fn open(path: &'a Path, expected: Option<Expected>, json: bool) -> Result<Self, ToolError> {
        let (reader, bytes): (Box<dyn BufRead>, u64) = if path == Path::new("-") {
            (Box::new(BufReader::new(io::stdin())), 0)
        } else {
            let file = File::open(path).map_err(ToolError::file(path))?;
            let bytes = file.metadata().map_err(ToolError::file(path))?.len();
            (Box::new(BufReader::new(file)), bytes)
        };
        let bar = source::bar_of_bytes("importing", bytes, json || bytes == 0);
        Ok(Self { path, reader, lines: 0, expected, bar })
    }

    /// Proves the file's records, and appends those after `begun`, which the log has already. Returns the new head and
    /// the check value of the key.
    async fn import(mut self, log: &dyn EventLog, begun: Head) -> Result<(Head, Option<Hash>), ToolError> {
        let mut proved = Proved::NOTHING;
        let (mut appended, mut key_check, mut end) = (begun, None, None);
        let mut chunk: Vec<Record> = Vec::with_capacity(CHUNK_RECORDS);
        while let Some(line) = self.line()? {
            if end.is_some() {
                return Err(self.unfit("the file goes on after its last line"));
            }
            if line.starts_with(b"{\"end\":") {
                let parsed: End = serde_json::from_slice(&line).map_err(|error| self.unfit(error))?;
                end = Some(parsed.end);
                continue;
            }
            let parsed: RecordLine = serde_json::from_slice(&line).map_err(|error| self.unfit(error))?;
            let record = Record::from(parsed);
            proved.prove(&record)?;
            key_check = key_check.or(copying::key_check(&decode(&record)?.event));
            if record.position == begun.position && record.hash != begun.hash {
                return Err(self.unfit("an earlier import of another file has begun this log"));
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
        self.must_be_whole(proved.head, end)?;
        appended = append(log, appended, &chunk).await?;
        self.bar.finish_and_clear();
        Ok((appended, key_check))
    }

    /// Reads the next line, with at most the memory of the longest allowed line.
    fn line(&mut self) -> Result<Option<Vec<u8>>, ToolError> {
        let mut line = Vec::new();
        let mut bounded = self.reader.by_ref().take(MAX_LINE_BYTES as u64 + 1);
        let bytes = bounded.read_until(b'\n', &mut line).map_err(ToolError::file(self.path))?;
        if bytes == 0 {
            return Ok(None);
        }
        self.lines += 1;
        self.bar.inc(bytes as u64);
        if bytes > MAX_LINE_BYTES {
            return Err(self.unfit(format!("the line is longer than any record: more than {MAX_LINE_BYTES} bytes")));
        }
        Ok(Some(line))
    }

    /// Checks the last record against the file's last line, or against the head in the option.
    fn must_be_whole(&self, head: Head, end: Option<Exported>) -> Result<(), ToolError> {
        if head == Head::EMPTY {
            return Err(ToolError::NotFound(format!("{}: the file holds no record", self.path.display())));
        }
        let is_expected = self.expected.map(|expected| expected.0 == head);
        if is_expected == Some(false) {
            return Err(self
                .unfit(format!("the last record is {}:{}, not the one that was expected", head.position, head.hash)));
        }
        match end {
            Some(end) if end == (Exported { events: head.position, head_hash: head.hash }) => Ok(()),
            Some(end) => {
                Err(self
                    .unfit(format!("the file ends at position {}; its last line says {}", head.position, end.events)))
            }
            None if is_expected == Some(true) => Ok(()),
            None => Err(self.unfit(
                "the file was cut off here: its last line is missing. If an earlier version made the file, name its \
                 last record: --expect POSITION:HASH",
            )),
        }
    }

    fn unfit(&self, reason: impl ToString) -> ToolError {
        ToolError::Line { path: self.path.to_owned(), line: self.lines, reason: reason.to_string() }
    }
}
