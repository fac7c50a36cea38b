//! `entered` and `left`: what a client keeps of a snapshot and of what came and went is the next snapshot, whatever happens.

use binnacle::proto::api::subscribe_request::Start;

use crate::common::*;
use crate::kept::Kept;
use crate::life::{Life, criteria, with_people};
use crate::reader::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_keeps_of_entered_and_left_is_the_snapshot_at_every_revision() {
    for number in 10..13 {
        let server = Server::start().await;
        with_people(&server).await;
        let mut kept = Vec::new();
        for (name, filter) in criteria() {
            let (resources, _, token) = Kept::fresh(&server, &filter).await;
            kept.push((name, filter, resources, token));
        }
        let mut life = Life::of(&server, number);
        let mut moved = std::collections::BTreeSet::new();
        for _ in 0..8 {
            for _ in 0..15 {
                life.step().await;
            }
            let head = server.head().await;
            for (name, filter, mine, token) in &mut kept {
                let mut reader = Reader::ask(&server, asking(Start::After(token.clone()), filter)).await;
                let (updates, newest) = reader.all_to(head).await;
                for (_, update) in &updates {
                    mine.take(update);
                    if !update.entered.is_empty() && !update.left.is_empty() {
                        moved.insert("in and out at once");
                    }
                    if !update.left.is_empty() {
                        moved.insert("out");
                    }
                }
                *token = newest;
                let (fresh, revision, _) = Kept::fresh(&server, filter).await;
                assert_eq!(revision, head);
                assert_eq!(
                    mine.names(),
                    fresh.names(),
                    "life {number}, {name}, revision {head}"
                );
            }
        }
        assert!(
            moved.contains("out"),
            "life {number} proves nothing: {:?}",
            life.done
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_sent_a_snapshot_and_goes_on_live_keeps_the_same() {
    let server = Server::start().await;
    with_people(&server).await;
    let mut streams = Vec::new();
    for (name, filter) in criteria() {
        let mut reader = Reader::ask(&server, asking(Start::Snapshot(()), &filter)).await;
        let (resources, _) = reader.snapshot().await;
        streams.push((name, filter, reader, Kept::of(resources)));
    }
    let mut life = Life::of(&server, 20);
    for _ in 0..100 {
        life.step().await;
    }
    let head = server.head().await;
    for (name, filter, mut reader, mut kept) in streams {
        for (_, update) in reader.all_to(head).await.0 {
            kept.take(&update);
        }
        let (fresh, ..) = Kept::fresh(&server, &filter).await;
        assert_eq!(kept.names(), fresh.names(), "{name}");
    }
}
