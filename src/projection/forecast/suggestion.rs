//! Targets that a KPI's past suggests, with the numbers that they came from. Formulas from "Target suggestion" of the design:
//! the mean, moved by 20 % of |mean| in the good direction, and the best quartile.
//!
//! A KPI that should stay in a range has no good direction: there the suggestions are ranges, from a spread below the mean to
//! one above it, and the middle half of the past.

use jiff::civil::Date;

use super::history::{complete_period_values, newest_periods, too_little};
use super::{ForecastRefusal, POINTS_MIN};
use crate::domain::{
    Cadence, Direction, Health, Id, Kpi, Period, PeriodValue, Point, ResourceName, SetTarget, Target,
    Timestamp, UnitKind, Value, Workspace, judge,
};

/// By how much of itself the mean is moved.
const MOVED_PERCENT: f64 = 20.0;

/// What a KPI's past suggests.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestions {
    /// What it came from, oldest first: at least 8.
    pub values: Vec<PeriodValue>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, that of a sample.
    pub spread: f64,
    /// A quarter of them lies below.
    pub lower_quartile: f64,
    /// A quarter of them lies above.
    pub upper_quartile: f64,
    /// Targets; those that a value cannot hold are left out.
    pub suggested: Vec<Suggested>,
    /// The target in force today, with the date from which it holds.
    pub in_force: Option<(Date, SetTarget)>,
}

/// A suggested target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suggested {
    /// How it comes from the past.
    pub method: SuggestionMethod,
    /// Its bounds.
    pub target: Target,
    /// How many of the values would have held it.
    pub held: usize,
}

/// How a target comes from the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuggestionMethod {
    /// The mean.
    Mean,
    /// The mean, moved by 20 % of its size in the good direction.
    MovedMean,
    /// What a quarter of the values reached.
    BestQuartile,
    /// From a spread below the mean to one above it.
    MeanAndSpread,
    /// From the lower quartile to the upper one.
    MiddleHalf,
}

/// What the newest `count` period values of a KPI suggest.
///
/// # Errors
/// It does not exist, is a scale, or has fewer than 8.
pub fn suggest_target(workspace: &Workspace, id: &Id, count: usize) -> Result<Suggestions, ForecastRefusal> {
    let kpi = workspace.kpi(id)?;
    let name = || ResourceName::Kpi(id.clone());
    if matches!(kpi.fields.unit.kind, UnitKind::Scale(_)) {
        return Err(ForecastRefusal::UnitIsScale(name()));
    }
    let values = newest_values(workspace, kpi, count.max(POINTS_MIN));
    if values.len() < POINTS_MIN {
        return Err(too_little(name(), values.len(), None));
    }
    let in_force = kpi
        .target_on(workspace.today())
        .map(|(date, target)| (date, *target));
    Ok(suggestions(values, kpi.fields.direction, in_force))
}

/// The newest `count` values of periods that are over; what has no rhythm is over when it is there.
fn newest_values(workspace: &Workspace, kpi: &Kpi, count: usize) -> Vec<PeriodValue> {
    let everything = || kpi.series.range_from(Timestamp::MIN, Timestamp::MAX);
    let date = |point: &Point| workspace.rules().date(point.effective_time());
    let values = match (kpi.fields.cadence, everything().next()) {
        (_, None) => Vec::new(),
        (Cadence::Irregular, Some(oldest)) => {
            let days = Period {
                first: date(everything().rev().nth(count - 1).unwrap_or(oldest)),
                last: Date::MAX,
            };
            complete_period_values(workspace, kpi, days)
        }
        (_, Some(oldest)) => {
            // Periods without data are left out, so it may take a longer look back to find as many.
            let mut looked_at = count;
            loop {
                let Some(window) = newest_periods(workspace, kpi, looked_at) else {
                    break Vec::new();
                };
                let values = complete_period_values(workspace, kpi, window);
                if values.len() >= count || window.first <= date(oldest) {
                    break values;
                }
                looked_at = looked_at.saturating_mul(4);
            }
        }
    };
    values[values.len().saturating_sub(count)..].to_vec()
}

fn suggestions(
    values: Vec<PeriodValue>,
    direction: Direction,
    in_force: Option<(Date, SetTarget)>,
) -> Suggestions {
    let mut ordered: Vec<f64> = values.iter().map(|value| value.value).collect();
    let count = ordered.len() as f64;
    let mean = ordered.iter().sum::<f64>() / count;
    let squares = ordered.iter().map(|value| (value - mean) * (value - mean));
    let spread = (squares.sum::<f64>() / (count - 1.0)).sqrt();
    ordered.sort_by(f64::total_cmp);
    let (lower, upper) = (quantile(&ordered, 0.25), quantile(&ordered, 0.75));
    let moved = mean.abs() * MOVED_PERCENT / 100.0;
    use SuggestionMethod::{BestQuartile, Mean, MeanAndSpread, MiddleHalf, MovedMean};
    let least = |method, least| (method, Some(least), None);
    let most = |method, most| (method, None, Some(most));
    let bounds = match direction {
        Direction::HigherIsBetter => vec![
            least(Mean, mean),
            least(MovedMean, mean + moved),
            least(BestQuartile, upper),
        ],
        Direction::LowerIsBetter => vec![
            most(Mean, mean),
            most(MovedMean, mean - moved),
            most(BestQuartile, lower),
        ],
        Direction::InRange => vec![
            (MeanAndSpread, Some(mean - spread), Some(mean + spread)),
            (MiddleHalf, Some(lower), Some(upper)),
        ],
    };
    let suggested = bounds
        .into_iter()
        .filter_map(|(method, at_least, at_most)| {
            let bound = |number: Option<f64>| number.map(Value::parse).transpose();
            let target = Target {
                at_least: bound(at_least).ok()?,
                at_most: bound(at_most).ok()?,
                ..Target::default()
            };
            let holds = |value: &&PeriodValue| judge(&target, direction, value.value) == Health::Healthy;
            Some(Suggested {
                method,
                target,
                held: values.iter().filter(holds).count(),
            })
        })
        .collect();
    Suggestions {
        values,
        mean,
        spread,
        lower_quartile: lower,
        upper_quartile: upper,
        suggested,
        in_force,
    }
}

/// A quantile of ordered values: linear between them (Hyndman and Fan's type 7).
fn quantile(ordered: &[f64], share: f64) -> f64 {
    let place = share * ordered.len().saturating_sub(1) as f64;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to as many values as there are"
    )]
    let below = place as usize;
    match ordered.get(below..) {
        Some([low, high, ..]) => low + (high - low) * place.fract(),
        Some([low]) => *low,
        _ => f64::NAN,
    }
}
