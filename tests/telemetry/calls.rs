//! A call is found again: by the id and the trace that its answer names, in the answer, in the log, and in what is counted.

use std::time::Duration;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::service::{ServerConfig, TraceContext};
use serde_json::Value;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request};

use crate::common::*;
use crate::http::send;
use crate::process::ServerProcess;

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(crate) const GET_WORKSPACE: &str = "binnacle.v1.WorkspaceService/GetWorkspace";

/// A request with some metadata.
pub(crate) fn with<T>(message: T, metadata: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (key, value) in metadata {
        request
            .metadata_mut()
            .insert(*key, value.parse().expect("a metadata value"));
    }
    request
}

pub(crate) fn get(workspace: &str) -> api::GetWorkspaceRequest {
    api::GetWorkspaceRequest {
        name: format!("workspaces/{workspace}"),
        ..Default::default()
    }
}

pub(crate) fn request_id(metadata: &MetadataMap) -> &str {
    let id = metadata.get("x-request-id").expect("an id");
    id.to_str().expect("plain text")
}

pub(crate) fn place(metadata: &MetadataMap) -> TraceContext {
    let place = metadata.get("traceparent").expect("a place in a trace");
    TraceContext::parse(place.to_str().expect("plain text")).expect("a traceparent")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_the_callers_id_and_a_place_in_its_trace() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let caller = TraceContext::parse(CALLER).expect("a traceparent");
    let metadata = [("x-request-id", "order 66"), ("traceparent", CALLER)];
    let answered = server
        .workspaces()
        .get_workspace(with(get("acme"), &metadata))
        .await
        .expect("a workspace");
    let refused = server
        .workspaces()
        .get_workspace(with(get("none"), &metadata))
        .await
        .expect_err("no workspace");
    let subscribe = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let streamed = server
        .progress()
        .subscribe(with(subscribe, &metadata))
        .await
        .expect("a stream");
    assert_eq!(refused.code(), Code::NotFound);
    let mut spans = Vec::new();
    for metadata in [answered.metadata(), refused.metadata(), streamed.metadata()] {
        assert_eq!(request_id(metadata), "order 66");
        let place = place(metadata);
        assert_eq!((place.trace_id, place.is_sampled), (caller.trace_id, true));
        assert_ne!(place.span_id, caller.span_id);
        spans.push(place.span_id);
    }
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 3, "each call is a span of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_no_id_or_none_that_can_be_kept_gets_a_new_one_and_a_new_trace() {
    let server = Server::start().await;
    let long = "x".repeat(101);
    let mut ids = Vec::new();
    let mut traces = Vec::new();
    for metadata in [
        &[][..],
        &[("x-request-id", long.as_str()), ("traceparent", "00-a-b-01")],
        &[(
            "traceparent",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )],
    ] {
        let refused = server
            .workspaces()
            .get_workspace(with(get("none"), metadata))
            .await
            .expect_err("no workspace");
        let id = request_id(refused.metadata()).to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        let place = place(refused.metadata());
        assert!(!place.is_sampled, "nobody keeps it");
        assert_eq!(uuid::Uuid::from_bytes(place.trace_id).to_string(), id);
        ids.push(id);
        traces.push(place.trace_id);
    }
    ids.dedup();
    traces.dedup();
    assert_eq!((ids.len(), traces.len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn also_what_the_api_does_not_have_is_answered_with_an_id() {
    let server = Server::with(MemoryLog::new(), EngineConfig::default(), ServerConfig::default()).await;
    let mut client = tonic::client::Grpc::new(server.channel.clone());
    client.ready().await.expect("a connection");
    let path = http::uri::PathAndQuery::from_static("/binnacle.v1.NoService/NoCall");
    let codec = tonic_prost::ProstCodec::<api::GetWorkspaceRequest, api::Workspace>::default();
    let refused = client
        .unary(with(get("acme"), &[("x-request-id", "7")]), path, codec)
        .await
        .expect_err("no such call");
    assert_eq!(refused.code(), Code::Unimplemented);
    assert_eq!(request_id(refused.metadata()), "7");
    let calls = server.standing.calls().expect("calls");
    let other = calls.called().find(|method| method.name() == "other");
    let ended: Vec<_> = other.expect("other calls").ended().collect();
    assert!(ended.contains(&("UNIMPLEMENTED", 1)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_browser_may_read_the_id_and_the_trace_of_its_call() {
    let config = ServerConfig {
        web_origins: vec!["https://bi.example.com".parse().expect("an origin")],
        ..ServerConfig::default()
    };
    let server = Server::with(MemoryLog::new(), EngineConfig::default(), config).await;
    let headers = format!(
        "content-type: application/grpc-web+proto\r\norigin: https://bi.example.com\r\nx-request-id: 7\r\n\
         traceparent: {CALLER}\r\ncontent-length: 5\r\n"
    );
    let what = format!("POST /{GET_WORKSPACE}");
    // A message without fields.
    let refused = send(&server.address.to_string(), &what, &headers, &[0; 5]);
    assert_eq!(refused.status, 200, "{refused:?}");
    let value = |name: &str| {
        let lines = refused.headers.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(
        (value("grpc-status"), value("x-request-id")),
        ("3".to_owned(), "7".to_owned())
    );
    assert!(
        value("traceparent").starts_with(&format!("00-{TRACE}-")),
        "{refused:?}"
    );
    let readable = value("access-control-expose-headers");
    assert!(
        readable.contains("x-request-id") && readable.contains("traceparent"),
        "{readable}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_line_in_the_log_with_its_id_its_code_and_how_long_it_took() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = ["--log", "binnacle=debug"];
    let mut server = ServerProcess::start_at(directory.path(), "127.0.0.1:0", &log);
    let mut workspaces = WorkspaceServiceClient::connect(server.url())
        .await
        .expect("a server");
    let metadata = [("x-request-id", "find me"), ("traceparent", CALLER)];
    let refused = loop {
        let request = with(get("none"), &metadata);
        let refused = workspaces.get_workspace(request).await.expect_err("no workspace");
        if refused.code() != Code::Unavailable {
            break refused;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(refused.code(), Code::NotFound);
    drop(workspaces);
    server.terminate();
    assert!(server.ended());
    let said = server.said();
    let ends: Vec<&Value> = said
        .iter()
        .filter(|line| line["span"]["request_id"] == "find me" && line["fields"]["code"] == "NOT_FOUND")
        .collect();
    let [line] = ends[..] else {
        panic!("not one line: {ends:?}");
    };
    assert_eq!(line["level"], "DEBUG");
    assert_eq!(line["span"]["name"], "rpc");
    assert_eq!(line["span"]["method"], GET_WORKSPACE);
    assert_eq!(line["span"]["trace_id"], TRACE);
    let duration_s = line["fields"]["duration_s"].as_f64().expect("a duration");
    assert!((0.0..60.0).contains(&duration_s), "{duration_s}");
    let while_starting = said.iter().filter(|line| line["fields"]["code"] == "UNAVAILABLE");
    for line in while_starting {
        assert_eq!(
            line["level"], "DEBUG",
            "who asks again and again fills the log: {line}"
        );
    }
}
