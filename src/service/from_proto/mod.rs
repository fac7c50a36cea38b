//! Requests become commands: everything in them is parsed once, and everything that is wrong is said at once.
//!
//! One file a resource, in one order: its fields (what a mask may name), its requests, its parser. The parser makes the
//! domain's patch, which creation completes and an update applies. Rules that need a state (does the owner exist, may the
//! cycle be activated) are the domain's.

mod alert;
mod check_in;
mod closing;
mod correction;
mod cycle;
mod deletion;
mod event_filter;
mod findings;
mod forecast;
mod hygiene;
mod ingest;
mod initiative;
mod key_result;
mod kpi;
mod kpi_to_objective;
mod measurement;
mod objective;
mod policy;
mod review;
mod scalar;
mod series;
mod subscription;
mod target;
mod team;
mod transition;
mod unit;
mod workspace;

pub(crate) use alert::{acknowledge_alert, complete_action_plan, set_action_plan};
pub(crate) use check_in::{batch_create_check_ins, correct_check_in, create_check_in, retract_check_in};
pub(crate) use closing::{close_cycle, close_objective};
pub(crate) use correction::{correct_measurement, retract_measurement};
pub(crate) use cycle::{create_cycle, update_cycle};
pub(crate) use deletion::{
    delete_initiative, delete_key_result, delete_kpi, delete_member, delete_objective, delete_team,
    delete_workspace, undelete_initiative, undelete_key_result, undelete_kpi, undelete_member,
    undelete_objective, undelete_team, undelete_workspace,
};
pub(crate) use event_filter::event_filter;
pub(crate) use forecast::{forecast_horizon, suggestion_periods};
pub(crate) use hygiene::hygiene_scope;
pub(crate) use ingest::{Row, RowStream};
pub(crate) use initiative::{create_initiative, update_initiative};
pub(crate) use key_result::{create_key_result, update_key_result};
pub(crate) use kpi::{create_kpi, read_cadence as cadence, update_kpi};
pub(crate) use kpi_to_objective::{create_kpi_from_key_result, start_objective_from_kpi};
pub(crate) use measurement::{batch_record_measurements, record_measurement};
pub(crate) use objective::{carry_over_objective, cascade_objective, create_objective, update_objective};
pub(crate) use policy::update_scoring_policy;
pub(crate) use review::create_review;
pub(crate) use scalar::{optional_date_at as optional_date, optional_timestamp};
pub(crate) use series::{AskedSeries, batch_series, series};
pub(crate) use subscription::subscription;
pub(crate) use target::{delete_target, set_target};
pub(crate) use team::{create_member, create_team, update_member, update_team};
pub(crate) use transition::{
    activate_cycle, activate_objective, archive_kpi, begin_cycle_review, cancel_objective, reopen_cycle,
    reopen_objective, unarchive_kpi,
};
pub(crate) use workspace::{create_workspace, update_workspace};

use smol_str::SmolStr;

use crate::domain::{Command, Id};

/// A request that was parsed: what is asked, of which workspace, and what makes it known again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// The workspace.
    pub workspace: Id,
    /// The command.
    pub command: Command,
    /// The request's UUID, if it has one.
    pub request_id: Option<[u8; 16]>,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
}

#[cfg(test)]
mod tests;
