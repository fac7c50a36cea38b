//! kill -9 of the server under load, again and again on one data directory, at the port that it had or at another.

use futures_util::future::{BoxFuture, FutureExt};
use tempfile::TempDir;

use crate::common::until_serving;
use crate::company::{Clients, Pressure, scattered};
use crate::fault::{Followers, Seen, ended, press, provoke, until_answered};
use crate::host::patient_process;
use crate::kinds::KINDS;
use crate::process::ServerProcess;
use crate::subscriber::{Subscriber, connect};
use crate::truth::Evidence;

const ROUNDS: u64 = 4;
const WRITERS: u64 = 6;

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

/// Today, as the server's clock has it.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let dir = TempDir::new().expect("a directory");
        let anywhere = "127.0.0.1:0";
        let mut server = patient_process(dir.path(), anywhere, &[]);
        let channel = served(&server).await;
        Clients::of(&channel).set_up(today()).await.expect("a company");
        let mut followers = Followers::of(server.address.clone());
        for kind in KINDS {
            followers.add(Subscriber::of(kind), usize::MAX);
        }
        for round in 1..=ROUNDS {
            let pressure = Pressure::default();
            let channel = served(&server).await;
            let writers = press(&channel, round * 100..round * 100 + WRITERS, &pressure, u64::MAX);
            let large = tokio::spawn({
                let mut clients = Clients::of(&channel);
                // It may be killed with its server.
                async move { clients.record_large_batch().await.is_ok() }
            });
            let moment = scattered(round, 7) % 120 + 10;
            until_answered(&pressure, usize::try_from(moment).expect("a small number")).await;
            let address = server.address.clone();
            server.kill();
            ended(writers).await;
            let _answered_or_not = large.await.expect("a batch");
            let address = if round % 2 == 0 { &address } else { anywhere };
            server = patient_process(dir.path(), address, &[]);
            followers.server_is_at(server.address.clone());
        }
        followers.evidence(&served(&server).await).await
    }
    .boxed()
}

/// A connection to a server that has read its log.
pub(crate) async fn served(server: &ServerProcess) -> tonic::transport::Channel {
    let channel = connect(&server.address, None).await.expect("a connection");
    until_serving(&channel).await;
    channel
}
