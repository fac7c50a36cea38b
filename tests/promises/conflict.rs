//! 64 writers in conflict, a cycle that closes and opens again under them, and 16 subscribers that leave and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// The cycle closes and opens once in each.
const ROUNDS: u64 = 3;
const WRITERS: u64 = 64;
const COMMANDS_PER_WRITER: u64 = 4;
const CONNECTIONS: u64 = 8;
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
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(connect(&host.address(), None).await.expect("a connection"));
        }
        let mut clients = Clients::of(&host.server.channel);
        clients.begin_review().await.expect("a cycle in review");
        for round in 0..ROUNDS {
            // Writers of this round alone: those of one load could be done before the cycle closes for the last time.
            let mut writers = Vec::new();
            for (channel, connection) in channels.iter().zip(0..) {
                let first = round * WRITERS + connection * WRITERS / CONNECTIONS;
                let numbers = first..first + WRITERS / CONNECTIONS;
                writers.extend(press(channel, numbers, &pressure, COMMANDS_PER_WRITER));
            }
            until_answered(&pressure, 30).await;
            clients
                .close_and_reopen()
                .await
                .expect("a cycle closed and opened again");
            clients.record_large_batch().await.expect("a batch");
            ended(writers).await;
        }
        let done = |count: &AtomicUsize| count.load(Ordering::SeqCst) as u64;
        let (answered, refused) = (done(&pressure.answered), done(&pressure.refused));
        assert_eq!(
            answered + refused,
            ROUNDS * WRITERS * COMMANDS_PER_WRITER,
            "no writer lost its server"
        );
        assert!(refused > 0, "there was no conflict");
        followers.evidence(&host.server.channel).await
    }
    .boxed()
}
