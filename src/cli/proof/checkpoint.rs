//! `binnacle checkpoint`: takes a signed checkpoint from a server, to be kept somewhere else.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};

use super::files;
use crate::cli::connection::Channel;
use crate::cli::words::{failure, tell};
use crate::cli::{Failure, FailureKind, connection};
use crate::domain::Id;
use crate::proto::api;
use crate::proto::api::audit_service_client::AuditServiceClient;

/// Takes a signed checkpoint of a workspace's log.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(in crate::cli) struct TakeCheckpoint {
    /// The workspace, for example workspaces/acme
    #[arg(value_parser = workspace)]
    workspace: Id,
    /// The revision up to which it speaks [default: the newest]
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(i64).range(1..))]
    revision: Option<i64>,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes the key that verifies it instead of the checkpoint
    #[arg(long)]
    key: bool,
    #[command(flatten)]
    server: Server,
}

const AFTER_HELP: &str = "\
A checkpoint says in one hash what the log holds up to a revision, signed by the server. Whoever keeps it elsewhere can tell \
later whether anything up to there was changed: binnacle verify --public-key FILE yesterday.checkpoint backup.binnacle";

/// Which server is asked, and by whom.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who asks
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

impl Server {
    pub(super) fn actor(&self) -> Result<Option<MetadataValue<Ascii>>, Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        actor.map(connection::actor).transpose()
    }

    pub(super) async fn open(&self) -> Result<Channel, Failure> {
        connection::open(&self.server).await
    }
}

/// A workspace's name, or its id alone.
pub(super) fn workspace(text: &str) -> Result<Id, String> {
    let id = text.strip_prefix("workspaces/").unwrap_or(text);
    Id::parse(id).map_err(|_| "write it as workspaces/acme".to_owned())
}

/// Runs what asks a server.
///
/// # Errors
/// What it fails on.
pub(super) fn ask<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(
            FailureKind::Failed,
            format!("the runtime cannot be started: {error}"),
        )
    })?;
    runtime.block_on(work)
}

impl TakeCheckpoint {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let actor = self.server.actor()?;
        let checkpoint = ask(async {
            let channel = self.server.open().await?;
            let request = api::GetCheckpointRequest {
                parent: format!("workspaces/{}", self.workspace),
                revision: self.revision.unwrap_or_default(),
                min_revision: 0,
            };
            let answer = connection::patiently(async || {
                let request = connection::request(request.clone(), actor.as_ref());
                AuditServiceClient::new(channel.clone())
                    .get_checkpoint(request)
                    .await
            });
            let answer = answer.await;
            answer.map_err(|status| failure(&status, "nothing was written"))
        })?;
        let api::SignedCheckpoint {
            size,
            note,
            verifier_key,
            ..
        } = checkpoint.into_inner();
        let text = match self.key {
            true => verifier_key + "\n",
            false => note,
        };
        put(self.output.as_deref(), &text)?;
        if self.output.is_some() && !self.key {
            tell(&format!(
                "workspaces/{}: the checkpoint of revision {size}",
                self.workspace
            ));
        }
        Ok(())
    }
}

/// To a file, or to standard output.
///
/// # Errors
/// The file cannot be written.
pub(super) fn put(output: Option<&std::path::Path>, text: &str) -> Result<(), Failure> {
    match output {
        Some(path) => files::write(path, text),
        None => {
            let mut out = std::io::stdout();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
                    FailureKind::Failed,
                    format!("standard output cannot be written: {error}"),
                )),
                // That nobody reads it is no reason to fail.
                Ok(()) | Err(_) => Ok(()),
            }
        }
    }
}
