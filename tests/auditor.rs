//! An auditor who has nothing but the public key, an export, and a checkpoint of yesterday, and a company that has something to
//! hide. The company has the key that signs: whatever it changes it can sign again.

#![allow(clippy::cast_possible_truncation, reason = "revisions of a short log")]

#[path = "common/patience.rs"]
mod patience;
#[path = "common/process.rs"]
mod process;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;

use binnacle::domain::Revision;
use binnacle::log::{
    ArchiveReader, ArchiveWriter, Checkpoint, Frontier, Item, LeafHash, LogEntry, SigningKey, unverified,
};
use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::stored;
use patience::in_time;
use process::ServerProcess;
use prost::Message;
use tempfile::TempDir;
use tonic::Code;

const ACME: &str = "workspaces/acme";
/// How many measurements there are yesterday, and how many come today.
const YESTERDAY: u64 = 300;
const TODAY: u64 = 200;

/// What an auditor has, and what the company could do behind their back.
struct Case {
    files: TempDir,
}

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    said: String,
}

fn binnacle<'a>(args: impl IntoIterator<Item = &'a str>) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .args(args)
        .env_remove("BINNACLE_ACTOR")
        .env_remove("BINNACLE_DATA_DIR")
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    Run {
        code: output.status.code(),
        said,
    }
}

async fn furnish(url: &str) {
    let mut workspaces = WorkspaceServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    let request = api::CreateWorkspaceRequest {
        workspace_id: "acme".into(),
        workspace: Some(api::Workspace {
            title: "Acme".into(),
            time_zone: "UTC".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let created = async {
        while let Err(status) = workspaces.create_workspace(request.clone()).await {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    in_time("a server that has read its log", created).await;
    let request = api::CreateKpiRequest {
        parent: ACME.into(),
        kpi_id: "emissions".into(),
        kpi: Some(api::Kpi {
            title: "Emissions".into(),
            direction: api::Direction::LowerIsBetter.into(),
            cadence: api::Cadence::Daily.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut kpis = KpiServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    kpis.create_kpi(request).await.expect("a KPI");
}

async fn measure(url: &str, count: std::ops::Range<u64>) {
    let mut kpis = KpiServiceClient::connect(url.to_owned())
        .await
        .expect("a connection");
    for number in count {
        let request = api::RecordMeasurementRequest {
            parent: format!("{ACME}/kpis/emissions"),
            measurement: Some(api::Measurement {
                effective_time: Some(prost_types::Timestamp {
                    seconds: 1_750_000_000 + number as i64 * 60,
                    nanos: 0,
                }),
                value: Some(100.0 + number as f64),
                ..Default::default()
            }),
            ..Default::default()
        };
        kpis.record_measurement(request).await.expect("a measurement");
    }
}

impl Case {
    /// Yesterday the auditor took the key and a checkpoint, today an export.
    fn new() -> Self {
        let case = Self {
            files: TempDir::new().expect("a folder"),
        };
        let server = ServerProcess::start(&case.path("data"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let url = server.url();
        runtime.block_on(furnish(&url));
        runtime.block_on(measure(&url, 0..YESTERDAY));
        let took = binnacle([
            "checkpoint",
            ACME,
            "--server",
            &url,
            "-o",
            &case.file("yesterday.checkpoint"),
        ]);
        assert_eq!(took.code, Some(0), "{took:?}");
        let took = binnacle([
            "checkpoint",
            ACME,
            "--server",
            &url,
            "--key",
            "-o",
            &case.file("acme.pub"),
        ]);
        assert_eq!(took.code, Some(0), "{took:?}");
        runtime.block_on(measure(&url, YESTERDAY..YESTERDAY + TODAY));
        let took = binnacle([
            "backup",
            "--server",
            &url,
            "--workspace",
            ACME,
            "-o",
            &case.file("export"),
        ]);
        assert_eq!(took.code, Some(0), "{took:?}");
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// The revision up to which yesterday's checkpoint speaks.
    fn yesterday(&self) -> u64 {
        let note = std::fs::read_to_string(self.path("yesterday.checkpoint")).expect("a checkpoint");
        unverified(&note).expect("a checkpoint").revision.0
    }

    fn verify(&self, export: &str) -> Run {
        let (key, kept, export) = (
            self.file("acme.pub"),
            self.file("yesterday.checkpoint"),
            self.file(export),
        );
        binnacle(["verify", "--public-key", &key, &kept, &export])
    }

    /// Another history in the place of the exported one, told as well as the company can: numbered without a gap, with every
    /// checksum, and signed with its key.
    fn forge(&self, change: impl FnOnce(&mut Vec<stored::Commit>)) {
        let (entry, records) = read(&self.path("export"));
        let mut commits: Vec<_> = records
            .iter()
            .map(|record| stored::Commit::decode(record.as_slice()).expect("a commit"))
            .collect();
        change(&mut commits);
        for (revision, commit) in (1..).zip(&mut commits) {
            commit.revision = revision;
        }
        let records: Vec<_> = commits.iter().map(Message::encode_to_vec).collect();
        let mut tree = Frontier::empty();
        records.iter().for_each(|record| tree.push(LeafHash::of(record)));
        let path = self.path("data/checkpoint.key");
        let key = SigningKey::load(File::open(&path).expect("a key"), &path).expect("a key");
        let checkpoint = Checkpoint {
            revision: Revision(tree.size()),
            root: tree.root(),
            ..unverified(&entry.checkpoint).expect("a checkpoint")
        };
        let entry = LogEntry {
            size: tree.size(),
            root: tree.root().to_string(),
            checkpoint: key.sign(&checkpoint),
            ..entry
        };
        write(&self.path("forged"), entry, &records);
    }
}

fn read(path: &Path) -> (LogEntry, Vec<Vec<u8>>) {
    let file = BufReader::new(File::open(path).expect("an archive"));
    let mut reader = ArchiveReader::begin(file).expect("an archive");
    let (mut entry, mut records) = (None, Vec::new());
    while let Some(item) = reader.read().expect("an archive") {
        match item {
            Item::Log(log) => entry = Some(log),
            Item::Record(record) => records.push(record),
        }
    }
    (entry.expect("a log"), records)
}

fn write(path: &Path, entry: LogEntry, records: &[Vec<u8>]) {
    let file = BufWriter::new(File::create(path).expect("a file"));
    let mut archive = ArchiveWriter::begin(file).expect("an archive");
    archive.log(entry).expect("a log");
    for record in records {
        archive.record(record).expect("a record");
    }
    archive.end().expect("an archive");
}

/// The value that a commit measured, to be changed.
fn measured(commit: &mut stored::Commit) -> &mut f64 {
    let payload = commit.events.first_mut().and_then(|event| event.payload.as_mut());
    match payload {
        Some(stored::event::Payload::MeasurementRecorded(recorded)) => &mut recorded.value,
        other => panic!("no measurement: {other:?}"),
    }
}

#[test]
fn an_export_that_nobody_has_touched_agrees_with_the_checkpoint_of_yesterday() {
    let case = Case::new();
    let run = case.verify("export");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.said.contains("everything agrees"), "{run:?}");
    case.forge(|_| {});
    let run = case.verify("forged");
    assert_eq!(
        run.code,
        Some(0),
        "what is written again without a change is the same: {run:?}"
    );
}

#[test]
fn an_auditor_finds_a_changed_number() {
    let case = Case::new();
    case.forge(|commits| *measured(&mut commits[100]) = 1.0);
    let run = case.verify("forged");
    assert_eq!(run.code, Some(3), "{run:?}");
    let sentence = format!("of revisions 1 to {} at least one was changed", case.yesterday());
    assert!(
        run.said.contains("WRONG") && run.said.contains(&sentence),
        "{run:?}"
    );
}

#[test]
fn an_auditor_finds_a_removed_event() {
    let case = Case::new();
    case.forge(|commits| drop(commits.remove(100)));
    let run = case.verify("forged");
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.said.contains("taken out"), "{run:?}");
    // Also where it is only left out, and the others keep their numbers.
    let (entry, mut records) = read(&case.path("export"));
    records.remove(100);
    write(&case.path("forged"), entry, &records);
    let run = case.verify("forged");
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.said.contains("revisions 101 to 101 are missing"), "{run:?}");
}

#[test]
fn an_auditor_finds_a_rewritten_tail() {
    let case = Case::new();
    let yesterday = case.yesterday();
    case.forge(|commits| {
        for commit in &mut commits[yesterday as usize - 5..] {
            *measured(commit) = 7.0;
        }
    });
    let run = case.verify("forged");
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.said.contains("WRONG"), "{run:?}");
    // A tail that was cut off.
    case.forge(|commits| commits.truncate(yesterday as usize - 5));
    let run = case.verify("forged");
    assert_eq!(run.code, Some(3), "{run:?}");
    let missing = format!("revisions {} to {yesterday} are missing", yesterday - 4);
    assert!(run.said.contains(&missing), "{run:?}");
}

/// Why the checkpoint has to be kept elsewhere: without it the company's signature is all that there is.
#[test]
fn without_a_checkpoint_of_his_own_an_auditor_finds_nothing() {
    let case = Case::new();
    case.forge(|commits| *measured(&mut commits[100]) = 1.0);
    let run = binnacle([
        "verify",
        "--public-key",
        &case.file("acme.pub"),
        &case.file("forged"),
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// Every command of a section of docs/audit.md, on a server of its own, in a folder of its own.
#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let page = include_str!("../docs/audit.md");
    let section = |title: &str| {
        let text = page.split_once(title).expect("the section").1;
        text.split("\n## ").next().expect("its text").to_owned()
    };
    let text = section("\n## Proof\n");
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().expect("a block"));
    let commands: Vec<&str> = blocks
        .flat_map(str::lines)
        .filter(|line| !line.is_empty())
        .collect();
    assert!(commands.len() >= 8, "{commands:?}");
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let mut server = ServerProcess::start(&data);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let url = server.url();
    runtime.block_on(furnish(&url));
    runtime.block_on(measure(&url, 0..20));
    let (mut running, mut recorded) = (true, 20);
    for command in commands {
        let command = command.split(" #").next().expect("a command").trim();
        let mut words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words.remove(0), "binnacle", "{command}");
        let data_dir = data.to_string_lossy();
        for word in &mut words {
            if *word == "/var/lib/binnacle" {
                *word = &data_dir;
            }
        }
        if command.contains("/var/lib/binnacle") && running {
            // Its server does not run, as the page says.
            server.terminate();
            assert!(server.ended());
            running = false;
        }
        if words[0] != "verify" {
            words.extend(["--server", &url]);
        }
        let output = Command::new(env!("CARGO_BIN_EXE_binnacle"))
            .args(&words)
            .current_dir(folder.path())
            .output()
            .expect("the program runs");
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
        if words[0] == "verify" {
            assert!(said.contains("everything agrees"), "{command}: {said}");
        }
        // What happens between one command of the page and the next.
        if running {
            runtime.block_on(measure(&url, recorded..recorded + 10));
            recorded += 10;
        }
    }
    assert!(!running, "the page verifies a data directory");
}
