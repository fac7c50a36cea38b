//! A stream is read no further than it holds: when the disk is slow, and when nobody takes its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use binnacle::engine::{EngineConfig, QueueLimits};
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::service::ServerConfig;
use futures_util::stream;
use tonic::Code;
use tonic::transport::Endpoint;

use crate::common::*;
use crate::gate::Gate;
use crate::rows::*;

/// Rows of about a kibibyte without end, a hundred a message, and how many of them were asked for.
fn endless(
    taken: &Arc<AtomicUsize>,
) -> impl futures_util::Stream<Item = binnacle::proto::api::IngestMeasurementsRequest> + use<> {
    let taken = Arc::clone(taken);
    stream::iter((0..).map(move |message: i64| {
        taken.fetch_add(100, Ordering::SeqCst);
        let rows = (1..=100).map(|index| {
            let mut row = own_row(message * 100 + index);
            row.measurement.as_mut().unwrap().note = "n".repeat(1000);
            row
        });
        first(rows.collect())
    }))
}

/// Waits until no more rows are taken, and answers how many were. Three looks in a row see the same: between two of them the
/// process may have had no turn.
async fn settled(taken: &AtomicUsize) -> usize {
    let (mut before, mut same) = (0, 0);
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = taken.load(Ordering::SeqCst);
        same = if now == before && now > 0 { same + 1 } else { 0 };
        if same == 2 {
            return now;
        }
        assert!(now < 400_000, "it is read without end");
        before = now;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_holds_still_a_stream_takes_a_bounded_number_of_rows_and_acknowledges_none() {
    let gate = Gate::default();
    let server = Server::with(gate.log(), EngineConfig::default(), ServerConfig::default()).await;
    with_kpi(&server).await;
    gate.close();
    let taken = Arc::new(AtomicUsize::new(0));
    let mut client = server.kpis();
    let mut answers = client
        .ingest_measurements(endless(&taken))
        .await
        .unwrap()
        .into_inner();
    gate.reached().await;
    let held = settled(&taken).await;
    // 4 MiB on the way, 1 gathered, and what HTTP/2 holds on both sides: far from everything.
    assert!(held <= 12_000, "{held} rows of 1 KiB were taken");
    let early = tokio::time::timeout(Duration::from_millis(200), answers.message()).await;
    assert!(early.is_err(), "acknowledged before it was durable: {early:?}");
    gate.open();
    while taken.load(Ordering::SeqCst) < held + 5000 {
        let answer = answers.message().await.unwrap().expect("a stream that goes on");
        assert_eq!(answer.recorded_count, answer.durable_through);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answers_is_read_no_further() {
    let server = Server::start().await;
    with_kpi(&server).await;
    // Room for a few answers.
    let channel = Endpoint::new(format!("http://{}", server.address))
        .unwrap()
        .initial_stream_window_size(100)
        .connect()
        .await
        .unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let mut client = KpiServiceClient::new(channel);
    let mut answers = client
        .ingest_measurements(endless(&taken))
        .await
        .unwrap()
        .into_inner();
    let held = settled(&taken).await;
    assert!(held <= 40_000, "{held} rows were taken and nobody heard of any");
    while taken.load(Ordering::SeqCst) < held + 5000 {
        answers.message().await.unwrap().expect("a stream that goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_waited_out() {
    let gate = Gate::default();
    let queue = QueueLimits {
        commands_max: 1,
        ..QueueLimits::default()
    };
    let config = EngineConfig {
        queue,
        ..EngineConfig::default()
    };
    let server = Server::with(gate.log(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    gate.close();
    let mut rows = Rows::open(server.kpis()).await;
    rows.send(first((1..=5500).map(own_row).collect())).await;
    gate.reached().await;
    let refused = server.kpis().record_measurement(measure("nps", 0, 1.0)).await;
    assert_eq!(Refused::of(&refused.unwrap_err()).code, Code::ResourceExhausted);
    gate.open();
    rows.close();
    rows.end().await.unwrap();
    assert_eq!(
        (rows.told.durable_through, rows.told.recorded_count),
        (5500, 5500)
    );
}
