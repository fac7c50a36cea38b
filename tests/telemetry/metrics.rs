//! What a scrape shows, to whom, and when the server says that it is ready.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::service::ServerConfig;
use binnacle::telemetry::{Exposition, Format, MetricsListener, Named};
use tonic::Code;
use tonic::transport::Channel;

use crate::calls::{GET_WORKSPACE, get};
use crate::common::*;
use crate::exposition::{Families, Form, read};
use crate::http::ask;
use crate::process::ServerProcess;

const CREATE_WORKSPACE: &str = "binnacle.v1.WorkspaceService/CreateWorkspace";
const SUBSCRIBE: &str = "binnacle.v1.ProgressService/Subscribe";
const OPEN_METRICS: &str =
    "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
/// An upper bound: what takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the program with metrics and some more settings; answers where they are.
fn start(directory: &std::path::Path, settings: &[&str]) -> (ServerProcess, String) {
    let settings = [&["--metrics-listen", "127.0.0.1:0"], settings].concat();
    let server = ServerProcess::start_at(directory, "127.0.0.1:0", &settings);
    let metrics = server.metrics.clone().expect("a port for metrics");
    (server, metrics)
}

fn scrape(metrics: &str) -> Families {
    let answer = ask(metrics, "GET /metrics", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    read(&answer.body, Form::Prometheus)
}

fn count(families: &Families, method: &str, code: &str) -> f64 {
    let name = "binnacle_rpc_total";
    let labels = [("method", method), ("code", code)];
    families[name].sample(name, &labels).unwrap_or_default()
}

fn gauge(families: &Families, name: &str) -> f64 {
    families[name]
        .sample(name, &[])
        .unwrap_or_else(|| panic!("{name} has no value"))
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a server in this process shows, without a port.
fn shown(server: &Server, named: Named) -> Families {
    let exposition = Exposition::new(server.standing.clone(), PathBuf::from("."), named);
    let written = exposition.write(Format::OpenMetrics).expect("an exposition");
    read(&written, Form::OpenMetrics)
}

/// Of the objective of the little company.
async fn check_in(server: &Server) {
    let check_in = new_check_in("objectives/win/keyResults/deals", "first", 5.0);
    let checked_in = server.objectives().create_check_in(check_in).await;
    checked_in.expect("a check-in");
}

async fn serving(server: &ServerProcess) -> WorkspaceServiceClient<Channel> {
    let channel = Channel::from_shared(server.url()).expect("an address");
    let channel = channel.connect().await.expect("a server");
    until_serving(&channel).await;
    WorkspaceServiceClient::new(channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_counts_calls_by_method_and_code() {
    let directory = tempfile::tempdir().expect("a directory");
    let (server, metrics) = start(directory.path(), &[]);
    let mut workspaces = serving(&server).await;
    for id in ["acme", "zeta"] {
        workspaces
            .create_workspace(new_workspace(id))
            .await
            .expect("a workspace");
    }
    workspaces
        .create_workspace(new_workspace("acme"))
        .await
        .expect_err("there is one");
    for _ in 0..3 {
        workspaces.get_workspace(get("acme")).await.expect("a workspace");
    }
    workspaces
        .get_workspace(get("none"))
        .await
        .expect_err("no workspace");

    let families = scrape(&metrics);
    assert_eq!(count(&families, CREATE_WORKSPACE, "OK"), 2.0);
    assert_eq!(count(&families, CREATE_WORKSPACE, "ALREADY_EXISTS"), 1.0);
    assert_eq!(count(&families, GET_WORKSPACE, "OK"), 3.0);
    assert_eq!(count(&families, GET_WORKSPACE, "NOT_FOUND"), 1.0);
    let took = |suffix: &str| {
        let name = "binnacle_rpc_duration_seconds";
        let labels = [("method", GET_WORKSPACE)];
        families[name]
            .sample(&format!("{name}{suffix}"), &labels)
            .expect("a duration")
    };
    assert_eq!(took("_count"), 4.0);
    assert!((0.0..60.0).contains(&took("_sum")), "{}", took("_sum"));
    assert_eq!(gauge(&families, "binnacle_ready"), 1.0);
    assert_eq!(gauge(&families, "binnacle_queue_commands"), 0.0);
    assert_eq!(gauge(&families, "binnacle_queue_bytes"), 0.0);
    assert_eq!(gauge(&families, "binnacle_replay_events"), 0.0);
    assert!(gauge(&families, "binnacle_disk_free_bytes") > 0.0);
    assert!(gauge(&families, "binnacle_store_bytes") > 0.0);
    let of = |name: &str| {
        families[name]
            .sample(&format!("{name}_count"), &[])
            .expect("a count")
    };
    let commits = families["binnacle_group_commits"].sample("binnacle_group_commits_sum", &[]);
    assert!(commits.expect("commits") >= of("binnacle_commit_duration_seconds"));
    assert_eq!(
        of("binnacle_commit_duration_seconds"),
        2.0,
        "the refused one was not recorded"
    );
    assert_eq!(of("binnacle_group_commits"), 2.0, "one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_open_until_it_ends_and_counted_then() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let subscribe = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let stream = server.progress().subscribe(subscribe).await.expect("a stream");
    let open = |families: &Families| {
        let name = "binnacle_rpc_in_flight";
        families[name].sample(name, &[("method", SUBSCRIBE)])
    };
    let families = shown(&server, Named::Nothing);
    assert_eq!(
        (open(&families), count(&families, SUBSCRIBE, "OK")),
        (Some(1.0), 0.0)
    );
    drop(stream);
    until("the end of the stream is counted", || {
        open(&shown(&server, Named::Nothing)) == Some(0.0)
    });
    let families = shown(&server, Named::Nothing);
    assert_eq!(
        count(&families, SUBSCRIBE, "CANCELLED"),
        1.0,
        "its reader went away"
    );
    let name = "binnacle_rpc_duration_seconds";
    let durations = families[name].sample(&format!("{name}_count"), &[("method", SUBSCRIBE)]);
    assert_eq!(durations, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_in_a_workspace_is_named_unless_it_was_asked_for() {
    let server = Server::start().await;
    with_company(&server).await;
    let written = |named| {
        let exposition = Exposition::new(server.standing.clone(), PathBuf::from("."), named);
        exposition.write(Format::Prometheus).expect("an exposition")
    };
    let names = |text: &str| ["acme", "nps", "win"].map(|name| text.contains(&format!("\"{name}\"")));
    let nothing = written(Named::Nothing);
    assert_eq!(names(&nothing), [false; 3]);
    assert!(
        !nothing.contains("workspace=") && !nothing.contains("acme"),
        "{nothing}"
    );
    assert_eq!(names(&written(Named::Workspaces)), [true, false, false]);
    assert_eq!(names(&written(Named::Figures)), [true; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_of_the_program_decide_what_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    for (settings, is_named) in [
        (&[][..], false),
        (&["--metrics-workspaces"], true),
        (&["--metrics-figures"], true),
    ] {
        let (mut server, metrics) = start(directory.path(), settings);
        let mut workspaces = serving(&server).await;
        let _made_once = workspaces.create_workspace(new_workspace("acme")).await;
        let answer = ask(&metrics, "GET /metrics", "");
        assert_eq!(
            answer.body.contains("acme"),
            is_named,
            "{settings:?}: {}",
            answer.body
        );
        drop(workspaces);
        server.terminate();
        assert!(server.ended());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_that_the_api_answers_and_of_what_is_gone_there_are_none() {
    let server = Server::start().await;
    with_company(&server).await;
    server.kpis().create_kpi(new_kpi("silent")).await.expect("a KPI");
    server.kpis().create_kpi(new_kpi("gone")).await.expect("a KPI");
    let measured = server.kpis().record_measurement(measure("gone", 0, 7.0)).await;
    measured.expect("a value");
    let score = |server: &Server| {
        let mut objectives = server.objectives();
        async move {
            let request = api::GetObjectiveRequest {
                name: acme("objectives/win"),
                ..Default::default()
            };
            let answer = objectives.get_objective(request).await.expect("an objective");
            answer.into_inner().progress.expect("progress").score
        }
    };
    check_in(&server).await;
    let families = shown(&server, Named::Figures);
    let value = |families: &Families, kpi| {
        let name = "binnacle_kpi_value";
        families[name].sample(name, &[("workspace", "acme"), ("kpi", kpi)])
    };
    assert_eq!(value(&families, "nps"), Some(40.0));
    assert_eq!(
        (value(&families, "gone"), value(&families, "silent")),
        (Some(7.0), None)
    );
    let name = "binnacle_objective_score";
    let shown_score = families[name].sample(name, &[("workspace", "acme"), ("objective", "win")]);
    assert!(shown_score.is_some_and(|score| score > 0.0));
    assert_eq!(shown_score, score(&server).await);
    let name = "binnacle_workspace_revision";
    let revision = families[name].sample(name, &[("workspace", "acme")]);
    assert_eq!(revision, Some(server.head().await as f64));
    assert_eq!(gauge(&families, "binnacle_metrics_series_dropped"), 0.0);

    let delete = api::DeleteKpiRequest {
        name: acme("kpis/gone"),
        ..Default::default()
    };
    server.kpis().delete_kpi(delete).await.expect("deleted");
    assert_eq!(value(&shown(&server, Named::Figures), "gone"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_counted_and_the_one_furthest_behind_is_told() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let of = |name: &str| {
        let families = shown(&server, Named::Workspaces);
        families[name].sample(name, &[("workspace", "acme")])
    };
    assert_eq!(of("binnacle_subscribers"), Some(0.0));
    assert_eq!(of("binnacle_subscriber_lag_commits"), Some(0.0));
    let subscribe = |min_interval| api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        min_interval,
        ..Default::default()
    };
    let minute = prost_types::Duration {
        seconds: 60,
        nanos: 0,
    };
    let mut quick = server
        .progress()
        .subscribe(subscribe(None))
        .await
        .expect("a stream")
        .into_inner();
    let mut slow = server
        .progress()
        .subscribe(subscribe(Some(minute)))
        .await
        .expect("a stream")
        .into_inner();
    quick.message().await.expect("a message");
    slow.message().await.expect("a message");
    assert_eq!(of("binnacle_subscribers"), Some(2.0));
    // The first net change comes at once; from there on it waits for its minute. What is recorded before the first is made is
    // in it, so there has to be more of it until somebody is behind.
    let behind = async {
        let mut second = 0;
        while of("binnacle_subscriber_lag_commits").is_none_or(|lag| lag < 1.0) {
            second -= 1;
            let value = measure("nps", second, 40.0);
            server.kpis().record_measurement(value).await.expect("a value");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    in_time("somebody who is behind", behind).await;
    drop((quick, slow));
    until("both are gone", || of("binnacle_subscribers") == Some(0.0));
    assert_eq!(of("binnacle_subscriber_lag_commits"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_ready_when_its_log_is_replayed_and_until_it_drains_and_alive_all_the_time() {
    let (go_on, wait) = mpsc::channel::<()>();
    let clock = clock();
    let given = Arc::clone(&clock);
    let config = ServerConfig {
        drain_s: 5,
        ..ServerConfig::default()
    };
    let mut server = Server::opening(config, clock, move || {
        wait.recv().expect("the test lets it go on");
        Engine::open(Arc::new(MemoryLog::new()), None, given, EngineConfig::default()).expect("an engine")
    })
    .await;
    let listener = MetricsListener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let metrics = listener.address().to_string();
    let exposition = Exposition::new(server.standing.clone(), PathBuf::from("."), Named::Figures);
    tokio::spawn(listener.serve(server.standing.clone(), exposition));
    let ready = || {
        let alive = ask(&metrics, "GET /livez", "");
        assert_eq!(alive.status, 200, "{alive:?}");
        let families = scrape(&metrics);
        let answer = ask(&metrics, "GET /readyz", "");
        assert_eq!(answer.body.lines().count(), 1, "one sentence: {answer:?}");
        (answer.status, answer.body, gauge(&families, "binnacle_ready"))
    };

    let (status, sentence, gauge) = ready();
    assert_eq!((status, gauge), (503, 0.0));
    assert!(sentence.contains("being replayed"), "{sentence}");
    go_on.send(()).expect("a server");
    until_serving(&server.channel).await;
    let (status, _, gauge) = ready();
    assert_eq!((status, gauge), (200, 1.0));
    // Who watches the health is not sent away: the server waits for it.
    let _watch = server.watch("").await;
    server.tell_to_stop();
    until("the server drains", || {
        ask(&metrics, "GET /readyz", "").status == 503
    });
    let (status, sentence, gauge) = ready();
    assert_eq!((status, gauge), (503, 0.0));
    assert!(sentence.contains("about to stop"), "{sentence}");
    server.ended().await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_answers_in_the_form_that_is_accepted_and_nothing_but_questions() {
    let directory = tempfile::tempdir().expect("a directory");
    let (server, metrics) = start(directory.path(), &["--metrics-figures"]);
    let mut workspaces = serving(&server).await;
    workspaces
        .create_workspace(new_workspace("acme"))
        .await
        .expect("a workspace");
    let older = ask(&metrics, "GET /metrics", "accept: text/plain\r\n");
    assert!(
        older.headers.contains("content-type: text/plain; version=0.0.4"),
        "{older:?}"
    );
    let newer = ask(&metrics, "GET /metrics", OPEN_METRICS);
    assert!(
        newer
            .headers
            .contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{newer:?}"
    );
    let families = read(&newer.body, Form::OpenMetrics);
    let names = |families: &Families| families.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&families), names(&read(&older.body, Form::Prometheus)));

    assert_eq!(ask(&metrics, "HEAD /livez", "").body, "");
    assert_eq!(ask(&metrics, "GET /", "").status, 404);
    assert_eq!(ask(&metrics, "GET /metrics/", "").status, 404);
    let refused = ask(&metrics, "POST /metrics", "content-length: 0\r\n");
    assert_eq!(refused.status, 405);
    assert!(refused.headers.contains("allow: get, head"), "{refused:?}");
}

#[test]
fn an_address_that_cannot_be_had_stops_the_start_with_a_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            &address,
            "--data-dir",
        ])
        .arg(directory.path())
        .output()
        .expect("the program");
    let sentence = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{sentence}");
    assert!(
        sentence.contains(&address) && sentence.contains("--metrics-listen"),
        "{sentence}"
    );
}

/// A row of the page's table of metrics.
#[derive(Debug)]
struct Row {
    kind: String,
    unit: String,
    labels: BTreeSet<String>,
    shown: String,
    meaning: String,
}

fn rows(page: &str) -> BTreeMap<String, Row> {
    let lines = page.lines().filter(|line| line.starts_with("| `binnacle_"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" |").map(str::trim).collect();
            let [name, kind, unit, labels, shown, meaning] = cells[..] else {
                panic!("not six cells: {line}");
            };
            let plain = |text: &str| text.trim_matches('`').to_owned();
            let row = Row {
                kind: kind.to_owned(),
                unit: unit.to_owned(),
                labels: labels
                    .split(", ")
                    .map(plain)
                    .filter(|label| !label.is_empty())
                    .collect(),
                shown: plain(shown),
                meaning: meaning.to_owned(),
            };
            (plain(name), row)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_every_metric_as_a_scrape_shows_it() {
    let rows = rows(include_str!("../../docs/observability.md"));
    let server = Server::start().await;
    with_company(&server).await;
    let refused = server.workspaces().get_workspace(get("none")).await;
    assert_eq!(refused.expect_err("no workspace").code(), Code::NotFound);
    check_in(&server).await;
    let families = shown(&server, Named::Figures);
    let names = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(rows.keys().collect()), names(families.keys().collect()));
    for (name, family) in &families {
        let row = &rows[name];
        assert_eq!(row.kind, family.kind, "{name}");
        assert_eq!(row.meaning, family.help, "{name}");
        assert!(
            !family.samples.is_empty(),
            "{name} shows nothing: its labels are not looked at"
        );
        for sample in &family.samples {
            let labels: BTreeSet<String> = sample
                .labels
                .keys()
                .filter(|label| *label != "le")
                .cloned()
                .collect();
            assert_eq!(row.labels, labels, "{name}");
        }
        let of_unit = |suffix: &str| name.ends_with(&format!("_{suffix}"));
        for unit in ["seconds", "bytes"] {
            assert_eq!(row.unit == unit, of_unit(unit), "{name} is in {}", row.unit);
        }
    }
    for (shown_with, named) in [
        (&["always"][..], Named::Nothing),
        (&["always", "--metrics-workspaces"], Named::Workspaces),
    ] {
        let said = rows
            .iter()
            .filter(|(_, row)| shown_with.contains(&row.shown.as_str()));
        let said = names(said.map(|(name, _)| name).collect());
        assert_eq!(said, names(shown(&server, named).keys().collect()), "{named:?}");
    }
}
