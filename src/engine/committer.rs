//! The committer: the one that owns the newest state of every workspace and writes, turn by turn (`turns.rs`).
//!
//! It takes what waits, decides each command on the result of the one before, makes the whole group durable with one
//! write, and only then publishes and answers. While the disk is busy the next group gathers by itself.
//!
//! Invariants: durable before visible; a refusal waits for the group it was decided on; nothing is said after a failure
//! of the disk. What it does not know: what a command means, and who listens.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::clock::JumpDetector;
use super::disk_room::DiskRoom;
use super::draft::{Decided, Draft, Line};
use super::feed::FeedLimits;
use super::hosted::{Hosted, Registry};
use super::meters::{Meters, microseconds};
use super::queue::{Job, Queue, Wanted};
use super::replay::read_commit;
use super::requests::{Known, RequestDigest, Requests, digest, first_half};
use super::signer::Signer;
use super::versions::Versions;
use super::{Answer, Clock, Committed, Refusal, Request};
use crate::domain::{Authentication, Command, Id, RequestKey, check_command};
use crate::log::{Append, AppendOutcome, EventLog, Head, Heads, LogError, LogId};

/// Everything the committer owns.
pub(super) struct Committer {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) heads: Option<Heads>,
    pub(super) signer: Option<Arc<Signer>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) jumps: JumpDetector,
    pub(super) queue: Arc<Queue>,
    pub(super) registry: Arc<Registry>,
    pub(super) disk: DiskRoom,
    pub(super) lines: BTreeMap<Id, Line>,
    pub(super) requests: Requests,
    pub(super) feed: FeedLimits,
    pub(super) meters: Arc<Meters>,
    /// Where the callers wait, if they wait in a runtime.
    pub(super) runtime: Option<tokio::runtime::Handle>,
}

/// What one write makes durable, and the answers that wait for it.
#[derive(Default)]
struct Group {
    drafts: BTreeMap<Id, Draft>,
    requests: BTreeMap<RequestDigest, (Id, Known)>,
    decided: Vec<(Job, Decided)>,
    bytes: usize,
}

/// What a caller is told.
type Said = Result<Answer, Refusal>;

/// How many bytes of records one write may have before the next command waits for the next one.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Committer {
    /// Makes durable, publishes and answers what waits; where nothing waits it waits up to `patience`, and then looks at the
    /// clock. Answers whether there may be more: not when the queue is closed and empty.
    ///
    /// # Errors
    /// The disk failed. Whoever still waits for an answer gets none: what was recorded is unknown.
    pub(super) fn turn(&mut self, backlog: &mut VecDeque<Job>, patience: Duration) -> Result<bool, LogError> {
        let open = self.queue.take(backlog, patience);
        if backlog.is_empty() {
            if !open {
                return Ok(false);
            }
            self.start_days()?;
        }
        while !backlog.is_empty() {
            let group = self.decide(backlog);
            self.commit(group, backlog)?;
            self.queue.show_life();
        }
        Ok(true)
    }

    /// Records the new day of every workspace whose midnight has passed.
    fn start_days(&mut self) -> Result<(), LogError> {
        let Ok(now) = self.jumps.now(&*self.clock) else {
            return Ok(());
        };
        let due: Vec<Id> = self
            .lines
            .iter()
            .filter(|(_, l)| l.midnight() <= now)
            .map(|(id, _)| id.clone())
            .collect();
        // On a disk that is nearly full also days wait; the first command behind it begins them.
        if due.is_empty() || self.disk.check(&*self.log).is_err() {
            return Ok(());
        }
        let mut group = Group::default();
        for id in due {
            if let Some(line) = self.lines.get(&id) {
                group
                    .drafts
                    .entry(id)
                    .or_insert_with(|| Draft::of(line))
                    .start_day_if_due(now);
            }
        }
        self.commit(group, &mut VecDeque::new())
    }

    /// Decides what waits until the group is full.
    fn decide(&mut self, backlog: &mut VecDeque<Job>) -> Group {
        let mut group = Group::default();
        while group.bytes < GROUP_BYTES_MAX {
            let Some(job) = backlog.pop_front() else { break };
            let decided = if job.answer.is_closed() {
                // Its deadline has passed while it waited, or its caller is gone: what it asks for is not wanted any more.
                Decided::Refused(Refusal::CallerGone)
            } else {
                self.decide_one(&mut group, &job.request, job.wanted)
            };
            group.decided.push((job, decided));
        }
        group
    }

    fn decide_one(&mut self, group: &mut Group, request: &Request, wanted: Wanted) -> Decided {
        let Request {
            workspace,
            command,
            origin,
            size_bytes: _,
        } = request;
        // Ahead of everything else that could be said: also a retry is answered only to who still may.
        if let Err(refusal) = self.judge(group, request) {
            return Decided::Refused(refusal);
        }
        let key = origin.request.map(|key| (digest(origin, &key, workspace), key));
        if let Some((digest, key)) = &key
            && let Some(decided) = self.recognise(group, workspace, digest, key)
        {
            return decided;
        }
        if let Err(refusal) = self.disk.check(&*self.log) {
            return Decided::Refused(refusal);
        }
        let now = match self.jumps.now(&*self.clock) {
            Ok(now) => now,
            Err(jumped) => return Decided::Refused(Refusal::ClockJumped(jumped)),
        };
        let mut draft = match self.draft(group, workspace, command) {
            Ok(draft) => draft,
            Err(refusal) => return Decided::Refused(refusal),
        };
        let bytes_before = draft.bytes();
        let decided = match wanted {
            Wanted::Whole => draft.decide(command, origin, now),
            Wanted::Rest => draft.decide_rest(command, origin, now),
        };
        // Also a refusal keeps its draft: a new day that began ahead of it stays begun.
        group.bytes += draft.bytes() - bytes_before;
        if let (Decided::Committed(commit), Some((digest, key))) = (&decided, &key) {
            let fingerprint = first_half(&key.fingerprint);
            let known = Known {
                fingerprint,
                revision: commit.revision,
                recorded_time: commit.recorded_time,
            };
            group.requests.insert(*digest, (workspace.clone(), known));
        }
        if !draft.is_empty() {
            group.drafts.insert(workspace.clone(), draft);
        }
        decided
    }

    /// Whether who asks may, on the state that the command would be decided on. To who is no member a workspace is not there.
    fn judge(&self, group: &Group, request: &Request) -> Result<(), Refusal> {
        let Request {
            workspace,
            command,
            origin,
            size_bytes: _,
        } = request;
        match origin.actor.authentication {
            Authentication::None | Authentication::System => return Ok(()),
            Authentication::Certificate | Authentication::Token | Authentication::ApiKey => {}
        }
        let line = group.drafts.get(workspace).map(Draft::line);
        let line = line.or_else(|| self.lines.get(workspace));
        let state = line.map(|line| line.state.workspace());
        if matches!(command, Command::CreateWorkspace(_)) {
            // Whether they may is a matter of the server, and was judged there; what a retry is answered is one of members.
            return match state {
                Some(state) if state.member_of(&origin.actor.principal).is_none() => {
                    Err(Refusal::WorkspaceExists(workspace.clone()))
                }
                Some(_) | None => Ok(()),
            };
        }
        let member = state.and_then(|state| Some((state, state.member_of(&origin.actor.principal)?)));
        let (state, member) = member.ok_or_else(|| Refusal::WorkspaceNotFound(workspace.clone()))?;
        Ok(check_command(state, member, command)?)
    }

    /// What is to be said of a request that has run, or may have.
    fn recognise(
        &self,
        group: &Group,
        workspace: &Id,
        digest: &RequestDigest,
        key: &RequestKey,
    ) -> Option<Decided> {
        match group
            .requests
            .get(digest)
            .map(|(_, known)| *known)
            .or_else(|| self.requests.get(digest))
        {
            Some(known) if known.fingerprint == first_half(&key.fingerprint) => Some(Decided::Repeated {
                workspace: workspace.clone(),
                revision: known.revision,
            }),
            Some(_) => Some(Decided::Refused(Refusal::RequestIdReused)),
            None if self.requests.may_be_forgotten(&key.id) => {
                Some(Decided::Refused(Refusal::RequestIdExpired))
            }
            None => None,
        }
    }

    /// The draft that a command is decided on: the group's, or a new one of the newest state.
    fn draft(&self, group: &mut Group, workspace: &Id, command: &Command) -> Result<Draft, Refusal> {
        let creates = matches!(command, Command::CreateWorkspace(_));
        let known = group.drafts.contains_key(workspace) || self.lines.contains_key(workspace);
        match (creates, known) {
            (true, true) => Err(Refusal::WorkspaceExists(workspace.clone())),
            (false, false) => Err(Refusal::WorkspaceNotFound(workspace.clone())),
            (true, false) => Ok(Draft::of_new(LogId(*uuid::Uuid::new_v4().as_bytes()))),
            (false, true) => Ok(
                match (group.drafts.remove(workspace), self.lines.get(workspace)) {
                    (Some(draft), _) => draft,
                    (None, Some(line)) => Draft::of(line),
                    (None, None) => return Err(Refusal::WorkspaceNotFound(workspace.clone())),
                },
            ),
        }
    }

    /// Makes a group durable, publishes it and answers. What was decided on a state that somebody else has moved on
    /// from goes back to the front of the backlog.
    fn commit(&mut self, mut group: Group, backlog: &mut VecDeque<Job>) -> Result<(), LogError> {
        let outcomes = self.append(&mut group)?;
        let mut heads = Vec::new();
        let mut changed = Vec::new();
        let mut rivalled = Vec::new();
        for (id, outcome) in outcomes {
            let Some(draft) = group.drafts.remove(&id) else {
                continue;
            };
            let line = match outcome {
                AppendOutcome::Appended => draft.into_line(),
                AppendOutcome::Conflict { .. } | AppendOutcome::Unknown => {
                    rivalled.push(id.clone());
                    match self.lines.remove(&id) {
                        Some(line) => self.fold_in_between(line)?,
                        None => continue,
                    }
                }
            };
            heads.push((
                line.log,
                Head {
                    revision: line.revision(),
                    root: line.tree.root(),
                },
            ));
            changed.push(id.clone());
            self.lines.insert(id, line);
        }
        if let Some(file) = &mut self.heads {
            file.write(&heads)?;
        }
        self.measure(&group.decided, &rivalled);
        for (digest, (workspace, known)) in std::mem::take(&mut group.requests) {
            if !rivalled.contains(&workspace) {
                self.requests.remember(digest, known);
            }
        }
        self.publish(&changed);
        self.have_signed(&changed)?;
        self.answer(group.decided, &rivalled, backlog);
        Ok(())
    }

    /// Writes the group's records. An outcome that is not known is looked up before anything is said.
    fn append(&mut self, group: &mut Group) -> Result<Vec<(Id, AppendOutcome)>, LogError> {
        let mut ids = Vec::new();
        let mut appends = Vec::new();
        for (id, draft) in &mut group.drafts {
            ids.push(id.clone());
            appends.push(Append {
                log: draft.log(),
                expected: draft.base(),
                records: draft.take_records(),
            });
        }
        if appends.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.log.append(&appends)?;
        let mut known = Vec::with_capacity(outcomes.len());
        let mut commits = 0;
        for ((id, outcome), append) in ids.into_iter().zip(outcomes).zip(&appends) {
            let outcome = match outcome {
                AppendOutcome::Unknown => self.look_up(append)?,
                outcome => outcome,
            };
            if outcome == AppendOutcome::Appended {
                commits += append.records.len() as u64;
            }
            known.push((id, outcome));
        }
        // Where another writer was quicker everywhere, nothing was written.
        if commits > 0 {
            self.meters.group_commits.observe(commits);
        }
        Ok(known)
    }

    /// How long what is durable now has taken.
    fn measure(&self, decided: &[(Job, Decided)], rivalled: &[Id]) {
        let now = Instant::now();
        let committed = decided
            .iter()
            .filter(|(job, decided)| decided.is_commit() && !rivalled.contains(&job.request.workspace));
        for (job, _) in committed {
            let duration = now.saturating_duration_since(job.taken_in);
            self.meters.commit_duration_us.observe(microseconds(duration));
        }
    }

    /// Whether a run of records is in the log after all.
    fn look_up(&self, append: &Append) -> Result<AppendOutcome, LogError> {
        let mut stored = self.log.read(append.log, append.expected.next());
        for record in &append.records {
            match stored.next().transpose()? {
                Some(stored) if stored.bytes == *record => {}
                Some(_) | None => {
                    return Ok(AppendOutcome::Conflict {
                        head: append.expected,
                    });
                }
            }
        }
        Ok(AppendOutcome::Appended)
    }

    /// Folds what another writer has appended.
    fn fold_in_between(&mut self, mut line: Line) -> Result<Line, LogError> {
        let log = Arc::clone(&self.log);
        for record in log.read(line.log, line.revision().next()) {
            let read = read_commit(line.log, &record?)?;
            if let (Some(key), Some(workspace)) = (&read.commit.origin.request, line.state.workspace().id()) {
                let fingerprint = first_half(&key.fingerprint);
                let (revision, recorded_time) = (read.commit.revision, read.commit.recorded_time);
                let digest = digest(&read.commit.origin, key, workspace);
                self.requests.remember(
                    digest,
                    Known {
                        fingerprint,
                        revision,
                        recorded_time,
                    },
                );
            }
            line.fold(read);
        }
        Ok(line)
    }

    /// Shows what has become durable.
    fn publish(&mut self, changed: &[Id]) {
        let mut news = Vec::with_capacity(changed.len());
        for id in changed {
            let Some(line) = self.lines.get_mut(id) else {
                continue;
            };
            let updates = std::mem::take(&mut line.unpublished);
            let state = Arc::new(line.state.clone());
            let head = state.workspace().revision();
            if let Some(hosted) = &line.hosted {
                hosted.publish(state, &line.tree, line.epoch, updates);
                news.push((Arc::clone(hosted), head));
                continue;
            }
            let hosted = Arc::new(Hosted::new(
                id.clone(),
                line.log,
                line.state.clone(),
                &line.tree,
                line.epoch,
                self.feed,
                Versions::default(),
            ));
            hosted.publish(state, &line.tree, line.epoch, updates);
            self.registry.insert(&hosted);
            line.hosted = Some(hosted);
        }
        for (hosted, head) in news {
            match &self.runtime {
                Some(runtime) => drop(runtime.spawn(async move { hosted.feed().tell_in_time(head).await })),
                None => hosted.feed().tell(head),
            }
        }
    }

    /// Hands what has moved on to the signer.
    fn have_signed(&self, changed: &[Id]) -> Result<(), LogError> {
        let Some(signer) = &self.signer else {
            return Ok(());
        };
        let moved = changed.iter().filter_map(|id| self.lines.get(id));
        for (line, hosted) in moved.filter_map(|line| Some((line, line.hosted.as_ref()?))) {
            signer.moved(hosted, line.revision())?;
        }
        Ok(())
    }

    fn answer(&self, decided: Vec<(Job, Decided)>, rivalled: &[Id], backlog: &mut VecDeque<Job>) {
        let mut done = Vec::with_capacity(decided.len());
        let mut again = Vec::new();
        let mut answers = Vec::with_capacity(decided.len());
        for (job, decided) in decided {
            if rivalled.contains(&job.request.workspace) {
                again.push(job);
                continue;
            }
            done.push((job.request.workspace.clone(), job.request.size_bytes));
            answers.push((job.answer, self.answer_of(&job.request.workspace, decided)));
        }
        for job in again.into_iter().rev() {
            backlog.push_front(job);
        }
        self.queue.answered(&done);
        self.send(answers);
    }

    fn send(&self, answers: Vec<(oneshot::Sender<Said>, Said)>) {
        self.beside(move || {
            for (answer, result) in answers {
                // A caller who has gone away does not hear the answer; what was recorded stays recorded.
                let _gone = answer.send(result);
            }
        });
    }

    /// Waking tasks from outside of their runtime is dear, so that many are handed over to it at once.
    fn beside(&self, wake_all: impl FnOnce() + Send + 'static) {
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { wake_all() })),
            None => wake_all(),
        }
    }

    fn answer_of(&self, workspace: &Id, decided: Decided) -> Result<Answer, Refusal> {
        let newest = || {
            let hosted = self.lines.get(workspace).and_then(|line| line.hosted.as_ref());
            hosted
                .map(|hosted| Arc::clone(&hosted.published().state))
                .ok_or(Refusal::Stopped)
        };
        match decided {
            Decided::Refused(refusal) => Err(refusal),
            Decided::Repeated { workspace, revision } => Ok(Answer::Repeated { workspace, revision }),
            Decided::Unchanged { state, decided_time } => Ok(Answer::Done(Committed {
                revision: state.workspace().revision(),
                decided_time,
                commit: None,
                state,
                refused: Vec::new(),
            })),
            Decided::Committed(commit) => {
                let state = match commit.state {
                    Some(state) => state,
                    None => newest()?,
                };
                Ok(Answer::Done(Committed {
                    revision: commit.revision,
                    decided_time: commit.recorded_time,
                    commit: Some(Arc::clone(&commit.update.commit)),
                    state,
                    refused: Vec::new(),
                }))
            }
            Decided::Rest { rest, refused } => match self.answer_of(workspace, *rest)? {
                Answer::Done(rest) => Ok(Answer::Done(Committed { refused, ..rest })),
                repeated @ Answer::Repeated { .. } => Ok(repeated),
            },
        }
    }
}
