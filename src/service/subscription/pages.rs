//! Consecutive messages of one audience as the bytes that go onto the wire, and which of them are kept for the next reader.
//!
//! Invariant: what is kept is bounded in bytes, an audience's and all audiences' together. What was used last is kept longest:
//! a reader who is late finds what the one before it has made, wherever that is in the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prost::bytes::Bytes;

use super::Position;
use crate::domain::Revision;

/// Messages behind a revision, up to another.
#[derive(Clone)]
pub(super) struct Page {
    /// As gRPC sends them; empty: nothing was for this audience.
    pub(super) framed: Bytes,
    /// How far it goes.
    pub(super) last: Position,
}

/// Pages by their first revision, in two generations: what is not asked for while the younger one fills up is let go.
pub(super) struct Pages {
    younger: BTreeMap<Revision, Page>,
    older: BTreeMap<Revision, Page>,
    younger_bytes: usize,
    older_bytes: usize,
    /// What all audiences keep, in bytes.
    all_bytes: Arc<AtomicUsize>,
}

/// What one generation keeps, in bytes.
const GENERATION_BYTES: usize = 1024 * 1024;
/// The same where the audiences together keep more than `ALL_BYTES`.
const GENERATION_BYTES_IN_A_CROWD: usize = 64 * 1024;
const ALL_BYTES: usize = 64 * 1024 * 1024;
/// What a page takes beside its messages.
const ENTRY_BYTES: usize = 128;

impl Pages {
    pub(super) fn among(all_bytes: &Arc<AtomicUsize>) -> Self {
        Self {
            younger: BTreeMap::new(),
            older: BTreeMap::new(),
            younger_bytes: 0,
            older_bytes: 0,
            all_bytes: Arc::clone(all_bytes),
        }
    }

    /// The page that begins with a revision.
    pub(super) fn get(&mut self, first: Revision) -> Option<Page> {
        if let Some(page) = self.younger.get(&first) {
            return Some(page.clone());
        }
        let page = self.older.remove(&first)?;
        let bytes = page.bytes();
        self.older_bytes -= bytes;
        self.all_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.keep(first, page.clone());
        Some(page)
    }

    pub(super) fn keep(&mut self, first: Revision, page: Page) {
        let bytes = page.bytes();
        self.younger_bytes += bytes;
        let all = self.all_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(same) = self.younger.insert(first, page) {
            self.younger_bytes -= same.bytes();
            self.all_bytes.fetch_sub(same.bytes(), Ordering::Relaxed);
        }
        let full = if all > ALL_BYTES {
            GENERATION_BYTES_IN_A_CROWD
        } else {
            GENERATION_BYTES
        };
        if self.younger_bytes > full {
            self.all_bytes.fetch_sub(self.older_bytes, Ordering::Relaxed);
            self.older = std::mem::take(&mut self.younger);
            self.older_bytes = std::mem::take(&mut self.younger_bytes);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let sum = |pages: &BTreeMap<Revision, Page>| pages.values().map(Page::bytes).sum::<usize>();
        assert_eq!(
            (sum(&self.younger), sum(&self.older)),
            (self.younger_bytes, self.older_bytes)
        );
        self.younger_bytes + self.older_bytes
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let bytes = self.younger_bytes + self.older_bytes;
        self.all_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Page {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.framed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Root;

    fn page(bytes: usize) -> Page {
        Page {
            framed: vec![1; bytes].into(),
            last: Position {
                revision: Revision(1),
                root: Root([0; 32]),
            },
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_used_last_stays_also_when_it_is_old() {
        let all = Arc::default();
        let mut pages = Pages::among(&all);
        pages.keep(Revision(1), page(1000));
        for revision in 2..10_000 {
            pages.keep(Revision(revision), page(1000));
            assert!(pages.get(Revision(1)).is_some(), "it is asked for all the time");
            assert!(pages.bytes() <= 2 * (GENERATION_BYTES + 1128));
            assert_eq!(pages.bytes(), all.load(Ordering::Relaxed));
        }
        assert!(pages.get(Revision(2)).is_none(), "nobody asked for it");
        assert!(pages.get(Revision(9_999)).is_some());
        // Beside audiences that keep much already it keeps little.
        all.fetch_add(ALL_BYTES, Ordering::Relaxed);
        for revision in 10_000..10_500 {
            pages.keep(Revision(revision), page(1000));
        }
        assert!(pages.bytes() <= 2 * (GENERATION_BYTES_IN_A_CROWD + 1128));
        drop(pages);
        assert_eq!(all.load(Ordering::Relaxed), ALL_BYTES);
    }
}
