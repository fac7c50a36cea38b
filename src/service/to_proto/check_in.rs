//! Check-ins.

use super::scalar::{revision as write_revision, timestamp};
use crate::domain::{CheckIn, Id, KeyResultId, Provenance, RecordedCheckIn, ResourceName, StatusOverride};
use crate::proto::api;
use crate::service::names;

/// A check-in of a key result.
#[must_use]
pub(crate) fn check_in(workspace: &Id, key_result: &KeyResultId, recorded: &RecordedCheckIn) -> api::CheckIn {
    let RecordedCheckIn {
        id,
        check_in,
        provenance,
        corrected,
        retracted,
    } = recorded;
    let CheckIn {
        effective_time,
        value,
        reached_milestones,
        confidence,
        comment,
        status_override: says,
    } = check_in;
    let Provenance {
        principal,
        recorded_time,
        revision,
    } = provenance;
    api::CheckIn {
        name: names::full_name(workspace, &ResourceName::CheckIn(key_result.clone(), id.clone())),
        value: value.map(|value| value.get()),
        confidence: confidence.map(|confidence| confidence.get()),
        comment: comment.as_str().to_owned(),
        status_override: says.map_or(api::Status::Unspecified, status_override).into(),
        effective_time: Some(timestamp(*effective_time)),
        effective_date: None,
        principal: principal.to_string(),
        recorded_time: Some(timestamp(*recorded_time)),
        revision: write_revision(*revision),
        reached_milestones: reached_milestones.as_ref().map(|reached| api::ReachedMilestones {
            milestones: reached.iter().map(Id::to_string).collect(),
        }),
        correct_time: corrected.map(timestamp),
        retract_time: retracted.map(timestamp),
    }
}

fn status_override(says: StatusOverride) -> api::Status {
    match says {
        StatusOverride::OnTrack => api::Status::OnTrack,
        StatusOverride::Behind => api::Status::Behind,
        StatusOverride::AtRisk => api::Status::AtRisk,
    }
}
