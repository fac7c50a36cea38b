//! Which figures a commit may have changed. Marking too much costs time; marking too little would be a wrong answer, so
//! a property test holds every figure against one computed from nothing.

use std::collections::BTreeSet;

use crate::domain::{Event, Id, KeyResultId, TeamCycle, Workspace};

/// The figures to compute anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Dirty {
    pub(super) everything: bool,
    pub(super) kpis: BTreeSet<Id>,
    pub(super) key_results: BTreeSet<KeyResultId>,
    pub(super) objectives: BTreeSet<Id>,
    pub(super) teams: BTreeSet<TeamCycle>,
    pub(super) cycles: BTreeSet<Id>,
    pub(super) workspace: bool,
}

impl Dirty {
    /// All figures there are.
    pub(super) fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// Marks what an event may change; `workspace` is the state after it.
    pub(super) fn mark(&mut self, event: &Event, workspace: &Workspace) {
        if self.everything {
            return;
        }
        match event {
            // A commit often has many measurements of one KPI in a row.
            Event::MeasurementRecorded(recorded) => {
                if self.kpis.last() != Some(&recorded.kpi) {
                    self.kpis.insert(recorded.kpi.clone());
                }
            }
            Event::EpochStarted(_)
            | Event::WorkspaceCreated(_)
            | Event::WorkspaceUpdated { .. }
            | Event::DayStarted { .. }
            | Event::CycleUpdated { .. } => self.everything = true,
            Event::TeamCreated { .. }
            | Event::TeamUpdated { .. }
            | Event::MemberCreated { .. }
            | Event::MemberUpdated { .. }
            | Event::InitiativeCreated { .. }
            | Event::InitiativeUpdated { .. } => {}
            Event::CycleCreated { id, .. } => {
                self.cycles.insert(id.clone());
            }
            Event::CycleActivated { .. } => self.workspace = true,
            Event::ObjectiveUpdated { id, before, after } => {
                for fields in [before, after] {
                    self.mark_scores_above(fields.team.as_ref(), &fields.cycle);
                }
                self.mark_objective(id, workspace);
            }
            Event::ObjectiveCreated { id, .. } | Event::ObjectiveActivated { id, .. } => {
                if let Ok(objective) = workspace.objective(id) {
                    self.mark_scores_above(objective.fields.team.as_ref(), &objective.fields.cycle);
                }
                self.mark_objective(id, workspace);
            }
            Event::KeyResultCreated { id, .. } | Event::KeyResultUpdated { id, .. } => {
                self.key_results.insert(id.clone());
                self.objectives.insert(id.objective.clone());
            }
            Event::CheckInRecorded { key_result, .. } => {
                self.key_results.insert(key_result.clone());
            }
            Event::KpiCreated { id, .. }
            | Event::KpiUpdated { id, .. }
            | Event::TargetSet { kpi: id, .. } => {
                self.kpis.insert(id.clone());
            }
        }
    }

    /// The scores that an objective counts in.
    pub(super) fn mark_scores_above(&mut self, team: Option<&Id>, cycle: &Id) {
        if let Some(team) = team {
            self.teams.insert(TeamCycle {
                team: team.clone(),
                cycle: cycle.clone(),
            });
        }
        self.cycles.insert(cycle.clone());
    }

    fn mark_objective(&mut self, id: &Id, workspace: &Workspace) {
        self.key_results.extend(
            workspace
                .key_results_of(id)
                .map(|(key_result, _)| key_result.clone()),
        );
        self.objectives.insert(id.clone());
    }
}
