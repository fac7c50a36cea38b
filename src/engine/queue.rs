//! The bounded queue in front of the committer. When it is full the caller hears so at once; only a stream of batches,
//! which takes nothing more from its client meanwhile, waits for a place.
//!
//! What counts against the bounds is everything that was taken in and not yet answered. No workspace takes all of it, and when
//! the oldest has waited long the disk is slower than what comes in: then more is refused before the queue is full.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::{Answer, Queued, Refusal, Request};
use crate::domain::Id;

/// A request on its way, and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request,
    /// What becomes of a batch in which something is refused.
    pub(super) wanted: Wanted,
    pub(super) answer: oneshot::Sender<Result<Answer, Refusal>>,
    /// When it was taken in.
    pub(super) taken_in: Instant,
}

/// What a caller wants of a batch in which something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All or nothing.
    Whole,
    /// The rest, and to hear what was left out.
    Rest,
}

/// The bounds of the queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// How many commands.
    pub commands_max: usize,
    /// How many bytes of requests.
    pub bytes_max: usize,
    /// How many commands of one workspace.
    pub workspace_commands_max: usize,
    /// How long the oldest may have waited, in milliseconds, before more is refused.
    pub wait_ms_max: u64,
}

pub(super) struct Queue {
    limits: QueueLimits,
    inner: Mutex<Inner>,
    ready: Condvar,
    /// Tells whoever waits for a place that there may be one.
    room: Notify,
    /// Tells whoever asked the committer for a sign of life.
    alive: Notify,
}

struct Inner {
    waiting: VecDeque<Job>,
    /// When what is not answered was taken in, the oldest first.
    unanswered: VecDeque<Instant>,
    unanswered_bytes: usize,
    /// How many of them are of a workspace.
    by_workspace: HashMap<Id, usize>,
    open: bool,
    /// Somebody waits for a sign of life.
    asked_for_life: bool,
}

/// How long a refused caller is asked to wait.
const RETRY_AFTER: Duration = Duration::from_millis(100);

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            commands_max: 10_000,
            bytes_max: 64 * 1024 * 1024,
            workspace_commands_max: 5_000,
            wait_ms_max: 3_000,
        }
    }
}

impl Job {
    pub(super) fn new(
        request: Request,
        wanted: Wanted,
        answer: oneshot::Sender<Result<Answer, Refusal>>,
    ) -> Self {
        Self {
            request,
            wanted,
            answer,
            taken_in: Instant::now(),
        }
    }
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let inner = Inner {
            waiting: VecDeque::new(),
            unanswered: VecDeque::new(),
            unanswered_bytes: 0,
            by_workspace: HashMap::new(),
            open: true,
            asked_for_life: false,
        };
        Self {
            limits,
            inner: Mutex::new(inner),
            ready: Condvar::new(),
            room: Notify::new(),
            alive: Notify::new(),
        }
    }

    pub(super) fn push(&self, job: Job) -> Result<(), Refusal> {
        let mut inner = self.lock();
        self.admit(&inner, &job)?;
        Self::take_in(&mut inner, job);
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    /// As `push`, but a full queue is waited out. What would not even fit into an empty one is refused.
    pub(super) async fn push_when_there_is_room(&self, job: Job) -> Result<(), Refusal> {
        let mut room = std::pin::pin!(self.room.notified());
        loop {
            // Whoever makes room between the look and the wait must be heard.
            room.as_mut().enable();
            {
                let mut inner = self.lock();
                match self.admit(&inner, &job) {
                    Ok(()) => {
                        Self::take_in(&mut inner, job);
                        break;
                    }
                    Err(Refusal::Overloaded { .. }) if !inner.unanswered.is_empty() => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            room.as_mut().await;
            room.set(self.room.notified());
        }
        self.ready.notify_one();
        Ok(())
    }

    /// Moves everything that waits behind `backlog`; with an empty backlog it waits up to `patience` for the first.
    /// Answers whether more may come.
    pub(super) fn take(&self, backlog: &mut VecDeque<Job>, patience: Duration) -> bool {
        let mut inner = self.lock();
        if backlog.is_empty() && inner.waiting.is_empty() && inner.open && !inner.asked_for_life {
            inner = self
                .ready
                .wait_timeout(inner, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        backlog.append(&mut inner.waiting);
        let open = inner.open;
        self.live(inner);
        open
    }

    /// Waits until the committer, asked now, has come back to the queue or has ended a write. It does not while a write hangs, and
    /// never once there is no committer.
    pub(super) async fn sign_of_life(&self) {
        let mut alive = std::pin::pin!(self.alive.notified());
        // It may answer before we wait.
        alive.as_mut().enable();
        self.lock().asked_for_life = true;
        self.ready.notify_one();
        alive.await;
    }

    /// The committer lives: whoever asked hears so.
    pub(super) fn show_life(&self) {
        self.live(self.lock());
    }

    fn live(&self, mut inner: MutexGuard<'_, Inner>) {
        if std::mem::take(&mut inner.asked_for_life) {
            drop(inner);
            self.alive.notify_waiters();
        }
    }

    /// How full it is.
    pub(super) fn queued(&self) -> Queued {
        let inner = self.lock();
        Queued {
            commands: inner.unanswered.len(),
            bytes: inner.unanswered_bytes,
        }
    }

    /// Some jobs were answered: of which workspaces, and how many bytes each had.
    pub(super) fn answered(&self, jobs: &[(Id, usize)]) {
        let mut inner = self.lock();
        for (workspace, bytes) in jobs {
            inner.unanswered.pop_front();
            inner.unanswered_bytes = inner.unanswered_bytes.saturating_sub(*bytes);
            if let Some(count) = inner.by_workspace.get_mut(workspace) {
                *count -= 1;
                if *count == 0 {
                    inner.by_workspace.remove(workspace);
                }
            }
        }
        drop(inner);
        self.room.notify_waiters();
    }

    /// Takes nothing in any more; what is inside is still answered.
    pub(super) fn close(&self) {
        self.lock().open = false;
        self.ready.notify_one();
        self.room.notify_waiters();
    }

    /// Nobody will answer any more: whoever waits hears so by the end of its channel.
    pub(super) fn abandon(&self) {
        let mut inner = self.lock();
        inner.open = false;
        inner.waiting.clear();
        drop(inner);
        self.room.notify_waiters();
    }

    fn admit(&self, inner: &Inner, job: &Job) -> Result<(), Refusal> {
        if !inner.open {
            return Err(Refusal::Draining);
        }
        let limits = &self.limits;
        let of_workspace = inner.by_workspace.get(&job.request.workspace);
        let longest = inner.unanswered.front().map(Instant::elapsed);
        let what = if inner.unanswered.len() >= limits.commands_max {
            "too many commands"
        } else if inner.unanswered_bytes.saturating_add(job.request.size_bytes) > limits.bytes_max {
            "too many bytes of commands"
        } else if of_workspace.is_some_and(|count| *count >= limits.workspace_commands_max) {
            "too many commands of this workspace"
        } else if longest.is_some_and(|longest| longest > Duration::from_millis(limits.wait_ms_max)) {
            "commands wait too long for the disk"
        } else {
            return Ok(());
        };
        Err(Refusal::Overloaded {
            what,
            retry_after: RETRY_AFTER,
        })
    }

    fn take_in(inner: &mut Inner, mut job: Job) {
        // Behind the wait for a place, which is not the committer's.
        job.taken_in = Instant::now();
        inner.unanswered.push_back(job.taken_in);
        inner.unanswered_bytes += job.request.size_bytes;
        *inner
            .by_workspace
            .entry(job.request.workspace.clone())
            .or_default() += 1;
        inner.waiting.push_back(job);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock, and each change is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
