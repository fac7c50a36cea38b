//! The way back from a key result to a KPI: what was reached is to be kept, so it becomes a gauge with a target.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    Aggregation, Cadence, Category, Direction, Etag, Event, Id, KeyResult, KeyResultId, KeyResultKind,
    KeyResultPatch, KpiFields, Labels, MeasurementRecorded, Objective, Rejection, Stamp, Target, Text,
    Timestamp, Title, Unit, Workspace, key_result, kpi, target,
};

/// A KPI to make of a key result.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiFromKeyResult {
    /// The key result.
    pub key_result: KeyResultId,
    /// The new KPI's id.
    pub kpi: Id,
    /// What people call it; none: as the key result.
    pub title: Option<Title>,
    /// How often it is measured.
    pub cadence: Cadence,
    /// For example "sales".
    pub area: Text,
    /// Where the values come from.
    pub data_source: Text,
}

pub(super) fn create(
    workspace: &Workspace,
    new: &KpiFromKeyResult,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let key_result = workspace.key_result(&new.key_result)?;
    let objective = workspace.objective(&new.key_result.objective)?;
    if let Some(kpi) = &key_result.fields.kpi {
        return Err(Rejection::KeyResultHasKpi {
            key_result: new.key_result.clone(),
            kpi: kpi.clone(),
        });
    }
    let (direction, bounds) = asked(&new.key_result, &key_result.fields.kind)?;
    let mut events = kpi::create(
        workspace,
        &new.kpi,
        &fields(workspace, new, key_result, objective, direction),
    )?;
    let mut after = workspace.clone();
    fold(&mut after, &events, stamp);
    events.extend(keep(&after, new, workspace.today(), &bounds)?);
    events.extend(measurements(new, key_result));
    let mut after = workspace.clone();
    fold(&mut after, &events, stamp);
    if workspace.open_objective(&new.key_result.objective).is_ok() {
        let link = KeyResultPatch {
            kpi: Some(Some(new.kpi.clone())),
            ..KeyResultPatch::default()
        };
        events.extend(key_result::update(
            &after,
            &new.key_result,
            &link,
            Etag::Any,
            stamp,
        )?);
    }
    Ok(events)
}

/// Sets the target. Bounds that the unit has no room for are the key result's.
fn keep(
    workspace: &Workspace,
    new: &KpiFromKeyResult,
    today: Date,
    bounds: &Target,
) -> Result<Vec<Event>, Rejection> {
    target::set(workspace, &new.kpi, today, bounds).map_err(|refused| match refused {
        Rejection::Invalid(violations) => {
            let sentences: Vec<String> = violations.into_iter().map(|it| it.sentence).collect();
            let sentence = format!(
                "its bounds are no target of a KPI, so update the key result first: {}",
                sentences.join("; ")
            );
            Rejection::invalid("name", sentence)
        }
        other => other,
    })
}

fn fold(workspace: &mut Workspace, events: &[Event], stamp: &Stamp) {
    for event in events {
        workspace.evolve(event, stamp);
    }
}

/// What the key result asks for, as a KPI asks for it.
fn asked(id: &KeyResultId, kind: &KeyResultKind) -> Result<(Direction, Target), Rejection> {
    let nothing = Target::default();
    Ok(match kind {
        KeyResultKind::Metric(metric) => {
            let falls = metric
                .baseline
                .is_some_and(|baseline| metric.target < baseline.value);
            match falls {
                true => {
                    let at_most = Some(metric.target);
                    (Direction::LowerIsBetter, Target { at_most, ..nothing })
                }
                false => {
                    let at_least = Some(metric.target);
                    (Direction::HigherIsBetter, Target { at_least, ..nothing })
                }
            }
        }
        KeyResultKind::Maintain(maintain) => {
            let direction = match (maintain.at_least, maintain.at_most) {
                (Some(_), Some(_)) => Direction::InRange,
                (None, Some(_)) => Direction::LowerIsBetter,
                (_, None) => Direction::HigherIsBetter,
            };
            let bounds = Target {
                at_least: maintain.at_least,
                at_most: maintain.at_most,
                ..nothing
            };
            (direction, bounds)
        }
        KeyResultKind::Milestones(_) | KeyResultKind::Binary => {
            return Err(Rejection::KeyResultHasNoValues(id.clone()));
        }
    })
}

fn fields(
    workspace: &Workspace,
    new: &KpiFromKeyResult,
    key_result: &KeyResult,
    objective: &Objective,
    direction: Direction,
) -> KpiFields {
    let owner = key_result
        .fields
        .owner
        .as_ref()
        .or(objective.fields.owner.as_ref());
    let team = objective.fields.team.as_ref();
    KpiFields {
        title: new.title.as_ref().unwrap_or(&key_result.fields.title).clone(),
        description: Text::empty(),
        // As far as they are still there.
        owner: owner.filter(|owner| workspace.member(owner).is_ok()).cloned(),
        team: team.filter(|team| workspace.team(team).is_ok()).cloned(),
        area: new.area.clone(),
        category: Category::Operational,
        unit: key_result.fields.unit.clone().unwrap_or_else(Unit::number),
        direction,
        cadence: new.cadence,
        grace_days: 0,
        review_cadence: None,
        aggregation: Aggregation::Last,
        data_source: new.data_source.clone(),
        replaces: None,
        labels: Labels::default(),
        transform: None,
    }
}

/// What was checked in is what is known of it. Of several check-ins of one moment the last one counted.
fn measurements(new: &KpiFromKeyResult, key_result: &KeyResult) -> Vec<Event> {
    let mut values: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for check_in in key_result.newest_check_ins() {
        if let Some(value) = check_in.value {
            values.entry(check_in.effective_time).or_insert(value.get());
        }
    }
    // It may have been of another kind or unit when somebody saw 7.5 of it.
    let unit = key_result.fields.unit.clone().unwrap_or_else(Unit::number);
    values.retain(|_, value| unit.check(*value).is_ok());
    let recorded = values.into_iter().map(|(effective_time, value)| {
        Event::MeasurementRecorded(MeasurementRecorded {
            kpi: new.kpi.clone(),
            effective_time,
            value,
            source_id: "".into(),
            before: None,
            note: "".into(),
        })
    });
    recorded.collect()
}
