//! Writers that put a server under load and keep what it answered.
//!
//! Invariant: every measurement of a command has a source id of its own that begins with the command's name, and no
//! effective time is given: a command that ran twice would be stored twice, and shows.

use std::sync::Arc;

use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::{BatchRecordMeasurementsRequest, Measurement, RecordMeasurementRequest};
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{KPI, connect};

/// What a command looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// 1: RecordMeasurement; more: one batch.
    pub(crate) measurements: usize,
    /// The length of each measurement's note.
    pub(crate) note_chars: usize,
    pub(crate) with_request_id: bool,
}

/// One command that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// The revision that was answered; none: there was no answer, and whether it ran is unknown.
    pub(crate) answered: Option<i64>,
}

/// Load as it is to be put on a server.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: String,
    /// Begins the names of this load's commands.
    pub(crate) tag: String,
    pub(crate) writers: usize,
    /// After so many commands a writer stops by itself.
    pub(crate) commands_per_writer_max: usize,
    /// Each writer takes them in turn.
    pub(crate) shapes: &'static [Shape],
    /// Told of every command, answered or not, before its writer goes on.
    pub(crate) settled: Arc<dyn Fn(&Sent) + Send + Sync>,
}

impl Sent {
    fn new(name: String, shape: Shape) -> Self {
        Self {
            name,
            shape,
            answered: None,
        }
    }

    /// The source ids of its measurements.
    pub(crate) fn sources(&self) -> impl Iterator<Item = String> {
        (0..self.shape.measurements).map(|index| format!("{}/{index}", self.name))
    }

    /// The id that it was sent with, and that a retry has again; empty: none.
    pub(crate) fn request_id(&self) -> String {
        if self.shape.with_request_id {
            Uuid::new_v5(&Uuid::NAMESPACE_URL, self.name.as_bytes()).to_string()
        } else {
            String::new()
        }
    }

    /// Sends it, and answers the revision that the server says made it durable.
    pub(crate) async fn send(&self, client: &mut KpiServiceClient<Channel>) -> Result<i64, Status> {
        let mut measurements: Vec<_> = self
            .sources()
            .map(|source_id| Measurement {
                value: Some(1.0),
                note: format!("{source_id} ").repeat(self.shape.note_chars / (source_id.len() + 1)),
                source_id,
                ..Measurement::default()
            })
            .collect();
        let (parent, request_id) = (KPI.to_owned(), self.request_id());
        if self.shape.measurements == 1 {
            let request = RecordMeasurementRequest {
                parent,
                measurement: measurements.pop(),
                request_id,
                ..RecordMeasurementRequest::default()
            };
            return Ok(client.record_measurement(request).await?.into_inner().revision);
        }
        let request = BatchRecordMeasurementsRequest {
            parent,
            measurements,
            request_id,
            ..BatchRecordMeasurementsRequest::default()
        };
        Ok(client
            .batch_record_measurements(request)
            .await?
            .into_inner()
            .revision)
    }
}

impl Load {
    /// Runs until every writer has lost the server, or has sent all it may. Answers everything that was sent.
    ///
    /// # Panics
    /// The server refused a command: then the load proves nothing.
    pub(crate) async fn run(self) -> Vec<Sent> {
        let writers: Vec<_> = (0..self.writers)
            .map(|writer| tokio::spawn(self.clone().write(writer)))
            .collect();
        let mut sent = Vec::new();
        for writer in writers {
            sent.extend(writer.await.expect("a writer whose commands are not refused"));
        }
        sent
    }

    async fn write(self, writer: usize) -> Vec<Sent> {
        let mut sent = Vec::new();
        // The server may be gone before the last writer has found it.
        let Ok(channel) = connect(&self.address).await else {
            return sent;
        };
        let mut client = KpiServiceClient::new(channel);
        for number in 0..self.commands_per_writer_max {
            let shape = self.shapes[(writer + number) % self.shapes.len()];
            let mut command = Sent::new(format!("{}-{writer}-{number}", self.tag), shape);
            let answer = command.send(&mut client).await;
            if let Err(status) = &answer {
                assert!(is_loss(status), "{} was refused: {status}", command.name);
            }
            command.answered = answer.ok();
            (self.settled)(&command);
            let lost = command.answered.is_none();
            sent.push(command);
            if lost {
                break;
            }
        }
        sent
    }
}

/// Whether a call ended because the server did, and not because the server refused it.
fn is_loss(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal
    )
}

/// Sends every command that has a request id once more, word for word, and answers what is now known of all.
pub(crate) async fn retry(sent: &[Sent], channel: &Channel) -> Result<Vec<Sent>, Status> {
    let mut client = KpiServiceClient::new(channel.clone());
    let mut again = Vec::with_capacity(sent.len());
    for command in sent {
        let mut command = command.clone();
        if command.shape.with_request_id {
            command.answered = Some(command.send(&mut client).await?);
        }
        again.push(command);
    }
    Ok(again)
}
