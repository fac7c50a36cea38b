//! From the log to states: at start, for a retry's answer, and for readers who are behind. It is always the same act,
//! folding records in order, and it always hashes what it reads.

use std::collections::{BTreeMap, VecDeque};
use std::convert::identity;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::feed::{FeedLimits, Update};
use super::hosted::Hosted;
use super::index::EventIndex;
use super::requests::{Known, RequestDigest, RequestMemory, digest, first_half};
use super::versions::{Version, Versions};
use crate::domain::{Commit, Id, Revision, Workspace};
use crate::log::{
    EventLog, Frontier, LeafHash, LogError, LogErrorKind, LogId, Marks, Record, Root, Tree, codec,
};
use crate::projection::{Effect, State};

/// What the start has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Workspaces.
    pub workspaces: u64,
    /// Commits.
    pub commits: u64,
    /// Events.
    pub events: u64,
    /// How long it took.
    pub duration: std::time::Duration,
}

/// One log, folded from its beginning.
pub(super) struct Folded {
    pub(super) hosted: Arc<Hosted>,
    pub(super) tree: Tree,
    pub(super) epoch: u32,
    pub(super) requests: VecDeque<(RequestDigest, Known)>,
}

/// A commit, its leaf, and about how many bytes it takes.
pub(super) struct ReadCommit {
    pub(super) commit: Commit,
    pub(super) leaf: LeafHash,
    pub(super) size_bytes: usize,
}

/// How many commits travel together from one thread to the next. So few are not worth a thread.
const CHUNK_COMMITS: usize = 128;
/// Fewer, where their records have so many bytes.
const CHUNK_BYTES: usize = 256 * 1024;
/// About what a state takes beside the next one: the paths to what changed.
const STATE_BYTES: usize = 8 * 1024;
/// At a start figures are brought up to date every so many commits: versions share what stays the same from then on, and what a
/// version in between lacks is computed for whoever asks for it.
const REFRESH_COMMITS: u64 = 16_384;
/// How many such chunks may wait.
const CHUNKS_MAX: usize = 4;

/// Hands the commits of a log from a revision on to `take`, in order, until it breaks off, there are `count_max`, or there are
/// no more. Where there are many, reading, decoding and whatever `prepare` does have a thread of their own, ahead of `take`.
fn each_commit<T: Send>(
    log: &dyn EventLog,
    id: LogId,
    from: Revision,
    count_max: usize,
    mut prepare: impl FnMut(ReadCommit) -> T + Send,
    mut take: impl FnMut(T) -> Result<ControlFlow<()>, LogError>,
) -> Result<(), LogError> {
    let records = log.read(id, from).take(count_max);
    if count_max <= CHUNK_COMMITS {
        for record in records {
            if take(prepare(read_commit(id, &record?)?))?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let (prepared, commits) = sync_channel(CHUNKS_MAX);
        scope.spawn(move || {
            let (mut chunk, mut bytes) = (Vec::new(), 0);
            for record in records {
                match record.and_then(|record| read_commit(id, &record)) {
                    Ok(read) => {
                        bytes += read.size_bytes;
                        chunk.push(prepare(read));
                    }
                    Err(error) => {
                        // Who folds may have enough before it comes to that.
                        drop(prepared.send(Ok(chunk)));
                        drop(prepared.send(Err(error)));
                        return;
                    }
                }
                if chunk.len() == CHUNK_COMMITS || bytes >= CHUNK_BYTES {
                    bytes = 0;
                    if prepared.send(Ok(std::mem::take(&mut chunk))).is_err() {
                        return;
                    }
                }
            }
            drop(prepared.send(Ok(chunk)));
        });
        for chunk in commits {
            for commit in chunk? {
                if take(commit)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

/// Folds a whole log and holds it against what was said of it.
pub(super) fn fold_log(
    log: &dyn EventLog,
    id: LogId,
    mut marks: Marks,
    memory: RequestMemory,
    feed: FeedLimits,
    replayed: &mut Replayed,
) -> Result<Folded, LogError> {
    let mut state = State::empty();
    state.refresh_everything_later();
    let mut tree = Tree::empty();
    let mut epoch = 1;
    let mut requests = VecDeque::new();
    let mut versions = Versions::default();
    let mut index = EventIndex::default();
    // The fold is what takes longest: what is found where is noted ahead of it.
    let note = |read: ReadCommit| {
        index.add(&read.commit);
        read
    };
    each_commit(log, id, Revision::ZERO, usize::MAX, note, |read| {
        let commit = read.commit;
        state.fold(&commit);
        tree.push(read.leaf);
        epoch = commit.epoch;
        replayed.commits += 1;
        replayed.events += commit.events.len() as u64;
        let passed = marks.pass(tree.frontier(), epoch);
        passed.map_err(|contradiction| contradiction.damage(id))?;
        remember(&mut requests, &commit, state.workspace().id(), memory);
        let refreshes = commit.revision.0 % REFRESH_COMMITS == 0;
        if refreshes {
            state.refresh();
        }
        if versions.wants(commit.revision) {
            let version = Version {
                state: Arc::new(state.clone()),
                frontier: tree.frontier().clone(),
            };
            drop(versions.keep(version));
        }
        if refreshes {
            state.refresh_everything_later();
        }
        Ok(ControlFlow::Continue(()))
    })?;
    state.refresh();
    let ends_at = state.workspace().revision();
    marks.end(id, ends_at)?;
    let Some(name) = state.workspace().id().cloned() else {
        let context =
            format!("the log {id} does not begin with the creation of a workspace: restore it from a backup");
        return Err(LogError::new(LogErrorKind::Damaged, context));
    };
    let hosted = Hosted::new(name, id, state, &tree, epoch, feed, versions).with_index(index);
    let hosted = Arc::new(hosted);
    replayed.workspaces += 1;
    Ok(Folded {
        hosted,
        tree,
        epoch,
        requests,
    })
}

/// Keeps the newest requests of a log, as many as the server will remember at most.
fn remember(
    requests: &mut VecDeque<(RequestDigest, Known)>,
    commit: &Commit,
    workspace: Option<&Id>,
    memory: RequestMemory,
) {
    if let (Some(key), Some(workspace)) = (&commit.origin.request, workspace) {
        let known = Known {
            fingerprint: first_half(&key.fingerprint),
            revision: commit.revision,
            recorded_time: commit.recorded_time,
        };
        requests.push_back((digest(&commit.origin, key, workspace), known));
        // One more than is kept tells that something was forgotten.
        if requests.len() > memory.count_max + 1 {
            requests.pop_front();
        }
    }
}

/// Logs of which something was said, and which are not there at all.
pub(super) fn check_no_log_is_missing(
    marks: &BTreeMap<LogId, Marks>,
    logs: &BTreeMap<LogId, Revision>,
) -> Result<(), LogError> {
    let mut missing = marks.iter().filter(|(id, _)| !logs.contains_key(id));
    missing.try_for_each(|(id, marks)| marks.end(*id, Revision::ZERO))
}

pub(super) fn read_commit(log: LogId, record: &Record) -> Result<ReadCommit, LogError> {
    Ok(ReadCommit {
        commit: codec::decode(log, record)?,
        leaf: LeafHash::of(&record.bytes),
        size_bytes: record.bytes.len(),
    })
}

/// Looks at a workspace as it was at revisions in ascending order, folding on from one to the next and from a kept version
/// where that is nearer.
pub(super) fn look_back<T>(
    log: &dyn EventLog,
    hosted: &Hosted,
    revisions: &[Revision],
    look: impl Fn(&Workspace) -> T,
) -> Result<Vec<T>, LogError> {
    let mut workspace = Workspace::empty();
    let mut looks = Vec::with_capacity(revisions.len());
    for &revision in revisions {
        let version = hosted.version_at(revision);
        let kept = version.state.workspace();
        if kept.revision() > workspace.revision() {
            workspace = kept.clone();
        }
        let count = usize::try_from(revision.0.saturating_sub(workspace.revision().0)).unwrap_or(usize::MAX);
        if count > 0 {
            each_commit(
                log,
                hosted.log(),
                workspace.revision().next(),
                count,
                identity,
                |read| {
                    let stamp = read.commit.stamp();
                    workspace.begin(&stamp);
                    for event in &read.commit.events {
                        workspace.evolve(event, &stamp);
                    }
                    Ok(ControlFlow::Continue(()))
                },
            )?;
        }
        looks.push(look(&workspace));
    }
    Ok(looks)
}

/// Folds an older state on to a revision, with its figures; `leaf` is told what each commit is in the tree.
pub(super) fn fold_to(
    log: &dyn EventLog,
    id: LogId,
    state: &mut State,
    revision: Revision,
    mut leaf: impl FnMut(LeafHash),
) -> Result<(), LogError> {
    let from = state.workspace().revision();
    if revision > from {
        let count = usize::try_from(revision.0 - from.0).unwrap_or(usize::MAX);
        each_commit(log, id, from.next(), count, identity, |read| {
            state.fold(&read.commit);
            leaf(read.leaf);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    // Those that the commits have marked, unless the figures of the version were waiting for all of them.
    state.refresh();
    Ok(())
}

/// A private copy of a workspace's past, folded forward commit by commit: for whoever is behind.
pub struct Past {
    log: Arc<dyn EventLog>,
    id: LogId,
    state: State,
    frontier: Frontier,
}

impl Past {
    /// The workspace as it was at `revision`.
    pub(super) fn at(log: Arc<dyn EventLog>, hosted: &Hosted, revision: Revision) -> Result<Self, LogError> {
        let version = hosted.version_at(revision);
        let (id, mut state, mut frontier) = (hosted.log(), (*version.state).clone(), version.frontier);
        fold_to(&*log, id, &mut state, revision, |leaf| {
            frontier.push(leaf);
        })?;
        Ok(Self {
            log,
            id,
            state,
            frontier,
        })
    }

    /// Where it stands.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.state.workspace().revision()
    }

    /// The state there.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The tree there.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Folds up to `count_max` commits more, up to `head`, and answers them as a live reader saw them. Fewer, but at
    /// least one, where they come to `bytes_max`: whoever is behind holds no more than whoever is live.
    pub(super) fn advance(
        &mut self,
        head: Revision,
        count_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Arc<Update>>, LogError> {
        let left = usize::try_from(head.0.saturating_sub(self.revision().0)).unwrap_or(usize::MAX);
        let log = Arc::clone(&self.log);
        let mut updates = Vec::new();
        let mut bytes = 0;
        // Hashing takes as long as folding: the tree is ahead, as far as decoding is.
        let mut ahead = self.frontier.clone();
        each_commit(
            &*log,
            self.id,
            self.revision().next(),
            count_max.min(left),
            |read| (ahead.append(read.leaf), read),
            |(root, read)| {
                self.frontier.push(read.leaf);
                let update = next_update(&mut self.state, root, read);
                bytes += update.size_bytes;
                updates.push(Arc::new(update));
                Ok(if bytes < bytes_max {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(updates)
    }
}

/// Folds one commit and makes the update of it: the same for whoever is live and whoever is behind.
/// `root`: the tree's with it.
pub(super) fn next_update(state: &mut State, root: Root, read: ReadCommit) -> Update {
    let effect = state.apply(&read.commit);
    update_of(effect, state, root, read)
}

/// Makes the update of a commit whose effect is known; `state` is the one behind it.
pub(super) fn update_of(effect: Effect, state: &State, root: Root, read: ReadCommit) -> Update {
    let state = effect.moves().then(|| Arc::new(state.clone()));
    // A decoded commit takes a few times its stored bytes; a change is two shared figures; a state shares almost everything
    // with those beside it.
    let size_bytes = 512
        + 4 * read.size_bytes
        + 320 * effect.changes.len()
        + 160 * effect.concerns.len()
        + if state.is_some() { STATE_BYTES } else { 0 };
    Update {
        commit: Arc::new(read.commit),
        leaf: read.leaf,
        root,
        effect,
        state,
        size_bytes,
    }
}
