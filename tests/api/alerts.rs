//! Alerts through the API: when they open and close, what people do about them, and how they are listed.

use binnacle::proto::api;
use binnacle::proto::api::alert::CloseReason::{Archived, Corrected, Recovered, TargetChanged};
use binnacle::proto::api::alert::Kind::{AdverseMove, Breach, Stale};
use tonic::Code::{self, InvalidArgument};

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

#[tokio::test]
async fn an_alert_opens_and_closes_in_the_commit_that_caused_it_and_says_why() {
    let server = Server::start().await;
    with_company(&server).await;
    let opened = alert(&server, "nps/breach-7").await;
    assert_eq!((opened.kind(), standing(&opened)), (Breach, OPEN));
    assert_eq!(opened.summary, "\"nps\" is 40 and should be at least 50.");
    assert_eq!(
        (opened.reference_value, opened.period_count, opened.open_revision),
        (Some(50.0), 1, 7)
    );
    assert!(opened.needs_action && opened.open_time == time(0));
    let value = opened.period_value.expect("a value");
    assert_eq!(
        (value.value, value.first_date, value.provisional),
        (40.0, date(2026, 1, 1), true)
    );
    let of_kpi = kpi(&server, "nps").await;
    assert_eq!(
        (of_kpi.open_alerts, of_kpi.needs_action),
        (vec![opened.name.clone()], true)
    );

    // Each way to close, and BREACHED again in between: at the same place, so that all of it is about one day.
    let mut newest = "nps/breach-7".to_owned();
    let archive = || named!(ArchiveKpiRequest, acme("kpis/nps"));
    let unarchive = || named!(UnarchiveKpiRequest, acme("kpis/nps"));
    let delete = || named!(DeleteKpiRequest, acme("kpis/nps"));
    let undelete = || named!(UndeleteKpiRequest, acme("kpis/nps"));
    let bound = |at_least: f64| target("nps", 1, |it| it.at_least = Some(at_least));
    let mut kpis = server.kpis();
    for (way, expected) in [
        ("correct", Corrected),
        ("record", Recovered),
        ("retract", Corrected),
        ("target", TargetChanged),
        ("archive", Archived),
        ("delete", Archived),
    ] {
        let before = server.head().await;
        match way {
            "correct" => drop(
                kpis.correct_measurement(correction("nps", 0, 50.0))
                    .await
                    .expect(way),
            ),
            "record" => drop(record(&server, "nps", 1, 50.0).await),
            "retract" => drop(kpis.retract_measurement(retraction("nps", 1)).await.expect(way)),
            "target" => drop(kpis.set_target(bound(40.0)).await.expect(way)),
            "archive" => drop(kpis.archive_kpi(archive()).await.expect(way)),
            _ => drop(kpis.delete_kpi(delete()).await.expect(way)),
        }
        if way == "delete" {
            kpis.undelete_kpi(undelete()).await.expect("back");
        }
        let after = alert(&server, &newest).await;
        assert_eq!(standing(&after), closed(expected), "{way}");
        assert_eq!(
            (after.close_revision, after.close_time),
            (before + 1, time(0)),
            "{way}"
        );
        assert_eq!(
            after.open_revision.to_string(),
            newest.rsplit('-').next().expect("a revision")
        );
        assert!(!after.needs_action);
        // And BREACHED again.
        match way {
            "correct" => drop(
                kpis.correct_measurement(correction("nps", 0, 40.0))
                    .await
                    .expect(way),
            ),
            "record" => drop(
                kpis.correct_measurement(correction("nps", 1, 49.0))
                    .await
                    .expect(way),
            ),
            "retract" => drop(
                kpis.correct_measurement(correction("nps", 0, 40.0))
                    .await
                    .expect(way),
            ),
            "target" => drop(kpis.set_target(bound(50.0)).await.expect(way)),
            "archive" => drop(kpis.unarchive_kpi(unarchive()).await.expect(way)),
            _ => {}
        }
        if way == "record" {
            // What is to be taken back next is the value that holds down an older one.
            kpis.correct_measurement(correction("nps", 0, 60.0))
                .await
                .expect(way);
        }
        newest = alerts(&server, "state = OPEN").await.pop().expect(way);
    }
    assert_eq!(alerts(&server, "").await.len(), 7, "each was open once, for ever");
}

#[tokio::test]
async fn staleness_and_plans_that_are_overdue_are_found_as_a_day_starts() {
    let server = Server::start().await;
    with_company(&server).await;
    let due = plan("Call everybody", |it| it.due_date = date(2026, 1, 2));
    let plan_of = named!(SetActionPlanRequest, alert_name("nps/breach-7"), action_plan: due);
    let planned = retried!(server, kpis.set_action_plan(plan_of));
    assert!(!planned.needs_action);
    on_day(&server, 1).await;
    assert_eq!(alerts(&server, "kind = STALE OR overdue = true").await, [""; 0]);
    let revision = server.head().await;
    on_day(&server, 2).await;
    let told = told_after(&server, revision).await;
    let stale = format!("kpis/nps/alerts/stale-{}", revision + 1);
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("AlertOpened", stale.as_str()),
            ("ActionPlanOverdue", "kpis/nps/alerts/breach-7")
        ],
        "in the commit of the day"
    );
    let found = alert(
        &server,
        stale.trim_start_matches("kpis/").replace("/alerts", "").as_str(),
    )
    .await;
    assert_eq!(
        (found.kind(), found.summary.as_str()),
        (
            Stale,
            "\"nps\" has no value for the time after 2026-01-01, and its grace is over."
        )
    );
    assert!(health(&server, "nps").await.stale);
    assert!(
        alert(&server, "nps/breach-7")
            .await
            .action_plan
            .expect("a plan")
            .overdue
    );
    assert_eq!(alerts(&server, "overdue = true").await, ["nps/breach-7"]);
    record(&server, "nps", 2 * DAY_S, 60.0).await;
    assert_eq!(alerts(&server, "state = OPEN").await, [""; 0]);
    assert_eq!(alerts(&server, "close_reason = RECOVERED").await.len(), 2);
    assert_eq!(
        alerts(&server, "overdue = true").await,
        ["nps/breach-7"],
        "it stays said"
    );
}

#[tokio::test]
async fn the_policy_says_how_many_values_it_takes_and_its_change_opens_and_closes() {
    let server = Server::start().await;
    with_company(&server).await;
    let rules = |change: fn(&mut api::AlertRules)| {
        let mut alerts = api::AlertRules::default();
        change(&mut alerts);
        api::UpdateScoringPolicyRequest {
            scoring_policy: Some(api::ScoringPolicy {
                name: acme("scoringPolicy"),
                alerts: Some(alerts),
                ..Default::default()
            }),
            ..Default::default()
        }
    };
    let revision = server.head().await;
    let policy = retried!(
        server,
        workspaces.update_scoring_policy(rules(|it| it.breach_after = Some(2)))
    );
    let said = policy.alerts.expect("rules");
    assert_eq!(
        (said.breach_after, said.recover_after, said.adverse_move_percent),
        (Some(2), Some(1), Some(20.0))
    );
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("ScoringPolicyUpdated", "scoringPolicy"),
            ("AlertClosed", "kpis/nps/alerts/breach-7")
        ]
    );
    assert_eq!(
        standing(&alert(&server, "nps/breach-7").await),
        closed(TargetChanged)
    );
    on_day(&server, 1).await;
    record(&server, "nps", DAY_S, 30.0).await;
    let open = alerts(&server, "state = OPEN").await;
    assert_eq!(open.len(), 1);
    let second = alert(&server, &open[0]).await;
    assert_eq!(
        (second.period_count, second.summary.as_str()),
        (
            2,
            "\"nps\" is 30 and should be at least 50, and it is the 2nd time in a row."
        )
    );

    with_gauge(&server, "visits", |_| {}).await;
    let moved = rules(|it| it.adverse_move_periods = Some(1));
    server
        .workspaces()
        .update_scoring_policy(moved)
        .await
        .expect("a policy");
    record(&server, "visits", 0, 100.0).await;
    record(&server, "visits", DAY_S, 79.0).await;
    let open = alerts(&server, "kpi = visits").await;
    let adverse = alert(&server, &open[0]).await;
    assert_eq!(
        (adverse.kind(), adverse.reference_value),
        (AdverseMove, Some(100.0))
    );
    let bad = rules(|it| {
        (it.breach_after, it.recover_after) = (Some(0), Some(101));
        it.adverse_move_percent = Some(f64::NAN);
        it.healthy_share_periods = Some(0);
    });
    let refusal = server
        .refusal(server.workspaces().update_scoring_policy(bad))
        .await;
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (InvalidArgument, "INVALID_FIELD")
    );
    for field in [
        "breach_after",
        "recover_after",
        "adverse_move_percent",
        "healthy_share_periods",
    ] {
        let path = format!("scoring_policy.alerts.{field}");
        assert!(
            refusal.about.contains(&path),
            "{path} is not in {:?}",
            refusal.about
        );
    }
}

#[tokio::test]
async fn an_alert_is_seen_planned_and_done_and_each_step_is_told() {
    let server = Server::start().await;
    with_company(&server).await;
    let name = alert_name("nps/breach-7");
    let revision = server.head().await;
    let seen = retried!(
        server,
        kpis.acknowledge_alert(named!(AcknowledgeAlertRequest, name, note: "I see.".to_owned()))
    );
    assert_eq!(
        (
            seen.acknowledge_time,
            seen.acknowledge_principal.as_str(),
            seen.acknowledge_note.as_str()
        ),
        (time(0), "anonymous", "I see.")
    );
    assert!(seen.needs_action, "seeing is not doing");
    let head = server.head().await;
    let again = named!(AcknowledgeAlertRequest, name, note: "I see.".to_owned());
    server
        .kpis()
        .acknowledge_alert(again)
        .await
        .expect("it is so already");
    assert_eq!(server.head().await, head);
    let done = || named!(CompleteActionPlanRequest, name, note: "It helped.".to_owned());
    assert_eq!(
        server.refusal(server.kpis().complete_action_plan(done())).await,
        rule("ACTION_PLAN_MISSING", "kpis/nps/alerts/breach-7")
    );
    let full = plan("Hire a manager", |it| {
        it.cause = "The team is too small.".to_owned();
        it.owner = acme("members/anonymous");
        it.due_date = date(2026, 1, 31);
        it.objective = acme("objectives/win");
    });
    let planned = retried!(
        server,
        kpis.set_action_plan(named!(SetActionPlanRequest, name, action_plan: full.clone()))
    );
    let said = planned.action_plan.clone().expect("a plan");
    let expected = full.expect("a plan");
    assert_eq!(
        (
            &said.cause,
            &said.text,
            &said.owner,
            &said.due_date,
            &said.objective
        ),
        (
            &expected.cause,
            &expected.text,
            &expected.owner,
            &expected.due_date,
            &expected.objective
        )
    );
    assert_eq!(
        (said.update_time, said.update_principal.as_str()),
        (time(0), "anonymous")
    );
    assert!(!planned.needs_action && !kpi(&server, "nps").await.needs_action);
    let head = server.head().await;
    let same = named!(SetActionPlanRequest, name, action_plan: Some(said.clone()));
    server.kpis().set_action_plan(same).await.expect("as it was read");
    assert_eq!(server.head().await, head);
    let completed = retried!(server, kpis.complete_action_plan(done()));
    let said = completed.action_plan.clone().expect("a plan");
    assert_eq!(
        (said.complete_time, said.complete_note.as_str()),
        (time(0), "It helped.")
    );
    assert_eq!(
        completed.state(),
        api::alert::State::Open,
        "whether it helped, values say"
    );
    assert_eq!(
        server.refusal(server.kpis().complete_action_plan(done())).await,
        rule("ACTION_PLAN_COMPLETED", "kpis/nps/alerts/breach-7")
    );
    let told = told_after(&server, revision).await;
    let told: Vec<_> = told
        .iter()
        .filter(|(_, of, _)| of.ends_with("breach-7"))
        .collect();
    let types: Vec<_> = told.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert_eq!(
        types,
        ["AlertAcknowledged", "ActionPlanSet", "ActionPlanCompleted"]
    );
    assert!(told[1].2.contains(&(
        "action_plan.text".to_owned(),
        String::new(),
        "Hire a manager".to_owned()
    )));

    record(&server, "nps", 1, 60.0).await;
    assert_eq!(
        server
            .refusal(
                server
                    .kpis()
                    .acknowledge_alert(named!(AcknowledgeAlertRequest, name))
            )
            .await,
        rule("ALERT_CLOSED", "kpis/nps/alerts/breach-7")
    );
    let late = named!(SetActionPlanRequest, name, action_plan: plan("We called everybody", |_| {}));
    let late = retried!(server, kpis.set_action_plan(late));
    assert_eq!(
        standing(&late),
        closed(Recovered),
        "what was done is worth knowing"
    );
}

#[tokio::test]
async fn what_makes_no_sense_of_an_alert_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "churn", |_| {}).await;
    let name = alert_name("nps/breach-7");
    let set = |plan: Option<api::ActionPlan>| named!(SetActionPlanRequest, name, action_plan: plan);
    let of = |change: fn(&mut api::ActionPlan)| set(plan("Do it", change));
    for (request, expected) in [
        (set(None), invalid(&["action_plan"])),
        (set(plan("", |_| {})), invalid(&["action_plan.text"])),
        (set(plan(" \n", |_| {})), invalid(&["action_plan.text"])),
        (
            set(plan(&"x".repeat(10_001), |_| {})),
            invalid(&["action_plan.text"]),
        ),
        (
            of(|it| it.cause = "x".repeat(10_001)),
            invalid(&["action_plan.cause"]),
        ),
        (
            of(|it| it.owner = "maria".to_owned()),
            invalid(&["action_plan.owner"]),
        ),
        (
            of(|it| it.owner = "workspaces/other/members/maria".to_owned()),
            invalid(&["action_plan.owner"]),
        ),
        (
            of(|it| it.owner = acme("members/nobody")),
            missing("members/nobody"),
        ),
        (
            of(|it| it.due_date = date(2026, 2, 30)),
            invalid(&["action_plan.due_date"]),
        ),
        (
            of(|it| it.objective = acme("kpis/nps")),
            invalid(&["action_plan.objective"]),
        ),
        (
            of(|it| it.objective = acme("objectives/x")),
            missing("objectives/x"),
        ),
    ] {
        let found = server
            .refusal(server.kpis().set_action_plan(request.clone()))
            .await;
        assert_eq!(found, expected, "{request:?}");
    }
    let noted = named!(AcknowledgeAlertRequest, name, note: "x".repeat(10_001));
    assert_eq!(
        server.refusal(server.kpis().acknowledge_alert(noted)).await,
        invalid(&["note"])
    );
    let noted = named!(CompleteActionPlanRequest, name, note: "x".repeat(10_001));
    assert_eq!(
        server.refusal(server.kpis().complete_action_plan(noted)).await,
        invalid(&["note"])
    );
    // Names: of another KPI, of nothing, of another workspace, of no alert.
    let of_other = "kpis/churn/alerts/breach-7";
    for (name, expected) in [
        (acme(of_other), missing(of_other)),
        (
            acme("kpis/nps/alerts/breach-8"),
            missing("kpis/nps/alerts/breach-8"),
        ),
        (acme("kpis/x/alerts/breach-7"), missing("kpis/x")),
        (
            "workspaces/other/kpis/nps/alerts/breach-7".to_owned(),
            refused(Code::NotFound, "NOT_FOUND", &[]),
        ),
        (acme("kpis/nps"), invalid(&["name"])),
        (acme("kpis/-/alerts/breach-7"), invalid(&["name"])),
        (acme("kpis/nps/alerts/-"), invalid(&["name"])),
        (acme("kpis/nps/alerts/Breach-7"), invalid(&["name"])),
        (format!("{}/x", alert_name("nps/breach-7")), invalid(&["name"])),
        (String::new(), invalid(&["name"])),
        ("x".repeat(100_000), invalid(&["name"])),
    ] {
        let mut kpis = server.kpis();
        let plan = plan("Do it", |_| {});
        let plan = named!(SetActionPlanRequest, name, action_plan: plan);
        let shown: String = name.chars().take(80).collect();
        assert_eq!(
            server.refusal(kpis.set_action_plan(plan)).await,
            expected,
            "{shown}"
        );
        let seen = named!(AcknowledgeAlertRequest, name);
        assert_eq!(
            server.refusal(kpis.acknowledge_alert(seen)).await,
            expected,
            "{shown}"
        );
        let done = named!(CompleteActionPlanRequest, name);
        assert_eq!(
            server.refusal(kpis.complete_action_plan(done)).await,
            expected,
            "{shown}"
        );
        if name != acme("kpis/x/alerts/breach-7") {
            let get = named!(GetAlertRequest, name);
            assert_eq!(server.refusal(kpis.get_alert(get)).await, expected, "{shown}");
        }
    }
}

#[tokio::test]
async fn the_alerts_of_a_deleted_kpi_are_shown_only_on_request_and_changed_no_more() {
    let server = Server::start().await;
    with_company(&server).await;
    let delete = named!(DeleteKpiRequest, acme("kpis/nps"));
    server.kpis().delete_kpi(delete).await.expect("deleted");
    assert_eq!(alerts(&server, "").await, [""; 0]);
    let of_kpi = api::ListAlertsRequest {
        parent: acme("kpis/nps"),
        ..list_alerts("")
    };
    let deleted = rule("DELETED", "kpis/nps");
    assert_eq!(
        server.refusal(server.kpis().list_alerts(of_kpi.clone())).await,
        deleted
    );
    for parent in ["kpis/nps", "kpis/-"] {
        let shown = api::ListAlertsRequest {
            parent: acme(parent),
            show_deleted: true,
            ..list_alerts("")
        };
        let shown = server
            .kpis()
            .list_alerts(shown)
            .await
            .expect("alerts")
            .into_inner();
        assert_eq!(shown.alerts.len(), 1, "{parent}");
        assert_eq!(standing(&shown.alerts[0]), closed(Archived));
    }
    assert!(
        !alert(&server, "nps/breach-7").await.needs_action,
        "one is still read"
    );
    let name = alert_name("nps/breach-7");
    let plan = named!(SetActionPlanRequest, name, action_plan: plan("Do it", |_| {}));
    assert_eq!(server.refusal(server.kpis().set_action_plan(plan)).await, deleted);
    let seen = named!(AcknowledgeAlertRequest, name);
    assert_eq!(
        server.refusal(server.kpis().acknowledge_alert(seen)).await,
        deleted
    );
    assert!(!snapshot(&server).await.iter().any(|name| name.contains("alerts")));
}

#[tokio::test]
async fn alerts_are_narrowed_ordered_and_paged_at_one_revision_over_all_kpis_or_one() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        with_gauge(&server, id, |_| {}).await;
        server.kpis().set_target(new_target(id)).await.expect("a target");
        record(&server, id, 0, 40.0).await;
    }
    record(&server, "c", 1, 60.0).await;
    record(&server, "c", 2, 40.0).await;
    for (parent, order_by, kpis_of) in [
        ("kpis/-", "", "abccde"),
        ("kpis/-", "name desc", "edccba"),
        ("kpis/-", "close_time desc, kpi", ""),
        ("kpis/c", "", "cc"),
    ] {
        let mut request = api::ListAlertsRequest {
            parent: acme(parent),
            order_by: order_by.to_owned(),
            filter: "kpi != a OR state = OPEN".to_owned(),
            ..list_alerts("")
        };
        if order_by.contains("kpi") {
            let refusal = server.refusal(server.kpis().list_alerts(request)).await;
            assert_eq!(refusal, invalid(&["order_by"]), "a reference is no order");
            continue;
        }
        let whole = server
            .kpis()
            .list_alerts(request.clone())
            .await
            .expect("a list")
            .into_inner();
        let ids: String = whole
            .alerts
            .iter()
            .map(|alert| {
                alert.name["workspaces/acme/kpis/".len()..]
                    .chars()
                    .next()
                    .expect("an id")
            })
            .collect();
        assert_eq!(ids, kpis_of, "{parent} {order_by}");
        request.page_size = 1;
        let mut seen = Vec::new();
        loop {
            let page = server
                .kpis()
                .list_alerts(request.clone())
                .await
                .expect("a page")
                .into_inner();
            assert_eq!((page.alerts.len(), page.revision), (1, whole.revision));
            seen.extend(page.alerts);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
            // In between one closes and another opens: the list does not know.
            let second = server.head().await;
            record(&server, "a", second - 250, 60.0).await;
            record(&server, "a", second - 249, 40.0).await;
        }
        assert_eq!(seen, whole.alerts, "{parent} {order_by}");
    }
    let token_of = async |parent: &str| {
        let request = api::ListAlertsRequest {
            parent: acme(parent),
            page_size: 1,
            ..list_alerts("")
        };
        let page = server
            .kpis()
            .list_alerts(request)
            .await
            .expect("a page")
            .into_inner();
        page.next_page_token
    };
    let of_all = token_of("kpis/-").await;
    let kpis_page = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let of_kpis = server
        .kpis()
        .list_kpis(kpis_page.clone())
        .await
        .expect("a page")
        .into_inner();
    let bad = invalid(&["page_token"]);
    for request in [
        api::ListAlertsRequest {
            parent: acme("kpis/c"),
            page_token: of_all.clone(),
            ..list_alerts("")
        },
        api::ListAlertsRequest {
            page_token: of_all.clone(),
            ..list_alerts("state = OPEN")
        },
        api::ListAlertsRequest {
            page_token: of_all.clone(),
            show_deleted: true,
            ..list_alerts("")
        },
        api::ListAlertsRequest {
            page_token: of_kpis.next_page_token,
            ..list_alerts("")
        },
        api::ListAlertsRequest {
            page_token: token_of("kpis/c").await,
            ..list_alerts("")
        },
        api::ListAlertsRequest {
            page_token: "nonsense".to_owned(),
            ..list_alerts("")
        },
    ] {
        assert_eq!(
            server.refusal(server.kpis().list_alerts(request.clone())).await,
            bad,
            "{request:?}"
        );
    }
    let other = api::ListKpisRequest {
        page_token: of_all,
        ..kpis_page
    };
    assert_eq!(server.refusal(server.kpis().list_kpis(other)).await, bad);
    for (parent, expected) in [
        ("kpis/x", missing("kpis/x")),
        ("kpis", invalid(&["parent"])),
        ("kpis/c/alerts/x", invalid(&["parent"])),
    ] {
        let request = api::ListAlertsRequest {
            parent: acme(parent),
            ..list_alerts("")
        };
        assert_eq!(
            server.refusal(server.kpis().list_alerts(request)).await,
            expected,
            "{parent}"
        );
    }
}
