//! Etags as the API writes them: `r` and the revision of the last change to a resource's own fields.

use crate::domain::{Etag, Revision};

/// Reads an etag; empty: any version will do, garbage: one that no resource has.
#[must_use]
pub(crate) fn read(text: &str) -> Etag {
    if text.is_empty() {
        return Etag::Any;
    }
    match text.strip_prefix('r').map(str::parse) {
        Some(Ok(revision)) if write(Revision(revision)) == text => Etag::Exactly(Revision(revision)),
        _ => Etag::Unknown,
    }
}

/// Writes the etag of a resource that was last changed at a revision.
#[must_use]
pub(crate) fn write(revision: Revision) -> String {
    format!("r{revision}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_read_as_it_was_written() {
        assert_eq!(read(&write(Revision(42))), Etag::Exactly(Revision(42)));
        assert_eq!(read(""), Etag::Any);
        for bad in [
            "42",
            "r",
            "r-1",
            "r+1",
            "r042",
            "R42",
            "r42 ",
            "\"r42\"",
            "r99999999999999999999",
        ] {
            assert_eq!(read(bad), Etag::Unknown, "{bad:?}");
        }
    }
}
