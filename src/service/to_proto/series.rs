//! The history of a KPI.

use super::kpi::{aggregation as write_aggregation, cadence};
use super::scalar::{date, kpi_name, number, revision as write_revision, timestamp, unit as write_unit};
use crate::domain::{Bucket, Id, Period, Revision};
use crate::projection::{KpiSeries, SeriesPoint};
use crate::proto::api;

/// The history of a KPI, as of a revision.
#[must_use]
pub(crate) fn kpi_series(workspace: &Id, series: &KpiSeries, revision: Revision) -> api::KpiSeries {
    let KpiSeries {
        kpi,
        unit,
        aggregated,
        points,
        total_count,
        extremes,
    } = series;
    let (bucket, aggregation) = aggregated.unzip();
    api::KpiSeries {
        kpi: kpi_name(workspace, kpi),
        points: points.iter().map(point).collect(),
        unit: Some(write_unit(unit)),
        bucket: bucket.map_or(api::Cadence::Unspecified, cadence).into(),
        aggregation: aggregation
            .map_or(api::Aggregation::Unspecified, write_aggregation)
            .into(),
        total_count: count(*total_count),
        downsampled: points.len() < *total_count,
        min_value: extremes.map(|(least, _)| least),
        max_value: extremes.map(|(_, most)| most),
        revision: write_revision(revision),
    }
}

fn point(point: &SeriesPoint) -> api::SeriesPoint {
    match point {
        SeriesPoint::Measured(point) => api::SeriesPoint {
            effective_time: Some(timestamp(point.effective_time())),
            value: Some(point.value()),
            ..api::SeriesPoint::default()
        },
        SeriesPoint::Aggregated { bucket, gap_before } => {
            let Bucket {
                days: Period { first, last },
                value,
                count: measurements,
                provisional,
            } = *bucket;
            api::SeriesPoint {
                effective_time: None,
                value,
                first_date: Some(date(first)),
                last_date: Some(date(last)),
                count: count(measurements),
                provisional,
                gap_before: *gap_before,
            }
        }
    }
}

fn count(count: usize) -> i64 {
    number(count as u64)
}
