//! What a report looks at: the cycles, objectives and KPIs that are neither over nor outside of what was asked for.
//!
//! Invariant: nothing deleted, and no archived KPI, is handed to a rule. An objective is *open* while it is DRAFT or ACTIVE: what is closed or
//! canceled can no longer be mended.

use std::collections::BTreeSet;

use super::HygieneScope;
use crate::domain::{
    Cycle, CycleState, HygieneLimits, Id, KeyResult, KeyResultId, Kpi, Objective, ObjectiveState, Preset,
    Rejection, Workspace,
};
use crate::projection::Figures;

/// What a report looks at.
pub(super) struct Look<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) figures: &'w Figures,
    cycles: Vec<(&'w Id, &'w Cycle)>,
    objectives: Vec<(&'w Id, &'w Objective)>,
    kpis: Vec<(&'w Id, &'w Kpi)>,
    /// Whose things alone; none: everybody's.
    teams: Option<BTreeSet<Id>>,
    /// Whether the workspace is looked at as a whole.
    whole: bool,
    served: BTreeSet<&'w Id>,
    measured: BTreeSet<&'w Id>,
}

impl<'w> Look<'w> {
    /// Chooses what to look at.
    ///
    /// # Errors
    /// There is no such team or cycle, or the team is deleted.
    pub(super) fn new(
        workspace: &'w Workspace,
        figures: &'w Figures,
        scope: &HygieneScope,
    ) -> Result<Self, Rejection> {
        let teams = match &scope.team {
            Some(team) => {
                workspace.team(team)?;
                Some(workspace.team_and_below(team).into_iter().collect())
            }
            None => None,
        };
        let named = match &scope.cycle {
            Some(cycle) => {
                workspace.cycle(cycle)?;
                Some(cycle)
            }
            None => None,
        };
        let mut look = Self {
            workspace,
            figures,
            cycles: Vec::new(),
            objectives: Vec::new(),
            kpis: Vec::new(),
            teams,
            whole: scope.cycle.is_none() && scope.team.is_none(),
            served: BTreeSet::new(),
            measured: BTreeSet::new(),
        };
        // KPIs alone need neither cycles nor objectives.
        if workspace.preset() != Preset::KpiOnly {
            look.choose_objectives(named);
        }
        if named.is_none() {
            look.choose_kpis();
        }
        Ok(look)
    }

    fn choose_objectives(&mut self, named: Option<&Id>) {
        let workspace = self.workspace;
        let cycles = workspace.cycles().iter().filter(|(id, cycle)| match named {
            Some(named) => *id == named,
            None => cycle.state != CycleState::Closed,
        });
        self.cycles = cycles.map(|(id, cycle)| (id, cycle.as_ref())).collect();
        let objectives: Vec<_> = self
            .cycles
            .iter()
            .flat_map(|(cycle, _)| workspace.objectives_of_cycle(cycle))
            .filter_map(|id| Some((id, workspace.objective(id).ok()?)))
            .filter(|(_, objective)| is_open(objective) && self.takes(objective.fields.team.as_ref()))
            .collect();
        self.objectives = objectives;
    }

    fn choose_kpis(&mut self) {
        let workspace = self.workspace;
        let in_use = |kpi: &Kpi| kpi.deleted.is_none() && kpi.archived.is_none();
        let standing = || workspace.kpis().iter().filter(move |(_, kpi)| in_use(kpi));
        // What has a successor is history.
        let replaced: BTreeSet<&Id> = standing()
            .filter_map(|(_, kpi)| kpi.fields.replaces.as_ref())
            .collect();
        let kpis = standing()
            .filter(|(id, kpi)| !replaced.contains(id) && self.takes(kpi.fields.team.as_ref()))
            .map(|(id, kpi)| (id, kpi.as_ref()))
            .collect();
        self.kpis = kpis;
        let at_work = workspace.objectives().iter().filter(|(_, objective)| {
            let cycle = workspace.cycle(&objective.fields.cycle);
            objective.deleted.is_none()
                && is_open(objective)
                && cycle.is_ok_and(|cycle| cycle.state != CycleState::Closed)
        });
        for (id, objective) in at_work {
            self.served.extend(&objective.fields.serves);
            let linked = workspace.key_results_of(id);
            self.measured
                .extend(linked.filter_map(|(_, key_result)| key_result.fields.kpi.as_ref()));
        }
    }

    /// Where the policy begins to find fault.
    pub(super) fn limits(&self) -> &'w HygieneLimits {
        &self.workspace.policy().hygiene
    }

    /// Whether what a team owns (none: the company) was asked for.
    pub(super) fn takes(&self, team: Option<&Id>) -> bool {
        match (&self.teams, team) {
            (None, _) => true,
            (Some(teams), Some(team)) => teams.contains(team),
            (Some(_), None) => false,
        }
    }

    /// A team as a sentence begins with it.
    pub(super) fn team_title(&self, team: &Id) -> String {
        match self.workspace.teams().get(team) {
            Some(found) => format!("The team \"{}\"", found.fields.title.as_str()),
            None => format!("teams/{team}"),
        }
    }

    /// Whether everything in the workspace was asked for, so that something can be said of it as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The cycles, by id: every one that is not CLOSED, or the one that was asked for.
    pub(super) fn cycles(&self) -> &[(&'w Id, &'w Cycle)] {
        &self.cycles
    }

    /// The cycles where they are looked at for themselves: no team owns one.
    pub(super) fn own_cycles(&self) -> &[(&'w Id, &'w Cycle)] {
        match self.teams {
            None => &self.cycles,
            Some(_) => &[],
        }
    }

    /// The open objectives, by cycle and id.
    pub(super) fn objectives(&self) -> &[(&'w Id, &'w Objective)] {
        &self.objectives
    }

    /// The key results of the open objectives, each with its objective.
    pub(super) fn key_results(
        &self,
    ) -> impl Iterator<Item = (&'w Objective, &'w KeyResultId, &'w KeyResult)> {
        self.objectives.iter().flat_map(|(id, objective)| {
            let key_results = self.workspace.key_results_of(id);
            key_results.map(|(id, key_result)| (*objective, id, key_result.as_ref()))
        })
    }

    /// The KPIs that no other replaces, by id; none where a cycle was asked for.
    pub(super) fn kpis(&self) -> &[(&'w Id, &'w Kpi)] {
        &self.kpis
    }

    /// Whether a key result of an open objective, of whatever team, takes its values from a KPI.
    pub(super) fn is_measured(&self, kpi: &Id) -> bool {
        self.measured.contains(kpi)
    }

    /// Whether an open objective, of whatever team, serves a KPI or measures it.
    pub(super) fn is_worked_on(&self, kpi: &Id) -> bool {
        self.served.contains(kpi) || self.is_measured(kpi)
    }
}

/// Whether an objective can still be mended.
fn is_open(objective: &Objective) -> bool {
    match objective.state {
        ObjectiveState::Draft | ObjectiveState::Active => true,
        ObjectiveState::Closed | ObjectiveState::Canceled => false,
    }
}
