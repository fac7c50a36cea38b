//! Small texts: bars, sparklines, numbers with their units, cells of a width.
//!
//! Every function is total: what is absent, infinite or no number has a text too. What comes out of `plain`, and of
//! everything that makes a cell, moves no cursor and turns no line around.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::domain::{Unit, UnitKind, grouped};
use crate::proto::api;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A score from 0 to 1 as a bar; `┊` is where it should be today. No score: dots.
pub(in crate::cli) fn bar(score: Option<f64>, expected: Option<f64>, width: usize) -> String {
    let Some(score) = score.filter(|score| score.is_finite()) else {
        return "·".repeat(width);
    };
    let filled = cells(score, width);
    let mark = expected
        .filter(|expected| expected.is_finite())
        .map(|expected| cells(expected, width));
    (0..width)
        .map(|cell| match cell {
            _ if cell < filled => '█',
            _ if mark == Some(cell + 1) => '┊',
            _ => '░',
        })
        .collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a width of the terminal"
)]
fn cells(share: f64, width: usize) -> usize {
    (share.clamp(0.0, 1.0) * width as f64).round() as usize
}

/// The last values as a sparkline of at most `width` columns, on a scale that also holds the target.
pub(in crate::cli) fn sparkline(values: &[f64], target: Option<f64>, width: usize) -> String {
    let values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let shown = &values[values.len().saturating_sub(width)..];
    let scale = || {
        shown
            .iter()
            .copied()
            .chain(target.filter(|target| target.is_finite()))
    };
    let (low, high) = scale().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    shown
        .iter()
        .map(|value| {
            let share = (value - low) / (high - low);
            // All alike: in the middle.
            let share = if share.is_finite() { share } else { 0.5 };
            LEVELS[cells(share, LEVELS.len() - 1).min(LEVELS.len() - 1)]
        })
        .collect()
}

/// A value in its unit, short: millions as "1.06 M", a duration as "48 min", a step of a scale by its label.
pub(in crate::cli) fn value(value: f64, unit: &api::Unit) -> String {
    let (bare, suffix) = (bare(value, unit), suffix(unit));
    if suffix.is_empty() {
        bare
    } else {
        format!("{bare} {suffix}")
    }
}

/// A value without what stands behind it. A duration is whole as it is, and so is the label of a scale.
pub(in crate::cli) fn bare(value: f64, unit: &api::Unit) -> String {
    match unit.kind() {
        api::unit::Kind::Duration if value.is_finite() => Unit {
            kind: UnitKind::Duration,
            ..Unit::number()
        }
        .text(value),
        api::unit::Kind::Scale => {
            let mut labels = unit.scale_labels.iter().zip(0u32..);
            let label = labels.find(|(_, index)| f64::from(*index) == value);
            label.map_or_else(|| number(value, unit.decimals), |(label, _)| label.clone())
        }
        _ => number(value, unit.decimals),
    }
}

/// A number alone, short.
fn number(value: f64, decimals: Option<u32>) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let (value, more) = if value.abs() >= 1e6 {
        (value / 1e6, " M")
    } else {
        (value, "")
    };
    let places = match decimals {
        Some(decimals) if more.is_empty() => usize::try_from(decimals.min(9)).unwrap_or(0),
        _ => 2,
    };
    let mut text = format!("{value:.places$}");
    let is_free = decimals.is_none() || !more.is_empty();
    if is_free && text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    // A small negative number that is rounded to nothing has no sign.
    let is_zero = text.chars().all(|digit| matches!(digit, '-' | '0' | '.'));
    let text = if is_zero {
        text.trim_start_matches('-')
    } else {
        &text
    };
    grouped(text) + more
}

/// What stands behind a value; nothing behind one that says it itself.
pub(in crate::cli) fn suffix(unit: &api::Unit) -> &str {
    match unit.kind() {
        api::unit::Kind::Percent => "%",
        api::unit::Kind::Currency => &unit.currency_code,
        api::unit::Kind::Duration | api::unit::Kind::Scale => "",
        api::unit::Kind::Unspecified | api::unit::Kind::Number | api::unit::Kind::Count => &unit.symbol,
    }
}

/// The unit of what is judged of a KPI, and of the key results that follow it: of its values, unless those are counted or
/// compared.
pub(in crate::cli) fn judged_unit(kpi: &api::Kpi) -> api::Unit {
    let of_kind = |kind: api::unit::Kind| api::Unit {
        kind: kind.into(),
        ..api::Unit::default()
    };
    match (kpi.transform(), kpi.aggregation()) {
        (api::kpi::Transform::ChangePercent, _) => of_kind(api::unit::Kind::Percent),
        (_, api::Aggregation::Count) => of_kind(api::unit::Kind::Count),
        _ => kpi.unit.clone().unwrap_or_default(),
    }
}

/// A text in exactly so many columns, at the left; what does not fit ends with an ellipsis.
pub(in crate::cli) fn left(text: &str, width: usize) -> String {
    let mut text = cut(text, width);
    text.push_str(&" ".repeat(width.saturating_sub(columns(&text))));
    text
}

/// A text in exactly so many columns, at the right.
pub(in crate::cli) fn right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    " ".repeat(width.saturating_sub(columns(&text))) + &text
}

/// A text in at most so many columns, without anything that a terminal would obey.
pub(in crate::cli) fn cut(text: &str, width: usize) -> String {
    let text = plain(text);
    if columns(&text) <= width {
        return text.into_owned();
    }
    // From the longest that can fit down: a character of two columns may leave one free.
    let room = width.saturating_sub(1);
    let mut ends = text
        .char_indices()
        .map(|(at, _)| at)
        .take(4 * room + 1)
        .collect::<Vec<_>>();
    while let Some(end) = ends.pop() {
        let start = &text[..end];
        // A joiner at the end would take the ellipsis for its other half.
        if columns(start) <= room && !start.ends_with('\u{200d}') {
            let ellipsis = if width > 0 { "…" } else { "" };
            return format!("{start}{ellipsis}");
        }
    }
    String::new()
}

/// How many columns of a terminal a text takes.
pub(in crate::cli) fn columns(text: &str) -> usize {
    text.width()
}

/// A text of people without what a terminal obeys instead of showing it: control characters, and those that turn the
/// direction of a line. White space becomes a space, the rest a replacement character.
pub(in crate::cli) fn plain(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|c| match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        c if obeyed(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_up_to_the_score_and_marks_what_is_expected() {
        for (score, expected, text) in [
            (Some(0.0), None, "░░░░░░░░░░"),
            (Some(0.5), None, "█████░░░░░"),
            (Some(1.0), Some(0.3), "██████████"),
            (Some(0.3), Some(0.6), "███░░┊░░░░"),
            (Some(0.3), Some(0.3), "███░░░░░░░"),
            (Some(0.0), Some(1.0), "░░░░░░░░░┊"),
            (Some(0.0), Some(0.0), "░░░░░░░░░░"),
            (Some(1.7), None, "██████████"),
            (Some(-0.2), None, "░░░░░░░░░░"),
            (None, Some(0.5), "··········"),
            (Some(f64::NAN), Some(0.5), "··········"),
            (Some(0.5), Some(f64::NAN), "█████░░░░░"),
        ] {
            assert_eq!(bar(score, expected, 10), text, "{score:?} {expected:?}");
        }
        assert_eq!(bar(Some(0.5), Some(0.7), 0), "");
    }

    #[test]
    fn a_sparkline_shows_the_last_values_on_one_scale_with_the_target() {
        for (values, target, text) in [
            (
                &[29.0, 33.0, 41.0, 48.0, 44.0, 38.0, 32.0, 29.0][..],
                Some(30.0),
                "▁▂▅█▇▄▂▁",
            ),
            (&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], None, "▁▂▃▄▅▆▇█"),
            (
                &[9.0, 9.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                None,
                "▁█▁▁▁▁▁▁",
            ),
            (&[5.0], Some(10.0), "▁"),
            (&[10.0], Some(5.0), "█"),
            (&[5.0, 5.0], None, "▅▅"),
            (&[5.0, f64::NAN, f64::INFINITY], Some(f64::NAN), "▅"),
            (&[], Some(1.0), ""),
        ] {
            assert_eq!(sparkline(values, target, 8), text, "{values:?} {target:?}");
        }
    }

    #[test]
    fn a_number_is_short_and_a_value_has_its_unit() {
        let unit = |kind: api::unit::Kind, code: &str, symbol: &str, decimals| api::Unit {
            kind: kind.into(),
            currency_code: code.to_owned(),
            symbol: symbol.to_owned(),
            decimals,
            scale_labels: Vec::new(),
        };
        use api::unit::Kind;
        let plain = unit(Kind::Number, "", "", None);
        for (number, unit, text) in [
            (55_000.0, unit(Kind::Currency, "BRL", "", Some(0)), "55,000 BRL"),
            (
                1_060_000.0,
                unit(Kind::Currency, "BRL", "", Some(0)),
                "1.06 M BRL",
            ),
            (7e6, unit(Kind::Currency, "USD", "", Some(0)), "7 M USD"),
            (3.2, unit(Kind::Percent, "", "", Some(2)), "3.20 %"),
            (29.0, unit(Kind::Number, "", "min", Some(0)), "29 min"),
            (-1234.5, plain.clone(), "-1,234.5"),
            (-0.001, plain.clone(), "0"),
            (100.0, plain.clone(), "100"),
            (f64::NAN, plain.clone(), "–"),
            (f64::INFINITY, plain, "–"),
            (2_880.0, unit(Kind::Duration, "", "", None), "48 min"),
            (9_000.0, unit(Kind::Duration, "", "s", Some(1)), "2 h 30 min"),
            (f64::NAN, unit(Kind::Duration, "", "", None), "–"),
            (1_500.0, unit(Kind::Count, "", "visits", None), "1,500 visits"),
        ] {
            assert_eq!(value(number, &unit), text);
        }
    }

    #[test]
    fn a_step_of_a_scale_is_its_label_and_between_two_it_is_a_number() {
        let scale = api::Unit {
            kind: api::unit::Kind::Scale.into(),
            symbol: "!".to_owned(),
            scale_labels: ["bad", "good"].map(ToOwned::to_owned).to_vec(),
            ..api::Unit::default()
        };
        for (step, text) in [
            (0.0, "bad"),
            (1.0, "good"),
            (0.5, "0.5"),
            (2.0, "2"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(value(step, &scale), text);
        }
    }

    #[test]
    fn what_is_judged_of_a_kpi_has_the_unit_of_what_it_is_made_into() {
        let kpi = |transform: api::kpi::Transform, aggregation: api::Aggregation| api::Kpi {
            unit: Some(api::Unit {
                kind: api::unit::Kind::Currency.into(),
                currency_code: "BRL".to_owned(),
                ..api::Unit::default()
            }),
            transform: transform.into(),
            aggregation: aggregation.into(),
            ..api::Kpi::default()
        };
        use api::Aggregation::{Count, Sum};
        use api::kpi::Transform::{ChangePercent, Unspecified};
        for (transform, aggregation, text) in [
            (Unspecified, Sum, "12 BRL"),
            (Unspecified, Count, "12"),
            (ChangePercent, Sum, "12 %"),
            (ChangePercent, Count, "12 %"),
        ] {
            assert_eq!(value(12.0, &judged_unit(&kpi(transform, aggregation))), text);
        }
        assert_eq!(judged_unit(&api::Kpi::default()), api::Unit::default());
    }

    #[test]
    fn a_cell_has_its_width() {
        assert_eq!(left("score", 7), "score  ");
        assert_eq!(right("score", 7), "  score");
        assert_eq!(left("Annual revenue", 8), "Annual …");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
    }

    #[test]
    fn a_cell_has_its_width_with_characters_of_two_columns_and_of_none() {
        for (text, width, cell) in [
            ("売上高", 6, "売上高"),
            ("売上高", 7, "売上高 "),
            ("売上高", 5, "売上…"),
            ("売上高", 4, "売… "),
            ("売上高", 1, "…"),
            ("🚀 Grow", 7, "🚀 Grow"),
            ("🚀 Grow", 6, "🚀 Gr…"),
            ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"),
            ("e\u{301}te\u{301}", 2, "e\u{301}…"),
            ("👩‍🚀👩‍🚀", 3, "👩‍🚀…"),
        ] {
            assert_eq!(left(text, width), cell, "{text} in {width}");
            assert_eq!(columns(&left(text, width)), width, "{text} in {width}");
            assert_eq!(columns(&right(text, width)), width, "{text} in {width}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_something_else() {
        for (text, shown) in [
            ("Grow by 10 %", "Grow by 10 %"),
            ("a\x1b[2Jb", "a�[2Jb"),
            ("a\u{9b}31mb", "a�31mb"),
            ("a\tb\r\nc", "a b  c"),
            ("a\u{202e}b", "a�b"),
            ("a\u{7f}\u{0}b", "a��b"),
            ("売上高 👩‍🚀", "売上高 👩‍🚀"),
        ] {
            assert_eq!(plain(text), shown);
            assert_eq!(cut(text, 40), shown);
        }
    }
}
