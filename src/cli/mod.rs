//! The command line. One file a command; this one parses, runs, and makes the exit code.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod apply;
mod attempts;
mod board;
mod connection;
mod demo;
mod doctor;
#[cfg(test)]
mod documented;
mod export;
mod health;
mod history;
mod identity;
mod import;
mod json;
mod keys;
mod load;
mod logging;
mod manifest;
mod paint;
mod phrases;
mod picture;
mod proof;
mod remote;
mod serve;
mod service_manager;
mod settings;
mod telemetry;
mod text;
mod watch;
mod words;

/// An event-sourced OKR and KPI service.
#[derive(Debug, Parser)]
#[command(name = "binnacle", version, about, propagate_version = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Commands that talk to a server show who they are with what the environment holds: BINNACLE_TOKEN or BINNACLE_TOKEN_FILE (an API \
key or a JSON web token), BINNACLE_CLIENT_CERTIFICATE and BINNACLE_CLIENT_KEY (PEM). BINNACLE_TLS_CA (PEM) names who has signed \
the certificate of a server at https://, where that is no public authority, and BINNACLE_TLS_NAME the name that it is for, where \
that is not the one in its address.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(Box<serve::Serve>),
    /// Looks at everything that a server needs (settings, permissions, disk, clock, certificates, log), and says what to do.
    Doctor(Box<doctor::Doctor>),
    /// Asks a server whether it serves.
    Health(health::Health),
    /// Makes, lists and revokes the API keys of a server.
    Keys(keys::Keys),
    /// Brings data from files into a workspace.
    Import(import::Import),
    /// Writes objectives and how they go as a Markdown board.
    Board(board::Board),
    /// Makes a workspace what YAML manifests say: creates and updates by name, after all of it was checked.
    Apply(apply::Apply),
    /// Writes a workspace as YAML manifests, which apply to an equal one.
    Export(export::Export),
    /// Shows what happens in a workspace, as it happens: lines, JSON for scripts, or a dashboard.
    Watch(Box<watch::Watch>),
    /// Shows what happened to a resource, how it differs between two moments, and writes events for tools that read files.
    History(Box<history::History>),
    /// Writes whole logs into one archive, while the server runs.
    Backup(proof::Backup),
    /// Brings the logs of an archive back.
    Restore(proof::Restore),
    /// Takes a signed checkpoint, to be kept somewhere else.
    Checkpoint(proof::TakeCheckpoint),
    /// Takes a proof that a commit is in the log, or that a log goes on from a checkpoint.
    Prove(proof::Prove),
    /// Verifies archives, data directories, proofs and checkpoints, without a server.
    Verify(proof::Verify),
    /// Lists calls that were refused or denied: who tried what, and why not.
    Attempts(attempts::Attempts),
    /// Tells a story of eight weeks on a server of its own, and shows what a subscriber sees.
    Demo(demo::Demo),
}

/// A command that did not do what it was asked: one sentence for the person, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    sentence: String,
}

/// The one place where exit codes are given their meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FailureKind {
    /// Something outside of the input went wrong: a disk, a network, a server. Exit code 1.
    Failed,
    /// A part of the input is wrong and was left out, as asked; the rest is done. Exit code 1.
    Partly,
    /// The input is wrong: a flag, a file, a row. Exit code 2, as for a flag that does not exist.
    Usage,
    /// The store is damaged. Exit code 3.
    Damaged,
}

/// Runs the program with the arguments it was started with.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Health(health) => health.run(),
        Command::Keys(keys) => keys.run(),
        Command::Import(import) => import.run(),
        Command::Board(board) => board.run(),
        Command::Apply(apply) => apply.run(),
        Command::Export(export) => export.run(),
        Command::Watch(watch) => watch.run(),
        Command::History(history) => history.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Checkpoint(checkpoint) => checkpoint.run(),
        Command::Prove(prove) => prove.run(),
        Command::Verify(verify) => verify.run(),
        Command::Attempts(attempts) => attempts.run(),
        Command::Demo(demo) => demo.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("binnacle: {failure}");
            failure.kind.into()
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
        }
    }

    /// Of which kind it is.
    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Of an error that says itself what to do.
    pub(crate) fn failed(error: &dyn Error) -> Self {
        Self::new(FailureKind::Failed, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<FailureKind> for ExitCode {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Failed | FailureKind::Partly => Self::from(1),
            FailureKind::Usage => Self::from(2),
            FailureKind::Damaged => Self::from(3),
        }
    }
}
