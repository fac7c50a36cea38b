//! What the server's process holds while nobody reads: bounded by its settings, not by how much was written.

use tempfile::TempDir;

use crate::company::{Clients, Pressure};
use crate::fault::{ended, press};
use crate::killed_server::{served, today};
use crate::kinds::KINDS;
use crate::process::ServerProcess;
use crate::subscriber::{Subscriber, connect};

const READERS: usize = 200;
/// Bytes on the way to a reader.
const WINDOW: u32 = 16 * 1024;
/// Large batches: so many times 1.4 MB go by.
const LARGE_BATCHES: usize = 12;
const MIB: u64 = 1024 * 1024;
/// What the settings below allow: the streams' room, the ring, the backlog, what six audiences keep; for each connection the
/// transport's buffers; and for what was written the log's cache and the state, a few times its size.
const GROWTH_MAX: u64 =
    (16 + 4 + 16 + 6) * MIB + READERS as u64 * 256 * 1024 + 8 * LARGE_BATCHES as u64 * 2 * MIB;

/// The resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .expect("VmRSS");
    kib.parse::<u64>().expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_two_hundred_readers_do_not_read_is_not_kept_for_them() {
    let dir = TempDir::new().expect("a directory");
    let room = (16 * MIB).to_string();
    let settings = [
        "--subscriptions-bytes-max",
        &room,
        "--subscriber-stalled-s-max",
        "36000",
    ];
    let server = ServerProcess::start_at(dir.path(), "127.0.0.1:0", &settings);
    let channel = served(&server).await;
    let mut clients = Clients::of(&channel);
    clients.set_up(today()).await.expect("a company");
    let mut stopped = Vec::new();
    for index in 0..READERS {
        // Kinds that everything below is for.
        let kind = KINDS[[0, 1, 2, 4, 8][index % 5]];
        let connection = connect(&server.address, Some(WINDOW))
            .await
            .expect("a connection");
        let mut subscriber = Subscriber::of(kind);
        let stream = subscriber.subscribe(&connection).await.expect("a stream");
        stopped.push((subscriber, stream));
    }
    let before = resident(server.id());
    let pressure = Pressure::default();
    let writers = press(&channel, 0..4, &pressure, 100);
    for _ in 0..LARGE_BATCHES {
        clients.record_large_batch().await.expect("a batch");
    }
    ended(writers).await;
    let growth = resident(server.id()).saturating_sub(before);
    println!("{READERS} readers that have stopped: {} MiB more", growth / MIB);
    assert!(growth < GROWTH_MAX, "{growth} bytes more than before");
    assert_eq!(stopped.len(), READERS);
}
