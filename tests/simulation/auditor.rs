//! Reads, when all is quiet, what is true: the whole log and the newest state, through the API.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use prost_types::value::Kind;
use tonic::Status;

use super::network::connect;
use crate::common::view::{View, view_of};

/// What is true in the end.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) head: i64,
    pub(crate) commits: BTreeMap<i64, Stored>,
    pub(crate) view: View,
}

/// One commit of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) request_id: String,
    pub(crate) reason: String,
    pub(crate) leaf: Vec<u8>,
    /// How many events it has.
    pub(crate) events: usize,
    /// The source ids of its measurements.
    pub(crate) sources: Vec<String>,
}

/// Reads everything.
pub(crate) async fn read() -> Result<Truth, Status> {
    let channel = connect().await?;
    let mut audit = AuditServiceClient::new(channel.clone());
    let mut commits = BTreeMap::<i64, Stored>::new();
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    loop {
        let page = audit.list_events(request.clone()).await?.into_inner();
        page.events.into_iter().for_each(|event| add(&mut commits, event));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Snapshot(())),
        ..Default::default()
    };
    let subscribed = ProgressServiceClient::new(channel).subscribe(request).await?;
    let (mut stream, mut resources) = (subscribed.into_inner(), Vec::new());
    while let Some(message) = stream.message().await? {
        match message.event {
            Some(Event::Snapshot(part)) => resources.extend(part.resources),
            Some(Event::SnapshotEnd(end)) => {
                return Ok(Truth {
                    head: end.revision,
                    commits,
                    view: view_of(&resources),
                });
            }
            _ => {}
        }
    }
    Err(Status::unavailable("the snapshot ended"))
}

fn add(commits: &mut BTreeMap<i64, Stored>, event: api::Event) {
    let source = event.changes.iter().find_map(|change| {
        let after = change.after.as_ref()?.kind.as_ref()?;
        match after {
            Kind::StringValue(source) if change.path == "measurement.source_id" => Some(source.clone()),
            _ => None,
        }
    });
    let commit = event.commit.unwrap_or_default();
    let stored = commits.entry(commit.revision).or_default();
    stored.request_id = commit.request_id;
    stored.reason = commit.reason;
    stored.leaf = commit.leaf_hash;
    stored.events += 1;
    stored.sources.extend(source);
}
