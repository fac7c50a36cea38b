//! How a server stands, for whoever looks at it from outside: whether it is ready, what it was asked, how far its subscribers are.
//!
//! Invariant: nothing here changes what the server does, and looking at it holds nobody up. It does not know who looks, nor in
//! which form it is shown.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::load::Load;
use super::rpc::CallTally;
use super::subscription::Subscriptions;
use crate::domain::Id;
use crate::engine::Engine;

/// The standing of one server. A copy looks at the same one.
#[derive(Clone, Default)]
pub struct Standing(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Empty until the log is replayed.
    engine: Arc<OnceLock<Engine>>,
    is_draining: AtomicBool,
    /// Its readiness has changed.
    changed: Notify,
    calls: OnceLock<Arc<CallTally>>,
    subscriptions: OnceLock<Arc<Subscriptions>>,
    load: OnceLock<Arc<Load>>,
}

/// Whether a server takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Its log is being replayed.
    Starting,
    /// It does.
    Ready,
    /// It is about to stop.
    Draining,
}

impl Standing {
    /// Whether the server takes calls.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        match (self.0.is_draining.load(Ordering::Acquire), self.engine()) {
            (true, _) => Readiness::Draining,
            (false, Some(_)) => Readiness::Ready,
            (false, None) => Readiness::Starting,
        }
    }

    /// Waits until the server takes calls or is about to stop; which of the two.
    pub async fn started(&self) -> Readiness {
        self.when(|readiness| readiness != Readiness::Starting).await
    }

    /// Waits until the server is about to stop.
    pub async fn stopping(&self) {
        self.when(|readiness| readiness == Readiness::Draining).await;
    }

    async fn when(&self, wanted: impl Fn(Readiness) -> bool) -> Readiness {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // What changes between the look and the wait must be heard.
            changed.as_mut().enable();
            let readiness = self.readiness();
            if wanted(readiness) {
                return readiness;
            }
            changed.await;
        }
    }

    /// The engine, once the log is replayed.
    #[must_use]
    pub fn engine(&self) -> Option<&Engine> {
        self.0.engine.get()
    }

    /// The calls, once there can be any.
    #[must_use]
    pub fn calls(&self) -> Option<&CallTally> {
        self.0.calls.get().map(Arc::as_ref)
    }

    /// How many commits the subscriber who is furthest behind has not been given yet, by workspace; workspaces without
    /// subscribers are left out.
    #[must_use]
    pub fn subscriber_lags(&self) -> BTreeMap<Id, u64> {
        let subscriptions = self.0.subscriptions.get();
        subscriptions.map(|all| all.lags()).unwrap_or_default()
    }

    /// Who is at their limits.
    #[must_use]
    pub fn load(&self) -> Option<&Load> {
        self.0.load.get().map(Arc::as_ref)
    }

    /// Where the engine goes when it is open.
    pub(super) fn place_of_engine(&self) -> Arc<OnceLock<Engine>> {
        Arc::clone(&self.0.engine)
    }

    /// The server takes calls from here on: its engine is in its place.
    pub(super) fn begin(&self) {
        self.0.changed.notify_waiters();
    }

    /// The server drains from here on.
    pub(super) fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    /// Calls are counted there.
    pub(super) fn count_in(&self, calls: Arc<CallTally>) {
        // A server is served once.
        let _first = self.0.calls.set(calls);
    }

    /// That is what bounds its calls and connections.
    pub(super) fn bound_by(&self, load: Arc<Load>) {
        let _first = self.0.load.set(load);
    }

    /// These are its subscriptions.
    pub(super) fn look_at(&self, subscriptions: Arc<Subscriptions>) {
        let _first = self.0.subscriptions.set(subscriptions);
    }
}
