//! A value as a file writes it: a number with what stands around it, or a text.
//!
//! It deliberately does not know what the KPI is measured in (`settle`), so what stands around the number has no meaning
//! yet.

use super::numerals::{Decimal, Numerals};
use super::rows::Cell;

/// One value before its unit is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// As it stands in the file.
    pub(super) text: Box<str>,
    /// The number in it.
    pub(super) number: Option<Decimal>,
    /// What stands before the number: "R$".
    pub(super) prefix: Box<str>,
    /// What stands behind it: "%", "min", "M".
    pub(super) suffix: Box<str>,
    /// How its number was to be written.
    numerals: Numerals,
}

impl Written {
    /// A text in a file's own conventions.
    pub(super) fn of_text(text: &str, numerals: Numerals) -> Self {
        let (prefix, number, suffix) = parts(text);
        let (is_minus, prefix) = unsigned(prefix);
        let read = numerals.read(number).filter(|_| !number.is_empty());
        // "-$5" and "$-5" are the same; two signs are none of both.
        let number = match (is_minus, read) {
            (true, Some(_)) if number.starts_with(['-', '+', '\u{2212}']) => None,
            (true, Some(read)) => Some(read.negated()),
            (_, read) => read,
        };
        Self {
            text: text.into(),
            number,
            prefix: prefix.into(),
            suffix: suffix.into(),
            numerals,
        }
    }

    /// What stands in a cell. JSON writes its numbers in its own way, whatever a file's texts follow.
    pub(super) fn of_cell(cell: &Cell, numerals: Numerals) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(Self::of_text(text, numerals)),
            Cell::Number(text) => Some(Self::of_text(text, Numerals::PLAIN)),
            Cell::Bool(true) => Some(Self::of_text("true", numerals)),
            Cell::Bool(false) => Some(Self::of_text("false", numerals)),
            Cell::Nested => None,
        }
    }

    /// Why there is no number in it, and what to do.
    pub(super) fn why_no_number(&self) -> String {
        let Self { text, numerals, .. } = self;
        let (_, number, _) = parts(text);
        if number.is_empty() {
            return format!(
                "{text:?} is no number: fill it in, or leave such ones out with --missing {text:?}"
            );
        }
        match numerals.advice(number) {
            Some(advice) => format!("{text:?} is not a number: {advice}"),
            None => format!("{text:?} is not a number: write it as {numerals}"),
        }
    }
}

/// What stands before the first digit, the number up to the last digit, and what stands behind it.
fn parts(text: &str) -> (&str, &str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let (Some(first), Some(last)) = (text.find(is_digit), text.rfind(is_digit)) else {
        return (text.trim(), "", "");
    };
    let (before, rest) = text.split_at(first);
    let (number, behind) = rest.split_at(last + 1 - first);
    // What is glued to the digits belongs to them: a sign, and the mark of ".5".
    let glued = before.trim_end_matches(['.', ',', '-', '+', '\u{2212}']);
    let number = &text[glued.len()..before.len() + number.len()];
    (glued.trim(), number, behind.trim())
}

/// Whether a prefix has a minus of its own: "-R$".
fn unsigned(prefix: &str) -> (bool, &str) {
    match prefix.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, prefix),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::numerals::{DecimalMark, Separator};
    use super::*;

    fn check(text: &str, prefix: &str, number: Option<f64>, suffix: &str) {
        let written = Written::of_text(text, Numerals::PLAIN);
        let got = (
            &*written.prefix,
            written.number.map(|number| number.value()),
            &*written.suffix,
        );
        assert_eq!(got, (prefix, number, suffix), "{text:?}");
    }

    #[test]
    fn a_number_is_parted_from_what_stands_around_it() {
        check("48", "", Some(48.0), "");
        check("48 min", "", Some(48.0), "min");
        check("94.1%", "", Some(94.1), "%");
        check("R$ 50", "R$", Some(50.0), "");
        check("-R$ 50", "R$", Some(-50.0), "");
        check("− €5", "€", Some(-5.0), "");
        check("$-5", "$", Some(-5.0), "");
        check("USD .5 M", "USD", Some(0.5), "M");
        check("1.5e3", "", Some(1500.0), "");
        check("5 m²", "", Some(5.0), "m²");
        check("-$-5", "$", None, "");
        check("1-2", "", None, "");
        check("5 k 3", "", None, "");
        check("good", "good", None, "");
        check("-", "", None, "");
        check("", "", None, "");
    }

    #[test]
    fn json_numbers_are_read_as_json_whatever_the_texts_follow() {
        let comma = Numerals::told(DecimalMark::Comma, Some(Separator::Point)).expect("a convention");
        let value = |cell: Cell| {
            let written = Written::of_cell(&cell, comma).expect("a value");
            written.number.map(|number| number.value())
        };
        assert_eq!(value(Cell::Number("1.234".into())), Some(1.234));
        assert_eq!(value(Cell::Text("1.234".into())), Some(1234.0));
        assert_eq!(value(Cell::Bool(true)), None);
        assert_eq!(Written::of_cell(&Cell::Nested, comma), None);
    }

    #[test]
    fn what_is_no_number_is_told_with_the_remedy() {
        let said = |text: &str| Written::of_text(text, Numerals::PLAIN).why_no_number();
        assert_eq!(
            said("N/A"),
            "\"N/A\" is no number: fill it in, or leave such ones out with --missing \"N/A\""
        );
        assert_eq!(
            said("R$ 1.234,56"),
            "\"R$ 1.234,56\" is not a number: --decimal comma would read 1234.56"
        );
        assert_eq!(said("1-2"), "\"1-2\" is not a number: write it as 1234.5");
    }

    proptest! {
        #[test]
        fn no_text_makes_parting_a_value_panic(text in "([0-9]|[-+−.,'’ eE%$€\u{a0}]|\\PC){0,40}") {
            let written = Written::of_text(&text, Numerals::PLAIN);
            let _said = written.why_no_number();
            if let Some(number) = written.number {
                prop_assert!(!number.value().is_nan());
            }
        }
    }
}
