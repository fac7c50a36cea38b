//! Single values, from the text of a manifest to the API's and back. What a text means follows from the field alone:
//! `title: 2026` is a text, `target: 2026` a number.

use std::str::FromStr;

use jiff::civil::Date;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MessageDescriptor, Value};

use super::kind::{nearest, shortened};
use super::schema::{self, DATE, TIMESTAMP};
use super::yaml::{Content, Node};
use crate::domain::Timestamp;

/// 0001-01-01T00:00:00Z, where the API's calendar begins.
const YEAR_1_MICROS: i64 = -62_135_596_800_000_000;

/// Whether a message is written as a single value.
pub(in crate::cli) fn is_single(message: &MessageDescriptor) -> bool {
    matches!(message.full_name(), DATE | TIMESTAMP)
}

/// A single value of a field's type.
///
/// # Errors
/// It is another one: what to write instead.
pub(in crate::cli) fn read(node: &Node, field: &FieldDescriptor) -> Result<Value, String> {
    let (text, plain) = match &node.content {
        Content::Scalar { text, plain } => (text.as_str(), *plain),
        Content::List(_) => return Err(format!("it is a list: write {}", wanted(field))),
        Content::Map(_) => return Err(format!("it is a map: write {}", wanted(field))),
    };
    let refused = || format!("{:?} is not right here: write {}", shortened(text), wanted(field));
    let number = || if plain { Ok(text) } else { Err(refused()) };
    match field.kind() {
        Type::String => Ok(Value::String(text.to_owned())),
        Type::Bool => bool::from_str(number()?).map(Value::Bool).map_err(|_| refused()),
        Type::Double => float(number()?).map(Value::F64).ok_or_else(refused),
        Type::Int32 => number()?.parse().map(Value::I32).map_err(|_| refused()),
        Type::Int64 => number()?.parse().map(Value::I64).map_err(|_| refused()),
        Type::Uint32 => number()?.parse().map(Value::U32).map_err(|_| refused()),
        Type::Enum(of) => match schema::number(&of, text) {
            Some(number) => Ok(Value::EnumNumber(number)),
            None => {
                let words = schema::words(&of);
                match nearest(text, words.iter().map(String::as_str)) {
                    Some(near) => Err(format!("there is no {:?}: did you mean {near}?", shortened(text))),
                    None => Err(refused()),
                }
            }
        },
        Type::Message(message) if message.full_name() == DATE => {
            date(text).map(|date| Value::Message(date_message(message, date)))
        }
        Type::Message(message) if message.full_name() == TIMESTAMP => {
            time(text).map(|time| Value::Message(timestamp_message(message, time)))
        }
        _ => Err(refused()),
    }
}

/// What a field wants, as a sentence goes on with it.
fn wanted(field: &FieldDescriptor) -> String {
    match field.kind() {
        Type::String => "a text".to_owned(),
        Type::Bool => "true or false".to_owned(),
        Type::Double => "a number, without quotes, a unit or separators of thousands".to_owned(),
        Type::Int32 | Type::Int64 | Type::Uint32 => "a whole number, without quotes".to_owned(),
        Type::Enum(of) => format!("one of {}", schema::words(&of).join(", ")),
        Type::Message(message) if message.full_name() == DATE => "a day as YYYY-MM-DD".to_owned(),
        Type::Message(message) if message.full_name() == TIMESTAMP => {
            "a moment, for example 2026-01-31T09:30:00Z".to_owned()
        }
        Type::Message(message) => {
            let fields = message.fields().map(|field| field.name().to_owned());
            format!("its fields below it: {}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "something else".to_owned(),
    }
}

/// What a field of several wants, as a sentence goes on with it.
pub(in crate::cli) fn wanted_nested(field: &FieldDescriptor) -> String {
    if field.is_map() {
        "keys with values, for example {region: south}".to_owned()
    } else if field.is_list() {
        format!("a list, each element {}", wanted(field))
    } else {
        wanted(field)
    }
}

/// A number, also as `1e3`; nothing that is not finite.
pub(in crate::cli) fn float(text: &str) -> Option<f64> {
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let number = f64::from_str(text).ok()?;
    (digits && number.is_finite()).then_some(number)
}

/// Whether a text has the form of a day.
pub(in crate::cli) fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// A day.
///
/// # Errors
/// It is none.
pub(in crate::cli) fn date(text: &str) -> Result<Date, String> {
    if !is_date(text) {
        return Err(format!("{:?} is no day: write YYYY-MM-DD", shortened(text)));
    }
    let date = Date::from_str(text).ok().filter(|date| date.year() > 0);
    date.ok_or_else(|| format!("{text:?} is not in the calendar: correct the date"))
}

/// A moment, to the microsecond.
///
/// # Errors
/// It is none, or does not say where on Earth.
pub(in crate::cli) fn time(text: &str) -> Result<Timestamp, String> {
    let shown = shortened(text);
    let moment = jiff::Timestamp::from_str(text).map_err(|_| {
        if jiff::civil::DateTime::from_str(text).is_ok() {
            format!("{shown:?} has no offset from UTC: end it with Z or for example +02:00")
        } else {
            format!("{shown:?} is no moment: write for example 2026-01-31T09:30:00Z")
        }
    })?;
    // The log keeps microseconds; what is finer is cut towards the past.
    let micros = i64::try_from(moment.as_nanosecond().div_euclid(1_000)).unwrap_or(i64::MIN);
    if micros < YEAR_1_MICROS {
        return Err(format!("{shown:?} is before the year 1: correct the time"));
    }
    Ok(Timestamp::from_micros(micros))
}

/// A day as the API says it.
pub(in crate::cli) fn date_message(message: MessageDescriptor, date: Date) -> DynamicMessage {
    let mut it = DynamicMessage::new(message);
    for (field, number) in [
        ("year", i32::from(date.year())),
        ("month", date.month().into()),
        ("day", date.day().into()),
    ] {
        set(&mut it, field, Value::I32(number));
    }
    it
}

/// A moment as the API says it.
pub(in crate::cli) fn timestamp_message(message: MessageDescriptor, time: Timestamp) -> DynamicMessage {
    let mut it = DynamicMessage::new(message);
    let micros = time.as_micros();
    set(&mut it, "seconds", Value::I64(micros.div_euclid(1_000_000)));
    // Below a second: it always fits.
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    set(&mut it, "nanos", Value::I32(nanos));
    it
}

/// The moment that a message of the API says.
pub(in crate::cli) fn moment(message: &DynamicMessage) -> Option<Timestamp> {
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    let micros = seconds
        .checked_mul(1_000_000)?
        .checked_add(i64::from(nanos) / 1_000)?;
    Some(Timestamp::from_micros(micros))
}

/// The day that a message of the API says.
pub(in crate::cli) fn day(message: &DynamicMessage) -> Option<Date> {
    let part = |name| message.get_field_by_name(name)?.as_i32();
    let year = i16::try_from(part("year")?).ok()?;
    let month = i8::try_from(part("month")?).ok()?;
    Date::new(year, month, i8::try_from(part("day")?).ok()?).ok()
}

/// Sets a field by its name. That the API has it, and of this type, is what the tests of every kind are for.
pub(in crate::cli) fn set(message: &mut DynamicMessage, field: &str, value: Value) {
    let set = message.try_set_field_by_name(field, value);
    debug_assert!(set.is_ok(), "{field}: {set:?}");
}

#[cfg(test)]
mod tests {
    use super::super::schema::Schema;
    use super::*;

    /// A scalar read as a field, as the API would print it, or the sentence behind "!".
    fn check(message: &str, field: &str, text: &str, plain: bool, expect: &str) {
        let schema = Schema::load().expect("the descriptors");
        let message = schema.message(message).expect("a message");
        let field = message.get_field_by_name(field).expect("a field");
        let content = Content::Scalar {
            text: text.to_owned(),
            plain,
        };
        let got = match read(&Node { line: 1, content }, &field) {
            Ok(value) => super::super::emit::inline(&schema, &value, &field),
            Err(sentence) => format!("! {sentence}"),
        };
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn the_field_says_what_a_text_means() {
        check("Kpi", "title", "2026", true, "\"2026\"");
        check("Kpi", "title", "no", true, "\"no\"");
        check("Kpi", "direction", "IN_RANGE", true, "IN_RANGE");
        check("Kpi", "direction", "DIRECTION_IN_RANGE", true, "IN_RANGE");
        check("Kpi", "grace_days", "3", true, "3");
        check("Target", "at_least", "1e3", true, "1000");
        check("Target", "at_least", "-0.5", true, "-0.5");
        check("Target", "effective_date", "2026-01-31", true, "2026-01-31");
        check("Target", "effective_date", "2026-01-31", false, "2026-01-31");
        check(
            "CheckIn",
            "effective_time",
            "2026-01-31T10:00:00+02:00",
            true,
            "2026-01-31T08:00:00Z",
        );
        check(
            "CheckIn",
            "effective_time",
            "1969-12-31T23:59:59.9999999Z",
            true,
            "1969-12-31T23:59:59.999999Z",
        );
    }

    #[test]
    fn a_text_that_does_not_fit_is_told_what_does() {
        check(
            "Kpi",
            "direction",
            "HIGHER_IS_BEST",
            true,
            "! there is no \"HIGHER_IS_BEST\": did you mean HIGHER_IS_BETTER?",
        );
        check(
            "Kpi",
            "direction",
            "up",
            true,
            "! \"up\" is not right here: write one of HIGHER_IS_BETTER, LOWER_IS_BETTER, IN_RANGE",
        );
        check(
            "Kpi",
            "grace_days",
            "3.5",
            true,
            "! \"3.5\" is not right here: write a whole number, without quotes",
        );
        for text in ["1.000,5", ".inf", ".nan", "NaN", "1_000", "1e999", "5 %"] {
            let expect = format!(
                "! {text:?} is not right here: write a number, without quotes, a unit or separators of thousands"
            );
            check("Target", "at_least", text, true, &expect);
        }
        check(
            "Target",
            "at_least",
            "5",
            false,
            "! \"5\" is not right here: write a number, without quotes, a unit or separators of thousands",
        );
        check(
            "Target",
            "effective_date",
            "31.1.2026",
            true,
            "! \"31.1.2026\" is no day: write YYYY-MM-DD",
        );
        check(
            "Target",
            "effective_date",
            "2026-02-30",
            true,
            "! \"2026-02-30\" is not in the calendar: correct the date",
        );
        check(
            "CheckIn",
            "effective_time",
            "2026-01-31T10:00:00",
            true,
            "! \"2026-01-31T10:00:00\" has no offset from UTC: end it with Z or for example +02:00",
        );
        check(
            "CheckIn",
            "effective_time",
            "yesterday",
            true,
            "! \"yesterday\" is no moment: write for example 2026-01-31T09:30:00Z",
        );
    }
}
