//! Reviews: what was said when a cycle was looked back on.

use jiff::civil::{Date, date};

use super::super::given::*;
use super::super::{Command, Text};
use super::{company, fields};

fn held(day: Option<Date>) -> Command {
    review("q1", "r", |r| r.date = day)
}

/// "**Review**: cycle, optional team, date, attendees, what was achieved, what was learned, what next."
#[test]
fn a_review_is_of_a_cycle_and_has_been_held() {
    let given = company()
        .and([cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None)])
        .and([review("q1", "first", |_| {})])
        .on(2, 1);
    for (command, outcome) in [
        (held(None), Ok(vec!["ReviewRecorded"])),
        (held(Some(date(2026, 1, 1))), Ok(vec!["ReviewRecorded"])),
        (held(Some(date(2026, 2, 1))), Ok(vec!["ReviewRecorded"])),
        (review("q1", "first", |_| {}), Err("ALREADY_EXISTS")),
        (review("q9", "r", |_| {}), Err("NOT_FOUND")),
        (review("q1", "r", |r| r.team = Some(id("x"))), Err("NOT_FOUND")),
        (
            review("q1", "r", |r| r.attendees = vec![id("maria"), id("x")]),
            Err("NOT_FOUND"),
        ),
        (
            review("q1", "r", |r| r.team = Some(id("sales"))),
            Ok(vec!["ReviewRecorded"]),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    for command in [
        held(Some(date(2026, 2, 2))),
        held(Some(date(2025, 12, 31))),
        review("q2", "r", |_| {}),
    ] {
        assert_eq!(fields(&given.refused(&command)), ["review.date"], "{command:?}");
    }
}

#[test]
fn a_review_keeps_what_was_said_and_is_held_today_unless_it_says_when() {
    let given = company().on(2, 1).and([review("q1", "r", |r| {
        r.team = Some(id("sales"));
        r.attendees = vec![id("maria")];
        r.achieved = Text::parse("two deals").unwrap();
        r.learned = Text::parse("ask earlier").unwrap();
        r.next = Text::parse("ask").unwrap();
    })]);
    let (name, recorded) = given.workspace.reviews_of(&id("q1")).next().unwrap();
    assert_eq!(name.as_str(), "r");
    let review = &recorded.review;
    assert_eq!(review.date, date(2026, 2, 1));
    assert_eq!(
        (&review.team, review.attendees.as_slice()),
        (&Some(id("sales")), &[id("maria")][..])
    );
    assert_eq!(
        [&review.achieved, &review.learned, &review.next].map(Text::as_str),
        ["two deals", "ask earlier", "ask"]
    );
    assert_eq!(recorded.provenance.principal, "maria");
    let closed = given.and([begin_review("q1"), close_cycle("q1", vec![])]);
    assert_eq!(
        closed.when(review_of_q1()),
        Ok(vec!["ReviewRecorded"]),
        "a closed cycle may still be looked back on"
    );
}

fn review_of_q1() -> Command {
    review("q1", "later", |_| {})
}
