//! What goes wrong with one append.

use std::time::Duration;

/// One append fails like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is told that the revision is another one, and it is not.
    Conflict,
    /// The server is not ready, and writes nothing.
    NotReady,
    /// The server gives up waiting for its other nodes, and writes nothing.
    TimedOut,
    /// It is written, and then the connection breaks.
    ReplyLost,
    /// The connection breaks, and it is written after so long, if its condition still holds.
    LandsLate(Duration),
    /// It is written, and never answered.
    Silent,
}
