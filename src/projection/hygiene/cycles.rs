//! Rules about cycles. No team owns a cycle, so a report about a team says nothing of them.

use super::look::Look;
use super::{Finding, FindingCode};
use crate::domain::{CycleState, Id, Objective, ResourceName, TOLERANCE};

/// "no review scheduled or held": of a cycle that is ACTIVE or in REVIEW, without a review of anybody.
pub(super) fn review(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, cycle) in look.own_cycles() {
        let runs = matches!(cycle.state, CycleState::Active | CycleState::Review);
        if !runs || look.workspace.reviews_of(id).next().is_some() {
            continue;
        }
        let title = cycle.fields.title.as_str();
        let said = match cycle.fields.review_date {
            None => Some((
                FindingCode::ReviewNotScheduled,
                format!("The cycle \"{title}\" has no review date, and no review was held."),
            )),
            Some(date) if look.workspace.today() > date => Some((
                FindingCode::ReviewNotHeld,
                format!(
                    "The review of the cycle \"{title}\" was to be held on {date}, and none is recorded."
                ),
            )),
            Some(_) => None,
        };
        found.extend(said.map(|(code, sentence)| finding(code, id, sentence)));
    }
}

/// "all scores 1.0": every objective that counts and has a score, live or frozen.
pub(super) fn perfect(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, cycle) in look.own_cycles() {
        let counting = |objective: &&Id| look.workspace.objective(objective).is_ok_and(Objective::counts);
        let scores: Vec<f64> = look
            .workspace
            .objectives_of_cycle(id)
            .filter(counting)
            .filter_map(|objective| look.figures.objective(objective)?.score)
            .collect();
        if !scores.is_empty() && scores.iter().all(|score| *score >= 1.0 - TOLERANCE) {
            let title = cycle.fields.title.as_str();
            let sentence = format!("Every objective with a score in the cycle \"{title}\" is at 1.0.");
            found.push(finding(FindingCode::AllScoresPerfect, id, sentence));
        }
    }
}

fn finding(code: FindingCode, id: &Id, sentence: String) -> Finding {
    Finding {
        code,
        resource: ResourceName::Cycle(id.clone()),
        sentence,
    }
}
