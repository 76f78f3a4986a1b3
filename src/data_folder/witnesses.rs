//! Compares the log with what each file of the data folder has seen of it, at a start.

use std::fmt;
use std::io;
use std::path::PathBuf;

use domain::{Head, Position, Record};
use projections::sql::READ_MODELS_FILE;
use uuid::Uuid;

use crate::engine::SnapshotFolder;
use crate::log::{EventLog, LOG_FILE, LogAddress, ReadError};
use crate::place::Place;
use crate::served::{MARK_FILE, Served, ServedMark};

/// The WAL of a log in SQLite, which may be left when the log's file is gone.
const WAL_FILE: &str = "log.db-wal";

/// A file of the data folder, and what it has seen of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Witness {
    file: PathBuf,
    has_seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// This record, and with it all records before it.
    Record(Served),
    /// Only that there was a log.
    SomeLog,
    /// Unknown, because the file cannot be read.
    Unreadable(String),
}

/// All that the data folder knows about its log.
#[derive(Debug)]
pub struct Witnesses(Vec<Witness>);

/// The log is not the one that was served from this folder: rewound, replaced, or made anew.
#[derive(Debug)]
pub struct NotTheLog {
    log: String,
    folder: PathBuf,
    head: Head,
    log_id: Option<Uuid>,
    missing: Vec<Witness>,
}

impl Witnesses {
    /// Reads every file of the folder.
    pub fn of(place: &Place) -> Self {
        let mut found = Vec::new();
        let mut add = |file: PathBuf, has_seen| found.push(Witness { file, has_seen });
        let mark = ServedMark::read(&place.data);
        // If nothing was served yet, a key was left by a first start that was interrupted.
        let is_first_start = matches!(&mark, Ok(Some(Served::NOTHING)));
        match mark {
            Ok(None | Some(Served::NOTHING)) => {}
            Ok(Some(served)) => add(place.data.join(MARK_FILE), Seen::Record(served)),
            Err(error) => add(place.data.join(MARK_FILE), Seen::Unreadable(error.to_string())),
        }
        for (file, served) in SnapshotFolder::beside(&place.data).claims() {
            add(file, Seen::Record(served));
        }
        let mut is_there = vec![place.data.join(READ_MODELS_FILE)];
        if place.log == LogAddress::Sqlite {
            // A WAL beside its database is what a killed server leaves. Only without the database it shows a lost log.
            is_there.extend((!place.data.join(LOG_FILE).exists()).then(|| place.data.join(WAL_FILE)));
            // A key file given by an option may have been made for a log that does not exist yet.
            is_there.extend((place.key_file.is_none() && !is_first_start).then(|| place.key_path()));
        }
        let is_there = is_there.into_iter().filter(|file| file.metadata().is_ok_and(|file| file.len() > 0));
        found.extend(is_there.map(|file| Witness { file, has_seen: Seen::SomeLog }));
        Self(found)
    }

    /// Refuses a folder whose log is gone, before a new one is made there.
    ///
    /// # Errors
    /// A file shows that there was a log.
    pub fn allow_a_new_log(&self, place: &Place) -> Result<(), Box<NotTheLog>> {
        self.refuse(place, Head::EMPTY, None, |witness| !is_damaged(place, witness))
    }

    /// Compares a log with all that the folder has seen.
    ///
    /// # Errors
    /// The log cannot be read. The inner error: the log lacks something that the folder has seen.
    pub async fn allow(&self, place: &Place, log: &dyn EventLog) -> Result<Result<(), Box<NotTheLog>>, ReadError> {
        let head = log.head().await?;
        let log_id = log.id().await?;
        let mut missing = Vec::new();
        for witness in &self.0 {
            let is_missing = match &witness.has_seen {
                // The hash covers all records before it, and with them the log's id.
                Seen::Record(served) => !holds(log, &served.head).await?,
                Seen::SomeLog => head == Head::EMPTY,
                Seen::Unreadable(_) => true,
            };
            if is_missing && !is_damaged(place, witness) {
                missing.push(witness.file.as_path());
            }
        }
        Ok(self.refuse(place, head, log_id, |witness| missing.contains(&witness.file.as_path())))
    }

    fn refuse(
        &self,
        place: &Place,
        head: Head,
        log_id: Option<Uuid>,
        is_missing: impl Fn(&Witness) -> bool,
    ) -> Result<(), Box<NotTheLog>> {
        let missing: Vec<Witness> = self.0.iter().filter(|witness| is_missing(witness)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Box::new(NotTheLog { log: place.log_name(), folder: place.data.clone(), head, log_id, missing }))
    }
}

impl NotTheLog {
    /// Accepts the log as it is, as an operator has decided: files that contradict it are removed.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn accept(&self) -> io::Result<()> {
        tracing::warn!("--accept-rewind: these records are lost: {}", self.what_is_missing());
        // Only snapshots must be removed. The mark is written anew, and all else adapts to the log.
        let snapshots = SnapshotFolder::beside(&self.folder);
        for witness in self.missing.iter().filter(|witness| snapshots.has(&witness.file)) {
            std::fs::remove_file(&witness.file)?;
        }
        Ok(())
    }

    fn what_is_missing(&self) -> String {
        // Files that have seen the same are named together.
        let mut said: Vec<(String, Vec<String>)> = Vec::new();
        for Witness { file, has_seen } in &self.missing {
            let (what, file) = (has_seen.to_string(), file.display().to_string());
            match said.iter_mut().find(|(known, _)| *known == what) {
                Some((_, files)) => files.push(file),
                None => said.push((what, vec![file])),
            }
        }
        let said = said.into_iter().map(|(what, files)| format!("{what} ({})", files.join(", ")));
        said.collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(Served { log_id, head: Head { position, hash } }) => {
                write!(f, "position {position} of log {log_id} with hash {hash}")
            }
            Self::SomeLog => f.write_str("some log"),
            Self::Unreadable(error) => write!(f, "an unknown record, since the mark cannot be read: {error}"),
        }
    }
}

impl fmt::Display for NotTheLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, folder, head: Head { position, hash }, log_id, .. } = self;
        write!(
            f,
            "{log}: the log was rewound, replaced or created again: it does not hold what was served from {}. \
             Missing: {}. ",
            folder.display(),
            self.what_is_missing()
        )?;
        match log_id {
            Some(log_id) => write!(f, "The present log is {log_id}, and its head is position {position}. ")?,
            None => write!(f, "The present log is empty, and its head is position 0. ")?,
        }
        write!(
            f,
            "Restore the log that holds what is missing. To serve the present log instead, and lose what is missing, \
             start once with: reprise serve --accept-rewind {position}:{hash}"
        )
    }
}

impl std::error::Error for NotTheLog {}

/// True for a damaged snapshot, which proves nothing.
fn is_damaged(place: &Place, witness: &Witness) -> bool {
    let snapshots = SnapshotFolder::beside(&place.data);
    snapshots.has(&witness.file) && !snapshots.is_whole(&witness.file)
}

/// Returns true if the log holds this record with this hash. Every log holds the empty beginning.
///
/// # Errors
/// The log cannot be read.
pub async fn holds(log: &dyn EventLog, record: &Head) -> Result<bool, ReadError> {
    if record.position == Position::START {
        return Ok(*record == Head::EMPTY);
    }
    Ok(log.record(record.position).await?.as_ref().map(Record::head) == Some(*record))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::Hash;

    use super::*;
    use crate::log::memory::MemoryLog;
    use crate::tools::made_log as made;

    fn place(folder: &Path) -> Place {
        Place { data: folder.to_owned(), log: LogAddress::Sqlite, key_file: None, read_models: None }
    }

    async fn served(log: &MemoryLog, position: u64) -> Served {
        let head = log.records()[position as usize - 1].head();
        Served { log_id: log.id().await.unwrap().unwrap(), head }
    }

    async fn refused(place: &Place, log: &MemoryLog) -> Option<String> {
        Witnesses::of(place).allow(place, log).await.unwrap().err().map(|refused| refused.to_string())
    }

    #[tokio::test]
    async fn a_log_that_holds_what_was_served_is_served_and_one_that_lacks_it_is_not() {
        let (log, folder) = (made(20, 1).await, tempfile::tempdir().unwrap());
        let place = place(folder.path());
        assert_eq!(refused(&place, &log).await, None, "nothing was served");
        ServedMark::begin(folder.path(), served(&log, 20).await).unwrap();
        assert_eq!(refused(&place, &log).await, None);
        log.truncate(Position::new(19));
        let told = refused(&place, &log).await.unwrap();
        let head = log.records()[18].head();
        for word in ["rewound", "position 20", "position 19", "/served", &format!("--accept-rewind 19:{}", head.hash)] {
            assert!(told.contains(word), "{word}: {told}");
        }
        let other = made(40, 2).await;
        assert!(refused(&place, &other).await.is_some(), "another log");
        log.truncate(Position::START);
        let told = refused(&place, &log).await.unwrap();
        assert!(told.ends_with(&format!("--accept-rewind 0:{}", Hash::new([0; 32]))), "{told}");
    }

    #[tokio::test]
    async fn every_file_that_says_that_there_was_a_log_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        for name in ["server.key", "read-models.db", "log.db-wal"] {
            std::fs::write(folder.path().join(name), "something").unwrap();
            let told = refused(&place, &MemoryLog::new()).await.unwrap();
            assert!(told.contains(&format!("/{name}")), "{name}: {told}");
            assert!(Witnesses::of(&place).allow_a_new_log(&place).is_err());
        }
        std::fs::write(folder.path().join("log.db"), "").unwrap();
        let told = refused(&place, &MemoryLog::new()).await.unwrap();
        assert!(!told.contains("/log.db-wal"), "{told}");
    }

    #[tokio::test]
    async fn a_key_is_no_witness_where_a_first_start_was_killed_or_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = place(folder.path());
        std::fs::write(place.key_path(), "a key").unwrap();
        assert!(refused(&place, &MemoryLog::new()).await.is_some());
        ServedMark::begin(folder.path(), Served::NOTHING).unwrap();
        assert_eq!(refused(&place, &MemoryLog::new()).await, None);
        std::fs::remove_file(folder.path().join(MARK_FILE)).unwrap();
        place.key_file = Some(place.key_path());
        assert_eq!(refused(&place, &MemoryLog::new()).await, None);
    }
}
