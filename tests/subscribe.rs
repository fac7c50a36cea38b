//! Subscriptions: ordered, unique, without a gap, resumable anywhere, and ended when the server stops.

mod common;

use std::time::Duration;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;
use common::view::{fold, view_of};
use common::*;
use prost::Message;
use tonic::{Code, Status, Streaming};

/// One subscription. Waiting for a message that does not come is a failure, not a hang.
struct Reader(Streaming<api::SubscribeResponse>);

/// One message: its token and what it says.
type Said = (String, Event);

const PATIENCE: Duration = Duration::from_secs(60);

impl Reader {
    async fn of(server: &Server, start: Start) -> Self {
        Self::try_of(server, start).await.expect("a subscription")
    }

    async fn try_of(server: &Server, start: Start) -> Result<Self, Status> {
        let request = api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: Some(start),
            checkpoint_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            ..Default::default()
        };
        let stream = server.progress().subscribe(request).await?.into_inner();
        Ok(Self(stream))
    }

    async fn next(&mut self) -> Option<Said> {
        let message = tokio::time::timeout(PATIENCE, self.0.message())
            .await
            .expect("a message in time");
        let message = message.expect("no error")?;
        Some((message.resume_token, message.event.expect("an event")))
    }

    /// Updates up to a revision, with their tokens; what is no update is looked over.
    async fn updates_to(&mut self, revision: i64) -> Vec<(String, api::Update)> {
        let mut updates: Vec<(String, api::Update)> = Vec::new();
        while updates
            .last()
            .is_none_or(|(token, update)| token.is_empty() || revision_of(update) < revision)
        {
            if let (token, Event::Update(update)) = self.next().await.expect("a stream that goes on") {
                updates.push((token, update));
            }
        }
        updates
    }

    /// The first message that `wanted` takes.
    async fn wait_for<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> (String, T) {
        loop {
            let (token, event) = self.next().await.expect("a stream that goes on");
            if let Some(found) = wanted(&event) {
                return (token, found);
            }
        }
    }

    /// The resources of the snapshot that the stream begins with, and its revision.
    async fn snapshot(&mut self) -> (Vec<api::Resource>, i64) {
        let (token, started) = self.next().await.expect("started");
        assert!(
            matches!(started, Event::Started(_)) && token.is_empty(),
            "a snapshot cannot be resumed"
        );
        let mut resources = Vec::new();
        loop {
            match self.next().await.expect("a snapshot") {
                (token, Event::Snapshot(part)) => {
                    assert_eq!(token, "", "a snapshot cannot be resumed");
                    assert!(part.encoded_len() < 2 << 20);
                    resources.extend(part.resources);
                }
                (token, Event::SnapshotEnd(end)) => {
                    assert_ne!(token, "");
                    return (resources, end.revision);
                }
                (_, other) => panic!("inside a snapshot: {other:?}"),
            }
        }
    }
}

fn revision_of(update: &api::Update) -> i64 {
    update.commit.as_ref().expect("its commit").revision
}

fn revisions(updates: &[(String, api::Update)]) -> Vec<i64> {
    updates.iter().map(|(_, update)| revision_of(update)).collect()
}

fn caught_up(event: &Event) -> Option<i64> {
    match event {
        Event::CaughtUp(caught_up) => Some(caught_up.revision),
        _ => None,
    }
}

async fn measured(server: &Server, times: std::ops::Range<i64>) {
    for number in times {
        server
            .kpis()
            .record_measurement(measure("nps", -number, number as f64))
            .await
            .expect("a value");
    }
}

fn large_batch(second: i64) -> api::BatchRecordMeasurementsRequest {
    api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: (0..1000)
            .map(|number| api::Measurement {
                kpi: acme(["kpis/nps", "kpis/churn"][number % 2]),
                note: "n".repeat(3000),
                ..measure("nps", second - number as i64, number as f64)
                    .measurement
                    .expect("a measurement")
            })
            .collect(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_meets_its_first_update_without_gap_or_overlap_while_four_write() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut client = server.kpis();
            tokio::spawn(async move {
                for number in 0..50 {
                    let request = measure("nps", -(writer * 1000 + number), number as f64);
                    client.record_measurement(request).await.expect("a value");
                }
            })
        })
        .collect();
    let mut readers = Vec::new();
    for _ in 0..5 {
        let mut reader = Reader::of(&server, Start::Snapshot(())).await;
        let (_, revision) = reader.snapshot().await;
        readers.push((reader, revision));
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    let head = server.head().await;
    assert_eq!(head, 202);
    for (mut reader, revision) in readers {
        if revision < head {
            let seen = revisions(&reader.updates_to(head).await);
            assert_eq!(
                seen,
                (revision + 1..=head).collect::<Vec<_>>(),
                "every revision once, in order"
            );
        }
    }
    let mut whole = Reader::of(&server, Start::FromBeginning(())).await;
    assert_eq!(
        revisions(&whole.updates_to(head).await),
        (1..=head).collect::<Vec<_>>()
    );
}

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

#[tokio::test]
async fn a_token_is_refused_where_it_does_not_belong() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    let (token, _) = reader.wait_for(caught_up).await;
    let refused = async |token: String| match Reader::try_of(&server, Start::After(token)).await {
        Ok(_) => panic!("it was taken"),
        Err(status) => Refused::of(&status),
    };
    for garbage in ["", "garbage", &token[1..], &"A".repeat(87)] {
        let expected = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["after"]);
        assert_eq!(refused(garbage.to_owned()).await, expected, "{garbage:?}");
    }
    let log = Refused::new(Code::FailedPrecondition, "LOG_MISMATCH", &["after"]);
    let filter = Refused::new(Code::FailedPrecondition, "FILTER_MISMATCH", &["after"]);
    let future = Refused::new(Code::OutOfRange, "POSITION_IN_FUTURE", &[]);
    // By the format that the token's own file describes: version, log, revision, root, filter.
    for (at, expected) in [
        (1, &log),
        (16, &log),
        (24, &future),
        (17, &future),
        (25, &log),
        (56, &log),
        (57, &filter),
    ] {
        assert_eq!(refused(changed(&token, at)).await, *expected, "byte {at}");
    }
    server
        .workspaces()
        .create_workspace(new_workspace("other"))
        .await
        .unwrap();
    let request = api::SubscribeRequest {
        parent: "workspaces/other".to_owned(),
        start: Some(Start::After(token)),
        ..Default::default()
    };
    let status = server
        .progress()
        .subscribe(request)
        .await
        .map(|_| ())
        .expect_err("another workspace's");
    assert_eq!(Refused::of(&status), log);
}

/// The token with one byte changed.
fn changed(token: &str, at: usize) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("base64url");
    bytes[at] ^= 0x40;
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_before_the_first_message() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let refused = async |request: api::SubscribeRequest| {
        let status = server
            .progress()
            .subscribe(request)
            .await
            .map(|_| ())
            .expect_err("a refusal");
        Refused::of(&status)
    };
    for (seconds, nanos) in [
        (0, 0),
        (-1, 0),
        (3601, 0),
        (0, 999_999_999),
        (i64::MAX, 0),
        (1, -5),
    ] {
        let request = api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: None,
            checkpoint_interval: Some(prost_types::Duration { seconds, nanos }),
            ..Default::default()
        };
        let expected = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["checkpoint_interval"]);
        assert_eq!(refused(request).await, expected, "{seconds} s {nanos} ns");
    }
    let nowhere = api::SubscribeRequest {
        parent: "workspaces/nowhere".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(nowhere).await,
        Refused::new(Code::NotFound, "NOT_FOUND", &[])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_commit_comes_in_several_messages_and_only_the_last_can_be_resumed_from() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.unwrap();
    let mut live = Reader::of(&server, Start::Live(())).await;
    live.wait_for(caught_up).await;
    server
        .kpis()
        .batch_record_measurements(large_batch(0))
        .await
        .unwrap();
    let parts = live.updates_to(4).await;
    assert!(parts.len() > 2, "3 MB of notes");
    let (last, first) = parts.split_last().unwrap();
    assert!(first.iter().all(|(token, _)| token.is_empty()) && !last.0.is_empty());
    for (_, part) in &parts {
        assert_eq!(revision_of(part), 4);
        assert!(
            part.encoded_len() <= 1024 * 1024 + 64 * 1024,
            "{} bytes",
            part.encoded_len()
        );
    }
    let events: Vec<_> = parts.iter().flat_map(|(_, part)| &part.events).collect();
    let names: Vec<_> = (0..1000)
        .map(|index| acme(&format!("events/4.{index}")))
        .collect();
    assert_eq!(
        events.iter().map(|event| event.name.clone()).collect::<Vec<_>>(),
        names
    );
    let changes: usize = parts.iter().map(|(_, part)| part.derived_changes.len()).sum();
    assert_eq!(changes, 2, "each KPI once");
    let mut again = Reader::of(&server, Start::FromBeginning(())).await;
    assert_eq!(again.updates_to(4).await[3..], parts);
}

#[tokio::test]
async fn a_view_folded_from_a_snapshot_and_its_updates_is_the_next_snapshot() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut early = Reader::of(&server, Start::Snapshot(())).await;
    let (resources, _) = early.snapshot().await;
    let mut view = view_of(&resources);
    // Everything that with_company makes, but the workspace and the KPI that are there.
    server
        .workspaces()
        .create_team(new_team("sales", ""))
        .await
        .unwrap();
    server.cycles().create_cycle(new_cycle("q1")).await.unwrap();
    let activate = api::ActivateCycleRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    };
    server.cycles().activate_cycle(activate).await.unwrap();
    server.kpis().set_target(new_target("nps")).await.unwrap();
    measured(&server, 1..3).await;
    let mut win = new_objective("win");
    win.objective.as_mut().unwrap().team = acme("teams/sales");
    server.objectives().create_objective(win).await.unwrap();
    server
        .objectives()
        .create_key_result(new_key_result("win", "deals"))
        .await
        .unwrap();
    server
        .objectives()
        .create_key_result(key_result_of_kpi("win", "nps", "nps"))
        .await
        .unwrap();
    activate_objective(&server, "win").await;
    for day in 1..20 {
        server.clock.advance_to(at(day * 24 * 3600));
        let deals = new_check_in("objectives/win/keyResults/deals", "", day as f64);
        server.objectives().create_check_in(deals).await.unwrap();
        server
            .kpis()
            .record_measurement(measure("nps", day * 24 * 3600, 30.0 + day as f64))
            .await
            .unwrap();
    }
    let mut late = Reader::of(&server, Start::Snapshot(())).await;
    let (resources, head) = late.snapshot().await;
    for (_, update) in early.updates_to(head).await {
        for change in &update.derived_changes {
            fold(&mut view, change);
        }
    }
    assert_eq!(view, view_of(&resources));
    assert!(view.len() > 5, "{view:?}");
}
