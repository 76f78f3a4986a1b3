//! The folder of snapshots: it chooses the snapshot to use, and adds a new one whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::{Head, Position, Record};
use projections::ReadModels;
use uuid::Uuid;

use super::file::{self, Claim, Header};
use crate::engine::{StartError, StreamError, decode};
use crate::log::{EventLog, sync_names};
use crate::served::Served;

/// The folder's name in the data folder.
pub const SNAPSHOT_FOLDER: &str = "snapshots";
/// The longest first line that a snapshot has.
const MAX_HEADER_BYTES: u64 = 4_096;
/// How many snapshots are kept: the newest, and one for the case that it is damaged.
const KEPT: usize = 2;
const EXTENSION: &str = "snapshot";
/// The name of a snapshot while it is written. A file that is left under this name is not used.
const UNFINISHED: &str = "unfinished";

/// The folder of snapshots in a data folder.
#[derive(Debug, Clone)]
pub struct SnapshotFolder {
    path: PathBuf,
}

/// The log contradicts a whole snapshot: the log lost what was served once.
#[derive(Debug, thiserror::Error)]
pub enum Contradiction {
    #[error(
        "the log was rewound: {} was made at position {snapshot}, and the log, whose head is position {log}, does not \
         hold that record; to serve the log as it is now, move that file to another folder", path.display()
    )]
    Rewound { path: PathBuf, snapshot: Position, log: Position },
    #[error("{} belongs to log {snapshot}, and this is log {log}; move that file to another folder", path.display())]
    OtherLog { path: PathBuf, snapshot: Uuid, log: Uuid },
}

impl SnapshotFolder {
    /// The snapshots beside the log in `data`. Nothing is read or made yet.
    pub fn beside(data: &Path) -> Self {
        Self { path: data.join(SNAPSHOT_FOLDER) }
    }

    /// Removes the unfinished file of a process that died while it wrote.
    pub fn clear(&self) {
        // A failure does no harm: the next snapshot writes over the file.
        let _ = std::fs::remove_file(self.path.join(UNFINISHED));
    }

    /// Writes a snapshot under a temporary name, syncs and renames it, and removes all but the newest two. Returns its
    /// size in bytes.
    ///
    /// # Errors
    /// The snapshot could not be written. Nothing of it is left.
    pub fn write(&self, header: &Header, models: &ReadModels) -> io::Result<u64> {
        if !self.path.is_dir() {
            DirBuilder::new().mode(0o700).create(&self.path)?;
            self.path.parent().map_or(Ok(()), sync_names)?;
        }
        let unfinished = self.path.join(UNFINISHED);
        let written = self.write_whole(&unfinished, header, models);
        if written.is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
        written
    }

    fn write_whole(&self, unfinished: &Path, header: &Header, models: &ReadModels) -> io::Result<u64> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
        file::write(&file, header, models)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        // Twenty digits: the order of names is that of positions.
        let name = format!("{:020}.{EXTENSION}", header.head.position.get());
        std::fs::rename(unfinished, self.path.join(name))?;
        sync_names(&self.path)?;
        for old in self.newest_first()?.into_iter().skip(KEPT) {
            std::fs::remove_file(old)?;
        }
        Ok(bytes)
    }

    fn newest_first(&self) -> io::Result<Vec<PathBuf>> {
        if !self.path.is_dir() {
            return Ok(Vec::new());
        }
        let paths = std::fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        paths.sort_unstable_by(|one, other| other.cmp(one));
        Ok(paths)
    }

    /// The log and the record that each snapshot names on its first line. Nothing is proved.
    pub fn claims(&self) -> Vec<(PathBuf, Served)> {
        let claim = |path: PathBuf| {
            let mut line = Vec::new();
            BufReader::new(File::open(&path).ok()?.take(MAX_HEADER_BYTES)).read_until(b'\n', &mut line).ok()?;
            let Claim { log_id, head } = serde_json::from_slice(&line).ok()?;
            Some((path, Served { log_id, head }))
        };
        self.newest_first().unwrap_or_default().into_iter().filter_map(claim).collect()
    }

    /// True if this file is in the folder.
    pub fn has(&self, path: &Path) -> bool {
        path.parent() == Some(&self.path)
    }

    /// True if the checksum of this snapshot fits.
    pub fn is_whole(&self, path: &Path) -> bool {
        std::fs::read(path).is_ok_and(|bytes| file::must_be_whole(&bytes).is_ok())
    }

    /// Reads the newest usable snapshot, after its head was proved against the log. A snapshot that is not usable is
    /// skipped with a warning.
    ///
    /// # Errors
    /// The log contradicts the snapshot, or cannot be read.
    pub async fn restore(&self, log: &dyn EventLog) -> Result<Option<ReadModels>, StartError> {
        let paths = self.newest_first().unwrap_or_else(|error| {
            tracing::warn!("{} cannot be read; the whole log is folded: {error}", self.path.display());
            Vec::new()
        });
        for path in paths {
            let skip = |why: &dyn std::fmt::Display| tracing::warn!("{} is not used: {why}", path.display());
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    skip(&error);
                    continue;
                }
            };
            let header = match Header::read(&bytes) {
                Ok(header) => header,
                Err(why) => {
                    skip(&why);
                    continue;
                }
            };
            must_hold(log, &header, &path).await?;
            match file::read(&bytes) {
                Ok(models) => return Ok(Some(models)),
                Err(why) => skip(&why),
            }
        }
        Ok(None)
    }
}

/// Proves that the log has the id that a snapshot names, and holds the record at the snapshot's head.
async fn must_hold(log: &dyn EventLog, header: &Header, path: &Path) -> Result<(), StartError> {
    let Header { head, log_id, .. } = *header;
    let first = log.read(Position::START, 1).await?.pop();
    let first = first.map(|record| {
        record.verify(&Head::EMPTY)?;
        decode(&record)
    });
    let first = first.transpose()?;
    let own = first.as_ref().and_then(|recorded| recorded.event.log_created()).map(|created| created.log_id);
    if let Some(own) = own
        && own != log_id
    {
        return Err(Contradiction::OtherLog { path: path.to_owned(), snapshot: log_id, log: own }.into());
    }
    let two_before = Position::new(head.position.get().saturating_sub(2));
    let records = log.read(two_before, 2).await?;
    let last = records.iter().find(|record| record.position == head.position);
    if last.map(Record::head) != Some(head) {
        let (path, snapshot) = (path.to_owned(), head.position);
        let log = log.head().await?.position;
        return Err(Contradiction::Rewound { path, snapshot, log }.into());
    }
    if let [before, last] = records.as_slice() {
        last.verify(&before.head()).map_err(StreamError::from)?;
    }
    Ok(())
}
