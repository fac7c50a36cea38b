//! Whatever has a score, by name, computed from nothing but the workspace: for histories, and to hold live figures against.

use super::{CycleState, Id, KeyResultId, Workspace, key_result_progress, score_objective, weighted_mean};

/// What has a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scored {
    /// A key result.
    KeyResult(KeyResultId),
    /// An objective.
    Objective(Id),
    /// A team in one cycle.
    Team(TeamCycle),
    /// A cycle.
    Cycle(Id),
    /// The workspace.
    Workspace,
}

/// A score from nothing but the workspace, 0 to 1; none where nothing counts. A team's and a cycle's is the weighted mean of
/// its own objectives that count, the workspace's the mean of its ACTIVE cycles.
#[must_use]
pub fn score(workspace: &Workspace, of: &Scored) -> Option<f64> {
    match of {
        Scored::KeyResult(id) => {
            let key_result = workspace.key_result(id).ok()?;
            Some(key_result_progress(workspace, id, key_result)?.score)
        }
        Scored::Objective(id) => score_objective(workspace, id)?.score,
        Scored::Team(TeamCycle { team, cycle }) => {
            workspace.team(team).ok()?;
            mean_of(workspace, workspace.objectives_of_team(team, cycle))
        }
        Scored::Cycle(id) => mean_of(workspace, workspace.objectives_of_cycle(id)),
        Scored::Workspace => {
            let active = workspace
                .cycles()
                .iter()
                .filter(|(_, cycle)| cycle.state == CycleState::Active);
            weighted_mean(active.map(|(id, _)| (1.0, mean_of(workspace, workspace.objectives_of_cycle(id)))))
        }
    }
}

fn mean_of<'w>(workspace: &'w Workspace, objectives: impl Iterator<Item = &'w Id>) -> Option<f64> {
    weighted_mean(objectives.filter_map(|id| {
        let objective = workspace
            .objectives()
            .get(id)
            .filter(|objective| objective.counts())?;
        Some((
            objective.fields.weight.get(),
            score_objective(workspace, id)?.score,
        ))
    }))
}

/// Names a team's score in one cycle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TeamCycle {
    /// The team.
    pub team: Id,
    /// The cycle.
    pub cycle: Id,
}
