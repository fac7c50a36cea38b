//! Whether there is room on the disk for what is written next. A disk that is full stops the server; one that is about to be
//! full only stops its writes, until there is room again.
//!
//! Invariant: so many bytes stay free as far as the engine is concerned, give or take what is written between two looks.

use std::time::{Duration, Instant};

use super::Refusal;
use crate::disk::DiskSpace;
use crate::log::EventLog;

/// The disk as it was seen last.
#[derive(Debug)]
pub(super) struct DiskRoom {
    /// How much has to stay free, in bytes; none: a part of the disk.
    free_bytes_min: Option<u64>,
    looked: Option<Instant>,
    lacks: Option<Lack>,
}

/// A disk that is about to be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lack {
    free_bytes: u64,
    free_bytes_min: u64,
}

/// How often the disk is looked at while there is something to write.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Where nobody has said how much has to stay free: such a part of the disk, but not more than so many bytes.
const PART_OF_DISK: u64 = 20;
const PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How long a refused caller is asked to wait: somebody has to make room.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How much is kept free on a disk of such a size, in bytes, where so much was asked for or nothing was said.
#[must_use]
pub fn kept_free_bytes(asked: Option<u64>, total_bytes: u64) -> u64 {
    asked.unwrap_or((total_bytes / PART_OF_DISK).min(PART_BYTES_MAX))
}

impl DiskRoom {
    pub(super) fn new(free_bytes_min: Option<u64>) -> Self {
        Self {
            free_bytes_min,
            looked: None,
            lacks: None,
        }
    }

    /// Looks at the disk of a log, if it has not just done so.
    ///
    /// # Errors
    /// There is too little room on it to record anything.
    pub(super) fn check(&mut self, log: &dyn EventLog) -> Result<(), Refusal> {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.looked = Some(Instant::now());
            self.see(log.disk());
        }
        match self.lacks {
            None => Ok(()),
            Some(Lack {
                free_bytes,
                free_bytes_min,
            }) => Err(Refusal::DiskLow {
                free_bytes,
                free_bytes_min,
                retry_after: RETRY_AFTER,
            }),
        }
    }

    fn see(&mut self, disk: Option<DiskSpace>) {
        let lacks = disk.and_then(|disk| self.lack_of(disk));
        match (self.lacks, lacks) {
            (
                None,
                Some(Lack {
                    free_bytes,
                    free_bytes_min,
                }),
            ) => tracing::error!(
                free_bytes,
                free_bytes_min,
                "the disk is about to be full: nothing is recorded until there is room"
            ),
            (Some(_), None) => tracing::info!("there is room on the disk again: changes are recorded"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.lacks = lacks;
    }

    fn lack_of(&self, disk: DiskSpace) -> Option<Lack> {
        let DiskSpace {
            free_bytes,
            total_bytes,
        } = disk;
        let free_bytes_min = kept_free_bytes(self.free_bytes_min, total_bytes);
        (free_bytes < free_bytes_min).then_some(Lack {
            free_bytes,
            free_bytes_min,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    fn lacks(free_bytes_min: Option<u64>, free_bytes: u64, total_bytes: u64) -> bool {
        let disk = DiskSpace {
            free_bytes,
            total_bytes,
        };
        DiskRoom::new(free_bytes_min).lack_of(disk).is_some()
    }

    #[test]
    fn a_twentieth_of_a_small_disk_stays_free_and_a_gibibyte_of_a_large_one() {
        assert!(lacks(None, GIB / 20 - 1, GIB) && !lacks(None, GIB / 20, GIB));
        assert!(lacks(None, GIB - 1, 1000 * GIB) && !lacks(None, GIB, 1000 * GIB));
        assert!(lacks(Some(7), 6, 1000 * GIB) && !lacks(Some(7), 7, 1000 * GIB));
        assert!(!lacks(Some(0), 0, GIB), "0: the disk may become full");
    }

    #[test]
    fn a_disk_that_cannot_be_asked_holds_nothing_up() {
        let mut room = DiskRoom::new(Some(u64::MAX));
        assert!(room.check(&crate::log::MemoryLog::new()).is_ok());
    }
}
