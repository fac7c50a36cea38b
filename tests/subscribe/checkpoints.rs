//! Checkpoints: where a stream stands although nothing is sent to it, and never more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;
use tokio::task::JoinHandle;

use crate::common::*;
use crate::reader::*;

fn of_names(names: &[&str]) -> api::SubscriptionFilter {
    api::SubscriptionFilter {
        names: names.iter().map(|name| acme(name)).collect(),
        ..Default::default()
    }
}

/// Writes values without a pause, until it is told to stop: of KPI churn those whose number `is_churn` takes, the others of KPI
/// nps.
fn busy(
    server: &Server,
    stop: &Arc<AtomicBool>,
    mut is_churn: impl FnMut(i64) -> bool + Send + 'static,
) -> JoinHandle<()> {
    let (mut client, stop) = (server.kpis(), Arc::clone(stop));
    tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let kpi = if is_churn(number) { "churn" } else { "nps" };
            client
                .record_measurement(measure(kpi, -number, 1.0))
                .await
                .expect("a value");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
}

async fn busy_workspace(feed_bytes_max: usize, min_interval: Option<prost_types::Duration>) {
    let config = EngineConfig {
        feed_bytes_max,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.expect("a KPI");
    let stop = Arc::new(AtomicBool::new(false));
    let writer = busy(&server, &stop, |number| number % 20 == 0);
    let nothing = of_names(&["kpis/nobody*"]);
    let request = api::SubscribeRequest {
        min_interval,
        ..asking(Start::Live(()), &nothing)
    };
    let mut reader = Reader::ask(&server, request).await;
    let mut last = 0;
    let moves_on = async {
        let mut token = String::new();
        for _ in 0..3 {
            let stood = last;
            while last <= stood {
                let (newest, event) = reader.next().await.expect("a stream that goes on");
                let stands = match event {
                    Event::Checkpoint(checkpoint) => {
                        assert!(checkpoint.recorded_time.is_some(), "{checkpoint:?}");
                        checkpoint.revision
                    }
                    // Whoever is behind again and again says so again and again.
                    Event::CaughtUp(caught_up) => caught_up.revision,
                    Event::Update(update) => panic!("{update:?}"),
                    _ => continue,
                };
                assert!(stands >= last, "it never goes back");
                (token, last) = (newest, stands);
            }
        }
        token
    };
    let token = tokio::time::timeout(PATIENCE, moves_on)
        .await
        .expect("it moves on with the workspace");
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("a writer");
    // From there one goes on without reading any of it again.
    let mut resumed = Reader::ask(&server, asking(Start::After(token), &nothing)).await;
    let head = server.head().await;
    let (updates, _) = resumed.all_to(head).await;
    assert_eq!(updates, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_takes_nothing_says_where_it_stands_in_a_busy_workspace() {
    busy_workspace(EngineConfig::default().feed_bytes_max, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_so_behind_the_ring_and_where_it_is_coalesced_too() {
    let coalesced = |nanos| Some(prost_types::Duration { seconds: 0, nanos });
    tokio::join!(
        busy_workspace(1, None),
        busy_workspace(1 << 20, coalesced(200_000_000))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_never_precedes_a_match_that_was_not_delivered() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.expect("a KPI");
    let stop = Arc::new(AtomicBool::new(false));
    // A match for every checkpoint that was seen: so there is silence for the next one, and writes go on through it.
    let seen = Arc::new(AtomicUsize::new(0));
    let writer = busy(&server, &stop, {
        let (seen, mut matched) = (Arc::clone(&seen), 0);
        move |_| {
            let is_due = matched < seen.load(Ordering::SeqCst);
            matched += usize::from(is_due);
            is_due
        }
    });
    let churn = of_names(&["kpis/churn"]);
    let mut delivered = Vec::new();
    let mut stands = Vec::new();
    let mut reader = Reader::ask(&server, asking(Start::Live(()), &churn)).await;
    let (_, from) = reader.wait_for(caught_up).await;
    let both = async {
        while stands.len() < 3 || delivered.len() < 3 {
            match reader.next().await.expect("a stream that goes on").1 {
                Event::Update(update) => delivered.push(revision_of(&update)),
                Event::Checkpoint(it) => {
                    stands.push((it.revision, delivered.len()));
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                _ => {}
            }
        }
    };
    in_time("three checkpoints and three matches", both).await;
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("a writer");
    let head = server.head().await;
    let mut all = Reader::of(&server, Start::FromBeginning(())).await;
    let matches: Vec<i64> = all
        .updates_to(head)
        .await
        .iter()
        .filter(|(_, update)| {
            let about = update
                .events
                .iter()
                .any(|event| event.resource == acme("kpis/churn"));
            about && revision_of(update) > from
        })
        .map(|(_, update)| revision_of(update))
        .collect();
    for (revision, count) in stands {
        let before = matches.iter().filter(|it| **it <= revision).count();
        assert_eq!(count, before, "the checkpoint of revision {revision}");
    }
    assert_eq!(delivered, matches[..delivered.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_behind_a_long_log_of_which_nothing_is_theirs_comes_to_its_end() {
    let config = EngineConfig {
        feed_bytes_max: 1,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let writers = (0..16).map(|writer| {
        let mut client = server.kpis();
        tokio::spawn(async move {
            for number in 0..100 {
                let request = measure("nps", -(writer * 1000 + number), 1.0);
                client.record_measurement(request).await.expect("a value");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let nothing = of_names(&["kpis/nobody*"]);
    let mut reader = Reader::ask(&server, asking(Start::FromBeginning(()), &nothing)).await;
    let (updates, token) = reader.all_to(1602).await;
    assert_eq!(updates, []);
    let mut resumed = Reader::ask(&server, asking(Start::After(token), &nothing)).await;
    assert!(matches!(resumed.next().await, Some((_, Event::Started(_)))));
    let second = resumed.next().await;
    assert!(
        matches!(
            second,
            Some((_, Event::CaughtUp(api::CaughtUp { revision: 1602 })))
        ),
        "{second:?}"
    );
}
