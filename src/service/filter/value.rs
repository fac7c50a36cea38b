//! The values in a filter, and how those of a resource compare with them.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::condition::FullName;
use super::syntax::Operator;
use crate::domain::{Alignment, Id, Invalid, TOLERANCE, Timestamp};
use crate::service::names;

/// What a text is asked for.
type TextTest = Box<dyn Fn(Option<&str>) -> bool + Send + Sync>;

/// How much of a bad text a sentence repeats, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// A text: `:` asks for a part of it in capitals or small letters, the others for its place in the order.
pub(super) fn text_test(by: Operator, sought: &str) -> TextTest {
    if by == Operator::Has {
        let part = folded(sought);
        return Box::new(move |text| text.is_some_and(|text| folded(text).contains(&part)));
    }
    let sought = sought.to_owned();
    if by.is_equality() {
        return Box::new(move |text| by.holds(text.map(|text| text.cmp(&sought))));
    }
    let sought = (folded(&sought), sought);
    Box::new(move |text| {
        let order = |text: &str| folded(text).cmp(&sought.0).then_with(|| text.cmp(&sought.1));
        by.holds(text.map(order))
    })
}

/// In small letters, one character at a time, so that a part of a text stays a part of it.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Two numbers that differ by 1e-9 at most are the same, as everywhere where scores are compared with a bound.
pub(super) fn order(number: f64, sought: f64) -> Ordering {
    if (number - sought).abs() <= TOLERANCE {
        Ordering::Equal
    } else {
        number.total_cmp(&sought)
    }
}

pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| format!("{:?} is no number, write it like 0.7", shown(text)))
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let read: Option<jiff::Timestamp> = text.parse().ok();
    read.map(|at| Timestamp::from_micros(at.as_microsecond()))
        .ok_or_else(|| {
            format!(
                "{:?} is no time, write it like \"2026-01-31T09:00:00Z\"",
                shown(text)
            )
        })
}

pub(super) fn date(text: &str) -> Result<Date, String> {
    // A date that goes on as a time of day parses too.
    text.parse()
        .ok()
        .filter(|date: &Date| date.to_string() == text)
        .ok_or_else(|| format!("{:?} is no date, write it like \"2026-01-31\"", shown(text)))
}

/// One of an enum's values, without the prefix that it has in the protos.
pub(super) fn word(words: &'static [&'static str], text: &str) -> Result<&'static str, String> {
    let found = words.iter().find(|word| **word == text);
    found.copied().ok_or_else(|| {
        format!(
            "{:?} is none of its values, use one of {}",
            shown(text),
            words.join(", ")
        )
    })
}

/// A resource by its full name or its id.
pub(super) fn reference(full_name: FullName, text: &str, workspace: Option<&Id>) -> Result<Id, String> {
    if text.contains('/') {
        given(full_name(workspace, text))
    } else {
        id(text)
    }
}

/// An objective by its full name or its id, or a key result by its full name.
pub(super) fn alignment(text: &str, workspace: Option<&Id>) -> Result<Alignment, String> {
    if text.contains('/') {
        given(names::alignment_reference(workspace, text))
    } else {
        id(text).map(Alignment::Objective)
    }
}

/// A key result by its full name, or by its id, of whatever objective.
pub(super) fn key_result(text: &str, workspace: Option<&Id>) -> Result<(Option<Id>, Id), String> {
    if text.contains('/') {
        let found = given(names::key_result_reference(workspace, text))?;
        Ok((Some(found.objective), found.id))
    } else {
        id(text).map(|id| (None, id))
    }
}

fn given<T>(read: Result<Option<T>, Invalid>) -> Result<T, String> {
    read.and_then(names::given).map_err(|invalid| invalid.to_string())
}

fn id(text: &str) -> Result<Id, String> {
    if text.is_empty() {
        return Err("it is empty, ask for what has none with NOT and :*, like NOT owner:*".to_owned());
    }
    Id::parse(text).map_err(|_| {
        format!(
            "{:?} is neither an id nor a full name, write it as the API answered it",
            shown(text)
        )
    })
}

/// The beginning of a text: a sentence does not repeat all of it.
pub(super) fn shown(text: &str) -> &str {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => text,
        Some((end, _)) => &text[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_part_in_capitals_or_small_letters() {
        for (text, part, expected) in [
            ("Win Brazil", "brazil", true),
            ("Win Brazil", "WIN", true),
            ("ΟΔΟΣ ΝΟΤΟΥ", "οδοσ", true),
            ("Win Brazil", "win  brazil", false),
            ("Straße", "STRASSE", false),
            ("Win", "", true),
        ] {
            assert_eq!(
                text_test(Operator::Has, part)(Some(text)),
                expected,
                "{part} in {text}"
            );
        }
        assert!(!text_test(Operator::Has, "")(None));
    }

    #[test]
    fn texts_are_ordered_without_regard_to_capitals_and_equal_only_when_they_are_the_same() {
        let holds = |by: Operator, text: &str, sought: &str| text_test(by, sought)(Some(text));
        assert!(holds(Operator::Less, "apple", "Zebra") && holds(Operator::Less, "Apple", "zebra"));
        assert!(holds(Operator::NotEqual, "apple", "Apple") && !holds(Operator::Equal, "apple", "Apple"));
        assert!(holds(Operator::AtMost, "apple", "apple") && !holds(Operator::Less, "apple", "apple"));
        for by in [
            Operator::Less,
            Operator::AtMost,
            Operator::Greater,
            Operator::AtLeast,
            Operator::Equal,
        ] {
            assert!(!text_test(by, "a")(None), "{by:?}");
        }
        assert!(
            text_test(Operator::NotEqual, "a")(None),
            "what is absent is not equal"
        );
    }

    #[test]
    fn the_mean_of_three_0_7_is_0_7() {
        let mean = (0.7 + 0.7 + 0.7) / 3.0;
        assert!(mean < 0.7, "{mean}");
        assert_eq!(order(mean, 0.7), Ordering::Equal);
        assert_eq!(order(0.7001, 0.7), Ordering::Greater);
        assert_eq!(order(-1.0, 0.0), Ordering::Less);
    }

    #[test]
    fn a_value_that_is_none_says_how_one_is_written() {
        let acme = Id::parse("acme").unwrap();
        let refused: [(Result<String, String>, &str); 10] = [
            (number("abc").map(|_| String::new()), "write it like 0.7"),
            (number("NaN").map(|_| String::new()), "write it like 0.7"),
            (number("inf").map(|_| String::new()), "write it like 0.7"),
            (time("2026-01-01").map(|_| String::new()), "2026-01-31T09:00:00Z"),
            (date("2026-01-01T00:00").map(|_| String::new()), "\"2026-01-31\""),
            (date("2026-02-30").map(|_| String::new()), "\"2026-01-31\""),
            (
                word(&["DRAFT", "ACTIVE"], "draft").map(str::to_owned),
                "DRAFT, ACTIVE",
            ),
            (
                reference(names::team_reference, "Sales", None).map(|id| id.to_string()),
                "neither an id nor a full name",
            ),
            (
                reference(names::team_reference, "", None).map(|id| id.to_string()),
                "NOT owner:*",
            ),
            (
                reference(names::team_reference, "workspaces/other/teams/sales", Some(&acme))
                    .map(|id| id.to_string()),
                "another workspace",
            ),
        ];
        for (refused, says) in refused {
            let sentence = refused.unwrap_err();
            assert!(sentence.contains(says), "{sentence}");
        }
        assert!(
            number(&"9".repeat(400)).unwrap_err().len() < 200,
            "it repeats all of it"
        );
    }

    #[test]
    fn a_reference_is_a_full_name_or_an_id() {
        let id = |text: &str| Id::parse(text).unwrap();
        let acme = id("acme");
        for text in ["maria", "workspaces/acme/members/maria"] {
            assert_eq!(
                reference(names::member_reference, text, Some(&acme)),
                Ok(id("maria"))
            );
        }
        assert!(
            reference(
                names::member_reference,
                "workspaces/acme/teams/maria",
                Some(&acme)
            )
            .is_err()
        );
        let nps = "workspaces/acme/objectives/win/keyResults/nps";
        assert_eq!(key_result("nps", Some(&acme)), Ok((None, id("nps"))));
        assert_eq!(key_result(nps, Some(&acme)), Ok((Some(id("win")), id("nps"))));
        assert_eq!(alignment("win", Some(&acme)), Ok(Alignment::Objective(id("win"))));
        assert!(matches!(alignment(nps, Some(&acme)), Ok(Alignment::KeyResult(_))));
    }
}
