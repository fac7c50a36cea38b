//! How much all subscriptions together may hold of what their readers have not taken.
//!
//! Invariant: the sum of what is taken never exceeds the whole. A reader gives back what it has as soon as it has read it, so
//! none waits for itself, nor for one that has read everything and waits for news.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room of all subscriptions.
pub(super) struct WholeRoom {
    free: Arc<Semaphore>,
    units: usize,
}

/// One subscription's part of the room.
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// The most that one takes: a message that is larger is let through all the same.
    units_max: u32,
    held: Option<OwnedSemaphorePermit>,
}

/// It is given out in pieces of so many bytes.
const UNIT_BYTES: usize = 1024;
/// One subscription takes at most such a part of it.
const SHARE: usize = 8;

impl WholeRoom {
    /// Room for so many bytes.
    pub(super) fn of(bytes_max: usize) -> Self {
        let units = (bytes_max / UNIT_BYTES).clamp(SHARE, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(units)),
            units,
        }
    }

    /// A part of it, in which nothing is held yet.
    pub(super) fn part(&self) -> Room {
        Room {
            free: Arc::clone(&self.free),
            units_max: u32::try_from(self.units / SHARE).unwrap_or(u32::MAX),
            held: None,
        }
    }

    /// Whether more than half of it is taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.free.available_permits() < self.units / 2
    }
}

impl Room {
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
        self.held = Arc::clone(&self.free).acquire_many_owned(units).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(room: &Room) -> usize {
        room.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    #[tokio::test]
    async fn the_sum_of_what_is_taken_never_exceeds_the_whole() {
        let bytes_max = 64 * UNIT_BYTES;
        let whole = WholeRoom::of(bytes_max);
        let mut rooms: Vec<Room> = (0..SHARE).map(|_| whole.part()).collect();
        for (at, bytes) in [0, 1, 1024, 1025, 5000, 100_000, usize::MAX, 7]
            .into_iter()
            .enumerate()
        {
            rooms[at].take(bytes).await;
            let sum: usize = rooms.iter().map(held).sum();
            assert_eq!(sum + whole.free.available_permits(), 64, "after {bytes} bytes");
        }
        assert!(!whole.is_crowded(), "27 of 64 are taken");
        rooms[7].take(usize::MAX).await;
        assert!(whole.is_crowded(), "34 of 64");
        rooms[7].take(7).await;
        let taken: Vec<usize> = rooms.iter().map(held).collect();
        assert_eq!(taken, [1, 1, 1, 2, 5, 8, 8, 1], "at most an eighth each");
    }

    #[tokio::test]
    async fn nobody_waits_for_itself_and_whoever_waits_is_let_in_by_who_has_read() {
        let bytes_max = 8 * UNIT_BYTES;
        let whole = WholeRoom::of(bytes_max);
        let mut rooms: Vec<Room> = (0..SHARE).map(|_| whole.part()).collect();
        for room in &mut rooms {
            room.take(usize::MAX).await;
        }
        assert_eq!(whole.free.available_permits(), 0);
        for room in &mut rooms {
            room.take(usize::MAX).await;
        }
        let mut late = whole.part();
        let mut waiting = std::pin::pin!(late.take(1));
        let soon = std::time::Duration::from_millis(20);
        assert!(
            tokio::time::timeout(soon, &mut waiting).await.is_err(),
            "there is no room"
        );
        rooms[3].give_back();
        waiting.await;
        rooms.clear();
        assert_eq!(
            whole.free.available_permits(),
            SHARE - 1,
            "whoever is gone has given back all"
        );
    }
}
