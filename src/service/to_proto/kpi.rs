//! KPIs and their health.

use super::scalar::{
    date, delete_time, kpi_name, labels as write_labels, member_name, number, reference, team_name,
    timestamp, unit as write_unit,
};
use crate::domain::{
    Aggregation, Authorship, Cadence, Category, Direction, Health, Id, Kpi, KpiFields, KpiHealth, Period,
    PeriodValue, ResourceName, Transform,
};
use crate::proto::api;
use crate::service::{etag, names};

/// A KPI.
#[must_use]
pub(crate) fn kpi(workspace: &Id, id: &Id, kpi: &Kpi, health: Option<&KpiHealth>) -> api::Kpi {
    let Kpi {
        fields,
        targets: _,
        series: _,
        alerts: _,
        open_alerts,
        archived,
        deleted,
        authorship,
    } = kpi;
    let KpiFields {
        title,
        description,
        owner,
        team,
        area,
        category: about,
        unit,
        direction: goes,
        cadence: measured,
        grace_days,
        review_cadence,
        aggregation: becomes,
        data_source,
        replaces,
        labels,
        transform,
    } = &**fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::Kpi {
        name: kpi_name(workspace, id),
        title: title.as_str().to_owned(),
        description: description.as_str().to_owned(),
        owner: reference(workspace, owner.as_ref(), member_name),
        team: reference(workspace, team.as_ref(), team_name),
        area: area.as_str().to_owned(),
        category: category(*about).into(),
        unit: Some(write_unit(unit)),
        direction: direction(*goes).into(),
        cadence: cadence(*measured).into(),
        // At most 366.
        grace_days: i32::try_from(*grace_days).unwrap_or(i32::MAX),
        review_cadence: review_cadence.map_or(api::Cadence::Unspecified, cadence).into(),
        aggregation: aggregation(*becomes).into(),
        data_source: data_source.as_str().to_owned(),
        replaces: reference(workspace, replaces.as_ref(), kpi_name),
        labels: write_labels(labels),
        health: health.map(|health| kpi_health(workspace, id, health)),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        delete_time: delete_time(*deleted),
        transform: match transform {
            None => api::kpi::Transform::Unspecified,
            Some(Transform::ChangePercent) => api::kpi::Transform::ChangePercent,
        }
        .into(),
        archive_time: archived.map(timestamp),
        open_alerts: open_alerts
            .values()
            .map(|alert| names::full_name(workspace, &ResourceName::Alert(id.clone(), alert.clone())))
            .collect(),
        needs_action: kpi.needs_action(),
        period_value_text: health
            .and_then(|health| health.period_value)
            .map(|newest| fields.judged_unit().short_text(newest.value))
            .unwrap_or_default(),
        latest_value_text: health
            .and_then(|health| health.latest)
            .map(|(_, value)| unit.text(value))
            .unwrap_or_default(),
    }
}

/// How a KPI stands.
#[must_use]
pub(crate) fn kpi_health(workspace: &Id, kpi: &Id, of: &KpiHealth) -> api::KpiHealth {
    let KpiHealth {
        health: stands,
        period_value: newest,
        latest,
        stale,
        distance_to_target,
        target,
        measurement_count,
        healthy_share,
        healthy_share_periods,
    } = of;
    api::KpiHealth {
        health: health(*stands).into(),
        period_value: newest.map(period_value),
        latest_value: latest.map(|(_, value)| value),
        latest_effective_time: latest.map(|(at, _)| timestamp(at)),
        stale: *stale,
        distance_to_target: *distance_to_target,
        target: target
            .map(|date| names::full_name(workspace, &ResourceName::Target(kpi.clone(), date)))
            .unwrap_or_default(),
        measurement_count: number(*measurement_count as u64),
        healthy_share: *healthy_share,
        // At most 1,000.
        healthy_share_periods: i32::try_from(*healthy_share_periods).unwrap_or(i32::MAX),
    }
}

pub(super) fn period_value(newest: PeriodValue) -> api::PeriodValue {
    let PeriodValue {
        period: Period { first, last },
        value,
        provisional,
    } = newest;
    api::PeriodValue {
        first_date: Some(date(first)),
        last_date: Some(date(last)),
        value,
        provisional,
    }
}

fn health(health: Health) -> api::Health {
    match health {
        Health::NoData => api::Health::NoData,
        Health::NoTarget => api::Health::NoTarget,
        Health::Healthy => api::Health::Healthy,
        Health::Watch => api::Health::Watch,
        Health::Breached => api::Health::Breached,
    }
}

fn category(category: Category) -> api::kpi::Category {
    use api::kpi::Category as Api;
    match category {
        Category::Strategic => Api::Strategic,
        Category::Operational => Api::Operational,
        Category::Financial => Api::Financial,
    }
}

fn direction(direction: Direction) -> api::Direction {
    match direction {
        Direction::HigherIsBetter => api::Direction::HigherIsBetter,
        Direction::LowerIsBetter => api::Direction::LowerIsBetter,
        Direction::InRange => api::Direction::InRange,
    }
}

pub(super) fn cadence(cadence: Cadence) -> api::Cadence {
    match cadence {
        Cadence::Daily => api::Cadence::Daily,
        Cadence::Weekly => api::Cadence::Weekly,
        Cadence::Monthly => api::Cadence::Monthly,
        Cadence::Quarterly => api::Cadence::Quarterly,
        Cadence::Semiannual => api::Cadence::Semiannual,
        Cadence::Annual => api::Cadence::Annual,
        Cadence::Irregular => api::Cadence::Irregular,
    }
}

pub(super) fn aggregation(aggregation: Aggregation) -> api::Aggregation {
    match aggregation {
        Aggregation::Last => api::Aggregation::Last,
        Aggregation::Sum => api::Aggregation::Sum,
        Aggregation::Mean => api::Aggregation::Mean,
        Aggregation::Min => api::Aggregation::Min,
        Aggregation::Max => api::Aggregation::Max,
        Aggregation::Count => api::Aggregation::Count,
    }
}
