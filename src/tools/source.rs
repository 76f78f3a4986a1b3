//! Opens a tool's log, and shows its progress.

use std::sync::Arc;

use domain::{Position, RecordedEvent};
use indicatif::ProgressBar;
use projections::ReadModels;

use super::ToolError;
use crate::data_folder;
use crate::log::EventLog;
use crate::past::{self, AsOf};
use crate::place::Place;
use crate::progress;

/// Opens the log of a place for reading, also if other processes have it open.
pub async fn open(place: &Place) -> Result<Arc<dyn EventLog>, ToolError> {
    Ok(data_folder::open_read_only(place).await?)
}

/// Makes a bar for the events up to `end`. With `json` there is none.
pub fn progress_bar(what: &'static str, end: Position, json: bool) -> ProgressBar {
    progress_bar_after(Position::START, what, end, json)
}

/// Makes a bar for the events after `begin` up to `end`. With `json` there is none.
pub fn progress_bar_after(begin: Position, what: &'static str, end: Position, json: bool) -> ProgressBar {
    if json { ProgressBar::hidden() } else { progress::of_events(what, begin, end) }
}

/// Calls [`past::fold_on`] with a bar. With `json` there is none.
pub async fn fold_on(
    log: &Arc<dyn EventLog>,
    begin: ReadModels,
    as_of: Option<AsOf>,
    json: bool,
    mut each: impl FnMut(&RecordedEvent),
) -> Result<ReadModels, ToolError> {
    let bar = progress_bar_after(begin.state.head.position, "folding", log.head().await?.position, json);
    let folded = past::fold_on(log, begin, as_of, |recorded| {
        each(recorded);
        bar.inc(1);
    });
    Ok(folded.await?)
}

/// Makes a bar for a file's bytes. With `json` there is none.
pub fn bar_of_bytes(what: &'static str, end: u64, json: bool) -> ProgressBar {
    let template = "{msg} {bar:40} {bytes}/{total_bytes}{time_left}";
    if json { ProgressBar::hidden() } else { progress::bar(template, 0, end).with_message(what) }
}
