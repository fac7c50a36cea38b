//! Whoever resumes, anywhere, sees what a live reader saw.

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;

use crate::common::*;
use crate::reader::*;

#[tokio::test]
async fn who_resumes_in_the_past_sees_what_a_live_reader_saw() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut live = Reader::of(&server, Start::Live(())).await;
    let (from, _) = live.wait_for(caught_up).await;
    server.kpis().set_target(new_target("nps")).await.unwrap();
    measured(&server, 1..5).await;
    server.clock.advance_to(at(24 * 3600));
    measured(&server, 40..60).await;
    let head = server.head().await;
    let seen = live.updates_to(head).await;
    assert!(
        seen.iter()
            .any(|(_, update)| update.events[0].r#type == "DayStarted")
    );
    assert!(seen.iter().any(|(_, update)| !update.derived_changes.is_empty()));
    let mut resumed = Reader::of(&server, Start::After(from)).await;
    assert_eq!(resumed.updates_to(head).await, seen);
    for (index, (token, _)) in seen.iter().enumerate().take(seen.len() - 1) {
        let mut resumed = Reader::of(&server, Start::After(token.clone())).await;
        let (_, started) = resumed.next().await.unwrap();
        assert!(matches!(started, Event::Started(started) if started.head_revision == head));
        assert_eq!(
            resumed.updates_to(head).await,
            seen[index + 1..],
            "behind revision {}",
            index + 3
        );
    }
}

#[tokio::test]
async fn who_resumes_outside_of_the_ring_sees_the_same_as_inside() {
    let config = EngineConfig {
        feed_bytes_max: 1,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let mut first = Reader::of(&server, Start::FromBeginning(())).await;
    measured(&server, 1..10).await;
    let head = server.head().await;
    let seen = first.updates_to(head).await;
    for (index, (token, _)) in seen.iter().enumerate().take(seen.len() - 1) {
        let mut resumed = Reader::of(&server, Start::After(token.clone())).await;
        assert_eq!(resumed.updates_to(head).await, seen[index + 1..]);
    }
}

#[tokio::test]
async fn the_very_first_token_is_one_like_any_other() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::FromBeginning(())).await;
    let (token, started) = reader.next().await.unwrap();
    assert!(matches!(started, Event::Started(_)));
    let mut resumed = Reader::try_of(&server, Start::After(token))
        .await
        .expect("the beginning is a place");
    assert_eq!(revisions(&resumed.updates_to(2).await), [1, 2]);
}
