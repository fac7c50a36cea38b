//! `binnacle backup`: whole logs from a running server into one archive.
//!
//! Invariant: what is written is verified while it comes, against the checkpoint that the server signed for it, and the file is
//! there under its name only when all of it is.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Streaming};

use super::checkpoint::{Server, ask, workspace};
use super::files;
use crate::cli::connection::Channel;
use crate::cli::words::{counted, failure, say};
use crate::cli::{Failure, FailureKind, connection};
use crate::domain::{Id, Revision};
use crate::log::{ArchiveWriter, Checkpoint, LogEntry, Verification, marks_of, unverified};
use crate::proto::api;
use crate::proto::api::audit_service_client::AuditServiceClient;
use crate::proto::api::export_events_response::Content;
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;

/// Writes whole logs into one archive, while the server runs.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(in crate::cli) struct Backup {
    /// Where to write it; it is replaced as a whole
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// A workspace, once for each [default: all of them, deleted ones too]
    #[arg(long, value_name = "WORKSPACE", value_parser = workspace)]
    workspace: Vec<Id>,
    #[command(flatten)]
    server: Server,
}

const AFTER_HELP: &str = "\
Of each workspace it holds every commit as it is stored, up to the newest of the moment at which it was reached, and the \
checkpoint that the server signed for it. \"binnacle verify\" checks it, \"binnacle restore\" brings it back. It holds \
everything that the workspaces hold: keep it as carefully as them.";

/// How many bytes are written at once.
const WRITE_BYTES: usize = 1024 * 1024;
/// How many workspaces are listed at once.
const PAGE: i32 = 1000;
/// A message has at most 1 MiB of records, or a single one of up to 4 MiB.
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

impl Backup {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let actor = self.server.actor()?;
        ask(async {
            let channel = self.server.open().await?;
            let source = Source { channel, actor };
            let workspaces = match self.workspace.is_empty() {
                true => source.workspaces().await?,
                false => self
                    .workspace
                    .iter()
                    .map(|id| format!("workspaces/{id}"))
                    .collect(),
            };
            let beside = files::beside(&self.output);
            let written = write(&source, &workspaces, &beside).await;
            files::keep(&beside, &self.output, written)
        })
    }
}

async fn write(source: &Source, workspaces: &[String], path: &std::path::Path) -> Result<(), Failure> {
    let io = |error: io::Error| {
        let sentence = format!("{} cannot be written: {error}", path.display());
        Failure::new(FailureKind::Failed, sentence)
    };
    let file = File::create(path).map_err(io)?;
    let out = BufWriter::with_capacity(WRITE_BYTES, file);
    let mut archive = ArchiveWriter::begin(out).map_err(io)?;
    let mut commits = 0;
    for name in workspaces {
        let (checkpoint, note, mut messages) = source.export(name, Revision::ZERO, Revision::ZERO).await?;
        let entry = LogEntry {
            workspace: name.strip_prefix("workspaces/").unwrap_or(name).to_owned(),
            log: checkpoint.origin.log.to_string(),
            size: checkpoint.revision.0,
            root: checkpoint.root.to_string(),
            checkpoint: note,
        };
        archive.log(entry).map_err(io)?;
        let mut log = Verification::begin(
            checkpoint.origin.log,
            marks_of(checkpoint.origin.log, &[checkpoint]),
        );
        let mut attempts = 0;
        loop {
            let lost = match messages.message().await {
                Ok(Some(message)) => {
                    attempts = 0;
                    let Some(Content::Records(records)) = message.content else {
                        continue;
                    };
                    for record in records.records {
                        log.record(&record).map_err(|sentence| wrong(name, &sentence))?;
                        archive.record(&record).map_err(io)?;
                    }
                    continue;
                }
                Err(status) if log.revision() < checkpoint.revision => status,
                Ok(None) | Err(_) => break,
            };
            attempts += 1;
            let pause = pause(&lost, attempts).ok_or_else(|| failed(&lost))?;
            tokio::time::sleep(pause).await;
            // What was verified stays; the root that was signed first is still what all of it has to come to.
            (_, _, messages) = source.export(name, log.revision(), checkpoint.revision).await?;
        }
        log.end_at(checkpoint.revision)
            .map_err(|sentence| wrong(name, &sentence))?;
        commits += checkpoint.revision.0;
        say(&format!(
            "{name}: revisions 1 to {}, root {}",
            checkpoint.revision, checkpoint.root
        ));
    }
    let out = archive.end().map_err(io)?;
    let file = out.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    say(&format!(
        "{} with {commits} commits",
        counted(workspaces.len(), "workspace")
    ));
    Ok(())
}

/// How long to wait before an export is asked for again, from where it was; none: it would not help.
fn pause(status: &tonic::Status, attempts: u32) -> Option<Duration> {
    // A stream that breaks may end without a word of the server, which always says why, and without one of the transport.
    let has_no_word = matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled)
        && status.details().is_empty();
    let broken = tonic::Status::unavailable("the stream has broken");
    connection::pause_before_repeat(if has_no_word { &broken } else { status }, attempts)
}

fn failed(status: &tonic::Status) -> Failure {
    failure(
        status,
        "the backup is not whole, and nothing is left of it: run it again",
    )
}

fn wrong(name: &str, sentence: &str) -> Failure {
    Failure::new(
        FailureKind::Damaged,
        format!("{name}: what the server sends is not what it signed: {sentence}"),
    )
}

/// The server.
struct Source {
    channel: Channel,
    actor: Option<MetadataValue<Ascii>>,
}

impl Source {
    /// Every workspace's name, also of deleted ones.
    async fn workspaces(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let mut request = api::ListWorkspacesRequest {
            page_size: PAGE,
            show_deleted: true,
            ..api::ListWorkspacesRequest::default()
        };
        loop {
            let answer = connection::patiently(async || {
                let request = connection::request(request.clone(), self.actor.as_ref());
                WorkspaceServiceClient::new(self.channel.clone())
                    .list_workspaces(request)
                    .await
            });
            let answer = answer.await.map_err(|status| failed(&status))?.into_inner();
            names.extend(answer.workspaces.into_iter().map(|workspace| workspace.name));
            if answer.next_page_token.is_empty() {
                return Ok(names);
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// The export of a workspace behind a revision, up to another (0: its newest): the checkpoint there, and the messages with the
    /// records.
    async fn export(
        &self,
        name: &str,
        after: Revision,
        last: Revision,
    ) -> Result<(Checkpoint, String, Streaming<api::ExportEventsResponse>), Failure> {
        let wire = |revision: Revision| i64::try_from(revision.0).unwrap_or(i64::MAX);
        let request = api::ExportEventsRequest {
            parent: name.to_owned(),
            after_revision: wire(after),
            last_revision: wire(last),
        };
        let begin = async || {
            let request = connection::request(request.clone(), self.actor.as_ref());
            let mut client = AuditServiceClient::new(self.channel.clone());
            client = client.max_decoding_message_size(MESSAGE_BYTES_MAX);
            let mut messages = client.export_events(request).await?.into_inner();
            Ok((messages.message().await?, messages))
        };
        let mut attempts = 0;
        let (first, messages) = loop {
            let status = match begin().await {
                Ok(begun) => break begun,
                Err(status) => status,
            };
            attempts += 1;
            let pause = pause(&status, attempts).ok_or_else(|| failed(&status))?;
            tokio::time::sleep(pause).await;
        };
        let Some(Content::Checkpoint(signed)) = first.and_then(|message| message.content) else {
            return Err(wrong(name, "its first message is no checkpoint"));
        };
        let checkpoint = unverified(&signed.note).map_err(|flaw| wrong(name, &flaw.to_string()))?;
        Ok((checkpoint, signed.note, messages))
    }
}
