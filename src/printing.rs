//! What commands print on standard output, and what becomes of it where nobody reads or it cannot be written.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::standard_error;

/// Why something was not printed.
#[derive(Debug, thiserror::Error)]
pub enum Unprinted {
    /// Whoever read it (`| head -1`) has enough. There is nobody to tell.
    #[error("standard output was closed by its reader")]
    NobodyReads,
    /// A full disk, say.
    #[error("standard output cannot be written: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for Unprinted {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::NobodyReads } else { Self::Failed(error) }
    }
}

impl Unprinted {
    /// How the program ends then: a failure is told, a reader that has gone is not.
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
/// It could not be written, or nobody reads it.
pub fn line(text: &str) -> Result<(), Unprinted> {
    let mut out = io::stdout().lock();
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}

/// Tells what went wrong on standard error.
pub fn complain(error: &impl std::fmt::Display) {
    standard_error::say(&format!("reprise: {error}"));
}

/// Whoever reads standard output, where that can be watched: a pipe, a socket or a terminal.
pub struct Reader(Option<AsyncFd<OwnedFd>>);

impl Reader {
    /// The reader of this program's standard output.
    #[expect(deprecated, reason = "it is unsound for what lends its descriptor; an `OwnedFd` keeps its own, open")]
    pub fn of_stdout() -> Self {
        let descriptor = io::stdout().as_fd().try_clone_to_owned().ok();
        // A file has no reader, and cannot be watched.
        Self(descriptor.and_then(|descriptor| AsyncFd::with_interest(descriptor, Interest::ERROR).ok()))
    }

    /// Returns once it is gone.
    pub async fn gone(&self) {
        match &self.0 {
            Some(descriptor) => drop(descriptor.ready(Interest::ERROR).await),
            None => std::future::pending().await,
        }
    }
}

/// How wide a line may be: as `COLUMNS` says, else as the terminal is. `None` where a program reads.
pub fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    told.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| usize::from(columns.0)))
}

/// As much of a line as there is room for, with a sign where something is left out.
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
