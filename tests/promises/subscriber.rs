//! A subscriber that comes back with its newest token whenever its stream has ended, and keeps only what came with one.

use std::collections::BTreeMap;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::history::{Connection, History, Said};
use crate::kind::Kind;
use crate::picture::{Picture, enter, take};

/// Upper bound of every wait: a test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The largest message that these clients take.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber {
    pub(crate) kind: Kind,
    /// The newest one, and the revision that it stands at.
    token: Option<(String, i64)>,
    pub(crate) history: History,
    /// What it has before it; none: it began in the middle.
    pub(crate) picture: Option<Picture>,
    /// What came behind the newest token.
    pending: Vec<api::SubscribeResponse>,
}

/// A connection of its own, with the windows of HTTP/2 as large as said; none: as clients have them.
pub(crate) async fn connect(address: &str, window: Option<u32>) -> Result<Channel, Status> {
    let unavailable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    Endpoint::from_shared(format!("http://{address}"))
        .map_err(unavailable)?
        .initial_stream_window_size(window)
        .initial_connection_window_size(window)
        .connect()
        .await
        .map_err(unavailable)
}

/// The call, made on a connection.
pub(crate) async fn subscribe(
    channel: &Channel,
    request: api::SubscribeRequest,
) -> Result<Streaming<api::SubscribeResponse>, Status> {
    let mut client = ProgressServiceClient::new(channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let answered = tokio::time::timeout(PATIENCE, client.subscribe(request)).await;
    Ok(answered.expect("an answer in time")?.into_inner())
}

/// The next message. Waiting for one that does not come is a failure, not a hang.
pub(crate) async fn next(
    stream: &mut Streaming<api::SubscribeResponse>,
) -> Result<Option<api::SubscribeResponse>, Status> {
    tokio::time::timeout(PATIENCE, stream.message())
        .await
        .expect("a message in time")
}

impl Subscriber {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            token: None,
            history: History {
                kind: kind.name,
                connections: Vec::new(),
            },
            picture: kind.folds.then(BTreeMap::new),
            pending: Vec::new(),
        }
    }

    /// One that has only this token.
    pub(crate) fn resuming(kind: Kind, token: String, revision: i64) -> Self {
        Self {
            token: Some((token, revision)),
            picture: None,
            ..Self::of(kind)
        }
    }

    /// The revision that it has come to for certain.
    pub(crate) fn position(&self) -> i64 {
        self.token.as_ref().map_or(-1, |(_, revision)| *revision)
    }

    /// Where it goes on; none: at its beginning.
    pub(crate) fn start(&self) -> Option<Start> {
        self.token.as_ref().map(|(token, _)| Start::After(token.clone()))
    }

    /// Subscribes where it stands.
    pub(crate) async fn subscribe(
        &mut self,
        channel: &Channel,
    ) -> Result<Streaming<api::SubscribeResponse>, Status> {
        if self.kind.begins_after_a_token() && self.token.is_none() {
            self.token = Some(newest_token(channel, &self.kind).await?);
        }
        let stream = subscribe(channel, self.kind.request(self.start())).await?;
        self.lose();
        self.history.connections.push(Connection {
            after: self.token.as_ref().map(|(_, revision)| *revision),
            ..Connection::default()
        });
        Ok(stream)
    }

    /// Takes the next message of a stream; `false`: it is over.
    pub(crate) async fn read(
        &mut self,
        stream: &mut Streaming<api::SubscribeResponse>,
    ) -> Result<bool, Status> {
        let Some(message) = next(stream).await? else {
            return Ok(false);
        };
        self.hear(message);
        Ok(true)
    }

    /// Reads until it has come to a revision.
    pub(crate) async fn follow_to(&mut self, channel: &Channel, revision: i64) -> Result<(), Status> {
        let mut stream = self.subscribe(channel).await?;
        while self.position() < revision {
            if !self.read(&mut stream).await? {
                return Err(Status::aborted("the stream ended"));
            }
        }
        Ok(())
    }

    /// Loses what came behind the newest token, as who is gone does.
    pub(crate) fn lose(&mut self) {
        let lost = std::mem::take(&mut self.pending);
        if let Some(connection) = self.history.connections.last_mut() {
            connection.lost.extend(lost.iter().map(Said::of));
        }
    }

    /// Takes a message; with a token it and all in front of it are kept.
    pub(crate) fn hear(&mut self, message: api::SubscribeResponse) {
        let token = message.resume_token.clone();
        self.pending.push(message);
        if token.is_empty() {
            return;
        }
        let messages = std::mem::take(&mut self.pending);
        if let Some(picture) = &mut self.picture {
            apply(picture, &messages);
        }
        let group: Vec<Said> = messages.iter().map(Said::of).collect();
        let revision = group.iter().rev().find_map(Said::revision);
        let revision = revision.unwrap_or_else(|| self.position().max(0));
        self.token = Some((token, revision));
        let connection = self.history.connections.last_mut().expect("a connection");
        connection.kept.push(group);
    }
}

fn apply(picture: &mut Picture, messages: &[api::SubscribeResponse]) {
    for message in messages {
        match message.event.as_ref().expect("a message says something") {
            Event::Snapshot(part) => part.resources.iter().for_each(|it| enter(picture, it)),
            Event::Update(update) => take(picture, update),
            _ => {}
        }
    }
}

/// The token of a stream that begins now, and the revision that it stands at.
async fn newest_token(channel: &Channel, kind: &Kind) -> Result<(String, i64), Status> {
    let mut stream = subscribe(channel, kind.request(Some(Start::Live(())))).await?;
    let first = next(&mut stream).await?.expect("a first message");
    match first.event {
        Some(Event::Started(started)) if !first.resume_token.is_empty() => {
            Ok((first.resume_token, started.head_revision))
        }
        other => panic!("a stream begins with {other:?}"),
    }
}
