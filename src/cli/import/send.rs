//! The conversation with the server: which KPIs there are, creating some, recording batches.
//!
//! Every request that writes carries a request id and is repeated with the same one, so a repeat after a lost answer
//! records nothing twice. It deliberately does not know files; a refused batch is handed back as it was.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::batch::{Batch, request_id};
use super::creation::{Blueprint, unit_of};
use crate::cli::{Failure, FailureKind};
use crate::domain::{Id, Title, Unit};
use crate::proto::api;
use crate::proto::api::kpi_service_client::KpiServiceClient;

/// How long the server may take to be there, and to answer, in seconds.
const CONNECT_TIMEOUT_S: u64 = 5;
const ANSWER_TIMEOUT_S: u64 = 30;
/// How often a request is sent at most.
const ATTEMPTS_MAX: u32 = 8;
/// The first pause before a repeat; each is twice the one before, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// The longest pause that a server may ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(30);
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
        let channel = channel(server).await?;
        Ok(Self {
            client: KpiServiceClient::new(channel),
            workspace,
            actor,
            reason,
            run,
        })
    }

    /// The workspace's KPIs, each with what its unit demands.
    pub(super) async fn kpis(&self) -> Result<BTreeMap<Id, Unit>, Status> {
        let mut kpis = BTreeMap::new();
        let mut request = api::ListKpisRequest {
            parent: self.workspace.clone(),
            page_size: PAGE_SIZE,
            ..api::ListKpisRequest::default()
        };
        loop {
            let page = patiently(async || self.client.clone().list_kpis(self.request(request.clone())).await)
                .await?
                .into_inner();
            for kpi in &page.kpis {
                let id = kpi.name.rsplit('/').next().map(Id::parse);
                if let Some(Ok(id)) = id {
                    kpis.insert(id, unit_of(kpi));
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
        let mut request = Request::new(message);
        if let Some(actor) = &self.actor {
            request.metadata_mut().insert("binnacle-actor", actor.clone());
        }
        request
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

/// Connects to a server.
///
/// # Errors
/// The address is none, or nothing answers there.
pub(in crate::cli) async fn channel(server: &str) -> Result<Channel, Failure> {
    let wrong = |what: String| Failure::new(FailureKind::Usage, format!("--server {server:?} {what}"));
    if !server.starts_with("http://") {
        return Err(wrong(
            "is no address: write it as http://127.0.0.1:7700".to_owned(),
        ));
    }
    let endpoint = Endpoint::from_shared(server.to_owned())
        .map_err(|error| {
            wrong(format!(
                "is no address ({error}): write it as http://127.0.0.1:7700"
            ))
        })?
        .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
        .timeout(Duration::from_secs(ANSWER_TIMEOUT_S));
    endpoint.connect().await.map_err(|_| {
        let sentence = format!(
            "nothing answers at {server}: start it with \"binnacle serve\", or name another with --server"
        );
        Failure::new(FailureKind::Failed, sentence)
    })
}

/// Sends until there is an answer, or no hope of one.
pub(in crate::cli) async fn patiently<T>(send: impl AsyncFn() -> Result<T, Status>) -> Result<T, Status> {
    let mut attempt = 1;
    loop {
        let status = match send().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        match pause_before_repeat(&status, attempt) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(status),
        }
        attempt += 1;
    }
}

/// How long to wait before the same request again; none: it would not help.
fn pause_before_repeat(status: &Status, attempts: u32) -> Option<Duration> {
    let busy = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    // A connection that breaks while an answer is under way has no code of its own, but the transport as its source.
    let lost = matches!(status.code(), Code::Unknown | Code::Cancelled | Code::Internal)
        && std::error::Error::source(status).is_some();
    if attempts >= ATTEMPTS_MAX || !(busy || lost) {
        return None;
    }
    let own = PAUSE_FIRST.saturating_mul(1 << (attempts - 1)).min(PAUSE_MAX);
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    Some(own.max(asked.unwrap_or_default().min(ASKED_PAUSE_MAX)))
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn pauses_ms(status: &Status) -> Vec<u128> {
        (1..)
            .map_while(|attempts| pause_before_repeat(status, attempts))
            .map(|pause| pause.as_millis())
            .collect()
    }

    #[test]
    fn only_what_may_pass_is_repeated_and_only_so_often() {
        let doubling = [250, 500, 1000, 2000, 4000, 8000, 8000];
        assert_eq!(pauses_ms(&Status::unavailable("draining")), doubling);
        assert_eq!(
            pauses_ms(&Status::resource_exhausted("the queue is full")),
            doubling
        );
        let lost = Status::from_error(Box::new(std::io::Error::other("connection reset")));
        assert_eq!(pauses_ms(&lost), doubling);
        for status in [
            Status::invalid_argument("x"),
            Status::unknown("x"),
            Status::internal("x"),
            Status::not_found("x"),
        ] {
            assert_eq!(pauses_ms(&status), [0_u128; 0], "{status}");
        }
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_within_reason() {
        let asks = |seconds| {
            let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(seconds)));
            pauses_ms(&Status::with_error_details(Code::Unavailable, "x", details))
        };
        assert_eq!(asks(3), [3000, 3000, 3000, 3000, 4000, 8000, 8000]);
        assert_eq!(asks(3600)[0], 30_000);
    }

    #[tokio::test]
    async fn a_request_is_sent_again_until_it_is_answered() {
        let attempts = Cell::new(0);
        let answer = patiently(async || {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 3 {
                Err(Status::unavailable("starting"))
            } else {
                Ok("recorded")
            }
        });
        assert_eq!(answer.await.ok(), Some("recorded"));
        assert_eq!(attempts.get(), 3);
    }
}
