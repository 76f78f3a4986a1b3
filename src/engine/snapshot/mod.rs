//! Snapshots: files beside the log that hold what the log folds to up to a position, so that a start need not fold all
//! of it.
//!
//! A snapshot is never the truth. One that is damaged, or that another version of the program made, is not used; one that
//! contradicts the log shows that the log was rewound, and nothing is served. `file.rs` has the format, `folder.rs`
//! chooses among the files, `writer.rs` makes them while commands go on.

mod file;
mod folder;
#[cfg(test)]
mod tests;
mod writer;

pub use self::folder::{Contradiction, SNAPSHOT_FOLDER, SnapshotFolder};
pub use self::writer::{SnapshotWriter, SnapshotsWritten};
