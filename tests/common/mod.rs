//! A real server on a free port with a clock that only moves when it is told to, a real client, and the little company
//! that the tests talk about. Nothing here asserts what a test wants to prove.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod every_read;
pub(crate) mod patience;
pub(crate) mod view;

use std::fmt::Debug;
use std::sync::Arc;

use binnacle::access::AccessRecord;
use binnacle::domain::Timestamp;
use binnacle::engine::{Engine, EngineConfig, SteppedClock};
use binnacle::log::{EventLog, MemoryLog};
use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::cycle_service_client::CycleServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::google_type;
use binnacle::service::{BoundServer, ServeError, ServerConfig, Standing};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

pub(crate) use patience::in_time;

/// 2026-01-01T12:00:00Z, when every test begins.
pub(crate) const START_S: i64 = 1_767_268_800;
/// The largest message that these clients take: more than a server sends.
pub(crate) const CLIENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A running server.
pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) clock: Arc<SteppedClock>,
    /// How it stands, for tests that look at it from outside.
    pub(crate) standing: Standing,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), ServeError>>,
}

/// What a refusal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) reason: String,
    /// The fields, the rule's subject, or the resource that it names.
    pub(crate) about: Vec<String>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(MemoryLog::new(), EngineConfig::default(), ServerConfig::default()).await
    }

    /// Starts and waits until the server says that it serves.
    pub(crate) async fn with(log: impl EventLog, engine: EngineConfig, config: ServerConfig) -> Self {
        let log: Arc<dyn EventLog> = Arc::new(log);
        let clock = clock();
        let given = Arc::clone(&clock);
        let server = Self::opening(config, Arc::clone(&clock), move || {
            Engine::open(log, None, given, engine).expect("an engine")
        })
        .await;
        until_serving(&server.channel).await;
        server
    }

    /// Starts and does not wait: `open` may take its time.
    pub(crate) async fn opening(
        config: ServerConfig,
        clock: Arc<SteppedClock>,
        open: impl FnOnce() -> Engine + Send + 'static,
    ) -> Self {
        Self::keeping(AccessRecord::nowhere(), config, clock, open)
    }

    /// The same, with a record of refused calls.
    pub(crate) fn keeping(
        access: AccessRecord,
        config: ServerConfig,
        clock: Arc<SteppedClock>,
        open: impl FnOnce() -> Engine + Send + 'static,
    ) -> Self {
        let bound = BoundServer::bind("127.0.0.1:0".parse().expect("an address"), config)
            .expect("a port")
            .keeping_attempts_in(access);
        let (address, standing) = (bound.address(), bound.standing());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(bound.serve(move || Ok(open()), async move {
            let _gone = stopped.await;
        }));
        let channel = Channel::from_shared(format!("http://{address}"))
            .expect("an address")
            .connect_lazy();
        Self {
            address,
            channel,
            clock,
            standing,
            stop: Some(stop),
            ended,
        }
    }

    /// Tells the server to stop, and does not wait.
    pub(crate) fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("a running server");
        }
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(self) -> Result<(), ServeError> {
        self.ended.await.expect("a server that does not panic")
    }

    pub(crate) fn workspaces(&self) -> WorkspaceServiceClient<Channel> {
        WorkspaceServiceClient::new(self.channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX)
    }

    pub(crate) fn cycles(&self) -> CycleServiceClient<Channel> {
        CycleServiceClient::new(self.channel.clone())
    }

    pub(crate) fn objectives(&self) -> ObjectiveServiceClient<Channel> {
        ObjectiveServiceClient::new(self.channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX)
    }

    pub(crate) fn kpis(&self) -> KpiServiceClient<Channel> {
        KpiServiceClient::new(self.channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX)
    }

    pub(crate) fn progress(&self) -> ProgressServiceClient<Channel> {
        ProgressServiceClient::new(self.channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX)
    }

    pub(crate) fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX)
    }

    pub(crate) fn health(&self) -> HealthClient<Channel> {
        HealthClient::new(self.channel.clone())
    }

    pub(crate) async fn watch(
        &self,
        service: &str,
    ) -> tonic::Streaming<tonic_health::pb::HealthCheckResponse> {
        let service = service.to_owned();
        let request = HealthCheckRequest { service };
        self.health().watch(request).await.expect("health").into_inner()
    }

    /// Every workspace's name and newest revision, deleted ones too.
    pub(crate) async fn heads(&self) -> Vec<(String, i64)> {
        let request = api::ListWorkspacesRequest {
            page_size: 1000,
            show_deleted: true,
            ..Default::default()
        };
        let listed = self
            .workspaces()
            .list_workspaces(request)
            .await
            .expect("workspaces");
        let workspaces = listed.into_inner().workspaces;
        workspaces.into_iter().map(|w| (w.name, w.revision)).collect()
    }

    /// The newest revision of workspaces/acme.
    pub(crate) async fn head(&self) -> i64 {
        let heads = self.heads().await;
        heads
            .iter()
            .find(|(name, _)| name == "workspaces/acme")
            .expect("acme")
            .1
    }

    /// A call that is refused, and records nothing.
    pub(crate) async fn refusal<T: Debug>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Refused {
        let before = self.heads().await;
        let status = call.await.expect_err("a refusal");
        assert_eq!(self.heads().await, before, "recorded although refused: {status}");
        Refused::of(&status)
    }
}

impl Refused {
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.check_error_details().expect("details");
        let info = details
            .error_info()
            .unwrap_or_else(|| panic!("no reason: {status:?}"));
        assert_eq!(info.domain, "binnacle");
        assert!(!status.message().is_empty());
        for leak in ["panicked", ".rs:", "src/", "unwrap"] {
            assert!(!status.message().contains(leak), "it leaks: {status}");
        }
        let fields = details.bad_request().map(|bad| {
            bad.field_violations
                .iter()
                .map(|violation| violation.field.clone())
                .collect::<Vec<_>>()
        });
        let rules = details.precondition_failure().map(|rule| {
            rule.violations
                .iter()
                .map(|violation| violation.subject.clone())
                .collect()
        });
        let resource = info
            .metadata
            .get("resource")
            .map(|resource| vec![resource.clone()]);
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            about: fields.or(rules).or(resource).unwrap_or_default(),
        }
    }

    pub(crate) fn new(code: Code, reason: &str, about: &[&str]) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            about: about.iter().map(|&text| text.to_owned()).collect(),
        }
    }
}

/// Waits until a server has read its log.
pub(crate) async fn until_serving(channel: &Channel) {
    let mut health = HealthClient::new(channel.clone());
    let watching = health.watch(HealthCheckRequest::default()).await;
    let mut watching = watching.expect("health").into_inner();
    let serving = async {
        loop {
            let said = watching.message().await.expect("health").expect("health");
            if said.status() == ServingStatus::Serving {
                return;
            }
        }
    };
    in_time("the server to serve", serving).await;
}

/// Every event of workspaces/acme, page by page.
pub(crate) async fn all_events(channel: &Channel) -> Result<Vec<api::Event>, Status> {
    let mut audit = AuditServiceClient::new(channel.clone()).max_decoding_message_size(CLIENT_BYTES_MAX);
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut events = Vec::new();
    loop {
        let page = audit.list_events(request.clone()).await?.into_inner();
        events.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(events);
        }
    }
}

pub(crate) fn clock() -> Arc<SteppedClock> {
    Arc::new(SteppedClock::new(at(0)))
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((START_S + seconds) * 1_000_000)
}

pub(crate) fn time(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: START_S + seconds,
        nanos: 0,
    })
}

pub(crate) fn date(year: i32, month: i32, day: i32) -> Option<google_type::Date> {
    Some(google_type::Date { year, month, day })
}

/// A name inside workspaces/acme.
pub(crate) fn acme(path: &str) -> String {
    format!("workspaces/acme/{path}")
}

pub(crate) fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
    })
}

pub(crate) fn new_workspace(id: &str) -> api::CreateWorkspaceRequest {
    api::CreateWorkspaceRequest {
        workspace_id: id.to_owned(),
        workspace: Some(api::Workspace {
            title: id.to_owned(),
            time_zone: "America/Sao_Paulo".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn new_team(id: &str, parent: &str) -> api::CreateTeamRequest {
    let parent_team = if parent.is_empty() {
        String::new()
    } else {
        acme(&format!("teams/{parent}"))
    };
    api::CreateTeamRequest {
        parent: "workspaces/acme".to_owned(),
        team_id: id.to_owned(),
        team: Some(api::Team {
            title: id.to_owned(),
            parent_team,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn new_member(id: &str) -> api::CreateMemberRequest {
    api::CreateMemberRequest {
        parent: "workspaces/acme".to_owned(),
        member_id: id.to_owned(),
        member: Some(api::Member {
            title: id.to_owned(),
            principal: format!("{id}@acme.example"),
            roles: vec![api::member::Role::Contributor.into()],
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// From 1 January to 31 March 2026.
pub(crate) fn new_cycle(id: &str) -> api::CreateCycleRequest {
    api::CreateCycleRequest {
        parent: "workspaces/acme".to_owned(),
        cycle_id: id.to_owned(),
        cycle: Some(api::Cycle {
            title: id.to_owned(),
            first_date: date(2026, 1, 1),
            last_date: date(2026, 3, 31),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Owned by anonymous, who made the workspace, in cycle q1.
pub(crate) fn new_objective(id: &str) -> api::CreateObjectiveRequest {
    api::CreateObjectiveRequest {
        parent: "workspaces/acme".to_owned(),
        objective_id: id.to_owned(),
        objective: Some(api::Objective {
            title: id.to_owned(),
            owner: acme("members/anonymous"),
            cycle: acme("cycles/q1"),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// From 0 to 10.
pub(crate) fn new_key_result(objective: &str, id: &str) -> api::CreateKeyResultRequest {
    api::CreateKeyResultRequest {
        parent: acme(&format!("objectives/{objective}")),
        key_result_id: id.to_owned(),
        key_result: Some(api::KeyResult {
            title: id.to_owned(),
            kind: Some(api::key_result::Kind::Metric(api::Metric {
                baseline: Some(0.0),
                target: Some(10.0),
                ..Default::default()
            })),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn new_initiative(objective: &str, id: &str) -> api::CreateInitiativeRequest {
    api::CreateInitiativeRequest {
        parent: acme(&format!("objectives/{objective}")),
        initiative_id: id.to_owned(),
        initiative: Some(api::Initiative {
            title: id.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn new_check_in(key_result: &str, id: &str, value: f64) -> api::CreateCheckInRequest {
    api::CreateCheckInRequest {
        parent: acme(key_result),
        check_in_id: id.to_owned(),
        check_in: Some(api::CheckIn {
            value: Some(value),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Daily, higher is better, the last value counts.
pub(crate) fn new_kpi(id: &str) -> api::CreateKpiRequest {
    api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: id.to_owned(),
        kpi: Some(api::Kpi {
            title: id.to_owned(),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Daily.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Healthy from 50 up, from 2026 on.
pub(crate) fn new_target(kpi: &str) -> api::SetTargetRequest {
    api::SetTargetRequest {
        parent: acme(&format!("kpis/{kpi}")),
        target: Some(api::Target {
            effective_date: date(2026, 1, 1),
            at_least: Some(50.0),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn measure(kpi: &str, second: i64, value: f64) -> api::RecordMeasurementRequest {
    api::RecordMeasurementRequest {
        parent: acme(&format!("kpis/{kpi}")),
        measurement: Some(api::Measurement {
            effective_time: time(second),
            value: Some(value),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// workspaces/acme alone; its owner is members/anonymous.
pub(crate) async fn with_workspace(server: &Server) {
    server
        .workspaces()
        .create_workspace(new_workspace("acme"))
        .await
        .expect("a workspace");
}

/// A workspace with one KPI, nps.
pub(crate) async fn with_kpi(server: &Server) {
    with_workspace(server).await;
    server.kpis().create_kpi(new_kpi("nps")).await.expect("a KPI");
}

/// The little company: team sales, cycle q1 (active), KPI nps with a target and a value, and objective win (active)
/// with key results deals (by check-ins) and nps (by the KPI), initiative demos.
pub(crate) async fn with_company(server: &Server) {
    with_kpi(server).await;
    server
        .workspaces()
        .create_team(new_team("sales", ""))
        .await
        .expect("a team");
    server
        .cycles()
        .create_cycle(new_cycle("q1"))
        .await
        .expect("a cycle");
    let activate = api::ActivateCycleRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    };
    server
        .cycles()
        .activate_cycle(activate)
        .await
        .expect("an active cycle");
    server
        .kpis()
        .set_target(new_target("nps"))
        .await
        .expect("a target");
    server
        .kpis()
        .record_measurement(measure("nps", 0, 40.0))
        .await
        .expect("a value");
    let mut win = new_objective("win");
    win.objective.as_mut().expect("an objective").team = acme("teams/sales");
    server
        .objectives()
        .create_objective(win)
        .await
        .expect("an objective");
    server
        .objectives()
        .create_key_result(new_key_result("win", "deals"))
        .await
        .expect("a key result");
    server
        .objectives()
        .create_key_result(key_result_of_kpi("win", "nps", "nps"))
        .await
        .expect("a key result");
    server
        .objectives()
        .create_initiative(new_initiative("win", "demos"))
        .await
        .expect("an initiative");
    activate_objective(server, "win").await;
}

/// A key result from where the KPI stands to 65.
pub(crate) fn key_result_of_kpi(objective: &str, id: &str, kpi: &str) -> api::CreateKeyResultRequest {
    let mut request = new_key_result(objective, id);
    let key_result = request.key_result.as_mut().expect("a key result");
    key_result.kpi = acme(&format!("kpis/{kpi}"));
    key_result.kind = Some(api::key_result::Kind::Metric(api::Metric {
        baseline: None,
        target: Some(65.0),
        ..Default::default()
    }));
    request
}

pub(crate) async fn activate_objective(server: &Server, id: &str) {
    let activate = api::ActivateObjectiveRequest {
        name: acme(&format!("objectives/{id}")),
        ..Default::default()
    };
    server
        .objectives()
        .activate_objective(activate)
        .await
        .expect("an active objective");
}

/// The stable reason of a refusal.
pub(crate) fn reason_of(status: &Status) -> String {
    Refused::of(status).reason
}
