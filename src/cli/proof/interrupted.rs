//! What a restore that was killed in its last moments has left: the heads and checkpoints of before, aside.
//!
//! Invariant: what speaks for the store of before is removed only where the store is the one that was restored, which says so by a
//! file in it that has got its name with it. Whatever else is there, or is not there any more, it is put back.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::serve::STORE;
use crate::log::{LogError, LogErrorKind, left_aside};

/// Where a data directory has its checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// The heads of a data directory, and where they are while a restore puts others in their place.
pub(super) const HEADS: &str = "heads";
pub(in crate::cli) const HEADS_BEFORE: &str = "heads.before-restore";

/// The file in a store that a restore has made, until what was aside is removed.
pub(super) const RESTORED: &str = "restored";

/// Puts it back, or removes it. Nothing else may be at work in the directory: a restore that comes next, or a start that has opened
/// the store.
///
/// # Errors
/// `Io` when the operating system refuses.
pub(in crate::cli) fn settle(data_dir: &Path) -> Result<(), LogError> {
    let mark = data_dir.join(STORE).join(RESTORED);
    let was_restored = mark.exists();
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
    if was_restored {
        fs::remove_file(&mark).map_err(|error| {
            let context = format!("{}, left by a restore, could not be removed", mark.display());
            LogError::caused(LogErrorKind::Io, context, error)
        })?;
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
