//! Points alone: what one costs to record and to keep, in order and in any order, beside a `BTreeMap`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use binnacle::domain::{Revision, Series, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Points of all series together.
const POINTS: usize = 2_000_000;
/// How many series share them.
const SERIES: usize = 100;
/// How many points come for one series in a row.
const BATCH: usize = 1000;

/// The points: series, milliseconds, revision.
type Load = fn(usize) -> (usize, i64, u64);

/// What keeping the points cost one process.
#[derive(Clone, Copy, Deserialize, Serialize)]
struct Cost {
    record_ns: f64,
    bytes_a_point: f64,
    read_ns: f64,
}

const LOADS: [(&str, Load); 3] = [
    ("in order, batches", in_order),
    ("newest first", newest_first),
    ("in random order", in_random_order),
];

pub(crate) fn run(report: &mut Map<String, Value>) {
    println!(
        "                     record ns   BTreeMap ns     ×   bytes a point   BTreeMap     ×   read ns a point"
    );
    for (number, (name, _)) in LOADS.iter().enumerate() {
        let (series, map) = (in_a_process(number, "series"), in_a_process(number, "map"));
        println!(
            "{name:<18} {:>11.0} {:>13.0} {:>5.1} {:>15.1} {:>10.1} {:>5.1} {:>17.1}",
            series.record_ns,
            map.record_ns,
            series.record_ns / map.record_ns,
            series.bytes_a_point,
            map.bytes_a_point,
            series.bytes_a_point / map.bytes_a_point,
            series.read_ns
        );
        let name = name.replace([' ', ','], "_");
        report.insert(name, json!({ "series": series, "btree_map": map }));
    }
}

/// Measures in a process of its own: what another measurement has freed would be used again, and look like nothing.
fn in_a_process(load: usize, keeper: &str) -> Cost {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--points", &load.to_string(), keeper])
        .output()
        .expect("its output");
    serde_json::from_slice(&output.stdout).expect("a cost")
}

/// What such a process does: prints a cost.
pub(crate) fn measure(load: &str, keeper: &str) {
    let (_, load) = LOADS[load.parse::<usize>().expect("the number of a load")];
    let cost = match keeper {
        "series" => of_series(load),
        _ => of_map(load),
    };
    println!("{}", serde_json::to_string(&cost).expect("JSON"));
}

fn of_series(load: Load) -> Cost {
    let before = resident_bytes();
    let mut all = vec![Series::default(); SERIES];
    let record_ns = timed(|| {
        for at in 0..POINTS {
            let (series, ms, revision) = load(at);
            let time = Timestamp::from_micros(ms * 1000);
            all[series].record(time, "", at as f64, Revision(revision));
        }
    });
    let bytes_a_point = (resident_bytes() - before) / POINTS as f64;
    let read_ns = timed(|| {
        for series in &all {
            black_box(series.points().map(|point| point.value()).sum::<f64>());
        }
    });
    Cost {
        record_ns,
        bytes_a_point,
        read_ns,
    }
}

fn of_map(load: Load) -> Cost {
    let before = resident_bytes();
    let mut maps: Vec<BTreeMap<(i64, u64), (f64, u64)>> = vec![BTreeMap::new(); SERIES];
    let record_ns = timed(|| {
        for at in 0..POINTS {
            let (series, ms, revision) = load(at);
            maps[series].insert((ms * 1000, 0), (at as f64, revision));
        }
    });
    let bytes_a_point = (resident_bytes() - before) / POINTS as f64;
    let read_ns = timed(|| {
        for map in &maps {
            black_box(map.values().map(|(value, _)| value).sum::<f64>());
        }
    });
    Cost {
        record_ns,
        bytes_a_point,
        read_ns,
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
