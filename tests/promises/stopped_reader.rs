//! Readers that stop altogether: they are ended, and what they have is good to come back with.

use std::sync::Arc;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::service::{ServerConfig, SubscriptionLimits};
use futures_util::future::{BoxFuture, FutureExt};
use tonic::{Code, Streaming};

use crate::common::Refused;
use crate::company::{Clients, Pressure};
use crate::fault::{Seen, ended, press, provoke, until};
use crate::host::Host;
use crate::kinds::{KINDS, named};
use crate::subscriber::kind::Kind;
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

/// Bytes on the way to a reader.
const WINDOW: u32 = 16 * 1024;
/// The kinds that are told more than that, by their place.
const STOPPED: [usize; 7] = [0, 1, 2, 4, 8, 0, 1];

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

/// A server that ends who has taken nothing for one second.
async fn impatient() -> Host {
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriber_stalled_s_max: 1,
            ..SubscriptionLimits::default()
        },
        ..ServerConfig::default()
    };
    Host::with_company(Arc::new(MemoryLog::new()), EngineConfig::default(), config).await
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let host = impatient().await;
        let channel = host.server.channel.clone();
        let mut readers = Vec::new();
        for place in STOPPED {
            readers.push(begin(KINDS[place], &host).await);
        }
        let pressure = Pressure::default();
        // Twice, so that also a token from behind the first end is used.
        for round in 0..2 {
            let writers = press(&channel, round * 8..round * 8 + 8, &pressure, 25);
            let mut clients = Clients::of(&channel);
            clients.record_large_batch().await.expect("a batch");
            ended(writers).await;
            until("the end of all who have stopped", || host.streams() == 0).await;
            for (subscriber, stream) in &mut readers {
                read_to_its_end(subscriber, stream).await;
                let connection = connect(&host.address(), Some(WINDOW)).await;
                *stream = subscriber
                    .subscribe(&connection.expect("a connection"))
                    .await
                    .expect("a token that was given is taken");
            }
        }
        let last = truth::head(&channel).await;
        let mut subscribers = Vec::new();
        for (mut subscriber, mut stream) in readers {
            while subscriber.position() < last {
                assert!(subscriber.read(&mut stream).await.expect("no fault"));
            }
            subscribers.push(subscriber);
        }
        Evidence::of(subscribers, &channel).await
    }
    .boxed()
}

/// Reads until it has a token, then stops.
async fn begin(kind: Kind, host: &Host) -> (Subscriber, Streaming<api::SubscribeResponse>) {
    let connection = connect(&host.address(), Some(WINDOW))
        .await
        .expect("a connection");
    let mut subscriber = Subscriber::of(kind);
    let mut stream = subscriber.subscribe(&connection).await.expect("a stream");
    while subscriber.position() < 0 {
        assert!(subscriber.read(&mut stream).await.expect("no fault"));
    }
    (subscriber, stream)
}

/// Reads what is left of a stream that was ended.
async fn read_to_its_end(subscriber: &mut Subscriber, stream: &mut Streaming<api::SubscribeResponse>) {
    let status = loop {
        match subscriber.read(stream).await {
            Ok(true) => {}
            Ok(false) => panic!("{} ended as if all was well", subscriber.kind),
            Err(status) => break status,
        }
    };
    let expected = Refused::new(Code::ResourceExhausted, "SLOW_CONSUMER", &[]);
    assert_eq!(Refused::of(&status), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_stopped_is_ended_and_who_waits_or_reads_slowly_is_not() {
    let host = impatient().await;
    let channel = host.server.channel.clone();
    let mut idle = begin(named("members, snapshot"), &host).await;
    let mut slow = begin(named("everything, after a token"), &host).await;
    let (mut stopped, mut its_stream) = begin(named("everything, from the beginning"), &host).await;
    let pressure = Pressure::default();
    let writers = press(&channel, 0..8, &pressure, 40);
    let mut clients = Clients::of(&channel);
    clients.record_large_batch().await.expect("a batch");
    // The slow one reads a message now and then for as long as the third is not ended.
    let mut taken = 0;
    while host.streams() > 2 {
        let pause = std::time::Duration::from_millis(100);
        tokio::time::sleep(pause).await;
        assert!(slow.0.read(&mut slow.1).await.expect("it is not ended"));
        taken += 1;
        assert!(taken < 1000, "the one that has stopped is never ended");
    }
    ended(writers).await;
    read_to_its_end(&mut stopped, &mut its_stream).await;
    let last = truth::head(&channel).await;
    for (subscriber, stream) in [&mut idle, &mut slow] {
        while subscriber.position() < last {
            assert!(subscriber.read(stream).await.expect("it was never ended"));
        }
        assert_eq!(subscriber.history.connections.len(), 1, "on its first stream");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_do_not_wait_for_a_hundred_readers_that_have_stopped() {
    // With patience for hours: nobody is ended while the writers are at work.
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriber_stalled_s_max: 36_000,
            ..SubscriptionLimits::default()
        },
        ..ServerConfig::default()
    };
    let log = Arc::new(MemoryLog::new());
    let host = Host::with_company(log, EngineConfig::default(), config).await;
    let mut stopped = Vec::new();
    for index in 0..100 {
        stopped.push(begin(KINDS[STOPPED[index % STOPPED.len()]], &host).await);
    }
    let pressure = Pressure::default();
    let writers = press(&host.server.channel, 0..8, &pressure, 60);
    tokio::time::timeout(crate::subscriber::PATIENCE, ended(writers))
        .await
        .expect("they wait for readers");
    let done = |count: &std::sync::atomic::AtomicUsize| count.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(done(&pressure.answered) + done(&pressure.refused), 8 * 60);
    assert!(host.streams() >= 100, "they are still there");
    // What they hold is still what they were told, in order.
    let last = truth::head(&host.server.channel).await;
    for (subscriber, stream) in stopped.iter_mut().take(7) {
        while subscriber.position() < last {
            assert!(subscriber.read(stream).await.expect("it was never ended"));
        }
    }
}
