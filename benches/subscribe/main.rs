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
#[path = "../common/mod.rs"]
mod common;
mod idle;
mod live;
mod meter;
mod readers;
mod report;
mod stream;
mod wire;
mod writer;
mod writers;

use common::Asked;
use report::Report;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // How many subscribers there are is never scaled: it is what is asked about.
    let asked = Asked::of("subscribe");
    let (dir, scale) = (asked.dir.path(), asked.scale);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    runtime.block_on(async {
        if asked.wants("live") {
            live::run(dir, scale, &mut report).await;
        }
        if asked.wants("idle") {
            idle::run(dir, scale, &mut report).await;
        }
        if asked.wants("beginning") {
            beginning::run(dir, scale, &mut report).await;
        }
        if asked.wants("writers") {
            writers::run(dir, scale, &mut report).await;
        }
        if asked.wants("coalesced") {
            live::run_coalesced(dir, scale, &mut report).await;
        }
    });
    report.write();
}
