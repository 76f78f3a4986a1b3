//! What was served from this data folder: `mark.rs` keeps the last position that anybody was told of, beside the log, whatever
//! log that is. A log that does not hold it is not served: see `data_folder/witnesses.rs`.

mod mark;

use domain::Head;
use uuid::Uuid;

pub use self::mark::{MARK_FILE, ServedMark};

/// A record of a log, the last one that anybody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Which log.
    pub log_id: Uuid,
    /// The record.
    pub head: Head,
}

impl Served {
    /// What a new folder has served.
    pub const NOTHING: Self = Self { log_id: Uuid::nil(), head: Head::EMPTY };
}
