//! Workspaces, teams and members.

use super::{Entry, Field, Listed, Read, Word};
use crate::domain::{Id, Member, Role, Team, Workspace};
use crate::engine::Hosted;
use crate::service::names;

impl Listed for Workspace {
    type Id = Hosted;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new(
            "title",
            Read::Text(|entry| Some(entry.it.fields().title.as_str())),
        ),
        Field::new("score", Read::Number(|entry| entry.state.figures().workspace())),
        Field::new(
            "create_time",
            Read::Time(|entry| Some(entry.it.authorship().created)),
        ),
        Field::new(
            "update_time",
            Read::Time(|entry| Some(entry.it.authorship().updated)),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        entry.id.id().to_string()
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        entry.it.deleted().is_none()
    }
}

impl Listed for Team {
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "parent_team",
            Read::Reference(names::team_reference, |entry| {
                entry.it.fields.parent_team.as_ref()
            }),
        ),
        Field::new(
            "lead",
            Read::Reference(names::member_reference, |entry| entry.it.fields.lead.as_ref()),
        ),
        Field::new(
            "create_time",
            Read::Time(|entry| Some(entry.it.authorship.created)),
        ),
        Field::new(
            "update_time",
            Read::Time(|entry| Some(entry.it.authorship.updated)),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        entry.id.to_string()
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        entry.it.deleted.is_none()
    }
}

impl Listed for Member {
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "principal",
            Read::Text(|entry| Some(entry.it.fields.principal.as_str())),
        ),
        Field::new("roles", Read::Words(Role::WORDS, |entry| roles(entry.it))),
        Field::new(
            "create_time",
            Read::Time(|entry| Some(entry.it.authorship.created)),
        ),
        Field::new(
            "update_time",
            Read::Time(|entry| Some(entry.it.authorship.updated)),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        entry.id.to_string()
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        entry.it.deleted.is_none()
    }
}

fn roles(member: &Member) -> Vec<&'static str> {
    member
        .fields
        .roles
        .as_slice()
        .iter()
        .map(|role| role.word())
        .collect()
}
