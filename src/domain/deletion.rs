//! Deletion is soft: what is deleted keeps its name and its history, counts nowhere, and comes back by undeletion.
//!
//! It covers what lies in the resource: an objective's key results and initiatives, the teams below a team. Invariant: an
//! undeletion brings back exactly what that deletion removed, so each resource knows the revision that removed it.

use super::{
    CycleState, Etag, Event, Id, InitiativeId, KeyResultId, ObjectiveState, Rejection, ResourceName,
    Revision, Stamp, Timestamp, Workspace,
};

/// When something was deleted, and by which commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When.
    pub time: Timestamp,
    /// By which commit.
    pub revision: Revision,
}

impl Deletion {
    pub(super) fn of(stamp: &Stamp) -> Self {
        Self {
            time: stamp.recorded_time,
            revision: stamp.revision,
        }
    }
}

pub(super) fn delete(
    workspace: &Workspace,
    name: &ResourceName,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    check_etag(workspace, name, etag)?;
    if workspace.deletion(name)?.is_some() {
        return Err(Rejection::Deleted(name.clone()));
    }
    match name {
        ResourceName::Member(id) => super::team::keep_an_owner(workspace, id)?,
        ResourceName::Objective(id) => in_open_cycle(workspace, id)?,
        ResourceName::KeyResult(KeyResultId { objective, .. })
        | ResourceName::Initiative(InitiativeId { objective, .. }) => {
            workspace.open_objective(objective)?;
        }
        _ => {}
    }
    Ok(vec![Event::Deleted { name: name.clone() }])
}

pub(super) fn undelete(
    workspace: &Workspace,
    name: &ResourceName,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    check_etag(workspace, name, etag)?;
    let Some(deletion) = workspace.deletion(name)? else {
        return Err(Rejection::NotDeleted(name.clone()));
    };
    match name {
        ResourceName::Team(id) => {
            let above = workspace
                .teams
                .get(id)
                .and_then(|team| team.fields.parent_team.clone());
            if let Some(above) = above {
                workspace.team(&above)?;
            }
        }
        ResourceName::Member(id) => {
            if let Some(member) = workspace.members.get(id) {
                super::team::check_principal(workspace, id, &member.fields)?;
            }
        }
        ResourceName::Objective(id) => in_open_cycle(workspace, id)?,
        ResourceName::KeyResult(id) => into_open_objective(workspace, id)?,
        ResourceName::Initiative(InitiativeId { objective, .. }) => {
            workspace.open_objective(objective)?;
        }
        _ => {}
    }
    Ok(vec![Event::Undeleted {
        name: name.clone(),
        deletion: deletion.revision,
    }])
}

/// What a closed cycle has graded is not taken out of it.
fn in_open_cycle(workspace: &Workspace, objective: &Id) -> Result<(), Rejection> {
    let cycle = workspace
        .objectives
        .get(objective)
        .map(|objective| objective.fields.cycle.clone());
    match cycle {
        Some(cycle) if workspace.cycle(&cycle)?.state == CycleState::Closed => {
            Err(Rejection::CycleClosed(cycle))
        }
        _ => Ok(()),
    }
}

/// What comes back into an ACTIVE objective has to have what its activation asked of the others.
fn into_open_objective(workspace: &Workspace, id: &KeyResultId) -> Result<(), Rejection> {
    let state = workspace.open_objective(&id.objective)?;
    let lacks_baseline = workspace
        .key_results
        .get(id)
        .is_some_and(|key_result| key_result.fields.kind.lacks_baseline());
    if state == ObjectiveState::Active && lacks_baseline {
        return Err(Rejection::DeletedWithoutBaseline(id.clone()));
    }
    Ok(())
}

fn check_etag(workspace: &Workspace, name: &ResourceName, etag: Etag) -> Result<(), Rejection> {
    let authorship = match name {
        ResourceName::Workspace => Some(workspace.root.authorship),
        ResourceName::Team(id) => workspace.teams.get(id).map(|team| team.authorship),
        ResourceName::Member(id) => workspace.members.get(id).map(|member| member.authorship),
        ResourceName::Objective(id) => workspace.objectives.get(id).map(|objective| objective.authorship),
        ResourceName::KeyResult(id) => workspace
            .key_results
            .get(id)
            .map(|key_result| key_result.authorship),
        ResourceName::Initiative(id) => workspace
            .initiatives
            .get(id)
            .map(|initiative| initiative.authorship),
        ResourceName::Kpi(id) => workspace.kpis.get(id).map(|kpi| kpi.authorship),
        ResourceName::ScoringPolicy
        | ResourceName::Cycle(_)
        | ResourceName::Review(..)
        | ResourceName::CheckIn(..)
        | ResourceName::Target(..)
        | ResourceName::Alert(..) => None,
    };
    authorship.map_or(Ok(()), |authorship| authorship.check(etag, || name.clone()))
}

impl Workspace {
    /// When something was deleted; none: it stands.
    ///
    /// # Errors
    /// There is nothing of that name, or nothing of its kind is ever deleted.
    pub(super) fn deletion(&self, name: &ResourceName) -> Result<Option<Deletion>, Rejection> {
        let found = match name {
            ResourceName::Workspace => Some(self.root.deleted),
            ResourceName::Team(id) => self.teams.get(id).map(|team| team.deleted),
            ResourceName::Member(id) => self.members.get(id).map(|member| member.deleted),
            ResourceName::Objective(id) => self.objectives.get(id).map(|objective| objective.deleted),
            ResourceName::KeyResult(id) => self.key_results.get(id).map(|key_result| key_result.deleted),
            ResourceName::Initiative(id) => self.initiatives.get(id).map(|initiative| initiative.deleted),
            ResourceName::Kpi(id) => self.kpis.get(id).map(|kpi| kpi.deleted),
            ResourceName::ScoringPolicy
            | ResourceName::Cycle(_)
            | ResourceName::Review(..)
            | ResourceName::CheckIn(..)
            | ResourceName::Target(..)
            | ResourceName::Alert(..) => None,
        };
        found.ok_or_else(|| Rejection::NotFound(name.clone()))
    }

    /// Folds a deletion: of the resource and of all in it that stands.
    pub(super) fn delete(&mut self, name: &ResourceName, stamp: &Stamp) {
        let deletion = Deletion::of(stamp);
        self.change_deletion(name, |deleted| {
            deleted.get_or_insert(deletion);
        });
        self.touch(name, stamp);
    }

    /// Folds an undeletion: of the resource and of all in it that the same commit removed.
    pub(super) fn undelete(&mut self, name: &ResourceName, revision: Revision, stamp: &Stamp) {
        self.change_deletion(name, |deleted| {
            if deleted.is_some_and(|deletion| deletion.revision == revision) {
                *deleted = None;
            }
        });
        self.touch(name, stamp);
    }

    fn change_deletion(&mut self, name: &ResourceName, change: impl Fn(&mut Option<Deletion>)) {
        use super::evolve::change as edit;
        match name {
            ResourceName::Workspace => change(&mut std::sync::Arc::make_mut(&mut self.root).deleted),
            ResourceName::Team(id) => {
                for team in self.team_and_below(id) {
                    edit(&mut self.teams, &team, |team| change(&mut team.deleted));
                }
            }
            ResourceName::Member(id) => edit(&mut self.members, id, |member| change(&mut member.deleted)),
            ResourceName::Objective(id) => {
                edit(&mut self.objectives, id, |objective| {
                    change(&mut objective.deleted)
                });
                let key_results: Vec<KeyResultId> =
                    self.all_key_results_of(id).map(|(id, _)| id.clone()).collect();
                for key_result in key_results {
                    edit(&mut self.key_results, &key_result, |key_result| {
                        change(&mut key_result.deleted)
                    });
                }
                let initiatives: Vec<InitiativeId> =
                    self.all_initiatives_of(id).map(|(id, _)| id.clone()).collect();
                for initiative in initiatives {
                    edit(&mut self.initiatives, &initiative, |initiative| {
                        change(&mut initiative.deleted)
                    });
                }
            }
            ResourceName::KeyResult(id) => edit(&mut self.key_results, id, |key_result| {
                change(&mut key_result.deleted)
            }),
            ResourceName::Initiative(id) => edit(&mut self.initiatives, id, |initiative| {
                change(&mut initiative.deleted)
            }),
            ResourceName::Kpi(id) => edit(&mut self.kpis, id, |kpi| change(&mut kpi.deleted)),
            // Nothing of these kinds is ever deleted.
            ResourceName::ScoringPolicy
            | ResourceName::Cycle(_)
            | ResourceName::Review(..)
            | ResourceName::CheckIn(..)
            | ResourceName::Target(..)
            | ResourceName::Alert(..) => {}
        }
    }

    fn touch(&mut self, name: &ResourceName, stamp: &Stamp) {
        use super::evolve::change as edit;
        match name {
            ResourceName::Workspace => std::sync::Arc::make_mut(&mut self.root).authorship.touch(stamp),
            ResourceName::Team(id) => edit(&mut self.teams, id, |team| team.authorship.touch(stamp)),
            ResourceName::Member(id) => edit(&mut self.members, id, |member| member.authorship.touch(stamp)),
            ResourceName::Objective(id) => edit(&mut self.objectives, id, |objective| {
                objective.authorship.touch(stamp)
            }),
            ResourceName::KeyResult(id) => edit(&mut self.key_results, id, |key_result| {
                key_result.authorship.touch(stamp)
            }),
            ResourceName::Initiative(id) => edit(&mut self.initiatives, id, |initiative| {
                initiative.authorship.touch(stamp)
            }),
            ResourceName::Kpi(id) => edit(&mut self.kpis, id, |kpi| kpi.authorship.touch(stamp)),
            ResourceName::ScoringPolicy
            | ResourceName::Cycle(_)
            | ResourceName::Review(..)
            | ResourceName::CheckIn(..)
            | ResourceName::Target(..)
            | ResourceName::Alert(..) => {}
        }
    }
}
