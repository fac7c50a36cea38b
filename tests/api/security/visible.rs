//! To who is no member a workspace is not there: in no list, no answer, no token and no word of a refusal.

use binnacle::proto::api;
use tonic::Code;
use tonic::body::Body;
use tower::{Service as _, ServiceExt as _};

use super::calls::{CALLS, Call, Takes, methods};
use super::{Guarded, Known, kpi_client, workspace_client};

#[tokio::test]
async fn a_stranger_hears_of_a_workspace_what_they_hear_of_one_that_is_not_there() {
    let guarded = Guarded::new().await;
    let stranger = guarded.channel_of("stranger").await;
    let (mut flaws, mut compared) = (Vec::new(), 0);
    for method in methods() {
        let (_, takes, json) = CALLS
            .iter()
            .find(|(call, ..)| *call == method.name())
            .expect("the call");
        if !matches!(takes, Takes::Right(_)) {
            continue;
        }
        let there = Call::about(&method, json, "acme").make(&stranger).await;
        let nowhere = Call::about(&method, json, "emca").make(&stranger).await;
        let (there, nowhere) = (there.expect_err(method.name()), nowhere.expect_err(method.name()));
        let said = |status: &tonic::Status| {
            let details = String::from_utf8_lossy(status.details()).replace("acme", "emca");
            (status.code(), status.message().replace("acme", "emca"), details)
        };
        let (there, nowhere) = (said(&there), said(&nowhere));
        if there != nowhere || there.0 != Code::NotFound {
            flaws.push(format!(
                "{}: {there:?}, and where there is none {nowhere:?}",
                method.name()
            ));
        }
        compared += 1;
    }
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.join("\n"));
    assert!(compared > 90, "{compared}");
}

/// GetKpi with bytes of one's own.
async fn get_raw(channel: &Known, message: Vec<u8>) {
    let mut framed = vec![0];
    framed.extend(
        u32::try_from(message.len())
            .expect("a small request")
            .to_be_bytes(),
    );
    framed.extend(message);
    let request = http::Request::post("/binnacle.v1.KpiService/GetKpi")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::Full::from(framed)))
        .expect("a request");
    let mut channel = channel.clone();
    let answer = channel.ready().await.expect("a connection").call(request).await;
    assert_eq!(answer.expect("an answer").headers()["grpc-status"], "5");
}

#[tokio::test]
async fn what_a_stranger_asked_of_a_workspace_its_auditor_finds_and_what_members_did_not_find_is_not_kept() {
    let guarded = Guarded::new().await;
    let stranger = guarded.channel_of("stranger").await;
    let viewer = guarded.channel_of("viewer").await;
    let get = async |channel: &Known, name: &str| {
        let request = api::GetKpiRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        let refused = kpi_client(channel).get_kpi(request).await;
        assert_eq!(refused.expect_err(name).code(), Code::NotFound);
    };
    get(&stranger, "workspaces/acme/kpis/nps").await;
    get(&stranger, "workspaces/nowhere/kpis/nps").await;
    get(&viewer, "workspaces/acme/kpis/none").await;
    // Written so that the name does not stand where one looks for it: behind a group, and behind more than is kept of a request.
    let name = [&[0x0A, 24][..], b"workspaces/acme/kpis/nps"].concat();
    let padding = [&[0x7A, 0x80, 0x80, 0x08][..], &[0; 128 * 1024]].concat();
    for hidden in [vec![0x7B, 0x7C], padding] {
        get_raw(&stranger, [hidden, name.clone()].concat()).await;
    }
    let found = async |principal: &str, parent: &str| {
        let channel = guarded.channel_of(principal).await;
        let mut audit = api::audit_service_client::AuditServiceClient::new(channel);
        let request = api::ListAttemptsRequest {
            parent: parent.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let answer = audit.list_attempts(request).await.expect("attempts").into_inner();
        let of_known = answer
            .attempts
            .into_iter()
            // Keys that the server had not seen yet.
            .filter(|attempt| attempt.code != "UNAUTHENTICATED");
        let said = of_known.map(|attempt| [attempt.principal, attempt.resource, attempt.code]);
        said.collect::<Vec<_>>()
    };
    let words = |resource: &str| ["stranger", resource, "NOT_FOUND"].map(str::to_owned);
    let there = words("workspaces/acme/kpis/nps");
    assert_eq!(
        found("auditor", "workspaces/acme").await,
        [there.clone(), there.clone()]
    );
    // One that is not there leaves the same, so that nobody can tell them apart by the time that it takes.
    let nowhere = words("workspaces/nowhere/kpis/nps");
    // What cannot be read is kept without it.
    assert_eq!(
        found("operator", "workspaces/-").await,
        [words(""), there.clone(), nowhere, there]
    );
}

#[tokio::test]
async fn a_list_of_workspaces_holds_those_of_the_caller() {
    let guarded = Guarded::new().await;
    let operator = guarded.channel_of("operator").await;
    for id in ["beta", "gamma"] {
        let request = api::CreateWorkspaceRequest {
            workspace_id: id.to_owned(),
            ..crate::common::new_workspace(id)
        };
        workspace_client(&operator)
            .create_workspace(request)
            .await
            .expect("a workspace");
    }
    let listed = async |principal: &str| {
        let channel = guarded.channel_of(principal).await;
        let request = api::ListWorkspacesRequest::default();
        let answer = workspace_client(&channel)
            .list_workspaces(request)
            .await
            .expect("a list");
        let names = answer
            .into_inner()
            .workspaces
            .into_iter()
            .map(|workspace| workspace.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed("viewer").await, ["workspaces/acme"]);
    assert_eq!(
        listed("operator").await,
        ["workspaces/beta", "workspaces/gamma"],
        "who creates one is its owner"
    );
    assert_eq!(listed("stranger").await, [""; 0]);
}

#[tokio::test]
async fn who_says_to_be_somebody_else_is_refused_and_who_acts_for_somebody_says_so() {
    let guarded = Guarded::new().await;
    let manager = guarded.channel_of("manager").await;
    let mut request = tonic::Request::new(crate::common::measure("nps", -5, 1.0));
    request
        .metadata_mut()
        .insert("binnacle-actor", "owner".parse().expect("a name"));
    let refused = super::kpi_client(&manager)
        .record_measurement(request)
        .await
        .expect_err("somebody else");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused
            .message()
            .contains("the credentials, which are of manager"),
        "{refused}"
    );
    let mut request = tonic::Request::new(crate::common::measure("nps", -5, 1.0));
    request
        .metadata_mut()
        .insert("binnacle-actor", "manager".parse().expect("a name"));
    request
        .metadata_mut()
        .insert("binnacle-on-behalf-of", "owner".parse().expect("a name"));
    super::kpi_client(&manager)
        .record_measurement(request)
        .await
        .expect("a measurement");
    let auditor = guarded.channel_of("auditor").await;
    let mut audit = api::audit_service_client::AuditServiceClient::new(auditor);
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        newest_first: true,
        page_size: 1,
        ..Default::default()
    };
    let events = audit
        .list_events(request)
        .await
        .expect("events")
        .into_inner()
        .events;
    let actor = events[0].commit.clone().expect("a commit");
    assert_eq!(
        (
            actor.principal.as_str(),
            actor.authentication.as_str(),
            actor.on_behalf_of.as_str()
        ),
        ("manager", "api_key", "owner")
    );
}
