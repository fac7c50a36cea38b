//! Objectives and how they go.

use super::scalar::{
    cycle_name, date, kpi_name, labels as write_labels, member_name, reference, revision,
    status as write_status, team_name, timestamp,
};
use crate::domain::{
    Ambition, Authorship, Id, Objective, ObjectiveFields, ObjectiveProgress, ObjectiveState, ResourceName,
};
use crate::proto::api;
use crate::service::{etag, names};

/// An objective; `progress` is none while it is not ACTIVE.
#[must_use]
pub(crate) fn objective(
    workspace: &Id,
    id: &Id,
    objective: &Objective,
    progress: Option<&ObjectiveProgress>,
) -> api::Objective {
    let Objective {
        fields,
        state: stands,
        activation_date,
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
    }
}

/// How an objective goes.
#[must_use]
pub(crate) fn objective_progress(progress: &ObjectiveProgress) -> api::ObjectiveProgress {
    let ObjectiveProgress {
        score,
        expected,
        status,
        worst_status,
        outdated,
        policy_version,
    } = progress;
    api::ObjectiveProgress {
        score: *score,
        expected: *expected,
        status: write_status(*status),
        worst_status: worst_status.map(write_status).unwrap_or_default(),
        outdated: *outdated,
        policy_version: revision(*policy_version),
    }
}

fn ambition(ambition: Ambition) -> api::objective::Ambition {
    use api::objective::Ambition as Api;
    match ambition {
        Ambition::Committed => Api::Committed,
        Ambition::Aspirational => Api::Aspirational,
    }
}

fn state(state: ObjectiveState) -> api::objective::State {
    use api::objective::State as Api;
    match state {
        ObjectiveState::Draft => Api::Draft,
        ObjectiveState::Active => Api::Active,
        ObjectiveState::Closed => Api::Closed,
        ObjectiveState::Canceled => Api::Canceled,
    }
}
