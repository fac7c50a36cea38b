//! `binnacle watch` as a person and a script meet it: the real program, a real server, and its exit codes.

#[path = "common/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::google_type;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::{Code, Status};

use process::{ServerProcess, WAIT};

const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");
const ACME: &str = "workspaces/acme";

/// A server with the workspace "acme" and the KPI "reply" in minutes, at most 30; it ends with the test.
struct Server {
    process: Option<ServerProcess>,
    url: String,
    files: TempDir,
    runtime: Runtime,
}

/// A run of the program that goes on.
struct Running {
    process: Child,
    lines: Receiver<String>,
    notes: Receiver<String>,
}

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Server {
    fn start() -> Self {
        let files = TempDir::new().expect("a folder");
        let process = ServerProcess::start(&files.path().join("data"));
        let server = Self {
            url: process.url(),
            process: Some(process),
            files,
            runtime: Runtime::new().expect("a runtime"),
        };
        server.runtime.block_on(server.furnish());
        server
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Starts it again where it was.
    fn start_again(&mut self) {
        let data_dir = self.files.path().join("data");
        self.process = Some(ServerProcess::start_at(&data_dir, self.address(), &[]));
    }

    /// kill -9.
    fn kill(&mut self) {
        self.process = None;
    }

    async fn furnish(&self) {
        let request = api::CreateWorkspaceRequest {
            workspace_id: "acme".into(),
            workspace: Some(api::Workspace {
                title: "Acme".into(),
                time_zone: "UTC".into(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        let mut workspaces = WorkspaceServiceClient::connect(self.url.clone())
            .await
            .expect("a connection");
        let until = Instant::now() + WAIT;
        while let Err(status) = workspaces.create_workspace(request.clone()).await {
            // It is still reading its log.
            assert!(
                status.code() == Code::Unavailable && Instant::now() < until,
                "no workspace: {status}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut kpis = self.kpis().await;
        let request = api::CreateKpiRequest {
            parent: ACME.into(),
            kpi_id: "reply".into(),
            kpi: Some(api::Kpi {
                title: "Average reply time".into(),
                direction: api::Direction::LowerIsBetter.into(),
                cadence: api::Cadence::Daily.into(),
                unit: Some(api::Unit {
                    kind: api::unit::Kind::Number.into(),
                    symbol: "min".into(),
                    ..api::Unit::default()
                }),
                ..api::Kpi::default()
            }),
            ..api::CreateKpiRequest::default()
        };
        kpis.create_kpi(request).await.expect("a KPI");
        let request = api::SetTargetRequest {
            parent: format!("{ACME}/kpis/reply"),
            target: Some(api::Target {
                effective_date: Some(google_type::Date {
                    year: 2025,
                    month: 1,
                    day: 1,
                }),
                at_most: Some(30.0),
                ..api::Target::default()
            }),
            ..api::SetTargetRequest::default()
        };
        kpis.set_target(request).await.expect("a target");
    }

    async fn kpis(&self) -> KpiServiceClient<tonic::transport::Channel> {
        KpiServiceClient::connect(self.url.clone())
            .await
            .expect("a connection")
    }

    fn measure(&self, hour: i64, value: f64) {
        self.runtime.block_on(async {
            let measured = self
                .kpis()
                .await
                .record_measurement(measurement(hour, value))
                .await;
            measured.expect("a measurement");
        });
    }

    /// Revision and leaf of every commit that has events, as the audit has them.
    fn commits(&self) -> Vec<(i64, Vec<u8>)> {
        self.runtime.block_on(async {
            let mut audit = AuditServiceClient::connect(self.url.clone())
                .await
                .expect("a connection");
            let mut request = api::ListEventsRequest {
                parent: ACME.into(),
                page_size: 1000,
                ..api::ListEventsRequest::default()
            };
            let mut commits = Vec::new();
            loop {
                let page = match audit.list_events(request.clone()).await {
                    Ok(page) => page.into_inner(),
                    Err(status) if status.code() == Code::Unavailable => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                    Err(status) => panic!("no events: {status}"),
                };
                for event in page.events {
                    let commit = event.commit.expect("a commit");
                    commits.push((commit.revision, commit.leaf_hash));
                }
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    commits.dedup();
                    return commits;
                }
            }
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .arg("watch")
            .args(args)
            .args(["--server", &self.url])
            .env_remove("BINNACLE_ACTOR")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        let output = self.command(args).output().expect("the program runs");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    fn watch(&self, args: &[&str]) -> Running {
        let mut process = self
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = lines_of(process.stdout.take().expect("a pipe"));
        let notes = lines_of(process.stderr.take().expect("a pipe"));
        Running {
            process,
            lines,
            notes,
        }
    }
}

fn measurement(hour: i64, value: f64) -> api::RecordMeasurementRequest {
    api::RecordMeasurementRequest {
        parent: format!("{ACME}/kpis/reply"),
        measurement: Some(api::Measurement {
            // Hours behind the first of January 2025.
            effective_time: Some(prost_types::Timestamp {
                seconds: 1_735_689_600 + hour * 3600,
                nanos: 0,
            }),
            value: Some(value),
            ..api::Measurement::default()
        }),
        ..api::RecordMeasurementRequest::default()
    }
}

fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Who has seen enough does not listen any more.
            let _gone = tell.send(line);
        }
    });
    told
}

impl Running {
    fn next(&self) -> String {
        self.lines.recv_timeout(WAIT).expect("a line")
    }

    /// Waits for a note on standard error.
    fn note(&self, part: &str) -> String {
        loop {
            let note = self
                .notes
                .recv_timeout(WAIT)
                .unwrap_or_else(|_| panic!("no note with {part:?}"));
            if note.contains(part) {
                return note;
            }
        }
    }

    /// Ctrl-C; what was still to be read.
    fn interrupt(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        let told = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
        let ended = self.process.wait().expect("it ends");
        (
            ended.code(),
            self.lines.iter().collect(),
            self.notes.iter().collect(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

impl Run {
    #[track_caller]
    fn refused(&self, sentence: &str) {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (Some(2), ""),
            "{}",
            self.stderr
        );
        assert!(
            self.stderr.contains(sentence),
            "{sentence:?} is not in: {}",
            self.stderr
        );
    }
}

/// A line without its time, which has a form of its own.
#[track_caller]
fn without_time(line: &str) -> &str {
    let (time, rest) = line.split_at_checked(19).unwrap_or_else(|| panic!("{line}"));
    let is_time = time
        .chars()
        .zip("0000-00-00 00:00:00".chars())
        .all(|(c, form)| match form {
            '0' => c.is_ascii_digit(),
            form => c == form,
        });
    assert!(is_time, "{line}");
    rest
}

#[track_caller]
fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The revision and the leaf of an update's commit.
fn commit_of(message: &Value) -> Option<(i64, String)> {
    let commit = message.get("update")?.get("commit")?;
    let revision = commit["revision"].as_str()?.parse().ok()?;
    Some((revision, commit["leafHash"].as_str()?.to_owned()))
}

#[test]
fn what_happens_is_a_line_and_what_followed_stands_below_it() {
    let server = Server::start();
    let running = server.watch(&["acme"]);
    running.note("watching workspaces/acme, which is at revision 3");
    server.measure(12, 28.0);
    assert_eq!(
        without_time(&running.next()),
        "  #4  anonymous  KPI Average reply time: 28 min of 2025-01-01 12:00:00"
    );
    assert_eq!(
        running.next(),
        "    KPI Average reply time: – → 28 min, no data → healthy, its value is overdue"
    );
    server.measure(36, 41.0);
    assert_eq!(
        without_time(&running.next()),
        "  #5  anonymous  KPI Average reply time: 41 min of 2025-01-02 12:00:00"
    );
    assert_eq!(
        running.next(),
        "    KPI Average reply time: 28 min → 41 min, healthy → BREACHED"
    );
    let (code, rest, notes) = running.interrupt();
    let note = notes.last().expect("a note");
    let (said, token) = note.split_once("--after ").expect("a token");
    assert_eq!((code, said), (Some(0), "binnacle: to go on from here: "));
    assert!(rest.iter().all(|line| line.starts_with("    ")), "{rest:?}");

    // With the token it goes on there, and with nothing it is over at once.
    server.measure(36, 40.0);
    let later = server.run(&["acme", "--after", token, "--exit-after-caught-up"]);
    assert_eq!(later.code, Some(0), "{}", later.stderr);
    let first = later.stdout.lines().next().expect("a line");
    assert_eq!(
        without_time(first),
        "  #6  anonymous  KPI Average reply time: 41 min → 40 min of 2025-01-02 12:00:00, corrected"
    );
}

#[test]
fn everything_there_ever_was_is_json_line_by_line_and_nothing_else() {
    let server = Server::start();
    server.measure(12, 28.0);
    // The only workspace needs no name.
    let run = server.run(&["-o", "json", "--from-beginning", "--exit-after-caught-up"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    let messages: Vec<Value> = run.stdout.lines().map(json).collect();
    assert_eq!(messages[0]["started"]["headRevision"], "4");
    assert!(
        messages.last().expect("a message").get("caughtUp").is_some(),
        "{messages:?}"
    );
    let revisions: Vec<i64> = messages
        .iter()
        .filter_map(commit_of)
        .map(|(revision, _)| revision)
        .collect();
    assert_eq!(revisions, [1, 2, 3, 4]);
    assert!(
        messages.iter().all(|message| message["resumeToken"]
            .as_str()
            .is_some_and(|token| !token.is_empty())),
        "{messages:?}"
    );
    let measured = &messages[4]["update"];
    assert_eq!(measured["events"][0]["type"], "MeasurementRecorded");
    assert_eq!(
        measured["derivedChanges"][0]["kpi"]["after"]["health"],
        "HEALTH_HEALTHY"
    );

    let state = server.run(&["-o", "json", "--snapshot", "--exit-after-caught-up"]);
    let messages: Vec<Value> = state.stdout.lines().map(json).collect();
    assert_eq!(messages[1]["snapshot"]["resources"][0]["workspace"]["name"], ACME);
    let lines = server.run(&["acme", "--snapshot", "--exit-after-caught-up"]);
    assert!(
        lines
            .stdout
            .contains("\nKPI Average reply time: 28 min, healthy\n"),
        "{}",
        lines.stdout
    );
}

#[test]
fn a_filter_leaves_out_what_was_not_asked_for() {
    let server = Server::start();
    server.measure(12, 28.0);
    let shown = |args: &[&str]| {
        let run = server.run(&[&["acme", "--from-beginning", "--exit-after-caught-up"], args].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let lines = run.stdout.lines().map(|line| {
            let (head, text) = line.split_at_checked(4).unwrap_or_default();
            if head == "    " {
                text.to_owned()
            } else {
                without_time(line).to_owned()
            }
        });
        lines.collect::<Vec<_>>()
    };
    let measured = "  #4  anonymous  KPI Average reply time: 28 min of 2025-01-01 12:00:00";
    // What comes into view says so, whatever is asked of changes.
    assert_eq!(
        shown(&["--kind", "kpi", "--change", "value-changed"]),
        [
            "  #2  anonymous  what followed from CreateKpi",
            "now in view: KPI Average reply time: no data",
            measured
        ]
    );
    assert_eq!(
        shown(&[
            "--name",
            "kpis/rep*",
            "--change",
            "VALUE_CHANGED",
            "--change",
            "FIGURE_CHANGED"
        ])
        .last()
        .map(String::as_str),
        Some("KPI Average reply time: – → 28 min, no data → healthy, its value is overdue")
    );
    assert_eq!(shown(&["--kind", "OBJECTIVE"]), [""; 0]);
}

#[test]
fn over_kills_and_stops_each_revision_is_read_once_and_in_order() {
    let mut server = Server::start();
    let running = server.watch(&["acme", "-o", "json", "--from-beginning"]);
    let seen = std::cell::RefCell::new(Vec::new());
    let read_to = |revision: i64| {
        while seen.borrow().last().is_none_or(|(newest, _)| *newest < revision) {
            seen.borrow_mut().extend(commit_of(&json(&running.next())));
        }
    };
    let written = Arc::new(AtomicI64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let load = {
        let (url, written, is_over) = (server.url.clone(), Arc::clone(&written), Arc::clone(&is_over));
        server.runtime.spawn(async move {
            // Whatever becomes of one, the next is another: a writer that does not care.
            for hour in 0.. {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let sent: Result<_, Status> = async {
                    let unreachable = |_| Status::unavailable("not there");
                    let mut kpis = KpiServiceClient::connect(url.clone())
                        .await
                        .map_err(unreachable)?;
                    kpis.record_measurement(measurement(hour % 1000, (hour % 97) as f64))
                        .await
                }
                .await;
                match sent {
                    Ok(_) => {
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        })
    };
    let wait_for_writes = |more: i64| {
        let (goal, until) = (written.load(Ordering::SeqCst) + more, Instant::now() + WAIT);
        while written.load(Ordering::SeqCst) < goal {
            assert!(Instant::now() < until, "nothing is written");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    for end in ["kill -9", "kill -9", "in good order"] {
        wait_for_writes(50);
        // It reads along, so the loss finds it in the middle.
        read_to(written.load(Ordering::SeqCst));
        match end {
            "kill -9" => server.kill(),
            _ => {
                let mut stopping = server.process.take().expect("a server");
                stopping.terminate();
                assert!(stopping.ended(), "in good order");
            }
        }
        let note = running.note("asking again until it answers");
        assert!(note.contains("going on behind revision"), "{end}: {note}");
        server.start_again();
        running.note("the stream is back after");
    }
    wait_for_writes(50);
    is_over.store(true, Ordering::SeqCst);
    server.runtime.block_on(load).expect("the load ends");

    let commits = server.commits();
    let head = commits.last().expect("a commit").0;
    read_to(head);
    let (code, rest, _) = running.interrupt();
    assert_eq!(code, Some(0));
    assert!(
        rest.iter()
            .filter_map(|line| commit_of(&json(line)))
            .next()
            .is_none(),
        "{rest:?}"
    );
    let seen = seen.into_inner();
    let revisions: Vec<i64> = seen.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions, (1..=head).collect::<Vec<_>>());
    assert!(head > 200, "{head}");

    // A second reader that was never disturbed has read the same.
    let again = server.run(&["acme", "-o", "json", "--from-beginning", "--exit-after-caught-up"]);
    let undisturbed: Vec<_> = again
        .stdout
        .lines()
        .filter_map(|line| commit_of(&json(line)))
        .collect();
    assert_eq!(seen, undisturbed);
    let audited: Vec<i64> = commits.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions, audited);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let server = Server::start();
    for args in [
        &["acme", "--from-beginning"][..],
        &["acme", "-o", "json", "--from-beginning"],
    ] {
        let mut process = server
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert!(!line.is_empty());
        drop(out);
        let until = Instant::now() + WAIT;
        let mut hour = 0;
        // It notices with the next line that it writes.
        let code = loop {
            if let Some(status) = process.try_wait().expect("a process") {
                break status.code();
            }
            assert!(Instant::now() < until, "it goes on: {args:?}");
            server.measure(hour, 1.0 + hour as f64);
            hour += 1;
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut said = String::new();
        process
            .stderr
            .take()
            .expect("a pipe")
            .read_to_string(&mut said)
            .expect("text");
        assert_eq!(code, Some(0), "{said}");
        assert!(
            !said.contains("panicked") && !said.to_lowercase().contains("broken pipe"),
            "{said}"
        );
    }
}

#[test]
fn what_does_not_get_better_by_asking_again_ends_it_with_a_sentence() {
    let server = Server::start();
    let beginning = server.run(&["acme", "-o", "json", "--from-beginning", "--exit-after-caught-up"]);
    let token = json(beginning.stdout.lines().last().expect("a line"))["resumeToken"].clone();
    let token = token.as_str().expect("a token");
    for (args, sentence) in [
        (&["acme", "--team", "nowhere"][..], "teams/nowhere does not exist"),
        (
            &["acme", "-o", "json", "--cycle", "q9"],
            "cycles/q9 does not exist",
        ),
        (&["elsewhere"], "workspaces/elsewhere"),
        (&["acme", "--after", "rubbish"], "it is no resume token"),
        (
            &["acme", "--after", token, "--kind", "KPI"],
            "(give the same options as where the token comes from, or leave out --after)",
        ),
        (
            &["acme", "--kind", "NOTHING"],
            "it is no kind of resource: write WORKSPACE, TEAM",
        ),
        (
            &["acme", "--change", "NOTHING"],
            "it is no kind of change: write CREATED, UPDATED",
        ),
        (
            &["acme", "--min-interval", "5"],
            "it is no duration: write for example 500ms, 5s or 2m",
        ),
        (
            &["acme", "--checkpoint-interval", "10ms"],
            "it goes from 1s to 1h: write for example 5s",
        ),
        (
            &["acme", "--name", "workspaces/other/kpis/x"],
            "is not in workspaces/acme",
        ),
        (&["acme", "--live", "--from-beginning"], "cannot be used with"),
        (&["acme", "--dashboard", "-o", "json"], "cannot be used with"),
        // The table lives on every kind of change: of some alone it would go wrong.
        (
            &["acme", "--dashboard", "--change", "UPDATED"],
            "cannot be used with",
        ),
        (
            &["acme", "--actor", "José"],
            "is not plain ASCII text: write for example an e-mail address",
        ),
        (
            &["acme", "--dashboard"],
            "--dashboard is drawn in a terminal, and standard output is none: leave it out for lines, or write -o json",
        ),
    ] {
        server.run(args).refused(sentence);
    }
    let nobody = Command::new(PROGRAM)
        .args(["watch", "acme", "--server", "http://127.0.0.1:1"])
        .output()
        .expect("the program runs");
    assert_eq!(nobody.status.code(), Some(1));
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(
        said.starts_with("binnacle: nothing answers at http://127.0.0.1:1"),
        "{said}"
    );
}

#[test]
fn without_a_name_there_has_to_be_one_workspace_alone() {
    let server = Server::start();
    server.runtime.block_on(async {
        let mut workspaces = WorkspaceServiceClient::connect(server.url.clone())
            .await
            .expect("a connection");
        let request = api::CreateWorkspaceRequest {
            workspace_id: "beta".into(),
            workspace: Some(api::Workspace {
                title: "Beta".into(),
                time_zone: "UTC".into(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        workspaces.create_workspace(request).await.expect("a workspace");
    });
    server
        .run(&["--live"])
        .refused("the server has several workspaces: name one, for example \"binnacle watch acme\"");
}
