//! The suite of tests that every backend must pass.
//!
//! A backend brings a [`Fixture`] and calls [`passes`]. `liars.rs` tests the suite itself, with logs that break one
//! promise each.

mod appends;
mod liars;
mod reads;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ActorName, ConcertId, ConcertPublished, Event, Head, Metadata, Points, PointsCharged, Position, Record, Timestamp,
    UserId,
};
use uuid::Uuid;

use super::{AppendError, EventLog};

/// A log for one check. It is empty at first.
#[async_trait]
pub(crate) trait Fixture: Send + Sync {
    /// Opens another handle on the log, as another process would.
    async fn open(&self) -> Arc<dyn EventLog>;
    /// True if [`alter`](Self::alter) and [`remove`](Self::remove) are possible. With a real server they are not.
    fn can_be_damaged(&self) -> bool {
        true
    }
    /// True if an append is carried out even if nobody polls it again. If replies are lost, somebody must send it
    /// again.
    fn carries_on_unasked(&self) -> bool {
        true
    }
    /// Makes things fail at random from now on. Returns true if the fixture can do that.
    fn trouble(&self) -> bool {
        false
    }
    /// Changes a stored record's data behind the log's back.
    async fn alter(&self, position: Position);
    /// Removes a stored record behind the log's back.
    async fn remove(&self, position: Position);
}

/// The result of a check: the reason why a log does not conform.
type Check = Result<(), String>;

/// Runs every check on a fresh log each.
///
/// # Errors
/// The name of the first check that does not hold, and why.
pub(crate) async fn passes<F: Fixture>(fresh: impl AsyncFn() -> F) -> Check {
    macro_rules! hold {
        ($($room:ident::$check:ident,)*) => {$(
            let name = stringify!($check);
            tracing::debug!(name, "conformance");
            $room::$check(&fresh().await).await.map_err(|why| format!("{name}: {why}"))?;
        )*};
    }
    hold! {
        appends::what_is_appended_is_there_for_everyone,
        appends::another_position_is_a_conflict,
        appends::another_hash_is_a_conflict,
        appends::a_batch_that_overlaps_is_refused_whole,
        appends::an_append_that_was_polled_once_lands,
        appends::comparing_and_probing_tell_another_head,
        appends::of_two_writers_one_wins_each_position,
        appends::the_largest_batches_fit,
        reads::records_come_in_order_up_to_the_limit,
        reads::every_byte_comes_back,
        reads::reopening_keeps_everything,
        reads::waiting_ends_when_a_record_lands,
        reads::an_altered_record_is_found,
        reads::a_removed_record_is_named,
    }
    Ok(())
}

/// Makes `count` records after `head`. They differ from those of all other calls.
pub(crate) fn chain(head: &Head, count: u64) -> Vec<Record> {
    chain_of(head, (1..=count).map(charge))
}

/// Makes records of these events after `head`.
fn chain_of(head: &Head, events: impl IntoIterator<Item = Event>) -> Vec<Record> {
    let metadata = metadata();
    let mut head = *head;
    let seal = |event| {
        let record = Record::seal(&head, Timestamp::from_millis(1_700_000_000_000), &event, &metadata);
        head = record.head();
        record
    };
    events.into_iter().map(seal).collect()
}

fn charge(amount: u64) -> Event {
    Event::from(PointsCharged {
        user_id: UserId::FIRST,
        amount: Points::new(amount),
        balance_after: Points::new(amount),
        charged_at: Timestamp::from_millis(1_700_000_000_000),
    })
}

/// Makes an event with this text in its data.
fn telling(text: &str) -> Event {
    Event::from(ConcertPublished {
        concert_id: ConcertId::FIRST,
        name: text.to_owned(),
        artist: String::new(),
        venue: String::new(),
    })
}

fn metadata() -> Metadata {
    let command_id = Uuid::new_v4();
    Metadata {
        command_id,
        index: 0,
        count: 1,
        correlation_id: command_id,
        causation_id: command_id,
        actor: ActorName::System,
        node_id: command_id,
        program: "conformance".into(),
        request_id: None,
        idempotency: None,
    }
}

/// Appends records that must be accepted. Returns the new head.
async fn append(log: &dyn EventLog, head: &Head, records: &[Record]) -> Result<Head, String> {
    log.append(head, records).await.map_err(|error| format!("an append was refused: {error}"))?;
    Ok(records.last().map_or(*head, Record::head))
}

/// Checks that the log, read through a new handle, holds exactly these records.
async fn holds(fixture: &dyn Fixture, records: &[Record]) -> Check {
    let log = fixture.open().await;
    let found = log.read(Position::START, records.len() + 1).await.map_err(|error| error.to_string())?;
    let first_wrong = records.iter().zip(&found).position(|(expected, found)| expected != found);
    same("the first record that differs", &first_wrong, &None)?;
    same("the number of records", &found.len(), &records.len())?;
    let head = log.head().await.map_err(|error| error.to_string())?;
    same("the head", &head, &records.last().map_or(Head::EMPTY, Record::head))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Check {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, not {expected:?}")) }
}

/// Proves the chain of the records, from the first to the last.
fn proves(records: &[Record]) -> Result<Head, domain::ChainError> {
    records.iter().try_fold(Head::EMPTY, |head, record| record.verify(&head))
}

mod memory {
    use super::*;
    use crate::log::memory::MemoryLog;

    #[async_trait]
    impl Fixture for MemoryLog {
        async fn open(&self) -> Arc<dyn EventLog> {
            Arc::new(self.clone())
        }

        async fn alter(&self, position: Position) {
            self.edit(|records| {
                records.iter_mut().find(|record| record.position == position).unwrap().data = "{} ".into();
            });
        }

        async fn remove(&self, position: Position) {
            self.edit(|records| records.retain(|record| record.position != position));
        }
    }

    #[tokio::test]
    async fn the_log_in_memory_conforms() {
        passes(async || MemoryLog::new()).await.unwrap();
    }
}
