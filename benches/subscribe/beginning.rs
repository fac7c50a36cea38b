//! One reader of a whole log, a million commits of one event each, which is the hard case: as many updates as events.
//!
//! The log is filled through the API with many calls in flight, evenly for a hundred KPIs.

use std::path::Path;
use std::time::Instant;

use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;

use crate::common::server::Server;
use crate::common::{Scale, WORKSPACE, kpi, median};
use crate::meter::{Meter, Used};
use crate::readers::{Follower, Order};
use crate::report::{Asked, PER_S, Report};
use crate::stream::{Stream, connect};
use crate::writer::{self, KPIS};

const COMMITS: u64 = 1_000_000;
const UPDATES_PER_S_MIN: f64 = 200_000.0;
/// So often; the median is reported.
const ROUNDS: usize = 3;

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    let commits = scale.count(COMMITS) / KPIS * KPIS;
    let server = Server::start(&dir.join("beginning"));
    writer::prepare(&server.address).await;
    let prepared = 1 + KPIS;
    let begun = Instant::now();
    writer::fill(&server.address, commits).await;
    let took = begun.elapsed().as_secs_f64();
    let all = prepared + commits;

    report.begin("beginning");
    report.remark(&format!(
        "{all} commits, {commits} of them one measurement; recorded in {took:.1} s"
    ));
    rounds(
        &server,
        report,
        Asked::AtLeast(UPDATES_PER_S_MIN),
        all,
        async || (raw(&server.address, None).await, all),
    )
    .await;

    report.begin("beginning, decoded in full");
    rounds(&server, report, Asked::Nothing, all, async || {
        (decoded(&server.address).await, all)
    })
    .await;

    report.begin("beginning, a filter that takes 1 in 100");
    // Its creation and its measurements.
    let taken = 1 + commits / KPIS;
    let filter = api::SubscriptionFilter {
        names: vec![kpi(7)],
        ..Default::default()
    };
    rounds(&server, report, Asked::Nothing, all, async || {
        (raw(&server.address, Some(filter.clone())).await, taken)
    })
    .await;
}

/// Reads some times, and says how many commits a second the reader went through: without a filter, as many updates. `read`
/// answers how many updates it got and how many it should have got.
async fn rounds(
    server: &Server,
    report: &mut Report,
    asked: Asked,
    commits: u64,
    read: impl AsyncFn() -> (u64, u64),
) {
    let (mut rates, mut used) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let meter = Meter::start(server);
        let (updates, expected) = read().await;
        let round = meter.read();
        assert_eq!(updates, expected, "everything that there is");
        rates.push(commits as f64 / round.time.as_secs_f64());
        used.push(round);
    }
    report.figure("commits, the first time", rates[0], PER_S);
    report.asked("commits, the median", median(rates), PER_S, asked);
    let used_in_all = Used::sum(&used);
    used_in_all.say(report);
    used_in_all.say_each("a commit", commits * ROUNDS as u64, report);
}

fn request(filter: Option<api::SubscriptionFilter>) -> api::SubscribeRequest {
    api::SubscribeRequest {
        parent: WORKSPACE.to_owned(),
        start: Some(Start::FromBeginning(())),
        filter,
        ..Default::default()
    }
}

/// Reads until the head is reached, and answers how many updates came.
async fn raw(address: &str, filter: Option<api::SubscriptionFilter>) -> u64 {
    let order = if filter.is_some() {
        Order::Matching
    } else {
        Order::Every
    };
    let mut stream = Stream::open(connect(address).await, &request(filter)).await;
    let mut follower = Follower::from_beginning();
    while !follower.caught_up {
        let read = stream.read(|message| {
            follower.follow(order, message);
        });
        read.await.expect("a stream that goes on");
        assert_eq!(follower.wrong, None);
    }
    follower.updates
}

/// The same with the generated client.
async fn decoded(address: &str) -> u64 {
    let mut client = ProgressServiceClient::new(connect(address).await);
    let mut messages = client
        .subscribe(request(None))
        .await
        .expect("a stream")
        .into_inner();
    let mut updates = 0;
    loop {
        match messages
            .message()
            .await
            .expect("a message")
            .and_then(|message| message.event)
        {
            Some(Event::Update(update)) => {
                updates += 1;
                let revision = update.commit.expect("a commit").revision;
                assert_eq!(u64::try_from(revision), Ok(updates), "revision by revision");
            }
            Some(Event::CaughtUp(_)) => return updates,
            Some(Event::Started(_) | Event::Checkpoint(_)) => {}
            other => panic!("nobody asked for {other:?}"),
        }
    }
}
