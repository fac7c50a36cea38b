//! Verifying an archive: its logs against what it says of them, and against what was signed of them elsewhere.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::connections::{Connections, Stands};
use super::findings::Findings;
use super::reading::{begin, workspace_of};
use crate::cli::Failure;
use crate::domain::{Id, Revision};
use crate::log::{ArchiveReader, Checkpoint, Item, LogEntry, Mark, PublicKey, Record, Verification};

/// How many bytes of an archive are read at once.
const READ_BYTES: usize = 1024 * 1024;

/// Takes in what an archive has signed. What is wrong with it is said when it is read.
pub(super) fn signed_in(path: &Path, key: &PublicKey, connections: &mut Connections) {
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

/// Of an archive whose log is of another workspace than it says.
pub(super) fn not_the_workspace(found: Option<String>) -> String {
    format!(
        "its first commit creates {}, not the workspace that the archive names",
        found.map_or("none".to_owned(), |name| format!("workspaces/{name}"))
    )
}

pub(super) fn archive(
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
struct Reading {
    entry: LogEntry,
    log: Verification,
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
