//! What subscribers get and what they cost: the real server as a process of its own, and its clients beside it on the same
//! cores.
//!
//! `cargo bench --bench subscribe` prints each figure beside what was asked of it and writes `target/bench/subscribe.json`.
//! Behind `--` sections may be named, live, idle, beginning, writers or coalesced: only those run. `BINNACLE_BENCH_DIR` says
//! on which disk (default: below `target`), `BINNACLE_BENCH_SCALE` how long and how long a log (default 1; 0.1 for a quick look).
//! That every subscriber gets everything, in order, is checked and ends the run where it is not so; a figure that misses what
//! was asked is only printed. Machines differ and are noisy: who used the CPU is printed beside each figure.

#![allow(missing_docs)]

mod beginning;
mod idle;
mod live;
mod meter;
mod readers;
mod report;
mod server;
mod stream;
mod wire;
mod writer;
mod writers;

use std::path::PathBuf;
use std::time::Duration;

use report::Report;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long, and how long a log. How many subscribers there are is never scaled: it is what is asked about.
#[derive(Clone, Copy)]
struct Scale(f64);

impl Scale {
    fn seconds(self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds * self.0).max(0.5))
    }

    fn count(self, count: u64) -> u64 {
        // A part of a million is exact enough.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let scaled = (count as f64 * self.0) as u64;
        scaled.max(1000)
    }
}

fn main() {
    let scale = std::env::var("BINNACLE_BENCH_SCALE")
        .ok()
        .and_then(|scale| scale.parse().ok());
    let scale = Scale(scale.unwrap_or(1.0));
    let base = std::env::var_os("BINNACLE_BENCH_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let dir = tempfile::Builder::new()
        .prefix("bench-subscribe-")
        .tempdir_in(base)
        .expect("a directory on the disk");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    let sections: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let wanted = |section: &str| sections.is_empty() || sections.iter().any(|name| name == section);
    runtime.block_on(async {
        if wanted("live") {
            live::run(dir.path(), scale, &mut report).await;
        }
        if wanted("idle") {
            idle::run(dir.path(), scale, &mut report).await;
        }
        if wanted("beginning") {
            beginning::run(dir.path(), scale, &mut report).await;
        }
        if wanted("writers") {
            writers::run(dir.path(), scale, &mut report).await;
        }
        if wanted("coalesced") {
            live::run_coalesced(dir.path(), scale, &mut report).await;
        }
    });
    report.write();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
