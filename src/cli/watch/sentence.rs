//! An event as one sentence: what happened to what, with before and after.
//!
//! Invariant: every event has a sentence, also one that a newer server tells. Who did it and when is the line's to say.

use jiff::tz::TimeZone;
use prost_types::value::Kind;

use super::directory::{Directory, noun};
use crate::cli::paint::Colour;
use crate::cli::phrases;
use crate::cli::picture::fields::{Fields, parent};
use crate::cli::text::{cut, value};
use crate::proto::api;

/// A text and what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) colour: Colour,
}

/// How many changed fields are named, and how many columns of a text are shown.
const CHANGES_MAX: usize = 5;
const TEXT_COLUMNS_MAX: usize = 60;
/// How many seconds a value may be older than its record and still be of now.
const JUST_NOW_S: u64 = 60;
/// Levels of a resource that say nothing to a person.
const LEVELS: [&str; 3] = ["action_plan.", "metric.", "maintain."];

impl Said {
    pub(super) fn new(text: String, colour: Colour) -> Self {
        Self { text, colour }
    }
}

/// What an event says.
///
/// `recorded` is when the line says that it happened.
pub(super) fn sentence(
    event: &api::Event,
    recorded: Option<prost_types::Timestamp>,
    directory: &Directory,
    zone: &TimeZone,
) -> Said {
    let fields = Fields::of(event);
    let name = event.resource.as_str();
    let called = directory.called(name);
    let text = match event.r#type.as_str() {
        "MeasurementRecorded" | "MeasurementRetracted" => measurement(event, recorded, directory, zone),
        "CheckInRecorded" => check_in(&fields, name, directory),
        "DayStarted" => {
            let today = fields.string("today").unwrap_or("a new day");
            return Said::new(format!("{today} begins"), Colour::Dim);
        }
        "EpochStarted" => {
            let revision = fields.number("restored_revision").unwrap_or_default();
            format!(
                "the log was restored to revision {revision}{}",
                changes(event, directory)
            )
        }
        "AlertOpened" => {
            let about = format!("KIND_{}", fields.string("kind").unwrap_or_default());
            let about = api::alert::Kind::from_str_name(&about).unwrap_or_default();
            return alert_opened(directory, name, about);
        }
        "AlertClosed" => {
            let why = format!(
                "CLOSE_REASON_{}",
                fields.string("close_reason").unwrap_or_default()
            );
            let why = api::alert::CloseReason::from_str_name(&why).unwrap_or_default();
            return alert_closed(directory, name, why);
        }
        "ObjectiveClosed" => match fields.number("result.score") {
            Some(score) => format!("{called} closed at {score:.2}"),
            None => format!("{called} closed"),
        },
        kind => {
            let verb = verb(kind, name);
            // What is new has too many fields, and where something stands its verb says.
            let is_told = matches!(
                verb.as_str(),
                "updated"
                    | "set"
                    | "corrected"
                    | "acknowledged"
                    | "action plan set"
                    | "action plan completed"
            );
            let changes = if is_told {
                changes(event, directory)
            } else {
                String::new()
            };
            format!("{called} {verb}{changes}")
        }
    };
    Said::new(text, Colour::Plain)
}

/// An alert that opens.
pub(super) fn alert_opened(directory: &Directory, name: &str, about: api::alert::Kind) -> Said {
    let kpi = directory.called(parent(name));
    let about = phrases::alert(about);
    Said::new(format!("alert{about}: {kpi} asks for action"), Colour::Red)
}

/// An alert that is over.
pub(super) fn alert_closed(directory: &Directory, name: &str, why: api::alert::CloseReason) -> Said {
    let kpi = directory.called(parent(name));
    let id = name.rsplit('/').next().unwrap_or_default();
    let why = phrases::closed(why);
    Said::new(format!("alert {id} is over: {kpi} {why}"), Colour::Green)
}

/// A moment, in the zone of who reads.
pub(in crate::cli) fn moment(time: prost_types::Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::new(time.seconds, time.nanos) {
        Ok(time) => zone.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => "at no time".to_owned(),
    }
}

fn measurement(
    event: &api::Event,
    recorded: Option<prost_types::Timestamp>,
    directory: &Directory,
    zone: &TimeZone,
) -> String {
    let name = event.resource.as_str();
    let unit = directory.unit(name);
    let (before, after) = sides(event, "measurement.value");
    let shown = |number: f64| value(number, &unit);
    let (figure, how) = match (before, after) {
        (Some(before), Some(after)) => (format!("{} → {}", shown(before), shown(after)), ", corrected"),
        (Some(before), None) => (shown(before), ", retracted"),
        (None, Some(after)) => (shown(after), ""),
        (None, None) => ("the same value".to_owned(), ", recorded again"),
    };
    // What was true just now needs no second time.
    let is_now = |at: &prost_types::Timestamp| {
        recorded.is_some_and(|recorded| at.seconds.abs_diff(recorded.seconds) <= JUST_NOW_S)
    };
    let at = event.effective_time.filter(|at| !is_now(at));
    let at = at.map(|at| format!(" of {}", moment(at, zone)));
    let note = remark(Fields::of(event).string("measurement.note"));
    format!(
        "{}: {figure}{}{how}{note}",
        directory.called(name),
        at.unwrap_or_default()
    )
}

fn check_in(fields: &Fields<'_>, name: &str, directory: &Directory) -> String {
    let key_result = parent(name);
    let mut told = Vec::new();
    if let Some(number) = fields.number("value") {
        told.push(value(number, &directory.unit(key_result)));
    }
    if let Some(confidence) = fields.number("confidence") {
        told.push(format!("confidence {confidence:.2}"));
    }
    if let Some(status) = fields.string("status_override") {
        told.push(format!("said to be {}", status.to_lowercase().replace('_', " ")));
    }
    if let Some(Kind::ListValue(list)) = fields.after("reached_milestones") {
        told.push(format!("milestones reached: {}", list_text(list)));
    }
    let told = if told.is_empty() {
        "checked in".to_owned()
    } else {
        told.join(", ")
    };
    let comment = remark(fields.string("comment"));
    format!("{}: {told}{comment}", directory.called(key_result))
}

fn remark(text: Option<&str>) -> String {
    text.map(|text| format!(" – {}", cut(text, TEXT_COLUMNS_MAX)))
        .unwrap_or_default()
}

/// What an event's type says of its resource, for example "updated", "review begun".
fn verb(kind: &str, name: &str) -> String {
    let words = words(kind);
    let own = noun(name).to_lowercase().replace('-', " ");
    match words.strip_prefix(&own) {
        Some(verb) if verb.starts_with(' ') => verb.trim_start().to_owned(),
        _ => words,
    }
}

/// "ActionPlanSet" as "action plan set".
fn words(kind: &str) -> String {
    let mut words = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// The fields that an event changed, behind a colon.
fn changes(event: &api::Event, directory: &Directory) -> String {
    let unit = directory.unit(
        if noun(&event.resource) == "KPI" || noun(&event.resource) == "key result" {
            &event.resource
        } else {
            parent(&event.resource)
        },
    );
    let mut told: Vec<String> = event
        .changes
        .iter()
        .filter(|change| !change.path.ends_with("_time"))
        .map(|change| change_text(change, &unit))
        .collect();
    let more = told.len().saturating_sub(CHANGES_MAX);
    told.truncate(CHANGES_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    if told.is_empty() {
        return String::new();
    }
    format!(": {}", told.join(", "))
}

fn change_text(change: &api::FieldChange, unit: &api::Unit) -> String {
    let level = LEVELS.iter().find_map(|level| change.path.strip_prefix(level));
    let label = level.unwrap_or(&change.path).replace(['_', '.'], " ");
    let is_value = ["value", "target", "at_least", "at_most", "stretch", "baseline"]
        .iter()
        .any(|end| change.path.ends_with(end));
    let text = |side: &Option<prost_types::Value>| {
        let kind = side.as_ref().and_then(|value| value.kind.as_ref());
        kind.map(|kind| value_text(kind, is_value.then_some(unit)))
    };
    match (text(&change.before), text(&change.after)) {
        (Some(before), Some(after)) => format!("{label} {before} → {after}"),
        (Some(before), None) => format!("{label} {before} → none"),
        (None, Some(after)) => format!("{label} {after}"),
        (None, None) => label,
    }
}

fn value_text(kind: &Kind, unit: Option<&api::Unit>) -> String {
    match kind {
        Kind::NullValue(_) => "none".to_owned(),
        Kind::NumberValue(number) => match unit {
            Some(unit) => value(*number, unit),
            None => number.to_string(),
        },
        Kind::StringValue(text) => cut(text, TEXT_COLUMNS_MAX),
        Kind::BoolValue(true) => "yes".to_owned(),
        Kind::BoolValue(false) => "no".to_owned(),
        Kind::ListValue(list) => list_text(list),
        Kind::StructValue(_) => "…".to_owned(),
    }
}

fn list_text(list: &prost_types::ListValue) -> String {
    let items = list.values.iter().filter_map(|item| item.kind.as_ref());
    let items: Vec<_> = items.map(|kind| value_text(kind, None)).collect();
    if items.is_empty() {
        return "none".to_owned();
    }
    cut(&items.join(" "), TEXT_COLUMNS_MAX)
}

fn sides(event: &api::Event, path: &str) -> (Option<f64>, Option<f64>) {
    let change = event.changes.iter().find(|change| change.path == path);
    let number = |side: &Option<prost_types::Value>| match side.as_ref()?.kind.as_ref()? {
        Kind::NumberValue(number) => Some(*number),
        _ => None,
    };
    change.map_or((None, None), |change| {
        (number(&change.before), number(&change.after))
    })
}

#[cfg(test)]
mod tests;
