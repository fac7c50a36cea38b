//! `binnacle restore`: an archive into a new store, verified while it is read, up to its end or to an earlier point.
//!
//! Invariant: nothing is there under the store's name before all of it is; a restored log begins a new epoch, so that what was
//! recorded behind that point before and what is recorded from now on are never taken for each other.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use super::archived::not_the_workspace;
use super::checkpoint::workspace;
use super::interrupted::{CHECKPOINTS, HEADS, HEADS_BEFORE, RESTORED, settle};
use super::key;
use super::reading::workspace_of;
use super::restoring::{Point, Restored, Restoring};
use crate::cli::serve::{RESTORING, STORE, log_failure};
use crate::cli::words::{counted, say, tell};
use crate::cli::{Failure, FailureKind};
use crate::domain::{Id, Principal, Revision, Text, Timestamp};
use crate::log::codec::{self, RecordHead};
use crate::log::{
    ArchiveReader, Head, Heads, Item, LogEntry, Mark, PublicKey, Record, SledLog, Superseded, Verification,
    create_dir, logs_in, marks_of, newest_epoch, supersede,
};

/// Brings the logs of an archive back.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(in crate::cli) struct Restore {
    /// The archive
    archive: PathBuf,
    /// The data directory to restore into; it may hold a key and checkpoints, but no store
    #[arg(long, env = "BINNACLE_DATA_DIR", value_name = "DIR", default_value = "./data")]
    data_dir: PathBuf,
    /// Only this workspace
    #[arg(long, value_name = "WORKSPACE", value_parser = workspace)]
    workspace: Option<Id>,
    /// Up to this revision; of one workspace
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    to_revision: Option<u64>,
    /// Up to what was recorded at this time, for example 2026-11-01T12:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "to_revision")]
    to_time: Option<jiff::Timestamp>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who restores, for the history
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
    /// The key that must have signed the archive, or the file that it is in [default: the data directory's own, if it has one]
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

const AFTER_HELP: &str = "\
The server must not run, and afterwards it has what was restored and nothing else: also with --workspace. Each restored log goes on with a commit that says so (EpochStarted: the revision, the root, the \
reason), and in a new epoch: resume tokens and checkpoints up to the restored revision hold, later ones are refused. \
Checkpoints in the data directory of what comes behind that revision are moved to checkpoints/superseded/.

To restore in the place of a store that is damaged, move it away first: mv DIR/store DIR/store.damaged";

impl Restore {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let key = self.key()?;
        let point = self.point();
        self.check_words()?;
        // First everything is read: a damaged archive leaves nothing behind.
        self.check_archive(key.as_ref())?;
        let store = self.data_dir.join(STORE);
        if store.exists() {
            let sentence = format!(
                "{} is there already: move it away first, or name another --data-dir",
                store.display()
            );
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        create_dir(&self.data_dir).map_err(|error| log_failure(&error))?;
        settle(&self.data_dir).map_err(|error| log_failure(&error))?;
        let unfinished = self.data_dir.join(RESTORING);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(|error| failed(&unfinished, &error))?;
        }
        let restored = self
            .write(&unfinished, key.as_ref(), point)
            .and_then(|restored| self.take_place(&unfinished, &store, &restored).map(|()| restored));
        let restored = restored.inspect_err(|_| {
            // There may be nothing to remove, and why it failed is what is to be said.
            let _left = fs::remove_dir_all(&unfinished);
        })?;
        say(&format!(
            "{} restored into {}",
            counted(restored.len(), "workspace"),
            self.data_dir.display()
        ));
        Ok(())
    }

    /// What goes into the history is held to what the server takes.
    fn check_words(&self) -> Result<(), Failure> {
        let wrong = |flag: &str, what: &dyn std::fmt::Display| {
            Failure::new(FailureKind::Usage, format!("{flag}: {what}"))
        };
        Text::parse(&self.reason).map_err(|error| wrong("--reason", &error))?;
        if let Some(actor) = &self.actor {
            Principal::parse(actor).map_err(|error| wrong("--actor", &error))?;
        }
        Ok(())
    }

    /// Reads all of the archive, also what is not wanted of it, and holds it against what is asked for.
    fn check_archive(&self, key: Option<&PublicKey>) -> Result<(), Failure> {
        let mut count = 0;
        let mut ends_at = Revision::ZERO;
        self.each_log(
            key,
            |head, record| {
                let record = Record {
                    revision: head.revision,
                    bytes: record.to_vec(),
                };
                // One that cannot be read in full would stop the server at its start.
                codec::decode(head.log, &record)
                    .map(|_| ())
                    .map_err(|error| log_failure(&error))
            },
            |entry| {
                count += 1;
                ends_at = Revision(entry.size);
                Ok(())
            },
        )?;
        let usage = |sentence| Err(Failure::new(FailureKind::Usage, sentence));
        if count == 0 {
            return usage(match &self.workspace {
                Some(id) => format!("{} holds no workspaces/{id}", self.archive.display()),
                None => format!("{} holds no workspace", self.archive.display()),
            });
        }
        match self.to_revision {
            Some(_) if count > 1 => usage(format!(
                "--to-revision is of one workspace, and the archive holds {count}: add --workspace"
            )),
            Some(asked) if asked > ends_at.0 => usage(format!(
                "{} has no revision {asked} in it: its last is {ends_at}",
                self.archive.display()
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn key(&self) -> Result<Option<PublicKey>, Failure> {
        let own = self.data_dir.join(crate::cli::serve::PUBLIC_KEY);
        match &self.public_key {
            Some(said) => key::read(said).map(Some),
            None if own.exists() => key::read(&own.to_string_lossy()).map(Some),
            None => {
                tell(
                    "no --public-key is named: the archive is held against what it says itself, and not against who signed it",
                );
                Ok(None)
            }
        }
    }

    fn point(&self) -> Point {
        match (self.to_revision, self.to_time) {
            (Some(revision), _) => Point::Revision(Revision(revision)),
            (None, Some(time)) => Point::Time(Timestamp::from_micros(time.as_microsecond())),
            (None, None) => Point::End,
        }
    }

    /// Reads the archive from its beginning and verifies it. `take` is given every record of the logs that are wanted, with
    /// what it says of itself, and `end` every such log when all of it was right.
    fn each_log(
        &self,
        key: Option<&PublicKey>,
        mut take: impl FnMut(RecordHead, &[u8]) -> Result<(), Failure>,
        mut end: impl FnMut(&LogEntry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let file = File::open(&self.archive).map_err(|error| {
            let sentence = format!("{} cannot be read: {error}", self.archive.display());
            Failure::new(FailureKind::Usage, sentence)
        })?;
        let mut reader = ArchiveReader::begin(BufReader::with_capacity(1024 * 1024, file))
            .map_err(|flaw| self.damaged(None, &flaw.to_string()))?;
        let mut current: Option<(LogEntry, Verification)> = None;
        let (mut logs, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let item = reader.read().map_err(|flaw| {
                let about = current
                    .as_ref()
                    .map(|(entry, log)| (entry, log.revision().next()));
                self.damaged(about, &flaw.to_string())
            })?;
            if let Some(Item::Record(record)) = &item {
                if let Some((entry, log)) = &mut current {
                    let about = log.revision().next();
                    let head = log
                        .record(record)
                        .map_err(|sentence| self.damaged(Some((entry, about)), &sentence))?;
                    if head.revision == Revision(1) {
                        is_of(entry, head, record)
                            .map_err(|sentence| self.damaged(Some((entry, about)), &sentence))?;
                    }
                    if self.wants(entry) {
                        take(head, record)?;
                    }
                }
                continue;
            }
            if let Some((entry, log)) = current.take() {
                let about = log.revision();
                log.end_at(Revision(entry.size))
                    .map_err(|sentence| self.damaged(Some((&entry, about)), &sentence))?;
                if self.wants(&entry) {
                    end(&entry)?;
                }
            }
            match item {
                Some(Item::Log(entry)) => {
                    let log = self.begin(&entry, key)?;
                    if !logs.insert(log.id()) || !workspaces.insert(entry.workspace.clone()) {
                        let about = Some((&entry, Revision(entry.size)));
                        return Err(self.damaged(about, "it is in the archive twice"));
                    }
                    current = Some((entry, log));
                }
                Some(Item::Record(_)) => {}
                None => return Ok(()),
            }
        }
    }

    fn wants(&self, entry: &LogEntry) -> bool {
        self.workspace
            .as_ref()
            .is_none_or(|id| id.as_str() == entry.workspace)
    }

    fn begin(&self, entry: &LogEntry, key: Option<&PublicKey>) -> Result<Verification, Failure> {
        let about = Some((entry, Revision(entry.size)));
        let unreadable = || self.damaged(about, "what it says of that log is not to be understood");
        let understood = entry.log_id().zip(entry.end());
        let understood = understood.filter(|_| Id::parse(&entry.workspace).is_ok());
        let (id, (revision, root)) = understood.ok_or_else(unreadable)?;
        let mut marks = marks_of(id, &[]);
        marks.add(Mark {
            head: Head { revision, root },
            source: crate::log::Source::Heads,
        });
        if let Some(key) = key {
            let said = key
                .open(&entry.checkpoint)
                .map_err(|flaw| self.damaged(about, &flaw.to_string()))?;
            if said.origin.log != id || (said.revision, said.root) != (revision, root) {
                return Err(self.damaged(about, "its checkpoint is of something else than it says to hold"));
            }
            marks.add(Mark::of(&said));
        }
        Ok(Verification::begin(id, marks))
    }

    fn damaged(&self, about: Option<(&LogEntry, Revision)>, sentence: &str) -> Failure {
        let place = self.archive.display();
        let about =
            about.map(|(entry, revision)| format!(" workspaces/{}, revision {revision}:", entry.workspace));
        Failure::new(
            FailureKind::Damaged,
            format!(
                "{place}:{} {sentence}; nothing was restored",
                about.unwrap_or_default()
            ),
        )
    }

    /// Writes the store beside its place.
    fn write(
        &self,
        dir: &Path,
        key: Option<&PublicKey>,
        point: Point,
    ) -> Result<Vec<(LogEntry, Restored)>, Failure> {
        let log = SledLog::open(dir).map_err(|error| log_failure(&error))?;
        let restoring = std::cell::RefCell::new(Restoring::new(&log, point));
        let mut restored = Vec::new();
        let mut left_out = Vec::new();
        self.each_log(
            key,
            |head, record| restoring.borrow_mut().take(head, record),
            |entry| {
                let mut one = restoring.replace(Restoring::new(&log, point));
                one.flush()?;
                let checkpoints = self.data_dir.join(CHECKPOINTS);
                let seen = |log| newest_epoch(&checkpoints, log).map_err(|error| log_failure(&error));
                match one.begin_epoch(&self.reason, self.actor.as_deref(), seen)? {
                    Some(begun) => restored.push((entry.clone(), begun)),
                    None => left_out.push(entry.workspace.clone()),
                }
                Ok(())
            },
        )?;
        for workspace in left_out {
            tell(&format!(
                "workspaces/{workspace} was not there yet at that time and is left out"
            ));
        }
        if restored.is_empty() {
            let sentence =
                "--to-time: nothing in the archive was there yet at that time; nothing was restored";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        Ok(restored)
    }

    /// Gives the store its name, with heads and checkpoints that fit it. What fails leaves those that were there, so that the
    /// store that was moved away can be put back.
    fn take_place(
        &self,
        unfinished: &Path,
        store: &Path,
        restored: &[(LogEntry, Restored)],
    ) -> Result<(), Failure> {
        let (heads, before) = (self.data_dir.join(HEADS), self.data_dir.join(HEADS_BEFORE));
        // It gets its name with the store: from then on what was there before is of no use.
        let mark = unfinished.join(RESTORED);
        let marked = File::create(&mark).and_then(|file| file.sync_all());
        marked.map_err(|error| failed(&mark, &error))?;
        let had_heads = heads.exists();
        if had_heads {
            fs::rename(&heads, &before).map_err(|error| failed(&heads, &error))?;
        }
        let mut superseded = Vec::new();
        let taken = self
            .with_new_heads(&heads, restored, &mut superseded)
            .and_then(|()| fs::rename(unfinished, store).map_err(|error| failed(store, &error)));
        if let Err(error) = taken {
            // There may be nothing to remove or to put back, and why it failed is what is to be said.
            let _left = fs::remove_file(&heads);
            let _left = fs::rename(&before, &heads);
            for one in superseded {
                let _left = one.undo();
            }
            return Err(error);
        }
        if had_heads {
            leave_behind(fs::remove_file(&before), &before);
        }
        for one in superseded {
            if let Err(error) = one.settle() {
                tell(&error.to_string());
            }
        }
        let synced = File::open(&self.data_dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| failed(store, &error))?;
        let mark = store.join(RESTORED);
        leave_behind(fs::remove_file(&mark), &mark);
        Ok(())
    }

    fn with_new_heads(
        &self,
        heads: &Path,
        restored: &[(LogEntry, Restored)],
        superseded: &mut Vec<Superseded>,
    ) -> Result<(), Failure> {
        let checkpoints = self.data_dir.join(CHECKPOINTS);
        let logs = logs_in(&checkpoints).map_err(|error| log_failure(&error))?;
        let (mut file, _) = Heads::open(heads).map_err(|error| log_failure(&error))?;
        for (
            entry,
            Restored {
                log,
                last,
                epoch,
                head,
            },
        ) in restored
        {
            file.write(&[(*log, *head)])
                .map_err(|error| log_failure(&error))?;
            let taken_out =
                supersede(&checkpoints, *log, *last, *epoch).map_err(|error| log_failure(&error))?;
            let moved = taken_out.count;
            superseded.push(taken_out);
            say(&format!(
                "workspaces/{}: revisions 1 to {last}, and revision {} begins a new epoch",
                entry.workspace, head.revision
            ));
            if moved > 0 {
                say(&format!(
                    "  {} of what came behind moved to checkpoints/superseded/",
                    counted(moved, "checkpoint")
                ));
            }
        }
        // What was not restored is no more: its checkpoints would keep the server from starting.
        for id in logs {
            if restored.iter().all(|(_, restored)| restored.log != id) {
                let taken_out =
                    supersede(&checkpoints, id, Revision::ZERO, 0).map_err(|error| log_failure(&error))?;
                let moved = taken_out.count;
                superseded.push(taken_out);
                if moved > 0 {
                    say(&format!(
                        "{} of the log {id}, which was not restored and is no longer there, moved to checkpoints/superseded/",
                        counted(moved, "checkpoint")
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether the first record of a log creates the workspace that the archive names.
fn is_of(entry: &LogEntry, head: RecordHead, record: &[u8]) -> Result<(), String> {
    let record = Record {
        revision: head.revision,
        bytes: record.to_vec(),
    };
    match workspace_of(head.log, &record)? {
        Some(name) if name == entry.workspace => Ok(()),
        name => Err(not_the_workspace(name)),
    }
}

/// Everything is in its place: what could not be cleared away is in nobody's way.
fn leave_behind(removed: std::io::Result<()>, path: &Path) {
    if let Err(error) = removed {
        tell(&format!("{} could not be removed: {error}", path.display()));
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Failed,
        format!("{} cannot be written: {error}", path.display()),
    )
}
