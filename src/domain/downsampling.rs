//! Fewer points for a picture: those that the eye would miss.
//!
//! Largest-Triangle-Three-Buckets after Sveinn Steinarsson, "Downsampling Time Series for Visual Representation" (2013):
//! the points between the first and the last are divided into buckets by their number, and of each bucket the one is kept
//! that makes the largest triangle with the one kept before and the mean of the next bucket. Of very many points, the
//! lowest and the highest of smaller buckets are taken beforehand, after Van Der Donckt et al., "MinMaxLTTB" (2023): that
//! needs no memory for all of them, and a tenth of the time.
//!
//! Invariant: first and last are kept, the order is kept, nothing is invented, and there are exactly as many as asked for.
//! The crates at hand want all points as pairs of floats in memory (`minmaxlttb` 0.1), or have not moved for years (`lttb`
//! 0.2); these are the lines that they would save.

/// Where a point is in the picture.
pub type Spot = (f64, f64);

/// What was seen of a bucket: heights with their points.
struct Seen<T> {
    lowest: (f64, T),
    highest: (f64, T),
    highest_is_last: bool,
}

/// Of very many points, so many are looked at for each one kept.
const PRESELECTED: usize = 4;

/// What is left of some points.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture<T> {
    /// In their order.
    pub points: Vec<T>,
    /// The lowest and the highest of all, also of those that were left out; none: there were no points.
    pub extremes: Option<Spot>,
}

/// `count` points, or `kept` of them if there are more. `spot` says where a point is; of fewer than two, the first and the
/// last are kept all the same.
pub fn downsample<T: Copy>(
    points: impl Iterator<Item = T>,
    count: usize,
    kept: usize,
    spot: impl Fn(T) -> Spot,
) -> Picture<T> {
    let kept = kept.max(2);
    let looked_at: Vec<T> = match count <= kept.saturating_mul(PRESELECTED) {
        true => points.collect(),
        false => lows_and_highs(points, count, kept.saturating_mul(PRESELECTED / 2), |point| {
            spot(point).1
        }),
    };
    let heights = looked_at.iter().map(|point| spot(*point).1);
    let extremes = heights.fold(None, |extremes: Option<Spot>, height| {
        let (lowest, highest) = extremes.unwrap_or((height, height));
        Some((lowest.min(height), highest.max(height)))
    });
    let points = match looked_at.len() <= kept {
        true => looked_at,
        false => largest_triangles(&looked_at, kept, spot),
    };
    Picture { points, extremes }
}

/// The first, the last, and the lowest and the highest of each bucket of those between them, in their order.
fn lows_and_highs<T: Copy>(
    points: impl Iterator<Item = T>,
    count: usize,
    buckets: usize,
    height: impl Fn(T) -> f64,
) -> Vec<T> {
    let inner = count.saturating_sub(2);
    let mut kept = Vec::with_capacity(2 * buckets + 2);
    let (mut bucket, mut at) = (0, 0);
    // Where the bucket ends; the first point lies in front of all buckets.
    let mut end = 1;
    let mut seen: Option<Seen<T>> = None;
    points.for_each(|point| {
        if at == end {
            kept.extend(seen.take().into_iter().flat_map(Seen::in_order));
            bucket += 1;
            // Behind the last bucket lies the last point.
            end = match bucket > buckets {
                true => usize::MAX,
                false => 1 + bucket * inner / buckets,
            };
        }
        let height = height(point);
        match &mut seen {
            None => seen = Some(Seen::first(height, point)),
            Some(seen) => seen.add(height, point),
        }
        at += 1;
    });
    kept.extend(seen.into_iter().flat_map(Seen::in_order));
    kept
}

impl<T: Copy> Seen<T> {
    fn first(height: f64, point: T) -> Self {
        Self {
            lowest: (height, point),
            highest: (height, point),
            highest_is_last: true,
        }
    }

    #[inline]
    fn add(&mut self, height: f64, point: T) {
        if height < self.lowest.0 {
            self.lowest = (height, point);
            self.highest_is_last = false;
        }
        if height > self.highest.0 {
            self.highest = (height, point);
            self.highest_is_last = true;
        }
    }

    /// The lowest and the highest in the order in which they came, once if all are as high.
    fn in_order(self) -> impl Iterator<Item = T> {
        let (lowest, highest) = (self.lowest.1, self.highest.1);
        let (first, second) = match self.highest_is_last {
            true => (lowest, highest),
            false => (highest, lowest),
        };
        let more = self.lowest.0 < self.highest.0;
        std::iter::once(first).chain(more.then_some(second))
    }
}

fn largest_triangles<T: Copy>(points: &[T], kept: usize, spot: impl Fn(T) -> Spot) -> Vec<T> {
    let ([first, inner @ .., last], Some(buckets)) = (points, kept.checked_sub(2)) else {
        return points.to_vec();
    };
    let edge = |bucket: usize| bucket * inner.len() / buckets.max(1);
    let mut chosen = Vec::with_capacity(kept);
    chosen.push(*first);
    let mut before = spot(*first);
    for bucket in 0..buckets {
        let next = match bucket + 1 == buckets {
            true => spot(*last),
            false => mean(&inner[edge(bucket + 1)..edge(bucket + 2)], &spot),
        };
        let mut largest = None;
        for point in &inner[edge(bucket)..edge(bucket + 1)] {
            let size = triangle(before, spot(*point), next);
            if largest.is_none_or(|(largest, _)| size > largest) {
                largest = Some((size, *point));
            }
        }
        if let Some((_, point)) = largest {
            chosen.push(point);
            before = spot(point);
        }
    }
    chosen.push(*last);
    chosen
}

fn mean<T: Copy>(points: &[T], spot: impl Fn(T) -> Spot) -> Spot {
    let sum = points
        .iter()
        .map(|point| spot(*point))
        .fold((0.0, 0.0), |sum, spot| (sum.0 + spot.0, sum.1 + spot.1));
    let count = points.len().max(1) as f64;
    (sum.0 / count, sum.1 / count)
}

/// Twice the area of a triangle.
fn triangle(a: Spot, b: Spot, c: Spot) -> f64 {
    ((a.0 - c.0) * (b.1 - a.1) - (a.0 - b.0) * (c.1 - a.1)).abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn invariant_ends_are_kept(points: &[(u32, f64)], kept: &[(u32, f64)]) -> Result<(), TestCaseError> {
        prop_assert_eq!(kept.first(), points.first());
        prop_assert_eq!(kept.last(), points.last());
        Ok(())
    }

    /// Of points with ascending first parts.
    fn invariant_order_is_kept_and_nothing_invented(
        points: &[(u32, f64)],
        kept: &[(u32, f64)],
    ) -> Result<(), TestCaseError> {
        prop_assert!(kept.windows(2).all(|two| two[0].0 < two[1].0));
        for point in kept {
            prop_assert!(
                points
                    .binary_search_by_key(&point.0, |point| point.0)
                    .is_ok_and(|at| points[at] == *point)
            );
        }
        Ok(())
    }

    fn invariant_as_many_as_asked_for(
        points: &[(u32, f64)],
        kept: &[(u32, f64)],
        n: usize,
    ) -> Result<(), TestCaseError> {
        prop_assert_eq!(kept.len(), points.len().min(n));
        Ok(())
    }

    fn spot((x, y): (u32, f64)) -> Spot {
        (f64::from(x), y)
    }

    proptest! {
        #[test]
        fn fewer_points_keep_ends_and_order_and_invent_nothing(
            heights in prop::collection::btree_map(any::<u32>(), prop_oneof![Just(0.0), -1e15..1e15], 0..3000),
            n in 2usize..400,
        ) {
            let points: Vec<_> = heights.into_iter().collect();
            let picture = downsample(points.iter().copied(), points.len(), n, spot);
            let kept = picture.points;
            let heights = || points.iter().map(|(_, height)| *height);
            let extremes = heights().reduce(f64::min).zip(heights().reduce(f64::max));
            prop_assert_eq!(picture.extremes, extremes);
            invariant_ends_are_kept(&points, &kept)?;
            invariant_order_is_kept_and_nothing_invented(&points, &kept)?;
            invariant_as_many_as_asked_for(&points, &kept, n)?;
        }
    }

    #[test]
    fn one_spike_among_many_flat_points_is_kept() {
        for at in [1_u32, 7, 4_999, 99_998] {
            for depth in [-1.0, 1.0] {
                let points = (0..100_000).map(|x| (x, if x == at { depth } else { 0.0 }));
                let kept = downsample(points, 100_000, 100, spot).points;
                assert!(kept.contains(&(at, depth)), "{depth} at {at}");
            }
        }
    }

    #[test]
    fn the_picture_is_that_of_largest_triangle_three_buckets() {
        // Worked by hand: buckets {1, 2}, {3, 4} between the ends.
        let points = [(0, 0.0), (1, 5.0), (2, 1.0), (3, 0.0), (4, 9.0), (5, 0.0)];
        let kept = downsample(points.into_iter(), 6, 4, spot).points;
        assert_eq!(kept, [(0, 0.0), (1, 5.0), (4, 9.0), (5, 0.0)]);
    }
}
