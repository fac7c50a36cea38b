//! `binnacle doctor`: looks at everything that a server needs, with the settings that `serve` has, and says what is, and what to do
//! about what is not as it should be.
//!
//! Invariant: nothing is changed and no server is started; the store is read on a copy, and not at all while a server has it open.
//! Each file here is about one noun; what is wrong with one of them is in nobody else's way.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::serve::STORE;
use super::settings::{GivenSettings, Settings};
use super::words::{counted, say};
use super::{Failure, FailureKind};
use crate::log::is_open_elsewhere;
use finding::{Finding, Level};

mod address;
mod callers;
mod certificates;
mod clock;
mod configuration;
mod descriptors;
mod directory;
mod disk;
mod finding;
mod server;
mod store;

/// Looks at everything that a server needs, and says what to do.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Doctor {
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Lines, value_name = "FORMAT")]
    format: Format,
    /// Leaves the store unread: a large one takes its time, and room for a copy
    #[arg(long)]
    skip_store: bool,
    /// Where the store is copied to before it is read [default: the directory for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    // The last: its headings are those of all behind them.
    #[command(flatten)]
    given: GivenSettings,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a person
    Lines,
    /// A JSON object a line: about, level (ok, warning, wrong), is, todo
    Ndjson,
}

const AFTER_HELP: &str = "\
  binnacle doctor --config /etc/binnacle.toml
  binnacle doctor --data-dir /var/lib/binnacle --skip-store --format ndjson

Give it the settings that serve has, and run it as the user that runs the server. While a server runs, its store is not read; a \
server that is started while the store is copied says that it is open elsewhere.

Exit code 0: nothing is wrong; there may be warnings. 1: something is wrong. 2: the settings are. 3: the store is damaged.";

/// What is looked at, and with what.
struct Patient<'a> {
    settings: &'a Settings,
    data_dir: PathBuf,
    /// Whether a server has its store open; what cannot be opened is found where the directory is looked at.
    is_running: bool,
    now: Timestamp,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let findings = match self.given.settings() {
            Ok(settings) => self.look_at(&settings),
            Err(failure) => vec![configuration::unreadable(&failure)],
        };
        self.say(&findings)?;
        end(&findings)
    }

    fn look_at(&self, settings: &Settings) -> Vec<Finding> {
        let data_dir = settings.data_dir();
        let is_open = is_open_elsewhere(&data_dir.join(STORE));
        let patient = Patient {
            settings,
            is_running: is_open.unwrap_or_default(),
            data_dir,
            now: Timestamp::now(),
        };
        let mut findings = configuration::look(&patient, self.given.config.as_deref());
        findings.extend(address::look(&patient));
        findings.extend(directory::look(&patient.data_dir));
        findings.extend(disk::look(&patient.data_dir, settings.disk_free_bytes_min));
        findings.extend(descriptors::look(&patient));
        findings.extend(certificates::look(&patient));
        findings.extend(callers::look(&patient));
        findings.extend(self.look_at_the_log(&patient));
        findings
    }

    /// The log, by the server that has it open or without one.
    fn look_at_the_log(&self, patient: &Patient<'_>) -> Vec<Finding> {
        if patient.is_running {
            return server::look(patient);
        }
        if !directory::may_be_read(&patient.data_dir) {
            return vec![Finding::warning(
                "store",
                "this user may not look at it",
                "run this as the user that runs the server",
            )];
        }
        if self.skip_store {
            return vec![Finding::ok("store", "it is left unread, as --skip-store says")];
        }
        let store::Read { mut findings, newest } = store::look(&patient.data_dir, self.scratch.as_deref());
        findings.extend(newest.map(|newest| clock::look(patient, newest)));
        findings
    }

    fn say(&self, findings: &[Finding]) -> Result<(), Failure> {
        for finding in findings {
            match self.format {
                Format::Lines => say(&finding.lines()),
                Format::Ndjson => say(&finding.json()?),
            }
        }
        Ok(())
    }
}

/// The summary, and the exit code.
fn end(findings: &[Finding]) -> Result<(), Failure> {
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (wrong, warnings) = (count(Level::Wrong), count(Level::Warning));
    let warned = match warnings {
        0 => String::new(),
        warnings => format!(", with {}", counted(warnings, "warning")),
    };
    if wrong == 0 {
        super::words::tell(&format!("nothing is wrong{warned}"));
        return Ok(());
    }
    let are = if wrong == 1 { "thing is" } else { "things are" };
    Err(Failure::new(
        worst(findings),
        format!("{wrong} {are} wrong{warned}"),
    ))
}

/// A damaged store counts for more than anything else.
fn worst(findings: &[Finding]) -> FailureKind {
    let kinds = || findings.iter().filter_map(|finding| finding.kind);
    if kinds().any(|kind| matches!(kind, FailureKind::Damaged)) {
        FailureKind::Damaged
    } else if kinds().any(|kind| matches!(kind, FailureKind::Failed | FailureKind::Partly)) {
        FailureKind::Failed
    } else {
        FailureKind::Usage
    }
}

/// A path as it is said.
fn said(path: &Path) -> String {
    path.display().to_string()
}
