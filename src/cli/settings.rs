//! The settings of a server: flags, environment and a TOML file become one configuration. A flag wins over the environment, the
//! environment over the file, the file over the default. What belongs together has a file of its own: `load`, `telemetry`,
//! `identity`.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::identity::IdentitySettings;
use super::load::LoadSettings;
use super::logging::{LogFormat, log_filter, start_logging};
use super::telemetry::TelemetrySettings;
use super::{Failure, FailureKind};
use crate::access::{self, AccessRecord};
use crate::engine::{EngineConfig, RequestMemory};
use crate::service::{ServerConfig, SubscriptionLimits, WebOrigin};

/// Settings as they were given: on the command line, in the environment, in a file.
#[derive(Debug, Args)]
pub(super) struct GivenSettings {
    /// A TOML file with the settings below, without the dashes: data_dir = "/var/lib/binnacle"
    #[arg(long, env = "BINNACLE_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// Everything that can be set. What is absent is set elsewhere or has its default.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Where everything is kept [default: ./data]
    #[arg(long, env = "BINNACLE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on; beyond loopback only where callers show who they are [default: 127.0.0.1:7700]
    #[arg(long, env = "BINNACLE_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How logs are written [default: pretty]
    #[arg(long, env = "BINNACLE_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Which logs are written, for example info or binnacle=debug [default: info]
    #[arg(long, env = "BINNACLE_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Confirms that the clock is right although it is far from the log
    #[arg(long, env = "BINNACLE_ACCEPT_CLOCK", num_args = 0..=1, default_missing_value = "true")]
    accept_clock: Option<bool>,
    /// Keeps the client's address in every commit
    #[arg(long, env = "BINNACLE_RECORD_PEER", num_args = 0..=1, default_missing_value = "true")]
    record_peer: Option<bool>,
    /// An origin whose pages may talk to the server from a browser, for example https://bi.example.com; once for each.
    /// In the environment with commas, in the file a list [default: none]
    #[arg(
        long,
        env = "BINNACLE_WEB_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    web_origin: Option<Vec<WebOrigin>>,
    /// Seconds that open calls have to end when the server stops [default: 10]
    #[arg(long, env = "BINNACLE_DRAIN_S", value_name = "SECONDS")]
    drain_s: Option<u64>,
    /// Largest message in and out, in bytes [default: 4194304]
    #[arg(long, env = "BINNACLE_MESSAGE_BYTES_MAX", value_name = "BYTES")]
    message_bytes_max: Option<NonZeroUsize>,
    /// Streams open at once on one connection [default: 256]
    #[arg(long, env = "BINNACLE_STREAMS_PER_CONNECTION_MAX", value_name = "COUNT")]
    streams_per_connection_max: Option<NonZeroU32>,
    /// Seconds of silence after which a connection is asked whether it is there [default: 30]
    #[arg(long, env = "BINNACLE_KEEPALIVE_INTERVAL_S", value_name = "SECONDS")]
    keepalive_interval_s: Option<NonZeroU64>,
    /// Seconds it has to say so [default: 10]
    #[arg(long, env = "BINNACLE_KEEPALIVE_TIMEOUT_S", value_name = "SECONDS")]
    keepalive_timeout_s: Option<NonZeroU64>,
    /// Subscriptions open at once [default: 16384]
    #[arg(long, env = "BINNACLE_SUBSCRIPTIONS_MAX", value_name = "COUNT")]
    subscriptions_max: Option<usize>,
    /// Bytes that all of them hold of what was not read yet [default: 268435456]
    #[arg(long, env = "BINNACLE_SUBSCRIPTIONS_BYTES_MAX", value_name = "BYTES")]
    subscriptions_bytes_max: Option<usize>,
    /// Seconds after which a subscriber that reads nothing is ended, and after as many more its connection; 5 at most while more
    /// than half of --subscriptions-bytes-max is taken [default: 60]
    #[arg(long, env = "BINNACLE_SUBSCRIBER_STALLED_S_MAX", value_name = "SECONDS")]
    subscriber_stalled_s_max: Option<u64>,
    /// Bytes of newest updates that a workspace keeps for live subscribers [default: 4194304]
    #[arg(long, env = "BINNACLE_FEED_BYTES_MAX", value_name = "BYTES")]
    feed_bytes_max: Option<usize>,
    /// Updates per second that all live subscribers of a workspace together are handed while many writers wait, so that the
    /// writers keep most of the machine [default: 150000 a core]
    #[arg(long, env = "BINNACLE_FEED_DELIVERIES_PER_S", value_name = "COUNT")]
    feed_deliveries_per_s: Option<u32>,
    /// Bytes of older updates, over all workspaces, for those who are behind [default: 33554432]
    #[arg(long, env = "BINNACLE_BACKLOG_BYTES_MAX", value_name = "BYTES")]
    backlog_bytes_max: Option<usize>,
    /// Bytes on the disk of the record of refused and denied calls, whose oldest go first; 131072 at least [default: 16777216]
    #[arg(long, env = "BINNACLE_ACCESS_RECORD_BYTES_MAX", value_name = "BYTES")]
    access_record_bytes_max: Option<u64>,
    /// Seconds for which a request_id is remembered [default: 86400]
    #[arg(long, env = "BINNACLE_REQUEST_AGE_MAX_S", value_name = "SECONDS")]
    request_age_max_s: Option<u32>,
    /// How many request_ids are remembered [default: 1000000]
    #[arg(long, env = "BINNACLE_REQUEST_COUNT_MAX", value_name = "COUNT")]
    request_count_max: Option<usize>,
    /// Bytes that stay free on the disk that has the data: below it nothing is recorded, until there is room again; 0: it may
    /// become full, which stops the server [default: a twentieth of the disk, at most 1073741824]
    #[arg(long, env = "BINNACLE_DISK_FREE_BYTES_MIN", value_name = "BYTES")]
    pub(super) disk_free_bytes_min: Option<u64>,
    #[command(flatten)]
    #[serde(flatten)]
    load: LoadSettings,
    #[command(flatten)]
    #[serde(flatten)]
    telemetry: TelemetrySettings,
    // The last: its heading is that of all behind it.
    #[command(flatten)]
    #[serde(flatten)]
    identity: IdentitySettings,
}

/// Where the server listens unless it is told otherwise.
pub(super) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7700);

impl GivenSettings {
    /// What they come to.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let file = self.config.as_deref().map(read).transpose()?;
        Ok(self.settings.clone().or(file.unwrap_or_default()))
    }
}

fn read(file: &Path) -> Result<Settings, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Usage, format!("{}: {error}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    toml::from_str(&text).map_err(|error| wrong(&error))
}

impl Settings {
    /// These, and where they are silent the others.
    fn or(self, other: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(other.data_dir),
            listen: self.listen.or(other.listen),
            log_format: self.log_format.or(other.log_format),
            log: self.log.or(other.log),
            accept_clock: self.accept_clock.or(other.accept_clock),
            record_peer: self.record_peer.or(other.record_peer),
            web_origin: self.web_origin.or(other.web_origin),
            drain_s: self.drain_s.or(other.drain_s),
            message_bytes_max: self.message_bytes_max.or(other.message_bytes_max),
            streams_per_connection_max: self
                .streams_per_connection_max
                .or(other.streams_per_connection_max),
            keepalive_interval_s: self.keepalive_interval_s.or(other.keepalive_interval_s),
            keepalive_timeout_s: self.keepalive_timeout_s.or(other.keepalive_timeout_s),
            disk_free_bytes_min: self.disk_free_bytes_min.or(other.disk_free_bytes_min),
            load: self.load.or(other.load),
            subscriptions_max: self.subscriptions_max.or(other.subscriptions_max),
            subscriptions_bytes_max: self.subscriptions_bytes_max.or(other.subscriptions_bytes_max),
            subscriber_stalled_s_max: self.subscriber_stalled_s_max.or(other.subscriber_stalled_s_max),
            feed_bytes_max: self.feed_bytes_max.or(other.feed_bytes_max),
            feed_deliveries_per_s: self.feed_deliveries_per_s.or(other.feed_deliveries_per_s),
            backlog_bytes_max: self.backlog_bytes_max.or(other.backlog_bytes_max),
            access_record_bytes_max: self.access_record_bytes_max.or(other.access_record_bytes_max),
            request_age_max_s: self.request_age_max_s.or(other.request_age_max_s),
            request_count_max: self.request_count_max.or(other.request_count_max),
            identity: self.identity.or(other.identity),
            telemetry: self.telemetry.or(other.telemetry),
        }
    }

    /// Where everything is kept.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("./data"))
    }

    /// Where the server listens.
    pub(super) fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(LISTEN)
    }

    /// Whether the clock is believed whatever the log says.
    pub(super) fn accepts_clock(&self) -> bool {
        self.accept_clock.unwrap_or_default()
    }

    pub(super) fn identity(&self) -> &IdentitySettings {
        &self.identity
    }

    pub(super) fn telemetry(&self) -> &TelemetrySettings {
        &self.telemetry
    }

    /// What is wrong with values by themselves.
    pub(super) fn check(&self) -> Result<(), Failure> {
        log_filter(self.log.as_deref())?;
        self.load.check()?;
        self.access_record().map(drop)
    }

    pub(super) fn load(&self) -> &LoadSettings {
        &self.load
    }

    /// Writes logs as these say, from now on.
    pub(super) fn start_logging(&self) -> Result<(), Failure> {
        start_logging(self.log_format.unwrap_or(LogFormat::Pretty), self.log.as_deref())
    }

    pub(super) fn server(&self) -> ServerConfig {
        let default = ServerConfig::default();
        ServerConfig {
            message_bytes_max: self
                .message_bytes_max
                .map_or(default.message_bytes_max, NonZeroUsize::get),
            streams_per_connection_max: self
                .streams_per_connection_max
                .map_or(default.streams_per_connection_max, NonZeroU32::get),
            drain_s: self.drain_s.unwrap_or(default.drain_s),
            keepalive_interval_s: self
                .keepalive_interval_s
                .map_or(default.keepalive_interval_s, NonZeroU64::get),
            keepalive_timeout_s: self
                .keepalive_timeout_s
                .map_or(default.keepalive_timeout_s, NonZeroU64::get),
            record_peer: self.record_peer.unwrap_or(default.record_peer),
            web_origins: self.web_origin.clone().unwrap_or(default.web_origins),
            subscriptions: self.subscriptions(default.subscriptions),
            load: self.load.calls(),
            authenticator: default.authenticator,
            tls: default.tls,
            plaintext_beyond_loopback: self.identity.plaintext_beyond_loopback(),
        }
    }

    fn subscriptions(&self, default: SubscriptionLimits) -> SubscriptionLimits {
        SubscriptionLimits {
            subscriptions_max: self.subscriptions_max.unwrap_or(default.subscriptions_max),
            subscriptions_bytes_max: self
                .subscriptions_bytes_max
                .unwrap_or(default.subscriptions_bytes_max),
            subscriber_stalled_s_max: self
                .subscriber_stalled_s_max
                .unwrap_or(default.subscriber_stalled_s_max),
        }
    }

    pub(super) fn access_record(&self) -> Result<AccessRecord, Failure> {
        let bytes_max = self.access_record_bytes_max.unwrap_or(access::BYTES_DEFAULT);
        if bytes_max < access::BYTES_MIN {
            let sentence = format!(
                "--access-record-bytes-max {bytes_max} is too small: give it {} at least",
                access::BYTES_MIN
            );
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        Ok(AccessRecord::new(bytes_max))
    }

    pub(super) fn engine(&self) -> EngineConfig {
        let default = EngineConfig::default();
        EngineConfig {
            queue: self.load.queue(),
            requests: RequestMemory {
                age_max_s: self
                    .request_age_max_s
                    .map_or(default.requests.age_max_s, i64::from),
                count_max: self.request_count_max.unwrap_or(default.requests.count_max),
            },
            feed_bytes_max: self.feed_bytes_max.unwrap_or(default.feed_bytes_max),
            feed_deliveries_per_s: self
                .feed_deliveries_per_s
                .unwrap_or(default.feed_deliveries_per_s),
            backlog_bytes_max: self.backlog_bytes_max.unwrap_or(default.backlog_bytes_max),
            disk_free_bytes_min: self.disk_free_bytes_min,
            accept_clock: self.accept_clock.unwrap_or(default.accept_clock),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file: Settings =
            toml::from_str("data_dir = \"/f\"\nlisten = \"[::1]:1\"\ndrain_s = 3\nkeepalive_timeout_s = 7")
                .expect("settings");
        let flags = Settings {
            data_dir: Some("/x".into()),
            ..Settings::default()
        };
        let settings = flags.or(file);
        assert_eq!(settings.data_dir, Some("/x".into()));
        assert_eq!(
            settings.listen.map(|listen| listen.to_string()).as_deref(),
            Some("[::1]:1")
        );
        assert_eq!(settings.server().drain_s, 3);
        assert_eq!(settings.server().keepalive_timeout_s, 7);
        assert_eq!(settings.engine().queue.commands_max, 10_000);
    }

    #[test]
    fn what_is_shown_of_the_server_is_a_line_of_the_file_as_everything_else() {
        let file: Settings =
            toml::from_str("drain_s = 3\nmetrics_listen = \"[::1]:9\"\nmetrics_figures = true")
                .expect("settings");
        let telemetry: TelemetrySettings =
            toml::from_str("metrics_listen = \"[::1]:9\"\nmetrics_figures = true").expect("settings");
        assert_eq!(file.drain_s, Some(3));
        assert_eq!(Settings::default().or(file).telemetry, telemetry);
        for (wrong, named) in [
            ("metrics_listn = \"[::1]:9\"", "metrics_listn"),
            ("otlp_endpoint = \"https://a\"", "http://localhost:4317"),
        ] {
            let error = toml::from_str::<Settings>(wrong).expect_err(wrong);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn an_access_record_that_would_hold_next_to_nothing_is_refused() {
        let of = |bytes| Settings {
            access_record_bytes_max: bytes,
            ..Settings::default()
        };
        assert!(of(None).access_record().is_ok() && of(Some(131_072)).access_record().is_ok());
        let refused = of(Some(131_071)).access_record().expect_err("too small");
        assert!(refused.to_string().contains("131072"), "{refused}");
    }

    #[test]
    fn origins_are_read_from_a_list_and_what_is_none_is_said() {
        let file: Settings =
            toml::from_str("web_origin = [\"https://bi.example.com\", \"http://localhost:8080\"]")
                .expect("settings");
        assert_eq!(file.server().web_origins.len(), 2);
        let error = toml::from_str::<Settings>("web_origin = [\"*\"]").expect_err("no origin");
        assert!(error.to_string().contains("https://bi.example.com"), "{error}");
    }

    #[test]
    fn a_setting_that_does_not_exist_is_named() {
        let error = toml::from_str::<Settings>("data_dirr = \"/f\"").expect_err("a typo");
        assert!(error.to_string().contains("data_dirr"), "{error}");
    }
}
