//! Period values: what a KPI is judged by. Each is the aggregation of the measurements of one period of its cadence, or the
//! change of that from the period before.
//!
//! SUM and COUNT use complete periods only; the others may use the running one, marked provisional. Of an IRREGULAR KPI
//! each value stands alone. Invariant: a function of the series as it is known, whatever the order in which it came.

use jiff::ToSpan;

use super::{
    Aggregation, Cadence, Kpi, Period, Point, TOLERANCE, Timestamp, Transform, Workspace, plus_days,
};

/// The value of one period of a KPI's cadence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodValue {
    /// The period; of an IRREGULAR KPI the day of the value.
    pub period: Period,
    /// The aggregated value, or its change in percent.
    pub value: f64,
    /// Whether the period is still running.
    pub provisional: bool,
}

/// How many periods one looks back for one that has a value, or an alert for one that decides it: a KPI that says nothing for
/// so long says nothing, and nobody waits for the search.
pub(super) const LOOK_BACK_MAX: usize = 10_000;

impl Aggregation {
    /// What values in the order of their effective times become; none of none. Sums run in that order.
    #[must_use]
    pub fn of(self, mut values: impl DoubleEndedIterator<Item = f64>) -> Option<f64> {
        match self {
            Self::Last => values.next_back(),
            Self::Sum => values.reduce(|sum, value| sum + value),
            Self::Mean => {
                let first = values.next()?;
                let (sum, count) =
                    values.fold((first, 1.0), |(sum, count), value| (sum + value, count + 1.0));
                Some(sum / count)
            }
            Self::Min => values.reduce(f64::min),
            Self::Max => values.reduce(f64::max),
            Self::Count => Some(values.count() as f64).filter(|count| *count > 0.0),
        }
    }

    /// Whether it says something of a whole period only.
    #[must_use]
    pub fn needs_complete_period(self) -> bool {
        matches!(self, Self::Sum | Self::Count)
    }
}

/// The newest period value, of all time or of what is dated within `window` (first and last day).
///
/// Within a window a LAST value counts by its own date, an aggregate when its period ends in the window or is running.
#[must_use]
pub fn newest_period_value(kpi: &Kpi, workspace: &Workspace, window: Option<Period>) -> Option<PeriodValue> {
    period_values_back(kpi, workspace, window).next()
}

/// The period values of all time, or of what is dated within `window`, from the newest backwards. Periods without a value
/// are left out.
pub fn period_values_back<'k>(
    kpi: &'k Kpi,
    workspace: &'k Workspace,
    window: Option<Period>,
) -> impl Iterator<Item = PeriodValue> + use<'k> {
    let rules = workspace.rules();
    let mut end = window.map_or(Timestamp::MAX, |window| rules.start_of(plus_days(window.last, 1)));
    // Of an IRREGULAR KPI several values may have one effective time: each is a value.
    let mut singles =
        (kpi.fields.cadence == Cadence::Irregular).then(|| kpi.series.range_from(Timestamp::MIN, end).rev());
    std::iter::from_fn(move || {
        // Each turn looks at one period with data, and goes on from before it.
        for _ in 0..LOOK_BACK_MAX {
            let point = match &mut singles {
                Some(singles) => singles.next()?,
                None if end == Timestamp::MAX => kpi.series.latest()?,
                None => kpi.series.latest_before(end)?,
            };
            let date = rules.date(point.effective_time());
            let period = workspace.calendar().period(kpi.fields.cadence, date);
            if window.is_some_and(|window| period.last < window.first) {
                return None;
            }
            let begin = rules.start_of(period.first);
            if singles.is_none() {
                end = begin.min(point.effective_time());
            }
            let running = period.last >= workspace.today();
            let counts = match (window, dated_by_itself(kpi)) {
                (None, true) => true,
                (Some(window), true) => window.contains(date),
                (None, false) => !running || !kpi.fields.aggregation.needs_complete_period(),
                (Some(window), false) if running => {
                    !kpi.fields.aggregation.needs_complete_period() && period.first <= window.last
                }
                (Some(window), false) => window.contains(period.last),
            };
            if !counts {
                continue;
            }
            let measured = match dated_by_itself(kpi) {
                true => Some(point.value()),
                false => measured(kpi, workspace, period),
            };
            let Some(measured) = measured else { continue };
            let begin = if singles.is_some() {
                point.effective_time()
            } else {
                begin
            };
            if let Some(value) = transformed(kpi, workspace, measured, begin) {
                return Some(PeriodValue {
                    period,
                    value,
                    provisional: running && kpi.fields.cadence != Cadence::Irregular,
                });
            }
        }
        None
    })
}

/// Every period value within a window (first and last day), in order. Periods without a value are left out.
#[must_use]
pub fn period_values(kpi: &Kpi, workspace: &Workspace, window: Period) -> Vec<PeriodValue> {
    let mut values: Vec<_> = period_values_back(kpi, workspace, Some(window)).collect();
    values.reverse();
    values
}

/// Everything within a window (first and last day), aggregated as the KPI aggregates; none without data.
#[must_use]
pub fn cycle_value(kpi: &Kpi, workspace: &Workspace, window: Period) -> Option<f64> {
    measured(kpi, workspace, window)
}

/// Whether a value counts by its own date and not by its period's.
fn dated_by_itself(kpi: &Kpi) -> bool {
    kpi.fields.aggregation == Aggregation::Last || kpi.fields.cadence == Cadence::Irregular
}

/// What was measured in some days, aggregated.
fn measured(kpi: &Kpi, workspace: &Workspace, days: Period) -> Option<f64> {
    let rules = workspace.rules();
    let (start, end) = (
        rules.start_of(days.first),
        rules.start_of(plus_days(days.last, 1)),
    );
    let values = kpi.series.range_from(start, end).map(Point::value);
    kpi.fields.aggregation.of(values)
}

/// What is judged of a measured value: itself, or its change from the period (or, IRREGULAR, the value) before `begin`.
fn transformed(kpi: &Kpi, workspace: &Workspace, measured_value: f64, begin: Timestamp) -> Option<f64> {
    match kpi.fields.transform {
        None => Some(measured_value),
        Some(Transform::ChangePercent) => {
            let before = match kpi.fields.cadence {
                Cadence::Irregular => kpi.series.latest_before(begin)?.value(),
                cadence => {
                    let first = workspace.rules().date(begin);
                    let preceding = workspace
                        .calendar()
                        .period(cadence, first.saturating_sub(1.day()));
                    measured(kpi, workspace, preceding)?
                }
            };
            // A share of nothing is nothing.
            let known = before.abs() >= TOLERANCE;
            known.then(|| (measured_value - before) / before.abs() * 100.0)
        }
    }
}
