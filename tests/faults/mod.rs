//! What the fault tests share: load, what was answered to it, what is stored, and what must hold between the two.
//!
//! `tests/kill.rs` uses it beside a server that it kills; `tests/power_cut/load.rs` beside a disk that is cut off.

pub(crate) mod follower;
pub(crate) mod invariants;
#[allow(dead_code, reason = "the power-cut rounds alone keep one")]
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod store;

use std::time::Duration;

use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::api::{
    Aggregation, Cadence, CreateKpiRequest, CreateWorkspaceRequest, Direction, Kpi, Workspace,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

pub(crate) const WORKSPACE: &str = "workspaces/faults";
pub(crate) const KPI: &str = "workspaces/faults/kpis/load";

/// How often a server is asked whether it serves, and how long: an upper bound, so that a test fails and never hangs.
const ASK_EVERY: Duration = Duration::from_millis(5);
const ASK_AT_MOST: u32 = 24_000;

/// A connection of its own to the server.
pub(crate) async fn connect(address: &str) -> Result<Channel, Status> {
    let unavailable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    Endpoint::from_shared(format!("http://{address}"))
        .map_err(unavailable)?
        .connect()
        .await
        .map_err(unavailable)
}

/// Waits until the server has replayed its log; `false`: it does not come to it.
pub(crate) async fn wait_until_serving(address: &str) -> bool {
    for _ in 0..ASK_AT_MOST {
        if let Ok(channel) = connect(address).await {
            let request = HealthCheckRequest::default();
            match HealthClient::new(channel)
                .check(request)
                .await
                .map(tonic::Response::into_inner)
            {
                Ok(HealthCheckResponse { status }) if status == ServingStatus::Serving as i32 => return true,
                Ok(_) | Err(_) => {}
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    false
}

/// Creates the workspace and the KPI that the load goes to, unless they are there.
pub(crate) async fn set_up(channel: &Channel) -> Result<(), Status> {
    let workspace = CreateWorkspaceRequest {
        workspace_id: "faults".to_owned(),
        workspace: Some(Workspace {
            title: "Faults".to_owned(),
            ..Workspace::default()
        }),
        ..CreateWorkspaceRequest::default()
    };
    let created = WorkspaceServiceClient::new(channel.clone())
        .create_workspace(workspace)
        .await;
    unless_there(created)?;
    let kpi = CreateKpiRequest {
        parent: WORKSPACE.to_owned(),
        kpi_id: "load".to_owned(),
        kpi: Some(Kpi {
            title: "Load".to_owned(),
            direction: Direction::HigherIsBetter as i32,
            cadence: Cadence::Irregular as i32,
            aggregation: Aggregation::Last as i32,
            ..Kpi::default()
        }),
        ..CreateKpiRequest::default()
    };
    unless_there(KpiServiceClient::new(channel.clone()).create_kpi(kpi).await)
}

fn unless_there<T>(created: Result<T, Status>) -> Result<(), Status> {
    match created {
        Err(status) if status.code() != Code::AlreadyExists => Err(status),
        Ok(_) | Err(_) => Ok(()),
    }
}
