//! SIGTERM: every stream says that the server is about to stop, with a token where there can be one, and ends; at the next
//! server it goes on.

use std::time::Duration;

use binnacle::proto::api;
use tempfile::TempDir;
use tonic::Streaming;

use crate::company::{Clients, Pressure};
use crate::fault::{ended, press, until_answered};
use crate::history::What;
use crate::host::patient_process;
use crate::killed_server::{served, today};
use crate::kinds::named;
use crate::promise::{atomic, bookmarkable, holds, ordered, reliable, resumable, unique};
use crate::subscriber::{PATIENCE, Subscriber, connect};
use crate::truth::{self, Evidence};

/// Bytes on the way to a reader that is to be behind.
const WINDOW: u32 = 16 * 1024;

/// A stream that stands somewhere.
struct Place {
    subscriber: Subscriber,
    stream: Streaming<api::SubscribeResponse>,
    has_token: bool,
}

impl Place {
    /// Reads until `there`.
    async fn of(kind: &str, address: &str, window: Option<u32>, there: impl Fn(&What) -> bool) -> Self {
        let channel = connect(address, window).await.expect("a connection");
        let mut subscriber = Subscriber::of(named(kind));
        let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
        loop {
            let message = crate::subscriber::next(&mut stream).await;
            let message = message.expect("no fault").expect("a message");
            let what = crate::history::Said::of(&message).what;
            subscriber.hear(message);
            if there(&what) {
                break;
            }
        }
        let has_token = subscriber.position() >= 0;
        Self {
            subscriber,
            stream,
            has_token,
        }
    }

    /// Reads to the end; the last message is the one that says so.
    async fn hear_the_end(mut self) -> Subscriber {
        let mut newest = None;
        loop {
            let message = crate::subscriber::next(&mut self.stream).await;
            let Some(message) = message.expect("no fault") else {
                break;
            };
            newest = Some(crate::history::Said::of(&message));
            self.subscriber.hear(message);
        }
        let newest = newest.expect("a last message");
        let kind = self.subscriber.kind;
        assert_eq!(newest.what, What::GoingAway, "{kind}");
        assert!(
            !newest.token.is_empty() || !self.has_token || self.subscriber.kind.is_coalesced(),
            "{kind}"
        );
        self.subscriber.lose();
        self.subscriber
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_that_the_server_stops_goes_on_at_the_next_without_a_gap() {
    let dir = TempDir::new().expect("a directory");
    let settings = ["--feed-bytes-max", "16384"];
    let mut server = patient_process(dir.path(), "127.0.0.1:0", &settings);
    let channel = served(&server).await;
    let mut clients = Clients::of(&channel);
    clients.set_up(today()).await.expect("a company");
    clients.make_large(90).await;
    let pressure = Pressure::default();
    let writers = press(&channel, 0..4, &pressure, u64::MAX);
    until_answered(&pressure, 60).await;
    let address = server.address.clone();
    let caught_up = |what: &What| matches!(what, What::CaughtUp(_));
    let update = |what: &What| matches!(what, What::Update(_));
    let begun = |what: &What| matches!(what, What::Started(_));
    let in_snapshot = |what: &What| *what == What::Snapshot;
    let mut places = Vec::new();
    for (kind, window, there) in [
        (
            "everything, after a token",
            None,
            &caught_up as &dyn Fn(&What) -> bool,
        ),
        ("team sales, snapshot", None, &caught_up),
        ("members, snapshot", None, &caught_up),
        ("everything, from the beginning", Some(WINDOW), &update),
        ("figures' sources, from the beginning", Some(WINDOW), &update),
        ("everything, snapshot", Some(WINDOW), &in_snapshot),
        ("everything, snapshot", Some(WINDOW), &begun),
        ("everything, coalesced, snapshot", None, &update),
        ("objectives, coalesced, from the beginning", None, &update),
    ] {
        places.push(Place::of(kind, &address, window, there).await);
    }
    until_answered(&pressure, 20).await;
    server.terminate();
    let ending: Vec<_> = places
        .into_iter()
        .map(|place| tokio::spawn(tokio::time::timeout(PATIENCE, place.hear_the_end())))
        .collect();
    let mut subscribers = Vec::new();
    for end in ending {
        subscribers.push(
            end.await
                .expect("an end as it should be")
                .expect("an end in time"),
        );
    }
    ended(writers).await;
    assert!(server.ended(), "in good order");

    let server = patient_process(dir.path(), "127.0.0.1:0", &settings);
    let channel = served(&server).await;
    let pressure = Pressure::default();
    ended(press(&channel, 50..54, &pressure, 10)).await;
    let last = truth::head(&channel).await;
    for subscriber in &mut subscribers {
        subscriber
            .follow_to(&channel, last)
            .await
            .expect("the next server takes its token");
    }
    let evidence = Evidence::of(subscribers, &channel).await;
    for promise in [ordered, unique, reliable, atomic, resumable, bookmarkable] {
        holds(promise, &evidence);
    }
}

/// Streams that take nothing of what there is for them, on one connection.
async fn stopped(address: &str, count: usize) -> Vec<Streaming<api::SubscribeResponse>> {
    let channel = connect(address, Some(WINDOW)).await.expect("a connection");
    let mut stopped = Vec::new();
    for _ in 0..count {
        let mut subscriber = Subscriber::of(named("everything, from the beginning"));
        stopped.push(subscriber.subscribe(&channel).await.expect("a stream"));
    }
    stopped
}

/// Stops a server while one waits for room; how far that one came before it was told so, and the company's directory.
async fn told_where_there_is_no_room() -> (i64, TempDir) {
    let dir = TempDir::new().expect("a directory");
    // Room for eight small messages.
    let room = ["--subscriptions-bytes-max", "1"];
    let patient = ["--subscriber-stalled-s-max", "36000"];
    let mut server = patient_process(dir.path(), "127.0.0.1:0", &[room, patient].concat());
    let mut clients = Clients::of(&served(&server).await);
    clients.set_up(today()).await.expect("a company");
    clients.record_large_batch().await.expect("a batch");
    let stopped_streams = stopped(&server.address, 24).await;
    // They take the room in their own time.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = |what: &What| matches!(what, What::Started(_));
    let kind = "everything, from the beginning";
    let place = Place::of(kind, &server.address, None, begun).await;
    server.terminate();
    let told = tokio::time::timeout(PATIENCE, place.hear_the_end()).await;
    drop(stopped_streams);
    assert!(server.ended(), "in good order");
    (told.expect("an end in time").position(), dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_room_is_told_that_the_server_stops_and_who_reads_nothing_does_not_hold_it_up() {
    // What those let go who are ended may reach it before the word does: then it did not wait.
    let (mut came_to, mut dir) = told_where_there_is_no_room().await;
    for _ in 0..10 {
        if came_to == 0 {
            break;
        }
        (came_to, dir) = told_where_there_is_no_room().await;
    }
    assert_eq!(came_to, 0, "it always had room");

    let impatient = ["--subscriber-stalled-s-max", "1", "--drain-s", "120"];
    let mut server = patient_process(dir.path(), "127.0.0.1:0", &impatient);
    served(&server).await;
    let _stopped = stopped(&server.address, 4).await;
    server.terminate();
    let begun = std::time::Instant::now();
    assert!(server.ended(), "in good order");
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}
