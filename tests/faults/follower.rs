//! A subscriber that goes on with its newest token whenever its server is gone.

use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::proto::api::{SubscribeRequest, SubscribeResponse};
use tonic::Status;
use tonic::transport::Channel;

use super::WORKSPACE;

/// What a subscriber has seen so far, over all of its connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Follower {
    /// Empty: from the beginning.
    token: String,
    /// Revision and leaf of every commit, in the order they came.
    pub(crate) seen: Vec<(i64, Vec<u8>)>,
}

impl Follower {
    /// Follows until `last` was seen, or until the server is gone.
    ///
    /// # Errors
    /// The server refused the token, or ended the stream on its own before `last`.
    pub(crate) async fn follow(&mut self, channel: &Channel, last: i64) -> Result<(), Status> {
        let start = if self.token.is_empty() {
            Start::FromBeginning(())
        } else {
            Start::After(self.token.clone())
        };
        let request = SubscribeRequest {
            parent: WORKSPACE.to_owned(),
            start: Some(start),
            ..SubscribeRequest::default()
        };
        let mut stream = ProgressServiceClient::new(channel.clone())
            .subscribe(request)
            .await?
            .into_inner();
        while self.seen.last().is_none_or(|(revision, _)| *revision < last) {
            let Some(message) = stream.message().await? else {
                return Err(Status::aborted("the stream ended"));
            };
            self.take(message);
        }
        Ok(())
    }

    fn take(&mut self, message: SubscribeResponse) {
        // A part of a large commit has no token: the commit counts when its last part is there.
        if message.resume_token.is_empty() {
            return;
        }
        self.token = message.resume_token;
        if let Some(Event::Update(update)) = message.event {
            let commit = update.commit.unwrap_or_default();
            self.seen.push((commit.revision, commit.leaf_hash));
        }
    }
}
