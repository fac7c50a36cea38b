//! Retries of what is asked of KPIs: the first answer again, whatever came in between, and after a restart too.

use binnacle::engine::EngineConfig;
use binnacle::log::SledLog;
use binnacle::proto::api;
use binnacle::service::ServerConfig;

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

/// A request's id by its number.
fn request_id(number: usize) -> String {
    format!("3f0d6f8e-6c1d-4b7e-9a55-{number:012x}")
}

/// Everything that can be asked of a KPI, in an order in which each works, each with an id of its own: what is answered,
/// and the trailer.
async fn everything(server: &Server) -> Vec<String> {
    let mut said = Vec::new();
    macro_rules! ask {
        ($client:ident.$call:ident($request:expr)) => {{
            let mut request = $request;
            request.request_id = request_id(said.len());
            let answer = server.$client().$call(request).await;
            let answer = answer.unwrap_or_else(|refused| panic!("{}: {refused}", stringify!($call)));
            let revision = answer
                .metadata()
                .get("binnacle-revision")
                .cloned()
                .expect("a trailer");
            let call = stringify!($call);
            said.push(format!("{call} {revision:?} {:?}", answer.into_inner()));
        }};
    }
    let breach = alert_name("nps/breach-7");
    let kpi = acme("kpis/nps");
    let batch = |values: [f64; 4]| api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/nps"),
        measurements: values
            .into_iter()
            .zip([0, 1, 2, 2])
            .map(|(value, second)| measure("nps", second, value).measurement.expect("a measurement"))
            .collect(),
        ..Default::default()
    };
    ask!(kpis.acknowledge_alert(named!(AcknowledgeAlertRequest, breach)));
    ask!(kpis.set_action_plan(named!(SetActionPlanRequest, breach, action_plan: plan("Call", |_| {}))));
    ask!(kpis.complete_action_plan(named!(CompleteActionPlanRequest, breach)));
    ask!(kpis.start_objective_from_kpi(named!(
        StartObjectiveFromKpiRequest, kpi, cycle: acme("cycles/q1")
    )));
    ask!(kpis.create_kpi_from_key_result(named!(
        CreateKpiFromKeyResultRequest,
        key_result_name("win/deals"),
        cadence: api::Cadence::Monthly.into()
    )));
    // One commit with a value that closes an alert, and one with a value that opens one.
    ask!(kpis.record_measurement(measure("nps", 1, 60.0)));
    ask!(kpis.record_measurement(measure("nps", 1, 60.0)));
    ask!(kpis.correct_measurement(correction("nps", 1, 41.0)));
    ask!(kpis.correct_measurement(correction("nps", 1, 41.0)));
    // One unchanged, one superseded, one new and its double; an alert closes.
    ask!(kpis.batch_record_measurements(batch([40.0, 42.0, 70.0, 70.0])));
    ask!(kpis.batch_record_measurements(batch([40.0, 42.0, 70.0, 70.0])));
    ask!(kpis.retract_measurement(retraction("nps", 2)));
    ask!(kpis.retract_measurement(retraction("nps", 1)));
    ask!(kpis.retract_measurement(retraction("nps", 0)));
    ask!(kpis.record_measurement(measure("nps", 0, 45.0)));
    ask!(kpis.set_target(new_target("nps")));
    ask!(kpis.delete_target(named!(DeleteTargetRequest, acme("kpis/nps/targets/2026-01-01"))));
    ask!(kpis.archive_kpi(named!(ArchiveKpiRequest, kpi)));
    ask!(kpis.unarchive_kpi(named!(UnarchiveKpiRequest, kpi)));
    ask!(kpis.delete_kpi(named!(DeleteKpiRequest, kpi)));
    said
}

#[tokio::test]
async fn whatever_was_asked_of_a_kpi_is_answered_again_as_it_was_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = async || {
        let log = SledLog::open(folder.path()).expect("a log");
        Server::with(log, EngineConfig::default(), ServerConfig::default()).await
    };
    let mut server = start().await;
    with_company(&server).await;
    let first = everything(&server).await;
    let batches: Vec<_> = first.iter().filter(|said| said.starts_with("batch")).collect();
    assert!(
        batches[0].contains("recorded_count: 1, superseded_count: 1, unchanged_count: 2"),
        "alerts are no measurements: {}",
        batches[0]
    );
    assert!(batches[1].contains("recorded_count: 0, superseded_count: 0, unchanged_count: 4"));
    let heads = server.heads().await;
    assert_eq!(everything(&server).await, first);
    assert_eq!(server.heads().await, heads);
    server.tell_to_stop();
    server.ended().await.expect("in good order");

    let server = start().await;
    assert_eq!(everything(&server).await, first, "after a restart");
    assert_eq!(server.heads().await, heads);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_retraction_that_is_sent_many_times_at_once_takes_back_once() {
    let server = Server::start().await;
    with_company(&server).await;
    let request = api::RetractMeasurementRequest {
        request_id: new_request_id(),
        ..retraction("nps", 0)
    };
    let head = server.head().await;
    let sent: Vec<_> = (0..16)
        .map(|_| {
            let (mut client, request) = (server.kpis(), request.clone());
            tokio::spawn(async move { client.retract_measurement(request).await })
        })
        .collect();
    let mut answers = Vec::new();
    for sent in sent {
        answers.push(sent.await.expect("no panic").expect("an answer").into_inner());
    }
    answers.dedup();
    assert_eq!((answers.len(), answers[0].value), (1, Some(40.0)));
    assert_eq!(server.head().await, head + 1);
    // Without an id each is a request of its own, and there is nothing left to take back.
    let again = server
        .refusal(server.kpis().retract_measurement(retraction("nps", 0)))
        .await;
    assert_eq!(again.reason, "MEASUREMENT_NOT_FOUND");
}
