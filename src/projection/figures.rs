//! Every figure that follows from a workspace: progress, status, scores, KPI health. All of them are functions of the
//! workspace; they are kept so that reading is a lookup, and so that a change is known with its before and after.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use super::dirty::Dirty;
use super::foundation::{Foundation, Foundations};
use super::sums::Sums;
use crate::domain::{
    ALIGNMENT_DEPTH_MAX, Alert, CycleState, Id, KeyResultId, KeyResultProgress, KpiFields, KpiHealth,
    ObjectiveProgress, ResourceName, TeamCycle, Workspace, key_result_progress, kpi_health,
    objective_progress, weighted_mean,
};

/// The figures of one workspace at one revision. What has none is not in its map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    kpis: OrdMap<Id, Arc<KpiHealth>>,
    key_results: OrdMap<KeyResultId, Arc<KeyResultProgress>>,
    objectives: OrdMap<Id, Arc<ObjectiveProgress>>,
    teams: OrdMap<TeamCycle, f64>,
    cycles: OrdMap<Id, f64>,
    workspace: Option<f64>,
    /// What the scores of teams and cycles are the means of.
    sums: Sums,
    foundations: Foundations,
}

/// A figure that changed because of a commit, with before and after; none: it had none.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "whose figure, and before and after")]
pub enum DerivedChange {
    Kpi {
        id: Id,
        before: Option<Arc<KpiHealth>>,
        after: Option<Arc<KpiHealth>>,
    },
    KeyResult {
        id: KeyResultId,
        before: Option<Arc<KeyResultProgress>>,
        after: Option<Arc<KeyResultProgress>>,
    },
    Objective {
        id: Id,
        before: Option<Arc<ObjectiveProgress>>,
        after: Option<Arc<ObjectiveProgress>>,
    },
    ObjectiveFoundation {
        id: Id,
        before: Foundation,
        after: Foundation,
    },
    TeamFoundation {
        id: Id,
        before: Foundation,
        after: Foundation,
    },
    Team {
        id: TeamCycle,
        before: Option<f64>,
        after: Option<f64>,
    },
    Cycle {
        id: Id,
        before: Option<f64>,
        after: Option<f64>,
    },
    Workspace {
        before: Option<f64>,
        after: Option<f64>,
    },
    /// Each with the fields of its KPI, which say how its summary is written.
    Alert {
        kpi: Id,
        id: Id,
        before: Option<(Arc<Alert>, Arc<KpiFields>)>,
        after: Option<(Arc<Alert>, Arc<KpiFields>)>,
    },
}

impl DerivedChange {
    /// Whose figure it is.
    #[must_use]
    pub fn resource(&self) -> ResourceName {
        match self {
            Self::Kpi { id, .. } => ResourceName::Kpi(id.clone()),
            Self::KeyResult { id, .. } => ResourceName::KeyResult(id.clone()),
            Self::Objective { id, .. } | Self::ObjectiveFoundation { id, .. } => {
                ResourceName::Objective(id.clone())
            }
            Self::TeamFoundation { id, .. } => ResourceName::Team(id.clone()),
            Self::Team { id, .. } => ResourceName::Team(id.team.clone()),
            Self::Cycle { id, .. } => ResourceName::Cycle(id.clone()),
            Self::Workspace { .. } => ResourceName::Workspace,
            Self::Alert { kpi, id, .. } => ResourceName::Alert(kpi.clone(), id.clone()),
        }
    }
}

impl Figures {
    /// A KPI's health.
    #[must_use]
    pub fn kpi(&self, id: &Id) -> Option<&KpiHealth> {
        self.kpis.get(id).map(Arc::as_ref)
    }

    /// A key result's progress; none while its objective is not ACTIVE.
    #[must_use]
    pub fn key_result(&self, id: &KeyResultId) -> Option<&KeyResultProgress> {
        self.key_results.get(id).map(Arc::as_ref)
    }

    /// The progress of an objective's key results, by id: one search for all of them.
    pub fn key_results_of(&self, objective: &Id) -> impl Iterator<Item = (&KeyResultId, &KeyResultProgress)> {
        let first = KeyResultId {
            objective: objective.clone(),
            id: Id::lowest(),
        };
        let objective = objective.clone();
        self.key_results
            .range(first..)
            .take_while(move |(id, _)| id.objective == objective)
            .map(|(id, progress)| (id, progress.as_ref()))
    }

    /// An objective's progress; none while it is not ACTIVE.
    #[must_use]
    pub fn objective(&self, id: &Id) -> Option<&ObjectiveProgress> {
        self.objectives.get(id).map(Arc::as_ref)
    }

    /// What an objective rests on; UNKNOWN where there is no such objective.
    #[must_use]
    pub fn objective_foundation(&self, id: &Id) -> Foundation {
        self.foundations.objective(id)
    }

    /// What a team rests on; UNKNOWN where there is no such team.
    #[must_use]
    pub fn team_foundation(&self, id: &Id) -> Foundation {
        self.foundations.team(id)
    }

    /// A team's scores, a cycle each, by cycle.
    pub fn team(&self, team: &Id) -> impl Iterator<Item = (&Id, f64)> {
        let first = TeamCycle {
            team: team.clone(),
            cycle: Id::lowest(),
        };
        let team = team.clone();
        self.teams
            .range(first..)
            .take_while(move |(id, _)| id.team == team)
            .map(|(id, score)| (&id.cycle, *score))
    }

    /// A cycle's score.
    #[must_use]
    pub fn cycle(&self, id: &Id) -> Option<f64> {
        self.cycles.get(id).copied()
    }

    /// The workspace's score.
    #[must_use]
    pub fn workspace(&self) -> Option<f64> {
        self.workspace
    }

    /// The figures that differ in another state, each with before (here) and after (there), from the gauges up.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Vec<DerivedChange> {
        let mut changes = Vec::new();
        for (id, before, after) in differences(&self.kpis, &after.kpis) {
            changes.push(DerivedChange::Kpi { id, before, after });
        }
        for (id, before, after) in differences(&self.key_results, &after.key_results) {
            changes.push(DerivedChange::KeyResult { id, before, after });
        }
        changes.extend(self.foundations.changes_to(&after.foundations));
        for (id, before, after) in differences(&self.objectives, &after.objectives) {
            changes.push(DerivedChange::Objective { id, before, after });
        }
        for (id, before, after) in differences(&self.teams, &after.teams) {
            changes.push(DerivedChange::Team { id, before, after });
        }
        for (id, before, after) in differences(&self.cycles, &after.cycles) {
            changes.push(DerivedChange::Cycle { id, before, after });
        }
        if self.workspace != after.workspace {
            let (before, after) = (self.workspace, after.workspace);
            changes.push(DerivedChange::Workspace { before, after });
        }
        changes
    }

    /// Computes what is dirty anew, from the gauges up to the workspace, and answers what changed.
    pub(super) fn refresh(&mut self, workspace: &Workspace, mut dirty: Dirty) -> Vec<DerivedChange> {
        if dirty.everything {
            dirty = self.all(workspace);
        }
        let mut changes = Vec::new();
        let foundations = self.foundations.clone();
        self.refresh_kpis(workspace, &mut dirty, &mut changes);
        self.refresh_key_results(workspace, &mut dirty, &mut changes);
        self.refresh_foundations(workspace, &dirty);
        changes.extend(foundations.changes_to(&self.foundations));
        self.refresh_objectives(workspace, &mut dirty, &mut changes);
        self.refresh_scores(workspace, dirty, &mut changes);
        changes
    }

    /// Everything that the workspace has now, and everything that had a figure before.
    fn all(&self, workspace: &Workspace) -> Dirty {
        Dirty {
            everything: false,
            kpis: workspace.kpis().keys().chain(self.kpis.keys()).cloned().collect(),
            key_results: workspace
                .key_results()
                .keys()
                .chain(self.key_results.keys())
                .cloned()
                .collect(),
            objectives: workspace
                .objectives()
                .keys()
                .chain(self.objectives.keys())
                .cloned()
                .collect(),
            teams: self.teams.keys().chain(self.sums.teams()).cloned().collect(),
            foundations: workspace.teams().keys().cloned().collect(),
            cycles: workspace
                .cycles()
                .keys()
                .chain(self.cycles.keys())
                .cloned()
                .collect(),
            workspace: true,
        }
    }

    fn refresh_kpis(&mut self, workspace: &Workspace, dirty: &mut Dirty, changes: &mut Vec<DerivedChange>) {
        for id in std::mem::take(&mut dirty.kpis) {
            // A backdated value may leave the KPI's health as it is and still be the newest of some cycle.
            dirty
                .key_results
                .extend(workspace.key_results_of_kpi(&id).cloned());
            let after = workspace.kpi(&id).ok().map(|kpi| kpi_health(kpi, workspace));
            let health = after.as_ref().map(|kpi| kpi.health);
            self.foundations.put(workspace, &id, health, dirty);
            if let Some((before, after)) = replace(&mut self.kpis, &id, after) {
                changes.push(DerivedChange::Kpi { id, before, after });
            }
        }
    }

    fn refresh_key_results(
        &mut self,
        workspace: &Workspace,
        dirty: &mut Dirty,
        changes: &mut Vec<DerivedChange>,
    ) {
        for id in std::mem::take(&mut dirty.key_results) {
            let after = workspace
                .key_result(&id)
                .ok()
                .and_then(|kr| key_result_progress(workspace, &id, kr));
            if let Some((before, after)) = replace(&mut self.key_results, &id, after) {
                dirty.objectives.insert(id.objective.clone());
                changes.push(DerivedChange::KeyResult { id, before, after });
            }
        }
    }

    fn refresh_foundations(&mut self, workspace: &Workspace, dirty: &Dirty) {
        for id in &dirty.foundations {
            self.foundations.judge_team(workspace, id);
        }
        for id in &dirty.objectives {
            self.foundations.judge_objective(workspace, id);
        }
    }

    fn refresh_objectives(
        &mut self,
        workspace: &Workspace,
        dirty: &mut Dirty,
        changes: &mut Vec<DerivedChange>,
    ) {
        let rolls_up = workspace.rolls_up();
        // From the deepest up, so that each is computed once, after what is aligned to it.
        let mut waiting: BTreeSet<(Reverse<usize>, Id)> = std::mem::take(&mut dirty.objectives)
            .into_iter()
            .map(|id| (Reverse(levels_above(workspace, &id)), id))
            .collect();
        while let Some((Reverse(level), id)) = waiting.pop_first() {
            let after = self.objective_of(workspace, &id, rolls_up);
            let score = after.as_ref().and_then(|progress| progress.score);
            self.sums.put(workspace, &id, score, dirty);
            let Some((before, after)) = replace(&mut self.objectives, &id, after) else {
                continue;
            };
            let above = workspace
                .objectives()
                .get(&id)
                .and_then(|it| it.fields.aligned_to.as_ref());
            // At the top nothing is aligned, unless history has bent an alignment into a circle.
            if let Some(alignment) = above.filter(|_| rolls_up && level > 0) {
                waiting.insert((Reverse(level.saturating_sub(1)), alignment.objective().clone()));
            }
            changes.push(DerivedChange::Objective { id, before, after });
        }
    }

    fn objective_of(&self, workspace: &Workspace, id: &Id, rolls_up: bool) -> Option<ObjectiveProgress> {
        let objective = workspace.objective(id).ok()?;
        let key_results: Vec<_> = workspace
            .key_results_of(id)
            .filter_map(|(id, key_result)| Some((key_result.as_ref(), self.key_result(id)?)))
            .collect();
        let aligned: Vec<_> = match rolls_up {
            false => Vec::new(),
            true => workspace
                .counting_below(id)
                .filter_map(|(id, below)| Some((below, self.objective(id)?)))
                .collect(),
        };
        objective_progress(workspace, objective, &key_results, &aligned)
    }

    fn refresh_scores(&mut self, workspace: &Workspace, dirty: Dirty, changes: &mut Vec<DerivedChange>) {
        for id in dirty.teams {
            let after = workspace.team(&id.team).ok().and_then(|_| self.sums.team(&id));
            if let Some((before, after)) = replace_score(&mut self.teams, &id, after) {
                changes.push(DerivedChange::Team { id, before, after });
            }
        }
        let mut active_changed = dirty.workspace;
        for id in dirty.cycles {
            let after = self.sums.cycle(&id);
            if let Some((before, after)) = replace_score(&mut self.cycles, &id, after) {
                active_changed = true;
                changes.push(DerivedChange::Cycle { id, before, after });
            }
        }
        if active_changed {
            let active = workspace
                .cycles()
                .iter()
                .filter(|(_, cycle)| cycle.state == CycleState::Active);
            let after = weighted_mean(active.map(|(id, _)| (1.0, self.cycle(id))));
            let before = std::mem::replace(&mut self.workspace, after);
            if before != after {
                changes.push(DerivedChange::Workspace { before, after });
            }
        }
    }
}

/// How many objectives lie above one, along its alignment.
fn levels_above(workspace: &Workspace, id: &Id) -> usize {
    let above = |id: &Id| {
        let alignment = workspace.objectives().get(id)?.fields.aligned_to.as_ref()?;
        Some(alignment.objective().clone())
    };
    std::iter::successors(above(id), |id| above(id))
        .take(ALIGNMENT_DEPTH_MAX)
        .count()
}

/// The entries that differ between two versions of a map, in order. What they share is not looked at.
pub(super) fn differences<K: Ord + Clone, V: PartialEq + Clone>(
    before: &OrdMap<K, V>,
    after: &OrdMap<K, V>,
) -> Vec<(K, Option<V>, Option<V>)> {
    before
        .diff(after)
        .map(|item| match item {
            DiffItem::Add(key, added) => (key.clone(), None, Some(added.clone())),
            DiffItem::Remove(key, removed) => (key.clone(), Some(removed.clone()), None),
            DiffItem::Update { old, new } => (new.0.clone(), Some(old.1.clone()), Some(new.1.clone())),
        })
        .collect()
}

/// Before and after of a figure that changed.
type Changed<T> = Option<(Option<T>, Option<T>)>;

fn replace<K: Ord + Clone, V: PartialEq>(
    map: &mut OrdMap<K, Arc<V>>,
    key: &K,
    after: Option<V>,
) -> Changed<Arc<V>> {
    let before = map.get(key);
    if before.map(Arc::as_ref) == after.as_ref() {
        return None;
    }
    let after = after.map(Arc::new);
    let before = match &after {
        Some(after) => map.insert(key.clone(), after.clone()),
        None => map.remove(key),
    };
    Some((before, after))
}

fn replace_score<K: Ord + Clone>(map: &mut OrdMap<K, f64>, key: &K, after: Option<f64>) -> Changed<f64> {
    if map.get(key) == after.as_ref() {
        return None;
    }
    let before = match after {
        Some(after) => map.insert(key.clone(), after),
        None => map.remove(key),
    };
    Some((before, after))
}
