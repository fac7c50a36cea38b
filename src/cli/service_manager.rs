//! What `serve` tells the service manager that has started it: systemd with `Type=notify`, or whoever else listens at NOTIFY_SOCKET.
//!
//! Invariant: it is told READY=1 when the log is replayed and calls are taken, STOPPING=1 when no new ones are, and WATCHDOG=1 each
//! time that the committer was asked for a sign of life and gave one. A program whose log hangs is started again, although all its
//! other threads run. Nobody who calls the server waits for the service manager.
//!
//! What it does not know: what the service manager makes of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::{NotifyState, notify};
use tokio::task::JoinHandle;

use crate::service::{Readiness, Standing};

/// What is told, beside the server.
#[derive(Debug)]
pub(super) struct ServiceManager(JoinHandle<()>);

/// How long the end of the program waits for its last word to be taken.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

impl ServiceManager {
    /// Tells it from now on how a server stands. Where there is none, nothing is told.
    pub(super) fn tell(standing: Standing, address: SocketAddr) -> Self {
        // Of the environment, which nothing here changes; none where it is meant for another process.
        let watchdog = sd_notify::watchdog_enabled();
        Self(tokio::spawn(async move {
            accompany(&standing, address, watchdog).await;
        }))
    }

    /// The server has ended: waits until that was told.
    pub(super) async fn end(self) {
        // One that takes nothing any more does not keep the program alive.
        let _taken = tokio::time::timeout(LAST_WORD_MAX, self.0).await;
    }
}

/// What it is told.
#[derive(Clone, Copy, Debug)]
enum Word {
    Reading,
    Serving(SocketAddr),
    Alive,
    Stopping,
}

async fn accompany(standing: &Standing, address: SocketAddr, watchdog: Option<Duration>) {
    Word::Reading.tell().await;
    if standing.started().await == Readiness::Ready {
        Word::Serving(address).tell().await;
        tokio::select! {
            () = standing.stopping() => {}
            never = keep_alive(standing, watchdog) => match never {},
        }
    }
    Word::Stopping.tell().await;
}

/// Asks the committer for a sign of life twice in the time that the watchdog waits. A write that is slow makes the next sign late
/// by as much; one that takes longer than half of that time is taken for one that hangs.
async fn keep_alive(standing: &Standing, watchdog: Option<Duration>) -> Infallible {
    let (Some(watchdog), Some(engine)) = (watchdog, standing.engine()) else {
        return std::future::pending().await;
    };
    loop {
        engine.sign_of_life().await;
        Word::Alive.tell().await;
        tokio::time::sleep(watchdog / 2).await;
    }
}

impl Word {
    async fn tell(self) {
        // A full socket makes the sender wait, which a thread of the runtime must not.
        match tokio::task::spawn_blocking(move || self.send()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the service manager at NOTIFY_SOCKET could not be told how the server stands");
            }
            Err(_panicked) => {
                tracing::warn!("the service manager was not told: the program failed on an error of its own");
            }
        }
    }

    fn send(self) -> std::io::Result<()> {
        // The sentences are for whoever asks the service manager.
        match self {
            Self::Reading => notify(&[NotifyState::Status("reading the log")]),
            Self::Serving(address) => {
                let sentence = format!("serving on {address}");
                notify(&[NotifyState::Ready, NotifyState::Status(&sentence)])
            }
            Self::Alive => notify(&[NotifyState::Watchdog]),
            Self::Stopping => notify(&[
                NotifyState::Stopping,
                NotifyState::Status("stopping: open calls may end"),
            ]),
        }
    }
}
