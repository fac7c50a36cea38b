//! A KPI's measurements as they are known now: a persistent sequence by effective time and source id.
//!
//! Points lie in runs that versions share, so that a copy of the whole series is a few pointers and a change copies one
//! run. The run that was changed last lies open; every other is packed in columns, about 12 bytes a point (decision 0009).
//! Two series are equal when they know the same points, however these came and lie. What was superseded or retracted is
//! in the log, not here.

use std::cmp::Ordering;
use std::iter::once;
use std::ops::Range;
use std::sync::Arc;

use imbl::OrdMap;
use smol_str::SmolStr;

mod column;
mod point;
mod run;
mod sources;

pub use point::Point;

use super::{Revision, Timestamp};
use run::{Packed, Run};
use sources::Sources;

/// A series of measurements.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The packed runs by the key of their first point; none is empty, and no two runs overlap.
    packed: OrdMap<Key, Arc<Packed>>,
    /// The run that was changed last; empty when nothing was.
    open: Arc<Vec<Point>>,
    len: usize,
    /// Whether anything was ever recorded.
    begun: bool,
    sources: Sources,
}

/// A place in the order of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The effective time.
    pub effective_time: Timestamp,
    /// The number of the source.
    pub source: u64,
}

/// Where a point stands: its effective time, then its source id.
type Key = (Timestamp, SmolStr);

/// One of the runs.
enum Found {
    Open,
    /// The one that begins here.
    Packed(Key),
}

const RUN_POINTS_MAX: usize = 128;

impl Series {
    /// How many different sources a series may have.
    pub const SOURCES_MAX: usize = Sources::LAST;

    /// How many points are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is known: nothing was recorded, or all of it was retracted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether anything was ever recorded, also when all of it was retracted since.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// What stands for an identity, if anything.
    #[must_use]
    pub fn get(&self, effective_time: Timestamp, source_id: &str) -> Option<Point> {
        let (_, run, at) = self.find(effective_time, source_id)?;
        Some(run.point(at))
    }

    /// Whether one more source would be too many.
    #[must_use]
    pub fn is_full_for(&self, source_id: &str) -> bool {
        self.sources.is_full() && self.sources.number(source_id).is_none()
    }

    /// Puts a value in the place of its identity.
    pub fn record(&mut self, effective_time: Timestamp, source_id: &str, value: f64, revision: Revision) {
        let source = self.sources.number_or_add(source_id);
        let point = Point::new(effective_time, value, source, revision.0);
        self.begun = true;
        if self.grows_at_its_end_with(point) {
            if self.open.len() == RUN_POINTS_MAX {
                self.pack();
            }
            Arc::make_mut(&mut self.open).push(point);
            self.len += 1;
        } else {
            self.insert(point);
        }
    }

    /// Takes an identity out; one that is not known is left alone.
    pub fn remove(&mut self, effective_time: Timestamp, source_id: &str) {
        if let Some((found, _, at)) = self.find(effective_time, source_id) {
            self.open(found).remove(at);
            self.len -= 1;
        }
    }

    /// The latest point by effective time.
    #[must_use]
    pub fn latest(&self) -> Option<Point> {
        match self.packed.get_max() {
            Some((first, packed)) if !self.open_is_behind(first) => Run::Packed(packed).last(),
            _ => self.open.last().copied(),
        }
    }

    /// The latest point before a moment.
    #[must_use]
    pub fn latest_before(&self, end: Timestamp) -> Option<Point> {
        match self.latest() {
            Some(latest) if latest.effective_time() < end => Some(latest),
            _ => self.range_from(Timestamp::MIN, end).next_back(),
        }
    }

    /// The points from `start` (inclusive) to `end` (exclusive), in order.
    pub fn range_from(&self, start: Timestamp, end: Timestamp) -> impl DoubleEndedIterator<Item = Point> {
        self.parts(start, end)
            .flat_map(|(run, within)| run.points(within))
    }

    /// How many points there are from `start` (inclusive) to `end` (exclusive).
    #[must_use]
    pub fn count_from(&self, start: Timestamp, end: Timestamp) -> usize {
        self.parts(start, end).map(|(_, within)| within.len()).sum()
    }

    /// All points, in order.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = Point> {
        self.range_from(Timestamp::MIN, Timestamp::MAX)
    }

    /// The points from `start` (inclusive) to `end` (exclusive) that are behind a place in the order of the series.
    pub fn range_behind(
        &self,
        start: Timestamp,
        end: Timestamp,
        place: Option<Place>,
    ) -> impl Iterator<Item = Point> {
        let start = place.map_or(start, |place| place.effective_time.max(start));
        let seen =
            move |point: &Point| place.is_some_and(|place| self.order(*point, place) != Ordering::Greater);
        self.range_from(start, end).skip_while(seen)
    }

    /// Where a point stands in the order of the series.
    #[must_use]
    pub fn place(&self, point: Point) -> Place {
        Place {
            effective_time: point.effective_time(),
            source: point.source(),
        }
    }

    /// The source id of a point; empty: none.
    #[must_use]
    pub fn source_id(&self, point: Point) -> &str {
        self.sources.name(point.source())
    }

    /// The runs that may reach into a range, in order, each with the places of its points in it.
    fn parts(
        &self,
        start: Timestamp,
        end: Timestamp,
    ) -> impl DoubleEndedIterator<Item = (Run<'_>, Range<usize>)> {
        let key = |at: Timestamp| (at, SmolStr::default());
        // The run that begins before `start` may reach into the range.
        let before = self.packed.get_prev(&key(start));
        let first = before.map_or_else(|| key(start), |(first, _)| first.clone());
        let last = key(end).max(first.clone());
        let open = self.open.first();
        let turn = open.map_or_else(|| last.clone(), |point| self.key(*point));
        let turn = turn.clamp(first.clone(), last.clone());
        let packed = |(_, packed)| Run::Packed(Arc::as_ref(packed));
        self.packed
            .range(first..turn.clone())
            .map(packed)
            .chain(once(Run::Open(&self.open)))
            .chain(self.packed.range(turn..last).map(packed))
            .map(move |run| {
                let begin = run.count_before(start);
                (run, begin..run.count_before(end).max(begin))
            })
    }

    /// The run of a known identity, and the place in it.
    fn find(&self, effective_time: Timestamp, source_id: &str) -> Option<(Found, Run<'_>, usize)> {
        let source = self.sources.number(source_id)?;
        let found = self.run_at(&(effective_time, self.sources.name(source).clone()))?;
        let run = self.run(&found)?;
        let at = self.search(run, effective_time, source).ok()?;
        Some((found, run, at))
    }

    /// Puts a point where it belongs, in the place of what has its identity.
    fn insert(&mut self, point: Point) {
        let key = self.key(point);
        let found = self.run_at(&key).or_else(|| self.run_behind(&key));
        let Some((found, run)) = found.and_then(|found| self.run(&found).map(|run| (found, run))) else {
            return self.begin(point);
        };
        match self.search(run, point.effective_time(), point.source()) {
            Ok(at) => return self.open(found)[at] = point,
            Err(at) if run.len() < RUN_POINTS_MAX => self.open(found).insert(at, point),
            // Beside a full run its neighbour is filled or a new one begins, so that what grows at an end is dense.
            Err(0) => return self.begin(point),
            Err(RUN_POINTS_MAX) => match self.run_behind(&key) {
                Some(next) if self.run(&next).is_some_and(|run| run.len() < RUN_POINTS_MAX) => {
                    self.open(next).insert(0, point);
                }
                _ => return self.begin(point),
            },
            Err(at) => {
                const HALF: usize = RUN_POINTS_MAX / 2;
                let points = self.open(found);
                let back = points.split_off(HALF);
                if at > HALF {
                    self.pack();
                    self.open = Arc::new(back);
                    Arc::make_mut(&mut self.open).insert(at - HALF, point);
                } else {
                    points.insert(at, point);
                    self.put_away(&back);
                }
            }
        }
        self.len += 1;
    }

    /// Begins a run with a point.
    fn begin(&mut self, point: Point) {
        self.pack();
        Arc::make_mut(&mut self.open).push(point);
        self.len += 1;
    }

    /// The points of a run, to be changed; what lies open is packed before.
    fn open(&mut self, found: Found) -> &mut Vec<Point> {
        if let Found::Packed(first) = found {
            self.pack();
            if let Some(packed) = self.packed.remove(&first) {
                self.open = Arc::new(packed.points(0..Run::Packed(&packed).len()));
            }
        }
        Arc::make_mut(&mut self.open)
    }

    /// Packs what lies open; nothing lies open behind it.
    fn pack(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.put_away(&open);
    }

    fn put_away(&mut self, points: &[Point]) {
        if let Some(first) = points.first() {
            self.packed
                .insert(self.key(*first), Arc::new(Packed::new(points)));
        }
    }

    /// Whether a point belongs behind all others, and the open run is where it goes.
    fn grows_at_its_end_with(&self, point: Point) -> bool {
        let last = match (self.open.last(), self.packed.get_max()) {
            (Some(last), Some((first, _))) if self.open_is_behind(first) => Some(*last),
            (Some(_), Some(_)) => return false,
            (Some(last), None) => Some(*last),
            (None, newest) => newest.and_then(|(_, packed)| Run::Packed(packed).last()),
        };
        last.is_none_or(|last| self.order(last, self.place(point)) == Ordering::Less)
    }

    /// Whether the open run has points, and they are behind a key.
    fn open_is_behind(&self, key: &Key) -> bool {
        self.open
            .first()
            .is_some_and(|first| self.order_by_key(*first, key) == Ordering::Greater)
    }

    /// The last run that begins at a key or before it.
    fn run_at(&self, key: &Key) -> Option<Found> {
        let packed = self.packed.get_prev(key).map(|(first, _)| first);
        let open = self.open.first();
        let open = open.filter(|first| self.order_by_key(**first, key) != Ordering::Greater);
        match (open, packed) {
            (Some(_), Some(first)) if !self.open_is_behind(first) => Some(Found::Packed(first.clone())),
            (Some(_), _) => Some(Found::Open),
            (None, packed) => packed.map(|first| Found::Packed(first.clone())),
        }
    }

    /// The first run that begins behind a key.
    fn run_behind(&self, key: &Key) -> Option<Found> {
        let packed = self.packed.get_next(key).map(|(first, _)| first);
        match packed {
            Some(first) if !self.open_is_behind(key) || self.open_is_behind(first) => {
                Some(Found::Packed(first.clone()))
            }
            _ => self.open_is_behind(key).then_some(Found::Open),
        }
    }

    fn run(&self, found: &Found) -> Option<Run<'_>> {
        match found {
            Found::Open => Some(Run::Open(&self.open)),
            Found::Packed(first) => self.packed.get(first).map(|packed| Run::Packed(packed)),
        }
    }

    /// The place of an identity in a run, or where it would be.
    fn search(&self, run: Run<'_>, effective_time: Timestamp, source: u64) -> Result<usize, usize> {
        let place = Place {
            effective_time,
            source,
        };
        let at = run.partition_point(|point| self.order(point, place) == Ordering::Less);
        if at < run.len() && self.order(run.point(at), place) == Ordering::Equal {
            Ok(at)
        } else {
            Err(at)
        }
    }

    #[inline]
    fn order(&self, point: Point, place: Place) -> Ordering {
        let by_time = point.effective_time().cmp(&place.effective_time);
        by_time.then_with(|| self.sources.order(point.source(), place.source))
    }

    #[inline]
    fn order_by_key(&self, point: Point, (effective_time, source_id): &Key) -> Ordering {
        let by_time = point.effective_time().cmp(effective_time);
        by_time.then_with(|| self.sources.name(point.source()).cmp(source_id))
    }

    fn key(&self, point: Point) -> Key {
        (point.effective_time(), self.sources.name(point.source()).clone())
    }
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        // Two versions of a workspace share most of their series.
        if Arc::ptr_eq(&self.open, &other.open) && self.packed.ptr_eq(&other.packed) && self.len == other.len
        {
            return self.begun == other.begun;
        }
        let same = |(one, two): (Point, Point)| {
            one.effective_time() == two.effective_time()
                && one.value() == two.value()
                && one.revision() == two.revision()
                && self.source_id(one) == other.source_id(two)
        };
        let (mine, others) = (self.points(), other.points());
        self.len == other.len && self.begun == other.begun && mine.zip(others).all(same)
    }
}

#[cfg(test)]
mod tests;
