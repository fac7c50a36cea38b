//! What a restore that was killed in its last moments has left: the heads and checkpoints of before, aside.
//!
//! Invariant: as long as the store has not got its name nothing was restored, so what speaks for the store of before is put back;
//! from then on it is of no use, and removed.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::serve::RESTORING;
use crate::log::{LogError, LogErrorKind, left_aside};

/// Where a data directory has its checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// The heads of a data directory, and where they are while a restore puts others in their place.
pub(super) const HEADS: &str = "heads";
pub(in crate::cli) const HEADS_BEFORE: &str = "heads.before-restore";

/// Puts it back, or removes it. Nothing else may be at work in the directory: a restore that comes next, or a start that has opened
/// the store.
///
/// # Errors
/// `Io` when the operating system refuses.
pub(in crate::cli) fn settle(data_dir: &Path) -> Result<(), LogError> {
    let was_restored = !data_dir.join(RESTORING).exists();
    let (heads, before) = (data_dir.join(HEADS), data_dir.join(HEADS_BEFORE));
    let settled = match was_restored {
        true => fs::remove_file(&before),
        false => fs::rename(&before, &heads),
    };
    match settled {
        Ok(()) => told("heads", was_restored),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let context = format!("{}, left by a restore, could not be moved", before.display());
            return Err(LogError::caused(LogErrorKind::Io, context, error));
        }
    }
    for left in left_aside(&data_dir.join(CHECKPOINTS))? {
        match was_restored {
            true => left.settle()?,
            false => left.undo()?,
        }
        told("checkpoints", was_restored);
    }
    Ok(())
}

fn told(what: &str, was_restored: bool) {
    match was_restored {
        true => {
            tracing::info!("removed the {what} of before a restore, which was interrupted when it was done")
        }
        false => tracing::warn!("put the {what} back that a restore, which was interrupted, had moved aside"),
    }
}
