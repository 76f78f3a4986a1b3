//! The log in KurrentDB, on a stand-in that fails as it is told to, and on a real server where `REPRISE_TEST_KURRENTDB`
//! names one (`kurrentdb://localhost:2113?tls=false`): what can run there runs there, in a stream of its own.

mod bytes;
mod crash;
mod envelope;
mod leader;
mod opening;
mod seeds;
mod suite;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kurrent_stand_in::StandIn;
use uuid::Uuid;

use super::*;
use crate::log::conformance::Fixture;

/// For servers that are to fail: nobody waits for long.
const QUICK: Patience = Patience {
    connect: Duration::from_secs(1),
    append: Duration::from_millis(150),
    message: Duration::from_millis(150),
    ping: Duration::from_millis(150),
};

/// The pause before an append whose outcome is unknown is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// One stream, on a server of its own or on the one that there is.
pub(super) struct Stream {
    stand_in: Option<StandIn>,
    url: String,
    name: String,
}

impl Stream {
    /// A stream on the server that the environment names, else on a stand-in.
    pub(super) async fn fresh() -> Self {
        match std::env::var("REPRISE_TEST_KURRENTDB") {
            Ok(url) => Self { stand_in: None, url, name: format!("reprise-test-{}", Uuid::new_v4()) },
            Err(_) => Self::on(StandIn::start().await),
        }
    }

    fn on(stand_in: StandIn) -> Self {
        let url = stand_in.url();
        Self { stand_in: Some(stand_in), url, name: "reprise-test".to_owned() }
    }

    /// The URL of the log.
    fn url(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}stream={}", self.url, self.name)
    }

    async fn log(&self) -> KurrentLog {
        KurrentLog::open(&self.url().parse().unwrap()).await.unwrap()
    }

    fn stand_in(&self) -> &StandIn {
        self.stand_in.as_ref().expect("a real server cannot be told to fail")
    }
}

#[async_trait]
impl Fixture for Stream {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(self.log().await)
    }

    fn can_be_damaged(&self) -> bool {
        self.stand_in.is_some()
    }

    async fn alter(&self, position: Position) {
        self.stand_in().alter(&self.name, position.get() - 1);
    }

    async fn remove(&self, position: Position) {
        self.stand_in().remove(&self.name, position.get() - 1);
    }
}

/// What became of records, for good.
#[derive(Debug, PartialEq, Eq)]
enum Settled {
    /// They are in the log.
    Written,
    /// They are not, and never will be: the head is another one.
    NotWritten,
    /// They are not, and never will be: the server could not be reached.
    NotSent,
}

/// Appends as the sequencer does: what is unknown is tried again, the same records at the same head, until it is known.
async fn settle(log: &dyn EventLog, head: &Head, records: &[Record]) -> Settled {
    let mut uncertain = false;
    loop {
        match log.append(head, records).await {
            Ok(()) => return Settled::Written,
            Err(AppendError::Conflict) => match next(log, head).await {
                Next::Nothing => {}
                Next::Record(next) if records.first().is_some_and(|first| first.hash == next) => {
                    return Settled::Written;
                }
                Next::Record(_) | Next::AnotherHistory => return Settled::NotWritten,
            },
            Err(AppendError::Unknown(_)) => uncertain = !records.is_empty(),
            Err(AppendError::Unavailable(_) | AppendError::Full(_)) if !uncertain => return Settled::NotSent,
            Err(AppendError::Unavailable(_) | AppendError::Full(_)) => {}
            Err(AppendError::Broken(reason)) => panic!("{reason}"),
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
}

/// What stands after a head.
enum Next {
    Nothing,
    Record(domain::Hash),
    /// The log does not even hold the head.
    AnotherHistory,
}

async fn next(log: &dyn EventLog, head: &Head) -> Next {
    let before = head.position.get().saturating_sub(1);
    let mut found = persist(|| log.read(Position::new(before), 2)).await;
    if *head != Head::EMPTY && found.first().is_none_or(|own| own.head() != *head) {
        return Next::AnotherHistory;
    }
    found.retain(|record| record.position > head.position);
    found.first().map_or(Next::Nothing, |next| Next::Record(next.hash))
}

/// Reads until it can be read.
async fn persist<T, F: Future<Output = Result<T, ReadError>>>(reading: impl Fn() -> F) -> T {
    loop {
        match reading().await {
            Ok(found) => return found,
            Err(ReadError::Unavailable(_)) => tokio::time::sleep(SETTLE_PAUSE).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// All that a log holds, proved.
async fn whole(log: &dyn EventLog) -> Vec<Record> {
    let records = persist(|| log.read(Position::START, 100_000)).await;
    let proved = records.iter().try_fold(Head::EMPTY, |head, record| record.verify(&head));
    assert_eq!(proved, Ok(records.last().map_or(Head::EMPTY, Record::head)));
    records
}
