//! A server on a free port whose clock shows the day that a test says, the office's workspace, and short words for calls.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};
use std::sync::Arc;

use binnacle::domain::Timestamp;
use binnacle::engine::{Engine, EngineConfig, SteppedClock};
use binnacle::log::{EventLog, MemoryLog};
use binnacle::proto::{api, google_type};
use binnacle::service::ServerConfig;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::common::*;
use crate::figures::{self, Months, SERVICES, lower_is_better, percent};
use crate::naive::{Bounds, Rules};

/// Noon of this day in UTC.
pub(crate) fn noon(day: Date) -> Timestamp {
    Timestamp::from_micros((start_s(day) + 12 * 3600) * 1_000_000)
}

/// When a day begins in UTC, in seconds.
pub(crate) fn start_s(day: Date) -> i64 {
    let begins = day.to_zoned(TimeZone::UTC).expect("a day");
    begins.timestamp().as_second()
}

/// When a day begins in UTC.
pub(crate) fn start_of(day: Date) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: start_s(day),
        nanos: 0,
    })
}

pub(crate) fn day(day: Date) -> Option<google_type::Date> {
    date(day.year().into(), day.month().into(), day.day().into())
}

/// `2023-02-01`.
pub(crate) fn shown(day: Option<&google_type::Date>) -> String {
    let day = day.expect("a day");
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

/// A server whose clock shows noon of this day, with the workspace acme in UTC.
pub(crate) async fn server_on(day: Date) -> Server {
    let clock = Arc::new(SteppedClock::new(noon(day)));
    let given = Arc::clone(&clock);
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
    let server = Server::opening(ServerConfig::default(), clock, move || {
        Engine::open(log, None, given, EngineConfig::default()).expect("an engine")
    })
    .await;
    until_serving(&server.channel).await;
    let mut request = new_workspace("acme");
    request.workspace.as_mut().expect("a workspace").time_zone = "UTC".to_owned();
    let created = server.workspaces().create_workspace(request).await;
    created.expect("a workspace");
    server
}

/// `binnacle import kpi` for the workspace; what it prints.
pub(crate) async fn import(server: &Server, args: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_binnacle"));
    command
        .args(["import", "kpi", "--workspace", "acme", "--server"])
        .arg(format!("http://{}", server.address))
        .args(args.into_iter().map(|arg| arg.as_ref().to_owned()))
        .env_remove("BINNACLE_ACTOR");
    let run = tokio::task::spawn_blocking(move || command.output());
    let Output {
        status,
        stdout,
        stderr,
    } = run.await.expect("it waits").expect("the program starts");
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text").trim_end().to_owned()
}

/// How the files' columns are called.
pub(crate) const COLUMNS: [&str; 4] = ["--time", "_timestamp", "--value", "count"];

/// The published figures of both services, all of them, as twelve KPIs of 15 July 2026.
pub(crate) async fn with_figures() -> Server {
    let server = server_on(Date::constant(2026, 7, 15)).await;
    let printed = import(&server, mapping()).await;
    assert_eq!(
        printed,
        "618 rows read: 618 recorded, 0 superseded, 0 unchanged; 12 KPIs created"
    );
    server
}

/// The flags that make twelve KPIs of both files: percents are the latest, answers are counted and added up.
fn mapping() -> Vec<String> {
    let mut args: Vec<String> = SERVICES.iter().map(|(_, file)| figures::path(file)).collect();
    args.extend(COLUMNS.map(str::to_owned));
    let flags = "--kpi-column service --kpi-column dataType --create --cadence monthly --direction higher \
                 --unit count --aggregation sum";
    args.extend(flags.split_whitespace().map(str::to_owned));
    for (service, _) in SERVICES {
        let percent = percent(service);
        args.extend(["--unit".to_owned(), format!("{percent}=percent")]);
        args.extend(["--aggregation".to_owned(), format!("{percent}=last")]);
        for answer in ["neither", "dissatisfied", "very-dissatisfied"] {
            args.extend(["--direction".to_owned(), format!("{service}-{answer}=lower")]);
        }
    }
    args
}

/// A monthly KPI as the import would make it: a percent, or an answer that is counted.
pub(crate) async fn with_gauge(server: &Server, id: &str, change: impl FnOnce(&mut api::Kpi)) {
    let is_count = figures::ANSWERS.iter().any(|answer| id.ends_with(answer));
    let (unit, aggregation) = match is_count {
        true => (api::unit::Kind::Count, api::Aggregation::Sum),
        false => (api::unit::Kind::Percent, api::Aggregation::Last),
    };
    let mut request = new_kpi(id);
    let kpi = request.kpi.as_mut().expect("a KPI");
    kpi.cadence = api::Cadence::Monthly.into();
    kpi.aggregation = aggregation.into();
    kpi.unit = Some(api::Unit {
        kind: unit.into(),
        ..Default::default()
    });
    if lower_is_better(id) {
        kpi.direction = api::Direction::LowerIsBetter.into();
    }
    change(kpi);
    server.kpis().create_kpi(request).await.expect("a KPI");
}

/// Bounds of a KPI from a day on.
pub(crate) async fn ask(server: &Server, id: &str, from: Date, bounds: Bounds) {
    let request = api::SetTargetRequest {
        parent: acme(&format!("kpis/{id}")),
        target: Some(api::Target {
            effective_date: day(from),
            at_least: Some(bounds.at_least),
            critical_at_least: bounds.critical,
            ..Default::default()
        }),
        ..Default::default()
    };
    server.kpis().set_target(request).await.expect("a target");
}

/// Fiscal years begin in this month, 1 to 12.
pub(crate) async fn with_fiscal_year(server: &Server, first_month: i32) {
    let request = api::UpdateWorkspaceRequest {
        workspace: Some(api::Workspace {
            name: "workspaces/acme".to_owned(),
            fiscal_year_first_month: first_month,
            ..Default::default()
        }),
        update_mask: mask(&["fiscal_year_first_month"]),
        ..Default::default()
    };
    let updated = server.workspaces().update_workspace(request).await;
    updated.expect("another fiscal year");
}

pub(crate) async fn policy(server: &Server, change: impl FnOnce(&mut api::AlertRules)) {
    let mut alerts = api::AlertRules::default();
    change(&mut alerts);
    let request = api::UpdateScoringPolicyRequest {
        scoring_policy: Some(api::ScoringPolicy {
            name: acme("scoringPolicy"),
            alerts: Some(alerts),
            ..Default::default()
        }),
        ..Default::default()
    };
    let updated = server.workspaces().update_scoring_policy(request).await;
    updated.expect("a policy");
}

pub(crate) async fn with_rules(server: &Server, rules: Rules) {
    policy(server, |it| {
        (it.breach_after, it.recover_after) = (Some(rules.breach_after), Some(rules.recover_after));
    })
    .await;
}

/// Something is written: the first command of a day begins it.
pub(crate) async fn begin_day(server: &Server) {
    let id = format!("of-{}", server.head().await);
    let created = server.workspaces().create_member(new_member(&id)).await;
    created.expect("a member");
}

pub(crate) fn measurement(id: &str, month: Date, source: &str, value: f64) -> api::Measurement {
    api::Measurement {
        kpi: acme(&format!("kpis/{id}")),
        effective_time: start_of(month),
        source_id: source.to_owned(),
        value: Some(value),
        ..Default::default()
    }
}

pub(crate) async fn record(server: &Server, measurements: Vec<api::Measurement>) -> i64 {
    let request = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements,
        ..Default::default()
    };
    let recorded = server.kpis().batch_record_measurements(request).await;
    recorded.expect("recorded").into_inner().revision
}

/// All KPIs, by id.
pub(crate) async fn kpis(server: &Server) -> BTreeMap<String, api::Kpi> {
    let request = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let listed = server.kpis().list_kpis(request).await.expect("KPIs");
    let kpis = listed.into_inner().kpis.into_iter();
    kpis.map(|kpi| (id_of(&kpi.name), kpi)).collect()
}

pub(crate) async fn health(server: &Server, id: &str) -> api::KpiHealth {
    let request = api::GetKpiRequest {
        name: acme(&format!("kpis/{id}")),
        ..Default::default()
    };
    let kpi = server.kpis().get_kpi(request).await.expect("a KPI");
    kpi.into_inner().health.expect("its health")
}

/// `nps` of `workspaces/acme/kpis/nps` and of whatever lies below it.
pub(crate) fn id_of(name: &str) -> String {
    let path = name.strip_prefix("workspaces/acme/kpis/").expect("a KPI");
    path.split('/').next().expect("an id").to_owned()
}

pub(crate) async fn series(
    server: &Server,
    id: &str,
    change: impl FnOnce(&mut api::GetSeriesRequest),
) -> api::KpiSeries {
    let mut request = api::GetSeriesRequest {
        name: acme(&format!("kpis/{id}")),
        ..Default::default()
    };
    change(&mut request);
    let answer = server.kpis().get_series(request).await;
    answer.expect("a series").into_inner()
}

/// The series of some KPIs in one answer, by id.
pub(crate) async fn batch(
    server: &Server,
    ids: impl IntoIterator<Item = &String>,
    change: impl FnOnce(&mut api::BatchGetSeriesRequest),
) -> BTreeMap<String, api::KpiSeries> {
    let mut request = api::BatchGetSeriesRequest {
        parent: "workspaces/acme".to_owned(),
        names: ids.into_iter().map(|id| acme(&format!("kpis/{id}"))).collect(),
        ..Default::default()
    };
    change(&mut request);
    let answer = server.kpis().batch_get_series(request).await.expect("series");
    let answer = answer.into_inner();
    assert!(answer.series.iter().all(|one| one.revision == answer.revision));
    let series = answer.series.into_iter();
    series.map(|one| (id_of(&one.kpi), one)).collect()
}

/// The months of a monthly series that have a value.
pub(crate) fn months(series: &api::KpiSeries) -> Months {
    let values = series.points.iter().filter_map(|point| {
        let month: Date = shown(point.first_date.as_ref()).parse().expect("a day");
        Some((month, point.value?))
    });
    values.collect()
}

/// The alerts of all KPIs that a filter finds, in the order in which they opened.
pub(crate) async fn alerts(server: &Server, filter: &str) -> Vec<api::Alert> {
    let mut request = api::ListAlertsRequest {
        parent: acme("kpis/-"),
        page_size: 1000,
        filter: filter.to_owned(),
        order_by: "open_time".to_owned(),
        ..Default::default()
    };
    let mut alerts = Vec::new();
    loop {
        let page = server.kpis().list_alerts(request.clone()).await.expect("alerts");
        let page = page.into_inner();
        alerts.extend(page.alerts);
        if page.next_page_token.is_empty() {
            return alerts;
        }
        request.page_token = page.next_page_token;
    }
}

/// What is open: of each KPI the kinds of its alerts.
pub(crate) async fn open_kinds(server: &Server) -> BTreeSet<(String, &'static str)> {
    let open = alerts(server, "state = OPEN").await;
    let kinds = open
        .iter()
        .map(|alert| (id_of(&alert.name), alert.kind().as_str_name()));
    kinds.collect()
}
