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

use super::block::{self, Assembly, Block, Flaw, Key};
use super::data_dir::{self, Guard};
use super::meta::{META_KEY, check_meta, encode_meta};
use super::{Append, AppendOutcome, EventLog, LogError, LogErrorKind, LogId, Record, Records, check_sizes};
use crate::domain::Revision;

/// How often sled's own thread flushes and collects dead segments, in milliseconds. Without it the disk grows without
/// bound; it is not what makes a commit durable.
const FLUSH_EVERY_MS: u64 = 200;

/// What may be tuned in a [`SledLog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SledConfig {
    /// The page cache's nominal size in bytes. What it really takes can be several times as much.
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
            cache_bytes: 64 * 1024 * 1024,
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
        Box::new(Reader::new(&self.db, log, from, self.visible_head(log)))
    }

    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError> {
        Ok(self.heads.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Reads one log block by block, up to the head that was durable when the reading began.
struct Reader {
    blocks: sled::Iter,
    log: LogId,
    /// The first record wanted.
    from: Revision,
    /// The revision that the next record found must have.
    next: Revision,
    /// The last record to give.
    head: Revision,
    /// The block being read, and where in it the next record begins.
    block: IVec,
    place: usize,
    /// An error was given: nothing more comes.
    failed: bool,
}

impl Reader {
    fn new(db: &Db, log: LogId, from: Revision, head: Revision) -> Self {
        let from = from.max(Revision::ZERO.next());
        let first = Revision::ZERO.next();
        let mut reader = Self {
            blocks: db.range(Key::lowest(log).encode()..=Key::highest(log, head).encode()),
            log,
            from,
            next: first,
            head,
            block: IVec::default(),
            place: 0,
            failed: false,
        };
        // Begin at the block that holds `from`: the last one that does not begin behind it. When it cannot be found,
        // reading from the first block on meets what is wrong and names it.
        if from > first && from <= head {
            let upto = Key::lowest(log).encode()..=Key::highest(log, from).encode();
            let found = db.range(upto).next_back().and_then(Result::ok);
            if let Some(Ok(key)) = found.map(|(key, _)| Key::decode(&key)) {
                reader.next = key.first;
                reader.blocks =
                    db.range(Key::new(log, key.first, 0).encode()..=Key::highest(log, head).encode());
            }
        }
        reader
    }

    /// The next block, which must begin with the revision that comes next. `part` is what a person reads about when
    /// it does not.
    fn next_block(&mut self, part: u16) -> Result<(Key, IVec), LogError> {
        let Some(found) = self.blocks.next() else {
            return Err(self.gap(
                part,
                &format!("the log ends before it, and its head is revision {}", self.head),
            ));
        };
        let (key, block) = found.map_err(|error| read_error(self.log, self.next, error))?;
        let key = Key::decode(&key).map_err(|flaw| Key::new(self.log, self.next, part).damage(&flaw))?;
        if key.first != self.next {
            return Err(self.gap(part, &format!("found revision {}", key.first)));
        }
        Ok((key, block))
    }

    fn gap(&self, part: u16, found: &str) -> LogError {
        let part = if part == 0 {
            String::new()
        } else {
            format!(", part {part}")
        };
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "log {}: expected revision {}{part}, {found}; restore the newest backup",
                self.log, self.next
            ),
        )
    }

    /// Reads the next block: a large commit comes back whole, small ones are left in `self.block`.
    fn advance(&mut self) -> Result<Option<Vec<u8>>, LogError> {
        let (key, block) = self.next_block(0)?;
        match block::decode(key, &block).map_err(|flaw| key.damage(&flaw))? {
            Block::Commits { .. } => {
                self.block = block;
                self.place = block::BODY_AT;
                Ok(None)
            }
            Block::Part(part) => {
                let begun = Assembly::begin(key.part, part).map_err(|flaw| key.damage(&flaw))?;
                self.assemble(begun).map(Some)
            }
        }
    }

    fn assemble(&mut self, mut commit: Assembly) -> Result<Vec<u8>, LogError> {
        while let Some(missing) = commit.missing() {
            let (key, block) = self.next_block(missing)?;
            match block::decode(key, &block) {
                Ok(Block::Part(part)) => commit.add(key.part, part),
                Ok(Block::Commits { .. }) => Err(Flaw::PartMissing(missing)),
                Err(flaw) => Err(flaw),
            }
            .map_err(|flaw| key.damage(&flaw))?;
        }
        let last = Key::new(self.log, self.next, 0);
        commit.finish().map_err(|flaw| last.damage(&flaw))
    }

    fn step(&mut self) -> Result<Option<Record>, LogError> {
        while self.next <= self.head {
            let revision = self.next;
            if let Some((record, rest)) = self.block.get(self.place..).and_then(block::split_record) {
                let bytes = (revision >= self.from).then(|| record.to_vec());
                self.place = self.block.len() - rest.len();
                self.next = revision.next();
                if let Some(bytes) = bytes {
                    return Ok(Some(Record { revision, bytes }));
                }
            } else if let Some(bytes) = self.advance()? {
                self.next = revision.next();
                if revision >= self.from {
                    return Ok(Some(Record { revision, bytes }));
                }
            }
        }
        Ok(None)
    }
}

impl Iterator for Reader {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let found = self.step();
        self.failed = found.is_err();
        found.transpose()
    }
}

/// Refuses a store in a format this release does not read; begins an empty one.
fn check_or_begin(db: &Db, dir: &Path, guard: &Guard) -> Result<(), LogError> {
    let context = || format!("the store in {} could not be read", dir.display());
    let io = |error| LogError::caused(LogErrorKind::Io, context(), error);
    if let Some(meta) = db.get(META_KEY).map_err(io)? {
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
    let (key, block) = found.map_err(|error| {
        LogError::caused(
            LogErrorKind::Io,
            "the store could not be read while looking for its logs",
            error,
        )
    })?;
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
            format!("the store in {dir} was written by another version of sled"),
        ),
        _ => (
            LogErrorKind::Damaged,
            format!("the store in {dir} is damaged and cannot be opened; restore the newest backup"),
        ),
    };
    LogError::caused(kind, context, error)
}

fn read_error(log: LogId, revision: Revision, error: sled::Error) -> LogError {
    let (kind, what) = match &error {
        sled::Error::Io(_) => (LogErrorKind::Io, "could not be read: look at the disk"),
        _ => (LogErrorKind::Damaged, "is damaged; restore the newest backup"),
    };
    LogError::caused(
        kind,
        format!("log {log}: the block at revision {revision} {what}"),
        error,
    )
}

impl fmt::Debug for SledLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the database: sled prints its whole contents.
        f.debug_struct("SledLog")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
