//! Initiatives.

use super::scalar::{date, delete_time, member_name, number, reference, timestamp};
use crate::domain::{
    Authorship, Id, Initiative, InitiativeFields, InitiativeId, InitiativeState, KeyResultId, ResourceName,
};
use crate::proto::api;
use crate::service::{etag, names};

/// An initiative.
#[must_use]
pub(crate) fn initiative(workspace: &Id, id: &InitiativeId, initiative: &Initiative) -> api::Initiative {
    let Initiative {
        fields,
        deleted,
        authorship,
    } = initiative;
    let InitiativeFields {
        title,
        owner,
        due_date,
        state: stands,
        planned_count,
        done_count,
        key_result,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    let key_result = key_result.as_ref().map(|key_result| KeyResultId {
        objective: id.objective.clone(),
        id: key_result.clone(),
    });
    api::Initiative {
        name: names::full_name(workspace, &ResourceName::Initiative(id.clone())),
        title: title.as_str().to_owned(),
        owner: reference(workspace, owner.as_ref(), member_name),
        due_date: due_date.map(date),
        state: state(*stands).into(),
        planned_count: planned_count.map(number),
        done_count: done_count.map(number),
        key_result: key_result
            .map(|id| names::full_name(workspace, &ResourceName::KeyResult(id)))
            .unwrap_or_default(),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        delete_time: delete_time(*deleted),
    }
}

fn state(state: InitiativeState) -> api::initiative::State {
    use api::initiative::State as Api;
    match state {
        InitiativeState::Planned => Api::Planned,
        InitiativeState::InProgress => Api::InProgress,
        InitiativeState::Done => Api::Done,
        InitiativeState::Dropped => Api::Dropped,
    }
}
