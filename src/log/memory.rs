//! A log in memory, for tests only. Tests can make it fail.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ActorName, ConcertPublished, Event, Head, Metadata, Position, Record, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use super::{AppendError, EventLog, ReadError, assert_follows};

/// How long [`EventLog::wait_past`] waits at most.
const WAIT: Duration = Duration::from_millis(100);

/// A fault of one append.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Another node's record is written first, so that the head has moved.
    Overtaken(Box<Event>),
    /// The log cannot be reached: nothing is written.
    Unavailable,
    /// The append never arrives, and nobody knows.
    UnknownNeverLands,
    /// The append lands, its reply does not.
    UnknownLanded,
    /// The append lands after the next reading, or on [`MemoryLog::land`], if the head still is the expected one.
    UnknownLandsLater,
    /// The append takes this long, and then happens.
    Delay(Duration),
    /// The append takes this long, and then fails.
    Late(Duration, Box<Fault>),
    /// There is no room: nothing is written.
    Full,
    /// The storage fails: nothing is written, now or ever again.
    Broken,
}

/// One log. Its clones are handles on the same one, as several nodes have them.
#[derive(Debug, Clone)]
pub(crate) struct MemoryLog {
    shared: Arc<Mutex<Shared>>,
    last: Arc<watch::Sender<Position>>,
}

#[derive(Debug, Default)]
struct Shared {
    records: Vec<Record>,
    faults: VecDeque<Fault>,
    on_their_way: Vec<(Head, Vec<Record>)>,
    broken: bool,
    unreadable: bool,
    clock: Option<Timestamp>,
}

impl MemoryLog {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::default(), last: Arc::new(watch::channel(Position::START).0) }
    }

    /// One of the next appends fails like this: each append takes one fault, in order, whichever handle it comes from.
    pub(crate) fn fail(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// From now on the log's own clock shows this.
    pub(crate) fn set_clock(&self, clock: Timestamp) {
        self.lock().clock = Some(clock);
    }

    /// From now on nothing can be read, or everything again.
    pub(crate) fn fail_reads(&self, fail: bool) {
        self.lock().unreadable = fail;
    }

    /// All that the log holds.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// Writes the appends that are still on their way, or drops them.
    pub(crate) fn land(&self) {
        self.lock().land();
        self.tell();
    }

    /// Somebody else's record lands now.
    pub(crate) fn overtake(&self, event: &Event) {
        self.edit(|records| {
            records.push(foreign(records.last(), event));
        });
    }

    /// The log is rewound: only the records up to `last` are left.
    pub(crate) fn truncate(&self, last: Position) {
        self.edit(|records| records.retain(|record| record.position <= last));
    }

    /// Changes what is stored, past all rules.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Vec<Record>)) {
        change(&mut self.lock().records);
        self.tell();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("a test that panicked has failed already")
    }

    fn tell(&self) {
        let position = self.lock().head().position;
        self.last.send_replace(position);
    }

    /// Takes the next fault, after its delay.
    async fn next_fault(&self) -> Option<Fault> {
        let fault = self.lock().faults.pop_front();
        match fault {
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                None
            }
            Some(Fault::Late(delay, fault)) => {
                tokio::time::sleep(delay).await;
                Some(*fault)
            }
            other => other,
        }
    }
}

impl Shared {
    fn readable(&self) -> Result<(), ReadError> {
        if self.unreadable { Err(ReadError::Unavailable("injected".to_owned())) } else { Ok(()) }
    }

    fn head(&self) -> Head {
        self.records.last().map_or(Head::EMPTY, Record::head)
    }

    fn append(&mut self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        if self.head() != *expected {
            return Err(AppendError::Conflict);
        }
        self.records.extend_from_slice(records);
        Ok(())
    }

    fn append_failing(&mut self, fault: Option<Fault>, at: &Head, records: &[Record]) -> Result<(), AppendError> {
        if self.broken {
            return Err(AppendError::Broken("injected".to_owned()));
        }
        let lost = || AppendError::Unknown("injected".to_owned());
        match fault {
            None | Some(Fault::Delay(_) | Fault::Late(..)) => self.append(at, records),
            Some(Fault::Overtaken(event)) => {
                self.records.push(foreign(self.records.last(), &event));
                self.append(at, records)
            }
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("injected".to_owned())),
            Some(Fault::UnknownNeverLands) => Err(lost()),
            Some(Fault::UnknownLanded) => self.append(at, records).and_then(|()| Err(lost())),
            Some(Fault::UnknownLandsLater) => {
                self.on_their_way.push((*at, records.to_vec()));
                Err(lost())
            }
            Some(Fault::Full) => Err(AppendError::Full("injected".to_owned())),
            Some(Fault::Broken) => {
                self.broken = true;
                Err(AppendError::Broken("injected".to_owned()))
            }
        }
    }

    fn land(&mut self) {
        for (expected, records) in std::mem::take(&mut self.on_their_way) {
            // An append that is too late has no effect.
            let _ = self.append(&expected, &records);
        }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, expected: &Head, records: &[Record]) -> Result<(), AppendError> {
        assert_follows(expected, records);
        let fault = self.next_fault().await;
        let result = self.lock().append_failing(fault, expected, records);
        self.tell();
        result
    }

    /// Fails as an append would.
    async fn compare_head(&self, expected: &Head) -> Result<(), AppendError> {
        let fault = self.next_fault().await;
        let result = self.lock().append_failing(fault, expected, &[]);
        self.tell();
        result
    }

    async fn read(&self, after: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.lock().readable()?;
        let found = self.lock().records.iter().filter(|record| record.position > after).take(limit).cloned().collect();
        self.land();
        Ok(found)
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.lock().readable()?;
        let head = self.lock().head();
        self.land();
        Ok(head)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn clock(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.lock().clock)
    }

    async fn wait_past(&self, after: Position) {
        let mut last = self.last.subscribe();
        let _ = tokio::time::timeout(WAIT, last.wait_for(|last| *last > after)).await;
    }
}

/// A record that another node wrote, at the time of the last one.
fn foreign(last: Option<&Record>, event: &Event) -> Record {
    let (head, recorded_at) = last.map_or((Head::EMPTY, Timestamp::default()), |last| (last.head(), last.recorded_at));
    let command_id = Uuid::new_v4();
    let metadata = Metadata {
        command_id,
        index: 0,
        count: 1,
        correlation_id: command_id,
        causation_id: command_id,
        actor: ActorName::System,
        node_id: Uuid::new_v4(),
        program: "test".into(),
        request_id: None,
        idempotency: None,
    };
    Record::seal(&head, recorded_at, event, &metadata)
}
