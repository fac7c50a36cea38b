//! What a server holds, read back through its API.

use std::collections::{BTreeMap, BTreeSet};

use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::{Event, ListEventsRequest, ListMeasurementsRequest};
use prost_types::value::Kind;
use tonic::Status;
use tonic::transport::Channel;

use super::{KPI, WORKSPACE};

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) request_id: String,
    pub(crate) leaf_hash: Vec<u8>,
    /// How many events the server says it has, and how many it has shown.
    pub(crate) events_said: i32,
    pub(crate) events_shown: i32,
    /// The source ids of its measurements.
    pub(crate) sources: Vec<String>,
}

/// Everything in the workspace of the load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) head: i64,
    pub(crate) commits: BTreeMap<i64, Stored>,
    /// The source ids of the measurements that the state knows; the commits above are the log.
    pub(crate) listed: BTreeSet<String>,
}

const PAGE: i32 = 1000;

/// Reads the whole log and the whole series.
pub(crate) async fn read(channel: &Channel) -> Result<Store, Status> {
    let mut store = Store::default();
    let mut audit = AuditServiceClient::new(channel.clone());
    let mut request = ListEventsRequest {
        parent: WORKSPACE.to_owned(),
        page_size: PAGE,
        ..ListEventsRequest::default()
    };
    loop {
        let page = audit.list_events(request.clone()).await?.into_inner();
        store.head = page.revision;
        page.events.into_iter().for_each(|event| store.add(event));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let mut kpis = KpiServiceClient::new(channel.clone());
    let mut request = ListMeasurementsRequest {
        parent: KPI.to_owned(),
        page_size: PAGE,
        ..ListMeasurementsRequest::default()
    };
    loop {
        let page = kpis.list_measurements(request.clone()).await?.into_inner();
        store.listed.extend(
            page.measurements
                .into_iter()
                .map(|measurement| measurement.source_id),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(store);
        }
    }
}

impl Store {
    fn add(&mut self, event: Event) {
        let source = source_of(&event);
        let commit = event.commit.unwrap_or_default();
        let stored = self.commits.entry(commit.revision).or_default();
        stored.request_id = commit.request_id;
        stored.leaf_hash = commit.leaf_hash;
        stored.events_said = commit.event_count;
        stored.events_shown += 1;
        stored.sources.extend(source);
    }
}

/// The source id of a recorded measurement; none: the event is something else.
fn source_of(event: &Event) -> Option<String> {
    let change = event
        .changes
        .iter()
        .find(|change| change.path == "measurement.source_id")?;
    match change.after.as_ref()?.kind.as_ref()? {
        Kind::StringValue(source) => Some(source.clone()),
        _ => None,
    }
}
