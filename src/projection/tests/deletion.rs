//! Deletion and undeletion: no figure is stale and none counts twice, on any level above.

use super::*;
use crate::domain::RollUp;

/// Every score there is, by name.
fn scores(given: &Given) -> Vec<(&'static str, Option<f64>)> {
    let objective = |name| objective_of(given, name).and_then(|progress| progress.score);
    vec![
        ("top", objective("top")),
        ("win", objective("win")),
        ("low", objective("low")),
        ("win/deals", key_result_of(given, "win/deals").map(|it| it.score)),
        ("win/calls", key_result_of(given, "win/calls").map(|it| it.score)),
        ("sales", team_of(given, "sales", "q1")),
        ("south", team_of(given, "south", "q1")),
        ("q1", cycle_of(given, "q1")),
        ("workspace", workspace_of(given)),
    ]
}

/// Three levels, each with its team and its own score: top 0.4, win 0.6 and 0.2, low 1.0.
fn three_levels(roll_up: RollUp) -> Given {
    given(q1())
        .and([team("sales", None), team("south", Some("sales"))])
        .and([update_policy(|p| p.roll_up = Some(roll_up))])
        .and([
            objective("top", |_| {}),
            key_result("top/k", |_| {}),
            activate("top"),
            saw("top/k", "c", 4.0),
            objective("win", |f| {
                f.aligned_to = Some(alignment("top"));
                f.team = Some(id("sales"));
            }),
            key_result("win/deals", |_| {}),
            key_result("win/calls", |_| {}),
            activate("win"),
            saw("win/deals", "c", 6.0),
            saw("win/calls", "c", 2.0),
            objective("low", |f| {
                f.aligned_to = Some(alignment("win/calls"));
                f.team = Some(id("south"));
            }),
            key_result("low/k", |_| {}),
            activate("low"),
            saw("low/k", "c", 10.0),
        ])
}

/// "**What counts**: … deleted nowhere"; "undelete restores exactly what that deletion removed".
#[test]
fn what_is_deleted_counts_nowhere_and_what_comes_back_counts_once() {
    let three = |a: f64, b: f64, c: f64| Some((a + b + c) / 3.0);
    for (roll_up, deleted, expected) in [
        (
            RollUp::Own,
            "objectives/win",
            [Some(0.4), None, Some(1.0), None, None, None, Some(1.0), Some(0.7)],
        ),
        (
            RollUp::OwnAndAligned,
            "objectives/win",
            [Some(0.4), None, Some(1.0), None, None, None, Some(1.0), Some(0.7)],
        ),
        (
            RollUp::OwnAndAligned,
            "keyResults/win/calls",
            [
                Some(0.5),
                Some(0.6),
                Some(1.0),
                Some(0.6),
                None,
                Some(0.6),
                Some(1.0),
                three(0.5, 0.6, 1.0),
            ],
        ),
        (
            RollUp::Own,
            "keyResults/win/deals",
            [
                Some(0.4),
                Some(0.2),
                Some(1.0),
                None,
                Some(0.2),
                Some(0.2),
                Some(1.0),
                three(0.4, 0.2, 1.0),
            ],
        ),
        (
            RollUp::OwnAndAligned,
            "objectives/low",
            [
                Some(0.4),
                Some(0.4),
                None,
                Some(0.6),
                Some(0.2),
                Some(0.4),
                None,
                Some(0.4),
            ],
        ),
        (
            RollUp::OwnAndAligned,
            "objectives/top",
            [
                None,
                Some(0.6),
                Some(1.0),
                Some(0.6),
                Some(0.2),
                Some(0.6),
                Some(1.0),
                Some(0.8),
            ],
        ),
        (
            RollUp::Own,
            "teams/sales",
            [
                Some(0.4),
                Some(0.4),
                Some(1.0),
                Some(0.6),
                Some(0.2),
                None,
                None,
                Some(0.6),
            ],
        ),
        (
            RollUp::Own,
            "teams/south",
            [
                Some(0.4),
                Some(0.4),
                Some(1.0),
                Some(0.6),
                Some(0.2),
                Some(0.4),
                None,
                Some(0.6),
            ],
        ),
    ] {
        let before = three_levels(roll_up);
        let whole = scores(&before);
        let after = before.and([delete(deleted)]);
        let found = scores(&after);
        for ((name, found), expected) in found.iter().zip(expected) {
            assert_close(*found, expected, &format!("{name} after {deleted} {roll_up:?}"));
        }
        assert_close(found[8].1, expected[7], "the workspace's is its cycle's");
        let back = after.clone().and([undelete(deleted)]);
        assert_eq!(scores(&back), whole, "{deleted} is back");
        let again = back.and([delete(deleted), undelete(deleted)]);
        assert_eq!(scores(&again), whole, "{deleted} is back again");
        let next_day = after.on(1, 2).and([undelete(deleted)]);
        assert_eq!(scores(&next_day), whole, "{deleted} is back the day after");
    }
}

/// What is seen while a part is deleted is there when it comes back: the figures are those of the log, not of the deletion.
#[test]
fn what_happens_meanwhile_is_not_lost() {
    let given = three_levels(RollUp::OwnAndAligned).and([
        delete("objectives/win"),
        saw("low/k", "d", 0.0),
        align("low", "top"),
    ]);
    assert_close(
        objective_of(&given, "top").unwrap().score,
        Some(0.2),
        "its own and low",
    );
    let back = given.and([undelete("objectives/win")]);
    assert_close(of_win(&back).score, Some(0.4), "low is aligned elsewhere by now");
    assert_close(
        objective_of(&back, "top").unwrap().score,
        Some((0.4 + 0.4 + 0.0) / 3.0),
        "all three",
    );
}

/// "DELETED nowhere", "CLOSED with its frozen one": a closed objective that is deleted and comes back is as it was frozen.
#[test]
fn a_closed_objective_comes_back_as_it_was_frozen() {
    let closed = three_levels(RollUp::OwnAndAligned).and([close("low", explained())]);
    let whole = scores(&closed);
    let deleted = closed.and([delete("objectives/low")]);
    assert_eq!(objective_of(&deleted, "low"), None);
    assert_close(of_win(&deleted).score, Some(0.4), "without low");
    assert_eq!(scores(&deleted.and([undelete("objectives/low")])), whole);
}
