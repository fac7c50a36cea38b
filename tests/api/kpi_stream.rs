//! What a subscriber and an auditor hear of KPIs and their alerts: everything, in the update of the commit that caused it.

use std::collections::BTreeSet;

use binnacle::proto::api;
use binnacle::proto::api::resource::Resource;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use tonic::Streaming;

use crate::common::view::{fold, view_of};
use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

fn open_alerts(resources: &[api::Resource]) -> Vec<api::Alert> {
    let alerts = resources.iter().filter_map(|resource| match &resource.resource {
        Some(Resource::Alert(alert)) => Some(alert.clone()),
        _ => None,
    });
    alerts.collect()
}

#[tokio::test]
async fn a_snapshot_has_the_open_alerts_as_they_are_and_no_closed_one() {
    let server = Server::start().await;
    with_company(&server).await;
    record(&server, "nps", 1, 60.0).await;
    assert_eq!(open_alerts(&resources(&server).await), []);
    record(&server, "nps", 2, 45.0).await;
    let open = alerts(&server, "state = OPEN").await.remove(0);
    let planned = named!(
        SetActionPlanRequest,
        alert_name(&open),
        action_plan: plan("Call everybody", |_| {})
    );
    let planned = server
        .kpis()
        .set_action_plan(planned)
        .await
        .expect("a plan")
        .into_inner();
    assert_eq!(
        open_alerts(&resources(&server).await),
        std::slice::from_ref(&planned)
    );
    let closed_first = alerts(&server, "state = CLOSED").await;
    assert_eq!(closed_first, ["nps/breach-7"]);
    let snapshot = resources(&server).await;
    let of_kpi = snapshot.iter().find_map(|resource| match &resource.resource {
        Some(Resource::Kpi(kpi)) => Some(kpi.clone()),
        _ => None,
    });
    let of_kpi = of_kpi.expect("nps");
    assert_eq!(
        (of_kpi.open_alerts, of_kpi.needs_action),
        (vec![planned.name], false)
    );
}

#[tokio::test]
async fn an_update_has_the_alerts_events_behind_what_caused_them_and_the_figures_of_both() {
    let server = Server::start().await;
    with_company(&server).await;
    let revision = server.head().await;
    record(&server, "nps", 1, 65.0).await;
    let messages = messages_after(&server, revision).await;
    let [(token, update)] = messages.as_slice() else {
        panic!("one commit is one update: {messages:?}")
    };
    assert!(!token.is_empty());
    let events: Vec<_> = update.events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(events, ["MeasurementRecorded", "AlertClosed"]);
    assert_eq!(update.commit.as_ref().expect("its commit").event_count, 2);
    assert_eq!(
        update.derived_changes.len(),
        7,
        "KPI, key result, objective, team, cycle, workspace, alert"
    );
    let closing = &update.events[1];
    assert_eq!(closing.resource, alert_name("nps/breach-7"));
    let paths: Vec<_> = closing
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["close_reason", "state"]);
}

#[tokio::test]
async fn every_event_about_a_kpi_is_listed_and_read_by_its_name() {
    let server = Server::start().await;
    with_company(&server).await;
    let name = alert_name("nps/breach-7");
    let mut kpis = server.kpis();
    let due = plan("Call", |it| it.due_date = date(2026, 1, 1));
    let set = named!(SetActionPlanRequest, name, action_plan: due);
    kpis.set_action_plan(set).await.expect("a plan");
    kpis.acknowledge_alert(named!(AcknowledgeAlertRequest, name))
        .await
        .expect("seen");
    on_day(&server, 3).await;
    kpis.complete_action_plan(named!(CompleteActionPlanRequest, name))
        .await
        .expect("done");
    let start = named!(StartObjectiveFromKpiRequest, acme("kpis/nps"), cycle: acme("cycles/q1"));
    kpis.start_objective_from_kpi(start).await.expect("an objective");
    kpis.retract_measurement(retraction("nps", 0))
        .await
        .expect("taken back");
    let delete = named!(DeleteTargetRequest, acme("kpis/nps/targets/2026-01-01"));
    kpis.delete_target(delete).await.expect("taken away");
    kpis.archive_kpi(named!(ArchiveKpiRequest, acme("kpis/nps")))
        .await
        .expect("archived");
    kpis.unarchive_kpi(named!(UnarchiveKpiRequest, acme("kpis/nps")))
        .await
        .expect("in use");
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let listed = server
        .audit()
        .list_events(request)
        .await
        .expect("events")
        .into_inner()
        .events;
    let mut types: BTreeSet<&str> = BTreeSet::new();
    for event in &listed {
        let read = named!(GetEventRequest, event.name);
        let read = server
            .audit()
            .get_event(read)
            .await
            .expect("an event")
            .into_inner();
        assert_eq!(&read, event);
        assert!(!event.changes.is_empty(), "{} changed nothing", event.name);
        types.insert(&event.r#type);
    }
    for kind in [
        "AlertOpened",
        "AlertClosed",
        "AlertAcknowledged",
        "ActionPlanSet",
        "ActionPlanCompleted",
        "ActionPlanOverdue",
        "MeasurementRetracted",
        "TargetDeleted",
        "KpiArchived",
        "KpiUnarchived",
    ] {
        assert!(types.contains(kind), "{kind} is not in {types:?}");
    }
    let started = listed
        .iter()
        .rfind(|event| event.r#type == "ObjectiveCreated")
        .expect("it");
    let paths: Vec<_> = started
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert!(
        paths.contains(&"started_from_kpi") && paths.contains(&"started_from_alert"),
        "{paths:?}"
    );
    let retracted = listed
        .iter()
        .find(|event| event.r#type == "MeasurementRetracted")
        .expect("it");
    assert_eq!(retracted.effective_time, time(0), "when it was said to be true");
}

/// A writer of its own kind of changes, whatever the others make of them; what is refused is refused by a rule.
async fn write(server: &Server, writer: usize, turns: i64) {
    let mut kpis = server.kpis();
    for turn in 0..turns {
        let (second, value) = (-(turn % 7), (turn * 13 % 90) as f64);
        let refused = match (writer, turn % 4) {
            (0, 0) => kpis.retract_measurement(retraction("nps", second)).await.err(),
            (0, _) => kpis.record_measurement(measure("nps", second, value)).await.err(),
            (1, _) => kpis
                .correct_measurement(correction("nps", second, value))
                .await
                .err(),
            (2, 0) => {
                let delete = named!(DeleteTargetRequest, acme("kpis/nps/targets/2026-01-01"));
                kpis.delete_target(delete).await.err()
            }
            (2, _) => {
                let moved = target("nps", 1, |it| it.at_least = Some(value));
                kpis.set_target(moved).await.err()
            }
            (_, 0) => kpis
                .archive_kpi(named!(ArchiveKpiRequest, acme("kpis/nps")))
                .await
                .err(),
            (_, 1) => kpis
                .unarchive_kpi(named!(UnarchiveKpiRequest, acme("kpis/nps")))
                .await
                .err(),
            (_, 2) => kpis
                .delete_kpi(named!(DeleteKpiRequest, acme("kpis/nps")))
                .await
                .err(),
            _ => kpis
                .undelete_kpi(named!(UndeleteKpiRequest, acme("kpis/nps")))
                .await
                .err(),
        };
        if let Some(status) = refused {
            let reason = Refused::of(&status).reason;
            let known = [
                "KPI_ARCHIVED",
                "DELETED",
                "NOT_DELETED",
                "NOT_FOUND",
                "MEASUREMENT_NOT_FOUND",
            ];
            assert!(known.contains(&reason.as_str()), "{status}");
        }
    }
}

async fn next(stream: &mut Streaming<api::SubscribeResponse>) -> Event {
    let message = tokio::time::timeout(std::time::Duration::from_secs(60), stream.message());
    let message = message
        .await
        .expect("in time")
        .expect("no error")
        .expect("a message");
    message.event.expect("an event")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_four_write_at_once_a_subscriber_never_sees_a_figure_or_an_alert_jump() {
    let server = Server::start().await;
    with_company(&server).await;
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Snapshot(())),
        ..Default::default()
    };
    let mut stream = server
        .progress()
        .subscribe(request)
        .await
        .expect("a subscription")
        .into_inner();
    let mut shown = Vec::new();
    loop {
        match next(&mut stream).await {
            Event::Snapshot(part) => shown.extend(part.resources),
            Event::SnapshotEnd(_) => break,
            _ => {}
        }
    }
    let mut view = view_of(&shown);
    let mut open: BTreeSet<String> = open_alerts(&shown).into_iter().map(|alert| alert.name).collect();
    assert_eq!(open.len(), 1);
    let writing = async {
        tokio::join!(
            write(&server, 0, 60),
            write(&server, 1, 60),
            write(&server, 2, 60),
            write(&server, 3, 60)
        );
        // So that it ends in use, with a target and a value that misses it.
        let (delete, undelete) = (
            named!(DeleteKpiRequest, acme("kpis/nps")),
            named!(UndeleteKpiRequest, acme("kpis/nps")),
        );
        let _either = server.kpis().delete_kpi(delete).await;
        server.kpis().undelete_kpi(undelete).await.expect("back");
        let unarchive = named!(UnarchiveKpiRequest, acme("kpis/nps"));
        server.kpis().unarchive_kpi(unarchive).await.expect("in use");
        server
            .kpis()
            .set_target(new_target("nps"))
            .await
            .expect("a target");
        record(&server, "nps", 1, 41.5).await;
        server.head().await
    };
    let head = writing.await;
    let (mut opened, mut at) = (0, 0);
    while at < head {
        let Event::Update(update) = next(&mut stream).await else {
            continue;
        };
        at = update.commit.as_ref().expect("its commit").revision;
        for event in &update.events {
            match event.r#type.as_str() {
                "AlertOpened" => {
                    assert!(
                        open.insert(event.resource.clone()),
                        "{} is open already",
                        event.resource
                    );
                    opened += 1;
                }
                "AlertClosed" => assert!(open.remove(&event.resource), "{} is not open", event.resource),
                _ => {}
            }
        }
        for change in &update.derived_changes {
            fold(&mut view, change);
        }
    }
    assert!(opened > 5, "only {opened} alerts have opened");
    let end = resources(&server).await;
    assert_eq!(view, view_of(&end));
    let open_at_end: BTreeSet<String> = open_alerts(&end).into_iter().map(|alert| alert.name).collect();
    assert_eq!(open, open_at_end);
    assert!(!open.is_empty());
}
