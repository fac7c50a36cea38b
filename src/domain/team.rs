//! Teams and members: who owns, who leads, who may.

use serde::Serialize;
use smol_str::SmolStr;

use super::authored::authored;
use super::{Authorship, Deletion, Etag, Event, Id, Invalid, Rejection, ResourceName, Title, Workspace};

authored! {
    /// A team's own fields.
    pub struct TeamFields,
    /// A change of a team's fields.
    TeamPatch {
        /// What people call it.
        pub title: Title,
        /// The team above it.
        pub parent_team: Option<Id>,
        /// The member who leads it.
        pub lead: Option<Id>,
    }
}

authored! {
    /// A member's own fields.
    pub struct MemberFields,
    /// A change of a member's fields.
    MemberPatch {
        /// What people call them.
        pub title: Title,
        /// Who they are to the authentication.
        pub principal: Principal,
        /// What they may do.
        pub roles: Roles,
        /// The teams that their roles reach to when they change something, with the teams below; none: everything. In order,
        /// each once.
        pub teams: Vec<Id>,
    }
}

/// A team.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// Its own fields.
    pub fields: TeamFields,
    /// When it was deleted.
    pub deleted: Option<Deletion>,
    /// When they were written.
    pub authorship: Authorship,
}

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Their own fields.
    pub fields: MemberFields,
    /// When they were deleted.
    pub deleted: Option<Deletion>,
    /// When they were written.
    pub authorship: Authorship,
}

/// Who somebody is to the authentication: 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Principal(SmolStr);

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the proto says what each role may do")]
pub enum Role {
    Owner,
    Lead,
    Manager,
    Contributor,
    Ingest,
    Viewer,
    Auditor,
}

/// At least one role, each once, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Roles(Vec<Role>);

impl Principal {
    /// Parses a principal.
    ///
    /// # Errors
    /// It is empty, over 200 characters, or has control characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "a principal has 1 to 200 characters and no control characters",
            ));
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Roles {
    /// Parses roles.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(mut roles: Vec<Role>) -> Result<Self, Invalid> {
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            Err(Invalid::new("there is none: give at least one role"))
        } else {
            Ok(Self(roles))
        }
    }

    /// The roles in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Role] {
        &self.0
    }

    fn owner(&self) -> bool {
        self.0.contains(&Role::Owner)
    }
}

pub(super) fn create_team(
    workspace: &Workspace,
    id: &Id,
    fields: &TeamFields,
) -> Result<Vec<Event>, Rejection> {
    if workspace.teams.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Team(id.clone())));
    }
    check_team(workspace, id, None, fields)?;
    Ok(vec![Event::TeamCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
}

pub(super) fn update_team(
    workspace: &Workspace,
    id: &Id,
    patch: &TeamPatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let team = workspace.team(id)?;
    team.authorship.check(etag, || ResourceName::Team(id.clone()))?;
    let after = patch.applied_to(&team.fields);
    if after == team.fields {
        return Ok(Vec::new());
    }
    check_team(workspace, id, Some(&team.fields), &after)?;
    Ok(vec![Event::TeamUpdated {
        id: id.clone(),
        before: Box::new(team.fields.clone()),
        after: Box::new(after),
    }])
}

/// What a change names anew has to be there; what it leaves as it was may have been deleted since.
fn check_team(
    workspace: &Workspace,
    id: &Id,
    before: Option<&TeamFields>,
    fields: &TeamFields,
) -> Result<(), Rejection> {
    if let Some(lead) = &fields.lead
        && before.is_none_or(|before| before.lead.as_ref() != Some(lead))
    {
        workspace.member(lead)?;
    }
    let mut above = fields.parent_team.as_ref();
    if let Some(parent) = above
        && parent != id
        && before.is_none_or(|before| before.parent_team.as_ref() != Some(parent))
    {
        workspace.team(parent)?;
    }
    // What is deleted may come back, so it takes its place all the same.
    while let Some(team) = above {
        if team == id {
            return Err(Rejection::TeamBelowItself(id.clone()));
        }
        above = workspace
            .teams
            .get(team)
            .and_then(|team| team.fields.parent_team.as_ref());
    }
    Ok(())
}

pub(super) fn create_member(
    workspace: &Workspace,
    id: &Id,
    fields: &MemberFields,
) -> Result<Vec<Event>, Rejection> {
    if workspace.members.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Member(id.clone())));
    }
    check_principal(workspace, id, fields)?;
    check_teams(workspace, &[], fields)?;
    Ok(vec![Event::MemberCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
}

pub(super) fn update_member(
    workspace: &Workspace,
    id: &Id,
    patch: &MemberPatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let member = workspace.member(id)?;
    member
        .authorship
        .check(etag, || ResourceName::Member(id.clone()))?;
    let after = patch.applied_to(&member.fields);
    if after == member.fields {
        return Ok(Vec::new());
    }
    check_principal(workspace, id, &after)?;
    check_teams(workspace, &member.fields.teams, &after)?;
    if !after.roles.owner() {
        keep_an_owner(workspace, id)?;
    }
    Ok(vec![Event::MemberUpdated {
        id: id.clone(),
        before: Box::new(member.fields.clone()),
        after: Box::new(after),
    }])
}

/// Teams that are named anew have to be there; those that were named before may have been deleted since.
fn check_teams(workspace: &Workspace, before: &[Id], fields: &MemberFields) -> Result<(), Rejection> {
    let mut named = fields.teams.iter().filter(|team| !before.contains(team));
    named.try_for_each(|team| workspace.team(team).map(drop))
}

/// Refuses to take away the last owner.
pub(super) fn keep_an_owner(workspace: &Workspace, id: &Id) -> Result<(), Rejection> {
    let mut owners = workspace
        .members
        .iter()
        .filter(|(_, member)| member.deleted.is_none() && member.fields.roles.owner())
        .map(|(owner, _)| owner);
    match (owners.next(), owners.next()) {
        (Some(only), None) if only == id => Err(Rejection::LastOwner(id.clone())),
        _ => Ok(()),
    }
}

/// A principal is one member; one who is deleted is free to come back as another.
pub(super) fn check_principal(
    workspace: &Workspace,
    id: &Id,
    fields: &MemberFields,
) -> Result<(), Rejection> {
    match workspace.members.iter().find(|(other, member)| {
        *other != id && member.deleted.is_none() && member.fields.principal == fields.principal
    }) {
        None => Ok(()),
        Some((other, _)) => Err(Rejection::PrincipalTaken {
            principal: fields.principal.as_str().to_owned(),
            member: other.clone(),
        }),
    }
}
