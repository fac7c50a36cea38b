//! The small values that many messages have: times, dates, numbers, labels, lists of references.

use std::collections::BTreeMap;

use jiff::civil::Date;
use smol_str::SmolStr;
use uuid::Uuid;

use super::findings::Findings;
use crate::domain::{Effective, Id, Invalid, Labels, Text, Timestamp, Value, Violation, Weight};
use crate::proto::google_type;

/// The most references in one list.
const REFERENCES_MAX: usize = 100;

/// 0001-01-01T00:00:00Z: where protobuf's calendar begins.
const FIRST_SECOND: i64 = -62_135_596_800;

/// A request's time, to the microsecond; absent: none.
///
/// # Errors
/// Its nanoseconds are out of range, or it lies outside of the calendar.
pub(crate) fn optional_timestamp(
    field: &str,
    message: Option<&prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Violation> {
    message
        .map(timestamp)
        .transpose()
        .map_err(|invalid| invalid.at(field))
}

/// A request's date; absent: none.
///
/// # Errors
/// It is no whole date.
pub(crate) fn optional_date_at(
    field: &str,
    message: Option<&google_type::Date>,
) -> Result<Option<Date>, Violation> {
    optional_date(message).map_err(|invalid| invalid.at(field))
}

/// A request's id, a UUID; empty: none.
///
/// # Errors
/// It is something else.
pub(crate) fn request_id(field: &str, text: &str) -> Result<Option<[u8; 16]>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    match Uuid::try_parse(text) {
        Ok(uuid) if !uuid.is_nil() => Ok(Some(uuid.into_bytes())),
        _ => Err(Invalid::new(
            "it is no UUID: send a random one, for example \"3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42\", or nothing",
        )
        .at(field)),
    }
}

pub(super) fn timestamp(message: &prost_types::Timestamp) -> Result<Timestamp, Invalid> {
    let prost_types::Timestamp { seconds, nanos } = *message;
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(Invalid::new(format!(
            "its nanos are {nanos}: send 0 to 999,999,999, also before 1970"
        )));
    }
    // Nanoseconds count forward, so cutting them is rounding down on both sides of 1970.
    let micros = seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(nanos / 1000)));
    match micros {
        Some(micros) if seconds >= FIRST_SECOND && micros <= Timestamp::MAX.as_micros() => {
            Ok(Timestamp::from_micros(micros))
        }
        _ => Err(Invalid::new(format!(
            "{seconds} seconds since 1970 are outside of the calendar: send a time in the years 1 to 9999"
        ))),
    }
}

pub(super) fn date(message: &google_type::Date) -> Result<Date, Invalid> {
    let google_type::Date { year, month, day } = *message;
    let parts = (
        i16::try_from(year).ok().filter(|year| (1..=9999).contains(year)),
        i8::try_from(month).ok(),
        i8::try_from(day).ok(),
    );
    match parts {
        (Some(year), Some(month), Some(day)) => Date::new(year, month, day).ok(),
        _ => None,
    }
    .ok_or_else(|| {
        Invalid::new(format!(
            "year {year}, month {month}, day {day} is no date: send a whole one, in the years 1 to 9999"
        ))
    })
}

pub(super) fn optional_date(message: Option<&google_type::Date>) -> Result<Option<Date>, Invalid> {
    message.map(date).transpose()
}

pub(super) fn required_date(message: Option<&google_type::Date>) -> Result<Date, Invalid> {
    message
        .ok_or_else(|| Invalid::new("it is missing: send a date"))
        .and_then(date)
}

/// When something was true: at a time, on a day, or now. What is wrong comes with the name of the field it is about.
pub(super) fn effective(
    time: Option<&prost_types::Timestamp>,
    day: Option<&google_type::Date>,
) -> Result<Effective, (&'static str, Invalid)> {
    match (time, day) {
        (None, None) => Ok(Effective::Now),
        (Some(time), None) => timestamp(time)
            .map(Effective::At)
            .map_err(|invalid| ("effective_time", invalid)),
        (None, Some(day)) => date(day)
            .map(Effective::On)
            .map_err(|invalid| ("effective_date", invalid)),
        (Some(_), Some(_)) => Err((
            "effective_date",
            Invalid::new("effective_time is there too: send one of them"),
        )),
    }
}

pub(super) fn required_value(number: Option<f64>) -> Result<Value, Invalid> {
    number
        .ok_or_else(|| Invalid::new("it is missing: send a number, also when it is 0"))
        .and_then(Value::parse)
}

pub(super) fn optional_value(number: Option<f64>) -> Result<Option<Value>, Invalid> {
    number.map(Value::parse).transpose()
}

pub(super) fn weight(number: Option<f64>) -> Result<Weight, Invalid> {
    number.map_or(Ok(Weight::ONE), Weight::parse)
}

pub(super) fn count(number: Option<i64>) -> Result<Option<u64>, Invalid> {
    number
        .map(|number| {
            u64::try_from(number)
                .map_err(|_| Invalid::new(format!("{number} is no count: send a number from 0 up")))
        })
        .transpose()
}

pub(super) fn labels(labels: &BTreeMap<String, String>) -> Result<Labels, Invalid> {
    Labels::parse(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// A text that is kept in the event alone: a note, a reason. At most 10,000 characters.
pub(super) fn text_of_event(text: &str) -> Result<SmolStr, Invalid> {
    chars_at_most(text, Text::MAX_CHARS).map(SmolStr::new)
}

/// The text, unless it has more characters.
pub(super) fn chars_at_most(text: &str, chars_max: usize) -> Result<&str, Invalid> {
    // A text has at least as many bytes as characters, so most are never counted.
    if text.len() > chars_max && text.chars().count() > chars_max {
        return Err(Invalid::new(format!(
            "it has {} characters: {chars_max} at most",
            text.chars().count()
        )));
    }
    Ok(text)
}

/// A set of references, in order and each once.
pub(super) fn references(
    path: &str,
    texts: &[String],
    findings: &mut Findings,
    read: impl Fn(&str) -> Result<Id, Invalid>,
) -> Option<Vec<Id>> {
    if texts.len() > REFERENCES_MAX {
        let sentence = format!("it has {} names: {REFERENCES_MAX} at most", texts.len());
        findings.push(Invalid::new(sentence).at(path));
        return None;
    }
    let mut ids = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match read(text) {
            Ok(id) => ids.push(id),
            Err(invalid) => findings.push(invalid.at(format!("{path}[{index}]"))),
        }
    }
    if ids.len() < texts.len() {
        return None;
    }
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

/// An enum's number that this release has no name for.
pub(super) fn unknown(number: i32) -> Invalid {
    Invalid::new(format!(
        "{number} is a value that this release does not know: use one that its API names"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_cut_to_the_microsecond_and_stays_in_the_calendar() {
        let read = |seconds, nanos| timestamp(&prost_types::Timestamp { seconds, nanos });
        for (seconds, nanos, micros) in [
            (0, 0, 0),
            (1, 999, 1_000_000),
            (1, 999_999_999, 1_999_999),
            (-1, 999_999_999, -1),
            (-1, 500, -1_000_000),
            (-62_135_596_800, 0, -62_135_596_800_000_000),
        ] {
            assert_eq!(
                read(seconds, nanos).map(Timestamp::as_micros),
                Ok(micros),
                "{seconds} {nanos}"
            );
        }
        for (seconds, nanos) in [
            (0, -1),
            (0, 1_000_000_000),
            (-62_135_596_801, 999_999_999),
            (253_402_300_800, 0),
            (i64::MAX, 0),
            (i64::MIN, 0),
        ] {
            assert!(read(seconds, nanos).is_err(), "{seconds} {nanos} was taken");
        }
    }

    #[test]
    fn a_date_is_whole_and_real() {
        let read = |year, month, day| date(&google_type::Date { year, month, day });
        assert_eq!(read(2024, 2, 29), Ok(jiff::civil::date(2024, 2, 29)));
        for (year, month, day) in [
            (2026, 0, 0),
            (2026, 1, 0),
            (0, 1, 1),
            (2026, 2, 29),
            (2026, 13, 1),
            (-5, 1, 1),
            (10_000, 1, 1),
            (i32::MAX, 257, 257),
        ] {
            assert!(read(year, month, day).is_err(), "{year}-{month}-{day} was taken");
        }
    }

    #[test]
    fn a_request_id_is_a_uuid_or_nothing() {
        assert_eq!(request_id("request_id", ""), Ok(None));
        let text = "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42";
        let bytes = request_id("request_id", text).unwrap().unwrap();
        assert_eq!(Uuid::from_bytes(bytes).to_string(), text);
        for bad in [
            "1",
            "00000000-0000-0000-0000-000000000000",
            "3f0d6f8e-6c1d-4b7e-9a55",
        ] {
            assert_eq!(
                request_id("request_id", bad).unwrap_err().field,
                "request_id",
                "{bad:?}"
            );
        }
    }
}
