//! The bytes of one entry, and of the head of a segment. `docs/format.md` describes them for a stranger.
//!
//! Invariant: what `read` answers was written as it is. An entry begins with a byte that no UTF-8 text has, so that no text
//! inside of one can be taken for another.

use super::attempt::{Attempt, CHARS_MAX, TEXTS, Texts};
use crate::domain::Timestamp;

/// One attempt, and its place among all that were ever kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// 1, 2, 3, …; what was lost leaves a gap.
    pub sequence: u64,
    /// The attempt.
    pub attempt: Attempt,
}

/// What a segment begins with.
pub(super) const HEAD_BYTES: usize = 16;
/// The longest entry, in bytes.
pub(super) const BYTES_MAX: usize = PREFIX_BYTES + FIXED_BYTES + texts_bytes_max();

const MAGIC: [u8; 8] = *b"BINACCES";
const VERSION: u32 = 1;
const MARK: [u8; 4] = *b"\xffATT";
/// Mark, length and checksum.
const PREFIX_BYTES: usize = 12;
/// Sequence, time and the number of texts.
const FIXED_BYTES: usize = 17;

/// Why the head of a segment is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHead {
    /// It is damaged, or there is none.
    Damaged,
    /// Another release wrote it, in a way that this one does not read.
    Unknown,
}

/// A character takes four bytes at most, and every text has its length before it.
const fn texts_bytes_max() -> usize {
    let mut bytes = 0;
    let mut index = 0;
    while index < TEXTS {
        bytes += 2 + 4 * CHARS_MAX[index];
        index += 1;
    }
    bytes
}

/// What a segment begins with.
pub(super) fn head() -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_be_bytes());
    let checksum = crc32c::crc32c(&head[..12]);
    head[12..].copy_from_slice(&checksum.to_be_bytes());
    head
}

/// Whether a segment begins as it should.
pub(super) fn check_head(segment: &[u8]) -> Result<(), BadHead> {
    let found = segment.first_chunk::<HEAD_BYTES>().ok_or(BadHead::Damaged)?;
    let is_sealed = crc32c::crc32c(&found[..12]).to_be_bytes() == found[12..];
    if !found.starts_with(&MAGIC) || !is_sealed {
        return Err(BadHead::Damaged);
    }
    if *found != head() {
        return Err(BadHead::Unknown);
    }
    Ok(())
}

/// Writes an attempt, which was cut, behind what is in `out`.
pub(super) fn write(out: &mut Vec<u8>, sequence: u64, attempt: &Attempt) {
    let begin = out.len();
    out.extend_from_slice(&MARK);
    // Length and checksum, which are known at the end.
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&attempt.time.as_micros().to_be_bytes());
    let texts = attempt.texts.in_order();
    out.push(u8::try_from(texts.len()).unwrap_or(u8::MAX));
    for text in texts {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
    }
    let length = u32::try_from(out.len() - begin - PREFIX_BYTES).unwrap_or(u32::MAX);
    out[begin + 4..begin + 8].copy_from_slice(&length.to_be_bytes());
    let checksum = checksum(length, &out[begin + PREFIX_BYTES..]);
    out[begin + 8..begin + 12].copy_from_slice(&checksum.to_be_bytes());
}

/// The entry that `bytes` begin with, and how long it is; none: they begin with no entry that can be believed.
pub(super) fn read(bytes: &[u8]) -> Option<(Kept, usize)> {
    let rest = bytes.strip_prefix(&MARK)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (found, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length);
    let size = usize::try_from(length).ok()?;
    if size > BYTES_MAX - PREFIX_BYTES {
        return None;
    }
    let content = rest.get(..size)?;
    if checksum(length, content) != u32::from_be_bytes(*found) {
        return None;
    }
    Some((read_content(content)?, PREFIX_BYTES + size))
}

/// Where the next entry may begin, behind the first byte.
pub(super) fn next_mark(bytes: &[u8]) -> Option<usize> {
    let places = bytes.windows(MARK.len()).skip(1);
    places
        .zip(1..)
        .find(|(window, _)| **window == MARK)
        .map(|(_, at)| at)
}

fn checksum(length: u32, content: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_be_bytes()), content)
}

fn read_content(content: &[u8]) -> Option<Kept> {
    let (sequence, rest) = content.split_first_chunk::<8>()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (&count, mut rest) = rest.split_first()?;
    let mut texts = Texts::default();
    // A later release may write more texts, which are left where they are.
    for text in texts.in_order_mut().into_iter().take(usize::from(count)) {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (bytes, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        std::str::from_utf8(bytes).ok()?.clone_into(text);
        rest = behind;
    }
    Some(Kept {
        sequence: u64::from_be_bytes(*sequence),
        attempt: Attempt {
            time: Timestamp::from_micros(i64::from_be_bytes(*time)),
            texts,
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempt(text: &str) -> Attempt {
        let mut texts = Texts::default();
        for (place, number) in texts.in_order_mut().into_iter().zip(1..) {
            *place = format!("{text}{number}");
        }
        Attempt {
            time: Timestamp::from_micros(1_767_268_800_000_001),
            texts,
        }
    }

    fn written(sequence: u64, attempt: &Attempt) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, sequence, attempt);
        bytes
    }

    /// The expected bytes were put together by hand from `docs/format.md`, their checksums by another program.
    #[test]
    fn the_bytes_are_the_ones_described() {
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        assert_eq!(hex(&head()), "42494e414343455300000001d9dd283a");
        let mut attempt = attempt("");
        attempt.texts = Texts {
            principal: "maria".to_owned(),
            peer: "é".to_owned(),
            ..Texts::default()
        };
        let expected = format!(
            "ff415454{}{}0000000000000102{}0c00056d61726961{}0002c3a9",
            "00000030",
            "1e3a6be8",
            "00064752550bf001",
            "0000".repeat(10)
        );
        assert_eq!(hex(&written(258, &attempt)), expected);
    }

    #[test]
    fn the_longest_attempt_has_an_entry_of_the_longest_length() {
        let mut longest = attempt("");
        for text in longest.texts.in_order_mut() {
            *text = "🚀".repeat(1000);
        }
        let bytes = written(u64::MAX, &longest.clone().cut());
        assert_eq!(bytes.len(), BYTES_MAX);
        assert_eq!(read(&bytes).map(|(kept, _)| kept.attempt), Some(longest.cut()));
    }

    #[test]
    fn a_flipped_bit_anywhere_in_an_entry_is_found() {
        let bytes = written(7, &attempt("x"));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(read(&flipped), None, "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_entry_with_more_texts_than_are_known_is_read() {
        let mut bytes = written(7, &attempt("x"));
        bytes[PREFIX_BYTES + 16] += 1;
        bytes.extend_from_slice(b"\x00\x03new");
        let length = u32::try_from(bytes.len() - PREFIX_BYTES).unwrap();
        bytes[4..8].copy_from_slice(&length.to_be_bytes());
        let checksum = checksum(length, &bytes[PREFIX_BYTES..]);
        bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
        let (kept, size) = read(&bytes).expect("an entry");
        assert_eq!((kept.attempt, size), (attempt("x"), bytes.len()));
    }

    #[test]
    fn a_head_of_another_version_is_no_damage() {
        let mut other = head();
        other[11] = 2;
        let checksum = crc32c::crc32c(&other[..12]);
        other[12..].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(check_head(&other), Err(BadHead::Unknown));
        assert_eq!(check_head(&head()), Ok(()));
        assert_eq!(check_head(&head()[..15]), Err(BadHead::Damaged));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reading_panic_and_none_are_believed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(read(&bytes), None);
            let marked = [&MARK[..], &bytes].concat();
            prop_assert_eq!(read(&marked), None);
            // With a checksum that is right, so that the content is read.
            let length = u32::try_from(bytes.len()).unwrap();
            let sealed = [&MARK[..], &length.to_be_bytes(), &checksum(length, &bytes).to_be_bytes(), &bytes].concat();
            let _read = read(&sealed);
        }

        #[test]
        fn every_attempt_comes_back(
            texts in prop::collection::vec("\\PC{0,600}", TEXTS),
            micros in -1_000_000_000_000_i64..4_000_000_000_000_000,
            sequence: u64,
        ) {
            let mut attempt = attempt("");
            attempt.time = Timestamp::from_micros(micros);
            for (place, text) in attempt.texts.in_order_mut().into_iter().zip(texts) {
                *place = text;
            }
            let attempt = attempt.cut();
            let bytes = written(sequence, &attempt);
            prop_assert!(bytes.len() <= BYTES_MAX);
            prop_assert_eq!(read(&bytes), Some((Kept { sequence, attempt }, bytes.len())));
        }
    }
}
