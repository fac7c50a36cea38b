//! What proves a history to somebody who trusts nobody but a key: taking checkpoints, proofs and archives from a server, holding
//! them against each other without one, and bringing an archive back.
//!

mod archived;
mod backup;
mod checkpoint;
mod connections;
mod copy;
mod data_dir;
mod files;
mod findings;
mod interrupted;
mod key;
mod prove;
mod reading;
mod restore;
mod restoring;
mod verify;

pub(super) use backup::Backup;
pub(super) use checkpoint::TakeCheckpoint;
pub(super) use data_dir::look_into;
pub(super) use findings::Verdict;
pub(super) use interrupted::{HEADS_BEFORE, settle};
pub(super) use prove::Prove;
pub(super) use restore::Restore;
pub(super) use verify::Verify;
