//! Pages in a browser: gRPC-Web over HTTP/1.1 as it is on the wire, and which pages are let in.
//!
//! The client is a plain connection, so that nothing is gathered or mended on the way. Beside it: what docs/subscribe.md
//! shows.

mod common;
#[path = "clients/documentation.rs"]
mod documentation;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::service::ServerConfig;
use common::*;
use prost::Message;
use tonic::{Code, Request};

const PROTO: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text";
const NAMED: &str = "https://bi.example.com";
const SUBSCRIBE: &str = "/binnacle.v1.ProgressService/Subscribe";
const CREATE_KPI: &str = "/binnacle.v1.KpiService/CreateKpi";
/// An upper bound: what takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One answer over HTTP/1.1, read as it comes.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    connection: BufReader<TcpStream>,
    is_text: bool,
    /// Of the body, what was decoded and not read yet.
    decoded: Vec<u8>,
    /// Of base64, what is no group of four yet.
    undecoded: Vec<u8>,
}

/// One frame of a body.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Message(Vec<u8>),
    Trailers(String),
}

impl Answer {
    /// Sends a request and reads the answer's head.
    fn to(server: &Server, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut connection = connect(server);
        let mut head = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            server.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        connection.write_all(head.as_bytes()).expect("a connection");
        connection.write_all(body).expect("a connection");
        let mut connection = BufReader::new(connection);
        let status = line_of(&mut connection);
        let status = status
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a status");
        let mut headers = Vec::new();
        loop {
            let line = line_of(&mut connection);
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Self {
            status,
            headers,
            connection,
            is_text: false,
            decoded: Vec::new(),
            undecoded: Vec::new(),
        };
        answer.is_text = answer
            .header("content-type")
            .is_some_and(|kind| kind.contains("-text"));
        answer
    }

    /// A call over gRPC-Web.
    fn of(server: &Server, path: &str, kind: &str, message: &impl Message, more: &[(&str, &str)]) -> Self {
        let mut body = vec![0];
        let message = message.encode_to_vec();
        body.extend(
            u32::try_from(message.len())
                .expect("a short message")
                .to_be_bytes(),
        );
        body.extend(message);
        if kind == TEXT {
            body = STANDARD.encode(body).into_bytes();
        }
        let headers = [&[("content-type", kind), ("accept", kind)], more].concat();
        Self::to(server, &format!("POST {path}"), &headers, &body)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The next frame; none: the body is over.
    fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((head, rest)) = self.decoded.split_first_chunk::<5>() {
                let [kind, length @ ..] = *head;
                let length = usize::try_from(u32::from_be_bytes(length)).expect("a length");
                if rest.len() >= length {
                    let frame = rest[..length].to_vec();
                    self.decoded.drain(..5 + length);
                    return Some(match kind {
                        0 => Frame::Message(frame),
                        0x80 => Frame::Trailers(String::from_utf8(frame).expect("text")),
                        other => panic!("a frame of kind {other}"),
                    });
                }
            }
            let chunk = self.chunk();
            if chunk.is_empty() {
                assert!(self.decoded.is_empty(), "the body ends within a frame");
                return None;
            }
            if self.is_text {
                self.undecoded.extend(chunk);
                let whole = self.undecoded.len() / 4 * 4;
                for group in self.undecoded.drain(..whole).collect::<Vec<_>>().chunks(4) {
                    self.decoded.extend(STANDARD.decode(group).expect("base64"));
                }
            } else {
                self.decoded.extend(chunk);
            }
        }
    }

    fn message<T: Message + Default>(&mut self) -> T {
        match self.frame() {
            Some(Frame::Message(bytes)) => T::decode(bytes.as_slice()).expect("a message"),
            other => panic!("no message but {other:?}"),
        }
    }

    fn event(&mut self) -> Event {
        let message: api::SubscribeResponse = self.message();
        message.event.expect("an event")
    }

    /// One chunk of the body; an empty one is the last.
    fn chunk(&mut self) -> Vec<u8> {
        assert_eq!(self.header("transfer-encoding"), Some("chunked"));
        let length = line_of(&mut self.connection);
        let length = usize::from_str_radix(&length, 16).expect("the length of a chunk");
        let mut chunk = vec![0; length + 2];
        self.connection.read_exact(&mut chunk).expect("a chunk");
        chunk.truncate(length);
        chunk
    }
}

fn connect(server: &Server) -> TcpStream {
    let connection = TcpStream::connect(server.address).expect("a connection");
    connection.set_read_timeout(Some(PATIENCE)).expect("a limit");
    connection
}

fn line_of(connection: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    connection.read_line(&mut line).expect("a line in time");
    line.trim_end().to_owned()
}

fn live() -> api::SubscribeRequest {
    api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Live(())),
        ..Default::default()
    }
}

async fn with_origins(origins: &[&str]) -> Server {
    let web_origins = origins.iter().map(|origin| origin.parse().expect("an origin"));
    let config = ServerConfig {
        web_origins: web_origins.collect(),
        ..ServerConfig::default()
    };
    let server = Server::with(MemoryLog::new(), EngineConfig::default(), config).await;
    with_workspace(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_read_over_http_1_message_by_message_as_it_happens() {
    for kind in [PROTO, TEXT] {
        let mut server = with_origins(&[NAMED]).await;
        let mut page = Answer::of(&server, SUBSCRIBE, kind, &live(), &[("origin", NAMED)]);
        assert_eq!(page.status, 200);
        assert_eq!(page.header("access-control-allow-origin"), Some(NAMED));
        assert!(matches!(page.event(), Event::Started(_)), "{kind}");
        assert!(matches!(page.event(), Event::CaughtUp(_)), "{kind}");
        for id in ["one", "two"] {
            // Each is read before the next is written: nothing waits on the way for more or for the end.
            server.kpis().create_kpi(new_kpi(id)).await.expect("a KPI");
            let Event::Update(update) = page.event() else {
                panic!("{kind}: no update");
            };
            assert_eq!(update.events[0].resource, acme(&format!("kpis/{id}")));
        }
        server.tell_to_stop();
        assert!(matches!(page.event(), Event::GoingAway(_)), "{kind}");
        let Some(Frame::Trailers(trailers)) = page.frame() else {
            panic!("{kind}: no trailers");
        };
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
        assert_eq!(page.frame(), None);
        server
            .ended()
            .await
            .expect("an end in good order although a page was open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_over_grpc_web_answers_with_its_revision_and_a_refusal_with_its_details() {
    let server = with_origins(&[NAMED]).await;
    for (kind, id) in [(PROTO, "one"), (TEXT, "two")] {
        let mut page = Answer::of(&server, CREATE_KPI, kind, &new_kpi(id), &[("origin", NAMED)]);
        let kpi: api::Kpi = page.message();
        assert_eq!(kpi.name, acme(&format!("kpis/{id}")));
        let Some(Frame::Trailers(trailers)) = page.frame() else {
            panic!("no trailers");
        };
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
        let revision = format!("binnacle-revision:{}", server.head().await);
        assert!(trailers.contains(&revision), "{trailers}");
        let refused = Answer::of(&server, CREATE_KPI, kind, &new_kpi(id), &[("origin", NAMED)]);
        assert_eq!(refused.header("grpc-status"), Some("6"));
        assert!(refused.header("grpc-status-details-bin").is_some());
        let readable = refused
            .header("access-control-expose-headers")
            .expect("readable headers");
        for name in [
            "grpc-status",
            "grpc-message",
            "grpc-status-details-bin",
            "binnacle-revision",
            "x-request-id",
            "traceparent",
        ] {
            assert!(
                readable.split(',').any(|header| header == name),
                "{name} in {readable}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_first_is_told_yes_for_a_named_origin_alone() {
    let (open, closed) = (
        with_origins(&[NAMED, "http://localhost:8080"]).await,
        with_origins(&[]).await,
    );
    for (server, origin, status) in [
        (&open, NAMED, 200),
        (&open, "http://localhost:8080", 200),
        (&open, "https://evil.example", 403),
        (&open, "https://bi.example.com.evil.example", 403),
        (&open, "http://bi.example.com", 403),
        (&open, "http://localhost:8081", 403),
        (&open, "null", 403),
        (&closed, NAMED, 403),
        (&closed, "null", 403),
    ] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "content-type,x-grpc-web,binnacle-actor",
            ),
        ];
        let answer = Answer::to(server, &format!("OPTIONS {SUBSCRIBE}"), &headers, &[]);
        assert_eq!(answer.status, status, "{origin}");
        let allowed = (status == 200).then_some(origin);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(
            answer.header("access-control-allow-methods"),
            allowed.map(|_| "POST")
        );
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, allowed.map(|_| "content-type,x-grpc-web,binnacle-actor"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_origin_that_nobody_named_writes_nothing() {
    let (open, closed) = (with_origins(&[NAMED]).await, with_origins(&[]).await);
    let own = |server: &Server| format!("http://{}", server.address);
    for server in [&open, &closed] {
        let own = own(server);
        // The last but one is a stranger's name that was made to point here: the browser takes it for the same origin.
        let foreign: [&[(&str, &str)]; 5] = [
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", NAMED), ("origin", "https://evil.example")],
            &[("origin", "http://evil.example:7700")],
            &[("origin", &own)],
        ];
        let before = server.head().await;
        for origin in foreign {
            // What a browser sends without asking first is among them: text/plain.
            for kind in [
                PROTO,
                TEXT,
                "application/grpc-web",
                "text/plain",
                "application/grpc",
            ] {
                let answer = Answer::of(server, CREATE_KPI, kind, &new_kpi("foreign"), origin);
                assert_eq!(answer.status, 403, "{origin:?} {kind}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
        assert_eq!(server.head().await, before, "a page has written");
        // The same without an origin comes from no page.
        let answer = Answer::of(server, CREATE_KPI, PROTO, &new_kpi("own"), &[]);
        assert_eq!(answer.status, 200);
        assert_eq!(server.head().await, before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_grpc_web_reaches_nothing_over_http_1() {
    let server = with_origins(&[NAMED]).await;
    let before = server.head().await;
    for (line, kind, status) in [
        ("GET /", "text/html", 400),
        (&format!("GET {CREATE_KPI}"), PROTO, 405),
        (&format!("PUT {CREATE_KPI}"), PROTO, 405),
        (&format!("POST {CREATE_KPI}"), "text/plain", 400),
        (&format!("POST {CREATE_KPI}"), "application/grpc", 400),
        (
            &format!("POST {CREATE_KPI}"),
            "application/x-www-form-urlencoded",
            400,
        ),
        (&format!("POST {CREATE_KPI}"), "application/json", 400),
    ] {
        let answer = Answer::to(&server, line, &[("content-type", kind)], b"kpi_id=one");
        assert_eq!(answer.status, status, "{line} {kind}");
    }
    assert_eq!(server.head().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_is_what_it_was_and_refused_to_foreign_pages_as_well() {
    let server = with_origins(&[NAMED]).await;
    let written = server.kpis().create_kpi(new_kpi("one")).await.expect("a KPI");
    assert!(written.metadata().get("binnacle-revision").is_some());
    for (origin, expected) in [
        (NAMED, Ok(())),
        ("https://evil.example", Err(Code::PermissionDenied)),
    ] {
        let mut request = Request::new(new_kpi("two"));
        request
            .metadata_mut()
            .insert("origin", origin.parse().expect("text"));
        let answer = server.kpis().create_kpi(request).await;
        assert_eq!(
            answer.map(|_| ()).map_err(|status| status.code()),
            expected,
            "{origin}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_to_the_end_of_its_headers_is_let_go() {
    let server = with_origins(&[]).await;
    let began = Instant::now();
    let mut connection = connect(&server);
    let head = format!("POST {SUBSCRIBE} HTTP/1.1\r\nhost: {}\r\n", server.address);
    connection.write_all(head.as_bytes()).expect("a connection");
    let mut trickle = connection.try_clone().expect("the same connection");
    // A header every now and then, and never the empty line behind them.
    let trickling = std::thread::spawn(move || {
        while began.elapsed() < PATIENCE && trickle.write_all(b"x-slow: 1\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let mut rest = Vec::new();
    let _closed_or_reset = connection.read_to_end(&mut rest);
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(20),
        "it was let go before anybody could be that slow: {took:?}"
    );
    assert!(took < Duration::from_secs(50), "it was kept: {took:?}");
    trickling.join().expect("an end");
}
