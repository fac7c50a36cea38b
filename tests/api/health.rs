//! Before the log is replayed, while the server serves, and when it stops.

use std::sync::{Arc, mpsc};

use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::service::{BoundServer, ServeError, ServerConfig};
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::common::*;

const SERVICES: [&str; 7] = [
    "",
    "binnacle.v1.WorkspaceService",
    "binnacle.v1.CycleService",
    "binnacle.v1.ObjectiveService",
    "binnacle.v1.KpiService",
    "binnacle.v1.ProgressService",
    "binnacle.v1.AuditService",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_served_before_the_log_is_replayed_and_everybody_behind_it() {
    let (go_on, wait) = mpsc::channel::<()>();
    let clock = clock();
    let given = Arc::clone(&clock);
    let server = Server::opening(ServerConfig::default(), clock, move || {
        wait.recv().expect("the test lets it go on");
        Engine::open(Arc::new(MemoryLog::new()), None, given, EngineConfig::default()).expect("an engine")
    })
    .await;
    let mut watches = Vec::new();
    for service in SERVICES {
        let mut watch = server.watch(service).await;
        let first = watch.message().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::NotServing, "{service:?}");
        watches.push(watch);
    }
    let starting = Refused::new(Code::Unavailable, "STARTING", &[]);
    let written = server.workspaces().create_workspace(new_workspace("acme")).await;
    assert_eq!(Refused::of(&written.unwrap_err()), starting);
    let listed = server
        .workspaces()
        .list_workspaces(api::ListWorkspacesRequest::default())
        .await;
    assert_eq!(Refused::of(&listed.unwrap_err()), starting);
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let subscribed = server.progress().subscribe(request).await;
    assert_eq!(Refused::of(&subscribed.map(|_| ()).unwrap_err()), starting);

    go_on.send(()).unwrap();
    for (mut watch, service) in watches.into_iter().zip(SERVICES) {
        let next = watch.message().await.unwrap().unwrap();
        assert_eq!(next.status(), ServingStatus::Serving, "{service:?}");
    }
    with_workspace(&server).await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_takes_nothing_more() {
    let config = ServerConfig {
        drain_s: 1,
        ..ServerConfig::default()
    };
    let mut server = Server::with(MemoryLog::new(), EngineConfig::default(), config).await;
    with_workspace(&server).await;
    let mut watch = server.watch("").await;
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    server.tell_to_stop();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    let mut workspaces = server.workspaces();
    server
        .ended()
        .await
        .expect("it ends although somebody watches it");
    let refused = workspaces.create_team(new_team("sales", "")).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::Unavailable | Code::Cancelled),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:0.0.0.0]:0"] {
        let bound = BoundServer::bind(address.parse().unwrap(), ServerConfig::default());
        assert!(matches!(bound, Err(ServeError::NotLoopback(_))), "{address}");
    }
    let first = BoundServer::bind("127.0.0.1:0".parse().unwrap(), ServerConfig::default()).unwrap();
    let second = BoundServer::bind(first.address(), ServerConfig::default());
    assert!(matches!(second, Err(ServeError::Listen { .. })));
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let server = Server::start().await;
    macro_rules! services {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = tonic_reflection::pb::$version::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(server.channel.clone());
            let answers = client
                .server_reflection_info(tokio_stream::iter([request]))
                .await
                .unwrap();
            let answer = answers.into_inner().next().await.unwrap().unwrap();
            let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
                panic!("no list");
            };
            listed
                .service
                .into_iter()
                .map(|service| service.name)
                .collect::<Vec<_>>()
        }};
    }
    for listed in [services!(v1), services!(v1alpha)] {
        for service in &SERVICES[1..] {
            assert!(
                listed.iter().any(|name| name == service),
                "{service} is not in {listed:?}"
            );
        }
        assert!(listed.iter().any(|name| name == "grpc.health.v1.Health"));
    }
}
