//! Teams and members.

use super::objective::foundation;
use super::scalar::{cycle_name, delete_time, member_name, reference, team_name, timestamp};
use crate::domain::{Authorship, Id, Member, MemberFields, Role, Team, TeamFields};
use crate::projection::{Foundation, State};
use crate::proto::api;
use crate::service::etag;

/// A team of a state, with its scores, a cycle each, and what it rests on.
#[must_use]
pub(crate) fn team_of(workspace: &Id, state: &State, id: &Id, held: &Team) -> api::Team {
    let figures = state.figures();
    let rests_on = figures.team_foundation(id);
    team(workspace, id, held, figures.team(id), rests_on)
}

fn team<'a>(
    workspace: &Id,
    id: &Id,
    team: &Team,
    scores: impl Iterator<Item = (&'a Id, f64)>,
    rests_on: Foundation,
) -> api::Team {
    let Team {
        fields,
        deleted,
        authorship,
    } = team;
    let TeamFields {
        title,
        parent_team,
        lead,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::Team {
        name: team_name(workspace, id),
        title: title.as_str().to_owned(),
        parent_team: reference(workspace, parent_team.as_ref(), team_name),
        lead: reference(workspace, lead.as_ref(), member_name),
        scores: scores
            .map(|(cycle, score)| api::CycleScore {
                cycle: cycle_name(workspace, cycle),
                score: Some(score),
            })
            .collect(),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        delete_time: delete_time(*deleted),
        foundation: foundation(rests_on).into(),
    }
}

/// A member.
#[must_use]
pub(crate) fn member(workspace: &Id, id: &Id, member: &Member) -> api::Member {
    let Member {
        fields,
        deleted,
        authorship,
    } = member;
    let MemberFields {
        title,
        principal,
        roles,
        teams,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::Member {
        name: member_name(workspace, id),
        title: title.as_str().to_owned(),
        principal: principal.as_str().to_owned(),
        roles: roles.as_slice().iter().map(|held| role(*held).into()).collect(),
        teams: teams.iter().map(|team| team_name(workspace, team)).collect(),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        delete_time: delete_time(*deleted),
    }
}

fn role(role: Role) -> api::member::Role {
    use api::member::Role as Api;
    match role {
        Role::Owner => Api::Owner,
        Role::Lead => Api::Lead,
        Role::Manager => Api::Manager,
        Role::Contributor => Api::Contributor,
        Role::Ingest => Api::Ingest,
        Role::Viewer => Api::Viewer,
        Role::Auditor => Api::Auditor,
    }
}
