//! The signer: signs checkpoints of what is durable, on a thread of its own beside the committer.
//!
//! Invariant: only what is published is signed, and that was durable before it was published. While there is change a log's
//! newest checkpoint is never older than 10 s or 10,000 commits (but for the time that one takes to write), and when the engine
//! closes in good order it is of the head.
//!
//! What it does not know: how a checkpoint is written, and who reads it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::watch;

use super::due::Due;
use super::hosted::Hosted;
use crate::domain::Revision;
use crate::log::{Checkpoint, Checkpoints, LogError, LogErrorKind, LogId, Origin, SigningKey};

/// What is to be signed, and with what.
pub(super) struct Signer {
    checkpoints: Checkpoints,
    work: Mutex<Work>,
    changed: Condvar,
    /// Who waits for the engine's failure hears of one here at once.
    failed: watch::Sender<Option<Arc<LogError>>>,
}

struct Work {
    due: Due<Arc<Hosted>>,
    closed: bool,
    /// No checkpoint can be written any more.
    failed: bool,
}

impl Signer {
    /// `signed`: the newest checkpoint that each log has already.
    pub(super) fn new(
        checkpoints: Checkpoints,
        signed: BTreeMap<LogId, Revision>,
        failed: watch::Sender<Option<Arc<LogError>>>,
    ) -> Self {
        Self {
            checkpoints,
            work: Mutex::new(Work {
                due: Due::new(signed),
                closed: false,
                failed: false,
            }),
            changed: Condvar::new(),
            failed,
        }
    }

    pub(super) fn key(&self) -> &SigningKey {
        self.checkpoints.key()
    }

    /// A workspace has published more.
    ///
    /// # Errors
    /// A checkpoint could not be written: the disk has failed, and the engine has to stop.
    pub(super) fn moved(&self, hosted: &Arc<Hosted>, head: Revision) -> Result<(), LogError> {
        let mut work = self.work();
        if work.failed {
            return Err(LogError::new(
                LogErrorKind::Io,
                "checkpoints cannot be written: look at the disk, and start again",
            ));
        }
        if work.due.moved(hosted.log(), head, hosted, Instant::now()) {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Signs whatever is due until it is told to end; then whatever is left.
    pub(super) fn on_a_thread(self: &Arc<Self>) -> Result<JoinHandle<()>, LogError> {
        let signer = Arc::clone(self);
        std::thread::Builder::new()
            .name("signer".to_owned())
            .spawn(move || {
                let signing = catch_unwind(AssertUnwindSafe(|| while signer.sign_when_due() {}));
                if signing.is_err() {
                    signer.fail(LogError::new(
                        LogErrorKind::Io,
                        "the signer failed on an error of its own: report it, and start again to recover",
                    ));
                }
            })
            .map_err(|error| LogError::caused(LogErrorKind::Io, "the signer thread cannot be started", error))
    }

    /// Has everything signed that is published, and ends.
    pub(super) fn close(&self) {
        self.work().closed = true;
        self.changed.notify_one();
    }

    /// Whether to go on.
    fn sign_when_due(&self) -> bool {
        let (due, closed) = self.wait();
        for hosted in due {
            if let Err(error) = self.sign(&hosted) {
                self.fail(error);
                return false;
            }
        }
        !closed
    }

    fn fail(&self, error: LogError) {
        tracing::error!(%error, "checkpoints can no longer be signed: the server stops");
        self.work().failed = true;
        self.failed.send_replace(Some(Arc::new(error)));
    }

    /// Waits until something is due, or the end has come.
    fn wait(&self) -> (Vec<Arc<Hosted>>, bool) {
        let mut work = self.work();
        loop {
            if work.closed {
                return (work.due.take_all(), true);
            }
            let now = Instant::now();
            let ready = work.due.take(now);
            if !ready.is_empty() {
                return (ready, false);
            }
            work = match work.due.next() {
                None => self.changed.wait(work).unwrap_or_else(PoisonError::into_inner),
                Some(next) => {
                    let waited = self
                        .changed
                        .wait_timeout(work, next.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn sign(&self, hosted: &Hosted) -> Result<(), LogError> {
        let published = hosted.published();
        let checkpoint = Checkpoint {
            origin: Origin {
                log: hosted.log(),
                epoch: published.epoch,
            },
            revision: published.state.workspace().revision(),
            root: published.root,
        };
        if checkpoint.revision <= self.work().due.signed(hosted.log()) {
            return Ok(());
        }
        self.checkpoints.append(&checkpoint)?;
        self.work().due.sign(hosted.log(), checkpoint.revision);
        Ok(())
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
