//! Holding the records of a log against what was said of it: whether they are in order and of that log, and whether they have
//! the roots that checkpoints say.
//!
//! Invariant: a log passes only when every record of it passed, it ends where it should, and every checkpoint that speaks of it
//! agrees. What is wrong is said in a sentence that names the log and the revisions.
//!
//! What it does not know: where records come from, and whether a checkpoint was signed.

use super::codec::RecordHead;
use super::evidence::{Contradiction, Mark, Marks, Source};
use super::{Checkpoint, Frontier, LeafHash, LogId, Root};
use crate::domain::{Revision, Timestamp};

/// One log while its records are read.
#[derive(Debug)]
pub struct Verification {
    log: LogId,
    tree: Frontier,
    epoch: u32,
    newest_time: Timestamp,
    /// The revision at which the newest epoch began.
    epoch_began: Revision,
    marks: Marks,
    /// The newest revision at which somebody agreed.
    agreed: Revision,
}

impl Verification {
    /// Begins with a log, and all that is known of it.
    #[must_use]
    pub fn begin(log: LogId, marks: Marks) -> Self {
        Self {
            log,
            tree: Frontier::empty(),
            epoch: 1,
            newest_time: Timestamp::MIN,
            epoch_began: Revision::ZERO,
            marks,
            agreed: Revision::ZERO,
        }
    }

    /// Adds something that is known of it, ahead of its records.
    pub fn expect(&mut self, mark: Mark) {
        self.marks.add(mark);
    }

    /// The log.
    #[must_use]
    pub fn id(&self) -> LogId {
        self.log
    }

    /// The newest revision that was read.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision(self.tree.size())
    }

    /// The root over all that was read.
    #[must_use]
    pub fn root(&self) -> Root {
        self.tree.root()
    }

    /// The epoch of the newest record.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// A sentence: what is wrong with it, or with all up to it.
    pub fn record(&mut self, bytes: &[u8]) -> Result<RecordHead, String> {
        let expected = self.revision().next();
        let Some(head) = RecordHead::of(bytes) else {
            return Err(format!("the record of revision {expected} is no commit"));
        };
        if head.log != self.log {
            return Err(format!(
                "the record of revision {expected} is one of another log, {}",
                head.log
            ));
        }
        if head.revision > expected {
            let (last, found) = (Revision(head.revision.0 - 1), head.revision);
            return Err(format!(
                "revisions {expected} to {last} are missing: behind revision {} comes {found}",
                self.revision()
            ));
        }
        if head.revision < expected {
            return Err(format!(
                "behind revision {} comes {} again",
                self.revision(),
                head.revision
            ));
        }
        if head.recorded_time < self.newest_time {
            return Err(format!(
                "revision {expected} was recorded before the one in front of it"
            ));
        }
        if head.epoch < self.epoch {
            return Err(format!(
                "revision {expected} is of epoch {}, behind one of {}",
                head.epoch, self.epoch
            ));
        }
        if head.epoch > self.epoch {
            (self.epoch, self.epoch_began) = (head.epoch, expected);
        }
        self.newest_time = head.recorded_time;
        self.tree.push(LeafHash::of(bytes));
        match self.marks.pass(&self.tree, self.epoch) {
            Ok(false) => {}
            Ok(true) => self.agreed = self.revision(),
            Err(contradiction) => return Err(self.contradicted(&contradiction)),
        }
        Ok(head)
    }

    /// Ends the log.
    ///
    /// # Errors
    /// A sentence: what is missing.
    pub fn end(&self) -> Result<(), String> {
        let ends_at = self.revision();
        match self.marks.beyond(ends_at) {
            None => Ok(()),
            Some(mark) => Err(match self.left_behind(&mark) {
                Some(sentence) => sentence,
                None => format!(
                    "revisions {} to {} are missing: it ends at revision {ends_at}, and {}",
                    ends_at.next(),
                    mark.head.revision,
                    match mark.source {
                        Source::Heads => format!("revision {} was durable before", mark.head.revision),
                        Source::Checkpoint { .. } =>
                            format!("there is a checkpoint of revision {}", mark.head.revision),
                    }
                ),
            }),
        }
    }

    /// Ends the log, which has to have so many records: what comes behind them nobody has signed.
    ///
    /// # Errors
    /// As [`Verification::end`], and that there are more.
    pub fn end_at(&self, size: Revision) -> Result<(), String> {
        self.end()?;
        match self.revision() > size {
            true => Err(format!("it holds {} commits, and says {size}", self.revision())),
            false => Ok(()),
        }
    }

    /// What a contradiction says: everything up to the last agreement is as it was, and something behind it is not.
    fn contradicted(&self, contradiction: &Contradiction) -> String {
        let mark = contradiction.mark;
        if let Some(sentence) = self.left_behind(&mark) {
            return sentence;
        }
        let revision = mark.head.revision;
        if let Source::Checkpoint { epoch } = mark.source
            && mark.head.root == self.root()
        {
            return format!(
                "the checkpoint of revision {revision} names epoch {epoch}, and it is {} there",
                self.epoch
            );
        }
        let said = match mark.source {
            Source::Heads => "were durable before",
            Source::Checkpoint { .. } => "the checkpoint was signed for",
        };
        let from = self.agreed.next();
        format!(
            "the records up to revision {revision} are not those that {said}: of revisions {from} to {revision} at least \
             one was changed, taken out or put in ({}); their root is {} and was {}",
            match self.agreed {
                Revision::ZERO => "nothing before is confirmed by another checkpoint".to_owned(),
                agreed => format!("up to revision {agreed} all is as it was"),
            },
            contradiction.found,
            mark.head.root,
        )
    }

    /// Whether a checkpoint is of what a restore has left behind.
    fn left_behind(&self, mark: &Mark) -> Option<String> {
        let Source::Checkpoint { epoch } = mark.source else {
            return None;
        };
        (epoch < self.epoch && mark.head.revision >= self.epoch_began).then(|| {
            format!(
                "the log was restored to revision {} and is in epoch {} since: the checkpoint of revision {} is of epoch \
                 {epoch}, and what it speaks of behind that revision is no longer there",
                Revision(self.epoch_began.0 - 1),
                self.epoch,
                mark.head.revision,
            )
        })
    }
}

/// What checkpoints say of one log.
#[must_use]
pub fn marks_of(log: LogId, checkpoints: &[Checkpoint]) -> Marks {
    let mut marks = Marks::default();
    for checkpoint in checkpoints
        .iter()
        .filter(|checkpoint| checkpoint.origin.log == log)
    {
        marks.add(Mark::of(checkpoint));
    }
    marks
}
