//! `CycleService`: the time boxes that objectives live in.

use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, NO_FILTERS, wire};
use super::{lists, names, to_proto};
use crate::domain::ResourceName;
use crate::proto::api;
use crate::proto::api::cycle_service_server::CycleService;

#[async_trait]
impl CycleService for Api {
    async fn create_cycle(
        &self,
        request: Request<api::CreateCycleRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        self.write_and_show(request).await
    }

    async fn get_cycle(
        &self,
        request: Request<api::GetCycleRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        let request = request.get_ref();
        let (workspace, cycle) = names::cycle("name", &request.name)?;
        self.get(&workspace, &ResourceName::Cycle(cycle), request.min_revision)
    }

    async fn list_cycles(
        &self,
        request: Request<api::ListCyclesRequest>,
    ) -> Result<Response<api::ListCyclesResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                Ok(lists::by_id(state.workspace().cycles(), after)
                    .take(count)
                    .map(|(id, cycle)| {
                        (
                            id.to_string(),
                            to_proto::cycle(&workspace, id, cycle, state.figures().cycle(id)),
                        )
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListCyclesResponse {
            cycles: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_cycle(
        &self,
        request: Request<api::UpdateCycleRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        self.write_and_show(request).await
    }

    async fn activate_cycle(
        &self,
        request: Request<api::ActivateCycleRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        self.write_and_show(request).await
    }
}
