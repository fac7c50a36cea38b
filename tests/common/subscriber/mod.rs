//! A subscriber that comes back with its newest token whenever its stream has ended, and keeps only what came with one: it
//! joins the messages up to a token, and takes them together or not at all.
//!
//! It judges nothing. What it was told is its `history`, and what must hold of that is in `promise`.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod history;
pub(crate) mod kind;
pub(crate) mod picture;
pub(crate) mod promise;
pub(crate) mod truth;

use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_response::Event;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::common::CLIENT_BYTES_MAX;
use history::{Connection, History, Said, What};
use kind::{Begins, Kind};
use picture::Picture;

/// Upper bound of every wait: a test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// One subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber {
    pub(crate) kind: Kind,
    /// The newest one, and the revision that it stands at.
    pub(crate) token: Option<(String, i64)>,
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
    let mut client = ProgressServiceClient::new(channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX);
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
            history: History::of(kind),
            picture: kind.is_folded().then(Picture::new),
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

    /// Whether it has yet to be given the token that it begins with.
    pub(crate) fn lacks_its_token(&self) -> bool {
        self.kind.begins == Begins::After && self.token.is_none()
    }

    /// Takes the token of a stream that begins now.
    pub(crate) async fn take_newest_token(&mut self, channel: &Channel) -> Result<(), Status> {
        let mut stream = subscribe(channel, self.kind.request(None)).await?;
        let first = next(&mut stream).await?.ok_or_else(the_stream_ended)?;
        match first.event {
            Some(Event::Started(started)) if !first.resume_token.is_empty() => {
                self.token = Some((first.resume_token, started.head_revision));
                Ok(())
            }
            other => panic!("a stream begins with {other:?}"),
        }
    }

    /// Subscribes where it stands.
    pub(crate) async fn subscribe(
        &mut self,
        channel: &Channel,
    ) -> Result<Streaming<api::SubscribeResponse>, Status> {
        if self.lacks_its_token() {
            self.take_newest_token(channel).await?;
        }
        let token = self.token.as_ref().map(|(token, _)| token.as_str());
        let stream = subscribe(channel, self.kind.request(token)).await?;
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
        self.read_to(&mut stream, revision).await
    }

    /// Reads a stream until it has come to a revision. A stream that stands still says so again and again: it is the whole that
    /// has to come in time.
    pub(crate) async fn read_to(
        &mut self,
        stream: &mut Streaming<api::SubscribeResponse>,
        revision: i64,
    ) -> Result<(), Status> {
        let reading = async {
            while self.position() < revision {
                if !self.read(stream).await? {
                    return Err(the_stream_ended());
                }
            }
            Ok(())
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.unwrap_or_else(|_elapsed| panic!("revision {revision} did not come in time"))
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
        let jump = self
            .picture
            .as_mut()
            .map(|picture| picture::take(picture, &messages));
        if let (Some(Err(jump)), None) = (jump, &self.history.jump) {
            self.history.jump = Some(jump);
        }
        let group: Vec<Said> = messages.iter().map(Said::of).collect();
        let connection = self.history.connections.last_mut().expect("a connection");
        if let (Begins::Live, None, What::Started(head)) = (self.kind.begins, &self.token, &group[0].what) {
            connection.after = Some(*head);
        }
        let stood = self.token.as_ref().map(|(_, revision)| *revision);
        let stood = stood.or(connection.after).unwrap_or(0);
        let stands = group.iter().rev().find_map(Said::revision).unwrap_or(stood);
        self.token = Some((token, stands));
        connection.kept.push(group);
    }
}

/// A stream ends of itself where the server stops.
fn the_stream_ended() -> Status {
    Status::unavailable("the stream ended")
}
