//! Rules about objectives.

use std::collections::{BTreeMap, BTreeSet};

use super::look::Look;
use super::{Finding, FindingCode};
use crate::domain::{Alignment, CloseReason, CycleState, Id, Objective, ObjectiveState, ResourceName};
use crate::projection::Foundation;

/// "More than 3 objectives of a team in a cycle". What is canceled or was carried over does not count; the company itself
/// counts like a team.
pub(super) fn too_many(look: &Look<'_>, found: &mut Vec<Finding>) {
    let most = look.limits().objectives_of_team_max;
    for (cycle_id, cycle) in look.cycles() {
        let mut counts: BTreeMap<Option<&Id>, u32> = BTreeMap::new();
        let standing = look
            .workspace
            .objectives_of_cycle(cycle_id)
            .filter_map(|id| look.workspace.objective(id).ok());
        for objective in standing.filter(|objective| is_planned(objective)) {
            *counts.entry(objective.fields.team.as_ref()).or_default() += 1;
        }
        let over = counts.into_iter().filter(|(_, count)| *count > most);
        for (team, count) in over.filter(|(team, _)| look.takes(*team)) {
            let (resource, owner) = match team {
                Some(team) => (ResourceName::Team(team.clone()), look.team_title(team)),
                None => (ResourceName::Cycle((*cycle_id).clone()), "The company".to_owned()),
            };
            let cycle = cycle.fields.title.as_str();
            found.push(Finding {
                code: FindingCode::TooManyObjectives,
                resource,
                sentence: format!(
                    "{owner} has {count} objectives in the cycle \"{cycle}\", more than {most}."
                ),
            });
        }
    }
}

/// "objective without owner".
pub(super) fn without_owner(look: &Look<'_>, found: &mut Vec<Finding>) {
    let alone = look
        .objectives()
        .iter()
        .filter(|(_, it)| it.fields.owner.is_none());
    found.extend(alone.map(|(id, objective)| {
        let title = objective.fields.title.as_str();
        finding(
            FindingCode::ObjectiveWithoutOwner,
            id,
            format!("The objective \"{title}\" has no owner."),
        )
    }));
}

/// "not 3 to 5 key results", "without key results".
pub(super) fn key_result_count(look: &Look<'_>, found: &mut Vec<Finding>) {
    let limits = look.limits();
    let (least, most) = (limits.key_results_min as usize, limits.key_results_max as usize);
    for (id, objective) in look.objectives() {
        let title = objective.fields.title.as_str();
        let said = match look.workspace.key_results_of(id).count() {
            0 => Some((
                FindingCode::ObjectiveWithoutKeyResults,
                format!("The objective \"{title}\" has no key results."),
            )),
            count if count < least => Some((
                FindingCode::TooFewKeyResults,
                format!("The objective \"{title}\" has {count} of at least {least} key results."),
            )),
            count if count > most => Some((
                FindingCode::TooManyKeyResults,
                format!("The objective \"{title}\" has {count} key results, more than {most}."),
            )),
            _ => None,
        };
        found.extend(said.map(|(code, sentence)| finding(code, id, sentence)));
    }
}

/// "without alignment though its team has a parent".
pub(super) fn without_alignment(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, objective) in look.objectives() {
        let team = objective
            .fields
            .team
            .as_ref()
            .and_then(|team| look.workspace.team(team).ok());
        let above = team
            .and_then(|team| team.fields.parent_team.as_ref())
            .filter(|_| objective.fields.aligned_to.is_none());
        let above = above.and_then(|above| look.workspace.team(above).ok());
        found.extend(above.map(|above| {
            let (title, above) = (objective.fields.title.as_str(), above.fields.title.as_str());
            let sentence = format!(
                "The objective \"{title}\" is aligned to nothing, though its team lies below \"{above}\"."
            );
            finding(FindingCode::ObjectiveWithoutAlignment, id, sentence)
        }));
    }
}

/// "that serves and measures no KPI". A deleted KPI is none.
pub(super) fn without_kpi(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, objective) in look.objectives() {
        let mut measured = look
            .workspace
            .key_results_of(id)
            .filter_map(|(_, key_result)| key_result.fields.kpi.as_ref());
        let stands = |kpi: &Id| look.workspace.kpi(kpi).is_ok();
        if !objective.fields.serves.iter().any(stands) && !measured.any(stands) {
            let title = objective.fields.title.as_str();
            let sentence = format!("The objective \"{title}\" serves no KPI and measures none.");
            found.push(finding(FindingCode::ObjectiveWithoutKpi, id, sentence));
        }
    }
}

/// "aligned under a closed cycle", and under what is deleted or canceled. The worst is said, not all.
pub(super) fn aligned_under_what_is_over(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, objective) in look.objectives() {
        let Some(alignment) = &objective.fields.aligned_to else {
            continue;
        };
        let title = objective.fields.title.as_str();
        let above = alignment.name();
        found.extend(what_is_over(look, alignment).map(|(code, why)| {
            let sentence = format!("The objective \"{title}\" is aligned to {above}, which {why}.");
            finding(code, id, sentence)
        }));
    }
}

fn what_is_over(look: &Look<'_>, alignment: &Alignment) -> Option<(FindingCode, &'static str)> {
    let Ok(above) = look.workspace.objective(alignment.objective()) else {
        return Some((FindingCode::AlignedUnderDeleted, "is deleted"));
    };
    if let Alignment::KeyResult(key_result) = alignment
        && look.workspace.key_result(key_result).is_err()
    {
        return Some((FindingCode::AlignedUnderDeleted, "is deleted"));
    }
    if above.state == ObjectiveState::Canceled {
        return Some((FindingCode::AlignedUnderCanceled, "is canceled"));
    }
    let cycle = look.workspace.cycle(&above.fields.cycle).ok()?;
    (cycle.state == CycleState::Closed)
        .then_some((FindingCode::AlignedUnderClosedCycle, "lies in a closed cycle"))
}

/// "an objective whose starting alert recovered", or was a mistake.
pub(super) fn starting_alert_recovered(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, objective) in look.objectives() {
        let Some((kpi, alert)) = objective.started_from.as_ref().and_then(|from| {
            let kpi = look.workspace.kpis().get(&from.kpi)?;
            Some((kpi, kpi.alerts.get(from.alert.as_ref()?)?))
        }) else {
            continue;
        };
        let since = match alert.closed.map(|closing| closing.reason) {
            Some(CloseReason::Recovered) => "has recovered",
            Some(CloseReason::Corrected) => "was put right",
            Some(CloseReason::TargetChanged | CloseReason::Archived) | None => continue,
        };
        let (title, of) = (objective.fields.title.as_str(), kpi.fields.title.as_str());
        let sentence = format!(
            "The objective \"{title}\" was started from an alert of the KPI \"{of}\", which {since} since."
        );
        found.push(finding(FindingCode::StartingAlertRecovered, id, sentence));
    }
}

/// "WEAK foundation", of an objective and of each team that has an open one.
pub(super) fn weak_foundation(look: &Look<'_>, found: &mut Vec<Finding>) {
    let teams: BTreeSet<&Id> = look
        .objectives()
        .iter()
        .filter_map(|(_, objective)| objective.fields.team.as_ref())
        .filter(|team| look.workspace.team(team).is_ok())
        .collect();
    for team in teams {
        if look.figures.team_foundation(team) == Foundation::Weak {
            found.push(Finding {
                code: FindingCode::WeakFoundation,
                resource: ResourceName::Team(team.clone()),
                sentence: format!(
                    "{} has objectives while most of its KPIs are breached.",
                    look.team_title(team)
                ),
            });
        }
    }
    for (id, objective) in look.objectives() {
        if look.figures.objective_foundation(id) == Foundation::Weak {
            let title = objective.fields.title.as_str();
            let sentence = format!("Most KPIs that the objective \"{title}\" rests on are breached.");
            found.push(finding(FindingCode::WeakFoundation, id, sentence));
        }
    }
}

/// Whether an objective belongs to what was planned for its cycle.
fn is_planned(objective: &Objective) -> bool {
    objective.state == ObjectiveState::Draft || objective.counts()
}

fn finding(code: FindingCode, id: &Id, sentence: String) -> Finding {
    Finding {
        code,
        resource: ResourceName::Objective(id.clone()),
        sentence,
    }
}
