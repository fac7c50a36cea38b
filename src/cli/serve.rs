//! `binnacle serve`: opens the store as the settings say, and serves until it is told to stop.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::proof::settle;
use super::service_manager::ServiceManager;
use super::settings::{GivenSettings, Settings};
use super::{Failure, FailureKind};
use crate::engine::{Clock, Engine, EngineConfig, SystemClock};
use crate::log::{
    Checkpoints, EventLog, Evidence, LogError, LogErrorKind, SigningKey, SledLog, create_dir, store_is_there,
};
use crate::service::{BoundServer, ServeError, ServerConfig};

/// Runs the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    given: GivenSettings,
}

/// The store in the data directory.
pub(super) const STORE: &str = "store";
/// A store on its way there from an archive.
pub(super) const RESTORING: &str = "store.restoring";
/// The file in the data directory with the key that signs checkpoints.
pub(super) const SIGNING_KEY: &str = "checkpoint.key";
/// The file beside it with the key that verifies them.
pub(super) const PUBLIC_KEY: &str = "checkpoint.pub";

/// Where a data directory has the access record.
const ACCESS_DIR: &str = "access";

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = self.given.settings()?;
        settings.start_logging()?;
        settings.check()?;
        let runtime = tokio::runtime::Runtime::new().map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        let served = runtime.block_on(serve(settings));
        // A start that was interrupted may still be reading its log: nothing waits for that.
        runtime.shutdown_background();
        served
    }
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let data_dir = settings.data_dir();
    let access = settings.access_record()?;
    let config = ServerConfig {
        authenticator: settings.identity().authenticator(&data_dir)?,
        tls: settings.identity().tls()?,
        load: settings.load().calls_of_this_process(),
        ..settings.server()
    };
    let server = BoundServer::bind(settings.listen(), config)
        .map_err(|e| failure(&e))?
        .keeping_attempts_in(access.clone());
    let (server, watching) = settings.telemetry().watch(server, &data_dir).await?;
    // In front of the first word that somebody could answer with a signal.
    let interrupted = interruption()?;
    let shutdown = async move {
        interrupted.await;
        tracing::info!("stopping: no new calls, open ones may end");
    };
    let service_manager = ServiceManager::tell(server.standing(), server.address());
    tracing::info!(address = %server.address(), data_dir = %data_dir.display(), "listening");
    let engine = settings.engine();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let served = server
        .serve(
            move || {
                let engine = open_engine(&data_dir, clock, engine)?;
                // The lock of the store keeps other processes away from it.
                access.open(&data_dir.join(ACCESS_DIR));
                Ok(engine)
            },
            shutdown,
        )
        .await;
    service_manager.end().await;
    watching.end().await;
    served.map_err(|error| failure(&error))?;
    tracing::info!("stopped in good order");
    Ok(())
}

/// Opens the store in a data directory and folds its logs.
pub(super) fn open_engine(
    data_dir: &Path,
    clock: Arc<dyn Clock>,
    config: EngineConfig,
) -> Result<Engine, LogError> {
    create_dir(data_dir)?;
    check_store_is_there(data_dir)?;
    // The store's lock also protects the file of heads.
    let log: Arc<dyn EventLog> = Arc::new(SledLog::open(data_dir.join(STORE))?);
    settle(data_dir)?;
    // Also the key is read behind that lock: two servers do not make two of them.
    let key = signing_key(data_dir)?;
    let public = key.public();
    let evidence = Evidence::open(data_dir, key)?;
    // Behind the checkpoints: of a key that did not sign them nothing is handed on.
    public.write(&data_dir.join(PUBLIC_KEY))?;
    let started = std::time::Instant::now();
    let engine = Engine::open(log, Some(evidence), clock, config)?;
    let replayed = engine.replayed();
    tracing::info!(
        workspaces = replayed.workspaces,
        commits = replayed.commits,
        events = replayed.events,
        seconds = started.elapsed().as_secs_f64(),
        "the log is replayed"
    );
    Ok(engine)
}

/// Refuses to begin a store where there was one, or where one was about to be restored: it would be taken for the whole.
pub(super) fn check_store_is_there(data_dir: &Path) -> Result<(), LogError> {
    let (store, restoring) = (data_dir.join(STORE), data_dir.join(RESTORING));
    if store_is_there(&store) {
        return Ok(());
    }
    let damaged = |context: String| Err(LogError::new(LogErrorKind::Damaged, context));
    if restoring.exists() {
        return damaged(format!(
            "a restore into {} was interrupted and is not whole: run \"binnacle restore\" again, or remove {} to begin an empty \
             store",
            data_dir.display(),
            restoring.display()
        ));
    }
    if Evidence::of_a_store(data_dir)? {
        return damaged(format!(
            "{} is missing, and the heads and checkpoints beside it speak of one: restore the newest backup, or put the newest \
             copy of the whole data directory back",
            store.display()
        ));
    }
    Ok(())
}

/// The key that signs checkpoints. A new one is made only where there are none yet: it would not verify them.
fn signing_key(data_dir: &Path) -> Result<SigningKey, LogError> {
    check_signing_key_is_there(data_dir)?;
    SigningKey::load_or_create(&data_dir.join(SIGNING_KEY))
}

/// Refuses checkpoints without the key that has signed them.
pub(super) fn check_signing_key_is_there(data_dir: &Path) -> Result<(), LogError> {
    let (key, checkpoints) = (data_dir.join(SIGNING_KEY), data_dir.join("checkpoints"));
    if !key.exists() && Checkpoints::any(&checkpoints)? {
        return Err(LogError::new(
            LogErrorKind::Damaged,
            format!(
                "{} is missing, and {} holds checkpoints that it has signed: put it back from a copy; if it is lost, move {} away \
                 and keep it with {}, which verifies it, to begin with a new key",
                key.display(),
                checkpoints.display(),
                checkpoints.display(),
                data_dir.join(PUBLIC_KEY).display()
            ),
        ));
    }
    Ok(())
}

/// Ends when the person or the service manager wants this process to.
pub(super) fn interruption() -> Result<impl Future<Output = ()> + Send, Failure> {
    let listen = |kind| {
        signal(kind)
            .map_err(|error| Failure::new(FailureKind::Failed, format!("signals cannot be heard: {error}")))
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A failure of the log, for the person.
pub(super) fn log_failure(log: &LogError) -> Failure {
    if let Some(source) = &log.source {
        tracing::error!(cause = %source);
    }
    match log.kind {
        LogErrorKind::Damaged | LogErrorKind::UnknownFormat => {
            Failure::new(FailureKind::Damaged, log.to_string())
        }
        LogErrorKind::TooLarge | LogErrorKind::Io | LogErrorKind::Locked | LogErrorKind::Exposed => {
            Failure::failed(log)
        }
    }
}

/// An error of the server as one sentence and an exit code; its causes go to the log.
pub(super) fn failure(error: &ServeError) -> Failure {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        tracing::error!(cause = %inner);
        cause = inner.source();
    }
    match error {
        ServeError::NotLoopback(_) | ServeError::Plaintext(_) => {
            Failure::new(FailureKind::Usage, error.to_string())
        }
        ServeError::Log(log) => log_failure(log),
        ServeError::Listen { .. }
        | ServeError::Transport(_)
        | ServeError::Reflection(_)
        | ServeError::Descriptors(_) => Failure::failed(error),
    }
}
