//! One subscription: a place in the order of the log, and what comes behind it, as messages.
//!
//! Invariant: everything behind the place is delivered, in order, once. A live reader takes from the shared ring; one
//! that fell behind folds the log at its own pace and joins the ring again. Nothing is queued for a reader but the batch
//! it is reading.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tonic::Status;

use super::api::wire;
use super::token::{FilterHash, ResumeToken};
use super::{status, to_proto};
use crate::domain::{Id, Revision};
use crate::engine::{Engine, Hosted, Past, Refusal, Tail, Update};
use crate::log::Root;
use crate::proto::api;
use crate::proto::api::subscribe_response::Event;

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
    workspace: Id,
    hosted: Arc<Hosted>,
    filter: FilterHash,
    checkpoint_interval: Duration,
    draining: watch::Receiver<bool>,
    head: watch::Receiver<Revision>,
    /// Everything up to here was put into `ready`.
    place: Place,
    mode: Mode,
    ready: VecDeque<api::SubscribeResponse>,
}

/// A revision and the tree's root there.
#[derive(Clone, Copy)]
struct Place {
    revision: Revision,
    root: Root,
}

enum Mode {
    /// Reads the ring. `announced`: the client knows that it is live.
    Live {
        announced: bool,
    },
    /// Folds the log.
    Behind(Box<Past>),
    Over,
}

/// The largest message of a large commit or snapshot, in bytes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How many commits a reader who is behind folds at once.
const FOLD_COMMITS: usize = 256;

impl Subscription {
    /// Begins a subscription. Whatever is wrong with the request is said here, before the first message.
    pub(super) async fn begin(
        engine: Engine,
        workspace: &Id,
        start: Start,
        checkpoint_interval: Duration,
        draining: watch::Receiver<bool>,
    ) -> Result<Self, Status> {
        let hosted = engine.hosted(workspace)?;
        // No filter yet: the hash of nothing stands for "everything".
        let mut filter = [0; 8];
        filter.copy_from_slice(&Sha256::digest([])[..8]);
        let published = hosted.published();
        let newest = Place {
            revision: published.state.workspace().revision(),
            root: published.root,
        };
        let (place, mode) = match &start {
            Start::Snapshot | Start::Live => (newest, Mode::Live { announced: false }),
            Start::FromBeginning => {
                let past = engine.past(&hosted, Revision::ZERO).await?;
                (place_of(&past), Mode::Behind(Box::new(past)))
            }
            Start::After(token) => resume(&engine, &hosted, newest, token, filter).await?,
        };
        let head = hosted.feed().head();
        let mut subscription = Self {
            engine,
            workspace: workspace.clone(),
            hosted,
            filter,
            checkpoint_interval,
            draining,
            head,
            place,
            mode,
            ready: VecDeque::new(),
        };
        let started = api::Started {
            head_revision: wire(newest.revision),
            oldest_revision: 1,
        };
        let token = if start == Start::Snapshot {
            String::new()
        } else {
            subscription.token()
        };
        subscription.push(Event::Started(started), token);
        if start == Start::Snapshot {
            subscription.push_snapshot(&published.state);
        }
        Ok(subscription)
    }

    /// The next message; none: the stream is over.
    pub(super) async fn next(&mut self) -> Result<Option<api::SubscribeResponse>, Status> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            if *self.draining.borrow() && !matches!(self.mode, Mode::Over) {
                self.push(Event::GoingAway(api::GoingAway {}), self.token());
                self.mode = Mode::Over;
                continue;
            }
            match std::mem::replace(&mut self.mode, Mode::Over) {
                Mode::Over => return Ok(None),
                Mode::Behind(past) => self.catch_up(*past).await?,
                Mode::Live { announced } => self.live(announced).await?,
            }
        }
    }

    /// Folds a batch of the log; at its head the ring takes over.
    async fn catch_up(&mut self, past: Past) -> Result<(), Status> {
        let head = self.hosted.published().state.workspace().revision();
        let (past, updates) = self.engine.advance(past, head, FOLD_COMMITS).await?;
        let caught_up = past.revision() >= head || updates.is_empty();
        self.push_updates(&updates);
        self.mode = if caught_up {
            Mode::Live { announced: false }
        } else {
            Mode::Behind(Box::new(past))
        };
        Ok(())
    }

    /// Takes what the ring has, or waits for the next.
    async fn live(&mut self, announced: bool) -> Result<(), Status> {
        match self.hosted.feed().after(self.place.revision) {
            Tail::Gone => {
                let past = self.engine.past(&self.hosted, self.place.revision).await?;
                let head_revision = wire(self.hosted.published().state.workspace().revision());
                let fell_behind = api::FellBehind {
                    revision: wire(self.place.revision),
                    head_revision,
                };
                // Who never was live has not fallen behind.
                if announced {
                    self.push(Event::FellBehind(fell_behind), self.token());
                }
                self.mode = Mode::Behind(Box::new(past));
            }
            Tail::Updates(updates) if !updates.is_empty() => {
                self.push_updates(&updates);
                self.mode = Mode::Live { announced };
            }
            Tail::Updates(_) => {
                self.mode = Mode::Live { announced: true };
                if !announced {
                    self.push(
                        Event::CaughtUp(api::CaughtUp {
                            revision: wire(self.place.revision),
                        }),
                        self.token(),
                    );
                    return Ok(());
                }
                self.wait().await;
            }
        }
        Ok(())
    }

    /// Waits until something happens, and says where the stream stands when nothing does.
    async fn wait(&mut self) {
        let place = self.place.revision;
        tokio::select! {
            biased;
            // A sender that is gone means that the server is ending: the drain says so.
            _ = self.head.wait_for(|head| *head > place) => return,
            _ = self.draining.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(self.checkpoint_interval) => {}
        }
        let recorded_time = self.hosted.published().state.workspace().recorded_time(place);
        let checkpoint = api::Checkpoint {
            revision: wire(place),
            recorded_time: recorded_time.map(to_proto::timestamp),
        };
        self.push(Event::Checkpoint(checkpoint), self.token());
    }

    fn push_snapshot(&mut self, state: &crate::projection::State) {
        let log = self.hosted.log();
        let workspace = self.workspace.clone();
        let mut parts = Parts::default();
        for resource in to_proto::resources(&workspace, state, log) {
            if parts.is_full_for(resource.encoded_len()) {
                self.push(
                    Event::Snapshot(api::Snapshot {
                        resources: parts.take(),
                    }),
                    String::new(),
                );
            }
            parts.add(resource);
        }
        self.push(
            Event::Snapshot(api::Snapshot {
                resources: parts.take(),
            }),
            String::new(),
        );
        let end = api::SnapshotEnd {
            revision: wire(self.place.revision),
        };
        self.push(Event::SnapshotEnd(end), self.token());
    }

    fn push_updates(&mut self, updates: &[Arc<Update>]) {
        for update in updates {
            self.place = Place {
                revision: update.commit.revision,
                root: update.root,
            };
            let messages = split(&self.workspace, update);
            let last = messages.len().saturating_sub(1);
            for (index, message) in messages.into_iter().enumerate() {
                let token = if index == last {
                    self.token()
                } else {
                    String::new()
                };
                self.push(Event::Update(message), token);
            }
        }
    }

    fn push(&mut self, event: Event, resume_token: String) {
        self.ready.push_back(api::SubscribeResponse {
            resume_token,
            event: Some(event),
        });
    }

    fn token(&self) -> String {
        let Place { revision, root } = self.place;
        ResumeToken {
            log: self.hosted.log(),
            revision,
            root,
            filter: self.filter,
        }
        .encode()
    }
}

/// Where a token points to, or what is wrong with it.
async fn resume(
    engine: &Engine,
    hosted: &Arc<Hosted>,
    newest: Place,
    token: &str,
    filter: FilterHash,
) -> Result<(Place, Mode), Status> {
    let Some(token) = ResumeToken::decode(token) else {
        return Err(status::token_unreadable());
    };
    if token.log != hosted.log() {
        return Err(status::token_of_another_log());
    }
    if token.filter != filter {
        return Err(status::token_of_another_subscription());
    }
    if token.revision > newest.revision {
        return Err(status::token_in_future(token.revision, newest.revision));
    }
    let place = Place {
        revision: token.revision,
        root: token.root,
    };
    // The ring knows the root of what it holds: a reader who was away for a moment costs nothing.
    let before = Revision(token.revision.0.saturating_sub(1));
    let in_ring = match hosted.feed().after(before) {
        Tail::Updates(updates) => updates
            .first()
            .filter(|update| update.commit.revision == token.revision)
            .map(|update| update.root),
        Tail::Gone => None,
    };
    let known = if token.revision == newest.revision {
        Some(newest.root)
    } else {
        in_ring
    };
    let (root, mode) = match known {
        Some(root) => (root, Mode::Live { announced: false }),
        None => {
            let past = engine.past(hosted, token.revision).await.map_err(refused)?;
            (past.frontier().root(), Mode::Behind(Box::new(past)))
        }
    };
    if root != token.root {
        Err(status::token_of_another_log())
    } else {
        Ok((place, mode))
    }
}

fn refused(refusal: Refusal) -> Status {
    refusal.into()
}

fn place_of(past: &Past) -> Place {
    Place {
        revision: past.revision(),
        root: past.frontier().root(),
    }
}

/// A commit as one message, or as several when it is large.
fn split(workspace: &Id, update: &Update) -> Vec<api::Update> {
    let commit = to_proto::commit(&update.commit, update.leaf.0);
    let events =
        (0..update.commit.events.len()).filter_map(|i| to_proto::event(workspace, &update.commit, i, None));
    let changes = update
        .effect
        .changes
        .iter()
        .map(|change| to_proto::derived_change(workspace, change));
    let mut messages = Vec::new();
    let mut message = api::Update {
        commit: Some(commit.clone()),
        ..Default::default()
    };
    let mut bytes = 0;
    let mut make_room = |message: &mut api::Update, more: usize| {
        if bytes + more > MESSAGE_BYTES_MAX && bytes > 0 {
            let next = api::Update {
                commit: Some(commit.clone()),
                ..Default::default()
            };
            messages.push(std::mem::replace(message, next));
            bytes = 0;
        }
        bytes += more;
    };
    for event in events {
        make_room(&mut message, event.encoded_len());
        message.events.push(event);
    }
    for change in changes {
        make_room(&mut message, change.encoded_len());
        message.derived_changes.push(change);
    }
    messages.push(message);
    messages
}

/// Resources of one snapshot message.
#[derive(Default)]
struct Parts {
    resources: Vec<api::Resource>,
    bytes: usize,
}

impl Parts {
    fn is_full_for(&self, more: usize) -> bool {
        !self.resources.is_empty() && self.bytes + more > MESSAGE_BYTES_MAX
    }

    fn add(&mut self, resource: api::Resource) {
        self.bytes += resource.encoded_len();
        self.resources.push(resource);
    }

    fn take(&mut self) -> Vec<api::Resource> {
        self.bytes = 0;
        std::mem::take(&mut self.resources)
    }
}
