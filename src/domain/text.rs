//! Bounded texts: a title, a longer text, labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Invalid;

/// What people call a thing: 1 to 200 characters, not only white space, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Title(Arc<str>);

/// A longer text: 0 to 10,000 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(Arc<str>);

/// Labels: at most 64, keys 1 to 63 characters, values 0 to 63.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<Box<str>, Box<str>>);

impl Title {
    /// What a thing is called until it has a title.
    pub(super) fn untitled() -> Self {
        Self(Arc::from("untitled"))
    }

    /// The longest title, in characters.
    pub const MAX_CHARS: usize = 200;

    /// Parses a title.
    ///
    /// # Errors
    /// It is empty or blank, too long, or has control characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Err(Invalid::new("it is empty: write 1 to 200 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "it has control characters: write plain text in one line",
            ));
        }
        bounded(text, Self::MAX_CHARS).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text {
    /// No text.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::from(""))
    }

    /// The longest text, in characters.
    pub const MAX_CHARS: usize = 10_000;

    /// Parses a text.
    ///
    /// # Errors
    /// It is too long.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        bounded(text, Self::MAX_CHARS).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Labels {
    /// Parses labels.
    ///
    /// # Errors
    /// There are more than 64, a key is empty, or a key or a value is over 63 characters.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Invalid> {
        let labels: BTreeMap<Box<str>, Box<str>> = pairs
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        if labels.len() > 64 {
            return Err(Invalid::new(format!(
                "there are {} labels: 64 at most",
                labels.len()
            )));
        }
        for (key, value) in &labels {
            if key.is_empty() || key.chars().count() > 63 || value.chars().count() > 63 {
                return Err(Invalid::new(format!(
                    "the label {key:?} is out of bounds: keys have 1 to 63 characters, values at most 63"
                )));
            }
        }
        Ok(Self(labels))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| &**value)
    }

    /// The pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

fn bounded(text: &str, chars_max: usize) -> Result<Arc<str>, Invalid> {
    // A text has at least as many bytes as characters, so most are never counted.
    if text.len() > chars_max && text.chars().count() > chars_max {
        return Err(Invalid::new(format!(
            "it has {} characters: {chars_max} at most",
            text.chars().count()
        )));
    }
    Ok(Arc::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_counts_characters_not_bytes() {
        assert!(Title::parse(&"ä".repeat(200)).is_ok());
        assert!(Title::parse(&"ä".repeat(201)).is_err());
        for bad in ["", "  ", "a\nb"] {
            assert!(Title::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_text_may_be_empty_and_has_an_end() {
        assert!(Text::parse("").is_ok_and(|text| text.is_empty()));
        assert!(Text::parse(&"x".repeat(10_000)).is_ok());
        assert!(Text::parse(&"x".repeat(10_001)).is_err());
    }

    #[test]
    fn labels_have_bounds() {
        assert!(Labels::parse([("region", "south"), ("tier", "")]).is_ok());
        assert!(Labels::parse([("", "x")]).is_err());
        assert!(Labels::parse([("k", "x".repeat(64).as_str())]).is_err());
        let many: Vec<String> = (0..65).map(|i| format!("k{i}")).collect();
        assert!(Labels::parse(many.iter().map(|k| (k.as_str(), ""))).is_err());
    }
}
