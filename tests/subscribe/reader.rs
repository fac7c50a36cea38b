//! One subscription and what it was sent. Waiting for a message that does not come is a failure, not a hang.

use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use prost::Message as _;
use tonic::{Status, Streaming};

pub(crate) use crate::common::view::name_of;
use crate::common::*;

/// One subscription.
pub(crate) struct Reader(Streaming<api::SubscribeResponse>);

/// One message: its token and what it says.
pub(crate) type Said = (String, Event);

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request that is answered at least every second.
pub(crate) fn asking(start: Start, filter: &api::SubscriptionFilter) -> api::SubscribeRequest {
    api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(start),
        checkpoint_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        filter: Some(filter.clone()),
        ..Default::default()
    }
}

/// The same, with one net change in so many milliseconds.
pub(crate) fn coalesced(start: Start, filter: &api::SubscriptionFilter, ms: i64) -> api::SubscribeRequest {
    api::SubscribeRequest {
        min_interval: Some(prost_types::Duration {
            seconds: ms / 1000,
            nanos: i32::try_from(ms % 1000).expect("less than a second") * 1_000_000,
        }),
        ..asking(start, filter)
    }
}

/// Everything.
pub(crate) fn everything() -> api::SubscriptionFilter {
    api::SubscriptionFilter::default()
}

impl Reader {
    pub(crate) async fn of(server: &Server, start: Start) -> Self {
        Self::try_of(server, start).await.expect("a subscription")
    }

    pub(crate) async fn try_of(server: &Server, start: Start) -> Result<Self, Status> {
        Self::try_ask(server, asking(start, &everything())).await
    }

    pub(crate) async fn ask(server: &Server, request: api::SubscribeRequest) -> Self {
        Self::try_ask(server, request).await.expect("a subscription")
    }

    pub(crate) async fn try_ask(server: &Server, request: api::SubscribeRequest) -> Result<Self, Status> {
        Ok(Self(server.progress().subscribe(request).await?.into_inner()))
    }

    pub(crate) async fn next(&mut self) -> Option<Said> {
        let message = tokio::time::timeout(PATIENCE, self.0.message())
            .await
            .expect("a message in time");
        let message = message.expect("no error")?;
        Some((message.resume_token, message.event.expect("an event")))
    }

    /// Updates up to a revision, with their tokens; what is no update is looked over.
    pub(crate) async fn updates_to(&mut self, revision: i64) -> Vec<(String, api::Update)> {
        let mut updates: Vec<(String, api::Update)> = Vec::new();
        let all = async {
            while updates
                .last()
                .is_none_or(|(token, update)| token.is_empty() || revision_of(update) < revision)
            {
                if let (token, Event::Update(update)) = self.next().await.expect("a stream that goes on") {
                    updates.push((token, update));
                }
            }
        };
        // A stream that stands still says so every second: it is the whole that has to come in time.
        in_time(&format!("the updates to revision {revision}"), all).await;
        updates
    }

    /// Updates until the stream says by whatever message that it stands at a revision; and its newest token.
    pub(crate) async fn all_to(&mut self, revision: i64) -> (Vec<(String, api::Update)>, String) {
        let mut updates = Vec::new();
        let all = async {
            loop {
                let (token, event) = self.next().await.expect("a stream that goes on");
                let stands = match &event {
                    Event::Update(update) if !token.is_empty() => revision_of(update),
                    Event::Checkpoint(checkpoint) => checkpoint.revision,
                    Event::CaughtUp(caught_up) => caught_up.revision,
                    _ => 0,
                };
                if let Event::Update(update) = event {
                    updates.push((token.clone(), update));
                }
                if stands >= revision {
                    return token;
                }
            }
        };
        let token = in_time(&format!("a stream that stands at revision {revision}"), all).await;
        (updates, token)
    }

    /// The first message that `wanted` takes.
    pub(crate) async fn wait_for<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> (String, T) {
        let found = async {
            loop {
                let (token, event) = self.next().await.expect("a stream that goes on");
                if let Some(found) = wanted(&event) {
                    return (token, found);
                }
            }
        };
        in_time("the message that is wanted", found).await
    }

    /// The resources of the snapshot that the stream begins with, and its revision.
    pub(crate) async fn snapshot(&mut self) -> (Vec<api::Resource>, i64) {
        let (resources, revision, _) = self.snapshot_and_token().await;
        (resources, revision)
    }

    /// The same, and where it can be resumed.
    pub(crate) async fn snapshot_and_token(&mut self) -> (Vec<api::Resource>, i64, String) {
        let (token, started) = self.next().await.expect("started");
        assert!(
            matches!(started, Event::Started(_)) && token.is_empty(),
            "a snapshot cannot be resumed"
        );
        let mut resources = Vec::new();
        loop {
            match self.next().await.expect("a snapshot") {
                (token, Event::Snapshot(part)) => {
                    assert_eq!(token, "", "a snapshot cannot be resumed");
                    assert!(part.encoded_len() < 2 << 20);
                    resources.extend(part.resources);
                }
                (token, Event::SnapshotEnd(end)) => {
                    assert_ne!(token, "");
                    return (resources, end.revision, token);
                }
                (_, other) => panic!("inside a snapshot: {other:?}"),
            }
        }
    }
}

pub(crate) fn revision_of(update: &api::Update) -> i64 {
    update.commit.as_ref().expect("its commit").revision
}

pub(crate) fn revisions(updates: &[(String, api::Update)]) -> Vec<i64> {
    updates.iter().map(|(_, update)| revision_of(update)).collect()
}

pub(crate) fn caught_up(event: &Event) -> Option<i64> {
    match event {
        Event::CaughtUp(caught_up) => Some(caught_up.revision),
        _ => None,
    }
}

/// Values of KPI nps, each a commit.
pub(crate) async fn measured(server: &Server, times: std::ops::Range<i64>) {
    for number in times {
        server
            .kpis()
            .record_measurement(measure("nps", -number, number as f64))
            .await
            .expect("a value");
    }
}
