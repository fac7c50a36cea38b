//! The key that an auditor trusts, from a file or as text.

use std::path::Path;

use crate::cli::{Failure, FailureKind};
use crate::log::PublicKey;

/// Reads a key, or the file that it is in.
///
/// # Errors
/// There is no such file, or it holds no key.
pub(super) fn read(said: &str) -> Result<PublicKey, Failure> {
    let path = Path::new(said);
    let (text, place) = match path.exists() {
        true => {
            let bytes = std::fs::read(path).map_err(|error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("--public-key: {said} cannot be read: {error}"),
                )
            })?;
            // What is no text is no key either.
            (String::from_utf8_lossy(&bytes).into_owned(), format!("{said}: "))
        }
        false => (said.to_owned(), String::new()),
    };
    PublicKey::parse(&text).map_err(|flaw| {
        let sentence = match place.as_str() {
            "" => format!("--public-key: {flaw}, and no file of that name"),
            place => format!("--public-key: {place}{flaw}"),
        };
        Failure::new(FailureKind::Usage, sentence)
    })
}
