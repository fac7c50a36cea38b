//! What a KPI's past says: its period values of the last years, and whole cycles before one.

use jiff::ToSpan;

use crate::domain::{
    CycleFields, Health, Kpi, Period, PeriodValue, Workspace, cycle_value, days_between, judge, period_values,
};

/// How far back a target looks, in days: three years. What is older says little, and a bound keeps a report quick.
const HISTORY_DAYS: i32 = 3 * 366;
/// How many cycles' lengths before a cycle are looked at.
const CYCLES_MAX: i32 = 12;

/// A KPI's period values of the last three years, in order.
pub(super) fn values(kpi: &Kpi, workspace: &Workspace) -> Vec<PeriodValue> {
    let today = workspace.today();
    let window = Period {
        first: today.saturating_sub(HISTORY_DAYS.days()),
        last: today,
    };
    period_values(kpi, workspace, window)
}

/// What a KPI came to in the spans of a cycle's length before it, the newest first: only what is over, and only spans that
/// lie behind its first value as a whole.
pub(super) fn cycles_before(kpi: &Kpi, workspace: &Workspace, cycle: &CycleFields) -> Vec<f64> {
    let Some(oldest) = kpi.series.points().next() else {
        return Vec::new();
    };
    let oldest = workspace.rules().date(oldest.effective_time());
    let days = days_between(cycle.first_date, cycle.last_date).saturating_add(1);
    (1..=CYCLES_MAX)
        .map(|back| {
            let first = cycle.first_date.saturating_sub((back * days).days());
            let last = first.saturating_add((days - 1).days());
            Period { first, last }
        })
        .skip_while(|span| span.last >= workspace.today())
        .take_while(|span| span.first >= oldest)
        .filter_map(|span| cycle_value(kpi, workspace, span))
        .collect()
}

/// For how many periods that are over, the newest and those before it, a KPI has been BREACHED.
pub(super) fn breached_periods(kpi: &Kpi, workspace: &Workspace) -> usize {
    let breached = |value: &PeriodValue| {
        let in_force = kpi.target_on(value.period.last);
        in_force
            .is_some_and(|(_, target)| judge(&target, kpi.fields.direction, value.value) == Health::Breached)
    };
    values(kpi, workspace)
        .iter()
        .rev()
        .filter(|value| !value.provisional)
        .take_while(|value| breached(value))
        .count()
}
