//! The `heads` file beside the store: the newest revision and root of every log, written after each durable group and
//! before any answer, so that a store that lost the end of a log on its own is found out at the next start.
//!
//! Invariant: an entry is never ahead of the durable log, and a write that is torn leaves the entry's slot before it.
//! Nothing here is synced on its own: after a power cut the newest entries may be old ones, never wrong ones.
//!
//! What it does not know: the store. Whether a log still contains its head is found by whoever replays the log; the
//! sentence for the contrary is made here. The layout is described for a stranger in `docs/format.md`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::data_dir::io_error;
use super::evidence::Source;
use super::{LogError, LogErrorKind, LogId, Root};
use crate::domain::Revision;

const MAGIC: [u8; 8] = *b"BINHEADS";
const VERSION: u32 = 1;
/// The header is as long as an entry, so that no slot straddles two sectors of the disk.
const ENTRY_BYTES: usize = 128;
const SLOT_BYTES: usize = ENTRY_BYTES / 2;
/// Log id, revision, root, four zero bytes; the checksum comes behind it.
const SLOT_CONTENT_BYTES: usize = SLOT_BYTES - 4;

/// How far a log was durable, and its whole content up to there in one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The newest durable revision.
    pub revision: Revision,
    /// The root of the hash tree over the records 1 to `revision`.
    pub root: Root,
}

/// The open file.
#[derive(Debug)]
pub struct Heads {
    file: File,
    path: PathBuf,
    /// Where each log's entry is, and which of its two slots the next write takes.
    entries: BTreeMap<LogId, Place>,
    /// Entries that nobody can read any more, to be used again.
    free: Vec<u64>,
    /// The number of entries in the file.
    length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    entry: u64,
    next_slot: u8,
}

/// What a slot was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Empty,
    Torn,
    Holds(LogId, Head),
}

impl Head {
    /// The damage when a log ends before what was said of it: the store has lost the end of it.
    #[must_use]
    pub fn missing_from(&self, log: LogId, ends_at: Revision, source: Source) -> LogError {
        let how = match source {
            Source::Heads => "was durable and answered before",
            Source::Checkpoint { .. } => "was durable before, as a signed checkpoint says",
        };
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "workspace log {log}: revisions {} to {} are missing: the log ends at revision {ends_at}, and revision \
                 {} {how}; restore the newest backup, or put the newest copy of the whole data directory back",
                ends_at.next(),
                self.revision,
                self.revision,
            ),
        )
    }

    /// The damage when a log has another content than was said of it: another history has taken its place.
    #[must_use]
    pub fn contradicts(&self, log: LogId, found: Root, source: Source) -> LogError {
        let said = match source {
            Source::Heads => "",
            Source::Checkpoint { .. } => ", as a signed checkpoint says",
        };
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "workspace log {log}: the records up to revision {} are not the ones that were durable before: their \
                 root is {found} and was {}{said}; restore the newest backup, or put the newest copy of the whole data \
                 directory back",
                self.revision, self.root,
            ),
        )
    }
}

impl Heads {
    /// Opens the file at `path`, or begins one there, and gives every head in it that can be believed. One that
    /// cannot is warned about and left out. Open the store first: its lock is what keeps other processes away.
    ///
    /// # Errors
    /// `UnknownFormat` when another release wrote the file in a way this one does not read, `Damaged` when it is no
    /// heads file, `Io` when the operating system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, BTreeMap<LogId, Head>), LogError> {
        let path = path.as_ref().to_owned();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => begin(&path)?,
            Err(error) => return Err(io_error("could not read", &path, error)),
        };
        check_header(&bytes, &path)?;
        let Found {
            entries,
            free,
            length,
            heads,
        } = Found::in_entries(&bytes[ENTRY_BYTES..], &path);
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(|error| io_error("could not open", &path, error))?;
        Ok((
            Self {
                file,
                path,
                entries,
                free,
                length,
            },
            heads,
        ))
    }

    /// Every head in the file at `path` that can be believed, and nothing is changed there. A file that is not there has none.
    ///
    /// # Errors
    /// As [`Heads::open`].
    pub fn read(path: &Path) -> Result<BTreeMap<LogId, Head>, LogError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(io_error("could not read", path, error)),
        };
        check_header(&bytes, path)?;
        Ok(Found::in_entries(&bytes[ENTRY_BYTES..], path).heads)
    }

    /// Overwrites the entries of `changed` logs, each in the slot that does not hold its newest head. To be called when
    /// the log is durable up to there and before anybody is answered.
    ///
    /// # Errors
    /// `Io` when the operating system refuses; the entries are then the old ones or the new ones, each for itself.
    pub fn write(&mut self, changed: &[(LogId, Head)]) -> Result<(), LogError> {
        for (log, head) in changed {
            let slot = encode_slot(*log, head);
            let written = if let Some(place) = self.entries.get_mut(log) {
                let written = self.file.write_all_at(&slot, slot_at(*place));
                place.next_slot ^= 1;
                written
            } else {
                let entry = self.free.pop().unwrap_or(self.length);
                self.length = self.length.max(entry + 1);
                self.entries.insert(*log, Place { entry, next_slot: 1 });
                // The other slot is cleared: it may hold the rest of an entry that nobody could read.
                let mut whole = [0; ENTRY_BYTES];
                whole[..SLOT_BYTES].copy_from_slice(&slot);
                self.file
                    .write_all_at(&whole, slot_at(Place { entry, next_slot: 0 }))
            };
            written.map_err(|error| io_error("could not write", &self.path, error))?;
        }
        Ok(())
    }
}

/// What the entries of a file hold.
struct Found {
    entries: BTreeMap<LogId, Place>,
    free: Vec<u64>,
    length: u64,
    heads: BTreeMap<LogId, Head>,
}

impl Found {
    fn in_entries(bytes: &[u8], path: &Path) -> Self {
        let length = bytes.len().div_ceil(ENTRY_BYTES) as u64;
        let mut found = Self {
            entries: BTreeMap::new(),
            free: Vec::new(),
            length,
            heads: BTreeMap::new(),
        };
        for (entry, bytes) in (0..).zip(bytes.chunks(ENTRY_BYTES)) {
            let (first, second) = bytes.split_at(bytes.len().min(SLOT_BYTES));
            match newest(decode_slot(first), decode_slot(second)) {
                Ok(Some((log, head, next_slot))) => found.believe(log, head, Place { entry, next_slot }),
                Ok(None) => found.free.push(entry),
                Err(Unreadable) => {
                    tracing::warn!(
                        file = %path.display(), entry,
                        "the head of one log cannot be read and is not checked: both copies of it are damaged"
                    );
                    found.free.push(entry);
                }
            }
        }
        found
    }

    fn believe(&mut self, log: LogId, head: Head, place: Place) {
        if self
            .heads
            .get(&log)
            .is_some_and(|known| known.revision >= head.revision)
        {
            self.free.push(place.entry);
            return;
        }
        self.heads.insert(log, head);
        if let Some(older) = self.entries.insert(log, place) {
            self.free.push(older.entry);
        }
    }
}

/// Neither slot of an entry can be believed.
struct Unreadable;

/// The newer of an entry's two slots, and the slot that the next write takes.
fn newest(first: Slot, second: Slot) -> Result<Option<(LogId, Head, u8)>, Unreadable> {
    match (first, second) {
        (Slot::Holds(log, head), Slot::Holds(other, newer)) if log == other => {
            if newer.revision > head.revision {
                Ok(Some((log, newer, 0)))
            } else {
                Ok(Some((log, head, 1)))
            }
        }
        (Slot::Holds(..), Slot::Holds(..)) => Err(Unreadable),
        (Slot::Holds(log, head), Slot::Empty | Slot::Torn) => Ok(Some((log, head, 1))),
        (Slot::Empty | Slot::Torn, Slot::Holds(log, head)) => Ok(Some((log, head, 0))),
        (Slot::Empty, Slot::Empty) => Ok(None),
        (Slot::Torn, Slot::Empty | Slot::Torn) | (Slot::Empty, Slot::Torn) => Err(Unreadable),
    }
}

fn slot_at(place: Place) -> u64 {
    (place.entry + 1) * ENTRY_BYTES as u64 + u64::from(place.next_slot) * SLOT_BYTES as u64
}

fn encode_slot(log: LogId, head: &Head) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..16].copy_from_slice(&log.0);
    slot[16..24].copy_from_slice(&head.revision.0.to_be_bytes());
    slot[24..56].copy_from_slice(&head.root.0);
    seal(&mut slot);
    slot
}

/// Puts a checksum behind the content.
fn seal(slot: &mut [u8; SLOT_BYTES]) {
    let checksum = crc32c::crc32c(&slot[..SLOT_CONTENT_BYTES]);
    slot[SLOT_CONTENT_BYTES..].copy_from_slice(&checksum.to_be_bytes());
}

fn is_sealed(slot: &[u8; SLOT_BYTES]) -> bool {
    crc32c::crc32c(&slot[..SLOT_CONTENT_BYTES]).to_be_bytes() == slot[SLOT_CONTENT_BYTES..]
}

fn decode_slot(bytes: &[u8]) -> Slot {
    if bytes.iter().all(|byte| *byte == 0) {
        return Slot::Empty;
    }
    let content = || {
        let slot = <&[u8; SLOT_BYTES]>::try_from(bytes)
            .ok()
            .filter(|slot| is_sealed(slot))?;
        let (log, rest) = slot.split_first_chunk::<16>()?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let (root, _) = rest.split_first_chunk::<32>()?;
        let head = Head {
            revision: Revision(u64::from_be_bytes(*revision)),
            root: Root(*root),
        };
        Some(Slot::Holds(LogId(*log), head))
    };
    content().unwrap_or(Slot::Torn)
}

fn header(version: u32) -> [u8; ENTRY_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[8..12].copy_from_slice(&version.to_be_bytes());
    seal(&mut slot);
    let mut header = [0; ENTRY_BYTES];
    header[..SLOT_BYTES].copy_from_slice(&slot);
    header
}

fn check_header(bytes: &[u8], path: &Path) -> Result<(), LogError> {
    let no_heads = || {
        LogError::new(
            LogErrorKind::Damaged,
            format!(
                "{} is not a heads file, or its beginning is damaged; restore the newest backup, or put the newest \
                 copy of the whole data directory back",
                path.display()
            ),
        )
    };
    let header = bytes
        .get(..ENTRY_BYTES)
        .and_then(|header| header.first_chunk::<SLOT_BYTES>());
    let header = header
        .filter(|header| header.starts_with(&MAGIC) && is_sealed(header))
        .ok_or_else(no_heads)?;
    let version = header[MAGIC.len()..]
        .first_chunk::<4>()
        .map(|version| u32::from_be_bytes(*version));
    match version {
        Some(VERSION) => Ok(()),
        other => Err(LogError::new(
            LogErrorKind::UnknownFormat,
            format!(
                "{} is a heads file of version {}, and this release reads version {VERSION}: start the release that \
                 wrote it, or a newer one",
                path.display(),
                other.unwrap_or_default()
            ),
        )),
    }
}

/// Begins a file without entries, whole from the first moment it has its name.
fn begin(path: &Path) -> Result<Vec<u8>, LogError> {
    let header = header(VERSION);
    let unfinished = path.with_extension("new");
    let written = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(&header)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    };
    written().map_err(|error| io_error("could not begin", path, error))?;
    Ok(header.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    const A: LogId = LogId([0xaa; 16]);
    const B: LogId = LogId([0xbb; 16]);

    fn head(revision: u64) -> Head {
        Head {
            revision: Revision(revision),
            root: Root([u8::try_from(revision % 251).unwrap(); 32]),
        }
    }

    struct OnDisk {
        dir: TempDir,
    }

    impl OnDisk {
        fn new() -> Self {
            Self {
                dir: tempfile::tempdir().unwrap(),
            }
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("heads")
        }

        /// Opens, writes each group, and closes.
        fn write(&self, groups: &[&[(LogId, Head)]]) {
            let (mut heads, _) = Heads::open(self.path()).unwrap();
            groups.iter().for_each(|group| heads.write(group).unwrap());
        }

        fn heads(&self) -> BTreeMap<LogId, Head> {
            Heads::open(self.path()).unwrap().1
        }

        fn damage(&self, place: usize, change: impl FnOnce(&mut u8)) {
            let mut bytes = fs::read(self.path()).unwrap();
            change(&mut bytes[place]);
            fs::write(self.path(), bytes).unwrap();
        }
    }

    /// Where in the file a byte of an entry's slot is.
    fn byte_of(entry: usize, slot: usize) -> usize {
        ENTRY_BYTES * (entry + 1) + SLOT_BYTES * slot + 20
    }

    #[test]
    fn the_newest_head_of_each_log_comes_back() {
        let disk = OnDisk::new();
        assert!(disk.heads().is_empty());
        disk.write(&[&[(A, head(1)), (B, head(7))], &[(A, head(2))], &[(A, head(3))]]);
        assert_eq!(disk.heads(), BTreeMap::from([(A, head(3)), (B, head(7))]));
        disk.write(&[&[(B, head(8))]]);
        assert_eq!(disk.heads(), BTreeMap::from([(A, head(3)), (B, head(8))]));
    }

    #[test]
    fn a_torn_write_leaves_the_head_before_it() {
        for newest in [2, 3] {
            let disk = OnDisk::new();
            let groups: Vec<_> = (1..=newest).map(|revision| [(A, head(revision))]).collect();
            disk.write(&groups.iter().map(|group| &group[..]).collect::<Vec<_>>());
            let newest_slot = usize::try_from(newest - 1).unwrap() % 2;
            disk.damage(byte_of(0, newest_slot), |byte| *byte ^= 1);
            assert_eq!(
                disk.heads(),
                BTreeMap::from([(A, head(newest - 1))]),
                "of {newest} writes"
            );
            // The next write takes the torn slot, not the good one.
            disk.write(&[&[(A, head(newest + 1))]]);
            disk.damage(byte_of(0, newest_slot), |byte| *byte ^= 1);
            assert_eq!(
                disk.heads(),
                BTreeMap::from([(A, head(newest - 1))]),
                "after another write"
            );
        }
    }

    #[test]
    fn an_entry_with_two_bad_slots_is_not_believed_and_is_used_again() {
        let disk = OnDisk::new();
        disk.write(&[&[(A, head(1)), (B, head(1))], &[(A, head(2))]]);
        disk.damage(byte_of(0, 0), |byte| *byte ^= 1);
        disk.damage(byte_of(0, 1), |byte| *byte ^= 1);
        assert_eq!(disk.heads(), BTreeMap::from([(B, head(1))]));
        let length = fs::metadata(disk.path()).unwrap().len();
        disk.write(&[&[(A, head(3))]]);
        assert_eq!(disk.heads(), BTreeMap::from([(A, head(3)), (B, head(1))]));
        assert_eq!(fs::metadata(disk.path()).unwrap().len(), length);
    }

    #[test]
    fn an_entry_cut_short_at_the_end_of_the_file_is_not_believed() {
        let disk = OnDisk::new();
        disk.write(&[&[(A, head(1)), (B, head(2))]]);
        for cut in 1..=ENTRY_BYTES as u64 {
            let file = OpenOptions::new().write(true).open(disk.path()).unwrap();
            file.set_len(3 * ENTRY_BYTES as u64 - cut).unwrap();
            let expected = if cut <= SLOT_BYTES as u64 {
                BTreeMap::from([(A, head(1)), (B, head(2))])
            } else {
                BTreeMap::from([(A, head(1))])
            };
            assert_eq!(disk.heads(), expected, "{cut} bytes short");
        }
    }

    /// The expected bytes were computed from `docs/format.md` by another program.
    #[test]
    fn the_bytes_of_the_file_are_the_ones_described() {
        let disk = OnDisk::new();
        let log = LogId(std::array::from_fn(|index| u8::try_from(index).unwrap()));
        disk.write(&[&[(
            log,
            Head {
                revision: Revision(258),
                root: Root([0x77; 32]),
            },
        )]]);
        let hex: String = fs::read(disk.path())
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let header = format!("{:0<120}75e8bef6{:0<128}", "42494e484541445300000001", "");
        let slot = format!(
            "000102030405060708090a0b0c0d0e0f0000000000000102{}00000000459f4ac5{:0<128}",
            "77".repeat(32),
            ""
        );
        assert_eq!(hex, header + &slot);
    }

    #[test]
    fn an_unknown_version_is_refused_by_name() {
        let disk = OnDisk::new();
        fs::write(disk.path(), header(9)).unwrap();
        let error = Heads::open(disk.path()).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::UnknownFormat);
        assert!(error.context.contains("version 9"), "{error}");
    }

    #[test]
    fn a_damaged_header_is_refused() {
        let disk = OnDisk::new();
        disk.write(&[&[(A, head(1))]]);
        disk.damage(9, |byte| *byte ^= 1);
        assert_eq!(Heads::open(disk.path()).unwrap_err().kind, LogErrorKind::Damaged);
        fs::write(disk.path(), b"BINHEADS").unwrap();
        assert_eq!(Heads::open(disk.path()).unwrap_err().kind, LogErrorKind::Damaged);
    }

    #[test]
    fn a_lost_tail_is_told_with_the_log_the_revisions_and_the_way_back() {
        let sentence = head(12).missing_from(A, Revision(9), Source::Heads).context;
        for part in [
            &A.to_string(),
            "revisions 10 to 12 are missing",
            "ends at revision 9",
            "backup",
            "copy",
        ] {
            assert!(sentence.contains(part), "{part:?} is not in {sentence:?}");
        }
        let sentence = head(12).contradicts(A, head(13).root, Source::Heads).context;
        for part in [
            &A.to_string(),
            "up to revision 12",
            &head(12).root.to_string(),
            &head(13).root.to_string(),
        ] {
            assert!(sentence.contains(part), "{part:?} is not in {sentence:?}");
        }
    }

    proptest! {
        #[test]
        fn random_entries_never_panic_the_parser_and_are_never_believed(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let found = Found::in_entries(&bytes, Path::new("heads"));
            prop_assert!(found.heads.is_empty());
            prop_assert_eq!(found.length, bytes.len().div_ceil(ENTRY_BYTES) as u64);
            prop_assert!(check_header(&bytes, Path::new("heads")).is_err());
        }

        #[test]
        fn any_sequence_of_writes_leaves_the_last_of_each_log(
            logs in prop::collection::vec(prop::collection::vec(0_u8..6, 1..5), 0..12),
        ) {
            let disk = OnDisk::new();
            let mut model = BTreeMap::new();
            for (group, revision) in logs.iter().zip(1..) {
                let group: BTreeMap<_, _> = group.iter().map(|log| (LogId([*log; 16]), head(revision))).collect();
                disk.write(&[&group.iter().map(|(log, head)| (*log, *head)).collect::<Vec<_>>()]);
                model.extend(group);
            }
            prop_assert_eq!(disk.heads(), model);
        }
    }
}
