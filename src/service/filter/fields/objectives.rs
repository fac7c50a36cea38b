//! Objectives, key results, initiatives, check-ins.

use super::{Entry, Field, Listed, Read, Word, word};
use crate::domain::{
    Ambition, Id, Initiative, InitiativeId, InitiativeState, KeyResult, KeyResultId, Objective,
    ObjectiveProgress, ObjectiveState, Outcome, RecordedCheckIn, Status, StatusOverride,
};
use crate::projection::State;
use crate::service::names;

impl Listed for Objective {
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "owner",
            Read::Reference(names::member_reference, |entry| entry.it.fields.owner.as_ref()),
        ),
        Field::new("team", Read::Team(|entry| entry.it.fields.team.as_ref())),
        Field::new(
            "contributing_teams",
            Read::References(names::team_reference, |entry| &entry.it.fields.contributing_teams),
        ),
        Field::new(
            "cycle",
            Read::Reference(names::cycle_reference, |entry| Some(&entry.it.fields.cycle)),
        ),
        Field::new(
            "ambition",
            Read::Word(Ambition::WORDS, |entry| word(Some(entry.it.fields.ambition))),
        ),
        Field::new(
            "state",
            Read::Word(ObjectiveState::WORDS, |entry| word(Some(entry.it.state))),
        ),
        Field::new(
            "status",
            Read::Word(Status::WORDS, |entry| word(progress(entry).map(|of| of.status))),
        ),
        Field::new("score", Read::Number(|entry| progress(entry)?.score)),
        Field::new("outcome", Read::Word(Outcome::WORDS, outcome)),
        Field::new(
            "aligned_to",
            Read::Alignment(|entry| entry.it.fields.aligned_to.as_ref()),
        ),
        Field::new(
            "serves",
            Read::References(names::kpi_reference, |entry| &entry.it.fields.serves),
        ),
        Field::new(
            "carried_from",
            Read::Reference(names::objective_reference, |entry| entry.it.carried_from.as_ref()),
        ),
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

fn progress<'a>(entry: Entry<'a, Objective>) -> Option<&'a ObjectiveProgress> {
    entry.state.figures().objective(entry.id)
}

fn outcome(entry: Entry<'_, Objective>) -> Option<&'static str> {
    word(
        entry
            .it
            .closed
            .as_ref()
            .and_then(|closed| closed.result.outcome()),
    )
}

/// The objective that something belongs to.
fn objective<'a>(state: &'a State, id: &Id) -> Option<&'a Objective> {
    state.workspace().objectives().get(id).map(AsRef::as_ref)
}

impl Listed for KeyResult {
    type Id = KeyResultId;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "owner",
            Read::Reference(names::member_reference, |entry| entry.it.fields.owner.as_ref()),
        ),
        Field::new(
            "team",
            Read::Team(|entry| objective(entry.state, &entry.id.objective)?.fields.team.as_ref()),
        ),
        Field::new(
            "cycle",
            Read::Reference(names::cycle_reference, |entry| {
                Some(&objective(entry.state, &entry.id.objective)?.fields.cycle)
            }),
        ),
        Field::new(
            "kpi",
            Read::Reference(names::kpi_reference, |entry| entry.it.fields.kpi.as_ref()),
        ),
        Field::new(
            "state",
            Read::Word(ObjectiveState::WORDS, |entry| {
                word(objective(entry.state, &entry.id.objective).map(|of| of.state))
            }),
        ),
        Field::new(
            "status",
            Read::Word(Status::WORDS, |entry| {
                word(entry.state.figures().key_result(entry.id).map(|of| of.status))
            }),
        ),
        Field::new(
            "score",
            Read::Number(|entry| Some(entry.state.figures().key_result(entry.id)?.score)),
        ),
        Field::new("confidence", Read::Number(|entry| entry.it.confidence())),
        Field::new("due_date", Read::Date(|entry| entry.it.fields.due_date)),
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
        format!("{}/{}", entry.id.objective, entry.id.id)
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        entry.it.deleted.is_none()
    }
}

impl Listed for Initiative {
    type Id = InitiativeId;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new("title", Read::Text(|entry| Some(entry.it.fields.title.as_str()))),
        Field::new(
            "owner",
            Read::Reference(names::member_reference, |entry| entry.it.fields.owner.as_ref()),
        ),
        Field::new(
            "team",
            Read::Team(|entry| objective(entry.state, &entry.id.objective)?.fields.team.as_ref()),
        ),
        Field::new(
            "cycle",
            Read::Reference(names::cycle_reference, |entry| {
                Some(&objective(entry.state, &entry.id.objective)?.fields.cycle)
            }),
        ),
        Field::new(
            "key_result",
            Read::KeyResult(|entry| Some((&entry.id.objective, entry.it.fields.key_result.as_ref()?))),
        ),
        Field::new(
            "state",
            Read::Word(InitiativeState::WORDS, |entry| word(Some(entry.it.fields.state))),
        ),
        Field::new("due_date", Read::Date(|entry| entry.it.fields.due_date)),
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
        format!("{}/{}", entry.id.objective, entry.id.id)
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        entry.it.deleted.is_none()
    }
}

impl Listed for RecordedCheckIn {
    /// The key result; its own id it knows.
    type Id = KeyResultId;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new(
            "principal",
            Read::Text(|entry| Some(entry.it.provenance.principal.as_str())),
        ),
        Field::new(
            "comment",
            Read::Text(|entry| Some(entry.it.check_in.comment.as_str())),
        ),
        Field::new(
            "value",
            Read::Number(|entry| entry.it.check_in.value.map(|value| value.get())),
        ),
        Field::new(
            "confidence",
            Read::Number(|entry| entry.it.check_in.confidence.map(|confidence| confidence.get())),
        ),
        Field::new(
            "status_override",
            Read::Word(StatusOverride::WORDS, |entry| {
                word(entry.it.check_in.status_override)
            }),
        ),
        Field::new(
            "effective_time",
            Read::Time(|entry| Some(entry.it.check_in.effective_time)),
        ),
        Field::new(
            "recorded_time",
            Read::Time(|entry| Some(entry.it.provenance.recorded_time)),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        format!("{}/{}/{}", entry.id.objective, entry.id.id, entry.it.id)
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        let key_result = entry.state.workspace().key_result(entry.id);
        entry.it.retracted.is_none() && key_result.is_ok()
    }
}
