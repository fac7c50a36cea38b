//! Spans that a collector is sent.

use std::time::Duration;

use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::Code;

use crate::calls::{CALLER, GET_WORKSPACE, TRACE, get, place, request_id, with};
use crate::collector::{Collector, text};
use crate::process::ServerProcess;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_sent_each_call_in_its_callers_trace_and_those_that_are_sampled_alone() {
    let (collector, address) = Collector::start();
    let directory = tempfile::tempdir().expect("a directory");
    let endpoint = format!("http://{address}");
    let settings = ["--otlp-endpoint", &endpoint];
    let mut server = ServerProcess::start_at(directory.path(), "127.0.0.1:0", &settings);
    let mut workspaces = WorkspaceServiceClient::connect(server.url())
        .await
        .expect("a server");
    let mut call = async |metadata: &[(&'static str, &str)]| {
        let request = with(get("none"), metadata);
        workspaces.get_workspace(request).await.expect_err("no workspace")
    };
    while call(&[]).await.code() == Code::Unavailable {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let within = call(&[("traceparent", CALLER), ("x-request-id", "find me")]).await;
    let alone = call(&[]).await;
    let unsampled = CALLER
        .replace("-01", "-00")
        .replace(TRACE, &TRACE.replace('4', "5"));
    let unkept = call(&[("traceparent", &unsampled)]).await;
    server.terminate();
    assert!(server.ended(), "what waits is sent before the end");

    let spans = collector.spans();
    let find = |span_id: [u8; 8]| spans.iter().find(|span| span.span_id == span_id);
    let span = find(place(within.metadata()).span_id).expect("the span that the caller was told");
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(span.name, GET_WORKSPACE);
    assert_eq!(span.kind(), SpanKind::Server);
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano && span.start_time_unix_nano > 0);
    for (key, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", GET_WORKSPACE),
        ("rpc.response.status_code", "NOT_FOUND"),
        ("binnacle.request_id", "find me"),
    ] {
        assert_eq!(text(&span.attributes, key).as_deref(), Some(value), "{key}");
    }
    let began_here = place(alone.metadata());
    let span = find(began_here.span_id).expect("a call that begins a trace");
    assert_eq!(span.trace_id, began_here.trace_id);
    assert!(span.parent_span_id.is_empty());
    let id = text(&span.attributes, "binnacle.request_id");
    assert_eq!(id.as_deref(), Some(request_id(alone.metadata())));
    assert!(
        find(place(unkept.metadata()).span_id).is_none(),
        "its caller does not keep it"
    );
    assert_eq!(collector.resource("service.name").as_deref(), Some("binnacle"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_collector_a_server_answers_says_so_and_ends_in_good_order() {
    // Taken and given back: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let directory = tempfile::tempdir().expect("a directory");
    let settings = ["--otlp-endpoint", &endpoint];
    let mut server = ServerProcess::start_at(directory.path(), "127.0.0.1:0", &settings);
    let mut workspaces = WorkspaceServiceClient::connect(server.url())
        .await
        .expect("a server");
    while workspaces
        .get_workspace(get("none"))
        .await
        .expect_err("no workspace")
        .code()
        != Code::NotFound
    {}
    server.terminate();
    assert!(server.ended());
    let said = server.said();
    let is_said = said
        .iter()
        .any(|line| line["level"] == "ERROR" && line["fields"]["name"] == "BatchSpanProcessor.ExportError");
    assert!(is_said, "the log does not say that a batch is lost");
}
