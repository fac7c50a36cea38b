//! Key results of each kind through the API: what they score, what they take, and every definition that makes no sense.

use binnacle::proto::api;
use binnacle::proto::api::key_result::{Kind, Window};
use binnacle::proto::api::relative_target::Change;

use crate::common::*;
use crate::steps::*;

fn maintain(
    at_least: Option<f64>,
    at_most: Option<f64>,
    mode: api::maintain::Mode,
    tolerance: Option<f64>,
) -> Kind {
    Kind::Maintain(api::Maintain {
        at_least,
        at_most,
        mode: mode.into(),
        tolerance,
    })
}

fn relative(baseline: Option<f64>, change: Change) -> Kind {
    Kind::Metric(api::Metric {
        baseline,
        relative_target: Some(api::RelativeTarget { change: Some(change) }),
        ..Default::default()
    })
}

/// A key result of win that takes its values from a KPI.
fn linked(id: &str, kind: Kind, kpi: &str, window: Window) -> api::CreateKeyResultRequest {
    let mut request = key_result(&format!("win/{id}"), kind);
    let fields = request.key_result.as_mut().expect("a key result");
    fields.kpi = acme(&format!("kpis/{kpi}"));
    fields.window = window.into();
    request
}

/// A KPI of which a day's values are summed.
async fn with_revenue(server: &Server) {
    let mut kpi = new_kpi("revenue");
    kpi.kpi.as_mut().expect("a KPI").aggregation = api::Aggregation::Sum.into();
    server.kpis().create_kpi(kpi).await.expect("a KPI");
}

#[tokio::test]
async fn each_kind_scores_what_is_seen_of_it() {
    use api::maintain::Mode;
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    for request in [
        key_result("win/keep", maintain(Some(40.0), None, Mode::Now, Some(10.0))),
        key_result("win/strict", maintain(None, Some(3.0), Mode::Now, None)),
        key_result("win/share", maintain(Some(1.0), Some(2.0), Mode::Share, None)),
        key_result("win/steps", milestones(&["plan", "build", "ship"])),
        key_result("win/open", Kind::Binary(api::Binary {})),
        key_result("win/fall", metric(48.0, 30.0)),
    ] {
        retried!(server, objectives.create_key_result(request));
    }
    let reached = |ids: &[&str]| api::ReachedMilestones {
        milestones: ids.iter().map(|&id| id.to_owned()).collect(),
    };
    for (path, seen, current, progress, score) in [
        ("win/keep", Some(35.0), Some(35.0), 0.5, 0.5),
        ("win/keep", Some(90.0), Some(90.0), 1.0, 1.0),
        ("win/strict", Some(3.1), Some(3.1), 0.0, 0.0),
        ("win/strict", Some(3.0), Some(3.0), 1.0, 1.0),
        ("win/share", Some(1.5), Some(1.5), 1.0, 1.0),
        ("win/share", Some(5.0), Some(5.0), 0.5, 0.5),
        ("win/open", Some(1.0), Some(1.0), 1.0, 1.0),
        ("win/open", Some(0.0), Some(0.0), 0.0, 0.0),
        ("win/fall", Some(57.0), Some(57.0), -0.5, 0.0),
        ("win/fall", Some(21.0), Some(21.0), 1.5, 1.0),
        ("win/steps", None, Some(2.0), 2.0 / 3.0, 2.0 / 3.0),
    ] {
        let request = check_in(path, "", |it| {
            it.value = seen;
            it.reached_milestones = seen.is_none().then(|| reached(&["ship", "plan"]));
        });
        objectives.create_check_in(request).await.expect("a check-in");
        let found = key_result_of(&server, path).await.progress.expect("ACTIVE");
        assert_eq!(
            (found.current, found.progress, found.score),
            (current, progress, score),
            "{path} at {seen:?}"
        );
    }
    let share = key_result_of(&server, "win/share")
        .await
        .progress
        .expect("ACTIVE");
    assert_eq!((share.periods_held, share.periods_with_data), (1, 2));
    let steps = key_result_of(&server, "win/steps").await;
    assert_eq!(steps.state(), api::objective::State::Active);
    assert_eq!(
        steps.progress.expect("ACTIVE").reached_milestones,
        ["plan", "ship"],
        "in their order"
    );
    let none = check_in("win/steps", "", |it| it.reached_milestones = Some(reached(&[])));
    objectives
        .create_check_in(none)
        .await
        .expect("none is reached after all");
    assert_eq!(
        key_result_of(&server, "win/steps")
            .await
            .progress
            .expect("ACTIVE")
            .current,
        Some(0.0)
    );
    for (path, change) in [
        ("win/open", (|it| it.value = Some(0.5)) as fn(&mut api::CheckIn)),
        ("win/steps", |it| it.value = Some(1.0)),
    ] {
        let refusal = server
            .refusal(objectives.create_check_in(check_in(path, "", change)))
            .await;
        assert_eq!(refusal, invalid(&["check_in.value"]), "{path}");
    }
    for (path, ids) in [
        ("win/steps", &["x"][..]),
        ("win/steps", &["A"]),
        ("win/open", &["plan"]),
        ("win/steps", &["plan"; 101]),
    ] {
        let request = check_in(path, "", |it| it.reached_milestones = Some(reached(ids)));
        let refusal = server.refusal(objectives.create_check_in(request)).await;
        assert_eq!(
            refusal,
            invalid(&["check_in.reached_milestones"]),
            "{path} {ids:?}"
        );
    }
}

#[tokio::test]
async fn a_sum_over_the_cycle_begins_at_zero_and_counts_what_is_dated_in_the_cycle() {
    let server = Server::start().await;
    with_company(&server).await;
    with_revenue(&server).await;
    for (day, value) in [(-1, 500.0), (0, 10.0)] {
        server
            .kpis()
            .record_measurement(measure("revenue", day * DAY_S, value))
            .await
            .expect("a value");
    }
    let mut objectives = server.objectives();
    let target = Kind::Metric(api::Metric {
        target: Some(100.0),
        reference_value: Some(500.0),
        ..Default::default()
    });
    let sum = linked("sum", target, "revenue", Window::Cycle);
    let created = retried!(server, objectives.create_key_result(sum));
    let Some(Kind::Metric(sum)) = created.kind else {
        panic!("no metric")
    };
    assert_eq!((sum.baseline, sum.reference_value), (Some(0.0), Some(500.0)));
    for day in 1..4 {
        on_day(&server, day).await;
        server
            .kpis()
            .record_measurement(measure("revenue", day * DAY_S, 10.0))
            .await
            .expect("a value");
    }
    let progress = key_result_of(&server, "win/sum").await.progress.expect("ACTIVE");
    assert_eq!(
        (progress.current, progress.score, progress.provisional),
        (Some(40.0), 0.4, true),
        "what was before the cycle is no part of it"
    );
    let wrong = linked("wrong", metric(500.0, 600.0), "revenue", Window::Cycle);
    assert_eq!(
        server.refusal(objectives.create_key_result(wrong)).await,
        rule("BASELINE_NOT_ZERO", "key_result.metric.baseline")
    );
}

#[tokio::test]
async fn a_relative_target_is_a_number_once_it_is_defined() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    for (id, kind, expected) in [
        ("more", relative(Some(80.0), Change::Percent(10.0)), 88.0),
        ("less", relative(Some(-20.0), Change::Percent(-10.0)), -22.0),
        ("plus", relative(Some(0.0), Change::Amount(15.0)), 15.0),
    ] {
        let created = retried!(
            server,
            objectives.create_key_result(key_result(&format!("win/{id}"), kind))
        );
        let Some(Kind::Metric(metric)) = created.kind else {
            panic!("no metric")
        };
        assert_eq!(metric.target, Some(expected), "{id}");
        assert!(metric.relative_target.is_some(), "where it came from stays known");
    }
    let back = key_result_of(&server, "win/more").await;
    let send_back = |change: fn(&mut api::Metric)| {
        let mut sent = back.clone();
        let Some(Kind::Metric(metric)) = &mut sent.kind else {
            panic!("no metric")
        };
        change(metric);
        api::UpdateKeyResultRequest {
            key_result: Some(sent),
            update_mask: mask(&["metric"]),
            reason: "Higher.".to_owned(),
            ..Default::default()
        }
    };
    let head = server.head().await;
    objectives
        .update_key_result(send_back(|_| {}))
        .await
        .expect("as it was read");
    assert_eq!(server.head().await, head);
    for change in [(|it| it.target = Some(100.0)) as fn(&mut api::Metric), |it| {
        it.baseline = Some(90.0)
    }] {
        assert_eq!(
            server
                .refusal(objectives.update_key_result(send_back(change)))
                .await,
            invalid(&["key_result.metric.target"]),
            "which of the two is meant?"
        );
    }
    let moved = send_back(|it| (it.baseline, it.target) = (Some(90.0), None));
    let moved = objectives
        .update_key_result(moved)
        .await
        .expect("10 % of another baseline")
        .into_inner();
    let Some(Kind::Metric(metric)) = moved.kind else {
        panic!("no metric")
    };
    assert_eq!(metric.target, Some(99.0));
    let kpi = linked(
        "kpi",
        relative(None, Change::Percent(25.0)),
        "nps",
        Window::Newest,
    );
    let created = objectives
        .create_key_result(kpi)
        .await
        .expect("from where the KPI stands")
        .into_inner();
    let Some(Kind::Metric(metric)) = created.kind else {
        panic!("no metric")
    };
    assert_eq!((metric.baseline, metric.target), (Some(40.0), Some(50.0)));
    objectives
        .create_objective(new_objective("draft"))
        .await
        .expect("a draft");
    for (kind, expected) in [
        (
            relative(Some(0.0), Change::Percent(10.0)),
            rule("RELATIVE_TO_ZERO", "key_result.metric.relative_target"),
        ),
        (
            relative(None, Change::Percent(10.0)),
            rule("BASELINE_MISSING", "objectives/draft/keyResults/bad"),
        ),
        (
            relative(Some(5.0), Change::Amount(0.0)),
            rule("TARGET_IS_BASELINE", "key_result.metric.target"),
        ),
        (
            relative(Some(1e15), Change::Amount(1e15)),
            invalid(&["key_result.metric.relative_target"]),
        ),
        (
            relative(Some(5.0), Change::Percent(f64::NAN)),
            invalid(&["key_result.metric.relative_target", "key_result.metric.target"]),
        ),
    ] {
        let refusal = server
            .refusal(objectives.create_key_result(key_result("draft/bad", kind.clone())))
            .await;
        assert_eq!(refusal, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_definition_that_makes_no_sense_is_refused_with_what_to_do_instead() {
    use api::maintain::Mode;
    let server = Server::start().await;
    with_company(&server).await;
    with_revenue(&server).await;
    let mut objectives = server.objectives();
    let now = |least, most, tolerance| maintain(least, most, Mode::Now, tolerance);
    let share = maintain(Some(1.0), None, Mode::Share, None);
    let kpi = invalid(&["key_result.kpi"]);
    let window = invalid(&["key_result.window"]);
    let mut unlinked = key_result("win/bad", metric(0.0, 1.0));
    unlinked.key_result.as_mut().expect("a key result").window = Window::Cycle.into();
    let mut late = key_result("win/bad", metric(0.0, 1.0));
    late.key_result.as_mut().expect("a key result").due_date = date(2026, 4, 1);
    let mut elsewhere = key_result("win/bad", metric(0.0, 1.0));
    elsewhere.key_result.as_mut().expect("a key result").owner = "workspaces/other/members/maria".to_owned();
    for (request, expected) in [
        (
            linked("bad", milestones(&["a"]), "nps", Window::Newest),
            kpi.clone(),
        ),
        (
            linked("bad", Kind::Binary(api::Binary {}), "nps", Window::Newest),
            kpi,
        ),
        (unlinked, window.clone()),
        (linked("bad", share, "revenue", Window::Cycle), window),
        (late, invalid(&["key_result.due_date"])),
        (elsewhere, invalid(&["key_result.owner"])),
        (
            linked("bad", metric(0.0, 1.0), "x", Window::Newest),
            missing("kpis/x"),
        ),
        (
            linked("bad", metric(65.0, 40.0), "nps", Window::Newest),
            rule("WRONG_DIRECTION", "kpis/nps"),
        ),
        (
            key_result("win/bad", metric(1.0, 1.0 + 1e-10)),
            rule("TARGET_IS_BASELINE", "key_result.metric.target"),
        ),
        (
            key_result("win/bad", metric(f64::NEG_INFINITY, 1.1e15)),
            invalid(&["key_result.metric.baseline", "key_result.metric.target"]),
        ),
        (
            key_result("win/bad", now(None, None, None)),
            invalid(&["key_result.maintain.at_least"]),
        ),
        (
            key_result("win/bad", now(Some(2.0), Some(1.0), None)),
            invalid(&["key_result.maintain.at_least"]),
        ),
        (
            key_result("win/bad", now(Some(2.0), None, Some(-1.0))),
            invalid(&["key_result.maintain.tolerance"]),
        ),
        (
            key_result("win/bad", maintain(Some(2.0), None, Mode::Share, Some(1.0))),
            invalid(&["key_result.maintain.tolerance"]),
        ),
        (
            key_result("win/bad", milestones(&[])),
            invalid(&["key_result.milestones"]),
        ),
        (
            key_result("win/bad", milestones(&["a"; 101])),
            invalid(&["key_result.milestones"]),
        ),
        (
            key_result("win/bad", milestones(&["a", "a"])),
            invalid(&["key_result.milestones"]),
        ),
        (
            key_result(
                "win/bad",
                Kind::Metric(api::Metric {
                    target: Some(1.0),
                    ..Default::default()
                }),
            ),
            rule("BASELINE_MISSING", "objectives/win/keyResults/bad"),
        ),
    ] {
        let refusal = server
            .refusal(objectives.create_key_result(request.clone()))
            .await;
        assert_eq!(refusal, expected, "{request:?}");
    }
}

#[tokio::test]
async fn what_is_measured_otherwise_needs_a_reason_while_it_is_worked_on() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_check_in(value("win/deals", "c", 1.0))
        .await
        .expect("a check-in");
    let binary = |reason: &str| api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: key_result_name("win/deals"),
            kind: Some(Kind::Binary(api::Binary {})),
            ..Default::default()
        }),
        update_mask: mask(&["binary"]),
        reason: reason.to_owned(),
        ..Default::default()
    };
    let refusal = server.refusal(objectives.update_key_result(binary(""))).await;
    assert_eq!(refusal, rule("REASON_MISSING", "objectives/win/keyResults/deals"));
    let revision = server.head().await;
    let changed = retried!(server, objectives.update_key_result(binary("One is enough.")));
    assert_eq!(
        changed.progress.map(|it| (it.current, it.score)),
        Some((Some(1.0), 1.0))
    );
    let told = told_after(&server, revision).await;
    let of_kind: Vec<&str> = told[0].2.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(
        of_kind,
        ["binary", "metric.baseline.value", "metric.target"],
        "{told:?}"
    );
    let mut without = binary("x");
    without.key_result.as_mut().expect("a key result").kind = None;
    assert_eq!(
        server.refusal(objectives.update_key_result(without)).await,
        invalid(&["key_result.binary"])
    );
}
