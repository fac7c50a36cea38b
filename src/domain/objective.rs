//! Objectives: where to go, aligned to what they help to reach.

use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, CycleState, Etag, Event, Id, KeyResultId, KeyResultKind, Labels, Rejection, ResourceName,
    Text, Title, Weight, Workspace,
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

/// How deep alignment may go, in objectives.
const DEPTH_MAX: usize = 16;

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
    if workspace.objectives.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Objective(id.clone())));
    }
    check(workspace, id, fields)?;
    Ok(vec![Event::ObjectiveCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
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
    check(workspace, id, &after)?;
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
    if objective.fields.owner.is_none() {
        return Err(Rejection::OwnerMissing(id.clone()));
    }
    if workspace.cycle(&objective.fields.cycle)?.state != CycleState::Active {
        return Err(Rejection::CycleNotActive(objective.fields.cycle.clone()));
    }
    for (key_result_id, key_result) in workspace.key_results_of(id) {
        match &key_result.fields.kind {
            KeyResultKind::Metric(metric) if metric.baseline.is_none() => {
                return Err(Rejection::BaselineMissing(key_result_id.clone()));
            }
            KeyResultKind::Metric(_) => {}
        }
    }
    Ok(vec![Event::ObjectiveActivated {
        id: id.clone(),
        before: objective.state,
        date: workspace.today(),
    }])
}

fn check(workspace: &Workspace, id: &Id, fields: &ObjectiveFields) -> Result<(), Rejection> {
    if workspace.cycle(&fields.cycle)?.state == CycleState::Closed {
        return Err(Rejection::CycleClosed(fields.cycle.clone()));
    }
    if let Some(owner) = &fields.owner {
        workspace.member(owner)?;
    }
    for team in fields.team.iter().chain(&fields.contributing_teams) {
        workspace.team(team)?;
    }
    for kpi in &fields.serves {
        workspace.kpi(kpi)?;
    }
    check_alignment(workspace, id, fields.aligned_to.as_ref())
}

fn check_alignment(workspace: &Workspace, id: &Id, aligned_to: Option<&Alignment>) -> Result<(), Rejection> {
    let Some(alignment) = aligned_to else {
        return Ok(());
    };
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
        if levels_above >= DEPTH_MAX {
            break;
        }
        above = workspace
            .objective(alignment.objective())?
            .fields
            .aligned_to
            .as_ref();
    }
    if levels_above + 1 + height_below(workspace, id, DEPTH_MAX) > DEPTH_MAX {
        return Err(Rejection::AlignmentTooDeep { depth_max: DEPTH_MAX });
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
