//! The calls of the audit that a history is made of, sent until they are answered.

use tonic::metadata::{Ascii, MetadataValue};

use crate::cli::Failure;
use crate::cli::connection::Channel;
use crate::cli::connection::{self, patiently};
use crate::cli::words::failure;
use crate::proto::api;
use crate::proto::api::audit_service_client::AuditServiceClient;

/// A server's audit.
pub(super) struct Audit {
    client: AuditServiceClient<Channel>,
    actor: Option<MetadataValue<Ascii>>,
}

/// A page is of two megabytes, but a single commit may have more.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Audit {
    /// # Errors
    /// The address is none, or nothing answers there.
    pub(super) async fn open(server: &str, actor: Option<MetadataValue<Ascii>>) -> Result<Self, Failure> {
        let channel = connection::open(server).await?;
        let client = AuditServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { client, actor })
    }

    /// One page of events.
    ///
    /// # Errors
    /// It is refused, or there is no answer.
    pub(super) async fn events(
        &self,
        request: api::ListEventsRequest,
    ) -> Result<api::ListEventsResponse, Failure> {
        let answer = patiently(async || {
            let request = connection::request(request.clone(), self.actor.as_ref());
            self.client.clone().list_events(request).await
        });
        let answer = answer.await.map_err(|status| failure(&status, NOTHING_MORE))?;
        Ok(answer.into_inner())
    }

    /// One page of differences.
    ///
    /// # Errors
    /// It is refused, or there is no answer.
    pub(super) async fn differences(
        &self,
        request: api::DiffStatesRequest,
    ) -> Result<api::DiffStatesResponse, Failure> {
        let answer = patiently(async || {
            let request = connection::request(request.clone(), self.actor.as_ref());
            self.client.clone().diff_states(request).await
        });
        let answer = answer.await.map_err(|status| failure(&status, NOTHING_MORE))?;
        Ok(answer.into_inner())
    }
}

const NOTHING_MORE: &str = "nothing more is shown";
