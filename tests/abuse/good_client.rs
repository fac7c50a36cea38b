//! A client that keeps to everything: it records a measurement, reads it back, and counts how long that took.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use hdrhistogram::Histogram;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The client.
pub(crate) struct GoodClient {
    endpoint: Endpoint,
    token: Option<MetadataValue<Ascii>>,
    /// Whether every round has a connection of its own.
    reconnects: bool,
}

/// How it was served.
pub(crate) struct Served {
    pub(crate) calls: u64,
    latency_us: Histogram<u64>,
}

/// A good client is not patient without end: who waits longer is not served.
const DEADLINE: Duration = Duration::from_secs(10);

impl GoodClient {
    pub(crate) fn new(endpoint: Endpoint, token: Option<&str>, reconnects: bool) -> Self {
        Self {
            endpoint: endpoint.connect_timeout(DEADLINE).timeout(DEADLINE),
            token: token.map(|token| format!("Bearer {token}").parse().expect("a token")),
            reconnects,
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    pub(crate) async fn connect(&self) -> Channel {
        self.endpoint.connect().await.expect("a good client is let in")
    }

    /// Makes the workspace and the KPI, as soon as the server serves.
    pub(crate) async fn prepare(&self) {
        let channel = self.connect().await;
        loop {
            let created = WorkspaceServiceClient::new(channel.clone())
                .create_workspace(self.request(api::CreateWorkspaceRequest {
                    workspace_id: "acme".to_owned(),
                    workspace: Some(api::Workspace {
                        title: "Acme".to_owned(),
                        time_zone: "UTC".to_owned(),
                        ..Default::default()
                    }),
                    ..Default::default()
                }))
                .await;
            match created {
                Ok(_) => break,
                Err(status) => assert_eq!(status.code(), tonic::Code::Unavailable, "{status}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.create_kpi(&channel, "nps", "").await;
    }

    /// KPIs of so many thousand bytes together.
    pub(crate) async fn make_large(&self, kilobytes: usize) {
        let (channel, description) = (self.connect().await, "d".repeat(10_000));
        for number in 0..kilobytes / 10 {
            self.create_kpi(&channel, &format!("large-{number}"), &description)
                .await;
        }
    }

    async fn create_kpi(&self, channel: &Channel, id: &str, description: &str) {
        let kpi = api::CreateKpiRequest {
            parent: "workspaces/acme".to_owned(),
            kpi_id: id.to_owned(),
            kpi: Some(api::Kpi {
                title: id.to_owned(),
                description: description.to_owned(),
                unit: Some(api::Unit {
                    kind: api::unit::Kind::Number.into(),
                    ..Default::default()
                }),
                direction: api::Direction::HigherIsBetter.into(),
                cadence: api::Cadence::Daily.into(),
                aggregation: api::Aggregation::Last.into(),
                category: api::kpi::Category::Operational.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut kpis = KpiServiceClient::new(channel.clone());
        let created = kpis.create_kpi(self.request(kpi)).await;
        created.expect("a KPI");
    }

    /// Calls until it is over, and at least once.
    pub(crate) async fn calls_until(&self, is_over: &AtomicBool) -> Served {
        let mut served = Served {
            calls: 0,
            latency_us: Histogram::new_with_bounds(1, 60_000_000, 3).expect("a histogram"),
        };
        let mut channel = self.connect().await;
        for value in 0_u32.. {
            if self.reconnects {
                channel = self.connect().await;
            }
            let began = Instant::now();
            let recorded = self
                .record(&channel, value)
                .await
                .expect("a good client is served");
            served.note(began.elapsed());
            let began = Instant::now();
            self.read(&channel, recorded.revision)
                .await
                .expect("a good client is served");
            served.note(began.elapsed());
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
        served
    }

    pub(crate) async fn record(&self, channel: &Channel, value: u32) -> Result<api::Measurement, Status> {
        let measurement = api::RecordMeasurementRequest {
            parent: "workspaces/acme/kpis/nps".to_owned(),
            measurement: Some(api::Measurement {
                value: Some(f64::from(value)),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut kpis = KpiServiceClient::new(channel.clone());
        kpis.record_measurement(self.request(measurement))
            .await
            .map(tonic::Response::into_inner)
    }

    /// What was answered is there.
    pub(crate) async fn read(&self, channel: &Channel, min_revision: i64) -> Result<api::Kpi, Status> {
        let request = api::GetKpiRequest {
            name: "workspaces/acme/kpis/nps".to_owned(),
            min_revision,
            ..Default::default()
        };
        let mut kpis = KpiServiceClient::new(channel.clone());
        kpis.get_kpi(self.request(request))
            .await
            .map(tonic::Response::into_inner)
    }
}

impl Served {
    fn note(&mut self, took: Duration) {
        self.calls += 1;
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency_us.saturating_record(microseconds);
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |quantile: f64| self.latency_us.value_at_quantile(quantile) as f64 / 1000.0;
        write!(
            f,
            "{} calls, p50 {:.2} p99 {:.2} max {:.2} ms",
            self.calls,
            ms(0.5),
            ms(0.99),
            self.latency_us.max() as f64 / 1000.0
        )
    }
}
