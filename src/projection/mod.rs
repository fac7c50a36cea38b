//! Folds that answer questions. Pure, like the domain: a projection is a function of a prefix of the log.
//!
//! `state` is what a server keeps in memory and publishes: the workspace and every figure that follows from it.
//! `audit` says of an event which fields it changed, `simulation` what would follow from commands that nobody has given,
//! `hygiene` what is not as it should be, `kpi_series` what a chart of a KPI shows.

mod audit;
mod dirty;
mod figures;
mod hygiene;
mod kpi_series;
mod simulation;
mod state;
mod sums;
#[cfg(test)]
mod tests;

pub use audit::{FieldChange, field_changes};
pub use figures::{DerivedChange, Figures};
pub use hygiene::{
    Finding, FindingCode, Foundation, HygieneScope, Severity, check_hygiene, objective_foundation,
    team_foundation,
};
pub use kpi_series::{KpiSeries, SeriesBuckets, SeriesPoint, SeriesQuery, SeriesRange, kpi_series};
pub use simulation::{Imagined, Premise, Simulated, simulate};
pub use state::State;
