//! kill -9 of a client that keeps what it applied together with its token: one line a token, made durable before the next.
//!
//! The client is this program once more, see `be_the_client`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::company::{Clients, Pressure, scattered};
use crate::fault::{Seen, ended, press, provoke, until};
use crate::history::{Connection, Group};
use crate::host::patient_process;
use crate::killed_server::{served, today};
use crate::kinds::{KINDS, named};
use crate::subscriber::kind::Kind;
use crate::subscriber::{Subscriber, connect};
use crate::truth::{self, Evidence};

/// Begins the description of what a client is to do, in its environment.
const CLIENT: &str = "BINNACLE_PROMISES_CLIENT";
/// Any test that comes here: what is run once more.
const ENTRANCE: &str = "reliable::reliable_under_kill_9_of_the_client";
/// The kinds of which there is a client, by their place.
const CLIENTS: [usize; 3] = [0, 2, 4];
const KILLS: usize = 4;

/// What those who kill and those who write know of each other.
#[derive(Clone, Default)]
struct Course {
    kills: Arc<AtomicUsize>,
    /// Nobody writes any more.
    is_written: Arc<AtomicBool>,
}

/// What is applied and the token that it came with: kept together, or not at all.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    run: usize,
    after: Option<i64>,
    revision: i64,
    group: Group,
}

pub(crate) fn evidence() -> &'static Evidence {
    if let Ok(told) = std::env::var(CLIENT) {
        be_the_client(&told);
    }
    static SEEN: Seen = Seen::new();
    provoke(&SEEN, || run().boxed())
}

/// What a client does until it is killed: it reads what it has kept, and goes on behind it.
fn be_the_client(told: &str) -> ! {
    let mut told = told.splitn(3, '|');
    let mut next = || told.next().expect("kind, address and file");
    let (kind, address, file) = (named(next()), next().to_owned(), next().to_owned());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let lines = lines_of(Path::new(&file));
        let newest = lines
            .last()
            .map(|line| (line.group[line.group.len() - 1].token.clone(), line.revision));
        let run = lines.last().map_or(0, |line| line.run + 1);
        let mut kept = OpenOptions::new().append(true).open(&file).expect("the file");
        let mut subscriber = match newest {
            Some((token, revision)) => Subscriber::resuming(kind, token, revision),
            None => Subscriber::of(kind),
        };
        let channel = connect(&address, None).await.expect("a connection");
        let mut stream = subscriber.subscribe(&channel).await.expect("a stream");
        let mut known = 0;
        while subscriber
            .read(&mut stream)
            .await
            .expect("no fault of the server")
        {
            let connection = &subscriber.history.connections[0];
            for group in &connection.kept[known..] {
                let line = Line {
                    run,
                    after: connection.after,
                    revision: subscriber.position(),
                    group: group.clone(),
                };
                keep(&mut kept, &line);
            }
            known = connection.kept.len();
        }
    });
    panic!("the server ended the stream");
}

fn keep(file: &mut File, line: &Line) {
    let mut text = serde_json::to_string(line).expect("a line");
    text.push('\n');
    file.write_all(text.as_bytes()).expect("a line is written");
    file.sync_data().expect("a line is durable");
}

/// The whole lines of a file. What a kill has left of another one is cut off.
fn lines_of(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).expect("the file");
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    let open = OpenOptions::new().write(true).open(file).expect("the file");
    open.set_len(whole as u64).expect("the file is cut");
    parsed(&text[..whole])
}

fn parsed(text: &str) -> Vec<Line> {
    let line = |line: &str| serde_json::from_str(line).expect("a line of ours");
    text.lines().map(line).collect()
}

/// How many whole lines there are, and the revision of the newest. The client may be at work on the file.
fn progress(file: &Path) -> (usize, i64) {
    let text = std::fs::read_to_string(file).expect("the file");
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let newest = whole.lines().last().map(parsed).and_then(|mut lines| lines.pop());
    (whole.lines().count(), newest.map_or(-1, |line| line.revision))
}

fn start(kind: Kind, address: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", ENTRANCE, "--nocapture"])
        .env(CLIENT, format!("{kind}|{address}|{}", file.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("a client")
}

fn kill(client: &mut Child) {
    assert!(
        matches!(client.try_wait(), Ok(None)),
        "the client has ended by itself"
    );
    client.kill().expect("a client that can be killed");
    client.wait().expect("a client that has ended");
}

/// Kills a client again and again, until the last revision is known and in its file.
async fn kill_again_and_again(
    kind: Kind,
    address: String,
    dir: std::path::PathBuf,
    course: Course,
) -> Vec<Line> {
    let file = dir.join(kind.to_string().replace(' ', "-"));
    File::create(&file).expect("a file");
    for round in 1..=KILLS as u64 {
        let mut client = start(kind, &address, &file);
        let (before, _) = progress(&file);
        let moment = usize::try_from(scattered(round, kind.to_string().len() as u64) % 40 + 3)
            .expect("a small number");
        until("what the client keeps", || progress(&file).0 >= before + moment).await;
        kill(&mut client);
        course.kills.fetch_add(1, Ordering::SeqCst);
    }
    until("the end of the load", || course.is_written.load(Ordering::SeqCst)).await;
    let channel = connect(&address, None).await.expect("a connection");
    let last = truth::head(&channel).await;
    let mut client = start(kind, &address, &file);
    until("the last revision", || progress(&file).1 >= last).await;
    kill(&mut client);
    lines_of(&file)
}

fn run() -> BoxFuture<'static, Evidence> {
    async {
        let dir = TempDir::new().expect("a directory");
        let server = patient_process(&dir.path().join("server"), "127.0.0.1:0", &[]);
        let channel = served(&server).await;
        Clients::of(&channel).set_up(today()).await.expect("a company");
        let pressure = Pressure::default();
        let writers = press(&channel, 0..4, &pressure, u64::MAX);
        // Writers end behind the last kill, clients behind the last write.
        let course = Course::default();
        let killing: Vec<_> = CLIENTS
            .into_iter()
            .map(|place| {
                let dir = dir.path().to_owned();
                tokio::spawn(kill_again_and_again(
                    KINDS[place],
                    server.address.clone(),
                    dir,
                    course.clone(),
                ))
            })
            .collect();
        until("enough commands and every kill", || {
            pressure.answered.load(Ordering::SeqCst) >= 400
                && course.kills.load(Ordering::SeqCst) == CLIENTS.len() * KILLS
        })
        .await;
        pressure.over.store(true, Ordering::SeqCst);
        ended(writers).await;
        course.is_written.store(true, Ordering::SeqCst);
        let mut subscribers = Vec::new();
        for (client, place) in killing.into_iter().zip(CLIENTS) {
            let lines = client.await.expect("a client");
            subscribers.push(subscriber_of(KINDS[place], lines));
        }
        Evidence::of(subscribers, &channel).await
    }
    .boxed()
}

/// What a client's file says that it was told.
fn subscriber_of(kind: Kind, lines: Vec<Line>) -> Subscriber {
    let mut subscriber = Subscriber::of(kind);
    subscriber.picture = None;
    let mut connections: Vec<(usize, Connection)> = Vec::new();
    for line in lines {
        if connections.last().is_none_or(|(run, _)| *run != line.run) {
            let connection = Connection {
                after: line.after,
                ..Connection::default()
            };
            connections.push((line.run, connection));
        }
        let (_, connection) = connections.last_mut().expect("a connection");
        connection.kept.push(line.group);
    }
    subscriber.history.connections = connections
        .into_iter()
        .map(|(_, connection)| connection)
        .collect();
    subscriber
}
