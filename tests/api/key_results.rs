//! Key results of each kind through the API: what they score, and what they take.

use binnacle::proto::api;
use binnacle::proto::api::key_result::{Kind, Window};

use crate::common::*;
use crate::steps::*;

pub(crate) fn maintain(
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

/// A key result of win that takes its values from a KPI.
pub(crate) fn linked(id: &str, kind: Kind, kpi: &str, window: Window) -> api::CreateKeyResultRequest {
    let mut request = key_result(&format!("win/{id}"), kind);
    let fields = request.key_result.as_mut().expect("a key result");
    fields.kpi = acme(&format!("kpis/{kpi}"));
    fields.window = window.into();
    request
}

/// A KPI of which a day's values are summed.
pub(crate) async fn with_revenue(server: &Server) {
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
