//! The metrics of a server as Prometheus reads them: every family with its name, type and meaning, filled from the server's
//! standing at the moment when it is asked for.
//!
//! Invariant: names and labels are bounded, and what names a workspace, or what is in one, stands in `named` and is shown only
//! where that was asked for. A figure that is not known yet has its family, and no sample. It does not know how it is asked for.

use std::fmt;
use std::path::PathBuf;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet, prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

use super::disk;
use super::named::{self, Named};
use crate::disk::DiskSpace;
use crate::engine::{Counted, Engine};
use crate::service::{CallTally, Load, Readiness, Standing, Turned};

/// What is shown of one server.
#[derive(Debug)]
pub struct Exposition(Registry);

/// The form of an exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// What it is read from.
struct Server {
    standing: Standing,
    data_dir: PathBuf,
    named: Named,
}

/// An exposition as it is written.
pub(super) struct Page<'a>(DescriptorEncoder<'a>);

/// How many microseconds a second has.
const SECOND_US: f64 = 1_000_000.0;
const NO_EXEMPLAR: Option<&Exemplar<NoLabelSet, u64>> = None;

impl Exposition {
    /// Of a server that keeps its data in a directory.
    #[must_use]
    pub fn new(standing: Standing, data_dir: PathBuf, named: Named) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Server {
            standing,
            data_dir,
            named,
        }));
        Self(registry)
    }

    /// All of it as it is now. It reads directories: not for a thread that must not wait.
    ///
    /// # Errors
    /// The library cannot write into a text.
    pub fn write(&self, format: Format) -> Result<String, fmt::Error> {
        let mut written = String::new();
        match format {
            Format::Prometheus => prometheus_text::encode(&mut written, &self.0)?,
            Format::OpenMetrics => text::encode(&mut written, &self.0)?,
        }
        Ok(written)
    }
}

impl Format {
    /// The media type that says which one it is.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Collector for Server {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let page = &mut Page(encoder);
        let engine = self.standing.engine();
        page.gauge(
            "binnacle_ready",
            "1 while the server takes calls: its log is replayed and it is not about to stop.",
            Some(u32::from(self.standing.readiness() == Readiness::Ready)),
        )?;
        calls(page, self.standing.calls())?;
        load(page, self.standing.load())?;
        writes(page, engine)?;
        replay(page, engine)?;
        self.disk(page)?;
        if let Some(shown) = named::Shown::of(self.named, &self.standing) {
            shown.encode(page)?;
        }
        Ok(())
    }
}

impl Server {
    fn disk(&self, page: &mut Page<'_>) -> fmt::Result {
        let unread = |figure: &'static str| move |error: &std::io::Error| tracing::debug!(figure, %error, "a figure of the disk cannot be read");
        let disk = DiskSpace::at(&self.data_dir).inspect_err(unread("free")).ok();
        page.gauge(
            "binnacle_disk_free_bytes",
            "What is free for the server on the disk that has the data directory.",
            disk.map(|disk| disk.free_bytes),
        )?;
        let kept = |engine: &Engine| Some(engine.kept_free_bytes(disk?.total_bytes));
        page.gauge(
            "binnacle_disk_kept_free_bytes",
            "What stays free on that disk: while less is, writes are refused.",
            self.standing.engine().and_then(kept),
        )?;
        page.gauge(
            "binnacle_store_bytes",
            "What the files in the data directory take.",
            disk::store_bytes(&self.data_dir)
                .inspect_err(unread("store"))
                .ok(),
        )
    }
}

fn calls(page: &mut Page<'_>, tally: Option<&CallTally>) -> fmt::Result {
    let called = || tally.into_iter().flat_map(CallTally::called);
    let mut family = page.family(
        MetricType::Counter,
        "binnacle_rpc",
        "Calls that have ended, by method and code. A call whose caller went away has CANCELLED. What is not of this API, also \
         health and reflection, has the method other.",
    )?;
    for method in called() {
        for (code, count) in method.ended() {
            let labels = [("method", method.name()), ("code", code)];
            family
                .encode_family(&labels)?
                .encode_counter(&count, NO_EXEMPLAR)?;
        }
    }
    let mut family = page.family(
        MetricType::Histogram,
        "binnacle_rpc_duration_seconds",
        "Time from when a call came to its end, which of a stream is the end of the stream.",
    )?;
    for method in called() {
        let counted = method.duration_us().counted();
        histogram(
            &mut family.encode_family(&[("method", method.name())])?,
            &counted,
            SECOND_US,
        )?;
    }
    let open = called().map(|method| ([("method", method.name())], method.in_flight()));
    page.gauges("binnacle_rpc_in_flight", "Calls that are open.", open)
}

fn load(page: &mut Page<'_>, load: Option<&Load>) -> fmt::Result {
    page.gauge(
        "binnacle_connections",
        "Connections that are open, also those whose handshake is not done.",
        load.map(Load::connections),
    )?;
    let mut family = page.family(
        MetricType::Counter,
        "binnacle_turned_away",
        "Calls and connections that were refused because a limit was reached, by the setting of the limit.",
    )?;
    for Turned { limit, count } in load.into_iter().flat_map(Load::turned) {
        family
            .encode_family(&[("limit", limit)])?
            .encode_counter(&count, NO_EXEMPLAR)?;
    }
    Ok(())
}

fn writes(page: &mut Page<'_>, engine: Option<&Engine>) -> fmt::Result {
    let queued = engine.map(Engine::queued);
    page.gauge(
        "binnacle_queue_commands",
        "Commands that wait for the log or are being written.",
        queued.map(|queued| queued.commands),
    )?;
    page.gauge(
        "binnacle_queue_bytes",
        "Bytes of the requests of such commands.",
        queued.map(|queued| queued.bytes),
    )?;
    let meters = engine.map(Engine::meters);
    let mut family = page.family(
        MetricType::Histogram,
        "binnacle_group_commits",
        "Commits that one durable write has recorded.",
    )?;
    if let Some(meters) = meters {
        histogram(&mut family, &meters.group_commits.counted(), 1.0)?;
    }
    let mut family = page.family(
        MetricType::Histogram,
        "binnacle_commit_duration_seconds",
        "Time from when a command was taken into the queue until its commit was durable.",
    )?;
    if let Some(meters) = meters {
        histogram(&mut family, &meters.commit_duration_us.counted(), SECOND_US)?;
    }
    Ok(())
}

fn replay(page: &mut Page<'_>, engine: Option<&Engine>) -> fmt::Result {
    let replayed = engine.map(Engine::replayed);
    page.gauge(
        "binnacle_replay_seconds",
        "Time that the start took to read and fold the logs.",
        replayed.map(|replayed| replayed.duration.as_secs_f64()),
    )?;
    page.gauge(
        "binnacle_replay_events",
        "Events that the start has folded.",
        replayed.map(|replayed| replayed.events),
    )
}

/// Writes a histogram; its numbers are so many to the unit that is shown.
fn histogram(to: &mut MetricEncoder<'_>, counted: &Counted, per_unit: f64) -> fmt::Result {
    let shown = |number: u64| number as f64 / per_unit;
    let buckets: Vec<(f64, u64)> = counted
        .buckets
        .iter()
        .map(|(bound, count)| (bound.map_or(f64::INFINITY, shown), *count))
        .collect();
    to.encode_histogram::<NoLabelSet>(shown(counted.sum), counted.count(), &buckets, None)
}

impl Page<'_> {
    fn family<'s>(
        &'s mut self,
        kind: MetricType,
        name: &'static str,
        help: &'static str,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    /// A gauge without labels.
    pub(super) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: Option<impl EncodeGaugeValue>,
    ) -> fmt::Result {
        let mut family = self.family(MetricType::Gauge, name, help)?;
        value.map_or(Ok(()), |value| family.encode_gauge(&value))
    }

    /// A gauge with labels.
    pub(super) fn gauges(
        &mut self,
        name: &'static str,
        help: &'static str,
        values: impl IntoIterator<Item = (impl EncodeLabelSet, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let mut family = self.family(MetricType::Gauge, name, help)?;
        values
            .into_iter()
            .try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("data_dir", &self.data_dir)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}
