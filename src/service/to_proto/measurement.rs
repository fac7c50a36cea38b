//! Measurements, from what the series knows or from what an event says.

use super::scalar::{kpi_name, revision as write_revision, timestamp};
use crate::domain::{Id, MeasurementRecorded, Point, Revision, Series, Timestamp, Workspace};
use crate::proto::api;

/// A point of a KPI's series. Its note is in the event alone.
#[must_use]
pub(crate) fn measurement_of_point(
    workspace: &Id,
    kpi: &Id,
    series: &Series,
    point: Point,
    state: &Workspace,
) -> api::Measurement {
    api::Measurement {
        kpi: kpi_name(workspace, kpi),
        effective_time: Some(timestamp(point.effective_time())),
        effective_date: None,
        value: Some(point.value()),
        source_id: series.source_id(point).to_owned(),
        note: String::new(),
        recorded_time: state.recorded_time(point.revision()).map(timestamp),
        revision: write_revision(point.revision()),
    }
}

/// A measurement as it was recorded.
#[must_use]
pub(crate) fn measurement(
    workspace: &Id,
    recorded: &MeasurementRecorded,
    recorded_time: Timestamp,
    revision: Revision,
) -> api::Measurement {
    let MeasurementRecorded {
        kpi,
        effective_time,
        value,
        source_id,
        before: _,
        note,
    } = recorded;
    api::Measurement {
        kpi: kpi_name(workspace, kpi),
        effective_time: Some(timestamp(*effective_time)),
        effective_date: None,
        value: Some(*value),
        source_id: source_id.to_string(),
        note: note.to_string(),
        recorded_time: Some(timestamp(recorded_time)),
        revision: write_revision(revision),
    }
}
