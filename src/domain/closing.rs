//! Closing an objective: grading, freezing, canceling, reopening. Invariant: a result never changes, whatever is learned
//! later; what is learned later shows as a restated score beside it.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    CycleState, Etag, Event, Grade, Grading, Id, KeyResultProgress, Objective, ObjectiveState, Outcome,
    Provenance, Rejection, ResourceName, Revision, Stamp, Text, Workspace, key_result_progress,
    score_objective,
};

/// What people say about an objective as it closes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Closing {
    /// The owner's own grade; none: the score, cut.
    pub grade: Option<Grade>,
    /// Why the grade is not the score.
    pub grade_reason: Text,
    /// Why a COMMITTED objective ends below 1.0.
    pub explanation: Text,
    /// What was achieved.
    pub achieved: Text,
    /// What was learned.
    pub learned: Text,
    /// What comes next.
    pub next: Text,
}

/// What closing froze.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectiveResult {
    /// The score, 0 to 1; none when nothing counted.
    pub score: Option<f64>,
    /// What the score should have been on that day; none with the score.
    pub expected: Option<f64>,
    /// The grade and what follows from it; none without a score or a grade of the owner's, or when postponed.
    pub grading: Option<Grading>,
    /// Carried over before it was graded: it counts nowhere.
    pub postponed: bool,
    /// What was said.
    pub closing: Closing,
    /// Whether the closing of its cycle closed it.
    pub with_cycle: bool,
    /// The local date.
    pub date: Date,
    /// The version of the policy that graded it.
    pub policy_version: Revision,
    /// Its key results, by id.
    pub key_results: Vec<FrozenKeyResult>,
}

/// A key result as closing froze it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrozenKeyResult {
    /// Its id in the objective.
    pub id: Id,
    /// The current value; none without an observation.
    pub current: Option<f64>,
    /// Raw progress.
    pub progress: f64,
    /// Progress cut to 0..1.
    pub score: f64,
    /// What the score should have been on that day.
    pub expected: f64,
    /// Whether the current value was of a period that was still running.
    pub provisional: bool,
    /// MILESTONES: the reached, in their order.
    pub reached_milestones: Vec<Id>,
    /// MAINTAIN, mode SHARE: periods that held.
    #[serde(skip_serializing_if = "is_zero")]
    pub periods_held: u32,
    /// MAINTAIN, mode SHARE: periods with data.
    #[serde(skip_serializing_if = "is_zero")]
    pub periods_with_data: u32,
}

/// A result with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedObjective {
    /// What was frozen.
    pub result: ObjectiveResult,
    /// Who closed it, when and at which revision.
    pub provenance: Provenance,
}

/// An objective of a cycle as it would be closed now.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded {
    /// The objective.
    pub objective: Id,
    /// Its result.
    pub result: ObjectiveResult,
}

impl Closing {
    /// Nothing is said.
    #[must_use]
    pub fn silent() -> Self {
        let empty = Text::empty;
        Self {
            grade: None,
            grade_reason: empty(),
            explanation: empty(),
            achieved: empty(),
            learned: empty(),
            next: empty(),
        }
    }
}

impl ObjectiveResult {
    /// What came of the objective; none without a grade.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        if self.postponed {
            Some(Outcome::Postponed)
        } else {
            self.grading.map(|grading| grading.outcome)
        }
    }

    /// Whether it is a COMMITTED one below 1.0 and nobody said why.
    #[must_use]
    pub fn lacks_explanation(&self) -> bool {
        self.grading.is_some_and(|grading| grading.needs_explanation) && self.closing.explanation.is_empty()
    }
}

/// An auditor reads nothing of periods where there are none: most key results are no share.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The result of closing an objective now, whatever it lacks.
pub(super) fn result(
    workspace: &Workspace,
    id: &Id,
    objective: &Objective,
    closing: &Closing,
    with_cycle: bool,
) -> ObjectiveResult {
    let progress = score_objective(workspace, id);
    let score = progress.as_ref().and_then(|progress| progress.score);
    let grade = closing.grade.or_else(|| score.map(Grade::cut));
    ObjectiveResult {
        score,
        expected: progress.and_then(|progress| progress.expected),
        grading: grade.map(|grade| grade.grading(objective.fields.ambition, workspace.policy())),
        postponed: false,
        closing: closing.clone(),
        with_cycle,
        date: workspace.today(),
        policy_version: workspace.policy_version(),
        key_results: freeze(workspace, id),
    }
}

/// The result of an objective that goes on elsewhere.
pub(super) fn postponed(workspace: &Workspace, id: &Id, objective: &Objective) -> ObjectiveResult {
    ObjectiveResult {
        grading: None,
        postponed: true,
        ..result(workspace, id, objective, &Closing::silent(), false)
    }
}

fn freeze(workspace: &Workspace, id: &Id) -> Vec<FrozenKeyResult> {
    workspace
        .key_results_of(id)
        .filter_map(|(key_result_id, key_result)| {
            let KeyResultProgress {
                current,
                progress,
                score,
                expected,
                provisional,
                reached_milestones,
                periods_held,
                periods_with_data,
                restated_score: _,
                status: _,
                outdated: _,
                source_deleted: _,
                policy_version: _,
            } = key_result_progress(workspace, key_result_id, key_result)?;
            Some(FrozenKeyResult {
                id: key_result_id.id.clone(),
                current,
                progress,
                score,
                expected,
                provisional,
                reached_milestones,
                periods_held,
                periods_with_data,
            })
        })
        .collect()
}

pub(super) fn check(id: &Id, closing: &Closing) -> Result<(), Rejection> {
    if closing.grade.is_some() && closing.grade_reason.is_empty() {
        return Err(Rejection::GradeReasonMissing(id.clone()));
    }
    Ok(())
}

pub(super) fn close(
    workspace: &Workspace,
    id: &Id,
    closing: &Closing,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let objective = workspace.objective(id)?;
    objective
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    if objective.state != ObjectiveState::Active {
        return Err(Rejection::ObjectiveNotActive(id.clone()));
    }
    check(id, closing)?;
    let result = result(workspace, id, objective, closing, false);
    if result.lacks_explanation() {
        return Err(Rejection::ExplanationMissing(vec![id.clone()]));
    }
    Ok(vec![Event::ObjectiveClosed {
        id: id.clone(),
        before: objective.state,
        result: Box::new(result),
    }])
}

pub(super) fn cancel(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let objective = workspace.objective(id)?;
    objective
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    let before = workspace.open_objective(id)?;
    Ok(vec![Event::ObjectiveCanceled {
        id: id.clone(),
        before,
    }])
}

pub(super) fn reopen(
    workspace: &Workspace,
    id: &Id,
    etag: Etag,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let name = || ResourceName::Objective(id.clone());
    let objective = workspace.objective(id)?;
    objective.authorship.check(etag, name)?;
    match objective.state {
        ObjectiveState::Closed | ObjectiveState::Canceled => {}
        ObjectiveState::Draft | ObjectiveState::Active => {
            return Err(Rejection::ObjectiveNotOver(id.clone()));
        }
    }
    if stamp.reason.is_empty() {
        return Err(Rejection::ReopeningReasonMissing(name()));
    }
    let cycle = &objective.fields.cycle;
    if workspace.cycle(cycle)?.state == CycleState::Closed {
        return Err(Rejection::CycleClosed(cycle.clone()));
    }
    Ok(vec![reopened(id, objective)])
}

/// An objective becomes what it was before it was over.
pub(super) fn reopened(id: &Id, objective: &Objective) -> Event {
    let after = match objective.activation_date {
        Some(_) => ObjectiveState::Active,
        None => ObjectiveState::Draft,
    };
    Event::ObjectiveReopened {
        id: id.clone(),
        before: objective.state,
        after,
        result: objective
            .closed
            .as_ref()
            .map(|closed| Box::new(closed.result.clone())),
    }
}
