//! The one place where a refusal becomes a `google.rpc.Status`: a code, one sentence, a stable reason and details.
//!
//! Invariant: a status fits into HTTP/2 headers. They take 16 KiB, the details travel as base64 and the message a second
//! time beside them, so the encoded details stay under 8 KiB and the message under 1 KiB, and what is left out is counted.
//! It does not know who is refused, nor writes logs.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::domain::{Revision, Violation};
use crate::engine::Refusal;
use crate::identity::Unauthenticated;
use crate::log::LogErrorKind;
use crate::projection::{ForecastRefusal, POINTS_MIN};

mod load;
mod rejection;

pub(super) use load::{
    headers_too_large, not_in_time, slow_consumer, too_many_bytes, too_many_calls, too_many_subscriptions,
    too_much_unread,
};
pub(super) use rejection::{path, refused, sentence};

/// Who answers the reasons.
const DOMAIN: &str = "binnacle";

/// The longest message, in bytes. On the wire a byte may take three.
const MESSAGE_BYTES_MAX: usize = 1000;

/// The longest sentence about one field, in bytes.
const SENTENCE_BYTES_MAX: usize = 400;

/// The longest path of a field, or name of a resource, in bytes.
const PATH_BYTES_MAX: usize = 200;

/// When a server that ends may be back.
const RESTART_DELAY: Duration = Duration::from_secs(1);

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, retry_delay) = match &refusal {
            Refusal::Rejected(rejection) => return refused(rejection),
            Refusal::WorkspaceNotFound(_) | Refusal::WorkspaceNotCreatedYet { .. } => (Code::NotFound, None),
            Refusal::WorkspaceExists(_) | Refusal::RequestIdReused => (Code::AlreadyExists, None),
            Refusal::RequestIdExpired | Refusal::ClockJumped(_) => (Code::FailedPrecondition, None),
            Refusal::RevisionInFuture { .. } => (Code::OutOfRange, None),
            Refusal::Overloaded { what: _, retry_after }
            | Refusal::DiskLow {
                free_bytes: _,
                free_bytes_min: _,
                retry_after,
            } => (Code::ResourceExhausted, Some(*retry_after)),
            Refusal::CallerGone => (Code::Cancelled, None),
            Refusal::CommitTooLarge { .. } => (Code::ResourceExhausted, None),
            Refusal::SignsNothing => (Code::FailedPrecondition, None),
            Refusal::Draining | Refusal::Stopped => (Code::Unavailable, Some(RESTART_DELAY)),
            Refusal::Panicked => (Code::Internal, None),
            Refusal::Log(error) => match error.kind {
                LogErrorKind::Damaged | LogErrorKind::UnknownFormat => (Code::DataLoss, None),
                LogErrorKind::TooLarge | LogErrorKind::Io | LogErrorKind::Locked | LogErrorKind::Exposed => {
                    (Code::Internal, None)
                }
            },
        };
        with_retry(code, refusal.reason(), &refusal.to_string(), retry_delay)
    }
}

/// Why a stream of rows ends: its client is told how it goes on.
pub(in crate::service) fn rows_ended(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Draining | Refusal::Stopped => {
            let sentence = "the server is stopping: when it is back, open the stream again and go on behind durable_through";
            with_retry(Code::Unavailable, refusal.reason(), sentence, Some(RESTART_DELAY))
        }
        refusal => refusal.into(),
    }
}

impl From<ForecastRefusal> for Status {
    fn from(refusal: ForecastRefusal) -> Self {
        let mut metadata = HashMap::new();
        let subject = match &refusal {
            ForecastRefusal::Rejected(rejection) => return refused(rejection),
            ForecastRefusal::TooLittleHistory { of, points, since: _ } => {
                metadata.insert("points_count".to_owned(), points.to_string());
                metadata.insert("points_needed".to_owned(), POINTS_MIN.to_string());
                of.to_string()
            }
            ForecastRefusal::NoRhythm(of)
            | ForecastRefusal::UnitIsScale(of)
            | ForecastRefusal::NoModel(of)
            | ForecastRefusal::HorizonTooFar { of, target_date: _ } => of.to_string(),
            ForecastRefusal::KindNotForecast(key_result)
            | ForecastRefusal::WindowNotForecast(key_result)
            | ForecastRefusal::NothingToForecast {
                key_result,
                target_date: _,
            } => key_result.to_string(),
        };
        let (reason, sentence) = (refusal.reason(), refusal.to_string());
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        let subject = shortened(&subject, PATH_BYTES_MAX);
        details.add_precondition_failure_violation(reason, subject, shortened(&sentence, SENTENCE_BYTES_MAX));
        let message = shortened(&sentence, MESSAGE_BYTES_MAX);
        Status::with_error_details(Code::FailedPrecondition, message, details)
    }
}

/// The log is still being replayed.
pub(in crate::service) fn starting() -> Status {
    let sentence = "the server is reading its log: try again when its health says SERVING";
    with_retry(Code::Unavailable, "STARTING", sentence, Some(RESTART_DELAY))
}

/// Nobody is known by what was shown.
pub(in crate::service) fn unauthenticated(refused: Unauthenticated) -> Status {
    with_reason(Code::Unauthenticated, refused.reason(), &refused.to_string())
}

/// Who asks does not run the server.
pub(in crate::service) fn not_an_operator(what: &str) -> Status {
    let sentence =
        format!("only operators of this server {what}: ask one, or have yourself named with --operator");
    with_reason(Code::PermissionDenied, "NOT_AN_OPERATOR", &sentence)
}

/// There is no event of that name.
pub(in crate::service) fn event_not_found(name: &str) -> Status {
    let name = shortened(name, PATH_BYTES_MAX);
    with_reason(
        Code::NotFound,
        "NOT_FOUND",
        &format!("{name} does not exist: take the name from ListEvents"),
    )
}

/// A resume token that is none of this server's.
pub(in crate::service) fn token_unreadable() -> Status {
    Violation {
        field: "after".to_owned(),
        sentence: "it is no resume token: send one as the stream gave it, or begin with a snapshot"
            .to_owned(),
    }
    .into()
}

/// A resume token of another log, or of the same one before it was restored to an earlier point.
pub(in crate::service) fn token_of_another_log() -> Status {
    let sentence =
        "the token belongs to another log, or to this one before it was restored: begin with a snapshot";
    token_refused("LOG_MISMATCH", sentence)
}

/// A resume token of a subscription to something else.
pub(in crate::service) fn token_of_another_subscription() -> Status {
    let sentence =
        "the token belongs to a subscription with another filter: send that filter, or begin with a snapshot";
    token_refused("FILTER_MISMATCH", sentence)
}

/// A resume token of what has not happened yet.
pub(in crate::service) fn token_in_future(asked: Revision, head: Revision) -> Status {
    let sentence =
        format!("the token stands at revision {asked} and the log ends at {head}: begin with a snapshot");
    with_reason(Code::OutOfRange, "POSITION_IN_FUTURE", &sentence)
}

/// A page in a browser asks, and nobody has named its origin.
pub(in crate::service) fn origin_not_allowed() -> Status {
    let sentence = "a page of this origin may not talk to the server: start it with --web-origin and the origin to allow it";
    with_reason(Code::PermissionDenied, "ORIGIN_NOT_ALLOWED", sentence)
}

fn token_refused(reason: &str, sentence: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.add_precondition_failure_violation(reason, "after", sentence);
    Status::with_error_details(Code::FailedPrecondition, sentence, details)
}

fn with_reason(code: Code, reason: &str, sentence: &str) -> Status {
    with_retry(code, reason, sentence, None)
}

fn with_retry(code: Code, reason: &str, sentence: &str, retry_delay: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    if retry_delay.is_some() {
        details.set_retry_info(retry_delay);
    }
    Status::with_error_details(code, shortened(sentence, MESSAGE_BYTES_MAX), details)
}

/// The text, or its beginning and "…", in at most so many bytes.
fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub("…".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
