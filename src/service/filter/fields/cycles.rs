//! Cycles and their reviews. Nothing of these kinds is ever deleted.

use super::{Entry, Field, Listed, Read, Word, word};
use crate::domain::{Cycle, CycleState, Id, RecordedReview};
use crate::service::names;

impl Listed for Cycle {
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "state",
            Read::Word(CycleState::WORDS, |entry| word(Some(entry.it.state))),
        ),
        Field::new(
            "parent_cycle",
            Read::Reference(names::cycle_reference, |entry| {
                entry.it.fields.parent_cycle.as_ref()
            }),
        ),
        Field::new("first_date", Read::Date(|entry| Some(entry.it.fields.first_date))),
        Field::new("last_date", Read::Date(|entry| Some(entry.it.fields.last_date))),
        Field::new("review_date", Read::Date(|entry| entry.it.fields.review_date)),
        Field::new(
            "score",
            Read::Number(|entry| entry.state.figures().cycle(entry.id)),
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

    fn stands(_: Entry<'_, Self>) -> bool {
        true
    }
}

impl Listed for RecordedReview {
    /// The cycle, and its id in it.
    type Id = (Id, Id);

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("team", Read::Team(|entry| entry.it.review.team.as_ref())),
        Field::new(
            "cycle",
            Read::Reference(names::cycle_reference, |entry| Some(&entry.id.0)),
        ),
        Field::new("date", Read::Date(|entry| Some(entry.it.review.date))),
        Field::new(
            "attendees",
            Read::References(names::member_reference, |entry| &entry.it.review.attendees),
        ),
        Field::new(
            "principal",
            Read::Text(|entry| Some(entry.it.provenance.principal.as_str())),
        ),
        Field::new(
            "create_time",
            Read::Time(|entry| Some(entry.it.provenance.recorded_time)),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        let (cycle, id) = entry.id;
        format!("{cycle}/{id}")
    }

    fn stands(_: Entry<'_, Self>) -> bool {
        true
    }
}
