//! How a stream ends: in good order, by a mistake of its client, and by its server; what was read before is durable.

use binnacle::engine::EngineConfig;
use binnacle::proto::api;
use binnacle::service::ServerConfig;
use tonic::Code;

use crate::common::*;
use crate::gate::Gate;
use crate::rows::*;

#[tokio::test]
async fn what_is_no_stream_of_rows_ends_with_its_reason_and_what_came_before_is_durable() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server
        .workspaces()
        .create_workspace(new_workspace("gone"))
        .await
        .unwrap();
    let delete = api::DeleteWorkspaceRequest {
        name: "workspaces/gone".to_owned(),
        ..Default::default()
    };
    server.workspaces().delete_workspace(delete).await.unwrap();
    server.kpis().create_kpi(new_kpi("old")).await.unwrap();
    let archive = api::ArchiveKpiRequest {
        name: acme("kpis/old"),
        ..Default::default()
    };
    server.kpis().archive_kpi(archive).await.unwrap();
    let to = |parent: &str| api::IngestMeasurementsRequest {
        parent: parent.to_owned(),
        ..more(vec![own_row(1)])
    };
    let invalid = |field: &str| Refused::new(Code::InvalidArgument, "INVALID_FIELD", &[field]);
    let good = |last: i64| first((1..=last).map(own_row).collect());
    let other = api::IngestMeasurementsRequest {
        parent: acme("kpis/-"),
        ..more(vec![own_row(3)])
    };
    let long = api::IngestMeasurementsRequest {
        reason: "x".repeat(10_001),
        ..good(1)
    };
    let not_found = |about: &[&str]| Refused::new(Code::NotFound, "NOT_FOUND", about);
    for (messages, expected, durable) in [
        (vec![to("")], invalid("parent"), 0),
        (vec![to("workspaces/acme")], invalid("parent"), 0),
        (vec![long], invalid("reason"), 0),
        (vec![to("workspaces/none/kpis/-")], not_found(&[]), 0),
        (vec![to(&acme("kpis/none"))], not_found(&["kpis/none"]), 0),
        (
            vec![to("workspaces/gone/kpis/-")],
            Refused::new(Code::FailedPrecondition, "DELETED", &["the workspace"]),
            0,
        ),
        (
            vec![to(&acme("kpis/old"))],
            Refused::new(Code::FailedPrecondition, "KPI_ARCHIVED", &["kpis/old"]),
            0,
        ),
        (vec![good(2), other], invalid("parent"), 2),
        (vec![first(vec![own_row(0)])], invalid("rows[0].sequence"), 0),
        (vec![first(vec![own_row(-3)])], invalid("rows[0].sequence"), 0),
        (
            vec![good(2), more(vec![own_row(3), own_row(3), own_row(4)])],
            invalid("rows[1].sequence"),
            3,
        ),
        (
            vec![good(5), more(vec![own_row(4)])],
            invalid("rows[0].sequence"),
            5,
        ),
        (
            vec![good(3), more((4..=10_004).map(own_row).collect())],
            invalid("rows"),
            3,
        ),
    ] {
        let mut rows = Rows::open(server.kpis()).await;
        for message in messages {
            rows.send(message).await;
        }
        let ended = rows.end().await.expect_err("a mistake");
        assert_eq!(Refused::of(&ended), expected, "{ended}");
        assert_eq!(rows.told.durable_through, durable, "{ended}");
    }
    assert_eq!(series(server.kpis()).await.len(), 5);
}

#[tokio::test]
async fn a_sequence_that_does_not_ascend_is_named_beside_the_one_before() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    let ended = rows
        .all(first(vec![own_row(41), own_row(17)]))
        .await
        .expect_err("back");
    assert!(
        ended.message().contains("17") && ended.message().contains("41"),
        "{ended}"
    );
}

#[tokio::test]
async fn who_sends_nothing_records_nothing_and_the_stream_ends_in_good_order() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let before = server.head().await;
    let mut rows = Rows::open(server.kpis()).await;
    rows.close();
    assert_eq!(rows.answer().await.unwrap(), None);

    let mut rows = Rows::open(server.kpis()).await;
    rows.all(first(Vec::new())).await.unwrap();
    let told = api::IngestMeasurementsResponse {
        revision: before,
        ..Default::default()
    };
    assert_eq!(rows.told, told);
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_makes_durable_and_answers_what_it_has_read_then_says_so() {
    let gate = Gate::default();
    let mut server = Server::with(gate.log(), EngineConfig::default(), ServerConfig::default()).await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    gate.close();
    // One message of several commits; the first of them is in front of the gate.
    rows.send(first((1..=3500).map(own_row).collect())).await;
    gate.reached().await;
    server.tell_to_stop();
    in_time("a server that drains", server.standing.stopping()).await;
    gate.open();
    let ended = rows.end().await.expect_err("it stops");
    let refused = Refused::of(&ended);
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::Unavailable, "DRAINING")
    );
    assert!(ended.message().contains("durable_through"), "{ended}");
    assert_eq!(
        (rows.told.durable_through, rows.told.recorded_count),
        (3500, 3500)
    );
    tokio::time::timeout(PATIENCE, server.ended())
        .await
        .expect("it ends")
        .unwrap();
}

#[tokio::test]
async fn a_clock_that_jumps_ends_the_stream_behind_what_is_durable() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut rows = Rows::open(server.kpis()).await;
    rows.send(first((1..=10).map(own_row).collect())).await;
    rows.durable(10).await;
    server.clock.set_wall(at(3600));
    rows.send(more(vec![own_row(11)])).await;
    let ended = rows.end().await.expect_err("the clock jumped");
    let refused = Refused::of(&ended);
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::FailedPrecondition, "CLOCK_JUMPED")
    );
    assert_eq!(rows.told.durable_through, 10);
    assert_eq!(series(server.kpis()).await.len(), 10);
}
