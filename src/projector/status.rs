//! The status of a read model in this process, and its lag behind the log.

use domain::{Position, Timestamp};
use projections::sql::store::Checkpoint;

/// The status of a read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The phase.
    pub phase: Phase,
    /// The checkpoint of the live table, if it can be served.
    pub checkpoint: Option<Checkpoint>,
    /// The time of the first event that the table does not have yet, if that is known.
    pub behind_since: Option<Timestamp>,
}

/// The phase of a read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// The follower has not looked at it yet.
    #[default]
    Starting,
    /// The database cannot be used. The follower tries again.
    Unavailable { reason: String },
    /// It follows the log.
    Following,
    /// A new table is being built. A table of an older version serves meanwhile.
    Building,
    /// A newer program made the table. It is left alone.
    Newer { version: u32 },
    /// An event cannot be taken in. The rows before it are served.
    Stopped { reason: String },
}

/// How far behind the log a read model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The lag in events.
    pub events: u64,
    /// The lag in seconds since the first missing event; 0 if that is not known.
    pub seconds: u64,
}

impl Status {
    /// The position of the last event in the table; 0 if it has none.
    pub fn position(&self) -> Position {
        self.checkpoint.map_or(Position::START, |checkpoint| checkpoint.head.position)
    }

    /// The lag behind a log whose last event is `last`.
    pub fn lag(&self, last: Position, now: Timestamp) -> Lag {
        let events = last.get().saturating_sub(self.position().get());
        let since = self.behind_since.filter(|_| events > 0);
        Lag { events, seconds: since.map_or(0, |since| since.seconds_until(now)) }
    }

    /// True if the table serves rows at `position` or later.
    pub(super) fn is_at(&self, position: Position) -> bool {
        !self.is_out_of_reach() && self.checkpoint.is_some() && self.position() >= position
    }

    /// True if waiting for this model makes no sense.
    pub(super) fn is_hopeless(&self) -> bool {
        self.is_out_of_reach() || matches!(self.phase, Phase::Stopped { .. })
    }

    fn is_out_of_reach(&self) -> bool {
        matches!(self.phase, Phase::Unavailable { .. } | Phase::Newer { .. })
    }
}
