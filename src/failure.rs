//! How the program ends when it could not do what it was asked to.

use std::io;
use std::process::ExitCode;

use crate::printing;

/// What the program ends with where only a person can decide how it goes on: 78, `EX_CONFIG` of sysexits.h, for systemd's
/// `RestartPreventExitStatus`.
pub const NEEDS_A_PERSON: u8 = 78;

/// What is said, and with which code the program ends.
#[derive(Debug)]
pub struct Failure {
    /// One line.
    pub said: String,
    /// Whether another try would be refused for the same reason, until somebody decides.
    pub needs_a_person: bool,
}

impl Failure {
    /// Tells what went wrong, and how the program ends.
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
