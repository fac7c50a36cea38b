//! What a chart of a KPI shows: its measurements, or what they come to in buckets of time, for a range, thinned out where
//! there are more than a picture needs.
//!
//! Measured values are shown, not what a KPI's transform makes of them. The KPIs of one question share one range and its
//! buckets. It does not know which revision it is asked of: whoever asks gives it the workspace as it was.

use jiff::civil::Date;

use crate::domain::{
    Aggregation, Bucket, Buckets, Cadence, Id, Kpi, Picture, Point, Rejection, Timestamp, TooManyBuckets,
    Unit, UnitKind, Workspace, downsample, plus_days,
};

/// What is asked of a KPI's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesQuery {
    /// When it was true.
    pub range: SeriesRange,
    /// How it is to be put together; none: single measurements.
    pub buckets: Option<SeriesBuckets>,
    /// The most points for each KPI, 2 at least.
    pub points_max: usize,
}

/// How measurements are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesBuckets {
    /// The length of a bucket; not IRREGULAR.
    pub length: Cadence,
    /// What becomes of its values; none: as each KPI aggregates.
    pub aggregation: Option<Aggregation>,
}

/// A range of effective times, open where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesRange {
    /// Moments: the first one inclusive, the last one exclusive.
    Moments(Option<Timestamp>, Option<Timestamp>),
    /// Local days, both inclusive.
    Days(Option<Date>, Option<Date>),
}

/// The history of a KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiSeries {
    /// The KPI.
    pub kpi: Id,
    /// What its values are numbers of.
    pub unit: Unit,
    /// The length of its buckets, and how they were aggregated; none: these are measurements.
    pub aggregated: Option<(Cadence, Aggregation)>,
    /// In the order of their times.
    pub points: Vec<SeriesPoint>,
    /// How many points there are in the range, of which `points` are some or all.
    pub total_count: usize,
    /// The smallest and the largest value of all of them; none: there is no value.
    pub extremes: Option<(f64, f64)>,
}

/// A point of a KPI's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SeriesPoint {
    /// A measurement.
    Measured(Point),
    /// What the measurements of a bucket come to.
    Aggregated {
        /// The bucket.
        bucket: Bucket,
        /// Whether empty buckets before it were left out.
        gap_before: bool,
    },
}

/// The histories of some KPIs, in the order of their ids as given.
///
/// # Errors
/// There is no such KPI, or what is asked for does not fit to it.
pub fn kpi_series(
    workspace: &Workspace,
    ids: &[Id],
    query: &SeriesQuery,
) -> Result<Vec<KpiSeries>, Rejection> {
    let kpis: Vec<(&Id, &Kpi)> = ids
        .iter()
        .map(|id| workspace.kpi(id).map(|kpi| (id, kpi)))
        .collect::<Result<_, _>>()?;
    let (start, end) = query.range.moments(workspace);
    let Some(asked) = query.buckets else {
        let (start, end) = (start.unwrap_or(Timestamp::MIN), end.unwrap_or(Timestamp::MAX));
        let measured = |(id, kpi): &(&Id, &Kpi)| measured(id, kpi, start, end, query.points_max);
        return Ok(kpis.iter().map(measured).collect());
    };
    let (start, end) = whole_range(workspace, &kpis, start, end);
    let buckets = Buckets::between(workspace, start, end, asked.length).map_err(|TooManyBuckets| {
        let sentence = format!(
            "the range has more than {} of these buckets: ask for longer ones, or for less",
            Buckets::MAX
        );
        Rejection::invalid("bucket", sentence)
    })?;
    kpis.iter()
        .map(|(id, kpi)| {
            let aggregation = asked.aggregation.unwrap_or(kpi.fields.aggregation);
            let unit = unit_of(id, kpi, aggregation)?;
            let filled = buckets.filled(&kpi.series, aggregation);
            Ok(in_buckets(
                id,
                unit,
                (asked.length, aggregation),
                &filled,
                query.points_max,
            ))
        })
        .collect()
}

impl SeriesRange {
    fn moments(self, workspace: &Workspace) -> (Option<Timestamp>, Option<Timestamp>) {
        let rules = workspace.rules();
        match self {
            Self::Moments(start, end) => (start, end),
            Self::Days(first, last) => (
                first.map(|first| rules.start_of(first)),
                last.map(|last| rules.start_of(plus_days(last, 1))),
            ),
        }
    }
}

/// A range without open ends: from the first measurement of any of the KPIs, to the end of today or of what is newer.
fn whole_range(
    workspace: &Workspace,
    kpis: &[(&Id, &Kpi)],
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> (Timestamp, Timestamp) {
    let tomorrow = workspace.rules().start_of(plus_days(workspace.today(), 1));
    let firsts = kpis.iter().filter_map(|(_, kpi)| kpi.series.points().next());
    let lasts = kpis.iter().filter_map(|(_, kpi)| kpi.series.latest());
    let behind = |point: Point| Timestamp::from_micros(point.effective_time().as_micros() + 1);
    let start = start.or_else(|| firsts.map(Point::effective_time).min());
    let end = end.unwrap_or_else(|| lasts.map(behind).max().unwrap_or(tomorrow).max(tomorrow));
    // Where nothing was measured, and no start is given, the range is empty.
    (start.unwrap_or(end), end)
}

fn unit_of(id: &Id, kpi: &Kpi, aggregation: Aggregation) -> Result<Unit, Rejection> {
    let averaged = matches!(aggregation, Aggregation::Sum | Aggregation::Mean);
    if averaged && matches!(kpi.fields.unit.kind, UnitKind::Scale(_)) {
        let sentence = format!(
            "kpis/{id} has the labels of a scale, which are neither summed nor averaged: use LAST, MIN, MAX or COUNT"
        );
        return Err(Rejection::invalid("aggregation", sentence));
    }
    if aggregation == Aggregation::Count && kpi.fields.aggregation != Aggregation::Count {
        return Ok(Unit {
            kind: UnitKind::Count,
            ..Unit::number()
        });
    }
    Ok(kpi.fields.unit.clone())
}

fn measured(id: &Id, kpi: &Kpi, start: Timestamp, end: Timestamp, points_max: usize) -> KpiSeries {
    let total_count = kpi.series.count_from(start, end);
    let origin = start.max(kpi.series.points().next().map_or(start, Point::effective_time));
    let spot = |point: Point| (micros_since(origin, point.effective_time()), point.value());
    let points = kpi.series.range_from(start, end);
    let Picture { points, extremes } = downsample(points, total_count, points_max, spot);
    KpiSeries {
        kpi: id.clone(),
        unit: kpi.fields.unit.clone(),
        aggregated: None,
        points: points.into_iter().map(SeriesPoint::Measured).collect(),
        total_count,
        extremes,
    }
}

/// All buckets where they fit, else some of those that have a value, each with whether one without was left out before it.
fn in_buckets(
    id: &Id,
    unit: Unit,
    aggregated: (Cadence, Aggregation),
    buckets: &[Bucket],
    points_max: usize,
) -> KpiSeries {
    let valued: Vec<(usize, f64)> = buckets
        .iter()
        .enumerate()
        .filter_map(|(at, bucket)| bucket.value.map(|value| (at, value)))
        .collect();
    let spot = |(at, value): (usize, f64)| (at as f64, value);
    let picture = downsample(valued.iter().copied(), valued.len(), points_max, spot);
    let aggregated_point = |bucket: &Bucket, gap_before| SeriesPoint::Aggregated {
        bucket: *bucket,
        gap_before,
    };
    let points = if buckets.len() <= points_max {
        buckets
            .iter()
            .map(|bucket| aggregated_point(bucket, false))
            .collect()
    } else {
        let mut behind = 0;
        let kept = picture.points.into_iter().filter_map(|(at, _)| {
            let mut before = buckets.get(behind..at)?.iter();
            behind = at + 1;
            let gap_before = before.any(|bucket| bucket.value.is_none());
            Some(aggregated_point(buckets.get(at)?, gap_before))
        });
        kept.collect()
    };
    KpiSeries {
        kpi: id.clone(),
        unit,
        aggregated: Some(aggregated),
        points,
        total_count: buckets.len(),
        extremes: picture.extremes,
    }
}

fn micros_since(origin: Timestamp, at: Timestamp) -> f64 {
    at.as_micros().saturating_sub(origin.as_micros()) as f64
}
