//! The baseline: tonic with nothing behind it. It answers the measurement that it was sent.

use std::net::SocketAddr;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_server::{KpiService, KpiServiceServer};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

struct Echo;

pub(crate) fn serve(address: &str) {
    let address: SocketAddr = address.parse().expect("an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let incoming = TcpIncoming::bind(address)
            .expect("the address")
            .with_nodelay(Some(true));
        println!("{}", incoming.local_addr().expect("an address"));
        Server::builder()
            .add_service(KpiServiceServer::new(Echo))
            .serve_with_incoming(incoming)
            .await
            .expect("the echo");
    });
}

macro_rules! not_here {
    ($($call:ident($Request:ident) -> $Answer:ident;)*) => {
        #[async_trait]
        impl KpiService for Echo {
            async fn record_measurement(
                &self,
                request: Request<api::RecordMeasurementRequest>,
            ) -> Result<Response<api::Measurement>, Status> {
                Ok(Response::new(request.into_inner().measurement.unwrap_or_default()))
            }

            type IngestMeasurementsStream =
                futures_util::stream::Pending<Result<api::IngestMeasurementsResponse, Status>>;

            async fn ingest_measurements(
                &self,
                _: Request<tonic::Streaming<api::IngestMeasurementsRequest>>,
            ) -> Result<Response<Self::IngestMeasurementsStream>, Status> {
                Err(Status::unimplemented("the echo knows one call"))
            }

            $(
                async fn $call(&self, _: Request<api::$Request>) -> Result<Response<api::$Answer>, Status> {
                    Err(Status::unimplemented("the echo knows one call"))
                }
            )*
        }
    };
}

not_here! {
    create_kpi(CreateKpiRequest) -> Kpi;
    get_kpi(GetKpiRequest) -> Kpi;
    list_kpis(ListKpisRequest) -> ListKpisResponse;
    update_kpi(UpdateKpiRequest) -> Kpi;
    delete_kpi(DeleteKpiRequest) -> Kpi;
    undelete_kpi(UndeleteKpiRequest) -> Kpi;
    set_target(SetTargetRequest) -> Target;
    list_targets(ListTargetsRequest) -> ListTargetsResponse;
    batch_record_measurements(BatchRecordMeasurementsRequest) -> BatchRecordMeasurementsResponse;
    list_measurements(ListMeasurementsRequest) -> ListMeasurementsResponse;
    archive_kpi(ArchiveKpiRequest) -> Kpi;
    unarchive_kpi(UnarchiveKpiRequest) -> Kpi;
    delete_target(DeleteTargetRequest) -> Target;
    correct_measurement(CorrectMeasurementRequest) -> Measurement;
    retract_measurement(RetractMeasurementRequest) -> Measurement;
    get_alert(GetAlertRequest) -> Alert;
    list_alerts(ListAlertsRequest) -> ListAlertsResponse;
    acknowledge_alert(AcknowledgeAlertRequest) -> Alert;
    set_action_plan(SetActionPlanRequest) -> Alert;
    complete_action_plan(CompleteActionPlanRequest) -> Alert;
    start_objective_from_kpi(StartObjectiveFromKpiRequest) -> StartObjectiveFromKpiResponse;
    create_kpi_from_key_result(CreateKpiFromKeyResultRequest) -> Kpi;
    get_series(GetSeriesRequest) -> KpiSeries;
    batch_get_series(BatchGetSeriesRequest) -> BatchGetSeriesResponse;
    suggest_target(SuggestTargetRequest) -> TargetSuggestions;
    forecast_kpi(ForecastKpiRequest) -> KpiForecast;
    forecast_key_result(ForecastKeyResultRequest) -> KeyResultForecast;
}
