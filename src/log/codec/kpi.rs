//! KPIs: their fields, and what happened to them.

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, id_from_stored, id_to_stored, labels_from_stored, labels_to_stored,
    optional_enum, optional_id_from_stored, optional_id_to_stored, required, stored_enum,
    timestamp_from_stored,
};
use super::unit::{unit_from_stored, unit_to_stored};
use crate::domain::{
    Aggregation, Cadence, Category, Direction, Event, Id, KpiFields, Text, Timestamp, Title, Transform,
};
use crate::proto::stored;

stored_enum!(category_to_stored, category_from_stored:
    Category = stored::kpi_fields::Category { Strategic, Operational, Financial });
stored_enum!(direction_to_stored, direction_from_stored:
    Direction = stored::kpi_fields::Direction { HigherIsBetter, LowerIsBetter, InRange });
stored_enum!(cadence_to_stored, cadence_from_stored:
    Cadence = stored::kpi_fields::Cadence { Daily, Weekly, Monthly, Quarterly, Semiannual, Annual, Irregular });
stored_enum!(aggregation_to_stored, aggregation_from_stored:
    Aggregation = stored::kpi_fields::Aggregation { Last, Sum, Mean, Min, Max, Count });
stored_enum!(transform_to_stored, transform_from_stored:
    Transform = stored::kpi_fields::Transform { ChangePercent });

fn fields_to_stored(fields: &KpiFields) -> stored::KpiFields {
    let KpiFields {
        title,
        description,
        owner,
        team,
        area,
        category,
        unit,
        direction,
        cadence,
        grace_days,
        review_cadence,
        aggregation,
        data_source,
        replaces,
        labels,
        transform,
    } = fields;
    stored::KpiFields {
        title: title.as_str().to_owned(),
        description: description.as_str().to_owned(),
        owner: optional_id_to_stored(owner.as_ref()),
        team: optional_id_to_stored(team.as_ref()),
        area: area.as_str().to_owned(),
        category: category_to_stored(*category),
        unit: Some(unit_to_stored(unit)),
        direction: direction_to_stored(*direction),
        cadence: cadence_to_stored(*cadence),
        grace_days: *grace_days,
        review_cadence: review_cadence.map_or(0, cadence_to_stored),
        aggregation: aggregation_to_stored(*aggregation),
        data_source: data_source.as_str().to_owned(),
        replaces: optional_id_to_stored(replaces.as_ref()),
        labels: labels_to_stored(labels),
        transform: transform.map_or(0, transform_to_stored),
    }
}

fn fields_from_stored(stored: stored::KpiFields) -> Result<KpiFields, Fault> {
    let stored::KpiFields {
        title,
        description,
        owner,
        team,
        area,
        category,
        unit,
        direction,
        cadence,
        grace_days,
        review_cadence,
        aggregation,
        data_source,
        replaces,
        labels,
        transform,
    } = stored;
    Ok(KpiFields {
        title: Title::parse(&title).at("title")?,
        description: Text::parse(&description).at("description")?,
        owner: optional_id_from_stored(owner.as_deref()).at("owner")?,
        team: optional_id_from_stored(team.as_deref()).at("team")?,
        area: Text::parse(&area).at("area")?,
        category: category_from_stored(category).at("category")?,
        unit: required(unit).and_then(unit_from_stored).at("unit")?,
        direction: direction_from_stored(direction).at("direction")?,
        cadence: cadence_from_stored(cadence).at("cadence")?,
        grace_days,
        review_cadence: optional_enum(review_cadence, cadence_from_stored).at("review_cadence")?,
        aggregation: aggregation_from_stored(aggregation).at("aggregation")?,
        data_source: Text::parse(&data_source).at("data_source")?,
        replaces: optional_id_from_stored(replaces.as_deref()).at("replaces")?,
        labels: labels_from_stored(&labels).at("labels")?,
        transform: optional_enum(transform, transform_from_stored).at("transform")?,
    })
}

pub(super) fn created_to_stored(id: &Id, fields: &KpiFields) -> stored::KpiCreated {
    stored::KpiCreated {
        kpi: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
    }
}

pub(super) fn created_from_stored(stored: stored::KpiCreated) -> Result<Event, Fault> {
    let stored::KpiCreated { kpi, fields } = stored;
    Ok(Event::KpiCreated {
        id: id_from_stored(&kpi).at("kpi")?,
        fields: created_fields(fields, fields_from_stored)?,
    })
}

pub(super) fn updated_to_stored(id: &Id, before: &KpiFields, after: &KpiFields) -> stored::KpiUpdated {
    stored::KpiUpdated {
        kpi: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::KpiUpdated) -> Result<Event, Fault> {
    let stored::KpiUpdated { kpi, before, after } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::KpiUpdated {
        id: id_from_stored(&kpi).at("kpi")?,
        before,
        after,
    })
}

pub(super) fn archived_to_stored(id: &Id) -> stored::KpiArchived {
    stored::KpiArchived {
        kpi: id_to_stored(id),
    }
}

pub(super) fn archived_from_stored(stored: &stored::KpiArchived) -> Result<Event, Fault> {
    let stored::KpiArchived { kpi } = stored;
    Ok(Event::KpiArchived {
        id: id_from_stored(kpi).at("kpi")?,
    })
}

pub(super) fn unarchived_to_stored(id: &Id, before: Timestamp) -> stored::KpiUnarchived {
    stored::KpiUnarchived {
        kpi: id_to_stored(id),
        archived_time_us: before.as_micros(),
    }
}

pub(super) fn unarchived_from_stored(stored: &stored::KpiUnarchived) -> Result<Event, Fault> {
    let stored::KpiUnarchived {
        kpi,
        archived_time_us,
    } = stored;
    Ok(Event::KpiUnarchived {
        id: id_from_stored(kpi).at("kpi")?,
        before: timestamp_from_stored(*archived_time_us).at("archived_time_us")?,
    })
}
