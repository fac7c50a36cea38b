//! Figures that changed because of a commit.

use super::scalar::cycle_name;
use super::{key_result_progress, kpi_health, objective_progress};
use crate::domain::{Id, ResourceName, TeamCycle};
use crate::projection::DerivedChange;
use crate::proto::api;
use crate::proto::api::derived_change::Figure;
use crate::service::names;

/// One figure before and after.
#[must_use]
pub(crate) fn derived_change(workspace: &Id, change: &DerivedChange) -> api::DerivedChange {
    let (resource, figure) = match change {
        DerivedChange::Kpi { id, before, after } => {
            let write = |health: &_| kpi_health(workspace, id, health);
            let change = api::KpiChange {
                before: before.as_deref().map(write),
                after: after.as_deref().map(write),
            };
            (ResourceName::Kpi(id.clone()), Figure::Kpi(change))
        }
        DerivedChange::KeyResult { id, before, after } => {
            let change = api::KeyResultChange {
                before: before.as_deref().map(key_result_progress),
                after: after.as_deref().map(key_result_progress),
            };
            (ResourceName::KeyResult(id.clone()), Figure::KeyResult(change))
        }
        DerivedChange::Objective { id, before, after } => {
            let change = api::ObjectiveChange {
                before: before.as_deref().map(objective_progress),
                after: after.as_deref().map(objective_progress),
            };
            (ResourceName::Objective(id.clone()), Figure::Objective(change))
        }
        DerivedChange::Team { id, before, after } => {
            let TeamCycle { team, cycle } = id;
            let change = api::TeamScoreChange {
                cycle: cycle_name(workspace, cycle),
                before: *before,
                after: *after,
            };
            (ResourceName::Team(team.clone()), Figure::TeamScore(change))
        }
        DerivedChange::Cycle { id, before, after } => {
            (ResourceName::Cycle(id.clone()), score(*before, *after))
        }
        DerivedChange::Workspace { before, after } => (ResourceName::Workspace, score(*before, *after)),
    };
    api::DerivedChange {
        resource: names::full_name(workspace, &resource),
        figure: Some(figure),
    }
}

fn score(before: Option<f64>, after: Option<f64>) -> Figure {
    Figure::Score(api::ScoreChange { before, after })
}
