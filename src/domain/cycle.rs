//! Cycles: time boxes that may nest. Their state changes by command only.

use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, Closing, Etag, Event, Graded, Id, ObjectiveState, Rejection, ResourceName, Stamp, Title,
    Workspace, closing, days_between,
};

authored! {
    /// A cycle's own fields.
    pub struct CycleFields,
    /// A change of a cycle's fields.
    CyclePatch {
        /// What people call it.
        pub title: Title,
        /// First local day.
        pub first_date: Date,
        /// Last local day, inclusive.
        pub last_date: Date,
        /// When the review is to be held.
        pub review_date: Option<Date>,
        /// The cycle it lies in.
        pub parent_cycle: Option<Id>,
    }
}

/// A cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// Its own fields.
    pub fields: CycleFields,
    /// Where it stands.
    pub state: CycleState,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// Where a cycle stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CycleState {
    /// Being prepared.
    Planned,
    /// Being worked in.
    Active,
    /// Being reviewed.
    Review,
    /// Graded.
    Closed,
}

/// The longest cycle, in days: ten years.
const DAYS_MAX: i32 = 3653;

pub(super) fn create(workspace: &Workspace, id: &Id, fields: &CycleFields) -> Result<Vec<Event>, Rejection> {
    if workspace.cycles.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Cycle(id.clone())));
    }
    check(workspace, id, fields)?;
    Ok(vec![Event::CycleCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
}

pub(super) fn update(
    workspace: &Workspace,
    id: &Id,
    patch: &CyclePatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let cycle = workspace.cycle(id)?;
    cycle.authorship.check(etag, || ResourceName::Cycle(id.clone()))?;
    let after = patch.applied_to(&cycle.fields);
    if after == cycle.fields {
        return Ok(Vec::new());
    }
    if cycle.state == CycleState::Closed {
        return Err(Rejection::CycleClosed(id.clone()));
    }
    check(workspace, id, &after)?;
    for (inner, cycle) in workspace.cycles_in(id) {
        check_inside(inner, &cycle.fields, id, &after)?;
    }
    Ok(vec![Event::CycleUpdated {
        id: id.clone(),
        before: Box::new(cycle.fields.clone()),
        after: Box::new(after),
    }])
}

pub(super) fn activate(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let cycle = workspace.cycle(id)?;
    cycle.authorship.check(etag, || ResourceName::Cycle(id.clone()))?;
    match cycle.state {
        CycleState::Planned => Ok(vec![Event::CycleActivated {
            id: id.clone(),
            before: cycle.state,
        }]),
        CycleState::Active | CycleState::Review | CycleState::Closed => {
            Err(Rejection::CycleNotPlanned(id.clone()))
        }
    }
}

pub(super) fn begin_review(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let cycle = workspace.cycle(id)?;
    cycle.authorship.check(etag, || ResourceName::Cycle(id.clone()))?;
    match cycle.state {
        CycleState::Active => Ok(vec![Event::CycleReviewBegun {
            id: id.clone(),
            before: cycle.state,
        }]),
        CycleState::Planned | CycleState::Review | CycleState::Closed => {
            Err(Rejection::CycleNotActive(id.clone()))
        }
    }
}

/// Grades everything that is still open in a cycle, and closes it: one command, one commit.
pub(super) fn close(
    workspace: &Workspace,
    id: &Id,
    closings: &[(Id, Closing)],
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let graded = grade(workspace, id, closings, etag)?;
    let unexplained: Vec<Id> = graded
        .iter()
        .filter(|graded| graded.result.lacks_explanation())
        .map(|graded| graded.objective.clone())
        .collect();
    if !unexplained.is_empty() {
        return Err(Rejection::ExplanationMissing(unexplained));
    }
    let closed = Event::CycleClosed {
        id: id.clone(),
        before: CycleState::Review,
    };
    let objectives = graded.into_iter().map(|graded| Event::ObjectiveClosed {
        id: graded.objective,
        before: ObjectiveState::Active,
        result: Box::new(graded.result),
    });
    Ok(objectives.chain([closed]).collect())
}

/// What closing a cycle would grade, by id, whether or not something is still to be explained.
///
/// # Errors
/// The cycle cannot be closed, or a closing is about something that is not open in it: each by its index.
pub fn grade(
    workspace: &Workspace,
    id: &Id,
    closings: &[(Id, Closing)],
    etag: Etag,
) -> Result<Vec<Graded>, Rejection> {
    // A dry run comes here without being decided.
    if workspace.deleted().is_some() {
        return Err(Rejection::Deleted(ResourceName::Workspace));
    }
    let cycle = workspace.cycle(id)?;
    cycle.authorship.check(etag, || ResourceName::Cycle(id.clone()))?;
    if cycle.state != CycleState::Review {
        return Err(Rejection::CycleNotInReview(id.clone()));
    }
    let open_inside = workspace
        .cycles_in(id)
        .find(|(_, inner)| inner.state != CycleState::Closed);
    if let Some((nested, _)) = open_inside {
        return Err(Rejection::NestedCycleOpen {
            cycle: id.clone(),
            nested: nested.clone(),
        });
    }
    check_closings(workspace, id, closings)?;
    let said = |objective: &Id| {
        closings
            .iter()
            .find(|(of, _)| of == objective)
            .map(|(_, said)| said)
    };
    let silent = Closing::silent();
    let open = workspace.objectives_of_cycle(id).filter_map(|objective_id| {
        let objective = workspace.objective(objective_id).ok()?;
        (objective.state == ObjectiveState::Active).then_some((objective_id, objective))
    });
    Ok(open
        .map(|(objective_id, objective)| Graded {
            objective: objective_id.clone(),
            result: closing::result(
                workspace,
                objective_id,
                objective,
                said(objective_id).unwrap_or(&silent),
                true,
            ),
        })
        .collect())
}

fn check_closings(workspace: &Workspace, id: &Id, closings: &[(Id, Closing)]) -> Result<(), Rejection> {
    let check = |index: usize, objective_id: &Id, said: &Closing| {
        let objective = workspace.objective(objective_id)?;
        if objective.fields.cycle != *id {
            return Err(Rejection::ObjectiveNotInCycle {
                objective: objective_id.clone(),
                cycle: id.clone(),
            });
        }
        if objective.state != ObjectiveState::Active {
            return Err(Rejection::ObjectiveNotActive(objective_id.clone()));
        }
        if let Some(first) = closings[..index]
            .iter()
            .position(|(other, _)| other == objective_id)
        {
            let sentence =
                format!("the same objective stands at index {first}: say everything about it once");
            return Err(Rejection::invalid("objective", sentence));
        }
        closing::check(objective_id, said)
    };
    let refused: Vec<(usize, Rejection)> = closings
        .iter()
        .enumerate()
        .filter_map(|(index, (objective, said))| Some((index, check(index, objective, said).err()?)))
        .collect();
    Rejection::unless_empty("objectives", refused)
}

/// CLOSED becomes REVIEW again, and exactly what that closing graded becomes ACTIVE.
pub(super) fn reopen(
    workspace: &Workspace,
    id: &Id,
    etag: Etag,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let cycle = workspace.cycle(id)?;
    cycle.authorship.check(etag, || ResourceName::Cycle(id.clone()))?;
    if cycle.state != CycleState::Closed {
        return Err(Rejection::CycleNotClosed(id.clone()));
    }
    if stamp.reason.is_empty() {
        return Err(Rejection::ReopeningReasonMissing(ResourceName::Cycle(id.clone())));
    }
    if let Some(parent) = &cycle.fields.parent_cycle
        && workspace.cycle(parent)?.state == CycleState::Closed
    {
        return Err(Rejection::CycleClosed(parent.clone()));
    }
    let reopened = Event::CycleReopened {
        id: id.clone(),
        before: cycle.state,
    };
    let objectives = workspace.objectives_of_cycle(id).filter_map(|objective_id| {
        let objective = workspace.objectives.get(objective_id)?;
        let by_that_closing = objective
            .closed
            .as_ref()
            .is_some_and(|closed| closed.result.with_cycle);
        by_that_closing.then(|| closing::reopened(objective_id, objective))
    });
    Ok(std::iter::once(reopened).chain(objectives).collect())
}

fn check(workspace: &Workspace, id: &Id, fields: &CycleFields) -> Result<(), Rejection> {
    let days = days_between(fields.first_date, fields.last_date);
    if days < 0 {
        return Err(Rejection::invalid(
            "cycle.last_date",
            "it is before first_date: swap them",
        ));
    }
    if days >= DAYS_MAX {
        return Err(Rejection::invalid(
            "cycle.last_date",
            "it is more than ten years after first_date: nest cycles",
        ));
    }
    if fields.review_date.is_some_and(|date| date < fields.first_date) {
        return Err(Rejection::invalid(
            "cycle.review_date",
            "it is before first_date: review a cycle when it has begun",
        ));
    }
    let mut above = fields.parent_cycle.as_ref();
    if let Some(outer) = above {
        let parent = workspace.cycle(outer)?;
        check_inside(id, fields, outer, &parent.fields)?;
        if parent.state == CycleState::Closed && outer != id {
            return Err(Rejection::CycleClosed(outer.clone()));
        }
    }
    while let Some(cycle) = above {
        if cycle == id {
            return Err(Rejection::CycleBelowItself(id.clone()));
        }
        above = workspace.cycle(cycle)?.fields.parent_cycle.as_ref();
    }
    Ok(())
}

fn check_inside(
    inner: &Id,
    fields: &CycleFields,
    outer: &Id,
    outer_fields: &CycleFields,
) -> Result<(), Rejection> {
    // A cycle below itself has a clearer refusal than days that stick out.
    if inner != outer
        && (fields.first_date < outer_fields.first_date || fields.last_date > outer_fields.last_date)
    {
        return Err(Rejection::CycleOutsideParent {
            inner: inner.clone(),
            outer: outer.clone(),
        });
    }
    Ok(())
}
