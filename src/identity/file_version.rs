//! What tells one state of a file from another, without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The state of a file; the default is that of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileVersion {
    inode: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
    bytes: u64,
}

impl FileVersion {
    /// Of a file whose metadata is known.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            bytes: metadata.len(),
        }
    }

    /// Of what is at a path now.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        std::fs::metadata(path).map_or_else(|_| Self::default(), |metadata| Self::of(&metadata))
    }
}
