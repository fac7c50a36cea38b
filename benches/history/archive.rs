//! An archive of the whole log: taking it from the server, and verifying it, beside hashing the same file.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::common::median;
use crate::filled::Filled;
use crate::report::Report;

/// So often; the median is reported.
const ROUNDS: usize = 3;

pub(crate) fn run(filled: &Filled, dir: &Path, report: &mut Report) {
    let archive = dir.join("archive");
    let (server, file) = (
        format!("http://{}", filled.server.address),
        archive.to_string_lossy().into_owned(),
    );
    let commits = filled.head as f64;
    let took = program(&["backup", "--server", &server, "-o", &file]);
    report.figure("backup", commits / took, "commits/s", "");
    let key = dir.join("filled/checkpoint.pub").to_string_lossy().into_owned();
    let (mut verified, mut hashed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        verified.push(commits / program(&["verify", "--public-key", &key, &file]));
        let begun = Instant::now();
        let bytes = std::fs::read(&archive).expect("the archive");
        assert_eq!(Sha256::digest(&bytes).len(), 32);
        hashed.push(commits / begun.elapsed().as_secs_f64());
    }
    let (verified, hashed) = (median(verified), median(hashed));
    report.figure("verify", verified, "events/s", "at least 500,000 events/s");
    report.figure("reading and hashing the same file once", hashed, "events/s", "");
    report.figure("verify ÷ hashing once", verified / hashed, "", "");
    println!();
}

/// Seconds that a run of the program takes.
fn program(args: &[&str]) -> f64 {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .args(args)
        .output()
        .expect("the program");
    let took = begun.elapsed().as_secs_f64();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    took
}
