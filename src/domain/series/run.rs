//! A run of neighbouring points in order, however it lies: one by one, or packed in columns. Where the order comes from
//! it does not know.

use std::ops::Range;

use super::column::Column;
use super::point::Point;
use crate::domain::Timestamp;

/// Points packed column by column; never none.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    times: Column,
    /// The last of the times, so that whether a run lies in a range is known without a look into its columns.
    last: Timestamp,
    values: Box<[f64]>,
    revisions: Column,
    sources: Column,
}

/// A run to look at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run<'a> {
    Open(&'a [Point]),
    Packed(&'a Packed),
}

impl Packed {
    pub(super) fn new(points: &[Point]) -> Self {
        let signed = |number: u64| number.cast_signed();
        Self {
            last: points.last().map_or(Timestamp::MIN, |last| last.effective_time()),
            times: Column::pack(points.iter().map(|point| point.effective_time().as_micros())),
            values: points.iter().map(|point| point.value()).collect(),
            revisions: Column::pack(points.iter().map(|point| signed(point.revision().0))),
            sources: Column::pack(points.iter().map(|point| signed(point.source()))),
        }
    }

    /// Some of its points one by one.
    pub(super) fn points(&self, within: Range<usize>) -> Vec<Point> {
        let mut lowest = Point::new(
            Timestamp::from_micros(self.times.lowest()),
            0.0,
            self.sources.lowest().cast_unsigned(),
            self.revisions.lowest().cast_unsigned(),
        );
        let with_value = |value: &f64| {
            lowest.value = *value;
            lowest
        };
        let mut points: Vec<Point> = self.values[within.clone()].iter().map(with_value).collect();
        self.times
            .each(within.clone(), points.iter_mut(), |point, micros| {
                point.effective_time = Timestamp::from_micros(micros);
            });
        self.revisions
            .each(within.clone(), points.iter_mut(), |point, revision| {
                point.set_revision(revision.cast_unsigned());
            });
        self.sources.each(within, points.iter_mut(), |point, source| {
            point.set_source(source.cast_unsigned());
        });
        points
    }

    #[inline]
    fn point(&self, at: usize) -> Point {
        Point::new(
            Timestamp::from_micros(self.times.get(at)),
            self.values[at],
            self.sources.get(at).cast_unsigned(),
            self.revisions.get(at).cast_unsigned(),
        )
    }
}

impl Run<'_> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Open(points) => points.len(),
            Self::Packed(packed) => packed.values.len(),
        }
    }

    /// Some of its points one by one.
    pub(super) fn points(self, within: Range<usize>) -> Vec<Point> {
        match self {
            Self::Open(points) => points[within].to_vec(),
            Self::Packed(packed) => packed.points(within),
        }
    }

    /// The point at a place of the run.
    #[inline]
    pub(super) fn point(self, at: usize) -> Point {
        match self {
            Self::Open(points) => points[at],
            Self::Packed(packed) => packed.point(at),
        }
    }

    pub(super) fn last(self) -> Option<Point> {
        self.len().checked_sub(1).map(|at| self.point(at))
    }

    /// How many of its points, from its first on, are so, given that none is so behind one that is not.
    pub(super) fn partition_point(self, so: impl Fn(Point) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match so(self.point(middle)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// How many of its points are earlier than a moment.
    pub(super) fn count_before(self, moment: Timestamp) -> usize {
        let (first, last) = match self {
            Self::Open([]) => return 0,
            Self::Open([first, .., last]) => (first.effective_time(), last.effective_time()),
            Self::Open([only]) => (only.effective_time(), only.effective_time()),
            Self::Packed(packed) => (Timestamp::from_micros(packed.times.lowest()), packed.last),
        };
        if moment <= first {
            0
        } else if last < moment {
            self.len()
        } else {
            self.partition_point(|point| point.effective_time() < moment)
        }
    }
}
