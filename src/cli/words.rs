//! What commands tell the person who runs them, in the same words everywhere.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget};
use tonic::{Code, Status};

use super::{Failure, FailureKind};

/// A refusal of the server: its message, and what was written before.
pub(super) fn failure(status: &Status, written: &str) -> Failure {
    let kind = match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange => FailureKind::Usage,
        Code::DataLoss => FailureKind::Damaged,
        _ => FailureKind::Failed,
    };
    let message = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    Failure::new(kind, format!("{message} ({written})"))
}

/// A bar where a person can see it, and nothing elsewhere.
pub(super) fn progress_bar(measurements: u64) -> ProgressBar {
    let bar = ProgressBar::new(measurements);
    bar.set_draw_target(if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    });
    bar
}

/// To standard output. That nobody reads it is no reason to fail.
pub(super) fn say(sentence: &str) {
    let _unread = writeln!(std::io::stdout(), "{sentence}");
}

/// To standard error.
pub(super) fn tell(sentence: &str) {
    let _unread = writeln!(std::io::stderr(), "{sentence}");
}

/// A number with its noun: "1 row", "2 rows".
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
