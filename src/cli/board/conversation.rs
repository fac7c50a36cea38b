//! The conversation with the server: what it knows, whether it would take something, and creating it.
//!
//! A request's id follows from its content alone, so that a second run after one that broke off doubles nothing.

use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::facts::last;
use super::wanted::Message;
use crate::cli::Failure;
use crate::cli::connection::Channel;
use crate::cli::connection::{self, patiently};
use crate::proto::api;
use crate::proto::api::cycle_service_client::CycleServiceClient;
use crate::proto::api::kpi_service_client::KpiServiceClient;
use crate::proto::api::objective_service_client::ObjectiveServiceClient;
use crate::proto::api::progress_service_client::ProgressServiceClient;
use crate::proto::api::simulated_command::Command;
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;

/// Resources a page.
const PAGE_SIZE: i32 = 1000;

/// Whom requests go to, and what they all say.
pub(super) struct Conversation {
    channel: Channel,
    workspace: String,
    actor: Option<MetadataValue<Ascii>>,
    reason: String,
}

impl Conversation {
    /// Connects. `workspace` is a full name.
    ///
    /// # Errors
    /// The address is none, or nothing answers there.
    pub(super) async fn open(
        server: &str,
        workspace: String,
        actor: Option<MetadataValue<Ascii>>,
        reason: String,
    ) -> Result<Self, Failure> {
        Ok(Self {
            channel: connection::open(server).await?,
            workspace,
            actor,
            reason,
        })
    }

    /// The workspace.
    pub(super) async fn workspace(&self) -> Result<api::Workspace, Status> {
        let request = api::GetWorkspaceRequest {
            name: self.workspace.clone(),
            ..api::GetWorkspaceRequest::default()
        };
        let client = || WorkspaceServiceClient::new(self.channel.clone());
        let answer = patiently(async || client().get_workspace(self.request(request.clone())).await);
        answer.await.map(tonic::Response::into_inner)
    }

    /// One cycle, by its full name.
    pub(super) async fn cycle(&self, name: &str) -> Result<api::Cycle, Status> {
        let request = api::GetCycleRequest {
            name: name.to_owned(),
            ..api::GetCycleRequest::default()
        };
        let client = || CycleServiceClient::new(self.channel.clone());
        let answer = patiently(async || client().get_cycle(self.request(request.clone())).await);
        answer.await.map(tonic::Response::into_inner)
    }

    /// All cycles, by name.
    pub(super) async fn cycles(&self) -> Result<Vec<api::Cycle>, Status> {
        self.pages(async |page_token| {
            let request = api::ListCyclesRequest {
                parent: self.workspace.clone(),
                page_size: PAGE_SIZE,
                page_token,
                ..api::ListCyclesRequest::default()
            };
            let mut client = CycleServiceClient::new(self.channel.clone());
            let page = client.list_cycles(self.request(request)).await?.into_inner();
            Ok((page.cycles, page.next_page_token))
        })
        .await
    }

    /// The KPIs that are not deleted, by name.
    pub(super) async fn kpis(&self) -> Result<Vec<api::Kpi>, Status> {
        let mut kpis = self
            .pages(async |page_token| {
                let request = api::ListKpisRequest {
                    parent: self.workspace.clone(),
                    page_size: PAGE_SIZE,
                    page_token,
                    ..api::ListKpisRequest::default()
                };
                let mut client = KpiServiceClient::new(self.channel.clone());
                let page = client.list_kpis(self.request(request)).await?.into_inner();
                Ok((page.kpis, page.next_page_token))
            })
            .await?;
        kpis.retain(|kpi| kpi.delete_time.is_none());
        Ok(kpis)
    }

    /// The members, by name.
    pub(super) async fn members(&self) -> Result<Vec<api::Member>, Status> {
        self.pages(async |page_token| {
            let request = api::ListMembersRequest {
                parent: self.workspace.clone(),
                page_size: PAGE_SIZE,
                page_token,
                ..api::ListMembersRequest::default()
            };
            let mut client = WorkspaceServiceClient::new(self.channel.clone());
            let page = client.list_members(self.request(request)).await?.into_inner();
            Ok((page.members, page.next_page_token))
        })
        .await
    }

    /// The objectives that are not deleted, of all cycles, by name.
    pub(super) async fn objectives(&self) -> Result<Vec<api::Objective>, Status> {
        let mut objectives = self
            .pages(async |page_token| {
                let request = api::ListObjectivesRequest {
                    parent: self.workspace.clone(),
                    page_size: PAGE_SIZE,
                    page_token,
                    ..api::ListObjectivesRequest::default()
                };
                let mut client = ObjectiveServiceClient::new(self.channel.clone());
                let page = client.list_objectives(self.request(request)).await?.into_inner();
                Ok((page.objectives, page.next_page_token))
            })
            .await?;
        objectives.retain(|objective| objective.delete_time.is_none());
        Ok(objectives)
    }

    /// The key results of an objective that are not deleted, by name.
    pub(super) async fn key_results(&self, objective: &str) -> Result<Vec<api::KeyResult>, Status> {
        let mut key_results = self
            .pages(async |page_token| {
                let request = api::ListKeyResultsRequest {
                    parent: objective.to_owned(),
                    page_size: PAGE_SIZE,
                    page_token,
                    ..api::ListKeyResultsRequest::default()
                };
                let mut client = ObjectiveServiceClient::new(self.channel.clone());
                let page = client.list_key_results(self.request(request)).await?.into_inner();
                Ok((page.key_results, page.next_page_token))
            })
            .await?;
        key_results.retain(|key_result| key_result.delete_time.is_none());
        Ok(key_results)
    }

    /// The initiatives of an objective that are not deleted, by name.
    pub(super) async fn initiatives(&self, objective: &str) -> Result<Vec<api::Initiative>, Status> {
        let mut initiatives = self
            .pages(async |page_token| {
                let request = api::ListInitiativesRequest {
                    parent: objective.to_owned(),
                    page_size: PAGE_SIZE,
                    page_token,
                    ..api::ListInitiativesRequest::default()
                };
                let mut client = ObjectiveServiceClient::new(self.channel.clone());
                let page = client.list_initiatives(self.request(request)).await?.into_inner();
                Ok((page.initiatives, page.next_page_token))
            })
            .await?;
        initiatives.retain(|initiative| initiative.delete_time.is_none());
        Ok(initiatives)
    }

    /// Asks whether all of these would be taken, and records nothing.
    pub(super) async fn check(&self, messages: &[&Message]) -> Result<(), Status> {
        let commands = messages.iter().map(|message| api::SimulatedCommand {
            command: Some(match self.creation(message) {
                Creation::Objective(request) => Command::CreateObjective(request),
                Creation::KeyResult(request) => Command::CreateKeyResult(request),
                Creation::Initiative(request) => Command::CreateInitiative(request),
            }),
        });
        let request = api::SimulateRequest {
            parent: self.workspace.clone(),
            commands: commands.collect(),
            ..api::SimulateRequest::default()
        };
        let client = || ProgressServiceClient::new(self.channel.clone());
        patiently(async || client().simulate(self.request(request.clone())).await)
            .await
            .map(|_| ())
    }

    /// Creates one of them, and answers what became of it.
    pub(super) async fn create(&self, message: &Message) -> Result<Message, Status> {
        let client = || ObjectiveServiceClient::new(self.channel.clone());
        Ok(match self.creation(message) {
            Creation::Objective(request) => {
                let answer =
                    patiently(async || client().create_objective(self.request(request.clone())).await);
                Message::Objective(answer.await?.into_inner())
            }
            Creation::KeyResult(request) => {
                let answer =
                    patiently(async || client().create_key_result(self.request(request.clone())).await);
                Message::KeyResult(answer.await?.into_inner())
            }
            Creation::Initiative(request) => {
                let answer =
                    patiently(async || client().create_initiative(self.request(request.clone())).await);
                Message::Initiative(answer.await?.into_inner())
            }
        })
    }

    /// The request that creates something, under the name that it has.
    fn creation(&self, message: &Message) -> Creation {
        let (parent, id) = (grandparent(message.name()), last(message.name()).to_owned());
        let reason = self.reason.clone();
        match message {
            Message::Objective(objective) => {
                let mut request = api::CreateObjectiveRequest {
                    parent,
                    objective_id: id,
                    objective: Some(objective.clone()),
                    request_id: String::new(),
                    reason,
                };
                request.request_id = request_id(&request);
                Creation::Objective(request)
            }
            Message::KeyResult(key_result) => {
                let mut request = api::CreateKeyResultRequest {
                    parent,
                    key_result_id: id,
                    key_result: Some(key_result.clone()),
                    request_id: String::new(),
                    reason,
                };
                request.request_id = request_id(&request);
                Creation::KeyResult(request)
            }
            Message::Initiative(initiative) => {
                let mut request = api::CreateInitiativeRequest {
                    parent,
                    initiative_id: id,
                    initiative: Some(initiative.clone()),
                    request_id: String::new(),
                    reason,
                };
                request.request_id = request_id(&request);
                Creation::Initiative(request)
            }
        }
    }

    /// Every page of a list, one after the other.
    async fn pages<T>(
        &self,
        fetch: impl AsyncFn(String) -> Result<(Vec<T>, String), Status>,
    ) -> Result<Vec<T>, Status> {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let (page, next) = patiently(async || fetch(token.clone()).await).await?;
            all.extend(page);
            if next.is_empty() {
                return Ok(all);
            }
            token = next;
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        connection::request(message, self.actor.as_ref())
    }
}

/// A request that creates something.
#[allow(clippy::large_enum_variant, reason = "a board has some dozens of them")]
enum Creation {
    Objective(api::CreateObjectiveRequest),
    KeyResult(api::CreateKeyResultRequest),
    Initiative(api::CreateInitiativeRequest),
}

fn request_id(request: &impl prost::Message) -> String {
    let name_space = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"binnacle import board");
    Uuid::new_v5(&name_space, &request.encode_to_vec()).to_string()
}

/// What the server refused, each with the index of its command; nothing when it did not name any.
pub(super) fn refused(status: &Status) -> Vec<(usize, String)> {
    let Some(details) = status.get_details_bad_request() else {
        return Vec::new();
    };
    let violations = details.field_violations.into_iter();
    violations
        .filter_map(|violation| {
            let (index, field) = violation.field.strip_prefix("commands[")?.split_once(']')?;
            // The field is the API's; its last part is what a person can find in the line.
            let field = field.rsplit('.').next().unwrap_or_default();
            let said = match field {
                "" => violation.description,
                field => format!("{field}: {}", violation.description),
            };
            Some((index.parse().ok()?, said))
        })
        .collect()
}

/// The name of what something lies in.
fn grandparent(name: &str) -> String {
    let mut parts = name.rsplitn(3, '/');
    parts.nth(2).unwrap_or_default().to_owned()
}
