//! How fast it is written with nobody listening, with a hundred live subscribers who read everything, and with one who has
//! stopped reading, in turn: the writers wait for nobody, but all of them share the machine.

use std::path::Path;
use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;

use crate::Scale;
use crate::readers::{Order, Readers};
use crate::report::{Asked, Report};
use crate::server::{Server, cpu_of_clients};
use crate::stream::{STREAMS_PER_CONNECTION, Stream, connect};
use crate::writer::{self, WORKSPACE};

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
    server_cores: Vec<f64>,
    client_cores: Vec<f64>,
    drained_s: Vec<f64>,
}

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    report.begin("writers");
    let server = Server::start(&dir.join("writers"));
    writer::prepare(&server.address).await;
    let time = scale.seconds(ROUND_S);
    // Nobody measures what a new log and new connections cost.
    write(&server.address, time).await;
    let (mut alone, mut heard, mut stalled) = (Rounds::default(), Rounds::default(), Rounds::default());
    let mut fell_behind = 0;
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
        heard.drained_s.push(recorded.elapsed().as_secs_f64());

        let stopped = Stream::open(connect(&server.address).await, &live()).await;
        stalled.round(&server, time).await;
        drop(stopped);
    }
    report.remark(&format!(
        "{} calls in flight over {} connections, {ROUNDS} rounds of {} s each in turn",
        WRITERS.0,
        WRITERS.1,
        time.as_secs_f64()
    ));
    let with_readers = ratio(&alone, &heard);
    let with_stalled = ratio(&alone, &stalled);
    alone.say("alone", report);
    heard.say(&format!("{SUBSCRIBERS} subscribers"), report);
    report.figure("ratio", with_readers, 2, "", Asked::AtLeast(RATIO_MIN));
    report.figure(
        "subscribers had everything after",
        crate::median(heard.drained_s),
        2,
        " s",
        Asked::Nothing,
    );
    report.figure(
        "subscribers fell behind, times",
        fell_behind as f64,
        0,
        "",
        Asked::Nothing,
    );
    stalled.say("one subscriber who has stopped reading", report);
    report.figure(
        "ratio with the stopped one",
        with_stalled,
        2,
        "",
        Asked::AtLeast(RATIO_MIN),
    );
}

impl Rounds {
    async fn round(&mut self, server: &Server, time: Duration) {
        let (begun, of_server, of_clients) = (Instant::now(), server.cpu(), cpu_of_clients());
        let calls = write(&server.address, time).await;
        let seconds = begun.elapsed().as_secs_f64();
        self.calls_per_s.push(calls as f64 / seconds);
        self.server_cores
            .push((server.cpu() - of_server).as_secs_f64() / seconds);
        self.client_cores
            .push((cpu_of_clients() - of_clients).as_secs_f64() / seconds);
    }

    fn say(&self, name: &str, report: &mut Report) {
        let mut figure = |what: &str, seen: &[f64], decimals, unit| {
            report.figure(
                &format!("{name}: {what}"),
                crate::median(seen.to_vec()),
                decimals,
                unit,
                Asked::Nothing,
            );
        };
        figure("calls", &self.calls_per_s, 0, "/s");
        figure("server", &self.server_cores, 2, " cores");
        figure("clients", &self.client_cores, 2, " cores");
    }
}

/// The median of what was left of the rate in each round.
fn ratio(alone: &Rounds, with: &Rounds) -> f64 {
    let ratios = alone
        .calls_per_s
        .iter()
        .zip(&with.calls_per_s)
        .map(|(alone, with)| with / alone);
    crate::median(ratios.collect())
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
