//! A data directory from inside, while nobody has it open: its files, and its blocks through the store itself.

use std::fs;
use std::path::{Path, PathBuf};

use binnacle::domain::Revision;
use binnacle::log::{Append, AppendOutcome, EventLog, LogId, SledLog};
use sled::{Db, IVec};

/// Kind, log, first revision, part.
const KEY_BYTES: usize = 1 + 16 + 8 + 2;

/// A file of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// sled's one file.
    Db,
    /// sled's configuration.
    Conf,
    /// sled's snapshot.
    Snapshot,
    Heads,
    /// The checkpoints of "acme".
    Checkpoints,
    Key,
    PublicKey,
}

impl Place {
    /// Where it is; none: there is no such file.
    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        match self {
            Self::Db => dir.join("store/db"),
            Self::Conf => dir.join("store/conf"),
            Self::Snapshot => {
                let found = fs::read_dir(dir.join("store")).expect("a store");
                let mut found: Vec<_> = found.map(|entry| entry.expect("an entry").path()).collect();
                let is_snapshot = |path: &PathBuf| {
                    path.file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with("snap."))
                };
                found.retain(is_snapshot);
                found.pop().expect("a snapshot")
            }
            Self::Heads => dir.join("heads"),
            Self::Checkpoints => dir.join("checkpoints").join(acme(dir).to_string()),
            Self::Key => dir.join("checkpoint.key"),
            Self::PublicKey => dir.join("checkpoint.pub"),
        }
    }
}

/// The log of "acme": the one with the longer file of checkpoints is found by its size in the first note.
pub(crate) fn acme(dir: &Path) -> LogId {
    logs(dir)
        .into_iter()
        .max_by_key(|(_, revision)| *revision)
        .expect("a log")
        .0
}

/// Every log, with the newest revision that is signed.
fn logs(dir: &Path) -> Vec<(LogId, u64)> {
    let found = fs::read_dir(dir.join("checkpoints")).expect("checkpoints");
    let found = found.filter_map(|entry| {
        let path = entry.expect("an entry").path();
        let log = LogId::from_hex(&path.file_name()?.to_string_lossy())?;
        let text = fs::read_to_string(&path).ok()?;
        let sizes = text.lines().filter_map(|line| line.parse::<u64>().ok());
        Some((log, sizes.max().unwrap_or_default()))
    });
    found.collect()
}

/// Changes the bytes of a file.
pub(crate) fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

/// Opens the store behind the server's back, and leaves it closed.
pub(crate) fn tamper(dir: &Path, change: impl FnOnce(&Db)) {
    let db = sled::Config::new()
        .path(dir.join("store"))
        .flush_every_ms(None)
        .open()
        .expect("a whole store");
    change(&db);
    db.flush().expect("a flush");
}

/// The keys of a log's blocks, in order.
pub(crate) fn blocks(db: &Db, log: LogId) -> Vec<IVec> {
    let keys = db.iter().keys().map(|key| key.expect("a key"));
    keys.filter(|key| key.len() == KEY_BYTES && key[1..17] == log.0)
        .collect()
}

/// Which revision a block begins with.
pub(crate) fn first_revision(key: &IVec) -> u64 {
    key[17..25]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Puts another store in the place of the one that is there, with these records of each log.
pub(crate) fn replace(dir: &Path, logs: &[(LogId, Vec<Vec<u8>>)]) {
    let store = dir.join("store");
    fs::remove_dir_all(&store).expect("a store");
    let log = SledLog::open(&store).expect("a new store");
    for (id, records) in logs {
        let append = Append {
            log: *id,
            expected: Revision(0),
            records: records.clone(),
        };
        let outcome = log.append(&[append]).expect("a disk");
        assert_eq!(outcome, [AppendOutcome::Appended]);
    }
}
