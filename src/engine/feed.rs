//! What live subscribers of one workspace share: a ring of its newest updates, and the head to wait for. The writer never waits
//! for a reader; a reader that is too slow finds its place gone and reads the log.
//!
//! Invariant: the ring holds no more than `bytes_max`, but for what was published last: that is there whole, however large, or
//! nobody could be quick enough for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::waves::Waves;
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
    waves: Mutex<Waves>,
}

/// Bounds of a workspace's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedLimits {
    /// What the ring holds, in bytes.
    pub bytes_max: usize,
    /// While many writers wait for the log: how many updates a second are handed out, over all readers.
    pub deliveries_per_s: u32,
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

/// How many updates a reader is handed at once.
const BATCH_MAX: usize = 256;

impl Feed {
    pub(super) fn new(head: Revision, limits: FeedLimits) -> Self {
        Self {
            bytes_max: limits.bytes_max,
            ring: Mutex::default(),
            told: watch::Sender::new(head),
            waves: Mutex::new(Waves::new(head, limits.deliveries_per_s)),
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
        let commits = ring.updates.len() - older;
        self.waves()
            .written(u32::try_from(commits).unwrap_or(u32::MAX), Instant::now());
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

    /// Tells everybody how far it has come, when it is time.
    pub(super) async fn tell_in_time(&self, head: Revision) {
        if !self.waves().begin(head) {
            return;
        }
        loop {
            let due = self.waves().due(self.readers());
            if let Some(due) = due.filter(|due| *due > Instant::now()) {
                tokio::time::sleep_until(due).await;
            }
            let told = self.told();
            let (reach, is_over) = {
                let mut waves = self.waves();
                let reach = waves.reach(told, self.readers(), Instant::now());
                (reach, !waves.is_coming())
            };
            self.tell(reach);
            if is_over {
                return;
            }
        }
    }

    fn readers(&self) -> u32 {
        u32::try_from(self.subscribers()).unwrap_or(u32::MAX)
    }

    fn waves(&self) -> MutexGuard<'_, Waves> {
        // No code panics while it holds the lock, and each change is whole.
        self.waves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.told.receiver_count()
    }

    /// What came after a revision.
    #[must_use]
    pub fn after(&self, revision: Revision) -> Tail {
        self.tail(revision, Revision(u64::MAX))
    }

    /// The same, as far as readers were told.
    #[must_use]
    pub fn told_after(&self, revision: Revision) -> Tail {
        self.tail(revision, self.told())
    }

    fn tail(&self, revision: Revision, last: Revision) -> Tail {
        let ring = self.lock();
        match ring.skip(revision, self.told()) {
            None => Tail::Gone,
            Some(skip) => {
                let updates = ring.updates.iter().skip(skip).take(BATCH_MAX);
                Tail::Updates(
                    updates
                        .take_while(|update| update.commit.revision <= last)
                        .cloned()
                        .collect(),
                )
            }
        }
    }

    /// Whether the ring has everything that came after a revision.
    #[must_use]
    pub fn reaches(&self, revision: Revision) -> bool {
        self.lock().skip(revision, self.told()).is_some()
    }

    /// The update of a revision, if the ring has it.
    #[must_use]
    pub fn update(&self, revision: Revision) -> Option<Arc<Update>> {
        let ring = self.lock();
        let oldest = ring.updates.front()?.commit.revision;
        let at = revision.0.checked_sub(oldest.0)?;
        ring.updates.get(usize::try_from(at).ok()?).cloned()
    }

    /// The newest revision that readers were told of.
    #[must_use]
    pub fn told(&self) -> Revision {
        *self.told.borrow()
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

    const LIMITS: FeedLimits = FeedLimits {
        bytes_max: 1_000,
        deliveries_per_s: 10_000,
    };

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
        let feed = Feed::new(Revision(4), LIMITS);
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

    #[tokio::test(start_paused = true)]
    async fn while_many_writers_wait_readers_hear_of_a_part_and_of_all_of_it_when_they_do_not() {
        let feed = Arc::new(Feed::new(Revision(0), LIMITS));
        let readers: Vec<_> = (0..10).map(|_| feed.head()).collect();
        let mut written = 0;
        let mut told = Vec::new();
        for _ in 0..200 {
            feed.publish(updates(written + 1..written + 21));
            written += 20;
            let (feed, head) = (Arc::clone(&feed), Revision(written));
            tokio::spawn(async move { feed.tell_in_time(head).await });
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            told.push(readers[0].borrow().0);
        }
        // 1,000 a second each, after a beginning in which nobody knew of the pressure.
        let in_half_a_second = told[199] - told[99];
        assert!((450..=550).contains(&in_half_a_second), "{in_half_a_second}");
        assert!(told.is_sorted() && told[199] < written / 2, "{}", told[199]);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(readers.iter().all(|reader| reader.borrow().0 == written));
    }

    #[test]
    fn one_update_is_found_by_its_revision() {
        let feed = Feed::new(Revision(4), LIMITS);
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
