//! Verifying a data directory: its store, on a copy, against its own heads and checkpoints and against those that were kept
//! elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use super::connections::{Connections, Stands};
use super::copy::Copy;
use super::findings::{Findings, Verdict};
use super::reading::{begin, head_mark, workspace_of};
use crate::cli::serve::{PUBLIC_KEY, STORE, log_failure};
use crate::cli::words::tell;
use crate::cli::{Failure, FailureKind};
use crate::domain::{Revision, Timestamp};
use crate::log::{
    Checkpoints, EventLog, Evidence, Heads, LogError, LogErrorKind, LogId, Mark, PublicKey, SledLog,
    store_is_there,
};

/// The key in a data directory, taken where nobody names another.
///
/// # Errors
/// It has none.
pub(super) fn own_key(dir: &Path) -> Result<PublicKey, Failure> {
    let path = dir.join(PUBLIC_KEY);
    let key = key_in(&path).ok_or_else(|| {
        let sentence = format!("{} holds no key: name one with --public-key", path.display());
        Failure::new(FailureKind::Usage, sentence)
    })?;
    tell(&format!(
        "the key is the directory's own, {key}: whoever could change the directory could change it too; name the one that you \
         keep with --public-key"
    ));
    Ok(key)
}

fn key_in(path: &Path) -> Option<PublicKey> {
    let text = std::fs::read_to_string(path).ok()?;
    PublicKey::parse(&text).ok()
}

/// What a look into a data directory has found.
#[derive(Debug)]
pub(in crate::cli) struct Looked {
    pub(in crate::cli) verdicts: Vec<Verdict>,
    /// When the newest record was recorded; none: there are none.
    pub(in crate::cli) newest_recorded: Option<Timestamp>,
}

/// Checks everything in a data directory against itself alone, and says nothing.
///
/// # Errors
/// It cannot be read, or has no key that verifies what was signed.
pub(in crate::cli) fn look_into(dir: &Path, scratch: Option<&Path>) -> Result<Looked, Failure> {
    let path = dir.join(PUBLIC_KEY);
    let key = key_in(&path).ok_or_else(|| {
        let sentence = format!("{} holds no key that verifies checkpoints", path.display());
        Failure::new(FailureKind::Damaged, sentence)
    })?;
    let mut findings = Findings::kept();
    check(dir, scratch, &key, &mut Connections::default(), &mut findings)?;
    Ok(Looked {
        newest_recorded: findings.newest_recorded,
        verdicts: findings.verdicts(),
    })
}

/// Takes in what was signed last of each log. What is wrong with it is said when the directory is checked.
pub(super) fn signed_in(dir: &Path, key: &PublicKey, connections: &mut Connections) {
    let checkpoints = Checkpoints::read(&dir.join("checkpoints"), key).unwrap_or_default();
    for newest in checkpoints.values().filter_map(|of_log| of_log.last()) {
        let place = format!("{}: log {}", dir.display(), newest.origin.log);
        connections.add(*newest, &place, Stands::AmongOthers);
    }
}

/// Checks everything in a data directory.
///
/// # Errors
/// It cannot be read; what is wrong with what is in it is a finding.
pub(super) fn check(
    dir: &Path,
    scratch: Option<&Path>,
    key: &PublicKey,
    connections: &mut Connections,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let place = dir.display().to_string();
    let store = dir.join(STORE);
    if !store_is_there(&store) {
        // What lies beside it says whether there has ever been one.
        return match Evidence::of_a_store(dir) {
            Ok(false) => {
                let sentence = format!("{place} is no data directory: it has no store");
                Err(Failure::new(FailureKind::Usage, sentence))
            }
            Ok(true) => {
                findings.wrong(
                    &place,
                    "its store is missing, and the heads and checkpoints beside it speak of one",
                );
                Ok(())
            }
            Err(error) => finding(&place, &error, findings),
        };
    }
    // First what is never ahead of the store: a server that starts meanwhile does not make it look so.
    let heads = match Heads::read(&dir.join("heads")) {
        Ok(heads) => heads,
        Err(error) => return finding(&place, &error, findings),
    };
    let checkpoints = match Checkpoints::read(&dir.join("checkpoints"), key) {
        Ok(checkpoints) => checkpoints,
        Err(error) => return finding(&place, &error, findings),
    };
    let copy = Copy::of(&store, scratch)?;
    let log = match SledLog::open(&copy.dir) {
        Ok(log) => log,
        Err(mut error) => {
            // Whoever asked knows nothing of the copy.
            let (copy, store) = (copy.dir.display().to_string(), store.display().to_string());
            error.context = error.context.replace(&copy, &store);
            return finding(&place, &error, findings);
        }
    };
    let there = log.heads().map_err(|error| log_failure(&error))?;
    let mut logs: Vec<LogId> = there
        .keys()
        .chain(heads.keys())
        .chain(checkpoints.keys().filter(|id| !checkpoints[id].is_empty()))
        .copied()
        .collect();
    logs.extend(connections.logs());
    logs.sort_unstable();
    logs.dedup();
    let mut workspaces = BTreeMap::new();
    for id in logs {
        let goes_to = there.get(&id).copied().unwrap_or(Revision::ZERO);
        let own = checkpoints.get(&id).into_iter().flatten();
        if goes_to == Revision::ZERO && own.clone().next().is_none() && !heads.contains_key(&id) {
            // Of another directory or archive, unless somebody kept a checkpoint of it by itself.
            if connections.of_a_copy(id, goes_to).next().is_none() {
                continue;
            }
        }
        let mut verification = begin(id, connections.of_a_copy(id, goes_to));
        let signed = connections
            .of_a_copy(id, goes_to)
            .chain(own)
            .max_by_key(|checkpoint| checkpoint.revision);
        let signed = signed.copied();
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
                let head = verification.record(&record.bytes)?;
                findings.newest_recorded = findings.newest_recorded.max(Some(head.recorded_time));
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
        if let Some(other) = workspace.clone().and_then(|name| workspaces.insert(name, id)) {
            flaw = flaw.or_else(|| Some(format!("the logs {other} and {id} both hold it")));
        }
        let name = workspace
            .clone()
            .map_or_else(|| format!("log {id}"), |id| format!("workspaces/{id}"));
        let place = format!("{place}: {name}");
        if let Some(workspace) = &workspace
            && !findings.is_one_log(&place, workspace, id)
        {
            continue;
        }
        match flaw.or_else(|| verification.end().err()) {
            Some(sentence) => findings.wrong(&place, &sentence),
            None => {
                let Some(signed) = signed else {
                    findings.unproven(&place, "no checkpoint of it was signed");
                    continue;
                };
                let at = connections.add(signed, &place, Stands::AmongOthers);
                connections.read(id, verification.revision(), at);
                let (up_to, ends_at) = (signed.revision, verification.revision());
                if up_to < ends_at {
                    let sentence = format!(
                        "revisions 1 to {up_to} are as signed, but {} to {ends_at} are under no checkpoint: start the server \
                         and stop it in good order, which signs them, or add a checkpoint of them",
                        up_to.next()
                    );
                    findings.unproven(&place, &sentence);
                    continue;
                }
                let sentence = format!(
                    "revisions 1 to {ends_at}, root {}, as signed",
                    verification.root()
                );
                findings.right(&place, &sentence);
            }
        }
    }
    Ok(())
}

/// Damage is what is looked for; anything else is in the way of looking.
fn finding(place: &str, error: &LogError, findings: &mut Findings) -> Result<(), Failure> {
    match error.kind {
        LogErrorKind::Damaged => {
            findings.wrong(place, &error.to_string());
            Ok(())
        }
        _ => Err(log_failure(error)),
    }
}
