//! `reprise serve`: everything put together, from the socket to the log, and taken apart again in order.

use std::net::SocketAddr;
use std::time::Duration;

use domain::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{Api, serve as serve_http};
use crate::config::{DEFAULT_CAPACITY, DEMO_CAPACITY, Identity, Place, Serve};
use crate::data_folder::{DataFolder, FolderProblem, start, system_clock};
use crate::demo::{self, DemoError};
use crate::engine::{Fatal, SnapshotFolder, SnapshotWriter, StartError};

/// How long a server that was told to stop may take to answer what it holds.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(9);

/// Why a server does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "nobody's identity can be checked yet: say --identity open to let anyone ask for anyone's token, or --demo"
    )]
    NoIdentity,
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("the sequencer stopped: {0}")]
    Panicked(#[from] tokio::task::JoinError),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Serves until it is told to stop, or must.
///
/// # Errors
/// It could not start, or the log failed.
pub async fn serve(place: &Place, options: &Serve) -> Result<(), ServeError> {
    if !options.demo && options.identity != Some(Identity::Open) {
        return Err(ServeError::NoIdentity);
    }
    // The port comes first: where it is taken, the folder stays as it is.
    let address = options.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })?;
    let told_to_stop = stop_signal().map_err(ServeError::Signals)?;
    if options.identity == Some(Identity::Open) {
        tracing::warn!("--identity open: anyone may ask for anyone's token");
    }

    let folder = DataFolder::open(&place.data).await?;
    if !options.accept_clock {
        folder.replayed.check_clock(now())?;
    }
    let capacity = options.capacity.unwrap_or(if options.demo { DEMO_CAPACITY } else { DEFAULT_CAPACITY });
    let state = folder.replayed.state.clone();
    let log = folder.log;
    let snapshots = SnapshotFolder::beside(&place.data);
    let (snapshots, snapshots_written) = SnapshotWriter::start(snapshots, folder.last_snapshot);
    let (engine, mut sequencer) = start(log.clone(), folder.replayed, &folder.key, capacity, Some(snapshots)).await?;
    if options.demo {
        demo::prepare(&engine, &log, &state).await?;
    }
    drop(state);

    let address = listener.local_addr().unwrap_or(address);
    let router = Api::new(engine, folder.key).router();
    tracing::info!("listening on http://{address}");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let http = tokio::spawn(serve_http(listener, router, async {
        let _ = stopped.await;
    }));
    tokio::select! {
        ended = &mut sequencer => return ended?.map_err(ServeError::Fatal),
        () = told_to_stop => tracing::info!("stopping: answering what is held"),
    }
    let _ = stop.send(());
    let deadline = tokio::time::Instant::now() + SHUTDOWN_DEADLINE;
    let drained = async {
        let _ = http.await;
        sequencer.await
    };
    match tokio::time::timeout_at(deadline, drained).await {
        Ok(ended) => {
            ended??;
            log.close().await;
            if tokio::time::timeout_at(deadline, snapshots_written).await.is_err() {
                tracing::warn!("stopped without a snapshot: it took too long to write");
            }
        }
        Err(_) => tracing::warn!("stopped with commands whose outcome the log has not told"),
    }
    tracing::info!("stopped");
    Ok(())
}

fn now() -> Timestamp {
    system_clock()()
}

/// Ends with the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
