//! A client that writes: it sends each command with a request id, again after every error and over as many connections as it
//! takes, until it has an answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::network::{connect, within};
use super::trace::Trace;
use crate::common::{acme, measure, new_check_in, new_objective};

/// One command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its reason in the log, and what its ids are made of.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a command does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    CheckIn(f64),
    Measure(f64),
    /// So many measurements with long notes: a commit that takes several messages.
    MeasureMuch(usize),
    CreateObjective(String),
    DeleteObjective(String),
}

/// A command that was answered, and every revision that it was answered with: one, unless something is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) answers: Vec<i64>,
}

/// A writer and what it does.
pub(crate) struct Writer {
    pub(crate) name: String,
    /// Each after a pause.
    pub(crate) commands: Vec<(Duration, Command)>,
    /// Whether a retry has the id of the first try, as it should.
    pub(crate) keeps_request_ids: bool,
    pub(crate) trace: Trace,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);
const NOTE_CHARS: usize = 9_000;

impl Writer {
    /// Sends everything, and notes what was answered.
    pub(crate) async fn run(self, answered: Rc<RefCell<Vec<Sent>>>) -> turmoil::Result {
        let mut connection = None;
        for (pause, command) in &self.commands {
            tokio::time::sleep(*pause).await;
            let revision = self.until_answered(command, &mut connection).await?;
            answered.borrow_mut().push(Sent {
                name: command.name.clone(),
                answers: vec![revision],
            });
        }
        Ok(())
    }

    /// Sends everything once more, when all is quiet: each is to be answered as it was.
    pub(crate) async fn ask_again(self, answered: Rc<RefCell<Vec<Sent>>>) -> turmoil::Result {
        let mut connection = None;
        for (_, command) in &self.commands {
            let revision = self.until_answered(command, &mut connection).await?;
            let mut answered = answered.borrow_mut();
            let sent = answered.iter_mut().find(|sent| sent.name == command.name);
            sent.expect("an answered command").answers.push(revision);
        }
        Ok(())
    }

    async fn until_answered(
        &self,
        command: &Command,
        connection: &mut Option<Channel>,
    ) -> Result<i64, Status> {
        for attempt in 0_u64.. {
            let request_id = match self.keeps_request_ids {
                true => request_id(&command.name),
                false => request_id(&format!("{} {attempt}", command.name)),
            };
            match self.attempt(command, request_id, connection).await {
                Ok(revision) => {
                    self.trace
                        .note(&self.name, format!("{} is at {revision}", command.name));
                    return Ok(revision);
                }
                // Whatever else the server says is about the command: it would say it again.
                Err(refused) if !may_pass(refused.code()) => return Err(refused),
                Err(lost) => {
                    self.trace
                        .note(&self.name, format!("{}: {:?}", command.name, lost.code()));
                    *connection = None;
                    tokio::time::sleep(Duration::from_millis(50 * (1 + attempt % 4))).await;
                }
            }
        }
        unreachable!("a writer does not give up")
    }

    async fn attempt(
        &self,
        command: &Command,
        request_id: String,
        connection: &mut Option<Channel>,
    ) -> Result<i64, Status> {
        let channel = match connection {
            Some(channel) => channel.clone(),
            None => connection.insert(connect().await?).clone(),
        };
        within(PATIENCE, send(command, request_id, channel)).await
    }
}

/// Sends a command and answers the revision that the server says made it durable.
async fn send(command: &Command, request_id: String, channel: Channel) -> Result<i64, Status> {
    let mut objectives = ObjectiveServiceClient::new(channel.clone());
    let mut kpis = KpiServiceClient::new(channel);
    let reason = command.name.clone();
    match &command.kind {
        Kind::CheckIn(value) => {
            let mut request = new_check_in("objectives/win/keyResults/deals", "", *value);
            (request.request_id, request.reason) = (request_id, reason);
            revision(&objectives.create_check_in(request).await?)
        }
        Kind::Measure(value) => {
            let mut request = measure("nps", 0, *value);
            let measurement = request.measurement.as_mut().expect("a measurement");
            measurement.effective_time = None;
            measurement.source_id = reason.clone();
            (request.request_id, request.reason) = (request_id, reason);
            revision(&kpis.record_measurement(request).await?)
        }
        Kind::MeasureMuch(count) => {
            let measurements = (0..*count).map(|index| api::Measurement {
                value: Some(40.0),
                source_id: format!("{reason}-{index}"),
                note: "n".repeat(NOTE_CHARS),
                ..Default::default()
            });
            let request = api::BatchRecordMeasurementsRequest {
                parent: acme("kpis/nps"),
                measurements: measurements.collect(),
                request_id,
                reason: reason.clone(),
            };
            revision(&kpis.batch_record_measurements(request).await?)
        }
        Kind::CreateObjective(id) => {
            let mut request = new_objective(id);
            (request.request_id, request.reason) = (request_id, reason);
            revision(&objectives.create_objective(request).await?)
        }
        Kind::DeleteObjective(id) => {
            let request = api::DeleteObjectiveRequest {
                name: acme(&format!("objectives/{id}")),
                request_id,
                reason,
                ..Default::default()
            };
            revision(&objectives.delete_objective(request).await?)
        }
    }
}

fn revision<T>(answer: &Response<T>) -> Result<i64, Status> {
    let revision = answer.metadata().get("binnacle-revision");
    let revision = revision.and_then(|revision| revision.to_str().ok()?.parse().ok());
    revision.ok_or_else(|| Status::data_loss("an answer without its revision"))
}

/// The id that a command is sent with.
pub(crate) fn request_id(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

/// Whether the same request may be welcome later.
pub(crate) fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal | Code::ResourceExhausted
    )
}
