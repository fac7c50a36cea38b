//! A thousand live subscribers of one workspace at a thousand events a second: how long after a commit each has it. And the
//! same with at most one update a second each: what that saves.
//!
//! The clock of a commit starts when its call is due, also if it is sent or answered late: that is before the commit, so the
//! delay is an upper bound. Beside it stands the delay from the moment that the writer has its answer.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use hdrhistogram::Histogram;

use crate::Scale;
use crate::readers::{Order, Readers, Seeing};
use crate::report::{Asked, Report};
use crate::server::{Server, cpu_of_clients};
use crate::stream::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION};
use crate::writer::{self, Schedule, WORKSPACE};

const SUBSCRIBERS: usize = 1000;
const EVENTS_PER_S: u64 = 1000;
const WARM_UP_S: f64 = 3.0;
const MEASURED_S: f64 = 20.0;
const P99_MS_MAX: f64 = 50.0;

/// How the events come, and how they go.
struct Load {
    events_per_commit: u64,
    min_interval: Option<Duration>,
}

/// What one load came to.
struct Outcome {
    seeing: Seeing,
    /// How late the calls were sent.
    late: Histogram<u64>,
    measured_commits: u64,
    /// Cores that were busy on average while it was measured.
    server_cores: f64,
    client_cores: f64,
    resident_bytes: u64,
    /// How long after the last commit everybody had everything.
    drained: Duration,
}

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    for (name, events_per_commit) in [("live", 1), ("live, 10 events a commit", 10)] {
        report.begin(name);
        let load = Load {
            events_per_commit,
            min_interval: None,
        };
        let outcome = measure(&dir.join(format!("live-{events_per_commit}")), scale, &load).await;
        say_load(&load, &outcome, report);
        let ms = |delays: &Histogram<u64>, quantile| delays.value_at_quantile(quantile) as f64 / 1000.0;
        let delays = &outcome.seeing.delays;
        report.figure("p50", ms(&delays.from_due, 0.5), 1, " ms", Asked::Nothing);
        report.figure("p90", ms(&delays.from_due, 0.9), 1, " ms", Asked::Nothing);
        report.figure(
            "p99",
            ms(&delays.from_due, 0.99),
            1,
            " ms",
            Asked::AtMost(P99_MS_MAX),
        );
        report.figure("max", ms(&delays.from_due, 1.0), 1, " ms", Asked::Nothing);
        report.figure(
            "p50 from the answered call",
            ms(&delays.from_answered, 0.5),
            1,
            " ms",
            Asked::Nothing,
        );
        report.figure(
            "p99 from the answered call",
            ms(&delays.from_answered, 0.99),
            1,
            " ms",
            Asked::Nothing,
        );
        report.figure(
            "calls sent late, p99",
            ms(&outcome.late, 0.99),
            1,
            " ms",
            Asked::Nothing,
        );
        say_cost(&outcome, report);
    }
}

pub(crate) async fn run_coalesced(dir: &Path, scale: Scale, report: &mut Report) {
    let mut cores = Vec::new();
    for (name, min_interval) in [("each commit", None), ("coalesced", Some(Duration::from_secs(1)))] {
        report.begin(name);
        let load = Load {
            events_per_commit: 1,
            min_interval,
        };
        let outcome = measure(&dir.join(name), scale, &load).await;
        say_load(&load, &outcome, report);
        say_cost(&outcome, report);
        cores.push(outcome.server_cores);
    }
    if let [each, coalesced] = cores[..] {
        report.figure(
            "server's CPU ÷ that of each commit",
            coalesced / each,
            3,
            "",
            Asked::Nothing,
        );
    }
}

async fn measure(data_dir: &Path, scale: Scale, load: &Load) -> Outcome {
    let server = Server::start(data_dir);
    writer::prepare(&server.address).await;
    let order = if load.min_interval.is_some() {
        Order::Net
    } else {
        Order::Every
    };
    let request = api::SubscribeRequest {
        parent: WORKSPACE.to_owned(),
        start: Some(Start::Live(())),
        min_interval: load
            .min_interval
            .map(|interval| interval.try_into().expect("a duration")),
        ..Default::default()
    };
    let readers = Readers::start(
        &server.address,
        SUBSCRIBERS,
        STREAMS_PER_CONNECTION,
        order,
        |_| request.clone(),
    )
    .await;
    let schedule = Arc::new(Schedule::new(
        EVENTS_PER_S / load.events_per_commit,
        load.events_per_commit,
        scale.seconds(WARM_UP_S),
        scale.seconds(MEASURED_S),
    ));
    readers.time(&schedule);
    let writing = schedule.run(&server.address);
    tokio::time::sleep_until(schedule.measuring_begins().into()).await;
    let (begun, server_before, client_before) = (Instant::now(), server.cpu(), cpu_of_clients());
    tokio::time::sleep_until(schedule.ends().into()).await;
    let seconds = begun.elapsed().as_secs_f64();
    let server_cores = (server.cpu() - server_before).as_secs_f64() / seconds;
    let client_cores = (cpu_of_clients() - client_before).as_secs_f64() / seconds;
    let resident_bytes = server.resident_bytes();
    let late = tokio::task::spawn_blocking(|| writing.join())
        .await
        .expect("a thread")
        .expect("the writer");
    readers.read_up_to(writer::record_one(&server.address).await);
    writer::record_one(&server.address).await;
    let recorded = Instant::now();
    let seeing = readers.finish().await;
    Outcome {
        seeing,
        late,
        measured_commits: schedule.measured_commits(),
        server_cores,
        client_cores,
        resident_bytes,
        drained: recorded.elapsed(),
    }
}

fn say_load(load: &Load, outcome: &Outcome, report: &Report) {
    let Load {
        events_per_commit,
        min_interval,
    } = load;
    let interval = min_interval.map_or(String::new(), |interval| {
        format!(", an update each {} s at most", interval.as_secs())
    });
    report.remark(&format!(
        "{SUBSCRIBERS} subscribers on {} connections (windows {} KiB a stream, {} KiB a connection), {} commits of \
         {events_per_commit} event(s) at {EVENTS_PER_S} events/s{interval}",
        SUBSCRIBERS.div_ceil(STREAMS_PER_CONNECTION),
        STREAM_WINDOW_BYTES / 1024,
        CONNECTION_WINDOW_BYTES / 1024,
        outcome.measured_commits,
    ));
    let Seeing {
        delays,
        updates: (fewest, most),
        ..
    } = &outcome.seeing;
    let timed = delays.from_due.len();
    if min_interval.is_none() {
        assert_eq!(
            timed,
            outcome.measured_commits * SUBSCRIBERS as u64,
            "everybody gets everything"
        );
    }
    report.remark(&format!(
        "in order and without a gap, {fewest} to {most} updates each; {timed} deliveries timed"
    ));
}

fn say_cost(outcome: &Outcome, report: &mut Report) {
    let Outcome {
        seeing,
        server_cores,
        client_cores,
        resident_bytes,
        drained,
        ..
    } = outcome;
    report.figure(
        "fell behind, times",
        seeing.fell_behind as f64,
        0,
        "",
        Asked::Nothing,
    );
    report.figure("delivered", seeing.bytes as f64 / 1e6, 1, " MB", Asked::Nothing);
    report.figure(
        "everybody had everything after",
        drained.as_secs_f64(),
        2,
        " s",
        Asked::Nothing,
    );
    report.figure("server", *server_cores, 2, " cores", Asked::Nothing);
    report.figure("clients and writer", *client_cores, 2, " cores", Asked::Nothing);
    report.figure(
        "server's resident memory",
        *resident_bytes as f64 / 1e6,
        1,
        " MB",
        Asked::Nothing,
    );
}
