//! Cycles: time boxes that may nest. Their state changes by command only.

use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{Authorship, Etag, Event, Id, Rejection, ResourceName, Title, Workspace, days_between};

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
    check(workspace, id, &after)?;
    let nested = workspace
        .cycles
        .iter()
        .filter(|(_, inner)| inner.fields.parent_cycle.as_ref() == Some(id));
    for (inner, cycle) in nested {
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
        check_inside(id, fields, outer, &workspace.cycle(outer)?.fields)?;
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
