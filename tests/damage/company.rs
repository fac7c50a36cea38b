//! What is in the workspaces of these tests: a KPI that is measured, and who writes it.

use std::future::Future;
use std::sync::OnceLock;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::patience::in_time;

/// Waits for what is asked of a server.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().expect("a runtime"))
        .block_on(work)
}

/// A connection to a server that has said it listens.
pub(crate) async fn connect(url: &str) -> Channel {
    let endpoint = Channel::from_shared(url.to_owned()).expect("an address");
    endpoint.connect().await.expect("a connection")
}

/// Asks until the server has read its log.
pub(crate) async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let answer = async {
        loop {
            match ask().await {
                Err(status) if status.code() == Code::Unavailable => {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                answer => return answer,
            }
        }
    };
    in_time("a server that has read its log", answer).await
}

/// Waits until it answers.
pub(crate) async fn serves(url: &str) {
    let mut workspaces = WorkspaceServiceClient::new(connect(url).await);
    let listed = patiently(async || {
        workspaces
            .list_workspaces(api::ListWorkspacesRequest::default())
            .await
    });
    listed.await.expect("the workspaces");
}

/// A workspace with a KPI "load".
pub(crate) async fn furnish(url: &str, id: &str) {
    let channel = connect(url).await;
    let request = api::CreateWorkspaceRequest {
        workspace_id: id.to_owned(),
        workspace: Some(api::Workspace {
            title: id.to_owned(),
            time_zone: "UTC".into(),
            ..api::Workspace::default()
        }),
        ..api::CreateWorkspaceRequest::default()
    };
    let mut workspaces = WorkspaceServiceClient::new(channel.clone());
    let created = patiently(async || workspaces.create_workspace(request.clone()).await).await;
    created.expect("a workspace");
    let request = api::CreateKpiRequest {
        parent: format!("workspaces/{id}"),
        kpi_id: "load".into(),
        kpi: Some(api::Kpi {
            title: "Load".into(),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Irregular.into(),
            aggregation: api::Aggregation::Last.into(),
            ..api::Kpi::default()
        }),
        ..api::CreateKpiRequest::default()
    };
    let created = KpiServiceClient::new(channel).create_kpi(request).await;
    created.expect("a KPI");
}

pub(crate) fn measurement(source: &str, value: f64, note_chars: usize) -> api::Measurement {
    api::Measurement {
        value: Some(value),
        source_id: source.to_owned(),
        note: "n".repeat(note_chars),
        ..api::Measurement::default()
    }
}

/// A measurement under a request id of its own; answers the revision that made it durable.
pub(crate) async fn measure(channel: &Channel, workspace: &str, number: u32) -> Result<i64, Status> {
    let source = format!("{workspace}-{number}");
    let request = api::RecordMeasurementRequest {
        parent: format!("workspaces/{workspace}/kpis/load"),
        request_id: request_id(&source),
        measurement: Some(measurement(&source, f64::from(number), 0)),
        ..api::RecordMeasurementRequest::default()
    };
    let answer = KpiServiceClient::new(channel.clone())
        .record_measurement(request)
        .await?;
    Ok(answer.into_inner().revision)
}

pub(crate) async fn measure_all(url: &str, workspace: &str, numbers: std::ops::Range<u32>) {
    let channel = connect(url).await;
    for number in numbers {
        let measured = measure(&channel, workspace, number).await;
        measured.expect("a measurement");
    }
}

/// One commit of measurements with notes of these lengths.
pub(crate) async fn batch(url: &str, workspace: &str, name: &str, notes: &[usize]) -> i64 {
    let request = api::BatchRecordMeasurementsRequest {
        parent: format!("workspaces/{workspace}/kpis/load"),
        measurements: (0..)
            .zip(notes)
            .map(|(number, note_chars)| measurement(&format!("{name}-{number}"), 1.0, *note_chars))
            .collect(),
        ..api::BatchRecordMeasurementsRequest::default()
    };
    let answer = KpiServiceClient::new(connect(url).await)
        .batch_record_measurements(request)
        .await;
    answer.expect("a batch").into_inner().revision
}

/// A request's id, always the same for the same words.
pub(crate) fn request_id(words: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, words.as_bytes()).to_string()
}
