//! `binnacle prove`: takes a proof from a server, as a file that is verified without one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::checkpoint::{Server, ask, put};
use super::files::{ConsistencyFile, InclusionFile, Kept};
use crate::cli::words::failure;
use crate::cli::{Failure, FailureKind, connection};
use crate::log::{Hash, unverified};
use crate::proto::api;
use crate::proto::api::audit_service_client::AuditServiceClient;

/// Takes a proof that a commit is in the log, or that a log goes on from a checkpoint.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(in crate::cli) struct Prove {
    /// An event, for example workspaces/acme/events/12.0; with --since the workspace
    name: String,
    /// An earlier checkpoint: the proof is that nothing up to it was changed since
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A checkpoint that you keep: the proof is that the event is in the log that it speaks of
    #[arg(long = "in", value_name = "FILE", conflicts_with_all = ["since", "size"])]
    within: Option<PathBuf>,
    /// The size of the log in which it is proven [default: the newest revision]
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(i64).range(1..))]
    size: Option<i64>,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

const AFTER_HELP: &str = "\
  binnacle prove workspaces/acme/events/12.0 --in yesterday.checkpoint -o 12.tlog-proof
  binnacle prove workspaces/acme --since yesterday.checkpoint -o since.proof

The first file holds the commit as it is stored, its path to the root, and the signed checkpoint with that root \
(c2sp.org/tlog-proof). Both are verified by: binnacle verify --public-key FILE 12.tlog-proof since.proof yesterday.checkpoint";

impl Prove {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let text = match &self.since {
            Some(since) => self.goes_on_from(since)?,
            None => self.includes()?,
        };
        put(self.output.as_deref(), &text)
    }

    fn includes(&self) -> Result<String, Failure> {
        let wrong = || {
            let sentence = format!(
                "{:?} is no event: write it as workspaces/acme/events/12.0, or name a checkpoint with --since",
                self.name
            );
            Failure::new(FailureKind::Usage, sentence)
        };
        let (workspace, event) = self.name.split_once("/events/").ok_or_else(wrong)?;
        let revision = event.split('.').next().and_then(|number| number.parse().ok());
        let size = match &self.within {
            Some(checkpoint) => size_of("--in", checkpoint)?,
            None => self.size.unwrap_or_default(),
        };
        let request = api::GetInclusionProofRequest {
            parent: workspace.to_owned(),
            revision: revision.ok_or_else(wrong)?,
            size,
        };
        let actor = self.server.actor()?;
        let proof = ask(async {
            let channel = self.server.open().await?;
            let answer = connection::patiently(async || {
                let request = connection::request(request.clone(), actor.as_ref());
                AuditServiceClient::new(channel.clone())
                    .get_inclusion_proof(request)
                    .await
            });
            let answer = answer.await;
            answer.map_err(|status| failure(&status, "nothing was written"))
        })?
        .into_inner();
        if proof.record.is_empty() {
            let sentence = format!(
                "the commit of {} is too large to be in a proof: take a backup, which has it",
                self.name
            );
            return Err(Failure::new(FailureKind::Failed, sentence));
        }
        let file = InclusionFile {
            record: proof.record,
            index: u64::try_from(proof.leaf_index).unwrap_or_default(),
            hashes: hashes(&proof.hashes)?,
            note: proof.checkpoint.unwrap_or_default().note,
        };
        Ok(file.text())
    }

    fn goes_on_from(&self, since: &Path) -> Result<String, Failure> {
        let first = size_of("--since", since)?;
        let request = api::GetConsistencyProofRequest {
            parent: self.name.clone(),
            first,
            second: self.size.unwrap_or_default(),
        };
        let actor = self.server.actor()?;
        let proof = ask(async {
            let channel = self.server.open().await?;
            let answer = connection::patiently(async || {
                let request = connection::request(request.clone(), actor.as_ref());
                AuditServiceClient::new(channel.clone())
                    .get_consistency_proof(request)
                    .await
            });
            let answer = answer.await;
            answer.map_err(|status| failure(&status, "nothing was written"))
        })?
        .into_inner();
        let file = ConsistencyFile {
            first: u64::try_from(first).unwrap_or_default(),
            hashes: hashes(&proof.hashes)?,
            note: proof.checkpoint.unwrap_or_default().note,
        };
        Ok(file.text())
    }
}

/// The size of the log that the newest checkpoint in a file speaks of.
fn size_of(flag: &str, path: &Path) -> Result<i64, Failure> {
    let said = match Kept::read(path)? {
        Kept::Checkpoints(notes) => notes.last().and_then(|note| unverified(note).ok()),
        _ => None,
    };
    let size = said.and_then(|said| i64::try_from(said.revision.0).ok());
    size.ok_or_else(|| {
        let sentence = format!("{flag}: {} is no checkpoint", path.display());
        Failure::new(FailureKind::Usage, sentence)
    })
}

fn hashes(found: &[Vec<u8>]) -> Result<Vec<Hash>, Failure> {
    let hashes = found.iter().map(|hash| Hash::try_from(hash.as_slice()));
    hashes.collect::<Result<_, _>>().map_err(|_| {
        let sentence = "the server answered a hash that is none: report it";
        Failure::new(FailureKind::Failed, sentence)
    })
}
