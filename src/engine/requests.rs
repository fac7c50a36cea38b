//! Which requests have run: what makes a retry safe, also after a crash.
//!
//! A request is known by its principal, method, workspace and id; the fingerprint tells a retry from another request.
//! Entries live for 24 hours and the newest million, whichever ends first, and are rebuilt from the log at start.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::domain::{Id, Origin, RequestKey, Revision, Timestamp};

/// How long and how many requests are remembered.
#[derive(Clone, Copy, Debug)]
pub struct RequestMemory {
    /// For how long, in seconds.
    pub age_max_s: i64,
    /// How many.
    pub count_max: usize,
}

/// The first 16 bytes of the SHA-256 of principal, method, workspace and id.
pub(super) type RequestDigest = [u8; 16];

/// What a known request did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The first 16 bytes of its fingerprint.
    pub(super) fingerprint: [u8; 16],
    pub(super) revision: Revision,
    pub(super) recorded_time: Timestamp,
}

pub(super) struct Requests {
    memory: RequestMemory,
    known: HashMap<RequestDigest, Known>,
    by_age: VecDeque<RequestDigest>,
    /// Whether something was ever forgotten.
    forgotten: bool,
}

impl Default for RequestMemory {
    fn default() -> Self {
        Self {
            age_max_s: 24 * 60 * 60,
            count_max: 1_000_000,
        }
    }
}

impl Requests {
    pub(super) fn new(memory: RequestMemory) -> Self {
        Self {
            memory,
            known: HashMap::new(),
            by_age: VecDeque::new(),
            forgotten: false,
        }
    }

    pub(super) fn get(&self, digest: &RequestDigest) -> Option<Known> {
        self.known.get(digest).copied()
    }

    /// Remembers a request. They come in the order of their recorded times.
    pub(super) fn remember(&mut self, digest: RequestDigest, known: Known) {
        if self.known.insert(digest, known).is_none() {
            self.by_age.push_back(digest);
        }
        let oldest_kept = known.recorded_time.plus_seconds(-self.memory.age_max_s);
        while let Some(oldest) = self.by_age.front() {
            let too_old = self
                .known
                .get(oldest)
                .is_none_or(|known| known.recorded_time < oldest_kept);
            if !too_old && self.by_age.len() <= self.memory.count_max {
                break;
            }
            self.known.remove(oldest);
            self.by_age.pop_front();
            self.forgotten = true;
        }
    }

    /// Whether a request that is not known may have run all the same: its UUIDv7 is older than what is remembered.
    pub(super) fn may_be_forgotten(&self, id: &[u8; 16]) -> bool {
        let oldest = self.by_age.front().and_then(|digest| self.known.get(digest));
        match (self.forgotten, made_at(id), oldest) {
            (true, Some(made), Some(oldest)) => made < oldest.recorded_time,
            _ => false,
        }
    }
}

/// What a request is known by.
pub(super) fn digest(origin: &Origin, request: &RequestKey, workspace: &Id) -> RequestDigest {
    let mut hash = Sha256::new();
    for part in [
        origin.actor.principal.as_bytes(),
        origin.method.as_bytes(),
        workspace.as_str().as_bytes(),
    ] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(request.id);
    first_half(&hash.finalize().into())
}

/// The first 16 of 32 bytes.
pub(super) fn first_half(bytes: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}

/// When a UUIDv7 was made (RFC 9562): its first 48 bits are milliseconds since 1970. Other UUIDs do not say.
fn made_at(id: &[u8; 16]) -> Option<Timestamp> {
    if id[6] >> 4 != 7 {
        return None;
    }
    let millis = id[..6]
        .iter()
        .fold(0i64, |millis, byte| millis << 8 | i64::from(*byte));
    Some(Timestamp::from_micros(millis.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(second: i64) -> Known {
        Known {
            fingerprint: [0; 16],
            revision: Revision(1),
            recorded_time: Timestamp::from_micros(second * 1_000_000),
        }
    }

    fn uuid_v7(second: i64) -> [u8; 16] {
        let millis = (second * 1000).to_be_bytes();
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis[2..]);
        id[6] = 0x70;
        id
    }

    #[test]
    fn requests_are_forgotten_by_age_and_by_number_and_an_old_uuid_v7_says_so() {
        let mut requests = Requests::new(RequestMemory {
            age_max_s: 100,
            count_max: 3,
        });
        for second in 1..=3 {
            requests.remember([second; 16], known(i64::from(second)));
        }
        assert!(
            !requests.may_be_forgotten(&uuid_v7(0)),
            "nothing was forgotten yet"
        );
        requests.remember([4; 16], known(4));
        assert!(requests.get(&[1; 16]).is_none() && requests.get(&[2; 16]).is_some());
        assert!(requests.may_be_forgotten(&uuid_v7(1)) && !requests.may_be_forgotten(&uuid_v7(2)));
        assert!(
            !requests.may_be_forgotten(&[0; 16]),
            "another version of UUID has no time"
        );
        requests.remember([5; 16], known(103));
        assert!(requests.get(&[2; 16]).is_none() && requests.get(&[3; 16]).is_some());
    }
}
