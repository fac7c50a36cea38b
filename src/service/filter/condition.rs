//! Terms become conditions: the field is found, the value read once, and what is left is a question to a resource.
//!
//! Invariant: a field is compared with values of its own kind alone, so nothing is converted while a list is read.

use jiff::civil::Date;

use super::syntax::{Operator, Term, Value};
use super::{Entry, Fault, Listed, value};
use crate::domain::{Alignment, Id, Invalid, Labels, Timestamp};
use crate::projection::State;
use crate::service::names;

/// Whether a term is true of a resource.
pub(super) type Condition<R> = Box<dyn for<'a> Fn(Entry<'a, R>) -> bool + Send + Sync>;

/// A field that a list may be narrowed or ordered by.
pub(in crate::service) struct Field<R: Listed> {
    pub(super) name: &'static str,
    pub(super) read: Read<R>,
}

/// The one value of a field.
pub(super) type One<R, V> = for<'a> fn(Entry<'a, R>) -> Option<V>;

/// The one value of a field, inside the resource.
pub(super) type Inside<R, V> = for<'a> fn(Entry<'a, R>) -> Option<&'a V>;

/// Reads a full name: of a resource of one kind, in the workspace that is given.
pub(super) type FullName = fn(Option<&Id>, &str) -> Result<Option<Id>, Invalid>;

/// Of which kind a field is, and how to read it. What is absent is none.
pub(super) enum Read<R: Listed> {
    Text(Inside<R, str>),
    Number(One<R, f64>),
    Time(One<R, Timestamp>),
    Date(One<R, Date>),
    /// One of an enum's values.
    Word(&'static [&'static str], One<R, &'static str>),
    /// Several of them.
    Words(
        &'static [&'static str],
        for<'a> fn(Entry<'a, R>) -> Vec<&'static str>,
    ),
    Reference(FullName, Inside<R, Id>),
    References(FullName, for<'a> fn(Entry<'a, R>) -> &'a [Id]),
    /// A team, which stands for all teams below it too.
    Team(Inside<R, Id>),
    Alignment(Inside<R, Alignment>),
    /// A key result: its objective and its id in it.
    KeyResult(for<'a> fn(Entry<'a, R>) -> Option<(&'a Id, &'a Id)>),
    Labels(for<'a> fn(Entry<'a, R>) -> &'a Labels),
}

/// The question that a term asks.
///
/// # Errors
/// The list has no such field, or the field no such operator or value.
pub(super) fn read<R: Listed>(term: &Term, workspace: Option<&Id>) -> Result<Condition<R>, Fault> {
    let name = &term.field;
    let field = R::FIELDS.iter().find(|field| field.name == name).ok_or_else(|| {
        Fault::new(
            term.at,
            format!(
                "{} is no field of this list: use one of {}",
                value::shown(name),
                names_of::<R>()
            ),
        )
    })?;
    let found = match (&field.read, &term.key) {
        (Read::Labels(labels), Some(key)) => label_holds(*labels, key, term),
        (_, Some(_)) => {
            let sentence = format!("{name} has no parts: write it without a dot");
            return Err(Fault::new(term.at, sentence));
        }
        (read, None) if !read.takes(term.operator) => {
            let sentence = format!("{name} is asked for with {}", read.operators());
            return Err(Fault::new(term.at, sentence));
        }
        (read, None) => match (&term.value, term.operator) {
            (Value::Anything, Operator::Has) => Ok(read.present()),
            (Value::Anything, _) => Err(ANYTHING_WITHOUT_HAS.to_owned()),
            (Value::Text(text), operator) => read.compared(operator, text, workspace),
        },
    };
    found.map_err(|sentence| Fault::new(term.value_at, format!("{name}: {sentence}")))
}

const ANYTHING_WITHOUT_HAS: &str = "* stands behind : alone, put it in quotes if it is meant as a text";

/// `labels.KEY` is a text like any other.
fn label_holds<R: Listed>(
    read: for<'a> fn(Entry<'a, R>) -> &'a Labels,
    key: &str,
    term: &Term,
) -> Result<Condition<R>, String> {
    let key = key.to_owned();
    match (&term.value, term.operator) {
        (Value::Anything, Operator::Has) => Ok(Box::new(move |entry| read(entry).get(&key).is_some())),
        (Value::Anything, _) => Err(ANYTHING_WITHOUT_HAS.to_owned()),
        (Value::Text(text), operator) => {
            let holds = value::text_test(operator, text);
            Ok(Box::new(move |entry| holds(read(entry).get(&key))))
        }
    }
}

/// The fields of a list, for a sentence.
fn names_of<R: Listed>() -> String {
    let names = R::FIELDS.iter().map(|field| match field.read {
        Read::Labels(_) => format!("{}.KEY", field.name),
        _ => field.name.to_owned(),
    });
    names.collect::<Vec<_>>().join(", ")
}

impl<R: Listed> Read<R> {
    fn takes(&self, operator: Operator) -> bool {
        match self {
            Self::Text(_) | Self::Number(_) | Self::Time(_) | Self::Date(_) => true,
            Self::Word(..)
            | Self::Reference(..)
            | Self::Team(_)
            | Self::Alignment(_)
            | Self::KeyResult(_) => operator.is_equality(),
            Self::Words(..) | Self::References(..) | Self::Labels(_) => operator == Operator::Has,
        }
    }

    fn operators(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Number(_) | Self::Time(_) | Self::Date(_) => "=, !=, <, <=, >, >= or :",
            Self::Word(..)
            | Self::Reference(..)
            | Self::Team(_)
            | Self::Alignment(_)
            | Self::KeyResult(_) => "=, != or :",
            Self::Words(..) | Self::References(..) => ":",
            Self::Labels(_) => ": for a key, and a value as labels.KEY = \"value\"",
        }
    }

    /// Whether there is a value.
    fn present(&self) -> Condition<R> {
        match *self {
            Self::Text(read) => Box::new(move |entry| read(entry).is_some_and(|text| !text.is_empty())),
            Self::Number(read) => Box::new(move |entry| read(entry).is_some()),
            Self::Time(read) => Box::new(move |entry| read(entry).is_some()),
            Self::Date(read) => Box::new(move |entry| read(entry).is_some()),
            Self::Word(_, read) => Box::new(move |entry| read(entry).is_some()),
            Self::Words(_, read) => Box::new(move |entry| !read(entry).is_empty()),
            Self::Reference(_, read) | Self::Team(read) => Box::new(move |entry| read(entry).is_some()),
            Self::References(_, read) => Box::new(move |entry| !read(entry).is_empty()),
            Self::Alignment(read) => Box::new(move |entry| read(entry).is_some()),
            Self::KeyResult(read) => Box::new(move |entry| read(entry).is_some()),
            Self::Labels(read) => Box::new(move |entry| read(entry).iter().next().is_some()),
        }
    }

    /// Whether the value stands so to that of the filter.
    fn compared(&self, by: Operator, text: &str, workspace: Option<&Id>) -> Result<Condition<R>, String> {
        Ok(match *self {
            Self::Text(read) => {
                let holds = value::text_test(by, text);
                Box::new(move |entry| holds(read(entry)))
            }
            Self::Number(read) => {
                let sought = value::number(text)?;
                Box::new(move |entry| by.holds(read(entry).map(|number| value::order(number, sought))))
            }
            Self::Time(read) => {
                let sought = value::time(text)?;
                Box::new(move |entry| by.holds(read(entry).map(|at| at.cmp(&sought))))
            }
            Self::Date(read) => {
                let sought = value::date(text)?;
                Box::new(move |entry| by.holds(read(entry).map(|date| date.cmp(&sought))))
            }
            Self::Word(words, read) => {
                let sought = value::word(words, text)?;
                Box::new(move |entry| by.holds(read(entry).map(|word| word.cmp(sought))))
            }
            Self::Words(words, read) => {
                let sought = value::word(words, text)?;
                Box::new(move |entry| read(entry).contains(&sought))
            }
            Self::Reference(full_name, read) => {
                let sought = value::reference(full_name, text, workspace)?;
                Box::new(move |entry| by.holds(read(entry).map(|id| id.cmp(&sought))))
            }
            Self::References(full_name, read) => {
                let sought = value::reference(full_name, text, workspace)?;
                Box::new(move |entry| read(entry).contains(&sought))
            }
            Self::Team(read) => {
                let sought = value::reference(names::team_reference, text, workspace)?;
                Box::new(move |entry| {
                    same(
                        by,
                        read(entry).is_some_and(|team| lies_in(entry.state, team, &sought)),
                    )
                })
            }
            Self::Alignment(read) => {
                let sought = value::alignment(text, workspace)?;
                Box::new(move |entry| same(by, read(entry) == Some(&sought)))
            }
            Self::KeyResult(read) => {
                let (of, sought) = value::key_result(text, workspace)?;
                Box::new(move |entry| {
                    let found = read(entry).is_some_and(|(objective, id)| {
                        *id == sought && of.as_ref().is_none_or(|of| of == objective)
                    });
                    same(by, found)
                })
            }
            // AIP-160: of a map, whether it has the key.
            Self::Labels(read) => {
                let key = text.to_owned();
                Box::new(move |entry| read(entry).get(&key).is_some())
            }
        })
    }
}

/// Whether `by`, which asks for the same or for another, is content with that.
fn same(by: Operator, is: bool) -> bool {
    is != (by == Operator::NotEqual)
}

/// Whether a team is another, or lies anywhere below it.
fn lies_in(state: &State, team: &Id, above: &Id) -> bool {
    let teams = state.workspace().teams();
    std::iter::successors(Some(team), |team| teams.get(*team)?.fields.parent_team.as_ref())
        // No team lies below itself; a walk ends all the same.
        .take(teams.len())
        .any(|team| team == above)
}
