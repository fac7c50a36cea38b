//! Resources, figures and events become messages of the API.
//!
//! Invariant: domain types are taken apart without `..`, so that a new field does not compile before it is mapped. These
//! functions do not decide who may see what, and look nothing up but what they are given.

mod alert;
mod check_in;
mod commit;
mod cycle;
mod derived;
mod forecast;
mod hygiene;
mod ingest;
mod initiative;
mod key_result;
mod kpi;
mod measurement;
mod objective;
mod policy;
mod resource;
mod review;
mod scalar;
mod series;
mod target;
mod team;
mod workspace;

pub(crate) use alert::alert;
pub(crate) use check_in::check_in;
pub(crate) use commit::{authentication, commit, event, field_change};
pub(crate) use cycle::cycle;
pub(crate) use derived::derived_change;
pub(crate) use forecast::{key_result_forecast, kpi_forecast, target_suggestions};
pub(crate) use hygiene::hygiene_report;
pub(crate) use ingest::row_refusal;
pub(crate) use initiative::initiative;
pub(crate) use key_result::{key_result, key_result_progress};
pub(crate) use kpi::{kpi, kpi_health};
pub(crate) use measurement::{measurement, measurement_of_point};
pub(crate) use objective::{
    ambition as objective_ambition, imagined_result, objective_of, objective_progress,
    state as objective_state,
};
pub(crate) use policy::scoring_policy;
pub(crate) use resource::{key_result_of, resource, resource_names};
pub(crate) use review::review;
pub(crate) use scalar::{date, member_name, revision, status, timestamp};
pub(crate) use series::kpi_series;
pub(crate) use target::target;
pub(crate) use team::{member, team_of};
pub(crate) use workspace::workspace;

#[cfg(test)]
mod round_trip;
