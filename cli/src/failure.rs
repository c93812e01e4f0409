//! What went wrong, for the user: one line on standard error and an exit code.

use std::fmt::Display;
use std::process::ExitCode;

/// The end of a command that could not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Exit code 1. `message` says what, why and what to do, in one line.
    pub(crate) fn new(message: impl Display) -> Self {
        Self::with_code(1, message)
    }

    /// Another exit code.
    pub(crate) fn with_code(code: u8, message: impl Display) -> Self {
        let message = message.to_string();
        Self { message, code }
    }

    /// Says it.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("nstk: {}", self.message);
        ExitCode::from(self.code)
    }
}
