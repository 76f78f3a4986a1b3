//! The end of the program after a failure.

use std::io;
use std::process::ExitCode;

use crate::printing;

/// The exit code if only a person can decide how to go on: 78, `EX_CONFIG` of sysexits.h, for systemd's
/// `RestartPreventExitStatus`.
pub const NEEDS_A_PERSON: u8 = 78;

/// A failure: its message and its exit code.
#[derive(Debug)]
pub struct Failure {
    /// The message, in one line.
    pub said: String,
    /// True if every later try would be refused for this reason, until a person decides.
    pub needs_a_person: bool,
}

impl Failure {
    /// Prints the message, and returns the exit code.
    pub fn end(&self) -> ExitCode {
        printing::complain(&self.said);
        if self.needs_a_person { NEEDS_A_PERSON.into() } else { ExitCode::FAILURE }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { said: error.to_string(), needs_a_person: false }
    }
}
