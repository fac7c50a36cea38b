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

use crate::common::server::Server;
use crate::common::{Scale, WORKSPACE};
use crate::meter::{Meter, Used};
use crate::readers::{Order, Readers, Seeing};
use crate::report::{Asked, MB, MS, RATIO, Report, S, TIMES};
use crate::stream::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION};
use crate::writer::{self, Schedule};

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
    /// While it was measured.
    used: Used,
    /// From the first commit until everybody had everything.
    used_in_all: Used,
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
        say_delays(&outcome, report);
        say_cost(&outcome, report);
    }
}

pub(crate) async fn run_coalesced(dir: &Path, scale: Scale, report: &mut Report) {
    let mut cpu = Vec::new();
    for (name, min_interval) in [("each commit", None), ("coalesced", Some(Duration::from_secs(1)))] {
        report.begin(name);
        let load = Load {
            events_per_commit: 1,
            min_interval,
        };
        let outcome = measure(&dir.join(name), scale, &load).await;
        say_load(&load, &outcome, report);
        say_cost(&outcome, report);
        // Until everybody had everything: who is late would be cheap otherwise.
        cpu.push(outcome.used_in_all.server.as_secs_f64());
    }
    if let [each, coalesced] = cpu[..] {
        report.figure("server's CPU ÷ that of each commit", coalesced / each, RATIO);
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
    let in_all = Meter::start(&server);
    let writing = schedule.run(&server.address);
    tokio::time::sleep_until(schedule.measuring_begins().into()).await;
    let meter = Meter::start(&server);
    tokio::time::sleep_until(schedule.ends().into()).await;
    let used = meter.read();
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
        used,
        used_in_all: in_all.read(),
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

fn say_delays(outcome: &Outcome, report: &mut Report) {
    let ms = |delays: &Histogram<u64>, quantile| delays.value_at_quantile(quantile) as f64 / 1000.0;
    let (due, answered) = (
        &outcome.seeing.delays.from_due,
        &outcome.seeing.delays.from_answered,
    );
    report.figure("p50", ms(due, 0.5), MS);
    report.figure("p90", ms(due, 0.9), MS);
    report.asked("p99", ms(due, 0.99), MS, Asked::AtMost(P99_MS_MAX));
    report.figure("max", ms(due, 1.0), MS);
    report.figure("p50 from the answered call", ms(answered, 0.5), MS);
    report.figure("p99 from the answered call", ms(answered, 0.99), MS);
    report.figure("calls sent late, p99", ms(&outcome.late, 0.99), MS);
}

fn say_cost(outcome: &Outcome, report: &mut Report) {
    let seeing = &outcome.seeing;
    report.figure("fell behind", seeing.fell_behind as f64, TIMES);
    report.figure("delivered", seeing.bytes as f64 / 1e6, MB);
    report.figure("everybody had everything after", outcome.drained.as_secs_f64(), S);
    outcome.used.say(report);
    outcome
        .used_in_all
        .say_each("a delivery", seeing.updates_of_all, report);
    report.figure(
        "server's resident memory",
        outcome.resident_bytes as f64 / 1e6,
        MB,
    );
}
