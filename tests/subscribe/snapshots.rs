//! A snapshot and the updates behind it.

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;

use crate::common::view::{fold, view_of};
use crate::common::*;
use crate::reader::*;

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
