//! Turns the blocks of one log into its records, lazily, one block at a time.
//!
//! Invariant: it gives the records from the first one wanted to the head, each once, in order and whole; or an error
//! that names the log, the revision and what is wrong, and nothing after it.
//!
//! What it does not know: where the blocks come from. They are any pairs of key and block, sorted by key.

use super::block::{self, Assembly, Block, Flaw, Key};
use super::{LogError, LogErrorKind, LogId, Record};
use crate::domain::Revision;

/// Reads one log from a sorted run of its blocks `I`, whose bytes are `B`.
pub(super) struct Reader<I, B> {
    blocks: I,
    log: LogId,
    /// The first record wanted.
    from: Revision,
    /// The revision that the next record found must have.
    next: Revision,
    /// The last record to give.
    head: Revision,
    /// The block being read; `None` when the next one is due.
    block: Option<B>,
    /// Where in the block the next record begins.
    place: usize,
    /// An error was given: nothing more comes.
    failed: bool,
}

impl<I, B> Reader<I, B>
where
    I: Iterator<Item = Result<(B, B), LogError>>,
    B: AsRef<[u8]>,
{
    /// Reads the records `from` to `head`. The first of `blocks` must begin with the record `first`, or with record 1
    /// where `first` is zero.
    pub(super) fn new(blocks: I, log: LogId, first: Revision, from: Revision, head: Revision) -> Self {
        let next = first.max(Revision::ZERO.next());
        Self {
            blocks,
            log,
            from,
            next,
            head,
            block: None,
            place: 0,
            failed: false,
        }
    }

    fn step(&mut self) -> Result<Option<Record>, LogError> {
        // A reading that begins behind the head looks at no block at all.
        while self.next <= self.head && self.from <= self.head {
            let revision = self.next;
            let wanted = revision >= self.from;
            if let Some((record, place)) = self.block.as_ref().and_then(|block| record_at(block, self.place))
            {
                let bytes = wanted.then(|| record.to_vec());
                self.place = place;
                self.next = revision.next();
                if let Some(bytes) = bytes {
                    return Ok(Some(Record { revision, bytes }));
                }
            } else if let Some(bytes) = self.advance()? {
                self.next = revision.next();
                if wanted {
                    return Ok(Some(Record { revision, bytes }));
                }
            }
        }
        Ok(None)
    }

    /// Reads the next block: a large commit comes back whole, small ones are left in `self.block`.
    fn advance(&mut self) -> Result<Option<Vec<u8>>, LogError> {
        self.block = None;
        let (key, block) = self.next_block(0)?;
        match block::decode(key, block.as_ref()).map_err(|flaw| key.damage(&flaw))? {
            Block::Commits { .. } => {
                self.place = block::BODY_AT;
                self.block = Some(block);
                Ok(None)
            }
            Block::Part(part) => {
                let begun = Assembly::begin(key.part, part).map_err(|flaw| key.damage(&flaw))?;
                self.assemble(begun).map(Some)
            }
        }
    }

    fn assemble(&mut self, mut commit: Assembly) -> Result<Vec<u8>, LogError> {
        while let Some(missing) = commit.missing() {
            let (key, block) = self.next_block(missing)?;
            match block::decode(key, block.as_ref()) {
                Ok(Block::Part(part)) => commit.add(key.part, part),
                Ok(Block::Commits { .. }) => Err(Flaw::PartMissing(missing)),
                Err(flaw) => Err(flaw),
            }
            .map_err(|flaw| key.damage(&flaw))?;
        }
        let whole = Key::new(self.log, self.next, 0);
        commit.finish().map_err(|flaw| whole.damage(&flaw))
    }

    /// The next block, which must begin with the revision that comes next. `part` is what a person reads about when
    /// it does not.
    fn next_block(&mut self, part: u16) -> Result<(Key, B), LogError> {
        let Some(found) = self.blocks.next() else {
            return Err(self.gap(
                part,
                &format!("the log ends before it, and its head is revision {}", self.head),
            ));
        };
        let (key, block) = found.map_err(|mut error| {
            error.context = format!("log {}, at revision {}: {}", self.log, self.next, error.context);
            error
        })?;
        let key =
            Key::decode(key.as_ref()).map_err(|flaw| Key::new(self.log, self.next, part).damage(&flaw))?;
        if key.log != self.log || key.first != self.next {
            return Err(self.gap(part, &format!("found revision {}", key.first)));
        }
        Ok((key, block))
    }

    fn gap(&self, part: u16, found: &str) -> LogError {
        let part = if part == 0 {
            String::new()
        } else {
            format!(", part {part}")
        };
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "log {}: expected revision {}{part}, {found}; restore the newest backup",
                self.log, self.next
            ),
        )
    }
}

impl<I, B> Iterator for Reader<I, B>
where
    I: Iterator<Item = Result<(B, B), LogError>>,
    B: AsRef<[u8]>,
{
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let found = self.step();
        self.failed = found.is_err();
        found.transpose()
    }
}

/// The record at `place` of a block of commits, and the place behind it.
fn record_at<B: AsRef<[u8]>>(block: &B, place: usize) -> Option<(&[u8], usize)> {
    let block = block.as_ref();
    let (record, rest) = block::split_record(block.get(place..)?)?;
    Some((record, block.len() - rest.len()))
}
