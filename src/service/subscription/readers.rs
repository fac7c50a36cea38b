//! All subscriptions of a server: how many there may be, how much they may hold together, and which have stopped reading.
//!
//! A stream whose reader takes nothing is not asked for anything, so it cannot notice by itself. Somebody looks at all of them
//! every now and then and ends those that have something and of which nothing was taken in a while. What is left of such a one
//! is what the transport holds, and why it ended, for when its reader comes back. Where it does not for as long again, its
//! connection is closed: nothing else makes the transport let go of a stream.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, ready};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::{self, BoxStream, StreamExt};
use futures_util::task::AtomicWaker;
use prost::bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::audience::{Audience, Audiences};
use super::filter::Filter;
use super::pieces::{Piece, Pieces};
use super::room::{Room, Untaken, WholeRoom};
use super::shared::Shared;
use super::whole::NetChanges;
use super::{Subscription, status};
use crate::domain::{Id, Revision};
use crate::engine::{Engine, Hosted, Refusal};
use crate::log::LogId;
use crate::projection::State;
use crate::service::caller::Guard;
use crate::service::connection::Connection;

/// Bounds of subscriptions, each with its unit in its name.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionLimits {
    /// Subscriptions open at once.
    pub subscriptions_max: usize,
    /// What all of them together hold of what their readers have not taken yet, in bytes.
    pub subscriptions_bytes_max: usize,
    /// A reader that takes nothing for so long although there is something is ended, in seconds. Where more than half of the
    /// bytes is held, 5 s are enough.
    pub subscriber_stalled_s_max: u64,
}

/// The subscriptions of a server.
pub(in crate::service) struct Subscriptions {
    limits: SubscriptionLimits,
    audiences: Audiences,
    places: Arc<Semaphore>,
    room: WholeRoom,
    /// States that coalesced streams come back to.
    states: Shared<(LogId, Revision), State>,
    net_changes: Arc<NetChanges>,
    readers: Mutex<Vec<Looked>>,
}

/// One of the subscriptions that there may be, taken before it begins.
pub(in crate::service) struct Place {
    /// Held until it is dropped.
    _permit: OwnedSemaphorePermit,
}

/// A subscription as the stream of its messages, which ends with the first error.
pub(in crate::service) struct Reading {
    reader: Arc<Reader>,
    /// Dropped last: it makes room for another.
    _place: Place,
}

/// A reader as it was when it was looked at last.
struct Looked {
    reader: Arc<Reader>,
    seen: Progress,
    /// How long it has taken nothing, although there was something.
    stalled: Duration,
}

/// What changes when something is taken.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    asked_count: u64,
    untaken_count: usize,
}

/// What a stream, who asks it and who looks at it share.
struct Reader {
    messages: Mutex<Messages>,
    /// What it was given and the transport still holds, and what it is given next.
    untaken: Untaken,
    /// How often it was asked for a message.
    asked_count: AtomicU64,
    /// Whether it has something, or has something to do, and was not asked since.
    is_owed: AtomicBool,
    stalled: AtomicBool,
    is_gone: AtomicBool,
    /// Who asks.
    asker: AtomicWaker,
    connection: Option<Connection>,
    /// What it reads, and how far it has come there.
    hosted: Arc<Hosted>,
    reached: Arc<AtomicU64>,
}

/// What a reader is still to be given.
struct Messages {
    /// It comes first.
    made: Pieces,
    /// None: it is over.
    coming: Option<Coming>,
    guard: Guard,
    /// Why it ends behind the message that was begun.
    denied: Option<Status>,
}

type Coming = BoxStream<'static, Result<Vec<Piece>, Status>>;

/// Where more than half of the room is taken, a reader that takes nothing is ended after so long, whatever was set: the others
/// wait for it.
const STALLED_MAX_IN_A_CROWD: Duration = Duration::from_secs(5);

impl Default for SubscriptionLimits {
    fn default() -> Self {
        Self {
            subscriptions_max: 16_384,
            subscriptions_bytes_max: 256 * 1024 * 1024,
            subscriber_stalled_s_max: 60,
        }
    }
}

impl Subscriptions {
    pub(in crate::service) fn new(limits: SubscriptionLimits) -> Self {
        Self {
            limits,
            audiences: Audiences::default(),
            places: Arc::new(Semaphore::new(
                limits.subscriptions_max.min(Semaphore::MAX_PERMITS),
            )),
            room: WholeRoom::of(limits.subscriptions_bytes_max),
            states: Shared::default(),
            net_changes: Arc::default(),
            readers: Mutex::default(),
        }
    }

    /// The audience of a filter.
    pub(super) fn join(&self, workspace: &Id, log: LogId, filter: Filter) -> Arc<Audience> {
        self.audiences.join(workspace, log, filter)
    }

    /// One subscription's part of the room.
    pub(super) fn room(&self) -> Room {
        self.room.part()
    }

    /// The state at a revision: one fold of the log for all who come back to it.
    pub(super) async fn state(
        &self,
        engine: &Engine,
        hosted: &Arc<Hosted>,
        revision: Revision,
    ) -> Result<Arc<State>, Refusal> {
        let fold = async {
            let past = engine.past(hosted, revision).await?;
            Ok(past.state().clone())
        };
        self.states.get((hosted.log(), revision), fold).await
    }

    /// The net changes of coalesced streams.
    pub(super) fn net_changes(&self) -> Arc<NetChanges> {
        Arc::clone(&self.net_changes)
    }

    /// A place for one more, if there is one.
    pub(in crate::service) fn place(&self) -> Result<Place, Status> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Ok(Place { _permit: permit }),
            Err(_taken) => Err(status::too_many_subscriptions(self.limits.subscriptions_max)),
        }
    }

    /// Lets a subscription be read, on a connection.
    pub(in crate::service) fn read(
        &self,
        subscription: Subscription,
        guard: Guard,
        place: Place,
        connection: Option<Connection>,
    ) -> Reading {
        let untaken = subscription.room.untaken();
        let hosted = Arc::clone(&subscription.hosted);
        let reached = Arc::clone(&subscription.reached);
        let begun = Some((Box::new(subscription), guard.again()));
        let coming = stream::unfold(begun, |begun| async {
            let (mut subscription, mut guard) = begun?;
            let next = tokio::select! {
                biased;
                denied = guard.denied() => Err(denied),
                next = subscription.next() => next,
            };
            // What was made may have been made of the very commit that takes the right away.
            let next = next.and_then(|next| guard.judge().map(|()| next));
            match next {
                Ok(Some(pieces)) => Some((Ok(pieces), Some((subscription, guard)))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        let reader = Arc::new(Reader {
            messages: Mutex::new(Messages {
                made: Pieces::default(),
                coming: Some(coming.boxed()),
                guard,
                denied: None,
            }),
            untaken,
            asked_count: AtomicU64::new(0),
            is_owed: AtomicBool::new(true),
            stalled: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            asker: AtomicWaker::new(),
            connection,
            hosted,
            reached,
        });
        lock(&self.readers).push(Looked {
            reader: Arc::clone(&reader),
            seen: Progress::default(),
            stalled: Duration::ZERO,
        });
        Reading {
            reader,
            _place: place,
        }
    }

    /// How many commits whoever is furthest behind in a workspace has not been given yet, by workspace; where nobody reads there
    /// is nothing.
    pub(in crate::service) fn lags(&self) -> BTreeMap<Id, u64> {
        // Looked at outside of the lock: who subscribes meanwhile does not wait for it.
        let readers: Vec<_> = lock(&self.readers)
            .iter()
            .map(|looked| Arc::clone(&looked.reader))
            .collect();
        let mut lags = BTreeMap::new();
        for reader in readers {
            if reader.is_gone.load(Ordering::Relaxed) {
                continue;
            }
            let lag = lags.entry(reader.hosted.id().clone()).or_default();
            *lag = reader.lag().max(*lag);
        }
        lags
    }

    /// Ends, for as long as it is polled, whoever has stopped reading.
    pub(in crate::service) async fn end_the_stalled(&self) -> Infallible {
        let longest = Duration::from_secs(self.limits.subscriber_stalled_s_max);
        let pause = (longest / 8).clamp(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            tokio::time::sleep(pause).await;
            let patience = if self.room.is_crowded() {
                longest.min(STALLED_MAX_IN_A_CROWD)
            } else {
                longest
            };
            let mut ended = Vec::new();
            lock(&self.readers).retain_mut(|looked| {
                ended.extend(looked.look(pause, patience));
                !looked.reader.has_left()
            });
            // What they held is let go outside of the lock.
            drop(ended);
        }
    }
}

impl Looked {
    /// Ends a reader that has taken nothing for too long, behind the message that it was begun to be given: what was to come.
    /// One that was ended before, or has left, is let go with its connection.
    fn look(&mut self, pause: Duration, patience: Duration) -> Option<Coming> {
        let reader = &self.reader;
        let now = reader.progress();
        let is_owed = reader.is_owed.load(Ordering::Relaxed) || now.untaken_count > 0;
        if now != self.seen || !is_owed {
            self.seen = now;
            self.stalled = Duration::ZERO;
            return None;
        }
        self.stalled += pause;
        if self.stalled < patience {
            return None;
        }
        // Who is just being asked has not stopped.
        let mut messages = reader.messages.try_lock().ok()?;
        messages.made.end_message();
        let coming = messages.coming.take();
        drop(messages);
        self.stalled = Duration::ZERO;
        if coming.is_some() {
            reader.stalled.store(true, Ordering::Relaxed);
            // It may be waiting for room, or for news, and is told now.
            reader.asker.wake();
            tracing::info!("a subscriber that has stopped reading was ended");
        } else if let Some(connection) = &reader.connection {
            connection.close();
            tracing::info!(
                peer = ?connection.peer,
                "the connection of a subscriber that does not take the end of its stream was closed"
            );
        }
        coming
    }
}

impl Reader {
    fn progress(&self) -> Progress {
        Progress {
            asked_count: self.asked_count.load(Ordering::Relaxed),
            untaken_count: self.untaken.count(),
        }
    }

    /// How many commits it has not been given yet.
    fn lag(&self) -> u64 {
        let head = self.hosted.published().state.workspace().revision();
        head.0.saturating_sub(self.reached.load(Ordering::Relaxed))
    }

    /// Whether it is gone, and nothing that it was given is left of it.
    fn has_left(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed) && self.untaken.count() == 0
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = &self.reader;
        reader.asked_count.fetch_add(1, Ordering::Relaxed);
        reader.is_owed.store(false, Ordering::Relaxed);
        reader.asker.register(context.waker());
        let mut messages = lock(&reader.messages);
        if messages.coming.is_some()
            && let Err(status) = messages.guard.check()
        {
            messages.made.end_message();
            messages.coming = None;
            messages.denied = Some(status);
        }
        loop {
            if let Some(piece) = messages.made.next() {
                reader.is_owed.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Ok(piece)));
            }
            let Some(coming) = messages.coming.as_mut() else {
                if let Some(status) = messages.denied.take() {
                    return Poll::Ready(Some(Err(status)));
                }
                let stalled = reader.stalled.swap(false, Ordering::Relaxed);
                return Poll::Ready(stalled.then(|| Err(status::slow_consumer())));
            };
            let waker = Arc::clone(reader).into();
            match ready!(coming.poll_next_unpin(&mut Context::from_waker(&waker))) {
                Some(Ok(pieces)) => messages.made.push(pieces),
                Some(Err(status)) => {
                    messages.coming = None;
                    return Poll::Ready(Some(Err(status)));
                }
                None => messages.coming = None,
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // What the stream waits for holds its waker, and that is the reader: the stream would keep itself, and its part of the
        // room, until whatever it waits for happens.
        let (made, coming) = {
            let mut messages = lock(&self.reader.messages);
            (std::mem::take(&mut messages.made), messages.coming.take())
        };
        drop((made, coming));
        self.reader.is_owed.store(false, Ordering::Relaxed);
        self.reader.is_gone.store(true, Ordering::Relaxed);
    }
}

/// Notes that it is owed something, and passes it on.
impl Wake for Reader {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_owed.store(true, Ordering::Relaxed);
        self.asker.wake();
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds such a lock, but for a stream's own, which is over then.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
