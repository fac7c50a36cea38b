//! A log in memory: the reference that the conformance suite holds every other log to, and the test double that
//! fails, hangs or loses races on demand.
//!
//! Invariant: without an interruption it keeps every promise of [`EventLog`] but durability; an interruption does what
//! its name says and nothing else.
//!
//! What it does not know: bytes on disk. Never for a server: what it holds ends with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Append, AppendOutcome, EventLog, LogError, LogErrorKind, LogId, Record, Records, check_sizes};
use crate::domain::Revision;

/// A log that ends with the process.
#[derive(Default)]
pub struct MemoryLog {
    logs: RwLock<BTreeMap<LogId, Vec<Arc<[u8]>>>>,
    interruption: Option<Interruption>,
}

/// Runs at the start of every [`EventLog::append`], before anything is written or visible, on the appending thread
/// and without any lock held. It may block (a disk that hangs), it may write through [`MemoryLog::append_as_rival`]
/// (another writer that was quicker), and it says how the append ends.
pub type Interruption = Box<dyn Fn(&MemoryLog, &[Append]) -> Ending + Send + Sync>;

/// How an interrupted append ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As if there had been no interruption.
    AsUsual,
    /// With an I/O error, and nothing is written.
    IoError,
    /// Every run is answered [`AppendOutcome::Unknown`] and has in truth been written, where it did not conflict.
    UnknownButWritten,
    /// Every run is answered [`AppendOutcome::Unknown`] and has in truth been lost.
    UnknownAndLost,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty log whose appends run through `interruption` first.
    ///
    /// A disk that takes its time, so that a test can look at what is visible meanwhile:
    /// ```
    /// use std::sync::{Mutex, mpsc};
    /// use binnacle::domain::Revision;
    /// use binnacle::log::{Append, Ending, EventLog, LogId, MemoryLog};
    ///
    /// let (reached, at_the_disk) = mpsc::channel();
    /// let (go_on, wait) = mpsc::channel::<()>();
    /// let wait = Mutex::new(wait);
    /// let log = MemoryLog::with_interruption(move |_, _| {
    ///     reached.send(()).expect("the test waits for it");
    ///     wait.lock().expect("no test panicked").recv().expect("the test lets it go on");
    ///     Ending::AsUsual
    /// });
    /// let id = LogId([1; 16]);
    /// std::thread::scope(|scope| {
    ///     let append = Append { log: id, expected: Revision::ZERO, records: vec![b"first".to_vec()] };
    ///     let writer = scope.spawn(|| log.append(&[append]).expect("no disk, no error"));
    ///     at_the_disk.recv().expect("the append has begun");
    ///     assert_eq!(log.read(id, Revision::ZERO).count(), 0);
    ///     go_on.send(()).expect("the append waits");
    ///     writer.join().expect("the writer does not panic");
    ///     assert_eq!(log.read(id, Revision::ZERO).count(), 1);
    /// });
    /// ```
    pub fn with_interruption(
        interruption: impl Fn(&Self, &[Append]) -> Ending + Send + Sync + 'static,
    ) -> Self {
        Self {
            logs: RwLock::default(),
            interruption: Some(Box::new(interruption)),
        }
    }

    /// Appends past the interruption: what another writer would do.
    ///
    /// # Errors
    /// A record is over [`super::MAX_RECORD_BYTES`]; then nothing was written.
    pub fn append_as_rival(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        check_sizes(appends)?;
        let mut logs = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        Ok(appends
            .iter()
            .map(|append| {
                let head = logs
                    .get(&append.log)
                    .map_or(Revision::ZERO, |records| head_of(records));
                if head != append.expected {
                    return AppendOutcome::Conflict { head };
                }
                let records = append.records.iter().map(|record| Arc::from(record.as_slice()));
                if !append.records.is_empty() {
                    logs.entry(append.log).or_default().extend(records);
                }
                AppendOutcome::Appended
            })
            .collect())
    }
}

impl EventLog for MemoryLog {
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        check_sizes(appends)?;
        let ending = self
            .interruption
            .as_ref()
            .map_or(Ending::AsUsual, |interrupt| interrupt(self, appends));
        let unknown = || vec![AppendOutcome::Unknown; appends.len()];
        match ending {
            Ending::AsUsual => self.append_as_rival(appends),
            Ending::IoError => Err(LogError::caused(
                LogErrorKind::Io,
                "the log could not be written: stop the process and look at the disk",
                io::Error::other("an interruption of the memory log asked for it"),
            )),
            Ending::UnknownButWritten => self.append_as_rival(appends).map(|_| unknown()),
            Ending::UnknownAndLost => Ok(unknown()),
        }
    }

    fn read(&self, log: LogId, from: Revision) -> Records<'_> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        let first = from.max(Revision::ZERO.next());
        let skipped = usize::try_from(first.0 - 1).unwrap_or(usize::MAX);
        let records: Vec<_> = logs
            .get(&log)
            .and_then(|records| records.get(skipped..))
            .unwrap_or_default()
            .to_vec();
        // Records first: a range that begins at the largest revision has no second step.
        Box::new(records.into_iter().zip(first.0..).map(|(bytes, revision)| {
            Ok(Record {
                revision: Revision(revision),
                bytes: bytes.to_vec(),
            })
        }))
    }

    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        Ok(logs
            .iter()
            .map(|(log, records)| (*log, head_of(records)))
            .collect())
    }
}

fn head_of(records: &[Arc<[u8]>]) -> Revision {
    Revision(records.len() as u64)
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("heads", &self.heads())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId([1; 16]);

    fn append(expected: u64, record: &[u8]) -> Append {
        Append {
            log: LOG,
            expected: Revision(expected),
            records: vec![record.to_vec()],
        }
    }

    fn contents(log: &MemoryLog) -> Vec<Vec<u8>> {
        log.read(LOG, Revision::ZERO)
            .map(|record| record.unwrap().bytes)
            .collect()
    }

    #[test]
    fn an_io_error_writes_nothing() {
        let log = MemoryLog::with_interruption(|_, _| Ending::IoError);
        let error = log.append(&[append(0, b"a")]).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::Io);
        assert!(contents(&log).is_empty());
    }

    #[test]
    fn unknown_may_be_written_or_lost() {
        for (ending, expected) in [
            (Ending::UnknownButWritten, vec![b"a".to_vec()]),
            (Ending::UnknownAndLost, vec![]),
        ] {
            let log = MemoryLog::with_interruption(move |_, _| ending);
            assert_eq!(log.append(&[append(0, b"a")]).unwrap(), [AppendOutcome::Unknown]);
            assert_eq!(contents(&log), expected, "{ending:?}");
        }
    }

    #[test]
    fn a_rival_that_is_quicker_makes_the_append_conflict() {
        let log = MemoryLog::with_interruption(|log, _| {
            log.append_as_rival(&[append(0, b"rival")]).unwrap();
            Ending::AsUsual
        });
        let outcome = log.append(&[append(0, b"late")]).unwrap();
        assert_eq!(outcome, [AppendOutcome::Conflict { head: Revision(1) }]);
        assert_eq!(contents(&log), [b"rival"]);
    }
}
