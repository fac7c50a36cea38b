//! Figures that changed because of a commit.

use std::sync::Arc;

use super::objective::foundation;
use super::scalar::cycle_name;
use super::{alert, key_result_progress, kpi_health, objective_progress};
use crate::domain::{Alert, Id, KpiFields, TeamCycle};
use crate::projection::DerivedChange;
use crate::proto::api;
use crate::proto::api::derived_change::Figure;
use crate::service::names;

/// One figure before and after.
#[must_use]
pub(crate) fn derived_change(workspace: &Id, change: &DerivedChange) -> api::DerivedChange {
    let figure = match change {
        DerivedChange::Kpi { id, before, after } => {
            let write = |health: &_| kpi_health(workspace, id, health);
            let change = api::KpiChange {
                before: before.as_deref().map(write),
                after: after.as_deref().map(write),
            };
            Figure::Kpi(change)
        }
        DerivedChange::KeyResult { id: _, before, after } => {
            let change = api::KeyResultChange {
                before: before.as_deref().map(key_result_progress),
                after: after.as_deref().map(key_result_progress),
            };
            Figure::KeyResult(change)
        }
        DerivedChange::Objective { id: _, before, after } => {
            let change = api::ObjectiveChange {
                before: before.as_deref().map(objective_progress),
                after: after.as_deref().map(objective_progress),
            };
            Figure::Objective(change)
        }
        DerivedChange::ObjectiveFoundation { id: _, before, after }
        | DerivedChange::TeamFoundation { id: _, before, after } => {
            Figure::Foundation(api::FoundationChange {
                before: foundation(*before).into(),
                after: foundation(*after).into(),
            })
        }
        DerivedChange::Team { id, before, after } => {
            let TeamCycle { team: _, cycle } = id;
            let change = api::TeamScoreChange {
                cycle: cycle_name(workspace, cycle),
                before: *before,
                after: *after,
            };
            Figure::TeamScore(change)
        }
        DerivedChange::Cycle { id: _, before, after } => score(*before, *after),
        DerivedChange::Workspace { before, after } => score(*before, *after),
        DerivedChange::Alert {
            kpi,
            id: _,
            before,
            after,
        } => {
            let write = |(it, fields): &(Arc<Alert>, Arc<KpiFields>)| alert(workspace, kpi, fields, it);
            Figure::Alert(api::AlertChange {
                before: before.as_ref().map(write),
                after: after.as_ref().map(write),
            })
        }
    };
    api::DerivedChange {
        resource: names::full_name(workspace, &change.resource()),
        figure: Some(figure),
    }
}

fn score(before: Option<f64>, after: Option<f64>) -> Figure {
    Figure::Score(api::ScoreChange { before, after })
}
