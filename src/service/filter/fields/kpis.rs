//! KPIs.

use super::{Entry, Field, Listed, Read, Word, word};
use crate::domain::{Category, Health, Id, Kpi};
use crate::service::names;

impl Listed for Kpi {
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "owner",
            Read::Reference(names::member_reference, |entry| entry.it.fields.owner.as_ref()),
        ),
        Field::new("team", Read::Team(|entry| entry.it.fields.team.as_ref())),
        Field::new("area", Read::Text(|entry| Some(entry.it.fields.area.as_str()))),
        Field::new(
            "category",
            Read::Word(Category::WORDS, |entry| word(Some(entry.it.fields.category))),
        ),
        Field::new("health", Read::Word(Health::WORDS, health)),
        Field::new("labels", Read::Labels(|entry| &entry.it.fields.labels)),
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

fn health(entry: Entry<'_, Kpi>) -> Option<&'static str> {
    word(entry.state.figures().kpi(entry.id).map(|of| of.health))
}
