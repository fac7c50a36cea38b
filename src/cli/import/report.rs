//! What the person who imports is told: bad rows by file and line, a refusal of the server, the summary.

use std::collections::BTreeSet;

use tonic::Status;

use super::batch;
use super::gather::Gathered;
use super::send::{Counts, Refused};
use super::settle::Settled;
use crate::cli::words::{counted, failure, tell};
use crate::cli::{Failure, FailureKind};
use crate::domain::Id;

/// The most bad rows that are shown.
const SHOWN_MAX: usize = 20;

/// Shows bad rows, if there are any.
pub(super) fn refuse_if_bad(gathered: &Gathered) -> Result<(), Failure> {
    let faults = gathered.faults();
    if faults.is_empty() {
        return Ok(());
    }
    show(&faults, faults.len());
    let lines = match gathered.bad_lines() {
        1 => "1 line is".to_owned(),
        lines => format!("{lines} lines are"),
    };
    let sentence = format!("nothing was written: {lines} wrong; correct them and run it again");
    Err(Failure::new(FailureKind::Usage, sentence))
}

/// Shows what was skipped, if anything was; the rest is done.
pub(super) fn skipped(gathered: &Gathered, done: &str) -> Result<(), Failure> {
    let count = gathered.bad_count();
    if count == 0 {
        return Ok(());
    }
    let faults = gathered.faults();
    show(&faults, faults.len());
    let sentence = format!(
        "{}; the rest {done}",
        match count {
            1 => "1 bad row or value was skipped".to_owned(),
            count => format!("{count} bad rows or values were skipped"),
        }
    );
    Err(Failure::new(FailureKind::Partly, sentence))
}

/// Shows what the server refused by file and line, and says what is recorded nevertheless.
pub(super) fn refusal(
    gathered: &Gathered,
    measurements: usize,
    all: &[Refused],
    first: &Refused,
    counts: Counts,
    created: usize,
) -> Failure {
    let mut faults = Vec::new();
    for refused in all {
        for (place, sentence) in batch::refused_places(&refused.status, &refused.batch.places) {
            let sentence = batch::with_places(&sentence, &refused.batch.places, |place| gathered.at(place));
            faults.push(format!("{}: {sentence}", gathered.at(place)));
        }
    }
    let refused_count = all
        .iter()
        .map(|refused| batch::refused_count(&refused.status))
        .sum();
    show(&faults, faults.len().max(refused_count));
    let written = match (counts.sum(), created) {
        (0, 0) => "nothing was written".to_owned(),
        (sent, _) => format!(
            "{sent} of {measurements} measurements are recorded and {} created; run it again when it is mended, what is recorded counts as unchanged",
            counted(created, "KPI")
        ),
    };
    let message = batch::with_places(first.status.message(), &first.batch.places, |place| {
        gathered.at(place)
    });
    failure(&Status::new(first.status.code(), message), &written)
}

pub(in crate::cli) fn show(faults: &[String], count: usize) {
    let shown = &faults[..faults.len().min(SHOWN_MAX)];
    for fault in shown {
        tell(fault);
    }
    if count > shown.len() {
        tell(&format!("and {} more", count - shown.len()));
    }
}

/// What would be sent.
pub(super) fn would_send(gathered: &Gathered, settled: &Settled, batches: usize, missing: &[Id]) -> String {
    let kpis: BTreeSet<&Id> = settled.kpis().collect();
    format!(
        "{}: would send {} of {} in {batches} {}, and create {}{}",
        rows_read(gathered, settled),
        counted(settled.measurements.len(), "measurement"),
        counted(kpis.len(), "KPI"),
        if batches == 1 { "batch" } else { "batches" },
        counted(missing.len(), "KPI"),
        listed(missing),
    )
}

/// What was sent.
pub(super) fn sent(gathered: &Gathered, settled: &Settled, counts: Counts, created: usize) -> String {
    format!(
        "{}: {} recorded, {} superseded, {} unchanged; {} created",
        rows_read(gathered, settled),
        counts.recorded,
        counts.superseded,
        counts.unchanged,
        counted(created, "KPI")
    )
}

/// How many rows there were, and which of them, or of their values, do not count.
fn rows_read(gathered: &Gathered, settled: &Settled) -> String {
    let mut said = counted(gathered.rows_read, "row");
    if gathered.is_wide() {
        let values = settled.measurements.len() + settled.duplicates;
        said += &format!(" with {}", counted(values, "value"));
    }
    said += " read";
    if settled.duplicates > 0 {
        said += &format!(" ({} of them repeat another)", settled.duplicates);
    }
    for (count, why) in [
        (gathered.rows_left_out, "left out by --where"),
        (gathered.blanks, "without a value left out"),
        (gathered.bad_count(), "bad skipped"),
    ] {
        if count > 0 {
            said += &format!(", {count} {why}");
        }
    }
    said
}

/// A list of ids behind a sentence.
fn listed(ids: &[Id]) -> String {
    let shown: Vec<_> = ids.iter().take(SHOWN_MAX).map(Id::as_str).collect();
    match (shown.len(), ids.len()) {
        (0, _) => String::new(),
        (shown_count, count) if shown_count < count => {
            format!(": {}, and {} more", shown.join(", "), count - shown_count)
        }
        _ => format!(": {}", shown.join(", ")),
    }
}
