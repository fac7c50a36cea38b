//! Scores, expected progress and status. Every formula is a pure function of the workspace at one revision.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Ambition, CycleFields, Id, KeyResult, KeyResultId, KeyResultKind, Objective, ObjectiveState, Period,
    Revision, ScoringPolicy, StatusOverride, TOLERANCE, Workspace, days_between, newest_period_value,
    plus_days,
};

/// How a key result goes, on the workspace's today.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyResultProgress {
    /// The current value; none before the first observation.
    pub current: Option<f64>,
    /// Raw progress: below 0 is worse than the baseline, above 1 beyond the target.
    pub progress: f64,
    /// Progress cut to 0..1.
    pub score: f64,
    /// What the score should be today, 0 to 1.
    pub expected: f64,
    /// The score against what is expected, or what the newest check-in said instead.
    pub status: Status,
    /// Whether nothing was heard of it for longer than cadence and grace.
    pub outdated: bool,
    /// The revision of the policy that these figures follow.
    pub policy_version: Revision,
}

/// How an objective goes, on the workspace's today.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveProgress {
    /// Weighted mean of the key results' scores; none when none counts.
    pub score: Option<f64>,
    /// Weighted mean of what they should be; none with the score.
    pub expected: Option<f64>,
    /// The score against what is expected.
    pub status: Status,
    /// The worst status among the key results; none without any.
    pub worst_status: Option<Status>,
    /// Whether some key result is outdated.
    pub outdated: bool,
    /// The revision of the policy that these figures follow.
    pub policy_version: Revision,
}

/// How something stands against what is expected of it, from the worst to the best where they can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Further behind than `behind_gap`.
    AtRisk,
    /// At most `behind_gap` behind.
    Behind,
    /// No observation yet, and not late either.
    NotStarted,
    /// At most `on_track_gap` behind.
    OnTrack,
    /// The bar is reached.
    Achieved,
    /// Nothing counts in it.
    Unmeasured,
    /// Closed; the score is frozen.
    Closed,
}

/// A key result's figures; none unless its objective is ACTIVE.
#[must_use]
pub fn key_result_progress(
    workspace: &Workspace,
    id: &KeyResultId,
    key_result: &KeyResult,
) -> Option<KeyResultProgress> {
    let objective = workspace.objective(&id.objective).ok()?;
    let cycle = &workspace.cycle(&objective.fields.cycle).ok()?.fields;
    let activation = active_since(objective)?;
    let policy = workspace.policy();
    let current = current_value(workspace, key_result, cycle);
    let progress = progress(&key_result.fields.kind, current);
    let score = progress.clamp(0.0, 1.0);
    let bar = bar(policy, objective.fields.ambition);
    let last = key_result
        .fields
        .due_date
        .map_or(cycle.last_date, |due| due.min(cycle.last_date));
    let first = cycle.first_date.max(activation).max(key_result.creation_date);
    let expected = bar * elapsed(first, last, workspace.today());
    let outdated = is_outdated(workspace, key_result, cycle, activation);
    let judged = status(
        policy,
        score,
        expected,
        bar,
        current.is_some(),
        workspace.today() > last,
    );
    Some(KeyResultProgress {
        current,
        progress,
        score,
        expected,
        status: if outdated {
            judged
        } else {
            overridden(workspace, key_result, cycle).unwrap_or(judged)
        },
        outdated,
        policy_version: workspace.policy_version(),
    })
}

/// An objective's figures from its key results' (all of them, by id, with their weights); none unless it is ACTIVE.
#[must_use]
pub fn objective_progress<'a>(
    workspace: &Workspace,
    objective: &Objective,
    key_results: &(impl Iterator<Item = (&'a KeyResult, &'a KeyResultProgress)> + Clone),
) -> Option<ObjectiveProgress> {
    active_since(objective)?;
    let policy = workspace.policy();
    let weights = |figure: fn(&KeyResultProgress) -> f64| {
        weighted_mean(
            key_results
                .clone()
                .map(|(kr, progress)| (kr.fields.weight.get(), Some(figure(progress)))),
        )
    };
    let score = weights(|progress| progress.score);
    let expected = weights(|progress| progress.expected);
    let status = score
        .zip(expected)
        .map_or(Status::Unmeasured, |(score, expected)| {
            let over = workspace
                .cycle(&objective.fields.cycle)
                .is_ok_and(|c| workspace.today() > c.fields.last_date);
            let started = key_results
                .clone()
                .any(|(_, progress)| progress.current.is_some());
            status(
                policy,
                score,
                expected,
                bar(policy, objective.fields.ambition),
                started,
                over,
            )
        });
    Some(ObjectiveProgress {
        score,
        expected,
        status,
        worst_status: key_results.clone().map(|(_, progress)| progress.status).min(),
        outdated: key_results.clone().any(|(_, progress)| progress.outdated),
        policy_version: workspace.policy_version(),
    })
}

/// Σ wᵢ sᵢ ÷ Σ wᵢ over what has a score, in the order given; none when nothing has one or all weights are 0.
#[must_use]
pub fn weighted_mean(scores: impl Iterator<Item = (f64, Option<f64>)>) -> Option<f64> {
    let (sum, weights) = scores
        .filter_map(|(weight, score)| Some((weight, score?)))
        .fold((0.0, 0.0), |(sum, weights), (weight, score)| {
            (sum + weight * score, weights + weight)
        });
    (weights > 0.0).then(|| sum / weights)
}

/// p = (c − b) / (t − b); 0 without an observation.
fn progress(kind: &KeyResultKind, current: Option<f64>) -> f64 {
    let KeyResultKind::Metric(metric) = kind;
    match (metric.baseline, current) {
        (Some(baseline), Some(current)) => {
            let baseline = baseline.value.get();
            (current - baseline) / (metric.target.get() - baseline)
        }
        _ => 0.0,
    }
}

/// Only what is dated within the cycle counts: the linked KPI's newest period value, else the newest check-in.
fn current_value(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields) -> Option<f64> {
    let window = Period {
        first: cycle.first_date,
        last: cycle.last_date,
    };
    match &key_result.fields.kpi {
        Some(kpi) => {
            newest_period_value(workspace.kpi(kpi).ok()?, workspace, Some(window)).map(|newest| newest.value)
        }
        None => key_result
            .newest_check_ins()
            .filter(|check_in| window.contains(workspace.rules().date(check_in.effective_time)))
            .find_map(|check_in| check_in.value)
            .map(|value| value.get()),
    }
}

/// What the newest check-in of the cycle says of the status.
fn overridden(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields) -> Option<Status> {
    let newest = key_result.newest_check_ins().find(|check_in| {
        let date = workspace.rules().date(check_in.effective_time);
        cycle.first_date <= date && date <= cycle.last_date
    })?;
    newest.status_override.map(|status| match status {
        StatusOverride::OnTrack => Status::OnTrack,
        StatusOverride::Behind => Status::Behind,
        StatusOverride::AtRisk => Status::AtRisk,
    })
}

/// Silence for longer than cadence and grace, counted from the activation.
fn is_outdated(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields, activation: Date) -> bool {
    let window = Period {
        first: cycle.first_date,
        last: cycle.last_date,
    };
    let check_in = key_result
        .newest_check_ins()
        .next()
        .map(|c| workspace.rules().date(c.effective_time));
    let period = key_result
        .fields
        .kpi
        .as_ref()
        .and_then(|kpi| newest_period_value(workspace.kpi(kpi).ok()?, workspace, Some(window)))
        .map(|newest| newest.period.last.min(workspace.today()));
    let newest = [check_in, period]
        .into_iter()
        .flatten()
        .fold(activation, Date::max);
    let policy = workspace.policy();
    let today = workspace.today().min(cycle.last_date);
    today
        > plus_days(
            newest,
            policy
                .check_in_cadence_days
                .saturating_add(policy.check_in_grace_days),
        )
}

fn status(policy: &ScoringPolicy, score: f64, expected: f64, bar: f64, started: bool, over: bool) -> Status {
    let gap = expected - score;
    let within = |limit: f64| gap <= limit + TOLERANCE;
    if score >= bar - TOLERANCE {
        Status::Achieved
    } else if within(policy.on_track_gap) && !over {
        if started {
            Status::OnTrack
        } else {
            Status::NotStarted
        }
    } else if within(policy.behind_gap) {
        Status::Behind
    } else {
        Status::AtRisk
    }
}

/// 0 on the first day, 1 after the last, by whole local days.
fn elapsed(first: Date, last: Date, today: Date) -> f64 {
    let days = f64::from(days_between(first, last)) + 1.0;
    if days <= 0.0 {
        return if today > last { 1.0 } else { 0.0 };
    }
    (f64::from(days_between(first, today)) / days).clamp(0.0, 1.0)
}

fn bar(policy: &ScoringPolicy, ambition: Ambition) -> f64 {
    match ambition {
        Ambition::Committed => policy.committed_bar,
        Ambition::Aspirational => policy.aspirational_bar,
    }
}

fn active_since(objective: &Objective) -> Option<Date> {
    match objective.state {
        ObjectiveState::Active => objective.activation_date,
        ObjectiveState::Draft | ObjectiveState::Closed | ObjectiveState::Canceled => None,
    }
}

/// Names a team's score in one cycle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TeamCycle {
    /// The team.
    pub team: Id,
    /// The cycle.
    pub cycle: Id,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::{Baseline, Metric, Value};

    fn metric(baseline: f64, target: f64) -> KeyResultKind {
        let value = |number| Value::parse(number).expect("a value");
        let baseline = Some(Baseline {
            value: value(baseline),
            kpi_revision: None,
        });
        KeyResultKind::Metric(Metric {
            baseline,
            target: value(target),
        })
    }

    #[test]
    fn progress_is_the_way_from_baseline_to_target_either_way() {
        for (baseline, target, current, expected) in [
            (40.0, 65.0, Some(52.5), 0.5),
            (48.0, 30.0, Some(39.0), 0.5),
            (48.0, 30.0, Some(57.0), -0.5),
            (0.0, 50.0, Some(75.0), 1.5),
            (0.0, 50.0, None, 0.0),
        ] {
            assert_eq!(progress(&metric(baseline, target), current), expected);
        }
    }

    #[test]
    fn elapsed_is_0_on_the_first_day_and_1_after_the_last() {
        let (first, last) = (date(2026, 1, 1), date(2026, 3, 31));
        for (today, expected) in [
            (date(2025, 12, 1), 0.0),
            (first, 0.0),
            (date(2026, 2, 15), 0.5),
            (last, 89.0 / 90.0),
            (date(2026, 4, 1), 1.0),
            (date(2027, 1, 1), 1.0),
        ] {
            assert_eq!(elapsed(first, last, today), expected, "on {today}");
        }
        assert_eq!(elapsed(last, first, first), 0.0, "due before it began");
        assert_eq!(elapsed(last, first, last), 1.0, "due before it began");
    }

    #[test]
    fn a_status_follows_the_gap_with_1e_9_in_the_owners_favour() {
        let policy = ScoringPolicy::default();
        let judged = |score, expected, started, over| status(&policy, score, expected, 1.0, started, over);
        assert_eq!(
            judged(0.4, 0.5, true, false),
            Status::OnTrack,
            "the limit itself, inexact in binary"
        );
        assert_eq!(judged(0.4, 0.5, false, false), Status::NotStarted);
        assert_eq!(judged(0.39, 0.5, true, false), Status::Behind);
        assert_eq!(judged(0.25, 0.5, true, false), Status::Behind);
        assert_eq!(judged(0.24, 0.5, false, false), Status::AtRisk);
        assert_eq!(judged(1.0 - 1e-10, 0.5, true, true), Status::Achieved);
        assert_eq!(
            judged(0.95, 1.0, true, true),
            Status::Behind,
            "after the last day, at best BEHIND"
        );
        assert_eq!(
            status(&policy, (0.7 + 0.7 + 0.7) / 3.0, 0.7, 0.7, true, true),
            Status::Achieved
        );
    }

    #[test]
    fn a_mean_of_nothing_is_absent() {
        assert_eq!(weighted_mean([].into_iter()), None);
        assert_eq!(weighted_mean([(0.0, Some(1.0)), (5.0, None)].into_iter()), None);
        assert_eq!(
            weighted_mean([(1.0, Some(1.0)), (3.0, Some(0.0))].into_iter()),
            Some(0.25)
        );
    }
}
