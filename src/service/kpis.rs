//! `KpiService`: KPIs, targets, measurements, alerts.

use futures_util::stream::{BoxStream, StreamExt};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::api::{Api, wire};
use super::ingest::Ingest;
use super::kpi_answers::{batch_answer, deleted_target, known_before, recorded, started};
use super::reads::NO_FILTERS;
use super::{from_proto, lists, names, to_proto};
use crate::domain::{Rejection, ResourceName};
use crate::proto::api;
use crate::proto::api::kpi_service_server::KpiService;

#[async_trait]
impl KpiService for Api {
    async fn create_kpi(
        &self,
        request: Request<api::CreateKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn get_kpi(&self, request: Request<api::GetKpiRequest>) -> Result<Response<api::Kpi>, Status> {
        let request = request.get_ref();
        let (workspace, kpi) = names::kpi("name", &request.name)?;
        self.get(&workspace, &ResourceName::Kpi(kpi), request).await
    }

    async fn list_kpis(
        &self,
        request: Request<api::ListKpisRequest>,
    ) -> Result<Response<api::ListKpisResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let page = self
            .list_narrowed(request, &workspace, lists::no_parent, lists::kpis, |entry| {
                let health = entry.state.figures().kpi(entry.id);
                to_proto::kpi(&workspace, entry.id, entry.it, health)
            })
            .await?;
        Ok(Response::new(api::ListKpisResponse {
            kpis: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn update_kpi(
        &self,
        request: Request<api::UpdateKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn set_target(
        &self,
        request: Request<api::SetTargetRequest>,
    ) -> Result<Response<api::Target>, Status> {
        self.write_and_show(request).await
    }

    async fn list_targets(
        &self,
        request: Request<api::ListTargetsRequest>,
    ) -> Result<Response<api::ListTargetsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, kpi) = names::kpi_or_all("parent", &request.parent)?;
        let page = self
            .list(request, NO_FILTERS, &workspace, |state, after, count| {
                lists::workspace_found(state.workspace(), false)?;
                if let Some(kpi) = &kpi {
                    state.workspace().kpi(kpi)?;
                }
                Ok(lists::targets(state.workspace(), kpi.as_ref(), after)
                    .take(count)
                    .map(|(key, id, of, date, set)| {
                        let unit = of.fields.judged_unit();
                        (key, to_proto::target(&workspace, id, &unit, date, set))
                    })
                    .collect())
            })
            .await?;
        Ok(Response::new(api::ListTargetsResponse {
            targets: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn record_measurement(
        &self,
        request: Request<api::RecordMeasurementRequest>,
    ) -> Result<Response<api::Measurement>, Status> {
        let asked = request.get_ref().clone();
        let written = self.write(request).await?;
        let shown = recorded(&written).map_or_else(|| known_before(&written, &asked), Ok)?;
        Ok(written.answer(shown))
    }

    async fn batch_record_measurements(
        &self,
        request: Request<api::BatchRecordMeasurementsRequest>,
    ) -> Result<Response<api::BatchRecordMeasurementsResponse>, Status> {
        let count = request.get_ref().measurements.len();
        let written = self.write(request).await?;
        let answer = batch_answer(&written, count);
        Ok(written.answer(answer))
    }

    type IngestMeasurementsStream = BoxStream<'static, Result<api::IngestMeasurementsResponse, Status>>;

    async fn ingest_measurements(
        &self,
        request: Request<Streaming<api::IngestMeasurementsRequest>>,
    ) -> Result<Response<Self::IngestMeasurementsStream>, Status> {
        Ok(Response::new(Ingest::begin(self, request)?.answers().boxed()))
    }

    async fn list_measurements(
        &self,
        request: Request<api::ListMeasurementsRequest>,
    ) -> Result<Response<api::ListMeasurementsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, kpi) = names::kpi("parent", &request.parent)?;
        let start = from_proto::optional_timestamp("start_time", request.start_time.as_ref())?;
        let end = from_proto::optional_timestamp("end_time", request.end_time.as_ref())?;
        let filters = [start, end].map(|bound| bound.map(|at| at.to_string()).unwrap_or_default());
        let page = self
            .list(
                request,
                &[&filters[0], &filters[1]],
                &workspace,
                |state, after, count| {
                    lists::workspace_found(state.workspace(), false)?;
                    let series = state.workspace().kpi(&kpi)?;
                    Ok(lists::measurements(series, start, end, after)
                        .take(count)
                        .map(|(key, point)| {
                            let series = &series.series;
                            (
                                key,
                                to_proto::measurement_of_point(
                                    &workspace,
                                    &kpi,
                                    series,
                                    point,
                                    state.workspace(),
                                ),
                            )
                        })
                        .collect())
                },
            )
            .await?;
        Ok(Response::new(api::ListMeasurementsResponse {
            measurements: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn delete_kpi(
        &self,
        request: Request<api::DeleteKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn undelete_kpi(
        &self,
        request: Request<api::UndeleteKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn archive_kpi(
        &self,
        request: Request<api::ArchiveKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn unarchive_kpi(
        &self,
        request: Request<api::UnarchiveKpiRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn delete_target(
        &self,
        request: Request<api::DeleteTargetRequest>,
    ) -> Result<Response<api::Target>, Status> {
        let written = self.write(request).await?;
        let shown = deleted_target(&written)?;
        Ok(written.answer(shown))
    }

    async fn correct_measurement(
        &self,
        request: Request<api::CorrectMeasurementRequest>,
    ) -> Result<Response<api::Measurement>, Status> {
        let api::CorrectMeasurementRequest {
            parent,
            measurement,
            request_id: _,
            reason: _,
        } = request.get_ref();
        let asked = api::RecordMeasurementRequest {
            parent: parent.clone(),
            measurement: measurement.clone(),
            ..api::RecordMeasurementRequest::default()
        };
        let written = self.write(request).await?;
        let shown = recorded(&written).map_or_else(|| known_before(&written, &asked), Ok)?;
        Ok(written.answer(shown))
    }

    async fn retract_measurement(
        &self,
        request: Request<api::RetractMeasurementRequest>,
    ) -> Result<Response<api::Measurement>, Status> {
        let written = self.write(request).await?;
        let shown = recorded(&written).ok_or_else(|| Rejection::NotFound(written.resource.clone()))?;
        Ok(written.answer(shown))
    }

    async fn get_alert(
        &self,
        request: Request<api::GetAlertRequest>,
    ) -> Result<Response<api::Alert>, Status> {
        let request = request.get_ref();
        let (workspace, (kpi, id)) = names::alert("name", &request.name)?;
        self.get(&workspace, &ResourceName::Alert(kpi, id), request).await
    }

    async fn list_alerts(
        &self,
        request: Request<api::ListAlertsRequest>,
    ) -> Result<Response<api::ListAlertsResponse>, Status> {
        let request = request.get_ref();
        let (workspace, kpi) = names::kpi_or_all("parent", &request.parent)?;
        let page = self
            .list_narrowed(
                request,
                &workspace,
                |workspace, show_deleted| match &kpi {
                    Some(kpi) => lists::found(workspace.kpi(kpi), show_deleted),
                    None => Ok(()),
                },
                |state, after| lists::alerts(state, kpi.as_ref(), after),
                |entry| {
                    let of = entry.state.workspace().kpis().get(entry.id);
                    let shown = of.map(|of| to_proto::alert(&workspace, entry.id, &of.fields, entry.it));
                    shown.unwrap_or_default()
                },
            )
            .await?;
        Ok(Response::new(api::ListAlertsResponse {
            alerts: page.items,
            next_page_token: page.next_page_token,
            revision: wire(page.revision),
        }))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<api::AcknowledgeAlertRequest>,
    ) -> Result<Response<api::Alert>, Status> {
        self.write_and_show(request).await
    }

    async fn set_action_plan(
        &self,
        request: Request<api::SetActionPlanRequest>,
    ) -> Result<Response<api::Alert>, Status> {
        self.write_and_show(request).await
    }

    async fn complete_action_plan(
        &self,
        request: Request<api::CompleteActionPlanRequest>,
    ) -> Result<Response<api::Alert>, Status> {
        self.write_and_show(request).await
    }

    async fn start_objective_from_kpi(
        &self,
        request: Request<api::StartObjectiveFromKpiRequest>,
    ) -> Result<Response<api::StartObjectiveFromKpiResponse>, Status> {
        let written = self.write(request).await?;
        let answer = started(&written)?;
        Ok(written.answer(answer))
    }

    async fn create_kpi_from_key_result(
        &self,
        request: Request<api::CreateKpiFromKeyResultRequest>,
    ) -> Result<Response<api::Kpi>, Status> {
        self.write_and_show(request).await
    }

    async fn get_series(
        &self,
        request: Request<api::GetSeriesRequest>,
    ) -> Result<Response<api::KpiSeries>, Status> {
        self.one_series(request).await
    }

    async fn batch_get_series(
        &self,
        request: Request<api::BatchGetSeriesRequest>,
    ) -> Result<Response<api::BatchGetSeriesResponse>, Status> {
        self.many_series(request).await
    }

    async fn suggest_target(
        &self,
        request: Request<api::SuggestTargetRequest>,
    ) -> Result<Response<api::TargetSuggestions>, Status> {
        self.suggestions(request.get_ref()).await
    }

    async fn forecast_kpi(
        &self,
        request: Request<api::ForecastKpiRequest>,
    ) -> Result<Response<api::KpiForecast>, Status> {
        self.forecast_of_kpi(request.get_ref()).await
    }

    async fn forecast_key_result(
        &self,
        request: Request<api::ForecastKeyResultRequest>,
    ) -> Result<Response<api::KeyResultForecast>, Status> {
        self.forecast_of_key_result(request.get_ref()).await
    }
}
