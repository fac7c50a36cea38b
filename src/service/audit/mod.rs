//! `AuditService`: what happened, what was true when, and the proofs. One file a question.

use tonic::{Request, Response, Status, async_trait};

use super::api::Api;
use crate::proto::api;
use crate::proto::api::audit_service_server::AuditService;

mod difference;
mod events;
mod fields;

#[async_trait]
impl AuditService for Api {
    type ExportEventsStream =
        std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<api::ExportEventsResponse, Status>> + Send>>;

    async fn list_events(
        &self,
        request: Request<api::ListEventsRequest>,
    ) -> Result<Response<api::ListEventsResponse>, Status> {
        self.events_page(request).await
    }

    async fn get_event(
        &self,
        request: Request<api::GetEventRequest>,
    ) -> Result<Response<api::Event>, Status> {
        self.one_event(request).await
    }

    async fn diff_states(
        &self,
        request: Request<api::DiffStatesRequest>,
    ) -> Result<Response<api::DiffStatesResponse>, Status> {
        self.differences_page(request).await
    }

    async fn get_checkpoint(
        &self,
        _: Request<api::GetCheckpointRequest>,
    ) -> Result<Response<api::SignedCheckpoint>, Status> {
        Err(Status::unimplemented("GetCheckpoint"))
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<api::GetInclusionProofRequest>,
    ) -> Result<Response<api::InclusionProof>, Status> {
        Err(Status::unimplemented("GetInclusionProof"))
    }

    async fn get_consistency_proof(
        &self,
        _: Request<api::GetConsistencyProofRequest>,
    ) -> Result<Response<api::ConsistencyProof>, Status> {
        Err(Status::unimplemented("GetConsistencyProof"))
    }

    async fn export_events(
        &self,
        _: Request<api::ExportEventsRequest>,
    ) -> Result<Response<Self::ExportEventsStream>, Status> {
        Err(Status::unimplemented("ExportEvents"))
    }

    async fn list_attempts(
        &self,
        _: Request<api::ListAttemptsRequest>,
    ) -> Result<Response<api::ListAttemptsResponse>, Status> {
        Err(Status::unimplemented("ListAttempts"))
    }
}
