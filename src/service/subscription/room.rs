//! How much all subscriptions together may hold of what their readers have not taken.
//!
//! Invariant: the sum of what is taken never exceeds the whole. A reader gives back what it has as soon as it has read it, so
//! none waits for itself, nor for one that has read everything and waits for news.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One subscription's part of the room.
pub(super) struct Room {
    whole: Arc<Semaphore>,
    /// The most that one takes: a message that is larger is let through all the same.
    units_max: u32,
    held: Option<OwnedSemaphorePermit>,
}

/// It is given out in pieces of so many bytes.
const UNIT_BYTES: usize = 1024;
/// One subscription takes at most such a part of it.
const SHARE: usize = 8;

/// Room for so many bytes.
pub(super) fn of(bytes_max: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(
        (bytes_max / UNIT_BYTES).clamp(SHARE, Semaphore::MAX_PERMITS),
    ))
}

impl Room {
    pub(super) fn part_of(whole: &Arc<Semaphore>, bytes_max: usize) -> Self {
        let units_max = (bytes_max / UNIT_BYTES / SHARE).max(1);
        Self {
            whole: Arc::clone(whole),
            units_max: u32::try_from(units_max).unwrap_or(u32::MAX),
            held: None,
        }
    }

    /// Gives back what is held: it was read.
    pub(super) fn give_back(&mut self) {
        self.held = None;
    }

    /// Gives back what is held and takes so many bytes, when there is room for them.
    pub(super) async fn take(&mut self, bytes: usize) {
        self.give_back();
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES))
            .unwrap_or(u32::MAX)
            .clamp(1, self.units_max);
        // It is never closed.
        self.held = Arc::clone(&self.whole).acquire_many_owned(units).await.ok();
    }
}
