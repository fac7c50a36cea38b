//! `GetSeries` and `BatchGetSeries`: the history of KPIs for a chart, as known now or at a moment of the past.
//!
//! A long series takes milliseconds to walk, so that is done away from the threads that serve calls.

use tonic::{Request, Response, Status};

use super::api::{Api, wire};
use super::from_proto::{self, AskedSeries};
use super::{lists, to_proto};
use crate::domain::{Rejection, Revision};
use crate::engine::Refusal;
use crate::projection::{KpiSeries, kpi_series};
use crate::proto::api;

impl Api {
    pub(super) async fn one_series(
        &self,
        request: Request<api::GetSeriesRequest>,
    ) -> Result<Response<api::KpiSeries>, Status> {
        let asked = from_proto::series(request.get_ref())?;
        let workspace = asked.workspace.clone();
        let (series, revision) = self.series(asked).await?;
        let mut shown = series
            .iter()
            .map(|one| to_proto::kpi_series(&workspace, one, revision));
        // One was asked for, so there is one.
        Ok(Response::new(shown.next().unwrap_or_default()))
    }

    pub(super) async fn many_series(
        &self,
        request: Request<api::BatchGetSeriesRequest>,
    ) -> Result<Response<api::BatchGetSeriesResponse>, Status> {
        let asked = from_proto::batch_series(request.get_ref())?;
        let workspace = asked.workspace.clone();
        let (series, revision) = self.series(asked).await?;
        let shown = series
            .iter()
            .map(|one| to_proto::kpi_series(&workspace, one, revision));
        Ok(Response::new(api::BatchGetSeriesResponse {
            series: shown.collect(),
            revision: wire(revision),
        }))
    }

    /// The histories that were asked for, and the revision that they show.
    async fn series(&self, asked: AskedSeries) -> Result<(Vec<KpiSeries>, Revision), Status> {
        let AskedSeries {
            workspace,
            kpis,
            query,
            moment,
        } = asked;
        let (_, state) = self.seen_at(&workspace, moment).await?;
        let look = move || -> Result<_, Rejection> {
            let workspace = state.workspace();
            lists::workspace_found(workspace, false)?;
            Ok((kpi_series(workspace, &kpis, &query)?, workspace.revision()))
        };
        let walk = tokio::task::spawn_blocking(look).await;
        Ok(walk.map_err(|_panicked| Refusal::Panicked)??)
    }
}
