//! The disk that has the data directory: what is free on it.

use std::path::Path;

use super::{Finding, said};
use crate::engine::kept_free_bytes;

const ABOUT: &str = "disk";

/// Below this many free bytes a server is about to stop, whatever it keeps free.
const FREE_BYTES_NONE: u64 = 16 * 1024 * 1024;
/// Below this many free files it is time to do something, and below that many a server is about to stop.
const FREE_FILES_LOW: u64 = 1024;
const FREE_FILES_NONE: u64 = 16;

/// What is free.
pub(super) fn look(dir: &Path, free_bytes_min: Option<u64>) -> Option<Finding> {
    // Of one that is not there yet, the disk that it will be on.
    let there = dir.ancestors().find(|dir| dir.exists())?;
    let finding = match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
            // Some file systems have as many files as there is room for, and say 0 of 0.
            let files = (disk.f_files > 0).then_some(disk.f_favail);
            let total = disk.f_blocks.saturating_mul(disk.f_frsize);
            // Also where nothing is kept free a full disk is wrong: it stops the server.
            judge(
                bytes,
                kept_free_bytes(free_bytes_min, total).max(FREE_BYTES_NONE),
                files,
            )
        }
        Err(error) => Finding::warning(
            ABOUT,
            format!(
                "what is free where {} is cannot be found out: {error}",
                said(there)
            ),
            "look at it with df",
        ),
    };
    Some(finding)
}

fn judge(bytes: u64, kept: u64, files: Option<u64>) -> Finding {
    let free = match files {
        Some(files) => format!("{} and {files} files are free", in_words(bytes)),
        None => format!("{} are free", in_words(bytes)),
    };
    let todo = "make room or give the disk more: see \"Full disk\" in docs/operations.md";
    if bytes < kept {
        let is = format!("{free}, and a server keeps {}: it refuses writes", in_words(kept));
        Finding::wrong(ABOUT, is, todo)
    } else if files.is_some_and(|files| files < FREE_FILES_NONE) {
        Finding::wrong(ABOUT, free, todo)
    } else if bytes < kept.saturating_mul(2) || files.is_some_and(|files| files < FREE_FILES_LOW) {
        let is = format!("{free}, and below {} a server refuses writes", in_words(kept));
        Finding::warning(ABOUT, is, todo)
    } else {
        Finding::ok(ABOUT, free)
    }
}

/// Bytes as a person reads them, cut to a tenth.
fn in_words(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_disk_is_judged_by_its_bytes_and_by_its_files() {
        const GIB: u64 = 1 << 30;
        for (bytes, files, level) in [
            (2 * GIB, Some(1024), Level::Ok),
            (2 * GIB, None, Level::Ok),
            (2 * GIB - 1, None, Level::Warning),
            (2 * GIB, Some(1023), Level::Warning),
            (GIB - 1, Some(1024), Level::Wrong),
            (2 * GIB, Some(15), Level::Wrong),
        ] {
            assert_eq!(judge(bytes, GIB, files).level, level, "{bytes} {files:?}");
        }
        assert_eq!(in_words(1_610_612_736), "1.5 GiB");
        assert_eq!(in_words(1023), "1023 bytes");
    }
}
