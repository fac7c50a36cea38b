//! The client that docs/ingest.md shows: it delivers every row once, whatever breaks on the way.

use std::sync::Arc;
use std::time::Duration;

use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::{
    IngestMeasurementsRequest, IngestMeasurementsResponse, Measurement, MeasurementRow, RowRefusal,
};
use futures_util::stream;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// So many rows a message.
const ROWS: usize = 500;
/// So many tries in a row that bring nothing forward are enough.
const FRUITLESS_MAX: u32 = 10;

/// Delivers measurements in order, over as many connections as it takes. Their sequences are 1, 2, 3, …
pub(crate) async fn deliver(
    endpoint: &Endpoint,
    parent: &str,
    all: &Arc<[Measurement]>,
    mut refused: impl FnMut(RowRefusal),
) -> Result<(), Status> {
    let (mut durable_through, mut fruitless) = (0, 0);
    loop {
        let before = durable_through;
        let told = |answer: IngestMeasurementsResponse| {
            durable_through = answer.durable_through;
            answer.refusals.into_iter().for_each(&mut refused);
        };
        let Err(broken) = attempt(endpoint, parent, all, before, told).await else {
            return Ok(());
        };
        fruitless = if durable_through > before {
            0
        } else {
            fruitless + 1
        };
        if !may_pass(broken.code()) || fruitless == FRUITLESS_MAX {
            return Err(broken);
        }
        // Longer each time, and not all clients of a server that comes back at the same moment.
        let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        tokio::time::sleep(Duration::from_millis((50 << fruitless) + jitter)).await;
    }
}

/// One stream: sends what is behind `durable_through`, until the end or until something breaks.
pub(crate) async fn attempt(
    endpoint: &Endpoint,
    parent: &str,
    all: &Arc<[Measurement]>,
    durable_through: i64,
    mut told: impl FnMut(IngestMeasurementsResponse),
) -> Result<(), Status> {
    let unavailable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    let channel = endpoint.connect().await.map_err(unavailable)?;
    let (parent, all) = (parent.to_owned(), Arc::clone(all));
    let first = usize::try_from(durable_through).unwrap_or_default();
    // Made when the connection takes the next message: nothing is queued here, and a slow server slows this down.
    let messages = (first..all.len()).step_by(ROWS).map(move |from| {
        let part = all[from..].iter().take(ROWS).zip(from + 1..);
        let rows = part.map(|(measurement, number)| MeasurementRow {
            sequence: i64::try_from(number).unwrap_or(i64::MAX),
            measurement: Some(measurement.clone()),
        });
        IngestMeasurementsRequest {
            parent: parent.clone(),
            reason: String::new(),
            rows: rows.collect(),
        }
    });
    let mut client = KpiServiceClient::new(channel);
    let mut answers = client
        .ingest_measurements(stream::iter(messages))
        .await?
        .into_inner();
    // Answers are read while rows are sent: a client that does not read them is read no further either.
    while let Some(answer) = answers.message().await? {
        told(answer);
    }
    Ok(())
}

/// Whether the same rows may be welcome later. Whatever else the server says is about the rows or the request.
fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal | Code::ResourceExhausted
    )
}
