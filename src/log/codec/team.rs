//! Teams and members: their fields, and what happened to them.

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, id_from_stored, id_to_stored, optional_id_from_stored,
    optional_id_to_stored, stored_enum,
};
use crate::domain::{Event, Id, MemberFields, Principal, Role, Roles, TeamFields, Title};
use crate::proto::stored;

stored_enum!(role_to_stored, role_from_stored:
    Role = stored::member_fields::Role { Owner, Lead, Manager, Contributor, Ingest, Viewer, Auditor });

fn fields_to_stored(fields: &TeamFields) -> stored::TeamFields {
    let TeamFields {
        title,
        parent_team,
        lead,
    } = fields;
    stored::TeamFields {
        title: title.as_str().to_owned(),
        parent_team: optional_id_to_stored(parent_team.as_ref()),
        lead: optional_id_to_stored(lead.as_ref()),
    }
}

fn fields_from_stored(stored: stored::TeamFields) -> Result<TeamFields, Fault> {
    let stored::TeamFields {
        title,
        parent_team,
        lead,
    } = stored;
    Ok(TeamFields {
        title: Title::parse(&title).at("title")?,
        parent_team: optional_id_from_stored(parent_team.as_deref()).at("parent_team")?,
        lead: optional_id_from_stored(lead.as_deref()).at("lead")?,
    })
}

pub(super) fn created_to_stored(id: &Id, fields: &TeamFields) -> stored::TeamCreated {
    stored::TeamCreated {
        team: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
    }
}

pub(super) fn created_from_stored(stored: stored::TeamCreated) -> Result<Event, Fault> {
    let stored::TeamCreated { team, fields } = stored;
    Ok(Event::TeamCreated {
        id: id_from_stored(&team).at("team")?,
        fields: created_fields(fields, fields_from_stored)?,
    })
}

pub(super) fn updated_to_stored(id: &Id, before: &TeamFields, after: &TeamFields) -> stored::TeamUpdated {
    stored::TeamUpdated {
        team: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::TeamUpdated) -> Result<Event, Fault> {
    let stored::TeamUpdated { team, before, after } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::TeamUpdated {
        id: id_from_stored(&team).at("team")?,
        before,
        after,
    })
}

fn member_fields_to_stored(fields: &MemberFields) -> stored::MemberFields {
    let MemberFields {
        title,
        principal,
        roles,
        teams,
    } = fields;
    stored::MemberFields {
        title: title.as_str().to_owned(),
        principal: principal.as_str().to_owned(),
        roles: roles.as_slice().iter().copied().map(role_to_stored).collect(),
        teams: teams.iter().map(id_to_stored).collect(),
    }
}

fn member_fields_from_stored(stored: stored::MemberFields) -> Result<MemberFields, Fault> {
    let stored::MemberFields {
        title,
        principal,
        roles,
        teams,
    } = stored;
    Ok(MemberFields {
        title: Title::parse(&title).at("title")?,
        principal: Principal::parse(&principal).at("principal")?,
        roles: roles_from_stored(&roles).at("roles")?,
        teams: teams_from_stored(&teams).at("teams")?,
    })
}

fn teams_from_stored(ids: &[String]) -> Result<Vec<Id>, Fault> {
    let teams: Vec<Id> = ids
        .iter()
        .map(|id| id_from_stored(id))
        .collect::<Result<_, _>>()?;
    match teams.is_sorted_by(|a, b| a < b) {
        true => Ok(teams),
        false => Err(Fault::damaged("they are not in ascending order")),
    }
}

fn roles_from_stored(numbers: &[i32]) -> Result<Roles, Fault> {
    let roles: Vec<Role> = numbers
        .iter()
        .map(|number| role_from_stored(*number))
        .collect::<Result<_, _>>()?;
    // Parsing would put them in order and hide that somebody else wrote them.
    if !roles.is_sorted_by(|a, b| a < b) {
        return Err(Fault::damaged("they are not in ascending order"));
    }
    Roles::parse(roles).map_err(|invalid| Fault::damaged(invalid.to_string()))
}

pub(super) fn member_created_to_stored(id: &Id, fields: &MemberFields) -> stored::MemberCreated {
    stored::MemberCreated {
        member: id_to_stored(id),
        fields: Some(member_fields_to_stored(fields)),
    }
}

pub(super) fn member_created_from_stored(stored: stored::MemberCreated) -> Result<Event, Fault> {
    let stored::MemberCreated { member, fields } = stored;
    Ok(Event::MemberCreated {
        id: id_from_stored(&member).at("member")?,
        fields: created_fields(fields, member_fields_from_stored)?,
    })
}

pub(super) fn member_updated_to_stored(
    id: &Id,
    before: &MemberFields,
    after: &MemberFields,
) -> stored::MemberUpdated {
    stored::MemberUpdated {
        member: id_to_stored(id),
        before: Some(member_fields_to_stored(before)),
        after: Some(member_fields_to_stored(after)),
    }
}

pub(super) fn member_updated_from_stored(stored: stored::MemberUpdated) -> Result<Event, Fault> {
    let stored::MemberUpdated {
        member,
        before,
        after,
    } = stored;
    let (before, after) = before_and_after(before, after, member_fields_from_stored)?;
    Ok(Event::MemberUpdated {
        id: id_from_stored(&member).at("member")?,
        before,
        after,
    })
}
