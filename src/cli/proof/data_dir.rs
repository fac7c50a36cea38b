//! Verifying a data directory: its store, on a copy, against its own heads and checkpoints and against those that were kept
//! elsewhere.

use std::path::{Path, PathBuf};

use super::verify::{Findings, Known, begin, head_mark, workspace_of};
use crate::cli::serve::{PUBLIC_KEY, log_failure};
use crate::cli::words::tell;
use crate::cli::{Failure, FailureKind};
use crate::domain::Revision;
use crate::log::{
    Checkpoints, EventLog, Heads, LogError, LogErrorKind, LogId, Mark, PublicKey, SledLog, copy_store,
};

/// The key in a data directory, taken where nobody names another.
///
/// # Errors
/// It has none.
pub(super) fn own_key(dir: &Path) -> Result<PublicKey, Failure> {
    let path = dir.join(PUBLIC_KEY);
    let key = std::fs::read_to_string(&path)
        .ok()
        .and_then(|text| PublicKey::parse(&text).ok());
    let key = key.ok_or_else(|| {
        let sentence = format!("{} holds no key: name one with --public-key", path.display());
        Failure::new(FailureKind::Usage, sentence)
    })?;
    tell(&format!(
        "the key is the directory's own, {key}: whoever could change the directory could change it too; name the one that you \
         keep with --public-key"
    ));
    Ok(key)
}

/// Checks everything in a data directory.
///
/// # Errors
/// It cannot be read; what is wrong with what is in it is a finding.
pub(super) fn check(
    dir: &Path,
    scratch: Option<&Path>,
    key: &PublicKey,
    known: &mut [Known],
    findings: &mut Findings,
) -> Result<(), Failure> {
    let place = dir.display().to_string();
    let store = dir.join("store");
    if !store.is_dir() {
        let sentence = format!("{place} is no data directory: it has no store");
        return Err(Failure::new(FailureKind::Usage, sentence));
    }
    let copy = Copy::of(&store, scratch)?;
    let log = match SledLog::open(&copy.dir) {
        Ok(log) => log,
        Err(error) => return finding(&place, error, findings),
    };
    let heads = match Heads::read(&dir.join("heads")) {
        Ok(heads) => heads,
        Err(error) => return finding(&place, error, findings),
    };
    let checkpoints = match Checkpoints::read(&dir.join("checkpoints"), key) {
        Ok(checkpoints) => checkpoints,
        Err(error) => return finding(&place, error, findings),
    };
    let there = log.heads().map_err(|error| log_failure(&error))?;
    let mut logs: Vec<LogId> = there
        .keys()
        .chain(heads.keys())
        .chain(checkpoints.keys())
        .copied()
        .collect();
    logs.extend(known.iter().map(|known| known.checkpoint.origin.log));
    logs.sort_unstable();
    logs.dedup();
    for id in logs {
        let mut verification = begin(id, known);
        for checkpoint in checkpoints.get(&id).into_iter().flatten() {
            verification.expect(Mark::of(checkpoint));
        }
        if let Some(head) = heads.get(&id) {
            verification.expect(head_mark(*head));
        }
        let mut workspace = None;
        let mut flaw = None;
        for record in log.read(id, Revision::ZERO) {
            let read = record.map_err(|error| error.to_string()).and_then(|record| {
                verification.record(&record.bytes)?;
                workspace_of(id, &record)
            });
            match read {
                Ok(named) => workspace = workspace.or(named),
                Err(sentence) => {
                    flaw = Some(sentence);
                    break;
                }
            }
        }
        let name = workspace.map_or_else(|| format!("log {id}"), |id| format!("workspaces/{id}"));
        let place = format!("{place}: {name}");
        match flaw.or_else(|| verification.end().err()) {
            Some(sentence) => findings.wrong(&place, &sentence),
            None => findings.right(
                &place,
                &format!(
                    "revisions 1 to {}, root {}",
                    verification.revision(),
                    verification.root()
                ),
            ),
        }
    }
    Ok(())
}

/// Damage is what is looked for; anything else is in the way of looking.
fn finding(place: &str, error: LogError, findings: &mut Findings) -> Result<(), Failure> {
    match error.kind {
        LogErrorKind::Damaged => {
            findings.wrong(place, &error.to_string());
            Ok(())
        }
        _ => Err(log_failure(&error)),
    }
}

/// A copy of a store, gone when it is no longer needed.
struct Copy {
    dir: PathBuf,
}

impl Copy {
    fn of(store: &Path, scratch: Option<&Path>) -> Result<Self, Failure> {
        let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
        let copy = Self {
            dir: scratch.join(format!("binnacle-verify-{}", std::process::id())),
        };
        if copy.dir.exists() {
            let sentence = format!("{} is there already: remove it first", copy.dir.display());
            return Err(Failure::new(FailureKind::Failed, sentence));
        }
        copy_store(store, &copy.dir).map_err(|error| log_failure(&error))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            tell(&format!("{} could not be removed: {error}", self.dir.display()));
        }
    }
}
