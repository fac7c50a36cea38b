//! Updates of the past, for whoever is behind the ring of a feed: the log is folded once, a stretch at a time, and what came
//! of it is shared by all who are at that place.
//!
//! Invariant: it holds no more than `bytes_max` of updates, or one stretch that is larger, and `CURSORS_MAX` folds, over all
//! workspaces, however many readers are behind; and it forgets both when nobody has asked for a while. What a reader gets is
//! what a live reader got. Bytes are as updates count them: a state of a far past that is held for a resource that moved
//! pins, beside its own paths, what the newest does not share with it any more.

use std::collections::BTreeMap;
use std::ops::Deref;
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
    updates: Arc<[Arc<Update>]>,
    bytes: usize,
    used: Instant,
}

/// Some consecutive updates, shared with all who read them.
#[derive(Clone, Debug)]
pub struct Updates {
    all: Arc<[Arc<Update>]>,
    /// Those that are meant.
    from: usize,
    to: usize,
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
const STRETCHES_MIN: usize = 8;

impl Deref for Updates {
    type Target = [Arc<Update>];

    fn deref(&self) -> &Self::Target {
        self.all.get(self.from..self.to).unwrap_or_default()
    }
}

impl From<Vec<Arc<Update>>> for Updates {
    fn from(updates: Vec<Arc<Update>>) -> Self {
        Self {
            from: 0,
            to: updates.len(),
            all: updates.into(),
        }
    }
}

impl Updates {
    /// Without those behind a revision.
    #[must_use]
    pub fn up_to(self, last: Revision) -> Self {
        let count = self.partition_point(|update| update.commit.revision <= last);
        Self {
            to: self.from + count,
            ..self
        }
    }
}

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
    pub(super) fn after(&self, log: LogId, revision: Revision) -> Option<Updates> {
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
        Some(Updates {
            from: skip,
            to: stretch.updates.len(),
            all: Arc::clone(&stretch.updates),
        })
    }

    /// The last revision of the stretch that has what comes behind a revision. It does not count as used.
    pub(super) fn end_after(&self, log: LogId, revision: Revision) -> Option<Revision> {
        let first = revision.next();
        let held = self.lock();
        let ((of, begins), stretch) = held.stretches.range(..=(log, first)).next_back()?;
        let last = Revision(begins.0 + stretch.updates.len().checked_sub(1)? as u64);
        (*of == log && first <= last).then_some(last)
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
    pub(super) fn keep(&self, log: LogId, past: Past, updates: &Updates) {
        let used = Instant::now();
        let mut held = self.lock();
        held.cursors.push(Cursor { log, past, used });
        if held.cursors.len() > CURSORS_MAX {
            held.cursors.remove(0);
        }
        let Some(first) = updates.first() else { return };
        let bytes = updates.iter().map(|update| update.size_bytes).sum();
        let stretch = Stretch {
            updates: Arc::clone(&updates.all),
            bytes,
            used,
        };
        held.bytes += bytes;
        if let Some(same) = held.stretches.insert((log, first.commit.revision), stretch) {
            held.bytes -= same.bytes;
        }
        // The newest stays also when it alone is too large: all who wait for it would fold it anew, each for itself.
        while held.bytes > self.bytes_max && held.stretches.len() > 1 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::given::*;
    use crate::log::{MemoryLog, Tree};
    use crate::projection::State;

    use super::super::feed::FeedLimits;
    use super::super::hosted::Hosted;
    use super::super::versions::Versions;

    const HERE: LogId = LogId([2; 16]);

    fn updates(revisions: std::ops::Range<u64>) -> Updates {
        super::super::feed::tests::updates(revisions).into()
    }

    const FEED: FeedLimits = FeedLimits {
        bytes_max: 1,
        deliveries_per_s: 1,
    };

    /// A fold that stands at the beginning.
    fn past() -> Past {
        let hosted = Hosted::new(
            id("acme"),
            HERE,
            State::empty(),
            &Tree::empty(),
            1,
            FEED,
            Versions::default(),
        );
        Past::at(Arc::new(MemoryLog::new()), &hosted, Revision::ZERO).unwrap()
    }

    fn first_after(backlog: &Backlog, log: LogId, revision: u64) -> Option<(u64, usize)> {
        let found = backlog.after(log, Revision(revision))?;
        Some((found[0].commit.revision.0, found.len()))
    }

    #[test]
    fn a_stretch_is_shared_from_every_place_inside_of_it() {
        let backlog = Backlog::new(10_000);
        let kept = updates(5..15);
        backlog.keep(HERE, past(), &kept);
        for (revision, expected) in [
            (3, None),
            (4, Some((5, 10))),
            (10, Some((11, 4))),
            (13, Some((14, 1))),
            (14, None),
            (u64::MAX / 2, None),
        ] {
            assert_eq!(
                first_after(&backlog, HERE, revision),
                expected,
                "behind {revision}"
            );
            assert_eq!(
                backlog.end_after(HERE, Revision(revision)),
                expected.map(|_| Revision(14)),
                "behind {revision}"
            );
        }
        assert!(
            Arc::ptr_eq(&backlog.after(HERE, Revision(4)).unwrap()[0], &kept[0]),
            "no copy"
        );
        let up_to = |last| {
            backlog
                .after(HERE, Revision(7))
                .unwrap()
                .up_to(Revision(last))
                .len()
        };
        assert_eq!([0, 7, 8, 10, 14, 99].map(up_to), [0, 0, 1, 3, 7, 7]);
    }

    #[test]
    fn logs_are_told_apart() {
        let backlog = Backlog::new(10_000);
        let (before, after) = (LogId([1; 16]), LogId([3; 16]));
        backlog.keep(before, past(), &updates(9..12));
        backlog.keep(after, past(), &updates(1..4));
        // The nearest stretch below is another log's, which begins at a later revision.
        assert_eq!(first_after(&backlog, HERE, 0), None);
        assert_eq!(first_after(&backlog, HERE, 9), None);
        backlog.keep(HERE, past(), &updates(1..3));
        assert_eq!(first_after(&backlog, HERE, 0), Some((1, 2)));
        assert_eq!(first_after(&backlog, before, 9), Some((10, 2)));
        assert_eq!(first_after(&backlog, after, 0), Some((1, 3)));
        assert!(backlog.take_cursor(HERE, Revision(1)).is_none());
        assert!(backlog.take_cursor(HERE, Revision::ZERO).is_some());
        assert!(
            backlog.take_cursor(HERE, Revision::ZERO).is_none(),
            "a fold goes on once"
        );
    }

    #[test]
    fn it_is_bounded_in_bytes_and_what_was_used_last_stays() {
        let backlog = Backlog::new(1_000);
        for begins in [1, 5, 9] {
            backlog.keep(HERE, past(), &updates(begins..begins + 3));
        }
        assert!(
            first_after(&backlog, HERE, 0).is_some(),
            "and it is the newest in use"
        );
        backlog.keep(HERE, past(), &updates(20..22));
        assert_eq!(first_after(&backlog, HERE, 4), None);
        for stays in [0, 8, 19] {
            assert!(first_after(&backlog, HERE, stays).is_some(), "{stays}");
        }
        backlog.keep(HERE, past(), &updates(20..22));
        assert_eq!(backlog.lock().bytes, 800, "the same stretch counts once");
        backlog.keep(HERE, past(), &updates(30..60));
        let held = backlog.lock();
        assert_eq!(
            (held.bytes, held.stretches.len()),
            (3000, 1),
            "one that is larger than all stays for those who wait for it"
        );
        assert_eq!(held.cursors.len(), CURSORS_MAX);
        drop(held);
        backlog.keep(HERE, past(), &updates(60..62));
        assert_eq!(backlog.lock().bytes, 200, "until there is another");
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let backlog = Backlog::new(10_000);
        backlog.keep(HERE, past(), &updates(1..4));
        backlog.keep(HERE, past(), &updates(5..8));
        backlog.forget_idle();
        assert_eq!(backlog.lock().stretches.len(), 2);
        let long_ago = Instant::now()
            .checked_sub(IDLE_MAX)
            .expect("the machine runs for a while");
        for stretch in backlog.lock().stretches.values_mut() {
            stretch.used = long_ago;
        }
        for cursor in &mut backlog.lock().cursors {
            cursor.used = long_ago;
        }
        assert!(first_after(&backlog, HERE, 5).is_some(), "somebody asks");
        backlog.forget_idle();
        let held = backlog.lock();
        assert_eq!(
            (held.stretches.len(), held.bytes, held.cursors.len()),
            (1, 300, 0)
        );
    }
}
