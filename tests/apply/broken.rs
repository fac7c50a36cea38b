//! Runs that break: an answer that is lost, a program that is killed.

use std::sync::mpsc;
use std::time::Duration;

use crate::lists::Lists;
use crate::process::WAIT;
use crate::proxy::{Fault, Proxy};
use crate::server::Server;

const EVERYTHING: &str = include_str!("everything.yaml");
/// Behind so many bytes of requests everything is read and checked, and is being written.
const WRITING_BYTES: usize = 11_000;

#[test]
fn a_run_that_was_killed_is_run_again_for_the_rest() {
    let whole = Lists::of(&Server::with(EVERYTHING));
    let server = Server::start();
    server.write("all.yaml", EVERYTHING);
    // It cannot end: in the middle of its writes the server hears no more of it.
    let (begins, has_begun) = mpsc::channel();
    let proxy = Proxy::start(server.address(), WRITING_BYTES, Fault::Stalls(begins));
    let mut killed = server.spawn_at(&proxy.url, &["apply", "-f", "all.yaml", "--actor", "maria"]);
    has_begun.recv_timeout(WAIT).expect("it writes");
    assert!(
        server.revision() >= 15,
        "it has not written enough to be killed in the middle"
    );
    assert!(
        killed.try_wait().expect("a process").is_none(),
        "it ended before it was killed"
    );
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
    for (request_bytes, writes) in [
        (500, false),
        (6_000, false),
        (WRITING_BYTES, true),
        (14_000, true),
    ] {
        let server = Server::start();
        let fault = match writes {
            true => Fault::BreaksBehindRecord(server.revisions()),
            // While lists are read, and while all is checked.
            false => Fault::Breaks(Duration::from_millis(500)),
        };
        let proxy = Proxy::start(server.address(), request_bytes, fault);
        let run = server.run_at(&proxy.url, &["apply", "-f", "-", "--actor", "maria"], EVERYTHING);
        assert_eq!(
            run.good().summary(),
            "44 documents: 44 created, 0 updated, 0 unchanged"
        );
        assert_eq!(proxy.connections(), 2, "{request_bytes}: nothing was lost");
        assert_eq!(Lists::of(&server), whole);
        assert_eq!(server.revision(), revision, "{request_bytes}");
    }
}
