//! Key results: their fields, and what happened to them.

use jiff::civil::Date;

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, date_from_stored, date_to_stored, id_from_stored, id_to_stored,
    list_from_stored, optional_date_from_stored, optional_enum, optional_id_from_stored,
    optional_id_to_stored, optional_value_from_stored, optional_value_to_stored, stored_enum,
    value_from_stored,
};
use super::unit::{unit_from_stored, unit_to_stored};
use crate::domain::{
    Baseline, Event, KeyResultFields, KeyResultId, KeyResultKind, Maintain, MaintainMode, Metric, Milestone,
    Milestones, RelativeTarget, Revision, Title, Violation, Weight, Window,
};
use crate::proto::stored;
use crate::proto::stored::key_result_fields::Kind;
use crate::proto::stored::relative_target::Change;

stored_enum!(window_to_stored, window_from_stored:
    Window = stored::key_result_fields::Window { Newest, Cycle });
stored_enum!(mode_to_stored, mode_from_stored:
    MaintainMode = stored::maintain::Mode { Now, Share });

/// What the absence of a window means, for ever.
const FIRST_WINDOW: Window = Window::Newest;

fn fields_to_stored(fields: &KeyResultFields) -> stored::KeyResultFields {
    let KeyResultFields {
        title,
        owner,
        kind,
        unit,
        weight,
        kpi,
        due_date,
        window,
    } = fields;
    stored::KeyResultFields {
        title: title.as_str().to_owned(),
        owner: optional_id_to_stored(owner.as_ref()),
        unit: unit.as_ref().map(unit_to_stored),
        weight: weight.get(),
        kpi: optional_id_to_stored(kpi.as_ref()),
        due_date: due_date.map(date_to_stored),
        window: window_to_stored(*window),
        kind: Some(kind_to_stored(kind)),
    }
}

fn fields_from_stored(stored: stored::KeyResultFields) -> Result<KeyResultFields, Fault> {
    let stored::KeyResultFields {
        title,
        owner,
        unit,
        weight,
        kpi,
        due_date,
        window,
        kind,
    } = stored;
    Ok(KeyResultFields {
        title: Title::parse(&title).at("title")?,
        owner: optional_id_from_stored(owner.as_deref()).at("owner")?,
        kind: kind_from_stored(kind).at("kind")?,
        unit: unit.map(unit_from_stored).transpose().at("unit")?,
        weight: Weight::parse(weight).at("weight")?,
        kpi: optional_id_from_stored(kpi.as_deref()).at("kpi")?,
        due_date: optional_date_from_stored(due_date).at("due_date")?,
        window: optional_enum(window, window_from_stored)
            .at("window")?
            .unwrap_or(FIRST_WINDOW),
    })
}

fn kind_to_stored(kind: &KeyResultKind) -> Kind {
    match kind {
        KeyResultKind::Metric(metric) => Kind::Metric(metric_to_stored(metric)),
        KeyResultKind::Maintain(maintain) => Kind::Maintain(maintain_to_stored(maintain)),
        KeyResultKind::Milestones(milestones) => Kind::Milestones(milestones_to_stored(milestones)),
        KeyResultKind::Binary => Kind::Binary(stored::Binary {}),
    }
}

fn kind_from_stored(stored: Option<Kind>) -> Result<KeyResultKind, Fault> {
    match stored {
        None => Err(Fault::newer("it is none that this release knows")),
        Some(Kind::Metric(metric)) => metric_from_stored(metric).at("metric").map(KeyResultKind::Metric),
        Some(Kind::Maintain(maintain)) => maintain_from_stored(maintain)
            .at("maintain")
            .map(KeyResultKind::Maintain),
        Some(Kind::Milestones(milestones)) => milestones_from_stored(milestones)
            .at("milestones")
            .map(KeyResultKind::Milestones),
        Some(Kind::Binary(stored::Binary {})) => Ok(KeyResultKind::Binary),
    }
}

fn metric_to_stored(metric: &Metric) -> stored::Metric {
    let Metric {
        baseline,
        target,
        relative_target,
        reference_value,
    } = metric;
    let (baseline, kpi_revision) = match baseline {
        None => (None, None),
        Some(Baseline { value, kpi_revision }) => (Some(value.get()), *kpi_revision),
    };
    stored::Metric {
        baseline,
        target: target.get(),
        baseline_kpi_revision: kpi_revision.map(|revision| revision.0),
        relative_target: relative_target.map(relative_to_stored),
        reference_value: optional_value_to_stored(*reference_value),
    }
}

fn metric_from_stored(stored: stored::Metric) -> Result<Metric, Fault> {
    let stored::Metric {
        baseline,
        target,
        baseline_kpi_revision,
        relative_target,
        reference_value,
    } = stored;
    let baseline = match (baseline, baseline_kpi_revision) {
        (None, None) => None,
        (None, Some(_)) => return Err(Fault::damaged("it is missing")).at("baseline"),
        (Some(value), revision) => Some(Baseline {
            value: value_from_stored(value).at("baseline")?,
            kpi_revision: revision.map(Revision),
        }),
    };
    Ok(Metric {
        baseline,
        target: value_from_stored(target).at("target")?,
        relative_target: relative_target
            .map(relative_from_stored)
            .transpose()
            .at("relative_target")?,
        reference_value: optional_value_from_stored(reference_value).at("reference_value")?,
    })
}

fn relative_to_stored(relative: RelativeTarget) -> stored::RelativeTarget {
    stored::RelativeTarget {
        change: Some(match relative {
            RelativeTarget::Percent(percent) => Change::Percent(percent.get()),
            RelativeTarget::Amount(amount) => Change::Amount(amount.get()),
        }),
    }
}

fn relative_from_stored(stored: stored::RelativeTarget) -> Result<RelativeTarget, Fault> {
    let stored::RelativeTarget { change } = stored;
    match change {
        None => Err(Fault::newer("it is none that this release knows")),
        Some(Change::Percent(percent)) => value_from_stored(percent)
            .at("percent")
            .map(RelativeTarget::Percent),
        Some(Change::Amount(amount)) => value_from_stored(amount).at("amount").map(RelativeTarget::Amount),
    }
}

fn maintain_to_stored(maintain: &Maintain) -> stored::Maintain {
    let Maintain {
        at_least,
        at_most,
        mode,
        tolerance,
    } = maintain;
    stored::Maintain {
        at_least: optional_value_to_stored(*at_least),
        at_most: optional_value_to_stored(*at_most),
        mode: mode_to_stored(*mode),
        tolerance: tolerance.get(),
    }
}

fn maintain_from_stored(stored: stored::Maintain) -> Result<Maintain, Fault> {
    let stored::Maintain {
        at_least,
        at_most,
        mode,
        tolerance,
    } = stored;
    Maintain::parse(
        optional_value_from_stored(at_least).at("at_least")?,
        optional_value_from_stored(at_most).at("at_most")?,
        mode_from_stored(mode).at("mode")?,
        value_from_stored(tolerance).at("tolerance")?,
    )
    .or_else(|Violation { field, sentence }| Err(Fault::damaged(sentence)).at(&field))
}

fn milestones_to_stored(milestones: &Milestones) -> stored::Milestones {
    let steps = milestones
        .as_slice()
        .iter()
        .map(|Milestone { id, title, weight }| stored::Milestone {
            id: id_to_stored(id),
            title: title.as_str().to_owned(),
            weight: weight.get(),
        });
    stored::Milestones {
        milestones: steps.collect(),
    }
}

fn milestones_from_stored(stored: stored::Milestones) -> Result<Milestones, Fault> {
    let stored::Milestones { milestones } = stored;
    let steps = list_from_stored("milestones", milestones, milestone_from_stored)?;
    Milestones::parse(steps).at("milestones")
}

fn milestone_from_stored(stored: stored::Milestone) -> Result<Milestone, Fault> {
    let stored::Milestone { id, title, weight } = stored;
    Ok(Milestone {
        id: id_from_stored(&id).at("id")?,
        title: Title::parse(&title).at("title")?,
        weight: Weight::parse(weight).at("weight")?,
    })
}

fn id_of(objective: &str, key_result: &str) -> Result<KeyResultId, Fault> {
    Ok(KeyResultId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(key_result).at("key_result")?,
    })
}

pub(super) fn created_to_stored(
    id: &KeyResultId,
    fields: &KeyResultFields,
    date: Date,
) -> stored::KeyResultCreated {
    let KeyResultId { objective, id } = id;
    stored::KeyResultCreated {
        objective: id_to_stored(objective),
        key_result: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
        date: date_to_stored(date),
    }
}

pub(super) fn created_from_stored(stored: stored::KeyResultCreated) -> Result<Event, Fault> {
    let stored::KeyResultCreated {
        objective,
        key_result,
        fields,
        date,
    } = stored;
    Ok(Event::KeyResultCreated {
        id: id_of(&objective, &key_result)?,
        fields: created_fields(fields, fields_from_stored)?,
        date: date_from_stored(date).at("date")?,
    })
}

pub(super) fn updated_to_stored(
    id: &KeyResultId,
    before: &KeyResultFields,
    after: &KeyResultFields,
) -> stored::KeyResultUpdated {
    let KeyResultId { objective, id } = id;
    stored::KeyResultUpdated {
        objective: id_to_stored(objective),
        key_result: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::KeyResultUpdated) -> Result<Event, Fault> {
    let stored::KeyResultUpdated {
        objective,
        key_result,
        before,
        after,
    } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::KeyResultUpdated {
        id: id_of(&objective, &key_result)?,
        before,
        after,
    })
}
