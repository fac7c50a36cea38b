//! `CycleService`: the time boxes that objectives live in.

use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, Written, wire};
use super::from_proto::{self, Asked};
use super::{lists, names, pages, to_proto};
use crate::domain::{
    Command, Event, Graded, Id, ObjectiveState, Rejection, ResourceName, Right, Workspace, grade_cycle,
};
use crate::projection::State;
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
        self.get(&workspace, &ResourceName::Cycle(cycle), request).await
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
        self.get(&workspace, &name, request).await
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
        let (_, state) = self.read(&id, Right::Steer, 0)?;
        let workspace = state.workspace();
        let graded = grade_cycle(workspace, &cycle, &closings, etag)?;
        let unexplained = graded.iter().filter(|graded| graded.result.lacks_explanation());
        let unexplained = unexplained
            .map(|graded| names::full_name(&id, &ResourceName::Objective(graded.objective.clone())));
        // Its etag is the one to close it with, so it is the cycle that stands, in the state to come.
        let mut shown = to_proto::cycle(
            &id,
            &cycle,
            workspace.cycle(&cycle)?,
            state.figures().cycle(&cycle),
        );
        shown.state = api::cycle::State::Closed.into();
        let objectives = graded.iter().filter_map(|graded| as_closed(&id, &state, graded));
        let drafts = drafts(&id, workspace, &cycle);
        Ok(Response::new(answer(shown, unexplained, drafts, objectives)))
    }
}

/// An objective as its closing would leave it.
fn as_closed(id: &Id, state: &State, graded: &Graded) -> Option<api::Objective> {
    let standing = state.workspace().objective(&graded.objective).ok()?;
    let mut shown = to_proto::objective_of(id, state, &graded.objective, standing);
    let result = to_proto::imagined_result(&graded.result);
    if let Some(progress) = &mut shown.progress {
        progress.status = api::Status::Closed.into();
        progress.worst_status = api::Status::Unspecified.into();
        progress.outdated = false;
        progress.grading = graded.result.grading.and(result.grading);
        progress.restated_score = progress.score;
    }
    shown.state = api::objective::State::Closed.into();
    shown.result = Some(result);
    Some(shown)
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
            let standing = state.workspace().objective(closed).ok()?;
            Some(to_proto::objective_of(id, state, closed, standing))
        }
        _ => None,
    });
    let shown = to_proto::cycle(
        id,
        cycle,
        state.workspace().cycle(cycle)?,
        state.figures().cycle(cycle),
    );
    let drafts = drafts(id, state.workspace(), cycle);
    Ok(answer(shown, std::iter::empty(), drafts, objectives))
}

/// As much as fits into one message: what was recorded has to be answered, however long its texts are.
fn answer(
    cycle: api::Cycle,
    explanations_missing: impl Iterator<Item = String>,
    drafts: impl Iterator<Item = String>,
    objectives: impl Iterator<Item = api::Objective>,
) -> api::CloseCycleResponse {
    let mut room = pages::Room::default();
    let explanations_missing = room.fill(explanations_missing);
    let drafts = room.fill(drafts);
    let objectives = room.fill(objectives);
    api::CloseCycleResponse {
        cycle: Some(cycle),
        objectives,
        explanations_missing,
        drafts,
        truncated: room.exceeded(),
    }
}

/// The drafts of a cycle, which its closing leaves as they are.
fn drafts(id: &Id, workspace: &Workspace, cycle: &Id) -> impl Iterator<Item = String> {
    workspace
        .objectives_of_cycle(cycle)
        .filter(|objective| {
            workspace
                .objective(objective)
                .is_ok_and(|objective| objective.state == ObjectiveState::Draft)
        })
        .map(|objective| names::full_name(id, &ResourceName::Objective(objective.clone())))
}
