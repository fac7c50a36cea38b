//! A check-in that was recorded.

use super::fault::{At, Fault};
use super::scalar::{
    id_from_stored, id_to_stored, optional_enum, optional_value_from_stored, optional_value_to_stored,
    stored_enum, timestamp_from_stored,
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
    let CheckIn {
        effective_time,
        value,
        confidence,
        comment,
        status_override,
    } = check_in;
    stored::CheckInRecorded {
        objective: id_to_stored(objective),
        key_result: id_to_stored(key_result),
        check_in: id_to_stored(id),
        effective_time_us: effective_time.as_micros(),
        value: optional_value_to_stored(*value),
        confidence: confidence.map(Confidence::get),
        comment: comment.as_str().to_owned(),
        status_override: status_override.map_or(0, status_override_to_stored),
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
    } = stored;
    let said = CheckIn {
        effective_time: timestamp_from_stored(effective_time_us).at("effective_time_us")?,
        value: optional_value_from_stored(value).at("value")?,
        confidence: confidence.map(Confidence::parse).transpose().at("confidence")?,
        comment: Text::parse(&comment).at("comment")?,
        status_override: optional_enum(status_override, status_override_from_stored).at("status_override")?,
    };
    Ok(Event::CheckInRecorded {
        key_result: KeyResultId {
            objective: id_from_stored(&objective).at("objective")?,
            id: id_from_stored(&key_result).at("key_result")?,
        },
        id: id_from_stored(&check_in).at("check_in")?,
        check_in: Box::new(said),
    })
}
