//! The newest state of one workspace as the committer holds it, and a draft of what comes next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::feed::Update;
use super::hosted::Hosted;
use super::replay::{ReadCommit, next_update, update_of};
use super::{Refusal, Revision};
use crate::domain::{
    ALARMS_PER_COMMIT_MAX, Command, Commit, Decision, Id, Origin, Rejection, ResourceName, Stamp, Timestamp,
    decide, plus_days,
};
use crate::log::{LeafHash, LogId, MAX_RECORD_BYTES, Tree, codec};
use crate::projection::State;

/// One workspace at its newest durable state.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) log: LogId,
    pub(super) state: State,
    pub(super) tree: Tree,
    pub(super) epoch: u32,
    /// Durable, but not shown yet.
    pub(super) unpublished: Vec<Arc<Update>>,
    /// Where it is shown; none before its first commit is durable.
    pub(super) hosted: Option<Arc<Hosted>>,
    /// When its next local day begins.
    midnight: Timestamp,
}

/// A line moved on by commits that are not durable yet.
pub(super) struct Draft {
    line: Line,
    base: Revision,
    records: Vec<Vec<u8>>,
    bytes: usize,
}

/// What became of one command; it is said when the group is durable.
pub(super) enum Decided {
    Committed(Box<DraftCommit>),
    /// It changes nothing and has no id to be remembered by. The state that it was decided on, and when: what it found there
    /// may be gone as soon as the next command of the group.
    Unchanged {
        state: Arc<State>,
        decided_time: Timestamp,
    },
    /// It ran before.
    Repeated {
        workspace: Id,
        revision: Revision,
    },
    Refused(Refusal),
    /// A batch without what was refused in it, each by its index.
    Rest {
        rest: Box<Decided>,
        refused: Vec<(usize, Rejection)>,
    },
}

impl Decided {
    /// Whether something is recorded of it.
    pub(super) fn is_commit(&self) -> bool {
        match self {
            Self::Committed(_) => true,
            Self::Rest { rest, .. } => rest.is_commit(),
            Self::Unchanged { .. } | Self::Repeated { .. } | Self::Refused(_) => false,
        }
    }
}

/// A command's commit, and the state just behind it where the answer shows more than the commit.
pub(super) struct DraftCommit {
    pub(super) revision: Revision,
    pub(super) recorded_time: Timestamp,
    pub(super) update: Arc<Update>,
    pub(super) state: Option<Arc<State>>,
}

impl Line {
    pub(super) fn new(log: LogId, state: State, tree: Tree, epoch: u32, hosted: Option<Arc<Hosted>>) -> Self {
        let midnight = midnight_after(&state);
        Self {
            log,
            state,
            tree,
            epoch,
            unpublished: Vec::new(),
            hosted,
            midnight,
        }
    }

    pub(super) fn revision(&self) -> Revision {
        self.state.workspace().revision()
    }

    pub(super) fn midnight(&self) -> Timestamp {
        self.midnight
    }

    /// Another writer's commit comes in between.
    pub(super) fn fold(&mut self, read: ReadCommit) {
        self.epoch = read.commit.epoch;
        let root = self.tree.append(read.leaf);
        let update = next_update(&mut self.state, root, read);
        self.unpublished.push(Arc::new(update));
        self.midnight = midnight_after(&self.state);
    }
}

impl Draft {
    pub(super) fn of(line: &Line) -> Self {
        Self {
            base: line.revision(),
            line: line.clone(),
            records: Vec::new(),
            bytes: 0,
        }
    }

    /// Of a workspace that is not there yet.
    pub(super) fn of_new(log: LogId) -> Self {
        let line = Line::new(log, State::empty(), Tree::empty(), 1, None);
        Self {
            base: Revision::ZERO,
            line,
            records: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn log(&self) -> LogId {
        self.line.log
    }

    /// The line with what was decided so far.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// The durable revision that it builds on.
    pub(super) fn base(&self) -> Revision {
        self.base
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn take_records(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.records)
    }

    /// It is durable now.
    pub(super) fn into_line(self) -> Line {
        self.line
    }

    /// Decides a command on what the draft has come to.
    pub(super) fn decide(&mut self, command: &Command, origin: &Origin, now: Timestamp) -> Decided {
        self.start_day_if_due(now);
        let stamp = self.stamp(origin, now);
        // The core is given a state and gives back events: what panics in it leaves nothing half done.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            decide(self.line.state.workspace(), command, &stamp)
        }));
        let decision = match decided {
            Ok(Ok(decision)) => decision,
            Ok(Err(rejection)) => return Decided::Refused(named(rejection, command)),
            Err(_panic) => return Decided::Refused(Refusal::Panicked),
        };
        if decision.events.is_empty() && origin.request.is_none() {
            return Decided::Unchanged {
                state: Arc::new(self.line.state.clone()),
                decided_time: stamp.recorded_time,
            };
        }
        // The answer to a measurement is in its commit; keeping a state for each would copy what they share. What was known
        // before is in no commit.
        let needs_state = decision.events.is_empty() || !matches!(command, Command::RecordMeasurements(_));
        match self.commit(&stamp, origin.clone(), decision) {
            Err(refusal) => Decided::Refused(refusal),
            Ok(update) => {
                if needs_state {
                    self.line.midnight = midnight_after(&self.line.state);
                }
                Decided::Committed(Box::new(DraftCommit {
                    revision: stamp.revision,
                    recorded_time: stamp.recorded_time,
                    update,
                    state: needs_state.then(|| Arc::new(self.line.state.clone())),
                }))
            }
        }
    }

    /// Decides a batch of measurements and leaves out what is refused. Only a batch in which something is refused is
    /// decided a second time, on the same state and with the same stamp, so that the rest is not refused either.
    pub(super) fn decide_rest(&mut self, command: &Command, origin: &Origin, now: Timestamp) -> Decided {
        let decided = self.decide(command, origin, now);
        let Command::RecordMeasurements(batch) = command else {
            return decided;
        };
        let refused = match decided {
            Decided::Refused(Refusal::Rejected(rejection)) => match elements(rejection, batch.len()) {
                Ok(refused) => refused,
                Err(whole) => return Decided::Refused(Refusal::Rejected(whole)),
            },
            decided => return decided,
        };
        let mut left_out = refused.iter().map(|(index, _)| *index).peekable();
        let rest = batch
            .iter()
            .enumerate()
            .filter(|(index, _)| left_out.next_if_eq(index).is_none())
            .map(|(_, measurement)| measurement.clone())
            .collect();
        let rest = self.decide(&Command::RecordMeasurements(rest), origin, now);
        Decided::Rest {
            rest: Box::new(rest),
            refused,
        }
    }

    /// Records the new local day, if one has begun, and all alerts that its start opens and closes.
    pub(super) fn start_day_if_due(&mut self, now: Timestamp) {
        let origin = day_origin();
        if self.stamp(&origin, now).recorded_time < self.line.midnight {
            return;
        }
        // A commit of a day's start that is full is followed by one with what it left over.
        while self.start_day(&origin, now) >= ALARMS_PER_COMMIT_MAX {}
        self.line.midnight = midnight_after(&self.line.state);
    }

    /// How many events one more commit of the day's start has.
    fn start_day(&mut self, origin: &Origin, now: Timestamp) -> usize {
        let stamp = self.stamp(origin, now);
        let workspace = self.line.state.workspace();
        let command = Command::StartDay {
            date: workspace.rules().date(stamp.recorded_time),
        };
        let decided = catch_unwind(AssertUnwindSafe(|| decide(workspace, &command, &stamp)));
        let count = match decided {
            Ok(Ok(decision)) if decision.events.is_empty() => Some(0),
            Ok(Ok(decision)) => {
                let count = decision.events.len();
                // A full one has at most ALARMS_PER_COMMIT_MAX alarms and a few, each of less than 300 bytes: it fits.
                let committed = self.commit(&stamp, origin.clone(), decision);
                committed.ok().map(|_| count)
            }
            Ok(Err(_)) | Err(_) => None,
        };
        count.unwrap_or_else(|| {
            let workspace = self.line.state.workspace().id();
            tracing::error!(
                ?workspace,
                "the day cannot be started: this is a fault in Binnacle"
            );
            0
        })
    }

    fn stamp(&self, origin: &Origin, now: Timestamp) -> Stamp {
        let workspace = self.line.state.workspace();
        Stamp {
            revision: workspace.revision().next(),
            recorded_time: recorded_time(now, workspace.newest_recorded_time()),
            principal: origin.actor.principal.clone(),
            reason: origin.reason.clone(),
        }
    }

    fn commit(&mut self, stamp: &Stamp, origin: Origin, decision: Decision) -> Result<Arc<Update>, Refusal> {
        let Decision { events, after } = decision;
        let commit = Commit {
            revision: stamp.revision,
            recorded_time: stamp.recorded_time,
            epoch: self.line.epoch,
            origin,
            events,
        };
        let record = codec::encode(self.line.log, &commit);
        fits(record.len())?;
        let read = ReadCommit {
            commit,
            leaf: LeafHash::of(&record),
            size_bytes: record.len(),
        };
        let state = &mut self.line.state;
        let root = self.line.tree.append(read.leaf);
        let update = Arc::new(match after {
            Some(after) => {
                let effect = state.accept(&read.commit, after);
                update_of(effect, state, root, read)
            }
            None => next_update(state, root, read),
        });
        self.line.unpublished.push(Arc::clone(&update));
        self.bytes += record.len();
        self.records.push(record);
        Ok(update)
    }
}

/// Inside the core a workspace has no name; outside it has one.
fn named(rejection: Rejection, command: &Command) -> Refusal {
    match (rejection, command) {
        (Rejection::AlreadyExists(ResourceName::Workspace), Command::CreateWorkspace(new)) => {
            Refusal::WorkspaceExists(new.id.clone())
        }
        (rejection, _) => Refusal::Rejected(rejection),
    }
}

/// The elements of a batch that a rejection is about, in ascending order; an error: it is about the whole.
fn elements(rejection: Rejection, count: usize) -> Result<Vec<(usize, Rejection)>, Rejection> {
    match rejection {
        Rejection::Elements { list: _, refused } => Ok(refused),
        Rejection::Deleted(ResourceName::Workspace) => Err(rejection),
        // The core decides one element as it decides a single one.
        only if count == 1 => Ok(vec![(0, only)]),
        whole => Err(whole),
    }
}

/// When the day after the workspace's today begins; a workspace that is not there yet has no days.
fn midnight_after(state: &State) -> Timestamp {
    let workspace = state.workspace();
    if workspace.id().is_none() {
        return Timestamp::MAX;
    }
    workspace.rules().start_of(plus_days(workspace.today(), 1))
}

/// The origin of a day that starts by itself.
fn day_origin() -> Origin {
    Origin::system("StartDay")
}

/// Whether a record of this many bytes fits into the log.
fn fits(bytes: usize) -> Result<(), Refusal> {
    if bytes > MAX_RECORD_BYTES {
        return Err(Refusal::CommitTooLarge {
            bytes,
            bytes_max: MAX_RECORD_BYTES,
        });
    }
    Ok(())
}

/// The recorded time never goes back within a log.
fn recorded_time(now: Timestamp, newest: Option<Timestamp>) -> Timestamp {
    newest.map_or(now, |newest| newest.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::given::{at, given, kpi};

    /// A day's start opens and closes all alerts that it has to, in as many commits as that takes, and only once.
    #[test]
    fn a_days_start_goes_on_until_no_alert_is_left() {
        let kpis = (0..=ALARMS_PER_COMMIT_MAX).map(|n| kpi(&format!("k{n:0>62}"), |_| {}));
        let mut commits = given(kpis).commits.into_iter();
        let mut all = commits.next().unwrap();
        all.events.extend(commits.flat_map(|commit| commit.events));
        let mut line = Line::new(LogId([7; 16]), State::empty(), Tree::empty(), 1, None);
        line.fold(ReadCommit {
            commit: all,
            leaf: LeafHash::of(b""),
            size_bytes: 0,
        });
        let mut draft = Draft::of(&line);
        draft.start_day_if_due(at(2026, 1, 9, 12));
        let asking = |draft: &Draft| {
            let kpis = draft.line.state.workspace().kpis();
            kpis.values().filter(|kpi| !kpi.open_alerts.is_empty()).count()
        };
        assert_eq!(asking(&draft), ALARMS_PER_COMMIT_MAX + 1);
        let bytes: Vec<usize> = draft.records.iter().map(Vec::len).collect();
        assert_eq!(bytes.len(), 2, "one is full, one has the rest");
        assert!(bytes[0] < MAX_RECORD_BYTES, "{bytes:?}");
        draft.start_day_if_due(at(2026, 1, 9, 13));
        assert_eq!(draft.records.len(), 2, "said once");
    }
}
