//! Prints results on standard output, and handles a closed pipe and failed writes.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::standard_error;

/// The reason why something was not printed.
#[derive(Debug, thiserror::Error)]
pub enum Unprinted {
    /// The reader has closed the pipe (`| head -1`). There is nobody to tell.
    #[error("standard output was closed by its reader")]
    NobodyReads,
    /// The write failed, for example on a full disk.
    #[error("standard output cannot be written: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for Unprinted {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::NobodyReads } else { Self::Failed(error) }
    }
}

impl Unprinted {
    /// The exit code. A failure is reported; a closed pipe is not.
    pub fn end(&self) -> ExitCode {
        match self {
            Self::NobodyReads => ExitCode::SUCCESS,
            Self::Failed(_) => {
                complain(self);
                ExitCode::FAILURE
            }
        }
    }
}

/// Prints a text and the end of its line.
///
/// # Errors
/// The text could not be written, or the pipe is closed.
pub fn line(text: &str) -> Result<(), Unprinted> {
    let mut out = io::stdout().lock();
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}

/// Prints an error on standard error.
pub fn complain(error: &impl std::fmt::Display) {
    standard_error::say(&format!("reprise: {error}"));
}

/// The reader of standard output, if it can be watched: of a pipe, a socket or a terminal.
pub struct Reader(Option<AsyncFd<OwnedFd>>);

impl Reader {
    /// The reader of this program's standard output.
    #[expect(deprecated, reason = "it is unsound for what lends its descriptor; an `OwnedFd` keeps its own, open")]
    pub fn of_stdout() -> Self {
        let descriptor = io::stdout().as_fd().try_clone_to_owned().ok();
        // A file has no reader, and cannot be watched.
        Self(descriptor.and_then(|descriptor| AsyncFd::with_interest(descriptor, Interest::ERROR).ok()))
    }

    /// Returns when the reader is gone.
    pub async fn gone(&self) {
        match &self.0 {
            Some(descriptor) => drop(descriptor.ready(Interest::ERROR).await),
            None => std::future::pending().await,
        }
    }
}

/// The width of a line: `COLUMNS`, else the terminal's width. `None` if neither is known.
pub fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    told.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| usize::from(columns.0)))
}

/// Shortens a line to `width`, with a sign where something is left out.
pub fn fitted(mut line: String, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| line.width() > *width) else { return line };
    let mut used = 0;
    let is_beyond = |(_, character): &(usize, char)| {
        used += character.width().unwrap_or(0);
        used + 1 > width
    };
    let end = line.char_indices().find(is_beyond).map_or(line.len(), |(end, _)| end);
    line.truncate(end);
    line.push('…');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_the_terminal_ends_however_wide_its_characters_are() {
        let cut = |line: &str, width| fitted(line.to_owned(), Some(width));
        assert_eq!([cut("seven s", 7), cut("seven st", 7)], ["seven s", "seven …"]);
        assert_eq!([cut("공연 하나", 9), cut("공연 하나", 8), cut("공연 하나", 4)], ["공연 하나", "공연 하…", "공…"]);
        assert_eq!(fitted("x".repeat(500), None).len(), 500);
    }
}
