//! `SuggestTarget`, `ForecastKpi` and `ForecastKeyResult`: what the past says, at one revision. Nothing is recorded.
//!
//! A model takes milliseconds to fit, which would keep the calls on an async thread waiting, so each is answered on a thread
//! of its own.

use tonic::{Response, Status};

use super::api::Api;
use super::reads::ReadRequest;
use super::{from_proto, lists, names, to_proto};
use crate::domain::{Id, Workspace};
use crate::engine::Refusal;
use crate::projection::{ForecastRefusal, forecast_key_result, forecast_kpi, suggest_target};
use crate::proto::api;

impl Api {
    pub(super) async fn suggestions(
        &self,
        request: &api::SuggestTargetRequest,
    ) -> Result<Response<api::TargetSuggestions>, Status> {
        let (id, kpi) = names::kpi("name", &request.name)?;
        let count = from_proto::suggestion_periods(request.periods)?;
        self.answer(&id.clone(), request, move |workspace| {
            let suggested = suggest_target(workspace, &kpi, count)?;
            let (today, revision) = (workspace.today(), workspace.revision());
            Ok(to_proto::target_suggestions(
                &id, &kpi, suggested, today, revision,
            ))
        })
        .await
    }

    pub(super) async fn forecast_of_kpi(
        &self,
        request: &api::ForecastKpiRequest,
    ) -> Result<Response<api::KpiForecast>, Status> {
        let (id, kpi) = names::kpi("name", &request.name)?;
        let horizon = from_proto::forecast_horizon(request.horizon.as_ref())?;
        self.answer(&id.clone(), request, move |workspace| {
            let forecast = forecast_kpi(workspace, &kpi, horizon)?;
            Ok(to_proto::kpi_forecast(&id, &kpi, &forecast, workspace.revision()))
        })
        .await
    }

    pub(super) async fn forecast_of_key_result(
        &self,
        request: &api::ForecastKeyResultRequest,
    ) -> Result<Response<api::KeyResultForecast>, Status> {
        let (id, key_result) = names::key_result("name", &request.name)?;
        self.answer(&id.clone(), request, move |workspace| {
            let forecast = forecast_key_result(workspace, &key_result)?;
            let revision = workspace.revision();
            Ok(to_proto::key_result_forecast(
                &id,
                &key_result,
                &forecast,
                revision,
            ))
        })
        .await
    }

    /// Answers from the state that the request is about, on a thread that may take its time.
    async fn answer<T: Send + 'static>(
        &self,
        workspace: &Id,
        request: &impl ReadRequest,
        answer: impl FnOnce(&Workspace) -> Result<T, ForecastRefusal> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let (_, state) = self.seen(workspace, request).await?;
        lists::workspace_found(state.workspace(), false)?;
        let answered = tokio::task::spawn_blocking(move || answer(state.workspace())).await;
        Ok(Response::new(answered.map_err(|_panicked| Refusal::Panicked)??))
    }
}
