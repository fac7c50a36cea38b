//! Measurements that are put right and taken back: what hangs on them, what is refused, and that the history keeps all of it.

use binnacle::proto::api;
use tonic::Code::{InvalidArgument, NotFound};

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

/// Of which resources the derived changes of the commits behind a revision are, in order.
async fn changed_after(server: &Server, revision: i64) -> Vec<String> {
    let messages = messages_after(server, revision).await;
    let mut changed: Vec<String> = messages
        .into_iter()
        .flat_map(|(_, update)| update.derived_changes)
        .map(|change| change.resource.trim_start_matches("workspaces/acme/").to_owned())
        .collect();
    changed.sort();
    changed
}

/// Every figure above the KPI, and the alert.
fn all_of_it(alert: &str) -> [String; 7] {
    [
        "cycles/q1",
        "kpis/nps",
        alert,
        "objectives/win",
        "objectives/win/keyResults/nps",
        "teams/sales",
        "workspaces/acme",
    ]
    .map(str::to_owned)
}

/// An alert closes when it is done, not when it is imagined: what it is then has another time.
fn but_for_alerts(changes: Vec<String>) -> Vec<String> {
    let figures = changes
        .into_iter()
        .filter(|change| !change.contains("AlertChange"));
    figures.collect()
}

#[tokio::test]
async fn a_corrected_measurement_moves_every_figure_above_it_in_its_one_commit() {
    let server = Server::start().await;
    with_company(&server).await;
    record(&server, "nps", 60, 45.0).await;
    // From 40 to 65: a fifth of the way, and half of the objective.
    assert_eq!(scores(&server, "win").await, [Some(0.1); 4]);
    let revision = server.head().await;
    let simulated = api::SimulateRequest {
        parent: "workspaces/acme".to_owned(),
        commands: vec![api::SimulatedCommand {
            command: Some(api::simulated_command::Command::CorrectMeasurement(correction(
                "nps", 60, 65.0,
            ))),
        }],
        ..Default::default()
    };
    let simulated = server.progress().simulate(simulated).await;
    let simulated = simulated.expect("an answer").into_inner();
    let corrected = retried!(server, kpis.correct_measurement(correction("nps", 60, 65.0)));
    assert_eq!(
        (corrected.value, corrected.effective_time, corrected.revision),
        (Some(65.0), time(60), revision + 1)
    );
    assert_eq!(scores(&server, "win").await, [Some(0.5); 4]);
    assert_eq!(
        changed_after(&server, revision).await,
        all_of_it("kpis/nps/alerts/breach-7")
    );
    let (changes, foreseen) = (changes_after(&server, revision).await, sorted(simulated.changes));
    assert_eq!(changes.len(), foreseen.len());
    assert_eq!(but_for_alerts(changes), but_for_alerts(foreseen));
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("MeasurementRecorded", "kpis/nps"),
            ("AlertClosed", "kpis/nps/alerts/breach-7")
        ]
    );
    assert!(
        told[0]
            .2
            .contains(&("measurement.value".to_owned(), "45".to_owned(), "65".to_owned()))
    );
    let listed = api::ListMeasurementsRequest {
        parent: acme("kpis/nps"),
        ..Default::default()
    };
    let listed = server.kpis().list_measurements(listed).await;
    let listed = listed.expect("measurements").into_inner().measurements;
    let values: Vec<_> = listed.iter().map(|point| point.value).collect();
    assert_eq!(values, [Some(40.0), Some(65.0)]);
    assert_eq!(listed[1], corrected);

    let head = server.head().await;
    let same = server
        .kpis()
        .correct_measurement(correction("nps", 60, 65.0))
        .await;
    let same = same.expect("it is so already");
    assert_eq!(
        same.metadata().get("binnacle-revision").expect("a trailer"),
        &head.to_string()
    );
    assert_eq!((same.into_inner(), server.head().await), (corrected, head));
    let same = retried!(server, kpis.correct_measurement(correction("nps", 60, 65.0)));
    assert_eq!(same.value, Some(65.0), "nothing to record, but for its id");
}

#[tokio::test]
async fn a_retracted_measurement_is_answered_as_it_was_and_everything_that_hung_on_it_goes_back() {
    let server = Server::start().await;
    with_company(&server).await;
    let before = (scores(&server, "win").await, health(&server, "nps").await);
    record(&server, "nps", 60, 45.0).await;
    record(&server, "nps", 60, 65.0).await;
    let revision = server.head().await;
    let retracted = retried!(server, kpis.retract_measurement(retraction("nps", 60)));
    assert_eq!(
        (retracted.value, retracted.effective_time, retracted.kpi.as_str()),
        (Some(65.0), time(60), acme("kpis/nps").as_str())
    );
    assert_eq!(retracted.revision, revision + 1, "the revision that took it back");
    assert_eq!(
        (scores(&server, "win").await, health(&server, "nps").await),
        before,
        "45, which it had superseded, does not come back"
    );
    let opened = format!("kpis/nps/alerts/breach-{}", revision + 1);
    assert_eq!(changed_after(&server, revision).await, all_of_it(&opened));
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("MeasurementRetracted", "kpis/nps"),
            ("AlertOpened", opened.as_str())
        ]
    );
    assert!(
        told[0]
            .2
            .contains(&("measurement.value".to_owned(), "65".to_owned(), String::new()))
    );
    let again = server
        .refusal(server.kpis().retract_measurement(retraction("nps", 60)))
        .await;
    assert_eq!(again, refused(NotFound, "MEASUREMENT_NOT_FOUND", &["kpis/nps"]));

    // The only value that is left: nothing is known any more, and its key result has not started.
    let by_date = api::RetractMeasurementRequest {
        effective_time: None,
        effective_date: date(2026, 1, 1),
        ..retraction("nps", 0)
    };
    let refusal = server
        .refusal(server.kpis().retract_measurement(by_date.clone()))
        .await;
    assert_eq!(
        refusal.reason, "MEASUREMENT_NOT_FOUND",
        "it was at noon, not when the day began"
    );
    server
        .kpis()
        .retract_measurement(retraction("nps", 0))
        .await
        .expect("the last value");
    let found = kpi(&server, "nps").await;
    let stands = found.health.clone().expect("its health");
    assert_eq!(
        (stands.health(), stands.latest_value, stands.measurement_count),
        (api::Health::NoData, None, 0)
    );
    assert_eq!(
        (found.period_value_text, found.latest_value_text),
        Default::default()
    );
    assert_eq!(found.open_alerts, [""; 0]);
    let progress = key_result_of(&server, "win/nps").await.progress.expect("ACTIVE");
    assert_eq!((progress.current, progress.score), (None, 0.0));

    // By its day, and told apart by its source.
    let mut of_day = measure("nps", 0, 5.0);
    let measurement = of_day.measurement.as_mut().expect("a measurement");
    (measurement.effective_time, measurement.effective_date) = (None, date(2026, 1, 1));
    measurement.source_id = "deal-7".to_owned();
    server.kpis().record_measurement(of_day).await.expect("a value");
    let refusal = server
        .refusal(server.kpis().retract_measurement(by_date.clone()))
        .await;
    assert_eq!(refusal.reason, "MEASUREMENT_NOT_FOUND", "it is of a source");
    let of_source = api::RetractMeasurementRequest {
        source_id: "deal-7".to_owned(),
        ..by_date
    };
    let retracted = retried!(server, kpis.retract_measurement(of_source));
    assert_eq!(
        (retracted.value, retracted.source_id.as_str()),
        (Some(5.0), "deal-7")
    );
    let direction = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            cadence: api::Cadence::Weekly.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.kpis().update_kpi(direction)).await,
        rule("KPI_HAS_MEASUREMENTS", "kpis/nps"),
        "it has begun, whatever was taken back"
    );
}

#[tokio::test]
async fn what_cannot_be_put_right_or_taken_back_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "churn", |_| {}).await;
    let changed = |change: fn(&mut api::Measurement)| {
        let mut request = correction("nps", 0, 1.0);
        change(request.measurement.as_mut().expect("a measurement"));
        request
    };
    let unknown = refused(NotFound, "MEASUREMENT_NOT_FOUND", &["kpis/nps"]);
    let ahead = refused(InvalidArgument, "EFFECTIVE_TIME_IN_FUTURE", &["effective_time"]);
    for (request, expected) in [
        (correction("nps", 1, 1.0), unknown.clone()),
        (changed(|it| it.source_id = "x".to_owned()), unknown.clone()),
        (correction("nps", 301, 1.0), ahead.clone()),
        (correction("nowhere", 0, 1.0), missing("kpis/nowhere")),
        (
            changed(|it| it.effective_time = None),
            invalid(&["measurement.effective_time"]),
        ),
        (
            changed(|it| it.value = Some(f64::NAN)),
            invalid(&["measurement.value"]),
        ),
        (changed(|it| it.value = None), invalid(&["measurement.value"])),
        (
            changed(|it| it.kpi = acme("kpis/churn")),
            invalid(&["measurement.kpi"]),
        ),
        (
            changed(|it| it.note = "n".repeat(10_001)),
            invalid(&["measurement.note"]),
        ),
        (
            changed(|it| it.source_id = "s".repeat(129)),
            invalid(&["measurement.source_id"]),
        ),
        (
            changed(|it| it.effective_date = date(2026, 1, 1)),
            invalid(&["measurement.effective_date"]),
        ),
        (
            api::CorrectMeasurementRequest {
                measurement: None,
                ..correction("nps", 0, 1.0)
            },
            invalid(&["measurement"]),
        ),
        (
            api::CorrectMeasurementRequest {
                parent: acme("kpis/-"),
                ..correction("nps", 0, 1.0)
            },
            invalid(&["parent"]),
        ),
    ] {
        let found = server
            .refusal(server.kpis().correct_measurement(request.clone()))
            .await;
        assert_eq!(found, expected, "{request:?}");
    }
    let changed = |change: fn(&mut api::RetractMeasurementRequest)| {
        let mut request = retraction("nps", 0);
        change(&mut request);
        request
    };
    for (request, expected) in [
        (retraction("nps", 1), unknown.clone()),
        (changed(|it| it.source_id = "x".to_owned()), unknown),
        (
            retraction("churn", 0),
            refused(NotFound, "MEASUREMENT_NOT_FOUND", &["kpis/churn"]),
        ),
        (retraction("nps", 301), ahead),
        (retraction("nowhere", 0), missing("kpis/nowhere")),
        (
            changed(|it| it.effective_time = None),
            invalid(&["effective_time"]),
        ),
        (
            changed(|it| it.effective_date = date(2026, 1, 1)),
            invalid(&["effective_date"]),
        ),
        (
            changed(|it| (it.effective_time, it.effective_date) = (None, date(2026, 13, 1))),
            invalid(&["effective_date"]),
        ),
        (
            changed(|it| it.source_id = "s".repeat(129)),
            invalid(&["source_id"]),
        ),
        (changed(|it| it.parent = acme("kpis/-")), invalid(&["parent"])),
        (
            changed(|it| it.parent = "workspaces/other/kpis/nps".to_owned()),
            refused(NotFound, "NOT_FOUND", &[]),
        ),
        (
            changed(|it| it.request_id = "7".to_owned()),
            invalid(&["request_id"]),
        ),
        (changed(|it| it.reason = "r".repeat(10_001)), invalid(&["reason"])),
    ] {
        let found = server
            .refusal(server.kpis().retract_measurement(request.clone()))
            .await;
        assert_eq!(found, expected, "{request:?}");
    }
}

#[tokio::test]
async fn what_was_known_already_is_answered_as_it_is_known_not_as_what_is_newest() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let now = |value: f64| {
        let mut request = measure("nps", 0, value);
        request
            .measurement
            .as_mut()
            .expect("a measurement")
            .effective_time = None;
        request
    };
    // The clock stands still: now is one moment, and something else lies 60 seconds ahead of it.
    let first = server
        .kpis()
        .record_measurement(now(5.0))
        .await
        .expect("a value")
        .into_inner();
    record(&server, "nps", 60, 99.0).await;
    let head = server.head().await;
    let again = server
        .kpis()
        .record_measurement(now(5.0))
        .await
        .expect("as it is")
        .into_inner();
    assert_eq!((again, server.head().await), (first, head));
    let with_id = retried!(server, kpis.record_measurement(now(5.0)));
    assert_eq!(with_id.value, Some(5.0));
}
