//! Points alone: what one costs to record and to keep, in order and in any order, beside a `BTreeMap`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use binnacle::domain::{Revision, Series, Timestamp};
use serde_json::{Map, Value, json};

/// Points of all series together.
const POINTS: usize = 2_000_000;
/// How many series share them.
const SERIES: usize = 100;
/// How many points come for one series in a row.
const BATCH: usize = 1000;

/// The points: series, milliseconds, revision.
type Load = fn(usize) -> (usize, i64, u64);

pub(crate) fn run(report: &mut Map<String, Value>) {
    println!(
        "                     record ns   BTreeMap ns     ×   bytes a point   BTreeMap     ×   read ns a point"
    );
    let loads: [(&str, Load); 3] = [
        ("in order, batches", in_order),
        ("newest first", newest_first),
        ("in random order", in_random_order),
    ];
    for (name, load) in loads {
        let before = resident_bytes();
        let mut all = vec![Series::default(); SERIES];
        let record = timed(|| {
            for at in 0..POINTS {
                let (series, ms, revision) = load(at);
                all[series].record(
                    Timestamp::from_micros(ms * 1000),
                    "",
                    at as f64,
                    Revision(revision),
                );
            }
        });
        let bytes = (resident_bytes() - before) / POINTS as f64;
        let read = timed(|| {
            for series in &all {
                black_box(series.points().map(|point| point.value()).sum::<f64>());
            }
        });
        drop(all);
        let before = resident_bytes();
        let mut maps: Vec<BTreeMap<(i64, u64), (f64, u64)>> = vec![BTreeMap::new(); SERIES];
        let insert = timed(|| {
            for at in 0..POINTS {
                let (series, ms, revision) = load(at);
                maps[series].insert((ms * 1000, 0), (at as f64, revision));
            }
        });
        let map_bytes = (resident_bytes() - before) / POINTS as f64;
        drop(maps);
        println!(
            "{name:<18} {record:>11.0} {insert:>13.0} {:>5.1} {bytes:>15.1} {map_bytes:>10.1} {:>5.1} {read:>17.1}",
            record / insert,
            bytes / map_bytes
        );
        report.insert(
            name.replace([' ', ','], "_"),
            json!({
                "record_ns": record,
                "btree_map_insert_ns": insert,
                "bytes_a_point": bytes,
                "btree_map_bytes_a_point": map_bytes,
                "read_ns_a_point": read,
            }),
        );
    }
}

fn in_order(at: usize) -> (usize, i64, u64) {
    let batch = at / BATCH;
    (batch % SERIES, 1_600_000_000_000 + at as i64, batch as u64)
}

fn newest_first(at: usize) -> (usize, i64, u64) {
    let (series, ms, revision) = in_order(at);
    (series, 3_200_000_000_000 - ms, revision)
}

fn in_random_order(at: usize) -> (usize, i64, u64) {
    // An odd number permutes what is counted modulo a power of two.
    let shuffled = at.wrapping_mul(0x9E37_79B1) % POINTS.next_power_of_two();
    let (series, _, revision) = in_order(at);
    (series, 1_600_000_000_000 + shuffled as i64, revision)
}

/// Nanoseconds a point.
fn timed(run: impl FnOnce()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_nanos() as f64 / POINTS as f64
}

fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("its status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number");
    kib * 1024.0
}
