//! `ObjectiveService`: objectives, key results, initiatives, check-ins.

use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, NO_FILTERS, Written, wire};
use super::{lists, names, to_proto};
use crate::domain::{Id, KeyResultId, Rejection, ResourceName, Workspace};
use crate::proto::api;
use crate::proto::api::objective_service_server::ObjectiveService;

#[async_trait]
impl ObjectiveService for Api {
    async fn create_objective(
        &self,
        request: Request<api::CreateObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn get_objective(
        &self,
        request: Request<api::GetObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        let request = request.get_ref();
        let (workspace, objective) = names::objective("name", &request.name)?;
        self.get(
            &workspace,
            &ResourceName::Objective(objective),
            request.min_revision,
        )
    }

    async fn list_objectives(
        &self,
        request: Request<api::ListObjectivesRequest>,
    ) -> Result<Response<api::ListObjectivesResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                Ok(lists::by_id(state.workspace().objectives(), after)
                    .take(count)
                    .map(|(id, objective)| {
                        let progress = state.figures().objective(id);
                        (
                            id.to_string(),
                            to_proto::objective(&workspace, id, objective, progress),
                        )
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListObjectivesResponse {
            objectives: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_objective(
        &self,
        request: Request<api::UpdateObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn activate_objective(
        &self,
        request: Request<api::ActivateObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn create_key_result(
        &self,
        request: Request<api::CreateKeyResultRequest>,
    ) -> Result<Response<api::KeyResult>, Status> {
        self.write_and_show(request).await
    }

    async fn get_key_result(
        &self,
        request: Request<api::GetKeyResultRequest>,
    ) -> Result<Response<api::KeyResult>, Status> {
        let request = request.get_ref();
        let (workspace, key_result) = names::key_result("name", &request.name)?;
        self.get(
            &workspace,
            &ResourceName::KeyResult(key_result),
            request.min_revision,
        )
    }

    async fn list_key_results(
        &self,
        request: Request<api::ListKeyResultsRequest>,
    ) -> Result<Response<api::ListKeyResultsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, objective) = names::objective_or_all("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                exists(state.workspace(), objective.as_ref())?;
                Ok(lists::key_results(state.workspace(), objective.as_ref(), after)
                    .take(count)
                    .map(|(key, id, key_result)| {
                        let progress = state.figures().key_result(id);
                        (key, to_proto::key_result(&workspace, id, key_result, progress))
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListKeyResultsResponse {
            key_results: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_key_result(
        &self,
        request: Request<api::UpdateKeyResultRequest>,
    ) -> Result<Response<api::KeyResult>, Status> {
        self.write_and_show(request).await
    }

    async fn create_initiative(
        &self,
        request: Request<api::CreateInitiativeRequest>,
    ) -> Result<Response<api::Initiative>, Status> {
        self.write_and_show(request).await
    }

    async fn get_initiative(
        &self,
        request: Request<api::GetInitiativeRequest>,
    ) -> Result<Response<api::Initiative>, Status> {
        let request = request.get_ref();
        let (workspace, initiative) = names::initiative("name", &request.name)?;
        self.get(
            &workspace,
            &ResourceName::Initiative(initiative),
            request.min_revision,
        )
    }

    async fn list_initiatives(
        &self,
        request: Request<api::ListInitiativesRequest>,
    ) -> Result<Response<api::ListInitiativesResponse>, Status> {
        let request = request.get_ref();
        let (workspace, objective) = names::objective_or_all("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                exists(state.workspace(), objective.as_ref())?;
                Ok(lists::initiatives(state.workspace(), objective.as_ref(), after)
                    .take(count)
                    .map(|(key, id, initiative)| (key, to_proto::initiative(&workspace, id, initiative)))
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListInitiativesResponse {
            initiatives: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_initiative(
        &self,
        request: Request<api::UpdateInitiativeRequest>,
    ) -> Result<Response<api::Initiative>, Status> {
        self.write_and_show(request).await
    }

    async fn create_check_in(
        &self,
        request: Request<api::CreateCheckInRequest>,
    ) -> Result<Response<api::CheckIn>, Status> {
        let written = self.write(request).await?;
        let shown = check_in(&written)?;
        Ok(written.answer(shown))
    }

    async fn list_check_ins(
        &self,
        request: Request<api::ListCheckInsRequest>,
    ) -> Result<Response<api::ListCheckInsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, scope) = names::key_result_or_all("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                exists(state.workspace(), scope.objective.as_ref())?;
                if let (Some(objective), Some(id)) = (&scope.objective, &scope.key_result) {
                    let (objective, id) = (objective.clone(), id.clone());
                    state.workspace().key_result(&KeyResultId { objective, id })?;
                }
                Ok(lists::check_ins(state.workspace(), &scope, after)
                    .take(count)
                    .map(|(key, key_result, recorded)| {
                        (key, to_proto::check_in(&workspace, key_result, recorded))
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListCheckInsResponse {
            check_ins: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }
}

/// A list of an objective that is not there is no empty list.
fn exists(workspace: &Workspace, objective: Option<&Id>) -> Result<(), Rejection> {
    objective.map_or(Ok(()), |objective| workspace.objective(objective).map(|_| ()))
}

fn check_in(written: &Written) -> Result<api::CheckIn, Rejection> {
    let not_found = || Rejection::NotFound(written.resource.clone());
    let ResourceName::CheckIn(of, id) = &written.resource else {
        return Err(not_found());
    };
    let key_result = written.committed.state.workspace().key_result(of)?;
    let key = key_result.check_in_keys.get(id).ok_or_else(not_found)?;
    let recorded = key_result.check_ins.get(key).ok_or_else(not_found)?;
    Ok(to_proto::check_in(&written.workspace, of, recorded))
}
