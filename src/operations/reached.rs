//! The server of a command: the one that holds the data folder, or else the command's own server on that folder, which
//! runs as long as the command. So each command is a request in both cases.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::client::{Answer, ClientError, Sent, Server};
use super::socket;
use crate::api::operations::{Door, OperatorState, router};
use crate::api::{Api, Pages, Settings, Streams};
use crate::catalog::JSON;
use crate::config::DEFAULT_CAPACITY;
use crate::data_folder::{self, DataFolder, FolderProblem, start, system_clock};
use crate::engine::{Fatal, check_clock};
use crate::failure::Failure;
use crate::identity::Charging;
use crate::log::{EventLog, FolderLock};
use crate::place::Place;
use crate::projector::Projector;

/// How long a command waits for its server before it prints a line.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Folder(#[from] FolderProblem),
    #[error(transparent)]
    Refused(#[from] ClientError),
    #[error(
        "{error}. Run the same command with `--idempotency-key {key}` to learn what happened: nothing is done twice"
    )]
    Unknown { error: ClientError, key: String },
    #[error("there is nothing to set: give --capacity N, --admissions-per-second N or --arrival-seconds N")]
    NothingToSet,
    #[error("the operators' socket (operations.sock in the data folder) cannot be made: {0}")]
    Socket(std::io::Error),
    #[error("--read-models: {0}")]
    ReadModels(#[from] sqlx::Error),
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error("the sequencer stopped: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl CommandError {
    /// True if only a person can decide how to go on.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Folder(problem) => problem.needs_a_person(),
            Self::Fatal(fatal) => fatal.needs_a_person(),
            Self::Refused(_)
            | Self::Unknown { .. }
            | Self::NothingToSet
            | Self::Socket(_)
            | Self::ReadModels(_)
            | Self::Panicked(_) => false,
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self { said: error.to_string(), needs_a_person: error.needs_a_person() }
    }
}

/// A server for requests.
pub struct Reached {
    server: Server,
    own: Option<Own>,
}

/// The command's own server.
struct Own {
    stop: watch::Sender<()>,
    socket: JoinHandle<()>,
    sequencer: JoinHandle<Result<(), Fatal>>,
    projecting: JoinHandle<()>,
    projector: Projector,
    log: Arc<dyn EventLog>,
    _lock: FolderLock,
}

impl Reached {
    /// Finds or starts the server of this place.
    ///
    /// # Errors
    /// There is no log, or it cannot be served.
    pub async fn of(place: &Place) -> Result<Self, CommandError> {
        data_folder::must_exist(place)?;
        Self::of_any(place).await
    }

    /// Finds or starts the server of this place. A missing log is made.
    ///
    /// # Errors
    /// The log cannot be served.
    pub async fn of_any(place: &Place) -> Result<Self, CommandError> {
        if let Some(server) = Server::of(&place.data).await? {
            return Ok(Self { server, own: None });
        }
        let own = Own::start(place).await?;
        let server = Server::of(&place.data).await?;
        let server = server.ok_or_else(|| ClientError::NoSocket(place.data.clone()))?;
        Ok(Self { server, own: Some(own) })
    }

    /// Sends a query.
    ///
    /// # Errors
    /// The server refused, or did not answer.
    pub async fn read(&self, path: &str) -> Result<Value, CommandError> {
        Ok(self.server.ask(Method::GET, path, None, None).await?.body)
    }

    /// Sends a change, which happens once. It uses the given key, or a new one, which is printed if the outcome is
    /// unknown.
    ///
    /// # Errors
    /// The server refused, or did not answer.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, CommandError> {
        let sent = body.map(|body| Sent { media_type: JSON, bytes: body.to_string().into_bytes() });
        self.send(method, path, key, sent).await
    }

    /// Sends a change with any body.
    ///
    /// # Errors
    /// The server refused, or did not answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Sent>,
    ) -> Result<Answer, CommandError> {
        let key = key.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let answered = {
            let mut asking = pin!(self.server.ask(method, path, Some(&key), body));
            let soon = tokio::time::timeout(PATIENCE, &mut asking).await;
            if soon.is_err() {
                tracing::warn!(
                    "the server has not answered yet. If you end this command, run it again with `--idempotency-key {key}`: \
                     nothing is done twice"
                );
            }
            if let Ok(answered) = soon { answered } else { asking.await }
        };
        answered.map_err(|error| {
            if error.is_unknown() { CommandError::Unknown { error, key } } else { CommandError::Refused(error) }
        })
    }

    /// Stops the command's own server in good order.
    ///
    /// # Errors
    /// The log failed.
    pub async fn close(self) -> Result<(), CommandError> {
        drop(self.server);
        let Some(own) = self.own else { return Ok(()) };
        own.stop.send_replace(());
        own.socket.await?;
        own.sequencer.await??;
        own.projecting.abort();
        let _ = own.projecting.await;
        own.projector.close().await;
        own.log.close().await;
        Ok(())
    }
}

impl Own {
    async fn start(place: &Place) -> Result<Self, CommandError> {
        let lock = FolderLock::take(&place.data).map_err(FolderProblem::from)?;
        let DataFolder { log, replayed, key, served, .. } = DataFolder::open(place, None, &lock).await?;
        let from_the_future = |error| FolderProblem::Log { log: place.log_name(), error };
        check_clock(&replayed.state, system_clock()()).map_err(from_the_future)?;
        let (engine, sequencer) = start(log.clone(), replayed, &key, DEFAULT_CAPACITY, served, None).await?;
        let projector = Projector::new(place.read_models()?, log.clone());
        let projecting = tokio::spawn(projector.clone().run());
        let settings = Settings { identity: "open", charge: "own", login: None, roles_claim: String::new() };
        let pages = Pages::new(&settings, false);
        let (stop, stopped) = watch::channel(());
        let streams = Streams::start(engine.clone(), 0, stopped.clone());
        let api = Arc::new(Api {
            engine,
            key,
            projector: projector.clone(),
            pages,
            streams,
            identity: None,
            limits: Arc::default(),
            charging: Charging::Own,
            log: log.clone(),
        });
        let router = router(OperatorState { api, door: Door::Socket, stopped: stopped.clone() });
        let listener = socket::bind(&place.data).map_err(CommandError::Socket)?;
        let socket = socket::serve(listener, &place.data, router, stopped);
        Ok(Self { stop, socket, sequencer, projecting, projector, log, _lock: lock })
    }
}
