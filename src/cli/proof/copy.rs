//! A copy of a store, to be read: opening changes a damaged one. It is gone when it is no longer needed, also where whoever asked
//! for it interrupts, or closes the terminal; only a process that is killed leaves it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::serve::log_failure;
use crate::cli::words::tell;
use crate::cli::{Failure, FailureKind};
use crate::log::copy_store;

/// The copy that there is now, for whoever hears of an interruption.
static THERE: Mutex<Option<PathBuf>> = Mutex::new(None);

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
        // Whoever hears of an interruption meanwhile waits until it is known what there is.
        let mut there = there();
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
        *there = Some(dir.clone());
        drop(there);
        let copy = Self { dir };
        copy_store(store, &copy.dir).map_err(|error| log_failure(&error))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let mut there = there();
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tell(&format!("{} could not be removed: {error}", self.dir.display()));
        }
        *there = None;
    }
}

fn there() -> MutexGuard<'static, Option<PathBuf>> {
    // Nobody panics while they hold it.
    THERE.lock().unwrap_or_else(PoisonError::into_inner)
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
        let number = runtime.block_on(interrupted);
        // Never let go: what the copy is used for must not go on.
        let there = there();
        if let Some(dir) = there.as_deref() {
            remove(dir);
        }
        // As shells have it.
        std::process::exit(128 + number);
    });
    LISTENING.get_or_init(|| ());
    Ok(())
}

/// Ends with the number of a signal that wants this process to end.
fn interruption() -> Result<impl Future<Output = i32> + Send, Failure> {
    let failed =
        |error: io::Error| Failure::new(FailureKind::Failed, format!("signals cannot be heard: {error}"));
    let listen = |kind: SignalKind| signal(kind).map_err(failed);
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    // Who was started by nohup goes on without its terminal.
    let mut hangup = match is_ignored(SignalKind::hangup()) {
        true => None,
        false => Some(listen(SignalKind::hangup())?),
    };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = hung_up => SignalKind::hangup().as_raw_value(),
        }
    })
}

/// Whether this process was started so that it does not hear a signal; where the system does not say, it was not.
fn is_ignored(signal: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal.as_raw_value() - 1) & 1 == 1)
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
