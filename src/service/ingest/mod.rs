//! One client's stream of rows: rows in, commits to the engine, and how far everything is durable out.
//!
//! Invariants: commits are decided in the order of their rows and answered in that order. What a stream holds is bounded:
//! one message, the commit that is gathered, and what is on its way to the disk (`COMMITS_ON_THE_WAY_MAX`,
//! `BYTES_ON_THE_WAY_MAX`); beyond that it reads no further, and HTTP/2 makes the client wait. It runs only while its
//! answers are asked for, so a client that takes no answers is read no further either.
//!
//! It deliberately does not know which stream its client had before: rows that stand already record nothing.

mod gathered;
mod tally;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesOrdered, Stream, StreamExt};
use tokio::sync::watch;
use tonic::{Request, Status, Streaming};

use self::gathered::Gathered;
use self::tally::Tally;
use super::api::{Api, wire};
use super::caller::{Caller, Guard};
use super::from_proto::{Row, RowStream};
use super::load::Load;
use super::{lists, status, to_proto};
use crate::domain::{Command, Invalid, NewMeasurement, Origin, Rejection, Revision, Right};
use crate::engine::{self, Committed, Engine, Hosted, QueuedBatch, Refusal};
use crate::proto::api;

/// A stream of rows that is open.
pub(super) struct Ingest {
    engine: Engine,
    load: Arc<Load>,
    caller: Caller,
    origin: Origin,
    draining: watch::Receiver<bool>,
    inbound: Streaming<api::IngestMeasurementsRequest>,
    /// What the first message said; none: it has not come.
    begun: Option<Begun>,
    reading: Reading,
    /// What is left of the message that was read.
    message: Message,
    /// The row that begins the next commit, as it has another value for an identity of this one.
    held: Option<(i64, Row)>,
    last_sequence: i64,
    gathered: Gathered,
    entering: Option<Entering>,
    on_the_way: FuturesOrdered<BoxFuture<'static, Outcome>>,
    bytes_on_the_way: usize,
    tally: Tally,
    has_answered: bool,
}

/// What the first message said.
struct Begun {
    rows: RowStream,
    hosted: Arc<Hosted>,
    guard: Guard,
}

/// Whether more messages are read, and if not how the stream ends behind what was read.
enum Reading {
    On,
    Over(Result<(), Status>),
}

/// The rows of one message that were not looked at yet.
#[derive(Default)]
struct Message {
    rows: std::vec::IntoIter<api::MeasurementRow>,
    index: usize,
}

/// What a commit's answer is counted with.
struct Sent {
    through: i64,
    sequences: Vec<i64>,
    refused: Vec<api::RowRefusal>,
    bytes: usize,
}

/// A commit that waits for its place in the engine's queue.
type Entering = BoxFuture<'static, (Sent, Result<QueuedBatch, Refusal>)>;

/// What became of a commit; none: there was nothing to record in it.
type Outcome = (Sent, Result<Option<Committed>, Refusal>);

/// What happens next.
enum Next {
    Came(Result<Option<api::IngestMeasurementsRequest>, Status>),
    Entered(Sent, Result<QueuedBatch, Refusal>),
    Done(Outcome),
    Drains,
    Denied(Status),
    Paused,
}

const METHOD: &str = "binnacle.v1.KpiService/IngestMeasurements";
/// So many commits are on their way to the disk at once: enough to fill the next group while one is written.
const COMMITS_ON_THE_WAY_MAX: usize = 16;
/// What they take in memory, in bytes; the last one may go beyond it.
const BYTES_ON_THE_WAY_MAX: usize = 4 * gathered::BYTES_MAX;
/// The most rows of one message: decoded, an empty row takes a hundred times what it took on the wire.
const ROWS_PER_MESSAGE_MAX: usize = 10_000;

impl Ingest {
    /// Opens a stream. What is wrong with its messages is said by its answers.
    pub(super) fn begin(
        api: &Api,
        request: Request<Streaming<api::IngestMeasurementsRequest>>,
    ) -> Result<Self, Status> {
        let engine = api.engine()?.clone();
        let (metadata, extensions, inbound) = request.into_parts();
        Ok(Self {
            engine,
            load: Arc::clone(api.load()),
            caller: Caller::current()?,
            origin: api.origin_of_stream(&metadata, &extensions, METHOD)?,
            draining: api.draining(),
            inbound,
            begun: None,
            reading: Reading::On,
            message: Message::default(),
            held: None,
            last_sequence: 0,
            gathered: Gathered::default(),
            entering: None,
            on_the_way: FuturesOrdered::new(),
            bytes_on_the_way: 0,
            tally: Tally::default(),
            has_answered: false,
        })
    }

    /// The answers. They end with the first error.
    pub(super) fn answers(self) -> impl Stream<Item = Result<api::IngestMeasurementsResponse, Status>> {
        stream::unfold(Some(self), |ingest| async {
            let mut ingest = ingest?;
            match ingest.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(ingest))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    /// The next answer; none: the stream is over.
    async fn next(&mut self) -> Result<Option<api::IngestMeasurementsResponse>, Status> {
        loop {
            if let Some(answer) = self.tally.news() {
                self.has_answered = true;
                return Ok(Some(answer));
            }
            self.gather();
            if self.is_at_rest()
                && let Reading::Over(end) = &self.reading
            {
                // Who sent no row hears all the same that the stream was taken.
                if end.is_ok() && self.begun.is_some() && !self.has_answered {
                    self.has_answered = true;
                    return Ok(Some(self.tally.answer()));
                }
                return end.clone().map(|()| None);
            }
            match self.happens_next().await {
                Next::Came(message) => self.read(message),
                Next::Entered(sent, queued) => self.entered(sent, queued),
                Next::Done(outcome) => self.count(outcome)?,
                Next::Denied(status) => {
                    // Nothing more of theirs is recorded but what is on its way already.
                    self.message = Message::default();
                    self.held = None;
                    self.gathered = Gathered::default();
                    self.end(Err(status));
                }
                Next::Drains => self.end(Err(status::rows_ended(Refusal::Draining))),
                Next::Paused => self.send(),
            }
        }
    }

    /// Whether everything that was read is answered.
    fn is_at_rest(&self) -> bool {
        self.gathered.is_empty() && self.entering.is_none() && self.on_the_way.is_empty()
    }

    async fn happens_next(&mut self) -> Next {
        let reads = matches!(self.reading, Reading::On);
        let has_room = reads && self.held.is_none() && self.message.rows.len() == 0;
        let has_room = has_room && !self.gathered.is_full();
        let may_send = !self.gathered.is_empty()
            && self.entering.is_none()
            && self.on_the_way.len() < COMMITS_ON_THE_WAY_MAX
            && self.bytes_on_the_way < BYTES_ON_THE_WAY_MAX;
        tokio::select! {
            biased;
            Some(outcome) = self.on_the_way.next(), if !self.on_the_way.is_empty() => Next::Done(outcome),
            (sent, queued) = entered(&mut self.entering), if self.entering.is_some() => {
                self.entering = None;
                Next::Entered(sent, queued)
            }
            // A sender that is gone means that the server is ending as well.
            _ = self.draining.wait_for(|draining| *draining), if reads => Next::Drains,
            status = denied(&mut self.begun), if reads => Next::Denied(status),
            message = self.inbound.message(), if has_room => Next::Came(message),
            // Nothing more is there: what is gathered does not wait for what may never come.
            () = std::future::ready(()), if may_send => Next::Paused,
        }
    }

    /// Takes a message, or the end of them.
    fn read(&mut self, message: Result<Option<api::IngestMeasurementsRequest>, Status>) {
        match message {
            Ok(Some(message)) => match self.open(&message) {
                Ok(()) => {
                    self.message = Message {
                        rows: message.rows.into_iter(),
                        index: 0,
                    }
                }
                Err(status) => self.end(Err(status)),
            },
            Ok(None) => self.end(Ok(())),
            Err(status) => self.end(Err(status)),
        }
    }

    /// Looks at what a message says beside its rows.
    fn open(&mut self, message: &api::IngestMeasurementsRequest) -> Result<(), Status> {
        match &self.begun {
            Some(begun) => begun.rows.check_continued(message)?,
            None => self.open_first(message)?,
        }
        let count = message.rows.len();
        if count > ROWS_PER_MESSAGE_MAX {
            let sentence = format!(
                "there are {count}: send at most {ROWS_PER_MESSAGE_MAX} in a message, in as many as you like"
            );
            return Err(Invalid::new(sentence).at("rows").into());
        }
        Ok(())
    }

    fn open_first(&mut self, message: &api::IngestMeasurementsRequest) -> Result<(), Status> {
        let rows = RowStream::begin(message)?;
        let hosted = self.engine.hosted(&rows.workspace)?;
        // To who is no member it is not there; what a member may record is judged commit by commit.
        let guard = self.caller.clone().guard(&hosted, Right::Read);
        guard.judge()?;
        self.load.of_workspace(&rows.workspace)?;
        let published = self.engine.read(&rows.workspace, Revision::ZERO)?;
        let workspace = published.state.workspace();
        lists::workspace_found(workspace, false)?;
        // A stream to one KPI that takes nothing hears so once, not once a row.
        if let Some(kpi) = &rows.kpi
            && workspace.kpi(kpi)?.archived.is_some()
        {
            return Err(Rejection::KpiArchived(kpi.clone()).into());
        }
        self.origin.reason = rows.reason.clone();
        self.tally = Tally::at(wire(workspace.revision()));
        self.begun = Some(Begun { rows, hosted, guard });
        Ok(())
    }

    /// Moves rows of the message into the commit until one of them is exhausted.
    fn gather(&mut self) {
        let Some(begun) = &self.begun else { return };
        while !self.gathered.is_full() {
            let (sequence, row) = match self.held.take() {
                Some(held) => held,
                None => {
                    let Some(api::MeasurementRow {
                        sequence,
                        measurement,
                    }) = self.message.rows.next()
                    else {
                        return;
                    };
                    if sequence <= self.last_sequence {
                        let unordered = not_ascending(self.message.index, sequence, self.last_sequence);
                        self.message = Message::default();
                        return self.end(Err(unordered.into()));
                    }
                    self.message.index += 1;
                    self.last_sequence = sequence;
                    let start_of = |date| {
                        let published = begun.hosted.published();
                        published.state.workspace().rules().start_of(date)
                    };
                    match begun.rows.row(measurement.as_ref(), start_of) {
                        Ok(row) => (sequence, row),
                        Err(rejection) => {
                            self.gathered.refuse(sequence, &rejection);
                            continue;
                        }
                    }
                }
            };
            if let Err(row) = self.gathered.take(sequence, row) {
                self.held = Some((sequence, row));
                return;
            }
        }
    }

    /// Sends what is gathered on its way.
    fn send(&mut self) {
        let Some(begun) = &self.begun else { return };
        let Gathered {
            measurements,
            sequences,
            refused,
            through,
            bytes,
            ..
        } = std::mem::take(&mut self.gathered);
        let sent = Sent {
            through,
            sequences,
            refused,
            bytes,
        };
        self.bytes_on_the_way += bytes;
        if measurements.is_empty() {
            self.on_the_way
                .push_back(Box::pin(std::future::ready((sent, Ok(None)))));
            return;
        }
        let request = self.request(begun, measurements, bytes);
        let engine = self.engine.clone();
        self.entering = Some(Box::pin(async move { (sent, engine.queue_batch(request).await) }));
    }

    fn request(&self, begun: &Begun, measurements: Vec<NewMeasurement>, bytes: usize) -> engine::Request {
        engine::Request {
            workspace: begun.rows.workspace.clone(),
            command: Command::RecordMeasurements(measurements),
            origin: self.origin.clone(),
            size_bytes: bytes,
        }
    }

    /// A commit has its place in the queue, or will never have one.
    fn entered(&mut self, sent: Sent, queued: Result<QueuedBatch, Refusal>) {
        self.on_the_way.push_back(match queued {
            Ok(queued) => Box::pin(async move { (sent, queued.committed().await.map(Some)) }),
            Err(refusal) => Box::pin(std::future::ready((sent, Err(refusal)))),
        });
    }

    /// Counts a commit. One that failed ends the stream: nothing behind it may be called durable.
    fn count(&mut self, (sent, outcome): Outcome) -> Result<(), Status> {
        let committed = outcome.map_err(status::rows_ended)?;
        let Sent {
            through,
            sequences,
            mut refused,
            bytes,
        } = sent;
        self.bytes_on_the_way -= bytes;
        let by_engine = committed.iter().flat_map(|committed| &committed.refused);
        refused.extend(by_engine.filter_map(|(index, rejection)| {
            let sequence = *sequences.get(*index)?;
            Some(to_proto::row_refusal(sequence, rejection))
        }));
        refused.sort_unstable_by_key(|refusal| refusal.sequence);
        self.tally
            .count(through, sequences.len(), committed.as_ref(), refused);
        Ok(())
    }

    /// Reads no further. What was read is still made durable and answered; then the stream ends like this.
    fn end(&mut self, end: Result<(), Status>) {
        self.reading = Reading::Over(end);
    }
}

/// Waits until the caller may not go on; before the first message nobody has said with what.
async fn denied(begun: &mut Option<Begun>) -> Status {
    match begun {
        Some(begun) => begun.guard.denied().await,
        None => std::future::pending().await,
    }
}

/// The commit that waits for its place; there is one.
async fn entered(entering: &mut Option<Entering>) -> (Sent, Result<QueuedBatch, Refusal>) {
    match entering {
        Some(entering) => entering.await,
        None => std::future::pending().await,
    }
}

fn not_ascending(index: usize, sequence: i64, before: i64) -> Rejection {
    let sentence = match before {
        0 => format!("it is {sequence}: number rows from 1 up"),
        _ => format!("it is {sequence} and the one before was {before}: number rows so that they ascend"),
    };
    Rejection::invalid(format!("rows[{index}].sequence"), sentence)
}
