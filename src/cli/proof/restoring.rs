//! One log on its way from an archive into a store, up to the point that is asked for, and the commit that begins its next epoch.
//!
//! What it does not know: archives, and whether the records are to be believed; whoever hands them on has verified them.

use crate::cli::serve::log_failure;
use crate::cli::{Failure, FailureKind};
use crate::domain::{Commit, EpochStarted, Event, Origin, Revision, Timestamp};
use crate::engine::{Clock, SystemClock};
use crate::log::codec::{self, RecordHead};
use crate::log::{Append, AppendOutcome, EventLog, Head, LeafHash, LogId, SledLog, Tree};

/// How many bytes of records are appended at once.
const APPEND_BYTES: usize = 4 * 1024 * 1024;

/// How far is restored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Point {
    End,
    Revision(Revision),
    Time(Timestamp),
}

/// One log in the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restored {
    pub(super) log: LogId,
    /// The last revision that was restored, and the epoch that it is in.
    pub(super) last: Revision,
    pub(super) epoch: u32,
    /// The commit behind it, which begins the next epoch.
    pub(super) head: Head,
}

/// One log on its way into the store.
pub(super) struct Restoring<'a> {
    log: &'a SledLog,
    point: Point,
    tree: Tree,
    newest: Option<RecordHead>,
    waiting: Vec<Vec<u8>>,
    bytes: usize,
}

impl<'a> Restoring<'a> {
    pub(super) fn new(log: &'a SledLog, point: Point) -> Self {
        Self {
            log,
            point,
            tree: Tree::empty(),
            newest: None,
            waiting: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn take(&mut self, head: RecordHead, record: &[u8]) -> Result<(), Failure> {
        let wanted = match self.point {
            Point::End => true,
            Point::Revision(last) => head.revision <= last,
            Point::Time(time) => head.recorded_time <= time,
        };
        if !wanted {
            return Ok(());
        }
        self.tree.push(LeafHash::of(record));
        self.newest = Some(head);
        self.bytes += record.len();
        self.waiting.push(record.to_vec());
        match self.bytes >= APPEND_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let Some(newest) = self.newest.filter(|_| !self.waiting.is_empty()) else {
            return Ok(());
        };
        self.bytes = 0;
        let records = std::mem::take(&mut self.waiting);
        let expected = Revision(newest.revision.0 - records.len() as u64);
        self.append(newest, expected, records)
    }

    fn append(&self, newest: RecordHead, expected: Revision, records: Vec<Vec<u8>>) -> Result<(), Failure> {
        let append = Append {
            log: newest.log,
            expected,
            records,
        };
        let outcome = self.log.append(&[append]).map_err(|error| log_failure(&error))?;
        match outcome.as_slice() {
            [AppendOutcome::Appended] => Ok(()),
            _ => {
                let sentence = format!("the archive holds the log {} twice", newest.log);
                Err(Failure::new(FailureKind::Damaged, sentence))
            }
        }
    }

    /// Ends the log with the commit that begins its next epoch; none: there is nothing of it. `epoch_seen` answers the newest
    /// epoch in which the log was ever signed here: no epoch is given twice.
    pub(super) fn begin_epoch(
        &mut self,
        reason: &str,
        actor: Option<&str>,
        epoch_seen: impl FnOnce(LogId) -> Result<u32, Failure>,
    ) -> Result<Option<Restored>, Failure> {
        let Some(newest) = self.newest else {
            return Ok(None);
        };
        let epoch = newest.epoch.max(epoch_seen(newest.log)?).saturating_add(1);
        let mut origin = Origin::system("Restore");
        if let Some(actor) = actor {
            origin.actor.on_behalf_of = actor.into();
        }
        origin.reason = reason.into();
        let started = EpochStarted {
            restored_revision: newest.revision,
            restored_root: self.tree.root().0,
            reason: reason.into(),
        };
        let commit = Commit {
            revision: newest.revision.next(),
            recorded_time: SystemClock::default().wall().max(newest.recorded_time),
            epoch,
            origin,
            events: vec![Event::EpochStarted(Box::new(started))],
        };
        let record = codec::encode(newest.log, &commit);
        self.tree.push(LeafHash::of(&record));
        self.append(newest, newest.revision, vec![record])?;
        let head = Head {
            revision: commit.revision,
            root: self.tree.root(),
        };
        Ok(Some(Restored {
            log: newest.log,
            last: newest.revision,
            epoch: newest.epoch,
            head,
        }))
    }
}
