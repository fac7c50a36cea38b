//! Every resource there ever was, whatever became of it. `tests/model` reads it from here too.

use std::collections::BTreeSet;

use super::{ResourceName, Workspace};

pub(crate) fn all_names(workspace: &Workspace) -> BTreeSet<ResourceName> {
    let mut names = BTreeSet::from([ResourceName::Workspace, ResourceName::ScoringPolicy]);
    names.extend(workspace.teams().keys().cloned().map(ResourceName::Team));
    names.extend(workspace.members().keys().cloned().map(ResourceName::Member));
    names.extend(workspace.cycles().keys().cloned().map(ResourceName::Cycle));
    let objectives = workspace.objectives().keys().cloned();
    names.extend(objectives.map(ResourceName::Objective));
    let key_results = workspace.key_results().keys().cloned();
    names.extend(key_results.map(ResourceName::KeyResult));
    let initiatives = workspace.initiatives().keys().cloned();
    names.extend(initiatives.map(ResourceName::Initiative));
    let reviews = workspace.reviews().keys().cloned();
    names.extend(reviews.map(|(cycle, review)| ResourceName::Review(cycle, review)));
    for (kpi, held) in workspace.kpis() {
        names.insert(ResourceName::Kpi(kpi.clone()));
        let targets = held.targets.keys();
        names.extend(targets.map(|date| ResourceName::Target(kpi.clone(), *date)));
        let alerts = held.alerts.keys().cloned();
        names.extend(alerts.map(|alert| ResourceName::Alert(kpi.clone(), alert)));
    }
    names
}
