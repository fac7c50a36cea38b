//! Reads, when all is quiet, what is true: the whole log, and of every scope what an undisturbed subscriber sees from the
//! beginning and in a snapshot.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use prost_types::value::Kind;
use tonic::Status;

use super::network::connect;
use super::subscriber::{Kept, Scope, Unfinished};

/// What is true in the end.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) head: i64,
    pub(crate) commits: BTreeMap<i64, Stored>,
    pub(crate) scopes: BTreeMap<Scope, Undisturbed>,
}

/// What a subscriber sees whose connection holds.
#[derive(Clone, Debug)]
pub(crate) struct Undisturbed {
    pub(crate) from_beginning: Kept,
    pub(crate) snapshot: Kept,
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
    let mut scopes = BTreeMap::new();
    for scope in [Scope::Everything, Scope::Kinds, Scope::Prefix] {
        let undisturbed = Undisturbed {
            from_beginning: follow(scope, Start::FromBeginning(())).await?,
            snapshot: follow(scope, Start::Snapshot(())).await?,
        };
        scopes.insert(scope, undisturbed);
    }
    let head = commits.last_key_value().map_or(0, |(revision, _)| *revision);
    Ok(Truth {
        head,
        commits,
        scopes,
    })
}

impl Truth {
    /// What an undisturbed subscriber of a scope sees, commit by commit.
    pub(crate) fn of(&self, scope: Scope) -> &Undisturbed {
        match scope {
            Scope::Coalesced { .. } => &self.scopes[&Scope::Everything],
            scope => &self.scopes[&scope],
        }
    }
}

/// Follows over one connection until it is live.
async fn follow(scope: Scope, start: Start) -> Result<Kept, Status> {
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(start),
        filter: scope.filter(),
        ..Default::default()
    };
    let mut client = ProgressServiceClient::new(connect().await?);
    let mut stream = client.subscribe(request).await?.into_inner();
    let (mut kept, mut unfinished) = (Kept::default(), Unfinished::default());
    while let Some(message) = stream.message().await? {
        let event = message.event.ok_or_else(|| Status::data_loss("nothing said"))?;
        let is_live = matches!(event, Event::CaughtUp(_));
        kept.apply(event, !message.resume_token.is_empty(), &mut unfinished);
        if is_live {
            return Ok(kept);
        }
    }
    Err(Status::unavailable("the stream ended"))
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
