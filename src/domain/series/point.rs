//! One known value of a series, in 24 bytes.

use crate::domain::{Revision, Timestamp};

/// One known value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub(super) effective_time: Timestamp,
    pub(super) value: f64,
    /// The source's number in the upper 24 bits, the revision in the lower 40.
    source_and_revision: u64,
}

const REVISION_BITS: u32 = 40;
const REVISION: u64 = (1 << REVISION_BITS) - 1;

impl Point {
    #[inline]
    pub(super) fn new(effective_time: Timestamp, value: f64, source: u64, revision: u64) -> Self {
        Self {
            effective_time,
            value,
            source_and_revision: source << REVISION_BITS | (revision & REVISION),
        }
    }

    #[inline]
    pub(super) fn set_revision(&mut self, revision: u64) {
        *self = Self::new(self.effective_time, self.value, self.source(), revision);
    }

    #[inline]
    pub(super) fn set_source(&mut self, source: u64) {
        *self = Self::new(self.effective_time, self.value, source, self.revision().0);
    }

    /// When it was true.
    #[must_use]
    pub fn effective_time(self) -> Timestamp {
        self.effective_time
    }

    /// The value.
    #[must_use]
    pub fn value(self) -> f64 {
        self.value
    }

    /// The revision that recorded it.
    #[must_use]
    pub fn revision(self) -> Revision {
        Revision(self.source_and_revision & REVISION)
    }

    /// The number of its source in its series.
    pub(super) fn source(self) -> u64 {
        self.source_and_revision >> REVISION_BITS
    }
}
