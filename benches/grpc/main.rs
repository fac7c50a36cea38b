//! What a durable call costs, beside what any call costs: the real server on a real disk, and in the same run a bare
//! tonic echo of the same payload and a loop of append and fdatasync on the same disk.
//!
//! `cargo bench --bench grpc` prints tables and writes `target/bench/grpc.json`. `BINNACLE_BENCH_DIR` says on which disk
//! (default: below `target`), `BINNACLE_BENCH_SCALE` how long and how much (default 1; 0.1 for a quick look). Behind `--` a
//! section may be named, load, ingest or store: only that one runs. Machines differ and are noisy: quote the ratios.

#![allow(missing_docs)]

mod echo;
mod ingest;
mod load;
mod report;
mod store;

use std::path::PathBuf;
use std::time::Duration;

use report::Report;

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Scale(f64);

impl Scale {
    fn seconds(self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds * self.0).max(0.2))
    }

    fn count(self, count: u64) -> u64 {
        // A part of a million is exact enough.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let scaled = (count as f64 * self.0) as u64;
        scaled.max(1000)
    }
}

fn main() {
    if let Some(address) = std::env::args().skip_while(|arg| arg != "--echo-server").nth(1) {
        return echo::serve(&address);
    }
    let scale = Scale(
        std::env::var("BINNACLE_BENCH_SCALE")
            .ok()
            .and_then(|s| s.parse().ok())
            .unwrap_or(1.0),
    );
    let base = std::env::var_os("BINNACLE_BENCH_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let dir = tempfile::Builder::new()
        .prefix("bench-grpc-")
        .tempdir_in(base)
        .expect("a directory on the disk");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    let sections: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let wanted = |section: &str| sections.is_empty() || sections.iter().any(|name| name == section);
    if wanted("load") {
        runtime.block_on(load::run(dir.path(), scale, &mut report));
    }
    if wanted("ingest") {
        runtime.block_on(ingest::run(dir.path(), scale, &mut report));
    }
    if wanted("store") {
        runtime.block_on(store::run(dir.path(), scale, &mut report));
    }
    report.write();
}
