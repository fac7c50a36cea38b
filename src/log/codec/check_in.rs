//! Check-ins: recorded, corrected, retracted.

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, id_from_stored, id_to_stored, ids_from_stored, ids_to_stored, optional_enum,
    optional_value_from_stored, optional_value_to_stored, required, stored_enum, timestamp_from_stored,
};
use crate::domain::{CheckIn, Confidence, Event, Id, KeyResultId, StatusOverride, Text};
use crate::proto::stored;

stored_enum!(status_override_to_stored, status_override_from_stored:
    StatusOverride = stored::check_in_recorded::StatusOverride { OnTrack, Behind, AtRisk });

pub(super) fn recorded_to_stored(
    key_result: &KeyResultId,
    id: &Id,
    check_in: &CheckIn,
) -> stored::CheckInRecorded {
    let KeyResultId {
        objective,
        id: key_result,
    } = key_result;
    let stored::CheckInFields {
        effective_time_us,
        value,
        confidence,
        comment,
        status_override,
        reached_milestones,
    } = fields_to_stored(check_in);
    stored::CheckInRecorded {
        objective: id_to_stored(objective),
        key_result: id_to_stored(key_result),
        check_in: id_to_stored(id),
        effective_time_us,
        value,
        confidence,
        comment,
        status_override,
        reached_milestones,
    }
}

pub(super) fn recorded_from_stored(stored: stored::CheckInRecorded) -> Result<Event, Fault> {
    let stored::CheckInRecorded {
        objective,
        key_result,
        check_in,
        effective_time_us,
        value,
        confidence,
        comment,
        status_override,
        reached_milestones,
    } = stored;
    let said = fields_from_stored(stored::CheckInFields {
        effective_time_us,
        value,
        confidence,
        comment,
        status_override,
        reached_milestones,
    })?;
    let (key_result, id) = place_from_stored(&objective, &key_result, &check_in)?;
    Ok(Event::CheckInRecorded {
        key_result,
        id,
        check_in: Box::new(said),
    })
}

pub(super) fn corrected_to_stored(
    key_result: &KeyResultId,
    id: &Id,
    before: &CheckIn,
    after: &CheckIn,
) -> stored::CheckInCorrected {
    let KeyResultId {
        objective,
        id: key_result,
    } = key_result;
    stored::CheckInCorrected {
        objective: id_to_stored(objective),
        key_result: id_to_stored(key_result),
        check_in: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn corrected_from_stored(stored: stored::CheckInCorrected) -> Result<Event, Fault> {
    let stored::CheckInCorrected {
        objective,
        key_result,
        check_in,
        before,
        after,
    } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    let (key_result, id) = place_from_stored(&objective, &key_result, &check_in)?;
    Ok(Event::CheckInCorrected {
        key_result,
        id,
        before,
        after,
    })
}

pub(super) fn retracted_to_stored(
    key_result: &KeyResultId,
    id: &Id,
    before: &CheckIn,
) -> stored::CheckInRetracted {
    let KeyResultId {
        objective,
        id: key_result,
    } = key_result;
    stored::CheckInRetracted {
        objective: id_to_stored(objective),
        key_result: id_to_stored(key_result),
        check_in: id_to_stored(id),
        before: Some(fields_to_stored(before)),
    }
}

pub(super) fn retracted_from_stored(stored: stored::CheckInRetracted) -> Result<Event, Fault> {
    let stored::CheckInRetracted {
        objective,
        key_result,
        check_in,
        before,
    } = stored;
    let before = required(before).and_then(fields_from_stored).at("before")?;
    let (key_result, id) = place_from_stored(&objective, &key_result, &check_in)?;
    Ok(Event::CheckInRetracted {
        key_result,
        id,
        before: Box::new(before),
    })
}

fn place_from_stored(objective: &str, key_result: &str, check_in: &str) -> Result<(KeyResultId, Id), Fault> {
    let key_result = KeyResultId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(key_result).at("key_result")?,
    };
    Ok((key_result, id_from_stored(check_in).at("check_in")?))
}

fn fields_to_stored(check_in: &CheckIn) -> stored::CheckInFields {
    let CheckIn {
        effective_time,
        value,
        reached_milestones,
        confidence,
        comment,
        status_override,
    } = check_in;
    stored::CheckInFields {
        effective_time_us: effective_time.as_micros(),
        value: optional_value_to_stored(*value),
        confidence: confidence.map(Confidence::get),
        comment: comment.as_str().to_owned(),
        status_override: status_override.map_or(0, status_override_to_stored),
        reached_milestones: reached_milestones
            .as_deref()
            .map(|reached| stored::ReachedMilestones {
                milestones: ids_to_stored(reached),
            }),
    }
}

fn fields_from_stored(stored: stored::CheckInFields) -> Result<CheckIn, Fault> {
    let stored::CheckInFields {
        effective_time_us,
        value,
        confidence,
        comment,
        status_override,
        reached_milestones,
    } = stored;
    Ok(CheckIn {
        effective_time: timestamp_from_stored(effective_time_us).at("effective_time_us")?,
        value: optional_value_from_stored(value).at("value")?,
        reached_milestones: reached_milestones
            .map(|stored::ReachedMilestones { milestones }| ids_from_stored(&milestones))
            .transpose()
            .at("reached_milestones")?,
        confidence: confidence.map(Confidence::parse).transpose().at("confidence")?,
        comment: Text::parse(&comment).at("comment")?,
        status_override: optional_enum(status_override, status_override_from_stored).at("status_override")?,
    })
}
