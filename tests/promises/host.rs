//! A server in the process of the test, whose engine the test can look into; or the real program. Both take any load.

use std::path::Path;
use std::sync::Arc;

use binnacle::domain::Id;
use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::EventLog;
use binnacle::service::ServerConfig;

use crate::common::{Server, clock, until_serving};
use crate::company::Clients;
use crate::process::ServerProcess;

/// The server and its engine.
pub(crate) struct Host {
    pub(crate) server: Server,
    engine: Engine,
}

/// How long a command may wait for the disk before others are refused: no load of a test is meant to meet that.
const WAIT_MS_MAX: u64 = 600_000;

/// The real program, as patient with its disk.
pub(crate) fn patient_process(data_dir: &Path, address: &str, settings: &[&str]) -> ServerProcess {
    let wait_ms_max = WAIT_MS_MAX.to_string();
    let patience = ["--queue-wait-ms-max", &wait_ms_max];
    ServerProcess::start_at(data_dir, address, &[&patience, settings].concat())
}

impl Host {
    pub(crate) async fn start(
        log: Arc<dyn EventLog>,
        mut engine: EngineConfig,
        config: ServerConfig,
    ) -> Self {
        engine.queue.wait_ms_max = WAIT_MS_MAX;
        let clock = clock();
        let engine = Engine::open(log, None, clock.clone(), engine).expect("an engine");
        let served = engine.clone();
        let server = Server::opening(config, clock, move || served).await;
        until_serving(&server.channel).await;
        Self { server, engine }
    }

    /// With the company in it.
    pub(crate) async fn with_company(
        log: Arc<dyn EventLog>,
        engine: EngineConfig,
        config: ServerConfig,
    ) -> Self {
        let host = Self::start(log, engine, config).await;
        let begun = jiff::civil::date(2026, 1, 1);
        Clients::of(&host.server.channel)
            .set_up(begun)
            .await
            .expect("a company");
        host
    }

    pub(crate) fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// How many streams of the company there are, read or not.
    pub(crate) fn streams(&self) -> usize {
        let acme = Id::parse("acme").expect("an id");
        self.engine
            .hosted(&acme)
            .expect("the company")
            .feed()
            .subscribers()
    }
}
