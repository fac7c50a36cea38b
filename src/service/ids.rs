//! Ids of what is being created: the caller's, or else random ones.

use uuid::Uuid;

use crate::domain::{Id, Violation};

/// The id that the caller chose, or else a random one: `prefix` and 12 characters of base32.
///
/// # Errors
/// The caller's is no id.
pub(crate) fn chosen(field: &str, text: &str, prefix: char) -> Result<Id, Violation> {
    if text.is_empty() {
        Id::parse(&random(prefix)).map_err(|invalid| invalid.at(field))
    } else {
        Id::parse(text).map_err(|invalid| invalid.at(field))
    }
}

fn random(prefix: char) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    // Bytes 6 and 8 of a version 4 UUID hold its version and variant; the lower five bits of the others are random.
    let bytes = Uuid::new_v4().into_bytes();
    let random = bytes[..6].iter().chain(&bytes[9..15]);
    std::iter::once(prefix)
        .chain(random.map(|byte| char::from(ALPHABET[usize::from(byte & 31)])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_callers_or_else_random() {
        assert_eq!(chosen("team_id", "sales", 't'), Ok(Id::parse("sales").unwrap()));
        assert_eq!(chosen("team_id", "Sales", 't').unwrap_err().field, "team_id");
        let (first, second) = (
            chosen("team_id", "", 't').unwrap(),
            chosen("team_id", "", 't').unwrap(),
        );
        assert_ne!(first, second);
        assert!(
            first.as_str().len() == 13 && first.as_str().starts_with('t'),
            "{first}"
        );
    }
}
