//! Roll-up: what is aligned, shown or counted by the policy.

use jiff::civil::date;

use super::*;
use crate::domain::{Band, KeyResultFields, ObjectiveFields, Outcome, RollUp, Status};

fn rolling_up() -> Command {
    update_policy(|p| p.roll_up = Some(RollUp::OwnAndAligned))
}

/// An ACTIVE objective with a key result at `score`, aligned to another or to one of its key results.
fn below(
    name: &str,
    to: Option<&str>,
    score: Option<f64>,
    change: impl FnOnce(&mut ObjectiveFields),
) -> Vec<Command> {
    let path = format!("{name}/k");
    let create = objective(name, |fields| {
        fields.aligned_to = to.map(alignment);
        change(fields);
    });
    let seen = score.map(|score| saw(&path, "c", score * 10.0));
    [create, key_result(&path, |_| {}), activate(name)]
        .into_iter()
        .chain(seen)
        .collect()
}

fn score_of(given: &Given, name: &str) -> Option<f64> {
    objective_of(given, name).and_then(|progress| progress.score)
}

/// "**Roll-up** is the policy's choice: `OWN` (default): aligned children are shown, not counted. `OWN_AND_ALIGNED`: each objective
/// aligned to it, or to one of its key results, counts like one more key result with its weight (an aspirational child of a
/// committed parent with min(1, s ÷ bar)); absent children are skipped".
#[test]
fn an_aligned_objective_counts_like_one_more_key_result() {
    use Ambition::{Aspirational, Committed};
    for (parent, child, to, weighs, score, counted) in [
        (Committed, Committed, "win", 1.0, Some(1.0), 0.7),
        (Committed, Committed, "win", 3.0, Some(1.0), 0.85),
        (Committed, Committed, "win/k", 3.0, Some(1.0), 0.85),
        (Committed, Committed, "win", 0.0, Some(1.0), 0.4),
        (Committed, Committed, "win", 1.0, None, 0.2),
        (Committed, Committed, "win", 1.0, Some(-3.0), 0.2),
        (Committed, Committed, "win", 1.0, Some(7.0), 0.7),
        (Committed, Aspirational, "win", 1.0, Some(0.35), 0.45),
        (Committed, Aspirational, "win", 1.0, Some(0.7), 0.7),
        (Committed, Aspirational, "win", 1.0, Some(0.9), 0.7),
        (Aspirational, Aspirational, "win", 1.0, Some(0.35), 0.375),
        (Aspirational, Committed, "win", 1.0, Some(0.35), 0.375),
    ] {
        let said = format!("{child:?} at {score:?} weighing {weighs} below {parent:?} {to}");
        let given = given(q1())
            .and(below("win", None, Some(0.4), |f| f.ambition = parent))
            .and(below("child", Some(to), score, |f| {
                f.ambition = child;
                f.weight = weight(weighs);
            }));
        assert_close(of_win(&given).score, Some(0.4), &said);
        let counting = given.and([rolling_up()]);
        assert_close(of_win(&counting).score, Some(counted), &said);
        let own = key_result_of(&counting, "win/k").unwrap();
        assert_close(Some(own.score), Some(0.4), "its own key result's score stays");
        let back = counting.and([update_policy(|p| p.roll_up = Some(RollUp::Own))]);
        assert_close(of_win(&back).score, Some(0.4), &said);
    }
}

/// The bar by which an aspirational child counts is the policy's.
#[test]
fn the_bar_of_an_aspirational_child_is_the_policys() {
    let given = given(q1())
        .and(below("win", None, Some(0.4), |_| {}))
        .and(below("child", Some("win"), Some(0.4), |f| {
            f.ambition = Ambition::Aspirational
        }))
        .and([update_policy(|p| {
            p.roll_up = Some(RollUp::OwnAndAligned);
            p.aspirational_bar = Some(0.5);
        })]);
    assert_close(of_win(&given).score, Some(0.6), "0.4 and 0.4 ÷ 0.5");
}

/// "absent children are skipped"; "**What counts**: … DRAFT, CANCELED, POSTPONED and deleted nowhere."
#[test]
fn a_child_that_does_not_count_is_skipped() {
    let given = given(q1())
        .and([
            rolling_up(),
            cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
        ])
        .and(below("win", None, Some(0.4), |_| {}))
        .and(below("child", Some("win/k"), Some(1.0), |_| {}))
        .because("not yet");
    assert_close(of_win(&given).score, Some(0.7), "both");
    for (commands, score) in [
        (vec![cancel("child")], 0.4),
        (vec![cancel("child"), reopen("child")], 0.7),
        (vec![delete("objectives/child")], 0.4),
        (
            vec![delete("objectives/child"), undelete("objectives/child")],
            0.7,
        ),
        (vec![carry_over("child", "on", "q2")], 0.4),
        (vec![carry_over("child", "on", "q2"), reopen("child")], 0.7),
        (vec![close("child", explained())], 0.7),
        (vec![close("child", explained()), retract("child/k", "c")], 0.7),
        (vec![delete("keyResults/child/k")], 0.4),
        (
            vec![delete("keyResults/child/k"), undelete("keyResults/child/k")],
            0.7,
        ),
        (
            vec![update_key_result("child/k", |p| p.weight = Some(weight(0.0)))],
            0.4,
        ),
        (vec![saw("child/k", "d", 0.0)], 0.2),
        (vec![retract("child/k", "c")], 0.2),
        (
            vec![update_objective("child", |p| p.weight = Some(weight(2.0)))],
            0.8,
        ),
        (
            vec![objective("draft", |f| f.aligned_to = Some(alignment("win")))],
            0.7,
        ),
    ] {
        let said = format!("{commands:?}");
        assert_close(of_win(&given.clone().and(commands)).score, Some(score), &said);
    }
    let loose = given.and([key_result("win/other", |_| {}), align("child", "win/other")]);
    assert_close(
        of_win(&loose).score,
        Some((0.4 + 0.0 + 1.0) / 3.0),
        "to another key result",
    );
    let deleted = loose.and([delete("keyResults/win/other")]);
    assert_close(of_win(&deleted).score, Some(0.4), "to one that is deleted");
    let back = deleted.and([undelete("keyResults/win/other")]);
    assert_close(
        of_win(&back).score,
        Some((0.4 + 0.0 + 1.0) / 3.0),
        "and that is back",
    );
}

/// A check-in at the bottom reaches the top once, level by level; an objective without key results of its own is measured by
/// what is aligned to it.
#[test]
fn a_score_goes_up_level_by_level() {
    let given = given(q1())
        .and([rolling_up(), objective("top", |_| {}), activate("top")])
        .and(below("middle", Some("top"), Some(0.5), |_| {}))
        .and(below("low", Some("middle"), Some(0.1), |_| {}))
        .and(below("left", Some("top"), Some(1.0), |_| {}));
    assert_close(score_of(&given, "middle"), Some(0.3), "its own and low");
    assert_close(score_of(&given, "top"), Some(0.65), "middle and left");
    let seen = given.clone().and([saw("low/k", "d", 9.0)]);
    assert_close(score_of(&seen, "middle"), Some(0.7), "its own and low");
    assert_close(score_of(&seen, "top"), Some(0.85), "middle and left");
    let own = given
        .clone()
        .and([update_policy(|p| p.roll_up = Some(RollUp::Own))]);
    assert_eq!(objective_of(&own, "top").unwrap().status, Status::Unmeasured);
    let gap = given.clone().and([cancel("middle")]);
    assert_close(
        score_of(&gap, "top"),
        Some(1.0),
        "what is below the canceled goes with it",
    );
    for (command, middle, top) in [
        (align("low", "top"), 0.5, (0.5 + 0.1 + 1.0) / 3.0),
        (align("low", "left"), 0.5, (0.5 + 0.55) / 2.0),
        (
            align("left", "middle"),
            (0.5 + 0.1 + 1.0) / 3.0,
            (0.5 + 0.1 + 1.0) / 3.0,
        ),
        (update_objective("low", |p| p.aligned_to = Some(None)), 0.5, 0.75),
    ] {
        let said = format!("{command:?}");
        let given = given.clone().and([command]);
        assert_close(score_of(&given, "middle"), Some(middle), &said);
        assert_close(score_of(&given, "top"), Some(top), &said);
    }
}

/// "An objective's E is the weighted mean of the E of what counts in it."; "(anything with MAINTAIN in it: only after the last
/// day)"; "`NOT_STARTED` no observation yet".
#[test]
fn what_is_aligned_counts_in_expected_and_status_too() {
    let late = |f: &mut KeyResultFields| f.due_date = Some(date(2026, 1, 2));
    let given = given(q1())
        .and([rolling_up()])
        .and(below("win", None, None, |_| {}))
        .and([
            objective("child", |f| {
                f.aligned_to = Some(alignment("win"));
                f.weight = weight(0.01);
            }),
            key_result("child/late", late),
            activate("child"),
        ])
        .on(1, 5);
    let child = objective_of(&given, "child").unwrap();
    assert_eq!(child.status, Status::AtRisk, "all was due and nothing was seen");
    let win = of_win(&given);
    assert_close(
        win.expected,
        Some((4.0 / 90.0 + 0.01) / 1.01),
        "its own and the child's",
    );
    assert_eq!(win.status, Status::NotStarted, "being late is no beginning");
    let seen = given.and([saw("child/late", "c", 0.0)]);
    assert_eq!(
        of_win(&seen).status,
        Status::OnTrack,
        "an observation below is one"
    );

    let kept = super::given(q1())
        .and([rolling_up()])
        .and(below("win", None, Some(1.0), |_| {}))
        .and([
            objective("child", |f| f.aligned_to = Some(alignment("win"))),
            key_result("child/kept", |f| f.kind = maintain(Some(40.0), None, 0.0)),
            activate("child"),
            saw("child/kept", "c", 45.0),
        ]);
    assert_eq!(
        of_win(&kept).status,
        Status::OnTrack,
        "to be kept to the last day"
    );
    assert_eq!(of_win(&kept.clone().on(4, 1)).status, Status::Achieved);
    let closed = kept.and([close("child", explained())]);
    assert_eq!(of_win(&closed).status, Status::Achieved, "what is closed is kept");
}

/// "CLOSED with its frozen one": a closed child counts with its frozen score and what was expected of it then; a closed parent
/// is frozen whatever its children do, and restated by the policy that graded it.
#[test]
fn what_is_closed_counts_as_it_was_frozen() {
    let given = given(q1())
        .and([rolling_up()])
        .and(below("win", None, Some(0.4), |_| {}))
        .and(below("child", Some("win"), Some(0.6), |_| {}))
        .on(2, 15);
    let child_closed = given.and([close("child", explained())]).on(3, 20);
    let win = of_win(&child_closed);
    assert_close(win.score, Some(0.5), "0.4 and the frozen 0.6");
    assert_close(
        win.expected,
        Some((78.0 / 90.0 + 0.5) / 2.0),
        "the child's as of its closing",
    );
    let corrected = child_closed.and([correct("child/k", "c", |p| {
        p.value = Some(Some(value(10.0)));
    })]);
    let child = objective_of(&corrected, "child").unwrap();
    assert_eq!((child.score, child.restated_score), (Some(0.6), Some(1.0)));
    assert_close(of_win(&corrected).score, Some(0.5), "the frozen one all the same");

    let both_closed = corrected.and([close("win", explained())]);
    let win = of_win(&both_closed);
    assert_close(win.score, Some(0.5), "frozen");
    assert_close(win.restated_score, Some(0.7), "0.4 and the child's restated 1.0");
    let later = both_closed.and([
        retract("child/k", "c"),
        update_policy(|p| p.roll_up = Some(RollUp::Own)),
    ]);
    let win = of_win(&later);
    assert_close(win.score, Some(0.5), "frozen");
    assert_close(win.restated_score, Some(0.2), "by the policy that graded it");
}

/// Closing a cycle grades parents and children by the same figures that were shown before.
#[test]
fn a_cycle_closes_with_the_scores_that_were_shown() {
    let given = given(q1())
        .and([rolling_up()])
        .and(below("win", None, Some(0.4), |_| {}))
        .and(below("child", Some("win"), Some(1.0), |f| {
            f.ambition = Ambition::Aspirational
        }))
        .and(below("grandchild", Some("child/k"), Some(0.3), |_| {}))
        .and([begin_review("q1")]);
    let names = ["win", "child", "grandchild"];
    let before = names.map(|name| score_of(&given, name));
    assert_close(before[1], Some(0.65), "its own and the grandchild");
    assert_close(
        before[0],
        Some((0.4 + 0.65 / 0.7) / 2.0),
        "by how much of its bar the child reached",
    );
    let said = vec![("win", explained()), ("grandchild", explained())];
    let closed = given.and([close_cycle("q1", said)]);
    assert_eq!(names.map(|name| score_of(&closed, name)), before);
    assert_eq!(
        names.map(|name| objective_of(&closed, name).unwrap().restated_score),
        before
    );
    let grading = objective_of(&closed, "child").unwrap().grading.unwrap();
    assert_eq!(
        (grading.grade.get(), grading.band, grading.outcome),
        (0.6, Band::Yellow, Outcome::Partial)
    );
}
