//! The order of a list after AIP-132: fields with or without `desc`, comma separated.
//!
//! Invariant: every order is total, because what is equal in all fields stands by name, and what has no value stands
//! last, whichever way.

use std::cmp::{Ordering, Reverse};

use jiff::civil::Date;

use super::condition::{Inside, One, Read};
use super::{Entry, Fault, Listed, value};
use crate::domain::Timestamp;

/// The longest order, in characters.
const CHARS_MAX: usize = 500;

/// In which order a list stands; no column: by name.
pub(super) struct Order<R: Listed>(Vec<Column<R>>);

struct Column<R: Listed> {
    name: &'static str,
    read: Sorted<R>,
    descending: bool,
}

/// A field that has an order.
enum Sorted<R: Listed> {
    /// The place in the list by name.
    Name,
    Text(Inside<R, str>),
    Number(One<R, f64>),
    Time(One<R, Timestamp>),
    Date(One<R, Date>),
}

/// A value as it is sorted by.
#[derive(PartialEq, PartialOrd)]
enum SortKey<'a> {
    Place(usize),
    Number(f64),
    Time(Timestamp),
    Date(Date),
    /// Without regard to capitals, and among those that are alike otherwise as it is.
    Text(String, &'a str),
}

impl<R: Listed> Order<R> {
    /// Reads an order; blank: by name.
    ///
    /// # Errors
    /// It is malformed, too long, or names a field twice or one without an order.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut columns: Vec<Column<R>> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self(columns));
        }
        if text.chars().nth(CHARS_MAX).is_some() {
            let sentence = format!("the order is too long: {CHARS_MAX} characters at most");
            return Err(Fault::new(CHARS_MAX + 1, sentence));
        }
        let mut at = 1;
        for part in text.split(',') {
            let indent = part.chars().take_while(|c| c.is_whitespace()).count();
            let column = column(part, at + indent)?;
            if columns.iter().any(|before| before.name == column.name) {
                let sentence = format!("{} is named twice: name each field once", column.name);
                return Err(Fault::new(at + indent, sentence));
            }
            columns.push(column);
            at += part.chars().count() + 1;
        }
        Ok(Self(columns))
    }

    /// Whether it is the order in which names stand anyway.
    pub(super) fn is_by_name(&self) -> bool {
        match self.0.first() {
            None => true,
            // No two are equal by name, so nothing behind it counts.
            Some(first) => matches!(first.read, Sorted::Name) && !first.descending,
        }
    }

    /// Entries that stand by name, in this order.
    pub(super) fn sorted<'a>(&self, entries: impl Iterator<Item = Entry<'a, R>>) -> Vec<Entry<'a, R>> {
        // Each value is read once, not once a comparison.
        let mut keyed: Vec<(Vec<Option<SortKey<'a>>>, Entry<'a, R>)> = entries
            .enumerate()
            .map(|(place, entry)| {
                let keys = self.0.iter().map(|column| column.read.key(entry, place));
                (keys.collect(), entry)
            })
            .collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let columns = self.0.iter().zip(one.iter().zip(other));
            columns.fold(Ordering::Equal, |order, (column, (one, other))| {
                order.then_with(|| compare(one.as_ref(), other.as_ref(), column.descending))
            })
        });
        keyed.into_iter().map(|(_, entry)| entry).collect()
    }
}

impl<R: Listed> Sorted<R> {
    fn of(read: &Read<R>) -> Option<Self> {
        match *read {
            Read::Text(read) => Some(Self::Text(read)),
            Read::Number(read) => Some(Self::Number(read)),
            Read::Time(read) => Some(Self::Time(read)),
            Read::Date(read) => Some(Self::Date(read)),
            Read::Word(..)
            | Read::Words(..)
            | Read::Reference(..)
            | Read::References(..)
            | Read::Team(_)
            | Read::Alignment(_)
            | Read::KeyResult(_)
            | Read::Labels(_) => None,
        }
    }

    fn key<'a>(&self, entry: Entry<'a, R>, place: usize) -> Option<SortKey<'a>> {
        match self {
            Self::Name => Some(SortKey::Place(place)),
            // An empty text is none.
            Self::Text(read) => read(entry)
                .filter(|text| !text.is_empty())
                .map(|text| SortKey::Text(value::folded(text), text)),
            Self::Number(read) => read(entry).map(SortKey::Number),
            Self::Time(read) => read(entry).map(SortKey::Time),
            Self::Date(read) => read(entry).map(SortKey::Date),
        }
    }
}

fn column<R: Listed>(part: &str, at: usize) -> Result<Column<R>, Fault> {
    let mut words = part.split_whitespace();
    let field = words.next().unwrap_or_default();
    let descending = match (words.next(), words.next()) {
        (None, _) => false,
        (Some("desc"), None) => true,
        _ => {
            let sentence = format!(
                "{:?} is no field with or without desc: write it like \"title desc\"",
                value::shown(part.trim())
            );
            return Err(Fault::new(at, sentence));
        }
    };
    if field == "name" {
        return Ok(Column {
            name: "name",
            read: Sorted::Name,
            descending,
        });
    }
    let found = R::FIELDS.iter().find(|known| known.name == field);
    let sorted = found.and_then(|field| Some((field.name, Sorted::of(&field.read)?)));
    match sorted {
        Some((name, read)) => Ok(Column {
            name,
            read,
            descending,
        }),
        None => {
            let sentence = format!(
                "{:?} is nothing to order by: use one of {}",
                value::shown(field),
                names::<R>()
            );
            Err(Fault::new(at, sentence))
        }
    }
}

/// The fields of a list that have an order, for a sentence.
fn names<R: Listed>() -> String {
    let sorted = R::FIELDS.iter().filter(|field| Sorted::of(&field.read).is_some());
    let names: Vec<&str> = std::iter::once("name")
        .chain(sorted.map(|field| field.name))
        .collect();
    names.join(", ")
}

/// What is absent stands last, whichever way.
fn compare(one: Option<&SortKey<'_>>, other: Option<&SortKey<'_>>, descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => {
            // No number of the domain is NaN.
            let order = one.partial_cmp(other).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
        (one, other) => Reverse(one.is_some()).cmp(&Reverse(other.is_some())),
    }
}
