//! What a filtered stream is sent: neither more nor less than what the contract says, live and behind alike.

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Code;

use crate::common::*;
use crate::life::{Life, criteria, with_people};
use crate::naive::{History, in_order};
use crate::reader::*;

/// Updates of a reader, and what it stood at last, until it stands at a head that is told later.
fn collect(mut reader: Reader, mut head: watch::Receiver<i64>) -> JoinHandle<Vec<(String, api::Update)>> {
    tokio::spawn(async move {
        let mut updates = Vec::new();
        let mut stands = 0;
        loop {
            let told = *head.borrow_and_update();
            if told > 0 && stands >= told {
                return updates;
            }
            let (token, event) = tokio::select! {
                said = reader.next() => said.expect("a stream that goes on"),
                _ = head.changed() => continue,
            };
            match event {
                Event::Update(update) => {
                    stands = stands.max(if token.is_empty() { 0 } else { revision_of(&update) });
                    updates.push((token, update));
                }
                Event::Checkpoint(checkpoint) => stands = stands.max(checkpoint.revision),
                Event::CaughtUp(caught_up) => stands = stands.max(caught_up.revision),
                _ => {}
            }
        }
    })
}

async fn every_criterion(feed_bytes_max: usize, number: u64) {
    let config = EngineConfig {
        feed_bytes_max,
        ..EngineConfig::default()
    };
    let server = Server::with(MemoryLog::new(), config, ServerConfig::default()).await;
    with_people(&server).await;
    let begins = server.head().await;
    let (tell, head) = watch::channel(0);
    let mut live = Vec::new();
    for (_, filter) in criteria() {
        let mut reader = Reader::ask(&server, asking(Start::Live(()), &filter)).await;
        reader.wait_for(caught_up).await;
        live.push(collect(reader, head.clone()));
    }
    let mut life = Life::of(&server, number);
    let history = History::lived(&server, &mut life, 240).await;
    let ends = server.head().await;
    assert!(life.done.len() > 12 && ends > begins + 40, "{:?}", life.done);
    tell.send(ends).expect("readers");
    let mut everything = Vec::new();
    let mut proven = 0;
    for ((name, filter), live) in criteria().into_iter().zip(live) {
        let live = in_time("a reader at the end", live).await.expect("a reader");
        if everything.is_empty() {
            everything.clone_from(&live);
        }
        let sent: Vec<api::Update> = live.iter().map(|(_, update)| in_order(update.clone())).collect();
        let expected = history.expected(&filter, &everything);
        for (sent, expected) in sent.iter().zip(&expected) {
            assert_eq!(sent, expected, "{name}");
        }
        assert_eq!(sent.len(), expected.len(), "{name}");
        assert!(
            live.iter().all(|(token, _)| !token.is_empty()),
            "{name}: a token each"
        );
        if name == "nothing" {
            assert_eq!(sent, []);
        }
        proven += usize::from(!sent.is_empty());
        let mut behind = Reader::ask(&server, asking(Start::FromBeginning(()), &filter)).await;
        let (mut all, _) = behind.all_to(ends).await;
        all.retain(|(_, update)| revision_of(update) > begins);
        assert_eq!(all, live, "{name}, from the beginning");
        if let Some(middle) = live.get(live.len() / 2) {
            let start = Start::After(middle.0.clone());
            let mut resumed = Reader::ask(&server, asking(start, &filter)).await;
            let (rest, _) = resumed.all_to(ends).await;
            assert_eq!(rest, live[live.len() / 2 + 1..], "{name}, resumed");
        }
    }
    assert!(
        proven + 3 > criteria().len(),
        "{proven} filters took something: {:?}",
        life.done
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_takes_what_a_naive_reader_finds_and_whoever_is_behind_is_sent_the_same() {
    every_criterion(EngineConfig::default().feed_bytes_max, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_log_at_every_step_is_sent_what_the_filter_takes() {
    every_criterion(1, 2).await;
}

#[tokio::test]
async fn a_team_is_all_teams_below_it_also_those_that_come_below_while_the_stream_is_open() {
    let server = Server::start().await;
    with_company(&server).await;
    server
        .workspaces()
        .create_team(new_team("top", ""))
        .await
        .expect("a team");
    let filter = api::SubscriptionFilter {
        teams: vec![acme("teams/top")],
        ..Default::default()
    };
    let mut reader = Reader::ask(&server, asking(Start::Live(()), &filter)).await;
    reader.wait_for(caught_up).await;
    let deals = |value| new_check_in("objectives/win/keyResults/deals", "", value);
    server
        .objectives()
        .create_check_in(deals(1.0))
        .await
        .expect("nothing for the stream");
    let request = api::UpdateTeamRequest {
        team: Some(api::Team {
            name: acme("teams/sales"),
            parent_team: acme("teams/top"),
            ..Default::default()
        }),
        update_mask: mask(&["parent_team"]),
        ..Default::default()
    };
    server.workspaces().update_team(request).await.expect("moved");
    let moved = server.head().await;
    server
        .objectives()
        .create_check_in(deals(2.0))
        .await
        .expect("a value");
    let updates = reader.updates_to(moved + 1).await;
    assert_eq!(revisions(&updates), [moved, moved + 1]);
    let mut entered: Vec<&str> = updates[0].1.entered.iter().map(name_of).collect();
    entered.sort_unstable();
    assert_eq!(
        entered,
        [
            acme("objectives/win"),
            acme("objectives/win/initiatives/demos"),
            acme("objectives/win/keyResults/deals"),
            acme("objectives/win/keyResults/nps"),
            acme("teams/sales"),
        ]
    );
    assert_eq!(updates[1].1.events[0].r#type, "CheckInRecorded");
    let derived: Vec<&str> = updates[1]
        .1
        .derived_changes
        .iter()
        .map(|it| it.resource.as_str())
        .collect();
    assert_eq!(
        derived,
        [
            acme("objectives/win/keyResults/deals"),
            acme("objectives/win"),
            acme("teams/sales")
        ]
    );
}

#[tokio::test]
async fn a_filter_that_takes_nothing_is_sent_checkpoints_and_nothing_else() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let filter = api::SubscriptionFilter {
        names: vec![acme("objectives/nobody*")],
        ..Default::default()
    };
    let mut reader = Reader::ask(&server, asking(Start::Snapshot(()), &filter)).await;
    assert_eq!(reader.snapshot().await, (Vec::new(), 2));
    assert_eq!(reader.wait_for(caught_up).await.1, 2);
    measured(&server, 1..5).await;
    let (token, event) = reader.next().await.expect("a message");
    assert!(
        matches!(event, Event::Checkpoint(api::Checkpoint { revision: 6, .. })),
        "{event:?}"
    );
    let mut resumed = Reader::ask(&server, asking(Start::After(token), &filter)).await;
    assert!(matches!(resumed.next().await, Some((_, Event::Started(_)))));
    assert!(matches!(
        resumed.next().await,
        Some((_, Event::CaughtUp(api::CaughtUp { revision: 6 })))
    ));
}

#[tokio::test]
async fn a_token_belongs_to_its_filter_however_that_is_written() {
    let server = Server::start().await;
    with_people(&server).await;
    let of = |teams: &[&str]| api::SubscriptionFilter {
        teams: teams.iter().map(|team| acme(team)).collect(),
        ..Default::default()
    };
    let mut reader = Reader::ask(&server, asking(Start::Live(()), &of(&["teams/t0", "teams/t2"]))).await;
    let (token, _) = reader.wait_for(caught_up).await;
    let resumed = async |filter: &api::SubscriptionFilter| {
        let request = asking(Start::After(token.clone()), filter);
        Reader::try_ask(&server, request)
            .await
            .err()
            .map(|status| Refused::of(&status))
    };
    assert_eq!(resumed(&of(&["teams/t2", "teams/t0", "teams/t2"])).await, None);
    let mismatch = Refused::new(Code::FailedPrecondition, "FILTER_MISMATCH", &["after"]);
    for other in [
        of(&[]),
        of(&["teams/t0"]),
        of(&["teams/t0", "teams/t2", "teams/t3"]),
    ] {
        assert_eq!(resumed(&other).await, Some(mismatch.clone()), "{other:?}");
    }
    for missing in ["teams/nobody", "cycles/never"] {
        let filter = match missing.starts_with("teams") {
            true => of(&[missing]),
            false => api::SubscriptionFilter {
                cycles: vec![acme(missing)],
                ..Default::default()
            },
        };
        let refused = Reader::try_ask(&server, asking(Start::Live(()), &filter))
            .await
            .err();
        let expected = Refused::new(Code::NotFound, "NOT_FOUND", &[missing]);
        assert_eq!(refused.map(|status| Refused::of(&status)), Some(expected));
    }
    // Gone is not never there.
    let delete = api::DeleteTeamRequest {
        name: acme("teams/t3"),
        ..Default::default()
    };
    server.workspaces().delete_team(delete).await.expect("deleted");
    let deleted = Reader::try_ask(&server, asking(Start::Live(()), &of(&["teams/t3"]))).await;
    assert!(deleted.is_ok());
}
