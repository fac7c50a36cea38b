//! What is sent whole: the snapshot that a stream opens with, and the net change of a stream that is coalesced. Both are made
//! from immutable states, a message at a time, as the reader takes them.

use std::sync::Arc;

use async_stream::stream;
use futures_util::stream::{BoxStream, StreamExt};
use prost::Message;
use prost::bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;

use super::audience::Audience;
use super::messages::{Messages, Part, frame};
use super::shared::Shared;
use crate::domain::{ResourceName, Revision};
use crate::engine::{Engine, Refusal};
use crate::log::{LogId, Root};
use crate::projection::{NetEffect, State, scope};
use crate::proto::api;
use crate::proto::api::subscribe_response::Event;
use crate::service::names::full_name;
use crate::service::to_proto;

/// What has become of one state, up to another.
pub(super) struct NetChange {
    before: Arc<State>,
    after: Arc<State>,
    net: NetEffect,
}

/// The net changes that streams are being sent: one commit wakes many that have seen the same.
pub(super) struct NetChanges {
    shared: Shared<(LogId, Revision, Revision), NetChange>,
    /// Each is work for a thread; what is read and written has the others.
    at_once: Semaphore,
}

/// Messages as gRPC sends them, which come as they are taken.
pub(super) type Frames = BoxStream<'static, Bytes>;

/// How much of a snapshot one message has, in bytes.
const SNAPSHOT_BYTES: usize = 256 * 1024;

/// So many pairs of states are compared at once.
const AT_ONCE_MAX: usize = 2;

impl NetChanges {
    /// What has become of one state of a log, up to another.
    pub(super) async fn between(
        &self,
        engine: &Engine,
        log: LogId,
        before: Arc<State>,
        after: Arc<State>,
    ) -> Result<Arc<NetChange>, Refusal> {
        let revisions = (before.workspace().revision(), after.workspace().revision());
        let compare = async {
            // It is never closed.
            let _turn = self.at_once.acquire().await;
            let compare = move || NetChange {
                net: NetEffect::between(&before, &after),
                before,
                after,
            };
            engine.aside(compare).await
        };
        self.shared.get((log, revisions.0, revisions.1), compare).await
    }
}

impl Default for NetChanges {
    fn default() -> Self {
        Self {
            shared: Shared::default(),
            at_once: Semaphore::new(AT_ONCE_MAX),
        }
    }
}

/// A state: its resources, parents before children, then the word that it is complete.
pub(super) fn snapshot(audience: Arc<Audience>, state: Arc<State>, root: Root) -> Frames {
    let frames = stream! {
        let (mut resources, mut bytes) = (Vec::new(), 0);
        for name in to_proto::resource_names(&state) {
            let scope = scope(state.workspace(), &name);
            if !audience.filter.lists(&name, scope.as_ref()) {
                continue;
            }
            let Some(resource) = to_proto::resource(&audience.workspace, &state, audience.log, &name) else {
                continue;
            };
            let more = resource.encoded_len();
            if bytes > 0 && bytes + more > SNAPSHOT_BYTES {
                bytes = 0;
                let resources = std::mem::take(&mut resources);
                yield frame(Event::Snapshot(api::Snapshot { resources }), String::new());
            }
            bytes += more;
            resources.push(resource);
        }
        if !resources.is_empty() {
            yield frame(Event::Snapshot(api::Snapshot { resources }), String::new());
        }
        let revision = state.workspace().revision();
        let end = api::SnapshotEnd { revision: to_proto::revision(revision) };
        yield frame(Event::SnapshotEnd(end), audience.token(revision, root));
    };
    frames.boxed()
}

/// Everything between two states, as one update with the token of the later one. Nothing, where nothing of it is for the
/// audience.
pub(super) fn net_change(audience: Arc<Audience>, change: Arc<NetChange>, root: Root) -> Frames {
    let frames = stream! {
        let NetChange { before, after, net } = &*change;
        let revision = after.workspace().revision();
        let mut messages = Messages::new(&head(before.workspace().revision(), after));
        let mut out = BytesMut::new();
        for change in &net.changes {
            let name = change.resource();
            let concern = net.concerns.get(&name).map(|(concern, _)| concern);
            if audience.filter.takes_derived(change, &name, concern) {
                let change = to_proto::derived_change(&audience.workspace, change);
                messages.put(&Part::Derived(change), &mut out);
                if !out.is_empty() {
                    yield out.split().freeze();
                }
            }
        }
        for (name, (concern, written)) in &net.concerns {
            let was = audience.filter.lists(name, concern.before());
            let is = audience.filter.lists(name, concern.after());
            let whole = |name: &ResourceName| {
                to_proto::resource(&audience.workspace, after, audience.log, name)
            };
            let part = match (was, is) {
                (false, true) => whole(name).map(Part::Entered),
                (true, true) if *written => whole(name).map(Part::Changed),
                (true, false) => Some(Part::Left(full_name(&audience.workspace, name))),
                (true, true) | (false, false) => None,
            };
            if let Some(part) = part {
                messages.put(&part, &mut out);
            }
            if !out.is_empty() {
                yield out.split().freeze();
            }
        }
        if !messages.is_empty() {
            messages.end(&audience.token(revision, root), &mut out);
            yield out.freeze();
        }
    };
    frames.boxed()
}

/// What is known of the newest commit from the state alone.
fn head(from: Revision, after: &State) -> api::Update {
    let workspace = after.workspace();
    let commit = api::Commit {
        revision: to_proto::revision(workspace.revision()),
        recorded_time: workspace.newest_recorded_time().map(to_proto::timestamp),
        ..api::Commit::default()
    };
    api::Update {
        commit: Some(commit),
        from_revision: Some(to_proto::revision(from)),
        ..api::Update::default()
    }
}
