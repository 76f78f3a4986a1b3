//! Finds the operating system's error behind an I/O error of SQLite. SQLite has one code for a full quota and a broken
//! disk, and treats an unreadable page as a wrong one. It does not tell the system's error, so the operation is tried
//! again here.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// How much a trial writes, in bytes: a page with the header of its frame.
const TRIED_BYTES: usize = 4_096 + 24;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 1024 * 1024;

/// Returns the system's error of a write at the end of the WAL. The bytes there belong to no commit, and will be
/// written over.
pub(super) fn of_a_write(connection: &Connection) -> Option<io::Error> {
    let [database, wal] = files(&file(connection)?);
    // The database itself is not tried: only checkpoints write it. If its size has reached the limit, this is the
    // cause.
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    if database.metadata().is_ok_and(|found| found.len() + TRIED_BYTES as u64 > limit) {
        return Some(Errno::FBIG.into());
    }
    let written = OpenOptions::new().write(true).open(wal).and_then(|wal| {
        let end = wal.metadata()?.len();
        wal.write_all_at(&[0; TRIED_BYTES], end)?;
        wal.set_len(end)
    });
    written.err()
}

/// Returns the system's error of reading the log's files, with the file's name.
pub(super) fn of_a_reading(connection: &Connection) -> Option<String> {
    of_reading(&file(connection)?)
}

/// Returns the system's error of reading the files of a log that could not be opened.
pub(super) fn of_reading(log: &Path) -> Option<String> {
    files(log).iter().find_map(|path| read(path).err().map(|error| format!("{}: {error}", path.display())))
}

/// Reads a whole file. The handle is never closed, since that would end SQLite's locks on the file. The process stops
/// because of the error that is found here, and with it the handle.
fn read(path: &Path) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let (mut buffer, mut offset) = (vec![0; READ_BYTES], 0);
    let read = loop {
        match file.read_at(&mut buffer, offset) {
            Ok(0) => break Ok(()),
            Ok(bytes) => offset += bytes as u64,
            Err(error) => break Err(error),
        }
    };
    let _ = file.into_raw_fd();
    read
}

/// The file of a connection. `None` if it has no file.
fn file(connection: &Connection) -> Option<PathBuf> {
    connection.path().filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The database and its WAL.
fn files(log: &Path) -> [PathBuf; 2] {
    let mut wal = log.as_os_str().to_owned();
    wal.push("-wal");
    [log.to_owned(), wal.into()]
}
