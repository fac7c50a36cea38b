//! What a written value is in the unit of its KPI: 48 min are 2880 seconds, 0.942 of a fraction 94.2 percent, "good" an
//! index of a scale.
//!
//! Invariant: a unit is taken when it was told or when the KPI's own leaves no doubt; whatever else stands around a
//! number is refused with a sentence. It deliberately does not know files.

use std::fmt;
use std::str::FromStr;

use super::numerals::Decimal;
use super::written::Written;
use crate::cli::board::{Noun, noun, scale};
use crate::domain::{CurrencyCode, Unit, UnitKind, Value};

/// What the values of a file are in, where they do not say so themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueUnit {
    /// A span of time.
    Time(Span),
    /// Percent: 94.2.
    Percent,
    /// Parts of one: 0.942 is 94.2 %.
    Fraction,
    /// Money.
    Currency(CurrencyCode),
    /// Thousands, millions, billions: ten to this power.
    Power(u32),
    /// The index of a scale's label, from 0.
    Index,
    /// A scale's label.
    Label,
}

/// A span of time, as a factor of seconds and a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    name: &'static str,
    factor: u32,
    exponent: i64,
}

const SPANS: [Span; 6] = [
    span("ms", 1, -3),
    span("s", 1, 0),
    span("min", 60, 0),
    span("h", 3_600, 0),
    span("d", 86_400, 0),
    span("week", 604_800, 0),
];
const POWERS: [(&str, u32); 3] = [("thousand", 3), ("million", 6), ("billion", 9)];

impl ValueUnit {
    /// Whether values in this unit can be values of a KPI.
    ///
    /// # Errors
    /// It is measured in something else.
    pub(super) fn fits(self, unit: &Unit) -> Result<(), String> {
        let fits = match (self, &unit.kind) {
            (Self::Time(_), UnitKind::Duration | UnitKind::Number)
            | (Self::Percent, UnitKind::Percent | UnitKind::Number)
            | (Self::Fraction, UnitKind::Percent)
            | (Self::Currency(_), UnitKind::Number)
            | (Self::Power(_), UnitKind::Number | UnitKind::Count | UnitKind::Currency(_))
            | (Self::Index | Self::Label, UnitKind::Scale(_)) => true,
            (Self::Currency(told), UnitKind::Currency(code)) => told == *code,
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(format!(
                "its values cannot be in {self}, it is measured in {}: say for which KPI that is with --value-unit ID={self}",
                named(unit)
            )),
        }
    }
}

impl FromStr for ValueUnit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(span) = SPANS.iter().find(|span| span.name == text) {
            return Ok(Self::Time(*span));
        }
        if let Some((_, power)) = POWERS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Power(*power));
        }
        match (text, text.split_once(':')) {
            ("percent", _) => Ok(Self::Percent),
            ("fraction", _) => Ok(Self::Fraction),
            ("index", _) => Ok(Self::Index),
            ("label", _) => Ok(Self::Label),
            (_, Some(("currency", code))) => CurrencyCode::parse(code)
                .map(Self::Currency)
                .map_err(|invalid| invalid.to_string()),
            _ => Err(
                "write ms, s, min, h, d, week, percent, fraction, currency:EUR, thousand, million, billion, label or \
                 index, for one KPI as ID=min"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for ValueUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(span) => f.write_str(span.name),
            Self::Percent => f.write_str("percent"),
            Self::Fraction => f.write_str("fraction"),
            Self::Currency(code) => write!(f, "currency:{}", code.as_str()),
            Self::Power(power) => {
                let name = POWERS.iter().find(|(_, of)| of == power);
                f.write_str(name.map_or("", |(name, _)| name))
            }
            Self::Index => f.write_str("index"),
            Self::Label => f.write_str("label"),
        }
    }
}

/// A value of a KPI with this unit. A told unit has to fit it.
///
/// # Errors
/// It is no number or no label, is in another unit, or does not make sense in its own.
pub(super) fn value(written: &Written, unit: &Unit, told: Option<ValueUnit>) -> Result<Value, String> {
    if let UnitKind::Scale(labels) = &unit.kind {
        return indexed(written, labels, told).and_then(|index| checked(index, written, unit));
    }
    let Some(number) = &written.number else {
        return Err(written.why_no_number());
    };
    let carried = Carried::of(written, unit)?;
    let told_power = match told {
        Some(ValueUnit::Power(power)) => Some(power),
        _ => None,
    };
    let power = i64::from(carried.power.or(told_power).unwrap_or(0));
    let (factor, exponent) =
        converted(carried.noun, unit, told).map_err(|why| refused(written, unit, &why))?;
    checked(number.times(factor, exponent + power), written, unit)
}

/// What stands around a number.
struct Carried {
    /// In thousands, millions or billions.
    power: Option<u32>,
    /// A unit of its own; the KPI's own symbol says nothing more.
    noun: Option<Carry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carry {
    Percent,
    Currency(CurrencyCode),
    Time(Span),
}

impl Carried {
    fn of(written: &Written, unit: &Unit) -> Result<Self, String> {
        let (prefix, suffix) = (&*written.prefix, &*written.suffix);
        let is_own = |text: &str| !text.is_empty() && text == &*unit.symbol;
        let (power, behind) = match suffix {
            suffix if suffix.is_empty() || is_own(suffix) => (None, suffix),
            suffix => powered(suffix),
        };
        if power.is_some()
            && !matches!(
                unit.kind,
                UnitKind::Number | UnitKind::Count | UnitKind::Currency(_)
            )
        {
            let why = format!(
                "{suffix:?} is a factor, and the KPI is measured in {}",
                named(unit)
            );
            return Err(refused(written, unit, &why));
        }
        let known = |text: &str| match text {
            "" => Ok(None),
            text if is_own(text) => Ok(None),
            text => match carry(text).map_err(|why| refused(written, unit, &why))? {
                Some(carry) => Ok(Some(carry)),
                None => Err(refused(
                    written,
                    unit,
                    &format!("{text:?} is no unit that is known here"),
                )),
            },
        };
        let noun = match (known(prefix)?, known(behind)?) {
            (None, noun) | (noun, None) => noun,
            (Some(before), Some(after)) if before == after => Some(before),
            (Some(_), Some(_)) => return Err(refused(written, unit, "it has two units")),
        };
        Ok(Self { power, noun })
    }
}

/// By what a number is multiplied to be in the KPI's unit.
fn converted(carried: Option<Carry>, unit: &Unit, told: Option<ValueUnit>) -> Result<(u32, i64), String> {
    let of_span = |span: Span| (span.factor, span.exponent);
    match (&unit.kind, carried) {
        (UnitKind::Duration, Some(Carry::Time(span))) => Ok(of_span(span)),
        (UnitKind::Percent, Some(Carry::Percent)) => Ok((1, 0)),
        (UnitKind::Currency(own), Some(Carry::Currency(code))) if *own == code => Ok((1, 0)),
        // A plain number is in whatever was told, and stays as it is.
        (UnitKind::Number, Some(carry)) if told == Some(carry.into()) => Ok((1, 0)),
        (UnitKind::Number, Some(carry)) => Err(format!(
            "the KPI is a plain number: say --value-unit {} if all its values are in that",
            ValueUnit::from(carry)
        )),
        (_, Some(_)) => Err(format!("the KPI is measured in {}", named(unit))),
        (UnitKind::Duration, None) => Ok(match told {
            Some(ValueUnit::Time(span)) => of_span(span),
            _ => (1, 0),
        }),
        (UnitKind::Percent, None) => Ok(match told {
            Some(ValueUnit::Fraction) => (1, 2),
            _ => (1, 0),
        }),
        (_, None) => Ok((1, 0)),
    }
}

impl From<Carry> for ValueUnit {
    fn from(carry: Carry) -> Self {
        match carry {
            Carry::Percent => Self::Percent,
            Carry::Currency(code) => Self::Currency(code),
            Carry::Time(span) => Self::Time(span),
        }
    }
}

/// The index that a text is on a scale.
fn indexed(written: &Written, labels: &[Box<str>], told: Option<ValueUnit>) -> Result<f64, String> {
    let text = &written.text;
    let exact = labels.iter().position(|label| label == text);
    let label = exact.or_else(|| {
        let folded = text.to_lowercase();
        let mut found = (0..labels.len()).filter(|at| labels[*at].to_lowercase() == folded);
        found.next().filter(|_| found.next().is_none())
    });
    let label = label.map(|at| at as f64);
    let stands_alone = written.prefix.is_empty() && written.suffix.is_empty();
    let number = written
        .number
        .as_ref()
        .filter(|_| stands_alone)
        .map(Decimal::value);
    let found = match told {
        Some(ValueUnit::Label) => label,
        Some(ValueUnit::Index) => number,
        _ => match (label, number) {
            (Some(label), Some(number)) if label != number => {
                return Err(format!(
                    "{text:?} is a label of the scale, of index {label}, and may be the index {number}: say --value-unit \
                     label or index"
                ));
            }
            (label, number) => label.or(number),
        },
    };
    found.ok_or_else(|| {
        let labels: Vec<_> = labels
            .iter()
            .take(LABELS_SHOWN_MAX)
            .map(|label| &**label)
            .collect();
        format!(
            "{text:?} is not on the scale: write {}, or leave such ones out with --missing {text:?}",
            match told {
                Some(ValueUnit::Index) => "the index of a label, from 0".to_owned(),
                _ => format!("one of {}", labels.join(", ")),
            }
        )
    })
}

/// The most labels of a scale that are named.
const LABELS_SHOWN_MAX: usize = 10;

fn checked(number: f64, written: &Written, unit: &Unit) -> Result<Value, String> {
    if number.is_infinite() {
        return Err(format!(
            "{} is out of bounds: at most 1e15 either way",
            written.text
        ));
    }
    let value = Value::parse(number).map_err(|invalid| invalid.to_string())?;
    unit.check(value.get()).map_err(|invalid| invalid.to_string())?;
    Ok(value)
}

fn refused(written: &Written, unit: &Unit, why: &str) -> String {
    format!(
        "{:?} has more than a number, and {why}: write the number alone, in {}",
        written.text,
        match unit.kind {
            UnitKind::Duration => "seconds or with --value-unit".to_owned(),
            _ => named(unit),
        }
    )
}

/// A factor in front of a unit, and the unit: "k€" is 3 and "€".
fn powered(suffix: &str) -> (Option<u32>, &str) {
    let (first, rest) = suffix.split_once(' ').unwrap_or((suffix, ""));
    if let Some(power) = scale(first) {
        return (Some(power), rest.trim_start());
    }
    for prefix in ["k", "K", "M", "bn"] {
        if let (Some(power), Some(rest)) = (scale(prefix), suffix.strip_prefix(prefix))
            && matches!(carry(rest), Ok(Some(Carry::Currency(_))))
        {
            return (Some(power), rest);
        }
    }
    (None, suffix)
}

/// What a text around a number says; nothing: it is no unit that is known.
fn carry(text: &str) -> Result<Option<Carry>, String> {
    if text == "ms" {
        return Ok(Some(Carry::Time(SPANS[0])));
    }
    Ok(match noun(text)? {
        Some(Noun::Percent) => Some(Carry::Percent),
        Some(Noun::Currency(code)) => Some(Carry::Currency(code)),
        Some(Noun::Duration(seconds)) => {
            let span = SPANS
                .iter()
                .find(|span| span.factor == seconds && span.exponent == 0);
            span.map(|span| Carry::Time(*span))
        }
        Some(Noun::Other(_)) | None => None,
    })
}

/// What a KPI is measured in, in words.
fn named(unit: &Unit) -> String {
    match &unit.kind {
        UnitKind::Number => "plain numbers".to_owned(),
        UnitKind::Percent => "percent".to_owned(),
        UnitKind::Currency(code) => code.as_str().to_owned(),
        UnitKind::Duration => "seconds".to_owned(),
        UnitKind::Count => "whole things".to_owned(),
        UnitKind::Scale(_) => "labels of a scale".to_owned(),
    }
}

const fn span(name: &'static str, factor: u32, exponent: i64) -> Span {
    Span {
        name,
        factor,
        exponent,
    }
}

#[cfg(test)]
#[path = "value_unit_tests.rs"]
mod tests;
