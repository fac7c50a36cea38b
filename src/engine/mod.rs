//! The engine: from commands to durable, published states.
//!
//! One committer thread decides and writes; everybody reads immutable states. What it knows: order, durability, time,
//! retries. What it deliberately does not know: gRPC, and what a command means.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use imbl::OrdMap;
use tokio::sync::{oneshot, watch};

mod backlog;
mod batch;
mod clock;
mod committer;
mod disk_room;
mod draft;
mod due;
mod feed;
mod found;
mod histogram;
mod history;
mod hosted;
mod index;
mod meters;
mod pasts;
mod proofs;
mod queue;
mod refusal;
mod replay;
mod requests;
mod signer;
mod turns;
mod versions;
mod waves;

pub use backlog::Updates;
pub use batch::QueuedBatch;
pub use clock::{Clock, SteppedClock, SystemClock, far_from_the_log};
pub use disk_room::kept_free_bytes;
pub use feed::{Feed, FeedLimits, Tail, Update};
pub use histogram::{Counted, Histogram};
pub use history::StoredCommit;
pub use hosted::{Hosted, Published};
pub use index::{Candidates, EventIndex};
pub use meters::{Meters, Queued, microseconds};
pub use proofs::{Consistency, Inclusion, Signed};
pub use queue::QueueLimits;
pub use refusal::Refusal;
pub use replay::{Past, Replayed};
pub use requests::RequestMemory;
pub use turns::Turns;

use crate::domain::{Command, Commit, Id, Origin, Rejection, Revision, Timestamp};
use crate::log::{EventLog, Evidence, LogError, LogErrorKind};
use crate::projection::State;
use backlog::Backlog;
use clock::JumpDetector;
use committer::Committer;
use disk_room::DiskRoom;
use draft::Line;
use history::Folds;
use hosted::Registry;
use pasts::Pasts;
use queue::{Job, Queue, Wanted};
use requests::Requests;
use signer::Signer;

/// What the engine does with what it is given.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// Bounds of the queue.
    pub queue: QueueLimits,
    /// Which requests are remembered.
    pub requests: RequestMemory,
    /// How many bytes of newest updates a workspace keeps for its live subscribers.
    pub feed_bytes_max: usize,
    /// While many writers wait for the log: how many updates a second all live subscribers of a workspace together are handed,
    /// so that the writers keep most of the machine.
    pub feed_deliveries_per_s: u32,
    /// How many bytes of updates, over all workspaces, are kept for subscribers who are behind that.
    pub backlog_bytes_max: usize,
    /// How many bytes have to stay free on the disk of the log: below it nothing is recorded. None: a twentieth of the disk, but
    /// not more than 1 GiB.
    pub disk_free_bytes_min: Option<u64>,
    /// Somebody has looked at the clock: it is right, whatever the log says.
    pub accept_clock: bool,
}

/// A request to change a workspace.
#[derive(Clone, Debug)]
pub struct Request {
    /// The workspace.
    pub workspace: Id,
    /// What to do.
    pub command: Command,
    /// Who asks, how, from where and why.
    pub origin: Origin,
    /// How many bytes it has, for the bounds of the queue.
    pub size_bytes: usize,
}

/// A request that was done, now or before.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The revision that made it durable; the head, if it changed nothing.
    pub revision: Revision,
    /// When it was decided: the recorded time of its commit, or what that would have been.
    pub decided_time: Timestamp,
    /// What was recorded; none if it changed nothing and had no id.
    pub commit: Option<Arc<Commit>>,
    /// The workspace as of that revision; for measurements that were recorded it may be a later one.
    pub state: Arc<State>,
    /// What was left out of a batch whose caller wanted the rest ([`Engine::queue_batch`]), each by its index.
    pub refused: Vec<(usize, Rejection)>,
}

/// What the committer answers.
#[derive(Debug)]
enum Answer {
    Done(Committed),
    Repeated { workspace: Id, revision: Revision },
}

/// A running engine. A copy is another hand on the same one.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
    registry: Arc<Registry>,
    meters: Arc<Meters>,
    folds: Folds,
    backlog: Backlog,
    pasts: Pasts,
    failure: watch::Receiver<Option<Arc<LogError>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    signer: Option<Arc<Signer>>,
    signing: Mutex<Option<JoinHandle<()>>>,
    disk_free_bytes_min: Option<u64>,
    replayed: Replayed,
}

/// Handing out an update costs about 1.2 µs, both sides of the wire: this leaves writers four fifths of the machine.
const DELIVERIES_PER_CORE_S: u32 = 150_000;

fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

impl EngineConfig {
    fn feed(&self) -> FeedLimits {
        FeedLimits {
            bytes_max: self.feed_bytes_max,
            deliveries_per_s: self.feed_deliveries_per_s,
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue: QueueLimits::default(),
            requests: RequestMemory::default(),
            feed_bytes_max: 4 * 1024 * 1024,
            feed_deliveries_per_s: DELIVERIES_PER_CORE_S.saturating_mul(cores()),
            backlog_bytes_max: 32 * 1024 * 1024,
            disk_free_bytes_min: None,
            accept_clock: false,
        }
    }
}

impl Engine {
    /// Folds every log and starts the committer. It takes as long as the logs are long.
    ///
    /// # Errors
    /// The log cannot be read, or it lacks what the evidence says was durable.
    pub fn open(
        log: Arc<dyn EventLog>,
        evidence: Option<Evidence>,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
    ) -> Result<Self, LogError> {
        let answering = tokio::runtime::Handle::try_current().ok();
        let folds = Folds::on_threads();
        let (engine, turns) = Self::build(log, evidence, clock, config, answering, folds)?;
        let thread = turns.on_a_thread()?;
        *engine.inner.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        if let Some(signer) = &engine.inner.signer {
            let signing = signer.on_a_thread()?;
            *engine
                .inner
                .signing
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(signing);
        }
        Ok(engine)
    }

    /// As [`Engine::open`], for whoever embeds the engine in a runtime of its own: no thread is started that outlives the
    /// call. The committer has its turns when the caller takes them, and what reads the past is done where it is asked for.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn embed(
        log: Arc<dyn EventLog>,
        evidence: Option<Evidence>,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
    ) -> Result<(Self, Turns), LogError> {
        Self::build(log, evidence, clock, config, None, Folds::InPlace)
    }

    fn build(
        log: Arc<dyn EventLog>,
        evidence: Option<Evidence>,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
        answering: Option<tokio::runtime::Handle>,
        folds: Folds,
    ) -> Result<(Self, Turns), LogError> {
        let began = Instant::now();
        let (heads, checkpoints, mut marks) = match evidence {
            Some(Evidence {
                heads,
                checkpoints,
                marks,
            }) => (Some(heads), Some(checkpoints), marks),
            None => (None, None, BTreeMap::new()),
        };
        let logs = log.heads()?;
        replay::check_no_log_is_missing(&marks, &logs)?;
        let (failed, failure) = watch::channel(None);
        let signed = marks
            .iter()
            .map(|(id, marks)| (*id, marks.newest_checkpoint()))
            .collect();
        let signer =
            checkpoints.map(|checkpoints| Arc::new(Signer::new(checkpoints, signed, failed.clone())));
        let registry = Arc::new(Registry::default());
        let mut replayed = Replayed::default();
        let mut lines = BTreeMap::new();
        let mut remembered = Vec::new();
        for &id in logs.keys() {
            let marks = marks.remove(&id).unwrap_or_default();
            let folded = replay::fold_log(&*log, id, marks, config.requests, config.feed(), &mut replayed)?;
            let published = folded.hosted.published();
            let line = Line::new(
                id,
                (*published.state).clone(),
                folded.tree,
                folded.epoch,
                Some(Arc::clone(&folded.hosted)),
            );
            let name = folded.hosted.id().clone();
            if lines.insert(name.clone(), line).is_some() {
                let context = format!(
                    "two logs hold workspaces/{name}: put back the newest copy of the data directory"
                );
                return Err(LogError::new(LogErrorKind::Damaged, context));
            }
            if let Some(signer) = &signer {
                // What was restored, or not signed any more before a crash, is signed although nothing follows.
                signer.moved(&folded.hosted, published.state.workspace().revision())?;
            }
            remembered.extend(folded.requests);
            registry.insert(&folded.hosted);
        }
        let newest = lines
            .values()
            .filter_map(|line| line.state.workspace().newest_recorded_time())
            .max();
        remembered.sort_by_key(|(_, known)| known.recorded_time);
        let mut requests = Requests::new(config.requests);
        for (digest, known) in remembered {
            requests.remember(digest, known);
        }
        let queue = Arc::new(Queue::new(config.queue));
        let meters = Arc::new(Meters::default());
        let committer = Committer {
            log: Arc::clone(&log),
            heads,
            signer: signer.clone(),
            jumps: JumpDetector::new(&*clock, newest, config.accept_clock),
            clock: Arc::clone(&clock),
            queue: Arc::clone(&queue),
            registry: Arc::clone(&registry),
            disk: DiskRoom::new(config.disk_free_bytes_min),
            lines,
            requests,
            feed: config.feed(),
            meters: Arc::clone(&meters),
            runtime: answering,
        };
        let turns = Turns::new(committer, Arc::clone(&queue), failed);
        replayed.duration = began.elapsed();
        let inner = Inner {
            log,
            clock,
            queue,
            registry,
            meters,
            folds,
            backlog: Backlog::new(config.backlog_bytes_max),
            pasts: Pasts::default(),
            failure,
            thread: Mutex::new(None),
            signer,
            signing: Mutex::new(None),
            disk_free_bytes_min: config.disk_free_bytes_min,
            replayed,
        };
        let inner = Arc::new(inner);
        Ok((Self { inner }, turns))
    }

    /// What the start has read.
    #[must_use]
    pub fn replayed(&self) -> Replayed {
        self.inner.replayed
    }

    /// What a commit of this moment would be stamped with, but for the newest recorded time of its log.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    /// How many bytes are kept free on a disk of such a size.
    #[must_use]
    pub fn kept_free_bytes(&self, total_bytes: u64) -> u64 {
        kept_free_bytes(self.inner.disk_free_bytes_min, total_bytes)
    }

    /// Does what is asked, or answers what it did when it was asked before. The answer is durable.
    ///
    /// # Errors
    /// It was refused; except after `Stopped` nothing was recorded.
    pub async fn execute(&self, request: Request) -> Result<Committed, Refusal> {
        // What a measurement recorded is all in its commit: its retry needs no state of the past.
        let by_commit_alone = matches!(request.command, Command::RecordMeasurements(_));
        let (answer, answered) = oneshot::channel();
        let wanted = Wanted::Whole;
        self.inner.queue.push(Job::new(request, wanted, answer))?;
        match answered.await {
            Ok(Ok(Answer::Done(committed))) => Ok(committed),
            Ok(Ok(Answer::Repeated { workspace, revision })) => {
                let recorded = match by_commit_alone {
                    true => self.recorded(&workspace, revision).await?,
                    false => None,
                };
                match recorded {
                    Some(committed) => Ok(committed),
                    None => self.recall(&workspace, revision).await,
                }
            }
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::Stopped),
        }
    }

    /// A workspace.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn hosted(&self, workspace: &Id) -> Result<Arc<Hosted>, Refusal> {
        self.inner
            .registry
            .get(workspace)
            .ok_or_else(|| Refusal::WorkspaceNotFound(workspace.clone()))
    }

    /// The newest state of a workspace, if it has come as far as `at_least`.
    ///
    /// # Errors
    /// There is none of that id, or it has not come as far.
    pub fn read(&self, workspace: &Id, at_least: Revision) -> Result<Arc<Published>, Refusal> {
        let published = self.hosted(workspace)?.published();
        let head = published.state.workspace().revision();
        if head < at_least {
            return Err(Refusal::RevisionInFuture {
                asked: at_least,
                head,
            });
        }
        Ok(published)
    }

    /// Every workspace, by id.
    #[must_use]
    pub fn workspaces(&self) -> Arc<OrdMap<Id, Arc<Hosted>>> {
        self.inner.registry.all()
    }

    /// Takes no more requests in, answers those inside, and ends. It may take as long as a write takes.
    pub fn close(&self) {
        self.inner.queue.close();
        let thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The thread hands on its own failures, so there is nothing in its result.
            let _ended = thread.join();
        }
        // Behind the committer: what it has published last is under a checkpoint as well.
        let signing = self
            .inner
            .signing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let (Some(signer), Some(signing)) = (&self.inner.signer, signing) {
            signer.close();
            let _ended = signing.join();
        }
    }

    /// Waits until the engine has failed on its disk. Then the process has to end.
    pub async fn failure(&self) -> Arc<LogError> {
        let mut failure = self.inner.failure.clone();
        loop {
            if let Some(error) = failure.borrow_and_update().as_ref() {
                return Arc::clone(error);
            }
            if failure.changed().await.is_err() {
                // Closed in good order: there will be no failure.
                std::future::pending::<()>().await;
            }
        }
    }
}
