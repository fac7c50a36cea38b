//! How much somebody may ask for: calls, connections, time. Who keeps within their limits is served beside those who do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use binnacle::log::{Ending, MemoryLog};
use binnacle::proto::api;
use binnacle::service::{LoadLimits, ServerConfig};
use futures_util::future::join_all;
use prost::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;
use tower::{Service as _, ServiceExt as _};

use super::{Guarded, Known, Token, kpi_client, workspace_client};
use crate::common::*;
use crate::simulate::what_if;

/// No limits but the one that a test is about.
const NONE: LoadLimits = LoadLimits {
    principal_calls_per_s: 0,
    principal_calls_open_max: 0,
    stranger_calls_per_s: 0,
    stranger_calls_open_max: 0,
    workspace_calls_per_s: 0,
    requests_bytes_max: usize::MAX,
    answers_bytes_max: usize::MAX,
    connections_max: 1_000,
    connections_per_address_max: 1_000,
    handshake_s_max: 10,
    header_list_bytes_max: 16 * 1024,
    first_call_s_max: 3600,
    answer_s_max: 3600,
};
/// More calls at once than a limit of five a second lets through, however slow the machine is.
const MANY: usize = 50;

async fn list(channel: &Known) -> Result<(), Status> {
    let request = api::ListWorkspacesRequest::default();
    workspace_client(channel).list_workspaces(request).await.map(drop)
}

async fn read(channel: &Known) -> Result<(), Status> {
    let request = api::GetKpiRequest {
        name: acme("kpis/nps"),
        ..Default::default()
    };
    kpi_client(channel).get_kpi(request).await.map(drop)
}

async fn subscribe(channel: &Known) -> Result<Streaming<api::SubscribeResponse>, Status> {
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let mut client = api::progress_service_client::ProgressServiceClient::new(channel.clone());
    client.subscribe(request).await.map(tonic::Response::into_inner)
}

/// Calls at once, until one is refused because there are too many.
async fn until_limited<F: Future<Output = Result<(), Status>>>(call: impl Fn() -> F) -> Status {
    let refused = limited(call).await.into_iter().next();
    refused.unwrap_or_else(|| panic!("{MANY} calls were not too many"))
}

/// Calls at once: the refusals of those that were too many.
async fn limited<F: Future<Output = Result<(), Status>>>(call: impl Fn() -> F) -> Vec<Status> {
    let ended = join_all((0..MANY).map(|_| call())).await;
    let refused = ended.into_iter().filter_map(Result::err);
    let (limited, others): (Vec<_>, Vec<_>) =
        refused.partition(|status| status.code() == Code::ResourceExhausted);
    for status in others {
        // Who is unknown is told so, and what is there already cannot be begun.
        let expected = [Code::Unauthenticated, Code::AlreadyExists];
        assert!(expected.contains(&status.code()), "{status}");
    }
    limited
}

fn retry_after(status: &Status) -> Duration {
    let retry = status.get_details_retry_info().expect("when to come back");
    retry.retry_delay.expect("a delay")
}

#[tokio::test]
async fn who_calls_too_often_hears_when_to_come_back_and_others_do_not_notice() {
    let guarded = Guarded::within(LoadLimits {
        principal_calls_per_s: 5,
        ..NONE
    })
    .await;
    let (busy, calm) = (
        guarded.channel_of("viewer").await,
        guarded.channel_of("auditor").await,
    );
    let other_key = guarded.channel_of("viewer").await;
    let refused = until_limited(|| list(&busy)).await;
    assert_eq!(reason_of(&refused), "RATE_LIMITED", "{refused}");
    let delay = retry_after(&refused);
    assert!(
        delay > Duration::ZERO && delay <= Duration::from_secs(1),
        "{delay:?}"
    );
    list(&calm).await.expect("others are served");
    // Another key of the same principal is the same principal.
    until_limited(|| list(&other_key)).await;
    tokio::time::sleep(delay + Duration::from_millis(300)).await;
    list(&busy).await.expect("it is served again");
    let load = guarded.server.standing.load().expect("its load");
    let turned = load.turned().map(|turned| (turned.limit, turned.count > 0));
    assert_eq!(turned[0], ("principal_calls_per_s", true));
    assert!(turned[1..].iter().all(|(_, reached)| !reached), "{turned:?}");
}

#[tokio::test]
async fn streams_and_calls_of_one_principal_are_open_in_so_many_at_once() {
    let guarded = Guarded::within(LoadLimits {
        principal_calls_open_max: 2,
        ..NONE
    })
    .await;
    let (busy, calm) = (
        guarded.channel_of("viewer").await,
        guarded.channel_of("auditor").await,
    );
    let first = subscribe(&busy).await.expect("a stream");
    let _second = subscribe(&busy).await.expect("a stream");
    let refused = list(&busy).await.expect_err("two are open");
    assert_eq!(
        (refused.code(), reason_of(&refused).as_str()),
        (Code::ResourceExhausted, "TOO_MANY_OPEN_CALLS"),
        "{refused}"
    );
    assert!(retry_after(&refused) > Duration::ZERO);
    list(&calm).await.expect("others are served");
    drop(first);
    // The server hears of it in its own time.
    let room = async {
        while let Err(status) = list(&busy).await {
            assert_eq!(reason_of(&status), "TOO_MANY_OPEN_CALLS", "{status}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("room for a call", room).await;
}

#[tokio::test]
async fn callers_whom_nobody_knows_share_a_limit_that_holds_for_nobody_else() {
    let guarded = Guarded::within(LoadLimits {
        stranger_calls_per_s: 5,
        ..NONE
    })
    .await;
    let known = guarded.channel_of("viewer").await;
    let nobody = guarded.nobody();
    let refused = until_limited(|| list(&nobody)).await;
    assert_eq!(reason_of(&refused), "RATE_LIMITED", "{refused}");
    list(&known).await.expect("who is known is served");
    let refused = limited(|| {
        let mut health = guarded.server.health();
        async move {
            health
                .check(tonic_health::pb::HealthCheckRequest::default())
                .await
                .map(drop)
        }
    })
    .await;
    assert!(refused.is_empty(), "an orchestrator asks on: {refused:?}");
}

#[tokio::test]
async fn who_is_over_a_limit_does_not_spoil_the_connection_for_others_on_it() {
    let guarded = Guarded::within(LoadLimits {
        stranger_calls_per_s: 5,
        ..NONE
    })
    .await;
    // One connection, as behind a proxy.
    let mut theirs = subscribe(&guarded.channel_of("viewer").await)
        .await
        .expect("a stream");
    theirs.message().await.expect("started").expect("a message");
    let nobody = guarded.nobody();
    for _ in 0..1_500 {
        list(&nobody).await.expect_err("nobody");
    }
    let owner = guarded.channel_of("owner").await;
    kpi_client(&owner)
        .record_measurement(measure("nps", 1, 1.0))
        .await
        .expect("a measurement");
    loop {
        let message = theirs
            .message()
            .await
            .expect("the stream goes on")
            .expect("a message");
        if matches!(message.event, Some(api::subscribe_response::Event::Update(_))) {
            break;
        }
    }
}

#[tokio::test]
async fn callers_whom_nobody_knows_watch_the_health_in_so_many_streams() {
    let guarded = Guarded::within(LoadLimits {
        stranger_calls_open_max: 2,
        ..NONE
    })
    .await;
    let _first = guarded.server.watch("").await;
    let _second = guarded.server.watch("").await;
    let request = tonic_health::pb::HealthCheckRequest::default();
    let refused = guarded
        .server
        .health()
        .watch(request)
        .await
        .expect_err("two are open");
    assert_eq!(reason_of(&refused), "TOO_MANY_OPEN_CALLS", "{refused}");
    list(&guarded.channel_of("viewer").await)
        .await
        .expect("who is known is served");
}

#[tokio::test]
async fn a_simulation_is_refused_at_the_limit_and_does_not_take_the_workspace_for_a_new_one() {
    let guarded = Guarded::within(LoadLimits {
        workspace_calls_per_s: 5,
        ..NONE
    })
    .await;
    let viewer = guarded.channel_of("viewer").await;
    let simulate = || async {
        // Of a workspace that is not there this would be the beginning, for operators alone.
        let create = api::simulated_command::Command::CreateWorkspace(new_workspace("acme"));
        let request = what_if(vec![create]);
        let mut progress = api::progress_service_client::ProgressServiceClient::new(viewer.clone());
        progress.simulate(request).await.map(drop)
    };
    let refused = limited(simulate).await;
    assert!(refused.len() > 1, "{refused:?}");
    for status in refused {
        assert_eq!(reason_of(&status), "RATE_LIMITED", "{status}");
    }
}

#[tokio::test]
async fn headers_over_http_1_have_an_end_too() {
    let server = plain(NONE).await;
    with_kpi(&server).await;
    for (bytes, is_refused) in [(1_000, false), (20_000, true)] {
        let mut connection = TcpStream::connect(server.address).await.expect("a connection");
        let body = [0, 0, 0, 0, 0];
        let head = format!(
            "POST /binnacle.v1.WorkspaceService/ListWorkspaces HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web+proto\r\n\
             x-large: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            "y".repeat(bytes),
            body.len()
        );
        connection
            .write_all(head.as_bytes())
            .await
            .expect("it is written");
        connection.write_all(&body).await.expect("it is written");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        // RESOURCE_EXHAUSTED.
        assert_eq!(answer.contains("grpc-status: 8"), is_refused, "{answer}");
        assert_eq!(answer.contains("grpc-status:0"), !is_refused, "{answer}");
    }
}

#[tokio::test]
async fn a_workspace_has_so_many_calls_and_strangers_neither_use_them_up_nor_hear_of_them() {
    let guarded = Guarded::within(LoadLimits {
        workspace_calls_per_s: 5,
        ..NONE
    })
    .await;
    let stranger = guarded.channel_of("stranger").await;
    let measured = |second| measure("nps", second, 1.0);
    for second in 0..50 {
        for status in [
            read(&stranger).await.expect_err("no member"),
            kpi_client(&stranger)
                .record_measurement(measured(second))
                .await
                .map(drop)
                .expect_err("no member"),
        ] {
            assert_eq!(status.code(), Code::NotFound, "{status}");
        }
    }
    let viewer = guarded.channel_of("viewer").await;
    read(&viewer).await.expect("the strangers have used up nothing");
    let refused = until_limited(|| read(&viewer)).await;
    assert_eq!(reason_of(&refused), "RATE_LIMITED", "{refused}");
    assert!(refused.message().contains("workspace"), "{refused}");
    // Whoever else calls about it: also writes, and those with other roles.
    let owner = guarded.channel_of("owner").await;
    let second = std::cell::Cell::new(100);
    until_limited(|| {
        second.set(second.get() + 1);
        let (mut kpis, request) = (kpi_client(&owner), measured(second.get()));
        async move { kpis.record_measurement(request).await.map(drop) }
    })
    .await;
    let status = read(&stranger).await.expect_err("no member");
    assert_eq!(status.code(), Code::NotFound, "{status}");
}

#[tokio::test]
async fn requests_that_are_received_have_so_many_bytes_together_and_others_come_through() {
    let server = plain(LoadLimits {
        requests_bytes_max: 100_000,
        ..NONE
    })
    .await;
    with_kpi(&server).await;
    let noted = |second, bytes| {
        let mut request = measure("nps", second, 1.0);
        request.measurement.as_mut().expect("one").note = "x".repeat(bytes);
        request
    };
    let refused = server.kpis().record_measurement(noted(0, 200_000)).await;
    let refused = refused.expect_err("more than all may have");
    assert_eq!(
        (refused.code(), reason_of(&refused).as_str()),
        (Code::ResourceExhausted, "OVERLOADED"),
        "{refused}"
    );
    assert!(retry_after(&refused) > Duration::ZERO);
    // Together more than twice of what there may be at once.
    for second in 0..100 {
        server
            .kpis()
            .record_measurement(noted(second, 3_500))
            .await
            .expect("what is received is let go");
    }
}

/// Asks for everything that there is of KPIs, and has read nothing of it yet.
async fn ask_for_kpis(channel: &Known) -> Result<Streaming<api::ListKpisResponse>, Status> {
    let request = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let path = "/binnacle.v1.KpiService/ListKpis".parse().expect("a path");
    // As a stream of one message, which is the same on the wire and is read when one wants to.
    let codec = tonic_prost::ProstCodec::default();
    let answer = client.server_streaming(Request::new(request), path, codec).await;
    answer.map(tonic::Response::into_inner)
}

/// The same over gRPC-Web, as text.
async fn ask_for_text(channel: &Known) -> http::Response<impl Sized> {
    let request = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let message = request.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(
        u32::try_from(message.len())
            .expect("a small request")
            .to_be_bytes(),
    );
    framed.extend(message);
    let text = base64::engine::general_purpose::STANDARD.encode(framed);
    let request = http::Request::post("/binnacle.v1.KpiService/ListKpis")
        .header("content-type", "application/grpc-web-text+proto")
        .header("accept", "application/grpc-web-text+proto")
        .body(Body::new(http_body_util::Full::from(text)))
        .expect("a request");
    let mut channel = channel.clone();
    let answer = channel.ready().await.expect("a connection").call(request).await;
    let answer = answer.expect("an answer");
    assert_eq!(
        answer.headers()["content-type"],
        "application/grpc-web-text+proto"
    );
    answer
}

async fn read_kpis(answer: Result<Streaming<api::ListKpisResponse>, Status>) -> Result<usize, Status> {
    let message = answer?.message().await?.expect("an answer");
    Ok(message.kpis.len())
}

/// KPIs of more than 200,000 bytes together.
async fn make_large(owner: &Known) {
    for number in 0..20 {
        let mut kpi = new_kpi(&format!("large-{number}"));
        kpi.kpi.as_mut().expect("a KPI").description = "d".repeat(10_000);
        kpi_client(owner).create_kpi(kpi).await.expect("a KPI");
    }
}

/// A connection of its own, whose client lets next to nothing come.
async fn deaf_channel(guarded: &Guarded, token: &str) -> Known {
    let channel = Endpoint::from_shared(format!("http://{}", guarded.server.address))
        .expect("an address")
        .initial_stream_window_size(16 * 1024)
        .connect()
        .await
        .expect("a connection");
    InterceptedService::new(channel, Token::of(token))
}

#[tokio::test]
async fn who_takes_nothing_while_others_need_the_room_is_closed() {
    let guarded = Guarded::within(LoadLimits {
        answers_bytes_max: 900_000,
        answer_s_max: 3,
        ..NONE
    })
    .await;
    let owner = guarded.channel_of("owner").await;
    make_large(&owner).await;
    // Three of the four quarters.
    let mut unread = Vec::new();
    for principal in ["viewer", "auditor", "manager"] {
        let token = guarded.key_of(principal).0;
        guarded.with_token(&token).await;
        let channel = deaf_channel(&guarded, &token).await;
        // A stream on the same connection, of which what is small is taken.
        let theirs = subscribe(&channel).await.expect("a stream");
        unread.push((ask_for_kpis(&channel).await.expect("an answer"), theirs));
    }
    for (answer, theirs) in &mut unread {
        let closed = async { while theirs.message().await.is_ok_and(|message| message.is_some()) {} };
        in_time("the end of the connection", closed).await;
        answer.message().await.expect_err("it is cut off");
    }
    let answered = read_kpis(ask_for_kpis(&owner).await).await;
    assert!(answered.is_ok(), "{answered:?}");
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_refused_and_others_are_answered() {
    let guarded = Guarded::within(LoadLimits {
        answers_bytes_max: 4_000_000,
        ..NONE
    })
    .await;
    let owner = guarded.channel_of("owner").await;
    make_large(&owner).await;
    let token = guarded.key_of("viewer").0;
    let known = guarded.with_token(&token).await;
    let all = read_kpis(ask_for_kpis(&known).await).await.expect("the KPIs");
    // An answer has more than 200,000 bytes, and a quarter of four million are its own.
    let deaf = deaf_channel(&guarded, &token).await;
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(ask_for_kpis(&deaf).await);
    }
    let refused = read_kpis(ask_for_kpis(&deaf).await).await.expect_err("too much");
    assert_eq!(
        (refused.code(), reason_of(&refused).as_str()),
        (Code::Unavailable, "ANSWERS_UNREAD"),
        "{refused}"
    );
    assert!(retry_after(&refused) > Duration::ZERO);
    // On every connection of theirs, but not what is small; and nobody else.
    assert!(read_kpis(ask_for_kpis(&known).await).await.is_err());
    read(&known).await.expect("one KPI");
    let other = read_kpis(ask_for_kpis(&owner).await).await;
    assert_eq!(other.expect("the KPIs"), all);
    // What was answered is what it would have been, and reading it makes room.
    for answer in unread {
        assert_eq!(read_kpis(answer).await.expect("the KPIs"), all);
    }
    assert_eq!(read_kpis(ask_for_kpis(&deaf).await).await.expect("the KPIs"), all);
    // As for a page it is written anew on its way, and takes as much.
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(ask_for_text(&deaf).await);
    }
    assert!(read_kpis(ask_for_kpis(&known).await).await.is_err());
    drop(unread);
    let again = async {
        while read_kpis(ask_for_kpis(&known).await).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("room, when a client is gone", again).await;
    let turned = guarded.server.standing.load().expect("its load").turned();
    let of_answers = turned.iter().find(|turned| turned.limit == "answers_bytes_max");
    assert!(of_answers.expect("the limit").count >= 3);
}

#[tokio::test]
async fn a_stranger_takes_no_place_in_the_queue_of_a_workspace() {
    let is_held = Arc::new(AtomicBool::new(false));
    let is_written = Arc::new(AtomicBool::new(false));
    let (held, written) = (Arc::clone(&is_held), Arc::clone(&is_written));
    let log = MemoryLog::with_interruption(move |_, _| {
        written.store(held.load(Ordering::SeqCst), Ordering::SeqCst);
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ending::AsUsual
    });
    let guarded = Guarded::on(log, NONE).await;
    let (owner, stranger) = (
        guarded.channel_of("owner").await,
        guarded.channel_of("stranger").await,
    );
    is_held.store(true, Ordering::SeqCst);
    let writing = tokio::spawn({
        let mut kpis = kpi_client(&owner);
        async move { kpis.record_measurement(measure("nps", 1, 1.0)).await }
    });
    // The log hangs: whoever stood behind it would wait.
    let written = async {
        while !is_written.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    in_time("a write that hangs", written).await;
    let mut kpis = kpi_client(&stranger);
    let refused = tokio::time::timeout(
        Duration::from_secs(30),
        kpis.record_measurement(measure("nps", 2, 1.0)),
    );
    let refused = refused.await.expect("an answer").expect_err("no member");
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    is_held.store(false, Ordering::SeqCst);
    writing.await.expect("a task").expect("a measurement");
}

async fn plain(load: LoadLimits) -> Server {
    plain_on(Arc::new(MemoryLog::new()), load).await
}

async fn plain_on(log: Arc<MemoryLog>, load: LoadLimits) -> Server {
    let config = ServerConfig {
        load,
        ..ServerConfig::default()
    };
    Server::with_log(log, config, None).await
}

/// Whether the server closes a connection, which it does or does not do before anything is sent.
async fn is_turned_away(connection: &mut TcpStream) -> bool {
    // The server's own first frame comes on one that stays.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    connection.write_all(preface).await.is_err() || !matches!(connection.read(&mut [0; 1]).await, Ok(1))
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_one_that_is_closed_makes_room() {
    let server = plain(LoadLimits {
        connections_per_address_max: 3,
        ..NONE
    })
    .await;
    // The client of this test has one.
    let connect = || TcpStream::connect(server.address);
    let (mut first, mut second) = (connect().await.expect("one"), connect().await.expect("one"));
    assert!(!is_turned_away(&mut first).await && !is_turned_away(&mut second).await);
    assert!(is_turned_away(&mut connect().await.expect("accepted, and closed")).await);
    assert_eq!(server.standing.load().expect("its load").connections(), 3);
    server.heads().await;
    drop(first);
    let room = async {
        while is_turned_away(&mut connect().await.expect("one")).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("room for a connection", room).await;
    let turned = server.standing.load().expect("its load").turned();
    assert!(
        turned
            .iter()
            .any(|turned| turned.limit == "connections_per_address_max" && turned.count > 0)
    );
}

/// More than what lies between a peer that does not read and a server that writes to it.
const PINGS: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn connections_without_a_call_are_closed_whatever_they_have_sent_and_others_stay() {
    let config = ServerConfig {
        load: LoadLimits {
            // This test's own connection keeps it too.
            first_call_s_max: 3,
            ..NONE
        },
        // Nothing else may end them.
        keepalive_interval_s: 3600,
        ..ServerConfig::default()
    };
    let server = Server::with(MemoryLog::new(), Default::default(), config).await;
    with_workspace(&server).await;
    let mut health = server.watch("").await;
    assert!(health.message().await.expect("health").is_some());
    let open = || server.standing.load().expect("its load").connections();
    let others = open();
    let preface = &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..];
    let endless = [preface, b"\0\0\x01\x01\0\0\0\0\x01\x83"].concat();
    let silences = [
        &b""[..],
        b"PRI * HTTP/2.0\r\n",
        preface,
        // A header block that never ends.
        &endless,
        b"POST /binnacle.v1.KpiService/GetKpi HTTP/1.1\r\n",
    ];
    join_all(silences.map(|sent| async move {
        let mut silent = TcpStream::connect(server.address).await.expect("a connection");
        silent.write_all(sent).await.expect("it is written");
        // It ends, with the end of the stream or with a reset, long before the transport's own limits.
        let closed = tokio::time::timeout(Duration::from_secs(15), silent.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "open behind {sent:?}");
    }))
    .await;
    // One that wants answers and does not read them.
    let mut deaf = TcpStream::connect(server.address).await.expect("a connection");
    let ping = b"\0\0\x08\x06\0\0\0\0\0abcdefgh".repeat(1024);
    let flood = async {
        deaf.write_all(preface).await?;
        for _ in 0..PINGS / ping.len() {
            deaf.write_all(&ping).await?;
        }
        Ok::<(), std::io::Error>(())
    };
    let _stuck_or_ended = tokio::time::timeout(Duration::from_secs(5), flood).await;
    let closed = async {
        while open() > others {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), closed)
        .await
        .expect("who does not read is closed too");
    let still = tokio::time::timeout(Duration::from_millis(100), health.message()).await;
    assert!(
        still.is_err(),
        "a stream on a connection with a call is open: {still:?}"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up() {
    let log = Arc::new(MemoryLog::new());
    // The workspace is made where answers may take their time.
    let first = plain_on(Arc::clone(&log), NONE).await;
    with_workspace(&first).await;
    first.stop().await;
    let load = LoadLimits {
        answer_s_max: 3,
        ..NONE
    };
    let server = plain_on(log, load).await;
    let mut client = tonic::client::Grpc::new(server.channel.clone());
    client.ready().await.expect("a server");
    let path = http::uri::PathAndQuery::from_static("/binnacle.v1.WorkspaceService/GetWorkspace");
    let never = tokio_stream::pending::<api::GetWorkspaceRequest>();
    let codec = tonic_prost::ProstCodec::<_, api::Workspace>::default();
    let status = client
        .client_streaming(tonic::Request::new(never), path, codec)
        .await
        .expect_err("given up");
    assert_eq!(
        (status.code(), reason_of(&status).as_str()),
        (Code::DeadlineExceeded, "NOT_IN_TIME"),
        "{status}"
    );
    assert!(!status.message().contains("  "), "{status}");
    let mut subscription = server
        .progress()
        .subscribe(api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            ..Default::default()
        })
        .await
        .expect("a stream")
        .into_inner();
    // Longer than an answer may take.
    tokio::time::sleep(Duration::from_secs(4)).await;
    while let Ok(message) = tokio::time::timeout(Duration::from_millis(50), subscription.message()).await {
        assert!(message.expect("a stream goes on").is_some(), "it has not ended");
    }
}
