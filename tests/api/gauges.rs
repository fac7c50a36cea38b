//! Short words for the tests of KPIs: a gauge and what is asked of it, its alerts, values put right and taken back.

use binnacle::proto::api;

use crate::common::*;
use crate::steps::*;

/// A KPI that is daily and better when higher, but for what is changed.
pub(crate) async fn with_gauge(server: &Server, id: &str, change: impl FnOnce(&mut api::Kpi)) {
    let mut request = new_kpi(id);
    change(request.kpi.as_mut().expect("a KPI"));
    server.kpis().create_kpi(request).await.expect("a KPI");
}

pub(crate) async fn kpi(server: &Server, id: &str) -> api::Kpi {
    let request = named!(GetKpiRequest, acme(&format!("kpis/{id}")));
    server.kpis().get_kpi(request).await.expect("a KPI").into_inner()
}

pub(crate) async fn health(server: &Server, id: &str) -> api::KpiHealth {
    kpi(server, id).await.health.expect("its health")
}

/// A value, so many seconds after the start, that is recorded.
pub(crate) async fn record(server: &Server, kpi: &str, second: i64, value: f64) -> api::Measurement {
    let recorded = server
        .kpis()
        .record_measurement(measure(kpi, second, value))
        .await;
    recorded.expect("a value").into_inner()
}

/// From a day of January 2026 on.
pub(crate) fn target(
    kpi: &str,
    january: i32,
    change: impl FnOnce(&mut api::Target),
) -> api::SetTargetRequest {
    let mut target = api::Target {
        effective_date: date(2026, 1, january),
        ..Default::default()
    };
    change(&mut target);
    api::SetTargetRequest {
        parent: acme(&format!("kpis/{kpi}")),
        target: Some(target),
        ..Default::default()
    }
}

pub(crate) fn correction(kpi: &str, second: i64, value: f64) -> api::CorrectMeasurementRequest {
    let api::RecordMeasurementRequest {
        parent, measurement, ..
    } = measure(kpi, second, value);
    api::CorrectMeasurementRequest {
        parent,
        measurement,
        ..Default::default()
    }
}

pub(crate) fn retraction(kpi: &str, second: i64) -> api::RetractMeasurementRequest {
    api::RetractMeasurementRequest {
        parent: acme(&format!("kpis/{kpi}")),
        effective_time: time(second),
        ..Default::default()
    }
}

/// `nps/breach-7` as a full name.
pub(crate) fn alert_name(path: &str) -> String {
    let (kpi, id) = path.split_once('/').expect("a path");
    acme(&format!("kpis/{kpi}/alerts/{id}"))
}

pub(crate) async fn alert(server: &Server, path: &str) -> api::Alert {
    let request = named!(GetAlertRequest, alert_name(path));
    server
        .kpis()
        .get_alert(request)
        .await
        .expect("an alert")
        .into_inner()
}

pub(crate) fn list_alerts(filter: &str) -> api::ListAlertsRequest {
    api::ListAlertsRequest {
        parent: acme("kpis/-"),
        filter: filter.to_owned(),
        ..Default::default()
    }
}

/// The alerts of all KPIs that a filter finds, as `nps/breach-7`.
pub(crate) async fn alerts(server: &Server, filter: &str) -> Vec<String> {
    let listed = server.kpis().list_alerts(list_alerts(filter)).await;
    let listed = listed.expect("alerts").into_inner().alerts;
    listed.iter().map(|alert| path_of(&alert.name)).collect()
}

fn path_of(name: &str) -> String {
    name.trim_start_matches("workspaces/acme/kpis/")
        .replace("/alerts/", "/")
}

pub(crate) fn plan(text: &str, change: impl FnOnce(&mut api::ActionPlan)) -> Option<api::ActionPlan> {
    let mut plan = api::ActionPlan {
        text: text.to_owned(),
        ..Default::default()
    };
    change(&mut plan);
    Some(plan)
}

/// Whether an alert still asks, and why not.
pub(crate) fn standing(alert: &api::Alert) -> (api::alert::State, api::alert::CloseReason) {
    (alert.state(), alert.close_reason())
}

pub(crate) const OPEN: (api::alert::State, api::alert::CloseReason) =
    (api::alert::State::Open, api::alert::CloseReason::Unspecified);

pub(crate) fn closed(reason: api::alert::CloseReason) -> (api::alert::State, api::alert::CloseReason) {
    (api::alert::State::Closed, reason)
}
