//! A log that is read record by record, and what it has to agree with.

use crate::domain::Event;
use crate::log::{Checkpoint, Head, LogId, Mark, Record, Source, Verification, codec, marks_of};

/// A log that is about to be read, and what it has to agree with.
pub(super) fn begin<'a>(log: LogId, signed: impl Iterator<Item = &'a Checkpoint>) -> Verification {
    let checkpoints: Vec<_> = signed.copied().collect();
    Verification::begin(log, marks_of(log, &checkpoints))
}

/// Whether what reads as a commit is one in full; and of which workspace, where it creates one.
pub(super) fn workspace_of(log: LogId, record: &Record) -> Result<Option<String>, String> {
    let commit = codec::decode(log, record).map_err(|error| error.to_string())?;
    Ok(commit.events.iter().find_map(|event| match event {
        Event::WorkspaceCreated(created) => Some(created.id.to_string()),
        _ => None,
    }))
}

/// What the heads of a data directory say, beside what is signed.
pub(super) fn head_mark(head: Head) -> Mark {
    Mark {
        head,
        source: Source::Heads,
    }
}
