//! Subscriptions: a place in the order of the log, and what comes behind it, as messages.
//!
//! `filter` says what a stream is about, `audience` what all streams with one filter share, `messages` how an update is cut
//! into messages, `pages` how many of them are sent at once, `pieces` how they are handed out, `whole` what is sent whole,
//! `stages` how a stream goes on from its place, `token` what it resumes with, `shared` what many streams want and is made once, `room` how much all of them may
//! hold, and `readers` which of them have stopped reading.
//!
//! Invariant: everything behind the place is delivered, in order, once. Nothing is queued for a reader but the batch it is
//! reading.

mod audience;
mod filter;
mod messages;
mod pages;
mod pieces;
mod readers;
mod room;
mod shared;
mod stages;
mod token;
mod whole;

pub(super) use filter::{Filter, NamePattern};
pub use readers::SubscriptionLimits;
pub(super) use readers::{Reading, Subscriptions};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Status;

use super::api::wire;
use super::{status, to_proto};
use crate::domain::{Id, Rejection, ResourceName, Revision, Workspace};
use crate::engine::{Engine, Hosted, Refusal};
use crate::log::{Frontier, Root};
use crate::projection::State;
use crate::proto::api;
use crate::proto::api::subscribe_response::Event;
use audience::Audience;
use messages::{MESSAGE_BYTES_MAX, frame};
use pieces::{Piece, cut};
use room::Room;
use stages::{Coalescing, Stage, drain};
use token::ResumeToken;
use whole::{Frames, NetChanges};

/// What is asked of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) start: Start,
    pub(super) filter: Filter,
    pub(super) checkpoint_interval: Duration,
    /// None: each commit by itself.
    pub(super) min_interval: Option<Duration>,
}

/// Where a subscription begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Snapshot,
    After(String),
    FromBeginning,
    Live,
}

/// A reader's place and how it goes on from there.
pub(super) struct Subscription {
    engine: Engine,
    hosted: Arc<Hosted>,
    audience: Arc<Audience>,
    checkpoint_interval: Duration,
    draining: watch::Receiver<bool>,
    head: watch::Receiver<Revision>,
    /// Everything up to here was put into `ready`, or is in `whole`, or is not for this stream.
    position: Position,
    /// The revision of that, for whoever asks from outside how far it lies behind.
    reached: Arc<AtomicU64>,
    /// What was the head when it began, or fell behind: there it has caught up.
    goal: Revision,
    stage: Stage,
    /// What is sent before `ready`, as it is taken.
    whole: Option<Frames>,
    ready: Vec<Piece>,
    room: Room,
    net_changes: Arc<NetChanges>,
    /// When the stream said something last.
    spoke: Instant,
}

/// A revision and the tree's root there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    revision: Revision,
    root: Root,
}

impl Subscription {
    /// Begins a subscription. Whatever is wrong with the request is said here, before the first message.
    pub(super) async fn begin(
        engine: Engine,
        subscriptions: &Subscriptions,
        workspace: &Id,
        asked: Asked,
        draining: watch::Receiver<bool>,
    ) -> Result<Self, Status> {
        let hosted = engine.hosted(workspace)?;
        let published = hosted.published();
        exists(&asked.filter, published.state.workspace())?;
        let audience = subscriptions.join(workspace, hosted.log(), asked.filter);
        let newest = Position {
            revision: published.state.workspace().revision(),
            root: published.root,
        };
        let (position, shown) = match &asked.start {
            Start::Snapshot | Start::Live => (newest, Some(Arc::clone(&published.state))),
            Start::FromBeginning => (Position::beginning(), Some(Arc::new(State::empty()))),
            Start::After(token) => {
                let position = resume(&engine, &hosted, newest, token, &audience).await?;
                let shown = match asked.min_interval {
                    None => None,
                    // Many come back to where nothing has happened meanwhile: that needs no fold.
                    Some(_) if position == newest => Some(Arc::clone(&published.state)),
                    Some(_) => Some(subscriptions.state(&engine, &hosted, position.revision).await?),
                };
                (position, shown)
            }
        };
        let stage = match (asked.min_interval, shown) {
            (Some(every), Some(shown)) => Stage::Coalesced(Coalescing::new(every, shown)),
            _ => Stage::Live { announced: false },
        };
        let head = hosted.feed().head();
        let mut subscription = Self {
            engine,
            hosted,
            audience,
            checkpoint_interval: asked.checkpoint_interval,
            draining,
            head,
            position,
            reached: Arc::new(AtomicU64::new(position.revision.0)),
            goal: newest.revision,
            stage,
            whole: None,
            ready: Vec::new(),
            room: subscriptions.room(),
            net_changes: subscriptions.net_changes(),
            spoke: Instant::now(),
        };
        let started = api::Started {
            head_revision: wire(newest.revision),
            oldest_revision: 1,
        };
        let opens_whole = asked.start == Start::Snapshot;
        let token = if opens_whole {
            String::new()
        } else {
            subscription.token()
        };
        subscription.say(Event::Started(started), token);
        if opens_whole {
            let audience = Arc::clone(&subscription.audience);
            let state = Arc::clone(&published.state);
            subscription.whole = Some(whole::snapshot(audience, state, newest.root));
        }
        Ok(subscription)
    }

    /// The next messages, as gRPC sends them; none: the stream is over.
    async fn next(&mut self) -> Result<Option<Vec<Piece>>, Status> {
        loop {
            if !self.ready.is_empty() {
                self.spoke = Instant::now();
                return Ok(Some(std::mem::take(&mut self.ready)));
            }
            if *self.draining.borrow() && !matches!(self.stage, Stage::Over) {
                // What is sent whole has no token before its end: it is not waited for.
                let token = if self.whole.take().is_some() {
                    String::new()
                } else {
                    self.token()
                };
                self.say(Event::GoingAway(api::GoingAway {}), token);
                self.stage = Stage::Over;
                continue;
            }
            if self.whole.is_some() {
                self.go_on_with_whole().await?;
                continue;
            }
            if matches!(self.stage, Stage::Over) {
                return Ok(None);
            }
            self.go_on().await?;
        }
    }

    /// Puts the next message of what is sent whole into `ready`.
    async fn go_on_with_whole(&mut self) -> Result<(), Status> {
        // Made when there is room: it cannot be made again.
        if !self.reserve(MESSAGE_BYTES_MAX).await? {
            return Ok(());
        }
        let message = match &mut self.whole {
            Some(whole) => whole.next().await,
            None => None,
        };
        match message {
            Some(message) => self.ready.extend(self.room.fill(message)),
            None => {
                self.room.give_back();
                self.whole = None;
            }
        }
        Ok(())
    }

    /// Waits until there is room for so many bytes among those of all streams; `false`: the server drains meanwhile.
    async fn reserve(&mut self, bytes: usize) -> Result<bool, Status> {
        tokio::select! {
            biased;
            () = self.room.reserve(bytes) => Ok(true),
            ending = drain(&mut self.draining) => ending.map(|()| false),
        }
    }

    /// Goes on to a later place.
    fn move_to(&mut self, position: Position) {
        self.position = position;
        self.reached.store(position.revision.0, Ordering::Relaxed);
    }

    /// Something about the stream itself.
    fn say(&mut self, event: Event, resume_token: String) {
        self.ready.extend(cut(frame(event, resume_token)));
    }

    /// Says where the stream stands.
    fn say_checkpoint(&mut self) {
        let Position { revision, root: _ } = self.position;
        let published = self.hosted.published();
        let recorded_time = published.state.workspace().recorded_time(revision);
        let checkpoint = api::Checkpoint {
            revision: wire(revision),
            recorded_time: recorded_time.map(to_proto::timestamp),
        };
        self.say(Event::Checkpoint(checkpoint), self.token());
    }

    fn token(&self) -> String {
        self.audience.token(self.position.revision, self.position.root)
    }
}

impl Position {
    /// Before the first commit.
    fn beginning() -> Self {
        Self {
            revision: Revision::ZERO,
            root: Frontier::empty().root(),
        }
    }
}

/// What a filter names by its id has to be there, deleted or not: a typing error would be silent for ever.
fn exists(filter: &Filter, workspace: &Workspace) -> Result<(), Rejection> {
    let team = filter
        .teams
        .iter()
        .find(|team| !workspace.teams().contains_key(*team));
    let cycle = filter
        .cycles
        .iter()
        .find(|cycle| !workspace.cycles().contains_key(*cycle));
    let missing = team
        .cloned()
        .map(ResourceName::Team)
        .or(cycle.cloned().map(ResourceName::Cycle));
    missing.map_or(Ok(()), |name| Err(Rejection::NotFound(name)))
}

/// Where a token points to, or what is wrong with it.
async fn resume(
    engine: &Engine,
    hosted: &Arc<Hosted>,
    newest: Position,
    token: &str,
    audience: &Audience,
) -> Result<Position, Status> {
    let Some(token) = ResumeToken::decode(token) else {
        return Err(status::token_unreadable());
    };
    if token.log != hosted.log() {
        return Err(status::token_of_another_log());
    }
    if token.filter != audience.hash() {
        return Err(status::token_of_another_subscription());
    }
    if token.revision > newest.revision {
        return Err(status::token_in_future(token.revision, newest.revision));
    }
    let root = engine.root_at(hosted, token.revision).await.map_err(refused)?;
    if root != token.root {
        return Err(status::token_of_another_log());
    }
    Ok(Position {
        revision: token.revision,
        root,
    })
}

fn refused(refusal: Refusal) -> Status {
    refusal.into()
}
