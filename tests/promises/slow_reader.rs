//! Readers that take a message now and then while writers write as fast as they can: the ring has long gone on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::service::ServerConfig;
use futures_util::future::{BoxFuture, FutureExt};
use tonic::transport::Channel;

use crate::company::{Clients, Pressure};
use crate::fault::{Seen, ended, press, provoke, until};
use crate::history::What;
use crate::host::Host;
use crate::kinds::{KINDS, named};
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

const WRITERS: u64 = 8;
const COMMANDS_PER_WRITER: u64 = 45;
/// A message is taken for every so many answers.
const ANSWERS_PER_MESSAGE: usize = 4;
/// Bytes on the way to a reader.
const WINDOW: u32 = 16 * 1024;
/// A reader leaves behind so many messages while there is load, and comes back.
const LEAVES_BEHIND: usize = 6;

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let engine = EngineConfig {
            feed_bytes_max: 32 * 1024,
            backlog_bytes_max: 2 * 1024 * 1024,
            ..EngineConfig::default()
        };
        let log = Arc::new(MemoryLog::new());
        let host = Host::with_company(log, engine, ServerConfig::default()).await;
        let channel = host.server.channel.clone();
        let pressure = Pressure::default();
        let readers: Vec<_> = KINDS
            .into_iter()
            .map(|kind| {
                tokio::spawn(read_slowly(
                    Subscriber::of(kind),
                    host.address(),
                    pressure.clone(),
                ))
            })
            .collect();
        until("the readers", || host.streams() >= KINDS.len()).await;
        let writers = press(&channel, 0..WRITERS, &pressure, COMMANDS_PER_WRITER);
        let mut clients = Clients::of(&channel);
        clients.record_large_batch().await.expect("a batch");
        ended(writers).await;
        clients.record_large_batch().await.expect("a batch");
        pressure.over.store(true, Ordering::SeqCst);
        let mut subscribers = Vec::new();
        for reader in readers {
            subscribers.push(reader.await.expect("a reader"));
        }
        subscribers.push(read_late(&host.address(), &mut clients, &channel).await);
        Evidence::of(subscribers, &channel).await
    }
    .boxed()
}

/// One that has everything, and then reads nothing while more comes than the ring and its window hold.
async fn read_late(address: &str, clients: &mut Clients, channel: &Channel) -> Subscriber {
    let connection = connect(address, Some(WINDOW)).await.expect("a connection");
    let mut subscriber = Subscriber::of(named("everything, after a token"));
    let mut stream = subscriber.subscribe(&connection).await.expect("a stream");
    let has_caught_up = |subscriber: &Subscriber| {
        let mut said = subscriber.history.connections[0].said();
        said.any(|said| matches!(said.what, What::CaughtUp(_)))
    };
    while !has_caught_up(&subscriber) {
        assert!(subscriber.read(&mut stream).await.expect("no fault"));
    }
    for _ in 0..4 {
        clients.record_large_batch().await.expect("a batch");
    }
    let last = truth::head(channel).await;
    subscriber.read_to(&mut stream, last).await.expect("no fault");
    subscriber
}

async fn read_slowly(mut subscriber: Subscriber, address: String, pressure: Pressure) -> Subscriber {
    let channel = connect(&address, Some(WINDOW)).await.expect("a connection");
    let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
    let mut taken = 0;
    loop {
        let behind = || pressure.answered.load(Ordering::SeqCst) >= (taken + 1) * ANSWERS_PER_MESSAGE;
        let over = || pressure.over.load(Ordering::SeqCst);
        until("the next answers", || behind() || over()).await;
        if over() {
            break;
        }
        taken += 1;
        if taken % LEAVES_BEHIND == 0 {
            stream = subscriber.subscribe(&channel).await.expect("a stream");
        }
        assert!(subscriber.read(&mut stream).await.expect("no fault"));
    }
    // On another connection: on this one what was not read is in the way of every answer.
    let another = connect(&address, None).await.expect("a connection");
    let last = truth::head(&another).await;
    subscriber.read_to(&mut stream, last).await.expect("no fault");
    subscriber
}

#[test]
fn who_reads_too_slowly_is_told_that_it_fell_behind_and_when_it_has_caught_up() {
    let evidence = evidence();
    let mut fell_behind = 0;
    for connection in evidence.histories.iter().flat_map(|history| &history.connections) {
        let mut behind = None;
        for said in connection.said() {
            match said.what {
                What::FellBehind(revision) => {
                    assert_eq!(behind, None, "it is told once");
                    assert_ne!(said.token, "");
                    behind = Some(revision);
                    fell_behind += 1;
                }
                What::CaughtUp(revision) => {
                    assert!(revision >= behind.unwrap_or(0));
                    assert_ne!(said.token, "");
                    behind = None;
                }
                _ => {}
            }
        }
    }
    assert!(fell_behind > 0, "nobody fell behind");
}
