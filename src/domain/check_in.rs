//! Check-ins: what somebody saw of a key result. Append-only; the newest is the newest by effective time.

use serde::Serialize;

use super::{
    Confidence, Effective, Event, Id, KeyResult, KeyResultFields, KeyResultId, KeyResultKind, ObjectiveState,
    RecordedCheckIn, Rejection, ResourceName, Stamp, Text, Timestamp, Value, Violation, Workspace,
};

/// A check-in as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckIn {
    /// When it was true.
    pub effective_time: Timestamp,
    /// The value seen.
    pub value: Option<Value>,
    /// MILESTONES: all that are reached by then, in order.
    pub reached_milestones: Option<Vec<Id>>,
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
    /// MILESTONES: all that are reached by then, in order.
    pub reached_milestones: Option<Vec<Id>>,
    /// How sure somebody is.
    pub confidence: Option<Confidence>,
    /// Comment.
    pub comment: Text,
    /// What the status really is.
    pub status_override: Option<StatusOverride>,
}

/// A check-in with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedCheckIn {
    /// The key result.
    pub key_result: KeyResultId,
    /// The check-in's id.
    pub id: Id,
    /// What is said.
    pub check_in: NewCheckIn,
}

impl PlacedCheckIn {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> ResourceName {
        ResourceName::CheckIn(self.key_result.clone(), self.id.clone())
    }
}

/// What is to be put right in a check-in; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckInPatch {
    /// When it was true.
    pub effective: Option<Effective>,
    /// The value seen.
    pub value: Option<Option<Value>>,
    /// MILESTONES: all that are reached by then, in order.
    pub reached_milestones: Option<Option<Vec<Id>>>,
    /// How sure somebody is.
    pub confidence: Option<Option<Confidence>>,
    /// Comment.
    pub comment: Option<Text>,
    /// What the status really is.
    pub status_override: Option<Option<StatusOverride>>,
}

pub(super) fn create(
    workspace: &Workspace,
    PlacedCheckIn {
        key_result: key_result_id,
        id,
        check_in: new,
    }: &PlacedCheckIn,
    stamp: &Stamp,
) -> Result<Event, Rejection> {
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
    let check_in = CheckIn {
        effective_time: new.effective.resolve(workspace, stamp)?,
        value: new.value,
        reached_milestones: new.reached_milestones.clone(),
        confidence: new.confidence,
        comment: new.comment.clone(),
        status_override: new.status_override,
    };
    check(key_result_id, &key_result.fields, None, &check_in)?;
    Ok(Event::CheckInRecorded {
        key_result: key_result_id.clone(),
        id: id.clone(),
        check_in: Box::new(check_in),
    })
}

/// All or none; each bad one by its index.
pub(super) fn create_batch(
    workspace: &Workspace,
    check_ins: &[PlacedCheckIn],
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::with_capacity(check_ins.len());
    let mut refused = Vec::new();
    let mut seen = std::collections::BTreeMap::new();
    for (index, placed) in check_ins.iter().enumerate() {
        let decided = match seen.insert((&placed.key_result, &placed.id), index) {
            Some(first) => Err(Rejection::invalid(
                "check_in_id",
                format!("the same check-in stands at index {first}: give each its own id"),
            )),
            None => create(workspace, placed, stamp),
        };
        match decided {
            Ok(event) => events.push(event),
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    Rejection::unless_empty("requests", refused)?;
    Ok(events)
}

pub(super) fn correct(
    workspace: &Workspace,
    key_result_id: &KeyResultId,
    id: &Id,
    patch: &CheckInPatch,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let (key_result, recorded) = standing(workspace, key_result_id, id)?;
    let before = &recorded.check_in;
    let after = CheckIn {
        effective_time: match patch.effective {
            Some(effective) => effective.resolve(workspace, stamp)?,
            None => before.effective_time,
        },
        value: patch.value.unwrap_or(before.value),
        reached_milestones: patch
            .reached_milestones
            .clone()
            .unwrap_or_else(|| before.reached_milestones.clone()),
        confidence: patch.confidence.unwrap_or(before.confidence),
        comment: patch.comment.clone().unwrap_or_else(|| before.comment.clone()),
        status_override: patch.status_override.unwrap_or(before.status_override),
    };
    if after == *before {
        return Ok(Vec::new());
    }
    check(key_result_id, &key_result.fields, Some(before), &after)?;
    Ok(vec![Event::CheckInCorrected {
        key_result: key_result_id.clone(),
        id: id.clone(),
        before: Box::new(before.clone()),
        after: Box::new(after),
    }])
}

pub(super) fn retract(
    workspace: &Workspace,
    key_result_id: &KeyResultId,
    id: &Id,
) -> Result<Vec<Event>, Rejection> {
    let (_, recorded) = standing(workspace, key_result_id, id)?;
    Ok(vec![Event::CheckInRetracted {
        key_result: key_result_id.clone(),
        id: id.clone(),
        before: Box::new(recorded.check_in.clone()),
    }])
}

/// A check-in that can still be put right: of an objective that is ACTIVE or CLOSED, and not retracted.
fn standing<'w>(
    workspace: &'w Workspace,
    key_result_id: &KeyResultId,
    id: &Id,
) -> Result<(&'w KeyResult, &'w RecordedCheckIn), Rejection> {
    let name = || ResourceName::CheckIn(key_result_id.clone(), id.clone());
    let key_result = workspace.key_result(key_result_id)?;
    let recorded = key_result
        .check_in(id)
        .ok_or_else(|| Rejection::NotFound(name()))?;
    match workspace.objective(&key_result_id.objective)?.state {
        ObjectiveState::Active | ObjectiveState::Closed => {}
        ObjectiveState::Draft | ObjectiveState::Canceled => {
            return Err(Rejection::ObjectiveNotActive(key_result_id.objective.clone()));
        }
    }
    if recorded.retracted.is_some() {
        return Err(Rejection::CheckInRetracted(name()));
    }
    Ok((key_result, recorded))
}

/// What a correction says anew has to fit; what it leaves as it was may be of a time when the key result was another kind.
fn check(
    id: &KeyResultId,
    fields: &KeyResultFields,
    before: Option<&CheckIn>,
    check_in: &CheckIn,
) -> Result<(), Rejection> {
    let says_nothing = check_in.value.is_none()
        && check_in.reached_milestones.is_none()
        && check_in.confidence.is_none()
        && check_in.comment.is_empty()
        && check_in.status_override.is_none();
    if says_nothing {
        return Err(Rejection::invalid(
            "check_in",
            "it says nothing: send a value, reached milestones, a confidence, a comment or a status override",
        ));
    }
    if let Some(value) = check_in.value
        && before.is_none_or(|before| before.value != check_in.value)
    {
        if let Some(kpi) = &fields.kpi {
            return Err(Rejection::ValueComesFromKpi {
                key_result: id.clone(),
                kpi: kpi.clone(),
            });
        }
        check_value(fields, value).map_err(|violation| Rejection::Invalid(vec![violation]))?;
    }
    let reached_as_before =
        before.is_some_and(|before| before.reached_milestones == check_in.reached_milestones);
    match (&fields.kind, &check_in.reached_milestones) {
        (_, None) => Ok(()),
        _ if reached_as_before => Ok(()),
        (KeyResultKind::Milestones(milestones), Some(reached)) => {
            let known = |id: &Id| milestones.as_slice().iter().any(|milestone| milestone.id == *id);
            match reached.iter().find(|id| !known(id)) {
                None => Ok(()),
                Some(unknown) => Err(Rejection::invalid(
                    "check_in.reached_milestones",
                    format!(
                        "the key result has no milestone {:?}: correct its id",
                        unknown.as_str()
                    ),
                )),
            }
        }
        (KeyResultKind::Metric(_) | KeyResultKind::Maintain(_) | KeyResultKind::Binary, Some(_)) => {
            Err(Rejection::invalid(
                "check_in.reached_milestones",
                "the key result has no milestones: send a value",
            ))
        }
    }
}

fn check_value(fields: &KeyResultFields, value: Value) -> Result<(), Violation> {
    let refused = |sentence: &str| {
        Err(Violation {
            field: "check_in.value".to_owned(),
            sentence: sentence.to_owned(),
        })
    };
    match &fields.kind {
        KeyResultKind::Milestones(_) => {
            return refused("the key result has milestones: send the reached_milestones");
        }
        KeyResultKind::Binary if value.get() != 0.0 && value.get() != 1.0 => {
            return refused("the key result is BINARY: send 1 for done, 0 for not done");
        }
        KeyResultKind::Binary | KeyResultKind::Metric(_) | KeyResultKind::Maintain(_) => {}
    }
    match &fields.unit {
        Some(unit) => unit
            .check(value.get())
            .map_err(|invalid| invalid.at("check_in.value")),
        None => Ok(()),
    }
}
