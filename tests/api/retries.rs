//! A retry is a no-op and answers what the first was answered.

use binnacle::engine::EngineConfig;
use binnacle::log::SledLog;
use binnacle::proto::api;
use binnacle::service::ServerConfig;
use tonic::Code;

use crate::common::*;

const REQUEST: &str = "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42";

#[tokio::test]
async fn a_retry_answers_as_of_its_revision_and_records_nothing() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut client = server.kpis();
    let mut request = measure("nps", 0, 1.0);
    request.request_id = REQUEST.to_owned();
    let first = client
        .record_measurement(request.clone())
        .await
        .unwrap()
        .into_inner();
    client.record_measurement(measure("nps", 0, 2.0)).await.unwrap();
    let head = server.head().await;
    let again = client.record_measurement(request.clone()).await.unwrap();
    assert_eq!(again.metadata().get("binnacle-revision").unwrap(), "3");
    assert_eq!(again.into_inner(), first);
    assert_eq!(server.head().await, head);

    request.measurement.as_mut().unwrap().value = Some(3.0);
    assert_eq!(
        server.refusal(client.record_measurement(request)).await,
        Refused::new(Code::AlreadyExists, "REQUEST_ID_REUSED", &[])
    );
}

#[tokio::test]
async fn a_retry_of_a_creation_whose_id_the_server_chose_answers_the_same_resource() {
    let server = Server::start().await;
    let unnamed = |mut request: api::CreateWorkspaceRequest| {
        request.workspace_id.clear();
        request.request_id = REQUEST.to_owned();
        request
    };
    let mut workspaces = server.workspaces();
    let first = workspaces
        .create_workspace(unnamed(new_workspace("x")))
        .await
        .unwrap()
        .into_inner();
    let again = workspaces
        .create_workspace(unnamed(new_workspace("x")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, first);
    assert_eq!(
        server.heads().await,
        [(first.name, 1)],
        "a second workspace was made"
    );

    with_workspace(&server).await;
    let team = api::CreateTeamRequest {
        team_id: String::new(),
        request_id: REQUEST.to_owned(),
        ..new_team("sales", "")
    };
    let first = workspaces.create_team(team.clone()).await.unwrap().into_inner();
    assert_eq!(workspaces.create_team(team).await.unwrap().into_inner(), first);

    server.cycles().create_cycle(new_cycle("q1")).await.unwrap();
    let objective = api::CreateObjectiveRequest {
        objective_id: String::new(),
        request_id: REQUEST.to_owned(),
        ..new_objective("win")
    };
    let mut objectives = server.objectives();
    let first = objectives
        .create_objective(objective.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        objectives.create_objective(objective).await.unwrap().into_inner(),
        first
    );
}

#[tokio::test]
async fn a_request_that_changed_nothing_is_known_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let request = api::UpdateTeamRequest {
        team: Some(api::Team {
            name: acme("teams/sales"),
            title: "sales".to_owned(),
            ..Default::default()
        }),
        request_id: REQUEST.to_owned(),
        ..Default::default()
    };
    let start = async || {
        let log = SledLog::open(folder.path()).expect("a log");
        Server::with(log, EngineConfig::default(), ServerConfig::default()).await
    };
    let mut server = start().await;
    with_workspace(&server).await;
    server
        .workspaces()
        .create_team(new_team("sales", ""))
        .await
        .unwrap();
    let first = server.workspaces().update_team(request.clone()).await.unwrap();
    assert_eq!(
        first.metadata().get("binnacle-revision").unwrap(),
        "3",
        "a commit without events"
    );
    server.tell_to_stop();
    server.ended().await.unwrap();

    let server = start().await;
    let again = server.workspaces().update_team(request.clone()).await.unwrap();
    assert_eq!(again.metadata().get("binnacle-revision").unwrap(), "3");
    assert_eq!(again.into_inner(), first.into_inner());
    let other = api::UpdateTeamRequest {
        update_mask: mask(&["title"]),
        ..request
    };
    let refused = server.refusal(server.workspaces().update_team(other)).await;
    assert_eq!(
        refused,
        Refused::new(Code::AlreadyExists, "REQUEST_ID_REUSED", &[])
    );
}

#[tokio::test]
async fn the_same_request_id_of_another_principal_or_method_is_another_request() {
    let server = Server::start().await;
    with_kpi(&server).await;
    for actor in ["maria", "jo"] {
        let mut request = tonic::Request::new(measure("nps", 0, 1.0));
        request.get_mut().request_id = REQUEST.to_owned();
        request
            .metadata_mut()
            .insert("binnacle-actor", actor.parse().unwrap());
        server.kpis().record_measurement(request).await.unwrap();
    }
    assert_eq!(
        server.head().await,
        4,
        "the second changes nothing and is remembered all the same"
    );
    let target = api::SetTargetRequest {
        request_id: REQUEST.to_owned(),
        ..new_target("nps")
    };
    server.kpis().set_target(target).await.unwrap();
}
