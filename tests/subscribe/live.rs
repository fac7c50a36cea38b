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

#[tokio::test]
async fn who_falls_behind_is_told_so_and_misses_nothing() {
    let config = EngineConfig {
        feed_bytes_max: 1,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    assert_eq!(reader.wait_for(caught_up).await.1, 2);
    measured(&server, 1..20).await;
    let fell_behind = |event: &Event| match event {
        Event::FellBehind(fell_behind) => Some(fell_behind.revision),
        Event::Update(update) => panic!("revision {} before it was told", revision_of(update)),
        _ => None,
    };
    assert_eq!(reader.wait_for(fell_behind).await.1, 2);
    let head = server.head().await;
    assert_eq!(
        revisions(&reader.updates_to(head).await),
        (3..=head).collect::<Vec<_>>()
    );
    assert_eq!(reader.wait_for(caught_up).await.1, head);
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
