//! What the operating system said when SQLite speaks of an I/O error, which hides a full quota and a broken disk in one code,
//! and takes a page that could not be read for one that is wrong. SQLite keeps the system's word to itself, so the same is
//! asked of the system once more.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// How much is written to try, in bytes: a page with the header of its frame.
const TRIED_BYTES: usize = 4_096 + 24;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 1024 * 1024;

/// What the system says to a write at the end of the WAL. Whatever stands there belongs to no commit, and is written over.
pub(super) fn of_a_write(connection: &Connection) -> Option<io::Error> {
    let [database, wal] = files(&file(connection)?);
    // The database itself is not touched: it is written by checkpoints only, and where they may not, this is why.
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

/// What the system says to a reading of the log's files, and of which one.
pub(super) fn of_a_reading(connection: &Connection) -> Option<String> {
    of_reading(&file(connection)?)
}

/// The same of the log in the file `log`, which could not even be opened.
pub(super) fn of_reading(log: &Path) -> Option<String> {
    files(log).iter().find_map(|path| read(path).err().map(|error| format!("{}: {error}", path.display())))
}

/// Reads all of a file. The handle is never closed, since that would end SQLite's locks on the file: it goes with the process,
/// which stops over what is found here.
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

/// What a connection has open; `None` where that is no file.
fn file(connection: &Connection) -> Option<PathBuf> {
    connection.path().filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The database and its WAL.
fn files(log: &Path) -> [PathBuf; 2] {
    let mut wal = log.as_os_str().to_owned();
    wal.push("-wal");
    [log.to_owned(), wal.into()]
}
