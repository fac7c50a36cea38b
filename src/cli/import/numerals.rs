//! How numbers are written in a file: which mark stands before the decimals, and which one separates thousands.
//!
//! Invariant: a text is read in exactly one way, the told one; what another convention would read is only advice.
//! Digits stay a decimal text until their unit is known, so that 0.942 times 100 is 94.2. It deliberately does not know
//! units.

use std::fmt;

use clap::ValueEnum;

/// The mark before the decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum DecimalMark {
    /// 1234.56
    #[default]
    Point,
    /// 1234,56
    Comma,
}

/// What separates thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Separator {
    /// Nothing: 1234567
    None,
    /// 1,234,567
    Comma,
    /// 1.234.567
    Point,
    /// 1 234 567, also with a space that does not break the line
    Space,
    /// 1'234'567
    Apostrophe,
}

/// The conventions that a file follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numerals {
    decimal: DecimalMark,
    /// None: whatever cannot be taken for the decimal mark, where that is a comma; nothing, where it is a point.
    thousands: Option<Separator>,
}

/// A number as its digits say it, not rounded to a binary fraction yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// The digits without leading zeros; none: zero.
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

/// The most digits of a number that are multiplied exactly: more do not fit into an integer.
const EXACT_DIGITS_MAX: usize = 28;

impl Numerals {
    /// Of JSON and of whoever has told nothing: 1234.56.
    pub(super) const PLAIN: Self = Self {
        decimal: DecimalMark::Point,
        thousands: None,
    };

    /// From what was told.
    ///
    /// # Errors
    /// One mark would mean both.
    pub(super) fn told(decimal: DecimalMark, thousands: Option<Separator>) -> Result<Self, String> {
        match (decimal, thousands) {
            (DecimalMark::Point, Some(Separator::Point)) | (DecimalMark::Comma, Some(Separator::Comma)) => {
                Err(
                    "--decimal and --thousands are the same mark: say which one stands before the decimals"
                        .to_owned(),
                )
            }
            _ => Ok(Self { decimal, thousands }),
        }
    }

    /// Reads a number without a unit: a sign, digits with or without separators, decimals, an exponent.
    pub(super) fn read(self, text: &str) -> Option<Decimal> {
        let (is_negative, unsigned) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (unsigned, 0),
        };
        let mark = match self.decimal {
            DecimalMark::Point => '.',
            DecimalMark::Comma => ',',
        };
        let (whole, decimals) = match mantissa.split_once(mark) {
            Some((whole, decimals)) if is_digits(decimals) => (whole, decimals),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let whole = match whole {
            "" if !decimals.is_empty() => String::new(),
            whole => self.ungrouped(whole)?,
        };
        let digits = format!("{whole}{decimals}");
        Some(Decimal {
            is_negative,
            digits: digits.trim_start_matches('0').to_owned(),
            exponent: exponent.saturating_sub(i64::try_from(decimals.len()).ok()?),
        })
    }

    /// What other conventions would read, each with the flag that tells it: `--decimal comma would read 1.5`.
    pub(super) fn advice(self, text: &str) -> Option<String> {
        let others = [
            (DecimalMark::Comma, None, "--decimal comma"),
            (DecimalMark::Point, None, "--decimal point"),
            (DecimalMark::Point, Some(Separator::Comma), "--thousands comma"),
            (DecimalMark::Point, Some(Separator::Space), "--thousands space"),
            (
                DecimalMark::Point,
                Some(Separator::Apostrophe),
                "--thousands apostrophe",
            ),
        ];
        let mut said: Vec<String> = Vec::new();
        for (decimal, thousands, flag) in others {
            let other = Self { decimal, thousands };
            let Some(read) = other.read(text) else {
                continue;
            };
            // The nearest remedy is enough: no separator where there is none, and no comma where there are only spaces.
            let is_plain = thousands.is_some() && Self::PLAIN.read(text).is_some();
            let is_far = decimal == DecimalMark::Comma
                && self.decimal == DecimalMark::Point
                && !text.contains([',', '.']);
            if is_plain || is_far {
                continue;
            }
            let flag = match (self.decimal, decimal) {
                (DecimalMark::Comma, DecimalMark::Comma) => "another --thousands, or none,".to_owned(),
                (DecimalMark::Comma, DecimalMark::Point) if thousands.is_some() => {
                    format!("--decimal point {flag}")
                }
                _ => flag.to_owned(),
            };
            said.push(match said.is_empty() {
                true => format!("{flag} would read {}", read.value()),
                false => format!("{flag} {}", read.value()),
            });
        }
        (!said.is_empty()).then(|| said.join(", "))
    }

    /// Digits without their separators, which stand at every third place or nowhere.
    fn ungrouped(self, whole: &str) -> Option<String> {
        if is_digits(whole) {
            return Some(whole.to_owned());
        }
        let separator = whole.chars().find_map(separator)?;
        let is_allowed = match (self.thousands, self.decimal) {
            (Some(told), _) => told == separator,
            (None, DecimalMark::Comma) => separator != Separator::Comma,
            (None, DecimalMark::Point) => false,
        };
        let groups: Vec<&str> = whole.split(|c| self::separator(c) == Some(separator)).collect();
        let (first, rest) = groups.split_first()?;
        // "0.942" is never 942: no thousands begin with a zero.
        let is_grouped = is_allowed
            && is_digits(first)
            && first.len() <= 3
            && !first.starts_with('0')
            && rest.iter().all(|group| group.len() == 3 && is_digits(group));
        is_grouped.then(|| groups.concat())
    }
}

impl Decimal {
    /// The nearest value; infinite where it is too large for one.
    pub(super) fn value(&self) -> f64 {
        self.times(1, 0)
    }

    /// The nearest value to this number, times a factor, times ten to the power of `exponent`.
    pub(super) fn times(&self, factor: u32, exponent: i64) -> f64 {
        let exponent = self.exponent.saturating_add(exponent);
        let magnitude = match self.digits.parse::<u128>() {
            _ if self.digits.is_empty() => 0.0,
            Ok(digits) if self.digits.len() <= EXACT_DIGITS_MAX => {
                parsed(&(digits * u128::from(factor)).to_string(), exponent)
            }
            _ => parsed(&self.digits, exponent) * f64::from(factor),
        };
        match self.is_negative {
            true => -magnitude,
            false => magnitude,
        }
    }

    /// The other way round; what a minus in front of a currency says.
    pub(super) fn negated(self) -> Self {
        Self {
            is_negative: !self.is_negative,
            ..self
        }
    }
}

impl fmt::Display for Numerals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.decimal {
            DecimalMark::Point => "1234.5",
            DecimalMark::Comma => "1234,5",
        })
    }
}

fn parsed(digits: &str, exponent: i64) -> f64 {
    // Digits and an exponent are always a number; the standard library rounds it rightly.
    format!("{digits}e{exponent}").parse().unwrap_or(f64::INFINITY)
}

fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return None;
    }
    let magnitude = digits.parse().unwrap_or(i64::from(i32::MAX));
    Some(match text.starts_with('-') {
        true => -magnitude,
        false => magnitude,
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn separator(c: char) -> Option<Separator> {
    match c {
        ',' => Some(Separator::Comma),
        '.' => Some(Separator::Point),
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => Some(Separator::Space),
        '\'' | '\u{2019}' => Some(Separator::Apostrophe),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Numerals = Numerals {
        decimal: DecimalMark::Comma,
        thousands: None,
    };

    fn with(thousands: Separator) -> Numerals {
        Numerals {
            thousands: Some(thousands),
            ..Numerals::PLAIN
        }
    }

    #[test]
    fn a_number_is_read_only_as_it_was_told_to_be_written() {
        let (plain, none) = (Numerals::PLAIN, None);
        for (numerals, text, expect) in [
            (plain, "1234.56", Some(1234.56)),
            (plain, "-0.5", Some(-0.5)),
            (plain, "−3", Some(-3.0)),
            (plain, "+1.50", Some(1.5)),
            (plain, ".5", Some(0.5)),
            (plain, "1e3", Some(1000.0)),
            (plain, "1.5E-2", Some(0.015)),
            (plain, "007", Some(7.0)),
            (plain, "1,5", none),
            (plain, "1,234", none),
            (plain, "1,234.56", none),
            (plain, "1.234,56", none),
            (plain, "1 234", none),
            (plain, "1'234", none),
            (plain, "1.234.567", none),
            (plain, "1.", none),
            (plain, "--1", none),
            (plain, "1e", none),
            (plain, "1e5.5", none),
            (plain, "", none),
            (plain, "٣", none),
            (COMMA, "1.234,56", Some(1234.56)),
            (COMMA, "1 234,56", Some(1234.56)),
            (COMMA, "1\u{a0}234\u{202f}567,8", Some(1_234_567.8)),
            (COMMA, "1'234,56", Some(1234.56)),
            (COMMA, "1’234’567", Some(1_234_567.0)),
            (COMMA, "-1.234", Some(-1234.0)),
            (COMMA, "0,942", Some(0.942)),
            (COMMA, "1234,5", Some(1234.5)),
            (COMMA, "0.942", none),
            (COMMA, "1.5", none),
            (COMMA, "12.34,5", none),
            (COMMA, "1.234 567,8", none),
            (COMMA, "1,234,567", none),
            (COMMA, "1,234.56", none),
            (COMMA, "1234.567", none),
            (with(Separator::Comma), "1,234.56", Some(1234.56)),
            (with(Separator::Comma), "1,234,567", Some(1_234_567.0)),
            (with(Separator::Comma), "1234.5", Some(1234.5)),
            (with(Separator::Comma), "1,5", none),
            (with(Separator::Comma), "12,34,567", none),
            (with(Separator::Comma), "0,123", none),
            (with(Separator::Comma), ",123", none),
            (with(Separator::Comma), "1,234,", none),
            (with(Separator::Space), "1 234.5", Some(1234.5)),
            (with(Separator::Space), "1,234.5", none),
            (with(Separator::Space), "1  234", none),
            (with(Separator::Apostrophe), "1'234.5", Some(1234.5)),
            (with(Separator::None), "1 234", none),
        ] {
            let got = numerals.read(text).map(|read| read.value());
            assert_eq!(got, expect, "{text:?} as {numerals:?}");
        }
        let only_spaces = Numerals::told(DecimalMark::Comma, Some(Separator::Space)).expect("a convention");
        assert!(only_spaces.read("1 234,5").is_some() && only_spaces.read("1.234,5").is_none());
    }

    #[test]
    fn one_mark_cannot_mean_both() {
        assert!(Numerals::told(DecimalMark::Point, Some(Separator::Point)).is_err());
        assert!(Numerals::told(DecimalMark::Comma, Some(Separator::Comma)).is_err());
    }

    #[test]
    fn advice_names_the_flag_and_what_it_would_read() {
        for (numerals, text, expect) in [
            (
                Numerals::PLAIN,
                "1.234,56",
                Some("--decimal comma would read 1234.56"),
            ),
            (
                Numerals::PLAIN,
                "1,234.56",
                Some("--thousands comma would read 1234.56"),
            ),
            (
                Numerals::PLAIN,
                "1,234",
                Some("--decimal comma would read 1.234, --thousands comma 1234"),
            ),
            (
                Numerals::PLAIN,
                "1 234",
                Some("--thousands space would read 1234"),
            ),
            (
                Numerals::PLAIN,
                "1'234.5",
                Some("--thousands apostrophe would read 1234.5"),
            ),
            (
                COMMA,
                "1,234.5",
                Some("--decimal point --thousands comma would read 1234.5"),
            ),
            (COMMA, "1.5", Some("--decimal point would read 1.5")),
            (
                Numerals {
                    thousands: Some(Separator::Space),
                    ..COMMA
                },
                "1.234,5",
                Some("another --thousands, or none, would read 1234.5"),
            ),
            (Numerals::PLAIN, "abc", None),
            (Numerals::PLAIN, "12x", None),
        ] {
            assert_eq!(numerals.advice(text).as_deref(), expect, "{text:?}");
        }
    }

    #[test]
    fn a_factor_is_exact() {
        for (text, factor, exponent, expect) in [
            ("0.942", 1, 2, 94.2),
            ("1.1", 3600, 0, 3960.0),
            ("0.1", 60, 0, 6.0),
            ("48", 1, -3, 0.048),
            ("-1.005", 1, 3, -1005.0),
            ("0.000", 60, 3, 0.0),
        ] {
            let read = Numerals::PLAIN.read(text).expect(text);
            assert_eq!(read.times(factor, exponent), expect, "{text}");
        }
        let huge = Numerals::PLAIN.read(&"9".repeat(400)).expect("digits");
        assert!(huge.times(60, 0).is_infinite());
        assert_eq!(
            Numerals::PLAIN
                .read("1e-99999999999999999999")
                .expect("tiny")
                .value(),
            0.0
        );
        assert!(
            Numerals::PLAIN
                .read("1e99999999999999999999")
                .expect("vast")
                .value()
                .is_infinite()
        );
    }

    /// Writes a number as a convention has it.
    fn written(number: f64, decimal: char, thousands: &str) -> String {
        let plain = format!("{}", number.abs());
        let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped += thousands;
            }
            grouped.push(digit);
        }
        let sign = if number.is_sign_negative() { "-" } else { "" };
        match decimals {
            "" => format!("{sign}{grouped}"),
            decimals => format!("{sign}{grouped}{decimal}{decimals}"),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_a_convention_is_read_as_it_was(
            number in prop_oneof![-1e15..1e15_f64, -1e3..1e3_f64, (-1_000_000_000_i64..1_000_000_000).prop_map(|whole| whole as f64)],
        ) {
            for (decimal, mark, thousands, separators) in [
                (DecimalMark::Point, '.', None, &[""][..]),
                (DecimalMark::Point, '.', Some(Separator::Comma), &["", ","]),
                (DecimalMark::Point, '.', Some(Separator::Space), &["", " ", "\u{a0}", "\u{202f}"]),
                (DecimalMark::Point, '.', Some(Separator::Apostrophe), &["'", "’"]),
                (DecimalMark::Comma, ',', None, &["", ".", " ", "\u{a0}", "'"]),
                (DecimalMark::Comma, ',', Some(Separator::Point), &["", "."]),
            ] {
                for separator in separators {
                    let numerals = Numerals::told(decimal, thousands).expect("a convention");
                    let text = written(number, mark, separator);
                    let read = numerals.read(&text).map(|read| read.value());
                    prop_assert_eq!(read, Some(number), "{}", text);
                }
            }
        }

        #[test]
        fn no_text_makes_reading_a_number_panic(text in "([0-9]|[-+−.,'’ eE\u{a0}]|\\PC){0,60}") {
            for numerals in [Numerals::PLAIN, COMMA, with(Separator::Space)] {
                let read = numerals.read(&text);
                let _advice = numerals.advice(&text);
                if let Some(read) = read {
                    prop_assert!(!read.times(604_800, 9).is_nan());
                }
            }
        }
    }
}
