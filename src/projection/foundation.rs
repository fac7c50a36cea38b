//! The foundation of an objective or a team: "`SOLID | WEAK | UNKNOWN` from the health of the KPIs it serves and the team's
//! own: OKRs on poor KPIs are unlikely to be reached".
//!
//! A team rests on its own KPIs. An objective rests on the KPIs that it serves and on those of its team, but not on those
//! that its key results measure: a KPI in trouble is where an objective starts, so what it is there to mend does not speak
//! against it. A KPI counts once it is judged (HEALTHY, WATCH or BREACHED).
//!
//! Invariant: a function of the workspace and its KPIs' health, whatever the way to it. Each team's judged KPIs are kept
//! counted, so that a KPI that turns costs the same in a team of ten and of a thousand.

use std::collections::BTreeSet;

use imbl::OrdMap;

use super::dirty::Dirty;
use super::figures::{DerivedChange, differences};
use crate::domain::{Health, Id, Kpi, Workspace};

/// What an objective or a team rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foundation {
    /// Fewer than half of the judged KPIs are BREACHED.
    Solid,
    /// At least half of them are.
    Weak,
    /// There is no judged KPI.
    #[default]
    Unknown,
}

/// What everything rests on. What is UNKNOWN is not in its map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Foundations {
    kpis: OrdMap<Id, Judged>,
    counts: OrdMap<Id, Count>,
    teams: OrdMap<Id, Foundation>,
    objectives: OrdMap<Id, Foundation>,
}

/// A KPI that is judged.
#[derive(Clone, Debug, PartialEq)]
struct Judged {
    team: Option<Id>,
    is_breached: bool,
}

/// How many KPIs are judged, and how many of them are BREACHED.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    judged: usize,
    breached: usize,
}

impl Foundations {
    pub(super) fn objective(&self, id: &Id) -> Foundation {
        self.objectives.get(id).copied().unwrap_or_default()
    }

    pub(super) fn team(&self, id: &Id) -> Foundation {
        self.teams.get(id).copied().unwrap_or_default()
    }

    /// Puts how a KPI is judged now in the place of how it was, and marks what rests on it.
    pub(super) fn put(&mut self, workspace: &Workspace, id: &Id, health: Option<Health>, dirty: &mut Dirty) {
        let now = workspace
            .kpi(id)
            .ok()
            .zip(health)
            .and_then(|(kpi, health)| judged(kpi, health));
        if self.kpis.get(id) == now.as_ref() {
            return;
        }
        let before = match &now {
            Some(judged) => self.kpis.insert(id.clone(), judged.clone()),
            None => self.kpis.remove(id),
        };
        dirty.objectives.extend(workspace.objectives_serving(id).cloned());
        for (judged, change) in [
            (before, Count::remove as fn(&mut Count, &Judged)),
            (now, Count::add),
        ] {
            let Some(judged) = judged else { continue };
            let Some(team) = &judged.team else { continue };
            change(self.counts.entry(team.clone()).or_default(), &judged);
            if self.counts.get(team) == Some(&Count::default()) {
                self.counts.remove(team);
            }
            dirty.foundations.insert(team.clone());
            let cycles = workspace.cycles().keys();
            let objectives = cycles.flat_map(|cycle| workspace.objectives_of_team(team, cycle));
            dirty.objectives.extend(objectives.cloned());
        }
    }

    /// Judges anew what a team rests on.
    pub(super) fn judge_team(&mut self, workspace: &Workspace, id: &Id) {
        let count = workspace.team(id).ok().and_then(|_| self.counts.get(id));
        let foundation = count.copied().unwrap_or_default().foundation();
        set(&mut self.teams, id, foundation);
    }

    /// Judges anew what an objective rests on.
    pub(super) fn judge_objective(&mut self, workspace: &Workspace, id: &Id) {
        let foundation = self.count_of(workspace, id).foundation();
        set(&mut self.objectives, id, foundation);
    }

    /// Of the KPIs that an objective rests on; none where there is no such objective.
    fn count_of(&self, workspace: &Workspace, id: &Id) -> Count {
        let Ok(objective) = workspace.objective(id) else {
            return Count::default();
        };
        let team = objective.fields.team.as_ref();
        let of_team = |kpi: &Judged| team.is_some() && kpi.team.as_ref() == team;
        let mut count = team
            .and_then(|team| self.counts.get(team))
            .copied()
            .unwrap_or_default();
        let served: BTreeSet<&Id> = objective.fields.serves.iter().collect();
        let mended: BTreeSet<&Id> = workspace
            .key_results_of(id)
            .filter_map(|(_, key_result)| key_result.fields.kpi.as_ref())
            .collect();
        for kpi in served.difference(&mended).filter_map(|kpi| self.kpis.get(*kpi)) {
            if !of_team(kpi) {
                count.add(kpi);
            }
        }
        for kpi in mended.into_iter().filter_map(|kpi| self.kpis.get(kpi)) {
            if of_team(kpi) {
                count.remove(kpi);
            }
        }
        count
    }

    /// What rests on something else in another state, each with before (here) and after (there).
    pub(super) fn changes_to(&self, after: &Self) -> impl Iterator<Item = DerivedChange> {
        let objectives =
            differences(&self.objectives, &after.objectives)
                .into_iter()
                .map(|(id, before, after)| DerivedChange::ObjectiveFoundation {
                    id,
                    before: before.unwrap_or_default(),
                    after: after.unwrap_or_default(),
                });
        let teams = differences(&self.teams, &after.teams)
            .into_iter()
            .map(|(id, before, after)| DerivedChange::TeamFoundation {
                id,
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            });
        objectives.chain(teams)
    }
}

/// How a KPI counts; none: it does not.
fn judged(kpi: &Kpi, health: Health) -> Option<Judged> {
    let is_breached = match health {
        Health::Breached => true,
        Health::Healthy | Health::Watch => false,
        Health::NoData | Health::NoTarget => return None,
    };
    kpi.archived.is_none().then(|| Judged {
        team: kpi.fields.team.clone(),
        is_breached,
    })
}

fn set(map: &mut OrdMap<Id, Foundation>, id: &Id, foundation: Foundation) {
    match foundation {
        Foundation::Unknown => {
            map.remove(id);
        }
        known if map.get(id) != Some(&known) => {
            map.insert(id.clone(), known);
        }
        Foundation::Solid | Foundation::Weak => {}
    }
}

impl Count {
    fn add(&mut self, kpi: &Judged) {
        self.judged += 1;
        self.breached += usize::from(kpi.is_breached);
    }

    fn remove(&mut self, kpi: &Judged) {
        self.judged = self.judged.saturating_sub(1);
        self.breached = self.breached.saturating_sub(usize::from(kpi.is_breached));
    }

    fn foundation(self) -> Foundation {
        match self.judged {
            0 => Foundation::Unknown,
            _ if self.breached * 2 >= self.judged => Foundation::Weak,
            _ => Foundation::Solid,
        }
    }
}
