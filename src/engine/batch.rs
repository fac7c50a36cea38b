//! Batches of a stream: they wait for their place in the queue, keep their order, and what is refused in them is left out.
//!
//! Invariant: batches are decided in the order in which they got their places, also those in which something is refused.
//! It does not know where the batches come from, nor what was cut into them.

use tokio::sync::oneshot;

use super::queue::{Job, Wanted};
use super::{Answer, Committed, Engine, Refusal, Request};

/// A batch that has its place in the queue.
#[derive(Debug)]
pub struct QueuedBatch {
    answered: oneshot::Receiver<Result<Answer, Refusal>>,
}

impl Engine {
    /// Takes a place in the queue for a batch of measurements; while the queue is full it waits for one. Whoever wants the
    /// order of batches kept queues one after the other.
    ///
    /// # Errors
    /// The engine takes nothing in any more, or the batch is larger than the whole queue.
    pub async fn queue_batch(&self, request: Request) -> Result<QueuedBatch, Refusal> {
        let (answer, answered) = oneshot::channel();
        let job = Job::new(request, Wanted::Rest, answer);
        self.inner.queue.push_when_there_is_room(job).await?;
        Ok(QueuedBatch { answered })
    }
}

impl QueuedBatch {
    /// Waits until the batch is durable but for what `refused` names.
    ///
    /// # Errors
    /// The batch as a whole was refused; except after `Stopped` nothing was recorded.
    pub async fn committed(self) -> Result<Committed, Refusal> {
        match self.answered.await {
            Ok(Ok(Answer::Done(committed))) => Ok(committed),
            // A batch of a stream has no request id to be known again by.
            Ok(Ok(Answer::Repeated { .. })) | Err(_) => Err(Refusal::Stopped),
            Ok(Err(refusal)) => Err(refusal),
        }
    }
}
