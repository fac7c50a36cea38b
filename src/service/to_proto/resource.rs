//! Any resource of a state, by name, and all of them in the order in which a snapshot sends them.

use super::{cycle, initiative, key_result, kpi, member, objective, target, team, workspace};
use crate::domain::{Id, ResourceName};
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
        ResourceName::Team(of) => Resource::Team(team(id, of, here.teams().get(of)?, figures.team(of))),
        ResourceName::Member(of) => Resource::Member(member(id, of, here.members().get(of)?)),
        ResourceName::Cycle(of) => Resource::Cycle(cycle(id, of, here.cycles().get(of)?, figures.cycle(of))),
        ResourceName::Objective(of) => {
            let progress = figures.objective(of);
            Resource::Objective(objective(id, of, here.objectives().get(of)?, progress))
        }
        ResourceName::KeyResult(of) => {
            let progress = figures.key_result(of);
            Resource::KeyResult(key_result(id, of, here.key_results().get(of)?, progress))
        }
        ResourceName::Initiative(of) => Resource::Initiative(initiative(id, of, here.initiatives().get(of)?)),
        ResourceName::Kpi(of) => Resource::Kpi(kpi(id, of, here.kpis().get(of)?, figures.kpi(of))),
        ResourceName::Target(of, date) => {
            Resource::Target(target(id, of, *date, here.kpis().get(of)?.targets.get(date)?))
        }
        ResourceName::CheckIn(_, _) => return None,
    };
    Some(api::Resource {
        resource: Some(resource),
    })
}

/// The names of all resources of a snapshot, parents before children.
pub(crate) fn resource_names(state: &State) -> impl Iterator<Item = ResourceName> {
    let here = state.workspace();
    let kpis = here.kpis().iter().flat_map(|(kpi, held)| {
        let targets = held
            .targets
            .keys()
            .map(|date| ResourceName::Target(kpi.clone(), *date));
        std::iter::once(ResourceName::Kpi(kpi.clone())).chain(targets)
    });
    here.id()
        .map(|_| ResourceName::Workspace)
        .into_iter()
        .chain(here.members().keys().cloned().map(ResourceName::Member))
        .chain(here.teams().keys().cloned().map(ResourceName::Team))
        .chain(here.cycles().keys().cloned().map(ResourceName::Cycle))
        .chain(kpis)
        .chain(here.objectives().keys().cloned().map(ResourceName::Objective))
        .chain(here.key_results().keys().cloned().map(ResourceName::KeyResult))
        .chain(here.initiatives().keys().cloned().map(ResourceName::Initiative))
}

/// All resources of a snapshot, parents before children, one at a time.
pub(crate) fn resources<'a>(
    id: &'a Id,
    state: &'a State,
    log: LogId,
) -> impl Iterator<Item = api::Resource> + 'a {
    resource_names(state).filter_map(move |name| resource(id, state, log, &name))
}
