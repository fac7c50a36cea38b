//! Reading the ring, newest first, one segment at a time.

use std::io::ErrorKind;
use std::path::Path;

use super::attempt::Attempt;
use super::entry::Kept;
use super::segment::{Found, Segment};

/// Some attempts, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// They.
    pub kept: Vec<Kept>,
    /// Where the reading ended before the oldest was reached: what is left comes before this number.
    pub before: Option<u64>,
}

/// So much is read for one page, in bytes; a filter that finds nothing in it gives an empty page that is not the last.
const READ_BYTES_MAX: u64 = 32 * 1024 * 1024;

impl Page {
    /// At most so many of those that are `wanted` and come before a number.
    pub(super) fn read(
        dir: &Path,
        segments: &[Segment],
        before: u64,
        count_max: usize,
        wanted: impl Fn(&Attempt) -> bool,
    ) -> Self {
        let (mut page, mut before, mut bytes_read) = (Self::default(), before, 0);
        for segment in segments.iter().rev() {
            if segment.first >= before {
                continue;
            }
            if bytes_read >= READ_BYTES_MAX {
                page.before = Some(before);
                break;
            }
            bytes_read += segment.bytes;
            for kept in entries_of(dir, segment).into_iter().rev() {
                if kept.sequence >= before {
                    continue;
                }
                if page.kept.len() == count_max {
                    page.before = Some(before);
                    return page;
                }
                before = kept.sequence;
                if wanted(&kept.attempt) {
                    page.kept.push(kept);
                }
            }
            before = before.min(segment.first);
        }
        page
    }
}

/// None, where they cannot be read: what is damaged was said at the start, and what is gone was the oldest.
fn entries_of(dir: &Path, segment: &Segment) -> Vec<Kept> {
    match segment.read(dir) {
        Ok(bytes) => Found::within(&bytes, segment.first).map_or(Vec::new(), |found| found.entries),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                let file = segment.path(dir);
                tracing::warn!(file = %file.display(), cause = %error, "a part of the access record cannot be read");
            }
            Vec::new()
        }
    }
}
