//! `binnacle verify`: holds archives, data directories, proofs and checkpoints against each other and against a key, without a
//! server.
//!
//! Invariant: nothing counts as verified but what the key has signed, or what hashes lead to from there; what nothing could be
//! held against is said, and is no success.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use super::connections::{Connections, Stands};
use super::data_dir;
use super::files::{ConsistencyFile, InclusionFile, Kept};
use super::key;
use crate::cli::text::plain;
use crate::cli::words::{counted, say};
use crate::cli::{Failure, FailureKind};
use crate::domain::{Event, Id, Revision, Timestamp};
use crate::log::{
    ArchiveReader, Checkpoint, Item, LogEntry, LogId, Mark, PublicKey, Record, Source, Verification, codec,
    is_beginning, is_included, marks_of,
};

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

/// How many bytes of an archive are read at once.
const READ_BYTES: usize = 1024 * 1024;

/// What has been found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// How many things are wrong.
    wrong: usize,
    /// How many things could not be held against anything.
    unproven: usize,
    /// The log that each workspace was found in.
    logs: BTreeMap<String, LogId>,
    /// For whoever says it in other words; none: it is said at once.
    kept: Option<Vec<Verdict>>,
    /// When the newest record of a data directory was recorded.
    pub(super) newest_recorded: Option<Timestamp>,
}

/// One thing that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Verdict {
    /// It is as it was signed.
    Right(String),
    /// It could not be held against anything.
    Unproven(String),
    /// It is not.
    Wrong(String),
}

impl Findings {
    /// Which are kept, and not said.
    pub(super) fn kept() -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// What was kept.
    pub(super) fn verdicts(self) -> Vec<Verdict> {
        self.kept.unwrap_or_default()
    }

    pub(super) fn wrong(&mut self, place: &str, sentence: &str) {
        self.wrong += 1;
        self.find(Verdict::Wrong(format!("{place}: {sentence}")));
    }

    pub(super) fn right(&mut self, place: &str, sentence: &str) {
        self.find(Verdict::Right(format!("{place}: {sentence}")));
    }

    pub(super) fn unproven(&mut self, place: &str, sentence: &str) {
        self.unproven += 1;
        self.find(Verdict::Unproven(format!("{place}: {sentence}")));
    }

    fn find(&mut self, verdict: Verdict) {
        match &mut self.kept {
            Some(kept) => kept.push(verdict),
            None => say(&plain(&match verdict {
                Verdict::Right(sentence) => format!("ok        {sentence}"),
                Verdict::Unproven(sentence) => format!("UNPROVEN  {sentence}"),
                Verdict::Wrong(sentence) => format!("WRONG     {sentence}"),
            })),
        }
    }

    /// Whether a workspace is in the same log wherever it was found.
    pub(super) fn is_one_log(&mut self, place: &str, workspace: &str, log: LogId) -> bool {
        let known = *self.logs.entry(workspace.to_owned()).or_insert(log);
        if known != log {
            self.wrong(
                place,
                &format!("the logs {known} and {log} are both said to be it"),
            );
        }
        known == log
    }

    fn end(self) -> Result<(), Failure> {
        let Self { wrong, unproven, .. } = self;
        match (wrong, unproven) {
            (0, 0) => {
                say("everything agrees");
                Ok(())
            }
            (0, unproven) => Err(Failure::new(
                FailureKind::Partly,
                format!(
                    "nothing is wrong, but {} could not be held against anything",
                    counted(unproven, "thing")
                ),
            )),
            (wrong, _) => Err(Failure::new(
                FailureKind::Damaged,
                format!(
                    "{} not what was signed",
                    match wrong {
                        1 => "1 thing is".to_owned(),
                        wrong => format!("{wrong} things are"),
                    }
                ),
            )),
        }
    }
}

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

/// Takes in what an archive has signed. What is wrong with it is said when it is read.
fn signed_in(path: &Path, key: &PublicKey, connections: &mut Connections) {
    let Ok(file) = File::open(path) else { return };
    let Ok(mut reader) = ArchiveReader::begin(BufReader::with_capacity(READ_BYTES, file)) else {
        return;
    };
    while let Ok(Some(item)) = reader.read() {
        let Item::Log(entry) = item else { continue };
        if let Ok(said) = key.open(&entry.checkpoint) {
            let place = format!("{}: workspaces/{}", path.display(), entry.workspace);
            connections.add(said, &place, Stands::AmongOthers);
        }
    }
}

/// A log that is about to be read, and what it has to agree with.
pub(super) fn begin<'a>(log: LogId, signed: impl Iterator<Item = &'a Checkpoint>) -> Verification {
    let checkpoints: Vec<_> = signed.copied().collect();
    Verification::begin(log, marks_of(log, &checkpoints))
}

/// Whether what reads as a commit is one in full; and of which workspace, where it creates one.
pub(super) fn workspace_of(log: LogId, record: &Record) -> Result<Option<String>, String> {
    let commit = codec::decode(log, record).map_err(|error| error.to_string())?;
    Ok(commit.events.iter().find_map(|event| match event {
        Event::WorkspaceCreated(created) => Some(created.id.to_string()),
        _ => None,
    }))
}

/// Of an archive whose log is of another workspace than it says.
pub(super) fn not_the_workspace(found: Option<String>) -> String {
    format!(
        "its first commit creates {}, not the workspace that the archive names",
        found.map_or("none".to_owned(), |name| format!("workspaces/{name}"))
    )
}

fn archive(
    path: &Path,
    key: &PublicKey,
    connections: &mut Connections,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let place = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::failed(&error))?;
    let mut reader = match ArchiveReader::begin(BufReader::with_capacity(READ_BYTES, file)) {
        Ok(reader) => reader,
        Err(flaw) => {
            findings.wrong(&place, &flaw.to_string());
            return Ok(());
        }
    };
    let (mut logs, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
    let mut current: Option<Reading> = None;
    loop {
        match reader.read() {
            Ok(Some(Item::Log(entry))) => {
                end(current.take(), &place, connections, findings);
                if !logs.insert(entry.log.clone()) || !workspaces.insert(entry.workspace.clone()) {
                    let place = format!("{place}: workspaces/{}", entry.workspace);
                    findings.wrong(&place, "it is in the archive twice");
                    return Ok(());
                }
                current = Reading::begin(entry, &place, key, connections, findings);
            }
            Ok(Some(Item::Record(record))) => {
                if let Some(reading) = &mut current {
                    reading.record(record);
                }
            }
            Ok(None) => break,
            Err(flaw) => {
                let sentence = match &current {
                    Some(reading) => {
                        let next = reading.log.revision().next();
                        format!("workspaces/{}, revision {next}: {flaw}", reading.entry.workspace)
                    }
                    None => flaw.to_string(),
                };
                findings.wrong(&place, &sentence);
                return Ok(());
            }
        }
    }
    end(current, &place, connections, findings);
    if logs.is_empty() {
        findings.unproven(&place, "it is whole, and holds no workspace");
    }
    Ok(())
}

/// A log of an archive.
pub(super) struct Reading {
    pub(super) entry: LogEntry,
    pub(super) log: Verification,
    flaw: Option<String>,
    /// What the key has signed of what the archive says of it.
    signed: Option<Checkpoint>,
}

impl Reading {
    /// None: there is nothing to read it as, which was said.
    fn begin(
        entry: LogEntry,
        place: &str,
        key: &PublicKey,
        connections: &Connections,
        findings: &mut Findings,
    ) -> Option<Self> {
        let place = format!("{place}: workspaces/{}", entry.workspace);
        let understood = entry
            .log_id()
            .zip(entry.end())
            .filter(|_| Id::parse(&entry.workspace).is_ok());
        let Some((id, (revision, root))) = understood else {
            findings.wrong(&place, "what it says of that log is not to be understood");
            return None;
        };
        let mut log = begin(id, connections.of_a_copy(id, revision));
        let signed = match key.open(&entry.checkpoint) {
            Ok(said) if said.origin.log == id && (said.revision, said.root) == (revision, root) => {
                log.expect(Mark::of(&said));
                Some(said)
            }
            Ok(_) => {
                findings.wrong(&place, "its checkpoint is of something else than it says to hold");
                None
            }
            Err(flaw) => {
                findings.wrong(&place, &format!("its checkpoint: {flaw}"));
                None
            }
        };
        Some(Self {
            entry,
            log,
            flaw: None,
            signed,
        })
    }

    /// Behind the first thing that is wrong nothing more can be said.
    fn record(&mut self, bytes: Vec<u8>) {
        if self.flaw.is_some() {
            return;
        }
        let first = self.log.revision() == Revision::ZERO;
        if let Err(sentence) = self.log.record(&bytes) {
            self.flaw = Some(sentence);
            return;
        }
        if first {
            let record = Record {
                revision: self.log.revision(),
                bytes,
            };
            let named = workspace_of(self.log.id(), &record);
            self.flaw = match named {
                Ok(Some(name)) if name == self.entry.workspace => None,
                Ok(name) => Some(not_the_workspace(name)),
                Err(sentence) => Some(sentence),
            };
        }
    }
}

fn end(reading: Option<Reading>, place: &str, connections: &mut Connections, findings: &mut Findings) {
    let Some(Reading {
        entry,
        log,
        flaw,
        signed,
    }) = reading
    else {
        return;
    };
    let place = format!("{place}: workspaces/{}", entry.workspace);
    if let Some(sentence) = flaw.or_else(|| log.end_at(Revision(entry.size)).err()) {
        findings.wrong(&place, &sentence);
        return;
    }
    if !findings.is_one_log(&place, &entry.workspace, log.id()) {
        return;
    }
    if let Some(said) = signed {
        let at = connections.add(said, &place, Stands::AmongOthers);
        connections.read(log.id(), log.revision(), at);
        let sentence = format!(
            "revisions 1 to {}, root {}, as signed",
            log.revision(),
            log.root()
        );
        findings.right(&place, &sentence);
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

/// What the heads of a data directory say, beside what is signed.
pub(super) fn head_mark(head: crate::log::Head) -> Mark {
    Mark {
        head,
        source: Source::Heads,
    }
}
