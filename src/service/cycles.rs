//! `CycleService`: the time boxes that objectives live in.

use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, Written, wire};
use super::from_proto::{self, Asked};
use super::{lists, names, to_proto};
use crate::domain::{
    Command, Event, Graded, Id, ObjectiveState, Rejection, ResourceName, Workspace, grade_cycle,
};
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
            .list_narrowed(request, &workspace, lists::no_parent, lists::cycles, |entry| {
                let score = entry.state.figures().cycle(entry.id);
                to_proto::cycle(&workspace, entry.id, entry.it, score)
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

    async fn begin_cycle_review(
        &self,
        request: Request<api::BeginCycleReviewRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        self.write_and_show(request).await
    }

    async fn close_cycle(
        &self,
        request: Request<api::CloseCycleRequest>,
    ) -> Result<Response<api::CloseCycleResponse>, Status> {
        if request.get_ref().dry_run {
            return self.close_cycle_dry(request.get_ref());
        }
        let written = self.write(request).await?;
        let answer = closed(&written)?;
        Ok(written.answer(answer))
    }

    async fn reopen_cycle(
        &self,
        request: Request<api::ReopenCycleRequest>,
    ) -> Result<Response<api::Cycle>, Status> {
        self.write_and_show(request).await
    }

    async fn create_review(
        &self,
        request: Request<api::CreateReviewRequest>,
    ) -> Result<Response<api::Review>, Status> {
        self.write_and_show(request).await
    }

    async fn get_review(
        &self,
        request: Request<api::GetReviewRequest>,
    ) -> Result<Response<api::Review>, Status> {
        let request = request.get_ref();
        let (workspace, (cycle, review)) = names::review("name", &request.name)?;
        let name = ResourceName::Review(cycle, review);
        self.get(&workspace, &name, request.min_revision)
    }

    async fn list_reviews(
        &self,
        request: Request<api::ListReviewsRequest>,
    ) -> Result<Response<api::ListReviewsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, cycle) = names::cycle_or_all("parent", &request.parent)?;
        let page = self
            .list_narrowed(
                request,
                &workspace,
                // Cycles are never deleted.
                |of, _| cycle.as_ref().map_or(Ok(()), |cycle| of.cycle(cycle).map(|_| ())),
                |state, after| lists::reviews(state, cycle.as_ref(), after),
                |entry| to_proto::review(&workspace, &entry.id.0, &entry.id.1, entry.it),
            )
            .await?;
        Ok(Response::new(api::ListReviewsResponse {
            reviews: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }
}

impl Api {
    /// What closing a cycle would come to. Nothing is recorded.
    fn close_cycle_dry(
        &self,
        request: &api::CloseCycleRequest,
    ) -> Result<Response<api::CloseCycleResponse>, Status> {
        let Asked {
            workspace: id,
            command,
            ..
        } = from_proto::close_cycle(request)?;
        let Command::CloseCycle {
            id: cycle,
            closings,
            etag,
        } = command
        else {
            return Err(Rejection::NotFound(command.resource()).into());
        };
        let (_, state) = self.read(&id, 0)?;
        let workspace = state.workspace();
        let graded = grade_cycle(workspace, &cycle, &closings, etag)?;
        let objective = |graded: &Graded| {
            let standing = workspace.objective(&graded.objective).ok()?;
            let progress = state.figures().objective(&graded.objective);
            let mut shown = to_proto::objective(&id, &graded.objective, standing, progress);
            shown.result = Some(to_proto::imagined_result(&graded.result));
            Some(shown)
        };
        let unexplained = graded.iter().filter(|graded| graded.result.lacks_explanation());
        Ok(Response::new(api::CloseCycleResponse {
            cycle: Some(to_proto::cycle(
                &id,
                &cycle,
                workspace.cycle(&cycle)?,
                state.figures().cycle(&cycle),
            )),
            explanations_missing: unexplained
                .map(|graded| names::full_name(&id, &ResourceName::Objective(graded.objective.clone())))
                .collect(),
            objectives: graded.iter().filter_map(objective).collect(),
            drafts: drafts(&id, workspace, &cycle),
        }))
    }
}

/// What a closing came to.
fn closed(written: &Written) -> Result<api::CloseCycleResponse, Rejection> {
    let (id, state) = (&written.workspace, &written.committed.state);
    let ResourceName::Cycle(cycle) = &written.resource else {
        return Err(Rejection::NotFound(written.resource.clone()));
    };
    let events = written.committed.commit.iter().flat_map(|commit| &commit.events);
    let objectives = events.filter_map(|event| match event {
        Event::ObjectiveClosed { id: closed, .. } => {
            let progress = state.figures().objective(closed);
            let standing = state.workspace().objective(closed).ok()?;
            Some(to_proto::objective(id, closed, standing, progress))
        }
        _ => None,
    });
    Ok(api::CloseCycleResponse {
        cycle: Some(to_proto::cycle(
            id,
            cycle,
            state.workspace().cycle(cycle)?,
            state.figures().cycle(cycle),
        )),
        objectives: objectives.collect(),
        explanations_missing: Vec::new(),
        drafts: drafts(id, state.workspace(), cycle),
    })
}

/// The drafts of a cycle, which its closing leaves as they are.
fn drafts(id: &Id, workspace: &Workspace, cycle: &Id) -> Vec<String> {
    workspace
        .objectives_of_cycle(cycle)
        .filter(|objective| {
            workspace
                .objective(objective)
                .is_ok_and(|objective| objective.state == ObjectiveState::Draft)
        })
        .map(|objective| names::full_name(id, &ResourceName::Objective(objective.clone())))
        .collect()
}
