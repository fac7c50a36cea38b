//! Pages of a list after AIP-158: how many, from where on, and at which revision.
//!
//! A token is opaque: version, seal, pinned revision, last key, as base64url. The seal is a hash over all of it and over
//! the request's other parameters, so that a token works for the list it came from and for no other. It is no secret and
//! no permission: whoever reads a page is checked anew. What a key means only the list knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::domain::{Invalid, Revision, Violation};

/// How many a page has unless somebody says otherwise.
const SIZE_DEFAULT: usize = 50;

/// The largest page.
const SIZE_MAX: usize = 1000;

/// What the elements of one page may take, in bytes: with it any page fits into one message.
pub(crate) const BYTES_MAX: usize = 2 * 1024 * 1024;

/// The longest token, in characters: two whole names of resources are far shorter.
const TOKEN_CHARS_MAX: usize = 4096;

const VERSION: u8 = 1;
const SEAL_BYTES: usize = 12;
const REVISION_BYTES: usize = 8;

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// The revision that all pages of the list show.
    pub revision: Revision,
    /// The key of the last element of the page before.
    pub last_key: String,
}

/// The parameters of a list that its token is bound to, in one order: the call, the parent, every filter. Not the page
/// size, which may change from page to page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a>(pub &'a [&'a str]);

/// How many elements a page has: 0 is 50, and more than 1,000 are 1,000.
///
/// # Errors
/// It is negative.
pub(crate) fn page_size(number: i32) -> Result<usize, Violation> {
    match usize::try_from(number) {
        Ok(0) => Ok(SIZE_DEFAULT),
        Ok(size) => Ok(size.min(SIZE_MAX)),
        Err(_) => Err(Invalid::new(format!("{number} is negative: send 0 to {SIZE_MAX}")).at("page_size")),
    }
}

/// How many elements of these sizes fit into one page: the first always does.
#[must_use]
pub(crate) fn fitting(sizes_bytes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let fit = sizes_bytes.take_while(|size| {
        bytes += size;
        bytes <= BYTES_MAX
    });
    fit.count().max(1)
}

/// The revision that an answer must have reached; 0: any.
///
/// # Errors
/// It is negative.
pub(crate) fn min_revision(number: i64) -> Result<Revision, Violation> {
    u64::try_from(number).map(Revision).map_err(|_| {
        Invalid::new(format!(
            "{number} is negative: send a revision that a call answered, or 0"
        ))
        .at("min_revision")
    })
}

/// Writes a token.
#[must_use]
pub(crate) fn write(token: &PageToken, binding: Binding<'_>) -> String {
    let PageToken { revision, last_key } = token;
    let revision = revision.0.to_be_bytes();
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&seal(binding, &revision, last_key.as_bytes()));
    bytes.extend_from_slice(&revision);
    bytes.extend_from_slice(last_key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token; empty: none, the list begins.
///
/// # Errors
/// It is garbage, or of another list.
pub(crate) fn read(text: &str, binding: Binding<'_>) -> Result<Option<PageToken>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    sealed(text, binding).map(Some).ok_or_else(|| {
        Invalid::new(
            "it is no token of this list: start again without a token, and keep the other parameters",
        )
        .at("page_token")
    })
}

fn sealed(text: &str, binding: Binding<'_>) -> Option<PageToken> {
    if text.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&[VERSION], rest) = bytes.split_first_chunk::<1>()? else {
        return None;
    };
    let (found, rest) = rest.split_first_chunk::<SEAL_BYTES>()?;
    let (revision, key) = rest.split_first_chunk::<REVISION_BYTES>()?;
    (*found == seal(binding, revision, key)).then_some(())?;
    Some(PageToken {
        revision: Revision(u64::from_be_bytes(*revision)),
        last_key: String::from_utf8(key.to_vec()).ok()?,
    })
}

fn seal(binding: Binding<'_>, revision: &[u8; REVISION_BYTES], key: &[u8]) -> [u8; SEAL_BYTES] {
    let mut hash = Sha256::new();
    let parts = binding.0.iter().map(|part| part.as_bytes());
    for part in parts.chain([&revision[..], key]) {
        // The length in front keeps ("a", "bc") and ("ab", "c") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&hash.finalize()[..SEAL_BYTES]);
    seal
}

/// What is left of the bytes of one message.
#[derive(Default)]
pub(crate) struct Room {
    bytes: usize,
    exceeded: bool,
}

impl Room {
    /// As many of these as there is room for.
    pub(crate) fn fill<T: Message>(&mut self, items: impl Iterator<Item = T>) -> Vec<T> {
        let fit = items.take_while(|item| {
            self.bytes += item.encoded_len();
            self.exceeded |= self.bytes > BYTES_MAX;
            !self.exceeded
        });
        fit.collect()
    }

    /// Whether there was more than fits.
    #[must_use]
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BINDING: Binding<'_> = Binding(&["ListKpis", "workspaces/acme"]);

    fn token() -> PageToken {
        PageToken {
            revision: Revision(42),
            last_key: "kpis/nps".to_owned(),
        }
    }

    #[test]
    fn a_page_size_has_a_default_and_an_end() {
        for (number, size) in [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (i32::MAX, 1000)] {
            assert_eq!(page_size(number), Ok(size));
        }
        assert_eq!(page_size(-1).unwrap_err().field, "page_size");
        assert_eq!(min_revision(7), Ok(Revision(7)));
        assert_eq!(min_revision(-1).unwrap_err().field, "min_revision");
    }

    #[test]
    fn a_page_ends_where_its_bytes_end_and_is_never_empty() {
        assert_eq!(fitting([BYTES_MAX / 2, BYTES_MAX / 2, 1].into_iter()), 2);
        assert_eq!(fitting([BYTES_MAX + 1, 1].into_iter()), 1);
        assert_eq!(fitting([1, 2, 3].into_iter()), 3);
    }

    #[test]
    fn a_token_works_for_the_list_it_came_from_alone() {
        let text = write(&token(), BINDING);
        assert_eq!(read(&text, BINDING), Ok(Some(token())));
        assert_eq!(read("", BINDING), Ok(None));
        for other in [
            &["ListKpis", "workspaces/other"][..],
            &["ListKpisworkspaces/acme"],
            &["ListKpis", "workspaces/acme", ""],
            &[],
        ] {
            let refused = read(&text, Binding(other)).unwrap_err();
            assert_eq!(refused.field, "page_token", "{other:?}");
            assert!(refused.sentence.contains("start again without a token"));
        }
    }

    #[test]
    fn a_token_that_was_changed_or_cut_is_refused() {
        let bytes = URL_SAFE_NO_PAD.decode(write(&token(), BINDING)).unwrap();
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(read(&cut, BINDING).is_ok(), length == 0, "{length} bytes");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                read(&URL_SAFE_NO_PAD.encode(&changed), BINDING).is_err(),
                "byte {at}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_tokens(text in "\\PC{1,60}", bytes in prop::collection::vec(any::<u8>(), 1..80)) {
            prop_assert!(read(&text, BINDING).is_err());
            prop_assert!(read(&URL_SAFE_NO_PAD.encode(bytes), BINDING).is_err());
        }

        #[test]
        fn every_key_comes_back(last_key in "\\PC{0,40}", revision: u64) {
            let token = PageToken { revision: Revision(revision), last_key };
            prop_assert_eq!(read(&write(&token, BINDING), BINDING), Ok(Some(token)));
        }
    }
}
