//! The ring: segments in one directory, the newest of which is written, and the oldest of which goes when there is no room.
//!
//! Invariant: all segments together never have more bytes than the ring may have, and there are never more files than
//! `SEGMENTS_MAX` allows, also while one is being written: room is made first. What cannot be read never stops a start.
//!
//! It does not know who waits for what is written, nor what an attempt means.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::attempt::Attempt;
use super::entry::{self, BadHead, HEAD_BYTES};
use super::segment::{self, Found, Segment};

/// The segments as readers find them, oldest first. What it says of a segment is written whole.
pub(super) type Index = Arc<Mutex<Vec<Segment>>>;

/// The ring, for the one who writes it.
#[derive(Debug)]
pub(super) struct Ring {
    dir: PathBuf,
    bytes_max: u64,
    index: Index,
    /// The newest segment's file; none: the next entry begins a segment.
    file: Option<File>,
    /// The number of the next entry.
    next: u64,
}

/// Into so many segments a ring is divided at least: so much of it is forgotten at once.
const PARTS: u64 = 8;

impl Ring {
    /// Opens the ring in a directory, or begins one there.
    ///
    /// # Errors
    /// The operating system refuses the directory.
    pub(super) fn open(dir: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut firsts = Vec::new();
        for file in fs::read_dir(dir)? {
            let file = file?;
            let first = file.file_name().to_str().and_then(segment::first_of);
            firsts.extend(first.filter(|_| file.file_type().is_ok_and(|kind| kind.is_file())));
        }
        firsts.sort_unstable();
        let mut ring = Self {
            dir: dir.to_owned(),
            bytes_max,
            index: Index::default(),
            file: None,
            next: 1,
        };
        for (place, &first) in firsts.iter().enumerate() {
            ring.take_up(first, place + 1 == firsts.len());
        }
        ring.make_room(0)?;
        Ok(ring)
    }

    /// The segments, for readers.
    pub(super) fn index(&self) -> Index {
        Arc::clone(&self.index)
    }

    /// Writes attempts, which were cut, in their order.
    ///
    /// # Errors
    /// The disk refused, with how many were not written.
    pub(super) fn append(&mut self, attempts: &[Attempt]) -> Result<(), (io::Error, u64)> {
        let mut pending = Vec::new();
        let (mut first, mut written) = (self.next, 0);
        for attempt in attempts {
            let begin = pending.len();
            entry::write(&mut pending, self.next, attempt);
            if begin > 0 && self.newest_bytes() + pending.len() as u64 > self.segment_bytes_max() {
                let behind = pending.split_off(begin);
                let many = self.next - first;
                self.write(&pending, first, attempts.get(written..))
                    .map_err(|error| (error, (attempts.len() - written) as u64))?;
                written += usize::try_from(many).unwrap_or_default();
                (pending, first) = (behind, self.next);
            }
            self.next += 1;
        }
        self.write(&pending, first, attempts.get(written..))
            .map_err(|error| (error, (attempts.len() - written) as u64))
    }

    /// Makes durable what was written.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Looks at a segment that an earlier start has left.
    fn take_up(&mut self, first: u64, is_newest: bool) {
        let path = segment::path(&self.dir, first);
        let mut found = Segment {
            first,
            bytes: fs::metadata(&path).map_or(0, |file| file.len()),
            oldest: None,
        };
        self.next = self.next.max(first + 1);
        let read = found.read(&self.dir).map(|bytes| Found::within(&bytes, first));
        match read {
            Ok(Ok(held)) => {
                if held.damaged > 0 {
                    tracing::warn!(
                        file = %path.display(), damaged = held.damaged,
                        "a part of the access record cannot be read and is left out: the server was killed while it wrote, or the file was damaged"
                    );
                }
                found.oldest = held.entries.first().map(|kept| kept.attempt.time);
                if let Some(last) = held.entries.last() {
                    self.next = self.next.max(last.sequence + 1);
                }
                if is_newest && found.bytes < self.segment_bytes_max() {
                    self.go_on_in(&mut found, held.end);
                }
            }
            Ok(Err(BadHead::Unknown)) => tracing::warn!(
                file = %path.display(),
                "another release wrote this part of the access record: it is left out until it is forgotten"
            ),
            Ok(Err(BadHead::Damaged)) => tracing::warn!(
                file = %path.display(),
                "a part of the access record is damaged at its beginning, and is left out until it is forgotten"
            ),
            Err(error) => tracing::warn!(
                file = %path.display(), cause = %error,
                "a part of the access record cannot be read, and is left out until it is forgotten"
            ),
        }
        self.segments(|segments| segments.push(found));
    }

    /// Goes on behind the last entry of a segment, so that starts without number do not make files without number.
    fn go_on_in(&mut self, found: &mut Segment, end: usize) {
        let file = OpenOptions::new()
            .append(true)
            .open(segment::path(&self.dir, found.first));
        let cut = file.and_then(|file| file.set_len(end as u64).map(|()| file));
        if let Ok(file) = cut {
            found.bytes = end as u64;
            self.file = Some(file);
        }
    }

    /// Writes entries into one segment; `first` is the number of the first of them.
    fn write(&mut self, entries: &[u8], first: u64, attempts: Option<&[Attempt]>) -> io::Result<()> {
        let Some(oldest) = attempts.and_then(<[Attempt]>::first) else {
            return Ok(());
        };
        let is_full = self.newest_bytes() + entries.len() as u64 > self.segment_bytes_max();
        if self.file.is_none() || is_full {
            self.begin(first)?;
        }
        self.make_room(entries.len() as u64)?;
        let Some(file) = &mut self.file else {
            return Err(io::Error::other(
                "the newest file of the access record is larger than all of it may be",
            ));
        };
        if let Err(error) = file.write_all(entries) {
            self.leave();
            return Err(error);
        }
        self.segments(|segments| {
            if let Some(newest) = segments.last_mut() {
                newest.bytes += entries.len() as u64;
                newest.oldest.get_or_insert(oldest.time);
            }
        });
        Ok(())
    }

    /// Begins a segment.
    fn begin(&mut self, first: u64) -> io::Result<()> {
        // The one before is whole: only what is written now may be lost with the power.
        let synced = self.sync();
        self.file = None;
        synced?;
        self.make_room(HEAD_BYTES as u64)?;
        let path = segment::path(&self.dir, first);
        let mut file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        if let Err(error) = file.write_all(&entry::head()) {
            // Nobody knows of it yet; if it stays, the next start finds it and leaves it out.
            let _stays = fs::remove_file(&path);
            return Err(error);
        }
        self.file = Some(file);
        self.segments(|segments| {
            segments.push(Segment {
                first,
                bytes: HEAD_BYTES as u64,
                oldest: None,
            });
        });
        Ok(())
    }

    /// Takes no more entries into a segment that holds half of one: it is cut, or counts as long as it is.
    fn leave(&mut self) {
        let Some(file) = self.file.take() else { return };
        self.segments(|segments| {
            if let Some(newest) = segments.last_mut()
                && file.set_len(newest.bytes).is_err()
            {
                newest.bytes = file.metadata().map_or(newest.bytes, |file| file.len());
            }
        });
    }

    /// Forgets the oldest segments until there is room for so many bytes, and for one more file.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let files_max = segments_max(self.bytes_max);
        loop {
            let oldest = self.segments(|segments| {
                let total: u64 = segments.iter().map(|segment| segment.bytes).sum();
                let is_full = total + bytes > self.bytes_max || segments.len() > files_max;
                segments.first().filter(|_| is_full).map(|oldest| oldest.first)
            });
            let Some(oldest) = oldest else { return Ok(()) };
            match fs::remove_file(segment::path(&self.dir, oldest)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let left = self.segments(|segments| {
                segments.remove(0);
                segments.len()
            });
            if left == 0 {
                self.file = None;
            }
        }
    }

    fn newest_bytes(&self) -> u64 {
        match self.file {
            Some(_) => self.segments(|segments| segments.last().map_or(0, |newest| newest.bytes)),
            None => HEAD_BYTES as u64,
        }
    }

    fn segment_bytes_max(&self) -> u64 {
        segment_bytes_max(self.bytes_max)
    }

    fn segments<T>(&self, with: impl FnOnce(&mut Vec<Segment>) -> T) -> T {
        with(&mut self.index.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The longest segment of a ring, in bytes.
fn segment_bytes_max(bytes_max: u64) -> u64 {
    (bytes_max / PARTS).min(segment::BYTES_MAX)
}

/// The most files of a ring, beside the one that is begun: segments that are not full come from a disk that refused.
fn segments_max(bytes_max: u64) -> usize {
    let full = bytes_max / segment_bytes_max(bytes_max).max(1);
    usize::try_from(2 * full).unwrap_or(usize::MAX)
}
