//! A client of a stream of rows, and what a KPI's series and the log hold afterwards.

use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::common::{acme, all_events, time};

/// A test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An open stream.
pub(crate) struct Rows {
    messages: Option<mpsc::Sender<api::IngestMeasurementsRequest>>,
    pub(crate) answers: Streaming<api::IngestMeasurementsResponse>,
    /// The answer before.
    pub(crate) told: api::IngestMeasurementsResponse,
    /// Every refusal that was named.
    pub(crate) refusals: Vec<api::RowRefusal>,
}

impl Rows {
    pub(crate) async fn open(client: KpiServiceClient<Channel>) -> Self {
        Self::try_open(client).await.expect("a stream")
    }

    pub(crate) async fn try_open(client: KpiServiceClient<Channel>) -> Result<Self, Status> {
        Self::ask(client, |_| {}).await
    }

    /// Opens a stream whose request is changed first.
    pub(crate) async fn ask(
        mut client: KpiServiceClient<Channel>,
        change: impl FnOnce(&mut Request<ReceiverStream<api::IngestMeasurementsRequest>>),
    ) -> Result<Self, Status> {
        let (messages, to_send) = mpsc::channel(1);
        let mut request = Request::new(ReceiverStream::new(to_send));
        change(&mut request);
        let answers = client.ingest_measurements(request).await?.into_inner();
        Ok(Self {
            messages: Some(messages),
            answers,
            told: api::IngestMeasurementsResponse::default(),
            refusals: Vec::new(),
        })
    }

    /// Hands a message over; a stream that has ended takes none.
    pub(crate) async fn send(&self, message: api::IngestMeasurementsRequest) {
        if let Some(messages) = &self.messages {
            let _ended = messages.send(message).await;
        }
    }

    /// No more messages.
    pub(crate) fn close(&mut self) {
        self.messages = None;
    }

    /// The next answer; none: the stream is over. What every answer promises is checked.
    pub(crate) async fn answer(&mut self) -> Result<Option<&api::IngestMeasurementsResponse>, Status> {
        let answer = tokio::time::timeout(PATIENCE, self.answers.message())
            .await
            .expect("an answer in time")?;
        let Some(answer) = answer else { return Ok(None) };
        assert!(answer.durable_through >= self.told.durable_through, "it fell");
        assert!(answer.revision >= self.told.revision);
        assert!(answer.refusals.len() <= 100);
        for refusal in &answer.refusals {
            assert!(refusal.sequence <= answer.durable_through);
            assert!(refusal.sequence > self.told.durable_through, "told too late");
        }
        self.refusals.extend(answer.refusals.iter().cloned());
        self.told = answer;
        Ok(Some(&self.told))
    }

    /// Reads until everything up to a sequence is durable or refused.
    pub(crate) async fn durable(&mut self, through: i64) -> &api::IngestMeasurementsResponse {
        while self.told.durable_through < through {
            self.answer()
                .await
                .expect("an answer")
                .expect("a stream that goes on");
        }
        &self.told
    }

    /// Reads to the end, and how it ends.
    pub(crate) async fn end(&mut self) -> Result<(), Status> {
        while self.answer().await?.is_some() {}
        Ok(())
    }

    /// Sends one message and its end, and reads to the end of the stream.
    pub(crate) async fn all(&mut self, message: api::IngestMeasurementsRequest) -> Result<(), Status> {
        self.send(message).await;
        self.close();
        self.end().await
    }
}

/// A first message to nps.
pub(crate) fn first(rows: Vec<api::MeasurementRow>) -> api::IngestMeasurementsRequest {
    api::IngestMeasurementsRequest {
        parent: acme("kpis/nps"),
        rows,
        ..Default::default()
    }
}

/// A later message.
pub(crate) fn more(rows: Vec<api::MeasurementRow>) -> api::IngestMeasurementsRequest {
    api::IngestMeasurementsRequest {
        rows,
        ..Default::default()
    }
}

/// A row at a second, which may be ahead of the start of the test by 5 minutes.
pub(crate) fn row(sequence: i64, second: i64, value: f64) -> api::MeasurementRow {
    api::MeasurementRow {
        sequence,
        measurement: Some(api::Measurement {
            effective_time: time(second),
            value: Some(value),
            ..Default::default()
        }),
    }
}

/// Row number `sequence` of many, each of an identity of its own.
pub(crate) fn own_row(sequence: i64) -> api::MeasurementRow {
    row(sequence, sequence - 1_000_000, sequence as f64)
}

/// Every second and value of nps, in order.
pub(crate) async fn series(mut client: KpiServiceClient<Channel>) -> Vec<(i64, f64)> {
    let mut request = api::ListMeasurementsRequest {
        parent: acme("kpis/nps"),
        page_size: 1000,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = client
            .list_measurements(request.clone())
            .await
            .unwrap()
            .into_inner();
        all.extend(page.measurements.iter().map(|measurement| {
            let at = measurement.effective_time.unwrap();
            (at.seconds - crate::common::START_S, measurement.value.unwrap())
        }));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

/// Every event of the log that is a recorded measurement.
pub(crate) async fn recordings(channel: &Channel) -> Vec<api::Event> {
    let mut events = all_events(channel).await.unwrap();
    events.retain(|event| event.r#type == "MeasurementRecorded");
    events
}
