//! The store, read on a copy: every record against the heads and the checkpoints beside it.

use std::path::Path;

use super::{Finding, said};
use crate::cli::proof::{Verdict, look_into};
use crate::cli::serve::{STORE, check_store_is_there};
use crate::cli::{Failure, FailureKind};
use crate::domain::Timestamp;
use crate::log::store_is_there;

const ABOUT: &str = "store";

/// What was found, and when the newest record was recorded.
pub(super) struct Read {
    pub(super) findings: Vec<Finding>,
    pub(super) newest: Option<Timestamp>,
}

/// What the store holds.
pub(super) fn look(data_dir: &Path, scratch: Option<&Path>) -> Read {
    let alone = |finding| Read {
        findings: vec![finding],
        newest: None,
    };
    if !store_is_there(&data_dir.join(STORE)) {
        // One that should be there is missed where the directory is looked at.
        let is_missed = check_store_is_there(data_dir).is_err();
        let none = Finding::ok(ABOUT, format!("there is none in {} yet", said(data_dir)));
        return Read {
            findings: if is_missed { Vec::new() } else { vec![none] },
            newest: None,
        };
    }
    match look_into(data_dir, scratch) {
        Ok(looked) if looked.verdicts.is_empty() => {
            alone(Finding::ok(ABOUT, "it is whole, and holds no workspace"))
        }
        Ok(looked) => Read {
            findings: looked.verdicts.into_iter().map(finding).collect(),
            newest: looked.newest_recorded,
        },
        Err(failure) => alone(unread(&failure)),
    }
}

fn finding(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Right(sentence) => Finding::ok(ABOUT, sentence),
        Verdict::Unproven(sentence) => Finding::warning(
            ABOUT,
            sentence,
            "nothing is lost: so it is after a restore, and after a server that was killed; the next checkpoint covers it",
        ),
        Verdict::Wrong(sentence) => Finding::damaged(ABOUT, sentence, DAMAGED),
    }
}

const DAMAGED: &str = "copy the whole data directory away before anything else, and see \"Damaged store\" in docs/operations.md";

fn unread(failure: &Failure) -> Finding {
    match failure.kind() {
        FailureKind::Damaged => Finding::damaged(ABOUT, failure.to_string(), DAMAGED),
        FailureKind::Failed | FailureKind::Partly | FailureKind::Usage => Finding::warning(
            ABOUT,
            format!("it could not be read: {failure}"),
            "name a directory with room for a copy with --scratch, or leave the store out with --skip-store",
        ),
    }
}
