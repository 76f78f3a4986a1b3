//! The open database of the read models: one connection that writes, a few that read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use projections::sql::{Connection, Location, MODELS, Readers, SqlModel, store};
use sqlx::migrate::MigrateError;
use tokio::sync::Mutex;

/// An open database.
pub struct Database {
    /// Whoever writes takes turns here, so that nobody in this process waits for SQLite's lock.
    pub(super) writer: Mutex<Connection>,
    pub(super) readers: Readers,
    /// Whether other nodes may write to it.
    pub(super) is_shared: bool,
    location: Location,
    inode: Option<u64>,
}

impl Database {
    /// Opens the read models, makes what is missing, and throws away what a killed build left beside them.
    ///
    /// # Errors
    /// They cannot be opened, or are something else.
    pub async fn open(location: &Location) -> Result<Self, MigrateError> {
        let (mut writer, readers) = location.open().await?;
        // Where another process builds, it stands there rightly.
        if store::start_building(&mut writer).await? {
            discard(&mut writer, &MODELS).await?;
            store::stop_building(&mut writer).await?;
        }
        let is_shared = writer.is_shared();
        let (location, inode) = (location.clone(), inode(location));
        Ok(Self { writer: Mutex::new(writer), readers, is_shared, location, inode })
    }

    /// Closes it in good order, so that all of a file stands in that file.
    ///
    /// # Errors
    /// The database's.
    pub async fn close(self) -> sqlx::Result<()> {
        self.readers.close().await;
        self.writer.into_inner().close().await
    }

    /// Whether the file is still the one that was opened: SQLite goes on writing to one that was deleted.
    pub(super) fn is_there(&self) -> bool {
        match &self.location {
            Location::File(_) => self.inode.is_some() && inode(&self.location) == self.inode,
            Location::Servers(_) => true,
        }
    }
}

/// Throws away what a build of `models` left beside the live tables.
pub(super) async fn discard(writer: &mut Connection, models: &[&SqlModel]) -> sqlx::Result<()> {
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
