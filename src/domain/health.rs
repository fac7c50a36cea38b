//! KPI health: period values judged by the target in force.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Cadence, Direction, Kpi, PeriodValue, Point, TOLERANCE, Target, Timestamp, Value, Workspace,
    period_values_back, plus_days,
};

/// How a KPI stands on the workspace's today.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiHealth {
    /// The newest period value against the target in force on the period's last day.
    pub health: Health,
    /// The newest period value.
    pub period_value: Option<PeriodValue>,
    /// The latest single value by effective time.
    pub latest: Option<(Timestamp, f64)>,
    /// Whether the value of a period that has ended, and its grace too, is missing.
    pub stale: bool,
    /// How far from the target, in the KPI's unit; 0 and above is good.
    pub distance_to_target: Option<f64>,
    /// The target in force, by its date.
    pub target: Option<Date>,
    /// How many measurements are known.
    pub measurement_count: usize,
    /// The share of the newest period values that were HEALTHY, 0 to 1, among those that a target was in force for; none
    /// without such a one.
    pub healthy_share: Option<f64>,
    /// How many period values that share is of, at most as many as the policy says.
    pub healthy_share_periods: usize,
}

/// A period value and how it stands against the target of its last day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedValue {
    /// The value.
    pub value: PeriodValue,
    /// Which target was in force, by its date, with its bounds on that day; none: NO_TARGET.
    pub target: Option<(Date, Target)>,
    /// HEALTHY, WATCH, BREACHED or NO_TARGET.
    pub health: Health,
}

/// How a KPI stands against its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Health {
    /// No measurement yet.
    NoData,
    /// No target in force.
    NoTarget,
    /// The target holds.
    Healthy,
    /// The target is missed, the critical bound holds.
    Watch,
    /// The critical bound is missed too, or there is none.
    Breached,
}

/// How a KPI stands.
#[must_use]
pub fn kpi_health(kpi: &Kpi, workspace: &Workspace) -> KpiHealth {
    // Without any target there is nothing to hold, and no need to look further back.
    let periods = match kpi.targets.is_empty() {
        true => 1,
        false => workspace.policy().alerts.healthy_share_periods.max(1) as usize,
    };
    let judged: Vec<JudgedValue> = judged_values(kpi, workspace).take(periods).collect();
    let count = |so: fn(Health) -> bool| judged.iter().filter(|judged| so(judged.health)).count();
    let held = count(|health| health == Health::Healthy);
    let counted = count(|health| health != Health::NoTarget);
    let newest = judged.first().copied();
    let in_force = newest.and_then(|newest| newest.target);
    KpiHealth {
        health: newest.map_or(Health::NoData, |newest| newest.health),
        period_value: newest.map(|newest| newest.value),
        latest: kpi
            .series
            .latest()
            .map(|point| (point.effective_time(), point.value())),
        stale: is_stale(kpi, workspace),
        distance_to_target: newest
            .zip(in_force)
            .and_then(|(newest, (_, target))| distance(&target, kpi.fields.direction, newest.value.value)),
        target: in_force.map(|(date, _)| date),
        measurement_count: kpi.series.len(),
        healthy_share: (counted > 0).then(|| held as f64 / counted as f64),
        healthy_share_periods: counted,
    }
}

/// The period values of a KPI, each judged by the target in force on its period's last day, from the newest backwards.
pub fn judged_values<'k>(
    kpi: &'k Kpi,
    workspace: &'k Workspace,
) -> impl Iterator<Item = JudgedValue> + use<'k> {
    period_values_back(kpi, workspace, None).map(move |value| {
        let target = kpi.target_on(value.period.last);
        let health = target.map_or(Health::NoTarget, |(_, target)| {
            judge(&target, kpi.fields.direction, value.value)
        });
        JudgedValue {
            value,
            target,
            health,
        }
    })
}

/// A value against a target. Equality is healthy, with 1e-9 in the owner's favour.
#[must_use]
pub fn judge(target: &Target, direction: Direction, value: f64) -> Health {
    let reaches = |bound: Option<Value>| bound.is_some_and(|bound| value >= bound.get() - TOLERANCE);
    let stays = |bound: Option<Value>| bound.is_some_and(|bound| value <= bound.get() + TOLERANCE);
    let (holds, not_critical) = match direction {
        Direction::HigherIsBetter => (reaches(target.at_least), reaches(target.critical_at_least)),
        Direction::LowerIsBetter => (stays(target.at_most), stays(target.critical_at_most)),
        Direction::InRange => {
            // Where a side has no critical bound, its target is the last line.
            let least = target.critical_at_least.or(target.at_least);
            let most = target.critical_at_most.or(target.at_most);
            (
                reaches(target.at_least) && stays(target.at_most),
                reaches(least) && stays(most),
            )
        }
    };
    if holds {
        Health::Healthy
    } else if not_critical {
        Health::Watch
    } else {
        Health::Breached
    }
}

fn distance(target: &Target, direction: Direction, value: f64) -> Option<f64> {
    let above = target.at_least.map(|bound| value - bound.get());
    let below = target.at_most.map(|bound| bound.get() - value);
    match direction {
        Direction::HigherIsBetter => above,
        Direction::LowerIsBetter => below,
        Direction::InRange => above.zip(below).map(|(above, below)| above.min(below)),
    }
}

/// Whether the value of a period that has ended, and its grace too, is missing. What is archived or IRREGULAR awaits none; what
/// was never fed awaits one from its creation on.
#[must_use]
pub fn is_stale(kpi: &Kpi, workspace: &Workspace) -> bool {
    let cadence = kpi.fields.cadence;
    if cadence == Cadence::Irregular || kpi.archived.is_some() {
        return false;
    }
    let newest = kpi
        .series
        .latest()
        .map_or(kpi.authorship.created, Point::effective_time);
    let calendar = workspace.calendar();
    let awaited = calendar.following(cadence, calendar.period(cadence, workspace.rules().date(newest)));
    workspace.today() > plus_days(awaited.last, kpi.fields.grace_days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Value;

    fn value(number: f64) -> Option<Value> {
        Value::parse(number).ok()
    }

    #[test]
    fn a_value_is_judged_by_direction_with_equality_healthy() {
        use Direction::{HigherIsBetter, InRange, LowerIsBetter};
        use Health::{Breached, Healthy, Watch};
        let higher = Target {
            at_least: value(50.0),
            critical_at_least: value(40.0),
            ..Target::default()
        };
        let lower = Target {
            at_most: value(30.0),
            critical_at_most: value(45.0),
            ..Target::default()
        };
        let range = Target {
            at_least: value(1.0),
            at_most: value(2.0),
            critical_at_most: value(3.0),
            ..Target::default()
        };
        let bare = Target {
            at_least: value(50.0),
            ..Target::default()
        };
        for (target, direction, number, expected) in [
            (higher, HigherIsBetter, 50.0, Healthy),
            (higher, HigherIsBetter, 50.0 - 1e-10, Healthy),
            (higher, HigherIsBetter, 49.9, Watch),
            (higher, HigherIsBetter, 40.0, Watch),
            (higher, HigherIsBetter, 39.9, Breached),
            (lower, LowerIsBetter, 30.0, Healthy),
            (lower, LowerIsBetter, 45.0, Watch),
            (lower, LowerIsBetter, 48.0, Breached),
            (range, InRange, 1.0, Healthy),
            (range, InRange, 2.0, Healthy),
            (range, InRange, 2.5, Watch),
            (range, InRange, 3.5, Breached),
            (range, InRange, 0.9, Breached),
            (bare, HigherIsBetter, 49.0, Breached),
        ] {
            assert_eq!(
                judge(&target, direction, number),
                expected,
                "{number} against {target:?}"
            );
        }
    }
}
