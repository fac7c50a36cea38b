//! What it costs to ask a log of a million one-event commits for some of them, through the real server on loopback and a store
//! on disk, and what recording and starting cost with the index.
//!
//! `cargo bench --bench events` prints a table and writes `target/bench/events.json`; `-- 100000` makes a smaller log. Machines
//! differ and are noisy: quote the ratios. What the index alone costs a commit, in time and bytes, is measured by
//! `cargo test --release --lib -- --ignored --nocapture what_a_million_commits_cost`.

#![allow(missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use binnacle::domain::{Command, Effective, Id, NewMeasurement, Origin, Timestamp, Value};
use binnacle::engine::{self, Engine, EngineConfig, SystemClock};
use binnacle::log::{EventLog, SledLog};
use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::service::{BoundServer, ServerConfig};
use serde_json::{Map, json};
use tonic::transport::Channel;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COMMITS: u64 = 1_000_000;
/// Measurements of each KPI.
const OF_A_KPI: u64 = 100;
/// Commands that wait for one another's write.
const AT_ONCE: usize = 2000;
const CALLS: usize = 200;
/// 2014-01-01.
const START_S: i64 = 1_388_534_400;

type Ask = fn(&mut api::ListEventsRequest);

fn main() {
    let commits = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(commits.unwrap_or(COMMITS)));
}

async fn measure(commits: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || -> Engine {
        let log: Arc<dyn EventLog> = Arc::new(SledLog::open(folder.path()).expect("a log"));
        Engine::open(
            log,
            None,
            Arc::new(SystemClock::default()),
            EngineConfig::default(),
        )
        .expect("an engine")
    };
    let mut report = Map::new();
    let engine = open();
    let (channel, stop) = serve(engine.clone()).await;
    let kpis = commits / OF_A_KPI;
    create(&channel, kpis).await;
    let began = Instant::now();
    record(&engine, commits, kpis).await;
    let took = began.elapsed().as_secs_f64();
    let us = took * 1e6 / commits as f64;
    println!(
        "recording: {:.0} commits a second, {us:.1} µs each",
        commits as f64 / took
    );
    report.insert("record_us".to_owned(), json!(us));

    println!("\n{:<58} {:>8} {:>10}", "ListEvents", "events", "median ms");
    let asks: [(&str, Ask); 7] = [
        ("a page of everything", |_| {}),
        ("one KPI", |it| {
            it.resource = "workspaces/acme/kpis/k77".to_owned()
        }),
        ("one KPI, newest first", |it| {
            it.resource = "workspaces/acme/kpis/k77".to_owned();
            it.newest_first = true;
        }),
        ("one KPI, one type, by one principal, in 700 days", |it| {
            it.resource = "workspaces/acme/kpis/k77".to_owned();
            it.types = vec!["MeasurementRecorded".to_owned()];
            it.principal = "binnacle".to_owned();
            it.effective_start_time = seconds(START_S + 86_400);
            it.effective_end_time = seconds(START_S + 700 * 86_400);
        }),
        ("one type, a page", |it| it.types = vec!["KpiCreated".to_owned()]),
        ("all types but the day's, all days but one, a page", |it| {
            it.types = vec!["MeasurementRecorded".to_owned(), "KpiCreated".to_owned()];
            it.effective_start_time = seconds(START_S + 86_400);
        }),
        ("a name that never was", |it| {
            it.resource = "workspaces/acme/kpis/never".to_owned()
        }),
    ];
    for (name, ask) in asks {
        let (took, events) = median(&channel, ask).await;
        println!("{name:<58} {events:>8} {:>10.2}", took.as_secs_f64() * 1e3);
        report.insert(
            name.to_owned(),
            json!({ "events": events, "ms": took.as_secs_f64() * 1e3 }),
        );
    }
    drop(channel);
    let _stopped = stop.send(());
    engine.close();
    drop(engine);
    let began = Instant::now();
    let again = loop {
        // The store is free when the server has let it go.
        match SledLog::open(folder.path()) {
            Ok(log) => break log,
            Err(_) if began.elapsed() < Duration::from_secs(30) => {
                tokio::time::sleep(Duration::from_millis(20)).await
            }
            Err(error) => panic!("the log does not open: {error}"),
        }
    };
    let began = Instant::now();
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::open(Arc::new(again), None, clock, EngineConfig::default()).expect("an engine");
    let took = began.elapsed().as_secs_f64();
    println!(
        "\nstarting: {took:.2} s for {} commits",
        engine.replayed().commits
    );
    report.insert("start_s".to_owned(), json!(took));
    std::fs::create_dir_all("target/bench").expect("a directory");
    let text = serde_json::to_string_pretty(&serde_json::Value::Object(report)).expect("JSON");
    std::fs::write("target/bench/events.json", text).expect("the figures");
}

fn seconds(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

async fn serve(engine: Engine) -> (Channel, tokio::sync::oneshot::Sender<()>) {
    let address = "127.0.0.1:0".parse().expect("an address");
    let bound = BoundServer::bind(address, ServerConfig::default()).expect("a port");
    let address = bound.address();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(bound.serve(move || Ok(engine), async move {
        let _gone = stopped.await;
    }));
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    loop {
        if let Ok(channel) = endpoint.connect().await {
            return (channel, stop);
        }
    }
}

async fn create(channel: &Channel, kpis: u64) {
    let mut workspaces = WorkspaceServiceClient::new(channel.clone());
    let request = || api::CreateWorkspaceRequest {
        workspace_id: "acme".to_owned(),
        workspace: Some(api::Workspace {
            title: "Acme".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    // Until the log is replayed nobody is served.
    while workspaces.create_workspace(request()).await.is_err() {
        tokio::task::yield_now().await;
    }
    let create = async |number: u64| {
        let request = api::CreateKpiRequest {
            parent: "workspaces/acme".to_owned(),
            kpi_id: format!("k{number}"),
            kpi: Some(api::Kpi {
                title: format!("KPI {number}"),
                direction: api::Direction::HigherIsBetter.into(),
                cadence: api::Cadence::Daily.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        KpiServiceClient::new(channel.clone())
            .create_kpi(request)
            .await
            .expect("a KPI");
    };
    for first in (0..kpis).step_by(100) {
        futures_util::future::join_all((first..(first + 100).min(kpis)).map(create)).await;
    }
}

/// A measurement a commit, over all KPIs in turn.
async fn record(engine: &Engine, commits: u64, kpis: u64) {
    let acme = Id::parse("acme").expect("an id");
    let numbers: Vec<u64> = (0..commits).collect();
    for some in numbers.chunks(AT_ONCE) {
        let requests = some.iter().map(|number| {
            let day = i64::try_from(number / kpis).expect("few days") * 7;
            let at = Timestamp::from_micros((START_S + day * 86_400) * 1_000_000);
            let measurement = NewMeasurement {
                kpi: Id::parse(&format!("k{}", number % kpis)).expect("an id"),
                effective: Effective::At(at),
                value: Value::parse(1.0).expect("a value"),
                source_id: "".into(),
                note: "".into(),
            };
            engine.execute(engine::Request {
                workspace: acme.clone(),
                command: Command::RecordMeasurements(vec![measurement]),
                origin: Origin::system("bench"),
                size_bytes: 100,
            })
        });
        for answer in futures_util::future::join_all(requests).await {
            answer.expect("recorded");
        }
    }
}

async fn median(channel: &Channel, ask: Ask) -> (Duration, usize) {
    let mut audit = AuditServiceClient::new(channel.clone());
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 200,
        ..Default::default()
    };
    ask(&mut request);
    let (mut took, mut events) = (Vec::with_capacity(CALLS), 0);
    for _ in 0..CALLS {
        let began = Instant::now();
        let page = audit
            .list_events(request.clone())
            .await
            .expect("a page")
            .into_inner();
        took.push(began.elapsed());
        events = page.events.len();
    }
    took.sort_unstable();
    (took[CALLS / 2], events)
}
