//! A server with a million commits: measurements for a hundred KPIs one by one, and a KPI of a hundred measurements, scattered
//! evenly among them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use tonic::transport::Channel;

use crate::common::server::Server;
use crate::common::{Scale, WORKSPACE, kpi, prepare};

pub(crate) const KPIS: u64 = 100;
const COMMITS: u64 = 1_000_000;
/// How many measurements the rare KPI has.
pub(crate) const RARE: u32 = 100;
const IN_FLIGHT: usize = 256;
const CONNECTIONS: usize = 4;

pub(crate) struct Filled {
    pub(crate) server: Server,
    pub(crate) channel: Channel,
    /// The newest revision.
    pub(crate) head: i64,
    /// How long it took to record.
    pub(crate) seconds: f64,
    pub(crate) remark: String,
}

/// The KPI of few measurements.
pub(crate) fn rare() -> String {
    kpi(KPIS)
}

async fn connect(server: &Server) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).expect("a URI");
    endpoint.tcp_nodelay(true).connect().await.expect("a connection")
}

impl Filled {
    pub(crate) async fn new(data_dir: &Path, scale: Scale) -> Self {
        let server = Server::start(data_dir);
        let channel = connect(&server).await;
        prepare(&channel, KPIS + 1).await;
        let before = server.resident_bytes();
        let commits = scale.count(COMMITS);
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(connect(&server).await);
        }
        let took = record(&channels, commits).await;
        let resident = server.resident_bytes().saturating_sub(before) as f64 / commits as f64;
        let head = i64::try_from(1 + KPIS + 1 + commits).expect("a revision");
        Self {
            server,
            channel,
            head,
            seconds: took,
            remark: format!(
                "{commits} commits of one measurement each, recorded in {took:.1} s; {resident:.0} bytes resident a commit"
            ),
        }
    }
}

/// Records so many measurements over some connections, many at once, and answers how many seconds that takes.
pub(crate) async fn record(channels: &[Channel], commits: u64) -> f64 {
    let begun = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let every = (commits / u64::from(RARE)).max(1);
    let writers: Vec<_> = (0..IN_FLIGHT)
        .map(|writer| {
            let channel = channels[writer % channels.len()].clone();
            let next = Arc::clone(&next);
            tokio::spawn(async move { write(channel, &next, commits, every).await })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    begun.elapsed().as_secs_f64()
}

async fn write(channel: Channel, next: &AtomicU64, commits: u64, every: u64) {
    let mut kpis = KpiServiceClient::new(channel);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= commits {
            return;
        }
        let to = if number.is_multiple_of(every) && number / every < u64::from(RARE) {
            rare()
        } else {
            kpi(number % KPIS)
        };
        let request = api::RecordMeasurementRequest {
            parent: to,
            measurement: Some(api::Measurement {
                effective_time: Some(prost_types::Timestamp {
                    seconds: 1_600_000_000 + i64::try_from(number).expect("a time"),
                    nanos: 0,
                }),
                value: Some(number as f64),
                ..Default::default()
            }),
            ..Default::default()
        };
        kpis.record_measurement(request).await.expect(WORKSPACE);
    }
}
