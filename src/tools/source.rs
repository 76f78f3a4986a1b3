//! Where a tool's log is, and how far along it is.

use std::sync::Arc;

use domain::Position;
use indicatif::{ProgressBar, ProgressStyle};

use super::ToolError;
use crate::config::Place;
use crate::log::{self, EventLog};

/// The place's log, opened for reading beside whoever else has it open.
pub async fn open(place: &Place) -> Result<Arc<dyn EventLog>, ToolError> {
    Ok(log::open_read_only(&place.log, &place.data).await?)
}

/// A bar on a terminal; none for scripts.
pub fn progress_bar(what: &'static str, end: Position, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(end.get()).with_style(style.expect("the template is a constant"));
    bar.with_message(what)
}
