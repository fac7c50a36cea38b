//! A crowd that comes back at the same moment, each with a token of its own from some time ago, to a server that has just
//! started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use binnacle::domain::Revision;
use binnacle::engine::EngineConfig;
use binnacle::log::{Append, AppendOutcome, EventLog, LogError, LogId, MemoryLog, Records};
use binnacle::service::ServerConfig;

use crate::company::{Pressure, scattered};
use crate::fault::{ended, press};
use crate::host::Host;
use crate::kinds::named;
use crate::promise::{atomic, holds, ordered, reliable, resumable, unique};
use crate::subscriber::kind::{Begins, Kind};
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

const CROWD: u64 = 300;
const CONNECTIONS: u64 = 6;
const KINDS: [&str; 3] = [
    "everything, from the beginning",
    "figures' sources, from the beginning",
    "team sales, snapshot",
];

/// A log that counts what is read of it.
struct CountingLog {
    log: Arc<MemoryLog>,
    records: Arc<AtomicU64>,
}

impl EventLog for CountingLog {
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        self.log.append(appends)
    }

    fn read(&self, log: LogId, from: Revision) -> Records<'_> {
        Box::new(self.log.read(log, from).inspect(|_| {
            self.records.fetch_add(1, Ordering::SeqCst);
        }))
    }

    fn heads(&self) -> Result<BTreeMap<LogId, Revision>, LogError> {
        self.log.heads()
    }
}

/// All tokens of a kind's scope, by their revisions.
async fn tokens(kind: Kind, host: &Host, last: i64) -> Vec<(String, i64)> {
    let channel = connect(&host.address(), None).await.expect("a connection");
    let mut reader = Subscriber::of(kind.scope.told(Begins::FromBeginning));
    reader.follow_to(&channel, last).await.expect("a stream");
    let newest = reader.history.kept().filter_map(|group| group.last());
    let tokens = newest.map(|said| (said.token.clone(), said.revision().unwrap_or(0)));
    tokens.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_who_come_back_at_once_are_served_exactly_from_a_few_folds_of_the_log() {
    let log = Arc::new(MemoryLog::new());
    let host = Host::with_company(
        Arc::clone(&log) as Arc<dyn EventLog>,
        EngineConfig::default(),
        ServerConfig::default(),
    )
    .await;
    let pressure = Pressure::default();
    ended(press(&host.server.channel, 0..16, &pressure, 200)).await;
    let head = truth::head(&host.server.channel).await;
    let mut by_kind = Vec::new();
    for kind in KINDS.map(named) {
        by_kind.push((kind, tokens(kind, &host, head).await));
    }
    let mut server = host.server;
    server.tell_to_stop();
    server.ended().await.expect("in good order");

    let records = Arc::new(AtomicU64::new(0));
    let counting = CountingLog {
        log,
        records: Arc::clone(&records),
    };
    let host = Host::start(
        Arc::new(counting),
        EngineConfig::default(),
        ServerConfig::default(),
    )
    .await;
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(connect(&host.address(), None).await.expect("a connection"));
    }
    let at_start = records.load(Ordering::SeqCst);
    let coming: Vec<_> = (0..CROWD)
        .map(|number| {
            let (kind, tokens) = &by_kind[(number % 3) as usize];
            let at = scattered(number, 1) % (tokens.len() as u64 - 200);
            let (token, revision) = tokens[usize::try_from(at).expect("a place")].clone();
            let channel = channels[(number % CONNECTIONS) as usize].clone();
            let mut subscriber = Subscriber::resuming(*kind, token, revision);
            tokio::spawn(async move {
                subscriber
                    .follow_to(&channel, head)
                    .await
                    .expect("its token is taken");
                subscriber
            })
        })
        .collect();
    let mut subscribers = Vec::new();
    for one in coming {
        subscribers.push(one.await.expect("a subscriber"));
    }
    let read = records.load(Ordering::SeqCst) - at_start;
    let folds = read / u64::try_from(head).expect("a revision");
    println!("{CROWD} came back to {head} revisions: {read} records read, {folds} times the log");
    assert!(
        folds < FOLDS_MAX,
        "the log was read {folds} times for {CROWD} who came back"
    );
    let evidence = Evidence::of_crowd(subscribers, &host.server.channel).await;
    for promise in [ordered, unique, reliable, atomic, resumable] {
        holds(promise, &evidence);
    }
}

/// Where nobody stands a stretch begins, and its fold begins at the last kept version: a few times the log, whoever comes.
const FOLDS_MAX: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn coalesced_streams_that_come_back_to_one_place_are_served_from_one_fold_of_the_log() {
    let (log, records) = (Arc::new(MemoryLog::new()), Arc::default());
    let counting = CountingLog {
        log,
        records: Arc::clone(&records),
    };
    let host = Host::with_company(
        Arc::new(counting),
        EngineConfig::default(),
        ServerConfig::default(),
    )
    .await;
    ended(press(&host.server.channel, 0..8, &Pressure::default(), 40)).await;
    let head = truth::head(&host.server.channel).await;
    let kind = named("everything, coalesced, snapshot");
    let tokens = tokens(kind, &host, head).await;
    let (token, revision) = tokens[tokens.len() / 2].clone();
    let at_start = records.load(Ordering::SeqCst);
    let coming: Vec<_> = (0..100)
        .map(|_| {
            let channel = host.server.channel.clone();
            let mut subscriber = Subscriber::resuming(kind, token.clone(), revision);
            tokio::spawn(async move {
                let followed = subscriber.follow_to(&channel, head).await;
                followed.expect("its token is taken");
            })
        })
        .collect();
    for one in coming {
        one.await.expect("a subscriber");
    }
    let read = records.load(Ordering::SeqCst) - at_start;
    let folds = read / u64::try_from(head).expect("a revision");
    assert!(folds < FOLDS_MAX, "the log was read {folds} times");
}
