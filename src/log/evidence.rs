//! What is kept beside the store to find out at a start whether the store still holds what was durable: the newest heads, and
//! the signed checkpoints.
//!
//! Invariant: every log is held against every mark of its own while it is folded: the same root at that revision, and an end
//! that is not before it.
//!
//! What it does not know: how a log is folded, and when checkpoints are signed.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::checkpoint::{Checkpoint, SigningKey};
use super::checkpoints::Checkpoints;
use super::heads::{Head, Heads};
use super::{Frontier, LogError, LogErrorKind, LogId, Root};
use crate::domain::Revision;

/// The heads and the checkpoints of a data directory, open, and what they said of each log when they were opened.
#[derive(Debug)]
pub struct Evidence {
    /// The newest heads.
    pub heads: Heads,
    /// The signed checkpoints, and the key.
    pub checkpoints: Checkpoints,
    /// What each log has to hold.
    pub marks: BTreeMap<LogId, Marks>,
}

/// What one log has to hold.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// In ascending order of their revisions.
    marks: VecDeque<Mark>,
}

/// The root that a log had at a revision, and who says so.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The revision and the root.
    pub head: Head,
    /// Who says so.
    pub source: Source,
}

/// Who says what a log held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The heads: what was durable and answered.
    Heads,
    /// A signed checkpoint of that epoch.
    Checkpoint {
        /// The epoch that it names.
        epoch: u32,
    },
}

impl Evidence {
    /// Whether a data directory speaks of a store that was there: it has heads, or checkpoints. One that does not may begin one.
    ///
    /// # Errors
    /// As [`Heads::read`] and [`Checkpoints::any`].
    pub fn of_a_store(data_dir: &Path) -> Result<bool, LogError> {
        let heads = Heads::read(&data_dir.join("heads"))?;
        Ok(!heads.is_empty() || Checkpoints::any(&data_dir.join("checkpoints"))?)
    }

    /// Opens what lies in a data directory beside the store, or begins it. Open the store first: its lock is what keeps other
    /// processes away.
    ///
    /// # Errors
    /// As [`Heads::open`] and [`Checkpoints::open`].
    pub fn open(data_dir: &Path, key: SigningKey) -> Result<Self, LogError> {
        let (heads, newest) = Heads::open(data_dir.join("heads"))?;
        let (checkpoints, signed) = Checkpoints::open(data_dir.join("checkpoints"), key)?;
        let mut marks: BTreeMap<LogId, Marks> = BTreeMap::new();
        for checkpoint in signed.values().flatten() {
            marks
                .entry(checkpoint.origin.log)
                .or_default()
                .add(Mark::of(checkpoint));
        }
        for (log, head) in newest {
            marks.entry(log).or_default().add(Mark {
                head,
                source: Source::Heads,
            });
        }
        Ok(Self {
            heads,
            checkpoints,
            marks,
        })
    }
}

impl Mark {
    /// What a checkpoint says.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let Checkpoint {
            origin,
            revision,
            root,
        } = *checkpoint;
        Self {
            head: Head { revision, root },
            source: Source::Checkpoint { epoch: origin.epoch },
        }
    }
}

impl Marks {
    /// The revision of the newest checkpoint among them; 0: there is none.
    #[must_use]
    pub fn newest_checkpoint(&self) -> Revision {
        let checkpoints = self.marks.iter().filter(|mark| mark.source != Source::Heads);
        checkpoints
            .map(|mark| mark.head.revision)
            .max()
            .unwrap_or_default()
    }

    /// Adds a mark in its place.
    pub fn add(&mut self, mark: Mark) {
        let behind = self
            .marks
            .partition_point(|other| other.head.revision <= mark.head.revision);
        self.marks.insert(behind, mark);
    }

    /// Holds the tree of a log, read up to a revision, against the marks of that revision, and answers whether there were any. To
    /// be called at every revision, in order; it costs nothing where there is no mark.
    ///
    /// # Errors
    /// The log holds something else than a mark says.
    pub fn pass(&mut self, tree: &Frontier, epoch: u32) -> Result<bool, Contradiction> {
        let mut passed = false;
        while let Some(mark) = self
            .marks
            .front()
            .filter(|mark| mark.head.revision.0 <= tree.size())
        {
            let found = tree.root();
            if mark.head.root != found || !mark.source.is_of_epoch(epoch) {
                let mark = *mark;
                return Err(Contradiction { mark, found, epoch });
            }
            passed = true;
            self.marks.pop_front();
        }
        Ok(passed)
    }

    /// The newest mark of more than a log holds.
    #[must_use]
    pub fn beyond(&self, ends_at: Revision) -> Option<Mark> {
        let newest = self.marks.back().copied();
        newest.filter(|mark| mark.head.revision > ends_at)
    }

    /// Holds the end of a log against the marks that were not passed.
    ///
    /// # Errors
    /// `Damaged`: the log ends before one of them.
    pub fn end(&self, log: LogId, ends_at: Revision) -> Result<(), LogError> {
        match self.beyond(ends_at) {
            Some(mark) => Err(mark.head.missing_from(log, ends_at, mark.source)),
            None => Ok(()),
        }
    }
}

impl Source {
    fn is_of_epoch(self, epoch: u32) -> bool {
        match self {
            Self::Heads => true,
            Self::Checkpoint { epoch: said } => said == epoch,
        }
    }
}

/// A log holds something else than was said of it.
#[derive(Clone, Copy, Debug)]
pub struct Contradiction {
    /// What was said, and by whom.
    pub mark: Mark,
    /// The root that was found at that revision.
    pub found: Root,
    /// The epoch that the log is in there.
    pub epoch: u32,
}

impl Contradiction {
    /// The damage, as a start tells it.
    #[must_use]
    pub fn damage(&self, log: LogId) -> LogError {
        let Self { mark, found, epoch } = *self;
        match mark.source {
            Source::Checkpoint { epoch: said } if mark.head.root == found => LogError::new(
                LogErrorKind::Damaged,
                format!(
                    "workspace log {log}: a checkpoint of revision {} names epoch {said}, and the log is in epoch {epoch} \
                     there; put the newest copy of the whole data directory back",
                    mark.head.revision
                ),
            ),
            source => mark.head.contradicts(log, found, source),
        }
    }
}
