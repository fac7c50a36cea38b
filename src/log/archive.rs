//! An archive: whole logs in one file, to be kept elsewhere, verified, and restored from. It holds the records exactly as they
//! are stored, each with a checksum, and says before and behind them what there has to be.
//!
//! Invariant: a reader names the first thing that is wrong, by the byte where it stands, and answers nothing behind it. A file
//! without its end is no archive: whatever was cut off is noticed.
//!
//! What it does not know: whether the records are those of the log (`verification` does), and who made them. The layout is
//! described for a stranger in `docs/format.md`.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::{LogId, MAX_RECORD_BYTES, Root};
use crate::domain::Revision;

/// What every archive begins with: a name and the version of the format.
const MAGIC: [u8; 12] = *b"BINNARCH\0\0\0\x01";
const KIND_LOG: u8 = b'L';
const KIND_RECORD: u8 = b'R';
const KIND_END: u8 = b'E';
/// Kind, length, checksum.
const FRAME_HEAD_BYTES: usize = 9;

/// What an archive says of one log, ahead of its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The workspace's id.
    pub workspace: String,
    /// The log's id, in hexadecimal.
    pub log: String,
    /// How many records come: the newest revision.
    pub size: u64,
    /// The root of the hash tree over them, in hexadecimal.
    pub root: String,
    /// The signed checkpoint of that size.
    pub checkpoint: String,
}

/// The last frame: what there has to be in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    logs: Vec<LogEntry>,
}

/// Writes an archive.
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    out: W,
    logs: Vec<LogEntry>,
}

/// Reads an archive from its beginning.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    /// How many bytes have been read.
    place: u64,
    logs: Vec<LogEntry>,
    ended: bool,
}

/// What comes next in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A log begins.
    Log(LogEntry),
    /// Its next record.
    Record(Vec<u8>),
}

/// Why a file is not read on.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFlaw {
    /// The file is something else.
    #[error("it is no archive of Binnacle")]
    NoArchive,
    /// It is an archive of a newer format.
    #[error("it is an archive in a format of a newer release: use that one")]
    Newer,
    /// It ends too early.
    #[error("it is cut off: it ends at byte {0}, before its own end")]
    CutOff(u64),
    /// Bytes have changed.
    #[error("what stands at byte {at} is damaged: {how}")]
    Damaged {
        /// Where the damaged part begins.
        at: u64,
        /// What is wrong with it.
        how: &'static str,
    },
    /// The operating system refused.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl LogEntry {
    /// The log's id, if it is one.
    #[must_use]
    pub fn log_id(&self) -> Option<LogId> {
        LogId::from_hex(&self.log)
    }

    /// The newest revision, and the root there, if it is one.
    #[must_use]
    pub fn end(&self) -> Option<(Revision, Root)> {
        Some((Revision(self.size), Root::from_hex(&self.root)?))
    }
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        Ok(Self {
            out,
            logs: Vec::new(),
        })
    }

    /// Begins a log; its records follow.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn log(&mut self, entry: LogEntry) -> io::Result<()> {
        let text = serde_json::to_vec(&entry)?;
        self.frame(KIND_LOG, &text)?;
        self.logs.push(entry);
        Ok(())
    }

    /// Writes the next record of the log that was begun last.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn record(&mut self, record: &[u8]) -> io::Result<()> {
        self.frame(KIND_RECORD, record)
    }

    /// Ends the archive and gives back what it was written to, flushed.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn end(mut self) -> io::Result<W> {
        let logs = std::mem::take(&mut self.logs);
        let text = serde_json::to_vec(&Manifest { logs })?;
        self.frame(KIND_END, &text)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn frame(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).map_err(io::Error::other)?;
        self.out.write_all(&[kind])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&checksum(kind, content).to_be_bytes())?;
        self.out.write_all(content)
    }
}

impl<R: Read> ArchiveReader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// It is no archive, or one of a newer format.
    pub fn begin(mut input: R) -> Result<Self, ArchiveFlaw> {
        let mut magic = [0; MAGIC.len()];
        let read = fill(&mut input, &mut magic)?;
        if read < magic.len() || magic[..8] != MAGIC[..8] {
            return Err(ArchiveFlaw::NoArchive);
        }
        if magic != MAGIC {
            return Err(ArchiveFlaw::Newer);
        }
        Ok(Self {
            input,
            place: MAGIC.len() as u64,
            logs: Vec::new(),
            ended: false,
        })
    }

    /// Where the next part begins, in bytes from the beginning of the file.
    #[must_use]
    pub fn place(&self) -> u64 {
        self.place
    }

    /// What comes next; none: the archive has ended where it should.
    ///
    /// # Errors
    /// The first thing that is wrong. Then there is nothing more.
    pub fn read(&mut self) -> Result<Option<Item>, ArchiveFlaw> {
        if self.ended {
            return Ok(None);
        }
        let at = self.place;
        let damaged = |how| ArchiveFlaw::Damaged { at, how };
        let (kind, content) = self.frame()?;
        match kind {
            KIND_LOG => {
                let entry: LogEntry = serde_json::from_slice(&content)
                    .map_err(|_| damaged("it does not say of what log records come"))?;
                self.logs.push(entry.clone());
                Ok(Some(Item::Log(entry)))
            }
            KIND_RECORD if self.logs.is_empty() => Err(damaged("a record of no log")),
            KIND_RECORD => Ok(Some(Item::Record(content))),
            KIND_END => {
                let manifest: Manifest =
                    serde_json::from_slice(&content).map_err(|_| damaged("it is no manifest"))?;
                if manifest.logs != self.logs {
                    return Err(damaged(
                        "the manifest names other logs than there are in the file",
                    ));
                }
                if fill(&mut self.input, &mut [0])? > 0 {
                    let how = "something stands behind the end";
                    return Err(ArchiveFlaw::Damaged { at: self.place, how });
                }
                self.ended = true;
                Ok(None)
            }
            _ => Err(damaged("a part of an unknown kind")),
        }
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), ArchiveFlaw> {
        let at = self.place;
        let damaged = |how| ArchiveFlaw::Damaged { at, how };
        let mut head = [0; FRAME_HEAD_BYTES];
        self.fill(&mut head)?;
        let [kind, l0, l1, l2, l3, c0, c1, c2, c3] = head;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        // A manifest of many logs is longer than a record; nothing else is.
        if length > MAX_RECORD_BYTES && kind != KIND_END {
            return Err(damaged("it is longer than anything can be"));
        }
        let mut content = Vec::new();
        let read = self
            .input
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut content)?;
        self.place += read as u64;
        if read < length {
            return Err(ArchiveFlaw::CutOff(self.place));
        }
        if checksum(kind, &content) != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(damaged("its checksum does not fit"));
        }
        Ok((kind, content))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ArchiveFlaw> {
        let read = fill(&mut self.input, buffer)?;
        self.place += read as u64;
        if read < buffer.len() {
            return Err(ArchiveFlaw::CutOff(self.place));
        }
        Ok(())
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Covers kind, length and content, so that no part is taken for another.
fn checksum(kind: u8, content: &[u8]) -> u32 {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let head = crc32c::crc32c_append(crc32c::crc32c(&[kind]), &length);
    crc32c::crc32c_append(head, content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(workspace: &str, size: u64) -> LogEntry {
        LogEntry {
            workspace: workspace.to_owned(),
            log: LogId([7; 16]).to_string(),
            size,
            root: Root([8; 32]).to_string(),
            checkpoint: "a note\n".to_owned(),
        }
    }

    fn archive() -> Vec<u8> {
        let mut writer = ArchiveWriter::begin(Vec::new()).unwrap();
        writer.log(entry("acme", 2)).unwrap();
        writer.record(b"first").unwrap();
        writer.record(b"").unwrap();
        writer.log(entry("umbrella", 1)).unwrap();
        writer.record(b"only").unwrap();
        writer.end().unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<Item>, Option<ArchiveFlaw>) {
        let mut reader = match ArchiveReader::begin(bytes) {
            Ok(reader) => reader,
            Err(flaw) => return (Vec::new(), Some(flaw)),
        };
        let mut items = Vec::new();
        loop {
            match reader.read() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return (items, None),
                Err(flaw) => return (items, Some(flaw)),
            }
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let (items, flaw) = read(&archive());
        assert!(flaw.is_none(), "{flaw:?}");
        let expected = [
            Item::Log(entry("acme", 2)),
            Item::Record(b"first".to_vec()),
            Item::Record(Vec::new()),
            Item::Log(entry("umbrella", 1)),
            Item::Record(b"only".to_vec()),
        ];
        assert_eq!(items, expected);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_found() {
        let whole = archive();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).1.is_some(), "cut at {length}");
        }
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[place] ^= 1 << bit;
                assert!(read(&changed).1.is_some(), "bit {bit} of byte {place}");
            }
        }
        let mut longer = whole;
        longer.push(0);
        assert!(read(&longer).1.is_some());
    }

    #[test]
    fn a_newer_archive_is_not_called_damaged() {
        let mut newer = archive();
        newer[11] = 2;
        assert!(matches!(read(&newer).1, Some(ArchiveFlaw::Newer)));
        assert!(matches!(read(b"{}").1, Some(ArchiveFlaw::NoArchive)));
    }

    proptest! {
        #[test]
        fn random_bytes_are_no_archive_and_panic_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).1.is_some());
            let behind_the_magic = [&MAGIC[..], &bytes].concat();
            prop_assert!(read(&behind_the_magic).1.is_some());
        }
    }
}
