//! Key results: what they are measured by, where they start and where they go.

use jiff::civil::date;

use super::super::given::*;
use super::super::{Direction, KeyResultKind, KeyResultPatch, Metric, RelativeTarget, Window};
use super::{company, fields};

/// "METRIC … |t − b| ≥ 1e-9, else refused: what is already reached is no improvement; the message names MAINTAIN or a KPI
/// target. Against the linked KPI's direction: `WRONG_DIRECTION`".
#[test]
fn a_key_result_goes_somewhere_and_not_against_its_kpi() {
    let given = company().and([
        kpi("churn", |f| f.direction = Direction::LowerIsBetter),
        kpi("ph", |f| f.direction = Direction::InRange),
        kpi("empty", |_| {}),
        measured("nps", 1, 1, 40.0),
        measured("churn", 1, 1, 9.0),
    ]);
    let of = |kpi: &'static str, baseline: Option<f64>, target: f64| {
        key_result("win/new", move |fields| {
            fields.kpi = Some(id(kpi));
            fields.kind = metric(baseline, target);
        })
    };
    for (command, outcome) in [
        (key_result("win/new", |_| {}), Ok(vec!["KeyResultCreated"])),
        (key_result("win/deals", |_| {}), Err("ALREADY_EXISTS")),
        (key_result("x/new", |_| {}), Err("NOT_FOUND")),
        (
            key_result("win/new", |f| f.owner = Some(id("jo"))),
            Err("NOT_FOUND"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 5.0)),
            Err("TARGET_IS_BASELINE"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 5.0 + 5e-10)),
            Err("TARGET_IS_BASELINE"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 4.0)),
            Ok(vec!["KeyResultCreated"]),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2026, 3, 31))),
            Ok(vec!["KeyResultCreated"]),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2026, 4, 1))),
            Err("INVALID_FIELD"),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2025, 12, 31))),
            Err("INVALID_FIELD"),
        ),
        (of("nps", None, 50.0), Ok(vec!["KeyResultCreated"])),
        (of("nps", None, 30.0), Err("WRONG_DIRECTION")),
        (of("nps", None, 40.0), Err("TARGET_IS_BASELINE")),
        (of("churn", None, 5.0), Ok(vec!["KeyResultCreated"])),
        (of("churn", Some(1.0), 5.0), Err("WRONG_DIRECTION")),
        (of("ph", Some(1.0), 5.0), Ok(vec!["KeyResultCreated"])),
        (of("ph", Some(5.0), 1.0), Ok(vec!["KeyResultCreated"])),
        (of("empty", None, 5.0), Ok(vec!["KeyResultCreated"])),
        (of("none", None, 5.0), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

/// "Changing baseline or target while ACTIVE needs a reason."
#[test]
fn changing_an_active_key_results_metric_needs_a_reason() {
    let draft = company();
    let change = || update_key_result("win/deals", |p| p.kind = Some(metric(Some(0.0), 20.0)));
    assert_eq!(draft.when(change()), Ok(vec!["KeyResultUpdated"]));
    let active = draft.and([activate("win")]);
    assert_eq!(active.when(change()), Err("REASON_MISSING"));
    assert_eq!(
        active.when(update_key_result("win/deals", |p| p.title = Some(title("x")))),
        Ok(vec!["KeyResultUpdated"])
    );
    assert_eq!(
        active.because("we aimed too low").when(change()),
        Ok(vec!["KeyResultUpdated"])
    );
}

fn metric_of<'g>(given: &'g Given, path: &str) -> &'g Metric {
    match &given
        .workspace
        .key_result(&key_result_id(path))
        .unwrap()
        .fields
        .kind
    {
        KeyResultKind::Metric(metric) => metric,
        other => panic!("another kind: {other:?}"),
    }
}

/// A metric of which only the baseline and the target relative to it are given.
fn relative(baseline: Option<f64>, target: RelativeTarget) -> KeyResultKind {
    let KeyResultKind::Metric(metric) = metric(baseline, 0.0) else {
        unreachable!()
    };
    KeyResultKind::Metric(Metric {
        relative_target: Some(target),
        ..metric
    })
}

/// "A relative target ("+10 %", "+15") is resolved when defined: b + |b|·x or b + x; b = 0 refuses the relative one."
#[test]
fn a_relative_target_is_a_number_from_its_definition_on() {
    use RelativeTarget::{Amount, Percent};
    let given = company().and([kpi("empty", |_| {}), measured("nps", 1, 1, 40.0)]);
    let of = |baseline, target, kpi: Option<&'static str>| {
        key_result("win/new", move |f| {
            f.kind = relative(baseline, target);
            f.kpi = kpi.map(id);
        })
    };
    for (baseline, target, kpi, resolved) in [
        (Some(20.0), Percent(value(10.0)), None, Ok(22.0)),
        (Some(-20.0), Percent(value(10.0)), None, Ok(-18.0)),
        (Some(20.0), Amount(value(15.0)), None, Ok(35.0)),
        (Some(0.0), Amount(value(15.0)), None, Ok(15.0)),
        (None, Percent(value(25.0)), Some("nps"), Ok(50.0)),
        (None, Percent(value(-25.0)), Some("nps"), Err("WRONG_DIRECTION")),
        (Some(0.0), Percent(value(10.0)), None, Err("RELATIVE_TO_ZERO")),
        (Some(20.0), Percent(value(0.0)), None, Err("TARGET_IS_BASELINE")),
        (Some(20.0), Amount(value(5e-10)), None, Err("TARGET_IS_BASELINE")),
        (None, Percent(value(10.0)), None, Err("BASELINE_MISSING")),
        (None, Percent(value(10.0)), Some("empty"), Err("BASELINE_MISSING")),
        (Some(1e15), Percent(value(10.0)), None, Err("INVALID_FIELD")),
    ] {
        let command = of(baseline, target, kpi);
        match resolved {
            Err(reason) => assert_eq!(given.when(command.clone()), Err(reason), "{command:?}"),
            Ok(number) => {
                let given = given.clone().and([command]);
                assert_eq!(metric_of(&given, "win/new").target.get(), number);
                assert_eq!(metric_of(&given, "win/new").relative_target, Some(target));
            }
        }
    }
    let too_far = of(Some(1e15), Percent(value(10.0)), None);
    assert_eq!(
        fields(&given.refused(&too_far)),
        ["key_result.metric.relative_target"]
    );
    let defined = given
        .and([of(None, Percent(value(25.0)), Some("nps"))])
        .on(1, 9)
        .and([
            measured("nps", 1, 9, 80.0),
            update_key_result("win/new", |p| p.weight = Some(weight(2.0))),
        ]);
    assert_eq!(
        metric_of(&defined, "win/new").target.get(),
        50.0,
        "it does not move with the KPI"
    );
}

/// Which kinds take a value from a KPI, over which window; a deleted KPI gives no new one.
#[test]
fn a_kind_takes_its_value_from_a_kpi_or_does_not() {
    let given = company().and([
        kpi("lost", |_| {}),
        measured("lost", 1, 1, 5.0),
        key_result("win/linked", |f| f.kpi = Some(id("lost"))),
        delete("kpis/lost"),
        measured("nps", 1, 1, 40.0),
    ]);
    let of = |kind: KeyResultKind, window| {
        key_result("win/new", move |f| {
            f.kind = kind;
            f.kpi = Some(id("nps"));
            f.window = window;
        })
    };
    use Window::{Cycle, Newest};
    for (kind, window, field) in [
        (maintain(Some(40.0), None, 0.0), Newest, None),
        (maintain(Some(40.0), None, 0.0), Cycle, None),
        (share(40.0), Newest, None),
        (share(40.0), Cycle, Some("key_result.window")),
        (milestones(&[("plan", 1.0)]), Newest, Some("key_result.kpi")),
        (KeyResultKind::Binary, Newest, Some("key_result.kpi")),
    ] {
        let command = of(kind, window);
        match field {
            None => assert_eq!(
                given.when(command.clone()),
                Ok(vec!["KeyResultCreated"]),
                "{command:?}"
            ),
            Some(field) => assert_eq!(fields(&given.refused(&command)), [field], "{command:?}"),
        }
    }
    for (command, outcome) in [
        (
            key_result("win/new", |f| f.kpi = Some(id("lost"))),
            Err("DELETED"),
        ),
        (
            update_key_result("win/deals", |p| p.kpi = Some(Some(id("lost")))),
            Err("DELETED"),
        ),
        (
            update_key_result("win/linked", |p| p.title = Some(title("x"))),
            Ok(vec!["KeyResultUpdated"]),
        ),
        (
            update_key_result("win/linked", |p| p.kpi = Some(None)),
            Ok(vec!["KeyResultUpdated"]),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let out_of_cycle = key_result("win/new", |f| f.due_date = Some(date(2026, 4, 1)));
    assert_eq!(fields(&given.refused(&out_of_cycle)), ["key_result.due_date"]);
}

/// "Changing baseline or target while ACTIVE needs a reason": in every kind, whatever says where it goes.
#[test]
fn what_an_active_key_result_is_scored_by_changes_with_a_reason() {
    let given = company().and([
        measured("nps", 1, 1, 4.0),
        key_result("win/kept", |f| f.kind = maintain(Some(40.0), None, 10.0)),
        key_result("win/steps", |f| {
            f.kind = milestones(&[("plan", 1.0), ("ship", 1.0)])
        }),
        key_result("win/nps", |f| f.kpi = Some(id("nps"))),
        activate("win"),
    ]);
    for (path, change) in [
        (
            "win/deals",
            (|p| p.kind = Some(metric(Some(1.0), 10.0))) as fn(&mut KeyResultPatch),
        ),
        ("win/deals", |p| p.kind = Some(metric(Some(0.0), 11.0))),
        ("win/deals", |p| p.kind = Some(KeyResultKind::Binary)),
        ("win/kept", |p| p.kind = Some(maintain(Some(39.0), None, 10.0))),
        ("win/kept", |p| p.kind = Some(maintain(Some(40.0), None, 20.0))),
        ("win/steps", |p| p.kind = Some(milestones(&[("plan", 1.0)]))),
        ("win/nps", |p| p.window = Some(Window::Cycle)),
    ] {
        let command = update_key_result(path, change);
        assert_eq!(given.when(command.clone()), Err("REASON_MISSING"), "{command:?}");
        let with_reason = given.clone().because("we know better");
        assert_eq!(
            with_reason.when(command.clone()),
            Ok(vec!["KeyResultUpdated"]),
            "{command:?}"
        );
    }
    for change in [
        (|p| p.weight = Some(weight(2.0))) as fn(&mut KeyResultPatch),
        |p| p.due_date = Some(Some(date(2026, 2, 1))),
        |p| p.owner = Some(Some(id("maria"))),
    ] {
        assert_eq!(
            given.when(update_key_result("win/deals", change)),
            Ok(vec!["KeyResultUpdated"])
        );
    }
    let without = update_key_result("win/deals", |p| p.kind = Some(metric(None, 12.0)));
    assert_eq!(given.because("so").when(without), Err("BASELINE_MISSING"));
}
