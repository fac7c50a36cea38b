//! What a durable call costs, beside what any call costs: the real server on a real disk, and in the same run a bare
//! tonic echo of the same payload and a loop of append and fdatasync on the same disk.
//!
//! `cargo bench --bench grpc` prints tables and writes `target/bench/grpc.json`. `BINNACLE_BENCH_DIR` says on which disk
//! (default: below `target`), `BINNACLE_BENCH_SCALE` how long and how much (default 1; 0.1 for a quick look). Behind `--` a
//! section may be named, load, ingest or store: only that one runs. Machines differ and are noisy: quote the ratios.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod echo;
mod ingest;
mod load;
mod report;
mod store;

use common::Asked;
use report::Report;

fn main() {
    if let Some(address) = std::env::args().skip_while(|arg| arg != "--echo-server").nth(1) {
        return echo::serve(&address);
    }
    let asked = Asked::of("grpc");
    let (dir, scale) = (asked.dir.path(), asked.scale);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    if asked.wants("load") {
        runtime.block_on(load::run(dir, scale, &mut report));
    }
    if asked.wants("ingest") {
        runtime.block_on(ingest::run(dir, scale, &mut report));
    }
    if asked.wants("store") {
        runtime.block_on(store::run(dir, scale, &mut report));
    }
    report.write();
}
