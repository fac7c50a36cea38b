//! The bytes of a block and of its key: what the store holds is a sorted run of these and nothing else.
//!
//! Invariant: what `encode` wrote, `decode` gives back byte for byte, and of anything else `decode` says what is
//! wrong with it; it never panics. No block is larger than [`BLOCK_BYTES_MAX`].
//!
//! What it does not know: the store that holds the blocks, and what a commit's bytes mean. The layout is described
//! for a stranger in `docs/format.md`.

use thiserror::Error;

use super::{LogError, LogErrorKind, LogId, MAX_RECORD_BYTES};
use crate::domain::Revision;

/// The largest block, in bytes. A leaf page of the store holds up to 17 values and must stay below 131,052 bytes,
/// or the store moves it into a file of its own that it never makes durable.
pub(super) const BLOCK_BYTES_MAX: usize = 4096;

/// A key: kind, log id, first revision, part.
pub(super) const KEY_BYTES: usize = 1 + 16 + 8 + 2;

/// The first byte of a key says what is stored under it.
pub(super) const KIND_META: u8 = 0x01;
const KIND_LOG: u8 = 0x02;

/// The first byte of a block says what its content is.
const FORMAT_COMMITS: u8 = 1;
const FORMAT_PART: u8 = 2;
pub(super) const FORMAT_META: u8 = 3;

/// Format and checksum.
const HEADER_BYTES: usize = 1 + 4;
/// Where in a block its content begins.
pub(super) const BODY_AT: usize = HEADER_BYTES;
/// Before each record of a block of commits: its length.
const LENGTH_BYTES: usize = 2;
/// Before the content of a part: the number of parts and the length of the whole commit.
const PART_HEADER_BYTES: usize = 2 + 4;
const PART_CONTENT_MAX: usize = BLOCK_BYTES_MAX - HEADER_BYTES - PART_HEADER_BYTES;
/// The largest commit that is not divided into parts.
const WHOLE_RECORD_MAX: usize = BLOCK_BYTES_MAX - HEADER_BYTES - LENGTH_BYTES;

// The part number, the number of parts and the length of a record in a block all fit their 16 bits.
const _: () = assert!(MAX_RECORD_BYTES.div_ceil(PART_CONTENT_MAX) <= u16::MAX as usize);
const _: () = assert!(BLOCK_BYTES_MAX <= u16::MAX as usize);

/// Where a block is: keys sort by log, then by revision, then by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) log: LogId,
    /// The revision of the block's first record.
    pub(super) first: Revision,
    /// 0 for a block of whole commits; 0, 1, 2, … for the parts of one commit.
    pub(super) part: u16,
}

/// What is wrong with stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Flaw {
    #[error("its key of {0} bytes is not a block's")]
    NotAKey(usize),
    #[error("it ends after {0} bytes, inside its own structure")]
    CutShort(usize),
    #[error("it has {0} bytes, more than a block takes")]
    TooLong(usize),
    #[error("its checksum does not match (stored {stored:08x}, computed {computed:08x})")]
    Checksum { stored: u32, computed: u32 },
    #[error("its content is of the unknown format {0}")]
    UnknownContent(u8),
    #[error("it holds no record")]
    Empty,
    #[error("a block of whole commits is stored as part {0}")]
    WholeAsPart(u16),
    #[error("part {found} of the commit follows where part {expected} belongs")]
    PartOrder { expected: u16, found: u16 },
    #[error("the commit ends before its part {0}")]
    PartMissing(u16),
    #[error("part {0} of the commit contradicts the parts before it")]
    PartContradiction(u16),
    #[error("the parts of the commit add up to {found} bytes instead of {expected}")]
    PartLength { expected: usize, found: usize },
}

/// A block whose checksum and structure are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    /// One or more whole commits.
    Commits { count: u64, body: &'a [u8] },
    /// One part of a commit that is larger than a block.
    Part(Part<'a>),
}

/// One part of a large commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The number of parts of the commit, at least 1.
    pub(super) parts: u16,
    /// The length of the whole commit in bytes, at most [`MAX_RECORD_BYTES`].
    pub(super) length: usize,
    pub(super) bytes: &'a [u8],
}

impl Key {
    pub(super) const fn new(log: LogId, first: Revision, part: u16) -> Self {
        Self { log, first, part }
    }

    /// The smallest key a log can have.
    pub(super) const fn lowest(log: LogId) -> Self {
        Self::new(log, Revision::ZERO, 0)
    }

    /// The largest key a log can have up to and including `revision`.
    pub(super) const fn highest(log: LogId, revision: Revision) -> Self {
        Self::new(log, revision, u16::MAX)
    }

    pub(super) fn encode(self) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        key[0] = KIND_LOG;
        key[1..17].copy_from_slice(&self.log.0);
        key[17..25].copy_from_slice(&self.first.0.to_be_bytes());
        key[25..27].copy_from_slice(&self.part.to_be_bytes());
        key
    }

    pub(super) fn decode(key: &[u8]) -> Result<Self, Flaw> {
        let parts = || {
            let (kind, key) = key.split_first()?;
            let (log, key) = key.split_first_chunk::<16>()?;
            let (first, key) = key.split_first_chunk::<8>()?;
            let part = <[u8; 2]>::try_from(key).ok()?;
            (*kind == KIND_LOG).then_some(Self {
                log: LogId(*log),
                first: Revision(u64::from_be_bytes(*first)),
                part: u16::from_be_bytes(part),
            })
        };
        parts().ok_or(Flaw::NotAKey(key.len()))
    }

    /// The damage a person reads about.
    pub(super) fn damage(self, flaw: &Flaw) -> LogError {
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "log {}: the block at revision {}, part {}, is damaged: {flaw}; restore the newest backup",
                self.log, self.first, self.part
            ),
        )
    }
}

/// Encodes `records`, the first of which gets the revision `first`, and hands each block with its key to `emit`, in
/// the order of their keys. A block takes as many whole records as fit; a larger record is divided into parts.
///
/// The caller has checked that no record is over [`MAX_RECORD_BYTES`].
pub(super) fn encode(
    log: LogId,
    first: Revision,
    records: &[Vec<u8>],
    mut emit: impl FnMut([u8; KEY_BYTES], Vec<u8>),
) {
    let mut seal = |key: Key, block: Vec<u8>| {
        let key = key.encode();
        emit(key, seal(&key, block));
    };
    let mut open: Option<(Key, Vec<u8>)> = None;
    let mut revision = first;
    for record in records {
        let full = open
            .as_ref()
            .is_some_and(|(_, block)| block.len() + LENGTH_BYTES + record.len() > BLOCK_BYTES_MAX);
        if full && let Some((key, block)) = open.take() {
            seal(key, block);
        }
        if record.len() > WHOLE_RECORD_MAX {
            encode_parts(log, revision, record, &mut seal);
        } else {
            let (_, block) =
                open.get_or_insert_with(|| (Key::new(log, revision, 0), unsealed(FORMAT_COMMITS)));
            block.extend_from_slice(&short_length(record.len()).to_be_bytes());
            block.extend_from_slice(record);
        }
        revision = revision.next();
    }
    if let Some((key, block)) = open {
        seal(key, block);
    }
}

fn encode_parts(log: LogId, revision: Revision, record: &[u8], seal: &mut impl FnMut(Key, Vec<u8>)) {
    let parts = short_length(record.len().div_ceil(PART_CONTENT_MAX));
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    for (part, bytes) in (0..parts).zip(record.chunks(PART_CONTENT_MAX)) {
        let mut block = unsealed(FORMAT_PART);
        block.extend_from_slice(&parts.to_be_bytes());
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(bytes);
        seal(Key::new(log, revision, part), block);
    }
}

/// A block without content, its checksum still to be filled in.
pub(super) fn unsealed(format: u8) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK_BYTES_MAX);
    block.push(format);
    block.extend_from_slice(&[0; 4]);
    block
}

/// Fills in the checksum of a block that began as [`unsealed`].
pub(super) fn seal(key: &[u8], mut block: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(key, block[0], &block[HEADER_BYTES..]);
    block[1..HEADER_BYTES].copy_from_slice(&checksum.to_be_bytes());
    block
}

/// A length that the constants above keep within 16 bits.
fn short_length(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// CRC-32C over the key, the format byte and the content, so that a block stored under another key is damage too.
fn checksum(key: &[u8], format: u8, content: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), &[format]);
    crc32c::crc32c_append(crc, content)
}

/// Checks the checksum and gives format and content.
pub(super) fn unseal<'a>(key: &[u8], block: &'a [u8]) -> Result<(u8, &'a [u8]), Flaw> {
    if block.len() > BLOCK_BYTES_MAX {
        return Err(Flaw::TooLong(block.len()));
    }
    let cut_short = Flaw::CutShort(block.len());
    let (format, rest) = block.split_first().ok_or_else(|| cut_short.clone())?;
    let (stored, content) = rest.split_first_chunk::<4>().ok_or(cut_short)?;
    let stored = u32::from_be_bytes(*stored);
    let computed = checksum(key, *format, content);
    if stored != computed {
        return Err(Flaw::Checksum { stored, computed });
    }
    Ok((*format, content))
}

/// Decodes the block stored under `key`: its checksum first, then its whole structure.
pub(super) fn decode(key: Key, block: &[u8]) -> Result<Block<'_>, Flaw> {
    let (format, content) = unseal(&key.encode(), block)?;
    match format {
        FORMAT_COMMITS => {
            let (mut count, mut rest) = (0, content);
            while !rest.is_empty() {
                (_, rest) = split_record(rest).ok_or(Flaw::CutShort(block.len()))?;
                count += 1;
            }
            match (count, key.part) {
                (0, _) => Err(Flaw::Empty),
                (_, 0) => Ok(Block::Commits { count, body: content }),
                (_, part) => Err(Flaw::WholeAsPart(part)),
            }
        }
        FORMAT_PART => {
            let cut_short = || Flaw::CutShort(block.len());
            let (parts, rest) = content.split_first_chunk::<2>().ok_or_else(cut_short)?;
            let (length, bytes) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let parts = u16::from_be_bytes(*parts);
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if key.part >= parts || length > MAX_RECORD_BYTES {
                return Err(Flaw::PartContradiction(key.part));
            }
            Ok(Block::Part(Part { parts, length, bytes }))
        }
        unknown => Err(Flaw::UnknownContent(unknown)),
    }
}

/// Splits the first record off the body of a block of commits; `None` at its end.
pub(super) fn split_record(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Puts the parts of one commit together again, and notices when one is missing, doubled or of another commit.
#[derive(Debug)]
pub(super) struct Assembly {
    parts: u16,
    next: u16,
    length: usize,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Begins with the part found first.
    pub(super) fn begin(number: u16, part: Part<'_>) -> Result<Self, Flaw> {
        let mut assembly = Self {
            parts: part.parts,
            next: 0,
            length: part.length,
            bytes: Vec::with_capacity(part.length),
        };
        assembly.add(number, part)?;
        Ok(assembly)
    }

    /// Adds the part found next.
    pub(super) fn add(&mut self, number: u16, part: Part<'_>) -> Result<(), Flaw> {
        if number != self.next {
            return Err(Flaw::PartOrder {
                expected: self.next,
                found: number,
            });
        }
        if part.parts != self.parts || part.length != self.length {
            return Err(Flaw::PartContradiction(number));
        }
        self.bytes.extend_from_slice(part.bytes);
        self.next += 1;
        Ok(())
    }

    /// The number of the part that has to come next; `None` when all are there.
    pub(super) fn missing(&self) -> Option<u16> {
        (self.next < self.parts).then_some(self.next)
    }

    /// The whole commit.
    pub(super) fn finish(self) -> Result<Vec<u8>, Flaw> {
        match self.missing() {
            Some(part) => Err(Flaw::PartMissing(part)),
            None if self.bytes.len() != self.length => Err(Flaw::PartLength {
                expected: self.length,
                found: self.bytes.len(),
            }),
            None => Ok(self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: LogId = LogId([7; 16]);

    fn blocks_of(first: u64, records: &[Vec<u8>]) -> Vec<([u8; KEY_BYTES], Vec<u8>)> {
        let mut blocks = Vec::new();
        encode(LOG, Revision(first), records, |key, block| {
            blocks.push((key, block));
        });
        blocks
    }

    /// Decodes a run of blocks the way a reader does.
    fn records_of(blocks: &[([u8; KEY_BYTES], Vec<u8>)]) -> Result<Vec<(u64, Vec<u8>)>, Flaw> {
        let mut records = Vec::new();
        let mut blocks = blocks.iter();
        while let Some((key, block)) = blocks.next() {
            let key = Key::decode(key)?;
            match decode(key, block)? {
                Block::Commits { mut body, .. } => {
                    for revision in key.first.0.. {
                        let Some((record, rest)) = split_record(body) else {
                            break;
                        };
                        records.push((revision, record.to_vec()));
                        body = rest;
                    }
                }
                Block::Part(part) => {
                    let mut assembly = Assembly::begin(key.part, part)?;
                    while assembly.missing().is_some() {
                        let Some((key, block)) = blocks.next() else { break };
                        let key = Key::decode(key)?;
                        if let Block::Part(part) = decode(key, block)? {
                            assembly.add(key.part, part)?;
                        }
                    }
                    records.push((key.first.0, assembly.finish()?));
                }
            }
        }
        Ok(records)
    }

    fn numbered(first: u64, records: &[Vec<u8>]) -> Vec<(u64, Vec<u8>)> {
        (first..).zip(records.iter().cloned()).collect()
    }

    #[test]
    fn records_on_both_sides_of_every_limit_come_back() {
        for length in [
            0,
            1,
            WHOLE_RECORD_MAX - 1,
            WHOLE_RECORD_MAX,
            WHOLE_RECORD_MAX + 1,
            PART_CONTENT_MAX,
            PART_CONTENT_MAX + 1,
            2 * PART_CONTENT_MAX,
            2 * PART_CONTENT_MAX + 1,
            MAX_RECORD_BYTES,
        ] {
            let records = vec![vec![1; length], vec![], vec![2; length]];
            let blocks = blocks_of(5, &records);
            assert!(
                blocks.iter().all(|(_, block)| block.len() <= BLOCK_BYTES_MAX),
                "{length} bytes"
            );
            assert_eq!(
                records_of(&blocks).unwrap(),
                numbered(5, &records),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_block_takes_as_many_whole_commits_as_fit() {
        let records = vec![vec![3; 200]; 41];
        let blocks = blocks_of(1, &records);
        // 4096 - 5 bytes of header leave room for 20 records of 200 + 2 bytes.
        let firsts: Vec<_> = blocks
            .iter()
            .map(|(key, _)| Key::decode(key).unwrap().first.0)
            .collect();
        assert_eq!(firsts, [1, 21, 41]);
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The expected bytes were computed from `docs/format.md` by another program.
    #[test]
    fn the_bytes_of_a_block_are_the_ones_described() {
        let log = LogId(std::array::from_fn(|index| u8::try_from(index).unwrap()));
        let mut blocks = Vec::new();
        for records in [vec![b"a".to_vec(), b"bc".to_vec()], vec![vec![0x5a; 4_090]]] {
            encode(log, Revision(258), &records, |key, block| {
                blocks.push((hex(&key), hex(&block)));
            });
        }
        let key = "02000102030405060708090a0b0c0d0e0f0000000000000102";
        assert_eq!(
            blocks[0],
            (format!("{key}0000"), "01441d6d1500016100026263".to_owned())
        );
        assert_eq!(blocks[1].0, format!("{key}0000"));
        assert!(
            blocks[1].1.starts_with("028eb1e00f000200000ffa5a5a"),
            "{}",
            blocks[1].1
        );
        assert_eq!(blocks[1].1.len(), 2 * BLOCK_BYTES_MAX);
        assert_eq!(
            blocks[2],
            (
                format!("{key}0001"),
                "02724217a6000200000ffa5a5a5a5a5a".to_owned()
            )
        );
    }

    #[test]
    fn keys_sort_by_log_then_revision_then_part() {
        let mut keys = vec![
            Key::new(LogId([1; 16]), Revision(256), 0),
            Key::new(LogId([1; 16]), Revision(1), 0),
            Key::new(LogId([1; 16]), Revision(1), 256),
            Key::new(LogId([0; 16]), Revision(u64::MAX), 1),
            Key::new(LogId([1; 16]), Revision(1), 2),
        ];
        keys.sort_by_key(|key| key.encode());
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn a_block_stored_under_another_key_is_damage() {
        let (key, block) = blocks_of(1, &[b"one".to_vec()]).remove(0);
        let key = Key::decode(&key).unwrap();
        assert!(decode(key, &block).is_ok());
        let elsewhere = Key::new(LOG, Revision(2), 0);
        assert!(matches!(decode(elsewhere, &block), Err(Flaw::Checksum { .. })));
    }

    #[test]
    fn missing_doubled_and_swapped_parts_are_named() {
        let whole = blocks_of(9, &[vec![4; 3 * PART_CONTENT_MAX]]);
        let flaw_of = |order: &[usize]| {
            let blocks: Vec<_> = order.iter().map(|index| whole[*index].clone()).collect();
            records_of(&blocks).unwrap_err()
        };
        assert_eq!(flaw_of(&[0, 1]), Flaw::PartMissing(2));
        assert_eq!(
            flaw_of(&[0, 2]),
            Flaw::PartOrder {
                expected: 1,
                found: 2
            }
        );
        assert_eq!(
            flaw_of(&[1, 2]),
            Flaw::PartOrder {
                expected: 0,
                found: 1
            }
        );
        assert_eq!(
            flaw_of(&[0, 0, 1, 2]),
            Flaw::PartOrder {
                expected: 1,
                found: 0
            }
        );
    }

    #[test]
    fn parts_of_different_commits_do_not_make_one() {
        let part = |length| Part {
            parts: 2,
            length,
            bytes: b"half",
        };
        let mut assembly = Assembly::begin(0, part(8)).unwrap();
        assert_eq!(assembly.add(1, part(9)), Err(Flaw::PartContradiction(1)));
        let mut short = Assembly::begin(0, part(9)).unwrap();
        short.add(1, part(9)).unwrap();
        assert_eq!(
            short.finish(),
            Err(Flaw::PartLength {
                expected: 9,
                found: 8
            })
        );
    }

    #[test]
    fn a_block_with_a_right_checksum_and_a_wrong_structure_is_refused() {
        let key = Key::new(LOG, Revision(1), 0);
        let check = |format: u8, content: &[u8], part: u16, flaw: Flaw| {
            let key = Key { part, ..key };
            let mut block = unsealed(format);
            block.extend_from_slice(content);
            assert_eq!(decode(key, &seal(&key.encode(), block)), Err(flaw));
        };
        check(FORMAT_COMMITS, &[], 0, Flaw::Empty);
        check(FORMAT_COMMITS, &[0, 9, 1], 0, Flaw::CutShort(8));
        check(FORMAT_COMMITS, &[0, 1, 1], 3, Flaw::WholeAsPart(3));
        check(FORMAT_PART, &[0, 2, 0, 0, 0], 0, Flaw::CutShort(10));
        check(FORMAT_PART, &[0, 2, 0, 0, 0, 9], 2, Flaw::PartContradiction(2));
        check(FORMAT_PART, &[0, 2, 0xff, 0, 0, 9], 0, Flaw::PartContradiction(0));
        check(0x77, &[], 0, Flaw::UnknownContent(0x77));
    }

    proptest! {
        #[test]
        fn any_records_come_back_byte_for_byte(
            first in 1_u64..1 << 60,
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9_000), 0..12),
        ) {
            prop_assert_eq!(records_of(&blocks_of(first, &records)).unwrap(), numbered(first, &records));
        }

        #[test]
        fn a_flipped_bit_anywhere_in_a_block_is_found(
            record in prop::collection::vec(any::<u8>(), 0..5_000),
            place in any::<prop::sample::Index>(),
            bit in 0..8,
        ) {
            let mut blocks = blocks_of(3, &[record]);
            let block = &mut blocks[0].1;
            let place = place.index(block.len());
            block[place] ^= 1_u8 << bit;
            let flaw = records_of(&blocks).unwrap_err();
            let is_checksum = matches!(flaw, Flaw::Checksum { .. });
            prop_assert!(is_checksum, "{flaw}");
        }

        #[test]
        fn random_bytes_never_panic_the_decoder(
            raw_key in prop::collection::vec(any::<u8>(), 0..40),
            format in 0_u8..5,
            content in prop::collection::vec(any::<u8>(), 0..64),
            part in 0_u16..4,
        ) {
            let _ = Key::decode(&raw_key);
            let key = Key::new(LOG, Revision(1), part);
            prop_assert!(decode(key, &content).is_err());
            // With a right checksum the structure is what is left to stumble over.
            let mut block = unsealed(format);
            block.extend_from_slice(&content);
            match decode(key, &seal(&key.encode(), block)) {
                Ok(Block::Commits { count, mut body }) => {
                    let mut records = 0;
                    while let Some((_, rest)) = split_record(body) {
                        (records, body) = (records + 1, rest);
                    }
                    prop_assert_eq!(records, count);
                }
                Ok(Block::Part(part)) => {
                    if let Ok(assembly) = Assembly::begin(key.part, part) {
                        let _ = assembly.finish();
                    }
                }
                Err(flaw) => prop_assert!(!flaw.to_string().is_empty()),
            }
        }
    }
}
