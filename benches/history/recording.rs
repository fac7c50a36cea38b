//! What an auditable history adds to a commit: the hash tree, the index of events, and the signed checkpoints. A server cannot be
//! run without its tree and its index, so their own work is timed on the very commits, and held against the time that a commit
//! takes in all; what heads and checkpoints add is the ratio of two servers on one disk in turn.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use binnacle::domain::{Commit, Revision};
use binnacle::engine::{Engine, EngineConfig, EventIndex, SystemClock};
use binnacle::log::codec::{self, RecordHead};
use binnacle::log::{EventLog, Evidence, LeafHash, Record, SigningKey, SledLog, Tree};
use binnacle::service::{BoundServer, ServerConfig};
use tokio::runtime::Runtime;
use tonic::transport::Channel;

use crate::common::server::Server;
use crate::common::{Scale, median, prepare};
use crate::filled::{Filled, KPIS, record};
use crate::report::Report;

const ROUNDS: usize = 3;

pub(crate) fn run(dir: &Path, scale: Scale, runtime: &Runtime, report: &mut Report) {
    let data_dir = dir.join("recording");
    let filled = runtime.block_on(Filled::new(&data_dir, scale.part(0.2)));
    let a_commit = filled.seconds / filled.head as f64;
    // It ends here: its store is opened below.
    drop::<Server>(filled.server);
    let log = SledLog::open(data_dir.join("store")).expect("the log");
    let records: Vec<Vec<u8>> = log
        .heads()
        .expect("heads")
        .keys()
        .flat_map(|id| log.read(*id, Revision::ZERO))
        .map(|record| record.expect("a record").bytes)
        .collect();
    let timed = |work: &dyn Fn() -> u64| {
        let rounds = (0..ROUNDS).map(|_| {
            let begun = Instant::now();
            assert_eq!(work(), records.len() as u64);
            begun.elapsed().as_secs_f64() / records.len() as f64
        });
        median(rounds.collect())
    };
    let tree = timed(&|| {
        let mut tree = Tree::empty();
        for record in &records {
            std::hint::black_box(tree.append(LeafHash::of(record)));
        }
        tree.size()
    });
    report.figure("a commit in all, 256 in flight", a_commit * 1e6, "µs", "");
    report.figure("of it the tree: leaf, subtrees, root", tree * 1e6, "µs", "");
    let commits: Vec<Commit> = records
        .iter()
        .zip(1..)
        .map(|(bytes, revision)| {
            let record = Record {
                revision: Revision(revision),
                bytes: bytes.clone(),
            };
            let head = RecordHead::of(bytes).expect("a record");
            codec::decode(head.log, &record).expect("a commit")
        })
        .collect();
    let index = timed(&|| {
        let mut index = EventIndex::default();
        commits.iter().for_each(|commit| index.add(commit));
        std::hint::black_box(&index);
        commits.len() as u64
    });
    report.figure("of it the index of events", index * 1e6, "µs", "");
    let share = (tree + index) / a_commit * 100.0;
    report.figure("the share of both in a commit", share, "%", "at most 5 %");
    drop(log);
    servers(dir, scale, runtime, report);
}

/// Measurements a second of two servers on one disk, in turn: one with heads and checkpoints, one without.
fn servers(dir: &Path, scale: Scale, runtime: &Runtime, report: &mut Report) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for signs in [false, true] {
            let data_dir = dir.join(format!("recording-{round}-{signs}"));
            let rate = runtime.block_on(rate(&data_dir, signs, scale.count(100_000)));
            if signs {
                with.push(rate);
            } else {
                without.push(rate);
            }
        }
    }
    let ratios = with
        .iter()
        .zip(&without)
        .map(|(with, without)| with / without)
        .collect();
    report.figure("recording, with heads and checkpoints", median(with), "/s", "");
    report.figure("recording, without", median(without), "/s", "");
    report.figure("with ÷ without", median(ratios), "", "at least 0.95");
}

async fn rate(data_dir: &Path, signs: bool, commits: u64) -> f64 {
    let log = Arc::new(SledLog::open(data_dir.join("store")).expect("a log"));
    let evidence = signs.then(|| {
        let key = SigningKey::load_or_create(&data_dir.join("key")).expect("a key");
        Evidence::open(data_dir, key).expect("evidence")
    });
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::open(log, evidence, clock, EngineConfig::default()).expect("an engine");
    let address = "127.0.0.1:0".parse().expect("an address");
    let bound = BoundServer::bind(address, ServerConfig::default()).expect("a port");
    let endpoint = Channel::from_shared(format!("http://{}", bound.address())).expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = tokio::spawn(bound.serve(move || Ok(engine), async move {
        let _gone = stopped.await;
    }));
    let mut channels = Vec::new();
    for _ in 0..4 {
        channels.push(endpoint.connect().await.expect("a connection"));
    }
    // Until the log is replayed nobody is served.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    prepare(&channels[0], KPIS + 1).await;
    let took = record(&channels, commits).await;
    drop(channels);
    stop.send(()).expect("a running server");
    served.await.expect("a server").expect("it stops in good order");
    commits as f64 / took
}
