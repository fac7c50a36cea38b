//! Floods of frames: each case is a peer that sends what it can, on connections that it opens again when the server ends them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::transport::Endpoint;

use super::frames::{
    PREFACE, beginning_of_headers, call_block, continuation, data, field, headers, message, no_window, ping,
    reset, settings,
};
use super::good_client::GoodClient;
use super::{Abuse, Scene, alone, metric};

const GET: &str = "/binnacle.v1.KpiService/GetKpi";
const LIST: &str = "/binnacle.v1.KpiService/ListKpis";
const INGEST: &str = "/binnacle.v1.KpiService/IngestMeasurements";
/// How many peers there are.
const PEERS: usize = 4;
/// How many frames are written at once.
const AT_ONCE: u32 = 256;
/// Streams have odd numbers up to here; then a connection has to be a new one.
const STREAM_MAX: u32 = (1 << 31) - 1;

/// A connection of a peer that reads nothing that it need not.
struct Peer {
    connection: TcpStream,
    next_stream: u32,
}

impl Peer {
    fn connect(abuse: &Abuse) -> Option<Self> {
        let mut connection = TcpStream::connect(&abuse.address).ok()?;
        // A server that takes nothing more must not hold the peer up for ever.
        let patience = Some(Duration::from_millis(500));
        connection.set_write_timeout(patience).ok()?;
        connection.write_all(PREFACE).ok()?;
        // What the server says is read, as otherwise it may wait for that.
        let mut reading = connection.try_clone().ok()?;
        std::thread::spawn(move || std::io::copy(&mut reading, &mut std::io::sink()));
        Some(Self {
            connection,
            next_stream: 1,
        })
    }

    fn stream(&mut self) -> Option<u32> {
        let stream = self.next_stream;
        self.next_stream = stream.checked_add(2).filter(|next| *next <= STREAM_MAX)?;
        Some(stream)
    }

    fn send(&mut self, abuse: &Abuse, bytes: &[u8]) -> Option<()> {
        let sent = self.connection.write_all(bytes);
        sent.map_err(|error| abuse.was_refused(&error)).ok()
    }
}

/// Peers that each do one thing again and again on a connection, until the server ends it, and then on the next.
fn peers(abuse: &Abuse, round: Round) {
    for _ in 0..PEERS {
        let abuse = abuse.clone();
        std::thread::spawn(move || {
            while abuse.goes_on() {
                let Some(mut peer) = Peer::connect(&abuse) else {
                    continue;
                };
                while abuse.goes_on() {
                    if round(&abuse, &mut peer).is_none() {
                        break;
                    }
                }
                let _gone = peer.connection.shutdown(std::net::Shutdown::Both);
            }
        });
    }
}

fn scene() -> (Scene, GoodClient, Abuse) {
    scene_with(&[])
}

fn scene_with(settings: &[&str]) -> (Scene, GoodClient, Abuse) {
    let scene = Scene::new(|_| settings.iter().map(|setting| (*setting).to_owned()).collect());
    let endpoint = Endpoint::from_shared(scene.server.url()).expect("an address");
    let good = GoodClient::new(endpoint, None, false);
    scene.runtime.block_on(good.prepare());
    let abuse = Abuse::of(&scene.server.address);
    (scene, good, abuse)
}

/// A round of a peer.
type Round = fn(&Abuse, &mut Peer) -> Option<()>;

fn flood(name: &str, round: Round) {
    flood_until(name, has_done, round);
}

/// The same, to which the server puts an end.
fn flood_that_is_ended(name: &str, round: Round) {
    let enough = |abuse: &Abuse| has_done(abuse) && has_ended(abuse);
    let abuse = flood_until(name, enough, round);
    assert!(has_ended(&abuse), "the server puts an end to it");
}

fn flood_until(name: &str, enough: fn(&Abuse) -> bool, round: Round) -> Abuse {
    let _alone = alone();
    let (scene, good, abuse) = scene();
    scene.play(name, &good, &abuse, enough, |abuse| peers(abuse, round));
    assert!(has_done(&abuse), "nothing was done");
    abuse
}

fn has_done(abuse: &Abuse) -> bool {
    abuse.done.load(Ordering::Relaxed) > 0
}

fn has_ended(abuse: &Abuse) -> bool {
    abuse.ended.load(Ordering::Relaxed) > 0
}

#[test]
fn nothing_but_the_good_client() {
    let _alone = alone();
    let (scene, good, abuse) = scene();
    scene.play("nothing", &good, &abuse, |_| true, |_| {});
}

#[test]
fn calls_that_are_reset_as_soon_as_they_are_made() {
    flood_that_is_ended("rapid reset", |abuse, peer| {
        let block = call_block(GET);
        let mut bytes = Vec::new();
        for _ in 0..AT_ONCE {
            let stream = peer.stream()?;
            bytes.extend(headers(stream, &block));
            bytes.extend(reset(stream));
        }
        peer.send(abuse, &bytes)?;
        abuse.did(u64::from(AT_ONCE));
        Some(())
    });
}

#[test]
fn a_header_block_that_never_ends() {
    flood_that_is_ended("CONTINUATION flood", |abuse, peer| {
        if peer.next_stream == 1 {
            let stream = peer.stream()?;
            peer.send(abuse, &beginning_of_headers(stream, &call_block(GET)))?;
        }
        let mut block = Vec::new();
        field(&mut block, "x", b"y");
        let frame = continuation(1, &block, false);
        peer.send(abuse, &frame.repeat(64))?;
        abuse.did(64);
        Some(())
    });
}

#[test]
fn frames_of_data_without_data() {
    flood("empty DATA", |abuse, peer| {
        if peer.next_stream == 1 {
            let stream = peer.stream()?;
            peer.send(abuse, &headers(stream, &call_block(INGEST)))?;
        }
        peer.send(abuse, &data(1, b"", false).repeat(1024))?;
        abuse.did(1024);
        Some(())
    });
}

#[test]
fn settings_and_pings_that_each_want_an_answer() {
    flood("SETTINGS and PING", |abuse, peer| {
        let both = [settings(), ping()].concat();
        peer.send(abuse, &both.repeat(512))?;
        abuse.did(1024);
        Some(())
    });
}

#[test]
fn headers_that_are_larger_than_they_may_be() {
    flood("oversize headers", |abuse, peer| {
        let stream = peer.stream()?;
        let mut block = call_block(GET);
        field(&mut block, "x-large", &[b'y'; 15_000]);
        peer.send(abuse, &beginning_of_headers(stream, &block))?;
        let mut more = Vec::new();
        field(&mut more, "x-larger", &[b'z'; 15_000]);
        peer.send(abuse, &continuation(stream, &more, true))?;
        peer.send(abuse, &data(stream, b"", true))?;
        abuse.did(1);
        Some(())
    });
}

#[test]
fn messages_that_say_that_they_are_large_and_do_not_come() {
    flood("messages that do not come", |abuse, peer| {
        let mut bytes = Vec::new();
        for length in [4 * 1024 * 1024 - 1, u32::MAX, 5 * 1024 * 1024, 100] {
            let stream = peer.stream()?;
            bytes.extend(headers(stream, &call_block(GET)));
            bytes.extend(data(stream, &message(length, b"\x0a"), false));
        }
        peer.send(abuse, &bytes)?;
        abuse.did(4);
        std::thread::sleep(Duration::from_millis(1));
        Some(())
    });
}

#[test]
fn large_messages_in_as_many_calls_as_there_may_be_that_never_end() {
    flood("messages that never end", |abuse, peer| {
        let stream = peer.stream()?;
        let piece = [b'x'; 16_000];
        peer.send(abuse, &headers(stream, &call_block(GET)))?;
        peer.send(abuse, &data(stream, &message(4 * 1024 * 1024 - 1, &[]), false))?;
        // As much as the window of a stream lets through at first.
        for _ in 0..60 {
            peer.send(abuse, &data(stream, &piece, false))?;
        }
        abuse.did(1);
        Some(())
    });
}

#[test]
fn large_answers_that_are_asked_for_and_not_taken() {
    let _alone = alone();
    // So much that without a bound a thousand answers of a megabyte would be seen.
    let bound = ["--answers-bytes-max", "67108864"];
    let shown = ["--metrics-listen", "127.0.0.1:0"];
    let (scene, good, abuse) = scene_with(&[bound, shown].concat());
    scene.runtime.block_on(good.make_large(1_000));
    scene.play(
        "answers that are not taken",
        &good,
        &abuse,
        has_asked_enough,
        |abuse| {
            peers(abuse, |abuse, peer| {
                let stream = peer.stream()?;
                let mut bytes = if stream == 1 { no_window() } else { Vec::new() };
                // The workspace, and a page of a thousand.
                let request = [&[0x0A, 15][..], b"workspaces/acme", &[0x10, 0xE8, 0x07]].concat();
                let length = u32::try_from(request.len()).expect("a length");
                bytes.extend(headers(stream, &call_block(LIST)));
                bytes.extend(data(stream, &message(length, &request), true));
                peer.send(abuse, &bytes)?;
                abuse.did(1);
                std::thread::sleep(Duration::from_millis(2));
                Some(())
            });
        },
    );
    let turned = metric(
        &scene.server,
        "binnacle_turned_away_total{limit=\"answers_bytes_max\"} ",
    );
    assert!(turned > 0.0, "the bound was not met");
}

fn has_asked_enough(abuse: &Abuse) -> bool {
    abuse.done.load(Ordering::Relaxed) > 1_000
}

#[test]
fn bytes_that_are_no_frames() {
    flood_that_is_ended("bytes that are no frames", |abuse, peer| {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(4096).collect();
        peer.send(abuse, &noise)?;
        abuse.did(1);
        Some(())
    });
}

#[test]
fn who_sends_too_large_headers_hears_it_in_the_words_of_http() {
    let _alone = alone();
    let (scene, ..) = scene();
    let mut connection = TcpStream::connect(&scene.server.address).expect("a connection");
    connection.write_all(PREFACE).expect("it is written");
    let mut block = call_block(GET);
    field(&mut block, "x-large", &[b'y'; 15_000]);
    connection
        .write_all(&beginning_of_headers(1, &block))
        .expect("it is written");
    let mut more = Vec::new();
    field(&mut more, "x-larger", &[b'z'; 3_000]);
    connection
        .write_all(&continuation(1, &more, true))
        .expect("it is written");
    connection
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time-out");
    let mut said: Vec<u8> = Vec::new();
    // The digits of 431 in the code of HPACK, in which they have 6, 6 and 5 bits (RFC 7541, appendix B), and its padding.
    while !said
        .windows(3)
        .any(|three| three == [0b0110_1001, 0b1001_0000, 0b1111_1111])
    {
        let mut some = [0; 1024];
        let count = connection.read(&mut some).expect("an answer");
        assert!(count > 0, "ended without an answer: {said:02x?}");
        said.extend(&some[..count]);
    }
}
