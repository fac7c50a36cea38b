//! One workspace as the engine hosts it: the newest published state, the feed of updates, and older versions to fold
//! from. Readers come here; only the committer publishes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use imbl::OrdMap;
use tokio::sync::watch;

use super::feed::{Feed, FeedLimits, Update};
use super::index::{Candidates, EventIndex};
use super::versions::{Version, Versions};
use crate::domain::{Id, Revision};
use crate::log::{Frontier, LogId, Root, Tree};
use crate::projection::{EventFilter, State};

/// A workspace that the engine hosts.
#[derive(Debug)]
pub struct Hosted {
    id: Id,
    log: LogId,
    published: ArcSwap<Published>,
    feed: Feed,
    /// Held by whoever folds the log for those who are behind.
    catching_up: Arc<tokio::sync::Mutex<()>>,
    versions: Mutex<Versions>,
    /// Where events are to be found, at least up to the newest published revision.
    index: RwLock<EventIndex>,
    /// Moves on when members have changed: who may read is to be judged anew.
    members: watch::Sender<()>,
}

/// What everybody sees of a workspace: an immutable state at one durable revision.
#[derive(Debug)]
pub struct Published {
    /// The state.
    pub state: Arc<State>,
    /// The tree's root at its revision.
    pub root: Root,
    /// The tree there: what proofs are made from.
    pub tree: Tree,
    /// The epoch that the log is in there.
    pub epoch: u32,
}

/// Every workspace by id.
#[derive(Debug, Default)]
pub(super) struct Registry {
    hosted: ArcSwap<OrdMap<Id, Arc<Hosted>>>,
}

impl Hosted {
    pub(super) fn new(
        id: Id,
        log: LogId,
        state: State,
        tree: &Tree,
        epoch: u32,
        feed: FeedLimits,
        versions: Versions,
    ) -> Self {
        let head = state.workspace().revision();
        let published = Published::new(Arc::new(state), tree, epoch);
        Self {
            id,
            log,
            published: ArcSwap::from_pointee(published),
            feed: Feed::new(head, feed),
            catching_up: Arc::default(),
            versions: Mutex::new(versions),
            index: RwLock::default(),
            members: watch::Sender::default(),
        }
    }

    /// With the index of what is in its log already.
    pub(super) fn with_index(self, index: EventIndex) -> Self {
        Self {
            index: RwLock::new(index),
            ..self
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The newest durable state.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Moves on whenever members have changed.
    #[must_use]
    pub fn members(&self) -> watch::Receiver<()> {
        self.members.subscribe()
    }

    /// The newest updates.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Whose turn it is to fold the log for those who are behind.
    pub(super) fn catching_up(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.catching_up
    }

    /// Everything in it is durable: from here on everybody sees it. Who waits is woken by `Feed::tell`.
    pub(super) fn publish(&self, state: Arc<State>, tree: &Tree, epoch: u32, updates: Vec<Arc<Update>>) {
        // First, so that what everybody sees can be found.
        self.add_to_index(&updates);
        self.keep_version(&state, tree.frontier());
        let members = state.workspace().members().clone();
        let before = self.published.swap(Arc::new(Published::new(state, tree, epoch)));
        // Ahead of the updates: who may not see them any more is not told.
        if !members.ptr_eq(before.state.workspace().members()) {
            self.members.send_replace(());
        }
        self.feed.publish(updates);
    }

    fn add_to_index(&self, updates: &[Arc<Update>]) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for update in updates {
            index.add(&update.commit);
        }
    }

    /// The commits that may have events of a filter, among them all up to the newest published revision that do.
    pub(super) fn candidates(&self, filter: &EventFilter) -> Candidates {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.candidates(filter)
    }

    /// Keeps a version when the newest is old enough.
    fn keep_version(&self, state: &Arc<State>, frontier: &Frontier) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if !versions.wants(state.workspace().revision()) {
            return;
        }
        let gone = versions.keep(Version {
            state: Arc::clone(state),
            frontier: frontier.clone(),
        });
        drop(versions);
        drop(gone);
    }

    /// The newest version that is not newer than a revision.
    pub(super) fn version_at(&self, revision: Revision) -> Version {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.at(revision)
    }
}

impl Published {
    fn new(state: Arc<State>, tree: &Tree, epoch: u32) -> Self {
        Self {
            state,
            root: tree.root(),
            tree: tree.clone(),
            epoch,
        }
    }
}

impl Registry {
    pub(super) fn get(&self, id: &Id) -> Option<Arc<Hosted>> {
        self.hosted.load().get(id).cloned()
    }

    pub(super) fn all(&self) -> Arc<OrdMap<Id, Arc<Hosted>>> {
        self.hosted.load_full()
    }

    pub(super) fn insert(&self, hosted: &Arc<Hosted>) {
        self.hosted.rcu(|map| {
            let mut map = (**map).clone();
            map.insert(hosted.id().clone(), Arc::clone(hosted));
            map
        });
    }
}
