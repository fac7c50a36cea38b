//! Many subscribers at once, each of which fails the benchmark at the first gap, repetition or change of order.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use binnacle::proto::api;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::common::micros;
use crate::stream::{Stream, connect};
use crate::wire::{CAUGHT_UP, CHECKPOINT, FELL_BEHIND, STARTED, Seen, UPDATE};
use crate::writer::{Delay, Schedule};

/// What follows what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Each commit by itself, revision by revision.
    Every,
    /// Commits that the filter takes, one event of each.
    Matching,
    /// Net changes, each from where the one before ended.
    Net,
}

/// Subscribers that read until they have been told that it is enough.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    delays: Vec<Arc<Mutex<Delays>>>,
    tasks: JoinSet<Follower>,
}

struct Shared {
    order: Order,
    /// How many have caught up.
    live: AtomicUsize,
    /// A reader that has come so far may go.
    enough: AtomicU64,
    schedule: OnceLock<Arc<Schedule>>,
}

/// In microseconds, to one in a hundred and never rounded down.
pub(crate) struct Delays {
    pub(crate) from_due: Histogram<u64>,
    pub(crate) from_answered: Histogram<u64>,
}

/// What all of them saw.
pub(crate) struct Seeing {
    pub(crate) delays: Delays,
    /// Of the one that had the fewest, and of the one that had the most.
    pub(crate) updates: (u64, u64),
    pub(crate) updates_of_all: u64,
    pub(crate) fell_behind: u64,
    pub(crate) bytes: u64,
}

/// One reader's place in the order.
#[derive(Default)]
pub(crate) struct Follower {
    from_beginning: bool,
    place: u64,
    messages: u64,
    pub(crate) updates: u64,
    fell_behind: u64,
    bytes: u64,
    pub(crate) caught_up: bool,
    /// The first thing that was not as it has to be; nothing is read behind it.
    pub(crate) wrong: Option<String>,
}

/// Every so many messages of a reader one is decoded in full.
const SAMPLE: u64 = 499;
/// How long the benchmark waits for its readers: longer is a failure.
const WAIT: Duration = Duration::from_secs(600);

impl Readers {
    /// Subscribes so many, and answers when all of them are live.
    pub(crate) async fn start(
        address: &str,
        count: usize,
        per_connection: usize,
        order: Order,
        request: impl Fn(usize) -> api::SubscribeRequest,
    ) -> Self {
        let shared = Arc::new(Shared {
            order,
            live: AtomicUsize::new(0),
            enough: AtomicU64::new(u64::MAX),
            schedule: OnceLock::new(),
        });
        let (mut delays, mut tasks) = (Vec::new(), JoinSet::new());
        for first in (0..count).step_by(per_connection) {
            let channel = connect(address).await;
            let of_connection = Arc::new(Mutex::new(Delays::default()));
            for index in first..count.min(first + per_connection) {
                let (shared, delays) = (Arc::clone(&shared), Arc::clone(&of_connection));
                let (channel, request) = (channel.clone(), request(index));
                tasks.spawn(async move { shared.read(Stream::open(channel, &request).await, &delays).await });
            }
            delays.push(of_connection);
        }
        let begun = Instant::now();
        while shared.live.load(Ordering::Relaxed) < count {
            assert!(begun.elapsed() < WAIT, "not every subscriber has become live");
            if let Some(ended) = tasks.try_join_next() {
                panic!("{:?}", ended.expect("a reader").wrong);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            shared,
            delays,
            tasks,
        }
    }

    /// From now on measurements of this schedule are timed.
    pub(crate) fn time(&self, schedule: &Arc<Schedule>) {
        let first = self.shared.schedule.set(Arc::clone(schedule));
        assert!(first.is_ok(), "there is one schedule");
    }

    /// Reads up to a revision. Something has to be recorded behind it, since who has come further already looks up only at
    /// the next message.
    pub(crate) fn read_up_to(&self, revision: u64) {
        self.shared.enough.store(revision, Ordering::Relaxed);
    }

    /// Waits until all of them have all of it.
    pub(crate) async fn finish(self) -> Seeing {
        let all = self.tasks.join_all();
        let followers = tokio::time::timeout(WAIT, all)
            .await
            .expect("subscribers that get everything");
        if let Some(wrong) = followers.iter().find_map(|follower| follower.wrong.as_ref()) {
            panic!("{wrong}");
        }
        let mut delays = Delays::default();
        for part in self.delays {
            let part = part.lock().unwrap_or_else(PoisonError::into_inner);
            delays.from_due.add(&part.from_due).expect("delays");
            delays.from_answered.add(&part.from_answered).expect("delays");
        }
        let updates = || followers.iter().map(|follower| follower.updates);
        Seeing {
            delays,
            updates: (updates().min().unwrap_or(0), updates().max().unwrap_or(0)),
            updates_of_all: updates().sum(),
            fell_behind: followers.iter().map(|follower| follower.fell_behind).sum(),
            bytes: followers.iter().map(|follower| follower.bytes).sum(),
        }
    }
}

impl Shared {
    async fn read(&self, mut stream: Stream, delays: &Mutex<Delays>) -> Follower {
        let mut follower = Follower::default();
        let mut announced = false;
        while follower.wrong.is_none() && follower.place < self.enough.load(Ordering::Relaxed) {
            let mut now = None;
            let read = stream.read(|message| {
                // All that came at once is there now.
                let now = *now.get_or_insert_with(Instant::now);
                let seen = follower.follow(self.order, message);
                if let (Some(schedule), Some(effective)) = (self.schedule.get(), seen.effective_ms)
                    && let Some(delay) = schedule.delay(effective, seen.events, now)
                {
                    let mut delays = delays.lock().unwrap_or_else(PoisonError::into_inner);
                    delays.add(&delay);
                }
            });
            if let Err(ended) = read.await {
                follower.wrong = Some(ended);
            }
            if follower.caught_up && !announced {
                announced = true;
                self.live.fetch_add(1, Ordering::Relaxed);
            }
        }
        follower
    }
}

impl Follower {
    /// One for whom the first revision is yet to come. Everybody else begins at the head.
    pub(crate) fn from_beginning() -> Self {
        Self {
            from_beginning: true,
            ..Self::default()
        }
    }

    /// Takes the next message, which has to be the next in order.
    pub(crate) fn follow(&mut self, order: Order, message: &[u8]) -> Seen {
        let seen = Seen::in_message(message);
        self.messages += 1;
        self.bytes += message.len() as u64;
        let mut promise = |holds: bool, promise: &str| {
            if !holds && self.wrong.is_none() {
                self.wrong = Some(format!("{promise}: at {} there came {seen:?}", self.place));
            }
        };
        if self.messages % SAMPLE == 1 {
            promise(seen == Seen::decoded(message), "what is seen is what is decoded");
        }
        promise(seen.has_token, "every message here can be resumed after");
        match (seen.kind, order) {
            (UPDATE, Order::Every) => promise(seen.revision == self.place + 1, "revision by revision"),
            (UPDATE, Order::Net) => promise(seen.from_revision == Some(self.place), "from where it stood"),
            (UPDATE, Order::Matching) => {
                promise(seen.revision > self.place, "in order");
                promise(seen.events == 1, "only what the filter takes");
            }
            // What says where the stream stands says that nothing is missing up to there.
            (CAUGHT_UP | CHECKPOINT | FELL_BEHIND, Order::Every) => {
                promise(seen.revision == self.place, "nothing left out");
            }
            (CAUGHT_UP | CHECKPOINT | FELL_BEHIND, _) => {
                promise(seen.revision >= self.place, "never back");
            }
            (kind, _) => promise(kind == STARTED, "nothing that nobody asked for"),
        }
        self.updates += u64::from(seen.kind == UPDATE);
        self.fell_behind += u64::from(seen.kind == FELL_BEHIND);
        self.caught_up |= seen.kind == CAUGHT_UP;
        if seen.kind != STARTED || !self.from_beginning {
            self.place = seen.revision;
        }
        seen
    }
}

impl Delays {
    fn add(&mut self, delay: &Delay) {
        self.from_due.record(micros(delay.from_due)).expect("a delay");
        self.from_answered
            .record(micros(delay.from_answered))
            .expect("a delay");
    }
}

impl Default for Delays {
    fn default() -> Self {
        let histogram = || Histogram::new(2).expect("a histogram");
        Self {
            from_due: histogram(),
            from_answered: histogram(),
        }
    }
}
