//! kill -9 of the real server, under load and during its start, again and again on one data directory.
//!
//! A kill comes at a number of answers or at a moment of the start that can be seen from outside, never after a pause.

mod faults;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use faults::follower::Follower;
use faults::invariants::{
    check_all, invariant_a_followed_stream_is_the_log, invariant_a_retry_answers_its_first_revision,
};
use faults::load::{Load, Sent, Shape, retry};
use faults::store::{Store, read};
use faults::{connect, set_up, wait_until_serving};
use tempfile::TempDir;
use tonic::transport::Channel;

const WRITERS: usize = 8;
/// After how many answers the kill of each round comes.
const KILL_AFTER: [usize; 5] = [7, 150, 1, 60, 300];
const SHAPES: &[Shape] = &[shape(1, false), shape(5, true), shape(1, true), shape(5, false)];
/// Upper bound of a wait for a line of the log: a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

const fn shape(measurements: usize, with_request_id: bool) -> Shape {
    Shape {
        measurements,
        note_chars: 0,
        with_request_id,
    }
}

/// The real binary.
struct Server {
    process: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Server {
    fn spawn(data_dir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_binnacle"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log-format",
                "json",
                // A command that waits long for a slow disk is not refused: that would not be what the load is about.
                "--queue-wait-ms-max",
                "600000",
                "--data-dir",
            ])
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a server");
        let stderr = process.stderr.take().expect("its standard error");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Who killed the server does not listen any more.
                let _gone = sender.send(line);
            }
        });
        Self {
            process,
            lines,
            said: Vec::new(),
        }
    }

    /// The fields of the first log line with this message.
    fn wait_for(&mut self, message: &str) -> serde_json::Value {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let fields = serde_json::from_str(&line)
                        .map_or(serde_json::Value::Null, |line: serde_json::Value| {
                            line["fields"].clone()
                        });
                    self.said.push(line);
                    if fields["message"] == message {
                        return fields;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the server never said {message:?}; it said {:#?}", self.said)
                }
            }
        }
    }

    /// Starts one, and waits until it serves.
    async fn start(data_dir: &Path) -> (Self, String) {
        let mut server = Self::spawn(data_dir);
        let address = server.wait_for("listening")["address"]
            .as_str()
            .expect("an address")
            .to_owned();
        server.wait_for("the log is replayed");
        assert!(
            wait_until_serving(&address).await,
            "the server does not serve: {:#?}",
            server.said
        );
        (server, address)
    }

    /// kill -9.
    fn kill(&mut self) {
        self.process.kill().expect("a process that can be killed");
        self.process.wait().expect("a process that has ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is dead already, unless a test has failed.
        let _dead = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn check(verdict: Result<(), String>, round: usize) {
    if let Err(violated) = verdict {
        panic!("round {round}: {violated}");
    }
}

/// Puts load on a server and kills it with the answer number `kill_after`.
async fn load_until_killed(server: Server, address: &str, round: usize, kill_after: usize) -> Vec<Sent> {
    let server = Mutex::new(server);
    let answers = AtomicUsize::new(0);
    let settled = move |sent: &Sent| {
        if sent.answered.is_some() && answers.fetch_add(1, Ordering::SeqCst) + 1 == kill_after {
            server.lock().expect("the server").kill();
        }
    };
    let load = Load {
        address: address.to_owned(),
        tag: format!("r{round}"),
        writers: WRITERS,
        commands_per_writer_max: usize::MAX,
        shapes: SHAPES,
        settled: Arc::new(settled),
    };
    load.run().await
}

/// Follows until the server is gone. A server that is killed says nothing on its own.
async fn follow_until_killed(mut follower: Follower, channel: Channel) -> Follower {
    let ended = follower
        .follow(&channel, i64::MAX)
        .await
        .expect_err("the end of the server");
    assert!(
        matches!(
            ended.code(),
            tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Internal
        ),
        "the stream was refused: {ended}"
    );
    follower
}

async fn read_all(channel: &Channel) -> Store {
    read(channel).await.expect("everything that is stored")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_answered_survives_kill_9_whole_once_and_in_order_also_for_retries_and_subscribers() {
    let dir = TempDir::new().expect("a directory");
    let (mut server, mut address) = Server::start(dir.path()).await;
    set_up(&connect(&address).await.expect("a connection"))
        .await
        .expect("a workspace");
    let mut sent: Vec<Sent> = Vec::new();
    let mut follower = Follower::default();
    for (round, kill_after) in (1..).zip(KILL_AFTER) {
        let channel = connect(&address).await.expect("a connection");
        let following = tokio::spawn(follow_until_killed(follower, channel));
        let mut of_round = load_until_killed(server, &address, round, kill_after).await;
        follower = following.await.expect("a follower");

        (server, address) = Server::start(dir.path()).await;
        let channel = connect(&address).await.expect("a connection");
        let store = read_all(&channel).await;
        let answered = of_round.iter().filter(|sent| sent.answered.is_some()).count();
        assert!(answered >= kill_after, "round {round}: {answered} answers");
        sent.append(&mut of_round);
        check(check_all(&sent, &store), round);
        check(invariant_a_followed_stream_is_the_log(&follower, &store), round);

        let again = retry(&sent, &channel).await.expect("answers to retries");
        check(invariant_a_retry_answers_its_first_revision(&sent, &again), round);
        let lost = sent.iter().filter(|sent| sent.answered.is_none()).count();
        sent = again;
        let store = read_all(&channel).await;
        check(check_all(&sent, &store), round);

        follower
            .follow(&channel, store.head)
            .await
            .expect("the rest of the stream");
        check(invariant_a_followed_stream_is_the_log(&follower, &store), round);
        assert_eq!(
            follower.seen.len(),
            store.commits.len(),
            "round {round}: the stream misses a commit"
        );
        println!(
            "round {round}: killed at answer {kill_after}: {answered} answers kept, {lost} commands without one, head {}",
            store.head
        );
    }
    server.kill();
}

/// A moment of a start.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The server has said this.
    Line(&'static str),
    /// There is a file in the store whose name begins so.
    File(&'static str),
}

const MOMENTS: [Moment; 7] = [
    Moment::File(""),
    Moment::File("conf"),
    Moment::File("db"),
    Moment::File("snap."),
    Moment::Line("listening"),
    Moment::Line("opened the log"),
    Moment::Line("the log is replayed"),
];

/// Starts a server and kills it at a moment. A start that does not have the moment is killed when it is complete.
fn kill_a_start(data_dir: &Path, moment: Moment) {
    let mut server = Server::spawn(data_dir);
    match moment {
        Moment::Line(message) => {
            server.wait_for(message);
        }
        Moment::File(beginning) => {
            let store = data_dir.join("store");
            let there = || {
                std::fs::read_dir(&store).is_ok_and(|mut files| match beginning {
                    "" => true,
                    _ => files.any(|file| {
                        file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with(beginning))
                    }),
                })
            };
            while !there()
                && !server
                    .said
                    .iter()
                    .any(|line| line.contains("the log is replayed"))
            {
                server.said.extend(server.lines.try_iter());
                assert!(
                    matches!(server.process.try_wait(), Ok(None)),
                    "the start failed: {:#?}",
                    server.said
                );
            }
        }
    }
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_was_killed_is_followed_by_one_that_needs_no_help() {
    let dir = TempDir::new().expect("a directory");
    let mut sent = Vec::new();
    for (round, moment) in (1..).zip(MOMENTS) {
        // The first start of all, each time in a new directory.
        let first = TempDir::new().expect("a directory");
        kill_a_start(first.path(), moment);
        let (mut server, _) = Server::start(first.path()).await;
        server.kill();

        // A start on what a kill under load has left, killed twice at the same moment.
        let (server, address) = Server::start(dir.path()).await;
        set_up(&connect(&address).await.expect("a connection"))
            .await
            .expect("a workspace");
        sent.extend(load_until_killed(server, &address, round, 40).await);
        kill_a_start(dir.path(), moment);
        kill_a_start(dir.path(), moment);
        let (mut server, address) = Server::start(dir.path()).await;
        let store = read_all(&connect(&address).await.expect("a connection")).await;
        check(check_all(&sent, &store), round);
        server.kill();
    }
}
