//! A copy of a store, to be read: opening changes a damaged one. It is gone when it is no longer needed, also where whoever asked
//! for it interrupts; only a process that is killed leaves it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::cli::serve::{interruption, log_failure};
use crate::cli::words::tell;
use crate::cli::{Failure, FailureKind};
use crate::log::copy_store;

/// The copy that there is now, for whoever hears of an interruption.
static THERE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The exit code of a program that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// The copy. There is one at a time.
pub(super) struct Copy {
    pub(super) dir: PathBuf,
}

impl Copy {
    /// # Errors
    /// The store or the place of the copy cannot be used.
    pub(super) fn of(store: &Path, scratch: Option<&Path>) -> Result<Self, Failure> {
        remove_when_interrupted()?;
        let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
        let dir = scratch.join(format!("binnacle-verify-{}", std::process::id()));
        // For its owner alone: it holds everything that the store holds.
        DirBuilder::new().mode(0o700).create(&dir).map_err(|error| {
            let sentence = match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    format!("{} is there already: remove it first", dir.display())
                }
                _ => format!(
                    "{} cannot be made: {error}; name another with --scratch",
                    dir.display()
                ),
            };
            Failure::new(FailureKind::Failed, sentence)
        })?;
        // Nothing is removed but what was made here.
        *THERE.lock().unwrap_or_else(PoisonError::into_inner) = Some(dir.clone());
        let copy = Self { dir };
        copy_store(store, &copy.dir).map_err(|error| log_failure(&error))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut there = THERE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tell(&format!("{} could not be removed: {error}", self.dir.display()));
        }
        *there = None;
    }
}

/// Has this process end when it is interrupted, without a copy that it would leave.
fn remove_when_interrupted() -> Result<(), Failure> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    if LISTENING.get().is_some() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failure::failed(&error))?;
    let interrupted = runtime.block_on(async { interruption() })?;
    std::thread::spawn(move || {
        runtime.block_on(interrupted);
        // Never let go: what the copy is used for must not go on.
        let there = THERE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dir) = there.as_deref() {
            remove(dir);
        }
        std::process::exit(INTERRUPTED);
    });
    LISTENING.get_or_init(|| ());
    Ok(())
}

/// Removes what another thread may still be writing into: it fails when its directory is gone.
fn remove(dir: &Path) {
    for _ in 0..100 {
        match std::fs::remove_dir_all(dir) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return tell(&format!("{} could not be removed: {error}", dir.display())),
            Ok(()) => return,
        }
    }
    tell(&format!("{} could not be removed", dir.display()));
}
