//! What the benchmarks of the real server share: the server, a workspace in it, and how much of everything is asked for.

#![allow(dead_code, reason = "each benchmark uses its own part")]

pub(crate) mod server;

use std::path::PathBuf;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tempfile::TempDir;
use tonic::transport::Channel;

pub(crate) const WORKSPACE: &str = "workspaces/bench";

/// What is asked for: `BINNACLE_BENCH_SCALE` says how much, `BINNACLE_BENCH_DIR` on which disk, and the arguments which
/// sections.
pub(crate) struct Asked {
    pub(crate) scale: Scale,
    pub(crate) dir: TempDir,
    sections: Vec<String>,
}

/// How long everything takes, and how many there are of it.
#[derive(Clone, Copy)]
pub(crate) struct Scale(f64);

impl Asked {
    pub(crate) fn of(bench: &str) -> Self {
        let scale = std::env::var("BINNACLE_BENCH_SCALE").ok();
        let base =
            std::env::var_os("BINNACLE_BENCH_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        let arguments = std::env::args().skip(1);
        Self {
            scale: Scale(scale.and_then(|scale| scale.parse().ok()).unwrap_or(1.0)),
            dir: tempfile::Builder::new()
                .prefix(&format!("bench-{bench}-"))
                .tempdir_in(base)
                .expect("a directory on the disk"),
            sections: arguments.filter(|arg| !arg.starts_with('-')).collect(),
        }
    }

    /// Whether a section is to run: where none is named, all are.
    pub(crate) fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|name| name == section)
    }
}

impl Scale {
    pub(crate) fn seconds(self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds * self.0).max(0.5))
    }

    /// A part of it.
    pub(crate) fn part(self, part: f64) -> Self {
        Self(self.0 * part)
    }

    pub(crate) fn count(self, count: u64) -> u64 {
        // A part of a million is exact enough.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let scaled = (count as f64 * self.0) as u64;
        scaled.max(1000)
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Microseconds, at least one.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a time").max(1)
}

pub(crate) fn kpi(index: u64) -> String {
    format!("{WORKSPACE}/kpis/k{index}")
}

/// The workspace, with some KPIs.
pub(crate) async fn prepare(channel: &Channel, kpis: u64) {
    let workspace = api::Workspace {
        title: "Benchmark".to_owned(),
        ..Default::default()
    };
    let request = api::CreateWorkspaceRequest {
        workspace_id: "bench".to_owned(),
        workspace: Some(workspace),
        ..Default::default()
    };
    WorkspaceServiceClient::new(channel.clone())
        .create_workspace(request)
        .await
        .expect("a workspace");
    for index in 0..kpis {
        let kpi = api::Kpi {
            title: format!("KPI {index}"),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Daily.into(),
            ..Default::default()
        };
        let request = api::CreateKpiRequest {
            parent: WORKSPACE.to_owned(),
            kpi_id: format!("k{index}"),
            kpi: Some(kpi),
            ..Default::default()
        };
        KpiServiceClient::new(channel.clone())
            .create_kpi(request)
            .await
            .expect("a KPI");
    }
}
