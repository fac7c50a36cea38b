//! The conversation with the server: which KPIs there are, creating some, recording batches.
//!
//! Every request that writes carries a request id and is repeated with the same one, so a repeat after a lost answer
//! records nothing twice. It deliberately does not know files; a refused batch is handed back as it was.

use std::cell::Cell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::batch::{Batch, request_id};
use super::creation::{Blueprint, unit_of};
use crate::cli::Failure;
use crate::cli::connection::Channel;
use crate::cli::connection::{self, patiently};
use crate::domain::{Id, Title, Unit};
use crate::proto::api;
use crate::proto::api::kpi_service_client::KpiServiceClient;

/// Batches that are sent before the first is answered.
const IN_FLIGHT_MAX: usize = 4;
/// KPIs a page.
const PAGE_SIZE: i32 = 1000;

/// Whom requests go to, and what they all say.
pub(super) struct Connection {
    client: KpiServiceClient<Channel>,
    workspace: String,
    actor: Option<MetadataValue<Ascii>>,
    reason: String,
    run: Uuid,
}

/// What became of the measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Recorded as new.
    pub(super) recorded: u64,
    /// Recorded instead of another value.
    pub(super) superseded: u64,
    /// Known already.
    pub(super) unchanged: u64,
}

/// A batch that was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    /// Which.
    pub(super) batch: Batch,
    /// Why.
    pub(super) status: Status,
}

impl Connection {
    /// Connects. `workspace` is a full name, `run` makes this run's request ids its own.
    ///
    /// # Errors
    /// The address is none, or nothing answers there.
    pub(super) async fn open(
        server: &str,
        workspace: String,
        actor: Option<MetadataValue<Ascii>>,
        reason: String,
        run: Uuid,
    ) -> Result<Self, Failure> {
        let channel = connection::open(server).await?;
        Ok(Self {
            client: KpiServiceClient::new(channel),
            workspace,
            actor,
            reason,
            run,
        })
    }

    /// The workspace's KPIs, each with what it is measured in, or why it cannot be measured.
    pub(super) async fn kpis(&self) -> Result<BTreeMap<Id, Result<Unit, String>>, Status> {
        let mut kpis = BTreeMap::new();
        let mut request = api::ListKpisRequest {
            parent: self.workspace.clone(),
            page_size: PAGE_SIZE,
            show_deleted: true,
            ..api::ListKpisRequest::default()
        };
        loop {
            let page = patiently(async || self.client.clone().list_kpis(self.request(request.clone())).await)
                .await?
                .into_inner();
            for kpi in &page.kpis {
                let id = kpi.name.rsplit('/').next().map(Id::parse);
                if let Some(Ok(id)) = id {
                    kpis.insert(id, measured_in(kpi));
                }
            }
            if page.next_page_token.is_empty() {
                return Ok(kpis);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Creates a KPI; false: somebody else has just done so.
    pub(super) async fn create(&self, id: &Id, title: &Title, blueprint: &Blueprint) -> Result<bool, Status> {
        let mut request = api::CreateKpiRequest {
            parent: self.workspace.clone(),
            kpi_id: id.to_string(),
            kpi: Some(blueprint.kpi(title)),
            request_id: String::new(),
            reason: self.reason.clone(),
        };
        request.request_id = request_id(self.run, &request);
        match patiently(async || {
            self.client
                .clone()
                .create_kpi(self.request(request.clone()))
                .await
        })
        .await
        {
            Ok(_) => Ok(true),
            Err(status) if status.code() == Code::AlreadyExists => Ok(false),
            Err(status) => Err(status),
        }
    }

    /// Records batches, a few at once; after a refusal no other one is begun, and those that are under way end.
    /// `answered` hears how many measurements each answer is about.
    pub(super) async fn record(&self, batches: Vec<Batch>, answered: impl Fn(u64)) -> (Counts, Vec<Refused>) {
        let refused_one = Cell::new(false);
        let one = async |batch: Batch| {
            if refused_one.get() {
                return None;
            }
            let result = patiently(async || {
                let request = self.request(batch.request.clone());
                self.client.clone().batch_record_measurements(request).await
            })
            .await;
            refused_one.set(refused_one.get() || result.is_err());
            Some((batch, result))
        };
        let mut counts = Counts::default();
        let mut refused = Vec::new();
        let mut results = std::pin::pin!(stream::iter(batches).map(one).buffer_unordered(IN_FLIGHT_MAX));
        while let Some(result) = results.next().await {
            match result {
                Some((batch, Ok(answer))) => {
                    counts.add(answer.get_ref());
                    answered(batch.places.len() as u64);
                }
                Some((batch, Err(status))) => refused.push(Refused { batch, status }),
                None => {}
            }
        }
        (counts, refused)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        connection::request(message, self.actor.as_ref())
    }
}

impl Counts {
    /// How many measurements that is.
    pub(super) fn sum(self) -> u64 {
        self.recorded + self.superseded + self.unchanged
    }

    fn add(&mut self, answer: &api::BatchRecordMeasurementsResponse) {
        let count = |count: i32| u64::try_from(count).unwrap_or_default();
        self.recorded += count(answer.recorded_count);
        self.superseded += count(answer.superseded_count);
        self.unchanged += count(answer.unchanged_count);
    }
}

/// What a KPI is measured in, or why it is measured no more.
fn measured_in(kpi: &api::Kpi) -> Result<Unit, String> {
    let name = &kpi.name;
    match (&kpi.delete_time, &kpi.archive_time) {
        (Some(_), _) => Err(format!("{name} is deleted: undelete it first, or name another")),
        (None, Some(_)) => Err(format!(
            "{name} is archived: unarchive it first, or name its successor"
        )),
        (None, None) => Ok(unit_of(kpi)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_or_archived_is_measured_no_more() {
        let kpi = |change: fn(&mut api::Kpi)| {
            let mut kpi = api::Kpi {
                name: "workspaces/acme/kpis/nps".to_owned(),
                ..api::Kpi::default()
            };
            change(&mut kpi);
            measured_in(&kpi).map_err(|sentence| sentence.split(':').next().unwrap_or_default().to_owned())
        };
        assert!(kpi(|_| {}).is_ok());
        for (refused, expected) in [
            (
                kpi(|kpi| kpi.archive_time = Some(prost_types::Timestamp::default())),
                "archived",
            ),
            (
                kpi(|kpi| kpi.delete_time = Some(prost_types::Timestamp::default())),
                "deleted",
            ),
        ] {
            assert_eq!(refused, Err(format!("workspaces/acme/kpis/nps is {expected}")));
        }
    }
}
