//! What the past suggests, and what it says of the future.

use jiff::civil::Date;

use super::kpi::period_value;
use super::scalar::{date, kpi_name, revision as write_revision};
use super::target::target as write_target;
use crate::domain::{Id, KeyResultId, Period, ResourceName, Revision, Target, Unit, Value};
use crate::projection::{
    Basis, ForecastPoint, Interval, KeyResultForecast, KpiForecast, METHOD, PROBABILITY_METHOD, Suggested,
    SuggestionMethod, Suggestions,
};
use crate::proto::api;
use crate::service::names;

/// What a KPI's past suggests; the targets hold from `today` on.
#[must_use]
pub(crate) fn target_suggestions(
    workspace: &Id,
    kpi: &Id,
    of: Suggestions,
    today: Date,
    revision: Revision,
) -> api::TargetSuggestions {
    let Suggestions {
        values,
        mean,
        spread,
        lower_quartile,
        upper_quartile,
        suggested,
        unit,
        in_force,
    } = of;
    api::TargetSuggestions {
        kpi: kpi_name(workspace, kpi),
        points_count: count(values.len()),
        mean,
        spread,
        lower_quartile,
        upper_quartile,
        suggestions: suggested
            .iter()
            .map(|one| suggestion(one, &unit, today))
            .collect(),
        current_target: in_force.map(|(from, set)| write_target(workspace, kpi, &unit, from, &set)),
        period_values: values.into_iter().map(period_value).collect(),
        revision: write_revision(revision),
    }
}

fn suggestion(suggested: &Suggested, unit: &Unit, today: Date) -> api::TargetSuggestion {
    use api::target_suggestion::Method as Api;
    let Suggested { method, target, held } = *suggested;
    // A suggestion has bounds and nothing else, so SetTarget takes it as it is.
    let Target {
        at_least,
        at_most,
        critical_at_least: _,
        critical_at_most: _,
        stretch: _,
        ramp: _,
    } = target;
    api::TargetSuggestion {
        method: match method {
            SuggestionMethod::Mean => Api::Mean,
            SuggestionMethod::MovedMean => Api::MovedMean,
            SuggestionMethod::BestQuartile => Api::BestQuartile,
            SuggestionMethod::MeanAndSpread => Api::MeanAndSpread,
            SuggestionMethod::MiddleHalf => Api::MiddleHalf,
        }
        .into(),
        target: Some(api::Target {
            effective_date: Some(date(today)),
            at_least: at_least.map(Value::get),
            at_most: at_most.map(Value::get),
            text: target.text(unit),
            ..api::Target::default()
        }),
        held_count: count(held),
    }
}

/// What a KPI's period values will be.
#[must_use]
pub(crate) fn kpi_forecast(
    workspace: &Id,
    kpi: &Id,
    of: &KpiForecast,
    revision: Revision,
) -> api::KpiForecast {
    let KpiForecast { model, basis, points } = of;
    api::KpiForecast {
        kpi: kpi_name(workspace, kpi),
        points: points.iter().map(point).collect(),
        basis: Some(write_basis(model, *basis)),
        revision: write_revision(revision),
    }
}

fn point(point: &ForecastPoint) -> api::ForecastPoint {
    let ForecastPoint {
        period: Period { first, last },
        expected,
        interval_80,
        interval_95,
    } = *point;
    api::ForecastPoint {
        first_date: Some(date(first)),
        last_date: Some(date(last)),
        expected,
        interval_80: Some(interval(interval_80)),
        interval_95: Some(interval(interval_95)),
    }
}

/// Where a key result will stand on its last day.
#[must_use]
pub(crate) fn key_result_forecast(
    workspace: &Id,
    id: &KeyResultId,
    of: &KeyResultForecast,
    revision: Revision,
) -> api::KeyResultForecast {
    let KeyResultForecast {
        target_date,
        current,
        reached,
        expected,
        interval_80,
        interval_95,
        expected_progress,
        probability_to_reach,
        remaining_periods,
        model,
        basis,
    } = *of;
    api::KeyResultForecast {
        key_result: names::full_name(workspace, &ResourceName::KeyResult(id.clone())),
        target_date: Some(date(target_date)),
        current,
        reached,
        expected,
        interval_80: Some(interval(interval_80)),
        interval_95: Some(interval(interval_95)),
        expected_progress,
        expected_score: expected_progress.clamp(0.0, 1.0),
        probability_to_reach,
        probability_method: PROBABILITY_METHOD.to_owned(),
        remaining_periods: count(remaining_periods),
        basis: Some(write_basis(model, basis)),
        revision: write_revision(revision),
    }
}

fn write_basis(model: &str, basis: Basis) -> api::ForecastBasis {
    let Basis {
        points,
        filled,
        days: Period { first, last },
    } = basis;
    api::ForecastBasis {
        method: METHOD.to_owned(),
        model: model.to_owned(),
        points_count: count(points),
        filled_count: count(filled),
        first_date: Some(date(first)),
        last_date: Some(date(last)),
    }
}

fn interval(interval: Interval) -> api::Interval {
    let Interval { low, high } = interval;
    api::Interval { low, high }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
