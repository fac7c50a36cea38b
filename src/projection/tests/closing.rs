//! What closing froze, and what is learned later.

use jiff::civil::date;

use super::*;
use crate::domain::{Aggregation, Closing, Effective, Grade, Revision, Text, Window};

/// Score, restated score and status of win and of deals.
fn shown(given: &Given) -> [(Option<f64>, Option<f64>, Status); 2] {
    let (win, deals) = (of_win(given), of_deals(given));
    [
        (win.score, win.restated_score, win.status),
        (Some(deals.score), deals.restated_score, deals.status),
    ]
}

/// "**Closing freezes** current values, p, s, grade and policy version in its event; what is learned later shows only as
/// `restated_score`."
#[test]
fn what_is_learned_later_shows_only_as_a_restated_score() {
    let open = company(Ambition::Committed)
        .and([
            team("sales", None),
            update_objective("win", |p| p.team = Some(Some(id("sales")))),
        ])
        .on(2, 15)
        .and([deals("c", 5.0), deals("d", 6.0)]);
    let closed = open.and([close("win", explained())]);
    let frozen = of_deals(&closed);
    assert_eq!(
        (frozen.current, frozen.progress, frozen.expected),
        (Some(6.0), 0.6, 0.5)
    );
    let change = |number: f64| correct("win/deals", "d", move |p| p.value = Some(Some(value(number))));
    let moved = correct("win/deals", "d", |p| {
        p.effective = Some(Effective::On(date(2025, 12, 31)))
    });
    for (command, restated) in [
        (None, 0.6),
        (Some(change(12.0)), 1.0),
        (Some(change(-3.0)), 0.0),
        (Some(retract("win/deals", "d")), 0.5),
        (Some(moved), 0.5),
        (Some(update_policy(|p| p.committed_bar = Some(0.5))), 0.6),
    ] {
        let said = format!("{command:?}");
        let given = closed.clone().and(command).on(4, 20);
        let both = (Some(0.6), Some(restated), Status::Closed);
        assert_eq!(shown(&given), [both, both], "{said}");
        let deals = of_deals(&given);
        assert_eq!(
            (
                deals.current,
                deals.progress,
                deals.score,
                deals.expected,
                deals.outdated
            ),
            (
                frozen.current,
                frozen.progress,
                frozen.score,
                frozen.expected,
                false
            ),
            "{said}"
        );
        let win = of_win(&given);
        assert_eq!(
            (win.expected, win.worst_status, win.outdated),
            (Some(0.5), None, false),
            "{said}"
        );
        assert_eq!(win.grading.unwrap().grade.get(), 0.6, "{said}");
        for score in [
            team_of(&given, "sales", "q1"),
            cycle_of(&given, "q1"),
            workspace_of(&given),
        ] {
            assert_close(score, Some(0.6), &said);
        }
    }
    let reopened = closed
        .because("a figure was wrong")
        .and([change(12.0), reopen("win")]);
    let live = (Some(1.0), None, Status::Achieved);
    assert_eq!(shown(&reopened), [live, live], "live again");
    assert_close(cycle_of(&reopened, "q1"), Some(1.0), "live again");
}

/// Backdated measurements of a linked KPI are learned later too, in either window; those after the cycle are not of it.
#[test]
fn a_late_measurement_restates_what_was_closed() {
    for (aggregation, window, restated) in [
        (Aggregation::Last, Window::Newest, [0.6, 0.9, 0.9]),
        (Aggregation::Sum, Window::Cycle, [0.6, 0.9, 1.0]),
        (Aggregation::Mean, Window::Cycle, [0.6, 0.45, 0.6]),
    ] {
        let given = given(q1())
            .and([
                kpi("nps", |f| f.aggregation = aggregation),
                objective("win", |_| {}),
                key_result("win/deals", |f| {
                    f.kpi = Some(id("nps"));
                    f.window = window;
                }),
                activate("win"),
            ])
            .on(4, 2)
            .and([measured("nps", 3, 30, 6.0), begin_review("q1")])
            .and([close_cycle("q1", vec![("win", explained())])]);
        let late = match aggregation {
            Aggregation::Last => measured("nps", 3, 31, 9.0),
            _ => measured("nps", 3, 31, 3.0),
        };
        let later = given.clone().and([late]);
        let latest = later.clone().and([measured("nps", 2, 1, 9.0)]);
        let after_the_cycle = given.clone().and([measured("nps", 4, 1, 1.0)]);
        for (given, restated) in [
            (&given, restated[0]),
            (&after_the_cycle, restated[0]),
            (&later, restated[1]),
            (&latest, restated[2]),
        ] {
            let win = of_win(given);
            assert_close(win.score, Some(0.6), &format!("{aggregation:?} {window:?}"));
            assert_close(
                win.restated_score,
                Some(restated),
                &format!("{aggregation:?} {window:?}"),
            );
            assert_eq!(of_deals(given).current, Some(6.0));
            assert_close(cycle_of(given, "q1"), Some(0.6), "frozen");
        }
    }
}

/// "freezes current values": which milestones were reached, and how many periods held, are current values too.
#[test]
fn the_details_of_a_value_are_frozen_with_it() {
    let given = given(q1())
        .and([
            kpi("nps", |_| {}),
            objective("win", |_| {}),
            key_result("win/steps", |f| {
                f.kind = milestones(&[("plan", 1.0), ("ship", 1.0)])
            }),
            key_result("win/share", |f| {
                f.kind = share(40.0);
                f.kpi = Some(id("nps"));
            }),
            activate("win"),
            reached("win/steps", "c", &["plan"]),
            measured("nps", 1, 1, 45.0),
        ])
        .on(1, 9);
    let shown = |given: &Given| {
        let steps = key_result_of(given, "win/steps").unwrap();
        let share = key_result_of(given, "win/share").unwrap();
        (
            (steps.current, steps.reached_milestones),
            (
                share.current,
                share.periods_held,
                share.periods_with_data,
                share.provisional,
            ),
        )
    };
    let open = shown(&given);
    let closed = given.and([close("win", explained())]);
    assert_eq!(shown(&closed), open);
    let later = closed.and([
        correct("win/steps", "c", |p| {
            p.reached_milestones = Some(Some(vec![id("plan"), id("ship")]));
        }),
        measured("nps", 1, 5, 10.0),
    ]);
    assert_eq!(shown(&later), open);
    let restated = ["win/steps", "win/share"].map(|path| key_result_of(&later, path).unwrap().restated_score);
    assert_eq!(restated, [Some(1.0), Some(0.5)]);
}

/// "Every derived figure names the version it used": a live one the policy in force, a frozen one the policy that graded it.
#[test]
fn every_figure_names_the_version_of_the_policy_that_it_used() {
    let open = company(Ambition::Aspirational).and([
        objective("other", |_| {}),
        key_result("other/k", |_| {}),
        activate("other"),
        deals("c", 7.0),
        close("win", Closing::silent()),
        update_policy(|p| {
            p.achieved_from = Some(0.9);
            p.partial_from = Some(0.8);
        }),
    ]);
    let version = open.workspace.policy_version();
    assert!(version > Revision(1));
    let (win, other) = (of_win(&open), objective_of(&open, "other").unwrap());
    assert_eq!(
        (win.policy_version, of_deals(&open).policy_version),
        (Revision(1), Revision(1))
    );
    assert_eq!(
        (
            other.policy_version,
            key_result_of(&open, "other/k").unwrap().policy_version
        ),
        (version, version)
    );
    assert_eq!(
        win.grading.unwrap().outcome,
        crate::domain::Outcome::Achieved,
        "as it was graded"
    );
}

/// "or the owner's own with a reason": the grade is the owner's, the score stays what it was.
#[test]
fn an_owners_grade_is_shown_beside_the_score() {
    let said = Closing {
        grade: Some(Grade::from_tenths(9.0)),
        grade_reason: Text::parse("the last deal is signed").unwrap(),
        ..explained()
    };
    let given = company(Ambition::Committed).and([deals("c", 5.0), close("win", said)]);
    let win = of_win(&given);
    assert_eq!((win.score, win.grading.unwrap().grade.get()), (Some(0.5), 0.9));
    assert_close(cycle_of(&given, "q1"), Some(0.5), "scores are not grades");
}
