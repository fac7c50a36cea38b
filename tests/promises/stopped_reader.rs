//! Readers that stop altogether: they are ended, what they have is good to come back with, and nothing is left of who does not
//! even take the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::{ServerConfig, SubscriptionLimits};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use http_body_util::BodyExt as _;
use prost::Message as _;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tower::{Service as _, ServiceExt as _};

use crate::common::Refused;
use crate::company::{Clients, Pressure};
use crate::fault::{Seen, ended, lost_with_its_server, press, provoke, until};
use crate::host::Host;
use crate::kinds::{KINDS, named};
use crate::subscriber::kind::Kind;
use crate::subscriber::{PATIENCE, Subscriber, connect};
use crate::truth::{self, Evidence};

/// Bytes on the way to a reader.
const WINDOW: u32 = 16 * 1024;
/// Who has taken nothing for so long is ended; long enough for whoever does take to have its turn on a slow machine.
const STALLED_S_MAX: u64 = 5;
/// The kinds that are told more than that, by their place.
const STOPPED: [usize; 7] = [0, 1, 2, 4, 8, 0, 1];

pub(crate) fn evidence() -> &'static Evidence {
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

/// A server that ends who has taken nothing for so long.
async fn impatient(subscriber_stalled_s_max: u64) -> Host {
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriber_stalled_s_max,
            ..SubscriptionLimits::default()
        },
        ..ServerConfig::default()
    };
    Host::with_company(Arc::new(MemoryLog::new()), EngineConfig::default(), config).await
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let host = impatient(STALLED_S_MAX).await;
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
                // Whoever stopped long ago has lost its connection by now.
                if let Err(status) = end_of(subscriber, stream).await {
                    lost_with_its_server(subscriber, &status);
                }
                let connection = connect(&host.address(), Some(WINDOW)).await;
                *stream = subscriber
                    .subscribe(&connection.expect("a connection"))
                    .await
                    .expect("a token that was given is taken");
            }
        }
        let last = truth::head(&channel).await;
        // All at once: who has to wait until others have read would be ended.
        let read = readers
            .into_iter()
            .map(|(mut subscriber, mut stream)| async move {
                subscriber.read_to(&mut stream, last).await.expect("no fault");
                subscriber
            });
        Evidence::of(join_all(read).await, &channel).await
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
    subscriber.read_to(&mut stream, 0).await.expect("no fault");
    (subscriber, stream)
}

/// Reads what is left of a stream that was ended, up to the word that it was; or the loss of its connection.
async fn end_of(
    subscriber: &mut Subscriber,
    stream: &mut Streaming<api::SubscribeResponse>,
) -> Result<(), Status> {
    let status = loop {
        match subscriber.read(stream).await {
            Ok(true) => {}
            Ok(false) => panic!("{} ended as if all was well", subscriber.kind),
            Err(status) => break status,
        }
    };
    if status.code() != Code::ResourceExhausted {
        return Err(status);
    }
    let expected = Refused::new(Code::ResourceExhausted, "SLOW_CONSUMER", &[]);
    assert_eq!(Refused::of(&status), expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_stopped_is_ended_and_who_waits_or_reads_slowly_is_not() {
    let host = impatient(STALLED_S_MAX).await;
    let channel = host.server.channel.clone();
    let mut idle = begin(named("members, snapshot"), &host).await;
    let mut slow = begin(named("everything, after a token"), &host).await;
    let (mut stopped, mut its_stream) = begin(named("everything, from the beginning"), &host).await;
    let pressure = Pressure::default();
    let writers = press(&channel, 0..8, &pressure, 40);
    let mut clients = Clients::of(&channel);
    clients.record_large_batch().await.expect("a batch");
    // The slow one reads a message now and then, for as long as the third is not ended and writers are at work.
    let mut looks = 0;
    while host.streams() > 2 || writers.iter().any(|writer| !writer.is_finished()) {
        let pause = Duration::from_millis(100);
        tokio::time::sleep(pause).await;
        if let Ok(next) = tokio::time::timeout(pause, slow.1.message()).await {
            slow.0.hear(next.expect("it is not ended").expect("it goes on"));
        }
        looks += 1;
        assert!(looks < 1000, "the one that has stopped is never ended");
    }
    end_of(&mut stopped, &mut its_stream)
        .await
        .expect("a word that it was");
    ended(writers).await;
    let last = truth::head(&channel).await;
    for (subscriber, stream) in [&mut slow, &mut idle] {
        subscriber
            .read_to(stream, last)
            .await
            .expect("it was never ended");
        assert_eq!(subscriber.history.connections.len(), 1, "on its first stream");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_a_large_commit_at_a_trickle_is_not_ended() {
    let host = impatient(3).await;
    let mut clients = Clients::of(&host.server.channel);
    // Two: who is ended in the first would still be given what the transport has of it.
    for _ in 0..2 {
        clients.record_large_batch().await.expect("a batch");
    }
    let head = truth::head(&host.server.channel).await;
    let channel = connect(&host.address(), Some(WINDOW)).await;
    let request = named("everything, from the beginning").request(None);
    let answer = call(channel.expect("a connection"), request).await;
    let (mut body, mut read) = (answer.into_body(), Trickle::default());
    let begun = Instant::now();
    while read.revision < head {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
        let frame = frame.expect("a frame in time").expect("it is not ended");
        let bytes = frame.expect("no fault").into_data().expect("it is not ended");
        // So that a message of the large commit, of 1 MiB, takes longer than the server waits.
        let pause = Duration::from_nanos(4_500) * u32::try_from(bytes.len()).expect("a frame");
        tokio::time::sleep(pause).await;
        read.take(&bytes);
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "{:?}", begun.elapsed());
}

/// A subscription whose answer is read as bytes.
async fn call(mut channel: Channel, request: api::SubscribeRequest) -> http::Response<Body> {
    let mut framed = vec![0];
    framed.extend(
        u32::try_from(request.encoded_len())
            .expect("a small request")
            .to_be_bytes(),
    );
    request.encode(&mut framed).expect("a buffer that grows");
    let request = http::Request::post("/binnacle.v1.ProgressService/Subscribe")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::Full::from(framed)))
        .expect("a request");
    channel
        .ready()
        .await
        .expect("a connection")
        .call(request)
        .await
        .expect("an answer")
}

/// Messages that come in pieces.
#[derive(Default)]
struct Trickle {
    bytes: Vec<u8>,
    /// Of the newest update that is whole.
    revision: i64,
}

impl Trickle {
    fn take(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        while let Some((head, rest)) = self.bytes.split_first_chunk::<5>() {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let length = usize::try_from(length).expect("it fits");
            let Some(message) = rest.get(..length) else { break };
            let message = api::SubscribeResponse::decode(message).expect("a message");
            if let (false, Some(Event::Update(update))) = (message.resume_token.is_empty(), message.event) {
                self.revision = update.commit.expect("a commit").revision;
            }
            self.bytes.drain(..5 + length);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_readers_that_never_read_and_everybody_else_gets_everything() {
    const STOPPED: usize = 23;
    // Places for one more than them, and room for eight small messages.
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriptions_max: STOPPED + 1,
            subscriptions_bytes_max: 1,
            subscriber_stalled_s_max: STALLED_S_MAX,
        },
        ..ServerConfig::default()
    };
    let host = Host::with_company(Arc::new(MemoryLog::new()), EngineConfig::default(), config).await;
    let channel = host.server.channel.clone();
    ended(press(&channel, 0..4, &Pressure::default(), 60)).await;
    Clients::of(&channel).record_large_batch().await.expect("a batch");
    let head = truth::head(&channel).await;
    // Its client answers pings, and takes what fits into a window. In the first, streams on one connection have not handed out
    // what they hold; in the second, each has, the transport has the end of a page of 64 KiB, and the stream waits for room.
    for (window, per_connection) in [(WINDOW, STOPPED), (63 * 1024, 1)] {
        let mut stopped = Vec::new();
        while stopped.len() < STOPPED {
            let connection = connect(&host.address(), Some(window))
                .await
                .expect("a connection");
            for _ in 0..per_connection {
                let mut subscriber = Subscriber::of(named("everything, from the beginning"));
                stopped.push(subscriber.subscribe(&connection).await.expect("a place"));
            }
        }
        let mut good = Subscriber::of(named("everything, from the beginning"));
        good.follow_to(&channel, head)
            .await
            .expect("a stream that goes on");
        assert_eq!(good.position(), head);
        until("the places", || host.streams() == 0).await;
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
    tokio::time::timeout(PATIENCE, ended(writers))
        .await
        .expect("they wait for readers");
    let done = |count: &std::sync::atomic::AtomicUsize| count.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(done(&pressure.answered) + done(&pressure.refused), 8 * 60);
    assert!(host.streams() >= 100, "they are still there");
    // What they hold is still what they were told, in order.
    let last = truth::head(&host.server.channel).await;
    for (subscriber, stream) in stopped.iter_mut().take(7) {
        subscriber
            .read_to(stream, last)
            .await
            .expect("it was never ended");
    }
}
