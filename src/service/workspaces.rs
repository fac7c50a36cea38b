//! `WorkspaceService`: workspaces, teams, members.

use prost::Message;
use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, NO_FILTERS, wire};
use super::pages::{self, Binding, PageToken};
use super::{lists, names, to_proto};
use crate::domain::{ResourceName, Revision};
use crate::proto::api;
use crate::proto::api::workspace_service_server::WorkspaceService;

#[async_trait]
impl WorkspaceService for Api {
    async fn create_workspace(
        &self,
        request: Request<api::CreateWorkspaceRequest>,
    ) -> Result<Response<api::Workspace>, Status> {
        self.write_and_show(request).await
    }

    async fn get_workspace(
        &self,
        request: Request<api::GetWorkspaceRequest>,
    ) -> Result<Response<api::Workspace>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("name", &request.name)?;
        self.get(&workspace, &ResourceName::Workspace, request.min_revision)
    }

    async fn list_workspaces(
        &self,
        request: Request<api::ListWorkspacesRequest>,
    ) -> Result<Response<api::ListWorkspacesResponse>, Status> {
        // Workspaces share no revision, so there is none to pin.
        let binding = Binding(&["ListWorkspaces"]);
        let request = request.get_ref();
        let size = pages::page_size(request.page_size)?;
        let token = pages::read(&request.page_token, binding)?;
        let all = self.engine()?.workspaces();
        let mut found: Vec<_> = lists::by_id(&all, token.as_ref().map(|token| token.last_key.as_str()))
            .take(size + 1)
            .map(|(id, hosted)| to_proto::workspace(id, &hosted.published().state, hosted.log()))
            .collect();
        let size = size.min(pages::fitting(found.iter().map(Message::encoded_len)));
        let more = found.len() > size;
        found.truncate(size);
        let last_key = found
            .last()
            .and_then(|last| last.name.rsplit('/').next())
            .filter(|_| more);
        let next_page_token = last_key.map_or_else(String::new, |last_key| {
            pages::write(
                &PageToken {
                    revision: Revision::ZERO,
                    last_key: last_key.to_owned(),
                },
                binding,
            )
        });
        Ok(Response::new(api::ListWorkspacesResponse {
            workspaces: found,
            next_page_token,
        }))
    }

    async fn update_workspace(
        &self,
        request: Request<api::UpdateWorkspaceRequest>,
    ) -> Result<Response<api::Workspace>, Status> {
        self.write_and_show(request).await
    }

    async fn create_team(
        &self,
        request: Request<api::CreateTeamRequest>,
    ) -> Result<Response<api::Team>, Status> {
        self.write_and_show(request).await
    }

    async fn get_team(&self, request: Request<api::GetTeamRequest>) -> Result<Response<api::Team>, Status> {
        let request = request.get_ref();
        let (workspace, team) = names::team("name", &request.name)?;
        self.get(&workspace, &ResourceName::Team(team), request.min_revision)
    }

    async fn list_teams(
        &self,
        request: Request<api::ListTeamsRequest>,
    ) -> Result<Response<api::ListTeamsResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                Ok(lists::by_id(state.workspace().teams(), after)
                    .take(count)
                    .map(|(id, team)| {
                        (
                            id.to_string(),
                            to_proto::team(&workspace, id, team, state.figures().team(id)),
                        )
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListTeamsResponse {
            teams: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_team(
        &self,
        request: Request<api::UpdateTeamRequest>,
    ) -> Result<Response<api::Team>, Status> {
        self.write_and_show(request).await
    }

    async fn create_member(
        &self,
        request: Request<api::CreateMemberRequest>,
    ) -> Result<Response<api::Member>, Status> {
        self.write_and_show(request).await
    }

    async fn get_member(
        &self,
        request: Request<api::GetMemberRequest>,
    ) -> Result<Response<api::Member>, Status> {
        let request = request.get_ref();
        let (workspace, member) = names::member("name", &request.name)?;
        self.get(&workspace, &ResourceName::Member(member), request.min_revision)
    }

    async fn list_members(
        &self,
        request: Request<api::ListMembersRequest>,
    ) -> Result<Response<api::ListMembersResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                Ok(lists::by_id(state.workspace().members(), after)
                    .take(count)
                    .map(|(id, member)| (id.to_string(), to_proto::member(&workspace, id, member)))
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListMembersResponse {
            members: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_member(
        &self,
        request: Request<api::UpdateMemberRequest>,
    ) -> Result<Response<api::Member>, Status> {
        self.write_and_show(request).await
    }
}
