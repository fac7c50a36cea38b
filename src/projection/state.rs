//! What a server keeps in memory of one workspace and publishes: the workspace and every figure that follows from it.

use std::collections::BTreeSet;

use super::dirty::Dirty;
use super::effect::{Effect, alert_change};
use super::figures::{DerivedChange, Figures};
use crate::domain::{Commit, Id, Workspace};
use imbl::OrdMap;
use imbl::ordmap::DiffItem;

/// One workspace at one revision. A copy costs a handful of pointers.
#[derive(Clone, Debug)]
pub struct State {
    workspace: Workspace,
    figures: Figures,
    dirty: Dirty,
}

impl State {
    /// Before the first commit.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            workspace: Workspace::empty(),
            figures: Figures::default(),
            dirty: Dirty::default(),
        }
    }

    /// The resources.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// What follows from them. Up to date unless `fold` was called since the last `refresh`.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Folds the next commit and answers what it came to.
    pub fn apply(&mut self, commit: &Commit) -> Effect {
        let before = Effect::wants_before(commit).then(|| self.workspace.clone());
        self.fold(commit);
        let changes = self.refresh();
        Effect::of(commit, before.as_ref(), &self.workspace, changes)
    }

    /// Takes the next commit with the state that it leads to, as deciding it has folded it already, and answers what `apply`
    /// would.
    pub fn accept(&mut self, commit: &Commit, after: Workspace) -> Effect {
        let before = std::mem::replace(&mut self.workspace, after);
        for event in &commit.events {
            self.dirty.mark(event, &self.workspace);
        }
        let changes = self.refresh();
        let before = Effect::wants_before(commit).then_some(&before);
        Effect::of(commit, before, &self.workspace, changes)
    }

    /// The figures and the alerts that differ in another state of the same workspace, each with before (here) and after
    /// (there), from the gauges up.
    #[must_use]
    pub fn changes_to(&self, after: &Self) -> Vec<DerivedChange> {
        let mut changes = self.figures.changes_to(&after.figures);
        let kpis = self.workspace.kpis().diff(after.workspace.kpis());
        for item in kpis {
            let (id, alerts_before, kpi) = match item {
                DiffItem::Add(id, added) => (id, OrdMap::new(), added),
                // A KPI is never gone.
                DiffItem::Remove(..) => continue,
                DiffItem::Update { old, new } => (new.0, old.1.alerts.clone(), new.1),
            };
            let others = alerts_before.diff(&kpi.alerts).map(|item| {
                let (DiffItem::Add(alert, _)
                | DiffItem::Remove(alert, _)
                | DiffItem::Update { new: (alert, _), .. }) = item;
                alert.clone()
            });
            // What an open one says is written with the KPI's title and unit.
            let alerts: BTreeSet<Id> = others.chain(kpi.open_alerts.values().cloned()).collect();
            changes.extend(
                alerts
                    .iter()
                    .filter_map(|alert| alert_change(id, alert, &self.workspace, &after.workspace)),
            );
        }
        changes
    }

    /// Folds the next commit and leaves the figures for later: for a replay, where only the last ones are wanted.
    pub fn fold(&mut self, commit: &Commit) {
        let stamp = commit.stamp();
        self.workspace.begin(&stamp);
        for event in &commit.events {
            self.workspace.evolve(event, &stamp);
            self.dirty.mark(event, &self.workspace);
        }
    }

    /// Brings the figures up to date and answers those that changed.
    pub fn refresh(&mut self) -> Vec<DerivedChange> {
        let dirty = std::mem::take(&mut self.dirty);
        self.figures.refresh(&self.workspace, dirty)
    }

    /// From now on `refresh` computes everything anew: cheaper than marking through a long replay.
    pub fn refresh_everything_later(&mut self) {
        self.dirty = Dirty::everything();
    }
}
