//! `ObjectiveService`: objectives, key results, initiatives, check-ins.

use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, Written, wire};
use super::names::KeyResultScope;
use super::tree::{self, Shape};
use super::{lists, names, to_proto};
use crate::domain::{Event, Id, Invalid, KeyResultId, Rejection, ResourceName, Workspace};
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
        self.get(&workspace, &ResourceName::Objective(objective), request)
            .await
    }

    async fn list_objectives(
        &self,
        request: Request<api::ListObjectivesRequest>,
    ) -> Result<Response<api::ListObjectivesResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list_narrowed(
                request,
                &workspace,
                lists::no_parent,
                lists::objectives,
                |entry| to_proto::objective_of(&workspace, entry.state, entry.id, entry.it),
            )
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
        self.get(&workspace, &ResourceName::KeyResult(key_result), request)
            .await
    }

    async fn list_key_results(
        &self,
        request: Request<api::ListKeyResultsRequest>,
    ) -> Result<Response<api::ListKeyResultsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, objective) = names::objective_or_all("parent", &request.parent)?;
        let page = self
            .list_narrowed(
                request,
                &workspace,
                |of, show_deleted| objective_found(of, objective.as_ref(), show_deleted),
                |state, after| lists::key_results(state, objective.as_ref(), after),
                |entry| to_proto::key_result_of(&workspace, entry.state, entry.id, entry.it),
            )
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
        self.get(&workspace, &ResourceName::Initiative(initiative), request)
            .await
    }

    async fn list_initiatives(
        &self,
        request: Request<api::ListInitiativesRequest>,
    ) -> Result<Response<api::ListInitiativesResponse>, Status> {
        let request = request.get_ref();
        let (workspace, objective) = names::objective_or_all("parent", &request.parent)?;
        let page = self
            .list_narrowed(
                request,
                &workspace,
                |of, show_deleted| objective_found(of, objective.as_ref(), show_deleted),
                |state, after| lists::initiatives(state, objective.as_ref(), after),
                |entry| to_proto::initiative(&workspace, entry.id, entry.it),
            )
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
            .list_narrowed(
                request,
                &workspace,
                |of, show_deleted| scope_found(of, &scope, show_deleted),
                |state, after| lists::check_ins(state, &scope, after),
                |entry| to_proto::check_in(&workspace, entry.id, entry.it),
            )
            .await?;
        Ok(Response::new(api::ListCheckInsResponse {
            check_ins: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn delete_objective(
        &self,
        request: Request<api::DeleteObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_objective(
        &self,
        request: Request<api::UndeleteObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn close_objective(
        &self,
        request: Request<api::CloseObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn reopen_objective(
        &self,
        request: Request<api::ReopenObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn cancel_objective(
        &self,
        request: Request<api::CancelObjectiveRequest>,
    ) -> Result<Response<api::Objective>, Status> {
        self.write_and_show(request).await
    }

    async fn carry_over_objective(
        &self,
        request: Request<api::CarryOverObjectiveRequest>,
    ) -> Result<Response<api::CarryOverObjectiveResponse>, Status> {
        let written = self.write(request).await?;
        let answer = carried_over(&written)?;
        Ok(written.answer(answer))
    }

    async fn cascade_objective(
        &self,
        request: Request<api::CascadeObjectiveRequest>,
    ) -> Result<Response<api::CascadeObjectiveResponse>, Status> {
        let written = self.write(request).await?;
        let events = written.committed.commit.iter().flat_map(|commit| &commit.events);
        let state = &written.committed.state;
        let objectives = events.filter_map(|event| match event {
            Event::ObjectiveCreated { id, .. } => {
                let draft = state.workspace().objective(id).ok()?;
                Some(to_proto::objective_of(&written.workspace, state, id, draft))
            }
            _ => None,
        });
        let answer = api::CascadeObjectiveResponse {
            objectives: objectives.collect(),
        };
        Ok(written.answer(answer))
    }

    async fn delete_key_result(
        &self,
        request: Request<api::DeleteKeyResultRequest>,
    ) -> Result<Response<api::KeyResult>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_key_result(
        &self,
        request: Request<api::UndeleteKeyResultRequest>,
    ) -> Result<Response<api::KeyResult>, Status> {
        self.write_and_show(request).await
    }

    async fn delete_initiative(
        &self,
        request: Request<api::DeleteInitiativeRequest>,
    ) -> Result<Response<api::Initiative>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_initiative(
        &self,
        request: Request<api::UndeleteInitiativeRequest>,
    ) -> Result<Response<api::Initiative>, Status> {
        self.write_and_show(request).await
    }

    async fn batch_create_check_ins(
        &self,
        request: Request<api::BatchCreateCheckInsRequest>,
    ) -> Result<Response<api::BatchCreateCheckInsResponse>, Status> {
        let written = self.write(request).await?;
        let workspace = written.committed.state.workspace();
        let events = written.committed.commit.iter().flat_map(|commit| &commit.events);
        let check_ins = events.filter_map(|event| match event {
            Event::CheckInRecorded { key_result, id, .. } => {
                let recorded = workspace.key_results().get(key_result)?.check_in(id)?;
                Some(to_proto::check_in(&written.workspace, key_result, recorded))
            }
            _ => None,
        });
        let answer = api::BatchCreateCheckInsResponse {
            check_ins: check_ins.collect(),
        };
        Ok(written.answer(answer))
    }

    async fn correct_check_in(
        &self,
        request: Request<api::CorrectCheckInRequest>,
    ) -> Result<Response<api::CheckIn>, Status> {
        let written = self.write(request).await?;
        let answer = check_in(&written)?;
        Ok(written.answer(answer))
    }

    async fn retract_check_in(
        &self,
        request: Request<api::RetractCheckInRequest>,
    ) -> Result<Response<api::CheckIn>, Status> {
        let written = self.write(request).await?;
        let answer = check_in(&written)?;
        Ok(written.answer(answer))
    }

    async fn get_objective_tree(
        &self,
        request: Request<api::GetObjectiveTreeRequest>,
    ) -> Result<Response<api::ObjectiveTree>, Status> {
        let request = request.get_ref();
        let (workspace, top) = match names::resource("name", &request.name)? {
            (workspace, ResourceName::Workspace) => (workspace, None),
            (workspace, ResourceName::Objective(top)) => (workspace, Some(top)),
            _ => {
                let sentence = "it is neither an objective nor a workspace: name the top of the tree";
                return Err(Invalid::new(sentence).at("name").into());
            }
        };
        let cycle = names::cycle_reference(Some(&workspace), &request.cycle);
        let cycle = cycle.map_err(|invalid| invalid.at("cycle"))?;
        if top.is_some() && cycle.is_some() {
            let sentence =
                "the tree of one objective has one top: leave the cycle out, or name the workspace";
            return Err(Invalid::new(sentence).at("cycle").into());
        }
        let depth = u32::try_from(request.depth_max).map_err(|_| {
            Invalid::new("it is negative: send 0 for all levels, or how many").at("depth_max")
        })?;
        let shape = Shape {
            top,
            cycle,
            depth_max: (depth > 0).then_some(depth),
            objectives_only: request.objectives_only,
        };
        let (_, state) = self.seen(&workspace, request).await?;
        Ok(Response::new(tree::tree(&workspace, &state, &shape)?))
    }

    async fn get_score_series(
        &self,
        request: Request<api::GetScoreSeriesRequest>,
    ) -> Result<Response<api::ScoreSeries>, Status> {
        self.score_series(request).await
    }
}

/// A list of an objective that is not there is no empty list.
fn objective_found(
    workspace: &Workspace,
    objective: Option<&Id>,
    show_deleted: bool,
) -> Result<(), Rejection> {
    objective.map_or(Ok(()), |objective| {
        lists::found(workspace.objective(objective), show_deleted)
    })
}

/// Nor is one of a key result that is not there.
fn scope_found(workspace: &Workspace, scope: &KeyResultScope, show_deleted: bool) -> Result<(), Rejection> {
    objective_found(workspace, scope.objective.as_ref(), show_deleted)?;
    match (scope.objective.clone(), scope.key_result.clone()) {
        (Some(objective), Some(id)) => {
            lists::found(workspace.key_result(&KeyResultId { objective, id }), show_deleted)
        }
        _ => Ok(()),
    }
}

fn check_in(written: &Written) -> Result<api::CheckIn, Rejection> {
    let not_found = || Rejection::NotFound(written.resource.clone());
    let ResourceName::CheckIn(of, id) = &written.resource else {
        return Err(not_found());
    };
    let key_result = written.committed.state.workspace().key_results().get(of);
    let recorded = key_result
        .and_then(|key_result| key_result.check_in(id))
        .ok_or_else(not_found)?;
    Ok(to_proto::check_in(&written.workspace, of, recorded))
}

/// The new draft with all that came along, and what stayed behind.
fn carried_over(written: &Written) -> Result<api::CarryOverObjectiveResponse, Rejection> {
    let (id, state) = (&written.workspace, &written.committed.state);
    let workspace = state.workspace();
    let not_found = || Rejection::NotFound(written.resource.clone());
    let ResourceName::Objective(new) = &written.resource else {
        return Err(not_found());
    };
    let draft = workspace.objective(new)?;
    let from = draft.carried_from.as_ref().ok_or_else(not_found)?;
    let source = workspace.objective(from)?;
    let carried = |old: &KeyResultId| {
        let new = KeyResultId {
            objective: new.clone(),
            id: old.id.clone(),
        };
        workspace.key_results().contains_key(&new)
    };
    let left_behind = workspace.key_results_of(from).filter(|(old, _)| !carried(old));
    Ok(api::CarryOverObjectiveResponse {
        objective: Some(to_proto::objective_of(id, state, new, draft)),
        key_results: workspace
            .key_results_of(new)
            .map(|(of, key_result)| to_proto::key_result(id, of, key_result, draft.state, None))
            .collect(),
        initiatives: workspace
            .initiatives_of(new)
            .map(|(of, initiative)| to_proto::initiative(id, of, initiative))
            .collect(),
        left_behind: left_behind
            .map(|(old, _)| names::full_name(id, &ResourceName::KeyResult(old.clone())))
            .collect(),
        source: Some(to_proto::objective_of(id, state, from, source)),
    })
}
