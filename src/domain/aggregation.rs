//! Buckets of a range of time, and what the measurements in each come to.
//!
//! Buckets are local days, weeks, months, quarters, halves or years of the workspace's calendar, cut at the ends of the
//! range. Where each begins is looked up once for the whole range; the points are then met in one walk, in the order of
//! their effective times. An empty bucket has no value, whatever the aggregation: a gap is no zero. Targets, and what may
//! be judged of a value, it does not know.

use jiff::civil::Date;

use super::{Aggregation, Cadence, Period, Series, Timestamp, Workspace, plus_days};

/// The buckets of a range.
#[derive(Clone, Debug)]
pub struct Buckets {
    days: Vec<(Period, bool)>,
    /// Where each begins, and at last where the last one ends.
    edges: Vec<Timestamp>,
}

/// What was measured in a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its days, as far as they lie in the range.
    pub days: Period,
    /// The aggregated value; none: nothing was measured.
    pub value: Option<f64>,
    /// How many measurements it is made of.
    pub count: usize,
    /// Whether its period is still running, so that the value may change.
    pub provisional: bool,
}

/// What some values come to, whichever way they are aggregated.
#[derive(Clone, Copy, Debug)]
struct Summary {
    count: usize,
    sum: f64,
    least: f64,
    most: f64,
    last: f64,
}

/// A range has more buckets than one answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyBuckets;

impl Buckets {
    /// The most that a range may have: days of 270 years.
    pub const MAX: usize = 100_000;

    /// The buckets from `start` (inclusive) to `end` (exclusive).
    ///
    /// # Errors
    /// There are more than [`Buckets::MAX`].
    pub fn between(
        workspace: &Workspace,
        start: Timestamp,
        end: Timestamp,
        length: Cadence,
    ) -> Result<Self, TooManyBuckets> {
        let (rules, calendar) = (workspace.rules(), workspace.calendar());
        let mut buckets = Self {
            days: Vec::new(),
            edges: vec![start],
        };
        if start >= end {
            return Ok(buckets);
        }
        let last = rules.date(Timestamp::from_micros(end.as_micros() - 1));
        let mut first = rules.date(start);
        loop {
            if buckets.days.len() == Self::MAX {
                return Err(TooManyBuckets);
            }
            let period = calendar.period(length, first);
            let days = Period {
                first,
                last: period.last.min(last),
            };
            buckets.days.push((days, period.last >= workspace.today()));
            first = plus_days(period.last, 1);
            // The calendar ends, and its last day is followed by itself.
            if first > last || first == Date::MAX {
                buckets.edges.push(end);
                return Ok(buckets);
            }
            buckets.edges.push(rules.start_of(first));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether the range is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// What was measured in each of them.
    #[must_use]
    pub fn filled(&self, series: &Series, aggregation: Aggregation) -> Vec<Bucket> {
        let mut summaries = vec![Summary::NOTHING; self.days.len()];
        if let (Some(start), Some(end)) = (self.edges.first(), self.edges.last()) {
            let mut at = 0;
            series.range_from(*start, *end).for_each(|point| {
                while self
                    .edges
                    .get(at + 1)
                    .is_some_and(|edge| point.effective_time() >= *edge)
                {
                    at += 1;
                }
                if let Some(summary) = summaries.get_mut(at) {
                    summary.add(point.value());
                }
            });
        }
        let bucket = |((days, provisional), summary): (&(Period, bool), Summary)| Bucket {
            days: *days,
            value: summary.value(aggregation),
            count: summary.count,
            provisional: *provisional,
        };
        self.days.iter().zip(summaries).map(bucket).collect()
    }
}

impl Summary {
    const NOTHING: Self = Self {
        count: 0,
        sum: 0.0,
        least: f64::INFINITY,
        most: f64::NEG_INFINITY,
        last: 0.0,
    };

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.last = value;
    }

    fn value(&self, aggregation: Aggregation) -> Option<f64> {
        let value = match aggregation {
            Aggregation::Last => self.last,
            Aggregation::Sum => self.sum,
            Aggregation::Mean => self.sum / self.count as f64,
            Aggregation::Min => self.least,
            Aggregation::Max => self.most,
            Aggregation::Count => self.count as f64,
        };
        (self.count > 0).then_some(value)
    }
}
