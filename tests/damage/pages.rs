//! Pages of a list, and a restore between two of them.

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::company::{connect, patiently, wait};
use crate::prepared::prepared;
use crate::program::{Server, run};
use crate::restore::restore;

/// One page of each kind of list, from these tokens on: the tokens of the next.
fn pages(url: &str, tokens: &[String; 3]) -> [Result<String, Status>; 3] {
    let [measurements, events, differences] = tokens;
    let measurements = api::ListMeasurementsRequest {
        parent: "workspaces/acme/kpis/load".to_owned(),
        page_size: 1,
        page_token: measurements.clone(),
        ..Default::default()
    };
    let events = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1,
        page_token: events.clone(),
        ..Default::default()
    };
    let differences = api::DiffStatesRequest {
        parent: "workspaces/acme".to_owned(),
        before: Some(api::AsOf {
            moment: Some(api::as_of::Moment::Revision(1)),
        }),
        page_size: 1,
        page_token: differences.clone(),
        ..Default::default()
    };
    wait(async {
        let channel = connect(url).await;
        let (mut kpis, mut audit) = (
            KpiServiceClient::new(channel.clone()),
            AuditServiceClient::new(channel),
        );
        let listed = patiently(async || kpis.list_measurements(measurements.clone()).await).await;
        [
            listed.map(|answer| answer.into_inner().next_page_token),
            audit
                .list_events(events)
                .await
                .map(|answer| answer.into_inner().next_page_token),
            audit
                .diff_states(differences)
                .await
                .map(|answer| answer.into_inner().next_page_token),
        ]
    })
}

/// So that more than one resource is not what it was.
async fn another_kpi(url: &str) {
    let request = api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "another".to_owned(),
        kpi: Some(api::Kpi {
            title: "Another".to_owned(),
            direction: api::Direction::HigherIsBetter.into(),
            cadence: api::Cadence::Daily.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut kpis = KpiServiceClient::new(connect(url).await);
    let created = patiently(async || kpis.create_kpi(request.clone()).await).await;
    created.expect("a KPI");
}

#[test]
fn pages_that_were_begun_before_a_restore_do_not_go_on_behind_it() {
    let (data, files) = (prepared().copy(), TempDir::new().expect("a folder"));
    let server = Server::start(&data.dir());
    wait(another_kpi(&server.url));
    let archive = files.path().join("archive");
    let backup = ["backup", "--server", &server.url, "-o"];
    run(backup.iter().map(AsRef::as_ref).chain([archive.as_os_str()])).ended(0, &["2 workspaces"]);
    let begun = pages(&server.url, &Default::default()).map(|token| token.expect("a page"));
    assert!(begun.iter().all(|token| !token.is_empty()), "{begun:?}");
    for next in pages(&server.url, &begun) {
        next.expect("where nothing was restored they go on");
    }
    server.stop();
    let dir = files.path().join("restored");
    restore(&archive, &dir, &[]).ended(0, &["begins a new epoch"]);
    let server = Server::start(&dir);
    for refused in pages(&server.url, &begun) {
        let refused = refused.expect_err("pages of two histories");
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(
            refused.message().contains("start again without a token"),
            "{refused}"
        );
    }
    let anew = pages(&server.url, &Default::default()).map(|token| token.expect("a page"));
    for next in pages(&server.url, &anew) {
        next.expect("those of the new history go on");
    }
}
