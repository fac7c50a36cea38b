//! 64 writers in conflict, a cycle that closes and opens again under them, and 16 subscribers that leave and come back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::service::ServerConfig;
use futures_util::future::{BoxFuture, FutureExt};

use crate::company::{Clients, Pressure};
use crate::fault::{Followers, Seen, ended, press, provoke, until_answered};
use crate::host::Host;
use crate::kinds::KINDS;
use crate::subscriber::{Subscriber, connect};
use crate::truth::Evidence;

const WRITERS: u64 = 64;
const COMMANDS_PER_WRITER: u64 = 12;
const SUBSCRIBERS: usize = 16;
/// A subscriber leaves when it has come to so many tokens.
const LEAVES_BEHIND: usize = 80;

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let log = Arc::new(MemoryLog::new());
        let host = Host::with_company(log, EngineConfig::default(), ServerConfig::default()).await;
        let mut followers = Followers::of(host.address());
        for index in 0..SUBSCRIBERS {
            let subscriber = Subscriber::of(KINDS[index % KINDS.len()]);
            followers.add(subscriber, LEAVES_BEHIND + index);
        }
        let pressure = Pressure::default();
        let mut writers = Vec::new();
        for connection in 0..8 {
            let channel = connect(&host.address(), None).await.expect("a connection");
            let numbers = connection * WRITERS / 8..(connection + 1) * WRITERS / 8;
            writers.extend(press(&channel, numbers, &pressure, COMMANDS_PER_WRITER));
        }
        let mut clients = Clients::of(&host.server.channel);
        clients.begin_review().await.expect("a cycle in review");
        for _ in 0..3 {
            until_answered(&pressure, 30).await;
            clients
                .close_and_reopen()
                .await
                .expect("a cycle closed and opened again");
            clients.record_large_batch().await.expect("a batch");
        }
        ended(writers).await;
        assert!(
            pressure.refused.load(Ordering::SeqCst) > 0,
            "there was no conflict"
        );
        followers.evidence(&host.server.channel).await
    }
    .boxed()
}
