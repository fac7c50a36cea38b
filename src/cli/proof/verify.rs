//! `binnacle verify`: holds archives, data directories, proofs and checkpoints against each other and against a key, without a
//! server.
//!
//! Invariant: nothing counts as verified but what the key has signed, or what hashes lead to from there; what nothing could be
//! held against is said, and is no success.

use std::path::{Path, PathBuf};

use clap::Args;

use super::archived::{archive, signed_in};
use super::connections::{Connections, Stands};
use super::data_dir;
use super::files::{ConsistencyFile, InclusionFile, Kept};
use super::findings::Findings;
use super::key;
use crate::cli::words::counted;
use crate::cli::{Failure, FailureKind};
use crate::domain::{Event, Revision};
use crate::log::{Checkpoint, PublicKey, Record, codec, is_beginning, is_included};

/// Verifies archives, data directories, proofs and checkpoints, without a server.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(in crate::cli) struct Verify {
    /// Archives, data directories, proofs and checkpoints, in any order: each is held against the others
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The key that signed, or the file that it is in; for a data directory alone its own is taken [default: none]
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Where a data directory's store is copied to before it is opened [default: the directory for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
  binnacle verify --public-key checkpoint.pub yesterday.checkpoint backup.binnacle
  binnacle verify --public-key checkpoint.pub 12.tlog-proof
  binnacle verify --public-key checkpoint.pub yesterday.checkpoint today.checkpoint since.proof
  binnacle verify /var/lib/binnacle yesterday.checkpoint

Exit code 0: everything agrees. 1: nothing is wrong, but something could not be held against anything. 2: a file or a flag is \
wrong. 3: something is not what was signed; every such thing is named.

The server must not run on a data directory that is verified; the store is copied, since opening a damaged one changes it.";

impl Verify {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let kept = self
            .paths
            .iter()
            .map(|path| Ok((path.as_path(), Kept::read(path)?)));
        let kept = kept.collect::<Result<Vec<_>, Failure>>()?;
        let key = self.key(&kept)?;
        let mut findings = Findings::default();
        let mut connections = known(&kept, &key, &mut findings);
        let copies = || {
            kept.iter()
                .filter(|(_, kept)| matches!(kept, Kept::Archive | Kept::DataDir))
        };
        if copies().count() > 1 {
            // Each is held against what is signed in the others, in whichever order they are named.
            for (path, kept) in copies() {
                match kept {
                    Kept::DataDir => data_dir::signed_in(path, &key, &mut connections),
                    _ => signed_in(path, &key, &mut connections),
                }
            }
        }
        for (path, _) in kept.iter().filter(|(_, kept)| matches!(kept, Kept::Archive)) {
            archive(path, &key, &mut connections, &mut findings)?;
        }
        for (path, kept) in &kept {
            let place = path.display().to_string();
            match kept {
                Kept::DataDir => data_dir::check(
                    path,
                    self.scratch.as_deref(),
                    &key,
                    &mut connections,
                    &mut findings,
                )?,
                Kept::Inclusion(proof) => inclusion(&place, proof, &key, &mut connections, &mut findings),
                Kept::Consistency(proof) => consistency(&place, proof, &key, &mut connections, &mut findings),
                Kept::Checkpoints(_) | Kept::Archive => {}
            }
        }
        forks(&connections, &mut findings);
        for (place, sentence) in connections.loose_ends() {
            findings.unproven(&place, &sentence);
        }
        findings.end()
    }

    /// The key that is trusted.
    fn key(&self, kept: &[(&Path, Kept)]) -> Result<PublicKey, Failure> {
        if let Some(said) = &self.public_key {
            return key::read(said);
        }
        let mut dirs = kept.iter().filter(|(_, kept)| matches!(kept, Kept::DataDir));
        match (dirs.next(), dirs.next()) {
            (Some((dir, _)), None) => data_dir::own_key(dir),
            _ => Err(Failure::new(
                FailureKind::Usage,
                "--public-key is missing: name the key that you trust, or the file that it is in",
            )),
        }
    }
}

/// Every checkpoint that the key has signed, of those that stand in files of their own and with proofs.
fn known(kept: &[(&Path, Kept)], key: &PublicKey, findings: &mut Findings) -> Connections {
    let mut connections = Connections::default();
    for (path, kept) in kept {
        let place = path.display().to_string();
        let notes = match kept {
            Kept::Checkpoints(notes) => notes,
            // What is wrong with it is said when the proof is looked at.
            Kept::Inclusion(InclusionFile { note, .. }) | Kept::Consistency(ConsistencyFile { note, .. }) => {
                if let Ok(checkpoint) = key.open(note) {
                    connections.add(checkpoint, &place, Stands::AmongOthers);
                }
                continue;
            }
            Kept::Archive | Kept::DataDir => continue,
        };
        for note in notes {
            match key.open(note) {
                Ok(checkpoint) => drop(connections.add(checkpoint, &place, Stands::Alone)),
                Err(flaw) => findings.wrong(&place, &flaw.to_string()),
            }
        }
    }
    connections
}

/// Two checkpoints of one size that say different things: the key has signed two histories.
fn forks(connections: &Connections, findings: &mut Findings) {
    for (one, place, other, other_place) in connections.forks() {
        let sentence = format!(
            "it and {other_place} are signed for revision {} of one log with different roots, {} and {}: two histories have \
             been told",
            one.revision, one.root, other.root
        );
        findings.wrong(place, &sentence);
    }
}

fn inclusion(
    place: &str,
    proof: &InclusionFile,
    key: &PublicKey,
    connections: &mut Connections,
    findings: &mut Findings,
) {
    let checkpoint = match key.open(&proof.note) {
        Ok(checkpoint) => checkpoint,
        Err(flaw) => {
            findings.wrong(place, &flaw.to_string());
            return;
        }
    };
    let Checkpoint {
        origin,
        revision: size,
        root,
    } = checkpoint;
    if !is_included(&proof.record, proof.index, size.0, root, &proof.hashes) {
        let sentence = format!(
            "the commit in it, with leaf {:?}, is not the one at revision {} of the log that its checkpoint of revision \
             {size} speaks of",
            proof.leaf(),
            proof.index.saturating_add(1)
        );
        findings.wrong(place, &sentence);
        return;
    }
    let record = Record {
        revision: Revision(proof.index + 1),
        bytes: proof.record.clone(),
    };
    match codec::decode(origin.log, &record) {
        Err(error) => findings.wrong(place, &error.to_string()),
        Ok(commit) => {
            let kinds: Vec<_> = commit.events.iter().map(Event::kind).collect();
            let sentence = format!(
                "revision {} is in the log of {size} commits: recorded at {} by {}, {}: {}",
                commit.revision,
                commit.recorded_time,
                commit.origin.actor.principal,
                counted(kinds.len(), "event"),
                kinds.join(", ")
            );
            let at = connections.add(checkpoint, place, Stands::AmongOthers);
            connections.hold(at);
            findings.right(place, &sentence);
        }
    }
}

fn consistency(
    place: &str,
    proof: &ConsistencyFile,
    key: &PublicKey,
    connections: &mut Connections,
    findings: &mut Findings,
) {
    let later = match key.open(&proof.note) {
        Ok(later) => later,
        Err(flaw) => {
            findings.wrong(place, &flaw.to_string());
            return;
        }
    };
    // Its own checkpoint is no other one.
    let mut earlier = connections.at(later.origin.log, proof.first);
    earlier.retain(|(_, _, other)| other != place);
    let at = connections.add(later, place, Stands::AmongOthers);
    if earlier.is_empty() {
        let sentence = format!(
            "it starts from the log of {} commits: add the checkpoint of that revision",
            proof.first
        );
        findings.unproven(place, &sentence);
    }
    for (first, root, first_place) in earlier {
        if is_beginning((proof.first, root), (later.revision.0, later.root), &proof.hashes) {
            connections.hold(at);
            connections.join(at, first);
            let sentence = format!(
                "revisions 1 to {} are unchanged in the log of {} commits",
                proof.first, later.revision
            );
            findings.right(&format!("{first_place}, {place}"), &sentence);
        } else {
            let sentence = format!(
                "the log of {} commits does not begin with what was signed for revision {}: something up to there was \
                 changed, taken out or put in",
                later.revision, proof.first
            );
            findings.wrong(&format!("{first_place}, {place}"), &sentence);
        }
    }
}
