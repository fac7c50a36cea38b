//! What a write about a KPI answers: what its commit recorded first, or, where it changed nothing, what was known already.
//!
//! Invariant: the alerts that open and close behind the first event of a commit are no part of an answer, and a retry is
//! answered from what the first one was. It deliberately does not know whether it answers for the first time.

use super::api::{Written, wire};
use super::{from_proto, to_proto};
use crate::domain::{
    Command, Effective, Event, MeasurementRecorded, NewMeasurement, Rejection, ResourceName, SetTarget,
};
use crate::proto::api;

/// The target that a write took away, as it was.
pub(super) fn deleted_target(written: &Written) -> Result<api::Target, Rejection> {
    let state = written.committed.state.workspace();
    let not_found = || Rejection::NotFound(written.resource.clone());
    let commit = written.committed.commit.as_ref().ok_or_else(not_found)?;
    match commit.events.first() {
        Some(Event::TargetDeleted { kpi, date, before }) => {
            let as_it_was = SetTarget {
                target: *before,
                recorded_time: commit.recorded_time,
                revision: commit.revision,
            };
            let unit = state.kpi(kpi)?.fields.judged_unit();
            Ok(to_proto::target(
                &written.workspace,
                kpi,
                &unit,
                *date,
                &as_it_was,
            ))
        }
        _ => Err(not_found()),
    }
}

/// The objective that a write started, with its key result and the alert that it was started from.
pub(super) fn started(written: &Written) -> Result<api::StartObjectiveFromKpiResponse, Rejection> {
    let (id, state) = (&written.workspace, &written.committed.state);
    let workspace = state.workspace();
    let ResourceName::Objective(new) = &written.resource else {
        return Err(Rejection::NotFound(written.resource.clone()));
    };
    let objective = workspace.objective(new)?;
    let alert = objective.started_from.as_ref().and_then(|from| {
        let kpi = workspace.kpis().get(&from.kpi)?;
        let alert = kpi.alerts.get(from.alert.as_ref()?)?;
        Some(to_proto::alert(id, &from.kpi, &kpi.fields, alert))
    });
    Ok(api::StartObjectiveFromKpiResponse {
        objective: Some(to_proto::objective_of(id, state, new, objective)),
        key_result: workspace
            .key_results_of(new)
            .next()
            .map(|(of, held)| to_proto::key_result_of(id, state, of, held)),
        alert,
    })
}

/// The measurement that a write recorded, or took back.
pub(super) fn recorded(written: &Written) -> Option<api::Measurement> {
    let commit = written.committed.commit.as_ref()?;
    match commit.events.first()? {
        Event::MeasurementRecorded(recorded) => Some(to_proto::measurement(
            &written.workspace,
            recorded,
            commit.recorded_time,
            commit.revision,
        )),
        Event::MeasurementRetracted {
            kpi,
            effective_time,
            source_id,
            before,
        } => {
            let as_it_was = MeasurementRecorded {
                kpi: kpi.clone(),
                effective_time: *effective_time,
                value: *before,
                source_id: source_id.clone(),
                before: None,
                note: "".into(),
            };
            let (at, revision) = (commit.recorded_time, commit.revision);
            Some(to_proto::measurement(
                &written.workspace,
                &as_it_was,
                at,
                revision,
            ))
        }
        _ => None,
    }
}

/// A write that recorded nothing: the same value was known before.
pub(super) fn known_before(
    written: &Written,
    asked: &api::RecordMeasurementRequest,
) -> Result<api::Measurement, Rejection> {
    let state = written.committed.state.workspace();
    let not_found = || Rejection::NotFound(written.resource.clone());
    let Command::RecordMeasurements(measurements) = from_proto::record_measurement(asked)?.command else {
        return Err(not_found());
    };
    let NewMeasurement {
        kpi,
        effective,
        source_id,
        ..
    } = measurements.first().ok_or_else(not_found)?;
    let series = &state.kpi(kpi)?.series;
    let point = match effective {
        Effective::At(at) => series.get(*at, source_id),
        Effective::On(date) => series.get(state.rules().start_of(*date), source_id),
        Effective::Now => series.get(written.committed.decided_time, source_id),
    };
    let point = point.ok_or_else(not_found)?;
    Ok(to_proto::measurement_of_point(
        &written.workspace,
        kpi,
        series,
        point,
        state,
    ))
}

pub(super) fn batch_answer(written: &Written, count: usize) -> api::BatchRecordMeasurementsResponse {
    let recorded = written.committed.commit.iter().flat_map(|commit| &commit.events);
    let (mut new, mut superseded) = (0, 0);
    for event in recorded {
        match event {
            Event::MeasurementRecorded(recorded) if recorded.before.is_some() => superseded += 1,
            Event::MeasurementRecorded(_) => new += 1,
            // The alerts that opened and closed because of them.
            _ => {}
        }
    }
    let unchanged = i32::try_from(count).unwrap_or(i32::MAX) - new - superseded;
    api::BatchRecordMeasurementsResponse {
        revision: wire(written.committed.revision),
        recorded_count: new,
        superseded_count: superseded,
        unchanged_count: unchanged,
    }
}
