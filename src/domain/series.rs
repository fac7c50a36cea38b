//! A KPI's measurements as they are known now: a persistent sequence by effective time and source.
//!
//! Points lie in chunks of up to 128 that versions share, so that a copy of the whole series is one pointer and a
//! change copies one chunk. A point takes 24 bytes. What was superseded is in the log, not here.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use smol_str::SmolStr;

use super::{Revision, Timestamp};

/// A series of measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Chunks by the key of their first point; none is empty.
    chunks: OrdMap<Key, Arc<Vec<Point>>>,
    len: usize,
    /// Whether anything was ever recorded.
    begun: bool,
    sources: Sources,
}

/// One known value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    effective_time: Timestamp,
    value: f64,
    /// The source's number in the upper 24 bits, the revision in the lower 40.
    source_and_revision: u64,
}

/// Where a point stands: its effective time, then the number of its source.
type Key = (Timestamp, u64);

/// The source ids of a series, numbered as they came; 0 is "no source id".
#[derive(Clone, Debug, Default, PartialEq)]
struct Sources {
    numbers: OrdMap<SmolStr, u64>,
    names: Vector<SmolStr>,
}

const CHUNK_POINTS_MAX: usize = 128;
const REVISION_BITS: u32 = 40;

impl Point {
    /// When it was true.
    #[must_use]
    pub fn effective_time(&self) -> Timestamp {
        self.effective_time
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The revision that recorded it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision(self.source_and_revision & ((1 << REVISION_BITS) - 1))
    }

    fn source(&self) -> u64 {
        self.source_and_revision >> REVISION_BITS
    }

    fn key(&self) -> Key {
        (self.effective_time, self.source())
    }
}

impl Series {
    /// How many different sources a series may have.
    pub const SOURCES_MAX: usize = (1 << 24) - 1;

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
    pub fn get(&self, effective_time: Timestamp, source_id: &str) -> Option<&Point> {
        let key = (effective_time, self.sources.number(source_id)?);
        let (_, chunk) = self.chunks.get_prev(&key)?;
        let at = chunk.binary_search_by_key(&key, Point::key).ok()?;
        chunk.get(at)
    }

    /// Whether one more source would be too many.
    #[must_use]
    pub fn is_full_for(&self, source_id: &str) -> bool {
        self.sources.names.len() >= Self::SOURCES_MAX && self.sources.number(source_id).is_none()
    }

    /// Puts a value in the place of its identity.
    pub fn record(&mut self, effective_time: Timestamp, source_id: &str, value: f64, revision: Revision) {
        let source = self.sources.number_or_add(source_id);
        let source_and_revision = source << REVISION_BITS | (revision.0 & ((1 << REVISION_BITS) - 1));
        self.insert(Point {
            effective_time,
            value,
            source_and_revision,
        });
        self.begun = true;
    }

    /// Takes an identity out; one that is not known is left alone.
    pub fn remove(&mut self, effective_time: Timestamp, source_id: &str) {
        let Some(source) = self.sources.number(source_id) else {
            return;
        };
        let key = (effective_time, source);
        let Some(first) = self.chunks.get_prev(&key).map(|(first, _)| *first) else {
            return;
        };
        let Some(shared) = self.chunks.get_mut(&first) else {
            return;
        };
        let Ok(at) = shared.binary_search_by_key(&key, Point::key) else {
            return;
        };
        let chunk = Arc::make_mut(shared);
        chunk.remove(at);
        let left = chunk.first().map(Point::key);
        self.len -= 1;
        match left {
            None => {
                self.chunks.remove(&first);
            }
            Some(left) if at == 0 => self.rename(first, left),
            Some(_) => {}
        }
    }

    fn insert(&mut self, point: Point) {
        let key = point.key();
        let before = self.chunks.get_prev(&key).map(|(first, _)| *first);
        let Some(first) = before.or_else(|| self.chunks.get_min().map(|(first, _)| *first)) else {
            self.chunks.insert(key, Arc::new(vec![point]));
            self.len = 1;
            return;
        };
        let Some(shared) = self.chunks.get_mut(&first) else {
            return;
        };
        match shared.binary_search_by_key(&key, Point::key) {
            Ok(at) => {
                Arc::make_mut(shared)[at] = point;
                return;
            }
            Err(at) if shared.len() < CHUNK_POINTS_MAX => {
                let chunk = Arc::make_mut(shared);
                reserve(chunk);
                chunk.insert(at, point);
                if at == 0 {
                    self.rename(first, key);
                }
            }
            // Behind a full chunk a new one begins, so that a series that grows at its end is packed densely.
            Err(CHUNK_POINTS_MAX) => {
                self.chunks.insert(key, Arc::new(vec![point]));
            }
            Err(at) => {
                let mut front = shared[..CHUNK_POINTS_MAX / 2].to_vec();
                let mut back = shared[CHUNK_POINTS_MAX / 2..].to_vec();
                if at <= front.len() {
                    front.insert(at, point)
                } else {
                    back.insert(at - front.len(), point)
                }
                self.chunks.remove(&first);
                for half in [front, back] {
                    self.chunks.insert(half[0].key(), Arc::new(half));
                }
            }
        }
        self.len += 1;
    }

    fn rename(&mut self, from: Key, to: Key) {
        if let Some(chunk) = self.chunks.remove(&from) {
            self.chunks.insert(to, chunk);
        }
    }

    /// The latest point by effective time.
    #[must_use]
    pub fn latest(&self) -> Option<&Point> {
        self.chunks.get_max().and_then(|(_, chunk)| chunk.last())
    }

    /// The latest point before a moment.
    #[must_use]
    pub fn latest_before(&self, end: Timestamp) -> Option<&Point> {
        match self.latest() {
            Some(latest) if latest.effective_time < end => Some(latest),
            _ => self.range_from(Timestamp::MIN, end).next_back(),
        }
    }

    /// The points from `start` (inclusive) to `end` (exclusive), in order.
    pub fn range_from(&self, start: Timestamp, end: Timestamp) -> impl DoubleEndedIterator<Item = &Point> {
        // The chunk that begins before `start` may reach into the range.
        let first = self
            .chunks
            .get_prev(&(start, 0))
            .map_or((start, 0), |(key, _)| *key);
        let bounds = if first < (end, 0) {
            first..(end, 0)
        } else {
            (end, 0)..(end, 0)
        };
        self.chunks
            .range(bounds)
            .flat_map(|(_, chunk)| chunk.iter())
            .filter(move |point| (start..end).contains(&point.effective_time))
    }

    /// All points behind a place in the order of the series; `None`: from the beginning.
    pub fn points_behind(&self, place: Option<Place>) -> impl Iterator<Item = &Point> {
        let behind = place.map(|place| (place.effective_time, place.source));
        let first = behind
            .and_then(|key| self.chunks.get_prev(&key).map(|(first, _)| *first))
            .unwrap_or((Timestamp::MIN, 0));
        self.chunks
            .range(first..)
            .flat_map(|(_, chunk)| chunk.iter())
            .filter(move |point| behind.is_none_or(|behind| point.key() > behind))
    }

    /// Where a point stands in the order of the series.
    #[must_use]
    pub fn place(&self, point: &Point) -> Place {
        Place {
            effective_time: point.effective_time,
            source: point.source(),
        }
    }

    /// The source id of a point; empty: none.
    #[must_use]
    pub fn source_id(&self, point: &Point) -> &str {
        match usize::try_from(point.source()) {
            Ok(number @ 1..) => self.sources.names.get(number - 1).map_or("", SmolStr::as_str),
            _ => "",
        }
    }
}

/// A place in the order of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The effective time.
    pub effective_time: Timestamp,
    /// The number of the source.
    pub source: u64,
}

impl Sources {
    fn number(&self, source_id: &str) -> Option<u64> {
        if source_id.is_empty() {
            Some(0)
        } else {
            self.numbers.get(source_id).copied()
        }
    }

    fn number_or_add(&mut self, source_id: &str) -> u64 {
        if let Some(number) = self.number(source_id) {
            return number;
        }
        let name = SmolStr::new(source_id);
        self.names.push_back(name.clone());
        // Past the last number history is still taken, as decide refuses more: they share the last one.
        let number = self.names.len().min(Self::last()) as u64;
        self.numbers.insert(name, number);
        number
    }

    const fn last() -> usize {
        Series::SOURCES_MAX
    }
}

/// Room for one more point, growing by half, so that a chunk's spare room stays small.
fn reserve(chunk: &mut Vec<Point>) {
    if chunk.len() == chunk.capacity() {
        let more = (chunk.len() / 2).max(4).min(CHUNK_POINTS_MAX - chunk.len());
        chunk.reserve_exact(more.max(1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    proptest! {
        #[test]
        fn a_series_is_an_ordered_map_from_identity_to_the_newest_value(
            // One in three takes out instead of recording.
            changes in prop::collection::vec((0i64..400, 0u8..3, -5i32..5, 0u8..3), 0..900),
            start in 0i64..400, length in 0i64..400,
        ) {
            let mut series = Series::default();
            let mut model: BTreeMap<(i64, String), f64> = BTreeMap::new();
            let mut older = Vec::new();
            for (index, (time, source, value, kind)) in changes.iter().enumerate() {
                let source = if *source == 0 { String::new() } else { format!("s{source}") };
                if *kind == 0 {
                    series.remove(at(*time), &source);
                    model.remove(&(*time, source));
                } else {
                    series.record(at(*time), &source, f64::from(*value), Revision(index as u64));
                    model.insert((*time, source), f64::from(*value));
                    prop_assert!(series.has_begun());
                }
                prop_assert!(series.chunks.values().all(|chunk| !chunk.is_empty()));
                if index % 200 == 100 {
                    older.push((series.clone(), model.clone()));
                }
            }
            older.push((series, model));
            for (series, model) in &older {
                prop_assert_eq!(series.len(), model.len());
                for ((time, source), value) in model {
                    prop_assert_eq!(series.get(at(*time), source).map(Point::value), Some(*value));
                }
                let all: Vec<_> = series.points_behind(None).map(|p| p.key()).collect();
                prop_assert_eq!(all.len(), model.len());
                prop_assert!(all.is_sorted());
                let in_range = model.keys().filter(|(t, _)| (start..start + length).contains(t)).count();
                prop_assert_eq!(series.range_from(at(start), at(start + length)).count(), in_range);
                let newest = model.keys().map(|(t, _)| *t).filter(|t| *t < start).max();
                prop_assert_eq!(series.latest_before(at(start)).map(|p| p.effective_time().as_micros()), newest);
                if let Some(middle) = series.points_behind(None).nth(model.len() / 2) {
                    let rest = series.points_behind(Some(series.place(middle))).count();
                    prop_assert_eq!(rest, model.len() - model.len() / 2 - 1);
                }
            }
        }
    }

    #[test]
    fn a_series_that_lost_all_its_points_has_begun_all_the_same() {
        let mut series = Series::default();
        series.remove(at(1), "");
        assert!(!series.has_begun());
        for time in 0..1000 {
            series.record(at(time), "", 1.0, Revision(1));
        }
        for time in (0..1000).rev() {
            series.remove(at(time), "");
            series.remove(at(time), "unknown");
        }
        assert!(series.is_empty() && series.has_begun());
        assert_eq!(series.latest(), None);
        assert_eq!(series.chunks.len(), 0);
        series.record(at(5), "", 2.0, Revision(2));
        assert_eq!(series.latest().map(Point::value), Some(2.0));
    }

    #[test]
    fn a_point_takes_24_bytes_and_knows_its_revision_and_source() {
        assert_eq!(size_of::<Point>(), 24);
        let mut series = Series::default();
        series.record(at(1), "deal-7", 1.0, Revision((1 << 40) - 1));
        let point = *series.latest().expect("a point");
        assert_eq!(point.revision(), Revision((1 << 40) - 1));
        assert_eq!(series.source_id(&point), "deal-7");
    }
}
