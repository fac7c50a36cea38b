//! Check-ins: what somebody saw of a key result. Append-only; the newest is the newest by effective time.

use serde::Serialize;

use super::{
    Confidence, Effective, Event, Id, KeyResultId, ObjectiveState, Rejection, ResourceName, Stamp, Text,
    Timestamp, Value, Workspace,
};

/// A check-in as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckIn {
    /// When it was true.
    pub effective_time: Timestamp,
    /// The value seen.
    pub value: Option<Value>,
    /// How sure somebody is that the key result will be reached.
    pub confidence: Option<Confidence>,
    /// Comment.
    pub comment: Text,
    /// What the status really is.
    pub status_override: Option<StatusOverride>,
}

/// What a check-in may say of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the statuses of the same name")]
pub enum StatusOverride {
    OnTrack,
    Behind,
    AtRisk,
}

/// A check-in as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCheckIn {
    /// When it was true.
    pub effective: Effective,
    /// The value seen.
    pub value: Option<Value>,
    /// How sure somebody is.
    pub confidence: Option<Confidence>,
    /// Comment.
    pub comment: Text,
    /// What the status really is.
    pub status_override: Option<StatusOverride>,
}

pub(super) fn create(
    workspace: &Workspace,
    key_result_id: &KeyResultId,
    id: &Id,
    new: &NewCheckIn,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let key_result = workspace.key_result(key_result_id)?;
    if workspace.objective(&key_result_id.objective)?.state != ObjectiveState::Active {
        return Err(Rejection::ObjectiveNotActive(key_result_id.objective.clone()));
    }
    if key_result.check_in_keys.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::CheckIn(
            key_result_id.clone(),
            id.clone(),
        )));
    }
    let says_nothing = new.value.is_none()
        && new.confidence.is_none()
        && new.comment.is_empty()
        && new.status_override.is_none();
    if says_nothing {
        return Err(Rejection::invalid(
            "check_in",
            "it says nothing: send a value, a confidence, a comment or a status override",
        ));
    }
    if let Some(value) = new.value {
        if let Some(kpi) = &key_result.fields.kpi {
            return Err(Rejection::ValueComesFromKpi {
                key_result: key_result_id.clone(),
                kpi: kpi.clone(),
            });
        }
        if let Some(unit) = &key_result.fields.unit {
            unit.check(value.get())
                .map_err(|invalid| Rejection::Invalid(vec![invalid.at("check_in.value")]))?;
        }
    }
    let check_in = CheckIn {
        effective_time: new.effective.resolve(workspace, stamp)?,
        value: new.value,
        confidence: new.confidence,
        comment: new.comment.clone(),
        status_override: new.status_override,
    };
    Ok(vec![Event::CheckInRecorded {
        key_result: key_result_id.clone(),
        id: id.clone(),
        check_in: Box::new(check_in),
    }])
}
