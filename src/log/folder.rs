//! The lock of the data folder: only one server holds it at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The lock on the data folder. It ends when this is dropped, or when the process dies in any way: the system releases
/// it, so that no stale file is left after a crash.
///
/// Two things are locked: the file `lock`, and the folder itself, whose lock stays if somebody removes that file.
#[derive(Debug)]
pub struct FolderLock {
    _locks: [File; 2],
}

/// The reason why the data folder cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process holds the folder. Two servers on one folder would each act as if they were alone.
    #[error("the data folder {} is in use by another `reprise` process; stop that one first", .folder.display())]
    Held { folder: PathBuf },
    /// The folder cannot be created or written.
    #[error("the data folder {} cannot be used: {source}", .folder.display())]
    Unusable { folder: PathBuf, source: io::Error },
}

impl FolderLock {
    /// Locks `folder`, which is created (0700) if it is missing.
    ///
    /// # Errors
    /// Another process holds the folder, or it cannot be created or written.
    pub fn take(folder: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable { folder: folder.to_owned(), source };
        create(folder).map_err(unusable)?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock")).map_err(unusable)?;
        let itself = File::open(folder).map_err(unusable)?;
        match (lock.try_lock(), itself.try_lock()) {
            (Err(TryLockError::WouldBlock), _) | (_, Err(TryLockError::WouldBlock)) => {
                Err(FolderError::Held { folder: folder.to_owned() })
            }
            (Err(TryLockError::Error(source)), _) => Err(unusable(source)),
            // Some file systems (NFS) lock files only.
            (Ok(()), Ok(()) | Err(TryLockError::Error(_))) => Ok(Self { _locks: [lock, itself] }),
        }
    }
}

/// Creates the folder and every missing one above it, and makes their names durable.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::ErrorKind::NotFound.into()),
    };
    create(parent)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        created => created?,
    }
    sync_names(parent)
}

/// Makes the names in `folder` durable. Without this a power cut can lose a file, even if the file itself was synced.
///
/// # Errors
/// The folder cannot be opened or synced.
pub fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_missing_folder_is_created_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let _lock = FolderLock::take(&folder).unwrap();
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_server_is_told_which_folder_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let _first = FolderLock::take(folder.path()).unwrap();
        let refused = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "the data folder {} is in use by another `reprise` process; stop that one first",
                folder.path().display()
            )
        );
    }

    #[test]
    fn a_second_server_is_refused_though_the_file_of_the_lock_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let _first = FolderLock::take(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join("lock")).unwrap();
        assert!(matches!(FolderLock::take(folder.path()), Err(FolderError::Held { .. })));
    }

    #[test]
    fn a_folder_is_free_again_when_its_server_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        drop(FolderLock::take(folder.path()).unwrap());
        FolderLock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_named_in_one_line() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = FolderLock::take(&file.join("data")).unwrap_err();
        assert!(matches!(refused, FolderError::Unusable { .. }));
        let line = refused.to_string();
        assert!(line.contains(&file.display().to_string()) && !line.contains('\n'), "{line}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the lock's place stands in for missing permissions, which the superuser would not notice.
        std::fs::create_dir(folder.path().join("lock")).unwrap();
        let refused = FolderLock::take(folder.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Unusable { .. }));
        assert!(refused.to_string().contains(&folder.path().display().to_string()));
    }
}
