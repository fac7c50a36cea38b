//! Connections that are cut in the middle of a snapshot, again and again, while others write.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::service::ServerConfig;
use futures_util::future::{BoxFuture, FutureExt};

use crate::company::{Clients, Pressure};
use crate::fault::{Followers, Seen, ended, press, provoke, until, until_answered};
use crate::history::What;
use crate::host::Host;
use crate::kinds::named;
use crate::subscriber::{Subscriber, connect};
use crate::truth::Evidence;

/// Enough for four messages.
const LARGE_KPIS: usize = 90;
const CUTS: usize = 6;

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let log = Arc::new(MemoryLog::new());
        let host = Host::with_company(log, EngineConfig::default(), ServerConfig::default()).await;
        let channel = host.server.channel.clone();
        Clients::of(&channel).make_large(LARGE_KPIS).await;
        let pressure = Pressure::default();
        let writers = press(&channel, 0..4, &pressure, u64::MAX);
        let mut followers = Followers::of(host.address());
        for name in ["everything, snapshot", "everything, coalesced, snapshot"] {
            for cut_behind in 1..=3 {
                let mut subscriber = Subscriber::of(named(name));
                for _ in 0..CUTS {
                    cut(&mut subscriber, &host.address(), cut_behind).await;
                    until_answered(&pressure, 3).await;
                }
                // Then it is left alone, but leaves now and then by itself.
                followers.add(subscriber, 25);
            }
        }
        let begun = pressure.answered.load(Ordering::SeqCst);
        until("more commands", || {
            pressure.answered.load(Ordering::SeqCst) >= begun + 100
        })
        .await;
        pressure.over.store(true, Ordering::SeqCst);
        ended(writers).await;
        followers.evidence(&channel).await
    }
    .boxed()
}

/// Reads so many parts of a snapshot, and is gone.
async fn cut(subscriber: &mut Subscriber, address: &str, parts: usize) {
    let channel = connect(address, None).await.expect("a connection");
    let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
    for _ in 0..=parts {
        assert!(subscriber.read(&mut stream).await.expect("no fault"));
    }
    assert_eq!(subscriber.position(), -1, "a token inside of a snapshot");
    subscriber.lose();
}

#[test]
fn a_snapshot_that_was_cut_begins_anew_and_no_part_of_it_has_a_token() {
    let evidence = evidence();
    let mut cuts = 0;
    for history in &evidence.histories {
        for connection in &history.connections {
            let snapshot_lost = connection.lost.iter().any(|said| said.what == What::Snapshot);
            if snapshot_lost {
                cuts += 1;
                assert!(
                    connection.kept.is_empty(),
                    "{}: {:?}",
                    history.kind,
                    connection.kept
                );
                assert!(matches!(connection.lost[0].what, What::Started(_)));
                assert_eq!(connection.after, None, "it began anew");
            }
        }
    }
    assert_eq!(cuts, 6 * CUTS);
}
