//! KPIs that are measured no more: archived, listed apart, and taken into use again.

use binnacle::proto::api;
use tonic::Code::Aborted;

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

async fn kpis(server: &Server, filter: &str) -> Vec<String> {
    let request = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        filter: filter.to_owned(),
        ..Default::default()
    };
    let listed = server.kpis().list_kpis(request).await.expect("KPIs").into_inner();
    let names = listed.kpis.into_iter().map(|kpi| kpi.name);
    names
        .map(|name| name.trim_start_matches("workspaces/acme/kpis/").to_owned())
        .collect()
}

#[tokio::test]
async fn an_archived_kpi_keeps_its_history_takes_nothing_new_and_comes_back() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "churn", |_| {}).await;
    assert_eq!(kpis(&server, "needs_action = true").await, ["nps"]);
    assert_eq!(kpis(&server, "archived = true").await, [""; 0]);
    let progress = key_result_of(&server, "win/nps").await.progress;
    let revision = server.head().await;
    let archive = || named!(ArchiveKpiRequest, acme("kpis/nps"));
    let unarchive = || named!(UnarchiveKpiRequest, acme("kpis/nps"));
    let archived = retried!(server, kpis.archive_kpi(archive()));
    assert_eq!((archived.archive_time, archived.needs_action), (time(0), false));
    assert_eq!(archived.open_alerts, [""; 0]);
    let stands = archived.health.expect("its health");
    assert_eq!((stands.latest_value, stands.measurement_count), (Some(40.0), 1));
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..2],
        [
            ("KpiArchived", "kpis/nps"),
            ("AlertClosed", "kpis/nps/alerts/breach-7")
        ]
    );
    assert_eq!(
        told[0].2,
        [(
            "archive_time".to_owned(),
            String::new(),
            "2026-01-01T12:00:00Z".to_owned()
        )]
    );
    assert_eq!(kpis(&server, "archived = true").await, ["nps"]);
    assert_eq!(kpis(&server, "archived = false").await, ["churn"]);
    assert_eq!(kpis(&server, "needs_action = true").await, [""; 0]);
    assert_eq!(
        key_result_of(&server, "win/nps").await.progress,
        progress,
        "it keeps what it knows"
    );
    let head = server.head().await;
    server
        .kpis()
        .archive_kpi(archive())
        .await
        .expect("it is so already");
    assert_eq!(server.head().await, head);

    let not_in_use = rule("KPI_ARCHIVED", "kpis/nps");
    let mut client = server.kpis();
    assert_eq!(
        server
            .refusal(client.record_measurement(measure("nps", 1, 1.0)))
            .await,
        not_in_use
    );
    assert_eq!(
        server
            .refusal(client.correct_measurement(correction("nps", 0, 1.0)))
            .await,
        not_in_use
    );
    assert_eq!(
        server
            .refusal(client.retract_measurement(retraction("nps", 0)))
            .await,
        not_in_use
    );
    assert_eq!(
        server.refusal(client.set_target(new_target("nps"))).await,
        not_in_use
    );
    let delete = named!(DeleteTargetRequest, acme("kpis/nps/targets/2026-01-01"));
    assert_eq!(server.refusal(client.delete_target(delete)).await, not_in_use);
    let start = named!(StartObjectiveFromKpiRequest, acme("kpis/nps"), cycle: acme("cycles/q1"));
    assert_eq!(
        server.refusal(client.start_objective_from_kpi(start)).await,
        not_in_use
    );
    let anew = key_result_of_kpi("win", "anew", "nps");
    assert_eq!(
        server.refusal(server.objectives().create_key_result(anew)).await,
        not_in_use
    );
    let linked = api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: key_result_name("win/deals"),
            kpi: acme("kpis/nps"),
            ..Default::default()
        }),
        update_mask: mask(&["kpi"]),
        ..Default::default()
    };
    assert_eq!(
        server
            .refusal(server.objectives().update_key_result(linked))
            .await,
        not_in_use
    );
    let batch = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: ["churn", "nps"]
            .map(|id| api::Measurement {
                kpi: acme(&format!("kpis/{id}")),
                ..measure(id, 1, 1.0).measurement.expect("a measurement")
            })
            .to_vec(),
        ..Default::default()
    };
    let refusal = server.refusal(client.batch_record_measurements(batch)).await;
    assert_eq!(refusal, rule("KPI_ARCHIVED", "measurements[1]"));
    on_day(&server, 10).await;
    assert!(
        !kpi(&server, "nps").await.health.expect("its health").stale,
        "nothing is awaited"
    );
    assert_eq!(alerts(&server, "state = OPEN AND kpi = nps").await, [""; 0]);

    let titled = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            title: "NPS, as it was".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    client
        .update_kpi(titled)
        .await
        .expect("its title may be put right");
    let back = retried!(server, kpis.unarchive_kpi(unarchive()));
    assert_eq!(
        (back.archive_time, back.needs_action),
        (None, true),
        "its value is still BREACHED"
    );
    let head = server.head().await;
    client.unarchive_kpi(unarchive()).await.expect("it is so already");
    assert_eq!(server.head().await, head);
    record(&server, "nps", 10 * DAY_S, 60.0).await;
}

#[tokio::test]
async fn what_cannot_be_archived_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut client = server.kpis();
    let stale = named!(ArchiveKpiRequest, acme("kpis/nps"), etag: "r1".to_owned());
    let outdated = refused(Aborted, "ETAG_MISMATCH", &["kpis/nps"]);
    assert_eq!(server.refusal(client.archive_kpi(stale)).await, outdated);
    let stale = named!(UnarchiveKpiRequest, acme("kpis/nps"), etag: "r1".to_owned());
    assert_eq!(server.refusal(client.unarchive_kpi(stale)).await, outdated);
    for (name, etag, expected) in [
        (acme("kpis/x"), "", missing("kpis/x")),
        (acme("kpis/-"), "", invalid(&["name"])),
        (acme("objectives/win"), "", invalid(&["name"])),
        (acme("kpis/nps"), "nonsense", outdated.clone()),
    ] {
        let archive = named!(ArchiveKpiRequest, name, etag: etag.to_owned());
        assert_eq!(
            server.refusal(client.archive_kpi(archive)).await,
            expected,
            "{name}"
        );
        let unarchive = named!(UnarchiveKpiRequest, name, etag: etag.to_owned());
        assert_eq!(
            server.refusal(client.unarchive_kpi(unarchive)).await,
            expected,
            "{name}"
        );
    }
    let read = kpi(&server, "nps").await;
    let archive = named!(ArchiveKpiRequest, read.name, etag: read.etag.clone());
    let archived = client
        .archive_kpi(archive)
        .await
        .expect("as it was read")
        .into_inner();
    let delete = named!(DeleteKpiRequest, acme("kpis/nps"));
    client.delete_kpi(delete).await.expect("deleted");
    let deleted = rule("DELETED", "kpis/nps");
    let unarchive = named!(UnarchiveKpiRequest, acme("kpis/nps"));
    assert_eq!(server.refusal(client.unarchive_kpi(unarchive)).await, deleted);
    let undelete = named!(UndeleteKpiRequest, acme("kpis/nps"));
    let back = client.undelete_kpi(undelete).await.expect("back").into_inner();
    assert_eq!(back.archive_time, archived.archive_time, "exactly as it went");
    assert_eq!(alerts(&server, "state = OPEN").await, [""; 0]);
}
