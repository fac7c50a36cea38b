//! Updates of the past, for whoever is behind the ring of a feed: the log is folded once, a stretch at a time, and what came
//! of it is shared by all who are at that place.
//!
//! Invariant: it holds no more than `bytes_max` of updates and `CURSORS_MAX` folds, over all workspaces, however many readers
//! are behind; and it forgets both when nobody has asked for a while. What a reader gets is what a live reader got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::feed::Update;
use super::replay::Past;
use crate::domain::Revision;
use crate::log::LogId;

/// Stretches of updates, and where folding goes on from.
#[derive(Default)]
pub(super) struct Backlog {
    bytes_max: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By log and first revision.
    stretches: BTreeMap<(LogId, Revision), Stretch>,
    bytes: usize,
    /// The one that was used last is the last.
    cursors: Vec<Cursor>,
}

/// Consecutive updates of one log.
struct Stretch {
    updates: Vec<Arc<Update>>,
    bytes: usize,
    used: Instant,
}

/// A fold that stands where a stretch ended.
struct Cursor {
    log: LogId,
    past: Past,
    used: Instant,
}

/// How many folds wait to go on: each is a state of the past, which shares less with the newest the older it gets.
const CURSORS_MAX: usize = 4;
/// What nobody has asked for in so long is let go.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// Behind so many bytes a stretch ends.
const STRETCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// So many stretches can be held at least: one that is not held is folded anew for every batch that is read of it.
const STRETCHES_MIN: usize = 4;

impl Backlog {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            held: Mutex::default(),
        }
    }

    /// How many bytes of updates a stretch has.
    pub(super) fn stretch_bytes_max(&self) -> usize {
        STRETCH_BYTES_MAX.min(self.bytes_max / STRETCHES_MIN)
    }

    /// The updates behind a revision, as far as one stretch goes; none: they are not held.
    pub(super) fn after(&self, log: LogId, revision: Revision) -> Option<Vec<Arc<Update>>> {
        let first = revision.next();
        let mut held = self.lock();
        let ((of, begins), stretch) = held.stretches.range_mut(..=(log, first)).next_back()?;
        // The nearest may be another log's, which begins anywhere.
        if *of != log {
            return None;
        }
        let skip = usize::try_from(first.0 - begins.0).ok()?;
        if skip >= stretch.updates.len() {
            return None;
        }
        stretch.used = Instant::now();
        Some(stretch.updates[skip..].to_vec())
    }

    /// A fold that stands at a revision, if one waits there.
    pub(super) fn take_cursor(&self, log: LogId, revision: Revision) -> Option<Past> {
        let mut held = self.lock();
        let at = held
            .cursors
            .iter()
            .position(|cursor| cursor.log == log && cursor.past.revision() == revision)?;
        Some(held.cursors.remove(at).past)
    }

    /// Keeps what a fold has come to, and the fold.
    pub(super) fn keep(&self, log: LogId, past: Past, updates: &[Arc<Update>]) {
        let used = Instant::now();
        let mut held = self.lock();
        held.cursors.push(Cursor { log, past, used });
        if held.cursors.len() > CURSORS_MAX {
            held.cursors.remove(0);
        }
        let Some(first) = updates.first() else { return };
        let bytes = updates.iter().map(|update| update.size_bytes).sum();
        let stretch = Stretch {
            updates: updates.to_vec(),
            bytes,
            used,
        };
        held.bytes += bytes;
        if let Some(same) = held.stretches.insert((log, first.commit.revision), stretch) {
            held.bytes -= same.bytes;
        }
        // Also the newest goes when it alone is too large: whoever asked for it has it.
        while held.bytes > self.bytes_max {
            let oldest = held.stretches.iter().min_by_key(|(_, stretch)| stretch.used);
            let Some(key) = oldest.map(|(key, _)| *key) else {
                break;
            };
            held.remove(key);
        }
    }

    /// Lets go what nobody has asked for in a while.
    pub(super) fn forget_idle(&self) {
        let mut held = self.lock();
        held.cursors.retain(|cursor| cursor.used.elapsed() < IDLE_MAX);
        let idle: Vec<_> = held
            .stretches
            .iter()
            .filter(|(_, stretch)| stretch.used.elapsed() >= IDLE_MAX)
            .map(|(key, _)| *key)
            .collect();
        for key in idle {
            held.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // No code panics while it holds the lock, and each change is whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn remove(&mut self, key: (LogId, Revision)) {
        if let Some(stretch) = self.stretches.remove(&key) {
            self.bytes -= stretch.bytes;
        }
    }
}
