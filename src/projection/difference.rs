//! In which resources two states of one workspace differ, and what of them was written: what a net change is made of.
//!
//! Invariant: what the two states share is not looked at. It knows nothing of the commits in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use super::figures::DerivedChange;
use super::scope::{below, owned_by, scope};
use super::state::State;
use crate::domain::{Id, KeyResult, KeyResultId, ObjectiveState, ResourceName, Workspace};

/// Every resource that may not be the same in two states of one workspace, check-ins and figures with it. Among them may be
/// some that are.
#[must_use]
pub fn may_differ(before: &State, after: &State) -> BTreeSet<ResourceName> {
    let changes = before.changes_to(after);
    let (before, after) = (before.workspace(), after.workspace());
    let mut found = different(before, after);
    found.extend(changes.iter().map(DerivedChange::resource));
    for id in keys_that_differ(before.key_results(), after.key_results()) {
        let (was, is) = (before.key_results().get(&id), after.key_results().get(&id));
        check_ins_that_differ(&id, was.map(Arc::as_ref), is.map(Arc::as_ref), &mut found);
    }
    found
}

/// Whether a resource is there for people: it was made, and it is neither deleted nor retracted nor, as an alert, closed.
#[must_use]
pub fn is_there(workspace: &Workspace, name: &ResourceName) -> bool {
    let ResourceName::CheckIn(key_result, id) = name else {
        return scope(workspace, name).is_some_and(|scope| scope.listed);
    };
    let held = workspace.key_results().get(key_result);
    held.filter(|held| held.deleted.is_none())
        .and_then(|held| held.check_in(id))
        .is_some_and(|recorded| recorded.retracted.is_none())
}

fn check_ins_that_differ(
    id: &KeyResultId,
    before: Option<&KeyResult>,
    after: Option<&KeyResult>,
    found: &mut BTreeSet<ResourceName>,
) {
    let none = OrdMap::new();
    let was = before.map_or(&none, |held| &held.check_ins);
    let is = after.map_or(&none, |held| &held.check_ins);
    let mut add = |check_in: &Id| {
        found.insert(ResourceName::CheckIn(id.clone(), check_in.clone()));
    };
    // They come and go with their key result.
    if before.map(|held| held.deleted) != after.map(|held| held.deleted) {
        was.values()
            .chain(is.values())
            .for_each(|recorded| add(&recorded.id));
        return;
    }
    for item in was.diff(is) {
        match item {
            DiffItem::Add(_, recorded) | DiffItem::Remove(_, recorded) => add(&recorded.id),
            DiffItem::Update { old, new } => [old.1, new.1].iter().for_each(|recorded| add(&recorded.id)),
        }
    }
}

/// The resources that are not the same in two states of one workspace, by name: those that were created, written, deleted
/// or moved in between. What only got another value or figure may be among them.
pub(super) fn different(before: &Workspace, after: &Workspace) -> BTreeSet<ResourceName> {
    let mut found = BTreeSet::new();
    if before.authorship() != after.authorship()
        || before.deleted() != after.deleted()
        || before.today() != after.today()
    {
        found.insert(ResourceName::Workspace);
    }
    if before.policy_version() != after.policy_version() {
        found.insert(ResourceName::ScoringPolicy);
    }
    for team in keys_that_differ(before.teams(), after.teams()) {
        let above = |workspace: &Workspace| Some(workspace.teams().get(&team)?.fields.parent_team.clone());
        if above(before) != above(after) {
            for team in after.team_and_below(&team) {
                owned_by(after, &team, &mut found);
            }
        }
        found.insert(ResourceName::Team(team));
    }
    found.extend(keys_that_differ(before.members(), after.members()).map(ResourceName::Member));
    found.extend(keys_that_differ(before.cycles(), after.cycles()).map(ResourceName::Cycle));
    found.extend(
        keys_that_differ(before.reviews(), after.reviews())
            .map(|(cycle, id)| ResourceName::Review(cycle, id)),
    );
    for id in keys_that_differ(before.objectives(), after.objectives()) {
        let name = ResourceName::Objective(id);
        below(after, &name, &mut found);
        found.insert(name);
    }
    found.extend(keys_that_differ(before.key_results(), after.key_results()).map(ResourceName::KeyResult));
    found.extend(keys_that_differ(before.initiatives(), after.initiatives()).map(ResourceName::Initiative));
    for id in keys_that_differ(before.kpis(), after.kpis()) {
        let name = ResourceName::Kpi(id);
        for workspace in [before, after] {
            below(workspace, &name, &mut found);
        }
        found.insert(name);
    }
    found
}

/// The keys under which two versions of a map have something else. What they share is not looked at.
fn keys_that_differ<K: Ord + Clone, V>(
    before: &OrdMap<K, Arc<V>>,
    after: &OrdMap<K, Arc<V>>,
) -> impl Iterator<Item = K> + use<K, V>
where
    V: PartialEq,
{
    let keys: Vec<K> = before
        .diff(after)
        .map(|item| match item {
            DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key.clone(),
            DiffItem::Update { new, .. } => new.0.clone(),
        })
        .collect();
    keys.into_iter()
}

/// Whether something of a resource was written between two states: whatever a snapshot shows of it but figures and values.
#[must_use]
pub(super) fn was_written(before: &Workspace, after: &Workspace, name: &ResourceName) -> bool {
    match name {
        ResourceName::Workspace => {
            before.authorship() != after.authorship() || before.today() != after.today()
        }
        ResourceName::ScoringPolicy => before.policy_version() != after.policy_version(),
        ResourceName::Team(id) => by(before.teams(), after.teams(), id, |it| it.authorship.revision),
        ResourceName::Member(id) => by(before.members(), after.members(), id, |it| it.authorship.revision),
        ResourceName::Cycle(id) => by(before.cycles(), after.cycles(), id, |it| it.authorship.revision),
        ResourceName::Objective(id) => before.objectives().get(id) != after.objectives().get(id),
        ResourceName::KeyResult(id) => {
            // A check-in's confidence is the key result's, and no figure.
            by(before.key_results(), after.key_results(), id, |it| {
                (it.authorship.revision, it.confidence())
            })
                // The state of its objective is shown with it.
                || state_of(before, id) != state_of(after, id)
        }
        ResourceName::Initiative(id) => by(before.initiatives(), after.initiatives(), id, |it| {
            it.authorship.revision
        }),
        // Its alerts are named in it.
        ResourceName::Kpi(id) => by(before.kpis(), after.kpis(), id, |it| {
            (
                it.authorship,
                it.archived,
                it.open_alerts.clone(),
                it.needs_action(),
            )
        }),
        ResourceName::Target(kpi, date) => {
            // It is written in the KPI's unit.
            let target = |workspace: &Workspace| {
                let kpi = workspace.kpis().get(kpi)?;
                Some((kpi.targets.get(date).cloned()?, kpi.fields.judged_unit()))
            };
            target(before) != target(after)
        }
        // They are recorded once, and not listed.
        ResourceName::Review(..) | ResourceName::CheckIn(..) => false,
        ResourceName::Alert(kpi, id) => {
            // What it says is written in the KPI's unit.
            let alert = |workspace: &Workspace| {
                let kpi = workspace.kpis().get(kpi)?;
                let alert = kpi.alerts.get(id)?;
                Some((Arc::clone(alert), alert.summary(&kpi.fields)))
            };
            alert(before) != alert(after)
        }
    }
}

fn state_of(workspace: &Workspace, id: &KeyResultId) -> Option<ObjectiveState> {
    Some(workspace.objectives().get(&id.objective)?.state)
}

fn by<K: Ord, V, T: PartialEq>(
    before: &OrdMap<K, Arc<V>>,
    after: &OrdMap<K, Arc<V>>,
    id: &K,
    of: impl Fn(&V) -> T,
) -> bool {
    before.get(id).map(|it| of(it)) != after.get(id).map(|it| of(it))
}
