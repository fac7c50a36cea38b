//! `AuditService`: what happened, what was true when, and the proofs. One file a question.

use tonic::{Request, Response, Status, async_trait};

use super::api::Api;
use crate::proto::api;
use crate::proto::api::audit_service_server::AuditService;

mod attempts;
mod difference;
mod events;
mod export;
mod fields;
mod proofs;

#[async_trait]
impl AuditService for Api {
    type ExportEventsStream = export::Export;

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
        request: Request<api::GetCheckpointRequest>,
    ) -> Result<Response<api::SignedCheckpoint>, Status> {
        self.checkpoint(request).await
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<api::GetInclusionProofRequest>,
    ) -> Result<Response<api::InclusionProof>, Status> {
        self.inclusion_proof(request).await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<api::GetConsistencyProofRequest>,
    ) -> Result<Response<api::ConsistencyProof>, Status> {
        self.consistency_proof(request).await
    }

    async fn export_events(
        &self,
        request: Request<api::ExportEventsRequest>,
    ) -> Result<Response<Self::ExportEventsStream>, Status> {
        self.export(request).await
    }

    async fn list_attempts(
        &self,
        request: Request<api::ListAttemptsRequest>,
    ) -> Result<Response<api::ListAttemptsResponse>, Status> {
        self.attempts_page(request).await
    }
}
