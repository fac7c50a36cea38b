//! Between a commit as the domain knows it and the bytes of a record: `binnacle.event.v1.Commit` in protobuf.
//!
//! Invariants: `decode(encode(commit)) == commit`; the bytes are a function of the commit (maps are in order); what
//! `decode` accepts it has understood in full, so a record that encodes back to another length is refused; it never
//! panics, whatever the bytes. Every message is taken apart field by field in both directions, so that a new field does
//! not compile until it is mapped. Old messages are read for ever: their upcasters belong here.
//!
//! What it deliberately does not know: what an event does (that is `domain`), where records are kept and what protects
//! their bytes (that is the log). A record is encoded once; its bytes are never made again from a decoded commit.
//!
//! Each noun has one file with a pair `…_to_stored` and `…_from_stored` for every message.

use prost::Message;

use crate::domain;
use crate::log::{LogError, LogId, Record};
use crate::proto::stored;

mod alert;
mod check_in;
mod closing;
mod commit;
mod cycle;
mod deletion;
mod event;
mod fault;
mod head;
mod initiative;
mod key_result;
mod kpi;
mod measurement;
mod objective;
mod policy;
mod review;
mod scalar;
mod target;
mod team;
mod unit;
mod workspace;

#[cfg(test)]
mod tests;

use fault::Fault;
pub use head::RecordHead;

/// The bytes of a commit of `log`, to be stored once and never made again.
#[must_use]
pub fn encode(log: LogId, commit: &domain::Commit) -> Vec<u8> {
    commit::commit_to_stored(log, commit).encode_to_vec()
}

/// The commit that a record of `log` holds.
///
/// # Errors
/// [`Damaged`](crate::log::LogErrorKind::Damaged): the bytes are no commit, it is one of another log or revision, or a
/// value in it is out of its bounds. [`UnknownFormat`](crate::log::LogErrorKind::UnknownFormat): a newer release wrote
/// an event, a field or an enum's value that this one does not know.
pub fn decode(log: LogId, record: &Record) -> Result<domain::Commit, LogError> {
    read(log, record).map_err(|fault| fault.of(log, record.revision))
}

fn read(log: LogId, record: &Record) -> Result<domain::Commit, Fault> {
    let bytes = record.bytes.as_slice();
    let stored = stored::Commit::decode(bytes)
        .map_err(|error| Fault::damaged(format!("its bytes are no commit ({error})")))?;
    let known_bytes = stored.encoded_len();
    let commit = commit::commit_from_stored(log, record.revision, stored)?;
    // The generated code skips fields that it does not know. To fold a commit without them would be to lose them.
    if known_bytes == bytes.len() {
        Ok(commit)
    } else {
        Err(Fault::newer(format!(
            "only {known_bytes} of its {} bytes are known fields",
            bytes.len()
        )))
    }
}
