//! A subscription that comes back by itself: it opens the stream, gives on what is whole, and resumes with the newest
//! token when the way breaks.
//!
//! Invariant: over any number of connections every revision is given on once and in order, from the first message on.
//! What it deliberately does not know: what is shown, and to whom.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Status, Streaming};

use super::parts::Parts;
use super::patience::{Patience, asked, chance, is_said_by_the_service, may_pass, reason};
use crate::cli::connection::Channel;
use crate::cli::connection::request;
use crate::cli::words::failure;
use crate::cli::{Failure, FailureKind};
use crate::proto::api;
use crate::proto::api::progress_service_client::ProgressServiceClient;
use crate::proto::api::subscribe_request::Start;
use crate::proto::api::subscribe_response::Event;

/// What a subscription gives on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// One message, or all messages of one commit.
    Messages(Vec<api::SubscribeResponse>),
    /// The stream is gone, and will be asked for again.
    Lost {
        /// Why, for a person.
        why: String,
        /// How long it waits before it asks again.
        pause: Duration,
        /// Everything up to this revision was given on.
        reached: i64,
    },
}

/// One stream over any number of connections.
pub(super) struct Subscription {
    client: ProgressServiceClient<Channel>,
    actor: Option<MetadataValue<Ascii>>,
    /// As it was asked first.
    request: api::SubscribeRequest,
    parts: Parts,
    patience: Patience,
    way: Way,
    /// Some message has come.
    is_known: bool,
    /// The server has said that it stops.
    is_leaving: bool,
}

enum Way {
    Closed,
    Waiting(Instant),
    Open(Box<Streaming<api::SubscribeResponse>>),
}

/// Within how long everybody comes back to a server that stops in good order.
const LEAVING_SPREAD: Duration = Duration::from_secs(1);

impl Subscription {
    pub(super) fn new(
        channel: Channel,
        actor: Option<MetadataValue<Ascii>>,
        request: api::SubscribeRequest,
    ) -> Self {
        Self {
            client: ProgressServiceClient::new(channel),
            actor,
            request,
            parts: Parts::default(),
            patience: Patience::default(),
            way: Way::Closed,
            is_known: false,
            is_leaving: false,
        }
    }

    /// What comes next. It waits for ever.
    ///
    /// # Errors
    /// The server refuses what asking again does not change, or has broken the stream's promise.
    pub(super) async fn next(&mut self) -> Result<Step, Failure> {
        loop {
            match &mut self.way {
                Way::Waiting(until) => {
                    tokio::time::sleep_until(*until).await;
                    self.way = Way::Closed;
                }
                Way::Closed => match self.open().await {
                    Ok(stream) => self.way = Way::Open(Box::new(stream)),
                    Err(status) => return self.lost(Some(&status)),
                },
                Way::Open(stream) => match stream.message().await {
                    Ok(Some(message)) => {
                        let whole = self.take(message)?;
                        if !whole.is_empty() {
                            return Ok(Step::Messages(whole));
                        }
                    }
                    Ok(None) => return self.lost(None),
                    Err(status) => return self.lost(Some(&status)),
                },
            }
        }
    }

    async fn open(&mut self) -> Result<Streaming<api::SubscribeResponse>, Status> {
        let mut message = self.request.clone();
        if let Some(token) = self.parts.token() {
            message.start = Some(Start::After(token.to_owned()));
        }
        let answer = self.client.subscribe(request(message, self.actor.as_ref()));
        Ok(answer.await?.into_inner())
    }

    fn take(&mut self, message: api::SubscribeResponse) -> Result<Vec<api::SubscribeResponse>, Failure> {
        self.is_known = true;
        match &message.event {
            Some(Event::GoingAway(_)) => self.is_leaving = true,
            // A server that only ever begins is not there.
            Some(Event::Started(_) | Event::Snapshot(_)) | None => {}
            Some(_) => self.patience.rewarded(),
        }
        self.parts.take(message).map_err(|sentence| {
            let sentence = format!(
                "the server does not keep the order of the stream, which is a bug; report it: {sentence}"
            );
            Failure::new(FailureKind::Failed, sentence)
        })
    }

    /// The way is broken; none: the stream ended in good order.
    fn lost(&mut self, status: Option<&Status>) -> Result<Step, Failure> {
        if let Some(status) = status
            && !may_pass(status, self.is_known)
        {
            return Err(self.refused(status));
        }
        self.parts.lost();
        let why = match status {
            _ if self.is_leaving => "the server is stopping".to_owned(),
            None => "the server has ended the stream".to_owned(),
            Some(status) if is_said_by_the_service(status) => status.message().to_owned(),
            Some(_) => "the connection to the server is lost".to_owned(),
        };
        let mut pause = self.patience.pause(status.and_then(asked), chance());
        if std::mem::take(&mut self.is_leaving) {
            pause = pause.max(LEAVING_SPREAD.mul_f64(chance()));
        }
        self.way = Way::Waiting(Instant::now() + pause);
        Ok(Step::Lost {
            why,
            pause,
            reached: self.parts.reached(),
        })
    }

    /// A refusal, and what to do about it where the server cannot know.
    fn refused(&self, status: &Status) -> Failure {
        let hint = match reason(status).as_deref() {
            Some("FILTER_MISMATCH") => {
                "give the same options as where the token comes from, or leave out --after"
            }
            Some("LOG_MISMATCH" | "POSITION_IN_FUTURE") if self.is_known => {
                "what was shown is not the server's history any more: start it again"
            }
            Some("LOG_MISMATCH" | "POSITION_IN_FUTURE") => "leave out --after, or begin with --snapshot",
            _ if self.is_known => "nothing more is shown",
            _ => "nothing is shown",
        };
        failure(status, hint)
    }
}
