//! Why the engine did not do what it was asked, in words a person can act on.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::domain::{Id, Rejection, Revision, Timestamp};
use crate::log::LogError;

/// A refused request. Nothing was recorded for it, except after `Stopped`: then it is unknown.
#[derive(Clone, Debug, Error)]
#[allow(
    missing_docs,
    reason = "each variant's sentence says what it is, and its fields are what the sentence names"
)]
pub enum Refusal {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("workspaces/{0} does not exist: correct the name, or create it first")]
    WorkspaceNotFound(Id),
    #[error(
        "workspaces/{workspace} did not exist yet: it was created at {created}, so ask for then or later"
    )]
    WorkspaceNotCreatedYet { workspace: Id, created: Timestamp },
    #[error("workspaces/{0} exists already: choose another id")]
    WorkspaceExists(Id),
    #[error("this request_id was used for another request: send a new one")]
    RequestIdReused,
    #[error(
        "this request_id is older than what the server remembers, so it may have run: look whether it did, then send a new one"
    )]
    RequestIdExpired,
    #[error("the server has more to do than it takes on ({what}): try again in {} ms", .retry_after.as_millis())]
    Overloaded {
        what: &'static str,
        retry_after: Duration,
    },
    #[error(
        "the server's disk has {free_bytes} bytes left and keeps {free_bytes_min} free: it goes on by itself when somebody has made room, so try again later with the same request_id"
    )]
    DiskLow {
        free_bytes: u64,
        free_bytes_min: u64,
        retry_after: Duration,
    },
    #[error("nobody waits for this change any more, so it was not made")]
    CallerGone,
    #[error("revision {asked} is not there yet: the newest is {head}")]
    RevisionInFuture { asked: Revision, head: Revision },
    #[error(
        "{0}: writes are stopped; put the clock right, or start with --accept-clock when it is right already"
    )]
    ClockJumped(String),
    #[error("the change takes {bytes} bytes in the log and at most {bytes_max} fit: split it")]
    CommitTooLarge { bytes: usize, bytes_max: usize },
    #[error("this server has no key to sign checkpoints with: ask one that keeps its log on a disk")]
    SignsNothing,
    #[error("the server is stopping: try again when it is back, with the same request_id")]
    Draining,
    #[error(
        "the server failed on this request and recorded nothing: report it with the time and the request"
    )]
    Panicked,
    #[error(
        "the server has stopped on an error of its disk; whether the change was recorded is unknown: retry with the same request_id when it is back"
    )]
    Stopped,
    #[error("the log cannot be read: {0}")]
    Log(Arc<LogError>),
}

impl Refusal {
    /// The stable code that programs may act on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.reason(),
            Self::WorkspaceNotFound(_) | Self::WorkspaceNotCreatedYet { .. } => "NOT_FOUND",
            Self::WorkspaceExists(_) => "ALREADY_EXISTS",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
            Self::RequestIdExpired => "REQUEST_ID_EXPIRED",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::DiskLow { .. } => "DISK_LOW",
            Self::CallerGone => "CALLER_GONE",
            Self::RevisionInFuture { .. } => "REVISION_IN_FUTURE",
            Self::ClockJumped(_) => "CLOCK_JUMPED",
            Self::CommitTooLarge { .. } => "COMMIT_TOO_LARGE",
            Self::SignsNothing => "SIGNS_NOTHING",
            Self::Draining => "DRAINING",
            Self::Panicked => "INTERNAL",
            Self::Stopped => "STOPPED",
            Self::Log(_) => "LOG_DAMAGED",
        }
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        Self::Log(Arc::new(error))
    }
}
