//! Objectives: where to go, aligned to what they help to reach.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, ClosedObjective, CycleState, Deletion, Etag, Event, Id, KeyResultId, Labels, Rejection,
    ResourceName, StartedFrom, Text, Title, Weight, Workspace,
};

authored! {
    /// An objective's own fields.
    pub struct ObjectiveFields,
    /// A change of an objective's fields.
    ObjectivePatch {
        /// What people call it.
        pub title: Title,
        /// More about it.
        pub description: Text,
        /// The one member who answers for it; needed to activate.
        pub owner: Option<Id>,
        /// Whose it is; none: the company's.
        pub team: Option<Id>,
        /// Who helps, in order.
        pub contributing_teams: Vec<Id>,
        /// The cycle it lives in.
        pub cycle: Id,
        /// How high it aims.
        pub ambition: Ambition,
        /// What it helps to reach.
        pub aligned_to: Option<Alignment>,
        /// Its weight in the scores above it.
        pub weight: Weight,
        /// Labels.
        pub labels: Labels,
        /// The KPIs it is ultimately good for, in order.
        pub serves: Vec<Id>,
    }
}

/// An objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Its own fields.
    pub fields: ObjectiveFields,
    /// Where it stands.
    pub state: ObjectiveState,
    /// The local date of its activation.
    pub activation_date: Option<Date>,
    /// What it was carried over from.
    pub carried_from: Option<Id>,
    /// The KPI in trouble that it was started from.
    pub started_from: Option<StartedFrom>,
    /// How it was closed; none unless it is CLOSED.
    pub closed: Option<Arc<ClosedObjective>>,
    /// When it was deleted.
    pub deleted: Option<Deletion>,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// How high an objective aims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ambition {
    /// To be reached in full.
    Committed,
    /// A stretch.
    Aspirational,
}

/// Where an objective stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ObjectiveState {
    /// Being written; counts nowhere.
    Draft,
    /// Being worked on.
    Active,
    /// Graded.
    Closed,
    /// Given up.
    Canceled,
}

/// What an objective helps to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// An objective as a whole.
    Objective(Id),
    /// One of its key results.
    KeyResult(KeyResultId),
}

impl Objective {
    /// Whether it counts in the scores above it: ACTIVE, or CLOSED and not postponed. What is deleted, nowhere.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.deleted.is_none()
            && match self.state {
                ObjectiveState::Active => true,
                ObjectiveState::Closed => !self.closed.as_ref().is_some_and(|closed| closed.result.postponed),
                ObjectiveState::Draft | ObjectiveState::Canceled => false,
            }
    }
}

/// How deep alignment may go, in objectives.
pub const ALIGNMENT_DEPTH_MAX: usize = 16;

impl Alignment {
    /// The objective that is helped.
    #[must_use]
    pub fn objective(&self) -> &Id {
        match self {
            Self::Objective(id) => id,
            Self::KeyResult(key_result) => &key_result.objective,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> ResourceName {
        match self {
            Self::Objective(id) => ResourceName::Objective(id.clone()),
            Self::KeyResult(id) => ResourceName::KeyResult(id.clone()),
        }
    }
}

impl Serialize for Alignment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name().serialize(serializer)
    }
}

pub(super) fn create(
    workspace: &Workspace,
    id: &Id,
    fields: &ObjectiveFields,
) -> Result<Vec<Event>, Rejection> {
    Ok(vec![created(workspace, id, fields)?])
}

pub(super) fn created(workspace: &Workspace, id: &Id, fields: &ObjectiveFields) -> Result<Event, Rejection> {
    if workspace.objectives.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Objective(id.clone())));
    }
    check(workspace, id, None, fields)?;
    Ok(Event::ObjectiveCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
        carried_from: None,
        started_from: None,
    })
}

pub(super) fn update(
    workspace: &Workspace,
    id: &Id,
    patch: &ObjectivePatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let objective = workspace.objective(id)?;
    objective
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    let after = patch.applied_to(&objective.fields);
    if after == objective.fields {
        return Ok(Vec::new());
    }
    match objective.state {
        ObjectiveState::Draft => {}
        ObjectiveState::Active if after.cycle != objective.fields.cycle => {
            return Err(Rejection::ObjectiveNotDraft(id.clone()));
        }
        ObjectiveState::Active if after.owner.is_none() => return Err(Rejection::OwnerMissing(id.clone())),
        ObjectiveState::Active => {}
        ObjectiveState::Closed | ObjectiveState::Canceled => {
            return Err(Rejection::ObjectiveOver(id.clone()));
        }
    }
    check(workspace, id, Some(&objective.fields), &after)?;
    Ok(vec![Event::ObjectiveUpdated {
        id: id.clone(),
        before: Box::new(objective.fields.clone()),
        after: Box::new(after),
    }])
}

pub(super) fn activate(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let objective = workspace.objective(id)?;
    objective
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    if objective.state != ObjectiveState::Draft {
        return Err(Rejection::ObjectiveNotDraft(id.clone()));
    }
    match &objective.fields.owner {
        None => return Err(Rejection::OwnerMissing(id.clone())),
        // Who has left answers for nothing any more.
        Some(owner) => workspace.member(owner)?,
    };
    if workspace.cycle(&objective.fields.cycle)?.state != CycleState::Active {
        return Err(Rejection::CycleNotActive(objective.fields.cycle.clone()));
    }
    for (key_result_id, key_result) in workspace.key_results_of(id) {
        if key_result.fields.kind.lacks_baseline() {
            return Err(Rejection::BaselineMissing(key_result_id.clone()));
        }
    }
    Ok(vec![Event::ObjectiveActivated {
        id: id.clone(),
        before: objective.state,
        date: workspace.today(),
    }])
}

/// What a change names anew has to be there; what it leaves as it was may have been deleted since.
fn check(
    workspace: &Workspace,
    id: &Id,
    before: Option<&ObjectiveFields>,
    fields: &ObjectiveFields,
) -> Result<(), Rejection> {
    if workspace.cycle(&fields.cycle)?.state == CycleState::Closed {
        return Err(Rejection::CycleClosed(fields.cycle.clone()));
    }
    if let Some(owner) = &fields.owner
        && before.is_none_or(|before| before.owner.as_ref() != Some(owner))
    {
        workspace.member(owner)?;
    }
    let had_team = |team: &Id| {
        before.is_some_and(|before| {
            before.team.as_ref() == Some(team) || before.contributing_teams.contains(team)
        })
    };
    for team in fields.team.iter().chain(&fields.contributing_teams) {
        if !had_team(team) {
            workspace.team(team)?;
        }
    }
    for kpi in &fields.serves {
        if !before.is_some_and(|before| before.serves.contains(kpi)) {
            workspace.kpi(kpi)?;
        }
    }
    if before.is_some_and(|before| before.aligned_to == fields.aligned_to) {
        return Ok(());
    }
    check_alignment(workspace, id, fields.aligned_to.as_ref())
}

pub(super) fn check_alignment(
    workspace: &Workspace,
    id: &Id,
    aligned_to: Option<&Alignment>,
) -> Result<(), Rejection> {
    let Some(alignment) = aligned_to else {
        return Ok(());
    };
    workspace.objective(alignment.objective())?;
    if let Alignment::KeyResult(key_result) = alignment {
        workspace.key_result(key_result)?;
    }
    // The whole way up first: what would lie below itself has a clearer refusal than its depth.
    let mut levels_above = 0;
    let mut above = Some(alignment);
    while let Some(alignment) = above {
        if alignment.objective() == id {
            return Err(Rejection::AlignmentCycle(id.clone()));
        }
        levels_above += 1;
        if levels_above >= ALIGNMENT_DEPTH_MAX {
            break;
        }
        // What is deleted may come back, so it takes its place all the same.
        above = workspace
            .objectives
            .get(alignment.objective())
            .and_then(|objective| objective.fields.aligned_to.as_ref());
    }
    if levels_above + 1 + height_below(workspace, id, ALIGNMENT_DEPTH_MAX) > ALIGNMENT_DEPTH_MAX {
        return Err(Rejection::AlignmentTooDeep {
            depth_max: ALIGNMENT_DEPTH_MAX,
        });
    }
    Ok(())
}

/// How many levels of objectives are aligned below `id`; never looks deeper than `depth_max`.
fn height_below(workspace: &Workspace, id: &Id, depth_max: usize) -> usize {
    if depth_max == 0 {
        return 0;
    }
    workspace
        .aligned_below(id)
        .map(|child| 1 + height_below(workspace, child, depth_max - 1))
        .max()
        .unwrap_or(0)
}
