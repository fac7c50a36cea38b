//! What live subscribers of one workspace share: a ring of its newest updates, bounded in bytes, and the head to wait
//! for. The writer never waits for a reader; a reader that is too slow finds its place gone and reads the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

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
    head: watch::Sender<Revision>,
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
    pub(super) fn new(head: Revision, bytes_max: usize) -> Self {
        Self {
            bytes_max,
            ring: Mutex::default(),
            head: watch::Sender::new(head),
        }
    }

    /// Appends updates. Nobody is woken: that costs more the more wait, and the writer waits for nobody.
    pub(super) fn publish(&self, updates: impl IntoIterator<Item = Arc<Update>>) {
        let mut ring = self.lock();
        for update in updates {
            ring.bytes += update.size_bytes;
            ring.updates.push_back(update);
        }
        while ring.bytes > self.bytes_max {
            let Some(oldest) = ring.updates.pop_front() else {
                break;
            };
            ring.bytes -= oldest.size_bytes;
        }
    }

    /// Tells everybody who waits how far it has come.
    pub(super) fn wake(&self, head: Revision) {
        self.head.send_if_modified(|told| {
            let news = *told < head;
            *told = (*told).max(head);
            news
        });
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.head.receiver_count()
    }

    /// What came after a revision.
    #[must_use]
    pub fn after(&self, revision: Revision) -> Tail {
        let ring = self.lock();
        let head = *self.head.borrow();
        let Some(oldest) = ring.updates.front().map(|update| update.commit.revision) else {
            return if head <= revision {
                Tail::Updates(Vec::new())
            } else {
                Tail::Gone
            };
        };
        match usize::try_from(revision.next().0.wrapping_sub(oldest.0)) {
            _ if revision.next() < oldest => Tail::Gone,
            Ok(skip) => Tail::Updates(ring.updates.iter().skip(skip).take(BATCH_MAX).cloned().collect()),
            Err(_) => Tail::Updates(Vec::new()),
        }
    }

    /// The newest revision, and a way to wait for the next.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Revision> {
        self.head.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // No code panics while it holds the lock, and each change is whole.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
