//! What a server shows of itself to whoever operates it: metrics for Prometheus and health for an orchestrator on a port of their
//! own, and spans for a collector of OpenTelemetry.
//!
//! `exposition` turns the server's standing into families of metrics, `named` adds those that name what is in a workspace, `disk`
//! says what the data takes, `listener` serves it all, `spans` sends ended calls to a collector.
//!
//! Invariant: this is the one room that knows what metrics and spans look like outside; nobody but the command line knows it.
//! Figures are read when they are asked for, and whoever asks holds nobody up. Nothing of it is on unless it was asked for.

mod disk;
mod exposition;
mod listener;
mod named;
mod spans;

pub use exposition::{Exposition, Format};
pub use listener::{MetricsError, MetricsListener};
pub use named::Named;
pub use spans::{NoEndpoint, OtlpEndpoint, SpanSender, SpansError};
