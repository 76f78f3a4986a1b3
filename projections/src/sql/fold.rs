//! Folds a chunk of events for one read model.

use domain::{Head, Position, RecordedEvent};

use super::{Change, Fold, SqlModel};

/// A folded chunk, ready to be written if the checkpoint before it is still the stored one.
#[derive(Debug)]
pub struct Folded {
    /// The last event folded.
    pub head: Head,
    /// The rows to write.
    pub changes: Vec<Change>,
}

/// An event that a read model cannot take in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("projection {projection}, position {position}: {reason}")]
pub struct Poison {
    /// The name of the read model.
    pub projection: &'static str,
    /// The position of the event.
    pub position: Position,
    /// The reason.
    pub reason: String,
}

impl SqlModel {
    /// Folds the events after `after`, and skips those before. `None` if there are none.
    ///
    /// # Errors
    /// One of them cannot be folded.
    ///
    /// # Panics
    /// There is a gap between `after` and the first, or between two of them.
    pub fn fold(&self, after: Position, chunk: &[RecordedEvent]) -> Result<Option<Folded>, Poison> {
        let mut fold = (self.fold)();
        let mut head = None::<Head>;
        for recorded in chunk.iter().filter(|recorded| recorded.head.position > after) {
            let position = recorded.head.position;
            let before = head.map_or(after, |head| head.position);
            assert_eq!(position, before.next(), "records are folded in order, each once");
            self.take_in(fold.as_mut(), recorded)?;
            head = Some(recorded.head);
        }
        Ok(head.map(|head| Folded { head, changes: fold.changes() }))
    }

    /// Folds these events, which may have gaps between them.
    ///
    /// # Errors
    /// One of them cannot be folded.
    pub fn changes<'a>(&self, events: impl Iterator<Item = &'a RecordedEvent>) -> Result<Vec<Change>, Poison> {
        let mut fold = (self.fold)();
        for recorded in events {
            self.take_in(fold.as_mut(), recorded)?;
        }
        Ok(fold.changes())
    }

    fn take_in(&self, fold: &mut dyn Fold, recorded: &RecordedEvent) -> Result<(), Poison> {
        let (projection, position) = (self.name, recorded.head.position);
        fold.apply(recorded).map_err(|error| Poison { projection, position, reason: error.to_string() })
    }
}
