//! Messages of the API as YAML. Invariant: what is written is read back as the same, and the same message is always
//! written in the same bytes. It deliberately does not know which fields belong into a manifest; `authored` does.

use std::fmt::Write;

use jiff::civil::Date;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MapKey, ReflectMessage, Value};

use super::kind::workspace_of;
use super::scalar::{day, moment};
use super::schema::{self, DATE, Schema, TIMESTAMP};

/// How far a level is set in.
const INDENT: usize = 2;

/// A field with its value, at a depth: one line, or several.
pub(in crate::cli) fn field(
    out: &mut String,
    schema: &Schema,
    depth: usize,
    field: &FieldDescriptor,
    value: &Value,
) {
    indent(out, depth);
    out.push_str(field.name());
    out.push(':');
    match value {
        Value::List(list) => {
            out.push('\n');
            for element in list {
                indent(out, depth + 1);
                out.push_str("- ");
                match element {
                    Value::Message(message) => {
                        // The first field stands behind the hyphen, where the others are set in to.
                        let mut lines = String::new();
                        self::message(&mut lines, schema, depth + 2, message);
                        out.push_str(lines.trim_start());
                    }
                    single => {
                        out.push_str(&scalar(schema, single, field, depth + 2));
                        out.push('\n');
                    }
                }
            }
        }
        Value::Map(map) => {
            out.push('\n');
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| key(a).cmp(key(b)));
            for (name, value) in pairs {
                indent(out, depth + 1);
                let value = value.as_str().unwrap_or_default();
                let _infallible = writeln!(out, "{}: {}", quoted(key(name)), quoted(value));
            }
        }
        Value::Message(nested) if !is_single(nested) => {
            let mut lines = String::new();
            self::message(&mut lines, schema, depth + 1, nested);
            out.push_str(if lines.is_empty() { " {}\n" } else { "\n" });
            out.push_str(&lines);
        }
        single => {
            out.push(' ');
            out.push_str(&scalar(schema, single, field, depth + 1));
            out.push('\n');
        }
    }
}

/// The fields of a message that people write and that are set, each in its lines.
pub(in crate::cli) fn message(out: &mut String, schema: &Schema, depth: usize, message: &DynamicMessage) {
    for one in schema.authored(&message.descriptor()) {
        if message.has_field(&one) {
            field(out, schema, depth, &one, &message.get_field(&one));
        }
    }
}

/// A value of a field in one line, for a sentence: lists and messages in brackets.
pub(in crate::cli) fn inline(schema: &Schema, value: &Value, field: &FieldDescriptor) -> String {
    match value {
        Value::List(list) => {
            let elements = list.iter().map(|element| inline(schema, element, field));
            format!("[{}]", elements.collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| key(a).cmp(key(b)));
            let pairs = pairs.into_iter().map(|(name, value)| {
                format!(
                    "{}: {}",
                    quoted(key(name)),
                    quoted(value.as_str().unwrap_or_default())
                )
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Message(message) if !is_single(message) => inline_message(schema, message),
        Value::String(text) if !schema.refers_to(field).is_empty() => relative(text).to_owned(),
        Value::String(text) => quoted(text),
        single => scalar(schema, single, field, 0),
    }
}

/// A message in one line: the fields that people write and that are set.
pub(in crate::cli) fn inline_message(schema: &Schema, message: &DynamicMessage) -> String {
    let fields = schema.authored(&message.descriptor()).into_iter();
    let set = fields.filter(|one| message.has_field(one));
    let set = set.map(|one| {
        format!(
            "{}: {}",
            one.name(),
            inline(schema, &message.get_field(&one), &one)
        )
    });
    format!("{{{}}}", set.collect::<Vec<_>>().join(", "))
}

/// A full name without its workspace.
fn relative(name: &str) -> &str {
    match workspace_of(name) {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => name,
    }
}

fn scalar(schema: &Schema, value: &Value, field: &FieldDescriptor, depth: usize) -> String {
    match value {
        Value::Bool(it) => it.to_string(),
        Value::I32(it) => it.to_string(),
        Value::I64(it) => it.to_string(),
        Value::U32(it) => it.to_string(),
        Value::F64(it) => number(*it),
        Value::EnumNumber(it) => match field.kind() {
            Type::Enum(of) => schema::word(&of, *it),
            _ => it.to_string(),
        },
        Value::String(it) if !schema.refers_to(field).is_empty() => quoted(relative(it)),
        Value::String(it) => text(it, depth),
        Value::Message(it) if it.descriptor().full_name() == DATE => day(it)
            .as_ref()
            .map_or_else(|| "null".to_owned(), Date::to_string),
        Value::Message(it) if it.descriptor().full_name() == TIMESTAMP => {
            moment(it).map_or_else(|| "null".to_owned(), |moment| moment.to_string())
        }
        // The API has no field of another type.
        _ => "null".to_owned(),
    }
}

/// A number as it is read back, without an exponent.
pub(in crate::cli) fn number(number: f64) -> String {
    format!("{number}")
}

fn is_single(message: &DynamicMessage) -> bool {
    super::scalar::is_single(&message.descriptor())
}

fn key(key: &MapKey) -> &str {
    key.as_str().unwrap_or_default()
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n(' ', depth * INDENT));
}

/// A text, as a block where it has several lines that can stand there as they are.
fn text(text: &str, depth: usize) -> String {
    let plain_lines = text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || is_printable(c));
    if !plain_lines {
        return quoted(text);
    }
    let mut block = if text.ends_with('\n') { "|" } else { "|-" }.to_owned();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        block.push('\n');
        if !line.is_empty() {
            indent(&mut block, depth);
            block.push_str(line);
        }
    }
    block
}

/// A text in one line: as it is where nobody could take it for something else, else in double quotes.
pub(in crate::cli) fn quoted(text: &str) -> String {
    const MEAN_SOMETHING: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let safe = text.starts_with(|c: char| c.is_alphabetic() && is_printable(c))
        && text
            .chars()
            .all(|c| (c.is_alphanumeric() && is_printable(c)) || " _-/.@+'()%".contains(c))
        && !text.ends_with(' ')
        && !MEAN_SOMETHING.contains(&text.to_lowercase().as_str());
    if safe {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_printable(c) => quoted.push(c),
            c => {
                let _infallible = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML lets a character stand as it is, and every reader leaves it so.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::yaml::{Content, documents};
    use super::*;

    /// A text written as the value of a key at a depth, and read back.
    fn back(text: &str, written: &str) -> String {
        let (documents, faults) = documents(format!("a:\n  b: {written}\n  c: 1\n").as_bytes());
        assert_eq!(faults, [], "{text:?}: {written}");
        let Content::Map(outer) = &documents[0].content else {
            panic!("{written}")
        };
        let Content::Map(inner) = &outer[0].value.content else {
            panic!("{written}")
        };
        assert_eq!(inner.len(), 2, "{text:?}: {written}");
        match &inner[0].value.content {
            Content::Scalar { text: read, .. } if !inner[0].value.is_null() => read.clone(),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_text_is_written_as_a_person_would_write_it() {
        for (given, expect) in [
            ("Win Brazil", "Win Brazil"),
            ("members/maria", "members/maria"),
            ("2026", "\"2026\""),
            ("no", "\"no\""),
            ("Null", "\"Null\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("", "\"\""),
            ("- x", "\"- x\""),
            ("Größe (m)", "Größe (m)"),
            ("ends ", "\"ends \""),
            ("tab\there", "\"tab\\there\""),
            ("one\ntwo", "|-\n    one\n    two"),
            ("one\n\n  two\n", "|\n    one\n\n      two"),
            (" one\ntwo", "\" one\\ntwo\""),
            ("one\n\n", "\"one\\n\\n\""),
            ("bell\u{7}", "\"bell\\U00000007\""),
        ] {
            assert_eq!(text(given, 2), expect);
            assert_eq!(back(given, &text(given, 2)), given);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(given in "(\\PC|[a-z]| |\n|:|#|-|\"|'|\\\\|\t|\r|\\x{85}|\\x{2028}|\\x{feff}|\\x{0}|---|\\{|\\[){0,20}") {
            prop_assert_eq!(&back(&given, &text(&given, 2)), &given);
            prop_assert_eq!(&back(&given, &quoted(&given)), &given);
        }

        #[test]
        fn every_number_is_read_back_as_it_was(given in prop_oneof![any::<f64>(), -1e15..1e15_f64]) {
            prop_assume!(given.is_finite());
            prop_assert_eq!(super::super::scalar::float(&number(given)), Some(given));
        }
    }
}
