//! What becomes of rows: recorded, superseding, unchanged, refused; in order, each told once.

use binnacle::proto::api;
use tonic::Code;

use crate::common::*;
use crate::rows::*;

/// recorded, superseded, unchanged, refused.
fn counts(told: &api::IngestMeasurementsResponse) -> [i64; 4] {
    [
        told.recorded_count,
        told.superseded_count,
        told.unchanged_count,
        told.refused_count,
    ]
}

#[tokio::test]
async fn every_row_is_recorded_superseding_unchanged_or_refused_by_name() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server
        .kpis()
        .record_measurement(measure("nps", -5, 1.0))
        .await
        .unwrap();
    let mut rows = Rows::open(server.kpis()).await;
    let day = |sequence: i64, value: f64| {
        let mut row = row(sequence, 0, value);
        let measurement = row.measurement.as_mut().unwrap();
        measurement.effective_time = None;
        measurement.effective_date = date(2025, 12, 30);
        row
    };
    let changed = |sequence: i64, change: fn(&mut api::Measurement)| {
        let mut row = row(sequence, -100, 7.0);
        change(row.measurement.as_mut().unwrap());
        row
    };
    let message = first(vec![
        row(1, -10, 1.0),
        row(2, -9, 2.0),
        row(3, -5, 1.0),
        row(4, -5, 2.0),
        changed(10, |it| it.value = None),
        changed(11, |it| it.value = Some(f64::NAN)),
        changed(12, |it| it.effective_time = None),
        changed(13, |it| it.effective_time = time(301)),
        changed(14, |it| it.kpi = acme("kpis/churn")),
        api::MeasurementRow {
            sequence: 15,
            measurement: None,
        },
        changed(16, |it| {
            it.value = None;
            it.source_id = "x".repeat(129);
        }),
        day(20, 5.0),
        // 2025-12-30T00:00 in São Paulo: the same identity as the day.
        row(21, -(2 * 24 + 9) * 3600, 6.0),
        row(22, -9, 2.0),
        row(23, -10, 3.0),
        row(24, -10, 4.0),
    ]);
    rows.all(message).await.unwrap();
    assert_eq!(rows.told.durable_through, 24);
    assert_eq!(counts(&rows.told), [3, 4, 2, 7]);
    assert_eq!(rows.told.revision, server.head().await);
    let refused: Vec<_> = rows
        .refusals
        .iter()
        .map(|it| (it.sequence, it.reason.as_str(), it.field.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (10, "INVALID_FIELD", "measurement.value"),
            (11, "INVALID_FIELD", "measurement.value"),
            (12, "INVALID_FIELD", "measurement.effective_time"),
            (13, "EFFECTIVE_TIME_IN_FUTURE", "measurement.effective_time"),
            (14, "INVALID_FIELD", "measurement.kpi"),
            (15, "INVALID_FIELD", "measurement"),
            (16, "INVALID_FIELD", "measurement.value"),
        ]
    );
    assert!(rows.refusals[6].message.contains("measurement.source_id"));
    assert!(rows.refusals.iter().all(|it| !it.message.is_empty()));
    assert_eq!(
        series(server.kpis()).await,
        [(-(2 * 24 + 9) * 3600, 6.0), (-10, 4.0), (-9, 2.0), (-5, 2.0)]
    );
}

#[tokio::test]
async fn a_row_that_is_refused_alone_or_by_the_state_is_named_too_and_one_kpi_more_or_less_stops_nobody() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let of = |sequence: i64, kpi: &str| {
        let mut row = row(sequence, -sequence, 1.0);
        row.measurement.as_mut().unwrap().kpi = acme(kpi);
        row
    };
    let mut rows = Rows::open(server.kpis()).await;
    let all = |rows| api::IngestMeasurementsRequest {
        parent: acme("kpis/-"),
        ..more(rows)
    };
    rows.send(all(vec![of(1, "kpis/none")])).await;
    assert_eq!(counts(rows.durable(1).await), [0, 0, 0, 1]);
    rows.send(more(vec![of(2, "kpis/nps"), of(3, "kpis/none")])).await;
    assert_eq!(counts(rows.durable(3).await), [1, 0, 0, 2]);
    let gone = api::DeleteKpiRequest {
        name: acme("kpis/nps"),
        ..Default::default()
    };
    server.kpis().delete_kpi(gone).await.unwrap();
    rows.all(more(vec![of(4, "kpis/nps"), of(5, "kpis/nps")]))
        .await
        .unwrap();
    let refused: Vec<_> = rows
        .refusals
        .iter()
        .map(|it| (it.sequence, it.reason.as_str()))
        .collect();
    assert_eq!(
        refused,
        [(1, "NOT_FOUND"), (3, "NOT_FOUND"), (4, "DELETED"), (5, "DELETED")]
    );
    assert!(rows.refusals.iter().all(|it| it.field == "measurement.kpi"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_row_supersedes_an_earlier_one_whatever_is_refused_between_them() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    let mut random = 1_u64;
    let mut newest = std::collections::BTreeMap::new();
    let mut good = 0;
    rows.send(first(Vec::new())).await;
    let mut sequence = 0;
    for size in [1, 900, 3, 1500, 700, 40] {
        let mut message = Vec::new();
        for _ in 0..size {
            sequence += 1;
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // A third is clearly out of order, a tenth refused by the state.
            let second = i64::try_from(random >> 33).unwrap() % 400 - 400;
            let second = if random >> 50 & 7 == 0 {
                400 - second
            } else {
                second
            };
            let value = f64::from(u8::try_from(random >> 41 & 3).unwrap());
            message.push(row(sequence, second, value));
            if second <= 300 {
                newest.insert(second, value);
                good += 1;
            }
        }
        rows.send(more(message)).await;
    }
    rows.close();
    rows.end().await.unwrap();
    let [recorded, superseded, unchanged, refused] = counts(&rows.told);
    assert_eq!(rows.told.durable_through, sequence);
    assert_eq!(
        (recorded + superseded + unchanged, refused),
        (good, sequence - good)
    );
    assert!(
        refused > 100 && superseded > 100 && unchanged > 100,
        "{:?}",
        rows.told
    );
    assert_eq!(recorded, newest.len() as i64);
    assert_eq!(
        series(server.kpis()).await,
        newest.into_iter().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn of_many_refusals_a_thousand_are_named_and_the_rest_is_counted() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    let bad = (1..=2500)
        .map(|sequence| row(sequence, 1000, 1.0))
        .chain([own_row(2501)]);
    rows.all(first(bad.collect())).await.unwrap();
    let named: Vec<_> = rows.refusals.iter().map(|it| it.sequence).collect();
    assert_eq!(named, (1..=1000).collect::<Vec<_>>());
    assert_eq!(counts(&rows.told), [1, 0, 0, 2500]);
    assert_eq!(
        (rows.told.durable_through, rows.told.refusals_left_out_count),
        (2501, 1500)
    );
}

#[tokio::test]
async fn rows_of_a_message_become_few_commits_and_every_commit_says_who_and_why() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let before = server.head().await;
    let mut rows = Rows::ask(server.kpis(), |request| {
        for (key, value) in [
            ("binnacle-actor", "maria"),
            ("binnacle-correlation-id", "night-7"),
        ] {
            request.metadata_mut().insert(key, value.parse().unwrap());
        }
    })
    .await
    .unwrap();
    let message = api::IngestMeasurementsRequest {
        reason: "nightly".to_owned(),
        ..first((1..=2001).map(own_row).collect())
    };
    rows.all(message).await.unwrap();
    assert_eq!((rows.told.revision, rows.told.recorded_count), (before + 3, 2001));
    let recorded = recordings(&server.channel).await;
    assert_eq!(recorded.len(), 2001);
    for event in recorded {
        let commit = event.commit.unwrap();
        assert_eq!(commit.principal, "maria");
        assert_eq!(
            (commit.reason.as_str(), commit.correlation_id.as_str()),
            ("nightly", "night-7")
        );
        assert_eq!(commit.method, "binnacle.v1.KpiService/IngestMeasurements");
    }
}

#[tokio::test]
async fn a_row_does_not_wait_for_the_next_one() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    rows.send(first(vec![own_row(1)])).await;
    for sequence in 1..20 {
        rows.durable(sequence).await;
        rows.send(more(vec![own_row(sequence + 1)])).await;
    }
    rows.close();
    rows.end().await.unwrap();
    assert_eq!(rows.told.durable_through, 20);
}

#[tokio::test]
async fn a_bad_actor_is_refused_before_the_first_message() {
    let server = Server::start().await;
    let refused = Rows::ask(server.kpis(), |request| {
        request
            .metadata_mut()
            .insert("binnacle-correlation-id", "x".repeat(201).parse().unwrap());
    })
    .await
    .map(|_| ())
    .expect_err("too long");
    let about = &["metadata binnacle-correlation-id"];
    assert_eq!(
        Refused::of(&refused),
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", about)
    );
}
