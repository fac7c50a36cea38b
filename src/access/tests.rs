//! The ring and the record around it: what is kept, within which bound, and what damage does to it.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::segment::Found;
use super::*;

fn attempt(number: u64, text: &str) -> Attempt {
    Attempt {
        time: Timestamp::from_micros(i64::try_from(number).unwrap()),
        texts: Texts {
            principal: format!("p{}", number % 3),
            message: text.to_owned(),
            ..Texts::default()
        },
    }
}

/// A directory that a ring lives in, over many starts.
struct Disk {
    dir: TempDir,
    bytes_max: u64,
}

impl Disk {
    fn new(bytes_max: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, bytes_max }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self) -> Ring {
        Ring::open(self.path(), self.bytes_max).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path()).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    fn bytes(&self) -> u64 {
        let lengths = self
            .files()
            .into_iter()
            .map(|file| fs::metadata(file).unwrap().len());
        lengths.sum()
    }

    /// What a reader finds, page by page.
    fn read(&self, ring: &Ring, page_size: usize) -> Vec<Kept> {
        let index = ring.index();
        let segments = index.lock().unwrap().clone();
        let (mut before, mut kept) = (u64::MAX, Vec::new());
        loop {
            let page = Page::read(self.path(), &segments, before, page_size, |_| true);
            kept.extend(page.kept);
            match page.before {
                Some(next) => before = next,
                None => return kept,
            }
        }
    }
}

/// The times, which are the numbers that the tests gave.
fn numbers(kept: &[Kept]) -> Vec<i64> {
    kept.iter().map(|kept| kept.attempt.time.as_micros()).collect()
}

fn invariant_bound_is_kept(disk: &Disk) {
    assert!(
        disk.bytes() <= disk.bytes_max,
        "{} bytes in a ring of {}",
        disk.bytes(),
        disk.bytes_max
    );
    assert!(disk.files().len() <= 17, "{} files", disk.files().len());
}

/// What is there is the newest of what was written, without a gap, and at least half of what fits.
fn invariant_newest_are_there(disk: &Disk, ring: &Ring, model: &VecDeque<Attempt>) {
    let kept = disk.read(ring, 7);
    let newest = model.iter().rev().take(kept.len());
    assert!(kept.iter().map(|kept| &kept.attempt).eq(newest));
    let sequences = kept.windows(2).all(|pair| pair[0].sequence > pair[1].sequence);
    assert!(sequences, "not newest first");
    let is_all = kept.len() == model.len();
    assert!(
        is_all || disk.bytes() >= disk.bytes_max / 2,
        "{} bytes",
        disk.bytes()
    );
}

fn invariant_index_is_the_disk(disk: &Disk, ring: &Ring) {
    let index = ring.index();
    let index = index.lock().unwrap();
    let on_disk: Vec<_> = disk
        .files()
        .into_iter()
        .map(|file| (fs::metadata(&file).unwrap().len(), file))
        .collect();
    let indexed: Vec<_> = index
        .iter()
        .map(|segment| (segment.bytes, segment.path(disk.path())))
        .collect();
    assert_eq!(indexed, on_disk);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn after_any_attempts_and_any_starts_every_invariant_holds(
        groups in prop::collection::vec((prop::collection::vec(0_usize..600, 0..120), any::<bool>()), 1..40),
    ) {
        let disk = Disk::new(BYTES_MIN);
        let (mut ring, mut model, mut number) = (disk.open(), VecDeque::new(), 0);
        for (lengths, starts_anew) in groups {
            let attempts: Vec<_> = lengths
                .into_iter()
                .map(|length| {
                    number += 1;
                    attempt(number, &"é".repeat(length)).cut()
                })
                .collect();
            ring.append(&attempts).unwrap();
            model.extend(attempts);
            if starts_anew {
                ring = disk.open();
            }
            invariant_bound_is_kept(&disk);
            invariant_newest_are_there(&disk, &ring, &model);
            invariant_index_is_the_disk(&disk, &ring);
        }
    }

    #[test]
    fn no_bytes_in_any_file_stop_a_start_or_are_believed(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        with_head: bool,
        name in prop_oneof![Just("00000000000000000003.attempts"), Just("18446744073709551615.attempts"), Just("x")],
    ) {
        let disk = Disk::new(BYTES_MIN);
        let head = if with_head { entry::head().to_vec() } else { Vec::new() };
        fs::write(disk.path().join(name), [head, bytes].concat()).unwrap();
        let mut ring = disk.open();
        prop_assert!(disk.read(&ring, 10).is_empty());
        ring.append(&[attempt(1, "x")]).unwrap();
        prop_assert_eq!(numbers(&disk.read(&ring, 10)), [1]);
        prop_assert_eq!(numbers(&disk.read(&disk.open(), 10)), [1]);
    }
}

/// Ten attempts in one segment, and its bytes.
fn ten() -> (Disk, PathBuf, Vec<u8>) {
    let disk = Disk::new(BYTES_MIN);
    let attempts: Vec<_> = (1..=10).map(|number| attempt(number, "no")).collect();
    disk.open().append(&attempts).unwrap();
    let file = disk.files().remove(0);
    let bytes = fs::read(&file).unwrap();
    (disk, file, bytes)
}

#[test]
fn a_last_segment_cut_at_any_byte_keeps_what_is_whole_and_goes_on() {
    let (disk, file, bytes) = ten();
    let size = (bytes.len() - entry::HEAD_BYTES) / 10;
    for length in 0..=bytes.len() {
        disk.files()
            .iter()
            .for_each(|file| fs::remove_file(file).unwrap());
        fs::write(&file, &bytes[..length]).unwrap();
        let whole = i64::try_from(length.saturating_sub(entry::HEAD_BYTES) / size).unwrap();
        let mut ring = disk.open();
        let expected: Vec<_> = (1..=whole).rev().collect();
        assert_eq!(numbers(&disk.read(&ring, 3)), expected, "cut to {length} bytes");
        ring.append(&[attempt(99, "after")]).unwrap();
        let expected: Vec<_> = [99].into_iter().chain(expected).collect();
        assert_eq!(numbers(&disk.read(&ring, 3)), expected, "cut to {length} bytes");
        assert_eq!(numbers(&disk.read(&disk.open(), 3)), expected);
    }
}

#[test]
fn a_flipped_byte_costs_its_entry_and_no_other() {
    let (disk, file, bytes) = ten();
    let size = (bytes.len() - entry::HEAD_BYTES) / 10;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x5a;
        fs::write(&file, &flipped).unwrap();
        let lost = at
            .checked_sub(entry::HEAD_BYTES)
            .map(|at| i64::try_from(at / size).unwrap() + 1);
        // What has no head is no segment.
        let expected: Vec<_> = (1..=10)
            .rev()
            .filter(|number| lost.is_some_and(|lost| *number != lost))
            .collect();
        assert_eq!(numbers(&disk.read(&disk.open(), 4)), expected, "byte {at}");
    }
}

#[test]
fn damage_is_counted_a_stretch_at_a_time() {
    let (_, _, bytes) = ten();
    let size = (bytes.len() - entry::HEAD_BYTES) / 10;
    let damaged = |entries: &[usize]| {
        let mut bytes = bytes.clone();
        for entry in entries {
            bytes[entry::HEAD_BYTES + entry * size + 20] ^= 1;
        }
        let found = Found::within(&bytes, 1).unwrap();
        (found.entries.len(), found.damaged)
    };
    assert_eq!(damaged(&[]), (10, 0));
    assert_eq!(damaged(&[3]), (9, 1));
    assert_eq!(damaged(&[3, 4, 9]), (7, 2));
}

#[test]
fn what_was_copied_to_another_place_is_not_believed_twice() {
    let (disk, file, bytes) = ten();
    let twice = [&bytes[..], &bytes[entry::HEAD_BYTES..]].concat();
    fs::write(&file, twice).unwrap();
    assert_eq!(disk.read(&disk.open(), 100).len(), 10);
    // The whole segment under a later name: its numbers are too low for it.
    fs::write(disk.path().join("00000000000000000500.attempts"), &bytes).unwrap();
    assert_eq!(disk.read(&disk.open(), 100).len(), 10);
}

#[test]
fn a_smaller_bound_is_kept_from_the_start_on() {
    let disk = Disk::new(8 * BYTES_MIN);
    let mut ring = disk.open();
    for number in 0..4000 {
        ring.append(&[attempt(number, &"x".repeat(300))]).unwrap();
    }
    assert!(disk.bytes() > 4 * BYTES_MIN);
    let disk = Disk {
        bytes_max: BYTES_MIN * 2,
        ..disk
    };
    let mut ring = disk.open();
    invariant_bound_is_kept(&disk);
    ring.append(&[attempt(4000, "x")]).unwrap();
    invariant_bound_is_kept(&disk);
    assert_eq!(numbers(&disk.read(&ring, 5))[0], 4000);
}

#[test]
fn what_was_left_is_read_at_once_and_is_there_at_the_next_start() {
    let disk = Disk::new(BYTES_MIN);
    let record = AccessRecord::new(BYTES_MIN);
    record.keep(attempt(1, "before it had its place"));
    record.open(disk.path());
    for number in 2..=50 {
        record.keep(attempt(number, "x"));
        let newest = record.page(None, 1, |_| true).kept;
        assert_eq!(numbers(&newest), [i64::try_from(number).unwrap()]);
    }
    assert_eq!(record.oldest_time(), Some(Timestamp::from_micros(1)));
    record.close();
    record.keep(attempt(51, "too late"));
    assert_eq!(record.dropped_count(), 1);
    let record = AccessRecord::new(BYTES_MIN);
    record.open(disk.path());
    let of_one = record.page(None, 100, |attempt| attempt.texts.principal == "p1");
    let expected: Vec<_> = (1..=50).rev().filter(|number| number % 3 == 1).collect();
    assert_eq!(numbers(&of_one.kept), expected);
    assert_eq!(record.page(None, 100, |_| true).kept.len(), 50);
}

#[test]
fn what_nobody_writes_in_time_is_counted_and_bounded() {
    // It has no place yet, as if the disk stood still.
    let record = AccessRecord::new(BYTES_MIN);
    let long = attempt(1, &"x".repeat(500));
    let fit = u64::try_from(WAITING_BYTES_MAX / long.bytes()).unwrap();
    for _ in 0..fit + 1000 {
        record.keep(long.clone());
    }
    assert_eq!(record.dropped_count(), 1000);
    let disk = Disk::new(BYTES_MIN);
    record.open(disk.path());
    record.close();
    assert_eq!(record.dropped_count(), 1000, "the others are written");
    invariant_bound_is_kept(&disk);
}

#[test]
fn a_directory_that_cannot_be_had_stops_nothing_and_is_counted() {
    let disk = Disk::new(BYTES_MIN);
    let file = disk.path().join("file");
    fs::write(&file, b"").unwrap();
    let record = AccessRecord::new(BYTES_MIN);
    record.keep(attempt(1, "x"));
    record.open(&file.join("access"));
    record.keep(attempt(2, "x"));
    assert_eq!(record.dropped_count(), 2);
    assert_eq!(record.page(None, 10, |_| true), Page::default());
    record.close();
}

#[test]
fn a_disk_that_refuses_is_counted_and_used_again_when_it_takes_something() {
    let disk = Disk::new(BYTES_MIN);
    let record = AccessRecord::new(BYTES_MIN);
    record.open(&disk.path().join("access"));
    record.keep(attempt(1, "x"));
    assert_eq!(record.page(None, 10, |_| true).kept.len(), 1);
    record.close();
    // The directory is gone, so no segment can be begun.
    let record = AccessRecord::new(BYTES_MIN);
    let dir = disk.path().join("other");
    record.open(&dir);
    fs::remove_dir(&dir).unwrap();
    for number in 2..=4 {
        record.keep(attempt(number, "x"));
        assert!(record.page(None, 10, |_| true).kept.is_empty());
    }
    assert_eq!(record.dropped_count(), 3);
    fs::create_dir(&dir).unwrap();
    record.keep(attempt(5, "x"));
    assert_eq!(numbers(&record.page(None, 10, |_| true).kept), [5]);
    assert_eq!(record.dropped_count(), 3);
}

#[test]
fn a_record_that_is_nowhere_keeps_nothing() {
    let record = AccessRecord::nowhere();
    record.keep(attempt(1, "x"));
    assert_eq!(
        (record.page(None, 10, |_| true), record.dropped_count()),
        (Page::default(), 0)
    );
}
