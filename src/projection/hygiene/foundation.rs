//! The foundation of an objective or a team: "`SOLID | WEAK | UNKNOWN` from the health of the KPIs it serves and the team's
//! own: OKRs on poor KPIs are unlikely to be reached".
//!
//! A team rests on its own KPIs. An objective rests on the KPIs that it serves and on those of its team, but not on those
//! that its key results measure: a KPI in trouble is where an objective starts, so what it is there to mend does not speak
//! against it. A KPI counts once it is judged (HEALTHY, WATCH or BREACHED).

use std::collections::BTreeSet;

use crate::domain::{Health, Id, Workspace};
use crate::projection::Figures;

/// What an objective or a team rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foundation {
    /// Fewer than half of the judged KPIs are BREACHED.
    Solid,
    /// At least half of them are.
    Weak,
    /// There is no judged KPI.
    Unknown,
}

/// What an objective rests on; UNKNOWN where there is no such objective.
#[must_use]
pub fn objective_foundation(workspace: &Workspace, figures: &Figures, id: &Id) -> Foundation {
    let Ok(objective) = workspace.objective(id) else {
        return Foundation::Unknown;
    };
    let mut rests_on: BTreeSet<&Id> = objective.fields.serves.iter().collect();
    if let Some(team) = &objective.fields.team {
        rests_on.extend(workspace.kpis_of_team(team));
    }
    if rests_on.is_empty() {
        return Foundation::Unknown;
    }
    for (_, key_result) in workspace.key_results_of(id) {
        if let Some(mended) = &key_result.fields.kpi {
            rests_on.remove(mended);
        }
    }
    judged(workspace, figures, rests_on.into_iter())
}

/// What a team rests on.
#[must_use]
pub fn team_foundation(workspace: &Workspace, figures: &Figures, team: &Id) -> Foundation {
    judged(workspace, figures, workspace.kpis_of_team(team))
}

fn judged<'a>(workspace: &Workspace, figures: &Figures, kpis: impl Iterator<Item = &'a Id>) -> Foundation {
    let (mut judged, mut breached) = (0_usize, 0_usize);
    let in_use = |kpi: &&Id| workspace.kpi(kpi).is_ok_and(|kpi| kpi.archived.is_none());
    for kpi in kpis.filter(in_use) {
        match figures.kpi(kpi).map(|figure| figure.health) {
            Some(Health::Breached) => {
                judged += 1;
                breached += 1;
            }
            Some(Health::Healthy | Health::Watch) => judged += 1,
            Some(Health::NoData | Health::NoTarget) | None => {}
        }
    }
    match judged {
        0 => Foundation::Unknown,
        _ if breached * 2 >= judged => Foundation::Weak,
        _ => Foundation::Solid,
    }
}
