//! What `serve` shows of itself, as it was asked: metrics on a port of their own, spans to a collector. Without a setting nothing
//! of it runs.

use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use serde::Deserialize;

use super::Failure;
use crate::service::BoundServer;
use crate::telemetry::{Exposition, MetricsListener, Named, OtlpEndpoint, SpanSender};

/// The settings. What is absent is set elsewhere or has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Deserialize)]
pub(super) struct TelemetrySettings {
    /// Address and port for Prometheus metrics (/metrics) and health (/livez, /readyz) over HTTP. Nobody is authenticated there:
    /// whoever reaches it reads it [default: none]
    #[arg(long, env = "BINNACLE_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Shows metrics of each workspace, with its name
    #[arg(long, env = "BINNACLE_METRICS_WORKSPACES", num_args = 0..=1, default_missing_value = "true")]
    metrics_workspaces: Option<bool>,
    /// Shows values of KPIs and scores of objectives, with their names and those of their workspaces
    #[arg(long, env = "BINNACLE_METRICS_FIGURES", num_args = 0..=1, default_missing_value = "true")]
    metrics_figures: Option<bool>,
    /// Where a collector takes spans over OTLP (gRPC), for example http://localhost:4317 [default: none]
    #[arg(long, env = "BINNACLE_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<OtlpEndpoint>,
}

/// What runs beside a server for those who watch it.
#[derive(Debug)]
pub(super) struct Watching {
    spans: Option<SpanSender>,
}

impl TelemetrySettings {
    /// These, and where they are silent the others.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            metrics_listen: self.metrics_listen.or(other.metrics_listen),
            metrics_workspaces: self.metrics_workspaces.or(other.metrics_workspaces),
            metrics_figures: self.metrics_figures.or(other.metrics_figures),
            otlp_endpoint: self.otlp_endpoint.or(other.otlp_endpoint),
        }
    }

    /// Where metrics are shown; none: nowhere.
    pub(super) fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics_listen
    }

    /// Has a server watched as these say, from now until the runtime ends.
    pub(super) async fn watch(
        &self,
        mut server: BoundServer,
        data_dir: &Path,
    ) -> Result<(BoundServer, Watching), Failure> {
        if let Some(address) = self.metrics_listen {
            let listener = MetricsListener::bind(address)
                .await
                .map_err(|error| Failure::failed(&error))?;
            tracing::info!(address = %listener.address(), "metrics are served");
            let exposition = Exposition::new(server.standing(), data_dir.to_owned(), self.named());
            tokio::spawn(listener.serve(server.standing(), exposition));
        }
        let spans = match &self.otlp_endpoint {
            Some(endpoint) => {
                let spans = SpanSender::start(endpoint).map_err(|error| Failure::failed(&error))?;
                server = server.telling_of_calls(spans.listener());
                Some(spans)
            }
            None => None,
        };
        Ok((server, Watching { spans }))
    }

    fn named(&self) -> Named {
        if self.metrics_figures == Some(true) {
            Named::Figures
        } else if self.metrics_workspaces == Some(true) {
            Named::Workspaces
        } else {
            Named::Nothing
        }
    }
}

impl Watching {
    /// The server has ended: sends what is still to be sent.
    pub(super) async fn end(self) {
        let Some(spans) = self.spans else { return };
        if tokio::task::spawn_blocking(move || spans.end()).await.is_err() {
            tracing::warn!("the last spans were not sent: the program failed on an error of its own");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(workspaces: Option<bool>, figures: Option<bool>) -> Named {
        let settings = TelemetrySettings {
            metrics_workspaces: workspaces,
            metrics_figures: figures,
            ..TelemetrySettings::default()
        };
        settings.named()
    }

    #[test]
    fn nothing_is_named_unless_it_was_asked_for_and_figures_name_their_workspaces() {
        assert_eq!(named(None, None), Named::Nothing);
        assert_eq!(named(Some(false), Some(false)), Named::Nothing);
        assert_eq!(named(Some(true), None), Named::Workspaces);
        assert_eq!(named(None, Some(true)), Named::Figures);
        assert_eq!(named(Some(false), Some(true)), Named::Figures);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file: TelemetrySettings = toml::from_str(
            "metrics_listen = \"127.0.0.1:9700\"\nmetrics_workspaces = true\notlp_endpoint = \"http://localhost:4317\"",
        )
        .expect("settings");
        let flags = TelemetrySettings {
            metrics_workspaces: Some(false),
            ..TelemetrySettings::default()
        };
        let settings = flags.or(file.clone());
        assert_eq!(settings.metrics_listen, file.metrics_listen);
        assert_eq!(settings.otlp_endpoint, file.otlp_endpoint);
        assert_eq!(settings.named(), Named::Nothing);
    }
}
