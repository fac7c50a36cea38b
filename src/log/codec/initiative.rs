//! Initiatives: their fields, and what happened to them.

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, date_to_stored, id_from_stored, id_to_stored,
    optional_date_from_stored, optional_id_from_stored, optional_id_to_stored, stored_enum,
};
use crate::domain::{Event, InitiativeFields, InitiativeId, InitiativeState, Title};
use crate::proto::stored;

stored_enum!(state_to_stored, state_from_stored:
    InitiativeState = stored::initiative_fields::State { Planned, InProgress, Done, Dropped });

fn fields_to_stored(fields: &InitiativeFields) -> stored::InitiativeFields {
    let InitiativeFields {
        title,
        owner,
        due_date,
        state,
        planned_count,
        done_count,
        key_result,
    } = fields;
    stored::InitiativeFields {
        title: title.as_str().to_owned(),
        owner: optional_id_to_stored(owner.as_ref()),
        due_date: due_date.map(date_to_stored),
        state: state_to_stored(*state),
        planned_count: *planned_count,
        done_count: *done_count,
        key_result: optional_id_to_stored(key_result.as_ref()),
    }
}

fn fields_from_stored(stored: stored::InitiativeFields) -> Result<InitiativeFields, Fault> {
    let stored::InitiativeFields {
        title,
        owner,
        due_date,
        state,
        planned_count,
        done_count,
        key_result,
    } = stored;
    Ok(InitiativeFields {
        title: Title::parse(&title).at("title")?,
        owner: optional_id_from_stored(owner.as_deref()).at("owner")?,
        due_date: optional_date_from_stored(due_date).at("due_date")?,
        state: state_from_stored(state).at("state")?,
        planned_count,
        done_count,
        key_result: optional_id_from_stored(key_result.as_deref()).at("key_result")?,
    })
}

fn id_of(objective: &str, initiative: &str) -> Result<InitiativeId, Fault> {
    Ok(InitiativeId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(initiative).at("initiative")?,
    })
}

pub(super) fn created_to_stored(id: &InitiativeId, fields: &InitiativeFields) -> stored::InitiativeCreated {
    let InitiativeId { objective, id } = id;
    stored::InitiativeCreated {
        objective: id_to_stored(objective),
        initiative: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
    }
}

pub(super) fn created_from_stored(stored: stored::InitiativeCreated) -> Result<Event, Fault> {
    let stored::InitiativeCreated {
        objective,
        initiative,
        fields,
    } = stored;
    Ok(Event::InitiativeCreated {
        id: id_of(&objective, &initiative)?,
        fields: created_fields(fields, fields_from_stored)?,
    })
}

pub(super) fn updated_to_stored(
    id: &InitiativeId,
    before: &InitiativeFields,
    after: &InitiativeFields,
) -> stored::InitiativeUpdated {
    let InitiativeId { objective, id } = id;
    stored::InitiativeUpdated {
        objective: id_to_stored(objective),
        initiative: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::InitiativeUpdated) -> Result<Event, Fault> {
    let stored::InitiativeUpdated {
        objective,
        initiative,
        before,
        after,
    } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::InitiativeUpdated {
        id: id_of(&objective, &initiative)?,
        before,
        after,
    })
}
