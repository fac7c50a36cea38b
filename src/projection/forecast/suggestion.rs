//! Targets that a KPI's past suggests, with the numbers that they came from. Formulas from "Target suggestion" of the design:
//! the mean, moved by 20 % of |mean| in the good direction, and the best quartile.
//!
//! A KPI that should stay in a range has no good direction: there the suggestions are ranges, from a spread below the mean to
//! one above it, and the middle half of the past.

use jiff::civil::Date;

use super::history::{complete_period_values, is_scale, too_little};
use super::{ForecastRefusal, POINTS_MIN};
use crate::domain::{
    Direction, Health, Id, PeriodValue, ResourceName, SetTarget, Target, Unit, Value, Workspace, judge,
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
    /// The unit of all of them.
    pub unit: Unit,
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
    if is_scale(&kpi.fields.judged_unit()) {
        return Err(ForecastRefusal::UnitIsScale(name()));
    }
    let values = complete_period_values(workspace, kpi, None, count);
    if values.len() < POINTS_MIN {
        return Err(too_little(name(), values.len(), None));
    }
    let in_force = kpi
        .targets
        .get_prev(&workspace.today())
        .map(|(date, set)| (*date, *set));
    Ok(suggestions(
        values,
        kpi.fields.direction,
        kpi.fields.judged_unit(),
        in_force,
    ))
}

fn suggestions(
    values: Vec<PeriodValue>,
    direction: Direction,
    unit: Unit,
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
        unit,
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
