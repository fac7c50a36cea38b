//! `binnacle history` as a person and a script meet it: the real program, a real server, and its exit codes.

#[path = "common/process.rs"]
mod process;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use serde_json::Value;
use tempfile::TempDir;
use tonic::{Code, Request};

use process::{ServerProcess, WAIT};

const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");
const NPS: &str = "workspaces/acme/kpis/nps";

/// A server with the workspace "acme" and two KPIs with a past; it ends with the test.
struct Server {
    process: ServerProcess,
    files: TempDir,
    events: Vec<api::Event>,
}

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn by<T>(actor: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("binnacle-actor", actor.parse().expect("a name"));
    request
        .metadata_mut()
        .insert("binnacle-correlation-id", "spring".parse().expect("a text"));
    request
}

fn kpi(id: &str, title: &str) -> api::Kpi {
    api::Kpi {
        name: format!("workspaces/acme/kpis/{id}"),
        title: title.to_owned(),
        direction: api::Direction::HigherIsBetter.into(),
        cadence: api::Cadence::Daily.into(),
        ..api::Kpi::default()
    }
}

impl Server {
    fn start() -> Self {
        let files = TempDir::new().expect("a folder");
        let process = ServerProcess::start(&files.path().join("data"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let events = runtime.block_on(furnish(&process.url()));
        Self {
            process,
            files,
            events,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(["history", "--server", &self.process.url()])
            .args(arguments)
            .current_dir(self.files.path())
            .env("TZ", "UTC")
            .env_remove("BINNACLE_ACTOR");
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the program runs");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The lines of a run that does what it is asked.
    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout.lines().map(ToOwned::to_owned).collect()
    }

    /// What happened to the KPI, as the API tells it.
    fn of_nps(&self) -> Vec<&api::Event> {
        self.events
            .iter()
            .filter(|event| event.resource.starts_with(NPS))
            .collect()
    }
}

/// A KPI that gets another title, two values and a target, and another one that is deleted.
async fn furnish(url: &str) -> Vec<api::Event> {
    let mut workspaces = WorkspaceServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    let request = api::CreateWorkspaceRequest {
        workspace_id: "acme".to_owned(),
        workspace: Some(api::Workspace {
            title: "Acme".to_owned(),
            time_zone: "UTC".to_owned(),
            ..api::Workspace::default()
        }),
        ..api::CreateWorkspaceRequest::default()
    };
    let until = Instant::now() + WAIT;
    while let Err(status) = workspaces.create_workspace(by("maria", request.clone())).await {
        // It is still reading its log.
        assert!(
            status.code() == Code::Unavailable && Instant::now() < until,
            "{status}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut kpis = KpiServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    for id in ["nps", "churn"] {
        let request = api::CreateKpiRequest {
            parent: "workspaces/acme".to_owned(),
            kpi_id: id.to_owned(),
            kpi: Some(kpi(id, id)),
            ..api::CreateKpiRequest::default()
        };
        kpis.create_kpi(by("maria", request)).await.expect("a KPI");
    }
    let request = api::UpdateKpiRequest {
        kpi: Some(kpi("nps", "Net Promoter, \"Brazil\"")),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["title".to_owned()],
        }),
        reason: "the board asked".to_owned(),
        ..api::UpdateKpiRequest::default()
    };
    kpis.update_kpi(by("jo", request)).await.expect("a KPI");
    for (day, value) in [(1, 40.0), (2, 52.5)] {
        let request = api::RecordMeasurementRequest {
            parent: NPS.to_owned(),
            measurement: Some(api::Measurement {
                effective_time: Some(prost_types::Timestamp {
                    seconds: 1_767_225_600 + day * 86_400,
                    nanos: 0,
                }),
                value: Some(value),
                ..api::Measurement::default()
            }),
            ..api::RecordMeasurementRequest::default()
        };
        kpis.record_measurement(by("bot", request))
            .await
            .expect("a value");
    }
    let request = api::DeleteKpiRequest {
        name: "workspaces/acme/kpis/churn".to_owned(),
        ..api::DeleteKpiRequest::default()
    };
    kpis.delete_kpi(by("maria", request)).await.expect("a deletion");
    let mut audit = AuditServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..api::ListEventsRequest::default()
    };
    audit
        .list_events(request)
        .await
        .expect("events")
        .into_inner()
        .events
}

#[test]
fn a_resources_life_is_a_line_a_change_with_who_when_what_and_why() {
    let server = Server::start();
    let lines = server.lines(&[NPS]);
    let events = server.of_nps();
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        assert!(line.contains(&format!("  {}  .", event.r#type)), "{line}");
    }
    let renamed = lines
        .iter()
        .find(|line| line.contains("KpiUpdated"))
        .expect("a line");
    for part in [
        "  jo  KpiUpdated  .  title \"nps\" → \"Net Promoter, \\\"Brazil\\\"\"",
        "why: the board asked",
        "[UpdateKpi, ",
        "correlation spring",
    ] {
        assert!(renamed.contains(part), "{part}: {renamed}");
    }
    let measured = lines.iter().find(|line| line.contains("52.5")).expect("a line");
    assert!(measured.contains("(true 2026-01-03 00:00:00)"), "{measured}");

    let mut backwards = server.lines(&[NPS, "--newest-first"]);
    backwards.reverse();
    assert_eq!(backwards, lines, "each commit has one event");
    assert_eq!(server.lines(&[NPS, "--limit", "2"]), lines[lines.len() - 2..]);
    let newest = server.lines(&[NPS, "--limit", "2", "--newest-first"]);
    assert_eq!(
        newest,
        [lines[lines.len() - 1].clone(), lines[lines.len() - 2].clone()]
    );
}

#[test]
fn a_history_is_narrowed_by_who_what_and_when() {
    let server = Server::start();
    let count = |arguments: &[&str]| server.lines(arguments).len();
    let all = server.events.len();
    assert_eq!(count(&["workspaces/acme"]), all);
    assert_eq!(count(&[NPS, "--by", "bot"]), 2);
    assert_eq!(count(&[NPS, "--by", "nobody"]), 0);
    assert_eq!(
        count(&["workspaces/acme", "--type", "KpiCreated", "--type", "KpiDeleted"]),
        3
    );
    assert_eq!(
        count(&[
            "workspaces/acme",
            "--since",
            "2020-01-01",
            "--until",
            "2020-01-02"
        ]),
        0
    );
    assert_eq!(
        count(&["workspaces/acme", "--since", "2020-01-01T00:00:00Z"]),
        all
    );
    assert_eq!(count(&["workspaces/acme", "--correlation-id", "spring"]), all);
    assert_eq!(
        count(&[
            "workspaces/acme",
            "--request-id",
            "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42"
        ]),
        0
    );
    let deleted = server.lines(&["workspaces/acme/kpis/churn"]);
    assert!(
        deleted.last().expect("a line").contains("KpiDeleted"),
        "{deleted:?}"
    );
}

#[test]
fn events_are_exported_as_ndjson_with_all_that_the_api_tells() {
    let server = Server::start();
    let lines = server.lines(&["workspaces/acme", "--format", "ndjson"]);
    assert_eq!(lines.len(), server.events.len());
    for (line, event) in lines.iter().zip(&server.events) {
        let read: Value = serde_json::from_str(line).expect("JSON");
        let commit = event.commit.as_ref().expect("a commit");
        assert_eq!(read["name"], event.name);
        assert_eq!(read["type"], event.r#type);
        assert_eq!(read["resource"], event.resource);
        assert_eq!(read["commit"]["principal"], commit.principal);
        assert_eq!(read["commit"]["method"], commit.method);
        assert!(read["commit"]["leafHash"].is_string() && read["commit"]["recordedTime"].is_string());
        let changes = read["changes"].as_array().map_or(0, Vec::len);
        assert_eq!(changes, event.changes.len());
    }
}

#[test]
fn events_are_exported_as_a_table_that_is_there_when_it_is_whole() {
    let server = Server::start();
    let file = server.files.path().join("events.csv");
    std::fs::write(&file, "what was there before").expect("a file");
    let refused = server.run(&["workspaces/none", "--format", "csv", "-o", "events.csv"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let untouched = std::fs::read_to_string(&file).expect("a file");
    assert_eq!(untouched, "what was there before");

    let run = server.run(&["workspaces/acme", "--format", "csv", "-o", "events.csv"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    let beside = server.files.path().join("events.csv.part");
    assert!(!beside.exists(), "what is written beside it is gone");
    let mut table = csv::Reader::from_path(&file).expect("a table");
    let headings: Vec<String> = table
        .headers()
        .expect("headings")
        .iter()
        .map(ToOwned::to_owned)
        .collect();
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    let expected: usize = server.events.iter().map(|event| event.changes.len().max(1)).sum();
    assert_eq!(rows.len(), expected);
    let cell = |row: &csv::StringRecord, heading: &str| {
        let at = headings.iter().position(|it| it == heading).expect("a heading");
        row.get(at).expect("a cell").to_owned()
    };
    let renamed = rows
        .iter()
        .find(|row| cell(row, "type") == "KpiUpdated")
        .expect("a row");
    for (heading, value) in [
        ("resource", NPS),
        ("principal", "jo"),
        ("path", "title"),
        ("before", "nps"),
        ("after", "Net Promoter, \"Brazil\""),
        ("reason", "the board asked"),
        ("correlation_id", "spring"),
        ("method", "binnacle.v1.KpiService/UpdateKpi"),
    ] {
        assert_eq!(cell(renamed, heading), value, "{heading}");
    }
    assert_eq!(cell(renamed, "leaf_hash").len(), 64);
    let measured = rows
        .iter()
        .find(|row| cell(row, "after") == "52.5")
        .expect("a row");
    assert_eq!(cell(measured, "effective_time"), "2026-01-03T00:00:00Z");
}

#[test]
fn two_moments_are_compared_field_by_field() {
    let server = Server::start();
    let created = server
        .of_nps()
        .iter()
        .find(|event| event.r#type == "KpiCreated")
        .map(|event| event.commit.as_ref().expect("a commit").revision.to_string())
        .expect("its creation");
    let lines = server.lines(&[NPS, "--diff", &created]);
    assert!(lines[0].starts_with(&format!("what differs between revision {created} and revision ")));
    assert_eq!(lines[1], "changed  .");
    assert!(
        lines
            .iter()
            .any(|line| line == "    title \"nps\" → \"Net Promoter, \\\"Brazil\\\"\""),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line == "    health.latest_value none → 52.5  (derived)"),
        "{lines:?}"
    );
    let beginning = server.lines(&["workspaces/acme", "--diff", "2020-01-01", &created]);
    assert!(
        beginning[0].starts_with("what differs between revision 0 and revision "),
        "{beginning:?}"
    );
    assert!(
        beginning.contains(&"created  kpis/nps".to_owned()),
        "{beginning:?}"
    );
    let nothing = server.lines(&[NPS, "--diff", &created, &created]);
    assert_eq!(
        nothing,
        [format!(
            "nothing differs between revision {created} and revision {created}"
        )]
    );
}

#[test]
fn a_resource_is_shown_as_it_was() {
    let server = Server::start();
    let revision = |kind: &str| {
        let found = server
            .of_nps()
            .into_iter()
            .find(|event| event.r#type == kind)
            .expect("an event");
        found.commit.as_ref().expect("a commit").revision
    };
    let (created, renamed) = (revision("KpiCreated"), revision("KpiUpdated"));
    let then = server.lines(&[NPS, "--as-of", &created.to_string()]);
    assert_eq!(then[0], format!("{NPS} at revision {created}"));
    assert!(then.contains(&"    title \"nps\"".to_owned()), "{then:?}");
    let later = server.lines(&[NPS, "--as-of", &renamed.to_string()]);
    assert!(
        later.iter().any(|line| line.contains("Net Promoter")),
        "{later:?}"
    );
    let whole = server.lines(&["workspaces/acme", "--as-of", "1"]);
    assert!(whole.contains(&"    title \"Acme\"".to_owned()), "{whole:?}");
    let before = server.run(&[NPS, "--as-of", "1"]);
    assert_eq!(before.code, Some(2), "{before:?}");
    assert!(
        before.stderr.contains("was not there at revision 1"),
        "{before:?}"
    );
}

#[test]
fn what_is_wrong_is_one_sentence_and_an_exit_code() {
    let server = Server::start();
    for (arguments, code, sentence) in [
        (&["workspaces/none"][..], 2, "workspaces/none"),
        (&["nps"], 2, "write the whole name"),
        (&["workspaces/acme/widgets/x"], 2, "is not the name of a resource"),
        (&[NPS, "--type", "KpiCreatd"], 2, "did you mean \"KpiCreated\"?"),
        (&[NPS, "--since", "soon"], 2, "it is no time"),
        (&[NPS, "--diff", "3", "2"], 2, "exchange the two"),
        (&[NPS, "--diff", "3", "--by", "jo"], 2, "cannot be used with"),
        (&[NPS, "--limit", "0"], 2, "0 is not in"),
        (&[NPS, "-o", "/nowhere/events.csv"], 1, "cannot be written"),
    ] {
        let run = server.run(arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(sentence), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let nobody = Command::new(PROGRAM)
        .args(["history", NPS, "--server", "http://127.0.0.1:1"])
        .output()
        .expect("the program runs");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nothing answers"));
}

#[test]
fn whoever_reads_no_further_ends_it_quietly() {
    let server = Server::start();
    let mut running = server
        .command(&["workspaces/acme"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(running.stdout.take());
    let ended = running.wait_with_output().expect("an end");
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

/// Every call of the program that docs/audit.md shows does what it is asked.
#[test]
fn the_commands_of_the_page_run() {
    let server = Server::start();
    let page = include_str!("../docs/audit.md");
    let blocks = page.split("```").skip(1).step_by(2);
    let shown: Vec<&str> = blocks
        .filter_map(|block| block.strip_prefix("sh\n"))
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("binnacle history "))
        .collect();
    assert!(shown.len() >= 5, "the page is not read: {shown:?}");
    for line in shown {
        // What stands behind a bar is another program.
        let line = line.split(" | ").next().unwrap_or_default();
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let run = server.run(&arguments);
        assert_eq!(run.code, Some(0), "{line}: {run:?}");
    }
}
