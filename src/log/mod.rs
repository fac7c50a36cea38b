//! The log: where commits become durable, in order, one dense sequence a workspace.
//!
//! What it knows: bytes, revisions, durability, damage. What it deliberately does not know: what a commit means
//! (that is `domain`), how its bytes came about (that is `codec`, which only the engine calls) and who asked for it.
//!
//! Invariants: `append` returns only when everything it reports as appended is on stable storage; a log's revisions
//! are 1, 2, 3, … without a gap; the bytes read are the bytes appended, or an error that names the damage.

use std::collections::BTreeMap;
use std::fmt;

use crate::disk::DiskSpace;
use crate::domain::Revision;

mod archive;
mod block;
mod checkpoint;
mod checkpoints;
pub mod codec;
mod data_dir;
mod error;
mod evidence;
mod heads;
mod memory;
mod meta;
mod proof;
mod reader;
mod sled;
mod tree;
mod verification;

#[cfg(test)]
mod conformance;

pub use archive::{ArchiveFlaw, ArchiveReader, ArchiveWriter, Item, LogEntry};
pub use checkpoint::{Checkpoint, KeyFlaw, NoteFlaw, Origin, PublicKey, SigningKey, unverified};
pub use checkpoints::{Checkpoints, Notes, Superseded, left_aside, logs_in, newest_epoch, supersede};
pub use data_dir::{copy_store, create_dir, is_open_elsewhere, store_is_there};
pub use error::{LogError, LogErrorKind};
pub use evidence::{Contradiction, Evidence, Mark, Marks, Source};
pub use heads::{Head, Heads};
pub use memory::{Ending, Interruption, MemoryLog};
pub use proof::{Hash, Leaves, TILE_LEAVES, Tree, is_beginning, is_included};
pub use sled::{SledConfig, SledLog};
pub use tree::{Frontier, LeafHash, Root};
pub use verification::{Verification, marks_of};

/// Names one workspace's log: 16 random bytes, chosen when the workspace is created and never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(pub [u8; 16]);

/// One commit as it is stored. Its exact bytes are what the tree's leaves cover, so they are never re-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log.
    pub revision: Revision,
    /// The stored bytes, at most [`MAX_RECORD_BYTES`].
    pub bytes: Vec<u8>,
}

/// The largest record a log takes, in bytes.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// A run of commits for one log, to be appended behind `expected`.
#[derive(Clone, Debug)]
pub struct Append {
    /// The log to append to; an unknown one begins when `expected` is [`Revision::ZERO`].
    pub log: LogId,
    /// The newest revision the writer has folded. The first record becomes the one after it.
    pub expected: Revision,
    /// The commits' bytes, in order; not empty.
    pub records: Vec<Vec<u8>>,
}

/// What became of one [`Append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// On stable storage.
    Appended,
    /// Nothing was written: the log's head is not what the writer expected. Fold what came in between, decide again.
    Conflict {
        /// The log's head.
        head: Revision,
    },
    /// It may or may not be in the log. Read again before saying anything.
    Unknown,
}

/// The records of one log from a revision on, in order.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record, LogError>> + Send + 'a>;

/// An append-only, durable, ordered store of commits, many logs side by side.
///
/// Atomicity is promised per commit only. Nothing above may assume that it is the only writer.
pub trait EventLog: Send + Sync + 'static {
    /// Appends each run behind the revision it expects and returns when all that it reports as
    /// [`AppendOutcome::Appended`] is on stable storage. One outcome for each run, in order.
    ///
    /// # Errors
    /// The disk failed, or a record is over [`MAX_RECORD_BYTES`] (then nothing was written). After an error of the
    /// disk nothing may be said about what is stored, and the process has to stop: see [`LogErrorKind::is_fatal`].
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError>;

    /// The records of `log` from revision `from` on (inclusive; `ZERO` and 1 are the same), in order. A log that is
    /// not there has none. An error ends the iteration.
    fn read(&self, log: LogId, from: Revision) -> Records<'_>;

    /// Every log and its newest revision.
    ///
    /// # Errors
    /// The disk failed or holds something that is not a log.
    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError>;

    /// The disk that it is on; none where there is none, or where it cannot be asked.
    fn disk(&self) -> Option<DiskSpace> {
        None
    }
}

impl LogId {
    /// Reads an id as it is written.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok()?;
        let log = Self(number.to_be_bytes());
        (log.to_string() == text).then_some(log)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

/// Refuses a whole group when one of its records is over [`MAX_RECORD_BYTES`].
fn check_sizes(appends: &[Append]) -> Result<(), LogError> {
    for append in appends {
        if let Some(record) = append
            .records
            .iter()
            .find(|record| record.len() > MAX_RECORD_BYTES)
        {
            return Err(LogError::new(
                LogErrorKind::TooLarge,
                format!(
                    "log {}: a commit of {} bytes is larger than the {MAX_RECORD_BYTES} bytes a commit may have; \
                     nothing was written: divide the command",
                    append.log,
                    record.len()
                ),
            ));
        }
    }
    Ok(())
}
