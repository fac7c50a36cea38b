//! KPIs and their health.

use super::scalar::{
    date, delete_time, kpi_name, labels as write_labels, member_name, number, reference, team_name,
    timestamp, unit as write_unit,
};
use crate::domain::{
    Aggregation, Authorship, Cadence, Category, Direction, Health, Id, Kpi, KpiFields, KpiHealth, Period,
    PeriodValue, ResourceName,
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

fn cadence(cadence: Cadence) -> api::Cadence {
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

fn aggregation(aggregation: Aggregation) -> api::Aggregation {
    match aggregation {
        Aggregation::Last => api::Aggregation::Last,
        Aggregation::Sum => api::Aggregation::Sum,
        Aggregation::Mean => api::Aggregation::Mean,
        Aggregation::Min => api::Aggregation::Min,
        Aggregation::Max => api::Aggregation::Max,
        Aggregation::Count => api::Aggregation::Count,
    }
}
