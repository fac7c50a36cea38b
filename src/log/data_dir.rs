//! The store's directory: what must be right about its files before and after the database opens them.
//!
//! Invariant: nothing is changed in a directory that another process has open; what the guard has synced survives a
//! power cut.
//!
//! What it does not know: what is inside the database's file. (It knows the names of the database's files, and that
//! the database holds an exclusive `flock` on `db` while it is open.)

use std::fmt::Display;
use std::fs::{self, DirBuilder, DirEntry, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{LogError, LogErrorKind};

/// The database's one data file.
const DATA_FILE: &str = "db";
/// Where the database puts what is too large for a page, without ever making it durable.
const BLOBS_DIR: &str = "blobs";

/// How long an open waits for a predecessor that is letting go: a closing database still holds the lock for a moment.
const LOCK_WAIT: Duration = Duration::from_millis(1_000);

/// An own descriptor on the data file: its `fdatasync` is what makes a flushed write survive a power cut.
#[derive(Debug)]
pub(super) struct Guard {
    #[cfg_attr(
        feature = "without-durability-guard",
        expect(dead_code, reason = "left out on purpose")
    )]
    data: File,
}

impl Guard {
    /// Opens the descriptor, once for the life of the store.
    pub(super) fn new(dir: &Path) -> Result<Self, LogError> {
        #[cfg(feature = "without-durability-guard")]
        tracing::warn!(
            "BUILT WITHOUT THE DURABILITY GUARD: a power cut loses commits that were answered with OK. \
             This build is for the power-cut test only; never keep data with it"
        );
        let path = dir.join(DATA_FILE);
        let data = File::open(&path).map_err(|error| io_error("could not open", &path, error))?;
        Ok(Self { data })
    }

    /// Makes durable whatever was flushed before.
    #[cfg_attr(
        feature = "without-durability-guard",
        expect(clippy::unused_self, clippy::unnecessary_wraps)
    )]
    pub(super) fn sync(&self) -> Result<(), LogError> {
        #[cfg(not(feature = "without-durability-guard"))]
        self.data.sync_data().map_err(|error| {
            let context = "the log could not be made durable; what is stored is known again after a restart: \
                           look at the disk";
            LogError::caused(LogErrorKind::Io, context, error)
        })?;
        Ok(())
    }
}

/// Makes a directory, its owner's alone, and whatever is missing above it, and their names durable: a store that nobody can
/// find after a power cut is lost.
///
/// # Errors
/// `Io` when the operating system refuses.
pub fn create_dir(dir: &Path) -> Result<(), LogError> {
    let failed = |error| io_error("could not create", dir, error);
    let dir = std::path::absolute(dir).map_err(failed)?;
    let missing = dir.ancestors().take_while(|dir| !dir.exists()).count();
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    // For its owner alone: what is kept in it is not for every user of the machine. One that is there stays as it is.
    let private = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    private.map_err(failed)?;
    // The parent also of a directory that is there: the start that made it may have been killed.
    for parent in dir.ancestors().skip(1).take(missing.max(1)) {
        match File::open(parent).and_then(|parent| parent.sync_all()) {
            // Who may not read a directory has not made anything in it either.
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
                return Err(io_error("could not make durable", parent, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Readies `dir` for the database: creates it, clears what a killed start left behind, checks `blobs/`.
pub(super) fn prepare(dir: &Path) -> Result<(), LogError> {
    fs::create_dir_all(dir).map_err(|error| io_error("could not create", dir, error))?;
    let data_path = dir.join(DATA_FILE);
    let data = match File::open(&data_path) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return check_blobs(dir),
        Err(error) => return Err(io_error("could not open", &data_path, error)),
    };
    // The lock is dropped with `data`, just before the database takes its own.
    wait_for_lock(&data, dir)?;
    remove_unfinished_snapshots(dir)?;
    check_blobs(dir)
}

/// Whether there is a store in a directory, or the rest of one.
#[must_use]
pub fn store_is_there(dir: &Path) -> bool {
    dir.join(DATA_FILE).is_file()
}

/// Whether another process has a store open. One that is not there is open nowhere.
///
/// # Errors
/// `Io` when the operating system refuses.
pub fn is_open_elsewhere(dir: &Path) -> Result<bool, LogError> {
    let data_path = dir.join(DATA_FILE);
    let data = match File::open(&data_path) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error("could not open", &data_path, error)),
    };
    // Let go at once with `data`.
    match data.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(io_error("could not lock", dir, error)),
    }
}

/// Copies a store that nobody has open, so that the copy can be opened: opening changes a damaged one.
///
/// # Errors
/// `Locked` when another process has it open, `Io` when the operating system refuses.
pub fn copy_store(dir: &Path, to: &Path) -> Result<(), LogError> {
    let data_path = dir.join(DATA_FILE);
    let data = File::open(&data_path).map_err(|error| io_error("could not open", &data_path, error))?;
    // Held while it is copied.
    wait_for_lock(&data, dir)?;
    copy_dir(dir, to)
}

fn copy_dir(dir: &Path, to: &Path) -> Result<(), LogError> {
    fs::create_dir_all(to).map_err(|error| io_error("could not create", to, error))?;
    for entry in entries(dir).map_err(|error| io_error("could not list", dir, error))? {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_dir(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(|error| io_error("could not copy", &from, error))?;
        }
    }
    Ok(())
}

/// Makes the names of the database's files durable, and what it writes once without a sync of its own.
pub(super) fn sync_names(dir: &Path) -> Result<(), LogError> {
    let parent = dir
        .canonicalize()
        .ok()
        .and_then(|dir| dir.parent().map(Path::to_owned));
    for path in [Some(dir.join("conf")), Some(dir.to_owned()), parent]
        .into_iter()
        .flatten()
    {
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| io_error("could not make durable", &path, error))?;
    }
    Ok(())
}

/// Checks that the database has put nothing outside its data file.
pub(super) fn check_blobs(dir: &Path) -> Result<(), LogError> {
    let blobs = dir.join(BLOBS_DIR);
    let count = match entries(&blobs) {
        Ok(files) => files.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(io_error("could not list", &blobs, error)),
    };
    if count > 0 {
        return Err(LogError::new(
            LogErrorKind::Damaged,
            format!(
                "{} holds {count} files where no release puts any, and they are not durable; restore the newest backup",
                blobs.display()
            ),
        ));
    }
    Ok(())
}

/// The error for a store that another process has open.
pub(super) fn locked(dir: &impl Display) -> LogError {
    LogError::new(
        LogErrorKind::Locked,
        format!(
            "the store in {dir} is open in another process: stop that one first, or use another data directory"
        ),
    )
}

fn wait_for_lock(data: &File, dir: &Path) -> Result<(), LogError> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match data.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(locked(&dir.display())),
            Err(TryLockError::Error(error)) => return Err(io_error("could not lock", dir, error)),
        }
    }
}

/// A kill during a start can leave `snap.*.generating`, which the database would take for a damaged snapshot.
fn remove_unfinished_snapshots(dir: &Path) -> Result<(), LogError> {
    for entry in entries(dir).map_err(|error| io_error("could not list", dir, error))? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| io_error("could not remove", &path, error))?;
            tracing::info!(file = %path.display(), "removed a snapshot that a killed start left unfinished");
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> io::Result<Vec<DirEntry>> {
    fs::read_dir(dir)?.collect()
}

/// A refusal of the operating system, with the file it is about.
pub(super) fn io_error(what: &str, path: &Path, error: io::Error) -> LogError {
    LogError::caused(LogErrorKind::Io, format!("{what} {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_is_made_with_all_that_is_missing_above_it_and_may_be_there_already() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        for _ in 0..2 {
            create_dir(&deep).unwrap();
            assert!(deep.is_dir());
        }
        let mode = fs::metadata(&deep).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "nobody else looks into it");
        fs::write(dir.path().join("file"), b"").unwrap();
        let refused = create_dir(&dir.path().join("file/below")).unwrap_err();
        assert_eq!(refused.kind, LogErrorKind::Io);
        assert!(refused.context.contains("file/below"), "{}", refused.context);
    }
}
