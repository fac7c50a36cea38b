//! How key results are defined: relative targets, and every definition that makes no sense.

use binnacle::proto::api;
use binnacle::proto::api::key_result::{Kind, Window};
use binnacle::proto::api::relative_target::Change;

use crate::common::*;
use crate::key_results::{linked, maintain, with_revenue};
use crate::steps::*;

fn relative(baseline: Option<f64>, change: Change) -> Kind {
    Kind::Metric(api::Metric {
        baseline,
        relative_target: Some(api::RelativeTarget { change: Some(change) }),
        ..Default::default()
    })
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
