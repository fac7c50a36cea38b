//! What `verify` and `doctor` have found, thing by thing.

use std::collections::BTreeMap;

use crate::cli::text::plain;
use crate::cli::words::{counted, say};
use crate::cli::{Failure, FailureKind};
use crate::domain::Timestamp;
use crate::log::LogId;

/// What has been found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// How many things are wrong.
    wrong: usize,
    /// How many things could not be held against anything.
    unproven: usize,
    /// The log that each workspace was found in.
    logs: BTreeMap<String, LogId>,
    /// For whoever says it in other words; none: it is said at once.
    kept: Option<Vec<Verdict>>,
    /// When the newest record of a data directory was recorded.
    pub(super) newest_recorded: Option<Timestamp>,
}

/// One thing that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Verdict {
    /// It is as it was signed.
    Right(String),
    /// It could not be held against anything.
    Unproven(String),
    /// It is not.
    Wrong(String),
}

impl Findings {
    /// Which are kept, and not said.
    pub(super) fn kept() -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// What was kept.
    pub(super) fn verdicts(self) -> Vec<Verdict> {
        self.kept.unwrap_or_default()
    }

    pub(super) fn wrong(&mut self, place: &str, sentence: &str) {
        self.wrong += 1;
        self.find(Verdict::Wrong(format!("{place}: {sentence}")));
    }

    pub(super) fn right(&mut self, place: &str, sentence: &str) {
        self.find(Verdict::Right(format!("{place}: {sentence}")));
    }

    pub(super) fn unproven(&mut self, place: &str, sentence: &str) {
        self.unproven += 1;
        self.find(Verdict::Unproven(format!("{place}: {sentence}")));
    }

    fn find(&mut self, verdict: Verdict) {
        match &mut self.kept {
            Some(kept) => kept.push(verdict),
            None => say(&plain(&match verdict {
                Verdict::Right(sentence) => format!("ok        {sentence}"),
                Verdict::Unproven(sentence) => format!("UNPROVEN  {sentence}"),
                Verdict::Wrong(sentence) => format!("WRONG     {sentence}"),
            })),
        }
    }

    /// Whether a workspace is in the same log wherever it was found.
    pub(super) fn is_one_log(&mut self, place: &str, workspace: &str, log: LogId) -> bool {
        let known = *self.logs.entry(workspace.to_owned()).or_insert(log);
        if known != log {
            self.wrong(
                place,
                &format!("the logs {known} and {log} are both said to be it"),
            );
        }
        known == log
    }

    /// The summary, and the exit code.
    pub(super) fn end(self) -> Result<(), Failure> {
        let Self { wrong, unproven, .. } = self;
        match (wrong, unproven) {
            (0, 0) => {
                say("everything agrees");
                Ok(())
            }
            (0, unproven) => Err(Failure::new(
                FailureKind::Partly,
                format!(
                    "nothing is wrong, but {} could not be held against anything",
                    counted(unproven, "thing")
                ),
            )),
            (wrong, _) => Err(Failure::new(
                FailureKind::Damaged,
                format!(
                    "{} not what was signed",
                    match wrong {
                        1 => "1 thing is".to_owned(),
                        wrong => format!("{wrong} things are"),
                    }
                ),
            )),
        }
    }
}
