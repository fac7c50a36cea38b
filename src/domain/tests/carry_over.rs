//! What goes on in another cycle, and in other teams.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Alignment, Ambition, Command, Direction, Etag, InitiativeId, InitiativeState, KeyResultFields,
    KeyResultKind, Metric, Objective, ObjectiveState, Outcome, RelativeTarget, Revision, Window,
};
use super::{company, fields};

/// The company with a second quarter, PLANNED.
fn two_quarters() -> Given {
    company().and([cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None)])
}

fn objective_of<'g>(given: &'g Given, name: &str) -> &'g Objective {
    given.workspace.objective(&id(name)).unwrap()
}

fn key_result_of<'g>(given: &'g Given, path: &str) -> &'g KeyResultFields {
    &given.workspace.key_result(&key_result_id(path)).unwrap().fields
}

fn metric_of<'g>(given: &'g Given, path: &str) -> &'g Metric {
    match &key_result_of(given, path).kind {
        KeyResultKind::Metric(metric) => metric,
        other => panic!("another kind: {other:?}"),
    }
}

fn names(given: &Given, objective: &str) -> Vec<String> {
    let of = id(objective);
    given
        .workspace
        .key_results_of(&of)
        .map(|(id, _)| id.id.to_string())
        .collect()
}

/// "key results with p ≥ 1 stay behind and are listed, METRIC gets baseline := current, MILESTONES the unreached, MAINTAIN
/// unchanged". A MAINTAIN that holds has p = 1, so it stays behind too: to keep a value for ever is a KPI target.
#[test]
fn a_carried_objective_starts_where_its_source_stands() {
    let steps = [("plan", 1.0), ("build", 2.0), ("ship", 1.0)];
    let given = two_quarters()
        .and([
            objective("go", |f| f.ambition = Ambition::Aspirational),
            key_result("go/rise", |f| f.due_date = Some(date(2026, 3, 1))),
            key_result("go/fall", |f| f.kind = metric(Some(48.0), 30.0)),
            key_result("go/worse", |_| {}),
            key_result("go/silent", |_| {}),
            key_result("go/reached", |_| {}),
            key_result("go/nearly", |_| {}),
            key_result("go/short-way", |f| f.kind = metric(Some(0.0), 0.5)),
            key_result("go/steps", |f| f.kind = milestones(&steps)),
            key_result("go/all-steps", |f| f.kind = milestones(&steps)),
            key_result("go/no-steps", |f| f.kind = milestones(&steps)),
            key_result("go/kept", |f| f.kind = maintain(Some(40.0), None, 10.0)),
            key_result("go/slipped", |f| f.kind = maintain(Some(40.0), None, 10.0)),
            key_result("go/share", |f| f.kind = share(40.0)),
            key_result("go/done", |f| f.kind = KeyResultKind::Binary),
            key_result("go/undone", |f| f.kind = KeyResultKind::Binary),
            key_result("go/deleted", |_| {}),
            delete("keyResults/go/deleted"),
            activate("go"),
        ])
        .and([
            saw("go/rise", "c", 4.0),
            saw("go/fall", "c", 39.0),
            saw("go/worse", "c", -2.0),
            saw("go/reached", "c", 12.0),
            saw("go/nearly", "c", 10.0 - 1e-9),
            saw("go/short-way", "c", 0.5 - 8e-10),
            reached("go/steps", "c", &["build"]),
            reached("go/all-steps", "c", &["plan", "build", "ship"]),
            saw("go/kept", "c", 45.0),
            saw("go/slipped", "c", 35.0),
            saw("go/share", "c", 45.0),
            saw("go/share", "d", 35.0),
            saw("go/done", "c", 1.0),
            saw("go/undone", "c", 0.0),
        ])
        .and([carry_over("go", "go-on", "q2")]);
    assert_eq!(
        names(&given, "go-on"),
        [
            "fall", "no-steps", "rise", "share", "silent", "slipped", "steps", "undone", "worse"
        ]
    );
    for (path, baseline) in [
        ("go-on/rise", 4.0),
        ("go-on/fall", 39.0),
        ("go-on/worse", -2.0),
        ("go-on/silent", 0.0),
    ] {
        let metric = metric_of(&given, path);
        let source = metric_of(&given, &path.replace("go-on", "go"));
        assert_eq!(metric.baseline.unwrap().value.get(), baseline, "{path}");
        assert_eq!(
            metric.baseline.unwrap().kpi_revision,
            None,
            "somebody saw it: {path}"
        );
        assert_eq!(metric.target, source.target, "{path}");
    }
    assert_eq!(
        key_result_of(&given, "go-on/rise").due_date,
        None,
        "it was a day of the old cycle"
    );
    for (path, kind) in [
        ("go-on/steps", milestones(&[("plan", 1.0), ("ship", 1.0)])),
        ("go-on/no-steps", milestones(&steps)),
        ("go-on/slipped", maintain(Some(40.0), None, 10.0)),
        ("go-on/share", share(40.0)),
        ("go-on/undone", KeyResultKind::Binary),
    ] {
        assert_eq!(key_result_of(&given, path).kind, kind, "{path}");
    }
    let carried = objective_of(&given, "go-on");
    assert_eq!(carried.state, ObjectiveState::Draft);
    assert_eq!(carried.carried_from, Some(id("go")));
    assert_eq!(carried.fields.cycle, id("q2"));
    assert_eq!(carried.fields.ambition, Ambition::Aspirational);
}

/// "METRIC gets baseline := current", "CYCLE sums start at 0", "the earlier figure is a `reference_value`".
#[test]
fn a_carried_metric_starts_from_its_kpi_and_a_sum_at_0() {
    use super::super::Aggregation::{Count, Mean, Sum};
    let summed = |name: &'static str, aggregation| kpi(name, move |f| f.aggregation = aggregation);
    let over_cycle = |path: &str, of: &'static str| {
        key_result(path, move |f| {
            f.kpi = Some(id(of));
            f.window = Window::Cycle;
        })
    };
    let given = two_quarters()
        .and([summed("sum", Sum), summed("count", Count), summed("mean", Mean)])
        .and([
            measured("nps", 1, 1, 1.0),
            over_cycle("win/count", "count"),
            over_cycle("win/sum", "sum"),
            key_result("win/mean", |f| {
                f.kpi = Some(id("mean"));
                f.window = Window::Cycle;
                f.kind = metric(Some(1.0), 10.0);
            }),
            key_result("win/nps", |f| {
                f.kpi = Some(id("nps"));
                let KeyResultKind::Metric(metric) = &mut f.kind else {
                    panic!()
                };
                metric.baseline = None;
                metric.relative_target = Some(RelativeTarget::Amount(value(9.0)));
            }),
            activate("win"),
        ])
        .on(1, 20)
        .and([
            measured("sum", 1, 19, 3.0),
            measured("sum", 1, 20, 4.0),
            measured("count", 1, 20, 8.0),
            measured("mean", 1, 18, 3.0),
            measured("mean", 1, 19, 5.0),
            measured("nps", 1, 20, 6.0),
        ]);
    let revision = given.workspace.revision();
    let given = given.and([carry_over("win", "on", "q2")]);
    for (path, baseline, from_kpi, reference) in [
        ("on/sum", 0.0, false, Some(7.0)),
        ("on/count", 0.0, false, Some(1.0)),
        ("on/mean", 4.0, true, None),
        ("on/nps", 6.0, true, None),
    ] {
        let metric = metric_of(&given, path);
        let carried = metric.baseline.unwrap();
        assert_eq!(carried.value.get(), baseline, "{path}");
        assert_eq!(carried.kpi_revision, from_kpi.then_some(revision), "{path}");
        assert_eq!(
            metric.reference_value.map(|value| value.get()),
            reference,
            "{path}"
        );
        assert_eq!(metric.relative_target, None, "it is a number by now: {path}");
        assert_eq!(metric.target.get(), 10.0, "{path}");
    }
}

/// "open initiatives come along".
#[test]
fn open_initiatives_come_along() {
    use InitiativeState::{Done, Dropped, InProgress, Planned};
    let of = |name: &str, state, key_result: Option<&'static str>| {
        initiative(name, move |f| {
            f.state = state;
            f.key_result = key_result.map(id);
            f.due_date = Some(date(2026, 3, 1));
        })
    };
    let given = two_quarters()
        .and([
            key_result("win/reached", |_| {}),
            of("win/demos", Planned, Some("deals")),
            of("win/calls", InProgress, Some("reached")),
            of("win/done", Done, None),
            of("win/dropped", Dropped, None),
            of("win/deleted", Planned, None),
            delete("initiatives/win/deleted"),
            activate("win"),
            saw("win/reached", "c", 10.0),
        ])
        .and([carry_over("win", "on", "q2")]);
    let carried: Vec<_> = given
        .workspace
        .initiatives_of(&id("on"))
        .map(|(InitiativeId { objective: _, id }, it)| (id.as_str(), it.fields.key_result.clone()))
        .collect();
    assert_eq!(
        carried,
        [("calls", None), ("demos", Some(id("deals")))],
        "what stayed behind is for nothing any more"
    );
}

/// "alignment is mapped where the parent was carried too".
#[test]
fn alignment_is_mapped_where_the_parent_was_carried_too() {
    let aligned = |to: &'static str| objective("below", move |f| f.aligned_to = Some(alignment(to)));
    let given = two_quarters().and([
        key_result("win/reached", |_| {}),
        activate("win"),
        saw("win/reached", "c", 10.0),
    ]);
    let carried = |to: &'static str, given: Given| {
        let given = given.and([aligned(to), carry_over("below", "below-on", "q2")]);
        objective_of(&given, "below-on").fields.aligned_to.clone()
    };
    assert_eq!(
        carried("win", given.clone()),
        Some(alignment("win")),
        "the parent stayed"
    );
    let parent_carried = given.and([carry_over("win", "win-on", "q2")]);
    for (to, mapped) in [
        ("win", "win-on"),
        ("win/deals", "win-on/deals"),
        ("win/reached", "win-on"),
    ] {
        assert_eq!(
            carried(to, parent_carried.clone()),
            Some(alignment(mapped)),
            "{to}"
        );
    }
    let parent_deleted = parent_carried.and([delete("objectives/win-on")]);
    assert_eq!(carried("win", parent_deleted), Some(alignment("win")));
}

/// "alignment to one parent (an objective or a key result; no cycle, depth ≤ 16)": mapping an alignment keeps to it.
#[test]
fn a_mapped_alignment_is_no_deeper_than_any() {
    let below = |name: &str, to: &str| {
        let to = Alignment::Objective(id(to));
        objective(name, |f| f.aligned_to = Some(to))
    };
    let given = two_quarters()
        .and((1..16).map(|n| match n {
            1 => objective("o1", |_| {}),
            _ => below(&format!("o{n}"), &format!("o{}", n - 1)),
        }))
        .and([below("below", "win"), carry_over("win", "win-on", "q2")]);
    let deepest_but_one = given.clone().and([align("win-on", "o14")]);
    assert!(
        deepest_but_one
            .when(carry_over("below", "below-on", "q2"))
            .is_ok()
    );
    let deepest = given.and([align("win-on", "o15")]);
    assert_eq!(
        deepest.when(carry_over("below", "below-on", "q2")),
        Err("ALIGNMENT_TOO_DEEP")
    );
}

/// "the source, if still open, closes as POSTPONED".
#[test]
fn an_open_source_closes_as_postponed_and_a_closed_one_keeps_its_grade() {
    let active = two_quarters().and([activate("win"), saw("win/deals", "c", 5.0)]);
    let closed = active.clone().and([close("win", explained())]);
    for (given, closes, outcome, score) in [
        (two_quarters(), true, Outcome::Postponed, None),
        (active, true, Outcome::Postponed, Some(0.5)),
        (closed, false, Outcome::Partial, Some(0.5)),
    ] {
        let events = given.when(carry_over("win", "on", "q2")).unwrap();
        assert_eq!(events.contains(&"ObjectiveClosed"), closes);
        let given = given.and([carry_over("win", "on", "q2")]);
        let source = objective_of(&given, "win");
        assert_eq!(source.state, ObjectiveState::Closed);
        let result = &source.closed.as_ref().unwrap().result;
        assert_eq!((result.outcome(), result.score), (Some(outcome), score));
        assert_eq!(result.grading.is_none(), outcome == Outcome::Postponed);
        assert!(!result.with_cycle, "reopening the cycle leaves it as it is");
    }
}

/// "The same objective into the same cycle twice is ALREADY_EXISTS."
#[test]
fn an_objective_is_carried_once_into_another_open_cycle() {
    let given = two_quarters()
        .and([
            cycle("q3", date(2026, 7, 1), date(2026, 9, 30), None),
            cycle("q0", date(2025, 10, 1), date(2025, 12, 31), None),
            activate_cycle("q0"),
            begin_review("q0"),
            close_cycle("q0", vec![]),
            objective("gone", |_| {}),
            cancel("gone"),
            objective("lost", |_| {}),
            delete("objectives/lost"),
        ])
        .and([carry_over("win", "on", "q2")]);
    let old = Command::CarryOverObjective {
        id: id("win"),
        to: super::super::CarryOver {
            new_id: id("x"),
            cycle: id("q3"),
        },
        etag: Etag::Exactly(Revision(2)),
    };
    for (command, outcome) in [
        (carry_over("win", "x", "q2"), Err("CARRIED_OVER_ALREADY")),
        (carry_over("win", "on", "q3"), Err("ALREADY_EXISTS")),
        (carry_over("win", "x", "q1"), Err("INVALID_FIELD")),
        (carry_over("win", "x", "q0"), Err("CYCLE_CLOSED")),
        (carry_over("win", "x", "q9"), Err("NOT_FOUND")),
        (carry_over("nobody", "x", "q3"), Err("NOT_FOUND")),
        (carry_over("gone", "x", "q3"), Err("OBJECTIVE_OVER")),
        (carry_over("lost", "x", "q3"), Err("DELETED")),
        (old, Err("ETAG_MISMATCH")),
        (
            carry_over("win", "x", "q3"),
            Ok(vec!["ObjectiveCreated", "KeyResultCreated"]),
        ),
        (
            carry_over("on", "x", "q3"),
            Ok(vec!["ObjectiveCreated", "KeyResultCreated", "ObjectiveClosed"]),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    assert_eq!(fields(&given.refused(&carry_over("win", "x", "q1"))), ["cycle"]);
    let deleted = given.and([delete("objectives/on")]);
    assert_eq!(
        deleted.when(carry_over("win", "x", "q2")),
        Err("CARRIED_OVER_ALREADY"),
        "undelete that one"
    );
}

/// A direction that held for the source holds for what is carried: what has gone beyond its target stays behind.
#[test]
fn what_is_carried_goes_with_its_kpi_still() {
    let given = two_quarters()
        .and([
            kpi("churn", |f| f.direction = Direction::LowerIsBetter),
            measured("churn", 1, 1, 9.0),
            key_result("win/churn", |f| {
                f.kpi = Some(id("churn"));
                f.kind = metric(None, 5.0);
            }),
            activate("win"),
        ])
        .on(2, 1);
    for (seen, carried) in [(7.0, true), (12.0, true), (5.0, false), (3.0, false)] {
        let given = given
            .clone()
            .and([measured("churn", 2, 1, seen), carry_over("win", "on", "q2")]);
        assert_eq!(
            names(&given, "on").contains(&"churn".to_owned()),
            carried,
            "{seen}"
        );
        if carried {
            let touched = update_key_result("on/churn", |p| p.title = Some(title("Churn")));
            assert_eq!(given.when(touched), Ok(vec!["KeyResultUpdated"]), "{seen}");
        }
    }
}
