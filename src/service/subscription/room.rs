//! How much all subscriptions together may hold of what their readers have not taken.
//!
//! Invariant: the sum of what is held never exceeds the whole. Bytes keep their room until the transport drops them, and they
//! are not made before there is room: who waits keeps nothing but its place. Not counted are what a stream says about itself,
//! and the copy that gRPC-Web makes of bytes to send them as text.
//!
//! Nobody waits for what only it can give: a stream waits when all that it holds is with the transport, which drops it as its
//! reader reads. Whose reader does not is ended, and then its connection is closed (`readers`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pieces::{Piece, cut};

/// The room of all subscriptions.
pub(super) struct WholeRoom {
    free: Arc<Semaphore>,
    units: usize,
}

/// One subscription's part of the room.
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// The most that messages take together: larger ones are let through all the same.
    units_max: usize,
    /// For the messages that are made next.
    reserved: Option<OwnedSemaphorePermit>,
    untaken: Untaken,
}

/// How many pieces of a subscription somebody still holds.
#[derive(Clone, Default)]
pub(super) struct Untaken(Arc<AtomicUsize>);

/// A piece of some messages, with the room of all of them.
struct Held {
    bytes: Bytes,
    untaken: Untaken,
    /// Held until it is dropped with the last piece: until then the memory is not free either.
    _room: Arc<Option<OwnedSemaphorePermit>>,
}

/// It is given out in pieces of so many bytes.
const UNIT_BYTES: usize = 1024;
/// Messages take together at most such a part of it.
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
            units_max: self.units / SHARE,
            reserved: None,
            untaken: Untaken::default(),
        }
    }

    /// Whether more than half of it is taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.free.available_permits() < self.units / 2
    }
}

impl Room {
    /// What is held of it.
    pub(super) fn untaken(&self) -> Untaken {
        self.untaken.clone()
    }

    /// Reserves room for so many bytes if there is enough now.
    pub(super) fn try_reserve(&mut self, bytes: usize) -> bool {
        if !self.is_reserved(bytes) {
            self.reserved = None;
            let free = Arc::clone(&self.free);
            self.reserved = free.try_acquire_many_owned(self.units(bytes)).ok();
        }
        self.reserved.is_some()
    }

    /// Reserves room for so many bytes when there is enough.
    pub(super) async fn reserve(&mut self, bytes: usize) {
        if !self.is_reserved(bytes) {
            // First given back, then waited for: nobody waits for room while it keeps some from others.
            self.reserved = None;
            let free = Arc::clone(&self.free);
            // It is never closed.
            self.reserved = free.acquire_many_owned(self.units(bytes)).await.ok();
        }
    }

    /// The messages in pieces, which keep what was reserved of the room for as long as somebody has them. What was reserved
    /// beyond them is free.
    pub(super) fn fill(&mut self, messages: Bytes) -> Vec<Piece> {
        let mut room = self.reserved.take();
        if let Some(room) = &mut room {
            let units = usize::try_from(self.units(messages.len())).unwrap_or(usize::MAX);
            drop(room.split(room.num_permits().saturating_sub(units)));
        }
        let room = Arc::new(room);
        let mut pieces = cut(messages);
        for piece in &mut pieces {
            self.untaken.0.fetch_add(1, Ordering::Relaxed);
            piece.bytes = Bytes::from_owner(Held {
                bytes: std::mem::take(&mut piece.bytes),
                untaken: self.untaken.clone(),
                _room: Arc::clone(&room),
            });
        }
        pieces
    }

    /// Gives back what is reserved: nothing comes.
    pub(super) fn give_back(&mut self) {
        self.reserved = None;
    }

    fn is_reserved(&self, bytes: usize) -> bool {
        let units = usize::try_from(self.units(bytes)).unwrap_or(usize::MAX);
        self.reserved
            .as_ref()
            .is_some_and(|reserved| reserved.num_permits() >= units)
    }

    fn units(&self, bytes: usize) -> u32 {
        let units = bytes.div_ceil(UNIT_BYTES).clamp(1, self.units_max);
        u32::try_from(units).unwrap_or(u32::MAX)
    }
}

impl Untaken {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.untaken.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: usize = 64;

    fn messages(bytes: usize) -> Bytes {
        (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    async fn filled(room: &mut Room, bytes: usize) -> Vec<Piece> {
        room.reserve(bytes).await;
        room.fill(messages(bytes))
    }

    #[tokio::test]
    async fn the_sum_of_what_is_held_never_exceeds_the_whole() {
        let whole = WholeRoom::of(WHOLE * UNIT_BYTES);
        let mut rooms: Vec<Room> = (0..SHARE).map(|_| whole.part()).collect();
        let (mut held, mut taken) = (Vec::new(), Vec::new());
        for (at, bytes) in [1, 1, 1024, 1025, 5000, 100_000, 1_000_000, 7]
            .into_iter()
            .enumerate()
        {
            let before = whole.free.available_permits();
            held.push(filled(&mut rooms[at], bytes).await);
            taken.push(before - whole.free.available_permits());
        }
        assert_eq!(taken, [1, 1, 1, 2, 5, 8, 8, 1], "at most an eighth at once");
        assert!(!whole.is_crowded(), "27 of 64 are taken");
        held.push(filled(&mut rooms[0], 100_000).await);
        assert!(whole.is_crowded(), "35 of 64");
        for _ in 0..3 {
            held.push(filled(&mut rooms[0], 100_000).await);
        }
        assert!(!rooms[0].try_reserve(6 * UNIT_BYTES), "5 of 64 are left");
        assert!(rooms[0].try_reserve(5 * UNIT_BYTES));
    }

    #[tokio::test]
    async fn room_comes_back_with_the_last_piece_and_not_with_the_stream() {
        let whole = WholeRoom::of(WHOLE * UNIT_BYTES);
        let mut room = whole.part();
        let untaken = room.untaken();
        let written = messages(45 * UNIT_BYTES);
        room.reserve(written.len()).await;
        let mut pieces: Vec<Bytes> = room
            .fill(written.clone())
            .into_iter()
            .map(|piece| piece.bytes)
            .collect();
        assert_eq!(
            (pieces.len(), pieces.concat()),
            (3, written.to_vec()),
            "nothing is lost"
        );
        // A stream asks for more, and ends, while the transport holds what it was given.
        drop(room);
        while let Some(piece) = pieces.pop() {
            assert_eq!(untaken.count(), pieces.len() + 1);
            assert_eq!(whole.free.available_permits(), WHOLE - 8, "{} more", pieces.len());
            let of_it = piece.slice(..1);
            drop(piece);
            assert_eq!(untaken.count(), pieces.len() + 1, "a part of it is there");
            drop(of_it);
        }
        assert_eq!((untaken.count(), whole.free.available_permits()), (0, WHOLE));
    }

    #[tokio::test]
    async fn whoever_waits_keeps_no_room_and_is_let_in_by_who_has_read() {
        let whole = WholeRoom::of(SHARE * UNIT_BYTES);
        let mut rooms: Vec<Room> = (0..SHARE).map(|_| whole.part()).collect();
        let mut held = Vec::new();
        for room in &mut rooms {
            held.push(filled(room, 100_000).await);
        }
        assert_eq!(whole.free.available_permits(), 0);
        let mut late = whole.part();
        assert!(!late.try_reserve(1));
        {
            let mut waiting = std::pin::pin!(late.reserve(1));
            let soon = std::time::Duration::from_millis(20);
            assert!(
                tokio::time::timeout(soon, &mut waiting).await.is_err(),
                "there is no room"
            );
            held.remove(3);
            waiting.await;
        }
        drop((held, late));
        assert_eq!(
            whole.free.available_permits(),
            SHARE,
            "whoever is gone has given back all"
        );
    }

    #[tokio::test]
    async fn what_is_reserved_beyond_what_comes_is_free_and_what_is_too_little_is_reserved_anew() {
        let whole = WholeRoom::of(WHOLE * UNIT_BYTES);
        let free = || whole.free.available_permits();
        let mut room = whole.part();
        room.reserve(5000).await;
        assert_eq!(free(), WHOLE - 5);
        assert!(room.try_reserve(3000), "that is enough for less");
        assert_eq!(free(), WHOLE - 5);
        let held = room.fill(messages(2000));
        assert_eq!(free(), WHOLE - 2);
        room.reserve(2000).await;
        room.reserve(6000).await;
        assert_eq!(free(), WHOLE - 2 - 6, "not what was reserved and more");
        room.give_back();
        drop(held);
        assert_eq!(free(), WHOLE);
    }
}
