//! What the server's process holds while nobody reads: bounded by its settings, not by how much was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use binnacle::proto::api;
use tempfile::TempDir;

use crate::company::{Clients, Pressure};
use crate::fault::{ended, press};
use crate::host::patient_process;
use crate::killed_server::{served, today};
use crate::kinds::{KINDS, named};
use crate::subscriber::{connect, subscribe};

const READERS: usize = 200;
/// Bytes on the way to a reader.
const WINDOW: u32 = 16 * 1024;
/// Large batches: so many times 1.4 MB go by.
const LARGE_BATCHES: u64 = 12;
const MIB: u64 = 1024 * 1024;
/// What the settings below allow: the streams' room, the ring, the backlog, what audiences keep that have several readers; for
/// each connection the transport's buffers; and for what was written the log's cache and the state, a few times its size.
const fn growth_max(large_batches: u64) -> u64 {
    (16 + 4 + 16 + 6) * MIB + READERS as u64 * 256 * 1024 + 8 * large_batches * 2 * MIB
}

/// The resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .expect("VmRSS");
    kib.parse::<u64>().expect("a number") * 1024
}

/// The most that a process holds while something is done, in bytes.
async fn peak_during(process: u32, something: impl Future<Output = ()>) -> u64 {
    let is_over = Arc::new(AtomicBool::new(false));
    let sampling = std::thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || {
            let mut peak = resident(process);
            while !is_over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
                peak = peak.max(resident(process));
            }
            peak
        }
    });
    something.await;
    is_over.store(true, Ordering::SeqCst);
    sampling.join().expect("a process that lives")
}

/// How much more a server holds at most when readers have stopped, and much is written, in bytes. Readers that have stopped are
/// ended after a while where there is a crowd: it is the most that counts, and not what is held in the end.
async fn growth(asks: impl Fn(usize) -> api::SubscribeRequest, large_batches: u64) -> u64 {
    let dir = TempDir::new().expect("a directory");
    let room = (16 * MIB).to_string();
    let settings = [
        "--subscriptions-bytes-max",
        &room,
        "--subscriber-stalled-s-max",
        "36000",
    ];
    let server = patient_process(dir.path(), "127.0.0.1:0", &settings);
    let channel = served(&server).await;
    let mut clients = Clients::of(&channel);
    clients.set_up(today()).await.expect("a company");
    let mut stopped = Vec::new();
    for index in 0..READERS {
        let connection = connect(&server.address, Some(WINDOW))
            .await
            .expect("a connection");
        stopped.push(subscribe(&connection, asks(index)).await.expect("a stream"));
    }
    let before = resident(server.id());
    let load = async {
        let writers = press(&channel, 0..4, &Pressure::default(), 100);
        for _ in 0..large_batches {
            clients.record_large_batch().await.expect("a batch");
        }
        ended(writers).await;
    };
    let growth = peak_during(server.id(), load).await.saturating_sub(before);
    println!("{READERS} readers that have stopped: {} MiB more", growth / MIB);
    assert_eq!(stopped.len(), READERS);
    growth
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_two_hundred_readers_do_not_read_is_not_kept_for_them() {
    // Kinds that everything written is for.
    let asks = |index: usize| KINDS[[0, 1, 2, 4, 8][index % 5]].request(None);
    let growth = growth(asks, LARGE_BATCHES).await;
    assert!(
        growth < growth_max(LARGE_BATCHES),
        "{growth} bytes more than before"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_for_each_of_two_hundred_readers_alone_is_not_kept_for_them_either() {
    // Of one large batch alone, each for itself has 1.4 MB.
    let asks = |index: usize| {
        let names = [
            "workspaces/acme/kpis/*".to_owned(),
            format!("workspaces/acme/kpis/of-{index}"),
        ];
        let mut request = named("everything, from the beginning").request(None);
        request.filter.get_or_insert_default().names = names.into();
        request
    };
    let growth = growth(asks, 2).await;
    assert!(growth < growth_max(2), "{growth} bytes more than before");
}
