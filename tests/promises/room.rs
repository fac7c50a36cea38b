//! The room that all streams share: however little there is, everybody gets everything, and whoever has read what they were
//! given, or is gone, has given it back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::service::{ServerConfig, SubscriptionLimits};

use crate::company::{Clients, Pressure};
use crate::fault::{Followers, ended, press, until};
use crate::host::Host;
use crate::kinds::{KINDS, named};
use crate::promise::{bookmarkable, holds, ordered, reliable, unique};
use crate::subscriber::{Subscriber, connect};
use crate::truth;

/// A server whose streams share room for eight small messages.
async fn narrow() -> Host {
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriptions_bytes_max: 1,
            subscriber_stalled_s_max: 36_000,
            ..SubscriptionLimits::default()
        },
        ..ServerConfig::default()
    };
    Host::with_company(Arc::new(MemoryLog::new()), EngineConfig::default(), config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_next_to_no_room_forty_readers_still_get_everything() {
    let host = narrow().await;
    let mut followers = Followers::of(host.address());
    for index in 0..40 {
        followers.add(Subscriber::of(KINDS[index % KINDS.len()]), usize::MAX);
    }
    until("the readers", || host.streams() >= 40).await;
    let pressure = Pressure::default();
    let writers = press(&host.server.channel, 0..8, &pressure, 20);
    let mut clients = Clients::of(&host.server.channel);
    clients.record_large_batch().await.expect("a batch");
    ended(writers).await;
    assert!(pressure.answered.load(Ordering::SeqCst) > 0);
    let evidence = followers.evidence(&host.server.channel).await;
    for promise in [ordered, unique, reliable, bookmarkable] {
        holds(promise, &evidence);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_news_holds_no_room() {
    let host = narrow().await;
    let channel = connect(&host.address(), None).await.expect("a connection");
    let mut waiting = Vec::new();
    // More than there is room for. Each has read its snapshot, and nothing else is for it.
    for _ in 0..24 {
        let mut subscriber = Subscriber::of(named("members, snapshot"));
        let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
        subscriber.read_to(&mut stream, 0).await.expect("no fault");
        waiting.push(stream);
    }
    let mut last = Subscriber::of(named("everything, from the beginning"));
    let head = truth::head(&channel).await;
    last.follow_to(&channel, head)
        .await
        .expect("a stream that goes on");
    assert_eq!(last.position(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_gone_leaves_nothing_behind_also_where_nothing_happens() {
    let host = narrow().await;
    let head = truth::head(&host.server.channel).await;
    for round in 0..3 {
        let channel = connect(&host.address(), None).await.expect("a connection");
        let mut streams = Vec::new();
        for kind in KINDS {
            let mut subscriber = Subscriber::of(kind);
            let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
            subscriber.read_to(&mut stream, head).await.expect("no fault");
            streams.push(stream);
        }
        assert_eq!(host.streams(), KINDS.len(), "round {round}");
        drop((streams, channel));
        until("the end of who is gone", || host.streams() == 0).await;
    }
}
