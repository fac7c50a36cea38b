//! What is too large, too much or no message at all.

use std::sync::{Mutex, mpsc};

use binnacle::engine::{EngineConfig, QueueLimits};
use binnacle::log::{Ending, MemoryLog};
use binnacle::proto::api;
use binnacle::service::ServerConfig;
use prost::bytes::{Buf, BufMut};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::common::*;

/// Sends bytes as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

async fn send(server: &Server, path: &'static str, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(server.channel.clone());
    client.ready().await.expect("a server");
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(tonic::Request::new(bytes.to_vec()), path, Raw).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused_and_the_server_lives_on() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let before = server.heads().await;
    for bytes in [
        &b"\xff\xff\xff\xff"[..],
        b"\x0a\x7fabc",
        b"\x0a\x02\xff\xfe",
        &[0x0b; 200],
    ] {
        let refused = send(&server, "/binnacle.v1.KpiService/RecordMeasurement", bytes)
            .await
            .unwrap_err();
        assert!(
            matches!(refused.code(), Code::Internal | Code::InvalidArgument),
            "{refused:?}"
        );
    }
    let unknown = send(&server, "/binnacle.v1.KpiService/Nothing", b"")
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(server.heads().await, before);
}

#[tokio::test]
async fn a_message_over_4_mib_is_refused_and_one_just_below_is_read() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let noted = |bytes: usize| {
        let mut request = measure("nps", 0, 1.0);
        request.measurement.as_mut().unwrap().note = "x".repeat(bytes);
        request
    };
    let before = server.head().await;
    let refused = server
        .kpis()
        .record_measurement(noted(4 * 1024 * 1024))
        .await
        .unwrap_err();
    assert!(
        matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted),
        "{refused:?}"
    );
    let refusal = server
        .refusal(server.kpis().record_measurement(noted(4 * 1024 * 1024 - 200)))
        .await;
    assert_eq!(
        refusal,
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["measurement.note"])
    );
    assert_eq!(server.head().await, before);
}

#[tokio::test]
async fn a_full_queue_says_so_at_once_and_when_to_come_back() {
    let (arrive, arrived) = mpsc::channel();
    let (open, opened) = mpsc::channel::<()>();
    let (arrive, opened) = (Mutex::new(arrive), Mutex::new(opened));
    let appends = std::sync::atomic::AtomicUsize::new(0);
    let log = MemoryLog::with_interruption(move |_, _| {
        if appends.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 2 {
            let _gone = arrive.lock().unwrap().send(());
            let _gone = opened.lock().unwrap().recv();
        }
        Ending::AsUsual
    });
    let config = EngineConfig {
        queue: QueueLimits {
            commands_max: 2,
            bytes_max: 1 << 20,
            ..QueueLimits::default()
        },
        ..EngineConfig::default()
    };
    let server = Server::with(log, config, ServerConfig::default()).await;
    with_kpi(&server).await;
    let write = |second| {
        let mut client = server.kpis();
        tokio::spawn(async move { client.record_measurement(measure("nps", second, 1.0)).await })
    };
    let first = write(0);
    tokio::task::spawn_blocking(move || arrived.recv())
        .await
        .unwrap()
        .expect("the first is on its way");
    // The first is at the disk, one more may wait: of two more exactly one is refused.
    let (second, third) = (write(1), write(2));
    let (status, waiting) = tokio::select! {
        biased;
        refused = second => (refused.unwrap().unwrap_err(), None),
        refused = third => (refused.unwrap().unwrap_err(), Some(())),
    };
    let _ = waiting;
    assert_eq!(
        Refused::of(&status),
        Refused::new(Code::ResourceExhausted, "OVERLOADED", &[])
    );
    let retry = status.get_details_retry_info().expect("when to come back");
    assert!(retry.retry_delay.is_some_and(|delay| !delay.is_zero()));
    drop(open);
    first.await.unwrap().expect("what was taken in is done");
}

#[tokio::test]
async fn metadata_that_is_too_long_is_refused_by_name() {
    let server = Server::start().await;
    with_kpi(&server).await;
    for key in [
        "binnacle-actor",
        "binnacle-on-behalf-of",
        "binnacle-correlation-id",
        "binnacle-causation-id",
        "traceparent",
    ] {
        let mut request = tonic::Request::new(measure("nps", 0, 1.0));
        request
            .metadata_mut()
            .insert(key, "x".repeat(201).parse().unwrap());
        let refusal = server.refusal(server.kpis().record_measurement(request)).await;
        assert_eq!(
            refusal,
            Refused::new(
                Code::InvalidArgument,
                "INVALID_FIELD",
                &[&format!("metadata {key}")]
            )
        );
    }
    let mut huge = tonic::Request::new(measure("nps", 0, 1.0));
    huge.metadata_mut()
        .insert("x-huge", "x".repeat(64 * 1024).parse().unwrap());
    server
        .kpis()
        .record_measurement(huge)
        .await
        .expect_err("more headers than the server takes");
    server
        .kpis()
        .record_measurement(measure("nps", 0, 1.0))
        .await
        .expect("it lives on");
}

#[tokio::test]
async fn a_chain_of_a_thousand_teams_and_a_wide_alignment_are_survived() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let mut above = String::new();
    for number in 0..1000 {
        let name = format!("t{number}");
        server
            .workspaces()
            .create_team(new_team(&name, &above))
            .await
            .expect("one more");
        above = name;
    }
    let loops = api::UpdateTeamRequest {
        team: Some(api::Team {
            name: acme("teams/t0"),
            parent_team: acme("teams/t999"),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.workspaces().update_team(loops)).await,
        Refused::new(Code::FailedPrecondition, "TEAM_BELOW_ITSELF", &["teams/t0"])
    );
}

#[tokio::test]
async fn more_streams_than_a_connection_may_have_wait_and_end_nothing() {
    let config = ServerConfig {
        streams_per_connection_max: 4,
        ..ServerConfig::default()
    };
    let server = Server::with(MemoryLog::new(), EngineConfig::default(), config).await;
    with_kpi(&server).await;
    let reads = (0..64).map(|_| {
        let mut client = server.kpis();
        let request = api::GetKpiRequest {
            name: acme("kpis/nps"),
            min_revision: 0,
            as_of: None,
        };
        tokio::spawn(async move { client.get_kpi(request).await })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap().expect("a read");
    }
}
