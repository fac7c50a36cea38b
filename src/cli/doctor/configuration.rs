//! The settings: that they can be read, and what they come to.

use std::path::Path;

use super::{Finding, Patient, said};
use crate::cli::Failure;

const ABOUT: &str = "configuration";

/// Nothing else can be looked at.
pub(super) fn unreadable(failure: &Failure) -> Finding {
    Finding::of_failure(
        ABOUT,
        failure,
        "correct it; \"binnacle serve --help\" knows every setting",
    )
}

/// What the settings come to.
pub(super) fn look(patient: &Patient<'_>, file: Option<&Path>) -> Vec<Finding> {
    let settings = patient.settings;
    let from = match file {
        Some(file) => format!("{} is read", said(file)),
        None => "there is no file, which is fine".to_owned(),
    };
    let sentence = format!(
        "{from}; data in {}, listening on {}",
        said(&patient.data_dir),
        settings.listen()
    );
    let mut findings = vec![Finding::ok(ABOUT, sentence)];
    if let Err(failure) = settings.check() {
        findings.push(unreadable(&failure));
    }
    if settings.accepts_clock() {
        findings.push(Finding::warning(
            ABOUT,
            "--accept-clock is set: the clock is believed at every start, however far from the log it is",
            "take it away again when the server has started once",
        ));
    }
    if let Some(address) = settings
        .telemetry()
        .metrics_listen()
        .filter(|address| !address.ip().is_loopback())
    {
        findings.push(Finding::warning(
            ABOUT,
            format!("metrics are shown on {address}, which others reach, and nobody is authenticated there"),
            "let a firewall keep everybody but the monitoring away from it",
        ));
    }
    findings
}
