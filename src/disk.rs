//! How much room there is on the disk that has a directory.

use std::io;
use std::path::Path;

/// A disk as an ordinary user may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// How many bytes are free.
    pub free_bytes: u64,
    /// How many bytes it has.
    pub total_bytes: u64,
}

impl DiskSpace {
    /// Of the disk that has a file or a directory.
    ///
    /// # Errors
    /// There is none, or the operating system does not say.
    pub fn at(path: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(path)?;
        Ok(Self {
            free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
            total_bytes: disk.f_blocks.saturating_mul(disk.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_at_least_what_is_free_on_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = DiskSpace::at(directory.path()).expect("a disk");
        assert!(
            disk.free_bytes > 0 && disk.free_bytes <= disk.total_bytes,
            "{disk:?}"
        );
        assert!(DiskSpace::at(&directory.path().join("none")).is_err());
    }
}
