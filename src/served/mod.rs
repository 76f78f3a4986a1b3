//! The memory of what was served from this data folder. `mark.rs` stores the last record that anybody was told of, in a
//! file beside the log, for every kind of log. A log that does not hold this record is not served: see
//! `data_folder/witnesses.rs`.

mod mark;

use domain::Head;
use uuid::Uuid;

pub use self::mark::{MARK_FILE, ServedMark};

/// The last record of a log that anybody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The log's id.
    pub log_id: Uuid,
    /// The record.
    pub head: Head,
}

impl Served {
    /// The value of a new folder, from which nothing was served.
    pub const NOTHING: Self = Self { log_id: Uuid::nil(), head: Head::EMPTY };
}
