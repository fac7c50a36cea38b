//! Which figures a commit may have changed. Marking too much costs time; marking too little would be a wrong answer, so
//! a property test holds every figure against one computed from nothing.

use std::collections::BTreeSet;

use crate::domain::{Event, Id, KeyResultId, ObjectiveFields, ResourceName, TeamCycle, Workspace};

/// The figures to compute anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Dirty {
    pub(super) everything: bool,
    pub(super) kpis: BTreeSet<Id>,
    pub(super) key_results: BTreeSet<KeyResultId>,
    pub(super) objectives: BTreeSet<Id>,
    pub(super) teams: BTreeSet<TeamCycle>,
    /// The teams whose foundation to judge anew.
    pub(super) foundations: BTreeSet<Id>,
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
            | Event::ScoringPolicyUpdated { .. }
            | Event::CycleUpdated { .. } => self.everything = true,
            Event::TeamCreated { .. }
            | Event::TeamUpdated { .. }
            | Event::MemberCreated { .. }
            | Event::MemberUpdated { .. }
            | Event::InitiativeCreated { .. }
            | Event::InitiativeUpdated { .. }
            | Event::ReviewRecorded { .. } => {}
            Event::Deleted { name } | Event::Undeleted { name, .. } => self.mark_deletion(name, workspace),
            Event::CycleCreated { id, .. } => {
                self.cycles.insert(id.clone());
            }
            Event::CycleActivated { .. }
            | Event::CycleReviewBegun { .. }
            | Event::CycleClosed { .. }
            | Event::CycleReopened { .. } => self.workspace = true,
            Event::ObjectiveUpdated { id, before, after } => {
                for fields in [before, after] {
                    self.mark_above(fields);
                }
                self.mark_objective(id, workspace);
            }
            Event::ObjectiveCreated { id, .. }
            | Event::ObjectiveActivated { id, .. }
            | Event::ObjectiveClosed { id, .. }
            | Event::ObjectiveReopened { id, .. }
            | Event::ObjectiveCanceled { id, .. } => self.mark_objective(id, workspace),
            Event::KeyResultCreated { id, .. } | Event::KeyResultUpdated { id, .. } => {
                self.key_results.insert(id.clone());
                self.objectives.insert(id.objective.clone());
            }
            Event::CheckInRecorded { key_result, .. }
            | Event::CheckInCorrected { key_result, .. }
            | Event::CheckInRetracted { key_result, .. } => {
                self.key_results.insert(key_result.clone());
            }
            Event::KpiCreated { id, .. }
            | Event::KpiUpdated { id, .. }
            | Event::KpiArchived { id }
            | Event::KpiUnarchived { id, .. }
            | Event::MeasurementRetracted { kpi: id, .. }
            | Event::TargetSet { kpi: id, .. }
            | Event::TargetDeleted { kpi: id, .. } => {
                self.kpis.insert(id.clone());
            }
            Event::AlertOpened { .. }
            | Event::AlertClosed { .. }
            | Event::AlertAcknowledged { .. }
            | Event::ActionPlanSet { .. }
            | Event::ActionPlanCompleted { .. }
            | Event::ActionPlanOverdue { .. } => {}
        }
    }

    /// What an objective is aligned to. Whose sums it is in, they know themselves.
    fn mark_above(&mut self, fields: &ObjectiveFields) {
        if let Some(alignment) = &fields.aligned_to {
            self.objectives.insert(alignment.objective().clone());
        }
    }

    fn mark_objective(&mut self, id: &Id, workspace: &Workspace) {
        if let Some(objective) = workspace.objectives().get(id) {
            self.mark_above(&objective.fields);
        }
        self.key_results.extend(
            workspace
                .all_key_results_of(id)
                .map(|(key_result, _)| key_result.clone()),
        );
        self.objectives.insert(id.clone());
    }

    fn mark_deletion(&mut self, name: &ResourceName, workspace: &Workspace) {
        match name {
            ResourceName::Objective(id) => self.mark_objective(id, workspace),
            ResourceName::KeyResult(id) => {
                self.key_results.insert(id.clone());
                self.objectives.insert(id.objective.clone());
            }
            ResourceName::Kpi(id) => {
                self.kpis.insert(id.clone());
            }
            // The teams below are deleted with it.
            ResourceName::Team(_) => self.everything = true,
            ResourceName::Workspace
            | ResourceName::Member(_)
            | ResourceName::Initiative(_)
            | ResourceName::ScoringPolicy
            | ResourceName::Cycle(_)
            | ResourceName::Review(..)
            | ResourceName::CheckIn(..)
            | ResourceName::Target(..)
            | ResourceName::Alert(..) => {}
        }
    }
}
