//! `reprise log export`: writes all records as lines of JSON, without any change, so that the imported log has the same
//! last hash.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Hash, Head, Position, Record};
use serde::{Deserialize, Serialize};

use super::output::{Said, count};
use super::{ToolError, source};
use crate::engine::{StreamError, decode};
use crate::log::{EventLog, RecordLine, sync_names};
use crate::past::{AsOf, walk};
use crate::place::Place;
use crate::printing::Unprinted;

/// The last line of an exported file. Without it the file is not complete.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct End {
    /// The summary of all lines before it.
    pub end: Exported,
}

/// How many records were exported, and the last one's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exported {
    /// The last position.
    pub events: Position,
    /// The hash of the record there.
    pub head_hash: Hash,
}

/// Writes the log, or the records up to a position, to `file`, readable only by its owner, or to standard output. A
/// file gets its final name when it is whole and synced.
pub async fn run(place: &Place, file: &Path, until: Option<Position>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    if file == Path::new("-") {
        let head = write(&log, until, &mut BufWriter::new(io::stdout()), json).await?.map_err(Unprinted::from)?;
        return Ok(Said::beside(&text("standard output", head)));
    }
    if file.exists() {
        return Err(ToolError::Exists(file.to_owned()));
    }
    let partial = partial(file);
    let mut out = BufWriter::new(take(&partial).map_err(ToolError::file(&partial))?);
    if file.exists() {
        // Another export has just finished, so no process uses the unfinished file.
        let _ = std::fs::remove_file(&partial);
        return Err(ToolError::Exists(file.to_owned()));
    }
    out.get_ref().set_len(0).map_err(ToolError::file(&partial))?;
    let written = write(&log, until, &mut out, json).await;
    let finished = written.and_then(|written| {
        written.and_then(|head| name(out, &partial, file).map(|()| head)).map_err(ToolError::file(file))
    });
    if finished.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    let head = finished?;
    let name = file.display().to_string();
    let document = serde_json::json!({ "file": name, "events": head.position, "headHash": head.hash });
    Ok(Said::new(&document, text(&name, head)))
}

fn text(file: &str, Head { position, hash }: Head) -> String {
    format!(
        "{file}: {} records\nhead {position}:{hash}\nthe server's key is not in the file: copy `server.key` too; \
         without it the log cannot be served",
        count(position.get())
    )
}

/// Writes every record, and then the end.
async fn write(
    log: &Arc<dyn EventLog>,
    until: Option<Position>,
    out: &mut impl Write,
    json: bool,
) -> Result<io::Result<Head>, ToolError> {
    // Records after the last wanted one are not read.
    let last = match until {
        Some(until) => until,
        None => log.head().await?.position,
    };
    let bar = source::progress_bar("exporting", last, json);
    let mut written: io::Result<()> = Ok(());
    let walked = walk(log, until.map(AsOf::Position), known, |record: &Record| {
        bar.inc(1);
        written = line(out, &RecordLine::from(record.clone()));
        if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let head = walked.await?;
    bar.finish_and_clear();
    let end = End { end: Exported { events: head.position, head_hash: head.hash } };
    Ok(written.and_then(|()| line(out, &end)).and_then(|()| out.flush()).map(|()| head))
}

fn line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Checks that this program can decode a record, and returns it unchanged.
fn known(record: Record) -> Result<Record, StreamError> {
    decode(&record)?;
    Ok(record)
}

/// Opens and locks the unfinished file. A killed export may have left it, and a running one may hold it.
fn take(partial: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(partial)?;
    file.try_lock()?;
    Ok(file)
}

/// The temporary name of a file that must be made whole or not at all. It is in the same folder, so that it can be
/// renamed.
pub fn partial(path: &Path) -> PathBuf {
    // Without the slash at the end: `backup/` becomes `backup`.
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// The folder of a path.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn name(out: BufWriter<File>, partial: &Path, file: &Path) -> io::Result<()> {
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(partial, file)?;
    sync_names(parent(file))
}
