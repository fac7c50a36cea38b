//! What a KPI's past says of its future: targets that it suggests, what its next period values will be, and whether a key
//! result will be reached in time.
//!
//! Invariant: a function of the workspace alone, as at one revision; every number answered is finite, or the answer is a
//! refusal that says what is missing. It stands outside of the fold: nothing that is recorded or scored depends on it, so its
//! figures may differ in their last digits from machine to machine. What it deliberately does not know: seasons, the reasons
//! of a change, and who asks.

mod history;
mod key_result;
mod kpi;
mod outlook;
mod refusal;
mod suggestion;
#[cfg(test)]
mod tests;

pub use history::Basis;
pub use key_result::{KeyResultForecast, forecast_key_result};
pub use kpi::{ForecastPoint, Horizon, KpiForecast, forecast_kpi};
pub use outlook::{Interval, METHOD, PROBABILITY_METHOD};
pub use refusal::ForecastRefusal;
pub use suggestion::{Suggested, SuggestionMethod, Suggestions, suggest_target};

/// Fewer values than these say nothing of what comes.
pub const POINTS_MIN: usize = 8;

/// How many periods ahead a forecast reaches: a year of days.
pub const HORIZON_MAX: usize = 366;
