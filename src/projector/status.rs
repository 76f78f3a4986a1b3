//! Where a read model stands, and how far behind the log it is.

use domain::{Position, Timestamp};
use projections::sql::store::Checkpoint;

/// Where a read model stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// Of the live table, where that can be served.
    pub checkpoint: Option<Checkpoint>,
    /// When the first event was recorded that it does not have yet, where that is known.
    pub behind_since: Option<Timestamp>,
}

/// What a read model does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has looked yet.
    #[default]
    Starting,
    /// Its database cannot be used; that is tried again.
    Unavailable { reason: String },
    /// It follows the log.
    Following,
    /// A new one is built; where there is an older version, that one serves meanwhile.
    Building,
    /// The table was made by a newer program, and is left alone.
    Newer { version: u32 },
    /// An event cannot be taken in. What was folded before it is served.
    Stopped { reason: String },
}

/// How far behind the log a read model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// In events.
    pub events: u64,
    /// In seconds since the first event that it does not have, as far as that is known.
    pub seconds: u64,
}

impl Status {
    /// The last event in it; 0 where it has none.
    pub fn position(&self) -> Position {
        self.checkpoint.map_or(Position::START, |checkpoint| checkpoint.head.position)
    }

    /// How far it is behind a log whose last event is `last`.
    pub fn lag(&self, last: Position, now: Timestamp) -> Lag {
        let events = last.get().saturating_sub(self.position().get());
        let since = self.behind_since.filter(|_| events > 0);
        Lag { events, seconds: since.map_or(0, |since| since.seconds_until(now)) }
    }

    /// Whether it serves what `position` tells.
    pub(super) fn is_at(&self, position: Position) -> bool {
        !self.is_out_of_reach() && self.checkpoint.is_some() && self.position() >= position
    }

    /// Whether waiting for it is in vain.
    pub(super) fn is_hopeless(&self) -> bool {
        self.is_out_of_reach() || matches!(self.phase, Phase::Stopped { .. })
    }

    fn is_out_of_reach(&self) -> bool {
        matches!(self.phase, Phase::Unavailable { .. } | Phase::Newer { .. })
    }
}
