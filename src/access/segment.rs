//! One segment: a file of entries, one behind the other, and what can be believed in it.
//!
//! Invariant: nothing is believed whose checksum is wrong or whose number does not ascend; behind damage the reading goes on at
//! the next mark.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::entry::{self, BadHead, HEAD_BYTES, Kept};
use crate::domain::Timestamp;

/// What is known of a segment without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number of its first entry, which names its file.
    pub(super) first: u64,
    /// How much of its file is to be read, in bytes.
    pub(super) bytes: u64,
    /// When its first entry was refused; none: it has none that can be believed.
    pub(super) oldest: Option<Timestamp>,
}

/// What a segment's bytes hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The entries that can be believed, in ascending order.
    pub(super) entries: Vec<Kept>,
    /// How many stretches between them cannot.
    pub(super) damaged: u64,
    /// The end of the last entry, or of the head.
    pub(super) end: usize,
}

/// No segment is longer, in bytes: it is read as a whole.
pub(super) const BYTES_MAX: u64 = 2 * 1024 * 1024;

const SUFFIX: &str = ".attempts";
/// As many as a `u64` may have, so that names sort as numbers do.
const DIGITS: usize = 20;

impl Segment {
    /// Its file.
    pub(super) fn path(&self, dir: &Path) -> PathBuf {
        path(dir, self.first)
    }

    /// Its bytes, as far as they were written when it was looked up.
    pub(super) fn read(&self, dir: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.path(dir))?;
        file.take(self.bytes.min(BYTES_MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The file of the segment that begins with a number.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:0DIGITS$}{SUFFIX}"))
}

/// The number that a file's name says; none: it is no segment.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_ours = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    // So near to the end of numbers there is no room for what comes behind it.
    digits
        .parse()
        .ok()
        .filter(|first| is_ours && (1..u64::MAX / 2).contains(first))
}

impl Found {
    /// # Errors
    /// The head cannot be believed, and so nothing behind it.
    pub(super) fn within(bytes: &[u8], first: u64) -> Result<Self, BadHead> {
        entry::check_head(bytes)?;
        let mut found = Self {
            end: HEAD_BYTES,
            ..Self::default()
        };
        let (mut at, mut next, mut is_lost) = (HEAD_BYTES, first, false);
        while at < bytes.len() {
            let rest = &bytes[at..];
            let read = entry::read(rest).filter(|(kept, _)| (next..u64::MAX / 2).contains(&kept.sequence));
            match read {
                Some((kept, size)) => {
                    at += size;
                    next = kept.sequence + 1;
                    found.end = at;
                    found.damaged += u64::from(std::mem::take(&mut is_lost));
                    found.entries.push(kept);
                }
                None => {
                    is_lost = true;
                    at += entry::next_mark(rest).unwrap_or(rest.len());
                }
            }
        }
        found.damaged += u64::from(is_lost);
        Ok(found)
    }
}
