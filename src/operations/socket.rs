//! The operators' socket in the data folder. Everyone who may open its file may do everything.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::operations::Peer;

/// The socket's file, in the data folder.
pub const SOCKET_FILE: &str = "operations.sock";
/// The name of the file until only its owner may open it.
const PARTIAL: &str = "operations.sock.partial";
/// The longest path of a socket, in bytes: `sun_path` has 108, and ends with a zero.
const MAX_PATH_BYTES: usize = 107;
/// How long requests may take after the server was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);

/// A path for a socket. If the real path is too long, this holds the folder open and uses a short path.
pub struct Reachable {
    /// The path.
    pub path: PathBuf,
    _folder: Option<File>,
}

impl Reachable {
    /// Makes a path for the file `name` in `folder`.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn of(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(name);
        if path.as_os_str().as_bytes().len() <= MAX_PATH_BYTES {
            return Ok(Self { path, _folder: None });
        }
        // Linux has a short path for an open folder. Elsewhere the bind fails because the path is too long.
        let opened = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{name}", opened.as_raw_fd()));
        Ok(Self { path, _folder: Some(opened) })
    }
}

/// Binds the socket of a folder that this process has locked. An existing socket was left by a killed server.
///
/// # Errors
/// The folder cannot hold a socket.
pub fn bind(folder: &Path) -> io::Result<UnixListener> {
    let partial = Reachable::of(folder, PARTIAL)?;
    remove(&folder.join(PARTIAL))?;
    let listener = UnixListener::bind(&partial.path)?;
    // It gets its final name when nobody else can open it.
    std::fs::set_permissions(&partial.path, Permissions::from_mode(0o600))?;
    std::fs::rename(folder.join(PARTIAL), folder.join(SOCKET_FILE))?;
    Ok(listener)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Serves `router` on the folder's socket until `stopped`, and then removes the socket.
pub fn serve(
    listener: UnixListener,
    folder: &Path,
    router: Router,
    mut stopped: watch::Receiver<()>,
) -> JoinHandle<()> {
    let socket = folder.join(SOCKET_FILE);
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<Peer>();
        let mut told = stopped.clone();
        let told = async move { drop(told.changed().await) };
        let serving = axum::serve(listener, service).with_graceful_shutdown(told);
        let cut_off = async {
            let _ = stopped.changed().await;
            // Remove it now, so that a client finds no socket, and not one that does not answer.
            if let Err(error) = remove(&socket) {
                tracing::warn!("{}: {error}", socket.display());
            }
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        };
        tokio::select! {
            served = serving => {
                if let Err(error) = served {
                    tracing::error!("the operators' socket failed: {error}");
                }
            }
            () = cut_off => tracing::warn!("requests of operators that had not ended were cut off"),
        }
        let _ = remove(&socket);
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_its_owner_s_alone_and_replaces_one_that_was_left() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let listener = bind(folder.path()).unwrap();
            let metadata = folder.path().join(SOCKET_FILE).metadata().unwrap();
            assert!(metadata.file_type().is_socket());
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
            assert!(!folder.path().join(PARTIAL).exists());
            drop(listener);
        }
    }

    #[tokio::test]
    async fn a_folder_with_a_long_path_has_a_socket_too() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("x".repeat(120));
        std::fs::create_dir(&folder).unwrap();
        let listener = bind(&folder).unwrap();
        let reachable = Reachable::of(&folder, SOCKET_FILE).unwrap();
        let (connected, accepted) = tokio::join!(tokio::net::UnixStream::connect(&reachable.path), listener.accept());
        assert!(connected.is_ok() && accepted.is_ok());
    }
}
