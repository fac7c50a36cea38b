//! A client that follows a workspace, or what a filter takes of it: it keeps what it has applied and the token that belongs to it together, as one would in one
//! transaction, and goes on from there over as many connections as it takes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use tonic::Status;

use super::auditor::Truth;
use super::network::{connect, within};
use super::trace::Trace;
use super::writer::may_pass;
use crate::common::acme;
use crate::common::view::{View, fold, name_of, view_of};

/// Where a subscriber begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    Snapshot,
    /// With the first revision.
    First,
    Live,
    /// With the token that somebody was given a while before.
    After {
        pause_ms: u64,
    },
}

/// What a subscriber wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Everything,
    /// Of some kinds of resources.
    Kinds,
    /// Of the objectives that the writers create.
    Prefix,
    /// Everything, as one net change in so many milliseconds.
    Coalesced {
        every_ms: i32,
    },
}

/// Which of the two a subscriber does first with a message that has a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    AppliesAndStoresAtOnce,
    /// Wrong: what comes between the two is lost.
    StoresTheTokenFirst,
}

/// A subscriber, and when its process dies: at these messages, before it has applied them.
#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) name: String,
    pub(crate) beginning: Beginning,
    pub(crate) scope: Scope,
    pub(crate) habit: Habit,
    pub(crate) dies_at: BTreeSet<usize>,
    pub(crate) trace: Trace,
}

/// What a subscriber keeps: it survives all of its connections, and its own death.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Empty: there is none yet.
    pub(crate) token: String,
    /// The revision behind which the stream begins; none: it has not begun.
    pub(crate) base: Option<i64>,
    pub(crate) applied: Vec<Applied>,
    /// Since the snapshot that the stream began with; none: it began otherwise.
    pub(crate) view: Option<View>,
    /// The names of what is there, since that snapshot.
    pub(crate) names: BTreeSet<String>,
    /// Where the server said that everything was delivered up to a revision: the revision, and how much was applied then.
    pub(crate) said_to_be_at: Vec<(i64, usize)>,
    /// What the client could not make sense of.
    pub(crate) torn: Vec<String>,
    /// The first change that does not go on from what the view showed.
    pub(crate) jump: Option<String>,
    messages: usize,
}

/// One commit that was applied, or the net change of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Of a net change: the revision that it begins behind.
    pub(crate) from: Option<i64>,
    pub(crate) revision: i64,
    pub(crate) leaf: Vec<u8>,
    pub(crate) events: usize,
    /// How many events the commit has, whatever the filter takes of them.
    pub(crate) events_said: i32,
    pub(crate) changes: usize,
    pub(crate) entered: Vec<String>,
    pub(crate) left: Vec<String>,
}

/// What the attempt at hand has and did not apply yet.
#[derive(Default)]
pub(crate) struct Unfinished {
    resources: Vec<api::Resource>,
    parts: Vec<api::Update>,
}

/// A stream says where it stands every second: one that is silent for longer is gone.
const PATIENCE: Duration = Duration::from_millis(2_500);

impl Subscriber {
    /// Follows until everything that is true has arrived.
    pub(crate) async fn run(
        self,
        kept: Rc<RefCell<Kept>>,
        truth: Rc<RefCell<Option<Truth>>>,
    ) -> turmoil::Result {
        if self.beginning == Beginning::First {
            kept.borrow_mut().base = Some(0);
        }
        for attempt in 0_u64.. {
            match self.follow(&kept, &truth).await {
                Ok(()) => return Ok(()),
                Err(refused) if !may_pass(refused.code()) => return Err(refused.into()),
                Err(lost) => {
                    self.trace.note(&self.name, format!("{:?}", lost.code()));
                    tokio::time::sleep(Duration::from_millis(20 + 40 * (attempt % 4))).await;
                }
            }
        }
        Ok(())
    }

    /// One connection.
    async fn follow(&self, kept: &RefCell<Kept>, truth: &RefCell<Option<Truth>>) -> Result<(), Status> {
        let channel = connect().await?;
        let start = self.start(&kept.borrow());
        let goes_on = matches!(start, Start::After(_));
        let request = api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: Some(start),
            checkpoint_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            filter: self.scope.filter(),
            min_interval: self.scope.min_interval(),
        };
        let mut client = ProgressServiceClient::new(channel);
        let mut stream = within(PATIENCE, client.subscribe(request)).await?.into_inner();
        let mut unfinished = Unfinished::default();
        loop {
            let head = truth.borrow().as_ref().map(|truth| truth.head);
            if head.is_some_and(|head| kept.borrow().place() >= Some(head)) {
                return Ok(());
            }
            let Some(message) = within(PATIENCE, stream.message()).await? else {
                return Err(Status::unavailable("the stream ended"));
            };
            self.take(message, &mut kept.borrow_mut(), &mut unfinished)?;
            if let Beginning::After { pause_ms } = self.beginning
                && !goes_on
            {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                return Err(Status::unavailable("it has the token that it begins with"));
            }
        }
    }

    fn start(&self, kept: &Kept) -> Start {
        match self.beginning {
            _ if !kept.token.is_empty() => Start::After(kept.token.clone()),
            Beginning::Snapshot => Start::Snapshot(()),
            Beginning::First => Start::FromBeginning(()),
            Beginning::Live | Beginning::After { .. } => Start::Live(()),
        }
    }

    fn take(
        &self,
        message: api::SubscribeResponse,
        kept: &mut Kept,
        unfinished: &mut Unfinished,
    ) -> Result<(), Status> {
        kept.messages += 1;
        let (token, event) = (message.resume_token, message.event);
        if self.habit == Habit::StoresTheTokenFirst && !token.is_empty() {
            kept.token.clone_from(&token);
        }
        if self.dies_at.contains(&kept.messages) {
            return Err(Status::unavailable("the subscriber died"));
        }
        let event = event.ok_or_else(|| Status::data_loss("a message that says nothing"))?;
        self.trace.note(&self.name, said(&event));
        kept.apply(event, !token.is_empty(), unfinished);
        if !token.is_empty() {
            kept.token = token;
        }
        Ok(())
    }
}

impl Scope {
    pub(crate) fn filter(self) -> Option<api::SubscriptionFilter> {
        use api::subscription_filter::ResourceKind;
        match self {
            Self::Everything | Self::Coalesced { .. } => None,
            Self::Kinds => Some(api::SubscriptionFilter {
                resource_kinds: vec![
                    ResourceKind::Kpi.into(),
                    ResourceKind::Objective.into(),
                    ResourceKind::Alert.into(),
                ],
                ..Default::default()
            }),
            Self::Prefix => Some(api::SubscriptionFilter {
                names: vec![acme("objectives/w*")],
                ..Default::default()
            }),
        }
    }

    fn min_interval(self) -> Option<prost_types::Duration> {
        match self {
            Self::Coalesced { every_ms } => Some(prost_types::Duration {
                seconds: 0,
                nanos: every_ms * 1_000_000,
            }),
            Self::Everything | Self::Kinds | Self::Prefix => None,
        }
    }
}

impl Kept {
    /// The newest revision up to which it has everything.
    pub(crate) fn place(&self) -> Option<i64> {
        let applied = self.applied.last().map(|applied| applied.revision);
        let said = self.said_to_be_at.last().map(|(revision, _)| *revision);
        applied.max(said).max(self.base)
    }

    pub(crate) fn apply(&mut self, event: Event, has_token: bool, unfinished: &mut Unfinished) {
        if !unfinished.parts.is_empty() && !matches!(event, Event::Update(_)) {
            self.torn.push(format!("{} inside of a commit", said(&event)));
        }
        match event {
            Event::Started(started) if has_token => {
                // Of a stream from the beginning it is known already: the head is not where that one stands.
                self.base.get_or_insert(started.head_revision);
            }
            Event::Started(_) | Event::FellBehind(_) | Event::GoingAway(_) => {}
            Event::Snapshot(part) => unfinished.resources.extend(part.resources),
            Event::SnapshotEnd(end) => {
                self.base = Some(end.revision);
                let resources = std::mem::take(&mut unfinished.resources);
                self.view = Some(view_of(&resources));
                self.names = resources.iter().map(|it| name_of(it).to_owned()).collect();
            }
            Event::Update(part) => {
                unfinished.parts.push(part);
                if has_token {
                    self.apply_commit(&std::mem::take(&mut unfinished.parts));
                }
            }
            Event::Checkpoint(checkpoint) => self.is_said_to_be_at(checkpoint.revision),
            Event::CaughtUp(caught_up) => self.is_said_to_be_at(caught_up.revision),
        }
    }

    fn is_said_to_be_at(&mut self, revision: i64) {
        self.said_to_be_at.push((revision, self.applied.len()));
    }

    /// Applies a commit whose parts are all there.
    fn apply_commit(&mut self, parts: &[api::Update]) {
        let commits: Vec<_> = parts.iter().filter_map(|part| part.commit.as_ref()).collect();
        let Some(commit) = commits.first() else {
            return self.torn.push("an update without its commit".to_owned());
        };
        if commits.len() < parts.len() || commits.iter().any(|other| other.revision != commit.revision) {
            let revisions: Vec<_> = commits.iter().map(|commit| commit.revision).collect();
            self.torn.push(format!("one update of {revisions:?}"));
        }
        let entered = parts
            .iter()
            .flat_map(|part| &part.entered)
            .map(|it| name_of(it).to_owned());
        let left = parts.iter().flat_map(|part| &part.left).cloned();
        let applied = Applied {
            from: parts.first().and_then(|part| part.from_revision),
            revision: commit.revision,
            leaf: commit.leaf_hash.clone(),
            events: parts.iter().map(|part| part.events.len()).sum(),
            events_said: commit.event_count,
            changes: parts.iter().map(|part| part.derived_changes.len()).sum(),
            entered: entered.collect(),
            left: left.collect(),
        };
        self.names.extend(applied.entered.iter().cloned());
        applied.left.iter().for_each(|name| {
            self.names.remove(name);
        });
        self.applied.push(applied);
        if let Some(view) = &mut self.view {
            for change in parts.iter().flat_map(|part| &part.derived_changes) {
                let folded = catch_unwind(AssertUnwindSafe(|| fold(view, change)));
                if folded.is_err() && self.jump.is_none() {
                    let (resource, revision) = (&change.resource, commit.revision);
                    self.jump = Some(format!("{resource} jumps at {revision}"));
                }
            }
        }
    }
}

/// A message without what differs between two runs of one seed.
fn said(event: &Event) -> String {
    match event {
        Event::Started(started) => format!("started, head {}", started.head_revision),
        Event::Snapshot(part) => format!("snapshot of {} resources", part.resources.len()),
        Event::SnapshotEnd(end) => format!("snapshot end {}", end.revision),
        Event::Update(update) => {
            let revision = update.commit.as_ref().map_or(0, |commit| commit.revision);
            let from = update
                .from_revision
                .map_or(String::new(), |from| format!("{from} to "));
            let (events, changes) = (update.events.len(), update.derived_changes.len());
            let (entered, left) = (update.entered.len(), update.left.len());
            format!("update {from}{revision}: {events} events, {changes} changes, {entered} in, {left} out")
        }
        Event::Checkpoint(checkpoint) => format!("checkpoint {}", checkpoint.revision),
        Event::CaughtUp(caught_up) => format!("caught up {}", caught_up.revision),
        Event::FellBehind(fell_behind) => format!("fell behind {}", fell_behind.revision),
        Event::GoingAway(_) => "going away".to_owned(),
    }
}
