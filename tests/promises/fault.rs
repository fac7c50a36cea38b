//! A fault is provoked once a process; every promise is then held against what was seen under it.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::company::{Clients, Pressure};
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

/// What was seen under a fault; none: provoking it has failed.
pub(crate) type Seen = OnceLock<Option<Evidence>>;

/// Upper bound of everything that belongs to one fault: a test fails and never hangs.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at something that happens by itself.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What was seen under a fault. The first who asks provokes it, the others wait.
pub(crate) fn provoke(seen: &'static Seen, fault: fn() -> BoxFuture<'static, Evidence>) -> &'static Evidence {
    let provoked = move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let in_time = runtime.block_on(async { tokio::time::timeout(PATIENCE, fault()).await });
        runtime.shutdown_background();
        in_time.expect("an end in time")
    };
    // In a thread of its own: when it fails, the others hear of it and do not try again.
    let seen = seen.get_or_init(|| std::thread::spawn(provoked).join().ok());
    seen.as_ref().expect("the fault could not be provoked")
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(crate::subscriber::PATIENCE, waited)
        .await
        .unwrap_or_else(|_| panic!("{what} never came"));
}

/// Starts so many writers on one server.
pub(crate) fn press(
    channel: &Channel,
    writers: std::ops::Range<u64>,
    pressure: &Pressure,
    commands_max: u64,
) -> Vec<tokio::task::JoinHandle<()>> {
    writers
        .map(|writer| tokio::spawn(Clients::of(channel).write(writer, pressure.clone(), commands_max)))
        .collect()
}

/// Waits for writers to end, and tells whoever failed.
pub(crate) async fn ended(writers: Vec<tokio::task::JoinHandle<()>>) {
    for writer in writers {
        writer.await.expect("a writer that does not fail");
    }
}

/// Waits until so many more commands were answered.
pub(crate) async fn until_answered(pressure: &Pressure, more: usize) {
    let target = pressure.answered.load(Ordering::SeqCst) + more;
    until("the answers", || {
        pressure.answered.load(Ordering::SeqCst) >= target
    })
    .await;
}

/// Subscribers that follow one server, wherever it is.
pub(crate) struct Followers {
    address: watch::Sender<String>,
    last: watch::Sender<Option<i64>>,
    following: Vec<tokio::task::JoinHandle<Subscriber>>,
}

impl Followers {
    pub(crate) fn of(address: String) -> Self {
        Self {
            address: watch::Sender::new(address),
            last: watch::Sender::new(None),
            following: Vec::new(),
        }
    }

    /// One more. It leaves a stream of itself when it was told `leave_every` times where it stands.
    pub(crate) fn add(&mut self, subscriber: Subscriber, leave_every: usize) {
        let (addresses, last) = (self.address.subscribe(), self.last.subscribe());
        let following = follow(subscriber, addresses, last, leave_every);
        self.following.push(tokio::spawn(following));
    }

    /// The server is somewhere else now.
    pub(crate) fn server_is_at(&self, address: String) {
        self.address.send_replace(address);
    }

    /// Nobody writes any more: what all of them were told to the end.
    pub(crate) async fn evidence(self, channel: &Channel) -> Evidence {
        self.last.send_replace(Some(truth::head(channel).await));
        let mut subscribers = Vec::new();
        for follower in self.following {
            subscribers.push(follower.await.expect("a follower"));
        }
        Evidence::of(subscribers, channel).await
    }
}

/// Follows over any number of connections, as long as there is a server, until the last revision is known and reached.
async fn follow(
    mut subscriber: Subscriber,
    addresses: watch::Receiver<String>,
    last: watch::Receiver<Option<i64>>,
    leave_every: usize,
) -> Subscriber {
    let done = |subscriber: &Subscriber| last.borrow().is_some_and(|last| subscriber.position() >= last);
    while !done(&subscriber) {
        let address = addresses.borrow().clone();
        let stream = match connect(&address, None).await {
            Ok(channel) => subscriber.subscribe(&channel).await,
            Err(status) => Err(status),
        };
        match stream {
            Ok(mut stream) => loop {
                let kept = subscriber
                    .history
                    .connections
                    .last()
                    .map_or(0, |it| it.kept.len());
                if done(&subscriber) || kept >= leave_every {
                    break;
                }
                match subscriber.read(&mut stream).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(status) => {
                        lost_with_its_server(&subscriber, &status);
                        break;
                    }
                }
            },
            Err(status) => lost_with_its_server(&subscriber, &status),
        }
        subscriber.lose();
        tokio::time::sleep(LOOK_EVERY).await;
    }
    subscriber
}

/// A stream whose connection is gone.
pub(crate) fn lost_with_its_server(subscriber: &Subscriber, status: &Status) {
    assert!(
        matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled
        ),
        "{} was refused: {status:?}",
        subscriber.kind
    );
}
