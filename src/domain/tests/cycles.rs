//! Cycles: their days, how they nest, and their life.

use jiff::civil::date;

use super::super::given::*;
use super::super::{Command, CyclePatch, CycleState, Etag, Revision};
use super::fields;

/// "Cycle: title, first and last date (local, inclusive)", "Cycles may nest (a quarter in a year)".
#[test]
fn a_cycle_lies_inside_of_its_parent() {
    let (first, last) = (date(2026, 1, 1), date(2026, 12, 31));
    let given = given([
        cycle("year", first, last, None),
        cycle("q1", first, date(2026, 3, 31), Some("year")),
    ]);
    let until = |last| move |patch: &mut CyclePatch| patch.last_date = Some(last);
    let below =
        |parent: &'static str| move |patch: &mut CyclePatch| patch.parent_cycle = Some(Some(id(parent)));
    for (command, outcome) in [
        (cycle("day", first, first, None), Ok(vec!["CycleCreated"])),
        (cycle("q1", first, last, None), Err("ALREADY_EXISTS")),
        (cycle("back", last, first, None), Err("INVALID_FIELD")),
        (
            cycle("ten", first, date(2035, 12, 31), None),
            Ok(vec!["CycleCreated"]),
        ),
        (cycle("ten", first, date(2036, 1, 2), None), Err("INVALID_FIELD")),
        (
            cycle("out", first, date(2027, 1, 1), Some("year")),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (
            cycle("out", date(2025, 12, 31), last, Some("year")),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (cycle("x", first, last, Some("none")), Err("NOT_FOUND")),
        (cycle("x", first, last, Some("x")), Err("NOT_FOUND")),
        (
            update_cycle("year", until(date(2026, 3, 30))),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (
            update_cycle("year", until(date(2026, 3, 31))),
            Ok(vec!["CycleUpdated"]),
        ),
        (update_cycle("year", until(last)), Ok(vec![])),
        (update_cycle("year", below("year")), Err("CYCLE_BELOW_ITSELF")),
        (update_cycle("x", until(last)), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let same_days = given.and([update_cycle("year", until(date(2026, 3, 31)))]);
    assert_eq!(
        same_days.when(update_cycle("year", below("q1"))),
        Err("CYCLE_BELOW_ITSELF")
    );
    let early = update_cycle("q1", |patch| patch.review_date = Some(Some(date(2025, 12, 31))));
    for (command, field) in [
        (cycle("back", last, first, None), "cycle.last_date"),
        (cycle("ten", first, date(2036, 1, 2), None), "cycle.last_date"),
        (early, "cycle.review_date"),
    ] {
        assert_eq!(fields(&same_days.refused(&command)), [field], "{command:?}");
    }
}

#[test]
fn a_cycle_is_activated_once() {
    let given = given([cycle("q1", date(2026, 1, 1), date(2026, 3, 31), None)]);
    assert_eq!(given.when(activate_cycle("q1")), Ok(vec!["CycleActivated"]));
    assert_eq!(given.when(activate_cycle("q2")), Err("NOT_FOUND"));
    let active = given.and([activate_cycle("q1")]);
    assert_eq!(
        active.workspace.cycle(&id("q1")).unwrap().state,
        CycleState::Active
    );
    assert_eq!(active.when(activate_cycle("q1")), Err("CYCLE_NOT_PLANNED"));
    let old = Command::ActivateCycle {
        id: id("q1"),
        etag: Etag::Exactly(Revision(2)),
    };
    assert_eq!(active.when(old), Err("ETAG_MISMATCH"));
}

/// "state `PLANNED → ACTIVE → REVIEW → CLOSED`", "Reopening needs a reason and open parents, returns to REVIEW".
#[test]
fn a_cycle_goes_from_planned_to_closed_and_back_to_review_only() {
    let planned = given([cycle("q1", date(2026, 1, 1), date(2026, 3, 31), None)]).because("we forgot one");
    let active = planned.clone().and([activate_cycle("q1")]);
    let review = active.clone().and([begin_review("q1")]);
    let closed = review.clone().and([close_cycle("q1", vec![])]);
    let commands = [
        activate_cycle("q1"),
        begin_review("q1"),
        close_cycle("q1", vec![]),
        reopen_cycle("q1"),
    ];
    let refused = [
        "CYCLE_NOT_PLANNED",
        "CYCLE_NOT_ACTIVE",
        "CYCLE_NOT_IN_REVIEW",
        "CYCLE_NOT_CLOSED",
    ];
    for (given, state, goes_on, event) in [
        (&planned, CycleState::Planned, 0, "CycleActivated"),
        (&active, CycleState::Active, 1, "CycleReviewBegun"),
        (&review, CycleState::Review, 2, "CycleClosed"),
        (&closed, CycleState::Closed, 3, "CycleReopened"),
    ] {
        assert_eq!(given.workspace.cycle(&id("q1")).unwrap().state, state);
        for (index, command) in commands.iter().enumerate() {
            let outcome = match index == goes_on {
                true => Ok(vec![event]),
                false => Err(refused[index]),
            };
            assert_eq!(given.when(command.clone()), outcome, "{state:?}: {command:?}");
        }
    }
    let reopened = closed.clone().and([reopen_cycle("q1")]);
    assert_eq!(
        reopened.workspace.cycle(&id("q1")).unwrap().state,
        CycleState::Review
    );
    assert_eq!(closed.because("").when(reopen_cycle("q1")), Err("REASON_MISSING"));
}

/// "a parent closes after its nested ones", "Reopening needs … open parents".
#[test]
fn a_parent_closes_after_its_nested_ones_and_reopens_before_them() {
    let (first, last) = (date(2026, 1, 1), date(2026, 12, 31));
    let year = given([
        cycle("year", first, last, None),
        cycle("half", first, date(2026, 6, 30), Some("year")),
        cycle("q1", first, date(2026, 3, 31), Some("half")),
    ])
    .because("a late figure");
    let through = |name: &'static str| [activate_cycle(name), begin_review(name)];
    let review = year.and(through("year")).and(through("half")).and(through("q1"));
    for (name, outcome) in [
        ("year", Err("NESTED_CYCLE_OPEN")),
        ("half", Err("NESTED_CYCLE_OPEN")),
        ("q1", Ok(vec!["CycleClosed"])),
    ] {
        assert_eq!(review.when(close_cycle(name, vec![])), outcome, "{name}");
    }
    let q1_closed = review.and([close_cycle("q1", vec![])]);
    assert_eq!(
        q1_closed.when(close_cycle("year", vec![])),
        Err("NESTED_CYCLE_OPEN"),
        "half is open still"
    );
    let closed = q1_closed.and([close_cycle("half", vec![]), close_cycle("year", vec![])]);
    for (name, outcome) in [
        ("q1", Err("CYCLE_CLOSED")),
        ("half", Err("CYCLE_CLOSED")),
        ("year", Ok(vec!["CycleReopened"])),
    ] {
        assert_eq!(closed.when(reopen_cycle(name)), outcome, "{name}");
    }
    let days = (date(2026, 4, 1), date(2026, 6, 30));
    for (command, outcome) in [
        (cycle("q2", days.0, days.1, Some("half")), Err("CYCLE_CLOSED")),
        (cycle("q2", days.0, days.1, None), Ok(vec!["CycleCreated"])),
        (
            update_cycle("q1", |patch| patch.title = Some(title("First"))),
            Err("CYCLE_CLOSED"),
        ),
        (update_cycle("q1", |_| {}), Ok(vec![])),
    ] {
        assert_eq!(closed.when(command.clone()), outcome, "{command:?}");
    }
    let beside = closed.and([cycle("q2", days.0, days.1, None)]);
    let moved = update_cycle("q2", |patch| patch.parent_cycle = Some(Some(id("half"))));
    assert_eq!(beside.when(moved), Err("CYCLE_CLOSED"), "into a closed one");
}

/// "`etag` (154: a mismatch is `ABORTED`)": for each command that takes one.
#[test]
fn a_cycle_that_has_changed_since_it_was_read_changes_no_further() {
    let given = given(q1()).because("so");
    let old = Etag::Exactly(Revision(2));
    let id = || id("q1");
    for command in [
        Command::UpdateCycle {
            id: id(),
            patch: Box::default(),
            etag: old,
        },
        Command::ActivateCycle { id: id(), etag: old },
        Command::BeginCycleReview { id: id(), etag: old },
        Command::CloseCycle {
            id: id(),
            closings: Vec::new(),
            etag: old,
        },
        Command::ReopenCycle { id: id(), etag: old },
    ] {
        assert_eq!(given.when(command.clone()), Err("ETAG_MISMATCH"), "{command:?}");
    }
}
