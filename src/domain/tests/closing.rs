//! Closing, canceling and reopening: what is graded, what is frozen, what comes back.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Ambition, Band, Closing, Command, Etag, Grade, ObjectiveResult, ObjectiveState, Outcome, Rejection,
    Revision, Text, grade_cycle,
};
use super::{company, elements};

fn text(words: &str) -> Text {
    Text::parse(words).unwrap()
}

fn graded(tenths: f64, reason: &str) -> Closing {
    closing(|said| {
        said.grade = Some(Grade::from_tenths(tenths));
        said.grade_reason = text(reason);
    })
}

/// The ACTIVE objective win with one key result at `seen` of 10.
fn at(ambition: Ambition, seen: f64) -> Given {
    given(q1()).and([
        objective("win", |fields| fields.ambition = ambition),
        key_result("win/deals", |_| {}),
        activate("win"),
        saw("win/deals", "c", seen),
    ])
}

fn result(given: &Given, name: &str) -> ObjectiveResult {
    let objective = given.workspace.objective(&id(name)).unwrap();
    objective.closed.as_ref().expect("a closed one").result.clone()
}

fn state(given: &Given, name: &str) -> ObjectiveState {
    given.workspace.objective(&id(name)).unwrap().state
}

/// "At closing, grade = s cut (not rounded up) to one decimal, or the owner's own with a reason"; "Outcome by the grade:
/// ASPIRATIONAL ≥ 0.7 ACHIEVED, ≥ 0.4 PARTIAL, else MISSED; COMMITTED 1.0 ACHIEVED, ≥ 0.4 PARTIAL, else MISSED, and below
/// 1.0 it needs an explanation. An ASPIRATIONAL one at 1.0 is flagged `too_easy`."
#[test]
fn an_objective_is_graded_as_it_closes() {
    use Ambition::{Aspirational, Committed};
    use Band::{Green, Red, Yellow};
    use Outcome::{Achieved, Missed, Partial};
    let silent = Closing::silent;
    for (ambition, seen, said, expected) in [
        (Aspirational, 6.99, silent(), Ok((0.6, Yellow, Partial, false))),
        (Aspirational, 7.0, silent(), Ok((0.7, Green, Achieved, false))),
        (
            Aspirational,
            7.0 - 1e-9,
            silent(),
            Ok((0.7, Green, Achieved, false)),
        ),
        (
            Aspirational,
            7.0 - 1e-7,
            silent(),
            Ok((0.6, Yellow, Partial, false)),
        ),
        (Aspirational, 3.99, silent(), Ok((0.3, Red, Missed, false))),
        (Aspirational, -5.0, silent(), Ok((0.0, Red, Missed, false))),
        (Aspirational, 12.0, silent(), Ok((1.0, Green, Achieved, true))),
        (Committed, 12.0, silent(), Ok((1.0, Green, Achieved, false))),
        (Committed, 9.99, silent(), Err("EXPLANATION_MISSING")),
        (Committed, 9.99, explained(), Ok((0.9, Green, Partial, false))),
        (Committed, 4.0, explained(), Ok((0.4, Yellow, Partial, false))),
        (Committed, 3.0, explained(), Ok((0.3, Red, Missed, false))),
        (Aspirational, 5.0, graded(8.0, ""), Err("GRADE_REASON_MISSING")),
        (
            Aspirational,
            5.0,
            graded(8.0, "one deal is certain"),
            Ok((0.8, Green, Achieved, false)),
        ),
        (
            Aspirational,
            9.0,
            graded(3.0, "by luck"),
            Ok((0.3, Red, Missed, false)),
        ),
        (
            Committed,
            5.0,
            graded(10.0, "the rest was dropped"),
            Ok((1.0, Green, Achieved, false)),
        ),
        (
            Committed,
            10.0,
            graded(5.0, "by luck"),
            Err("EXPLANATION_MISSING"),
        ),
    ] {
        let given = at(ambition, seen);
        let command = close("win", said.clone());
        let outcome = given.when(command.clone());
        let named = format!("{ambition:?} at {seen}: {said:?}");
        match expected {
            Err(reason) => assert_eq!(outcome, Err(reason), "{named}"),
            Ok((grade, band, came_to, too_easy)) => {
                assert_eq!(outcome, Ok(vec!["ObjectiveClosed"]), "{named}");
                let result = result(&given.and([command]), "win");
                let grading = result.grading.unwrap();
                assert_eq!(
                    (
                        grading.grade.get(),
                        grading.band,
                        grading.outcome,
                        grading.too_easy
                    ),
                    (grade, band, came_to, too_easy),
                    "{named}"
                );
                assert_eq!(result.outcome(), Some(came_to), "{named}");
                assert_eq!(result.closing, said, "{named}");
            }
        }
    }
}

/// "None, or all weights 0: the score is *absent* (not 0, not NaN)": what has no score has no grade but its owner's.
#[test]
fn what_has_no_score_closes_without_a_grade_unless_its_owner_gives_one() {
    let given = given(q1()).and([objective("win", |_| {}), activate("win")]);
    for (said, grade) in [
        (Closing::silent(), None),
        (graded(10.0, "it was reached all the same"), Some(1.0)),
    ] {
        let result = result(&given.clone().and([close("win", said)]), "win");
        assert_eq!((result.score, result.expected), (None, None));
        assert_eq!(result.grading.map(|grading| grading.grade.get()), grade);
        assert_eq!(result.outcome().is_some(), grade.is_some());
    }
}

/// "**Closing freezes** current values, p, s, grade and policy version in its event; what is learned later shows only as
/// `restated_score`."
#[test]
fn closing_freezes_what_was_known() {
    let given = company()
        .and([
            key_result("win/steps", |f| {
                f.kind = milestones(&[("plan", 1.0), ("ship", 3.0)]);
                f.weight = weight(0.0);
            }),
            key_result("win/silent", |f| f.due_date = Some(date(2026, 2, 1))),
            activate("win"),
            update_policy(|patch| patch.check_in_grace_days = Some(5)),
        ])
        .on(2, 15);
    let version = given.workspace.revision();
    let given = given.and([
        saw("win/deals", "c", 12.0),
        reached("win/steps", "c", &["ship"]),
        close("win", explained()),
    ]);
    let frozen = result(&given, "win");
    assert_eq!((frozen.score, frozen.expected), (Some(0.5), Some(0.75)));
    assert_eq!(frozen.date, date(2026, 2, 15));
    assert_eq!(
        frozen.policy_version,
        Revision(version.0 - 1),
        "before the day began"
    );
    assert!(!frozen.with_cycle && !frozen.postponed);
    let of_key_results: Vec<_> = frozen
        .key_results
        .iter()
        .map(|it| (it.id.as_str(), it.current, it.progress, it.score, it.expected))
        .collect();
    assert_eq!(
        of_key_results,
        [
            ("deals", Some(12.0), 1.2, 1.0, 0.5),
            ("silent", None, 0.0, 0.0, 1.0),
            ("steps", Some(3.0), 0.75, 0.75, 0.5),
        ]
    );
    for later in [
        correct("win/deals", "c", |patch| patch.value = Some(Some(value(1.0)))),
        retract("win/deals", "c"),
        update_policy(|patch| patch.achieved_from = Some(0.9)),
    ] {
        let later = given.clone().on(3, 20).and([later]);
        assert_eq!(result(&later, "win"), frozen);
    }
}

/// Of the ACTIVE objectives a and b, the DRAFT draft, the CANCELED gone, the deleted lost, and early, which closed before.
fn before_closing() -> Given {
    let one = |name: &str, seen: f64| {
        let path = format!("{name}/k");
        [
            objective(name, |_| {}),
            key_result(&path, |_| {}),
            activate(name),
            saw(&path, "c", seen),
        ]
    };
    given(q1())
        .and(
            ["a", "b", "early", "gone", "lost"]
                .into_iter()
                .flat_map(|name| one(name, 10.0)),
        )
        .and([
            objective("draft", |_| {}),
            close("early", explained()),
            cancel("gone"),
            delete("objectives/lost"),
            begin_review("q1"),
        ])
}

/// "Closing a cycle grades what is still open in it, in one command; a dry run shows the result first."
#[test]
fn closing_a_cycle_grades_what_is_still_open_in_it() {
    let review = before_closing();
    let said = || vec![("b", closing(|said| said.learned = text("that it works")))];
    assert_eq!(
        review.when(close_cycle("q1", said())),
        Ok(vec!["ObjectiveClosed", "ObjectiveClosed", "CycleClosed"])
    );
    let shown = grade_cycle(
        &review.workspace,
        &id("q1"),
        &[(id("b"), said().remove(0).1)],
        Etag::Any,
    )
    .unwrap();
    let names: Vec<_> = shown.iter().map(|graded| graded.objective.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let early = result(&review, "early");
    let closed = review.and([close_cycle("q1", said())]);
    for graded in &shown {
        let really = result(&closed, graded.objective.as_str());
        assert_eq!(really, graded.result, "the dry run says what comes");
        assert!(really.with_cycle);
    }
    assert_eq!(result(&closed, "b").closing.learned.as_str(), "that it works");
    assert_eq!(result(&closed, "early"), early, "graded before, and not again");
    assert_eq!(state(&closed, "draft"), ObjectiveState::Draft);
    assert_eq!(state(&closed, "gone"), ObjectiveState::Canceled);
    assert!(closed.workspace.objectives()[&id("lost")].closed.is_none());
}

/// "COMMITTED … below 1.0 it needs an explanation": all that lack one are named at once, in a dry run they are shown.
#[test]
fn a_cycle_does_not_close_over_what_nobody_has_explained() {
    let given = before_closing().and([saw("a/k", "d", 9.0), saw("b/k", "d", 1.0)]);
    let refused = given.refused(&close_cycle("q1", vec![]));
    assert_eq!(refused, Rejection::ExplanationMissing(vec![id("a"), id("b")]));
    let of_one = given.refused(&close_cycle("q1", vec![("a", explained())]));
    assert_eq!(of_one, Rejection::ExplanationMissing(vec![id("b")]));
    let shown = grade_cycle(&given.workspace, &id("q1"), &[], Etag::Any).unwrap();
    assert!(shown.iter().all(|graded| graded.result.lacks_explanation()));
    let both = close_cycle("q1", vec![("a", explained()), ("b", explained())]);
    assert!(given.when(both).is_ok());
}

/// "Batches are atomic unless the call says otherwise, and a refusal names each bad element by index."
#[test]
fn what_is_said_as_a_cycle_closes_is_about_something_open_in_it() {
    let given = before_closing().and([
        cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
        objective("later", |f| f.cycle = id("q2")),
    ]);
    let said = vec![
        ("a", explained()),
        ("later", explained()),
        ("draft", explained()),
        ("early", explained()),
        ("nobody", explained()),
        ("lost", explained()),
        ("a", explained()),
        ("b", graded(3.0, "")),
    ];
    let named = vec![
        (1, "OBJECTIVE_NOT_IN_CYCLE"),
        (2, "OBJECTIVE_NOT_ACTIVE"),
        (3, "OBJECTIVE_NOT_ACTIVE"),
        (4, "NOT_FOUND"),
        (5, "DELETED"),
        (6, "INVALID_FIELD"),
        (7, "GRADE_REASON_MISSING"),
    ];
    let refused = given.refused(&close_cycle("q1", said));
    assert_eq!(elements(&refused), ("objectives", named));
}

/// "Reopening needs a reason and open parents, returns to REVIEW, reopens only what that closing graded, and keeps the old
/// grades in the history."
#[test]
fn reopening_a_cycle_reopens_only_what_its_closing_graded() {
    let closed = before_closing()
        .and([close_cycle("q1", vec![])])
        .because("a figure was wrong");
    let old = result(&closed, "a");
    assert_eq!(
        closed.when(reopen_cycle("q1")),
        Ok(vec!["CycleReopened", "ObjectiveReopened", "ObjectiveReopened"])
    );
    let reopened = closed.and([reopen_cycle("q1")]);
    for (name, expected) in [
        ("a", ObjectiveState::Active),
        ("b", ObjectiveState::Active),
        ("early", ObjectiveState::Closed),
        ("draft", ObjectiveState::Draft),
        ("gone", ObjectiveState::Canceled),
    ] {
        assert_eq!(state(&reopened, name), expected, "{name}");
    }
    let kept = reopened.commits.last().unwrap().events.iter().any(|event| {
        matches!(event, super::super::Event::ObjectiveReopened { id: of, result: Some(result), .. }
            if *of == id("a") && **result == old)
    });
    assert!(kept, "the old grade stays in the history");
    let by_hand = reopened.and([
        close("a", explained()),
        close_cycle("q1", vec![]),
        reopen_cycle("q1"),
    ]);
    assert_eq!(
        state(&by_hand, "a"),
        ObjectiveState::Closed,
        "closed by hand in between"
    );
    assert_eq!(state(&by_hand, "b"), ObjectiveState::Active);
}

/// "Reopening needs a reason and open parents": of an objective, its cycle.
#[test]
fn an_objective_becomes_again_what_it_was() {
    let given = company().and([
        objective("draft", |_| {}),
        cancel("draft"),
        objective("open", |_| {}),
        activate("win"),
        close("win", explained()),
    ]);
    assert_eq!(given.when(reopen("win")), Err("REASON_MISSING"));
    assert_eq!(given.when(reopen("draft")), Err("REASON_MISSING"));
    let given = given.because("too early");
    for (name, outcome) in [
        ("win", Ok(vec!["ObjectiveReopened"])),
        ("draft", Ok(vec!["ObjectiveReopened"])),
        ("open", Err("OBJECTIVE_NOT_OVER")),
        ("nobody", Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(reopen(name)), outcome, "{name}");
    }
    let again = given.clone().and([reopen("win"), reopen("draft")]);
    assert_eq!(state(&again, "win"), ObjectiveState::Active);
    assert_eq!(state(&again, "draft"), ObjectiveState::Draft);
    assert!(again.workspace.objective(&id("win")).unwrap().closed.is_none());
    assert!(again.when(saw("win/deals", "c", 1.0)).is_ok());
    let in_review = given.and([begin_review("q1")]);
    assert_eq!(in_review.when(reopen("win")), Ok(vec!["ObjectiveReopened"]));
    let over = in_review.and([close_cycle("q1", vec![])]);
    for name in ["win", "draft"] {
        assert_eq!(over.when(reopen(name)), Err("CYCLE_CLOSED"), "{name}");
    }
}

/// "DRAFT → ACTIVE → CLOSED or CANCELED": a draft is canceled, not closed; who has read an older version does neither.
#[test]
fn only_what_is_active_closes_and_only_what_is_open_is_canceled() {
    let draft = company();
    for (command, outcome) in [
        (close("win", explained()), Err("OBJECTIVE_NOT_ACTIVE")),
        (cancel("win"), Ok(vec!["ObjectiveCanceled"])),
        (close("x", explained()), Err("NOT_FOUND")),
        (cancel("x"), Err("NOT_FOUND")),
    ] {
        assert_eq!(draft.when(command.clone()), outcome, "{command:?}");
    }
    let active = draft.and([activate("win")]).because("so");
    let (id, etag) = (|| id("win"), Etag::Exactly(Revision(2)));
    for command in [
        Command::CloseObjective {
            id: id(),
            closing: Box::new(explained()),
            etag,
        },
        Command::CancelObjective { id: id(), etag },
        Command::ReopenObjective { id: id(), etag },
    ] {
        assert_eq!(active.when(command.clone()), Err("ETAG_MISMATCH"), "{command:?}");
    }
}
