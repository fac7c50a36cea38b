//! A histogram of whole numbers: how many were at most so large, for each of some bounds, and their sum.
//!
//! Invariant: counting waits for nobody and costs two additions. Who reads meanwhile may see a number in the sum that is not
//! in a bucket yet, or the other way round; how many there are is always the sum of the buckets. It does not know who reads it,
//! nor in which form.

use std::sync::atomic::{AtomicU64, Ordering};

/// A histogram that is counted into.
#[derive(Debug)]
pub struct Histogram {
    /// The largest number of each bucket, ascending.
    bounds: &'static [u64],
    /// One for each bound, and one for what is above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram has counted up to a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The largest number of each bucket and how many were in it, ascending; the last one has no end.
    pub buckets: Vec<(Option<u64>, u64)>,
    /// The sum of the numbers.
    pub sum: u64,
}

impl Histogram {
    /// An empty one. The bounds ascend.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a number.
    pub fn observe(&self, number: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < number);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    /// What was counted.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Counted {
            buckets: bounds.zip(counts).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Counted {
    /// How many numbers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let histogram = Histogram::new(&[1, 10, 100]);
        for number in [0, 1, 2, 10, 11, 100, 101, 1_000] {
            histogram.observe(number);
        }
        let counted = histogram.counted();
        assert_eq!(
            counted.buckets,
            [(Some(1), 2), (Some(10), 2), (Some(100), 2), (None, 2)]
        );
        assert_eq!((counted.count(), counted.sum), (8, 1_225));
    }

    #[test]
    fn nothing_that_many_count_at_once_is_lost() {
        let histogram = Histogram::new(&[5]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|at| histogram.observe(at % 10)));
            }
        });
        let counted = histogram.counted();
        assert_eq!(counted.buckets, [(Some(5), 2_400), (None, 1_600)]);
        assert_eq!(counted.sum, 18_000);
    }
}
