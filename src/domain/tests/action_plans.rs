//! What people do about an alert: seen, planned, done; and what is found when nothing is done.

use super::super::given::*;
use super::super::{AlertKind, Text};

/// KPI `k`, BREACHED on 1 January, with its alert's id.
fn breached() -> (Given, String) {
    let given = given(q1())
        .and(aimed("k", at_least(8.0), |f| f.grace_days = 300))
        .and([
            member("jo", "jo@acme", super::super::Role::Lead),
            objective("win", |_| {}),
            measured("k", 1, 1, 1.0),
        ]);
    let alert = given.alert_id("k", AlertKind::Breach);
    (given, alert)
}

/// "An open alert without an action plan is `needs_action`."
#[test]
fn an_open_alert_without_a_plan_needs_action() {
    let (given, alert) = breached();
    let needs = |given: &Given| {
        let kpi = given.workspace.kpi(&id("k")).unwrap();
        (
            given.alert("k", AlertKind::Breach).needs_action(),
            kpi.needs_action(),
        )
    };
    assert_eq!(needs(&given), (true, true));
    let seen = given.clone().and([acknowledge("k", &alert, "on it")]);
    assert_eq!(needs(&seen), (true, true), "to have seen it is no plan");
    let planned = given.clone().and([set_plan("k", &alert, |_| {})]);
    assert_eq!(needs(&planned), (false, false));
    let done = planned.and([complete_plan("k", &alert)]);
    assert_eq!(needs(&done), (false, false), "somebody did something");
    let closed = given.and([correct_measured("k", 1, 1, 9.0)]);
    assert_eq!(needs(&closed), (false, false));
    let again = done
        .and([correct_measured("k", 1, 1, 9.0)])
        .on(1, 2)
        .and([measured("k", 1, 2, 1.0)]);
    assert_eq!(needs(&again), (true, true), "the next alert asks for its own");
}

/// A plan is set, changed, completed, and set again when there is more to do; who says what is so already records nothing.
#[test]
fn a_plan_lives() {
    let (given, alert) = breached();
    let set = || set_plan("k", &alert, |_| {});
    let other = || set_plan("k", &alert, |plan| plan.owner = Some(id("jo")));
    let done = || complete_plan("k", &alert);
    let planned = given.clone().and([set()]);
    let completed = planned.clone().and([done()]);
    let again = completed.clone().and([set()]);
    for (case, given, command, outcome) in [
        ("set", &given, set(), Ok(vec!["ActionPlanSet"])),
        ("set twice", &planned, set(), Ok(vec![])),
        ("changed", &planned, other(), Ok(vec!["ActionPlanSet"])),
        ("completed", &planned, done(), Ok(vec!["ActionPlanCompleted"])),
        ("none to complete", &given, done(), Err("ACTION_PLAN_MISSING")),
        (
            "completed twice",
            &completed,
            done(),
            Err("ACTION_PLAN_COMPLETED"),
        ),
        (
            "the same, once more",
            &completed,
            set(),
            Ok(vec!["ActionPlanSet"]),
        ),
        (
            "another, once more",
            &completed,
            other(),
            Ok(vec!["ActionPlanSet"]),
        ),
        ("completed again", &again, done(), Ok(vec!["ActionPlanCompleted"])),
    ] {
        assert_eq!(given.when(command), outcome, "{case}");
    }
    let plan_of = |given: &Given| given.alert("k", AlertKind::Breach).plan.clone().unwrap();
    assert_eq!(plan_of(&planned).plan, plan(|_| {}));
    let (by, note) = plan_of(&completed).completed.unwrap();
    assert_eq!(
        (by.revision, note.as_str()),
        (completed.workspace.revision(), "all called")
    );
    assert_eq!(plan_of(&again).completed, None);
    // What was done is worth knowing after the alert has closed, too.
    let closed = given.and([correct_measured("k", 1, 1, 9.0)]);
    let late = closed.and([set()]);
    assert_eq!(late.when(done()), Ok(vec!["ActionPlanCompleted"]));
    assert!(!late.alert("k", AlertKind::Breach).is_open());
}

/// What makes no plan, and what is not there, is refused with its reason.
#[test]
fn a_plan_names_what_is_there_and_says_what_to_do() {
    let (given, alert) = breached();
    let text = |text: &'static str| set_plan("k", &alert, |plan| plan.text = Text::parse(text).unwrap());
    let owner = |name: &str| set_plan("k", &alert, |plan| plan.owner = Some(id(name)));
    let for_objective = |name: &str| set_plan("k", &alert, |plan| plan.objective = Some(id(name)));
    for (command, outcome) in [
        (text(""), Err("INVALID_FIELD")),
        (text(" \n "), Err("INVALID_FIELD")),
        (text("call"), Ok(vec!["ActionPlanSet"])),
        (owner("x"), Err("NOT_FOUND")),
        (owner("jo"), Ok(vec!["ActionPlanSet"])),
        (for_objective("x"), Err("NOT_FOUND")),
        (for_objective("win"), Ok(vec!["ActionPlanSet"])),
        (set_plan("k", "breach-999", |_| {}), Err("NOT_FOUND")),
        (set_plan("x", &alert, |_| {}), Err("NOT_FOUND")),
        (complete_plan("k", "breach-999"), Err("NOT_FOUND")),
        (acknowledge("k", "breach-999", ""), Err("NOT_FOUND")),
        (acknowledge("k", &alert, ""), Ok(vec!["AlertAcknowledged"])),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    assert_eq!(super::fields(&given.refused(&text(""))), ["action_plan.text"]);
    // Who has left since stays in a plan that is changed elsewhere, and comes into no new one.
    let left = given.clone().and([owner("jo"), delete("members/jo")]);
    let both = set_plan("k", &alert, |plan| {
        (plan.owner, plan.due_date) = (Some(id("jo")), Some(day(2, 1)));
    });
    assert_eq!(left.when(both.clone()), Ok(vec!["ActionPlanSet"]));
    assert_eq!(
        given.clone().and([delete("members/jo")]).when(both),
        Err("DELETED")
    );
    let gone = given.and([delete("kpis/k")]);
    for command in [
        set_plan("k", &alert, |_| {}),
        complete_plan("k", &alert),
        acknowledge("k", &alert, ""),
    ] {
        assert_eq!(gone.when(command), Err("DELETED"));
    }
}

/// Somebody has seen it: once with each note, as long as it is open.
#[test]
fn an_alert_is_acknowledged_while_it_is_open() {
    let (given, alert) = breached();
    let seen = given.clone().and([acknowledge("k", &alert, "on it")]);
    assert_eq!(seen.when(acknowledge("k", &alert, "on it")), Ok(vec![]));
    assert_eq!(
        seen.when(acknowledge("k", &alert, "still")),
        Ok(vec!["AlertAcknowledged"])
    );
    let closed = given.and([correct_measured("k", 1, 1, 9.0)]);
    assert_eq!(closed.when(acknowledge("k", &alert, "late")), Err("ALERT_CLOSED"));
}

/// A plan whose day has passed is said once, as the next day starts; a closed alert, a completed plan and one that closes
/// with this very day are not asked for.
#[test]
fn an_overdue_plan_is_said_once() {
    let (given, alert) = breached();
    let due = |month: i8, on: i8| set_plan("k", &alert, move |plan| plan.due_date = Some(day(month, on)));
    let planned = given.clone().and([due(1, 5)]);
    assert!(planned.clone().on(1, 5).alarms().is_empty(), "its last day");
    for later in [(1, 6), (3, 1)] {
        let overdue = planned.clone().on(later.0, later.1);
        assert_eq!(overdue.alarms(), ["plan overdue"], "{later:?}");
        assert!(
            overdue
                .alert("k", AlertKind::Breach)
                .plan
                .as_ref()
                .unwrap()
                .overdue
        );
        assert!(
            overdue.clone().on(later.0, later.1 + 1).alarms().is_empty(),
            "once"
        );
        let longer = overdue.and([due(3, 10)]).on(3, 9);
        assert!(longer.alarms().is_empty());
        assert_eq!(
            longer.on(3, 11).alarms(),
            ["plan overdue"],
            "the new day has passed too"
        );
    }
    for (case, given) in [
        ("no day", given.clone().and([set_plan("k", &alert, |_| {})])),
        ("completed", planned.clone().and([complete_plan("k", &alert)])),
        ("closed", planned.clone().and([correct_measured("k", 1, 1, 9.0)])),
        ("archived", planned.and([archive("k")])),
    ] {
        assert!(given.on(1, 6).alarms().is_empty(), "{case}");
    }
    let past = given.and([due(1, 1)]);
    assert_eq!(past.on(1, 2).alarms(), ["plan overdue"]);
    // The sum of the 5th is complete, and good, as the 6th starts.
    let sums = super::super::given::given(aimed("k", at_least(8.0), |f| {
        (f.aggregation, f.grace_days) = (super::super::Aggregation::Sum, 300);
    }))
    .on(1, 5)
    .and([measured("k", 1, 4, 1.0), measured("k", 1, 5, 9.0)]);
    let alert = sums.alert_id("k", AlertKind::Breach);
    let planned = sums.and([set_plan("k", &alert, |plan| plan.due_date = Some(day(1, 5)))]);
    assert_eq!(planned.on(1, 6).alarms(), ["BREACH closed: RECOVERED"]);
}
