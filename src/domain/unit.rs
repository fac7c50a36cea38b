//! What a value is a number of.

use serde::Serialize;

use super::Invalid;

/// Unit of a KPI's or a key result's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// The kind of quantity.
    pub kind: UnitKind,
    /// Shown after a value; at most 20 characters.
    pub symbol: Box<str>,
    /// Decimals shown, 0 to 9; none: as many as the value has.
    pub decimals: Option<u8>,
}

/// The kind of quantity a value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnitKind {
    /// A plain number.
    Number,
    /// Percent: 3.2 means 3.2 %.
    Percent,
    /// Money: an ISO 4217 code.
    Currency(CurrencyCode),
    /// Seconds.
    Duration,
    /// Whole things counted.
    Count,
    /// Ordered labels, 2 to 100; a value is an index from 0.
    Scale(Box<[Box<str>]>),
}

/// An ISO 4217 code by its shape: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode([u8; 3]);

impl Unit {
    /// A plain number.
    #[must_use]
    pub fn number() -> Self {
        Self {
            kind: UnitKind::Number,
            symbol: "".into(),
            decimals: None,
        }
    }

    /// Parses a unit's symbol and decimals.
    ///
    /// # Errors
    /// The symbol is over 20 characters, or there are more than 9 decimals.
    pub fn parse(kind: UnitKind, symbol: &str, decimals: Option<u32>) -> Result<Self, Invalid> {
        if symbol.chars().count() > 20 {
            return Err(Invalid::new("the symbol is too long: at most 20 characters"));
        }
        let decimals = match decimals.map(u8::try_from) {
            None => None,
            Some(Ok(decimals @ 0..=9)) => Some(decimals),
            Some(_) => return Err(Invalid::new("there are too many decimals: 0 to 9")),
        };
        Ok(Self {
            kind,
            symbol: symbol.into(),
            decimals,
        })
    }

    /// Whether a value makes sense in this unit.
    ///
    /// # Errors
    /// A scale has no such label; a count is not whole or is negative.
    pub fn check(&self, value: f64) -> Result<(), Invalid> {
        match &self.kind {
            UnitKind::Scale(labels)
                if value < 0.0 || value.fract() != 0.0 || value >= labels.len() as f64 =>
            {
                Err(Invalid::new(format!(
                    "{value} is not on the scale: send the index of a label, 0 to {}",
                    labels.len() - 1
                )))
            }
            UnitKind::Count if value < 0.0 || value.fract() != 0.0 => Err(Invalid::new(format!(
                "{value} is no count: send a whole number from 0 up"
            ))),
            _ => Ok(()),
        }
    }
}

impl Unit {
    /// A value as people read it: "45.2 %", "50,000 BRL", "2 h 30 min", the label of a scale.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        let number = self.number_text(value);
        match &self.kind {
            UnitKind::Percent => format!("{number} %"),
            UnitKind::Currency(code) => format!("{number} {}", code.as_str()),
            UnitKind::Duration => duration_text(value),
            UnitKind::Scale(labels) => label(labels, value).map_or(number, str::to_owned),
            UnitKind::Number | UnitKind::Count if self.symbol.is_empty() => number,
            UnitKind::Number | UnitKind::Count => format!("{number} {}", self.symbol),
        }
    }

    /// A computed value as people read it: where the unit does not say how many decimals, at most four.
    #[must_use]
    pub fn short_text(&self, value: f64) -> String {
        self.text((value * 1e4).round() / 1e4)
    }

    fn number_text(&self, value: f64) -> String {
        let text = match self.decimals {
            Some(decimals) => format!("{value:.*}", usize::from(decimals)),
            // A number has 15 digits; what is behind them is what computing left: 0.1 + 0.2 is 0.3.
            None => format!("{value:.14e}").parse().unwrap_or(value).to_string(),
        };
        // A small negative number that is rounded to nothing has no sign.
        let is_zero = !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        grouped(if is_zero {
            text.trim_start_matches('-')
        } else {
            &text
        })
    }
}

/// The label that a whole number on the scale is.
fn label(labels: &[Box<str>], value: f64) -> Option<&str> {
    let found = labels
        .iter()
        .enumerate()
        .find(|(index, _)| *index as f64 == value);
    found.map(|(_, label)| label.as_ref())
}

/// A comma before every third digit of a written number's whole part, from the right.
#[must_use]
pub fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let sign_len = usize::from(whole.starts_with('-'));
    let (sign, digits) = whole.split_at(sign_len);
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// Seconds in the two largest of days, hours, minutes and seconds that they have.
fn duration_text(seconds: f64) -> String {
    let spans = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)];
    let amount = seconds.abs();
    // Rounded first, so that 119.7 s are 2 min and not 1 min 60 s; what that makes a full minute, hour or day is one.
    let (mut largest, mut rounded) = (3, (amount * 1000.0).round() / 1000.0);
    for (index, (_, span)) in spans.iter().enumerate().take(3).rev() {
        let next_span = spans[index + 1].1;
        if rounded >= *span {
            (largest, rounded) = (index, (amount / next_span).round() * next_span);
        }
    }
    let sign = if seconds < 0.0 && rounded > 0.0 { "-" } else { "" };
    let (name, span) = spans[largest];
    let Some((next_name, next_span)) = spans.get(largest + 1) else {
        return format!("{sign}{rounded} {name}");
    };
    let whole = (rounded / span).floor();
    let rest = ((rounded - whole * span) / next_span).round();
    match rest {
        0.0 => format!("{sign}{} {name}", grouped(&whole.to_string())),
        rest => format!("{sign}{} {name} {rest} {next_name}", grouped(&whole.to_string())),
    }
}

impl UnitKind {
    /// A scale from its labels, the lowest first.
    ///
    /// # Errors
    /// There are fewer than 2 or more than 100, or a label is empty or over 63 characters.
    pub fn scale(labels: &[String]) -> Result<Self, Invalid> {
        let in_bounds = |label: &String| (1..=63).contains(&label.chars().count());
        if !(2..=100).contains(&labels.len()) || !labels.iter().all(in_bounds) {
            return Err(Invalid::new("a scale has 2 to 100 labels of 1 to 63 characters"));
        }
        Ok(Self::Scale(
            labels.iter().map(|label| label.as_str().into()).collect(),
        ))
    }
}

impl CurrencyCode {
    /// Parses a code.
    ///
    /// # Errors
    /// It is not three capital letters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(Invalid::new(format!(
                "{text:?} is no currency: write its ISO 4217 code, for example \"BRL\""
            ))),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for CurrencyCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_its_unit() {
        let scale = UnitKind::scale(&["red".into(), "yellow".into(), "green".into()]).expect("a scale");
        let scale = Unit::parse(scale, "", None).expect("a unit");
        assert!(scale.check(2.0).is_ok());
        for bad in [-1.0, 3.0, 0.5] {
            assert!(scale.check(bad).is_err(), "{bad} was taken");
        }
        let count = Unit::parse(UnitKind::Count, "visitors", Some(0)).expect("a unit");
        assert!(count.check(7.0).is_ok() && count.check(-1.0).is_err() && count.check(1.5).is_err());
        assert!(Unit::number().check(-1.5).is_ok());
    }

    #[test]
    fn what_computing_left_behind_the_digits_of_a_number_is_not_shown() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (86.0 / 3.0, "28.6666666666667"),
            (-0.1 * 3.0, "-0.3"),
            (1e15, "1,000,000,000,000,000"),
            (123_456_789_012.34, "123,456,789,012.34"),
            (0.000_000_001, "0.000000001"),
            (0.0, "0"),
        ] {
            assert_eq!(Unit::number().text(value), text);
        }
    }

    #[test]
    fn a_unit_has_bounds() {
        assert!(Unit::parse(UnitKind::Number, &"x".repeat(21), None).is_err());
        assert!(Unit::parse(UnitKind::Number, "", Some(10)).is_err());
        assert!(CurrencyCode::parse("BRL").is_ok());
        assert!(CurrencyCode::parse("brl").is_err() && CurrencyCode::parse("R$").is_err());
        assert!(UnitKind::scale(&["one".into()]).is_err());
    }
}
