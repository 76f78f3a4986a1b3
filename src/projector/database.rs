//! The open database of the read models: one connection that writes, a few that read.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use projections::sql::store::{self, READ_MODELS_FILE};
use sqlx::Connection;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

/// An open database.
pub struct Database {
    /// Whoever writes takes turns here, so that nobody in this process waits for SQLite's lock.
    pub(super) writer: Mutex<SqliteConnection>,
    pub(super) readers: SqlitePool,
    path: PathBuf,
    inode: Option<u64>,
}

impl Database {
    /// Opens the read models of a data folder, created if missing.
    ///
    /// # Errors
    /// The file cannot be opened, or is something else.
    pub async fn open(folder: &Path) -> Result<Self, MigrateError> {
        let path = folder.join(READ_MODELS_FILE);
        let writer = Mutex::new(store::open(&path).await?);
        let readers = store::readers(&path).await?;
        let inode = inode(&path);
        Ok(Self { writer, readers, path, inode })
    }

    /// Closes it in good order, so that all of it stands in one file.
    ///
    /// # Errors
    /// SQLite could not move everything there.
    pub async fn close(self) -> sqlx::Result<()> {
        self.readers.close().await;
        self.writer.into_inner().close().await
    }

    /// Whether the file is still the one that was opened: SQLite goes on writing to one that was deleted.
    pub(super) fn is_there(&self) -> bool {
        self.inode.is_some() && inode(&self.path) == self.inode
    }
}

fn inode(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|metadata| metadata.ino())
}
