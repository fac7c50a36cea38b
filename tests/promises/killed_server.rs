//! kill -9 of the server under load, again and again on one data directory, at the port that it had or at another.

use futures_util::future::{BoxFuture, FutureExt};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::company::{Clients, Pressure, scattered};
use crate::fault::{Seen, ended, follow, press, provoke, until_answered};
use crate::kind::KINDS;
use crate::process::ServerProcess;
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

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
        let mut server = ServerProcess::start(dir.path());
        let (tell, addresses) = watch::channel(server.address.clone());
        let (say_last, last) = watch::channel(None);
        let channel = served(&server).await;
        Clients::of(&channel).set_up(today()).await.expect("a company");
        let followers: Vec<_> = KINDS
            .into_iter()
            .map(|kind| {
                let subscriber = Subscriber::of(kind);
                tokio::spawn(follow(subscriber, addresses.clone(), last.clone(), usize::MAX))
            })
            .collect();
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
            server = match round % 2 {
                0 => ServerProcess::start_at(dir.path(), &address, &[]),
                _ => ServerProcess::start(dir.path()),
            };
            tell.send_replace(server.address.clone());
        }
        let channel = served(&server).await;
        say_last.send_replace(Some(truth::head(&channel).await));
        let mut subscribers = Vec::new();
        for follower in followers {
            subscribers.push(follower.await.expect("a follower"));
        }
        Evidence::of(subscribers, &channel).await
    }
    .boxed()
}

/// A connection to a server that has read its log.
pub(crate) async fn served(server: &ServerProcess) -> tonic::transport::Channel {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let channel = connect(&server.address, None).await.expect("a connection");
    let request = HealthCheckRequest::default();
    let mut health = HealthClient::new(channel.clone());
    let mut health = health.watch(request).await.expect("health").into_inner();
    while health.message().await.expect("health").expect("health").status() != ServingStatus::Serving {}
    channel
}
