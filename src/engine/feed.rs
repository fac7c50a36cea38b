//! What live subscribers of one workspace share: a ring of its newest updates, and the head to wait for. The writer never waits
//! for a reader; a reader that is too slow finds its place gone and reads the log.
//!
//! Invariant: the ring holds no more than `bytes_max`, but for what was published last: that is there whole, however large, or
//! nobody could be quick enough for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::{Commit, Revision};
use crate::log::{LeafHash, Root};
use crate::projection::{Effect, State};

/// One commit and all that followed from it.
#[derive(Debug)]
pub struct Update {
    /// The commit.
    pub commit: Arc<Commit>,
    /// Its leaf in the tree.
    pub leaf: LeafHash,
    /// The tree's root with it.
    pub root: Root,
    /// What it came to.
    pub effect: Effect,
    /// The state behind it, where a resource moved: who gets to see it is shown it whole. None: nothing moved.
    pub state: Option<Arc<State>>,
    /// About how many bytes it takes in memory.
    pub size_bytes: usize,
}

/// The newest updates of one workspace.
#[derive(Debug)]
pub struct Feed {
    bytes_max: usize,
    ring: Mutex<Ring>,
    /// How far the readers were told that it has come.
    told: watch::Sender<Revision>,
    wave: Mutex<Wave>,
}

/// When readers are told.
#[derive(Debug)]
struct Wave {
    newest: Revision,
    last: Option<Instant>,
    is_coming: bool,
}

#[derive(Debug, Default)]
struct Ring {
    updates: VecDeque<Arc<Update>>,
    bytes: usize,
}

/// What the ring has behind a revision.
#[derive(Debug)]
pub enum Tail {
    /// These, in order and without a gap; empty: nothing new.
    Updates(Vec<Arc<Update>>),
    /// The next update is not in the ring any more.
    Gone,
}

/// Waking a reader and handing it what is new takes the tenth of it or so.
const PAUSE_A_READER: Duration = Duration::from_micros(100);
/// The longest that readers are left alone although there is news.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// How many updates a reader is handed at once.
const BATCH_MAX: usize = 256;

impl Feed {
    pub(super) fn new(head: Revision, bytes_max: usize) -> Self {
        Self {
            bytes_max,
            ring: Mutex::default(),
            told: watch::Sender::new(head),
            wave: Mutex::new(Wave {
                newest: head,
                last: None,
                is_coming: false,
            }),
        }
    }

    /// Appends updates. Nobody is woken: that costs more the more wait, and the writer waits for nobody.
    pub(super) fn publish(&self, updates: impl IntoIterator<Item = Arc<Update>>) {
        let mut ring = self.lock();
        let mut older = ring.updates.len();
        for update in updates {
            ring.bytes += update.size_bytes;
            ring.updates.push_back(update);
        }
        while ring.bytes > self.bytes_max && older > 0 {
            let oldest = ring.updates.pop_front();
            ring.bytes -= oldest.map_or(0, |oldest| oldest.size_bytes);
            older -= 1;
        }
    }

    /// Tells everybody who waits how far it has come, at once.
    pub(super) fn tell(&self, head: Revision) {
        self.told.send_if_modified(|told| {
            let news = *told < head;
            *told = (*told).max(head);
            news
        });
    }

    /// Tells everybody how far it has come, when it is time: the more there are, the longer they are left alone, so that many
    /// are woken for many updates and not for one. All of them hear of the same, so that what is made for one serves all.
    pub(super) async fn tell_in_time(&self, head: Revision) {
        let pause = self.pause();
        let due = {
            let mut wave = self.wave.lock().unwrap_or_else(PoisonError::into_inner);
            wave.newest = wave.newest.max(head);
            if wave.is_coming {
                return;
            }
            wave.is_coming = true;
            wave.last.map(|last| last + pause)
        };
        if let Some(due) = due.filter(|due| *due > Instant::now()) {
            tokio::time::sleep_until(due).await;
        }
        let newest = {
            let mut wave = self.wave.lock().unwrap_or_else(PoisonError::into_inner);
            wave.is_coming = false;
            wave.last = Some(Instant::now());
            wave.newest
        };
        self.tell(newest);
    }

    fn pause(&self) -> Duration {
        let readers = u32::try_from(self.subscribers()).unwrap_or(u32::MAX);
        let pause = PAUSE_A_READER.saturating_mul(readers).min(PAUSE_MAX);
        // The clock of the runtime has milliseconds.
        if pause < Duration::from_millis(1) {
            Duration::ZERO
        } else {
            pause
        }
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.told.receiver_count()
    }

    /// What came after a revision.
    #[must_use]
    pub fn after(&self, revision: Revision) -> Tail {
        let ring = self.lock();
        match ring.skip(revision, *self.told.borrow()) {
            Some(skip) => Tail::Updates(ring.updates.iter().skip(skip).take(BATCH_MAX).cloned().collect()),
            None => Tail::Gone,
        }
    }

    /// Whether the ring has everything that came after a revision.
    #[must_use]
    pub fn reaches(&self, revision: Revision) -> bool {
        self.lock().skip(revision, *self.told.borrow()).is_some()
    }

    /// The update of a revision, if the ring has it.
    #[must_use]
    pub fn update(&self, revision: Revision) -> Option<Arc<Update>> {
        let ring = self.lock();
        let oldest = ring.updates.front()?.commit.revision;
        let at = revision.0.checked_sub(oldest.0)?;
        ring.updates.get(usize::try_from(at).ok()?).cloned()
    }

    /// The same, as far as readers were told.
    #[must_use]
    pub fn told_after(&self, revision: Revision) -> Tail {
        let told = *self.told.borrow();
        match self.after(revision) {
            Tail::Updates(mut updates) => {
                updates.truncate(updates.partition_point(|update| update.commit.revision <= told));
                Tail::Updates(updates)
            }
            Tail::Gone => Tail::Gone,
        }
    }

    /// The newest revision that readers were told of, and a way to wait for the next.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Revision> {
        self.told.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // No code panics while it holds the lock, and each change is whole.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// How many updates lie before what came after a revision; none: some of that is not here any more. `told`: a revision
    /// that was published.
    fn skip(&self, revision: Revision, told: Revision) -> Option<usize> {
        match self.updates.front().map(|update| update.commit.revision) {
            None => (told <= revision).then_some(0),
            Some(oldest) => {
                let skip = revision.next().0.checked_sub(oldest.0)?;
                Some(usize::try_from(skip).unwrap_or(usize::MAX))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::given::given;

    /// Updates of some revisions, of 100 bytes each.
    pub(in crate::engine) fn updates(revisions: std::ops::Range<u64>) -> Vec<Arc<Update>> {
        let commit = given([]).commits.remove(0);
        let update = |revision| Update {
            commit: Arc::new(Commit {
                revision: Revision(revision),
                ..commit.clone()
            }),
            leaf: LeafHash([0; 32]),
            root: Root([0; 32]),
            effect: Effect::default(),
            state: None,
            size_bytes: 100,
        };
        revisions.map(|revision| Arc::new(update(revision))).collect()
    }

    /// What the ring has behind a revision: the first and how many; none: it is gone.
    fn behind(feed: &Feed, revision: u64) -> Option<(u64, usize)> {
        match feed.after(Revision(revision)) {
            Tail::Updates(updates) => Some((
                updates.first().map_or(0, |update| update.commit.revision.0),
                updates.len(),
            )),
            Tail::Gone => None,
        }
    }

    #[test]
    fn the_ring_is_bounded_in_bytes_but_for_what_was_published_last() {
        let feed = Feed::new(Revision(4), 1_000);
        assert_eq!((behind(&feed, 3), behind(&feed, 4)), (None, Some((0, 0))));
        feed.publish(updates(5..11));
        feed.publish(updates(11..17));
        assert_eq!((behind(&feed, 5), behind(&feed, 6)), (None, Some((7, 10))));
        feed.publish(updates(17..60));
        assert_eq!(
            (behind(&feed, 15), behind(&feed, 16), behind(&feed, 59)),
            (None, Some((17, 43)), Some((0, 0))),
            "whoever was live is still"
        );
        feed.publish(updates(60..61));
        assert_eq!(behind(&feed, 50), Some((51, 10)));
        assert_eq!(behind(&feed, 49), None);
    }

    #[test]
    fn one_update_is_found_by_its_revision() {
        let feed = Feed::new(Revision(4), 1_000);
        assert!(
            feed.update(Revision(4)).is_none() && feed.reaches(Revision(4)) && !feed.reaches(Revision(3))
        );
        feed.publish(updates(5..8));
        let found = |revision| {
            feed.update(Revision(revision))
                .map(|update| update.commit.revision.0)
        };
        assert_eq!([4, 5, 7, 8].map(found), [None, Some(5), Some(7), None]);
        assert_eq!(
            [3, 4, 7].map(|revision| feed.reaches(Revision(revision))),
            [false, true, true]
        );
    }
}
