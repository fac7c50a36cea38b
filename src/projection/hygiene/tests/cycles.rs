//! Rules about cycles.

use jiff::civil::date;

use super::*;
use crate::domain::CycleFields;

const Q1: &[&str] = &["cycles/q1"];

fn with_review_date(preset: Preset, day: Option<jiff::civil::Date>) -> Given {
    let fields = CycleFields {
        title: title("Q1"),
        first_date: date(2026, 1, 1),
        last_date: date(2026, 3, 31),
        review_date: day,
        parent_cycle: None,
    };
    let create = Command::CreateCycle {
        id: id("q1"),
        fields: Box::new(fields),
    };
    given_for(preset, [create])
}

fn reviewed() -> Command {
    review("q1", "r1", |_| {})
}

/// "no review scheduled or held".
#[test]
fn a_running_cycle_has_a_review_scheduled_or_held() {
    use FindingCode::{ReviewNotHeld, ReviewNotScheduled};
    let planned = |day| with_review_date(Preset::Full, day);
    let active = |day| planned(day).and([activate_cycle("q1")]);
    let day = || Some(date(2026, 3, 30));
    for (what, given, unscheduled, unheld) in [
        ("planned", planned(None), &[][..], &[][..]),
        ("active", active(None), Q1, &[]),
        ("in review", active(None).and([begin_review("q1")]), Q1, &[]),
        ("closed", active(None).and(closed("q1")), &[], &[]),
        ("scheduled", active(day()).on(3, 30), &[], &[]),
        ("over its date", active(day()).on(3, 31), &[], Q1),
        (
            "held",
            active(day()).on(3, 30).and([reviewed()]).on(3, 31),
            &[],
            &[],
        ),
        ("held unscheduled", active(None).and([reviewed()]), &[], &[]),
        (
            "KPIs alone",
            with_review_date(Preset::KpiOnly, None).and([activate_cycle("q1")]),
            &[],
            &[],
        ),
    ] {
        check(ReviewNotScheduled, [(what, given.clone(), unscheduled)]);
        check(ReviewNotHeld, [(what, given, unheld)]);
    }
}

/// Objectives with a score each, of a cycle that runs.
fn scored(scores: &[f64]) -> Given {
    let objectives = scores.iter().zip(["a", "b", "c"]).flat_map(|(score, name)| {
        let path = format!("{name}/one");
        [
            objective(name, |_| {}),
            key_result(&path, |_| {}),
            activate(name),
            check_in(&path, "c1", |it| it.value = Some(value(score * 10.0))),
        ]
    });
    running(Preset::Full).and(objectives)
}

/// "all scores 1.0".
#[test]
fn a_cycle_in_which_everything_is_reached_was_too_easy() {
    check(
        FindingCode::AllScoresPerfect,
        [
            (
                "nothing is measured",
                running(Preset::Full).and([objective("a", |_| {})]),
                &[][..],
            ),
            ("all", scored(&[1.0, 1.0]), Q1),
            ("beyond the target is 1.0", scored(&[1.0, 1.5]), Q1),
            ("not all", scored(&[1.0, 0.99]), &[]),
            (
                "what is not measured says nothing",
                scored(&[1.0]).and([objective("b", |_| {})]),
                Q1,
            ),
            (
                "what was given up counts nowhere",
                scored(&[1.0, 0.5]).and([cancel("b")]),
                Q1,
            ),
            (
                "what was carried over counts nowhere",
                scored(&[1.0, 0.5]).and([
                    cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
                    carry_over("b", "b-2", "q2"),
                ]),
                Q1,
            ),
            ("1e-9 in the owner's favour", scored(&[1.0 - 1e-10]), Q1),
        ],
    );
}

/// A closed cycle is looked at when it is asked for.
#[test]
fn a_closed_cycle_is_looked_at_only_where_it_is_named() {
    let closed = scored(&[1.0, 1.0]).and(closed("q1"));
    assert!(found(&closed, FindingCode::AllScoresPerfect).is_empty());
    let named = HygieneScope {
        cycle: Some(id("q1")),
        ..HygieneScope::default()
    };
    assert_eq!(found_about(&closed, FindingCode::AllScoresPerfect, &named), Q1);
    // What is closed in it can no longer be mended, so nothing is said of it.
    assert!(found_about(&closed, FindingCode::TooFewKeyResults, &named).is_empty());
}
