//! `binnacle import board` and `binnacle board` as a person meets them: the real program, a real server on a free port,
//! and its exit codes.

#[path = "common/process.rs"]
mod process;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use binnacle::proto::api::cycle_service_client::CycleServiceClient;
use binnacle::proto::api::key_result::Kind;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::{api, google_type};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::Code;
use tonic::transport::Channel;

use process::{ServerProcess, WAIT};

const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const ACME: &str = "workspaces/acme";

/// A server of its own with the workspace "acme" in UTC, its cycles, members and KPIs; it ends with the test.
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

/// What a cycle holds, without what the server adds.
#[derive(Debug, Default, PartialEq)]
struct Held {
    objectives: Vec<api::Objective>,
    key_results: Vec<api::KeyResult>,
    initiatives: Vec<api::Initiative>,
}

fn day(year: i32, month: i32, day: i32) -> Option<google_type::Date> {
    Some(google_type::Date { year, month, day })
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
        server.runtime.block_on(server.furnish());
        server
    }

    fn url(&self) -> String {
        self.process.url()
    }

    async fn channel(&self) -> Channel {
        Channel::from_shared(self.url())
            .expect("an address")
            .connect()
            .await
            .expect("a connection")
    }

    async fn objectives(&self) -> ObjectiveServiceClient<Channel> {
        ObjectiveServiceClient::new(self.channel().await)
    }

    async fn furnish(&self) {
        let channel = self.channel().await;
        let mut workspaces = WorkspaceServiceClient::new(channel.clone());
        let request = api::CreateWorkspaceRequest {
            workspace_id: "acme".into(),
            workspace: Some(api::Workspace {
                title: "Acme".into(),
                time_zone: "UTC".into(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        let until = Instant::now() + WAIT;
        while let Err(status) = workspaces.create_workspace(request.clone()).await {
            // It is still reading its log.
            assert!(
                status.code() == Code::Unavailable && Instant::now() < until,
                "no workspace: {status}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for id in ["maria", "ana"] {
            let member = api::Member {
                title: id.to_uppercase(),
                principal: format!("{id}@example.com"),
                roles: vec![api::member::Role::Lead.into()],
                ..api::Member::default()
            };
            let request = api::CreateMemberRequest {
                parent: ACME.into(),
                member_id: id.into(),
                member: Some(member),
                ..api::CreateMemberRequest::default()
            };
            workspaces.create_member(request).await.expect("a member");
        }
        let mut cycles = CycleServiceClient::new(channel.clone());
        for (id, first_date, last_date) in [
            ("q3-2026", day(2026, 7, 1), day(2026, 9, 30)),
            ("now", day(2024, 1, 1), day(2033, 12, 31)),
            ("next", day(2024, 1, 1), day(2033, 12, 31)),
        ] {
            let request = api::CreateCycleRequest {
                parent: ACME.into(),
                cycle_id: id.into(),
                cycle: Some(api::Cycle {
                    title: format!("Cycle {id}"),
                    first_date,
                    last_date,
                    ..api::Cycle::default()
                }),
                ..api::CreateCycleRequest::default()
            };
            cycles.create_cycle(request).await.expect("a cycle");
        }
        self.kpi("nps", "NPS", api::Direction::HigherIsBetter, "", Some(70.0))
            .await;
        self.kpi(
            "reply-time",
            "Average reply time",
            api::Direction::LowerIsBetter,
            "min",
            Some(47.5),
        )
        .await;
        self.kpi("csat", "CSAT", api::Direction::HigherIsBetter, "", None)
            .await;
    }

    async fn kpi(&self, id: &str, title: &str, direction: api::Direction, symbol: &str, value: Option<f64>) {
        let mut kpis = KpiServiceClient::new(self.channel().await);
        let request = api::CreateKpiRequest {
            parent: ACME.into(),
            kpi_id: id.into(),
            kpi: Some(api::Kpi {
                title: title.into(),
                direction: direction.into(),
                cadence: api::Cadence::Monthly.into(),
                unit: Some(api::Unit {
                    kind: api::unit::Kind::Number.into(),
                    symbol: symbol.into(),
                    decimals: Some(1),
                    ..api::Unit::default()
                }),
                ..api::Kpi::default()
            }),
            ..api::CreateKpiRequest::default()
        };
        kpis.create_kpi(request).await.expect("a KPI");
        if let Some(value) = value {
            let request = api::RecordMeasurementRequest {
                parent: format!("{ACME}/kpis/{id}"),
                measurement: Some(api::Measurement {
                    value: Some(value),
                    effective_date: day(2024, 1, 31),
                    ..api::Measurement::default()
                }),
                ..api::RecordMeasurementRequest::default()
            };
            kpis.record_measurement(request).await.expect("a measurement");
        }
    }

    fn revision(&self) -> i64 {
        self.runtime.block_on(async {
            let mut workspaces = WorkspaceServiceClient::new(self.channel().await);
            let request = api::GetWorkspaceRequest {
                name: ACME.into(),
                ..api::GetWorkspaceRequest::default()
            };
            workspaces
                .get_workspace(request)
                .await
                .expect("the workspace")
                .into_inner()
                .revision
        })
    }

    /// What lies in a cycle, in the order of names, without names, times and figures.
    fn held(&self, cycle: &str) -> Held {
        self.runtime.block_on(async {
            let mut client = self.objectives().await;
            let request = api::ListObjectivesRequest {
                parent: ACME.into(),
                page_size: 1000,
                ..api::ListObjectivesRequest::default()
            };
            let objectives = client
                .list_objectives(request)
                .await
                .expect("objectives")
                .into_inner()
                .objectives;
            let mut held = Held::default();
            for objective in objectives {
                if objective.cycle != format!("{ACME}/cycles/{cycle}") {
                    continue;
                }
                let request = api::ListKeyResultsRequest {
                    parent: objective.name.clone(),
                    page_size: 1000,
                    ..api::ListKeyResultsRequest::default()
                };
                let key_results = client
                    .list_key_results(request)
                    .await
                    .expect("key results")
                    .into_inner();
                held.key_results
                    .extend(key_results.key_results.into_iter().map(bare_key_result));
                let request = api::ListInitiativesRequest {
                    parent: objective.name.clone(),
                    page_size: 1000,
                    ..api::ListInitiativesRequest::default()
                };
                let initiatives = client
                    .list_initiatives(request)
                    .await
                    .expect("initiatives")
                    .into_inner();
                held.initiatives
                    .extend(initiatives.initiatives.into_iter().map(bare_initiative));
                held.objectives.push(bare_objective(objective));
            }
            held
        })
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.files.path().join(file), text).expect("a file");
    }

    /// Imports a text as the file `board.md`.
    fn import(&self, text: &str, args: &[&str]) -> Run {
        self.write("board.md", text);
        self.run(&[&["import", "board", "board.md", "--workspace", "acme"], args].concat())
    }

    fn run(&self, args: &[&str]) -> Run {
        let output = Command::new(PROGRAM)
            .args(args)
            .args(["--server", &self.url()])
            .current_dir(self.files.path())
            .env_remove("BINNACLE_ACTOR")
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Run {
    /// It did what it was asked, and its first line is this one; the others.
    #[track_caller]
    fn done(&self, line: &str) -> Vec<&str> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        let mut lines = self.stdout.lines();
        assert_eq!(lines.next(), Some(line), "{}", self.stdout);
        lines.collect()
    }

    /// It refused, and said these texts and nothing else.
    #[track_caller]
    fn refused(&self, lines: &[&str]) {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (Some(2), ""),
            "{}",
            self.stderr
        );
        let said: Vec<_> = self.stderr.lines().collect();
        assert_eq!(said.len(), lines.len(), "{}", self.stderr);
        for (said, text) in said.iter().zip(lines) {
            assert!(said.contains(text), "{text:?} is not in: {said}");
        }
    }
}

fn bare_objective(objective: api::Objective) -> api::Objective {
    api::Objective {
        name: String::new(),
        cycle: String::new(),
        state: 0,
        activation_date: None,
        progress: None,
        create_time: None,
        update_time: None,
        etag: String::new(),
        ..objective
    }
}

fn bare_key_result(key_result: api::KeyResult) -> api::KeyResult {
    let mut bare = api::KeyResult {
        name: key_result.name.rsplit('/').next().unwrap_or_default().to_owned(),
        confidence: None,
        progress: None,
        create_time: None,
        update_time: None,
        etag: String::new(),
        state: 0,
        ..key_result
    };
    // A board says the number, not where it came from.
    if let Some(Kind::Metric(metric)) = &mut bare.kind {
        metric.baseline_source = None;
    }
    bare
}

fn bare_initiative(initiative: api::Initiative) -> api::Initiative {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    api::Initiative {
        name: last(&initiative.name),
        key_result: last(&initiative.key_result),
        create_time: None,
        update_time: None,
        etag: String::new(),
        ..initiative
    }
}

const Q3: &[&str] = &["--cycle", "q3-2026"];

#[test]
fn a_board_becomes_drafts_once_and_says_what_is_left_to_do() {
    let server = Server::start();
    let board = "# Better support\n\n- KR: Reduce the average reply time to 30 min by Q3\n- KR: Raise CSAT to 4.5\n- Initiative: Hire @maria\n";
    let before = server.revision();
    let todos = [
        "To do:",
        "- [ ] cycles/q3-2026: it is PLANNED, and objectives are activated in an ACTIVE cycle: activate it first (CycleService.ActivateCycle)",
        "- [ ] objectives/better-support: it has no owner: write @member behind its title before it is imported, or set its field owner (ObjectiveService.UpdateObjective)",
        "- [ ] objectives/better-support: it has 2 key results: write 3 to 5 (ObjectiveService.CreateKeyResult)",
        "- [ ] objectives/better-support/keyResults/raise-csat: it has no baseline, for its KPI kpis/csat has no value yet: record one (binnacle import kpi, KpiService.RecordMeasurement), or set the field metric.baseline (ObjectiveService.UpdateKeyResult)",
    ];

    let dry = server.import(board, &[Q3, &["--dry-run"]].concat());
    let said =
        dry.done("1 board read: would create 1 objective, 2 key results and 1 initiative; 0 unchanged");
    assert_eq!(said, todos);
    assert_eq!(server.revision(), before, "a dry run wrote something");

    let first = server.import(board, Q3);
    let said = first
        .done("1 board read: 1 objective, 2 key results and 1 initiative created as drafts; 0 unchanged");
    assert_eq!(said, todos);
    let after = server.revision();
    assert_eq!(after, before + 4);
    let held = server.held("q3-2026");
    let metrics: Vec<_> = held
        .key_results
        .iter()
        .map(|key_result| match &key_result.kind {
            Some(Kind::Metric(metric)) => (key_result.title.as_str(), metric.baseline, metric.target),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("Raise CSAT", None, Some(4.5)),
        ("Reduce the average reply time", Some(47.5), Some(30.0)),
    ];
    assert_eq!(metrics, expected, "the baseline is the KPI's");
    assert_eq!(held.key_results[1].due_date, day(2026, 9, 30));
    assert_eq!(held.initiatives[0].owner, format!("{ACME}/members/maria"));

    server
        .import(board, Q3)
        .done("1 board read: 0 objectives, 0 key results and 0 initiatives created as drafts; 4 unchanged");
    assert_eq!(server.revision(), after, "a second run wrote something");
}

#[test]
fn what_is_wrong_is_told_by_line_and_nothing_is_written() {
    let server = Server::start();
    let before = server.revision();
    server.write("good.md", "# Fine\n\n- KR: Deals from 1 to 2\n");
    server.write(
        "bad.md",
        "# Win\n\n- KR: Make it better\n- NPS to 80\n- KR: NPS to 80 @eve\n",
    );
    let files = ["import", "board", "good.md", "bad.md", "--workspace", "acme"];
    server.run(&[&files, Q3].concat()).refused(&[
        "bad.md:3: it does not say how it is measured: write \"KR: Increase NPS from 32 to 45\"",
        "bad.md:4: \"NPS to 80\" is neither: begin it with \"KR:\"",
        "nothing was written: 2 lines are wrong",
    ]);
    server.import("# Win\n\n- KR: NPS to 80 @eve\n", Q3).refused(&[
        "board.md:3: nobody in the workspace is called @eve",
        "nothing was written: 1 line is wrong",
    ]);
    // What only the server knows is asked before anything is written.
    let wrong_direction = "# Fine\n\n- KR: Deals from 1 to 2\n- KR: Average reply time from 30 to 48\n";
    server
        .import(wrong_direction, Q3)
        .refused(&["board.md:4: ", "nothing was written: 1 line is wrong"]);
    let unknown_team = "# Win (team: sales)\n\n- KR: Deals from 1 to 2\n";
    server.import(unknown_team, Q3).refused(&[
        "board.md:1: teams/sales does not exist",
        "nothing was written: 1 line is wrong",
    ]);
    server
        .import("nothing\n", Q3)
        .refused(&["board.md:1: it belongs to nothing", "nothing was written"]);
    server
        .import("\n", Q3)
        .refused(&["board.md:1: there is no objective", "nothing was written"]);
    server
        .import("# Win\n", &["--cycle", "q1-2030"])
        .refused(&["q1-2030"]);
    assert_eq!(server.revision(), before);
}

#[test]
fn what_is_there_with_another_content_is_reported_and_left_as_it_is() {
    let server = Server::start();
    server
        .import("# Win\n\n- KR: NPS to 80\n- Initiative: Demos\n", Q3)
        .done("1 board read: 1 objective, 1 key result and 1 initiative created as drafts; 0 unchanged");
    let before = server.revision();
    server
        .import(
            "# Win @ana\n\n- KR: NPS to 85\n- [x] Initiative: Demos\n- Initiative: Ads\n",
            Q3,
        )
        .refused(&[
            "board.md:1: objectives/win is there already with another owner",
            "board.md:3: objectives/win/keyResults/nps is there already with another target",
            "board.md:4: objectives/win/initiatives/demos is there already with another state",
            "nothing was written: 3 lines are wrong",
        ]);
    assert_eq!(server.revision(), before);
    server
        .import("# Win\n\n- Initiative: Ads\n", Q3)
        .done("1 board read: 0 objectives, 0 key results and 1 initiative created as drafts; 1 unchanged");
    // The same title in another cycle is another objective.
    server
        .import("# Win\n\n- KR: NPS to 85\n", &["--cycle", "next"])
        .done("1 board read: 1 objective, 1 key result and 0 initiatives created as drafts; 0 unchanged");
    server
        .import("# Win\n\n- KR: NPS to 85\n", &["--cycle", "next"])
        .done("1 board read: 0 objectives, 0 key results and 0 initiatives created as drafts; 2 unchanged");
}

/// Activates every objective of the cycle "now", and checks in where no KPI gives the value.
fn run_the_cycle(server: &Server) {
    server.runtime.block_on(async {
        let mut cycles = CycleServiceClient::new(server.channel().await);
        let request = api::ActivateCycleRequest {
            name: format!("{ACME}/cycles/now"),
            ..api::ActivateCycleRequest::default()
        };
        cycles.activate_cycle(request).await.expect("an active cycle");
        let mut client = server.objectives().await;
        for objective in ["better-support", "open-the-shop"] {
            let request = api::ActivateObjectiveRequest {
                name: format!("{ACME}/objectives/{objective}"),
                ..api::ActivateObjectiveRequest::default()
            };
            client
                .activate_objective(request)
                .await
                .expect("an active objective");
        }
        let milestones = api::ReachedMilestones {
            milestones: vec!["rent-it".to_owned()],
        };
        for (key_result, value, reached_milestones) in [
            ("better-support/keyResults/first-response", Some(9_000.0), None),
            ("open-the-shop/keyResults/publish-the-handbook", Some(1.0), None),
            (
                "open-the-shop/keyResults/the-shop-is-open",
                None,
                Some(milestones),
            ),
        ] {
            let request = api::CreateCheckInRequest {
                parent: format!("{ACME}/objectives/{key_result}"),
                check_in: Some(api::CheckIn {
                    value,
                    reached_milestones,
                    ..api::CheckIn::default()
                }),
                ..api::CreateCheckInRequest::default()
            };
            client.create_check_in(request).await.expect("a check-in");
        }
    });
}

const BOARD: &str = "# Better support (aspirational) @maria #support

Customers wait
too long.

- KR: Reduce the average reply time to 30 min
- KR: First response from 6 h to 45 min @ana
- KR: Keep NPS above 40 (share of periods)
- KR: Open rate from 20 % by +10 % (weight: 2)
  - Initiative: 100 demos 3/100 (due 2033-11-30) @ana
- [x] Initiative: Introduce a ticket tool
- Initiative: Old plan by 2024-02-01

# Open the shop @ana

- KR: The shop is open
  - [ ] Rent it (weight: 3)
  - [ ] Fill it
- [ ] KR: Publish the handbook
- KR: \"Sales from 0 to 9\" from 0 to 9 \"open deals\"
";

#[test]
fn a_written_board_read_into_an_empty_cycle_gives_the_same() {
    let server = Server::start();
    let now = &["--cycle", "now"];
    server
        .import(BOARD, now)
        .done("1 board read: 2 objectives, 7 key results and 3 initiatives created as drafts; 0 unchanged");
    run_the_cycle(&server);
    let args = ["board", "--workspace", "acme", "-o", "written.md"];
    let written = server.run(&args);
    assert_eq!(
        (written.code, written.stdout.as_str()),
        (Some(0), ""),
        "{}",
        written.stderr
    );
    let board = std::fs::read_to_string(server.files.path().join("written.md")).expect("a board");
    for line in [
        "# Better support (aspirational) @maria #support",
        "Customers wait",
        "- KR: Reduce the average reply time from 47.5 min to 30.0 min, now 47.5 min (0.00",
        "- KR: First response from 6 h to 45 min, now 2 h 30 min (0.67",
        "- KR: Open rate from 20 % by +10 %, not started (0.00",
        "  - [ ] Initiative: 100 demos 3/100 (due 2033-11-30) @ana",
        "- [x] Initiative: Introduce a ticket tool",
        "- KR: The shop is open, now 1 of 2 milestones (0.75",
        "  - [x] Rent it (weight: 3)",
        "- [x] KR: Publish the handbook, now done (1.00",
        "- KR: Sales from 0 to 9 from 0 \"open deals\" to 9 \"open deals\", not started (0.00",
        "## Actions",
        "- [ ] Better support, Old plan: it was due on 2024-02-01",
    ] {
        assert!(
            board.lines().any(|written| written.starts_with(line)),
            "{line:?} is not in {board}"
        );
    }
    let again = server.run(&["board", "--workspace", "acme", "--cycle", "now"]);
    assert_eq!(again.stdout, board, "the same state is another text");

    // Where it came from it changes nothing.
    let before = server.revision();
    server
        .import(&board, now)
        .done("1 board read: 0 objectives, 0 key results and 0 initiatives created as drafts; 12 unchanged");
    assert_eq!(server.revision(), before);

    server
        .import(&board, &["--cycle", "next"])
        .done("1 board read: 2 objectives, 7 key results and 3 initiatives created as drafts; 0 unchanged");
    assert_eq!(server.held("next"), server.held("now"));
}

#[test]
fn a_board_has_the_active_cycles_or_says_that_there_is_none() {
    let server = Server::start();
    server
        .run(&["board", "--workspace", "acme"])
        .refused(&["no cycle is ACTIVE: name one with --cycle"]);
    server
        .import("# Win\n\n- KR: NPS to 80\n", Q3)
        .done("1 board read: 1 objective, 1 key result and 0 initiatives created as drafts; 0 unchanged");
    let drafts = server.run(&["board", "--workspace", "acme", "--cycle", "q3-2026"]);
    let expected = "- KR: NPS from 70.0 to 80.0 (KPI: nps)";
    assert!(
        drafts.stdout.lines().any(|line| line == expected),
        "{}",
        drafts.stdout
    );
    assert!(
        drafts
            .stdout
            .contains("Win is a draft. objectives/win: it has no owner"),
        "{}",
        drafts.stdout
    );
    let others = server.run(&[
        "board",
        "--workspace",
        "acme",
        "--cycle",
        "q3-2026",
        "--team",
        "sales",
    ]);
    assert!(
        others.code == Some(0) && !others.stdout.contains("NPS"),
        "{others:?}"
    );
}

#[test]
fn every_example_of_the_document_runs() {
    let server = Server::start();
    let document = std::fs::read_to_string(format!("{ROOT}/docs/board.md")).expect("the document");
    let block = |language: &str| {
        let (_, behind) = document.split_once(&format!("```{language}\n")).expect(language);
        behind.split_once("```").expect("its end").0.to_owned()
    };
    std::fs::create_dir(server.files.path().join("examples")).expect("a folder");
    let example = format!("{ROOT}/examples/board.md");
    std::fs::copy(example, server.files.path().join("examples/board.md")).expect("the example");
    let commands = block("sh");
    let commands: Vec<_> = commands.lines().collect();
    assert_eq!(commands.len(), 3);
    for (command, said) in commands.iter().zip([
        "1 board read: would create 4 objectives, 13 key results and 4 initiatives; 0 unchanged",
        "1 board read: 4 objectives, 13 key results and 4 initiatives created as drafts; 0 unchanged",
        "",
    ]) {
        let words: Vec<_> = command.split(' ').collect();
        assert_eq!(words[0], "binnacle");
        let run = server.run(&words[1..]);
        assert_eq!(
            (run.code, run.stdout.lines().next().unwrap_or_default()),
            (Some(0), said),
            "{}",
            run.stderr
        );
    }
    let written = std::fs::read_to_string(server.files.path().join("board.md")).expect("a board");
    server
        .import(&written, Q3)
        .done("1 board read: 0 objectives, 0 key results and 0 initiatives created as drafts; 21 unchanged");
    let fresh = Server::start();
    fresh
        .import(&block("markdown"), Q3)
        .done("1 board read: 1 objective, 5 key results and 2 initiatives created as drafts; 0 unchanged");
}
