//! Objectives: their fields, and what happened to them.

use jiff::civil::Date;

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, date_from_stored, date_to_stored, id_from_stored, id_to_stored,
    ids_from_stored, ids_to_stored, labels_from_stored, labels_to_stored, optional_id_from_stored,
    optional_id_to_stored, stored_enum,
};
use crate::domain::{
    Alignment, Ambition, Event, Id, KeyResultId, ObjectiveFields, ObjectiveState, StartedFrom, Text, Title,
    Weight,
};
use crate::proto::stored;

stored_enum!(ambition_to_stored, ambition_from_stored:
    Ambition = stored::objective_fields::Ambition { Committed, Aspirational });
stored_enum!(state_to_stored, state_from_stored:
    ObjectiveState = stored::ObjectiveState { Draft, Active, Closed, Canceled });

fn fields_to_stored(fields: &ObjectiveFields) -> stored::ObjectiveFields {
    let ObjectiveFields {
        title,
        description,
        owner,
        team,
        contributing_teams,
        cycle,
        ambition,
        aligned_to,
        weight,
        labels,
        serves,
    } = fields;
    stored::ObjectiveFields {
        title: title.as_str().to_owned(),
        description: description.as_str().to_owned(),
        owner: optional_id_to_stored(owner.as_ref()),
        team: optional_id_to_stored(team.as_ref()),
        contributing_teams: ids_to_stored(contributing_teams),
        cycle: id_to_stored(cycle),
        ambition: ambition_to_stored(*ambition),
        aligned_to: aligned_to.as_ref().map(alignment_to_stored),
        weight: weight.get(),
        labels: labels_to_stored(labels),
        serves: ids_to_stored(serves),
    }
}

fn fields_from_stored(stored: stored::ObjectiveFields) -> Result<ObjectiveFields, Fault> {
    let stored::ObjectiveFields {
        title,
        description,
        owner,
        team,
        contributing_teams,
        cycle,
        ambition,
        aligned_to,
        weight,
        labels,
        serves,
    } = stored;
    Ok(ObjectiveFields {
        title: Title::parse(&title).at("title")?,
        description: Text::parse(&description).at("description")?,
        owner: optional_id_from_stored(owner.as_deref()).at("owner")?,
        team: optional_id_from_stored(team.as_deref()).at("team")?,
        contributing_teams: ids_from_stored(&contributing_teams).at("contributing_teams")?,
        cycle: id_from_stored(&cycle).at("cycle")?,
        ambition: ambition_from_stored(ambition).at("ambition")?,
        aligned_to: aligned_to
            .map(alignment_from_stored)
            .transpose()
            .at("aligned_to")?,
        weight: Weight::parse(weight).at("weight")?,
        labels: labels_from_stored(&labels).at("labels")?,
        serves: ids_from_stored(&serves).at("serves")?,
    })
}

fn alignment_to_stored(alignment: &Alignment) -> stored::Alignment {
    match alignment {
        Alignment::Objective(objective) => stored::Alignment {
            objective: id_to_stored(objective),
            key_result: None,
        },
        Alignment::KeyResult(KeyResultId { objective, id }) => stored::Alignment {
            objective: id_to_stored(objective),
            key_result: Some(id_to_stored(id)),
        },
    }
}

fn alignment_from_stored(stored: stored::Alignment) -> Result<Alignment, Fault> {
    let stored::Alignment {
        objective,
        key_result,
    } = stored;
    let objective = id_from_stored(&objective).at("objective")?;
    Ok(match key_result {
        None => Alignment::Objective(objective),
        Some(id) => Alignment::KeyResult(KeyResultId {
            objective,
            id: id_from_stored(&id).at("key_result")?,
        }),
    })
}

pub(super) fn created_to_stored(
    id: &Id,
    fields: &ObjectiveFields,
    carried_from: Option<&Id>,
    started_from: Option<&StartedFrom>,
) -> stored::ObjectiveCreated {
    stored::ObjectiveCreated {
        objective: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
        carried_from: optional_id_to_stored(carried_from),
        started_from: started_from.map(started_from_to_stored),
    }
}

pub(super) fn created_from_stored(stored: stored::ObjectiveCreated) -> Result<Event, Fault> {
    let stored::ObjectiveCreated {
        objective,
        fields,
        carried_from,
        started_from,
    } = stored;
    Ok(Event::ObjectiveCreated {
        id: id_from_stored(&objective).at("objective")?,
        fields: created_fields(fields, fields_from_stored)?,
        carried_from: optional_id_from_stored(carried_from.as_deref()).at("carried_from")?,
        started_from: started_from
            .map(started_from_from_stored)
            .transpose()
            .at("started_from")?,
    })
}

fn started_from_to_stored(from: &StartedFrom) -> stored::StartedFrom {
    let StartedFrom { kpi, alert } = from;
    stored::StartedFrom {
        kpi: id_to_stored(kpi),
        alert: optional_id_to_stored(alert.as_ref()),
    }
}

fn started_from_from_stored(stored: stored::StartedFrom) -> Result<StartedFrom, Fault> {
    let stored::StartedFrom { kpi, alert } = stored;
    Ok(StartedFrom {
        kpi: id_from_stored(&kpi).at("kpi")?,
        alert: optional_id_from_stored(alert.as_deref()).at("alert")?,
    })
}

pub(super) fn updated_to_stored(
    id: &Id,
    before: &ObjectiveFields,
    after: &ObjectiveFields,
) -> stored::ObjectiveUpdated {
    stored::ObjectiveUpdated {
        objective: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::ObjectiveUpdated) -> Result<Event, Fault> {
    let stored::ObjectiveUpdated {
        objective,
        before,
        after,
    } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::ObjectiveUpdated {
        id: id_from_stored(&objective).at("objective")?,
        before,
        after,
    })
}

pub(super) fn activated_to_stored(id: &Id, before: ObjectiveState, date: Date) -> stored::ObjectiveActivated {
    stored::ObjectiveActivated {
        objective: id_to_stored(id),
        before: state_to_stored(before),
        date: date_to_stored(date),
    }
}

pub(super) fn activated_from_stored(stored: stored::ObjectiveActivated) -> Result<Event, Fault> {
    let stored::ObjectiveActivated {
        objective,
        before,
        date,
    } = stored;
    Ok(Event::ObjectiveActivated {
        id: id_from_stored(&objective).at("objective")?,
        before: state_from_stored(before).at("before")?,
        date: date_from_stored(date).at("date")?,
    })
}
