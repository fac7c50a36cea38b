//! `binnacle health`: asks a server whether it serves, for a container's health check, a script that waits for it, or a person.
//!
//! Invariant: exit code 0 is SERVING and nothing else. It does not know why a server does not serve: that is in its log.

use std::time::{Duration, Instant};

use clap::Args;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::connection;
use super::text::plain;
use super::words::say;
use super::{Failure, FailureKind};

/// Asks a server whether it serves.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Health {
    /// One service, for example binnacle.v1.KpiService [default: the server as a whole]
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    service: String,
    /// Asks again for so many seconds until it serves
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait: u64,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
}

const AFTER_HELP: &str = "\
  binnacle health
  binnacle health --wait 60
  BINNACLE_TLS_CA=ca.pem BINNACLE_TLS_NAME=binnacle.acme.example binnacle health --server https://127.0.0.1:7700

Exit code 0: it serves. 1: it does not, or nothing answers. 2: a flag or the environment is wrong. Nobody has to show who they \
are for this. The last line is for where the server is on this machine, and its certificate is for the name that others know.";

/// How long between one question and the next.
const PAUSE: Duration = Duration::from_millis(250);

impl Health {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            let sentence = format!("the runtime cannot be started: {error}");
            Failure::new(FailureKind::Failed, sentence)
        })?;
        runtime.block_on(self.ask_until_it_serves())
    }

    async fn ask_until_it_serves(&self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let failure = match asked_in_time(&self.server, &self.service).await {
                Ok(()) => {
                    say(&format!("SERVING: {} at {}", named(&self.service), self.server));
                    return Ok(());
                }
                Err(failure) => failure,
            };
            // What was asked wrongly is not put right by waiting.
            if matches!(failure.kind(), FailureKind::Usage)
                || began.elapsed() >= Duration::from_secs(self.wait)
            {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

async fn asked_in_time(server: &str, service: &str) -> Result<(), Failure> {
    let asked = tokio::time::timeout(PATIENCE, serves(server, service)).await;
    asked.unwrap_or_else(|_| {
        let sentence = format!(
            "no answer within {} s: {} at {server}",
            PATIENCE.as_secs(),
            named(service)
        );
        Err(Failure::new(FailureKind::Failed, sentence))
    })
}

/// Asks once.
///
/// # Errors
/// It does not serve, or nothing answers.
pub(super) async fn serves(server: &str, service: &str) -> Result<(), Failure> {
    let channel = connection::open(server).await?;
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let status = match HealthClient::new(channel).check(request).await {
        Ok(answer) => match answer.into_inner().status() {
            ServingStatus::Serving => return Ok(()),
            status => status.as_str_name().to_owned(),
        },
        Err(status) if status.code() == Code::NotFound => "it knows no such service".to_owned(),
        Err(status) => plain(status.message()).into_owned(),
    };
    let sentence = format!("{status}: {} at {server}", named(service));
    Err(Failure::new(FailureKind::Failed, sentence))
}

fn named(service: &str) -> &str {
    match service {
        "" => "the server",
        service => service,
    }
}
