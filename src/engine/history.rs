//! What the engine reads back from its log: for a retry's answer, for who asks about the past, and for who is behind.
//!
//! Folding takes a core for a while, so a few folds run at once, aside from the tasks of the runtime.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::backlog::Updates;
use super::hosted::Hosted;
use super::replay::{self, Past};
use super::{Committed, Engine, Refusal};
use crate::domain::{Commit, Id, Revision, Timestamp, Workspace};
use crate::log::{Frontier, LeafHash, LogError, LogId, Record, Root};
use crate::projection::State;

/// A commit as it is read from the log.
#[derive(Clone, Debug)]
pub struct StoredCommit {
    /// The commit.
    pub commit: Commit,
    /// Its leaf in the tree.
    pub leaf: LeafHash,
    /// Its exact stored bytes: what the leaf is the hash of.
    pub record: Vec<u8>,
}

/// Where folds of the past run.
pub(super) enum Folds {
    /// On threads of the runtime, as many at once as there are places.
    OnThreads(Arc<Semaphore>),
    /// Where they are asked for.
    InPlace,
}

/// Folding the past takes a core for a while: so many at once.
const FOLDS_MAX: usize = 2;
/// How many commits are folded at once for whoever is behind.
const STRETCH_COMMITS: usize = 2048;
/// How many such stretches are folded before they are asked for.
const STRETCHES_AHEAD: usize = 2;

impl StoredCommit {
    pub(super) fn read(log: LogId, record: Record) -> Result<Self, LogError> {
        let read = replay::read_commit(log, &record)?;
        Ok(Self {
            commit: read.commit,
            leaf: read.leaf,
            record: record.bytes,
        })
    }
}

impl Folds {
    /// On threads of the runtime.
    pub(super) fn on_threads() -> Self {
        Self::OnThreads(Arc::new(Semaphore::new(FOLDS_MAX)))
    }
}

impl Engine {
    /// What a request did when it ran, rebuilt as of its revision.
    pub(super) async fn recall(&self, workspace: &Id, revision: Revision) -> Result<Committed, Refusal> {
        let hosted = self.hosted(workspace)?;
        let before = Revision(revision.0.saturating_sub(1));
        let mut past = self.past(&hosted, before).await?;
        let advance = move || {
            past.advance(revision, 1, usize::MAX)
                .map(|updates| (past, updates))
        };
        let (past, updates) = self.fold(advance).await?;
        let commit = updates.first().map(|update| Arc::clone(&update.commit));
        let newest = past.state().workspace().newest_recorded_time();
        Ok(Committed {
            revision,
            decided_time: newest.unwrap_or(Timestamp::MIN),
            commit,
            state: Arc::new(past.state().clone()),
            refused: Vec::new(),
        })
    }

    /// What a request recorded when it ran, beside the newest state; none: it changed nothing.
    pub(super) async fn recorded(
        &self,
        workspace: &Id,
        revision: Revision,
    ) -> Result<Option<Committed>, Refusal> {
        let hosted = self.hosted(workspace)?;
        let stored = self.commits(&hosted, revision, revision, 1).await?;
        let recorded = stored
            .into_iter()
            .next()
            .filter(|stored| !stored.commit.events.is_empty());
        Ok(recorded.map(|stored| {
            let state = Arc::clone(&hosted.published().state);
            Committed {
                revision,
                decided_time: stored.commit.recorded_time,
                commit: Some(Arc::new(stored.commit)),
                state,
                refused: Vec::new(),
            }
        }))
    }

    /// A workspace as it was at a revision: folded from the nearest kept version, a few folds at a time.
    ///
    /// # Errors
    /// The revision is not there yet, or the log cannot be read.
    pub async fn past(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Past, Refusal> {
        let head = hosted.published().state.workspace().revision();
        if head < revision {
            return Err(Refusal::RevisionInFuture {
                asked: revision,
                head,
            });
        }
        let (log, hosted) = (Arc::clone(&self.inner.log), Arc::clone(hosted));
        self.fold(move || Past::at(log, &hosted, revision)).await
    }

    /// A workspace with all its figures as it was at a revision.
    ///
    /// # Errors
    /// The revision is not there yet, or is before the first; or the log cannot be read.
    pub async fn state_at(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Arc<State>, Refusal> {
        if revision == Revision::ZERO {
            let newest = hosted.published();
            return Err(Refusal::WorkspaceNotCreatedYet {
                workspace: hosted.id().clone(),
                created: newest
                    .state
                    .workspace()
                    .recorded_time(revision.next())
                    .unwrap_or_default(),
            });
        }
        let newest = hosted.published();
        match newest.state.workspace().revision() {
            head if head < revision => {
                return Err(Refusal::RevisionInFuture {
                    asked: revision,
                    head,
                });
            }
            head if head == revision => return Ok(Arc::clone(&newest.state)),
            _ => {}
        }
        let place = self.inner.pasts.place(hosted.log(), revision);
        let state = place
            .get_or_try_init(|| self.state_folded(hosted, revision))
            .await?;
        Ok(Arc::clone(state))
    }

    /// Folds a state of the past from the nearest one that there is.
    async fn state_folded(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Arc<State>, Refusal> {
        let (id, kept) = (hosted.log(), hosted.version_at(revision));
        let (log, nearest) = (
            Arc::clone(&self.inner.log),
            self.inner.pasts.nearest(id, revision, &kept),
        );
        let fold = move || {
            let mut state = (*nearest).clone();
            replay::fold_to(&*log, id, &mut state, revision, |_| ())?;
            Ok(Arc::new(state))
        };
        let state = self.fold(fold).await?;
        self.inner.pasts.count(id, &state, &kept);
        Ok(state)
    }

    /// Looks at a workspace as it was at some revisions, in ascending order: one fold for all of them. What is looked at is
    /// the workspace alone; no figures are computed.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn look_back<T: Send + 'static>(
        &self,
        hosted: &Arc<Hosted>,
        revisions: Vec<Revision>,
        look: impl Fn(&Workspace) -> T + Send + 'static,
    ) -> Result<Vec<T>, Refusal> {
        let (log, hosted) = (Arc::clone(&self.inner.log), Arc::clone(hosted));
        self.fold(move || replay::look_back(&*log, &hosted, &revisions, look))
            .await
    }

    /// The updates behind a revision, read from the log, as a live reader saw them: some of them, in order and without a
    /// gap; none when `revision` is the head. All who are behind at one place share one fold of the log.
    ///
    /// # Errors
    /// The revision is not there yet, or the log cannot be read.
    pub async fn updates_after(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Updates, Refusal> {
        if let Some(updates) = self.inner.backlog.after(hosted.log(), revision) {
            self.read_ahead(hosted, &updates);
            return Ok(updates);
        }
        match self.inner.folds {
            Folds::InPlace => self.fold_on(hosted, revision).await,
            // A reader to whom nothing more can be sent is not asked for anything until it reads again. It would keep its turn
            // from everybody else, so a turn is a task of its own.
            Folds::OnThreads(_) => {
                let (engine, folded) = (self.clone(), Arc::clone(hosted));
                let folding = tokio::spawn(async move { engine.fold_on(&folded, revision).await });
                let updates = folding.await.unwrap_or(Err(Refusal::Panicked))?;
                self.read_ahead(hosted, &updates);
                Ok(updates)
            }
        }
    }

    /// Has what comes behind these folded while they are read, if it is nobody's turn.
    fn read_ahead(&self, hosted: &Arc<Hosted>, updates: &Updates) {
        let Folds::OnThreads(places) = &self.inner.folds else {
            return;
        };
        let end = updates.last().map(|update| update.commit.revision);
        let next = |last: &Revision| self.inner.backlog.end_after(hosted.log(), *last);
        let ends: Vec<_> = std::iter::successors(end, next)
            .take(STRETCHES_AHEAD + 1)
            .collect();
        let last = match ends.last() {
            Some(last) if ends.len() <= STRETCHES_AHEAD => *last,
            _ => return,
        };
        let head = hosted.published().state.workspace().revision();
        if last >= head || hosted.feed().reaches(last) {
            return;
        }
        if let Ok(turn) = Arc::clone(hosted.catching_up()).try_lock_owned()
            && let Ok(place) = Arc::clone(places).try_acquire_owned()
        {
            let (engine, hosted) = (self.clone(), Arc::clone(hosted));
            // At once, on a thread of its own: a task would wait for the one that is reading.
            tokio::task::spawn_blocking(move || {
                let _held = (turn, place);
                // Somebody may have been there before it was this one's turn.
                if engine.inner.backlog.end_after(hosted.log(), last).is_some() {
                    return;
                }
                if let Err(error) = engine.fold_stretch(&hosted, last) {
                    // Whoever comes there hears of it.
                    tracing::debug!(%error, "nothing was read ahead");
                }
            });
        }
    }

    /// Folds the log on from a revision, when it is its turn, and keeps what comes of it.
    async fn fold_on(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Updates, Refusal> {
        // One fold at a time a workspace: who waits for the same finds it when it is their turn.
        let _turn = hosted.catching_up().lock().await;
        if let Some(updates) = self.inner.backlog.after(hosted.log(), revision) {
            return Ok(updates);
        }
        let head = hosted.published().state.workspace().revision();
        if head < revision {
            let asked = revision;
            return Err(Refusal::RevisionInFuture { asked, head });
        }
        let (engine, hosted) = (self.clone(), Arc::clone(hosted));
        self.fold(move || engine.fold_stretch(&hosted, revision)).await
    }

    /// Folds the log on from a revision that there is. Whoever calls it has the turn.
    fn fold_stretch(&self, hosted: &Hosted, revision: Revision) -> Result<Updates, LogError> {
        let (backlog, log) = (&self.inner.backlog, hosted.log());
        let mut past = match backlog.take_cursor(log, revision) {
            Some(past) => past,
            None => Past::at(Arc::clone(&self.inner.log), hosted, revision)?,
        };
        let head = hosted.published().state.workspace().revision();
        let updates = past.advance(head, STRETCH_COMMITS, backlog.stretch_bytes_max())?;
        let updates = Updates::from(updates);
        backlog.keep(log, past, &updates);
        Ok(updates)
    }

    /// The tree's root at a revision.
    ///
    /// # Errors
    /// The revision is not there yet, or the log cannot be read.
    pub async fn root_at(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Root, Refusal> {
        let published = hosted.published();
        if revision == published.state.workspace().revision() {
            return Ok(published.root);
        }
        if revision == Revision::ZERO {
            return Ok(Frontier::empty().root());
        }
        let before = Revision(revision.0 - 1);
        let update = match hosted.feed().update(revision) {
            Some(update) => Some(update),
            // It is the first of a stretch that goes on behind it: whoever resumes there has it already.
            None => self.updates_after(hosted, before).await?.first().cloned(),
        };
        update
            .filter(|update| update.commit.revision == revision)
            .map(|update| update.root)
            .ok_or(Refusal::RevisionInFuture {
                asked: revision,
                head: published.state.workspace().revision(),
            })
    }

    /// Lets go what is kept for readers of the past and was not asked for in a while.
    pub fn forget_idle(&self) {
        self.inner.backlog.forget_idle();
        self.inner.pasts.forget_idle();
    }

    /// The commits of a workspace from a revision on, at most `count_max` of them, none behind `last`.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn commits(
        &self,
        hosted: &Hosted,
        from: Revision,
        last: Revision,
        count_max: usize,
    ) -> Result<Vec<StoredCommit>, Refusal> {
        let (log, id) = (Arc::clone(&self.inner.log), hosted.log());
        let count = usize::try_from(last.0.saturating_add(1).saturating_sub(from.0))
            .unwrap_or(usize::MAX)
            .min(count_max);
        self.fold(move || {
            let commits = log.read(id, from).take(count);
            commits.map(|record| StoredCommit::read(id, record?)).collect()
        })
        .await
    }

    /// The stored bytes of commits from a revision on, none behind `last`: fewer, but at least one, where they come to more than
    /// `bytes_max`.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn records(
        &self,
        hosted: &Hosted,
        from: Revision,
        last: Revision,
        bytes_max: usize,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let (log, id) = (Arc::clone(&self.inner.log), hosted.log());
        self.fold(move || {
            let (mut found, mut bytes) = (Vec::new(), 0);
            for record in log.read(id, from) {
                let record = record?;
                bytes += record.bytes.len();
                if record.revision > last || (bytes > bytes_max && !found.is_empty()) {
                    break;
                }
                found.push(record.bytes);
            }
            Ok(found)
        })
        .await
    }

    pub(super) async fn fold<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = match &self.inner.folds {
            Folds::OnThreads(places) => {
                let place = Arc::clone(places).acquire_owned().await;
                Some(place.map_err(|_| Refusal::Stopped)?)
            }
            Folds::InPlace => None,
        };
        // A caller who goes away does not end the fold, so the fold keeps its turn itself.
        let work = move || {
            let _turn = turn;
            work()
        };
        Ok(self.aside(work).await??)
    }

    /// Does what would keep other tasks waiting where folds of the past are done.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        match &self.inner.folds {
            Folds::OnThreads(_) => {
                let done = tokio::task::spawn_blocking(work).await;
                done.map_err(|_panicked| Refusal::Panicked)
            }
            Folds::InPlace => Ok(work()),
        }
    }
}
