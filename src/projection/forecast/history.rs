//! The past as equally spaced values: a KPI's period values, or a key result's check-ins.
//!
//! Only periods that are over count. Short gaps are filled by a named rule and counted; a longer one ends the history, and
//! what lies before it does not count. Invariant: at least 8 of the values were measured, and the periods follow each other
//! without a gap.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{ForecastRefusal, HORIZON_MAX, POINTS_MIN};
use crate::domain::{
    Aggregation, Cadence, Calendar, CycleFields, Id, KeyResult, KeyResultId, Kpi, Period, PeriodValue,
    ResourceName, Unit, UnitKind, Workspace, days_between, period_values_back,
};

/// How many of the newest periods count at most.
const PERIODS_MAX: usize = 500;

/// How many periods in a row may be missing inside a KPI's history: a weekend, a long one too.
const GAP_PERIODS_MAX: usize = 3;

/// Equally spaced values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct History {
    /// From the oldest to the newest, what was filled among them.
    pub(super) values: Vec<f64>,
    pub(super) basis: Basis,
    /// The newest period.
    newest: Period,
    rhythm: Rhythm,
}

/// What a forecast was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// How many values were measured.
    pub points: usize,
    /// How many gaps between them were filled.
    pub filled: usize,
    /// From the oldest's first day to the newest's last.
    pub days: Period,
}

/// How the periods follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rhythm {
    Cadence(Calendar, Cadence),
    Days(u32),
}

impl History {
    /// A KPI's period values.
    ///
    /// # Errors
    /// It is a scale, has no rhythm, or too little of it is known.
    pub(super) fn of_kpi(workspace: &Workspace, id: &Id, kpi: &Kpi) -> Result<Self, ForecastRefusal> {
        let name = || ResourceName::Kpi(id.clone());
        if is_scale(&kpi.fields.judged_unit()) {
            return Err(ForecastRefusal::UnitIsScale(name()));
        }
        if kpi.fields.cadence == Cadence::Irregular {
            return Err(ForecastRefusal::NoRhythm(name()));
        }
        let rhythm = Rhythm::Cadence(workspace.calendar(), kpi.fields.cadence);
        let known = complete_period_values(workspace, kpi, None, PERIODS_MAX);
        let adds_up = matches!(kpi.fields.aggregation, Aggregation::Sum | Aggregation::Count);
        let fill = if adds_up && kpi.fields.transform.is_none() {
            nothing
        } else {
            line
        };
        let (placed, cut) = without_gaps(&known, rhythm, fill);
        Self::of(name, &placed, cut, rhythm)
    }

    /// What was checked in within the cycle, by the policy's cadence of check-ins: the periods are so many days each and end
    /// with the day of the newest; the last value of each counts, and what nobody has contradicted stands.
    ///
    /// # Errors
    /// Its unit is a scale, or too little was checked in.
    pub(super) fn of_check_ins(
        workspace: &Workspace,
        id: &KeyResultId,
        key_result: &KeyResult,
        cycle: &CycleFields,
    ) -> Result<Self, ForecastRefusal> {
        let name = || ResourceName::KeyResult(id.clone());
        if key_result.fields.unit.as_ref().is_some_and(is_scale) {
            return Err(ForecastRefusal::UnitIsScale(name()));
        }
        let days = workspace.policy().check_in_cadence_days.max(1);
        let mut seen = values_checked_in(workspace, key_result, cycle).peekable();
        let Some((newest, _)) = seen.peek().copied() else {
            return Err(too_little(name(), 0, None));
        };
        // From the newest period backwards: the first value that one meets in a period is its last.
        let mut last_values: Vec<(usize, f64)> = Vec::new();
        for (date, value) in seen {
            let back = usize::try_from(days_between(date, newest)).unwrap_or(0) / days as usize;
            if back >= PERIODS_MAX {
                break;
            }
            if last_values.last().is_none_or(|(before, _)| *before < back) {
                last_values.push((back, value));
            }
        }
        let known: Vec<PeriodValue> = last_values
            .into_iter()
            .rev()
            .map(|(back, value)| PeriodValue {
                period: period_before(newest, days, back),
                value,
                provisional: false,
            })
            .collect();
        let rhythm = Rhythm::Days(days);
        let placed = standing(&known, rhythm);
        Self::of(name, &placed, false, rhythm)
    }

    fn of(
        name: impl Fn() -> ResourceName,
        placed: &[Placed],
        cut: bool,
        rhythm: Rhythm,
    ) -> Result<Self, ForecastRefusal> {
        let points = placed.iter().filter(|placed| !placed.filled).count();
        let (Some(oldest), Some(newest)) = (placed.first(), placed.last()) else {
            return Err(too_little(name(), 0, None));
        };
        if points < POINTS_MIN {
            return Err(too_little(name(), points, cut.then_some(oldest.period.first)));
        }
        Ok(Self {
            values: placed.iter().map(|placed| placed.value).collect(),
            basis: Basis {
                points,
                filled: placed.len() - points,
                days: Period {
                    first: oldest.period.first,
                    last: newest.period.last,
                },
            },
            newest: newest.period,
            rhythm,
        })
    }

    /// The periods behind the newest, up to the one that a day lies in; none where there are more than a forecast reaches.
    pub(super) fn periods_until(&self, date: Date) -> Option<Vec<Period>> {
        let mut periods = Vec::new();
        let mut newest = self.newest;
        while newest.last < date {
            if periods.len() == HORIZON_MAX {
                return None;
            }
            newest = self.rhythm.following(newest);
            periods.push(newest);
        }
        Some(periods)
    }

    /// So many periods behind the newest.
    pub(super) fn next_periods(&self, count: usize) -> Vec<Period> {
        std::iter::successors(Some(self.rhythm.following(self.newest)), |period| {
            Some(self.rhythm.following(*period))
        })
        .take(count)
        .collect()
    }
}

impl Rhythm {
    fn following(self, period: Period) -> Period {
        match self {
            Self::Cadence(calendar, cadence) => calendar.following(cadence, period),
            Self::Days(days) => Period {
                first: period.last.saturating_add(1.day()),
                last: period.last.saturating_add(i64::from(days).days()),
            },
        }
    }
}

/// The newest `count` values of periods that are over, in order; periods without data are left out.
pub(super) fn complete_period_values(
    workspace: &Workspace,
    kpi: &Kpi,
    window: Option<Period>,
    count: usize,
) -> Vec<PeriodValue> {
    let mut values: Vec<_> = period_values_back(kpi, workspace, window)
        .filter(|value| !value.provisional)
        .take(count)
        .collect();
    values.reverse();
    values
}

/// Whether something is measured in labels: neither averaged nor forecast.
pub(super) fn is_scale(unit: &Unit) -> bool {
    matches!(unit.kind, UnitKind::Scale(_))
}

/// The values that were checked in within the cycle, each with its day, the newest first.
pub(super) fn values_checked_in(
    workspace: &Workspace,
    key_result: &KeyResult,
    cycle: &CycleFields,
) -> impl Iterator<Item = (Date, f64)> {
    let days = Period {
        first: cycle.first_date,
        last: cycle.last_date,
    };
    key_result
        .newest_check_ins()
        .map(|check_in| (workspace.rules().date(check_in.effective_time), check_in.value))
        .filter(move |(date, _)| days.contains(*date))
        .filter_map(|(date, value)| Some((date, value?.get())))
}

/// A value of a period, measured or filled.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Placed {
    period: Period,
    value: f64,
    filled: bool,
}

/// Fills a gap: from the value before it to the one behind it, `share` of the way.
type Fill = fn(before: f64, behind: f64, share: f64) -> f64;

/// A sum or a count to which nothing was added.
fn nothing(_before: f64, _behind: f64, _share: f64) -> f64 {
    0.0
}

fn line(before: f64, behind: f64, share: f64) -> f64 {
    before + (behind - before) * share
}

/// The values since the newest gap that is too long to be filled, and whether there is one.
fn without_gaps(known: &[PeriodValue], rhythm: Rhythm, fill: Fill) -> (Vec<Placed>, bool) {
    let mut placed: Vec<Placed> = Vec::with_capacity(known.len());
    let mut cut = false;
    for value in known {
        if let Some(before) = placed.last().copied() {
            let missing = periods_between(before.period, value.period, rhythm, GAP_PERIODS_MAX + 1);
            if missing.len() > GAP_PERIODS_MAX {
                placed.clear();
                cut = true;
            }
            let steps = missing.len() as f64 + 1.0;
            if !placed.is_empty() {
                placed.extend(missing.iter().zip(1u8..).map(|(period, step)| Placed {
                    period: *period,
                    value: fill(before.value, value.value, f64::from(step) / steps),
                    filled: true,
                }));
            }
        }
        placed.push(measured(value));
    }
    (placed, cut)
}

/// The values, each standing until the next one.
fn standing(known: &[PeriodValue], rhythm: Rhythm) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::with_capacity(known.len());
    for value in known {
        if let Some(before) = placed.last().copied() {
            let missing = periods_between(before.period, value.period, rhythm, PERIODS_MAX);
            placed.extend(missing.into_iter().map(|period| Placed {
                period,
                value: before.value,
                filled: true,
            }));
        }
        placed.push(measured(value));
    }
    placed
}

fn measured(value: &PeriodValue) -> Placed {
    Placed {
        period: value.period,
        value: value.value,
        filled: false,
    }
}

/// The periods between two, at most `count_max` of them.
fn periods_between(before: Period, behind: Period, rhythm: Rhythm, count_max: usize) -> Vec<Period> {
    std::iter::successors(Some(rhythm.following(before)), |period| {
        Some(rhythm.following(*period))
    })
    .take_while(|period| period.last < behind.first)
    .take(count_max)
    .collect()
}

/// The period of so many days that ends so many periods before the one that ends on a day.
fn period_before(newest: Date, days: u32, back: usize) -> Period {
    let days_back = i64::try_from(back)
        .unwrap_or(i64::MAX)
        .saturating_mul(i64::from(days));
    let last = newest.saturating_sub(days_back.days());
    Period {
        first: last.saturating_sub(i64::from(days - 1).days()),
        last,
    }
}

pub(super) fn too_little(of: ResourceName, points: usize, since: Option<Date>) -> ForecastRefusal {
    ForecastRefusal::TooLittleHistory { of, points, since }
}
