//! Ids of what is being created: the caller's, or else ones that the server makes.
//!
//! Of a request with a `request_id` the id follows from that, so that a retry names what the first one made.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::{Id, Violation};

/// The id that the caller chose, or else one of the server's: `prefix` and 12 characters of base32, which follow from
/// `request_id` if it is a UUID and are random otherwise.
///
/// # Errors
/// The caller's is no id.
pub(crate) fn chosen(field: &str, text: &str, prefix: char, request_id: &str) -> Result<Id, Violation> {
    if text.is_empty() {
        Id::parse(&made(prefix, request_id)).map_err(|invalid| invalid.at(field))
    } else {
        Id::parse(text).map_err(|invalid| invalid.at(field))
    }
}

/// The same for one of many in a request: those that the server makes differ.
///
/// # Errors
/// The caller's is no id.
pub(crate) fn chosen_at(
    field: &str,
    text: &str,
    prefix: char,
    request_id: &str,
    index: usize,
) -> Result<Id, Violation> {
    let own = Uuid::try_parse(request_id)
        .map(|request| Uuid::new_v5(&request, &index.to_be_bytes()).to_string())
        .unwrap_or_default();
    chosen(field, text, prefix, &own)
}

fn made(prefix: char, request_id: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    // Some bits of a UUID are its version or a clock; those of its hash are all alike.
    let uuid = Uuid::try_parse(request_id).unwrap_or_else(|_| Uuid::new_v4());
    let digest = Sha256::digest(uuid.as_bytes());
    std::iter::once(prefix)
        .chain(
            digest
                .iter()
                .take(12)
                .map(|byte| char::from(ALPHABET[usize::from(byte & 31)])),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42";

    fn of(text: &str, request_id: &str) -> Result<Id, Violation> {
        chosen("team_id", text, 't', request_id)
    }

    #[test]
    fn an_id_is_the_callers_or_else_random() {
        assert_eq!(of("sales", REQUEST), Ok(Id::parse("sales").unwrap()));
        assert_eq!(of("Sales", "").unwrap_err().field, "team_id");
        let (first, second) = (of("", "").unwrap(), of("", "").unwrap());
        assert_ne!(first, second);
        assert!(
            first.as_str().len() == 13 && first.as_str().starts_with('t'),
            "{first}"
        );
    }

    #[test]
    fn a_retry_is_given_the_id_of_the_first() {
        assert_eq!(of("", REQUEST), of("", &REQUEST.to_uppercase()));
        assert_ne!(of("", REQUEST), of("", "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f43"));
        let at = |index| chosen_at("team_id", "", 't', REQUEST, index).unwrap();
        assert_eq!(at(0), at(0));
        assert_ne!(at(0), at(1));
    }
}
