//! Whether the units of a sentence fit together, and what its numbers are in the unit of their KPI.

use super::measure::Measure;
use super::quantity::{self, Noun, Quantity};
use crate::cli::import::creation::unit_message;
use crate::domain::{Unit, UnitKind};
use crate::proto::api;
use crate::proto::api::unit::Kind;

/// The unit that a sentence's numbers are told in.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The unit itself; none: plain numbers.
    unit: Option<api::Unit>,
    /// Whose it is, for a refusal.
    whose: String,
    /// What is written with one of the numbers and meant with all.
    common: Option<Noun>,
}

impl Frame {
    /// The unit of a measure: `given` by its mark or else by its KPI, or else what the sentence says itself.
    ///
    /// # Errors
    /// Its numbers are of different things.
    pub(super) fn of(measure: &Measure, given: Option<(api::Unit, String)>) -> Result<Self, String> {
        let mut nouns = measure.nouns();
        let common = nouns.next().cloned();
        if let (Some(first), Some(other)) = (&common, nouns.next())
            && !alike(first, other)
        {
            return Err(format!(
                "its numbers are of different things, {} and {}: write both in one unit",
                shown(first),
                shown(other)
            ));
        }
        let (unit, whose) = match given {
            Some((unit, whose)) => (Some(unit), whose),
            None => (common.as_ref().map(of_noun), String::new()),
        };
        Ok(Self { unit, whose, common })
    }

    /// The unit that the sentence gave; none: it gave none.
    pub(super) fn unit(&self) -> Option<&api::Unit> {
        self.unit.as_ref()
    }

    /// A number of the sentence in this unit.
    ///
    /// # Errors
    /// It is a number of something else.
    pub(super) fn number(&self, quantity: &Quantity) -> Result<f64, String> {
        let Some(noun) = quantity.unit.as_ref().or(self.common.as_ref()) else {
            return Ok(quantity.number);
        };
        self.unit
            .as_ref()
            .and_then(|unit| converted(quantity.number, noun, unit))
            .ok_or_else(|| {
                let unit = self.unit.as_ref().map(name).unwrap_or_default();
                format!(
                    "it is written in {}, and {} is in {unit}: write it in that, or say (unit: …)",
                    shown(noun),
                    self.whose
                )
            })
    }

    /// A change in this unit: 5 points of a percentage are 5.
    ///
    /// # Errors
    /// It is a number of something else.
    pub(super) fn amount(&self, by: &Quantity) -> Result<f64, String> {
        let in_points =
            matches!(&by.unit, Some(Noun::Other(word)) if matches!(word.as_str(), "points" | "pp"));
        let is_percent = self
            .unit
            .as_ref()
            .is_some_and(|unit| unit.kind() == Kind::Percent);
        if in_points && is_percent {
            return Ok(by.number);
        }
        self.number(by)
    }
}

/// Whether numbers of these two can stand in one sentence.
fn alike(first: &Noun, second: &Noun) -> bool {
    match (first, second) {
        (Noun::Duration(_), Noun::Duration(_)) => true,
        // A percentage rises by points.
        (Noun::Percent, Noun::Other(word)) => matches!(word.as_str(), "points" | "pp"),
        (Noun::Other(first), Noun::Other(second)) => first.to_lowercase() == second.to_lowercase(),
        (first, second) => first == second,
    }
}

/// A number of `noun` in a unit; none: it is of something else.
fn converted(number: f64, noun: &Noun, unit: &api::Unit) -> Option<f64> {
    let symbol = quantity::noun(&unit.symbol).unwrap_or_default();
    let fits = match (noun, unit.kind()) {
        (Noun::Percent, Kind::Percent) => true,
        (Noun::Currency(code), Kind::Currency) => code.as_str() == unit.currency_code,
        (Noun::Other(word), Kind::Currency) => *word == unit.currency_code,
        (Noun::Duration(seconds), Kind::Duration) => return Some(number * f64::from(*seconds)),
        (Noun::Other(word), Kind::Number | Kind::Unspecified | Kind::Count | Kind::Scale) => {
            unit.symbol.is_empty() || unit.symbol.to_lowercase() == word.to_lowercase()
        }
        (noun, Kind::Number | Kind::Unspecified | Kind::Count) => match (noun, &symbol) {
            (Noun::Duration(seconds), Some(Noun::Duration(of_symbol))) if seconds != of_symbol => {
                return Some(number * f64::from(*seconds) / f64::from(*of_symbol));
            }
            (noun, symbol) => symbol.as_ref() == Some(noun),
        },
        _ => false,
    };
    fits.then_some(number)
}

fn of_noun(noun: &Noun) -> api::Unit {
    match noun {
        Noun::Percent => unit_message(&UnitKind::Percent),
        Noun::Currency(code) => unit_message(&UnitKind::Currency(*code)),
        Noun::Duration(_) => unit_message(&UnitKind::Duration),
        Noun::Other(word) => api::Unit {
            symbol: word.clone(),
            ..unit_message(&UnitKind::Number)
        },
    }
}

/// A unit as the API has it.
pub(super) fn message(unit: &Unit) -> api::Unit {
    let Unit {
        kind,
        symbol,
        decimals,
    } = unit;
    api::Unit {
        symbol: symbol.to_string(),
        decimals: decimals.map(u32::from),
        ..unit_message(kind)
    }
}

/// How a number of this unit is written in a sentence: its number, and what stands behind it.
pub(super) fn sentence(number: f64, unit: &api::Unit) -> String {
    let (number, noun, decimals) = match unit.kind() {
        Kind::Percent => (number, "%".to_owned(), unit.decimals),
        Kind::Currency => (number, unit.currency_code.clone(), unit.decimals),
        Kind::Duration => {
            let (name, seconds) = largest_span(number);
            (number / seconds, name.to_owned(), None)
        }
        Kind::Unspecified | Kind::Number | Kind::Count | Kind::Scale => {
            (number, plain_or_quoted(&unit.symbol), unit.decimals)
        }
    };
    let number = quantity::written(number, decimals);
    if noun.is_empty() {
        number
    } else {
        format!("{number} {noun}")
    }
}

/// A unit as a mark says it.
pub(super) fn mark(unit: &api::Unit) -> String {
    use super::token::quoted;
    let mut said = match unit.kind() {
        Kind::Unspecified | Kind::Number => "number".to_owned(),
        Kind::Percent => "percent".to_owned(),
        Kind::Currency => format!("currency {}", unit.currency_code),
        Kind::Duration => "duration".to_owned(),
        Kind::Count => "count".to_owned(),
        Kind::Scale => {
            let labels: Vec<_> = unit.scale_labels.iter().map(|label| quoted(label)).collect();
            format!("scale {}", labels.join(" "))
        }
    };
    if !unit.symbol.is_empty() {
        let word = if unit.kind() == Kind::Scale { "symbol " } else { "" };
        said += &format!(" {word}{}", quoted(&unit.symbol));
    }
    if let Some(decimals) = unit.decimals {
        said += &format!(" {decimals} decimals");
    }
    format!("(unit: {said})")
}

/// The largest span of time that this many seconds are a whole number of.
fn largest_span(seconds: f64) -> (&'static str, f64) {
    [("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)]
        .into_iter()
        .find(|(_, span)| seconds != 0.0 && seconds % span == 0.0)
        .unwrap_or(("s", 1.0))
}

fn plain_or_quoted(symbol: &str) -> String {
    let is_plain = match quantity::noun(symbol) {
        Ok(Some(_)) => true,
        Ok(None) => symbol.is_empty() || quantity::is_plain(symbol),
        // What could be read in two ways is not, in quotes.
        Err(_) => false,
    };
    if is_plain {
        symbol.to_owned()
    } else {
        super::token::quoted(symbol)
    }
}

fn shown(noun: &Noun) -> String {
    match noun {
        Noun::Percent => "%".to_owned(),
        Noun::Currency(code) => code.as_str().to_owned(),
        Noun::Duration(86_400) => "days".to_owned(),
        Noun::Duration(3_600) => "hours".to_owned(),
        Noun::Duration(60) => "minutes".to_owned(),
        Noun::Duration(604_800) => "weeks".to_owned(),
        Noun::Duration(_) => "seconds".to_owned(),
        Noun::Other(word) => word.clone(),
    }
}

fn name(unit: &api::Unit) -> String {
    match unit.kind() {
        Kind::Percent => "%".to_owned(),
        Kind::Currency => unit.currency_code.clone(),
        Kind::Duration => "time".to_owned(),
        Kind::Unspecified | Kind::Number | Kind::Count | Kind::Scale if unit.symbol.is_empty() => {
            "plain numbers".to_owned()
        }
        Kind::Unspecified | Kind::Number | Kind::Count | Kind::Scale => unit.symbol.clone(),
    }
}
