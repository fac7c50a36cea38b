//! What a KPI is judged by: targets that move and that are taken away, changes in percent, and the texts that people read.

use binnacle::proto::api;
use binnacle::proto::api::Health::{Breached, Healthy, NoTarget, Watch};
use tonic::Code::NotFound;

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

fn ramp(january: i32, at_least: f64, critical_at_least: f64) -> Option<api::target::Ramp> {
    Some(api::target::Ramp {
        date: date(2026, 1, january),
        at_least: Some(at_least),
        critical_at_least: Some(critical_at_least),
        ..Default::default()
    })
}

#[tokio::test]
async fn a_target_moves_along_its_ramp_and_each_period_is_judged_by_its_last_day() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let moving = target("nps", 1, |it| {
        (it.at_least, it.critical_at_least) = (Some(40.0), Some(30.0));
        it.ramp = ramp(11, 60.0, 50.0);
    });
    let set = retried!(server, kpis.set_target(moving.clone()));
    assert_eq!(set.name, acme("kpis/nps/targets/2026-01-01"));
    assert_eq!(set.text, "at least 40, at least 60 by 2026-01-11");
    assert_eq!(set.ramp, ramp(11, 60.0, 50.0));
    let head = server.head().await;
    let same = server
        .kpis()
        .set_target(moving)
        .await
        .expect("as it is")
        .into_inner();
    assert_eq!((same, server.head().await), (set.clone(), head));
    for (day, value, stands, distance) in [
        (0, 40.0, Healthy, 0.0),
        (5, 50.0, Healthy, 0.0),
        (6, 45.0, Watch, -7.0),
        (7, 43.9, Breached, -10.1),
        (10, 60.0, Healthy, 0.0),
        (14, 59.0, Watch, -1.0),
    ] {
        on_day(&server, day).await;
        record(&server, "nps", day * DAY_S, value).await;
        let found = health(&server, "nps").await;
        assert_eq!(found.health(), stands, "day {day}");
        let away = found.distance_to_target.expect("there is a target");
        assert!((away - distance).abs() < 1e-9, "day {day}: {away}");
        assert_eq!(found.target, set.name);
    }
    // 5 period values of 6 have a target that they are held against; 3 hold it.
    let found = health(&server, "nps").await;
    assert_eq!((found.healthy_share, found.healthy_share_periods), (Some(0.5), 6));
    let next = target("nps", 15, |it| it.at_least = Some(10.0));
    let next = server
        .kpis()
        .set_target(next)
        .await
        .expect("the next target")
        .into_inner();
    let found = health(&server, "nps").await;
    assert_eq!((found.health(), found.target), (Healthy, next.name.clone()));
    let listed = api::ListTargetsRequest {
        parent: acme("kpis/nps"),
        ..Default::default()
    };
    let listed = server
        .kpis()
        .list_targets(listed)
        .await
        .expect("targets")
        .into_inner();
    assert_eq!(listed.targets, [set, next]);
}

#[tokio::test]
async fn a_target_that_is_taken_away_is_answered_as_it_was_and_the_one_before_it_holds_again() {
    let server = Server::start().await;
    with_company(&server).await;
    let lower = api::SetTargetRequest {
        target: Some(api::Target {
            effective_date: date(2025, 12, 1),
            at_least: Some(30.0),
            ..Default::default()
        }),
        ..new_target("nps")
    };
    server.kpis().set_target(lower).await.expect("a target");
    assert_eq!(alerts(&server, "state = OPEN").await, ["nps/breach-7"]);
    let revision = server.head().await;
    let delete = || named!(DeleteTargetRequest, acme("kpis/nps/targets/2026-01-01"));
    let deleted = retried!(server, kpis.delete_target(delete()));
    assert_eq!(
        (deleted.name.as_str(), deleted.at_least, deleted.text.as_str()),
        (delete().name.as_str(), Some(50.0), "at least 50")
    );
    assert_eq!(deleted.revision, revision + 1);
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("TargetDeleted", "kpis/nps/targets/2026-01-01"),
            ("AlertClosed", "kpis/nps/alerts/breach-7")
        ]
    );
    assert_eq!(
        told[0].2,
        [("at_least".to_owned(), "50".to_owned(), String::new())]
    );
    let found = health(&server, "nps").await;
    assert_eq!(
        (found.health(), found.target.as_str()),
        (Healthy, acme("kpis/nps/targets/2025-12-01").as_str())
    );
    let reason = closed(api::alert::CloseReason::TargetChanged);
    assert_eq!(standing(&alert(&server, "nps/breach-7").await), reason);
    assert_eq!(
        server.refusal(server.kpis().delete_target(delete())).await,
        refused(NotFound, "NOT_FOUND", &["kpis/nps/targets/2026-01-01"])
    );
    let last = named!(DeleteTargetRequest, acme("kpis/nps/targets/2025-12-01"));
    server.kpis().delete_target(last).await.expect("the last target");
    assert_eq!(health(&server, "nps").await.health(), NoTarget);
}

#[tokio::test]
async fn a_change_from_period_to_period_is_judged_shown_and_linked_in_percent() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "growth", |it| {
        it.transform = api::kpi::Transform::ChangePercent.into();
        it.unit = Some(api::Unit {
            kind: api::unit::Kind::Currency.into(),
            currency_code: "BRL".to_owned(),
            ..Default::default()
        });
    })
    .await;
    let five = target("growth", 1, |it| it.at_least = Some(5.0));
    let five = server
        .kpis()
        .set_target(five)
        .await
        .expect("a target")
        .into_inner();
    assert_eq!(five.text, "at least 5 %");
    record(&server, "growth", -DAY_S, 50_000.0).await;
    let alone = kpi(&server, "growth").await;
    assert_eq!(
        (alone.period_value_text.as_str(), alone.latest_value_text.as_str()),
        ("", "50,000 BRL"),
        "of the first there is no change"
    );
    record(&server, "growth", 0, 51_000.0).await;
    let found = kpi(&server, "growth").await;
    assert_eq!(found.transform(), api::kpi::Transform::ChangePercent);
    assert_eq!(
        (found.period_value_text.as_str(), found.latest_value_text.as_str()),
        ("2 %", "51,000 BRL")
    );
    let stands = found.health.expect("its health");
    assert_eq!(
        (stands.health(), stands.distance_to_target),
        (Breached, Some(-3.0))
    );
    let summary = alert(&server, &alerts(&server, "kpi = growth").await[0])
        .await
        .summary;
    assert_eq!(summary, "\"growth\" is 2 % and should be at least 5 %.");
    let linked = server
        .objectives()
        .create_key_result(key_result_of_kpi("win", "growth", "growth"))
        .await
        .expect("a key result")
        .into_inner();
    assert_eq!(linked.progress.expect("ACTIVE").current, Some(2.0));

    let mut summed = key_result_of_kpi("win", "summed", "growth");
    let fields = summed.key_result.as_mut().expect("a key result");
    fields.window = api::key_result::Window::Cycle.into();
    assert_eq!(
        server
            .refusal(server.objectives().create_key_result(summed))
            .await,
        rule("WINDOW_OVER_CHANGES", "objectives/win/keyResults/summed")
    );
    let mut changed = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/growth"),
            ..Default::default()
        }),
        update_mask: mask(&["transform"]),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.kpis().update_kpi(changed.clone())).await,
        rule("KPI_HAS_MEASUREMENTS", "kpis/growth")
    );
    changed.kpi.as_mut().expect("a KPI").transform = 99;
    assert_eq!(
        server.refusal(server.kpis().update_kpi(changed)).await,
        invalid(&["kpi.transform"])
    );
}

#[tokio::test]
async fn values_are_shown_as_people_read_them() {
    use api::unit::Kind;
    let server = Server::start().await;
    with_workspace(&server).await;
    for (id, kind, value, text) in [
        ("share", Kind::Percent, 45.2, "45.2 %"),
        ("reply", Kind::Duration, 9000.0, "2 h 30 min"),
        ("rating", Kind::Scale, 1.0, "good"),
        ("deals", Kind::Count, 12_000.0, "12,000 deals"),
    ] {
        with_gauge(&server, id, |it| {
            it.unit = Some(api::Unit {
                kind: kind.into(),
                symbol: if kind == Kind::Count { "deals" } else { "" }.to_owned(),
                scale_labels: match kind {
                    Kind::Scale => vec!["poor".to_owned(), "good".to_owned()],
                    _ => Vec::new(),
                },
                ..Default::default()
            });
        })
        .await;
        let nothing = kpi(&server, id).await;
        assert_eq!(
            (nothing.period_value_text, nothing.latest_value_text),
            Default::default()
        );
        record(&server, id, 0, value).await;
        let found = kpi(&server, id).await;
        assert_eq!(
            (found.period_value_text.as_str(), found.latest_value_text.as_str()),
            (text, text)
        );
    }
}

#[tokio::test]
async fn a_target_that_makes_no_sense_is_refused_with_every_bad_bound() {
    let server = Server::start().await;
    with_company(&server).await;
    let with_ramp = |change: fn(&mut api::target::Ramp)| {
        target("nps", 1, |it| {
            (it.at_least, it.critical_at_least) = (Some(40.0), Some(30.0));
            let mut bounds = ramp(11, 60.0, 50.0).expect("a ramp");
            change(&mut bounds);
            it.ramp = Some(bounds);
        })
    };
    for (request, fields) in [
        (
            with_ramp(|it| it.date = date(2026, 1, 1)),
            vec!["target.ramp.date"],
        ),
        (
            with_ramp(|it| it.date = date(2025, 12, 31)),
            vec!["target.ramp.date"],
        ),
        (with_ramp(|it| it.date = None), vec!["target.ramp.date"]),
        (
            with_ramp(|it| it.date = date(2026, 2, 30)),
            vec!["target.ramp.date"],
        ),
        (
            with_ramp(|it| (it.at_least, it.critical_at_least) = (Some(f64::NAN), Some(f64::INFINITY))),
            vec!["target.ramp.at_least", "target.ramp.critical_at_least"],
        ),
        (
            with_ramp(|it| (it.at_least, it.at_most) = (Some(-1e16), Some(f64::NEG_INFINITY))),
            vec!["target.ramp.at_least", "target.ramp.at_most"],
        ),
        (
            with_ramp(|it| it.at_most = Some(70.0)),
            vec!["target.ramp.at_most"],
        ),
        (
            with_ramp(|it| (it.at_least, it.critical_at_least) = (None, None)),
            vec!["target.ramp"],
        ),
        (
            with_ramp(|it| it.at_least = Some(45.0)),
            vec!["target.ramp.critical_at_least"],
        ),
        (
            target("nps", 1, |it| it.at_most = Some(1.0)),
            vec!["target.at_least", "target.at_most"],
        ),
        (
            target("nps", 1, |it| {
                (it.at_least, it.effective_date) = (Some(f64::NAN), date(0, 0, 0));
            }),
            vec!["target.effective_date", "target.at_least"],
        ),
    ] {
        let found = server.refusal(server.kpis().set_target(request.clone())).await;
        assert_eq!(found.reason, "INVALID_FIELD", "{request:?}");
        assert_eq!(found.about, fields, "{request:?}");
    }
    for name in [
        "kpis/nps/targets/2026-02-30",
        "kpis/nps/targets/",
        "kpis/nps/targets/2026-01-01T00",
        "kpis/nps",
        "kpis/-/targets/2026-01-01",
    ] {
        let delete = named!(DeleteTargetRequest, acme(name));
        assert_eq!(
            server.refusal(server.kpis().delete_target(delete)).await,
            invalid(&["name"]),
            "{name}"
        );
    }
}
