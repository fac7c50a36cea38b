//! What can go wrong in the log, in words a person can act on.

use std::error::Error;
use std::fmt;

/// A failure of the log: what kind it is, what was being done, and what caused it.
#[derive(Debug)]
pub struct LogError {
    /// What to do about it.
    pub kind: LogErrorKind,
    /// One sentence: what was being done, with names and numbers, and what a person should do.
    pub context: String,
    /// The cause, if the operating system or sled gave one.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of failure of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogErrorKind {
    /// A record is larger than the log takes; nothing was written.
    TooLarge,
    /// The operating system refused to read or write.
    Io,
    /// What is stored is not what was written: a checksum, a gap, a shorter log than was promised.
    Damaged,
    /// The store was written in a format this release does not read.
    UnknownFormat,
    /// Another process has the store open.
    Locked,
    /// What only its owner may read can be read by others.
    Exposed,
}

impl LogErrorKind {
    /// Whether the process must stop: after it nothing can be said about what is stored.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        match self {
            Self::TooLarge => false,
            Self::Io | Self::Damaged | Self::UnknownFormat | Self::Locked | Self::Exposed => true,
        }
    }
}

impl LogError {
    /// A failure without an outer cause.
    pub fn new(kind: LogErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// A failure that something else caused.
    pub fn caused(
        kind: LogErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context: context.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for LogError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
