//! What a KPI's history costs: recording a point and keeping it in memory, against a `BTreeMap` of the same points; reading
//! a million of them down to a picture of a thousand, against a sum over a vector of as many; ten years of a hundred KPIs by
//! month; and the same through the real server on loopback, against a bare tonic server that answers as many bytes.
//!
//! `cargo bench --bench series` prints a table and writes `target/bench/series.json`. No disk is written: what a durable write
//! costs is measured by `--bench grpc`. Machines differ and are noisy: quote the ratios.

#![allow(missing_docs)]

#[path = "../domain/blob.rs"]
mod blob;
mod filled;
mod points;
#[path = "../domain/raw.rs"]
mod raw;

use std::hint::black_box;
use std::time::{Duration, Instant};

use binnacle::domain::{Aggregation, Cadence, Id, Revision, Workspace};
use binnacle::projection::{SeriesBuckets, SeriesQuery, SeriesRange, kpi_series};
use binnacle::proto::api;
use serde_json::{Map, Value, json};
use tonic::transport::Channel;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls in one run.
const CALLS: usize = 100;
/// Points of a picture.
const PICTURE: usize = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, load, keeper] = arguments.as_slice()
        && flag == "--points"
    {
        return points::measure(load, keeper);
    }
    let mut report = Map::new();
    points::run(&mut report);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(reads(&mut report));
    std::fs::create_dir_all("target/bench").expect("a directory");
    let text = serde_json::to_string_pretty(&Value::Object(report)).expect("JSON");
    std::fs::write("target/bench/series.json", text).expect("the figures");
    println!("\nmedians; written to target/bench/series.json");
}

async fn reads(report: &mut Map<String, Value>) {
    let (engine, channel, stop) = filled::serve().await;
    let acme = Id::parse("acme").expect("an id");
    let published = engine.read(&acme, Revision::ZERO).expect("acme");
    let workspace = published.state.workspace();
    println!(
        "\n                                            in process ms   baseline ms     ×   wire ms  as many bytes ms     ×"
    );
    let long = vec![Id::parse("long").expect("an id")];
    let raw_query = query(None);
    let picture = row(
        "1,000,000 measurements, a picture of 1,000",
        (median(|| answer(workspace, &long, &raw_query)), sum_of_a_vector()),
        wire(&channel, "/binnacle.v1.KpiService/GetSeries", one).await,
    );
    report.insert("picture_of_a_million".to_owned(), picture);
    let kpis: Vec<Id> = (0..filled::KPIS)
        .map(|kpi| Id::parse(&format!("k{kpi}")).expect("an id"))
        .collect();
    let monthly_query = query(Some(SeriesBuckets {
        length: Cadence::Monthly,
        aggregation: Some(Aggregation::Mean),
    }));
    let monthly = row(
        "100 KPIs, 10 years of days each, by month",
        (
            median(|| answer(workspace, &kpis, &monthly_query)),
            sums_of(workspace, &kpis),
        ),
        wire(&channel, "/binnacle.v1.KpiService/BatchGetSeries", many).await,
    );
    report.insert("ten_years_of_100_kpis_by_month".to_owned(), monthly);
    let _stopped = stop.send(());
}

fn query(buckets: Option<SeriesBuckets>) -> SeriesQuery {
    SeriesQuery {
        range: SeriesRange::Moments(None, None),
        buckets,
        points_max: PICTURE,
    }
}

fn answer(workspace: &Workspace, kpis: &[Id], query: &SeriesQuery) {
    let series = kpi_series(workspace, kpis, query).expect("series");
    assert!(series.iter().all(|series| !series.points.is_empty()));
    black_box(series);
}

fn one() -> api::GetSeriesRequest {
    api::GetSeriesRequest {
        name: "workspaces/acme/kpis/long".to_owned(),
        ..Default::default()
    }
}

fn many() -> api::BatchGetSeriesRequest {
    api::BatchGetSeriesRequest {
        parent: "workspaces/acme".to_owned(),
        names: (0..filled::KPIS)
            .map(|kpi| format!("workspaces/acme/kpis/k{kpi}"))
            .collect(),
        bucket: api::Cadence::Monthly.into(),
        aggregation: api::Aggregation::Mean.into(),
        ..Default::default()
    }
}

/// The least that a look at every point can cost.
fn sum_of_a_vector() -> Duration {
    let points: Vec<(i64, f64)> = (0..filled::LONG).map(|at| (at, at as f64)).collect();
    median(|| {
        let sum = points.iter().fold((0, 0.0), |(times, values), (time, value)| {
            (times ^ time, values + value)
        });
        black_box(sum);
    })
}

/// The least that a look at every point of some series can cost.
fn sums_of(workspace: &Workspace, kpis: &[Id]) -> Duration {
    let points = |kpi: &Id| {
        workspace
            .kpi(kpi)
            .expect("a KPI")
            .series
            .points()
            .map(|point| (point.effective_time(), point.value()))
            .collect::<Vec<_>>()
    };
    let all: Vec<Vec<_>> = kpis.iter().map(points).collect();
    median(|| {
        for points in &all {
            black_box(points.iter().map(|(_, value)| value).sum::<f64>());
        }
    })
}

/// What a call takes, and what it takes to be answered as many bytes.
async fn wire<T: prost::Message + 'static>(
    channel: &Channel,
    path: &'static str,
    request: impl Fn() -> T,
) -> (Duration, Duration, usize) {
    let (took, bytes) = calls(channel, path, &request).await;
    let bare = blob::serve(bytes).await;
    let (baseline, _) = calls(&bare, blob::PATH, &request).await;
    (took, baseline, bytes)
}

async fn calls<T: prost::Message + 'static>(
    channel: &Channel,
    path: &'static str,
    request: impl Fn() -> T,
) -> (Duration, usize) {
    let mut took = Vec::with_capacity(CALLS);
    let mut bytes = 0;
    for _ in 0..CALLS {
        let began = Instant::now();
        bytes = raw::call(channel, path, request()).await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    (took[CALLS / 2], bytes)
}

fn row(name: &str, (took, baseline): (Duration, Duration), wire: (Duration, Duration, usize)) -> Value {
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let (called, bare, bytes) = (ms(wire.0), ms(wire.1), wire.2);
    let (took, baseline) = (ms(took), ms(baseline));
    println!(
        "{name:<42} {took:>13.2} {baseline:>13.2} {:>5.1} {called:>9.2} {bare:>17.2} {:>5.1}",
        took / baseline,
        called / bare
    );
    json!({
        "in_process_ms": took,
        "sum_over_a_vector_ms": baseline,
        "wire_ms": called,
        "as_many_bytes_ms": bare,
        "bytes": bytes,
    })
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[CALLS / 2]
}
