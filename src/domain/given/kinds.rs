//! Kinds of key results.

use super::{id, title, value, weight};
use crate::domain::{Baseline, KeyResultKind, Maintain, MaintainMode, Metric, Milestone, Milestones, Value};

pub(crate) fn metric(baseline: Option<f64>, target: f64) -> KeyResultKind {
    KeyResultKind::Metric(Metric {
        baseline: baseline.map(|baseline| Baseline {
            value: value(baseline),
            kpi_revision: None,
        }),
        target: value(target),
        relative_target: None,
        reference_value: None,
    })
}

/// Kept from `least` to `most`, judged by the current value; over `tolerance` outside it falls to 0.
pub(crate) fn maintain(least: Option<f64>, most: Option<f64>, tolerance: f64) -> KeyResultKind {
    let parsed = Maintain::parse(
        least.map(value),
        most.map(value),
        MaintainMode::Now,
        value(tolerance),
    );
    KeyResultKind::Maintain(parsed.unwrap())
}

/// Kept at `least` or more, judged by the share of periods that held.
pub(crate) fn share(least: f64) -> KeyResultKind {
    let parsed = Maintain::parse(Some(value(least)), None, MaintainMode::Share, Value::ZERO);
    KeyResultKind::Maintain(parsed.unwrap())
}

/// Steps with their weights.
pub(crate) fn milestones(steps: &[(&str, f64)]) -> KeyResultKind {
    let milestone = |(name, weighs): &(&str, f64)| Milestone {
        id: id(name),
        title: title(name),
        weight: weight(*weighs),
    };
    let parsed = Milestones::parse(steps.iter().map(milestone).collect());
    KeyResultKind::Milestones(parsed.unwrap())
}
