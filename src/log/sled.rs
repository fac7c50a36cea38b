//! The log on disk: blocks in an embedded sled tree. The only file that names sled.
//!
//! Invariant: what `append` reports as appended has been flushed by sled *and* made durable by an `fdatasync` of our
//! own, because sled's flush alone survives no power cut (it uses `sync_file_range`, which flushes neither the file's
//! length nor the drive). Nothing is visible to `read` or `heads` before that. After a failed write every further
//! append is refused: nothing can be said about what is stored.
//!
//! What it does not know: what a record means, the hash tree, and whether sled lost the end of a log on its own
//! (`heads` knows).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use sled::{Batch, Db, IVec};

use super::block::{self, Block, Flaw, Key};
use super::data_dir::{self, Guard};
use super::meta::{META_KEY, check_meta, encode_meta};
use super::reader::Reader;
use super::{Append, AppendOutcome, EventLog, LogError, LogErrorKind, LogId, Records, check_sizes};
use crate::disk::DiskSpace;
use crate::domain::Revision;

/// How often sled's own thread flushes and collects dead segments, in milliseconds. Without it the disk grows without
/// bound; it is not what makes a commit durable.
const FLUSH_EVERY_MS: u64 = 200;

/// sled looks for pages to evict only after 64 accesses to a shard of its page cache, of which there are 256, and a
/// scan accesses a page once: it keeps up to 16,384 pages in memory, hundreds of megabytes, whatever the cache's size.
/// Looking each block up this many more times makes it notice. Measured reading 3,000,000 records of 200 bytes with a
/// cache of 16 MiB: 424 MB resident at 4.0 to 4.5 million records/s without, 67 MB with 1, 50 MB at 4.4 million/s
/// with 2, 31 MB at 3.8 million/s with 4.
const PAGE_TOUCHES: usize = 2;

/// What may be tuned in a [`SledLog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SledConfig {
    /// The page cache's nominal size in bytes; what it really takes can be several times as much. A larger one makes
    /// neither appending nor reading from front to back quicker: the operating system caches the file.
    pub cache_bytes: u64,
}

/// A log in a directory of its own, for one process at a time.
pub struct SledLog {
    db: Db,
    dir: PathBuf,
    /// Held through a whole append, so that appends follow one another.
    writer: Mutex<Writer>,
    /// What is durable, and therefore visible: locked for a moment only.
    heads: RwLock<BTreeMap<LogId, Revision>>,
}

struct Writer {
    guard: Guard,
    /// A write failed or panicked half-way: what is stored is unknown to this process.
    broken: bool,
}

impl Default for SledConfig {
    fn default() -> Self {
        Self {
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}

impl SledLog {
    /// Opens the store in `dir`, or begins one there, with the default configuration.
    ///
    /// # Errors
    /// As [`SledLog::open_with`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::open_with(dir, SledConfig::default())
    }

    /// Opens the store in `dir`, or begins one there.
    ///
    /// # Errors
    /// `Locked` when another process has it open, `UnknownFormat` when another release wrote it in a way this one
    /// does not read, `Damaged` when it holds what no release wrote, `Io` when the operating system refuses.
    pub fn open_with(dir: impl AsRef<Path>, config: SledConfig) -> Result<Self, LogError> {
        let dir = dir.as_ref();
        data_dir::prepare(dir)?;
        let db = sled::Config::new()
            .path(dir)
            .cache_capacity(config.cache_bytes)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .open()
            .map_err(|error| open_error(dir, error))?;
        let guard = Guard::new(dir)?;
        data_dir::sync_names(dir)?;
        check_or_begin(&db, dir, &guard)?;
        let heads = find_heads(&db)?;
        tracing::info!(dir = %dir.display(), logs = heads.len(), "opened the log");
        Ok(Self {
            db,
            dir: dir.to_owned(),
            writer: Mutex::new(Writer { guard, broken: false }),
            heads: RwLock::new(heads),
        })
    }

    /// Checks that sled keeps nothing outside its one file, where no flush and no guard reaches it. Also checked at
    /// every open.
    ///
    /// # Errors
    /// `Damaged` when there is a file under `blobs/`, `Io` when the directory cannot be read.
    pub fn check_nothing_beside_the_file(&self) -> Result<(), LogError> {
        data_dir::check_blobs(&self.dir)
    }

    fn visible_head(&self, log: LogId) -> Revision {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        heads.get(&log).copied().unwrap_or_default()
    }

    /// The block that holds `from`: the last one that does not begin behind it. When none is found, or it cannot be
    /// read, a reading from the first block on meets what is wrong and names it.
    fn first_block(&self, log: LogId, from: Revision) -> Option<Key> {
        let upto = Key::lowest(log).encode()..=Key::highest(log, from).encode();
        let (key, _) = self.db.range(upto).next_back()?.ok()?;
        Key::decode(&key).ok().map(|key| Key::new(log, key.first, 0))
    }

    /// One atomic batch, sled's flush, the guard. An error is final: see [`LogErrorKind::is_fatal`].
    fn write(&self, guard: &Guard, batch: Batch) -> Result<(), LogError> {
        let context =
            "the log could not be written; what is stored is known again after a restart: look at the disk";
        let fatal = |error| LogError::caused(LogErrorKind::Io, context, error);
        self.db.apply_batch(batch).map_err(fatal)?;
        self.db.flush().map_err(fatal)?;
        guard.sync()
    }
}

impl EventLog for SledLog {
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        check_sizes(appends)?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.broken {
            return Err(LogError::new(
                LogErrorKind::Io,
                "the log takes no more writes since one failed: stop the process, look at the disk, start again",
            ));
        }
        let mut batch = Batch::default();
        let mut moved = BTreeMap::new();
        let outcomes = appends
            .iter()
            .map(|append| {
                let head = moved
                    .get(&append.log)
                    .copied()
                    .unwrap_or_else(|| self.visible_head(append.log));
                if head != append.expected {
                    return AppendOutcome::Conflict { head };
                }
                if !append.records.is_empty() {
                    block::encode(append.log, head.next(), &append.records, |key, block| {
                        batch.insert(&key, block);
                    });
                    moved.insert(append.log, Revision(head.0 + append.records.len() as u64));
                }
                AppendOutcome::Appended
            })
            .collect();
        if !moved.is_empty() {
            // Stays set when the write fails or panics.
            writer.broken = true;
            self.write(&writer.guard, batch)?;
            writer.broken = false;
            self.heads
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(moved);
        }
        Ok(outcomes)
    }

    fn read(&self, log: LogId, from: Revision) -> Records<'_> {
        let head = self.visible_head(log);
        let first = self.first_block(log, from).unwrap_or(Key::lowest(log));
        let range = first.encode()..=Key::highest(log, head).encode();
        let blocks = self.db.range(range).map(|found| {
            let (key, block) = found?;
            for _ in 0..PAGE_TOUCHES {
                self.db.contains_key(&key)?;
            }
            Ok((key, block))
        });
        let blocks = blocks.map(|found| found.map_err(read_error));
        Box::new(Reader::new(blocks, log, first.first, from, head))
    }

    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError> {
        Ok(self.heads.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn disk(&self) -> Option<DiskSpace> {
        DiskSpace::at(&self.dir).ok()
    }
}

/// Refuses a store in a format this release does not read; begins an empty one.
fn check_or_begin(db: &Db, dir: &Path, guard: &Guard) -> Result<(), LogError> {
    let context = || format!("the store in {} could not be begun", dir.display());
    let io = |error| LogError::caused(LogErrorKind::Io, context(), error);
    if let Some(meta) = db.get(META_KEY).map_err(read_error)? {
        return check_meta(&meta);
    }
    if !db.is_empty() {
        return Err(LogError::new(
            LogErrorKind::Damaged,
            format!(
                "the store in {} has lost its format record; restore the newest backup",
                dir.display()
            ),
        ));
    }
    db.insert(META_KEY, encode_meta()).map_err(io)?;
    db.flush().map_err(io)?;
    guard.sync()
}

/// Every log and its newest revision, by a jump to the last block of each log.
fn find_heads(db: &Db) -> Result<BTreeMap<LogId, Revision>, LogError> {
    let mut heads = BTreeMap::new();
    let mut beyond = Some(LogId([0; 16]));
    while let Some(from) = beyond {
        let Some(key) = key_of(db.range(Key::lowest(from).encode()..).next())? else {
            break;
        };
        let log = key.0.log;
        let last = db
            .range(Key::lowest(log).encode()..=Key::highest(log, Revision(u64::MAX)).encode())
            .next_back();
        if let Some((key, block)) = key_of(last)? {
            heads.insert(log, head_in(key, &block)?);
        }
        beyond = u128::from_be_bytes(log.0)
            .checked_add(1)
            .map(|next| LogId(next.to_be_bytes()));
    }
    Ok(heads)
}

fn key_of(found: Option<sled::Result<(IVec, IVec)>>) -> Result<Option<(Key, IVec)>, LogError> {
    let damaged = |what: String| LogError::new(LogErrorKind::Damaged, what);
    let Some(found) = found else { return Ok(None) };
    let (key, block) = found.map_err(read_error)?;
    let key = Key::decode(&key).map_err(|flaw| {
        damaged(format!(
            "the store holds what is not a log: {flaw}; restore the newest backup"
        ))
    })?;
    Ok(Some((key, block)))
}

/// The newest revision of a log whose last block this is. A group is one atomic batch, so half a commit is damage.
fn head_in(key: Key, block: &IVec) -> Result<Revision, LogError> {
    match block::decode(key, block).map_err(|flaw| key.damage(&flaw))? {
        Block::Commits { count, .. } => Ok(Revision(key.first.0.saturating_add(count - 1))),
        Block::Part(part) if key.part + 1 == part.parts => Ok(key.first),
        Block::Part(_) => Err(key.damage(&Flaw::PartMissing(key.part + 1))),
    }
}

fn open_error(dir: &Path, error: sled::Error) -> LogError {
    let dir = dir.display();
    let (kind, context) = match &error {
        sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock") => {
            return data_dir::locked(&dir);
        }
        sled::Error::Io(_) => (
            LogErrorKind::Io,
            format!("the store in {dir} could not be opened"),
        ),
        sled::Error::Unsupported(_) => (
            LogErrorKind::UnknownFormat,
            format!(
                "the store in {dir} was written by another version of sled, or its file conf is damaged: start the release that \
                 wrote it, or restore the newest backup"
            ),
        ),
        _ => (
            LogErrorKind::Damaged,
            format!("the store in {dir} is damaged and cannot be opened; restore the newest backup"),
        ),
    };
    LogError::caused(kind, context, error)
}

fn read_error(error: sled::Error) -> LogError {
    let (kind, what) = match &error {
        sled::Error::Io(_) => (LogErrorKind::Io, "the store could not be read: look at the disk"),
        _ => (
            LogErrorKind::Damaged,
            "the store is damaged; restore the newest backup",
        ),
    };
    LogError::caused(kind, what, error)
}

impl fmt::Debug for SledLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the database: sled prints its whole contents.
        f.debug_struct("SledLog")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::log::meta::tests::future_meta;
    use crate::log::{Frontier, Head, Heads, LeafHash};

    const A: LogId = LogId([0xaa; 16]);
    const B: LogId = LogId([0xbb; 16]);

    /// A store on disk with the records of two logs in it.
    struct Store {
        dir: TempDir,
    }

    impl Store {
        /// Log A: three blocks of two commits each, then a commit of three parts, then a small one: revisions 1 to 8.
        /// Log B: one small commit.
        fn new() -> Self {
            let store = Self {
                dir: tempfile::tempdir().unwrap(),
            };
            let log = store.open().unwrap();
            for group in 0..3 {
                append(&log, A, group * 2, vec![vec![1; 100]; 2]);
            }
            append(&log, A, 6, vec![vec![2; 10_000]]);
            append(&log, A, 7, vec![vec![3; 100]]);
            append(&log, B, 0, vec![vec![4; 100]]);
            log.check_nothing_beside_the_file().unwrap();
            store
        }

        fn dir(&self) -> PathBuf {
            self.dir.path().join("store")
        }

        fn open(&self) -> Result<SledLog, LogError> {
            SledLog::open(self.dir())
        }

        /// Changes what is stored behind the log's back, through sled itself.
        fn tamper(&self, change: impl FnOnce(&Db)) {
            let log = self.open().unwrap();
            change(&log.db);
            log.db.flush().unwrap();
        }

        fn flip(&self, key: Key, place: usize) {
            self.tamper(|db| {
                let mut block = db.get(key.encode()).unwrap().unwrap().to_vec();
                block[place] ^= 1;
                db.insert(key.encode(), block).unwrap();
            });
        }

        fn remove(&self, key: Key) {
            self.tamper(|db| assert!(db.remove(key.encode()).unwrap().is_some(), "{key:?} is not there"));
        }

        /// What a reading of log A from `from` gives: how many records, and the error that ends it.
        fn read(&self, from: u64) -> (usize, Option<LogError>) {
            let log = self.open().unwrap();
            let (found, mut errors): (Vec<_>, Vec<_>) = log.read(A, Revision(from)).partition(Result::is_ok);
            assert!(errors.len() <= 1, "{errors:?}");
            assert_eq!(
                log.read(B, Revision::ZERO).filter(Result::is_ok).count(),
                1,
                "the other log is whole"
            );
            (found.len(), errors.pop().map(Result::unwrap_err))
        }
    }

    fn append(log: &SledLog, id: LogId, expected: u64, records: Vec<Vec<u8>>) {
        let append = Append {
            log: id,
            expected: Revision(expected),
            records,
        };
        assert_eq!(log.append(&[append]).unwrap(), [AppendOutcome::Appended]);
    }

    fn key(revision: u64, part: u16) -> Key {
        Key::new(A, Revision(revision), part)
    }

    /// Expects a damage whose sentence has all of `parts`.
    fn check_damage(error: &LogError, parts: &[&str]) {
        assert_eq!(error.kind, LogErrorKind::Damaged, "{error}");
        for part in parts {
            assert!(
                error.context.contains(part),
                "{part:?} is not in {:?}",
                error.context
            );
        }
    }

    #[test]
    fn a_flipped_block_is_found_and_named_and_what_is_before_it_is_read() {
        for place in [0, 1, 8, 80] {
            let store = Store::new();
            store.flip(key(3, 0), place);
            let (found, error) = store.read(0);
            assert_eq!(found, 2, "byte {place}");
            check_damage(
                &error.unwrap(),
                &[&A.to_string(), "revision 3", "checksum", "backup"],
            );
        }
    }

    #[test]
    fn a_flipped_part_of_a_large_commit_is_found_and_named() {
        let store = Store::new();
        store.flip(key(7, 1), 2_000);
        let (found, error) = store.read(0);
        assert_eq!(found, 6);
        check_damage(&error.unwrap(), &["revision 7, part 1", "checksum"]);
    }

    #[test]
    fn a_missing_block_in_the_middle_is_a_gap_with_both_revisions() {
        let store = Store::new();
        store.remove(key(3, 0));
        let (found, error) = store.read(0);
        assert_eq!(found, 2);
        check_damage(
            &error.unwrap(),
            &[&A.to_string(), "expected revision 3, found revision 5"],
        );
        // A reading that begins inside the gap meets it too, one behind it does not.
        assert_eq!(store.read(4).0, 0);
        assert!(store.read(4).1.is_some());
        assert!(store.read(5).1.is_none());
    }

    #[test]
    fn a_missing_first_block_is_a_gap() {
        let store = Store::new();
        store.remove(key(1, 0));
        let (found, error) = store.read(0);
        assert_eq!(found, 0);
        check_damage(&error.unwrap(), &["expected revision 1, found revision 3"]);
    }

    #[test]
    fn a_missing_part_is_named_wherever_it_was() {
        for (part, sentence) in [
            (0, "part 1 of the commit follows where part 0 belongs"),
            (1, "part 2 of the commit follows where part 1 belongs"),
            (2, "expected revision 7, part 2, found revision 8"),
        ] {
            let store = Store::new();
            store.remove(key(7, part));
            let (found, error) = store.read(0);
            assert_eq!(found, 6, "part {part}");
            check_damage(&error.unwrap(), &[sentence]);
        }
    }

    #[test]
    fn half_a_commit_at_the_end_of_a_log_is_refused_at_open() {
        let store = Store::new();
        store.remove(key(8, 0));
        store.remove(key(7, 2));
        check_damage(
            &store.open().unwrap_err(),
            &["revision 7", "ends before its part 2"],
        );
    }

    #[test]
    fn a_damaged_last_block_is_refused_at_open() {
        let store = Store::new();
        store.flip(key(8, 0), 50);
        check_damage(&store.open().unwrap_err(), &["revision 8", "checksum"]);
    }

    #[test]
    fn an_overwritten_block_that_holds_more_revisions_than_it_did_is_found() {
        let store = Store::new();
        store.tamper(|db| {
            block::encode(A, Revision(1), &vec![vec![9; 100]; 3], |key, block| {
                db.insert(key, block).unwrap();
            });
        });
        let (found, error) = store.read(0);
        assert_eq!(found, 3);
        check_damage(&error.unwrap(), &["expected revision 4, found revision 3"]);
    }

    #[test]
    fn what_is_not_a_block_is_refused_at_open() {
        let store = Store::new();
        store.tamper(|db| assert!(db.insert([0x09, 1, 2], b"what is this").unwrap().is_none()));
        check_damage(&store.open().unwrap_err(), &["what is not a log"]);
    }

    #[test]
    fn a_store_in_an_unknown_format_is_refused_by_name() {
        let store = Store::new();
        store.tamper(|db| assert!(db.insert(META_KEY, future_meta(5, 4)).unwrap().is_some()));
        let error = store.open().unwrap_err();
        assert_eq!(error.kind, LogErrorKind::UnknownFormat);
        assert!(
            error
                .context
                .contains("store format 5, which needs reader version 4"),
            "{error}"
        );
    }

    #[test]
    fn a_store_without_its_format_record_is_refused() {
        let store = Store::new();
        store.tamper(|db| assert!(db.remove(META_KEY).unwrap().is_some()));
        check_damage(&store.open().unwrap_err(), &["format record"]);
    }

    #[test]
    fn a_second_opener_is_told_that_the_store_is_open_elsewhere() {
        let store = Store::new();
        let first = store.open().unwrap();
        let snapshot = store.dir().join("snap.0000000000000001.generating");
        fs::write(&snapshot, b"the first opener is writing this").unwrap();
        let error = store.open().unwrap_err();
        assert_eq!(error.kind, LogErrorKind::Locked);
        assert!(error.context.contains("stop that one first"), "{error}");
        assert!(
            snapshot.exists(),
            "a store that another one has open is not touched"
        );
        append(&first, B, 1, vec![b"still works".to_vec()]);
    }

    #[test]
    fn a_snapshot_that_a_kill_left_unfinished_does_not_stop_a_start() {
        let store = Store::new();
        let snapshot = store.dir().join("snap.00000000000F1234.generating");
        fs::write(&snapshot, b"half a snapshot").unwrap();
        assert_eq!(store.read(0).0, 8);
        assert!(!snapshot.exists());
    }

    #[test]
    fn a_file_under_blobs_is_refused_at_open() {
        let store = Store::new();
        fs::write(store.dir().join("blobs/12345"), b"not durable").unwrap();
        check_damage(&store.open().unwrap_err(), &["blobs", "1 files"]);
    }

    #[test]
    fn nothing_is_written_outside_the_file_however_large_the_records() {
        let store = Store::new();
        let log = store.open().unwrap();
        let mut head = 8;
        for round in 0..20_u8 {
            for size in [4_000, 4_089, 65_000, 1_000_000] {
                append(&log, A, head, vec![vec![round; size]]);
                head += 1;
            }
        }
        log.check_nothing_beside_the_file().unwrap();
        drop(log);
        assert_eq!(store.read(0).0, 88);
        store.open().unwrap().check_nothing_beside_the_file().unwrap();
    }

    #[test]
    fn after_a_failed_write_nothing_more_is_written() {
        let store = Store::new();
        let log = store.open().unwrap();
        log.writer.lock().unwrap().broken = true;
        let next = Append {
            log: B,
            expected: Revision(1),
            records: vec![vec![]],
        };
        let error = log.append(&[next]).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::Io);
        assert_eq!(log.heads().unwrap()[&B], Revision(1));
        assert_eq!(
            log.read(A, Revision::ZERO).count(),
            8,
            "what is durable can still be read"
        );
    }

    #[test]
    fn what_is_in_the_store_and_not_yet_durable_is_not_read() {
        let store = Store::new();
        let log = store.open().unwrap();
        // The first half of an append: the batch is in, the guard has not run.
        block::encode(B, Revision(2), &[b"not yet".to_vec()], |key, block| {
            log.db.insert(key, block).unwrap();
        });
        assert_eq!(log.read(B, Revision::ZERO).count(), 1);
        assert_eq!(log.heads().unwrap()[&B], Revision(1));
    }

    #[test]
    fn a_log_that_lost_its_tail_no_longer_contains_its_head() {
        let store = Store::new();
        let log = store.open().unwrap();
        let mut tree = Frontier::empty();
        for record in log.read(A, Revision::ZERO) {
            tree.push(LeafHash::of(&record.unwrap().bytes));
        }
        let path = store.dir.path().join("heads");
        let (mut heads, _) = Heads::open(&path).unwrap();
        heads
            .write(&[(
                A,
                Head {
                    revision: Revision(tree.size()),
                    root: tree.root(),
                },
            )])
            .unwrap();
        drop((log, heads));
        // What sled does on its own after a flipped bit in the middle of its file: everything behind it is gone.
        store.remove(key(8, 0));
        for part in 0..3 {
            store.remove(key(7, part));
        }
        let (_, promised) = Heads::open(&path).unwrap();
        let ends_at = store.open().unwrap().heads().unwrap()[&A];
        assert_eq!(ends_at, Revision(6), "the store itself notices nothing");
        assert!(promised[&A].revision > ends_at);
        check_damage(
            &promised[&A].missing_from(A, ends_at, crate::log::Source::Heads),
            &["revisions 7 to 8 are missing", &A.to_string()],
        );
    }
}
