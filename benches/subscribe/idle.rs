//! Ten thousand subscribers of a workspace in which little happens: what one of them takes of the server's memory.

use std::path::Path;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;

use crate::common::server::Server;
use crate::common::{Scale, WORKSPACE, kpi};
use crate::meter::Meter;
use crate::readers::{Order, Readers};
use crate::report::{Asked, KB, MB, Report, S};
use crate::stream::STREAMS_PER_CONNECTION;
use crate::writer::{self, KPIS};

const SUBSCRIBERS: usize = 10_000;
/// With a connection each.
const CONNECTIONS: usize = 1_000;
const COMMITS: u32 = 3;
const BETWEEN_COMMITS_S: f64 = 10.0;
const KB_EACH_MAX: f64 = 40.0;
/// Files that are open anyway, on either side.
const OTHER_FILES: usize = 200;

/// One way to be subscribed.
struct Kind {
    name: &'static str,
    subscribers: usize,
    per_connection: usize,
    /// Each has another filter, which takes one of the hundred events of each commit.
    filtered: bool,
    asked: Asked,
}

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    let connections = CONNECTIONS.min(open_files_max() - OTHER_FILES);
    let kinds = [
        Kind {
            name: "idle",
            subscribers: SUBSCRIBERS,
            per_connection: STREAMS_PER_CONNECTION,
            filtered: false,
            asked: Asked::AtMost(KB_EACH_MAX),
        },
        Kind {
            name: "idle, a connection each",
            subscribers: connections,
            per_connection: 1,
            filtered: false,
            asked: Asked::Nothing,
        },
        Kind {
            name: "idle, a filter each",
            subscribers: SUBSCRIBERS,
            per_connection: STREAMS_PER_CONNECTION,
            filtered: true,
            asked: Asked::AtMost(KB_EACH_MAX),
        },
    ];
    for kind in &kinds {
        report.begin(kind.name);
        measure(
            &dir.join(kind.name),
            kind,
            scale.seconds(BETWEEN_COMMITS_S),
            report,
        )
        .await;
    }
}

async fn measure(data_dir: &Path, kind: &Kind, between: Duration, report: &mut Report) {
    let Kind {
        subscribers,
        per_connection,
        filtered,
        asked,
        ..
    } = *kind;
    let server = Server::start(data_dir);
    writer::prepare(&server.address).await;
    let before = server.resident_bytes();
    let order = if filtered { Order::Matching } else { Order::Every };
    let begun = Instant::now();
    let readers = Readers::start(&server.address, subscribers, per_connection, order, |index| {
        request(index, filtered)
    })
    .await;
    let subscribed = begun.elapsed();
    let mut resident = server.resident_bytes();
    let meter = Meter::start(&server);
    for _ in 0..COMMITS {
        record(&server.address, filtered).await;
        let next = Instant::now() + between;
        while Instant::now() < next {
            tokio::time::sleep(Duration::from_millis(50)).await;
            resident = resident.max(server.resident_bytes());
        }
    }
    let used = meter.read();
    readers.read_up_to(record(&server.address, filtered).await);
    record(&server.address, filtered).await;
    let (fewest, most) = readers.finish().await.updates;
    // Who had the commit in front of the last when it was said to be enough looks up at the last.
    let commits = u64::from(COMMITS) + 1;
    assert!(
        fewest >= commits && most <= commits + 1,
        "everybody gets everything: {fewest} to {most} updates"
    );
    report.remark(&format!(
        "{subscribers} subscribers on {} connections, a commit each {} s; at most {} files may be open",
        subscribers.div_ceil(per_connection),
        between.as_secs_f64(),
        open_files_max(),
    ));
    report.figure("subscribed within", subscribed.as_secs_f64(), S);
    report.figure("resident without them", before as f64 / 1e6, MB);
    report.figure("resident with them, at most", resident as f64 / 1e6, MB);
    let each = resident.saturating_sub(before) as f64 / subscribers as f64;
    report.asked("each", each / 1e3, KB, asked);
    used.say(report);
}

async fn record(address: &str, filtered: bool) -> u64 {
    if filtered {
        writer::record_one_of_each(address).await
    } else {
        writer::record_one(address).await
    }
}

fn request(index: usize, filtered: bool) -> api::SubscribeRequest {
    let filter = filtered.then(|| api::SubscriptionFilter {
        names: vec![
            kpi(index as u64 % KPIS),
            format!("{WORKSPACE}/objectives/o{index}*"),
        ],
        ..Default::default()
    });
    api::SubscribeRequest {
        parent: WORKSPACE.to_owned(),
        start: Some(Start::Live(())),
        filter,
        ..Default::default()
    }
}

/// How many files a process may open here.
pub(crate) fn open_files_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("the limits");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .expect("its line");
    let soft = line.split_whitespace().nth(3).expect("the soft limit");
    soft.parse().unwrap_or(usize::MAX)
}
