//! Listens for other nodes' appends. A notification is only a hint to look at once: notifications are lost with a
//! connection, and a node may append without being able to notify.

use std::sync::Arc;
use std::time::Duration;

use domain::Position;
use projections::sql::set_up;
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Executor, Row};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connect::{Hosts, PostgresError, Purpose, SETTINGS};
use super::errors::timed_out;

/// How often the log's head is read, also without notifications.
const POLL: Duration = Duration::from_millis(100);
/// The least time between two notifications by this node.
const TELL_PAUSE: Duration = Duration::from_millis(5);
/// How long a read of the head may take before the connection is dropped.
const LOOK_DEADLINE: Duration = Duration::from_secs(3);
/// The pause before a server that is gone is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

const CHANNEL: &str = "reprise_log";
const LAST: &str = "SELECT position FROM log ORDER BY position DESC LIMIT 1";

/// The task that listens and notifies. It ends when this is dropped.
pub(super) struct Listener {
    task: JoinHandle<()>,
    appended: Arc<Notify>,
}

impl Listener {
    pub(super) fn start(hosts: Arc<Hosts>, last: Arc<watch::Sender<Option<Position>>>) -> Self {
        let appended = Arc::new(Notify::new());
        let listening = Listening { hosts, last, appended: Arc::clone(&appended) };
        Self { task: tokio::spawn(listening.run()), appended }
    }

    /// Notifies other nodes that there is something to read.
    pub(super) fn tell(&self) {
        self.appended.notify_one();
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Listening {
    hosts: Arc<Hosts>,
    last: Arc<watch::Sender<Option<Position>>>,
    appended: Arc<Notify>,
}

impl Listening {
    async fn run(self) {
        loop {
            if let Err(error) = self.listen().await {
                tracing::debug!("the log's server is gone: {error}");
            }
            self.last.send_replace(None);
            sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Listens until the connection is lost.
    async fn listen(&self) -> Result<(), PostgresError> {
        // This finds the host. sqlx's listener makes its own connection.
        drop(self.hosts.connect(Purpose::Looking).await?);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(LOOK_DEADLINE)
            .after_connect(|connection, _| Box::pin(set_up(connection, SETTINGS)));
        let mut listener = PgListener::connect_with(&pool.connect_lazy_with(self.hosts.primary())).await?;
        listener.eager_reconnect(false);
        // The records are durable already; the notification need not be.
        listener.execute("SET synchronous_commit = off").await?;
        listener.listen(CHANNEL).await?;
        loop {
            timeout(LOOK_DEADLINE, self.look(&mut listener)).await.map_err(|_| timed_out())??;
            tokio::select! {
                heard = listener.try_recv() => {
                    if heard?.is_none() {
                        return Ok(());
                    }
                }
                () = self.appended.notified() => {
                    timeout(LOOK_DEADLINE, listener.execute("NOTIFY reprise_log")).await.map_err(|_| timed_out())??;
                    sleep(TELL_PAUSE).await;
                }
                () = sleep(POLL) => {}
            }
        }
    }

    async fn look(&self, listener: &mut PgListener) -> sqlx::Result<()> {
        while listener.next_buffered().is_some() {}
        let before = *self.last.borrow();
        let row = listener.fetch_optional(LAST).await?;
        let last: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        let last = Some(Position::new(u64::try_from(last).unwrap_or(0)));
        // Never go back: records may have been appended while this answer was on its way.
        self.last.send_if_modified(|known| {
            let is_news = *known != last && (last > *known || *known == before);
            if is_news {
                *known = last;
            }
            is_news
        });
        Ok(())
    }
}
