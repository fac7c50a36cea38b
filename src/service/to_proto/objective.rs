//! Objectives and how they go.

use super::scalar::{
    cycle_name, date, delete_time, kpi_name, labels as write_labels, member_name, reference, revision,
    status as write_status, team_name, timestamp,
};
use crate::domain::{
    Ambition, Authorship, Band, ClosedObjective, Closing, Grading, Id, Objective, ObjectiveFields,
    ObjectiveProgress, ObjectiveResult, ObjectiveState, Outcome, Provenance, ResourceName,
};
use crate::projection::{Foundation, State};
use crate::proto::api;
use crate::service::{etag, names};

/// An objective of a state, with the figures that belong to it.
#[must_use]
pub(crate) fn objective_of(workspace: &Id, state: &State, id: &Id, held: &Objective) -> api::Objective {
    let figures = state.figures();
    let rests_on = figures.objective_foundation(id);
    objective(workspace, id, held, figures.objective(id), rests_on)
}

/// An objective; `progress` is none unless it is ACTIVE or CLOSED.
fn objective(
    workspace: &Id,
    id: &Id,
    objective: &Objective,
    progress: Option<&ObjectiveProgress>,
    rests_on: Foundation,
) -> api::Objective {
    let Objective {
        fields,
        state: stands,
        activation_date,
        carried_from,
        started_from,
        closed,
        deleted,
        authorship,
    } = objective;
    let ObjectiveFields {
        title,
        description,
        owner,
        team,
        contributing_teams,
        cycle,
        ambition: aims,
        aligned_to,
        weight,
        labels,
        serves,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::Objective {
        name: names::full_name(workspace, &ResourceName::Objective(id.clone())),
        title: title.as_str().to_owned(),
        description: description.as_str().to_owned(),
        owner: reference(workspace, owner.as_ref(), member_name),
        team: reference(workspace, team.as_ref(), team_name),
        contributing_teams: contributing_teams
            .iter()
            .map(|team| team_name(workspace, team))
            .collect(),
        cycle: cycle_name(workspace, cycle),
        ambition: ambition(*aims).into(),
        aligned_to: aligned_to
            .as_ref()
            .map(|alignment| names::full_name(workspace, &alignment.name()))
            .unwrap_or_default(),
        weight: Some(weight.get()),
        labels: write_labels(labels),
        serves: serves.iter().map(|kpi| kpi_name(workspace, kpi)).collect(),
        state: state(*stands).into(),
        activation_date: activation_date.map(date),
        progress: progress.map(objective_progress),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        delete_time: delete_time(*deleted),
        carried_from: carried_from
            .as_ref()
            .map(|from| names::full_name(workspace, &ResourceName::Objective(from.clone())))
            .unwrap_or_default(),
        result: closed.as_deref().map(result),
        foundation: foundation(rests_on).into(),
        started_from_kpi: started_from
            .as_ref()
            .map(|from| kpi_name(workspace, &from.kpi))
            .unwrap_or_default(),
        started_from_alert: started_from
            .as_ref()
            .and_then(|from| Some(ResourceName::Alert(from.kpi.clone(), from.alert.clone()?)))
            .map(|alert| names::full_name(workspace, &alert))
            .unwrap_or_default(),
    }
}

/// How an objective was closed, without a word on who did and when: it may be imagined.
#[must_use]
pub(crate) fn imagined_result(result: &ObjectiveResult) -> api::ObjectiveResult {
    let ObjectiveResult {
        score,
        expected: _,
        grading: _,
        postponed: _,
        closing,
        with_cycle,
        date: closed_on,
        policy_version,
        key_results: _,
    } = result;
    api::ObjectiveResult {
        grading: Some(graded(result)),
        closing: Some(write_closing(closing)),
        score: *score,
        close_date: Some(date(*closed_on)),
        with_cycle: *with_cycle,
        policy_version: revision(*policy_version),
        principal: String::new(),
        close_time: None,
    }
}

fn result(closed: &ClosedObjective) -> api::ObjectiveResult {
    let ClosedObjective { result, provenance } = closed;
    let Provenance {
        principal,
        recorded_time,
        revision: _,
    } = provenance;
    api::ObjectiveResult {
        principal: principal.to_string(),
        close_time: Some(timestamp(*recorded_time)),
        ..imagined_result(result)
    }
}

fn graded(result: &ObjectiveResult) -> api::Grading {
    let mut grading = result.grading.as_ref().map(write_grading).unwrap_or_default();
    grading.outcome = result
        .outcome()
        .map_or(api::Outcome::Unspecified, write_outcome)
        .into();
    grading
}

fn write_closing(closing: &Closing) -> api::Closing {
    let Closing {
        grade,
        grade_reason,
        explanation,
        achieved,
        learned,
        next,
    } = closing;
    api::Closing {
        grade: grade.map(|grade| grade.get()),
        grade_reason: grade_reason.as_str().to_owned(),
        explanation: explanation.as_str().to_owned(),
        achieved: achieved.as_str().to_owned(),
        learned: learned.as_str().to_owned(),
        next: next.as_str().to_owned(),
    }
}

fn write_grading(grading: &Grading) -> api::Grading {
    let Grading {
        grade,
        band,
        outcome,
        too_easy,
        needs_explanation,
    } = grading;
    api::Grading {
        grade: Some(grade.get()),
        band: match band {
            Band::Red => api::Band::Red,
            Band::Yellow => api::Band::Yellow,
            Band::Green => api::Band::Green,
        }
        .into(),
        outcome: write_outcome(*outcome).into(),
        too_easy: *too_easy,
        needs_explanation: *needs_explanation,
    }
}

fn write_outcome(outcome: Outcome) -> api::Outcome {
    match outcome {
        Outcome::Achieved => api::Outcome::Achieved,
        Outcome::Partial => api::Outcome::Partial,
        Outcome::Missed => api::Outcome::Missed,
        Outcome::Postponed => api::Outcome::Postponed,
    }
}

/// How an objective goes.
#[must_use]
pub(crate) fn objective_progress(progress: &ObjectiveProgress) -> api::ObjectiveProgress {
    let ObjectiveProgress {
        score,
        restated_score,
        expected,
        status,
        worst_status,
        outdated,
        grading,
        started: _,
        maintained: _,
        policy_version,
    } = progress;
    api::ObjectiveProgress {
        score: *score,
        expected: *expected,
        status: write_status(*status),
        worst_status: worst_status.map(write_status).unwrap_or_default(),
        outdated: *outdated,
        policy_version: revision(*policy_version),
        grading: grading.as_ref().map(write_grading),
        restated_score: *restated_score,
    }
}

/// What an objective or a team rests on.
pub(super) fn foundation(foundation: Foundation) -> api::Foundation {
    match foundation {
        Foundation::Solid => api::Foundation::Solid,
        Foundation::Weak => api::Foundation::Weak,
        Foundation::Unknown => api::Foundation::Unknown,
    }
}

pub(crate) fn ambition(ambition: Ambition) -> api::objective::Ambition {
    use api::objective::Ambition as Api;
    match ambition {
        Ambition::Committed => Api::Committed,
        Ambition::Aspirational => Api::Aspirational,
    }
}

pub(crate) fn state(state: ObjectiveState) -> api::objective::State {
    use api::objective::State as Api;
    match state {
        ObjectiveState::Draft => Api::Draft,
        ObjectiveState::Active => Api::Active,
        ObjectiveState::Closed => Api::Closed,
        ObjectiveState::Canceled => Api::Canceled,
    }
}
