//! KPI health: period values judged by the target in force.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Aggregation, Cadence, Direction, Kpi, Period, Point, TOLERANCE, Target, Timestamp, Workspace, plus_days,
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

/// The value of one period of a KPI's cadence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodValue {
    /// The period.
    pub period: Period,
    /// The aggregated value.
    pub value: f64,
    /// Whether the period is still running.
    pub provisional: bool,
}

/// How a KPI stands.
#[must_use]
pub fn kpi_health(kpi: &Kpi, workspace: &Workspace) -> KpiHealth {
    let period_value = newest_period_value(kpi, workspace, None);
    let in_force = period_value.and_then(|newest| kpi.target_on(newest.period.last));
    let judged = period_value.zip(in_force).map(|(newest, (_, set))| {
        let direction = kpi.fields.direction;
        (
            judge(&set.target, direction, newest.value),
            distance(&set.target, direction, newest.value),
        )
    });
    let health = match (period_value, judged) {
        (None, _) if kpi.series.is_empty() => Health::NoData,
        (_, Some((health, _))) => health,
        (None, None) => Health::NoData,
        (Some(_), None) => Health::NoTarget,
    };
    KpiHealth {
        health,
        period_value,
        latest: kpi
            .series
            .latest()
            .map(|point| (point.effective_time(), point.value())),
        stale: is_stale(kpi, workspace),
        distance_to_target: judged.and_then(|(_, distance)| distance),
        target: in_force.map(|(date, _)| date),
        measurement_count: kpi.series.len(),
    }
}

/// A value against a target. Equality is healthy, with 1e-9 in the owner's favour.
#[must_use]
pub fn judge(target: &Target, direction: Direction, value: f64) -> Health {
    let reaches = |bound: Option<super::Value>| bound.is_some_and(|bound| value >= bound.get() - TOLERANCE);
    let stays = |bound: Option<super::Value>| bound.is_some_and(|bound| value <= bound.get() + TOLERANCE);
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

/// The newest period value, of all time or of what is dated within `window` (first and last day).
///
/// SUM and COUNT take complete periods only; the others may take the running one. Within a window a LAST value counts
/// by its own date, an aggregate when its period ends in the window or is running.
#[must_use]
pub fn newest_period_value(kpi: &Kpi, workspace: &Workspace, window: Option<Period>) -> Option<PeriodValue> {
    let rules = workspace.rules();
    let mut end = window.map_or(Timestamp::MAX, |window| rules.start_of(plus_days(window.last, 1)));
    // Each turn looks at one period with data, from the newest backwards.
    loop {
        let point = if window.is_none() && end == Timestamp::MAX {
            kpi.series.latest()?
        } else {
            kpi.series.latest_before(end)?
        };
        let date = rules.date(point.effective_time());
        let period = workspace.calendar().period(kpi.fields.cadence, date);
        if window.is_some_and(|window| period.last < window.first) {
            return None;
        }
        let dated_by_itself =
            kpi.fields.aggregation == Aggregation::Last || kpi.fields.cadence == Cadence::Irregular;
        let running = period.last >= workspace.today();
        let counts = match (window, dated_by_itself) {
            (None, true) => true,
            (Some(window), true) => window.contains(date),
            (None, false) => !running || !complete_only(kpi.fields.aggregation),
            (Some(window), false) if running => {
                !complete_only(kpi.fields.aggregation) && period.first <= window.last
            }
            (Some(window), false) => window.contains(period.last),
        };
        if counts {
            let value = if dated_by_itself {
                point.value()
            } else {
                aggregate(kpi, workspace, period)?
            };
            return Some(PeriodValue {
                period,
                value,
                provisional: running && kpi.fields.cadence != Cadence::Irregular,
            });
        }
        end = rules.start_of(period.first);
    }
}

/// Every period value within a window (first and last day), in order: what is dated in it counts as for the newest one.
/// Periods without data are left out.
#[must_use]
pub fn period_values(kpi: &Kpi, workspace: &Workspace, window: Period) -> Vec<PeriodValue> {
    let rules = workspace.rules();
    let (calendar, cadence) = (workspace.calendar(), kpi.fields.cadence);
    let dated_by_itself = kpi.fields.aggregation == Aggregation::Last || cadence == Cadence::Irregular;
    let first = match dated_by_itself {
        true => window.first,
        false => calendar.period(cadence, window.first).first,
    };
    let (start, end) = (rules.start_of(first), rules.start_of(plus_days(window.last, 1)));
    let mut values: Vec<PeriodValue> = Vec::new();
    for point in kpi.series.range_from(start, end) {
        let period = calendar.period(cadence, rules.date(point.effective_time()));
        let running = period.last >= workspace.today();
        let value = PeriodValue {
            period,
            value: point.value(),
            provisional: running && cadence != Cadence::Irregular,
        };
        match values.last_mut() {
            Some(newest) if newest.period == period && cadence != Cadence::Irregular => *newest = value,
            _ => values.push(value),
        }
    }
    if !dated_by_itself {
        let counts = |period: &Period| match period.last >= workspace.today() {
            true => !complete_only(kpi.fields.aggregation),
            false => window.contains(period.last),
        };
        values.retain(|value| counts(&value.period));
        for value in &mut values {
            value.value = aggregate(kpi, workspace, value.period).unwrap_or(value.value);
        }
    }
    values
}

/// Everything within a window (first and last day), aggregated as the KPI aggregates; none without data.
#[must_use]
pub fn cycle_value(kpi: &Kpi, workspace: &Workspace, window: Period) -> Option<f64> {
    aggregate(kpi, workspace, window)
        .filter(|value| value.is_finite())
        .filter(|_| {
            let rules = workspace.rules();
            let (start, end) = (
                rules.start_of(window.first),
                rules.start_of(plus_days(window.last, 1)),
            );
            kpi.series.range_from(start, end).next().is_some()
        })
}

fn complete_only(aggregation: Aggregation) -> bool {
    matches!(aggregation, Aggregation::Sum | Aggregation::Count)
}

fn aggregate(kpi: &Kpi, workspace: &Workspace, period: Period) -> Option<f64> {
    let rules = workspace.rules();
    let points = || {
        let (start, end) = (
            rules.start_of(period.first),
            rules.start_of(plus_days(period.last, 1)),
        );
        kpi.series.range_from(start, end).map(Point::value)
    };
    let count = || points().count() as f64;
    match kpi.fields.aggregation {
        Aggregation::Last => points().next_back(),
        Aggregation::Sum => Some(points().sum()),
        Aggregation::Mean => Some(points().sum::<f64>() / count()),
        Aggregation::Min => points().reduce(f64::min),
        Aggregation::Max => points().reduce(f64::max),
        Aggregation::Count => Some(count()),
    }
}

fn is_stale(kpi: &Kpi, workspace: &Workspace) -> bool {
    let cadence = kpi.fields.cadence;
    if cadence == Cadence::Irregular {
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
