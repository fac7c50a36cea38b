//! What the past costs: a workspace with a million commits of one event each, read as of any moment, listed, proven, taken as an
//! archive and verified, over a real server as a process of its own; and what the tree adds to a commit.
//!
//! `cargo bench --bench history` prints each figure beside what was asked of it and beside a baseline of the same run, and
//! writes `target/bench/history.json`. Behind `--` sections may be named, reads, archive or recording: only those run.
//! `BINNACLE_BENCH_DIR` says on which disk (default: below `target`), `BINNACLE_BENCH_SCALE` how long a log (default 1; 0.1 for a
//! quick look). Answers are checked and end the run where they are wrong; a figure that misses what was asked is only printed.

#![allow(missing_docs)]

mod archive;
#[path = "../common/mod.rs"]
mod common;
mod filled;
mod reads;
mod recording;
mod report;

use common::Asked;
use report::Report;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let asked = Asked::of("history");
    let (dir, scale) = (asked.dir.path(), asked.scale);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    if asked.wants("reads") || asked.wants("archive") {
        runtime.block_on(async {
            let filled = filled::Filled::new(&dir.join("filled"), scale).await;
            report.remark(&filled.remark);
            if asked.wants("reads") {
                reads::run(&filled, &mut report).await;
            }
            if asked.wants("archive") {
                archive::run(&filled, dir, &mut report);
            }
        });
    }
    if asked.wants("recording") {
        recording::run(dir, scale, &runtime, &mut report);
    }
    report.write();
}
