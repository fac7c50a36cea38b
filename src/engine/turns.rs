//! The committer, turn by turn: on a thread of its own behind [`Engine::open`](super::Engine::open), or wherever whoever
//! embeds the engine in a runtime of its own wants it, behind [`Engine::embed`](super::Engine::embed).
//!
//! Invariant: when there will be no further turn, whoever still waits for an answer hears so.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::committer::Committer;
use super::queue::Queue;
use crate::log::{LogError, LogErrorKind};

/// The committer of an engine that has no thread for it: somebody takes its turns, and nothing is recorded between them.
/// Dropped, the engine has stopped.
pub struct Turns {
    committer: Committer,
    backlog: VecDeque<super::queue::Job>,
    queue: Arc<Queue>,
    failed: watch::Sender<Option<Arc<LogError>>>,
}

/// How often the committer looks at the clock when nobody asks for anything.
const PATIENCE: Duration = Duration::from_secs(1);

impl Turns {
    pub(super) fn new(
        committer: Committer,
        queue: Arc<Queue>,
        failed: watch::Sender<Option<Arc<LogError>>>,
    ) -> Self {
        Self {
            committer,
            backlog: VecDeque::new(),
            queue,
            failed,
        }
    }

    /// Makes everything durable that waits, publishes and answers it; when nothing waits, it records the days that have
    /// begun. It does not wait for anything but the disk. Answers whether there may be another turn: not when the engine is
    /// closed and empty, and not when its disk has failed.
    pub fn turn(&mut self) -> bool {
        self.turn_within(Duration::ZERO)
    }

    /// A turn that waits up to `patience` for something to do.
    fn turn_within(&mut self, patience: Duration) -> bool {
        let Self {
            committer, backlog, ..
        } = self;
        let error = match catch_unwind(AssertUnwindSafe(|| committer.turn(backlog, patience))) {
            Ok(Ok(more)) => return more,
            Ok(Err(error)) => error,
            Err(_panic) => LogError::new(
                LogErrorKind::Io,
                "the committer failed on an error of its own: report it, and start again to recover",
            ),
        };
        self.stop();
        self.failed.send_replace(Some(Arc::new(error)));
        false
    }

    /// Takes its turns on a thread of its own until there are no more.
    pub(super) fn on_a_thread(mut self) -> Result<JoinHandle<()>, LogError> {
        std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || while self.turn_within(PATIENCE) {})
            .map_err(|error| {
                LogError::caused(LogErrorKind::Io, "the committer thread cannot be started", error)
            })
    }

    /// Whoever still waits hears by the end of the channel that the engine has stopped.
    fn stop(&mut self) {
        self.backlog.clear();
        self.queue.abandon();
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.stop();
    }
}
