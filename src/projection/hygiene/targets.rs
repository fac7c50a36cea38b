//! Rules about targets and what lies behind them: "target with no history behind it or beyond what its history reaches".
//!
//! History reaches as far as its best value and once more as far as it ever moved, or 20 % of that best value where that is
//! more: the share by which a target may well lie above the past ("15 deals a month → 18").

use super::look::Look;
use super::{Finding, FindingCode, history};
use crate::domain::{
    Aggregation, KeyResult, KeyResultKind, Kpi, Metric, Objective, ResourceName, TOLERANCE, Window,
};

/// By how much of its best value a history reaches further at least.
const REACH_SHARE: f64 = 0.2;

/// Where somebody wants to be.
#[derive(Clone, Copy)]
struct Goal {
    at_least: Option<f64>,
    at_most: Option<f64>,
}

/// How a goal stands to what was seen.
#[derive(Debug, PartialEq)]
enum Reach {
    NoHistory,
    Within,
    /// Further than history reaches; with the best that was seen.
    Beyond(f64),
}

impl Goal {
    /// How far a value is from it; 0 where it holds.
    fn distance(self, value: f64) -> f64 {
        let below = self.at_least.map_or(0.0, |least| least - value);
        let above = self.at_most.map_or(0.0, |most| value - most);
        below.max(above).max(0.0)
    }

    fn reach(self, history: &[f64]) -> Reach {
        let best = history
            .iter()
            .copied()
            .reduce(|a, b| if self.distance(b) < self.distance(a) { b } else { a });
        let Some(best) = best else {
            return Reach::NoHistory;
        };
        let lowest = history.iter().copied().fold(best, f64::min);
        let highest = history.iter().copied().fold(best, f64::max);
        let further = (highest - lowest).max(REACH_SHARE * best.abs());
        if self.distance(best) <= further + TOLERANCE {
            Reach::Within
        } else {
            Reach::Beyond(best)
        }
    }
}

/// The target in force of each KPI, and those to come.
pub(super) fn of_kpis(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, kpi) in look.kpis() {
        if kpi.targets.is_empty() {
            continue;
        }
        let values: Vec<f64> = past(kpi, look);
        let today = look.workspace.today();
        let in_force = kpi.target_on(today).map_or(today, |(date, _)| date);
        for (date, set) in kpi.targets.range(in_force..) {
            let goal = Goal {
                at_least: set.target.at_least.map(|bound| bound.get()),
                at_most: set.target.at_most.map(|bound| bound.get()),
            };
            let title = kpi.fields.title.as_str();
            let resource = ResourceName::Target((*id).clone(), *date);
            let what = format!("The target of the KPI \"{title}\" from {date} on");
            found.extend(said(&goal.reach(&values), resource, &what));
        }
    }
}

/// METRIC key results that take their values from a KPI.
pub(super) fn of_key_results(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (objective, id, key_result) in look.key_results() {
        let kpi = key_result
            .fields
            .kpi
            .as_ref()
            .and_then(|kpi| look.workspace.kpi(kpi).ok());
        let (KeyResultKind::Metric(metric), Some(kpi)) = (&key_result.fields.kind, kpi) else {
            continue;
        };
        let Some(goal) = goal_of(metric) else {
            continue;
        };
        let Some(values) = past_of(look, objective, key_result, kpi) else {
            continue;
        };
        let title = key_result.fields.title.as_str();
        let resource = ResourceName::KeyResult(id.clone());
        let what = format!("The target of the key result \"{title}\"");
        found.extend(said(&goal.reach(&values), resource, &what));
    }
}

/// Which way a metric goes; none without a baseline.
fn goal_of(metric: &Metric) -> Option<Goal> {
    let target = metric.target.get();
    let rises = target > metric.baseline?.value.get();
    Some(Goal {
        at_least: rises.then_some(target),
        at_most: (!rises).then_some(target),
    })
}

/// What a key result's target is to be compared with. A sum over a cycle is compared with sums over spans of its length;
/// where there was no whole one yet, with nothing.
fn past_of(look: &Look<'_>, objective: &Objective, key_result: &KeyResult, kpi: &Kpi) -> Option<Vec<f64>> {
    let summed = matches!(kpi.fields.aggregation, Aggregation::Sum | Aggregation::Count);
    if kpi.series.is_empty() || !summed || key_result.fields.window == Window::Newest {
        return Some(past(kpi, look));
    }
    let cycle = look.workspace.cycle(&objective.fields.cycle).ok()?;
    let spans = history::cycles_before(kpi, look.workspace, &cycle.fields);
    (!spans.is_empty()).then_some(spans)
}

fn past(kpi: &Kpi, look: &Look<'_>) -> Vec<f64> {
    let values = history::values(kpi, look.workspace);
    values.iter().map(|value| value.value).collect()
}

fn said(reach: &Reach, resource: ResourceName, what: &str) -> Option<Finding> {
    let (code, sentence) = match reach {
        Reach::Within => return None,
        Reach::NoHistory => (
            FindingCode::TargetWithoutHistory,
            format!("{what} has no value of the last three years behind it."),
        ),
        Reach::Beyond(best) => (
            FindingCode::TargetBeyondHistory,
            format!("{what} is far beyond the best that was seen, {}.", shown(*best)),
        ),
    };
    Some(Finding {
        code,
        resource,
        sentence,
    })
}

/// With at most two decimals: it is read, not computed with.
fn shown(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
