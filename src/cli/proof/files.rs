//! The files that auditors keep: what is in one is told by how it begins. Reading and writing them; whether they are true is
//! `verify`'s.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::cli::{Failure, FailureKind};
use crate::log::{Hash, LeafHash};

/// The first line of a proof that a commit is in a log (c2sp.org/tlog-proof).
const INCLUSION: &str = "c2sp.org/tlog-proof@v1";
/// How a proof begins that a log goes on from another (the body of c2sp.org/tlog-witness's add-checkpoint).
const CONSISTENCY: &str = "old ";
/// How an archive begins.
const ARCHIVE: &[u8] = b"BINNARCH";
/// No proof and no checkpoint is longer; a record may be in one.
const TEXT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One file, or directory, of what is to be verified.
#[derive(Debug)]
pub(super) enum Kept {
    /// An archive.
    Archive,
    /// A data directory.
    DataDir,
    /// A proof that a commit is in a log.
    Inclusion(InclusionFile),
    /// A proof that one log is the beginning of another.
    Consistency(ConsistencyFile),
    /// Checkpoints, one or more.
    Checkpoints(Vec<String>),
}

/// A proof that a commit is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InclusionFile {
    /// The commit's stored bytes.
    pub(super) record: Vec<u8>,
    /// Its place, from 0 up.
    pub(super) index: u64,
    pub(super) hashes: Vec<Hash>,
    /// The signed checkpoint of the log that it is in.
    pub(super) note: String,
}

/// A proof that one log is the beginning of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConsistencyFile {
    /// The size of the earlier one.
    pub(super) first: u64,
    pub(super) hashes: Vec<Hash>,
    /// The signed checkpoint of the later one.
    pub(super) note: String,
}

impl Kept {
    /// What a path holds.
    ///
    /// # Errors
    /// It cannot be read, or is none of these.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Ok(Self::DataDir);
        }
        let unreadable = |error: io::Error| {
            let sentence = format!("{} cannot be read: {error}", path.display());
            Failure::new(FailureKind::Usage, sentence)
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut start = Vec::new();
        Read::by_ref(&mut file)
            .take(ARCHIVE.len() as u64)
            .read_to_end(&mut start)
            .map_err(unreadable)?;
        if start == ARCHIVE {
            return Ok(Self::Archive);
        }
        file.take(TEXT_BYTES_MAX)
            .read_to_end(&mut start)
            .map_err(unreadable)?;
        let unknown = || {
            let sentence = format!(
                "{} is no archive, no proof and no checkpoint of Binnacle: name a file that \"binnacle backup\", \"binnacle \
                 prove\" or \"binnacle checkpoint\" wrote, or a data directory",
                path.display()
            );
            Failure::new(FailureKind::Usage, sentence)
        };
        let text = String::from_utf8(start).map_err(|_| unknown())?;
        Self::of_text(&text).ok_or_else(unknown)
    }

    fn of_text(text: &str) -> Option<Self> {
        if text.starts_with(INCLUSION) {
            return InclusionFile::parse(text).map(Self::Inclusion);
        }
        if text.starts_with(CONSISTENCY) {
            return ConsistencyFile::parse(text).map(Self::Consistency);
        }
        let notes = notes(text);
        (!notes.is_empty()).then_some(Self::Checkpoints(notes))
    }
}

/// The notes of a file that holds one, or many with an empty line behind each.
fn notes(text: &str) -> Vec<String> {
    let blocks: Vec<_> = text.trim_end_matches('\n').split("\n\n").collect();
    if blocks.len() < 2 {
        return Vec::new();
    }
    let notes = blocks.chunks(2);
    notes
        .map(|note| match note {
            [said, signatures] => format!("{said}\n\n{signatures}\n"),
            // Cut off: it is a note that nobody signed, and not to be passed over.
            rest => rest.concat(),
        })
        .collect()
}

impl InclusionFile {
    /// As it is written.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{INCLUSION}\nextra {}\nindex {}\n",
            BASE64.encode(&self.record),
            self.index
        );
        with_hashes(&mut text, &self.hashes);
        text + "\n" + &self.note
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.lines().skip(1);
        let record = BASE64.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
        let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
        Some(Self {
            record,
            index,
            hashes: hashes(lines)?,
            note: note.to_owned(),
        })
    }

    /// The hash of the record.
    pub(super) fn leaf(&self) -> LeafHash {
        LeafHash::of(&self.record)
    }
}

impl ConsistencyFile {
    /// As it is written.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{CONSISTENCY}{}\n", self.first);
        with_hashes(&mut text, &self.hashes);
        text + "\n" + &self.note
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let first = lines.next()?.strip_prefix(CONSISTENCY)?.parse().ok()?;
        Some(Self {
            first,
            hashes: hashes(lines)?,
            note: note.to_owned(),
        })
    }
}

fn with_hashes(text: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        let _infallible = writeln!(text, "{}", BASE64.encode(hash));
    }
}

fn hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<Hash>> {
    lines
        .map(|line| BASE64.decode(line).ok()?.try_into().ok())
        .collect()
}

/// Writes a file as a whole: it is there under its name when all of it is.
///
/// # Errors
/// The operating system refuses.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = beside(path);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let written = written.map_err(|error| {
        let sentence = format!("{} cannot be written: {error}", path.display());
        Failure::new(FailureKind::Failed, sentence)
    });
    keep(&beside, path, written)
}

/// Where a file is written before it is whole.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    PathBuf::from(beside)
}

/// Gives a file its name when it is written, and leaves nothing of it when it is not.
///
/// # Errors
/// Why it is not written, or that it cannot be given its name.
pub(super) fn keep(beside: &Path, path: &Path, written: Result<(), Failure>) -> Result<(), Failure> {
    let kept = written.and_then(|()| {
        std::fs::rename(beside, path).map_err(|error| {
            let sentence = format!("{} cannot be written: {error}", path.display());
            Failure::new(FailureKind::Failed, sentence)
        })
    });
    if kept.is_err() {
        // There may be nothing to remove.
        let _left = std::fs::remove_file(beside);
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTE: &str = "binnacle.dev/log/00/epoch/1\n4\nAAAA\n\n\u{2014} name AAAA\n";

    #[test]
    fn proofs_are_read_as_they_are_written() {
        let inclusion = InclusionFile {
            record: b"a record".to_vec(),
            index: 11,
            hashes: vec![[1; 32], [2; 32]],
            note: NOTE.to_owned(),
        };
        assert_eq!(InclusionFile::parse(&inclusion.text()), Some(inclusion));
        let consistency = ConsistencyFile {
            first: 3,
            hashes: Vec::new(),
            note: NOTE.to_owned(),
        };
        assert_eq!(ConsistencyFile::parse(&consistency.text()), Some(consistency));
    }

    #[test]
    fn one_checkpoint_or_many_are_told_apart() {
        for count in 1..4 {
            let one = |_| NOTE.to_owned();
            let file: String = (0..count).map(|_| format!("{NOTE}\n")).collect();
            assert_eq!(notes(&file), (0..count).map(one).collect::<Vec<_>>());
        }
        assert_eq!(notes(NOTE), [NOTE]);
        assert!(notes("no note").is_empty());
        let cut = format!("{NOTE}\nbinnacle.dev/log/00/epoch/1\n5");
        assert_eq!(
            notes(&cut),
            [NOTE, "binnacle.dev/log/00/epoch/1\n5"],
            "the second is cut off"
        );
    }

    proptest! {
        #[test]
        fn random_text_panics_nothing(text in "[ -~\n]{0,200}") {
            let _ = Kept::of_text(&text);
            let _ = Kept::of_text(&format!("{INCLUSION}\n{text}"));
            let _ = Kept::of_text(&format!("{CONSISTENCY}{text}"));
        }
    }
}
