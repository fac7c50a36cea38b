//! Why a stored message could not be understood, while it is being read.
//!
//! A fault starts at the value that is wrong and collects the path to it on its way up; only then does it learn which
//! log and revision it belongs to and become a `LogError`. Invariant: what is right costs nothing, no path is built
//! for it.

use crate::domain::{Invalid, Revision};
use crate::log::{LogError, LogErrorKind, LogId};

/// What is wrong, and where in the record.
#[derive(Debug)]
pub(super) struct Fault {
    kind: LogErrorKind,
    path: String,
    sentence: String,
}

/// Adds the field that was being read to what went wrong in it.
pub(super) trait At<T> {
    /// Names the field.
    fn at(self, field: &str) -> Result<T, Fault>;
}

impl Fault {
    /// Not what this or any release wrote.
    pub(super) fn damaged(sentence: impl Into<String>) -> Self {
        Self {
            kind: LogErrorKind::Damaged,
            path: String::new(),
            sentence: sentence.into(),
        }
    }

    /// What only a newer release can have written.
    pub(super) fn newer(what: impl Into<String>) -> Self {
        Self {
            kind: LogErrorKind::UnknownFormat,
            path: String::new(),
            sentence: what.into(),
        }
    }

    /// As the log's failure.
    pub(super) fn of(self, log: LogId, revision: Revision) -> LogError {
        let Self { kind, path, sentence } = self;
        let place = if path.is_empty() {
            String::new()
        } else {
            format!("{path}: ")
        };
        let advice = if kind == LogErrorKind::UnknownFormat {
            "it was written by a newer release of binnacle: use that one or a later one"
        } else {
            "the record is damaged: restore the log from a backup"
        };
        LogError::new(
            kind,
            format!("revision {revision} of log {log} cannot be read: {place}{sentence}; {advice}"),
        )
    }

    fn inside(mut self, field: &str) -> Self {
        if self.path.is_empty() {
            field.clone_into(&mut self.path);
        } else {
            self.path = format!("{field}.{}", self.path);
        }
        self
    }
}

impl<T> At<T> for Result<T, Fault> {
    fn at(self, field: &str) -> Result<T, Fault> {
        self.map_err(|fault| fault.inside(field))
    }
}

impl<T> At<T> for Result<T, Invalid> {
    fn at(self, field: &str) -> Result<T, Fault> {
        self.map_err(|invalid| Fault::damaged(invalid.to_string()).inside(field))
    }
}
