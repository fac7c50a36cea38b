//! How fast it is written with nobody listening, with a hundred live subscribers who read everything, and with one who has
//! stopped reading, in turn: the writers wait for nobody, but all of them share the machine.

use std::path::Path;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;

use crate::common::server::Server;
use crate::common::{Scale, WORKSPACE, median};
use crate::meter::{Meter, Used};
use crate::readers::{Order, Readers};
use crate::report::{Asked, PER_S, RATIO, Report, S, TIMES};
use crate::stream::{STREAMS_PER_CONNECTION, Stream, connect};
use crate::writer;

const SUBSCRIBERS: usize = 100;
/// Calls in flight, and over how many connections.
const WRITERS: (usize, usize) = (64, 4);
const ROUND_S: f64 = 4.0;
/// Of each; the medians are reported, and the median of the ratios within a round.
const ROUNDS: usize = 5;
const RATIO_MIN: f64 = 0.8;

/// The figures of one kind of rounds.
#[derive(Default)]
struct Rounds {
    calls_per_s: Vec<f64>,
    used: Vec<Used>,
}

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    let server = Server::start(&dir.join("writers"));
    writer::prepare(&server.address).await;
    let time = scale.seconds(ROUND_S);
    // Nobody measures what a new log and new connections cost.
    write(&server.address, time).await;
    let (mut alone, mut heard, mut stalled) = (Rounds::default(), Rounds::default(), Rounds::default());
    let (mut fell_behind, mut drained_s) = (0, Vec::new());
    for _ in 0..ROUNDS {
        alone.round(&server, time).await;

        let readers = Readers::start(
            &server.address,
            SUBSCRIBERS,
            STREAMS_PER_CONNECTION,
            Order::Every,
            |_| live(),
        )
        .await;
        heard.round(&server, time).await;
        readers.read_up_to(writer::record_one(&server.address).await);
        writer::record_one(&server.address).await;
        let recorded = Instant::now();
        fell_behind += readers.finish().await.fell_behind;
        drained_s.push(recorded.elapsed().as_secs_f64());

        let stopped = Stream::open(connect(&server.address).await, &live()).await;
        stalled.round(&server, time).await;
        drop(stopped);
    }
    report.begin("writers");
    let ((in_flight, connections), seconds) = (WRITERS, time.as_secs_f64());
    report.remark(&format!(
        "{in_flight} calls in flight over {connections} connections, {ROUNDS} rounds of {seconds} s each in turn"
    ));
    report.begin("writers alone");
    alone.say(report);
    report.begin("writers beside 100 subscribers");
    report.asked("ratio", ratio(&alone, &heard), RATIO, Asked::AtLeast(RATIO_MIN));
    heard.say(report);
    report.figure("everybody had everything after", median(drained_s), S);
    report.figure("fell behind", fell_behind as f64, TIMES);
    report.begin("writers beside one who has stopped reading");
    report.asked("ratio", ratio(&alone, &stalled), RATIO, Asked::AtLeast(RATIO_MIN));
    stalled.say(report);
}

impl Rounds {
    async fn round(&mut self, server: &Server, time: Duration) {
        let meter = Meter::start(server);
        let calls = write(&server.address, time).await;
        let used = meter.read();
        self.calls_per_s.push(calls as f64 / used.time.as_secs_f64());
        self.used.push(used);
    }

    fn say(&self, report: &mut Report) {
        report.figure("calls", median(self.calls_per_s.clone()), PER_S);
        Used::sum(&self.used).say(report);
    }
}

/// The median of what was left of the rate in each round.
fn ratio(alone: &Rounds, with: &Rounds) -> f64 {
    let ratios = alone
        .calls_per_s
        .iter()
        .zip(&with.calls_per_s)
        .map(|(alone, with)| with / alone);
    median(ratios.collect())
}

/// On threads of their own, so that the kernel and not the readers' runtime says who gets to run.
async fn write(address: &str, time: Duration) -> u64 {
    let address = address.to_owned();
    let writing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let end = Instant::now() + time;
        runtime.block_on(writer::closed_loop(&address, WRITERS, move || {
            Instant::now() < end
        }))
    });
    tokio::task::spawn_blocking(|| writing.join())
        .await
        .expect("a thread")
        .expect("the writers")
}

fn live() -> api::SubscribeRequest {
    api::SubscribeRequest {
        parent: WORKSPACE.to_owned(),
        start: Some(Start::Live(())),
        ..Default::default()
    }
}
