//! One thing that was looked at: what it is about, how it is, and what to do.
//!
//! Invariant: whatever is not as it should be says what to do about it.

use serde::Serialize;

use crate::cli::text::plain;
use crate::cli::{Failure, FailureKind};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It does not keep a server from running, or not yet.
    Warning,
    /// It does.
    Wrong,
}

/// A finding.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What it is about, in a word or two.
    pub(super) about: &'static str,
    pub(super) level: Level,
    /// One sentence.
    pub(super) is: String,
    /// Another, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todo: Option<String>,
    /// Of what kind it is, where it is wrong.
    #[serde(skip)]
    pub(super) kind: Option<FailureKind>,
}

/// How far the second line is moved in.
const INDENT: &str = "         ";

impl Finding {
    pub(super) fn ok(about: &'static str, is: impl Into<String>) -> Self {
        Self {
            about,
            level: Level::Ok,
            is: is.into(),
            todo: None,
            kind: None,
        }
    }

    pub(super) fn warning(about: &'static str, is: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            todo: Some(todo.into()),
            ..Self::ok(about, is)
        }
    }

    pub(super) fn wrong(about: &'static str, is: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            level: Level::Wrong,
            kind: Some(FailureKind::Failed),
            ..Self::warning(about, is, todo)
        }
    }

    /// What keeps `serve` from starting, in its own words.
    pub(super) fn of_failure(about: &'static str, failure: &Failure, todo: impl Into<String>) -> Self {
        Self {
            kind: Some(failure.kind()),
            ..Self::wrong(about, failure.to_string(), todo)
        }
    }

    /// The store, or what speaks for it, is not what it was.
    pub(super) fn damaged(about: &'static str, is: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            kind: Some(FailureKind::Damaged),
            ..Self::wrong(about, is, todo)
        }
    }

    /// For a person.
    pub(super) fn lines(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Wrong => "WRONG",
        };
        let mut lines = format!("{level:8} {}: {}", self.about, plain(&self.is));
        if let Some(todo) = &self.todo {
            lines.push_str(&format!("\n{INDENT}{}", plain(todo)));
        }
        lines
    }

    /// For a program.
    ///
    /// # Errors
    /// The program is broken.
    pub(super) fn json(&self) -> Result<String, Failure> {
        let line = serde_json::to_string(self);
        line.map_err(|error| Failure::failed(&error))
    }
}
