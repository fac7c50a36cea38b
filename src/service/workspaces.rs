//! `WorkspaceService`: workspaces, teams, members, the scoring policy.

use prost::Message;
use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, wire};
use super::caller::Caller;
use super::filter::{ListQuery, Narrowed};
use super::pages::{self, Binding, PageToken};
use super::reads::{NO_FILTERS, seen_in};
use super::{lists, names, to_proto};
use crate::domain::{Rejection, ResourceName, Revision, Workspace};
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
        self.get(&workspace, &ResourceName::Workspace, request).await
    }

    async fn list_workspaces(
        &self,
        request: Request<api::ListWorkspacesRequest>,
    ) -> Result<Response<api::ListWorkspacesResponse>, Status> {
        let request = request.get_ref();
        let asked = request.narrowing();
        let query = ListQuery::<Workspace>::parse(asked, None)?;
        let parts = [&["ListWorkspaces"], &asked.binding()[..]].concat();
        let binding = Binding(&parts);
        let size = pages::page_size(request.page_size)?;
        let token = pages::read(&request.page_token, binding)?;
        let last_key = token.as_ref().map(|token| token.last_key.as_str());
        let all = self.engine()?.workspaces();
        let caller = Caller::current()?;
        let published = lists::published(&all, &caller, &query, last_key, size + 1);
        let page = query.page(last_key, size + 1, |after| lists::workspaces(&published, after));
        let mut found: Vec<_> = page
            .into_iter()
            .map(|entry| to_proto::workspace(entry.id.id(), entry.state, entry.id.log()))
            .collect();
        let size = size.min(pages::fitting(found.iter().map(Message::encoded_len)));
        let more = found.len() > size;
        found.truncate(size);
        let last_key = found
            .last()
            .and_then(|last| last.name.rsplit('/').next())
            .filter(|_| more);
        let next_page_token = last_key.map_or_else(String::new, |last_key| {
            // Workspaces share no revision, so there is none to pin.
            let token = PageToken {
                revision: Revision::ZERO,
                last_key: last_key.to_owned(),
            };
            pages::write(&token, binding)
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
        self.get(&workspace, &ResourceName::Team(team), request).await
    }

    async fn list_teams(
        &self,
        request: Request<api::ListTeamsRequest>,
    ) -> Result<Response<api::ListTeamsResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list_narrowed(request, &workspace, lists::no_parent, lists::teams, |entry| {
                to_proto::team_of(&workspace, entry.state, entry.id, entry.it)
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
        self.get(&workspace, &ResourceName::Member(member), request).await
    }

    async fn list_members(
        &self,
        request: Request<api::ListMembersRequest>,
    ) -> Result<Response<api::ListMembersResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list_narrowed(request, &workspace, lists::no_parent, lists::members, |entry| {
                to_proto::member(&workspace, entry.id, entry.it)
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

    async fn delete_workspace(
        &self,
        request: Request<api::DeleteWorkspaceRequest>,
    ) -> Result<Response<api::Workspace>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_workspace(
        &self,
        request: Request<api::UndeleteWorkspaceRequest>,
    ) -> Result<Response<api::Workspace>, Status> {
        self.write_and_show(request).await
    }

    async fn delete_team(
        &self,
        request: Request<api::DeleteTeamRequest>,
    ) -> Result<Response<api::Team>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_team(
        &self,
        request: Request<api::UndeleteTeamRequest>,
    ) -> Result<Response<api::Team>, Status> {
        self.write_and_show(request).await
    }

    async fn delete_member(
        &self,
        request: Request<api::DeleteMemberRequest>,
    ) -> Result<Response<api::Member>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_member(
        &self,
        request: Request<api::UndeleteMemberRequest>,
    ) -> Result<Response<api::Member>, Status> {
        self.write_and_show(request).await
    }

    async fn get_scoring_policy(
        &self,
        request: Request<api::GetScoringPolicyRequest>,
    ) -> Result<Response<api::ScoringPolicy>, Status> {
        let request = request.get_ref();
        let workspace = names::scoring_policy("name", &request.name)?;
        let (_, state) = self.seen(&workspace, request).await?;
        let policies = state.workspace().policies();
        let found = match u64::try_from(request.version) {
            Ok(0) => policies.get_max().map(|(_, newest)| newest),
            Ok(version) => policies.get(&Revision(version)),
            Err(_) => None,
        };
        let found = found.ok_or(Rejection::NotFound(ResourceName::ScoringPolicy))?;
        Ok(seen_in(&state, to_proto::scoring_policy(&workspace, found)))
    }

    async fn list_scoring_policies(
        &self,
        request: Request<api::ListScoringPoliciesRequest>,
    ) -> Result<Response<api::ListScoringPoliciesResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                lists::workspace_found(state.workspace(), false)?;
                let older_than = after
                    .and_then(|key| key.parse().ok())
                    .map_or(Revision(u64::MAX), Revision);
                Ok(state
                    .workspace()
                    .policies()
                    .range(..older_than)
                    .rev()
                    .take(count)
                    .map(|(version, policy)| {
                        (version.to_string(), to_proto::scoring_policy(&workspace, policy))
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListScoringPoliciesResponse {
            scoring_policies: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_scoring_policy(
        &self,
        request: Request<api::UpdateScoringPolicyRequest>,
    ) -> Result<Response<api::ScoringPolicy>, Status> {
        self.write_and_show(request).await
    }
}
