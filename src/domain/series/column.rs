//! A column of whole numbers that lie near each other: the smallest, and how far above it each of them is, in as few
//! bytes as the farthest needs. Zeros at the low end that all distances share (whole milliseconds, whole days) are left
//! out. What the numbers mean it does not know.

use std::ops::Range;

/// Numbers that are read and never changed.
#[derive(Clone, Debug)]
pub(super) struct Column {
    lowest: i64,
    /// How many low bits of the distances are left out.
    shift: u32,
    distances: Distances,
}

#[derive(Clone, Debug)]
enum Distances {
    /// All numbers are the same.
    None,
    One(Box<[u8]>),
    Two(Box<[u16]>),
    Four(Box<[u32]>),
    Eight(Box<[u64]>),
}

impl Column {
    /// Packs some numbers in their order.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the width is chosen so that every distance fits"
    )]
    pub(super) fn pack(numbers: impl Iterator<Item = i64> + Clone) -> Self {
        let lowest = numbers.clone().min().unwrap_or_default();
        let distances = numbers.map(|number| number.wrapping_sub(lowest).cast_unsigned());
        let bits = distances.clone().fold(0, |bits, distance| bits | distance);
        // Of no bits at all there are 64 zeros at the low end, which is no shift.
        let shift = bits.trailing_zeros() % u64::BITS;
        let short = distances.map(|distance| distance >> shift);
        let distances = match u64::BITS - (bits >> shift).leading_zeros() {
            0 => Distances::None,
            1..=8 => Distances::One(short.map(|distance| distance as u8).collect()),
            9..=16 => Distances::Two(short.map(|distance| distance as u16).collect()),
            17..=32 => Distances::Four(short.map(|distance| distance as u32).collect()),
            _ => Distances::Eight(short.collect()),
        };
        Self {
            lowest,
            shift,
            distances,
        }
    }

    /// The number at a place of the column.
    #[inline]
    pub(super) fn get(&self, at: usize) -> i64 {
        self.number(match &self.distances {
            Distances::None => 0,
            Distances::One(distances) => u64::from(distances[at]),
            Distances::Two(distances) => u64::from(distances[at]),
            Distances::Four(distances) => u64::from(distances[at]),
            Distances::Eight(distances) => distances[at],
        })
    }

    /// The smallest of its numbers.
    pub(super) fn lowest(&self) -> i64 {
        self.lowest
    }

    /// Hands the numbers at some places on, each with one of `to`, which stands for the lowest already: a loop for each
    /// width, and none where all are the same, so that a number takes a fraction of a nanosecond.
    #[inline]
    pub(super) fn each<'a, T: 'a>(
        &self,
        within: Range<usize>,
        to: impl Iterator<Item = &'a mut T>,
        put: impl Fn(&mut T, i64),
    ) {
        match &self.distances {
            Distances::None => {}
            Distances::One(distances) => self.each_of(&distances[within], to, put),
            Distances::Two(distances) => self.each_of(&distances[within], to, put),
            Distances::Four(distances) => self.each_of(&distances[within], to, put),
            Distances::Eight(distances) => self.each_of(&distances[within], to, put),
        }
    }

    #[inline]
    fn each_of<'a, T: 'a>(
        &self,
        distances: &[impl Copy + Into<u64>],
        to: impl Iterator<Item = &'a mut T>,
        put: impl Fn(&mut T, i64),
    ) {
        for (to, distance) in to.zip(distances) {
            put(to, self.number((*distance).into()));
        }
    }

    #[inline]
    fn number(&self, short: u64) -> i64 {
        self.lowest.wrapping_add((short << self.shift).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_each(column: &Column) -> usize {
        match column.distances {
            Distances::None => 0,
            Distances::One(_) => 1,
            Distances::Two(_) => 2,
            Distances::Four(_) => 4,
            Distances::Eight(_) => 8,
        }
    }

    #[test]
    fn a_column_takes_as_many_bytes_as_its_farthest_number_needs() {
        const DAY: i64 = 86_400_000_000;
        for (numbers, bytes) in [
            (vec![], 0),
            (vec![7; 9], 0),
            (vec![-3, 252], 1),
            (vec![0, 1, 256], 2),
            (vec![0, 1, 65_536], 4),
            (vec![0, 1, 1 << 32], 8),
            (vec![i64::MIN, 0, i64::MAX], 8),
            (vec![0, 1 << 62], 1),
            // Milliseconds and days in microseconds.
            ((0..256).map(|n| n * 1000).collect(), 2),
            ((0..256).map(|n| n * DAY).collect(), 4),
        ] {
            let column = Column::pack(numbers.iter().copied());
            assert_eq!(bytes_each(&column), bytes, "{numbers:?}");
            let back: Vec<i64> = (0..numbers.len()).map(|at| column.get(at)).collect();
            assert_eq!(back, numbers);
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_back(numbers in prop::collection::vec(any::<i64>(), 0..40), shift in 0u32..64) {
            let numbers: Vec<i64> = numbers.iter().map(|number| number >> shift).collect();
            let column = Column::pack(numbers.iter().copied());
            let back: Vec<i64> = (0..numbers.len()).map(|at| column.get(at)).collect();
            prop_assert_eq!(back, numbers);
        }
    }
}
