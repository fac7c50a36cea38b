//! All subscriptions of a server: how many there may be, how much they may hold together, and which have stopped reading.
//!
//! A stream whose reader takes nothing is not asked for anything, so it cannot notice by itself. Somebody looks at all of them
//! every now and then and ends those that have something and were not asked for it in a while. What is left of such a one is
//! the message that the transport holds, and why it ended, for when its reader comes back.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::{self, BoxStream, StreamExt};
use prost::bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::audience::{Audience, Audiences};
use super::filter::Filter;
use super::room::{Room, WholeRoom};
use super::{Subscription, status};
use crate::domain::Id;
use crate::log::LogId;

/// Bounds of subscriptions, each with its unit in its name.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionLimits {
    /// Subscriptions open at once.
    pub subscriptions_max: usize,
    /// What all of them together hold of what their readers have not taken yet, in bytes.
    pub subscriptions_bytes_max: usize,
    /// A reader that takes nothing for so long although there is something is ended, in seconds.
    pub subscriber_stalled_s_max: u64,
}

/// The subscriptions of a server.
pub(in crate::service) struct Subscriptions {
    limits: SubscriptionLimits,
    audiences: Audiences,
    places: Arc<Semaphore>,
    room: WholeRoom,
    readers: Arc<Mutex<Readers>>,
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
    _listed: Listed,
    noted: Option<Arc<Noted>>,
}

#[derive(Default)]
struct Readers {
    by_number: BTreeMap<u64, Looked>,
    next_number: u64,
}

/// A reader as it was when it was looked at last.
struct Looked {
    reader: Arc<Reader>,
    asked_count: u64,
    /// How long it has not asked, although there was something.
    stalled: Duration,
}

/// What a stream and who looks at it share.
struct Reader {
    /// None: it is over.
    messages: Mutex<Option<BoxStream<'static, Result<Bytes, Status>>>>,
    /// How often it was asked for a message.
    asked_count: AtomicU64,
    /// Whether it has something, or has something to do, and was not asked since.
    is_owed: AtomicBool,
    stalled: AtomicBool,
}

/// A reader that is looked at.
struct Listed {
    number: u64,
    readers: Arc<Mutex<Readers>>,
    _place: Place,
}

/// Notes that a reader is owed something, and passes it on.
struct Noted {
    reader: Arc<Reader>,
    inner: Waker,
}

/// Where more than half of the room is taken, a reader that takes nothing is ended after so long: the others wait for it.
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
            readers: Arc::default(),
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

    /// A place for one more, if there is one.
    pub(in crate::service) fn place(&self) -> Result<Place, Status> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Ok(Place { _permit: permit }),
            Err(_taken) => Err(status::too_many_subscriptions(self.limits.subscriptions_max)),
        }
    }

    /// Lets a subscription be read.
    pub(in crate::service) fn read(&self, subscription: Subscription, place: Place) -> Reading {
        let messages = stream::unfold(Some(Box::new(subscription)), |subscription| async {
            let mut subscription = subscription?;
            match subscription.next().await {
                Ok(Some(message)) => Some((Ok(message), Some(subscription))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        let reader = Arc::new(Reader {
            messages: Mutex::new(Some(messages.boxed())),
            asked_count: AtomicU64::new(0),
            is_owed: AtomicBool::new(true),
            stalled: AtomicBool::new(false),
        });
        let mut readers = lock(&self.readers);
        let number = readers.next_number;
        readers.next_number += 1;
        let looked = Looked {
            reader: Arc::clone(&reader),
            asked_count: 0,
            stalled: Duration::ZERO,
        };
        readers.by_number.insert(number, looked);
        Reading {
            reader,
            _listed: Listed {
                number,
                readers: Arc::clone(&self.readers),
                _place: place,
            },
            noted: None,
        }
    }

    /// Ends, for as long as it is polled, whoever has stopped reading.
    pub(in crate::service) async fn end_the_stalled(&self) {
        let longest = Duration::from_secs(self.limits.subscriber_stalled_s_max);
        let pause = (longest / 8).clamp(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            tokio::time::sleep(pause).await;
            let patience = if self.room.is_crowded() {
                longest.min(STALLED_MAX_IN_A_CROWD)
            } else {
                longest
            };
            let ended: Vec<_> = lock(&self.readers)
                .by_number
                .values_mut()
                .filter_map(|looked| looked.look(pause, patience))
                .collect();
            // What they held is let go outside of the lock.
            drop(ended);
        }
    }
}

impl Looked {
    /// The messages of a reader that has taken nothing for too long.
    fn look(
        &mut self,
        pause: Duration,
        patience: Duration,
    ) -> Option<BoxStream<'static, Result<Bytes, Status>>> {
        let asked_count = self.reader.asked_count.load(Ordering::Relaxed);
        if asked_count != self.asked_count || !self.reader.is_owed.load(Ordering::Relaxed) {
            self.asked_count = asked_count;
            self.stalled = Duration::ZERO;
            return None;
        }
        self.stalled += pause;
        if self.stalled < patience {
            return None;
        }
        // Who is just being asked has not stopped.
        let messages = self.reader.messages.try_lock().ok()?.take()?;
        self.reader.stalled.store(true, Ordering::Relaxed);
        tracing::info!("a subscriber that has stopped reading was ended");
        Some(messages)
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = Arc::clone(&self.reader);
        reader.asked_count.fetch_add(1, Ordering::Relaxed);
        reader.is_owed.store(false, Ordering::Relaxed);
        let waker = self.waker(context);
        let mut messages = lock(&reader.messages);
        let Some(stream) = messages.as_mut() else {
            let stalled = reader.stalled.swap(false, Ordering::Relaxed);
            return Poll::Ready(stalled.then(|| Err(status::slow_consumer())));
        };
        let polled = stream.poll_next_unpin(&mut Context::from_waker(&waker));
        match &polled {
            Poll::Ready(Some(Ok(_))) => reader.is_owed.store(true, Ordering::Relaxed),
            Poll::Ready(Some(Err(_)) | None) => *messages = None,
            Poll::Pending => {}
        }
        polled
    }
}

impl Reading {
    /// The waker that notes; the same for as long as it is the same task that asks.
    fn waker(&mut self, context: &Context<'_>) -> Waker {
        match &self.noted {
            Some(noted) if noted.inner.will_wake(context.waker()) => Arc::clone(noted).into(),
            _ => {
                let noted = Arc::new(Noted {
                    reader: Arc::clone(&self.reader),
                    inner: context.waker().clone(),
                });
                self.noted = Some(Arc::clone(&noted));
                noted.into()
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // What the stream waits for holds its waker, and that holds the reader: the stream would keep itself, and its part
        // of the room, until whatever it waits for happens.
        let messages = lock(&self.reader.messages).take();
        drop(messages);
    }
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.is_owed.store(true, Ordering::Relaxed);
        self.inner.wake_by_ref();
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.readers).by_number.remove(&self.number);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds such a lock, but for a stream's own, which is over then.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
