//! Who changes the workspace: at a steady pace, whatever becomes of the calls before (an open loop, so that a server that
//! stalls is not spared), or as fast as a number of calls in flight can (a closed loop).
//!
//! Every measurement has a number, and is true so many milliseconds after a fixed moment: that is how a reader knows which
//! one it has before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::common::{self, WORKSPACE, kpi, micros};
use crate::stream::connect;

pub(crate) const KPIS: u64 = 100;

/// Measurement 0 is true then, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// Numbers from here on belong to no schedule.
const UNSCHEDULED: u64 = 1_000_000_000;
/// Calls in flight that fill a log fast, and over how many connections.
const FILL: (usize, usize) = (256, 4);

static NEXT: AtomicU64 = AtomicU64::new(UNSCHEDULED);

/// When each commit is due, and when it was answered.
pub(crate) struct Schedule {
    start: Instant,
    interval: Duration,
    events_per_commit: u64,
    /// Commits in front of the measured ones.
    warm_up: u64,
    /// Microseconds after the start, 0 until then.
    answered: Vec<AtomicU64>,
}

/// How long after the time a call was due a reader had its commit.
pub(crate) struct Delay {
    /// From when the call was due, which is before it was sent: an upper bound.
    pub(crate) from_due: Duration,
    /// From when the call was answered; nothing if the reader had it before.
    pub(crate) from_answered: Duration,
}

impl Schedule {
    pub(crate) fn new(
        commits_per_s: u64,
        events_per_commit: u64,
        warm_up: Duration,
        measured: Duration,
    ) -> Self {
        let commits =
            |time: Duration| u64::try_from(time.as_millis()).expect("a time") * commits_per_s / 1000;
        let warm_up = commits(warm_up);
        Self {
            start: Instant::now() + Duration::from_millis(100),
            interval: Duration::from_secs(1) / u32::try_from(commits_per_s).expect("a rate"),
            events_per_commit,
            warm_up,
            answered: (0..warm_up + commits(measured))
                .map(|_| AtomicU64::new(0))
                .collect(),
        }
    }

    fn due(&self, index: u64) -> Instant {
        self.start + self.interval * u32::try_from(index).expect("an index")
    }

    pub(crate) fn measuring_begins(&self) -> Instant {
        self.due(self.warm_up)
    }

    pub(crate) fn ends(&self) -> Instant {
        self.due(self.answered.len() as u64)
    }

    pub(crate) fn measured_commits(&self) -> u64 {
        self.answered.len() as u64 - self.warm_up
    }

    /// How long a commit took that a reader has now, by when its first event is true; none: it is not measured.
    pub(crate) fn delay(&self, effective_ms: u64, events: u64, now: Instant) -> Option<Delay> {
        let index = effective_ms.checked_sub(FIRST_MS)? / self.events_per_commit;
        let answered_us = self
            .answered
            .get(usize::try_from(index).ok()?)?
            .load(Ordering::Relaxed);
        assert_eq!(events, self.events_per_commit, "a commit is delivered whole");
        let answered = (answered_us > 0).then(|| self.start + Duration::from_micros(answered_us));
        (index >= self.warm_up).then(|| Delay {
            from_due: now.saturating_duration_since(self.due(index)),
            from_answered: answered
                .map_or(Duration::ZERO, |answered| now.saturating_duration_since(answered)),
        })
    }

    /// Makes every call when it is due, on a thread and a connection of its own. Answers how late the calls were sent.
    pub(crate) fn run(self: &Arc<Self>, address: &str) -> JoinHandle<Histogram<u64>> {
        let (schedule, address) = (Arc::clone(self), address.to_owned());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(schedule.write(&address))
        })
    }

    async fn write(self: Arc<Self>, address: &str) -> Histogram<u64> {
        let client = KpiServiceClient::new(connect(address).await);
        let mut late = Histogram::new(3).expect("a histogram");
        let mut calls = JoinSet::new();
        for index in 0..self.answered.len() as u64 {
            let due = self.due(index);
            tokio::time::sleep_until(due.into()).await;
            late.record(micros(due.elapsed())).expect("a time");
            let (schedule, client) = (Arc::clone(&self), client.clone());
            calls.spawn(async move {
                let numbers = index * schedule.events_per_commit..(index + 1) * schedule.events_per_commit;
                record(client, index % KPIS, numbers).await;
                let answered = micros(schedule.start.elapsed());
                let slot = usize::try_from(index).expect("an index");
                schedule.answered[slot].store(answered, Ordering::Relaxed);
            });
            while let Some(answered) = calls.try_join_next() {
                answered.expect("an answer");
            }
        }
        while let Some(answered) = calls.join_next().await {
            answered.expect("an answer");
        }
        late
    }
}

/// The workspace, with its KPIs.
pub(crate) async fn prepare(address: &str) {
    common::prepare(&connect(address).await, KPIS).await;
}

fn measurement(number: u64) -> api::Measurement {
    let ms = FIRST_MS + number;
    let seconds = i64::try_from(ms / 1000).expect("a time");
    let nanos = i32::try_from(ms % 1000 * 1_000_000).expect("a part");
    api::Measurement {
        effective_time: Some(prost_types::Timestamp { seconds, nanos }),
        value: Some(number as f64),
        ..Default::default()
    }
}

/// Records measurements of one KPI as one commit, and answers its revision.
async fn record(mut client: KpiServiceClient<Channel>, index: u64, numbers: std::ops::Range<u64>) -> u64 {
    let parent = kpi(index);
    let revision = if numbers.end - numbers.start == 1 {
        let request = api::RecordMeasurementRequest {
            parent,
            measurement: Some(measurement(numbers.start)),
            ..Default::default()
        };
        client
            .record_measurement(request)
            .await
            .expect("an answer")
            .into_inner()
            .revision
    } else {
        let request = api::BatchRecordMeasurementsRequest {
            parent,
            measurements: numbers.map(measurement).collect(),
            ..Default::default()
        };
        let answer = client
            .batch_record_measurements(request)
            .await
            .expect("an answer")
            .into_inner();
        answer.revision
    };
    u64::try_from(revision).expect("a revision")
}

/// One more measurement, and its revision.
pub(crate) async fn record_one(address: &str) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    record(
        KpiServiceClient::new(connect(address).await),
        number % KPIS,
        number..number + 1,
    )
    .await
}

/// A measurement of every KPI in one commit, and its revision.
pub(crate) async fn record_one_of_each(address: &str) -> u64 {
    let of_each = (0..KPIS).map(|index| api::Measurement {
        kpi: kpi(index),
        ..measurement(NEXT.fetch_add(1, Ordering::Relaxed))
    });
    let request = api::BatchRecordMeasurementsRequest {
        parent: kpi_of_any(),
        measurements: of_each.collect(),
        ..Default::default()
    };
    let mut client = KpiServiceClient::new(connect(address).await);
    let answer = client
        .batch_record_measurements(request)
        .await
        .expect("an answer")
        .into_inner();
    u64::try_from(answer.revision).expect("a revision")
}

fn kpi_of_any() -> String {
    format!("{WORKSPACE}/kpis/-")
}

/// Single measurements, evenly of all KPIs, as fast as they go.
pub(crate) async fn fill(address: &str, count: u64) {
    let left = Arc::new(AtomicU64::new(count));
    let more = move || {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    };
    closed_loop(address, FILL, more).await;
}

/// Single measurements with so many calls in flight over so many connections, as long as `more` says so. Answers how many.
pub(crate) async fn closed_loop(
    address: &str,
    (in_flight, connections): (usize, usize),
    more: impl Fn() -> bool + Clone + Send + 'static,
) -> u64 {
    let mut channels = Vec::new();
    for _ in 0..connections {
        channels.push(connect(address).await);
    }
    let mut callers = JoinSet::new();
    for index in 0..in_flight {
        let (client, more) = (
            KpiServiceClient::new(channels[index % connections].clone()),
            more.clone(),
        );
        callers.spawn(async move {
            let mut answered = 0;
            while more() {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                record(client.clone(), number % KPIS, number..number + 1).await;
                answered += 1;
            }
            answered
        });
    }
    callers.join_all().await.into_iter().sum()
}
