//! What a measurement costs in memory and on disk, and how fast a start replays them.

use std::path::Path;

use binnacle::domain::Revision;
use binnacle::log::{EventLog, SledLog};
use serde_json::json;

use crate::common::server::Server;
use crate::common::{Scale, prepare};
use crate::load;
use crate::report::Report;

const KPIS: u64 = 100;

pub(crate) async fn run(dir: &Path, scale: Scale, report: &mut Report) {
    batches(&dir.join("batches"), scale, report).await;
    singles(&dir.join("singles"), scale, report).await;
}

/// Batches of 1,000: memory and disk per measurement, and the replay of them.
async fn batches(data_dir: &Path, scale: Scale, report: &mut Report) {
    let count = scale.count(2_000_000) / 1000;
    let server = Server::start(data_dir);
    prepare(&server.channel().await, KPIS).await;
    let before = server.resident_bytes();
    let took = load::record_batches(&server, count, KPIS, 16).await;
    let measurements = (count * 1000) as f64;
    let resident = (server.resident_bytes() - before) as f64 / measurements;
    let rate = measurements / took.as_secs_f64();
    println!("batches of 1,000, 16 in flight: {rate:.0} measurements/s, durable");
    println!("resident: {resident:.1} bytes a measurement ({measurements:.0} recorded)");
    report.set("batch_measurements_per_s", json!(rate));
    report.set("resident_bytes_per_measurement", json!(resident));
    drop(server);
    let disk = disk_to_records(data_dir);
    println!("on disk: {disk:.2} × the bytes of the records");
    report.set("disk_to_record_bytes_batches", json!(disk));
    let replay = replay(data_dir);
    println!("replay after kill -9, batches: {replay:.0} events/s\n");
    report.set("replay_events_per_s_batches", json!(replay));
}

/// One measurement a commit: what a commit adds, and the hardest replay.
async fn singles(data_dir: &Path, scale: Scale, report: &mut Report) {
    let count = scale.count(500_000);
    let server = Server::start(data_dir);
    prepare(&server.channel().await, KPIS).await;
    // What live readers share and the log's page cache fill up once and stay: not a cost of each commit.
    load::record_singles(&server, scale.count(50_000), 256).await;
    let before = server.resident_bytes();
    load::record_singles(&server, count, 256).await;
    let after = server.resident_bytes();
    let resident = after.saturating_sub(before) as f64 / count as f64;
    println!("resident: {resident:.1} bytes a commit of one measurement ({count} recorded)");
    report.set("resident_bytes_per_single_commit", json!(resident));
    drop(server);
    let disk = disk_to_records(data_dir);
    println!("on disk: {disk:.2} × the bytes of the records");
    report.set("disk_to_record_bytes_singles", json!(disk));
    let replay = replay(data_dir);
    println!("replay after kill -9, one event a commit: {replay:.0} events/s");
    report.set("replay_events_per_s_singles", json!(replay));
}

/// Events a second at the start behind a kill -9, as the server says; the best of three, as the first reads the disk.
fn replay(data_dir: &Path) -> f64 {
    (0..3)
        .map(|_| {
            let replayed = Server::start(data_dir).replayed.clone();
            replayed["events"].as_f64().expect("events") / replayed["seconds"].as_f64().expect("seconds")
        })
        .fold(0.0, f64::max)
}

fn disk_to_records(data_dir: &Path) -> f64 {
    let on_disk = directory_bytes(data_dir);
    let log = SledLog::open(data_dir.join("store")).expect("the log");
    let heads = log.heads().expect("its heads");
    let records: usize = heads
        .keys()
        .flat_map(|id| log.read(*id, Revision::ZERO))
        .map(|record| record.expect("a record").bytes.len())
        .sum();
    on_disk as f64 / records as f64
}

fn directory_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("its metadata");
            if metadata.is_dir() {
                directory_bytes(&entry.path())
            } else {
                metadata.len()
            }
        })
        .sum()
}
