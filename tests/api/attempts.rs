//! Which refused and denied calls an auditor finds, and what is said of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use binnacle::access::{AccessRecord, BYTES_DEFAULT};
use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::simulated_command::Command;
use binnacle::service::ServerConfig;
use prost::Message;
use tempfile::TempDir;
use tonic::{Code, Request};

use crate::common::*;
use crate::simulate::what_if;
use crate::steps::*;

/// A server that keeps attempts in a directory.
pub(crate) async fn remembering(dir: &Path, bytes_max: u64, config: ServerConfig) -> Server {
    let (record, dir, clock) = (AccessRecord::new(bytes_max), dir.to_owned(), clock());
    let (opened, given) = (record.clone(), Arc::clone(&clock));
    let server = Server::keeping(record, config, clock, move || {
        let log = Arc::new(MemoryLog::new());
        let engine = Engine::open(log, None, given, EngineConfig::default()).expect("an engine");
        opened.open(&dir);
        engine
    });
    until_serving(&server.channel).await;
    server
}

async fn start() -> (Server, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
    (server, dir)
}

pub(crate) fn under(parent: &str) -> api::ListAttemptsRequest {
    api::ListAttemptsRequest {
        parent: parent.to_owned(),
        page_size: 1000,
        ..Default::default()
    }
}

pub(crate) async fn listed(server: &Server, request: api::ListAttemptsRequest) -> Vec<api::Attempt> {
    let answer = server.audit().list_attempts(request).await.expect("attempts");
    answer.into_inner().attempts
}

/// Call, resource, code and reason of each, the oldest first.
pub(crate) async fn said(server: &Server, parent: &str) -> Vec<[String; 4]> {
    let attempts = listed(server, under(parent)).await.into_iter().rev();
    let said = attempts.map(|attempt| {
        let (_, call) = attempt.method.rsplit_once('/').expect("a method");
        [call.to_owned(), attempt.resource, attempt.code, attempt.reason]
    });
    said.collect()
}

fn archive(kpi: &str) -> api::ArchiveKpiRequest {
    named!(ArchiveKpiRequest, acme(&format!("kpis/{kpi}")))
}

#[tokio::test]
async fn whatever_was_refused_is_kept_with_what_it_was_about_and_why() {
    let (server, _dir) = start().await;
    with_company(&server).await;
    assert_eq!(
        said(&server, "workspaces/-").await,
        [[""; 4]; 0],
        "nothing was refused"
    );
    let mut kpis = server.kpis();
    kpis.archive_kpi(archive("none")).await.expect_err("missing");
    let activate = named!(ActivateObjectiveRequest, acme("objectives/win"), etag: "0".to_owned());
    server
        .objectives()
        .activate_objective(activate)
        .await
        .expect_err("an etag");
    let again = named!(ActivateCycleRequest, acme("cycles/q1"));
    server.cycles().activate_cycle(again).await.expect_err("a rule");
    let rename = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            ..Default::default()
        }),
        update_mask: mask(&["title"]),
        ..Default::default()
    };
    kpis.update_kpi(rename).await.expect_err("no title");
    let mut measured = measure("nps", 1, 1.0);
    measured.request_id = new_request_id();
    kpis.record_measurement(measured.clone()).await.expect("a value");
    measured.reason = "another".to_owned();
    kpis.record_measurement(measured.clone())
        .await
        .expect_err("reused");
    server
        .workspaces()
        .create_workspace(new_workspace("acme"))
        .await
        .expect_err("taken");
    let garbage = named!(DeleteKpiRequest, "kpis/nps");
    kpis.delete_kpi(garbage).await.expect_err("no name");

    let acme_wide = [
        [
            "ArchiveKpi",
            "workspaces/acme/kpis/none",
            "NOT_FOUND",
            "NOT_FOUND",
        ],
        [
            "ActivateObjective",
            "workspaces/acme/objectives/win",
            "ABORTED",
            "ETAG_MISMATCH",
        ],
        [
            "ActivateCycle",
            "workspaces/acme/cycles/q1",
            "FAILED_PRECONDITION",
            "CYCLE_NOT_PLANNED",
        ],
        [
            "UpdateKpi",
            "workspaces/acme/kpis/nps",
            "INVALID_ARGUMENT",
            "INVALID_FIELD",
        ],
        [
            "RecordMeasurement",
            "workspaces/acme/kpis/nps",
            "ALREADY_EXISTS",
            "REQUEST_ID_REUSED",
        ],
        [
            "CreateWorkspace",
            "workspaces/acme",
            "ALREADY_EXISTS",
            "ALREADY_EXISTS",
        ],
    ];
    assert_eq!(said(&server, "workspaces/acme").await, acme_wide);
    let all = said(&server, "workspaces/-").await;
    assert_eq!(all[..6], acme_wide);
    assert_eq!(
        all[6..],
        [["DeleteKpi", "kpis/nps", "INVALID_ARGUMENT", "INVALID_FIELD"]]
    );
    let attempts = listed(&server, under("workspaces/acme")).await;
    assert_eq!(attempts[1].request_id, measured.request_id);
    assert_eq!(attempts[1].method, "binnacle.v1.KpiService/RecordMeasurement");
    assert!(attempts[5].message.contains("kpis/none"), "{:?}", attempts[5]);
}

#[tokio::test]
async fn an_attempt_says_who_from_where_and_when() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = ServerConfig {
        record_peer: true,
        ..Default::default()
    };
    let server = remembering(dir.path(), BYTES_DEFAULT, config).await;
    with_kpi(&server).await;
    server.clock.advance_to(at(60));
    let mut request = Request::new(archive("none"));
    for (key, value) in [
        ("binnacle-actor", "maria"),
        ("binnacle-on-behalf-of", "jo"),
        ("traceparent", "00-a-b-01"),
    ] {
        request
            .metadata_mut()
            .insert(key, value.parse().expect("a value"));
    }
    server.kpis().archive_kpi(request).await.expect_err("missing");
    let too_long = "x".repeat(300);
    let mut request = Request::new(archive("nps"));
    request
        .metadata_mut()
        .insert("binnacle-actor", too_long.parse().expect("a value"));
    server.kpis().archive_kpi(request).await.expect_err("too long");
    let answer = server
        .audit()
        .list_attempts(under("workspaces/acme"))
        .await
        .expect("attempts");
    let answer = answer.into_inner();
    let [bad, maria] = &answer.attempts[..] else {
        panic!("{answer:?}")
    };
    assert_eq!((&*maria.principal, &*maria.authentication), ("maria", "none"));
    assert_eq!((&*maria.on_behalf_of, &*maria.traceparent), ("jo", "00-a-b-01"));
    assert!(maria.user_agent.starts_with("tonic/"), "{maria:?}");
    assert_eq!((&*maria.peer, maria.time), ("127.0.0.1", time(60)));
    assert_eq!(bad.principal, too_long[..200], "cut, and kept");
    assert_eq!((answer.oldest_time, answer.dropped_count), (time(60), 0));
    let by = |principal: &str| api::ListAttemptsRequest {
        principal: principal.to_owned(),
        ..under("workspaces/-")
    };
    assert_eq!(listed(&server, by("maria")).await, std::slice::from_ref(maria));
    assert!(listed(&server, by("mari")).await.is_empty());
}

#[tokio::test]
async fn what_says_nothing_about_the_caller_or_wanted_no_change_is_not_kept() {
    let (mut server, dir) = start().await;
    with_company(&server).await;
    let get = named!(GetKpiRequest, acme("kpis/none"));
    server.kpis().get_kpi(get).await.expect_err("a refused read");
    let simulated = what_if(vec![Command::CancelObjective(named!(
        CancelObjectiveRequest,
        acme("objectives/none")
    ))]);
    server
        .progress()
        .simulate(simulated)
        .await
        .expect_err("a refused what-if");
    let dry_run = |dry_run| named!(CloseCycleRequest, acme("cycles/none"), dry_run: dry_run);
    server
        .cycles()
        .close_cycle(dry_run(true))
        .await
        .expect_err("a refused dry run");
    server.kpis().archive_kpi(archive("nps")).await.expect("a write");
    server
        .kpis()
        .archive_kpi(archive("nps"))
        .await
        .expect("no change");
    assert_eq!(said(&server, "workspaces/-").await, [[""; 4]; 0]);
    server
        .cycles()
        .close_cycle(dry_run(false))
        .await
        .expect_err("refused");
    assert_eq!(said(&server, "workspaces/-").await.len(), 1);
    // While it stops nobody is served, whoever they are; a stream that is open keeps it from ending at once.
    let (rows, inbound) = tokio::sync::mpsc::channel::<api::IngestMeasurementsRequest>(1);
    let ended = {
        let first = api::IngestMeasurementsRequest {
            parent: acme("kpis/nps"),
            ..Default::default()
        };
        rows.send(first).await.expect("room");
        let mut kpis = server.kpis();
        let unarchive = named!(UnarchiveKpiRequest, acme("kpis/nps"));
        kpis.unarchive_kpi(unarchive).await.expect("in use");
        let inbound = tokio_stream::wrappers::ReceiverStream::new(inbound);
        let stream = kpis.ingest_measurements(inbound).await.expect("a stream");
        let mut stream = stream.into_inner();
        server.tell_to_stop();
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ends with a status"),
                Err(status) => break status,
            }
        }
    };
    assert_eq!(ended.code(), Code::Unavailable);
    drop(rows);
    server.ended().await.expect("in good order");
    let server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
    assert_eq!(
        said(&server, "workspaces/-").await.len(),
        1,
        "it is none of the caller's"
    );
}

#[tokio::test]
async fn a_stream_of_rows_leaves_one_attempt_for_its_end_and_none_for_a_row() {
    let (server, _dir) = start().await;
    with_kpi(&server).await;
    let row = |sequence, value: Option<f64>| api::MeasurementRow {
        sequence,
        measurement: Some(api::Measurement {
            effective_time: time(sequence),
            value,
            ..Default::default()
        }),
    };
    let send = async |kpi: &str, rows: Vec<api::MeasurementRow>| {
        let message = api::IngestMeasurementsRequest {
            parent: acme(&format!("kpis/{kpi}")),
            rows,
            ..Default::default()
        };
        let stream = server
            .kpis()
            .ingest_measurements(futures_util::stream::iter([message]))
            .await;
        let mut stream = stream.expect("a stream").into_inner();
        let mut refused = 0;
        loop {
            match stream.message().await {
                Ok(Some(answer)) => refused += answer.refusals.len(),
                Ok(None) => return (refused, Code::Ok),
                Err(status) => return (refused, status.code()),
            }
        }
    };
    let bad_rows = vec![row(1, Some(1.0)), row(2, None), row(3, Some(f64::NAN))];
    assert_eq!(send("nps", bad_rows).await, (2, Code::Ok));
    assert_eq!(said(&server, "workspaces/-").await, [[""; 4]; 0]);
    assert_eq!(send("none", vec![row(1, Some(1.0))]).await.1, Code::NotFound);
    let unordered = vec![row(1, Some(1.0)), row(1, Some(2.0))];
    assert_eq!(send("nps", unordered).await, (0, Code::InvalidArgument));
    assert_eq!(
        said(&server, "workspaces/acme").await,
        [
            [
                "IngestMeasurements",
                "workspaces/acme/kpis/none",
                "NOT_FOUND",
                "NOT_FOUND"
            ],
            [
                "IngestMeasurements",
                "workspaces/acme/kpis/nps",
                "INVALID_ARGUMENT",
                "INVALID_FIELD"
            ],
        ]
    );
}

/// A call as a page in a browser makes it; the answer as text, up to the end of its headers.
fn over_web(server: &Server, path: &str, message: &impl Message, flag: u8, headers: &str) -> String {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    let body = [&[flag], &length[..], &message].concat();
    let mut connection = TcpStream::connect(server.address).expect("a connection");
    connection
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a limit");
    let head = format!(
        "POST /binnacle.v1.{path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\
         content-type: application/grpc-web+proto\r\nconnection: close\r\n{headers}\r\n",
        server.address,
        body.len()
    );
    connection
        .write_all(&[head.as_bytes(), &body].concat())
        .expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_pages_and_compressed_ones_are_kept_as_well() {
    let (server, _dir) = start().await;
    with_kpi(&server).await;
    let answer = over_web(&server, "KpiService/ArchiveKpi", &archive("none"), 0, "");
    assert!(
        answer.contains("grpc-status: 5") || answer.contains("grpc-status:5"),
        "{answer}"
    );
    over_web(
        &server,
        "KpiService/ArchiveKpi",
        &archive("nps"),
        1,
        "grpc-encoding: gzip\r\n",
    );
    let get = named!(GetKpiRequest, acme("kpis/nps"));
    let stranger = "origin: https://stranger.example\r\nbinnacle-actor: maria\r\n";
    over_web(&server, "KpiService/GetKpi", &get, 0, stranger);
    assert_eq!(
        said(&server, "workspaces/-").await,
        [
            [
                "ArchiveKpi",
                "workspaces/acme/kpis/none",
                "NOT_FOUND",
                "NOT_FOUND"
            ],
            ["ArchiveKpi", "", "UNIMPLEMENTED", ""],
            ["GetKpi", "", "PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED"],
        ]
    );
    assert_eq!(listed(&server, under("workspaces/-")).await[0].principal, "maria");
}
