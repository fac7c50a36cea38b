//! A server with a log in memory, one KPI of a million measurements, and a hundred with ten years of days.

use std::sync::Arc;

use binnacle::engine::{Engine, EngineConfig, SystemClock};
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::service::{BoundServer, ServerConfig};
use tonic::transport::Channel;

/// KPIs with ten years of daily values.
pub(crate) const KPIS: usize = 100;
/// Measurements of the long one.
pub(crate) const LONG: i64 = 1_000_000;

/// 2014-01-01.
const START_S: i64 = 1_388_534_400;
const DAYS: i64 = 3652;

pub(crate) async fn serve() -> (Engine, Channel, tokio::sync::oneshot::Sender<()>) {
    let clock = Arc::new(SystemClock::default());
    let engine =
        Engine::open(Arc::new(MemoryLog::new()), None, clock, EngineConfig::default()).expect("an engine");
    let address = "127.0.0.1:0".parse().expect("an address");
    let bound = BoundServer::bind(address, ServerConfig::default()).expect("a port");
    let address = bound.address();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = engine.clone();
    tokio::spawn(bound.serve(move || Ok(served), async move {
        let _gone = stopped.await;
    }));
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    let channel = loop {
        if let Ok(channel) = endpoint.connect().await {
            break channel;
        }
    };
    fill(&channel).await;
    (engine, channel, stop)
}

async fn fill(channel: &Channel) {
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
    record(channel, "long", LONG, |at| {
        (START_S + at * 60, (at % 1013) as f64)
    })
    .await;
    for kpi in 0..KPIS {
        record(channel, &format!("k{kpi}"), DAYS, |day| {
            (START_S + day * 86_400, day as f64)
        })
        .await;
    }
}

async fn record(channel: &Channel, id: &str, count: i64, point: impl Fn(i64) -> (i64, f64)) {
    let mut kpis = KpiServiceClient::new(channel.clone());
    let request = api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: id.to_owned(),
        kpi: Some(api::Kpi {
            title: id.to_owned(),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Daily.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    kpis.create_kpi(request).await.expect("a KPI");
    let all: Vec<i64> = (0..count).collect();
    for batch in all.chunks(1000) {
        let measurement = |at: &i64| {
            let (seconds, value) = point(*at);
            api::Measurement {
                effective_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
                value: Some(value),
                ..Default::default()
            }
        };
        let request = api::BatchRecordMeasurementsRequest {
            parent: format!("workspaces/acme/kpis/{id}"),
            measurements: batch.iter().map(measurement).collect(),
            ..Default::default()
        };
        kpis.batch_record_measurements(request).await.expect("recorded");
    }
}
