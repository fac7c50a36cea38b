//! Much at once of KPIs and their alerts, and what makes no sense: the server answers in order, and lives on.

use binnacle::proto::api;
use prost::Message;
use tonic::Code;

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

/// So many KPIs with a target of 50 up, "k0" and so on.
async fn with_gauges(server: &Server, count: usize) {
    for number in 0..count {
        let id = format!("k{number}");
        with_gauge(server, &id, |_| {}).await;
        server.kpis().set_target(new_target(&id)).await.expect("a target");
    }
}

/// A value of each of so many KPIs, with a note of so many characters.
fn batch(count: usize, second: i64, value: f64, note_chars: usize) -> api::BatchRecordMeasurementsRequest {
    let measurements = (0..count).map(|number| {
        let id = format!("k{number}");
        api::Measurement {
            kpi: acme(&format!("kpis/{id}")),
            note: "n".repeat(note_chars),
            ..measure(&id, second, value).measurement.expect("a measurement")
        }
    });
    api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: measurements.collect(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_opens_and_closes_a_thousand_alerts_and_one_that_no_record_holds_is_refused() {
    let server = Server::start().await;
    with_workspace(&server).await;
    with_gauges(&server, 1000).await;
    // The largest request that is read: with its alerts its commit is larger than a record may be.
    let mut largest = batch(1000, 0, 40.0, 4000);
    let room = (4 << 20) - largest.encoded_len() - 1000;
    for measurement in &mut largest.measurements {
        measurement.note.push_str(&"n".repeat(room / 1000));
    }
    assert!(largest.encoded_len() < 4 << 20);
    let refusal = server
        .refusal(server.kpis().batch_record_measurements(largest))
        .await;
    assert_eq!(refusal.code, Code::ResourceExhausted);
    assert_eq!(refusal.reason, "COMMIT_TOO_LARGE");
    assert_eq!(alerts(&server, "").await, [""; 0]);

    let recorded = server
        .kpis()
        .batch_record_measurements(batch(1000, 0, 40.0, 3500))
        .await;
    let recorded = recorded.expect("it fits").into_inner();
    assert_eq!((recorded.recorded_count, recorded.unchanged_count), (1000, 0));
    let opened = recorded.revision;
    let recorded = server
        .kpis()
        .batch_record_measurements(batch(1000, 1, 60.0, 0))
        .await;
    let recorded = recorded.expect("it fits").into_inner();
    assert_eq!((recorded.recorded_count, recorded.revision), (1000, opened + 1));
    let mut all = list_alerts("close_reason = RECOVERED");
    all.page_size = 1000;
    let all = server.kpis().list_alerts(all).await.expect("alerts").into_inner();
    assert_eq!((all.alerts.len(), all.next_page_token.as_str()), (1000, ""));
    assert!(
        all.alerts
            .iter()
            .all(|alert| (alert.open_revision, alert.close_revision) == (opened, opened + 1))
    );
    // A large commit arrives in parts, of which the last alone has a token.
    let messages = messages_after(&server, opened - 1).await;
    let with_token = messages.iter().filter(|(token, _)| !token.is_empty()).count();
    assert!(
        messages.len() > 2 && with_token == 2,
        "{} messages",
        messages.len()
    );
    let events = messages.iter().flat_map(|(_, update)| &update.events);
    assert_eq!(events.count(), 4000);
}

#[tokio::test]
async fn a_thousand_values_of_one_kpi_in_a_batch_are_judged_once_by_what_they_come_to() {
    let server = Server::start().await;
    with_workspace(&server).await;
    with_gauge(&server, "k0", |it| it.cadence = api::Cadence::Irregular.into()).await;
    server
        .kpis()
        .set_target(new_target("k0"))
        .await
        .expect("a target");
    let up_and_down = |last: f64| {
        let values = (0..1000).map(|number| api::Measurement {
            value: Some(if number == 999 {
                last
            } else {
                (number % 2 * 60) as f64
            }),
            ..measure("k0", number - 1000, 0.0)
                .measurement
                .expect("a measurement")
        });
        api::BatchRecordMeasurementsRequest {
            parent: acme("kpis/k0"),
            measurements: values.collect(),
            ..Default::default()
        }
    };
    for (last, events) in [(60.0, 1000), (40.0, 3), (60.0, 3)] {
        let revision = server.head().await;
        server
            .kpis()
            .batch_record_measurements(up_and_down(last))
            .await
            .expect("a batch");
        let told = told_after(&server, revision).await;
        let expected = match last {
            _ if events == 1000 => "MeasurementRecorded",
            60.0 => "AlertClosed",
            _ => "AlertOpened",
        };
        assert!(
            told.iter().any(|(kind, _, _)| kind == expected),
            "{last}: {}",
            told.len()
        );
        let alerts_told = told
            .iter()
            .filter(|(kind, _, _)| kind.starts_with("Alert"))
            .count();
        assert!(
            alerts_told <= 2,
            "{last}: BREACH and ADVERSE_MOVE at most, not {alerts_told}"
        );
        assert!(told.len() <= events);
    }
}

#[tokio::test]
async fn recording_and_retracting_in_turn_leaves_what_was_there_and_every_alert_in_the_history() {
    let server = Server::start().await;
    with_company(&server).await;
    record(&server, "nps", 0, 60.0).await;
    let before = (health(&server, "nps").await, scores(&server, "win").await);
    for turn in 0..100 {
        let mut recorded = measure("nps", 1, 10.0);
        let source = format!("source-{turn}");
        recorded.measurement.as_mut().expect("a measurement").source_id = source.clone();
        server.kpis().record_measurement(recorded).await.expect("a value");
        assert_eq!(alerts(&server, "state = OPEN").await.len(), 1, "turn {turn}");
        let taken_back = api::RetractMeasurementRequest {
            source_id: source,
            ..retraction("nps", 1)
        };
        server
            .kpis()
            .retract_measurement(taken_back)
            .await
            .expect("taken back");
        assert_eq!(alerts(&server, "state = OPEN").await, [""; 0], "turn {turn}");
    }
    assert_eq!(
        (health(&server, "nps").await, scores(&server, "win").await),
        before
    );
    let mut request = api::ListAlertsRequest {
        page_size: 7,
        order_by: "open_time desc".to_owned(),
        ..list_alerts("close_reason = CORRECTED")
    };
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = server
            .kpis()
            .list_alerts(request.clone())
            .await
            .expect("a page")
            .into_inner();
        seen.extend(page.alerts.into_iter().map(|alert| alert.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    // And breach-7, which the first value put right.
    assert_eq!(seen.len(), 101);
}

#[tokio::test]
async fn a_list_of_alerts_or_kpis_is_asked_for_nonsense_and_says_so() {
    let server = Server::start().await;
    with_company(&server).await;
    for filter in [
        "kind = BREACHED",
        "kind = KIND_BREACH",
        "kind > BREACH",
        "state = open",
        "needs_action = yes",
        "needs_action = TRUE",
        "needs_action > false",
        "needs_action",
        "overdue = 1",
        "close_reason = NONE",
        "open_time > yesterday",
        "due_date = \"2026-02-30\"",
        "kpi = workspaces/other/kpis/nps",
        "kpi = workspaces/acme/objectives/nps",
        "kpi > nps",
        "owner = workspaces/other/members/maria",
        "summary : nps",
        "kpi.owner = maria",
        "archived = true",
    ] {
        let refusal = server
            .refusal(server.kpis().list_alerts(list_alerts(filter)))
            .await;
        assert_eq!(refusal, invalid(&["filter"]), "{filter}");
    }
    for filter in [
        "archived = yes",
        "archived = 1",
        "needs_action < true",
        "archived",
        "state = OPEN",
    ] {
        let request = api::ListKpisRequest {
            parent: "workspaces/acme".to_owned(),
            filter: filter.to_owned(),
            ..Default::default()
        };
        let refusal = server.refusal(server.kpis().list_kpis(request)).await;
        assert_eq!(refusal, invalid(&["filter"]), "{filter}");
    }
    for order_by in ["kpi", "state", "needs_action", "open_time,open_time", "title"] {
        let request = api::ListAlertsRequest {
            order_by: order_by.to_owned(),
            ..list_alerts("")
        };
        let refusal = server.refusal(server.kpis().list_alerts(request)).await;
        assert_eq!(refusal, invalid(&["order_by"]), "{order_by}");
    }
    let negative = api::ListAlertsRequest {
        page_size: -1,
        min_revision: -1,
        ..list_alerts("")
    };
    let refusal = server.refusal(server.kpis().list_alerts(negative)).await;
    assert_eq!(
        (refusal.code, refusal.reason.as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let ahead = api::ListAlertsRequest {
        min_revision: 1_000_000,
        ..list_alerts("")
    };
    let refusal = server.refusal(server.kpis().list_alerts(ahead)).await;
    assert_eq!(refusal.code, Code::OutOfRange);
}
