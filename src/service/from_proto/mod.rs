//! Requests become commands: everything in them is parsed once, and everything that is wrong is said at once.
//!
//! One file a resource, in one order: its fields (what a mask may name), its requests, its parser. The parser makes the
//! domain's patch, which creation completes and an update applies. Rules that need a state (does the owner exist, may the
//! cycle be activated) are the domain's.

mod check_in;
mod cycle;
mod findings;
mod initiative;
mod key_result;
mod kpi;
mod measurement;
mod objective;
mod scalar;
mod target;
mod team;
mod unit;
mod workspace;

pub(crate) use check_in::create_check_in;
pub(crate) use cycle::{activate_cycle, create_cycle, update_cycle};
pub(crate) use initiative::{create_initiative, update_initiative};
pub(crate) use key_result::{create_key_result, update_key_result};
pub(crate) use kpi::{create_kpi, update_kpi};
pub(crate) use measurement::{batch_record_measurements, record_measurement};
pub(crate) use objective::{activate_objective, create_objective, update_objective};
pub(crate) use scalar::optional_timestamp;
pub(crate) use target::set_target;
pub(crate) use team::{create_member, create_team, update_member, update_team};
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
