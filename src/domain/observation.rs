//! What is seen of a key result: its current value and its raw progress. Only what is dated within its cycle counts. A
//! deleted KPI still gives what it gave.

use super::{
    CycleFields, Id, KeyResult, KeyResultId, KeyResultKind, Kpi, Maintain, MaintainMode, Period, Window,
    Workspace, cycle_value, newest_period_value, period_values,
};

/// A key result's current value and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The current value: of a METRIC or MAINTAIN the value itself, of MILESTONES the weight of the reached, of a BINARY 0 or
    /// 1. None before the first observation.
    pub current: Option<f64>,
    /// Raw progress; 0 without an observation.
    pub progress: f64,
    /// Whether the current value is of a period that is still running.
    pub provisional: bool,
    /// MILESTONES: the reached, in their order.
    pub reached_milestones: Vec<Id>,
    /// MAINTAIN, mode SHARE: periods that held.
    pub periods_held: u32,
    /// MAINTAIN, mode SHARE: periods with data.
    pub periods_with_data: u32,
}

/// What is seen of a key result now, whatever the state of its objective; none without its objective or cycle.
#[must_use]
pub fn observe(workspace: &Workspace, id: &KeyResultId, key_result: &KeyResult) -> Option<Observation> {
    let objective = workspace.objectives.get(&id.objective)?;
    let cycle = &workspace.cycles.get(&objective.fields.cycle)?.fields;
    Some(match &key_result.fields.kind {
        KeyResultKind::Metric(metric) => {
            let newest = current_value(workspace, key_result, cycle);
            let current = newest.map(|(value, _)| value);
            Observation {
                current,
                progress: metric.progress(current),
                provisional: newest.is_some_and(|(_, provisional)| provisional),
                ..Observation::default()
            }
        }
        KeyResultKind::Maintain(maintain) => match maintain.mode {
            MaintainMode::Now => {
                let newest = current_value(workspace, key_result, cycle);
                Observation {
                    current: newest.map(|(value, _)| value),
                    progress: newest.map_or(0.0, |(value, _)| maintain.progress(value)),
                    provisional: newest.is_some_and(|(_, provisional)| provisional),
                    ..Observation::default()
                }
            }
            MaintainMode::Share => share(workspace, key_result, cycle, maintain),
        },
        KeyResultKind::Milestones(milestones) => {
            let reached = key_result
                .newest_check_ins()
                .filter(|check_in| within(workspace, cycle, check_in.effective_time))
                .find_map(|check_in| check_in.reached_milestones.as_deref());
            Observation {
                current: reached.map(|reached| milestones.reached_weight(reached)),
                progress: reached.map_or(0.0, |reached| {
                    milestones.reached_weight(reached) / milestones.weight()
                }),
                reached_milestones: milestones
                    .as_slice()
                    .iter()
                    .map(|milestone| &milestone.id)
                    .filter(|id| reached.is_some_and(|reached| reached.contains(id)))
                    .cloned()
                    .collect(),
                ..Observation::default()
            }
        }
        KeyResultKind::Binary => {
            // It may have been of another kind when somebody saw 7.5 of it.
            let current =
                checked_in(workspace, key_result, cycle).find(|value| *value == 0.0 || *value == 1.0);
            Observation {
                current,
                progress: current.unwrap_or(0.0),
                ..Observation::default()
            }
        }
    })
}

/// The newest value within the cycle and whether it is provisional: the linked KPI's, else the newest check-in's.
fn current_value(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields) -> Option<(f64, bool)> {
    let Some(kpi) = source(workspace, key_result) else {
        return checked_in(workspace, key_result, cycle)
            .next()
            .map(|value| (value, false));
    };
    match key_result.fields.window {
        Window::Newest => newest_period_value(kpi, workspace, Some(days_of(cycle)))
            .map(|newest| (newest.value, newest.provisional)),
        Window::Cycle => cycle_value(kpi, workspace, days_of(cycle))
            .map(|value| (value, workspace.today() <= cycle.last_date)),
    }
}

/// The values that were checked in within the cycle, the newest first.
fn checked_in(
    workspace: &Workspace,
    key_result: &KeyResult,
    cycle: &CycleFields,
) -> impl Iterator<Item = f64> {
    key_result
        .newest_check_ins()
        .filter(|check_in| within(workspace, cycle, check_in.effective_time))
        .filter_map(|check_in| check_in.value)
        .map(|value| value.get())
}

/// Periods that held ÷ periods with data, since the cycle began. Without a KPI each check-in stands alone.
fn share(
    workspace: &Workspace,
    key_result: &KeyResult,
    cycle: &CycleFields,
    maintain: &Maintain,
) -> Observation {
    let (newest, provisional, held, count) = match source(workspace, key_result) {
        Some(kpi) => {
            let values = period_values(kpi, workspace, days_of(cycle));
            let held = values
                .iter()
                .filter(|period| maintain.holds(period.value))
                .count();
            let newest = values.last();
            let provisional = newest.is_some_and(|newest| newest.provisional);
            (newest.map(|newest| newest.value), provisional, held, values.len())
        }
        None => {
            let values: Vec<f64> = checked_in(workspace, key_result, cycle).collect();
            let held = values.iter().filter(|value| maintain.holds(**value)).count();
            (values.first().copied(), false, held, values.len())
        }
    };
    Observation {
        current: newest,
        progress: if count == 0 {
            0.0
        } else {
            held as f64 / count as f64
        },
        provisional,
        reached_milestones: Vec::new(),
        periods_held: u32::try_from(held).unwrap_or(u32::MAX),
        periods_with_data: u32::try_from(count).unwrap_or(u32::MAX),
    }
}

/// The KPI that gives the values, deleted or not.
pub(super) fn source<'w>(workspace: &'w Workspace, key_result: &KeyResult) -> Option<&'w Kpi> {
    key_result
        .fields
        .kpi
        .as_ref()
        .and_then(|kpi| workspace.kpis.get(kpi))
        .map(std::sync::Arc::as_ref)
}

pub(super) fn days_of(cycle: &CycleFields) -> Period {
    Period {
        first: cycle.first_date,
        last: cycle.last_date,
    }
}

pub(super) fn within(workspace: &Workspace, cycle: &CycleFields, at: super::Timestamp) -> bool {
    days_of(cycle).contains(workspace.rules().date(at))
}
