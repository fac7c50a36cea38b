//! Calls a second and their latency at 1, 16, 64 and 256 in flight: RecordMeasurement and the echo in turn.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use hdrhistogram::Histogram;
use serde_json::json;
use tonic::transport::Channel;

use crate::common::server::Server;
use crate::common::{Scale, kpi, median, micros, prepare};
use crate::report::Report;

/// In flight, and over how many connections.
const LEVELS: [(usize, usize); 4] = [(1, 1), (16, 2), (64, 4), (256, 8)];
/// Echo and record in turn, so often; the medians are reported.
const ROUNDS: usize = 3;

struct Round {
    calls_per_s: f64,
    p50_us: f64,
    p99_us: f64,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Server {
    fn echo() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--echo-server", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the echo");
        let mut address = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        out.read_line(&mut address).expect("its address");
        Self {
            child,
            address: address.trim().to_owned(),
            replayed: json!(null),
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address))
            .expect("a URI")
            .tcp_nodelay(true)
            .connect()
            .await
            .expect("a connection")
    }
}

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    let fdatasync_p50_us = fdatasync_p50_us(dir, scale);
    report.set("fdatasync_p50_us", json!(fdatasync_p50_us));
    println!("append 200 bytes + fdatasync: p50 {fdatasync_p50_us:.0} µs\n");
    println!("in flight  connections   echo/s  p50 µs  p99 µs   record/s  p50 µs  p99 µs   record ÷ echo");
    let echo = Server::echo();
    let server = Server::start(&dir.join("load"));
    prepare(&server.channel().await, 1).await;
    let mut levels = Vec::new();
    for (in_flight, connections) in LEVELS {
        let (mut echoes, mut records) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            echoes.push(round(&echo, in_flight, connections, scale.seconds(3.0)).await);
            records.push(round(&server, in_flight, connections, scale.seconds(3.0)).await);
        }
        let ratios = echoes.iter().zip(&records);
        let ratio = median(ratios.map(|(e, r)| r.calls_per_s / e.calls_per_s).collect());
        let (echo, record) = (middle(&echoes), middle(&records));
        println!(
            "{in_flight:>9} {connections:>12} {:>8.0} {:>7.0} {:>7.0} {:>10.0} {:>7.0} {:>7.0} {ratio:>15.2}",
            echo.calls_per_s, echo.p50_us, echo.p99_us, record.calls_per_s, record.p50_us, record.p99_us
        );
        if in_flight == 1 {
            let bound_us = 1.5 * (echo.p50_us + 2.0 * fdatasync_p50_us);
            report.set(
                "alone_p50_us",
                json!({ "record": record.p50_us, "bound": bound_us }),
            );
        }
        levels.push(json!({
            "in_flight": in_flight,
            "connections": connections,
            "echo": { "calls_per_s": echo.calls_per_s, "p50_us": echo.p50_us, "p99_us": echo.p99_us },
            "record": { "calls_per_s": record.calls_per_s, "p50_us": record.p50_us, "p99_us": record.p99_us },
            "record_to_echo": ratio,
        }));
    }
    report.set("levels", json!(levels));
    let alone = report.get("alone_p50_us");
    println!(
        "\nalone: p50 {:.0} µs; 1.5 × (echo + 2 × fdatasync) = {:.0} µs\n",
        alone["record"], alone["bound"]
    );
}

/// A measurement that nobody has recorded yet.
pub(crate) fn new_measurement(kpi: &str) -> api::Measurement {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let seconds = 1_600_000_000 + i64::try_from(number / 1000).expect("a time");
    let nanos = i32::try_from(number % 1000).expect("a part") * 1_000_000;
    api::Measurement {
        kpi: kpi.to_owned(),
        effective_time: Some(prost_types::Timestamp { seconds, nanos }),
        value: Some(number as f64),
        ..Default::default()
    }
}

async fn round(server: &Server, in_flight: usize, connections: usize, time: Duration) -> Round {
    let mut channels = Vec::new();
    for _ in 0..connections {
        channels.push(server.channel().await);
    }
    let started = Instant::now();
    let end = started + time;
    let callers: Vec<_> = (0..in_flight)
        .map(|index| {
            let client = KpiServiceClient::new(channels[index % connections].clone());
            tokio::spawn(call_until(end, client))
        })
        .collect();
    let mut latencies = Histogram::<u64>::new(3).expect("a histogram");
    for caller in callers {
        latencies.add(caller.await.expect("a caller")).expect("latencies");
    }
    let seconds = started.elapsed().as_secs_f64();
    Round {
        calls_per_s: latencies.len() as f64 / seconds,
        p50_us: latencies.value_at_quantile(0.5) as f64,
        p99_us: latencies.value_at_quantile(0.99) as f64,
    }
}

async fn call_until(end: Instant, mut client: KpiServiceClient<Channel>) -> Histogram<u64> {
    let mut latencies = Histogram::new(3).expect("a histogram");
    loop {
        let started = Instant::now();
        if started >= end {
            return latencies;
        }
        let request = api::RecordMeasurementRequest {
            parent: kpi(0),
            measurement: Some(new_measurement("")),
            ..Default::default()
        };
        client.record_measurement(request).await.expect("an answer");
        latencies.record(micros(started.elapsed())).expect("a latency");
    }
}

fn fdatasync_p50_us(dir: &Path, scale: Scale) -> f64 {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("appended"))
        .expect("a file");
    let mut latencies = Histogram::<u64>::new(3).expect("a histogram");
    let end = Instant::now() + scale.seconds(3.0);
    while Instant::now() < end {
        let started = Instant::now();
        file.write_all(&[7; 200]).expect("an append");
        file.sync_data().expect("fdatasync");
        latencies.record(micros(started.elapsed())).expect("a latency");
    }
    latencies.value_at_quantile(0.5) as f64
}

/// The round of the median rate.
fn middle(rounds: &[Round]) -> &Round {
    let mut by_rate: Vec<&Round> = rounds.iter().collect();
    by_rate.sort_by(|a, b| a.calls_per_s.total_cmp(&b.calls_per_s));
    by_rate[by_rate.len() / 2]
}

/// Records batches of 1,000 with so many calls in flight, and answers how long it took.
pub(crate) async fn record_batches(server: &Server, batches: u64, kpis: u64, in_flight: usize) -> Duration {
    let channel = server.channel().await;
    let left = Arc::new(AtomicU64::new(batches));
    let started = Instant::now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (left, mut client) = (Arc::clone(&left), KpiServiceClient::new(channel.clone()));
            tokio::spawn(async move {
                while let Ok(batch) =
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                {
                    let request = api::BatchRecordMeasurementsRequest {
                        measurements: (0..1000).map(|_| new_measurement("")).collect(),
                        parent: kpi(batch % kpis),
                        ..Default::default()
                    };
                    client
                        .batch_record_measurements(request)
                        .await
                        .expect("an answer");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
    started.elapsed()
}

/// Records single measurements with so many calls in flight.
pub(crate) async fn record_singles(server: &Server, count: u64, in_flight: u64) {
    let channel = server.channel().await;
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let mut client = KpiServiceClient::new(channel.clone());
            tokio::spawn(async move {
                for _ in 0..count / in_flight {
                    let request = api::RecordMeasurementRequest {
                        parent: kpi(0),
                        measurement: Some(new_measurement("")),
                        ..Default::default()
                    };
                    client.record_measurement(request).await.expect("an answer");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
}
