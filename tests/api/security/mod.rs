//! Who may do what, through a real server that asks everybody who they are.

mod calls;
mod load;
mod revoked;
mod roles;
mod scopes;
mod tls;
mod visible;

use std::path::PathBuf;
use std::sync::Arc;

use binnacle::access::{AccessRecord, BYTES_DEFAULT};
use binnacle::engine::{Engine, EngineConfig};
use binnacle::identity::{Authenticator, KeyFile, NewKey};
use binnacle::log::{EventLog, Evidence, MemoryLog, SigningKey};
use binnacle::proto::api;
use binnacle::service::{LoadLimits, ServerConfig};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::common::*;

/// Every role by its word, and its number in the API.
pub(crate) const ROLES: [(&str, i32); 7] = [
    ("owner", 1),
    ("lead", 2),
    ("manager", 3),
    ("contributor", 4),
    ("ingest", 5),
    ("viewer", 6),
    ("auditor", 7),
];

/// A server that knows its callers by their keys, with the little company, in which each role is somebody of that name.
pub(crate) struct Guarded {
    pub(crate) server: Server,
    dir: tempfile::TempDir,
}

/// Puts a token onto every call.
#[derive(Clone)]
pub(crate) struct Token(Option<MetadataValue<Ascii>>);

pub(crate) type Known = InterceptedService<Channel, Token>;

impl Token {
    pub(crate) fn of(key: &str) -> Self {
        Self(Some(format!("Bearer {key}").parse().expect("a token")))
    }
}

impl tonic::service::Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl Guarded {
    pub(crate) async fn new() -> Self {
        // Tests call quickly, also those that nobody knows.
        Self::within(LoadLimits {
            stranger_calls_per_s: 0,
            stranger_calls_open_max: 0,
            ..LoadLimits::default()
        })
        .await
    }

    /// One whose callers have such limits.
    pub(crate) async fn within(load: LoadLimits) -> Self {
        Self::on(MemoryLog::new(), load).await
    }

    /// The same, on a log of its own.
    pub(crate) async fn on(log: MemoryLog, load: LoadLimits) -> Self {
        let log = Arc::new(log);
        {
            // As long as nobody is asked who they are, everybody may furnish the company.
            let server = Server::with_log(Arc::clone(&log) as _, ServerConfig::default(), None).await;
            with_company(&server).await;
            for (role, number) in ROLES {
                add_member(&server, role, number, &[]).await;
            }
            server.stop().await;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let keys = dir.path().join("keys.json");
        let nobody = KeyFile::create_key(&keys, &NewKey::of("nobody"));
        nobody.expect("a key");
        let keys = KeyFile::open(keys).expect("keys");
        let authenticator = Authenticator::new(Some(keys), None, None, ["operator".to_owned()]);
        let config = ServerConfig {
            authenticator: Arc::new(authenticator),
            load,
            ..ServerConfig::default()
        };
        let evidence = {
            let key = SigningKey::load_or_create(&dir.path().join("key")).expect("a key");
            Evidence::open(dir.path(), key).expect("evidence")
        };
        let (record, access) = (AccessRecord::new(BYTES_DEFAULT), dir.path().join("access"));
        let (opened, clock) = (record.clone(), clock());
        let given = Arc::clone(&clock);
        let server = Server::keeping(record, config, clock, move || {
            let engine = Engine::open(log, Some(evidence), given, EngineConfig::default());
            opened.open(&access);
            engine.expect("an engine")
        });
        until_serving(&server.channel).await;
        Self { server, dir }
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.path().join("keys.json")
    }

    /// A new key of somebody, and its id.
    pub(crate) fn key_of(&self, principal: &str) -> (String, String) {
        let (key, token) = KeyFile::create_key(&self.keys(), &NewKey::of(principal)).expect("a key");
        (token, key.id.to_string())
    }

    /// A channel with a key; the server sees it within some time.
    pub(crate) async fn channel_of(&self, principal: &str) -> Known {
        self.with_token(&self.key_of(principal).0).await
    }

    pub(crate) async fn with_token(&self, token: &str) -> Known {
        self.try_token(token).await.expect("a token that is good")
    }

    /// The same; refused: the token has expired by now.
    pub(crate) async fn try_token(&self, token: &str) -> Result<Known, Status> {
        let channel = InterceptedService::new(self.server.channel.clone(), Token::of(token));
        let mut workspaces = workspace_client(&channel);
        let seen = async {
            loop {
                let request = api::ListWorkspacesRequest::default();
                match workspaces.list_workspaces(request).await {
                    Ok(_) => return Ok(()),
                    Err(status) if is_expired(&status) => return Err(status),
                    // Not seen yet; or who is not known has asked too often.
                    Err(status) => assert!(
                        matches!(status.code(), Code::Unauthenticated | Code::ResourceExhausted),
                        "{status}"
                    ),
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        in_time("the server to see a token", seen).await?;
        Ok(channel)
    }

    /// The newest revision of the company.
    pub(crate) async fn head(&self) -> i64 {
        let channel = self.channel_of("viewer").await;
        let request = api::GetWorkspaceRequest {
            name: "workspaces/acme".to_owned(),
            ..Default::default()
        };
        let workspace = workspace_client(&channel).get_workspace(request).await;
        workspace.expect("the company").into_inner().revision
    }

    pub(crate) fn nobody(&self) -> Known {
        InterceptedService::new(self.server.channel.clone(), Token(None))
    }
}

/// Whether somebody is refused since what they have shown was good once.
pub(crate) fn is_expired(status: &Status) -> bool {
    status.code() == Code::Unauthenticated && reason_of(status) == "CREDENTIALS_EXPIRED"
}

pub(crate) fn workspace_client(
    channel: &Known,
) -> binnacle::proto::api::workspace_service_client::WorkspaceServiceClient<Known> {
    binnacle::proto::api::workspace_service_client::WorkspaceServiceClient::new(channel.clone())
}

pub(crate) fn kpi_client(
    channel: &Known,
) -> binnacle::proto::api::kpi_service_client::KpiServiceClient<Known> {
    binnacle::proto::api::kpi_service_client::KpiServiceClient::new(channel.clone())
}

pub(crate) async fn add_member(server: &Server, principal: &str, role: i32, teams: &[&str]) {
    let member = api::CreateMemberRequest {
        parent: "workspaces/acme".to_owned(),
        member_id: principal.to_owned(),
        member: Some(api::Member {
            title: principal.to_owned(),
            principal: principal.to_owned(),
            roles: vec![role],
            teams: teams.iter().map(|team| acme(&format!("teams/{team}"))).collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.workspaces().create_member(member).await.expect("a member");
}

impl Server {
    /// A server on a log that outlives it.
    pub(crate) async fn with_log(
        log: Arc<dyn EventLog>,
        config: ServerConfig,
        evidence: Option<Evidence>,
    ) -> Self {
        let clock = clock();
        let given = Arc::clone(&clock);
        let server = Self::opening(config, clock, move || {
            Engine::open(log, evidence, given, EngineConfig::default()).expect("an engine")
        })
        .await;
        until_serving(&server.channel).await;
        server
    }

    pub(crate) async fn stop(mut self) {
        self.tell_to_stop();
        self.ended().await.expect("it stops in good order");
    }
}
