//! Streams of rows beside batches: the same measurements, a thousand a message, durable either way.

use std::path::Path;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::google_type;
use serde_json::json;

use crate::common::server::Server;
use crate::common::{Scale, kpi, median, prepare};
use crate::load;
use crate::report::Report;

const KPIS: u64 = 100;
const ROWS: u64 = 1000;
/// How many calls are in flight; a stream has as many commits on the way.
const IN_FLIGHT: usize = 16;
/// Batches and streams in turn, so often; the medians are reported.
const ROUNDS: usize = 3;

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    let count = scale.count(1_000_000) / ROWS;
    let server = Server::start(&dir.join("ingest"));
    prepare(&server.channel().await, KPIS).await;
    set_targets(&server).await;
    let (mut batches, mut one, mut four) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        batches.push(rate(
            count,
            load::record_batches(&server, count, KPIS, IN_FLIGHT).await,
        ));
        one.push(rate(count, ingest(&server, count, 1).await));
        four.push(rate(count, ingest(&server, count, 4).await));
    }
    let [batches, one, four] = [batches, one, four].map(median);
    println!("KPIs with a target, 1,000 measurements a message, durable, in measurements/s:");
    println!("BatchRecordMeasurements, {IN_FLIGHT} in flight: {batches:.0}");
    println!(
        "IngestMeasurements, one stream: {one:.0} ({:.2} × batches)",
        one / batches
    );
    println!(
        "IngestMeasurements, four streams: {four:.0} ({:.2} × batches)\n",
        four / batches
    );
    report.set(
        "ingest_measurements_per_s",
        json!({ "batches": batches, "one_stream": one, "four_streams": four }),
    );
}

fn rate(count: u64, took: Duration) -> f64 {
    (count * ROWS) as f64 / took.as_secs_f64()
}

/// Judging against a target is part of recording.
async fn set_targets(server: &Server) {
    let mut client = KpiServiceClient::new(server.channel().await);
    for index in 0..KPIS {
        let effective_date = Some(google_type::Date {
            year: 2020,
            month: 1,
            day: 1,
        });
        let request = api::SetTargetRequest {
            parent: kpi(index),
            target: Some(api::Target {
                effective_date,
                at_least: Some(1000.0),
                critical_at_least: Some(500.0),
                ..Default::default()
            }),
            ..Default::default()
        };
        client.set_target(request).await.expect("a target");
    }
}

/// A thousand rows of one KPI, as each batch is.
fn message(number: u64) -> api::IngestMeasurementsRequest {
    let kpi = kpi(number % KPIS);
    let rows = (1..=ROWS).map(|row| api::MeasurementRow {
        sequence: i64::try_from(number * ROWS + row).expect("a sequence"),
        measurement: Some(load::new_measurement(&kpi)),
    });
    api::IngestMeasurementsRequest {
        parent: "workspaces/bench/kpis/-".to_owned(),
        rows: rows.collect(),
        ..Default::default()
    }
}

/// Sends so many messages over some streams, and answers how long it took until all of it was durable.
async fn ingest(server: &Server, count: u64, streams: u64) -> Duration {
    let channel = server.channel().await;
    let started = Instant::now();
    let senders: Vec<_> = (0..streams)
        .map(|stream| {
            let mut client = KpiServiceClient::new(channel.clone());
            let messages = (stream..count).step_by(usize::try_from(streams).expect("a few"));
            tokio::spawn(async move {
                let mut last = 0;
                let messages = messages.map(message);
                let mut answers = client
                    .ingest_measurements(futures_util::stream::iter(messages))
                    .await
                    .expect("a stream")
                    .into_inner();
                while let Some(answer) = answers.message().await.expect("an answer") {
                    last = answer.recorded_count;
                }
                last
            })
        })
        .collect();
    let mut recorded = 0;
    for sender in senders {
        recorded += sender.await.expect("a sender");
    }
    assert_eq!(recorded, i64::try_from(count * ROWS).expect("a count"));
    started.elapsed()
}
