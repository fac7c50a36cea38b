//! Folds that answer questions. Pure, like the domain: a projection is a function of a prefix of the log.
//!
//! `state` is what a server keeps in memory and publishes: the workspace and every figure that follows from it.
//! `effect` is what a commit came to, and `scope` where the resources belong that it is about.
//! `audit` says of an event which fields it changed, `event_filter` which events somebody asks for, `simulation` what would follow from commands that nobody has given,
//! `foundation` what objectives and teams rest on, `hygiene` what is not as it should be, `kpi_series` what a chart of a KPI shows, `forecast` what a KPI's past says of its
//! future.

mod audit;
mod difference;
mod dirty;
mod effect;
mod event_filter;
mod figures;
mod forecast;
mod foundation;
mod hygiene;
mod kpi_series;
mod scope;
mod simulation;
mod state;
mod sums;
#[cfg(test)]
mod tests;

pub use audit::{FieldChange, field_changes};
pub use difference::{is_there, may_differ};
pub use effect::{Effect, NetEffect};
pub use event_filter::{EventFilter, Moments, effective_time};
pub use figures::{DerivedChange, Figures};
pub use forecast::{
    Basis, ForecastPoint, ForecastRefusal, HORIZON_MAX, Horizon, Interval, KeyResultForecast, KpiForecast,
    METHOD, POINTS_MIN, PROBABILITY_METHOD, Suggested, SuggestionMethod, Suggestions, forecast_key_result,
    forecast_kpi, suggest_target,
};
pub use foundation::Foundation;
pub use hygiene::{Finding, FindingCode, HygieneScope, Severity, check_hygiene};
pub use kpi_series::{KpiSeries, SeriesBuckets, SeriesPoint, SeriesQuery, SeriesRange, kpi_series};
pub use scope::{Concern, Concerns, Move, Scope, scope};
pub use simulation::{Imagined, Premise, Simulated, simulate};
pub use state::State;
