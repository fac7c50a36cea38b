//! Requests about KPIs.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{chars_at_most, labels as read_labels, unknown};
use super::unit::unit as read_unit;
use crate::domain::{
    Aggregation, Cadence, Category, Command, Direction, Invalid, KpiPatch, Rejection, Text, Title, Transform,
    Unit,
};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const FIELDS: &[Field<api::Kpi>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("description", |m| !m.description.is_empty()),
    Field::new("owner", |m| !m.owner.is_empty()),
    Field::new("team", |m| !m.team.is_empty()),
    Field::new("area", |m| !m.area.is_empty()),
    Field::new("category", |m| m.category != 0),
    Field::new("unit", |m| m.unit.is_some()),
    Field::new("direction", |m| m.direction != 0),
    Field::new("cadence", |m| m.cadence != 0),
    Field::new("grace_days", |m| m.grace_days != 0),
    Field::new("review_cadence", |m| m.review_cadence != 0),
    Field::new("aggregation", |m| m.aggregation != 0),
    Field::new("data_source", |m| !m.data_source.is_empty()),
    Field::new("replaces", |m| !m.replaces.is_empty()),
    Field::new("labels", |m| !m.labels.is_empty()),
    Field::new("transform", |m| m.transform != 0),
];

/// The longest area, in characters.
const AREA_CHARS_MAX: usize = 200;

/// Reads a CreateKpi request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_kpi(request: &api::CreateKpiRequest) -> Result<Asked, Rejection> {
    let api::CreateKpiRequest {
        parent,
        kpi_id,
        kpi,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let id = findings.keep(ids::chosen("kpi_id", kpi_id, 'k', request_id));
    let command = findings.message("kpi", kpi.as_ref()).and_then(|message| {
        let patch = read(message, findings.fields("kpi", &Mask::All, workspace.as_ref()));
        let fields = Box::new(patch.complete()?);
        Some((workspace?, Command::CreateKpi { id: id?, fields }))
    });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateKpi request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_kpi(request: &api::UpdateKpiRequest) -> Result<Asked, Rejection> {
    let api::UpdateKpiRequest {
        kpi,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings.message("kpi", kpi.as_ref()).and_then(|message| {
        let (workspace, id) = findings.keep(names::kpi("kpi.name", &message.name)).unzip();
        let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
        let patch = read(message, findings.fields("kpi", &mask, workspace.as_ref()));
        let command = Command::UpdateKpi {
            id: id?,
            patch: Box::new(patch),
            etag: etag::read(&message.etag),
        };
        Some((workspace?, command))
    });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Kpi, mut fields: Fields<'_>) -> KpiPatch {
    let api::Kpi {
        name: _,
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
        health: _,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
        transform,
        archive_time: _,
        open_alerts: _,
        needs_action: _,
        period_value_text: _,
        latest_value_text: _,
    } = message;
    let workspace = fields.workspace;
    KpiPatch {
        title: fields.read("title", || Title::parse(title)),
        description: fields.read("description", || Text::parse(description)),
        owner: fields.read("owner", || names::member_reference(workspace, owner)),
        team: fields.read("team", || names::team_reference(workspace, team)),
        area: fields.read("area", || read_area(area)),
        category: fields.read("category", || read_category(*category)),
        unit: fields.read_parts("unit", |path, findings| match unit {
            None => Some(Unit::number()),
            Some(unit) => read_unit(path, unit, findings),
        }),
        direction: fields.read("direction", || read_direction(*direction)),
        cadence: fields.read("cadence", || {
            read_cadence(*cadence)?.ok_or_else(|| {
                Invalid::new("it is missing: say how often it is measured, for example WEEKLY or IRREGULAR")
            })
        }),
        grace_days: fields.read("grace_days", || read_grace_days(*grace_days)),
        review_cadence: fields.read("review_cadence", || read_cadence(*review_cadence)),
        aggregation: fields.read("aggregation", || read_aggregation(*aggregation)),
        data_source: fields.read("data_source", || Text::parse(data_source)),
        replaces: fields.read("replaces", || names::kpi_reference(workspace, replaces)),
        labels: fields.read("labels", || read_labels(labels)),
        transform: fields.read("transform", || read_transform(*transform)),
    }
}

/// An area of at most 200 characters.
///
/// # Errors
/// It is longer.
pub(super) fn read_area(text: &str) -> Result<Text, Invalid> {
    Text::parse(chars_at_most(text, AREA_CHARS_MAX)?)
}

fn read_grace_days(number: i32) -> Result<u32, Invalid> {
    u32::try_from(number)
        .ok()
        .filter(|days| *days <= 366)
        .ok_or_else(|| Invalid::new(format!("{number} is out of bounds: send 0 to 366 days")))
}

fn read_category(number: i32) -> Result<Category, Invalid> {
    use api::kpi::Category as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Operational => Category::Operational,
        Api::Strategic => Category::Strategic,
        Api::Financial => Category::Financial,
    })
}

fn read_direction(number: i32) -> Result<Direction, Invalid> {
    use api::Direction as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => {
            return Err(Invalid::new(
                "it is missing: say HIGHER_IS_BETTER, LOWER_IS_BETTER or IN_RANGE",
            ));
        }
        Api::HigherIsBetter => Direction::HigherIsBetter,
        Api::LowerIsBetter => Direction::LowerIsBetter,
        Api::InRange => Direction::InRange,
    })
}

/// A cadence; unspecified: none.
///
/// # Errors
/// It has an unknown number.
pub(crate) fn read_cadence(number: i32) -> Result<Option<Cadence>, Invalid> {
    use api::Cadence as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => None,
        Api::Daily => Some(Cadence::Daily),
        Api::Weekly => Some(Cadence::Weekly),
        Api::Monthly => Some(Cadence::Monthly),
        Api::Quarterly => Some(Cadence::Quarterly),
        Api::Semiannual => Some(Cadence::Semiannual),
        Api::Annual => Some(Cadence::Annual),
        Api::Irregular => Some(Cadence::Irregular),
    })
}

fn read_transform(number: i32) -> Result<Option<Transform>, Invalid> {
    use api::kpi::Transform as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => None,
        Api::ChangePercent => Some(Transform::ChangePercent),
    })
}

pub(super) fn read_aggregation(number: i32) -> Result<Aggregation, Invalid> {
    use api::Aggregation as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Last => Aggregation::Last,
        Api::Sum => Aggregation::Sum,
        Api::Mean => Aggregation::Mean,
        Api::Min => Aggregation::Min,
        Api::Max => Aggregation::Max,
        Api::Count => Aggregation::Count,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, mask};
    use super::*;

    fn create(kpi: api::Kpi) -> Result<Asked, Rejection> {
        create_kpi(&api::CreateKpiRequest {
            parent: "workspaces/acme".to_owned(),
            kpi_id: "nps".to_owned(),
            kpi: Some(kpi),
            ..api::CreateKpiRequest::default()
        })
    }

    fn minimal() -> api::Kpi {
        api::Kpi {
            title: "NPS".to_owned(),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Weekly.into(),
            ..api::Kpi::default()
        }
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let Command::CreateKpi { fields, .. } = command(create(minimal())) else {
            panic!("another command");
        };
        assert_eq!(
            (fields.category, fields.aggregation),
            (Category::Operational, Aggregation::Last)
        );
        assert_eq!(
            (fields.unit, fields.review_cadence, fields.grace_days),
            (Unit::number(), None, 0)
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::Kpi {
            area: "x".repeat(201),
            category: 9,
            unit: Some(api::Unit {
                kind: 9,
                ..api::Unit::default()
            }),
            direction: 0,
            cadence: 0,
            grace_days: 367,
            review_cadence: -1,
            aggregation: 7,
            replaces: "nps".to_owned(),
            ..minimal()
        };
        let expected = [
            "area",
            "category",
            "unit.kind",
            "direction",
            "cadence",
            "grace_days",
            "review_cadence",
            "aggregation",
            "replaces",
        ];
        assert_eq!(
            bad_fields(create(bad)),
            expected.map(|field| format!("kpi.{field}"))
        );
    }

    #[test]
    fn every_field_can_be_changed_alone() {
        for field in FIELDS {
            let update = update_kpi(&api::UpdateKpiRequest {
                kpi: Some(api::Kpi {
                    name: "workspaces/acme/kpis/nps".to_owned(),
                    ..minimal()
                }),
                update_mask: mask(&[field.path]),
                ..api::UpdateKpiRequest::default()
            });
            let Command::UpdateKpi { patch, .. } = command(update) else {
                panic!("another command");
            };
            assert_ne!(*patch, KpiPatch::default(), "{} is not read", field.path);
            assert_eq!(patch.complete(), None, "{} alone is not all", field.path);
        }
    }
}
