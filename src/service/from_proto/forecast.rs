//! Requests about what the past says of the future: how much of it, and how far.

use super::scalar::date;
use crate::domain::{Invalid, Violation};
use crate::projection::{HORIZON_MAX, Horizon, POINTS_MIN};
use crate::proto::api::forecast_kpi_request;

/// How many period values, or periods, unless a request says otherwise.
const PERIODS_DEFAULT: usize = 12;

/// From how many period values a suggestion comes at most.
const SUGGESTION_PERIODS_MAX: usize = 1000;

/// From how many period values targets are suggested; 0: 12.
///
/// # Errors
/// It is out of bounds.
pub(crate) fn suggestion_periods(periods: i32) -> Result<usize, Violation> {
    match usize::try_from(periods) {
        Ok(0) => Ok(PERIODS_DEFAULT),
        Ok(count) if (POINTS_MIN..=SUGGESTION_PERIODS_MAX).contains(&count) => Ok(count),
        _ => {
            let sentence = format!(
                "{periods} is out of bounds: send {POINTS_MIN} to {SUGGESTION_PERIODS_MAX}, or nothing for {PERIODS_DEFAULT}"
            );
            Err(Invalid::new(sentence).at("periods"))
        }
    }
}

/// How far a KPI is forecast; absent: 12 periods.
///
/// # Errors
/// It is out of bounds, or no date.
pub(crate) fn forecast_horizon(
    horizon: Option<&forecast_kpi_request::Horizon>,
) -> Result<Horizon, Violation> {
    match horizon {
        None => Ok(Horizon::Periods(PERIODS_DEFAULT)),
        Some(forecast_kpi_request::Horizon::LastDate(last)) => date(last)
            .map(Horizon::Until)
            .map_err(|invalid| invalid.at("last_date")),
        Some(forecast_kpi_request::Horizon::Periods(periods)) => match usize::try_from(*periods) {
            Ok(count) if (1..=HORIZON_MAX).contains(&count) => Ok(Horizon::Periods(count)),
            _ => {
                let sentence = format!("{periods} is out of bounds: send 1 to {HORIZON_MAX}");
                Err(Invalid::new(sentence).at("periods"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::day;
    use super::*;

    #[test]
    fn targets_are_suggested_from_8_to_1000_period_values() {
        for (asked, expected) in [(0, 12), (8, 8), (12, 12), (1000, 1000)] {
            assert_eq!(suggestion_periods(asked), Ok(expected));
        }
        for bad in [-1, 1, 7, 1001, i32::MIN, i32::MAX] {
            assert_eq!(suggestion_periods(bad).unwrap_err().field, "periods", "{bad}");
        }
    }

    #[test]
    fn a_forecast_reaches_1_to_366_periods_or_to_a_date() {
        use forecast_kpi_request::Horizon as Asked;
        assert_eq!(forecast_horizon(None), Ok(Horizon::Periods(12)));
        for count in [1, 366] {
            let asked = Asked::Periods(count);
            let expected = Horizon::Periods(usize::try_from(count).unwrap());
            assert_eq!(forecast_horizon(Some(&asked)), Ok(expected));
        }
        let asked = Asked::LastDate(day(2026, 3, 31).unwrap());
        let expected = Horizon::Until(jiff::civil::date(2026, 3, 31));
        assert_eq!(forecast_horizon(Some(&asked)), Ok(expected));
        for (bad, field) in [
            (Asked::Periods(0), "periods"),
            (Asked::Periods(-3), "periods"),
            (Asked::Periods(367), "periods"),
            (Asked::LastDate(day(2026, 2, 30).unwrap()), "last_date"),
        ] {
            assert_eq!(forecast_horizon(Some(&bad)).unwrap_err().field, field, "{bad:?}");
        }
    }
}
