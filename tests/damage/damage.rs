//! What can happen to a data directory, as values, and doing it.

use std::fs;
use std::path::Path;

use binnacle::log::LogId;
use binnacle::proto::stored;
use prost::Message;

use crate::directory::{Place, acme, blocks, change, first_revision, replace, tamper};
use crate::prepared::{copy, prepared};

/// Something that happens to a stopped data directory.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    /// The bits of a byte of a file change.
    Flip(Place, At, u8),
    /// A file ends there.
    Cut(Place, At),
    /// A file, or a directory, is gone.
    Gone(&'static str),
    /// A byte of a block changes, of the block that holds this revision of "acme".
    FlipBlock(u64, usize),
    /// Two blocks have each other's keys.
    SwapBlocks(u64, u64),
    /// A block is gone.
    BlockGone(u64),
    /// Everything from this revision of "acme" on is gone.
    NewestGone(u64),
    /// All of "beta" is gone from the store.
    LogGone,
    /// This part of the directory is an older one.
    Older(&'static str),
    /// "acme" holds another history: somebody gives another reason for this revision.
    Rewritten(u64),
    /// "beta" is there again under another log.
    Twice,
    /// Several things.
    All(Vec<Damage>),
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Byte(usize),
    /// So many bytes before the end.
    End(usize),
    /// So many thousandths of the file.
    Share(usize),
    /// The middle of a line, from 0 up.
    Line(usize),
    /// The end of a line.
    LineEnd(usize),
}

impl At {
    fn of(self, bytes: &[u8]) -> usize {
        let line = |number: usize| {
            let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let from = number
                .checked_sub(1)
                .map_or(0, |before| ends.nth(before).expect("a line").0 + 1);
            (from, ends.next().expect("the end of a line").0)
        };
        match self {
            Self::Byte(place) => place,
            Self::End(back) => bytes.len() - back,
            Self::Share(thousandths) => (bytes.len() - 1) * thousandths / 1000,
            Self::Line(number) => {
                let (from, to) = line(number);
                usize::midpoint(from, to)
            }
            Self::LineEnd(number) => line(number).1,
        }
    }
}

impl Damage {
    pub(crate) fn happen(&self, dir: &Path) {
        match self {
            Self::Flip(place, at, mask) => change(&place.path(dir), |bytes| {
                let at = at.of(bytes);
                bytes[at] ^= mask;
            }),
            Self::Cut(place, at) => change(&place.path(dir), |bytes| bytes.truncate(at.of(bytes))),
            Self::Gone(path) => gone(&dir.join(path)),
            Self::FlipBlock(revision, at) => on_block(dir, *revision, |db, key| {
                let mut block = db.get(&key).expect("a block").expect("a block").to_vec();
                let at = at % block.len();
                block[at] ^= 0x10;
                db.insert(key, block).expect("a block");
            }),
            Self::SwapBlocks(one, other) => {
                let log = acme(dir);
                tamper(dir, |db| {
                    let (one, other) = (key_of(db, log, *one), key_of(db, log, *other));
                    let content = |key| db.get(key).expect("a block").expect("a block");
                    let (first, second) = (content(&one), content(&other));
                    db.insert(one, second).expect("a block");
                    db.insert(other, first).expect("a block");
                });
            }
            Self::BlockGone(revision) => on_block(dir, *revision, |db, key| {
                db.remove(key).expect("a block").expect("it was there");
            }),
            Self::NewestGone(from) => {
                let log = acme(dir);
                tamper(dir, |db| {
                    for key in blocks(db, log) {
                        if first_revision(&key) >= *from {
                            db.remove(key).expect("a block");
                        }
                    }
                });
            }
            Self::LogGone => {
                let kept = acme(dir);
                tamper(dir, |db| {
                    let keys = db.iter().keys().map(|key| key.expect("a key"));
                    for key in keys.filter(|key| key.len() > 17 && key[1..17] != kept.0) {
                        db.remove(key).expect("a block");
                    }
                });
            }
            Self::Older(path) => {
                let (older, path) = (prepared().older().join(path), dir.join(path));
                gone(&path);
                match older.is_dir() {
                    true => copy(&older, &path),
                    false => drop(fs::copy(older, path).expect("an older file")),
                }
            }
            Self::Rewritten(revision) => replace(dir, &rewritten(*revision)),
            Self::Twice => {
                let mut logs = everything();
                let (_, records) = logs
                    .iter()
                    .min_by_key(|(_, records)| records.len())
                    .expect("a log");
                let again = LogId([0x42; 16]);
                let records = records.iter().map(|record| {
                    let mut commit = stored::Commit::decode(record.as_slice()).expect("a commit");
                    commit.log_id = again.0.to_vec();
                    commit.encode_to_vec()
                });
                let records = records.collect();
                logs.push((again, records));
                replace(dir, &logs);
            }
            Self::All(damages) => damages.iter().for_each(|damage| damage.happen(dir)),
        }
    }
}

fn gone(path: &Path) {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    removed.expect("it was there");
}

fn on_block(dir: &Path, revision: u64, change: impl FnOnce(&sled::Db, sled::IVec)) {
    let log = acme(dir);
    tamper(dir, |db| {
        let key = key_of(db, log, revision);
        change(db, key);
    });
}

/// The last block that begins with a revision or before it.
fn key_of(db: &sled::Db, log: LogId, revision: u64) -> sled::IVec {
    let keys = blocks(db, log);
    let upto = keys.into_iter().filter(|key| first_revision(key) <= revision);
    upto.last().expect("a block")
}

/// Every log as it was exported.
fn everything() -> Vec<(LogId, Vec<Vec<u8>>)> {
    let logs = prepared().before.values().map(|records| {
        let first = stored::Commit::decode(records[0].as_slice()).expect("a commit");
        (LogId(first.log_id.try_into().expect("an id")), records.clone())
    });
    logs.collect()
}

/// The same logs, but for what the longer one says at a revision.
fn rewritten(revision: u64) -> Vec<(LogId, Vec<Vec<u8>>)> {
    let mut logs = everything();
    let (_, records) = logs
        .iter_mut()
        .max_by_key(|(_, records)| records.len())
        .expect("a log");
    let record = &mut records[usize::try_from(revision - 1).expect("a place")];
    let mut commit = stored::Commit::decode(record.as_slice()).expect("a commit");
    commit.reason = "nobody will see this".to_owned();
    *record = commit.encode_to_vec();
    logs
}
