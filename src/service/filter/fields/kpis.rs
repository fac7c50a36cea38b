//! KPIs and their alerts.

use super::{Entry, Field, Listed, Read, Word, word};
use crate::domain::{Alert, AlertKind, Category, CloseReason, Health, Id, Kpi};
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
        Field::new(
            "archived",
            Read::Word(YES_OR_NO, |entry| yes(entry.it.archived.is_some())),
        ),
        Field::new(
            "needs_action",
            Read::Word(YES_OR_NO, |entry| yes(entry.it.needs_action())),
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

impl Listed for Alert {
    /// The KPI's.
    type Id = Id;

    const FIELDS: &'static [Field<Self>] = &[
        Field::new(
            "kpi",
            Read::Reference(names::kpi_reference, |entry| Some(entry.id)),
        ),
        Field::new(
            "kind",
            Read::Word(AlertKind::WORDS, |entry| word(Some(entry.it.opening.kind))),
        ),
        Field::new("state", Read::Word(&["OPEN", "CLOSED"], alert_state)),
        Field::new(
            "needs_action",
            Read::Word(YES_OR_NO, |entry| yes(entry.it.needs_action())),
        ),
        Field::new(
            "overdue",
            Read::Word(YES_OR_NO, |entry| {
                yes(entry.it.plan.as_ref().is_some_and(|set| set.overdue))
            }),
        ),
        Field::new(
            "close_reason",
            Read::Word(CloseReason::WORDS, |entry| {
                word(entry.it.closed.map(|closed| closed.reason))
            }),
        ),
        Field::new("owner", Read::Reference(names::member_reference, plan_owner)),
        Field::new("team", Read::Team(|entry| kpi(entry)?.fields.team.as_ref())),
        Field::new(
            "open_time",
            Read::Time(|entry| Some(entry.it.opened.recorded_time)),
        ),
        Field::new(
            "close_time",
            Read::Time(|entry| entry.it.closed.map(|closed| closed.time)),
        ),
        Field::new(
            "due_date",
            Read::Date(|entry| entry.it.plan.as_ref()?.plan.due_date),
        ),
    ];

    fn key(entry: Entry<'_, Self>) -> String {
        format!("{}/{}", entry.id, entry.it.id)
    }

    fn stands(entry: Entry<'_, Self>) -> bool {
        kpi(entry).is_some_and(|kpi| kpi.deleted.is_none())
    }
}

fn kpi<'a>(entry: Entry<'a, Alert>) -> Option<&'a Kpi> {
    entry.state.workspace().kpis().get(entry.id).map(AsRef::as_ref)
}

fn alert_state(entry: Entry<'_, Alert>) -> Option<&'static str> {
    Some(if entry.it.is_open() { "OPEN" } else { "CLOSED" })
}

fn plan_owner<'a>(entry: Entry<'a, Alert>) -> Option<&'a Id> {
    entry.it.plan.as_ref()?.plan.owner.as_ref()
}

const YES_OR_NO: &[&str] = &["true", "false"];

#[allow(clippy::unnecessary_wraps, reason = "what a filter reads may be absent")]
fn yes(holds: bool) -> Option<&'static str> {
    Some(if holds { "true" } else { "false" })
}

fn health(entry: Entry<'_, Kpi>) -> Option<&'static str> {
    word(entry.state.figures().kpi(entry.id).map(|of| of.health))
}
