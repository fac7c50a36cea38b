//! What a live stream says about itself.

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;

use crate::common::*;
use crate::reader::*;

#[tokio::test]
async fn a_live_stream_says_when_it_is_caught_up_and_where_it_stands_when_nothing_happens() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    assert_eq!(reader.wait_for(caught_up).await.1, 2);
    let checkpoint = |event: &Event| match event {
        Event::Checkpoint(checkpoint) => Some(*checkpoint),
        Event::Update(_) => panic!("nothing happened"),
        _ => None,
    };
    let (token, quiet) = reader.wait_for(checkpoint).await;
    assert_eq!((quiet.revision, quiet.recorded_time), (2, time(0)));
    measured(&server, 1..2).await;
    let mut resumed = Reader::of(&server, Start::After(token)).await;
    assert_eq!(revisions(&resumed.updates_to(3).await), [3]);
    assert_eq!(revisions(&reader.updates_to(3).await), [3]);
}

/// Many writers at once, each with `values` of its own.
async fn crowd(server: &Server, writers: i64, values: i64) {
    let writing = (0..writers).map(|writer| measured(server, writer * values..(writer + 1) * values));
    futures_util::future::join_all(writing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_falls_behind_is_told_so_and_misses_nothing() {
    // The ring has nothing but what was written last.
    let config = EngineConfig {
        feed_bytes_max: 1,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    assert_eq!(reader.wait_for(caught_up).await.1, 2);
    let (writers, values) = (32, 50);
    let head = 2 + writers * values;
    let reading = async {
        let (mut here, mut fell_behind) = (2, 0);
        while here < head {
            match reader.next().await.expect("a stream that goes on").1 {
                Event::Update(update) => {
                    assert_eq!(revision_of(&update), here + 1);
                    here += 1;
                }
                Event::FellBehind(at) => {
                    assert!(at.revision == here && at.head_revision > here, "{at:?} at {here}");
                    fell_behind += 1;
                }
                Event::CaughtUp(at) => assert_eq!(at.revision, here),
                _ => {}
            }
        }
        fell_behind
    };
    let ((), fell_behind) = tokio::join!(crowd(&server, writers, values), reading);
    assert!(fell_behind > 0);
    assert_eq!(server.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_late_since_many_writers_wait_misses_nothing() {
    let config = EngineConfig {
        feed_bytes_max: 100_000,
        feed_deliveries_per_s: 1,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let (writers, values) = (64, 40);
    let head = 2 + writers * values;
    let mut reading = Vec::new();
    for _ in 0..20 {
        let mut reader = Reader::of(&server, Start::Live(())).await;
        assert_eq!(reader.wait_for(caught_up).await.1, 2);
        reading.push(tokio::spawn(
            async move { revisions(&reader.updates_to(head).await) },
        ));
    }
    crowd(&server, writers, values).await;
    assert_eq!(server.head().await, head);
    for seen in reading {
        let seen = seen.await.expect("a reader");
        assert!(seen.into_iter().eq(3..=head), "revision by revision");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_goodbye_with_a_token_and_ends_although_streams_are_open() {
    let mut server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    reader.wait_for(caught_up).await;
    let idle = Reader::of(&server, Start::Snapshot(())).await;
    server.tell_to_stop();
    let (token, ()) = reader
        .wait_for(|event| matches!(event, Event::GoingAway(_)).then_some(()))
        .await;
    assert_ne!(token, "");
    assert!(reader.next().await.is_none(), "it ends behind its goodbye");
    drop(reader);
    tokio::time::timeout(PATIENCE, server.ended())
        .await
        .expect("it ends")
        .expect("in good order");
    drop(idle);
}
