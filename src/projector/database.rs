//! The open database of the read models: one connection that writes, and a few that read.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use projections::sql::{Connection, Location, MODELS, Readers, SqlModel, Transaction, is_no_database, store};
use sqlx::migrate::MigrateError;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::log::IndexRoom;

/// The ending of a file's name that was not a database and was set aside.
const DAMAGED: &str = ".damaged";
/// How much a transaction may write into a file: some pages for each record of a chunk.
const TRANSACTION_BYTES: u64 = 32 * 1024 * 1024;

/// An open database.
pub struct Database {
    /// Writers take turns here, so that nobody in this process waits for SQLite's lock.
    pub(super) writer: Mutex<Writer>,
    pub(super) readers: Readers,
    /// True if other nodes may write to it.
    pub(super) is_shared: bool,
    location: Location,
    inode: Option<u64>,
}

/// The connection that writes.
pub struct Writer {
    pub(super) connection: Connection,
    /// For a file: the room of the WAL index, which SQLite maps into memory.
    room: Option<IndexRoom>,
}

impl Writer {
    /// Opens a database that belongs to this connection only, and has no WAL.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) async fn temporary() -> Result<Self, MigrateError> {
        Ok(Self { connection: Connection::temporary().await?, room: None })
    }

    /// Begins to write, if the disk has room for it.
    ///
    /// # Errors
    /// The database's, or the disk is full.
    pub(super) async fn begin(&mut self) -> sqlx::Result<Transaction<'_>> {
        if let Some(room) = &mut self.room {
            room.make(TRANSACTION_BYTES).map_err(sqlx::Error::Io)?;
        }
        self.connection.begin().await
    }
}

impl Database {
    /// Opens the read models of a log, makes missing tables, and drops tables that a killed build left beside them.
    ///
    /// # Errors
    /// The database cannot be opened, or is something else.
    pub async fn open(location: &Location, log_id: Uuid) -> Result<Self, MigrateError> {
        let room = match location {
            Location::File(path) => Some(IndexRoom::before_opening(path).map_err(sqlx::Error::Io)?),
            Location::Servers(_) => None,
        };
        let (connection, readers) = location.open(log_id).await?;
        let mut writer = Writer { connection, room };
        // If another process is building, its tables must stay.
        if store::start_building(&mut writer.connection).await? {
            discard(&mut writer, &MODELS).await?;
            store::stop_building(&mut writer.connection).await?;
        }
        let is_shared = writer.connection.is_shared();
        let (location, inode) = (location.clone(), inode(location));
        Ok(Self { writer: Mutex::new(writer), readers, is_shared, location, inode })
    }

    /// Opens the read models, after a file that is not a database any more was set aside. All its content can be made
    /// from the log.
    ///
    /// # Errors
    /// An error of [`Database::open`], or the file cannot be set aside.
    pub async fn open_anew(location: &Location, log_id: Uuid) -> Result<Self, MigrateError> {
        set_aside_if_ruined(location, log_id).await.map_err(sqlx::Error::Io)?;
        Self::open(location, log_id).await
    }

    /// Closes the database in good order, so that the file is complete without its WAL.
    ///
    /// # Errors
    /// The database fails.
    pub async fn close(self) -> sqlx::Result<()> {
        self.readers.close().await;
        self.writer.into_inner().connection.close().await
    }

    /// True if the file is still the one that was opened: SQLite goes on writing to a file that was deleted.
    pub(super) fn is_there(&self) -> bool {
        match &self.location {
            Location::File(_) => self.inode.is_some() && inode(&self.location) == self.inode,
            Location::Servers(_) => true,
        }
    }
}

/// Renames the file if it cannot even be opened as a database.
pub(super) async fn set_aside_if_ruined(location: &Location, log_id: Uuid) -> io::Result<()> {
    let looked = location.look(log_id).await;
    let is_ruined = looked.as_ref().err().is_some_and(is_no_database);
    drop(looked);
    if is_ruined { set_aside(location) } else { Ok(()) }
}

/// Renames the file of a damaged database, so that a person can look at it.
///
/// # Errors
/// The system cannot rename it.
pub fn set_aside(location: &Location) -> io::Result<()> {
    let Location::File(path) = location else { return Ok(()) };
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    std::fs::rename(path, beside(DAMAGED))?;
    tracing::warn!("{} is damaged, and was renamed to {}", path.display(), beside(DAMAGED).display());
    for name in ["-wal", "-shm"].map(beside) {
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Drops the tables that a build of `models` left beside the live ones.
pub(super) async fn discard(writer: &mut Writer, models: &[&SqlModel]) -> sqlx::Result<()> {
    let mut transaction = writer.begin().await?;
    for model in models {
        store::discard(&mut transaction, model).await?;
    }
    transaction.commit().await
}

fn inode(location: &Location) -> Option<u64> {
    let of = |path: &Path| path.metadata().ok().map(|metadata| metadata.ino());
    match location {
        Location::File(path) => of(path),
        Location::Servers(_) => None,
    }
}
