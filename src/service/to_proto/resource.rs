//! Any resource of a state, by name, and all of them in the order in which a snapshot sends them.

use std::sync::Arc;

use imbl::OrdMap;

use super::{
    alert, cycle, initiative, key_result, kpi, member, objective_of, review, scoring_policy, target, team_of,
    workspace,
};
use crate::domain::{Deletion, Id, KeyResult, KeyResultId, ObjectiveState, ResourceName};
use crate::log::LogId;
use crate::projection::State;
use crate::proto::api;
use crate::proto::api::resource::Resource;

/// A resource of a state, with the figures that belong to it. None: the state has none of that name, or it is a check-in,
/// which is no part of a snapshot.
#[must_use]
pub(crate) fn resource(id: &Id, state: &State, log: LogId, name: &ResourceName) -> Option<api::Resource> {
    let (here, figures) = (state.workspace(), state.figures());
    let resource = match name {
        ResourceName::Workspace => {
            here.id()?;
            Resource::Workspace(workspace(id, state, log))
        }
        ResourceName::Team(of) => Resource::Team(team_of(id, state, of, here.teams().get(of)?)),
        ResourceName::Member(of) => Resource::Member(member(id, of, here.members().get(of)?)),
        ResourceName::Cycle(of) => Resource::Cycle(cycle(id, of, here.cycles().get(of)?, figures.cycle(of))),
        ResourceName::Objective(of) => {
            Resource::Objective(objective_of(id, state, of, here.objectives().get(of)?))
        }
        ResourceName::KeyResult(of) => {
            Resource::KeyResult(key_result_of(id, state, of, here.key_results().get(of)?))
        }
        ResourceName::Initiative(of) => Resource::Initiative(initiative(id, of, here.initiatives().get(of)?)),
        ResourceName::Kpi(of) => Resource::Kpi(kpi(id, of, here.kpis().get(of)?, figures.kpi(of))),
        ResourceName::Target(of, date) => {
            let kpi = here.kpis().get(of)?;
            let unit = kpi.fields.judged_unit();
            Resource::Target(target(id, of, &unit, *date, kpi.targets.get(date)?))
        }
        ResourceName::ScoringPolicy => {
            let newest = here.policies().get(&here.policy_version())?;
            Resource::ScoringPolicy(scoring_policy(id, newest))
        }
        ResourceName::Review(cycle, of) => {
            let recorded = here.reviews().get(&(cycle.clone(), of.clone()))?;
            Resource::Review(review(id, cycle, of, recorded))
        }
        ResourceName::Alert(of, alert_id) => {
            let kpi = here.kpis().get(of)?;
            Resource::Alert(alert(id, of, &kpi.fields, kpi.alerts.get(alert_id)?))
        }
        ResourceName::CheckIn(_, _) => return None,
    };
    Some(api::Resource {
        resource: Some(resource),
    })
}

/// A key result of a state, with the state of its objective and the figures that belong to it.
#[must_use]
pub(crate) fn key_result_of(
    workspace: &Id,
    state: &State,
    id: &KeyResultId,
    held: &KeyResult,
) -> api::KeyResult {
    let objective = state.workspace().objectives().get(&id.objective);
    let stands = objective.map_or(ObjectiveState::Draft, |objective| objective.state);
    key_result(workspace, id, held, stands, state.figures().key_result(id))
}

/// The names of all resources of a snapshot, parents before children; no deleted ones, and no alert that is closed.
pub(crate) fn resource_names(state: &State) -> impl Iterator<Item = ResourceName> {
    let here = state.workspace();
    let kpis = here.kpis().iter().filter(|(_, kpi)| kpi.deleted.is_none());
    let kpis = kpis.flat_map(|(kpi, held)| {
        let targets = held
            .targets
            .keys()
            .map(|date| ResourceName::Target(kpi.clone(), *date));
        let alerts = held
            .open_alerts
            .values()
            .map(|alert| ResourceName::Alert(kpi.clone(), alert.clone()));
        std::iter::once(ResourceName::Kpi(kpi.clone()))
            .chain(targets)
            .chain(alerts)
    });
    here.id()
        .map(|_| ResourceName::Workspace)
        .into_iter()
        .chain(here.policies().get_max().map(|_| ResourceName::ScoringPolicy))
        .chain(standing(here.members(), |member| member.deleted).map(ResourceName::Member))
        .chain(standing(here.teams(), |team| team.deleted).map(ResourceName::Team))
        .chain(here.cycles().keys().cloned().map(ResourceName::Cycle))
        .chain(
            here.reviews()
                .keys()
                .cloned()
                .map(|(cycle, id)| ResourceName::Review(cycle, id)),
        )
        .chain(kpis)
        .chain(standing(here.objectives(), |objective| objective.deleted).map(ResourceName::Objective))
        .chain(standing(here.key_results(), |key_result| key_result.deleted).map(ResourceName::KeyResult))
        .chain(standing(here.initiatives(), |initiative| initiative.deleted).map(ResourceName::Initiative))
}

fn standing<K: Ord + Clone, V>(
    map: &OrdMap<K, Arc<V>>,
    deleted: fn(&V) -> Option<Deletion>,
) -> impl Iterator<Item = K> {
    map.iter()
        .filter(move |(_, it)| deleted(it).is_none())
        .map(|(key, _)| key.clone())
}
