//! What one subscriber was told, connection by connection, as it would keep it: what came before the newest token counts,
//! what came behind it is lost with the connection.

use std::hash::{DefaultHasher, Hash, Hasher};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_response::Event;
use prost::Message;
use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// All connections of one subscriber, in order.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) kind: Kind,
    pub(crate) connections: Vec<Connection>,
    /// The first change of the picture that did not go on from what it showed.
    pub(crate) jump: Option<String>,
}

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// The revision of the token that it began with; none: it began with a snapshot, or from the beginning.
    pub(crate) after: Option<i64>,
    /// Each ends with the message that has a token.
    pub(crate) kept: Vec<Group>,
    /// Behind the newest token: lost.
    pub(crate) lost: Vec<Said>,
}

/// The messages up to and with one that has a token.
pub(crate) type Group = Vec<Said>;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// Empty: there is none.
    pub(crate) token: String,
    pub(crate) what: What,
}

/// What a message says, as far as the promises are about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// The head when the stream began, which is not where every stream stands.
    Started(i64),
    Snapshot,
    SnapshotEnd(i64),
    Update(Part),
    Checkpoint(i64),
    CaughtUp(i64),
    FellBehind(i64),
    GoingAway,
}

/// An update, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) revision: i64,
    /// Of a net change: behind which revision it begins.
    pub(crate) from: Option<i64>,
    pub(crate) leaf: Vec<u8>,
    pub(crate) event_count: i32,
    /// The names of its events.
    pub(crate) events: Vec<String>,
    /// Of all of its bytes.
    pub(crate) digest: u64,
}

impl Said {
    pub(crate) fn of(message: &api::SubscribeResponse) -> Self {
        let what = match message.event.as_ref().expect("a message says something") {
            Event::Started(started) => What::Started(started.head_revision),
            Event::Snapshot(_) => What::Snapshot,
            Event::SnapshotEnd(end) => What::SnapshotEnd(end.revision),
            Event::Update(update) => What::Update(Part::of(update)),
            Event::Checkpoint(checkpoint) => What::Checkpoint(checkpoint.revision),
            Event::CaughtUp(caught_up) => What::CaughtUp(caught_up.revision),
            Event::FellBehind(fell_behind) => What::FellBehind(fell_behind.revision),
            Event::GoingAway(api::GoingAway {}) => What::GoingAway,
        };
        Self {
            token: message.resume_token.clone(),
            what,
        }
    }

    /// The revision that it says.
    pub(crate) fn revision(&self) -> Option<i64> {
        match &self.what {
            What::Started(_) | What::Snapshot | What::GoingAway => None,
            What::SnapshotEnd(revision)
            | What::Checkpoint(revision)
            | What::CaughtUp(revision)
            | What::FellBehind(revision) => Some(*revision),
            What::Update(part) => Some(part.revision),
        }
    }

    pub(crate) fn part(&self) -> Option<&Part> {
        match &self.what {
            What::Update(part) => Some(part),
            _ => None,
        }
    }
}

impl Part {
    fn of(update: &api::Update) -> Self {
        let commit = update.commit.as_ref().expect("an update has its commit");
        let mut hasher = DefaultHasher::new();
        update.encode_to_vec().hash(&mut hasher);
        Self {
            revision: commit.revision,
            from: update.from_revision,
            leaf: commit.leaf_hash.clone(),
            event_count: commit.event_count,
            events: update.events.iter().map(|event| event.name.clone()).collect(),
            digest: hasher.finish(),
        }
    }
}

impl Connection {
    /// Everything that was said, also what is lost.
    pub(crate) fn said(&self) -> impl Iterator<Item = &Said> {
        self.kept.iter().flatten().chain(&self.lost)
    }
}

impl History {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            connections: Vec::new(),
            jump: None,
        }
    }

    /// What the subscriber has kept, over all of its connections.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Group> {
        self.connections.iter().flat_map(|connection| &connection.kept)
    }

    /// The updates that it has kept, each with all of its parts.
    pub(crate) fn updates(&self) -> impl Iterator<Item = (i64, Vec<&Part>)> {
        self.kept().filter_map(|group| {
            let parts: Vec<&Part> = group.iter().filter_map(Said::part).collect();
            Some((parts.last()?.revision, parts))
        })
    }

    /// Behind which revision it was to be told everything; none: it has never come so far.
    pub(crate) fn begins(&self) -> Option<i64> {
        let first = self.connections.first()?;
        if first.after.is_some() {
            return first.after;
        }
        let snapshot = self.kept().flatten().find_map(|said| match said.what {
            What::SnapshotEnd(revision) => Some(revision),
            _ => None,
        });
        // Neither a token nor a snapshot: from the beginning.
        snapshot.or(Some(0))
    }

    /// Up to which revision it was told everything.
    pub(crate) fn ends(&self) -> i64 {
        let newest = self.kept().flatten().filter_map(Said::revision).last();
        newest.or(self.begins()).unwrap_or(0)
    }
}
