//! The values that every message is made of: ids, dates, moments, numbers, enums, what must be there.
//!
//! Invariant: what is read is what was written, or a fault; nothing is cut, clamped or put in order on the way.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{Span, Unit};
use smol_str::SmolStr;

use super::fault::{At, Fault};
use crate::domain::{Id, Labels, Timestamp, Value};

const EPOCH: Date = date(1970, 1, 1);

/// Declares both directions of an enum whose stored variants have the same names, and one more for "unspecified".
macro_rules! stored_enum {
    ($to_stored:ident, $from_stored:ident: $Domain:ty = $Stored:ty { $($Variant:ident),+ $(,)? }) => {
        pub(super) fn $to_stored(value: $Domain) -> i32 {
            type Domain = $Domain;
            type Stored = $Stored;
            i32::from(match value {
                $(Domain::$Variant => Stored::$Variant,)+
            })
        }

        pub(super) fn $from_stored(number: i32) -> Result<$Domain, $crate::log::codec::fault::Fault> {
            type Domain = $Domain;
            type Stored = $Stored;
            match Stored::try_from(number) {
                $(Ok(Stored::$Variant) => Ok(Domain::$Variant),)+
                Ok(Stored::Unspecified) => Err($crate::log::codec::fault::Fault::damaged("it is missing")),
                Err(_) => Err($crate::log::codec::fault::Fault::newer(format!(
                    "it has the unknown number {number}"
                ))),
            }
        }
    };
}

pub(super) use stored_enum;

/// What every writer writes.
pub(super) fn required<T>(value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::damaged("it is missing"))
}

/// An enum in which "unspecified" means "none".
pub(super) fn optional_enum<T>(
    number: i32,
    from_stored: fn(i32) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    if number == 0 {
        Ok(None)
    } else {
        from_stored(number).map(Some)
    }
}

pub(super) fn id_to_stored(id: &Id) -> String {
    id.as_str().to_owned()
}

pub(super) fn id_from_stored(id: &str) -> Result<Id, Fault> {
    Id::parse(id).map_err(|invalid| Fault::damaged(invalid.to_string()))
}

pub(super) fn optional_id_to_stored(id: Option<&Id>) -> Option<String> {
    id.map(id_to_stored)
}

pub(super) fn optional_id_from_stored(id: Option<&str>) -> Result<Option<Id>, Fault> {
    id.map(id_from_stored).transpose()
}

pub(super) fn ids_to_stored(ids: &[Id]) -> Vec<String> {
    ids.iter().map(id_to_stored).collect()
}

pub(super) fn ids_from_stored(ids: &[String]) -> Result<Vec<Id>, Fault> {
    ids.iter().map(|id| id_from_stored(id)).collect()
}

pub(super) fn labels_to_stored(labels: &Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn labels_from_stored(labels: &BTreeMap<String, String>) -> Result<Labels, Fault> {
    Labels::parse(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        .map_err(|invalid| Fault::damaged(invalid.to_string()))
}

pub(super) fn small_to_stored(text: &SmolStr) -> String {
    text.as_str().to_owned()
}

/// Days since 1970-01-01.
pub(super) fn date_to_stored(date: Date) -> i32 {
    // Two civil dates are at most 7,304,483 days apart, and their difference in days never fails.
    EPOCH.until((Unit::Day, date)).map_or(0, |span| span.get_days())
}

pub(super) fn date_from_stored(days: i32) -> Result<Date, Fault> {
    Span::new()
        .try_days(days)
        .and_then(|span| EPOCH.checked_add(span))
        .map_err(|_| Fault::damaged(format!("{days} days from 1970-01-01 is no date")))
}

pub(super) fn optional_date_from_stored(days: Option<i32>) -> Result<Option<Date>, Fault> {
    days.map(date_from_stored).transpose()
}

pub(super) fn timestamp_from_stored(micros: i64) -> Result<Timestamp, Fault> {
    let timestamp = Timestamp::from_micros(micros);
    if timestamp.as_micros() == micros {
        Ok(timestamp)
    } else {
        Err(Fault::damaged(format!(
            "{micros} microseconds from 1970-01-01 is outside of the calendar"
        )))
    }
}

pub(super) fn value_from_stored(number: f64) -> Result<Value, Fault> {
    Value::parse(number).map_err(|invalid| Fault::damaged(invalid.to_string()))
}

pub(super) fn optional_value_to_stored(value: Option<Value>) -> Option<f64> {
    value.map(Value::get)
}

pub(super) fn optional_value_from_stored(number: Option<f64>) -> Result<Option<Value>, Fault> {
    number.map(value_from_stored).transpose()
}

/// A number that only has to be one.
pub(super) fn finite_from_stored(number: f64) -> Result<f64, Fault> {
    if number.is_finite() {
        Ok(number)
    } else {
        Err(Fault::damaged(format!("{number} is no number")))
    }
}

/// What stands in a repeated field, each fault with the place of its element.
pub(super) fn list_from_stored<S, T>(
    field: &str,
    stored: Vec<S>,
    from_stored: impl Fn(S) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut list = Vec::with_capacity(stored.len());
    for (index, element) in stored.into_iter().enumerate() {
        match from_stored(element) {
            Ok(element) => list.push(element),
            Err(fault) => return Err(fault).at(&format!("{field}[{index}]")),
        }
    }
    Ok(list)
}

/// Bytes of a fixed length.
pub(super) fn array_from_stored<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    <[u8; N]>::try_from(bytes)
        .map_err(|_| Fault::damaged(format!("it has {} bytes instead of {N}", bytes.len())))
}

/// Before and after of a change.
pub(super) fn before_and_after<S, T>(
    before: Option<S>,
    after: Option<S>,
    from_stored: fn(S) -> Result<T, Fault>,
) -> Result<(Box<T>, Box<T>), Fault> {
    let before = required(before).and_then(from_stored).at("before")?;
    let after = required(after).and_then(from_stored).at("after")?;
    Ok((Box::new(before), Box::new(after)))
}

/// The fields of what was created.
pub(super) fn created_fields<S, T>(
    fields: Option<S>,
    from_stored: fn(S) -> Result<T, Fault>,
) -> Result<Box<T>, Fault> {
    required(fields).and_then(from_stored).at("fields").map(Box::new)
}
