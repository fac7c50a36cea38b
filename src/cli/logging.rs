//! What the program logs, and how it is written.

use clap::ValueEnum;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::{Failure, FailureKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// For people.
    Pretty,
    /// For machines, one object a line.
    Json,
}

/// Which logs are written.
pub(super) fn log_filter(filter: Option<&str>) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(filter.unwrap_or("info")).map_err(|error| {
        Failure::new(
            FailureKind::Usage,
            format!("--log is no filter: {error}; write for example info"),
        )
    })
}

pub(super) fn start_logging(format: LogFormat, filter: Option<&str>) -> Result<(), Failure> {
    let filter = log_filter(filter)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Pretty => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
