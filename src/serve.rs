//! `reprise serve`: starts all parts of the server, from the log to the socket, and stops them in order.

mod listen;
mod signals;
mod waiting;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::listen::{listen, listen_for_operators, local_address};
use self::signals::Signals;
pub use self::signals::survive_long_files;
use crate::api::operations::{self, Door, OperatorState};
use crate::api::{self, Api, Limits, Pages, Settings, Streams};
use crate::config::{DEFAULT_CAPACITY, DEMO_CAPACITY, IdentityMode, IdentityProblem, ListenAddress, Serve};
use crate::data_folder::{DataFolder, FolderProblem, start, system_clock, until_ready};
use crate::demo::{self, DemoError};
use crate::engine::{Engine, Fatal, SnapshotFolder, SnapshotWriter, SnapshotsWritten, StartError, check_clock};
use crate::failure::Failure;
use crate::identity::{self, Charging, Identity};
use crate::key::ServerKey;
use crate::log::{EventLog, FolderLock};
use crate::operations::socket;
use crate::place::Place;
use crate::projector::Projector;
use crate::{metrics, open_files};

/// How long a server may take to finish its requests after it was told to stop.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(9);

/// The exit code of a program that was interrupted while it stopped, as shells use it.
const INTERRUPTED: u8 = 130;

/// How long a server whose log failed may take to answer the waiting requests.
const FAREWELL: Duration = Duration::from_secs(1);

/// How many connections the operators' listener has at a time. Their file handles are among those that are kept back.
const OPERATORS_CONNECTIONS: usize = 32;

/// The reason why a server does not start, or stops without a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the server cannot listen on {address}: {error}")]
    Listen { address: ListenAddress, error: std::io::Error },
    #[error(
        "--operations {0}: with `--identity open` this listener asks nobody for a token; give it a loopback address, \
         such as 127.0.0.1:8081, or use `--identity jwt`"
    )]
    OperationsForAll(ListenAddress),
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("--read-models: {0}")]
    ReadModels(#[from] sqlx::Error),
    #[error("the sequencer stopped: {0}")]
    Panicked(#[from] tokio::task::JoinError),
    #[error("metrics cannot be collected: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error("the operators' socket (operations.sock in the data folder) cannot be made: {0}")]
    Socket(std::io::Error),
    #[error(transparent)]
    Identity(#[from] IdentityProblem),
    #[error("the HTTPS client for the identity provider's keys cannot be made: {0}")]
    Keys(reqwest::Error),
    #[error("signals cannot be handled: {0}")]
    Signals(std::io::Error),
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let needs_a_person = match &error {
            ServeError::Folder(problem) => problem.needs_a_person(),
            ServeError::Fatal(fatal) => fatal.needs_a_person(),
            ServeError::Identity(problem) => problem.needs_a_person(),
            ServeError::Listen { .. }
            | ServeError::OperationsForAll(_)
            | ServeError::Start(_)
            | ServeError::Demo(_)
            | ServeError::ReadModels(_)
            | ServeError::Panicked(_)
            | ServeError::Metrics(_)
            | ServeError::Socket(_)
            | ServeError::Keys(_)
            | ServeError::Signals(_) => false,
        };
        Self { said: error.to_string(), needs_a_person }
    }
}

/// Serves until it is told to stop, or the log fails.
///
/// # Errors
/// The server could not start, or the log failed.
pub async fn serve(place: &Place, options: &Serve) -> Result<ExitCode, ServeError> {
    let open_files = open_files::raise_limit();
    let provider = options.identity.settings(options.demo)?;
    // Take the port first: if it is in use, the folder stays as it is.
    let listener = listen(&options.listen).await?;
    let operations_listener = match &options.operations {
        Some(address) => Some(listen_for_operators(address, provider.is_none()).await?),
        None => None,
    };
    let mut signals = Signals::heed().map_err(ServeError::Signals)?;
    if provider.is_none() && !options.demo {
        tracing::warn!("--identity open: anyone may ask for anyone's token");
    }

    metrics::install()?;
    let Prepared { engine, mut sequencer, snapshots_written, log, key, _lock } = tokio::select! {
        prepared = prepare(place, options, &listener) => prepared?,
        () = signals.stop() => {
            tracing::info!("stopped before it was ready");
            return Ok(ExitCode::SUCCESS);
        }
    };

    let max_connections = open_files::max_connections(options.max_connections, open_files);
    let socket_listener = socket::bind(&place.data).map_err(ServeError::Socket)?;
    let projector = Projector::new(place.read_models()?, log.clone());
    let projecting = tokio::spawn(projector.clone().run());
    let keeping_tokens = options.demo.then(|| tokio::spawn(demo::keep_tokens(engine.clone())));
    let pages = Pages::new(&page_settings(options, provider.as_ref()), !options.page.no_page);
    let identity = provider.map(Identity::new).transpose().map_err(ServeError::Keys)?;
    let keeping_keys = identity.clone().map(|identity| tokio::spawn(identity.keep_keys()));
    // The sequencer ends when both listeners have stopped and the last engine handle is dropped.
    let (stop, stopped) = watch::channel(());
    let streams = Streams::start(engine.clone(), options.max_streams, stopped.clone());
    let door = Door::Listener(identity.clone());
    let charging = options.identity.charging();
    let projector_too = projector.clone();
    let (limits, log_too) = (Limits::keep(options.limits.allowed()), log.clone());
    let api = Api { engine, key, projector: projector_too, pages, streams, identity, limits, charging, log: log_too };
    let api = Arc::new(api);
    let counts_addresses = api.limits.counts_addresses();
    let until_stopped = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.changed().await) }
    };
    let operations = operations_listener.map(|listener| {
        tracing::info!("operations on http://{}", local_address(&listener));
        let router = operators_router(&api, door, stopped.clone());
        tokio::spawn(api::serve(listener, router, OPERATORS_CONNECTIONS, counts_addresses, until_stopped()))
    });
    let socket = operators_router(&api, Door::Socket, stopped.clone());
    let socket = socket::serve(socket_listener, &place.data, socket, stopped.clone());
    tracing::info!("listening on http://{}", local_address(&listener));
    let router = api::public::router(api, options.operations.is_none());
    let router = api::for_pages_of(&options.limits.cors_origin, router);
    let public = tokio::spawn(api::serve(listener, router, max_connections, counts_addresses, until_stopped()));
    let http = async {
        let _ = public.await;
        let _ = socket.await;
        if let Some(operations) = operations {
            let _ = operations.await;
        }
    };
    tokio::select! {
        ended = &mut sequencer => {
            // Waiting commands are answered `outcome-unknown`. The server does not serve what it cannot know.
            let _ = stop.send(());
            let _ = tokio::time::timeout(FAREWELL, http).await;
            ended??;
            return Ok(ExitCode::SUCCESS);
        }
        () = signals.stop() => tracing::info!("stopping: the commands that were accepted are answered first"),
    }
    let _ = stop.send(());
    for keeping in keeping_tokens.into_iter().chain(keeping_keys) {
        keeping.abort();
    }
    let deadline = tokio::time::Instant::now() + SHUTDOWN_DEADLINE;
    let drained = async {
        let _ = http.await;
        sequencer.await??;
        projecting.abort();
        let _ = projecting.await;
        projector.close().await;
        log.close().await;
        Ok::<(), ServeError>(())
    };
    let ended = async {
        match tokio::time::timeout_at(deadline, drained).await {
            Ok(ended) => {
                ended?;
                if tokio::time::timeout_at(deadline, snapshots_written).await.is_err() {
                    tracing::warn!("stopped without a snapshot: it took too long to write");
                }
            }
            Err(_) => tracing::warn!("stopped; the outcome of some commands is not known"),
        }
        Ok::<(), ServeError>(())
    };
    tokio::select! {
        ended = ended => ended?,
        () = signals.interrupt() => {
            tracing::warn!("stopped at once: answered commands are in the log; waiting commands were not answered");
            return Ok(INTERRUPTED.into());
        }
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn operators_router(api: &Arc<Api>, door: Door, stopped: watch::Receiver<()>) -> axum::Router {
    operations::router(OperatorState { api: Arc::clone(api), door, stopped })
}

/// The parts of a server before it listens.
struct Prepared {
    engine: Engine,
    sequencer: JoinHandle<Result<(), Fatal>>,
    snapshots_written: SnapshotsWritten,
    log: Arc<dyn EventLog>,
    key: ServerKey,
    _lock: FolderLock,
}

/// Folds the log and starts the engine on it. If it is stopped midway, it leaves the state of a killed server, and the
/// next start goes on.
async fn prepare(place: &Place, options: &Serve, listener: &TcpListener) -> Result<Prepared, ServeError> {
    let lock = FolderLock::take(&place.data).map_err(FolderProblem::from)?;
    let (accepted, patience) =
        (options.accept_rewind.map(|record| record.0), Duration::from_secs(options.wait_for_log));
    let opened = waiting::open(place, accepted, &lock, patience, listener).await?;
    let DataFolder { log, replayed, key, last_snapshot, served } = opened;
    if !options.accept_clock {
        check_clock(&replayed.state, now())?;
    }
    let capacity = options.capacity.unwrap_or(if options.demo { DEMO_CAPACITY } else { DEFAULT_CAPACITY });
    let state = replayed.state.clone();
    options.identity.check(&state.users)?;
    if let Some(asked) = options.capacity.filter(|asked| state.log.is_some() && *asked != state.room.capacity()) {
        let capacity = state.room.capacity();
        tracing::warn!(
            "--capacity {asked} is for a new log: the room of this one has {capacity} slots; to change that, use `reprise room set --capacity {asked}`"
        );
    }
    let snapshots = SnapshotFolder::beside(&place.data);
    let (snapshots, snapshots_written) = SnapshotWriter::start(snapshots, last_snapshot);
    let (engine, sequencer) = start(log.clone(), replayed, &key, capacity, served, Some(snapshots)).await?;
    let slots = if state.log.is_some() { state.room.capacity() } else { capacity };
    if slots == 0 {
        tracing::warn!("the waiting room has no slots, so nobody is admitted: use `reprise room set --capacity N`");
    }
    if options.demo {
        until_ready(&engine, &sequencer).await;
        demo::prepare(&engine, &log, &state).await?;
    }
    Ok(Prepared { engine, sequencer, snapshots_written, log, key, _lock: lock })
}

/// The pages' settings.
fn page_settings(options: &Serve, provider: Option<&identity::Settings>) -> Settings {
    let issuer = provider.and_then(|provider| provider.issuers.first()).map(String::as_str);
    Settings {
        identity: match options.identity.identity {
            IdentityMode::Open => "open",
            IdentityMode::Jwt => "jwt",
        },
        charge: match options.identity.charging() {
            Charging::Own => "own",
            Charging::Cashier => "cashier",
        },
        login: options.page.login(issuer),
        roles_claim: options.identity.jwt_roles_claim.clone(),
    }
}

fn now() -> Timestamp {
    system_clock()()
}
