//! What a server keeps in memory of one workspace and publishes: the workspace and every figure that follows from it.

use super::dirty::Dirty;
use super::figures::{DerivedChange, Figures};
use crate::domain::{Commit, Workspace};

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

    /// Folds the next commit and answers the figures that changed because of it, each with before and after.
    pub fn apply(&mut self, commit: &Commit) -> Vec<DerivedChange> {
        self.fold(commit);
        self.refresh()
    }

    /// Takes the next commit with the state that it leads to, as deciding it has folded it already, and answers what `apply`
    /// would.
    pub fn accept(&mut self, commit: &Commit, after: Workspace) -> Vec<DerivedChange> {
        self.workspace = after;
        for event in &commit.events {
            self.dirty.mark(event, &self.workspace);
        }
        self.refresh()
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
