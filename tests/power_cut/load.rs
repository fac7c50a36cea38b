//! The load of the power-cut rounds: `write` puts a server under load and keeps every answer in a ledger outside the
//! disk that will be cut off; `check` holds a server against that ledger.
//!
//! Exit codes of `check`: 0 all is there, 3 something is lost or wrong; everything else is a failure of the test.

#[path = "../faults/mod.rs"]
#[allow(dead_code, reason = "the test of kill -9 uses more of it")]
mod faults;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Parser, Subcommand, ValueEnum};
use faults::load::{Load, Sent, Shape};
use faults::{connect, invariants, load, set_up, store, wait_until_serving};
use tonic::{Code, Status};

#[derive(Parser)]
struct Cli {
    /// Where the server listens.
    #[arg(long)]
    address: String,
    /// The file of answers.
    #[arg(long)]
    ledger: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes until the server is gone.
    Write {
        /// Begins the names of this load's commands.
        #[arg(long)]
        tag: String,
        /// How many commands at most.
        #[arg(long, default_value_t = 1_000_000)]
        commands: usize,
        #[arg(long)]
        size: Size,
    },
    /// Reads everything back.
    Check,
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    /// Commits that fill a block of 4 KiB, and some of several blocks.
    Mixed,
    /// Commits of 36 KB, to make a store old quickly.
    Large,
}

const WRITERS: usize = 8;
const VIOLATED: u8 = 3;
/// How many of the newest commands are sent again; those without an answer are among them.
const RETRIED: usize = WRITERS;

const fn shape(measurements: usize, note_chars: usize, with_request_id: bool) -> Shape {
    Shape {
        measurements,
        note_chars,
        with_request_id,
    }
}

const MIXED: &[Shape] = &[
    shape(1, 3_700, false),
    shape(5, 2_000, true),
    shape(1, 3_700, true),
    shape(10, 300, false),
    shape(1, 40, true),
];
const LARGE: &[Shape] = &[shape(4, 9_000, false)];

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if !wait_until_serving(&cli.address).await {
        eprintln!("the server does not serve");
        return ExitCode::FAILURE;
    }
    match cli.task {
        Task::Write { tag, commands, size } => write(cli.address, &cli.ledger, tag, commands, size).await,
        Task::Check => check(&cli.address, &cli.ledger).await,
    }
}

async fn write(address: String, ledger: &Path, tag: String, commands: usize, size: Size) -> ExitCode {
    let set_up = match connect(&address).await {
        Ok(channel) => set_up(&channel).await,
        Err(status) => Err(status),
    };
    let file = OpenOptions::new().create(true).append(true).open(ledger);
    let (Ok(()), Ok(file)) = (&set_up, file) else {
        eprintln!("the load cannot begin: {set_up:?}");
        return ExitCode::FAILURE;
    };
    let file = Mutex::new(file);
    let load = Load {
        address,
        tag,
        writers: WRITERS,
        commands_per_writer_max: commands.div_ceil(WRITERS),
        shapes: match size {
            Size::Mixed => MIXED,
            Size::Large => LARGE,
        },
        settled: Arc::new(move |sent| note(&file, sent)),
    };
    load.run().await;
    ExitCode::SUCCESS
}

/// One line is one write, so that the ledger can be read while it grows.
fn note(file: &Mutex<File>, sent: &Sent) {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let line = format!("{sent}\n");
    file.write_all(line.as_bytes())
        .expect("a ledger that can be written");
}

async fn check(address: &str, ledger: &Path) -> ExitCode {
    let text = std::fs::read_to_string(ledger).expect("a ledger");
    let sent: Vec<Sent> = text
        .lines()
        .map(|line| Sent::parse(line).expect("a line of a ledger"))
        .collect();
    let unanswered = sent.iter().filter(|sent| sent.answered.is_none()).count();
    match hold_against(address, &sent).await {
        Ok(Ok(head)) => {
            let answered = sent.len() - unanswered;
            println!("{answered} acknowledged, {unanswered} unanswered, head {head}: all there");
            ExitCode::SUCCESS
        }
        Ok(Err(violated)) => {
            println!("LOST: {violated}");
            ExitCode::from(VIOLATED)
        }
        Err(status) if status.code() == Code::NotFound => {
            println!("LOST: {}", status.message());
            ExitCode::from(VIOLATED)
        }
        Err(status) => {
            eprintln!("the server cannot be read: {status}");
            ExitCode::FAILURE
        }
    }
}

/// The head, or what is violated: before and after everything was sent again.
async fn hold_against(address: &str, sent: &[Sent]) -> Result<Result<i64, String>, Status> {
    let channel = connect(address).await?;
    if let Err(violated) = invariants::check_all(sent, &store::read(&channel).await?) {
        return Ok(Err(violated));
    }
    // The server folds the past anew for each retry: of the old answers a few are enough.
    let old = sent.len().saturating_sub(RETRIED);
    let newest = load::retry(&sent[old..], &channel).await?;
    let again: Vec<Sent> = sent[..old].iter().cloned().chain(newest).collect();
    let store = store::read(&channel).await?;
    let verdict = invariants::invariant_a_retry_answers_its_first_revision(sent, &again)
        .and_then(|()| invariants::check_all(&again, &store));
    Ok(verdict.map(|()| store.head))
}
