//! A client that follows a workspace, or what a filter takes of it, over as many connections as it takes. What it has applied
//! and the token that belongs to it are kept together, as one would in one transaction: they survive its process.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::subscribe_response::Event;
use tonic::Status;

use super::network::{connect, within};
use super::subscriber::Subscriber;
use super::subscriber::history::Said;
use super::subscriber::truth::Truth;
use super::trace::Trace;
use super::writer::may_pass;

/// Which of the two a subscriber does first with a message that has a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    AppliesAndStoresAtOnce,
    /// Wrong: what comes between the two is lost.
    StoresTheTokenFirst,
}

/// A subscriber, and when its process dies: at these messages, before it has applied them.
pub(crate) struct Follower {
    pub(crate) name: String,
    pub(crate) subscriber: Subscriber,
    /// Between the token that it begins with and its use.
    pub(crate) pause: Duration,
    pub(crate) habit: Habit,
    pub(crate) dies_at: BTreeSet<usize>,
    pub(crate) trace: Trace,
    pub(crate) messages: usize,
}

/// A stream says where it stands every second: one that is silent for longer is gone.
const PATIENCE: Duration = Duration::from_millis(2_500);

impl Follower {
    /// Follows until everything that is true has arrived.
    pub(crate) async fn run(mut self, truth: Rc<RefCell<Option<Truth>>>) -> Result<Subscriber, Status> {
        let mut attempt = 0;
        loop {
            match self.follow(&truth).await {
                Ok(()) => return Ok(self.subscriber),
                Err(refused) if !may_pass(refused.code()) => return Err(refused),
                Err(lost) => {
                    self.trace.note(&self.name, format!("{:?}", lost.code()));
                    tokio::time::sleep(Duration::from_millis(20 + 40 * (attempt % 4))).await;
                }
            }
            attempt += 1;
        }
    }

    /// One connection.
    async fn follow(&mut self, truth: &RefCell<Option<Truth>>) -> Result<(), Status> {
        let channel = connect().await?;
        if self.subscriber.lacks_its_token() {
            within(PATIENCE, self.subscriber.take_newest_token(&channel)).await?;
            tokio::time::sleep(self.pause).await;
            return Err(Status::unavailable("it has the token that it begins with"));
        }
        let mut stream = within(PATIENCE, self.subscriber.subscribe(&channel)).await?;
        loop {
            let head = truth.borrow().as_ref().map(Truth::head);
            if head.is_some_and(|head| self.subscriber.position() >= head) {
                return Ok(());
            }
            let Some(message) = within(PATIENCE, stream.message()).await? else {
                return Err(Status::unavailable("the stream ended"));
            };
            self.take(message)?;
        }
    }

    fn take(&mut self, message: api::SubscribeResponse) -> Result<(), Status> {
        self.messages += 1;
        if self.dies_at.contains(&self.messages) {
            if self.habit == Habit::StoresTheTokenFirst && !message.resume_token.is_empty() {
                let stands = Said::of(&message).revision();
                let stands = stands.unwrap_or(self.subscriber.position().max(0));
                self.subscriber.token = Some((message.resume_token, stands));
            }
            return Err(Status::unavailable("the subscriber died"));
        }
        let event = message.event.as_ref();
        let event = event.ok_or_else(|| Status::data_loss("a message that says nothing"))?;
        self.trace.note(&self.name, said(event));
        self.subscriber.hear(message);
        Ok(())
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
