//! The access record: calls that were refused or denied, kept for the auditor beside the log, within a bound.
//!
//! It is no part of the log. A log says what happened, whole and for ever; this says what somebody tried, as far back as its
//! bytes reach, and may lose its newest entries with the power. So it has its own directory (`access/` in the data
//! directory), its own format (`entry`, `segment`), and no part of it ever stops a start or a call.
//!
//! Invariants: it never takes more bytes on the disk than it may; what it answers was written as it is; whoever leaves an
//! attempt here waits neither for the disk nor for another, and what does not fit into the queue is counted.
//!
//! It does not know gRPC, nor what is refused and why: that is for who leaves an attempt here.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

mod attempt;
mod entry;
mod page;
mod ring;
mod segment;

#[cfg(test)]
mod tests;

pub use attempt::{Attempt, Texts};
pub use entry::Kept;
pub use page::Page;

use crate::domain::Timestamp;
use ring::{Index, Ring};

/// The access record of a server. A copy is another hand on the same one.
#[derive(Clone, Debug, Default)]
pub struct AccessRecord(Option<Arc<Hand>>);

/// When the last one is gone, the writer ends behind what was left with it.
#[derive(Debug)]
struct Hand(Arc<Shared>);

/// Between those who leave attempts, the writer, and readers.
#[derive(Debug)]
struct Shared {
    bytes_max: u64,
    queue: Mutex<Queue>,
    /// There is something to write, or something was written.
    changed: Condvar,
    /// Attempts that were not kept.
    dropped: AtomicU64,
    /// Set when it is opened.
    place: OnceLock<Place>,
}

/// Where it is on the disk.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
    index: Index,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Attempt>,
    waiting_bytes: usize,
    /// How many were ever left here, and how many of them the writer is done with.
    left: u64,
    done: u64,
    is_closed: bool,
    has_ended: bool,
}

/// The fewest bytes that a record may have: of eight segments each holds at least one entry.
pub const BYTES_MIN: u64 = 128 * 1024;
/// How many bytes it has unless somebody says otherwise.
pub const BYTES_DEFAULT: u64 = 16 * 1024 * 1024;
/// What waits for the disk, in bytes: some thousands of attempts.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a reader waits for what was left before it came, and how long the end of a server waits for the writer.
const READER_WAIT: Duration = Duration::from_secs(5);
const CLOSE_WAIT: Duration = Duration::from_secs(5);

impl AccessRecord {
    /// A record of at most so many bytes, which has no place yet. What is left with it waits until it has one.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        Self(Some(Arc::new(Hand(Arc::new(Shared {
            bytes_max: bytes_max.max(BYTES_MIN),
            queue: Mutex::default(),
            changed: Condvar::new(),
            dropped: AtomicU64::new(0),
            place: OnceLock::new(),
        })))))
    }

    /// A record that keeps nothing, for a server without a data directory.
    #[must_use]
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Gives it its place and begins to write. A directory that cannot be had is warned about: then nothing is kept, and all of
    /// it is counted. Whoever calls it has made sure that no other process writes there.
    pub fn open(&self, dir: &Path) {
        let Some(shared) = self.shared().filter(|shared| shared.place.get().is_none()) else {
            return;
        };
        let opened = Ring::open(dir, shared.bytes_max).and_then(|ring| {
            let index = ring.index();
            let writer = Arc::clone(shared);
            let thread = std::thread::Builder::new().name("access-record".to_owned());
            thread.spawn(move || writer.write_on(ring))?;
            Ok(index)
        });
        match opened {
            Ok(index) => {
                let dir = dir.to_owned();
                let _opened_twice = shared.place.set(Place { dir, index });
            }
            Err(error) => {
                tracing::warn!(
                    dir = %dir.display(), cause = %error,
                    "the access record has no place: refused and denied calls are counted and not kept"
                );
                let mut queue = shared.queue();
                queue.is_closed = true;
                queue.has_ended = true;
                shared
                    .dropped
                    .fetch_add(queue.waiting.len() as u64, Ordering::Relaxed);
                queue.waiting.clear();
                queue.done = queue.left;
            }
        }
    }

    /// Leaves an attempt here. It does not wait: what finds no room is counted.
    pub fn keep(&self, attempt: Attempt) {
        let Some(shared) = self.shared() else { return };
        let attempt = attempt.cut();
        let mut queue = shared.queue();
        let bytes = attempt.bytes();
        if queue.is_closed || queue.waiting_bytes + bytes > WAITING_BYTES_MAX {
            drop(queue);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.waiting_bytes += bytes;
        queue.waiting.push_back(attempt);
        queue.left += 1;
        drop(queue);
        shared.changed.notify_all();
    }

    /// At most so many attempts that are `wanted`, newest first, from those before a number on; none: from the newest. What was
    /// left before the call is in it, unless the disk takes longer than five seconds. It reads files, so it blocks.
    #[must_use]
    pub fn page(&self, before: Option<u64>, count_max: usize, wanted: impl Fn(&Attempt) -> bool) -> Page {
        let Some(shared) = self.shared() else {
            return Page::default();
        };
        if before.is_none() {
            shared.wait_until(READER_WAIT, |queue, left| queue.done >= left);
        }
        let Some(place) = shared.place.get() else {
            return Page::default();
        };
        let segments = place.index.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Page::read(
            &place.dir,
            &segments,
            before.unwrap_or(u64::MAX),
            count_max,
            wanted,
        )
    }

    /// When the oldest attempt that is remembered was refused.
    #[must_use]
    pub fn oldest_time(&self) -> Option<Timestamp> {
        let place = self.shared()?.place.get()?;
        let segments = place.index.lock().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find_map(|segment| segment.oldest)
    }

    /// How many attempts were not kept since the start: too many came at once, or the disk refused them.
    #[must_use]
    pub fn dropped_count(&self) -> u64 {
        self.shared()
            .map_or(0, |shared| shared.dropped.load(Ordering::Relaxed))
    }

    /// Writes what waits and makes it durable. What is left here later is counted and not kept. It blocks, for five seconds at
    /// most.
    pub fn close(&self) {
        let Some(shared) = self.shared() else { return };
        shared.end();
        if shared.place.get().is_some() {
            shared.wait_until(CLOSE_WAIT, |queue, _| queue.has_ended);
        }
    }

    fn shared(&self) -> Option<&Arc<Shared>> {
        self.0.as_ref().map(|hand| &hand.0)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.queue().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits until something holds of the queue, given how many were left here when the waiting began.
    fn wait_until(&self, time_max: Duration, holds: impl Fn(&Queue, u64) -> bool) {
        let queue = self.queue();
        let left = queue.left;
        // Before it has its place nobody writes.
        if self.place.get().is_some() {
            let _waited = self
                .changed
                .wait_timeout_while(queue, time_max, |queue| !holds(queue, left));
        }
    }

    /// The writer: until the record is closed and everything that was left with it is written.
    fn write_on(&self, mut ring: Ring) {
        let mut is_refused = false;
        while let Some(attempts) = self.next() {
            match ring.append(&attempts) {
                Ok(()) => is_refused = false,
                Err((error, lost)) => {
                    self.dropped.fetch_add(lost, Ordering::Relaxed);
                    // Once, until the disk has taken something again.
                    if !std::mem::replace(&mut is_refused, true) {
                        warn_of(&error);
                    }
                }
            }
            self.queue().done += attempts.len() as u64;
            self.changed.notify_all();
        }
        if let Err(error) = ring.sync() {
            warn_of(&error);
        }
        self.queue().has_ended = true;
        self.changed.notify_all();
    }

    /// All that waits; none: there is nothing, and nothing more will come.
    fn next(&self) -> Option<Vec<Attempt>> {
        let mut queue = self.queue();
        while queue.waiting.is_empty() {
            if queue.is_closed {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting_bytes = 0;
        Some(std::mem::take(&mut queue.waiting).into())
    }
}

fn warn_of(error: &io::Error) {
    tracing::warn!(cause = %error, "the access record cannot be written: refused and denied calls are counted and not kept until it can");
}
