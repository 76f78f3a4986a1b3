//! Where a tool's log is, and how far along it is.

use std::fmt::Write;
use std::sync::Arc;

use domain::Position;
use indicatif::{HumanCount, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use super::ToolError;
use crate::config::Place;
use crate::log::{self, EventLog};

/// The place's log, opened for reading beside whoever else has it open.
pub async fn open(place: &Place) -> Result<Arc<dyn EventLog>, ToolError> {
    Ok(log::open_read_only(&place.log, &place.data).await?)
}

/// A bar of events on a terminal, which is gone before anything is said; none for scripts.
pub fn progress_bar(what: &'static str, end: Position, json: bool) -> ProgressBar {
    bar("{msg} {bar:40} {human_pos}/{human_len} events, {rate}/s, {eta} left", end.get(), json).with_message(what)
}

/// The same of something else.
pub fn bar(template: &'static str, end: u64, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
    };
    ProgressBar::new(end).with_style(style.with_key("rate", rate)).with_finish(ProgressFinish::AndClear)
}
