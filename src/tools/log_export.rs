//! `reprise log export`: all records as lines of JSON, to the byte, so that what is imported has the same last hash.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::{Head, Position, Record};

use super::output::{Said, count};
use super::walk::walk;
use super::{AsOf, ToolError, source};
use crate::config::Place;
use crate::engine::{StreamError, decode};
use crate::log::{RecordLine, sync_names};

/// Writes the log, or what it has up to a position, to `file`, for its owner alone. The file has its name only once it is
/// whole and on disk.
pub async fn run(place: &Place, file: &Path, until: Option<Position>, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    if file.exists() {
        return Err(ToolError::Exists(file.to_owned()));
    }
    // What stands behind the last record that is wanted is not even looked at.
    let end = match until {
        Some(until) => until,
        None => log.head().await?.position,
    };
    let bar = source::progress_bar("exporting", end, json);
    let partial = partial(file);
    let mut out = BufWriter::new(take(&partial).map_err(ToolError::file(&partial))?);
    if file.exists() {
        // Another export has come to its end just now: whatever is called unfinished is in nobody's use.
        let _ = std::fs::remove_file(&partial);
        return Err(ToolError::Exists(file.to_owned()));
    }
    out.get_ref().set_len(0).map_err(ToolError::file(&partial))?;
    let mut written: io::Result<()> = Ok(());
    let walked = walk(&log, until.map(AsOf::Position), known, |record: &Record| {
        bar.inc(1);
        written = serde_json::to_writer(&mut out, &RecordLine::from(record.clone())).map_err(io::Error::from);
        written = std::mem::replace(&mut written, Ok(())).and_then(|()| out.write_all(b"\n"));
        if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await;
    let finished = match (walked, written) {
        (Ok(head), Ok(())) => name(out, &partial, file).map(|()| head).map_err(ToolError::file(file)),
        (Ok(_), Err(error)) => Err(ToolError::file(file)(error)),
        (Err(error), _) => Err(error),
    };
    if finished.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    let Head { position, hash } = finished?;
    let document = serde_json::json!({ "file": file, "events": position, "headHash": hash });
    let text = format!(
        "{}: {} records\nhead {position}:{hash}\nthe server's key is not in the file: copy `server.key` too, without it the log cannot be served",
        file.display(),
        count(position.get())
    );
    Ok(Said::new(&document, text))
}

/// A record that this program understands, as it stands.
fn known(record: Record) -> Result<Record, StreamError> {
    decode(&record)?;
    Ok(record)
}

/// Takes the unfinished file, which a killed export may have left, and which another one may hold.
fn take(partial: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(partial)?;
    file.try_lock()?;
    Ok(file)
}

/// The name under which something is made that shall be whole or not there: in the same folder, to be renamed.
pub fn partial(path: &Path) -> PathBuf {
    // Without a slash at the end: `backup/` is called `backup`.
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// The folder that a path's name stands in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn name(out: BufWriter<File>, partial: &Path, file: &Path) -> io::Result<()> {
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(partial, file)?;
    sync_names(parent(file))
}
