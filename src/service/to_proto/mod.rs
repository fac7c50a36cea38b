//! Resources, figures and events become messages of the API.
//!
//! Invariant: domain types are taken apart without `..`, so that a new field does not compile before it is mapped. These
//! functions do not decide who may see what, and look nothing up but what they are given.

mod check_in;
mod commit;
mod cycle;
mod derived;
mod initiative;
mod key_result;
mod kpi;
mod measurement;
mod objective;
mod resource;
mod scalar;
mod target;
mod team;
mod workspace;

pub use check_in::check_in;
pub use commit::{commit, event, field_change};
pub use cycle::cycle;
pub use derived::derived_change;
pub use initiative::initiative;
pub use key_result::{key_result, key_result_progress};
pub use kpi::{kpi, kpi_health};
pub use measurement::{measurement, measurement_of_point};
pub use objective::{objective, objective_progress};
pub use resource::{resource, resource_names, resources};
pub use scalar::{date, timestamp};
pub use target::target;
pub use team::{member, team};
pub use workspace::workspace;

#[cfg(test)]
mod round_trip;
