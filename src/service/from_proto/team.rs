//! Requests about teams and members.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{references, unknown};
use crate::domain::{Command, Invalid, MemberPatch, Principal, Rejection, Role, Roles, TeamPatch, Title};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const TEAM_FIELDS: &[Field<api::Team>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("parent_team", |m| !m.parent_team.is_empty()),
    Field::new("lead", |m| !m.lead.is_empty()),
];

const MEMBER_FIELDS: &[Field<api::Member>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("principal", |m| !m.principal.is_empty()),
    Field::new("roles", |m| !m.roles.is_empty()),
    Field::new("teams", |m| !m.teams.is_empty()),
];

/// The most roles in a list, repeated ones counted.
const ROLES_MAX: usize = 100;

/// Reads a CreateTeam request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_team(request: &api::CreateTeamRequest) -> Result<Asked, Rejection> {
    let api::CreateTeamRequest {
        parent,
        team_id,
        team,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let id = findings.keep(ids::chosen("team_id", team_id, 't', request_id));
    let command = findings.message("team", team.as_ref()).and_then(|message| {
        let patch = read_team(message, findings.fields("team", &Mask::All, workspace.as_ref()));
        let fields = Box::new(patch.complete()?);
        Some((workspace?, Command::CreateTeam { id: id?, fields }))
    });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateTeam request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_team(request: &api::UpdateTeamRequest) -> Result<Asked, Rejection> {
    let api::UpdateTeamRequest {
        team,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings.message("team", team.as_ref()).and_then(|message| {
        let (workspace, id) = findings.keep(names::team("team.name", &message.name)).unzip();
        let mask = findings.mask(update_mask.as_ref(), TEAM_FIELDS, message);
        let patch = read_team(message, findings.fields("team", &mask, workspace.as_ref()));
        let command = Command::UpdateTeam {
            id: id?,
            patch: Box::new(patch),
            etag: etag::read(&message.etag),
        };
        Some((workspace?, command))
    });
    findings.asked(command, request_id, reason)
}

/// Reads a CreateMember request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_member(request: &api::CreateMemberRequest) -> Result<Asked, Rejection> {
    let api::CreateMemberRequest {
        parent,
        member_id,
        member,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let id = findings.keep(ids::chosen("member_id", member_id, 'm', request_id));
    let command = findings.message("member", member.as_ref()).and_then(|message| {
        let patch = read_member(message, findings.fields("member", &Mask::All, workspace.as_ref()));
        let fields = Box::new(patch.complete()?);
        Some((workspace?, Command::CreateMember { id: id?, fields }))
    });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateMember request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_member(request: &api::UpdateMemberRequest) -> Result<Asked, Rejection> {
    let api::UpdateMemberRequest {
        member,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings.message("member", member.as_ref()).and_then(|message| {
        let (workspace, id) = findings.keep(names::member("member.name", &message.name)).unzip();
        let mask = findings.mask(update_mask.as_ref(), MEMBER_FIELDS, message);
        let patch = read_member(message, findings.fields("member", &mask, workspace.as_ref()));
        let command = Command::UpdateMember {
            id: id?,
            patch: Box::new(patch),
            etag: etag::read(&message.etag),
        };
        Some((workspace?, command))
    });
    findings.asked(command, request_id, reason)
}

fn read_team(message: &api::Team, mut fields: Fields<'_>) -> TeamPatch {
    let api::Team {
        name: _,
        title,
        parent_team,
        lead,
        scores: _,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
        foundation: _,
    } = message;
    let workspace = fields.workspace;
    TeamPatch {
        title: fields.read("title", || Title::parse(title)),
        parent_team: fields.read("parent_team", || names::team_reference(workspace, parent_team)),
        lead: fields.read("lead", || names::member_reference(workspace, lead)),
    }
}

fn read_member(message: &api::Member, mut fields: Fields<'_>) -> MemberPatch {
    let api::Member {
        name: _,
        title,
        principal,
        roles,
        teams,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
    } = message;
    let workspace = fields.workspace;
    MemberPatch {
        title: fields.read("title", || Title::parse(title)),
        principal: fields.read("principal", || Principal::parse(principal)),
        roles: fields.read_parts("roles", |path, findings| read_roles(path, roles, findings)),
        teams: fields.read_parts("teams", |path, findings| {
            references(path, teams, findings, |text| {
                names::given(names::team_reference(workspace, text)?)
            })
        }),
    }
}

fn read_roles(path: &str, numbers: &[i32], findings: &mut Findings) -> Option<Roles> {
    if numbers.len() > ROLES_MAX {
        let sentence = format!("there are {}: {ROLES_MAX} at most", numbers.len());
        findings.push(Invalid::new(sentence).at(path));
        return None;
    }
    let mut roles = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        match role(*number) {
            Ok(role) => roles.push(role),
            Err(invalid) => findings.push(invalid.at(format!("{path}[{index}]"))),
        }
    }
    // Where every role is bad, "give at least one" would be a second sentence about the same thing.
    if roles.is_empty() && !numbers.is_empty() {
        return None;
    }
    findings.field(path, Roles::parse(roles))
}

fn role(number: i32) -> Result<Role, Invalid> {
    use api::member::Role as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => {
            return Err(Invalid::new(
                "it is unspecified: name a role, for example CONTRIBUTOR",
            ));
        }
        Api::Owner => Role::Owner,
        Api::Lead => Role::Lead,
        Api::Manager => Role::Manager,
        Api::Contributor => Role::Contributor,
        Api::Ingest => Role::Ingest,
        Api::Viewer => Role::Viewer,
        Api::Auditor => Role::Auditor,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id, mask};
    use super::*;

    fn create(parent: &str, team: api::Team) -> Result<Asked, Rejection> {
        create_team(&api::CreateTeamRequest {
            parent: parent.to_owned(),
            team_id: "sales".to_owned(),
            team: Some(team),
            ..api::CreateTeamRequest::default()
        })
    }

    fn member_with(roles: &[i32]) -> Result<Asked, Rejection> {
        create_member(&api::CreateMemberRequest {
            parent: "workspaces/acme".to_owned(),
            member_id: "maria".to_owned(),
            member: Some(api::Member {
                title: "Maria".to_owned(),
                principal: "maria@example.com".to_owned(),
                roles: roles.to_vec(),
                ..api::Member::default()
            }),
            ..api::CreateMemberRequest::default()
        })
    }

    #[test]
    fn a_team_refers_to_its_own_workspace() {
        let team = api::Team {
            title: "Sales".to_owned(),
            parent_team: "workspaces/acme/teams/commerce".to_owned(),
            lead: "workspaces/acme/members/maria".to_owned(),
            ..api::Team::default()
        };
        let Command::CreateTeam { id: created, fields } = command(create("workspaces/acme", team.clone()))
        else {
            panic!("another command");
        };
        assert_eq!((created, fields.lead), (id("sales"), Some(id("maria"))));
        assert_eq!(fields.parent_team, Some(id("commerce")));
        assert_eq!(
            bad_fields(create("workspaces/other", team.clone())),
            ["team.parent_team", "team.lead"]
        );
        // Without a workspace to hold them against, references are still read for themselves.
        let swapped = api::Team {
            parent_team: team.lead.clone(),
            ..team
        };
        assert_eq!(
            bad_fields(create("acme", swapped)),
            ["parent", "team.parent_team"]
        );
    }

    #[test]
    fn an_update_reads_the_masked_fields_alone() {
        let update = |paths: &[&str], etag: &str| {
            update_team(&api::UpdateTeamRequest {
                team: Some(api::Team {
                    name: "workspaces/acme/teams/sales".to_owned(),
                    title: "Sales".to_owned(),
                    lead: "nonsense".to_owned(),
                    etag: etag.to_owned(),
                    ..api::Team::default()
                }),
                update_mask: mask(paths),
                ..api::UpdateTeamRequest::default()
            })
        };
        let Command::UpdateTeam {
            id: updated, patch, ..
        } = command(update(&["title"], ""))
        else {
            panic!("another command");
        };
        assert_eq!(updated, id("sales"));
        assert!(patch.title.is_some() && patch.lead.is_none() && patch.parent_team.is_none());
        let Command::UpdateTeam { patch, .. } = command(update(&["parent_team"], "")) else {
            panic!("another command");
        };
        assert_eq!(
            patch.parent_team,
            Some(None),
            "a masked field that is empty is cleared"
        );
        assert_eq!(bad_fields(update(&["*"], "")), ["team.lead"]);
        assert_eq!(bad_fields(update(&[], "")), ["team.lead"], "no mask: what is set");
        assert_eq!(
            bad_fields(update(&["scores", "lead.title"], "")),
            ["update_mask", "update_mask"]
        );
    }

    #[test]
    fn a_member_has_a_principal_and_known_roles() {
        let Command::CreateMember { fields, .. } = command(member_with(&[4, 1, 4])) else {
            panic!("another command");
        };
        assert_eq!(fields.roles.as_slice(), [Role::Owner, Role::Contributor]);
        for (roles, expected) in [
            (&[][..], vec!["member.roles"]),
            (&[0], vec!["member.roles[0]"]),
            (&[9; 101], vec!["member.roles"]),
            (&[1, 8, 2, -1], vec!["member.roles[1]", "member.roles[3]"]),
        ] {
            assert_eq!(bad_fields(member_with(roles)), expected, "{roles:?}");
        }
        let nobody = update_member(&api::UpdateMemberRequest {
            member: Some(api::Member {
                name: "workspaces/acme/members/maria".to_owned(),
                ..api::Member::default()
            }),
            update_mask: mask(&["*"]),
            reason: "x".repeat(10_001),
            ..api::UpdateMemberRequest::default()
        });
        assert_eq!(
            bad_fields(nobody),
            ["member.title", "member.principal", "member.roles", "reason"]
        );
    }
}
