//! Check-ins: what they may say, and how they are put right.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    CheckIn, Confidence, Effective, Event, KeyResultKind, StatusOverride, Text, Timestamp, Unit, UnitKind,
};
use super::{company, elements, fields};

/// "key result, value or milestones reached, confidence 0..1, comment, optional status override, effective time. Allowed
/// while the objective is ACTIVE"; "More than 5 minutes ahead of the server is refused".
#[test]
fn a_check_in_says_something_that_has_happened_and_that_no_kpi_says() {
    let count = Unit::parse(UnitKind::Count, "", None).unwrap();
    let given = company().and([
        key_result("win/nps", |fields| {
            fields.kpi = Some(id("nps"));
            fields.kind = metric(Some(1.0), 2.0);
        }),
        key_result("win/counted", |f| f.unit = Some(count)),
    ]);
    let saying = |path: &str, number: f64| check_in(path, "c", |c| c.value = Some(value(number)));
    assert_eq!(given.when(saying("win/deals", 1.0)), Err("OBJECTIVE_NOT_ACTIVE"));
    let given = given.and([
        activate("win"),
        check_in("win/deals", "first", |c| c.value = Some(value(1.0))),
    ]);
    let at = |effective: Effective| {
        check_in("win/deals", "c", move |c| {
            c.effective = effective;
            c.value = Some(value(2.0));
        })
    };
    let soon = |seconds: i64| Effective::At(super::super::given::at(2026, 1, 1, 12).plus_seconds(seconds));
    for (command, outcome) in [
        (saying("win/deals", 1.0), Ok(vec!["CheckInRecorded"])),
        (saying("win/x", 1.0), Err("NOT_FOUND")),
        (
            check_in("win/deals", "first", |c| c.value = Some(value(1.0))),
            Err("ALREADY_EXISTS"),
        ),
        (check_in("win/deals", "c", |_| {}), Err("INVALID_FIELD")),
        (saying("win/counted", 1.5), Err("INVALID_FIELD")),
        (saying("win/nps", 1.0), Err("VALUE_COMES_FROM_KPI")),
        (
            check_in("win/nps", "c", |c| {
                c.confidence = Some(Confidence::parse(0.5).unwrap())
            }),
            Ok(vec!["CheckInRecorded"]),
        ),
        (
            check_in("win/nps", "c", |c| c.comment = Text::parse("well").unwrap()),
            Ok(vec!["CheckInRecorded"]),
        ),
        (at(soon(300)), Ok(vec!["CheckInRecorded"])),
        (at(soon(301)), Err("EFFECTIVE_TIME_IN_FUTURE")),
        (at(Effective::At(Timestamp::MAX)), Err("EFFECTIVE_TIME_IN_FUTURE")),
        (at(Effective::At(Timestamp::MIN)), Ok(vec!["CheckInRecorded"])),
        (at(Effective::On(date(2026, 1, 1))), Ok(vec!["CheckInRecorded"])),
        (
            at(Effective::On(date(2026, 1, 2))),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

/// BINARY "0 or 1"; MILESTONES "value or milestones reached"; "A value for a key result with a linked KPI is refused
/// (`VALUE_COMES_FROM_KPI`)".
#[test]
fn a_check_in_fits_the_kind_of_its_key_result() {
    let scale = UnitKind::scale(&["red".into(), "green".into()]).unwrap();
    let scale = Unit::parse(scale, "", None).unwrap();
    let given = company().and([
        key_result("win/steps", |f| {
            f.kind = milestones(&[("plan", 1.0), ("ship", 0.0)])
        }),
        key_result("win/done", |f| f.kind = KeyResultKind::Binary),
        key_result("win/kept", |f| f.kind = maintain(Some(40.0), None, 0.0)),
        key_result("win/mood", |f| f.unit = Some(scale)),
        key_result("win/kept-nps", |f| {
            f.kind = share(40.0);
            f.kpi = Some(id("nps"));
        }),
        activate("win"),
    ]);
    for (command, refused) in [
        (saw("win/done", "c", 1.0), None),
        (saw("win/done", "c", 0.0), None),
        (saw("win/done", "c", 0.5), Some(vec!["check_in.value"])),
        (saw("win/done", "c", 2.0), Some(vec!["check_in.value"])),
        (saw("win/kept", "c", -7.5), None),
        (saw("win/mood", "c", 1.0), None),
        (saw("win/mood", "c", 2.0), Some(vec!["check_in.value"])),
        (saw("win/steps", "c", 1.0), Some(vec!["check_in.value"])),
        (reached("win/steps", "c", &["plan", "ship"]), None),
        (reached("win/steps", "c", &[]), None),
        (
            reached("win/steps", "c", &["plan", "fly"]),
            Some(vec!["check_in.reached_milestones"]),
        ),
        (
            reached("win/deals", "c", &["plan"]),
            Some(vec!["check_in.reached_milestones"]),
        ),
        (
            reached("win/done", "c", &[]),
            Some(vec!["check_in.reached_milestones"]),
        ),
        (check_in("win/steps", "c", |_| {}), Some(vec!["check_in"])),
        (check_in("win/steps", "c", in_words), None),
    ] {
        match refused {
            None => assert_eq!(
                given.when(command.clone()),
                Ok(vec!["CheckInRecorded"]),
                "{command:?}"
            ),
            Some(named) => assert_eq!(fields(&given.refused(&command)), named, "{command:?}"),
        }
    }
    assert_eq!(
        given.when(saw("win/kept-nps", "c", 1.0)),
        Err("VALUE_COMES_FROM_KPI")
    );
    let welcome = check_in("win/kept-nps", "c", |c| {
        c.confidence = Some(Confidence::parse(1.0).unwrap());
        c.status_override = Some(StatusOverride::Behind);
        in_words(c);
    });
    assert_eq!(given.when(welcome), Ok(vec!["CheckInRecorded"]));
}

/// "Batches are atomic unless the call says otherwise, and a refusal names each bad element by index."
#[test]
fn a_batch_of_check_ins_is_all_or_none() {
    let given = company().and([
        objective("draft", |_| {}),
        key_result("draft/k", |_| {}),
        activate("win"),
        saw("win/deals", "old", 1.0),
    ]);
    let good = check_ins([saw("win/deals", "a", 1.0), saw("win/deals", "b", 2.0)]);
    assert_eq!(given.when(good), Ok(vec!["CheckInRecorded", "CheckInRecorded"]));
    let bad = check_ins([
        saw("win/deals", "a", 1.0),
        saw("draft/k", "a", 1.0),
        saw("win/deals", "old", 1.0),
        saw("win/x", "a", 1.0),
        saw("win/deals", "a", 2.0),
        check_in("win/deals", "b", |_| {}),
        check_in("win/deals", "c", |c| {
            in_words(c);
            c.effective = Effective::On(date(2026, 1, 2));
        }),
    ]);
    let named = vec![
        (1, "OBJECTIVE_NOT_ACTIVE"),
        (2, "ALREADY_EXISTS"),
        (3, "NOT_FOUND"),
        (4, "INVALID_FIELD"),
        (5, "INVALID_FIELD"),
        (6, "EFFECTIVE_TIME_IN_FUTURE"),
    ];
    assert_eq!(elements(&given.refused(&bad)), ("requests", named));
    assert_eq!(given.when(check_ins([])), Ok(vec![]));
}

fn standing<'g>(given: &'g Given, name: &str) -> &'g CheckIn {
    let key_result = given.workspace.key_result(&key_result_id("win/deals")).unwrap();
    &key_result.check_in(&id(name)).unwrap().check_in
}

/// "**Check-in** (append-only; corrected and retracted like a measurement)"; "a retraction *removes*, and both keep what was
/// believed before"; "`CorrectCheckIn` … Allowed after closing too".
#[test]
fn a_check_in_is_put_right_and_keeps_what_was_believed_before() {
    let given = company()
        .and([activate("win"), saw("win/deals", "c", 1.0)])
        .on(1, 5);
    let change = |number: f64| correct("win/deals", "c", move |p| p.value = Some(Some(value(number))));
    let cleared = correct("win/deals", "c", |p| p.value = Some(None));
    for (command, outcome) in [
        (change(2.0), Ok(vec!["CheckInCorrected"])),
        (change(1.0), Ok(vec![])),
        (correct("win/deals", "c", |_| {}), Ok(vec![])),
        (retract("win/deals", "c"), Ok(vec!["CheckInRetracted"])),
        (cleared.clone(), Err("INVALID_FIELD")),
        (correct("win/deals", "x", |_| {}), Err("NOT_FOUND")),
        (retract("win/deals", "x"), Err("NOT_FOUND")),
        (retract("win/x", "c"), Err("NOT_FOUND")),
        (
            correct("win/deals", "c", |p| {
                p.effective = Some(Effective::On(date(2026, 1, 6)))
            }),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
        (
            correct("win/deals", "c", |p| p.reached_milestones = Some(Some(vec![]))),
            Err("INVALID_FIELD"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    assert_eq!(fields(&given.refused(&cleared)), ["check_in"]);
    let corrected = given.clone().and([change(2.0)]);
    assert_eq!(standing(&corrected, "c").value, Some(value(2.0)));
    let Event::CheckInCorrected { before, .. } = &corrected.commits.last().unwrap().events[0] else {
        panic!("another event");
    };
    assert_eq!(before.value, Some(value(1.0)), "what was believed before");
    let retracted = given.and([retract("win/deals", "c")]);
    for command in [change(2.0), retract("win/deals", "c")] {
        assert_eq!(retracted.when(command), Err("CHECK_IN_RETRACTED"));
    }
    assert_eq!(
        retracted.when(saw("win/deals", "c", 1.0)),
        Err("ALREADY_EXISTS"),
        "its name stays taken"
    );
}

/// "Allowed while the objective is ACTIVE"; what is learned after closing is a correction.
#[test]
fn after_closing_a_check_in_is_put_right_but_none_is_added() {
    let active = company()
        .because("too early")
        .and([activate("win"), saw("win/deals", "c", 1.0)]);
    let change = || correct("win/deals", "c", |p| p.value = Some(Some(value(2.0))));
    let closed = active.clone().and([close("win", explained())]);
    let in_closed_cycle = closed
        .clone()
        .and([begin_review("q1"), close_cycle("q1", vec![])]);
    for given in [&closed, &in_closed_cycle] {
        assert_eq!(given.when(change()), Ok(vec!["CheckInCorrected"]));
        assert_eq!(
            given.when(retract("win/deals", "c")),
            Ok(vec!["CheckInRetracted"])
        );
        assert_eq!(
            given.when(saw("win/deals", "d", 1.0)),
            Err("OBJECTIVE_NOT_ACTIVE")
        );
    }
    let canceled = active.clone().and([cancel("win")]);
    let deleted = active.and([delete("keyResults/win/deals")]);
    for (given, reason) in [(&canceled, "OBJECTIVE_NOT_ACTIVE"), (&deleted, "DELETED")] {
        assert_eq!(given.when(change()), Err(reason));
        assert_eq!(given.when(retract("win/deals", "c")), Err(reason));
        assert_eq!(given.when(saw("win/deals", "d", 1.0)), Err(reason));
    }
}

/// A correction is held against what it says anew: the key result may have been of another kind when the rest was said.
#[test]
fn a_correction_leaves_alone_what_it_does_not_name() {
    let given = company().because("we measure it now").and([
        key_result("win/steps", |f| {
            f.kind = milestones(&[("plan", 1.0), ("ship", 1.0)])
        }),
        activate("win"),
        saw("win/deals", "c", 7.5),
        reached("win/steps", "c", &["plan"]),
        update_key_result("win/deals", |p| p.kpi = Some(Some(id("nps")))),
        update_key_result("win/steps", |p| p.kind = Some(milestones(&[("ship", 1.0)]))),
    ]);
    let words = |path| {
        correct(path, "c", |p| {
            p.comment = Some(Text::parse("seen by eye").unwrap())
        })
    };
    for (command, outcome) in [
        (words("win/deals"), Ok(vec!["CheckInCorrected"])),
        (words("win/steps"), Ok(vec!["CheckInCorrected"])),
        (
            correct("win/deals", "c", |p| p.value = Some(Some(value(8.0)))),
            Err("VALUE_COMES_FROM_KPI"),
        ),
        (
            correct("win/steps", "c", |p| {
                p.reached_milestones = Some(Some(vec![id("plan"), id("ship")]))
            }),
            Err("INVALID_FIELD"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

/// "Latest means latest by effective time, never by when it was edited"; of one moment, the one recorded later.
#[test]
fn the_newest_check_in_is_the_newest_by_effective_time() {
    let given = company().on(1, 20).and([activate("win")]).and([
        saw_on("win/deals", "middle", (1, 10), 2.0),
        saw_on("win/deals", "late", (1, 15), 3.0),
        saw_on("win/deals", "early", (1, 5), 1.0),
        saw_on("win/deals", "same", (1, 15), 4.0),
    ]);
    let order = |given: &Given| {
        let key_result = given.workspace.key_result(&key_result_id("win/deals")).unwrap();
        let values: Vec<f64> = key_result
            .newest_check_ins()
            .filter_map(|check_in| check_in.value)
            .map(|value| value.get())
            .collect();
        values
    };
    assert_eq!(order(&given), [4.0, 3.0, 2.0, 1.0]);
    let edited = given.clone().and([correct("win/deals", "early", |p| {
        p.value = Some(Some(value(9.0)))
    })]);
    assert_eq!(order(&edited), [4.0, 3.0, 2.0, 9.0]);
    let moved = given.clone().and([correct("win/deals", "early", |p| {
        p.effective = Some(Effective::At(at(2026, 1, 20, 12)))
    })]);
    assert_eq!(order(&moved), [1.0, 4.0, 3.0, 2.0]);
    let retracted = given.and([retract("win/deals", "same")]);
    assert_eq!(order(&retracted), [3.0, 2.0, 1.0]);
}
