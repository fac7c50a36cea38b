//! The caller's or the server's name for one resource: `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`.

use std::borrow::Borrow;
use std::fmt;

use serde::Serialize;
use smol_str::SmolStr;

use super::Invalid;

/// The last part of a resource's name, 1 to 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(SmolStr);

impl Id {
    /// The longest id, in characters.
    pub const MAX_CHARS: usize = 63;

    /// Parses an id.
    ///
    /// # Errors
    /// It is not `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let valid = bytes.len() <= Self::MAX_CHARS
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.iter().all(inner)
            && bytes.last() != Some(&b'-');
        if valid {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(Invalid::new(format!(
                "{text:?} is not an id: use 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter and not ending with \"-\""
            )))
        }
    }

    /// The id that comes closest to a free text, for example a principal: other characters become "-".
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut slug = String::with_capacity(text.len());
        for c in text.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_lowercase() || (c.is_ascii_digit() && !slug.is_empty()) {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() == Self::MAX_CHARS {
                break;
            }
        }
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Orders before every id: where a range begins.
    pub(crate) fn lowest() -> Self {
        Self(SmolStr::default())
    }

    /// The member id of an owner whose principal gives none.
    pub(super) fn owner() -> Self {
        Self(SmolStr::new_static("owner"))
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_a_letter_and_does_not_end_with_a_hyphen() {
        for good in ["a", "win-brazil", "q3-2026", &"x".repeat(63)] {
            assert_eq!(Id::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "A", "9a", "-a", "a-", "a_b", "ä", &"x".repeat(64)] {
            assert!(Id::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_text_becomes_the_id_that_comes_closest() {
        let slug = |text: &str| Id::from_text(text).map(|id| id.to_string());
        assert_eq!(slug("Maria@Example.com").as_deref(), Some("maria-example-com"));
        assert_eq!(slug("spiffe://x/y ").as_deref(), Some("spiffe-x-y"));
        assert_eq!(slug("42"), None);
    }
}
