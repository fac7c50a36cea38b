//! Resume tokens: opaque to the client, versioned, and bound to the log and to the subscription they came from.
//!
//! Bytes of version 1, then base64url without padding: version (1), log id (16), revision (8, big-endian), the tree's
//! root at that revision (32), the first 8 bytes of the SHA-256 of the filter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Revision;
use crate::log::{LogId, Root};

/// A place in one subscription's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResumeToken {
    pub(super) log: LogId,
    pub(super) revision: Revision,
    pub(super) root: Root,
    pub(super) filter: FilterHash,
}

/// The first 8 bytes of the SHA-256 of a subscription's filter.
pub(super) type FilterHash = [u8; 8];

const VERSION: u8 = 1;
const BYTES: usize = 1 + 16 + 8 + 32 + 8;

impl ResumeToken {
    pub(super) fn encode(&self) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..17].copy_from_slice(&self.log.0);
        bytes[17..25].copy_from_slice(&self.revision.0.to_be_bytes());
        bytes[25..57].copy_from_slice(&self.root.0);
        bytes[57..].copy_from_slice(&self.filter);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; none if it is not one of this server's.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (version, rest) = bytes.split_first()?;
        let (log, rest) = rest.split_first_chunk::<16>()?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let (filter, _) = rest.split_first_chunk::<8>()?;
        (*version == VERSION).then(|| Self {
            log: LogId(*log),
            revision: Revision(u64::from_be_bytes(*revision)),
            root: Root(*root),
            filter: *filter,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_of_this_release_is_read_for_ever() {
        // Golden: never edited.
        let golden =
            "AQEBAQEBAQEBAQEBAQEBAQEAAAAAAAAABwICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAwMDAwMDAwM";
        let token = ResumeToken {
            log: LogId([1; 16]),
            revision: Revision(7),
            root: Root([2; 32]),
            filter: [3; 8],
        };
        assert_eq!(token.encode(), golden);
        assert_eq!(ResumeToken::decode(golden), Some(token));
    }

    proptest! {
        #[test]
        fn nothing_that_is_no_token_is_taken_for_one(text in ".{0,200}") {
            if let Some(token) = ResumeToken::decode(&text) {
                prop_assert_eq!(token.encode(), text);
            }
        }
    }
}
