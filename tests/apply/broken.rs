//! Runs that break: an answer that is lost, a program that is killed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::lists::Lists;
use crate::server::Server;

const EVERYTHING: &str = include_str!("everything.yaml");

#[test]
fn a_run_that_was_killed_is_run_again_for_the_rest() {
    let whole = Lists::of(&Server::with(EVERYTHING));
    let server = Server::start();
    server.write("all.yaml", EVERYTHING);
    let mut killed = server.spawn(&["apply", "-f", "all.yaml", "--actor", "maria"]);
    while server.revision() < 15 {
        assert!(
            killed.try_wait().expect("a process").is_none(),
            "it ended before it was killed"
        );
    }
    killed.kill().expect("a running process");
    killed.wait().expect("an ended process");
    let written = Lists::of(&server);
    assert!(written != whole, "it was killed too late to show anything");

    let rest = server.apply_text(EVERYTHING, &[]);
    assert!(
        rest.good().stdout.contains("unchanged members/jo\n"),
        "{}",
        rest.stdout
    );
    assert_eq!(Lists::of(&server), whole);
    assert_eq!(server.apply_text(EVERYTHING, &[]).good().changes(), [""; 0]);
}

#[test]
fn a_lost_answer_is_asked_for_again_and_nothing_is_written_twice() {
    let reference = Server::with(EVERYTHING);
    let (whole, revision) = (Lists::of(&reference), reference.revision());
    // While lists are read, while all is checked, while it is written.
    for request_bytes in [500, 6_000, 11_000, 14_000] {
        let server = Server::start();
        let (url, connections) = breaking_proxy(server.address(), request_bytes);
        let run = server.run_at(&url, &["apply", "-f", "-", "--actor", "maria"], EVERYTHING);
        assert_eq!(
            run.good().summary(),
            "44 documents: 44 created, 0 updated, 0 unchanged"
        );
        assert_eq!(
            connections.load(Ordering::SeqCst),
            2,
            "{request_bytes}: nothing was lost"
        );
        assert_eq!(Lists::of(&server), whole);
        assert_eq!(server.revision(), revision, "{request_bytes}");
    }
}

/// Carries connections to the server, but the first one breaks after it has carried requests of so many bytes, and no
/// answer to the last of them.
fn breaking_proxy(server: &str, request_bytes: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let connections = Arc::new(AtomicUsize::new(0));
    let (counter, server) = (Arc::clone(&connections), server.to_owned());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
            let up = TcpStream::connect(&server).expect("the server");
            carry(&client, &up, if first { request_bytes } else { usize::MAX });
        }
    });
    (url, connections)
}

fn carry(client: &TcpStream, server: &TcpStream, request_bytes: usize) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
    let sent = Arc::new(AtomicUsize::new(0));
    let (mut from, mut to, seen) = (clone(client), clone(server), Arc::clone(&sent));
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            seen.fetch_add(count, Ordering::SeqCst);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _closed = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (clone(server), clone(client));
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if sent.load(Ordering::SeqCst) > request_bytes {
                // Long enough for the server to have recorded it.
                std::thread::sleep(Duration::from_millis(500));
                break;
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _closed = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    });
}
