//! What the engine counts of itself as it works, and how full its queue is: for whoever watches it. What can be read when it is
//! asked for is not counted here.
//!
//! Invariant: the committer pays for it with two additions a write and two a commit, and waits for nobody. It does not know in
//! which form it is shown.

use std::time::Duration;

use super::Engine;
use super::histogram::Histogram;

/// What the committer has counted since the start.
#[derive(Debug)]
pub struct Meters {
    /// How many commits a durable write had.
    pub group_commits: Histogram,
    /// How long it took from when a command was taken into the queue until its commit was durable, in microseconds.
    pub commit_duration_us: Histogram,
}

/// What was taken in and is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Commands.
    pub commands: usize,
    /// Bytes of requests.
    pub bytes: usize,
}

const GROUP_COMMITS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];
/// From the fastest disks to one that has stopped.
const COMMIT_DURATION_US: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

impl Default for Meters {
    fn default() -> Self {
        Self {
            group_commits: Histogram::new(GROUP_COMMITS),
            commit_duration_us: Histogram::new(COMMIT_DURATION_US),
        }
    }
}

impl Engine {
    /// What the committer has counted.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.inner.meters
    }

    /// How full the queue is.
    #[must_use]
    pub fn queued(&self) -> Queued {
        self.inner.queue.queued()
    }

    /// Waits for a sign of life of the committer: that it comes by its queue, or that a write of it has ended. While a write hangs
    /// there is none, however well everything else runs; nor is there when the engine has closed or failed.
    pub async fn sign_of_life(&self) {
        self.inner.queue.sign_of_life().await;
    }
}

/// A duration in whole microseconds.
#[must_use]
pub fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
