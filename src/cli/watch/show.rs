//! What a way to show a stream has to do.
//!
//! Invariant: an output that nobody reads any more is an error of the kind `BrokenPipe`, which ends the command quietly.

use std::io;

use super::subscription::Step;
use crate::cli::Failure;

/// Shows a stream.
pub(super) trait Show {
    /// Takes what came.
    ///
    /// # Errors
    /// It cannot be written.
    fn take(&mut self, step: &Step) -> Result<(), ShowError>;

    /// Some time has passed.
    ///
    /// # Errors
    /// It cannot be written.
    fn pass_time(&mut self) -> Result<(), ShowError>;
}

/// Why something is not shown.
pub(super) enum ShowError {
    /// Nobody reads any more.
    Unread,
    /// It cannot be written.
    Failed(Failure),
}

impl From<io::Error> for ShowError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        let sentence = format!("standard output cannot be written: {error}");
        Self::Failed(Failure::new(crate::cli::FailureKind::Failed, sentence))
    }
}
