//! What is not as it should be in a workspace, each with what to do about it: "Hygiene" of the design, one small function
//! a rule, grouped by noun. `docs/hygiene.md` says of each code what it looks at, where it begins and what to do.
//!
//! Invariant: a report is a function of the workspace, its figures and what is asked for, in one order: the most severe
//! first, then by resource, then by code. What is deleted, closed, canceled or replaced is never found. What it
//! deliberately does not know: how a report is asked for and how it is sent.

mod code;
mod cycles;
mod history;
mod key_results;
mod kpis;
mod look;
mod objectives;
mod owners;
mod targets;
mod titles;

#[cfg(test)]
mod tests;

pub use code::{FindingCode, Severity};

use self::look::Look;
use super::Figures;
use crate::domain::{Id, Rejection, ResourceName, Workspace};

/// What somebody asks about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HygieneScope {
    /// Only this cycle and what lives in it, whatever its state; none: every cycle that is not CLOSED, and the KPIs.
    pub cycle: Option<Id>,
    /// Only what this team, or a team below it, owns; none: everything.
    pub team: Option<Id>,
    /// Only what is at least this severe.
    pub severity_min: Severity,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it; severity and suggestion follow from it.
    pub code: FindingCode,
    /// What it is about.
    pub resource: ResourceName,
    /// What was found.
    pub sentence: String,
}

/// One rule, or a few of one noun.
type Rule = fn(&Look<'_>, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    objectives::too_many,
    objectives::without_owner,
    objectives::key_result_count,
    objectives::without_alignment,
    objectives::without_kpi,
    objectives::aligned_under_what_is_over,
    objectives::starting_alert_recovered,
    objectives::weak_foundation,
    key_results::without_kpi,
    key_results::activity,
    key_results::kept,
    key_results::unlikely,
    key_results::outdated,
    kpis::without_owner,
    kpis::without_data_source,
    kpis::without_target,
    kpis::breached_without_objective,
    kpis::breached_without_plan,
    kpis::count_of_area,
    kpis::mostly_key_results,
    kpis::not_reviewed,
    targets::of_kpis,
    targets::of_key_results,
    cycles::review,
    cycles::perfect,
    owners::gone_members,
    owners::gone_teams,
];

/// Everything that is not as it should be, the most severe first, then by resource and code.
///
/// # Errors
/// There is no such team or cycle, or the team is deleted.
pub fn check_hygiene(
    workspace: &Workspace,
    figures: &Figures,
    scope: &HygieneScope,
) -> Result<Vec<Finding>, Rejection> {
    let look = Look::new(workspace, figures, scope)?;
    let mut found = Vec::new();
    for rule in RULES {
        rule(&look, &mut found);
    }
    found.retain(|finding| {
        finding.code.severity() >= scope.severity_min && !finding.code.is_silent_in(workspace.preset())
    });
    // The sentence parts what one rule says twice of one resource, for example of a team in two cycles.
    found.sort_by_cached_key(|finding| {
        let severity = std::cmp::Reverse(finding.code.severity());
        (
            severity,
            sorted_name(&finding.resource),
            finding.code.as_str(),
            finding.sentence.clone(),
        )
    });
    Ok(found)
}

/// A name as it is sorted: the workspace in front of what lies in it.
fn sorted_name(resource: &ResourceName) -> String {
    match resource {
        ResourceName::Workspace => String::new(),
        inside => inside.to_string(),
    }
}
