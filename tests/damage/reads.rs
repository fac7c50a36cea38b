//! Everything that a server says, as it can be compared: the records as they are stored, and the answers of many calls.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::export_events_response::Content;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tonic::transport::Channel;

use crate::company::{connect, patiently, wait};

/// The largest message that these clients take: more than a server sends.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Every record of every workspace, by its name.
pub(crate) type Everything = BTreeMap<String, Vec<Vec<u8>>>;

pub(crate) fn audit(channel: &Channel) -> AuditServiceClient<Channel> {
    AuditServiceClient::new(channel.clone()).max_decoding_message_size(BYTES_MAX)
}

/// The export of everything, deleted workspaces too.
pub(crate) fn everything(url: &str) -> Everything {
    wait(async {
        let channel = connect(url).await;
        let mut found = Everything::new();
        for name in names(&channel).await {
            let records = records(&channel, &name).await;
            found.insert(name, records);
        }
        found
    })
}

async fn names(channel: &Channel) -> Vec<String> {
    let request = api::ListWorkspacesRequest {
        page_size: 1000,
        show_deleted: true,
        ..api::ListWorkspacesRequest::default()
    };
    let mut client = WorkspaceServiceClient::new(channel.clone());
    let listed = patiently(async || client.list_workspaces(request.clone()).await).await;
    let workspaces = listed.expect("the workspaces").into_inner().workspaces;
    workspaces.into_iter().map(|workspace| workspace.name).collect()
}

async fn records(channel: &Channel, name: &str) -> Vec<Vec<u8>> {
    let request = api::ExportEventsRequest {
        parent: name.to_owned(),
        ..api::ExportEventsRequest::default()
    };
    let mut messages = audit(channel)
        .export_events(request)
        .await
        .expect("an export")
        .into_inner();
    let mut found = Vec::new();
    while let Some(message) = messages.message().await.expect("an export to its end") {
        if let Some(Content::Records(records)) = message.content {
            found.extend(records.records);
        }
    }
    found
}

/// The signed checkpoint of a workspace at a revision; 0: the newest.
pub(crate) fn checkpoint(url: &str, name: &str, revision: i64) -> api::SignedCheckpoint {
    wait(async {
        let request = api::GetCheckpointRequest {
            parent: name.to_owned(),
            revision,
            min_revision: 0,
        };
        let channel = connect(url).await;
        let answer = patiently(async || audit(&channel).get_checkpoint(request.clone()).await).await;
        answer.expect("a checkpoint").into_inner()
    })
}

/// What many calls answer of a workspace as of a revision, each under its name.
pub(crate) fn answers(url: &str, workspace: &str, revision: i64) -> BTreeMap<String, String> {
    wait(async {
        let channel = connect(url).await;
        let mut found = BTreeMap::new();
        let name = format!("workspaces/{workspace}");
        let as_of = Some(api::AsOf {
            moment: Some(api::as_of::Moment::Revision(revision)),
        });
        for newest_first in [false, true] {
            let events = events(&channel, &name, revision, newest_first).await;
            for event in events {
                found.insert(format!("{} {newest_first}", event.name), format!("{event:?}"));
            }
        }
        let mut kpis = KpiServiceClient::new(channel.clone());
        let mut workspaces = WorkspaceServiceClient::new(channel.clone());
        macro_rules! ask {
            ($client:ident.$call:ident($request:expr)) => {{
                let answer = $client.$call($request).await;
                let answer = answer.unwrap_or_else(|status| panic!("{}: {status}", stringify!($call)));
                found.insert(
                    stringify!($call).to_owned(),
                    format!("{:?}", answer.into_inner()),
                );
            }};
        }
        let request = api::GetWorkspaceRequest {
            name: name.clone(),
            ..api::GetWorkspaceRequest::default()
        };
        let mut shown = workspaces
            .get_workspace(request)
            .await
            .expect("a workspace")
            .into_inner();
        // That of the newest commit, whatever it was.
        shown.revision = 0;
        found.insert("get_workspace".to_owned(), format!("{shown:?}"));
        ask!(kpis.get_kpi(api::GetKpiRequest {
            name: format!("{name}/kpis/load"),
            ..api::GetKpiRequest::default()
        }));
        ask!(kpis.list_measurements(api::ListMeasurementsRequest {
            parent: format!("{name}/kpis/load"),
            page_size: 1000,
            as_of,
            ..api::ListMeasurementsRequest::default()
        }));
        ask!(kpis.get_series(api::GetSeriesRequest {
            name: format!("{name}/kpis/load"),
            as_of,
            ..api::GetSeriesRequest::default()
        }));
        found
    })
}

/// The events up to a revision, each with its record.
async fn events(channel: &Channel, name: &str, revision: i64, newest_first: bool) -> Vec<api::Event> {
    let mut request = api::ListEventsRequest {
        parent: name.to_owned(),
        page_size: 100,
        newest_first,
        include_records: true,
        ..api::ListEventsRequest::default()
    };
    let mut found = Vec::new();
    loop {
        let page = audit(channel)
            .list_events(request.clone())
            .await
            .expect("events")
            .into_inner();
        found.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let upto = |event: &api::Event| {
        event
            .commit
            .as_ref()
            .is_some_and(|commit| commit.revision <= revision)
    };
    found.retain(upto);
    found
}
