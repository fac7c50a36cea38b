//! The store's own record: which format the store is written in, and which readers can read it.
//!
//! Invariant: a store that this release does not understand is refused by name before anything else in it is read.
//!
//! What it does not know: anything about the logs in the store.

use super::block::{FORMAT_META, Flaw, KIND_META, seal, unseal, unsealed};
use super::{LogError, LogErrorKind};

/// The key of the one record that says how the store is written.
pub(super) const META_KEY: [u8; 1] = [KIND_META];

/// The store format this release writes.
const STORE_FORMAT: u32 = 1;
/// The oldest reader that understands what this release writes, and the newest this release is.
const READER_VERSION: u32 = 1;

/// The record that this release writes under [`META_KEY`].
pub(super) fn encode_meta() -> Vec<u8> {
    meta(STORE_FORMAT, READER_VERSION)
}

/// Checks that the record under [`META_KEY`] describes a store this release reads.
///
/// # Errors
/// `Damaged` when the record is not whole, `UnknownFormat` when it asks for a newer reader.
pub(super) fn check_meta(meta: &[u8]) -> Result<(), LogError> {
    let (format, content) = unseal(&META_KEY, meta).map_err(|flaw| damaged(&flaw))?;
    if format != FORMAT_META {
        return Err(unknown(&format!(
            "a format whose own record has the unknown form {format}"
        )));
    }
    let versions = || {
        let (store, rest) = content.split_first_chunk::<4>()?;
        let (reader, _) = rest.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*store), u32::from_be_bytes(*reader)))
    };
    let (store, reader) = versions().ok_or_else(|| damaged(&Flaw::CutShort(meta.len())))?;
    if reader > READER_VERSION || store == 0 {
        return Err(unknown(&format!(
            "store format {store}, which needs reader version {reader}"
        )));
    }
    Ok(())
}

fn meta(store: u32, reader: u32) -> Vec<u8> {
    let mut meta = unsealed(FORMAT_META);
    meta.extend_from_slice(&store.to_be_bytes());
    meta.extend_from_slice(&reader.to_be_bytes());
    seal(&META_KEY, meta)
}

fn damaged(flaw: &Flaw) -> LogError {
    LogError::new(
        LogErrorKind::Damaged,
        format!("the store's format record is damaged: {flaw}; restore the newest backup"),
    )
}

fn unknown(what: &str) -> LogError {
    LogError::new(
        LogErrorKind::UnknownFormat,
        format!(
            "the store is written in {what}; this release has reader version {READER_VERSION}: \
             start the release that wrote the store, or a newer one"
        ),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a release of the future may have written.
    pub(in crate::log) fn future_meta(store: u32, reader: u32) -> Vec<u8> {
        meta(store, reader)
    }

    /// The expected bytes were computed from `docs/format.md` by another program.
    #[test]
    fn the_bytes_of_the_format_record_are_the_ones_described() {
        let expected = [0x03, 0xfb, 0x5e, 0x6b, 0x48, 0, 0, 0, 1, 0, 0, 0, 1];
        assert_eq!(encode_meta(), expected);
    }

    #[test]
    fn this_release_reads_what_it_writes() {
        assert!(check_meta(&encode_meta()).is_ok());
    }

    #[test]
    fn a_newer_store_that_still_suits_this_reader_is_read() {
        assert!(check_meta(&meta(STORE_FORMAT + 1, READER_VERSION)).is_ok());
    }

    #[test]
    fn a_store_that_needs_a_newer_reader_is_refused_by_name() {
        let error = check_meta(&meta(8, 7)).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::UnknownFormat);
        assert!(
            error
                .context
                .contains("store format 8, which needs reader version 7"),
            "{error}"
        );
    }

    #[test]
    fn a_flipped_bit_in_the_format_record_is_damage() {
        let mut meta = encode_meta();
        *meta.last_mut().unwrap() ^= 1;
        assert_eq!(check_meta(&meta).unwrap_err().kind, LogErrorKind::Damaged);
    }

    proptest! {
        #[test]
        fn random_bytes_are_never_taken_for_a_format_record(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
            prop_assert!(check_meta(&bytes).is_err());
        }
    }
}
