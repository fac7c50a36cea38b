//! What a record says of itself, read without the rest of it: enough to hold a long file against its order and its times.

use prost::Message;

use crate::domain::{Revision, Timestamp};
use crate::log::LogId;

/// Whose record it is, where it stands, and when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// The log that it belongs to.
    pub log: LogId,
    /// Its place there.
    pub revision: Revision,
    /// When it was recorded.
    pub recorded_time: Timestamp,
    /// The epoch of the log.
    pub epoch: u32,
}

/// The fields of `binnacle.event.v1.Commit` that are read; the others are skipped.
#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    log_id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    revision: u64,
    #[prost(sfixed64, tag = "3")]
    recorded_time_us: i64,
    #[prost(uint32, tag = "4")]
    epoch: u32,
}

impl RecordHead {
    /// Reads it; none: the bytes are no record.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        let Stored {
            log_id,
            revision,
            recorded_time_us,
            epoch,
        } = Stored::decode(record).ok()?;
        Some(Self {
            log: LogId(log_id.try_into().ok()?),
            revision: Revision(revision),
            recorded_time: Timestamp::from_micros(recorded_time_us),
            epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::given::given;
    use crate::log::codec;

    #[test]
    fn the_head_of_a_record_is_what_the_commit_says() {
        for commit in given([]).commits {
            let log = LogId([4; 16]);
            let head = RecordHead {
                log,
                revision: commit.revision,
                recorded_time: commit.recorded_time,
                epoch: commit.epoch,
            };
            assert_eq!(RecordHead::of(&codec::encode(log, &commit)), Some(head));
        }
        assert_eq!(RecordHead::of(b""), None, "it names no log");
    }

    proptest! {
        #[test]
        fn random_bytes_panic_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = RecordHead::of(&bytes);
        }
    }
}
