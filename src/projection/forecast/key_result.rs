//! Where a key result will stand on its last day, and the probability that its target is reached in time.
//!
//! Its values are those that score it: a linked KPI's period values, its sum or count over the cycle, or its own check-ins.
//! The last day is the due date or the cycle's last day. Invariant: the probability is one of the value on that day, also
//! where the target is reached today: what was reached may be lost.

use jiff::civil::Date;

use super::history::{History, complete_period_values, values_checked_in};
use super::outlook::{Outlook, Uncertain};
use super::{Basis, ForecastRefusal, Interval};
use crate::domain::{
    Aggregation, CycleFields, Id, KeyResult, KeyResultId, KeyResultKind, Kpi, Maintain, MaintainMode, Metric,
    ObjectiveState, Period, Rejection, ResourceName, TOLERANCE, Window, Workspace, cycle_value, days_between,
    observe,
};

/// Where a key result will stand on its last day.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyResultForecast {
    /// Its last day.
    pub target_date: Date,
    /// Its value now; none: not started.
    pub current: Option<f64>,
    /// Whether it is reached now.
    pub reached: bool,
    /// The expected value on the last day.
    pub expected: f64,
    /// Where that value lies with a probability of 80 %.
    pub interval_80: Interval,
    /// Where that value lies with a probability of 95 %.
    pub interval_95: Interval,
    /// The raw progress of the expected value; SHARE: the expected share.
    pub expected_progress: f64,
    /// The probability, 0 to 1, that the target holds on the last day.
    pub probability_to_reach: f64,
    /// How many periods lie between the newest that is known and the last day.
    pub remaining_periods: usize,
    /// The model, as the literature writes it.
    pub model: &'static str,
    /// What it was made from.
    pub basis: Basis,
}

/// Bounds that a METRIC or a MAINTAIN is to stand within on its last day.
#[derive(Clone, Copy)]
struct Goal {
    at_least: Option<f64>,
    at_most: Option<f64>,
}

/// Where the values come from.
enum Source<'w> {
    Kpi(&'w Kpi),
    CheckIns,
}

/// A key result that can be forecast.
struct Question<'w> {
    workspace: &'w Workspace,
    id: &'w KeyResultId,
    key_result: &'w KeyResult,
    cycle: &'w CycleFields,
    source: Source<'w>,
    target_date: Date,
}

/// What is expected of a key result on its last day.
///
/// # Errors
/// It does not exist, is over, is of a kind or a window that is not forecast, its past says too little, or nothing is left of
/// its time.
pub fn forecast_key_result(
    workspace: &Workspace,
    id: &KeyResultId,
) -> Result<KeyResultForecast, ForecastRefusal> {
    let key_result = workspace.key_result(id)?;
    let goal = goal(id, key_result)?;
    let objective = workspace.objective(&id.objective)?;
    match objective.state {
        ObjectiveState::Draft | ObjectiveState::Active => {}
        ObjectiveState::Closed | ObjectiveState::Canceled => {
            return Err(Rejection::ObjectiveOver(id.objective.clone()).into());
        }
    }
    let cycle = &workspace.cycle(&objective.fields.cycle)?.fields;
    let (source, history) = match &key_result.fields.kpi {
        Some(kpi) => {
            let of = workspace.kpi(kpi)?;
            (Source::Kpi(of), History::of_kpi(workspace, kpi, of)?)
        }
        None => {
            let history = History::of_check_ins(workspace, id, key_result, cycle)?;
            (Source::CheckIns, history)
        }
    };
    let question = Question {
        workspace,
        id,
        key_result,
        cycle,
        source,
        target_date: key_result
            .fields
            .due_date
            .map_or(cycle.last_date, |due| due.min(cycle.last_date)),
    };
    question.answer(&history, goal)
}

/// Where it is to stand: a METRIC on the far side of its target, seen from the baseline.
fn goal(id: &KeyResultId, key_result: &KeyResult) -> Result<Goal, ForecastRefusal> {
    match &key_result.fields.kind {
        KeyResultKind::Metric(Metric { baseline, target, .. }) => {
            let baseline = baseline.ok_or_else(|| Rejection::BaselineMissing(id.clone()))?;
            let target = target.get();
            let rises = target > baseline.value.get();
            Ok(Goal {
                at_least: rises.then_some(target),
                at_most: (!rises).then_some(target),
            })
        }
        KeyResultKind::Maintain(Maintain {
            at_least, at_most, ..
        }) => Ok(Goal {
            at_least: at_least.map(|bound| bound.get()),
            at_most: at_most.map(|bound| bound.get()),
        }),
        KeyResultKind::Milestones(_) | KeyResultKind::Binary => {
            Err(ForecastRefusal::KindNotForecast(id.clone()))
        }
    }
}

impl Question<'_> {
    fn answer(&self, history: &History, goal: Goal) -> Result<KeyResultForecast, ForecastRefusal> {
        let sums = self.sums_over_cycle()?;
        let periods = self.remaining(history, sums)?;
        let outlook = Outlook::of(&history.values, periods.len())
            .ok_or_else(|| ForecastRefusal::NoModel(self.source_name()))?;
        let steps: Vec<Uncertain> = outlook.steps().collect();
        let last = match (&self.source, sums) {
            (Source::Kpi(kpi), true) => self.total(kpi, history, &periods, &outlook),
            _ => *steps
                .last()
                .ok_or_else(|| ForecastRefusal::NoModel(self.source_name()))?,
        };
        let observed = observe(self.workspace, self.id, self.key_result).unwrap_or_default();
        Ok(KeyResultForecast {
            target_date: self.target_date,
            current: observed.current,
            reached: observed.current.is_some_and(|current| goal.holds(current)),
            expected: last.expected,
            interval_80: last.interval_80(),
            interval_95: last.interval_95(),
            expected_progress: self.progress(last.expected, goal, &steps, &periods),
            probability_to_reach: goal.probability(last),
            remaining_periods: periods.len(),
            model: outlook.model,
            basis: history.basis,
        })
    }

    /// Whether its value is a sum or a count over the cycle.
    fn sums_over_cycle(&self) -> Result<bool, ForecastRefusal> {
        let Source::Kpi(kpi) = &self.source else {
            return Ok(false);
        };
        match (self.key_result.fields.window, kpi.fields.aggregation) {
            (Window::Newest, _) | (Window::Cycle, Aggregation::Last) => Ok(false),
            (Window::Cycle, Aggregation::Sum | Aggregation::Count) => Ok(true),
            (Window::Cycle, Aggregation::Mean | Aggregation::Min | Aggregation::Max) => {
                Err(ForecastRefusal::WindowNotForecast(self.id.clone()))
            }
        }
    }

    /// The periods that are not known yet, up to the one whose value counts on the last day: the one that it lies in for LAST,
    /// for a check-in and for a sum over the cycle, else the last one that is over by then.
    fn remaining(&self, history: &History, sums: bool) -> Result<Vec<Period>, ForecastRefusal> {
        let mut periods =
            history
                .periods_until(self.target_date)
                .ok_or_else(|| ForecastRefusal::HorizonTooFar {
                    of: self.source_name(),
                    target_date: self.target_date,
                })?;
        if let Source::Kpi(kpi) = &self.source
            && kpi.fields.aggregation != Aggregation::Last
            && !sums
        {
            periods.retain(|period| period.last <= self.target_date);
        }
        if periods.is_empty() || self.workspace.today() > self.target_date {
            return Err(ForecastRefusal::NothingToForecast {
                key_result: self.id.clone(),
                target_date: self.target_date,
            });
        }
        Ok(periods)
    }

    /// The sum over the cycle: what is known of the periods that are over, and what is expected of the others. A period that
    /// sticks out of the cycle counts by its share of days in it.
    fn total(&self, kpi: &Kpi, history: &History, periods: &[Period], outlook: &Outlook) -> Uncertain {
        let counted = Period {
            first: self.cycle.first_date,
            last: self.target_date,
        };
        let over = Period {
            last: history.basis.days.last.min(counted.last),
            ..counted
        };
        let known = if over.last < over.first {
            0.0
        } else {
            cycle_value(kpi, self.workspace, over).unwrap_or(0.0)
        };
        let shares: Vec<f64> = periods
            .iter()
            .map(|period| share_within(*period, counted))
            .collect();
        outlook.sum(&shares).plus(known)
    }

    /// The raw progress of what is expected. SHARE: the periods that held and the probabilities that the others will, over all
    /// of them.
    fn progress(&self, expected: f64, goal: Goal, steps: &[Uncertain], periods: &[Period]) -> f64 {
        let maintain = match &self.key_result.fields.kind {
            KeyResultKind::Metric(metric) => return metric.progress(Some(expected)),
            KeyResultKind::Milestones(_) | KeyResultKind::Binary => return 0.0,
            KeyResultKind::Maintain(maintain) => maintain,
        };
        if maintain.mode == MaintainMode::Now {
            return maintain.progress(expected);
        }
        let known: Vec<f64> = match &self.source {
            Source::Kpi(kpi) => {
                let days = Period {
                    first: self.cycle.first_date,
                    last: self.cycle.last_date,
                };
                complete_period_values(self.workspace, kpi, Some(days), usize::MAX)
                    .iter()
                    .map(|value| value.value)
                    .collect()
            }
            Source::CheckIns => values_checked_in(self.workspace, self.key_result, self.cycle)
                .map(|(_, value)| value)
                .collect(),
        };
        let held = known.iter().filter(|value| maintain.holds(**value)).count();
        let to_come: Vec<f64> = steps
            .iter()
            .zip(periods)
            .filter(|(_, period)| period.last >= self.cycle.first_date)
            .map(|(step, _)| goal.probability(*step))
            .collect();
        let count = known.len() + to_come.len();
        (held as f64 + to_come.iter().sum::<f64>()) / count as f64
    }

    fn source_name(&self) -> ResourceName {
        let kpi: Option<&Id> = self.key_result.fields.kpi.as_ref();
        kpi.map_or_else(
            || ResourceName::KeyResult(self.id.clone()),
            |kpi| ResourceName::Kpi(kpi.clone()),
        )
    }
}

impl Goal {
    fn holds(self, value: f64) -> bool {
        self.at_least.is_none_or(|least| value >= least - TOLERANCE)
            && self.at_most.is_none_or(|most| value <= most + TOLERANCE)
    }

    fn probability(self, value: Uncertain) -> f64 {
        value.probability_within(self.at_least, self.at_most)
    }
}

/// The share of a period's days that lie within others.
fn share_within(period: Period, days: Period) -> f64 {
    let length = |first: Date, last: Date| f64::from((days_between(first, last) + 1).max(0));
    length(period.first.max(days.first), period.last.min(days.last)) / length(period.first, period.last)
}
