//! The disk of the simulated server: it survives every crash, and it can be told to fail at the next write, before the
//! write or right behind it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use binnacle::domain::Revision;
use binnacle::log::{Append, AppendOutcome, EventLog, LogError, LogErrorKind, LogId, MemoryLog, Records};

use super::trace::Trace;

/// A log that outlives its server. A copy is another hand on the same one.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    log: Arc<MemoryLog>,
    fate: Arc<Mutex<Option<Fate>>>,
    trace: Trace,
}

/// What becomes of the next write; the server ends with it either way, and says nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The machine dies first: nothing is written.
    DiesBeforeTheWrite,
    /// The write is durable, and nobody hears of it.
    DiesBehindTheWrite,
}

impl Disk {
    /// A disk with this log.
    pub(crate) fn with(whole: Append, trace: Trace) -> Self {
        let log = MemoryLog::new();
        let outcomes = log.append(&[whole]).expect("the records of a log");
        assert_eq!(outcomes, [AppendOutcome::Appended]);
        Self {
            log: Arc::new(log),
            fate: Arc::default(),
            trace,
        }
    }

    /// The one log that it has.
    pub(crate) fn whole(&self) -> Append {
        let heads = self.log.heads().expect("a log in memory");
        let (&log, _) = heads.first_key_value().expect("a workspace");
        let records = self.log.read(log, Revision::ZERO);
        Append {
            log,
            expected: Revision::ZERO,
            records: records.map(|record| record.expect("a record").bytes).collect(),
        }
    }

    /// Decides on the next write.
    pub(crate) fn destine(&self, fate: Option<Fate>) {
        *self.fate.lock().expect("no holder panics") = fate;
    }
}

impl EventLog for Disk {
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        let fate = self.fate.lock().expect("no holder panics").take();
        let outcome = match fate {
            Some(Fate::DiesBeforeTheWrite) => None,
            Some(Fate::DiesBehindTheWrite) | None => Some(self.log.append(appends)?),
        };
        let count: usize = appends.iter().map(|append| append.records.len()).sum();
        let first = appends.first().map_or(0, |append| append.expected.0 + 1);
        let ending = fate.map_or(String::new(), |fate| format!(", but the machine {fate:?}"));
        self.trace
            .note("disk", format!("writes {count} from {first}{ending}"));
        match (fate, outcome) {
            (None, Some(outcome)) => Ok(outcome),
            _ => Err(LogError::new(LogErrorKind::Io, "the simulated machine died")),
        }
    }

    fn read(&self, log: LogId, from: Revision) -> Records<'_> {
        self.log.read(log, from)
    }

    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError> {
        self.log.heads()
    }
}
