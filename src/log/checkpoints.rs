//! The `checkpoints/` directory beside the store: every checkpoint that the server signed, one file a log, appended and made
//! durable, so that a store that lost or changed anything before one of them is found out at the next start.
//!
//! Invariant: a file holds notes in ascending order of their revisions, an empty line between them. A note that a crash cut
//! short can only be the last, and is not believed; anything else that is no checkpoint of that log is refused. A file stays
//! small: when it has grown past a bound it is thinned out. The newest note is the one that finds a loss; older ones tell about
//! where something was changed.
//!
//! What it does not know: when a checkpoint is due, and whether a log still is what they say.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, PublicKey, SigningKey, unverified};
use super::data_dir::{create_dir, io_error};
use super::{LogError, LogErrorKind, LogId};
use crate::domain::Revision;

/// Where checkpoints go that speak of what a restore has left behind.
const SUPERSEDED: &str = "superseded";
/// What the name of a file of checkpoints ends with that a restore has put aside.
const BEFORE: &str = ".before";
/// A file that grows past this is thinned out until it is at most half of it: about 1,000 notes and 500.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// What the name of a file ends with that is to replace another one.
const UNFINISHED: &str = ".unfinished";

/// The open directory, and the key that signs.
#[derive(Debug)]
pub struct Checkpoints {
    dir: PathBuf,
    key: SigningKey,
}

/// The checkpoints of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// In ascending order of their revisions.
    pub checkpoints: Vec<Checkpoint>,
    /// How many bytes of the file they are; what is behind was cut short by a crash.
    whole_bytes: usize,
}

impl Checkpoints {
    /// Opens the directory, or makes it, and answers every checkpoint in it, by log. What a crash has cut short is cut off.
    ///
    /// # Errors
    /// `Damaged` when a file holds anything else than checkpoints of its log that this key has signed, `Io` when the operating
    /// system refuses.
    pub fn open(dir: PathBuf, key: SigningKey) -> Result<(Self, BTreeMap<LogId, Vec<Checkpoint>>), LogError> {
        create_dir(&dir)?;
        remove_unfinished(&dir)?;
        let mut found = BTreeMap::new();
        for (log, path) in files(&dir)? {
            let (text, bytes) = read(&path)?;
            let notes = Notes::parse(&text, log, &key.public()).map_err(|flaw| damaged(&path, &flaw))?;
            if notes.whole_bytes < bytes {
                tracing::warn!(file = %path.display(), "the last checkpoint was cut short by a crash and is left out");
                cut(&path, notes.whole_bytes)?;
            }
            // Of an older release there may be many.
            if notes.whole_bytes as u64 > FILE_BYTES_MAX {
                thin_out_if_possible(&dir, log, &key.public())?;
            }
            found.insert(log, notes.checkpoints);
        }
        Ok((Self { dir, key }, found))
    }

    /// Every checkpoint in a directory, by log, and nothing is changed there. A directory that is not there has none.
    ///
    /// # Errors
    /// As [`Checkpoints::open`].
    pub fn read(dir: &Path, key: &PublicKey) -> Result<BTreeMap<LogId, Vec<Checkpoint>>, LogError> {
        let mut found = BTreeMap::new();
        if !dir.exists() {
            return Ok(found);
        }
        for (log, path) in files(dir)? {
            let (text, _) = read(&path)?;
            let notes = Notes::parse(&text, log, key).map_err(|flaw| damaged(&path, &flaw))?;
            found.insert(log, notes.checkpoints);
        }
        Ok(found)
    }

    /// Whether a directory holds checkpoints that some key has signed. One that is not there holds none.
    ///
    /// # Errors
    /// As [`Checkpoints::read`], but what is in the files is not looked at.
    pub fn any(dir: &Path) -> Result<bool, LogError> {
        if !dir.exists() {
            return Ok(false);
        }
        for path in files(dir)?.values() {
            let metadata = fs::metadata(path).map_err(|error| io_error("could not read", path, error))?;
            if metadata.len() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs a checkpoint and appends it to its log's file, durably, and thins the file out when it has grown too long.
    ///
    /// # Errors
    /// `Io` when the operating system refuses; the file then ends with the checkpoint, without it, or with a part of it.
    /// `Damaged` when somebody has written into a file that is to be thinned out.
    pub fn append(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let path = self.dir.join(checkpoint.origin.log.to_string());
        let failed = |error| io_error("could not write", &path, error);
        let is_new = !path.exists();
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed)?;
        let note = self.key.sign(checkpoint);
        // One write: a crash cuts at most this note.
        file.write_all(format!("{note}\n").as_bytes()).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        if is_new {
            File::open(&self.dir)
                .and_then(|dir| dir.sync_all())
                .map_err(failed)?;
        }
        if file.metadata().map_err(failed)?.len() > FILE_BYTES_MAX {
            thin_out_if_possible(&self.dir, checkpoint.origin.log, &self.key.public())?;
        }
        Ok(())
    }
}

impl Notes {
    /// Reads a file of notes.
    ///
    /// # Errors
    /// A sentence: which note is wrong, and how.
    pub fn parse(text: &str, log: LogId, key: &PublicKey) -> Result<Self, String> {
        let mut notes = Self::default();
        let mut newest = Revision::ZERO;
        for (number, note) in (1..).zip(whole_notes(text)) {
            let checkpoint = key.open(note).map_err(|flaw| {
                // Of a note that cannot even be read there is nothing to say but its place.
                let about = unverified(note).map(|said| format!(", of revision {},", said.revision));
                format!(
                    "its checkpoint number {number}{} is not to be believed: {flaw}",
                    about.unwrap_or_default()
                )
            })?;
            if checkpoint.origin.log != log {
                return Err(format!(
                    "its checkpoint number {number} is of another log: {}",
                    checkpoint.origin
                ));
            }
            if checkpoint.revision <= newest {
                let revision = checkpoint.revision;
                return Err(format!(
                    "its checkpoint number {number}, of revision {revision}, stands behind one of {newest}"
                ));
            }
            newest = checkpoint.revision;
            notes.whole_bytes += note.len() + 1;
            notes.checkpoints.push(checkpoint);
        }
        Ok(notes)
    }
}

/// The notes of a file, without one that a crash cut short: each ends with the line of its signature, and an empty line.
fn whole_notes(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let text = rest.find("\n\n")? + 2;
        let end = text + rest.get(text..)?.find("\n\n")? + 1;
        let (note, behind) = rest.split_at_checked(end)?;
        rest = behind.strip_prefix('\n')?;
        Some(note)
    })
}

/// Every file of checkpoints in a directory, with the log that its name says.
///
/// # Errors
/// `Io` when the operating system refuses, `Damaged` when there is a file that is none of ours.
fn files(dir: &Path) -> Result<BTreeMap<LogId, PathBuf>, LogError> {
    let failed = |error| io_error("could not list", dir, error);
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        match name.to_str().and_then(LogId::from_hex) {
            Some(log) => {
                found.insert(log, entry.path());
            }
            None if name.to_str() == Some(SUPERSEDED) => {}
            // A crash came before it could take its place.
            None if is_unfinished(&name) => {}
            None => {
                let context = format!(
                    "{} is no file of checkpoints: move it away",
                    entry.path().display()
                );
                return Err(LogError::new(LogErrorKind::Damaged, context));
            }
        }
    }
    Ok(found)
}

/// Removes what a crash has kept from taking its place.
fn remove_unfinished(dir: &Path) -> Result<(), LogError> {
    let failed = |error| io_error("could not list", dir, error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if is_unfinished(&entry.file_name()) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| io_error("could not remove", &path, error))?;
        }
    }
    Ok(())
}

fn is_unfinished(name: &OsStr) -> bool {
    let log = name.to_str().and_then(|name| name.strip_suffix(UNFINISHED));
    log.and_then(LogId::from_hex).is_some()
}

/// The logs that a directory has a file of checkpoints for. One that is not there has none.
///
/// # Errors
/// As [`Checkpoints::open`], but what is in the files is not looked at.
pub fn logs_in(dir: &Path) -> Result<Vec<LogId>, LogError> {
    match dir.exists() {
        true => Ok(files(dir)?.into_keys().collect()),
        false => Ok(Vec::new()),
    }
}

/// The newest epoch that the checkpoints of a log name, also those that a restore has left behind; 0: there are none.
///
/// # Errors
/// `Io` when the operating system refuses, `Damaged` when a file is no text.
pub fn newest_epoch(dir: &Path, log: LogId) -> Result<u32, LogError> {
    let name = log.to_string();
    let mut newest = 0;
    for path in [dir.join(&name), dir.join(SUPERSEDED).join(&name)] {
        if path.exists() {
            let (text, _) = read(&path)?;
            let epochs = whole_notes(&text).filter_map(|note| unverified(note).ok());
            newest = epochs.map(|said| said.origin.epoch).fold(newest, u32::max);
        }
    }
    Ok(newest)
}

/// Takes what speaks of more than a revision, or of a newer epoch than the one it is in, out of a log's file, and keeps it under
/// `superseded/`: after a restore to that point it speaks of what is no more.
///
/// # Errors
/// `Io` when the operating system refuses, `Damaged` when the file is not to be believed; the file is then as it was.
pub fn supersede(dir: &Path, log: LogId, after: Revision, epoch: u32) -> Result<Superseded, LogError> {
    let path = dir.join(log.to_string());
    if !path.exists() {
        return Ok(Superseded::default());
    }
    let (text, _) = read(&path)?;
    let notes: Vec<_> = whole_notes(&text).collect();
    let later =
        |note: &&str| unverified(note).is_ok_and(|said| said.revision > after || said.origin.epoch > epoch);
    let kept: String = notes
        .iter()
        .filter(|note| !later(note))
        .map(|note| format!("{note}\n"))
        .collect();
    let gone: String = notes
        .iter()
        .filter(|note| later(note))
        .map(|note| format!("{note}\n"))
        .collect();
    let count = notes.iter().filter(|note| later(note)).count();
    if count == 0 {
        return Ok(Superseded::default());
    }
    let aside = dir.join(SUPERSEDED);
    create_dir(&aside)?;
    let moved = aside.join(log.to_string());
    let before = aside.join(format!("{log}{BEFORE}"));
    let append = || {
        let mut file = OpenOptions::new().append(true).create(true).open(&moved)?;
        file.write_all(gone.as_bytes())?;
        file.sync_all()?;
        File::open(&aside)?.sync_all()?;
        // Whole, or not there: it may be put back when this program is no more.
        let unfinished = aside.join(format!("{log}{UNFINISHED}"));
        fs::copy(&path, &unfinished)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &before)?;
        File::open(&aside)?.sync_all()
    };
    append().map_err(|error| io_error("could not write", &moved, error))?;
    let superseded = Superseded {
        count,
        replaced: Some((path.clone(), before)),
    };
    let replaced = match kept.is_empty() {
        true => fs::remove_file(&path).and_then(|()| File::open(dir)?.sync_all()),
        false => replace(dir, &path, &kept),
    };
    match replaced {
        Ok(()) => Ok(superseded),
        Err(error) => {
            superseded.undo()?;
            Err(io_error("could not replace", &path, error))
        }
    }
}

/// What a restore that was killed has taken out and neither put back nor settled, in a directory of checkpoints.
///
/// # Errors
/// `Io` when the operating system refuses.
pub fn left_aside(dir: &Path) -> Result<Vec<Superseded>, LogError> {
    let aside = dir.join(SUPERSEDED);
    let failed = |error| io_error("could not list", &aside, error);
    let entries = match fs::read_dir(&aside) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut left = Vec::new();
    for entry in entries {
        let before = entry.map_err(failed)?.path();
        let name = before.file_name().and_then(OsStr::to_str);
        let log = name.and_then(|name| LogId::from_hex(name.strip_suffix(BEFORE)?));
        if let Some(log) = log {
            left.push(Superseded {
                count: 0,
                replaced: Some((dir.join(log.to_string()), before)),
            });
        }
    }
    Ok(left)
}

/// What was taken out of a log's file, as long as it can be put back.
#[derive(Debug, Default)]
#[must_use]
pub struct Superseded {
    /// How many checkpoints.
    pub count: usize,
    /// The file, and what it was.
    replaced: Option<(PathBuf, PathBuf)>,
}

impl Superseded {
    /// Puts the file back as it was; what lies under `superseded/` stays there, too.
    ///
    /// # Errors
    /// `Io` when the operating system refuses. It takes no room on the disk.
    pub fn undo(self) -> Result<(), LogError> {
        match self.replaced {
            Some((path, before)) => {
                fs::rename(&before, &path).map_err(|error| io_error("could not put back", &path, error))
            }
            None => Ok(()),
        }
    }

    /// It stays so.
    ///
    /// # Errors
    /// `Io` when the operating system refuses.
    pub fn settle(self) -> Result<(), LogError> {
        match self.replaced {
            Some((_, before)) => {
                fs::remove_file(&before).map_err(|error| io_error("could not remove", &before, error))
            }
            None => Ok(()),
        }
    }
}

/// Thins a file out. That the disk has no room for it is no reason to stop: the next time it is tried again.
fn thin_out_if_possible(dir: &Path, log: LogId, key: &PublicKey) -> Result<(), LogError> {
    match thin_out(dir, log, key) {
        Err(error) if error.kind == LogErrorKind::Io => {
            tracing::warn!(%error, "the checkpoints of a log could not be thinned out");
            Ok(())
        }
        done => done,
    }
}

/// Takes notes out of a log's file until it is short enough: those that are left lie about equally far from each other, and the
/// newest is one of them.
fn thin_out(dir: &Path, log: LogId, key: &PublicKey) -> Result<(), LogError> {
    let path = dir.join(log.to_string());
    let (text, _) = read(&path)?;
    // What somebody has changed is not taken out without a word.
    Notes::parse(&text, log, key).map_err(|flaw| damaged(&path, &flaw))?;
    let notes = whole_notes(&text).map(|note| {
        let said = unverified(note).map_err(|flaw| damaged(&path, &flaw.to_string()))?;
        Ok((said.revision, note))
    });
    let notes = notes.collect::<Result<Vec<_>, LogError>>()?;
    let bytes = |notes: &[(Revision, &str)]| notes.iter().map(|(_, note)| note.len() as u64 + 1).sum::<u64>();
    let (mut kept, mut distance) = (notes.clone(), 1);
    while kept.len() > 2 && bytes(&kept) > FILE_BYTES_MAX / 2 {
        distance *= 2;
        kept = apart(&notes, distance);
    }
    let kept: String = kept.iter().flat_map(|(_, note)| [*note, "\n"]).collect();
    replace(dir, &path, &kept).map_err(|error| io_error("could not replace", &path, error))
}

/// The oldest note, those that lie at least so many revisions behind the one before, and the newest.
fn apart<'a>(notes: &[(Revision, &'a str)], distance: u64) -> Vec<(Revision, &'a str)> {
    let mut kept: Vec<(Revision, &str)> = Vec::new();
    for (revision, note) in notes {
        if kept
            .last()
            .is_none_or(|(last, _)| revision.0.saturating_sub(last.0) >= distance)
        {
            kept.push((*revision, note));
        }
    }
    if let Some(newest) = notes.last()
        && kept.last() != Some(newest)
    {
        kept.push(*newest);
    }
    kept
}

/// Gives a file of checkpoints another text: whatever happens, it has the old or the new one.
fn replace(dir: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    fs::write(&unfinished, text)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(dir)?.sync_all()
}

/// A file's text, and how many bytes it has. A crash may have cut it within a character.
fn read(path: &Path) -> Result<(String, usize), LogError> {
    let mut bytes = fs::read(path).map_err(|error| io_error("could not read", path, error))?;
    let length = bytes.len();
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    let text = String::from_utf8(bytes).map_err(|_| damaged(path, "it is no text"))?;
    Ok((text, length))
}

fn cut(path: &Path, bytes: usize) -> Result<(), LogError> {
    let cut = || {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(bytes as u64)?;
        file.sync_all()
    };
    cut().map_err(|error| io_error("could not cut", path, error))
}

fn damaged(path: &Path, flaw: &str) -> LogError {
    LogError::new(
        LogErrorKind::Damaged,
        format!(
            "the checkpoints in {} are damaged: {flaw}; put the file back from a copy of the data directory; if it was signed \
             with another key, put that key back",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Origin, Root};

    const LOG: LogId = LogId([3; 16]);

    fn checkpoint(revision: u64) -> Checkpoint {
        Checkpoint {
            origin: Origin { log: LOG, epoch: 1 },
            revision: Revision(revision),
            root: Root([u8::try_from(revision).unwrap(); 32]),
        }
    }

    /// A directory with checkpoints of revisions 1, 5 and 9, and the key.
    struct Kept {
        dir: tempfile::TempDir,
    }

    impl Kept {
        fn new() -> Self {
            let kept = Self {
                dir: tempfile::tempdir().unwrap(),
            };
            let (open, found) = kept.open().unwrap();
            assert!(found.is_empty());
            for revision in [1, 5, 9] {
                open.append(&checkpoint(revision)).unwrap();
            }
            kept
        }

        fn open(&self) -> Result<(Checkpoints, BTreeMap<LogId, Vec<Checkpoint>>), LogError> {
            let key = SigningKey::load_or_create(&self.dir.path().join("key")).unwrap();
            Checkpoints::open(self.dir.path().join("checkpoints"), key)
        }

        fn file(&self) -> PathBuf {
            self.dir.path().join("checkpoints").join(LOG.to_string())
        }

        fn found(&self) -> Vec<u64> {
            let (_, mut found) = self.open().unwrap();
            let found = found.remove(&LOG).unwrap_or_default();
            found.iter().map(|checkpoint| checkpoint.revision.0).collect()
        }
    }

    #[test]
    fn what_was_signed_is_there_after_a_restart() {
        let kept = Kept::new();
        assert_eq!(kept.found(), [1, 5, 9]);
        let (open, _) = kept.open().unwrap();
        open.append(&checkpoint(12)).unwrap();
        assert_eq!(kept.found(), [1, 5, 9, 12]);
    }

    #[test]
    fn a_last_note_that_was_cut_short_is_left_out_wherever_it_was_cut() {
        let kept = Kept::new();
        let whole = fs::read(kept.file()).unwrap();
        let third = whole.len() / 3 * 2;
        for length in third..whole.len() {
            fs::write(kept.file(), &whole[..length]).unwrap();
            assert_eq!(kept.found(), [1, 5], "cut at {length} of {}", whole.len());
            let (open, _) = kept.open().unwrap();
            open.append(&checkpoint(9)).unwrap();
            assert_eq!(fs::read(kept.file()).unwrap(), whole, "it goes on behind the cut");
        }
    }

    #[test]
    fn a_changed_byte_is_refused_by_the_number_of_its_checkpoint() {
        let kept = Kept::new();
        let whole = fs::read(kept.file()).unwrap();
        for place in 0..whole.len() / 3 * 2 {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            fs::write(kept.file(), &changed).unwrap();
            let refused = kept.open().unwrap_err();
            assert_eq!(refused.kind, LogErrorKind::Damaged, "byte {place}");
            assert!(refused.context.contains(&LOG.to_string()), "{refused}");
        }
    }

    #[test]
    fn notes_in_another_order_or_of_another_log_are_refused() {
        let kept = Kept::new();
        let text = fs::read_to_string(kept.file()).unwrap();
        let notes: Vec<_> = whole_notes(&text).collect();
        let swapped = format!("{}\n{}\n", notes[1], notes[0]);
        fs::write(kept.file(), swapped).unwrap();
        let refused = kept.open().unwrap_err().context;
        assert!(
            refused.contains("of revision 1, stands behind one of 5"),
            "{refused}"
        );
        fs::rename(
            kept.file(),
            kept.file().with_file_name(LogId([4; 16]).to_string()),
        )
        .unwrap();
        fs::write(kept.file().with_file_name(LogId([4; 16]).to_string()), text).unwrap();
        let refused = kept.open().unwrap_err().context;
        assert!(refused.contains("is of another log"), "{refused}");
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_refused_by_name() {
        let kept = Kept::new();
        fs::write(kept.file().with_file_name("notes.txt"), "").unwrap();
        let refused = kept.open().unwrap_err().context;
        assert!(
            refused.contains("notes.txt is no file of checkpoints"),
            "{refused}"
        );
    }

    #[test]
    fn what_a_restore_left_behind_is_kept_aside() {
        let kept = Kept::new();
        let dir = kept.dir.path().join("checkpoints");
        let superseded = |after: u64, epoch| {
            let superseded = supersede(&dir, LOG, Revision(after), epoch).unwrap();
            let count = superseded.count;
            superseded.settle().unwrap();
            count
        };
        assert_eq!(superseded(5, 1), 1);
        assert_eq!(kept.found(), [1, 5]);
        let aside = fs::read_to_string(dir.join(SUPERSEDED).join(LOG.to_string())).unwrap();
        assert_eq!(whole_notes(&aside).count(), 1);
        assert_eq!(superseded(5, 1), 0);
        assert_eq!(superseded(0, 0), 2);
        assert!(!kept.file().exists(), "nothing of it is left");
        assert_eq!(supersede(&dir, LogId([5; 16]), Revision(5), 1).unwrap().count, 0);
        let left: Vec<_> = fs::read_dir(dir.join(SUPERSEDED)).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn what_a_restore_that_failed_had_taken_out_is_back() {
        let kept = Kept::new();
        let dir = kept.dir.path().join("checkpoints");
        let whole = fs::read(kept.file()).unwrap();
        for after in [5, 0] {
            let superseded = supersede(&dir, LOG, Revision(after), 1).unwrap();
            assert!(superseded.count > 0);
            superseded.undo().unwrap();
            assert_eq!(fs::read(kept.file()).unwrap(), whole);
        }
    }

    #[test]
    fn a_file_stays_small_and_its_newest_checkpoint_stays_whatever_goes() {
        let kept = Kept::new();
        let (open, _) = kept.open().unwrap();
        let mut longest = 0;
        for revision in 10..=1500 {
            let checkpoint = Checkpoint {
                revision: Revision(revision),
                ..checkpoint(9)
            };
            open.append(&checkpoint).unwrap();
            longest = longest.max(fs::metadata(kept.file()).unwrap().len());
        }
        assert!(longest <= FILE_BYTES_MAX, "{longest}");
        let found = kept.found();
        assert_eq!(found.last(), Some(&1500));
        assert!(found.len() > 400, "{}", found.len());
        let widest = found.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(
            widest <= Some(9),
            "where something was changed can be told everywhere: {found:?}"
        );
    }

    #[test]
    fn a_file_of_a_release_that_kept_all_is_verified_and_then_thinned_out() {
        let kept = Kept::new();
        let key = SigningKey::load_or_create(&kept.dir.path().join("key")).unwrap();
        let notes = (1..=1100).map(|revision| {
            let checkpoint = Checkpoint {
                revision: Revision(revision),
                ..checkpoint(9)
            };
            format!("{}\n", key.sign(&checkpoint))
        });
        fs::write(kept.file(), notes.collect::<String>()).unwrap();
        assert_eq!(kept.found().len(), 1100);
        assert!(fs::metadata(kept.file()).unwrap().len() <= FILE_BYTES_MAX / 2);
        assert_eq!(kept.found().last(), Some(&1100));
    }

    #[test]
    fn a_crash_while_a_file_is_replaced_leaves_the_old_one() {
        let kept = Kept::new();
        let unfinished = kept.file().with_file_name(format!("{LOG}{UNFINISHED}"));
        fs::write(&unfinished, "binnacle.dev/lo").unwrap();
        assert_eq!(kept.found(), [1, 5, 9]);
        assert!(!unfinished.exists());
    }

    /// What a restore to a later point finds of an earlier restore: its own revisions, in an epoch that is no more.
    #[test]
    fn what_is_of_a_newer_epoch_is_kept_aside_also_where_the_log_goes_further() {
        let kept = Kept::new();
        let dir = kept.dir.path().join("checkpoints");
        let (open, _) = kept.open().unwrap();
        let of_the_restore = Checkpoint {
            origin: Origin { log: LOG, epoch: 2 },
            ..checkpoint(12)
        };
        open.append(&of_the_restore).unwrap();
        let superseded = supersede(&dir, LOG, Revision(20), 1).unwrap();
        assert_eq!(superseded.count, 1);
        superseded.settle().unwrap();
        assert_eq!(kept.found(), [1, 5, 9]);
        assert_eq!(newest_epoch(&dir, LOG).unwrap(), 2, "it is given to nobody else");
    }
}
