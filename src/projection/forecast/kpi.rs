//! What a KPI's period values will be if they go on as they went.

use jiff::civil::Date;

use super::history::History;
use super::outlook::Outlook;
use super::{Basis, ForecastRefusal, HORIZON_MAX, Interval};
use crate::domain::{Id, Period, Rejection, ResourceName, Workspace};

/// How far to look, from the newest period that is over and has data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// So many periods, 1 to 366.
    Periods(usize),
    /// Up to the period that this day lies in.
    Until(Date),
}

/// A KPI's next period values.
#[derive(Clone, Debug, PartialEq)]
pub struct KpiForecast {
    /// The model, as the literature writes it.
    pub model: &'static str,
    /// What it was made from.
    pub basis: Basis,
    /// Period by period.
    pub points: Vec<ForecastPoint>,
}

/// What is expected of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastPoint {
    /// The period.
    pub period: Period,
    /// The expected value; neither cut nor rounded.
    pub expected: f64,
    /// Where it lies with a probability of 80 %.
    pub interval_80: Interval,
    /// Where it lies with a probability of 95 %.
    pub interval_95: Interval,
}

/// What is expected of a KPI.
///
/// # Errors
/// It does not exist, its past says too little, or the day is not ahead of it or too far.
pub fn forecast_kpi(
    workspace: &Workspace,
    id: &Id,
    horizon: Horizon,
) -> Result<KpiForecast, ForecastRefusal> {
    let kpi = workspace.kpi(id)?;
    let history = History::of_kpi(workspace, id, kpi)?;
    let periods = match horizon {
        Horizon::Periods(count) => history.next_periods(count.min(HORIZON_MAX)),
        Horizon::Until(date) => until(&history, date)?,
    };
    let outlook = Outlook::of(&history.values, periods.len())
        .ok_or_else(|| ForecastRefusal::NoModel(ResourceName::Kpi(id.clone())))?;
    let points = periods.iter().zip(outlook.steps());
    Ok(KpiForecast {
        model: outlook.model,
        basis: history.basis,
        points: points
            .map(|(period, step)| ForecastPoint {
                period: *period,
                expected: step.expected,
                interval_80: step.interval_80(),
                interval_95: step.interval_95(),
            })
            .collect(),
    })
}

fn until(history: &History, date: Date) -> Result<Vec<Period>, Rejection> {
    let newest = history.basis.days.last;
    match history.periods_until(date) {
        Some(periods) if periods.is_empty() => {
            let sentence =
                format!("{date} is known already, values are there until {newest}: name a later day");
            Err(Rejection::invalid("last_date", sentence))
        }
        Some(periods) => Ok(periods),
        None => {
            let sentence = format!(
                "{date} is more than {HORIZON_MAX} periods behind the newest value, of {newest}: name an earlier day"
            );
            Err(Rejection::invalid("last_date", sentence))
        }
    }
}
