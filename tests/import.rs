//! `binnacle import kpi` as a person meets it: the real program, a real server on a free port, and its exit codes.

#[path = "import/documentation.rs"]
mod documentation;
#[path = "common/process.rs"]
mod process;
#[path = "common/proxy.rs"]
mod proxy;
#[path = "import/tables.rs"]
mod tables;

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::Code;

use process::{ServerProcess, WAIT};
use proxy::{Fault, Proxy, Revision};

const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");

/// A server of its own with the workspace "acme", in UTC; it ends with the test.
struct Server {
    process: ServerProcess,
    files: TempDir,
    runtime: Runtime,
}

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Everything that an import could have changed.
#[derive(Debug, PartialEq)]
struct State {
    revision: i64,
    kpis: Vec<String>,
    measurements: Vec<api::Measurement>,
    /// Every event by revision: its name, who caused it, and why.
    events: Vec<(String, String, String)>,
}

impl Server {
    fn start() -> Self {
        let files = TempDir::new().expect("a folder");
        let process = ServerProcess::start(&files.path().join("data"));
        let server = Self {
            process,
            files,
            runtime: Runtime::new().expect("a runtime"),
        };
        server.create_workspace();
        server
    }

    fn url(&self) -> String {
        self.process.url()
    }

    fn create_workspace(&self) {
        let request = api::CreateWorkspaceRequest {
            workspace_id: "acme".into(),
            workspace: Some(api::Workspace {
                title: "Acme".into(),
                time_zone: "UTC".into(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        self.runtime.block_on(async {
            let mut client = WorkspaceServiceClient::connect(self.url())
                .await
                .expect("a connection");
            let until = std::time::Instant::now() + WAIT;
            loop {
                match client.create_workspace(request.clone()).await {
                    Ok(_) => return,
                    // It is still reading its log.
                    Err(status)
                        if status.code() == Code::Unavailable && std::time::Instant::now() < until =>
                    {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(status) => panic!("no workspace: {status}"),
                }
            }
        });
    }

    /// The workspace's newest revision, for a proxy in front of this server.
    fn revisions(&self) -> Revision {
        let (runtime, url) = (self.runtime.handle().clone(), self.url());
        Arc::new(move || runtime.block_on(revision(url.clone())))
    }

    fn state(&self) -> State {
        self.runtime.block_on(async {
            let revision = revision(self.url()).await;
            let mut client = KpiServiceClient::connect(self.url()).await.expect("a connection");
            let request = api::ListKpisRequest {
                parent: "workspaces/acme".into(),
                page_size: 1000,
                ..api::ListKpisRequest::default()
            };
            let kpis = client.list_kpis(request).await.expect("KPIs").into_inner().kpis;
            let mut measurements = Vec::new();
            for kpi in &kpis {
                let request = api::ListMeasurementsRequest {
                    parent: kpi.name.clone(),
                    page_size: 1000,
                    ..api::ListMeasurementsRequest::default()
                };
                let mut request = Some(request);
                while let Some(page) = request.take() {
                    let answer = client
                        .list_measurements(page.clone())
                        .await
                        .expect("measurements")
                        .into_inner();
                    measurements.extend(answer.measurements);
                    if !answer.next_page_token.is_empty() {
                        request = Some(api::ListMeasurementsRequest {
                            page_token: answer.next_page_token,
                            ..page
                        });
                    }
                }
            }
            State {
                events: self.events().await,
                revision,
                kpis: kpis.into_iter().map(|kpi| kpi.name).collect(),
                measurements,
            }
        })
    }

    async fn events(&self) -> Vec<(String, String, String)> {
        let mut client = AuditServiceClient::connect(self.url())
            .await
            .expect("a connection");
        let mut request = api::ListEventsRequest {
            parent: "workspaces/acme".into(),
            page_size: 1000,
            ..api::ListEventsRequest::default()
        };
        let mut events = Vec::new();
        loop {
            let page = client
                .list_events(request.clone())
                .await
                .expect("events")
                .into_inner();
            for event in page.events {
                let commit = event.commit.expect("an event's commit");
                events.push((event.name, commit.principal, commit.reason));
            }
            if page.next_page_token.is_empty() {
                return events;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Imports a text as the file `rows.csv`.
    fn import_csv(&self, text: &str, args: &[&str]) -> Run {
        std::fs::write(self.files.path().join("rows.csv"), text).expect("a file");
        self.import(&[&["rows.csv"], args].concat())
    }

    fn import(&self, args: &[&str]) -> Run {
        self.import_from(&self.url(), "", args)
    }

    fn import_from(&self, url: &str, stdin: &str, args: &[&str]) -> Run {
        let mut process = Command::new(PROGRAM)
            .args(["import", "kpi", "--workspace", "acme", "--server", url])
            .args(args)
            .current_dir(self.files.path())
            .env_remove("BINNACLE_ACTOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = process.stdin.take().expect("a pipe");
        pipe.write_all(stdin.as_bytes()).expect("standard input");
        drop(pipe);
        let output = process.wait_with_output().expect("the program ends");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Run {
    /// It did what it was asked and printed this line.
    #[track_caller]
    fn done(&self, line: &str) {
        assert_eq!(
            (self.code, self.stdout.trim_end()),
            (Some(0), line),
            "{}",
            self.stderr
        );
    }

    /// It refused with this exit code, said these texts, and no summary.
    #[track_caller]
    fn refused(&self, code: i32, texts: &[&str]) {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (Some(code), ""),
            "{}",
            self.stderr
        );
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in: {}", self.stderr);
        }
    }
}

const OPG_COLUMNS: &[&str] = &[
    "--time",
    "_timestamp",
    "--value",
    "count",
    "--kpi-column",
    "service",
    "--kpi-column",
    "dataType",
];
const CREATE: &[&str] = &["--create", "--direction", "higher", "--cadence", "monthly"];

fn opg(file: &str) -> String {
    format!("{}/../shared/data/opg/{file}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn published_figures_imported_twice_are_recorded_once() {
    let server = Server::start();
    let files = [
        "complete_the_deputy_report_service.json",
        "use_a_lasting_power_of_attorney_service.json",
    ]
    .map(opg);
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let args = [&files, OPG_COLUMNS, CREATE].concat();

    server
        .import(&args)
        .done("618 rows read: 618 recorded, 0 superseded, 0 unchanged; 12 KPIs created");
    let first = server.state();
    assert_eq!((first.kpis.len(), first.measurements.len()), (12, 618));
    let is_april_2023 = |measurement: &&api::Measurement| {
        measurement.kpi == "workspaces/acme/kpis/deputy-reporting-user-satisfaction-percent"
            && measurement
                .effective_time
                .as_ref()
                .is_some_and(|at| at.seconds == 1_680_307_200)
    };
    let of_april: Vec<_> = first
        .measurements
        .iter()
        .filter(is_april_2023)
        .map(|found| found.value)
        .collect();
    assert_eq!(of_april, [Some(80.0)]);

    server
        .import(&args)
        .done("618 rows read: 0 recorded, 0 superseded, 618 unchanged; 0 KPIs created");
    let second = server.state();
    assert_eq!(second.kpis, first.kpis);
    assert!(
        second.measurements == first.measurements,
        "the measurements are not the same"
    );
    assert!(
        second.events == first.events,
        "{} events were added",
        second.events.len() - first.events.len()
    );
    assert!(
        first.events.len() >= 1 + 12 + 618,
        "{} events",
        first.events.len()
    );
    // A request that carries an id and changes nothing makes a commit without events, so that its retry is known: the
    // one batch moves the revision by one, and nothing else.
    assert_eq!(second.revision, first.revision + 1);
}

#[test]
fn one_bad_row_among_good_ones_writes_nothing() {
    let server = Server::start();
    let before = server.state();
    let text = "date,value,kpi\r\n2026-01-01,5,nps\r\n\"2026-02-30\",5,nps\r\n\r\n2026-01-03,NaN,nps\r\n";
    server.import_csv(text, CREATE).refused(
        2,
        &[
            "rows.csv:3: column \"date\": \"2026-02-30\" is not in the calendar",
            "rows.csv:5: column \"value\": kpis/nps: \"NaN\" is no number",
            "nothing was written: 2 lines are wrong",
        ],
    );
    let conflict = "date,value,kpi\n2026-01-01,5,nps\n2026-01-01,6,nps\n";
    server
        .import_csv(conflict, CREATE)
        .refused(2, &["rows.csv:3: its value is 6 and in rows.csv:2 5"]);
    let count = [CREATE, &["--unit", "count"]].concat();
    let fraction = "date,value,kpi\n2026-01-01,5,nps\n2026-01-02,5.5,nps\n";
    server
        .import_csv(fraction, &count)
        .refused(2, &["rows.csv:3: column \"value\": kpis/nps: 5.5 is no count"]);
    assert_eq!(server.state(), before);
}

#[test]
fn of_many_bad_rows_the_first_twenty_are_shown() {
    let server = Server::start();
    let text = format!("date,value,kpi\n{}", "2026-01-01,x,nps\n".repeat(25));
    let run = server.import_csv(&text, CREATE);
    run.refused(2, &["rows.csv:21: ", "and 5 more", "25 lines are wrong"]);
    assert!(!run.stderr.contains("rows.csv:22: "), "{}", run.stderr);
}

#[test]
fn a_kpi_that_does_not_exist_is_named_with_the_remedy() {
    let server = Server::start();
    server
        .import_csv("date,value,kpi\n2026-01-01,5,nps\n", CREATE)
        .done("1 row read: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created");
    let before = server.state();
    let text = "date,value,kpi\n2026-01-02,5,nps\n2026-01-02,5,Nsp\n";
    server.import_csv(text, &[]).refused(
        2,
        &["rows.csv:3: workspaces/acme/kpis/nsp does not exist: correct the name, or let it be created with --create"],
    );
    assert_eq!(server.state(), before);
}

#[test]
fn what_only_the_server_can_refuse_is_shown_by_file_and_line() {
    let server = Server::start();
    server
        .import_csv(
            "date,value\n2026-01-01,5\n",
            &[&["--kpi", "nps"], CREATE].concat(),
        )
        .done("1 row read: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created");
    let before = server.state();
    // Only the server knows when the workspace's days begin.
    let text = "time,value\n2026-01-02,5\n2026-01-03,5\n2026-01-02T00:00:00Z,6\n";
    server.import_csv(text, &["--kpi", "nps"]).refused(
        2,
        &[
            "rows.csv:4: another value for the same KPI, effective time and source stands at rows.csv:2",
            "nothing was written",
        ],
    );
    assert_eq!(server.state(), before);
}

#[test]
fn many_rows_go_in_batches_and_a_changed_value_supersedes() {
    let server = Server::start();
    let row = |at: u32, value: u32| {
        format!(
            "2026-01-01T00:{:02}:{:02}Z,{value},api {}\n",
            at / 60,
            at % 60,
            at % 2
        )
    };
    let text = |value: u32| -> String {
        let rows = (0..2500).map(|at| row(at, if at == 7 { value } else { 1 }));
        std::iter::once("time,value,kpi\n".to_owned())
            .chain(rows)
            .collect()
    };
    server
        .import_csv(&text(1), CREATE)
        .done("2500 rows read: 2500 recorded, 0 superseded, 0 unchanged; 2 KPIs created");
    server
        .import_csv(&text(2), &[])
        .done("2500 rows read: 0 recorded, 1 superseded, 2499 unchanged; 0 KPIs created");
    let state = server.state();
    assert_eq!(state.measurements.len(), 2500);
    assert_eq!(
        state
            .measurements
            .iter()
            .filter(|measurement| measurement.value == Some(2.0))
            .count(),
        1
    );
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_sends_nothing() {
    let server = Server::start();
    let before = server.state();
    let text = "date,value,kpi\n2026-01-01,5,nps\n2026-01-02,5,mrr\n2026-01-02,5,mrr\n";
    server.import_csv(text, &[CREATE, &["--dry-run"]].concat()).done(
        "3 rows read (1 of them repeat another): would send 2 measurements of 2 KPIs in 1 batch, and create 2 KPIs: mrr, nps",
    );
    assert_eq!(server.state(), before);
    server
        .import_csv(text, &["--dry-run"])
        .refused(2, &["kpis/mrr does not exist"]);
}

#[test]
fn standard_input_is_a_file_too_and_who_and_why_are_kept() {
    let server = Server::start();
    let text = "{\"time\": \"2026-01-01T00:00:00Z\", \"value\": 5}\n";
    let args = [
        "-",
        "--format",
        "ndjson",
        "--kpi",
        "nps",
        "--actor",
        "maria",
        "--reason",
        "the monthly load",
    ];
    let run = server.import_from(&server.url(), text, &[&args, CREATE].concat());
    run.done("1 row read: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created");
    assert_eq!(run.stderr, "-: time from \"time\", value from \"value\"\n");
    let state = server.state();
    let by_maria = state
        .events
        .iter()
        .filter(|(_, who, why)| who == "maria" && why == "the monthly load");
    assert_eq!(
        by_maria.count(),
        2,
        "the KPI and its measurement: {:?}",
        state.events
    );
    server
        .import_from(&server.url(), text, &["-", "--kpi", "nps"])
        .refused(2, &["say --format csv, json or ndjson"]);
}

#[test]
fn where_nothing_answers_the_exit_code_is_1() {
    let server = Server::start();
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|bound| bound.local_addr())
        .expect("a port");
    std::fs::write(server.files.path().join("rows.csv"), "date,value\n2026-01-01,5\n").expect("a file");
    server
        .import_from(&format!("http://{free}"), "", &["rows.csv", "--kpi", "nps"])
        .refused(1, &["nothing answers at http://127.0.0.1:"]);
}

async fn revision(url: String) -> i64 {
    let mut workspaces = WorkspaceServiceClient::connect(url).await.expect("a connection");
    let request = api::GetWorkspaceRequest {
        name: "workspaces/acme".into(),
        min_revision: 0,
        as_of: None,
    };
    let workspace = workspaces.get_workspace(request).await.expect("the workspace");
    workspace.into_inner().revision
}

#[test]
fn a_lost_answer_is_asked_for_again_and_nothing_is_recorded_twice() {
    let server = Server::start();
    server
        .import_csv(
            "date,value\n2025-01-01,5\n",
            &[&["--kpi", "nps"], CREATE].concat(),
        )
        .done("1 row read: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created");
    let before = server.state();
    let rows = (0..800).map(|at| format!("2026-01-01T00:{:02}:{:02}Z,{at}\n", at / 60, at % 60));
    let text: String = std::iter::once("time,value\n".to_owned()).chain(rows).collect();
    std::fs::write(server.files.path().join("rows.csv"), text).expect("a file");

    let fault = Fault::BreaksBehindRecord(server.revisions());
    let proxy = Proxy::start(&server.process.address, 10_000, fault);
    // Recorded, not unchanged: the server knows the request again and answers what it has done.
    server
        .import_from(&proxy.url, "", &["rows.csv", "--kpi", "nps"])
        .done("800 rows read: 800 recorded, 0 superseded, 0 unchanged; 0 KPIs created");
    assert!(proxy.connections() >= 2, "the connection did not break");
    let after = server.state();
    assert_eq!(after.measurements.len(), before.measurements.len() + 800);
    assert_eq!(after.revision, before.revision + 1);
}
