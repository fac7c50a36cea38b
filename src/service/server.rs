//! The server: the services put together, over gRPC and gRPC-Web, with the limits of the API, health that follows the
//! replay, reflection, and a drain that ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::{Connected, TcpIncoming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;

use super::Api;
use super::attempts::Attempts;
use super::caller::{Admitted, Identified};
use super::connection::Closable;
use super::load::{Attached, Bounded, Load, LoadLimits};
use super::rpc::{CallListener, CallTally, Observation};
use super::standing::Standing;
use super::subscribe_call::ProgressCalls;
use super::subscription::SubscriptionLimits;
use super::tls::{Incoming, Socket, Tls};
use super::trailer::RevisionTrailer;
use super::web::{NamedOriginsOnly, WebOrigin, cors};
use crate::access::AccessRecord;
use crate::engine::Engine;
use crate::identity::Authenticator;
use crate::log::{LogError, MAX_RECORD_BYTES};
use crate::proto::API_DESCRIPTOR_SET;
use crate::proto::api::audit_service_server::{AuditServiceServer, SERVICE_NAME as AUDIT};
use crate::proto::api::cycle_service_server::{CycleServiceServer, SERVICE_NAME as CYCLE};
use crate::proto::api::kpi_service_server::{KpiServiceServer, SERVICE_NAME as KPI};
use crate::proto::api::objective_service_server::{ObjectiveServiceServer, SERVICE_NAME as OBJECTIVE};
use crate::proto::api::progress_service_server::SERVICE_NAME as PROGRESS;
use crate::proto::api::workspace_service_server::{SERVICE_NAME as WORKSPACE, WorkspaceServiceServer};

/// A commit of the largest size told event by event, with its record.
const RECORD_MESSAGE_BYTES_MAX: usize = 4 * MAX_RECORD_BYTES;

/// The server's limits, each with its unit in its name.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The largest message in and out, in bytes.
    pub message_bytes_max: usize,
    /// Streams open at once on one connection.
    pub streams_per_connection_max: u32,
    /// A connection that is silent this long is asked whether it is there, in seconds.
    pub keepalive_interval_s: u64,
    /// How long it may take to say so, in seconds.
    pub keepalive_timeout_s: u64,
    /// How long what is open may take to end when the server stops, in seconds.
    pub drain_s: u64,
    /// Whether a commit keeps the client's address.
    pub record_peer: bool,
    /// The origins whose pages may talk to the server from a browser.
    pub web_origins: Vec<WebOrigin>,
    /// Bounds of subscriptions.
    pub subscriptions: SubscriptionLimits,
    /// Bounds of calls and connections.
    pub load: LoadLimits,
    /// What callers are recognised by.
    pub authenticator: Arc<Authenticator>,
    /// What connections are secured with.
    pub tls: Option<Arc<Tls>>,
    /// Whether to listen on an address that others reach although connections are not secured: something in front of the server
    /// secures them.
    pub plaintext_beyond_loopback: bool,
}

/// Why a server did not start, or stopped.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address is not loopback.
    #[error(
        "{0} can be reached from other machines, and nobody would have to show who they are: make a key with \"binnacle keys create\", or name --tls-client-ca or --jwt-jwks, or listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// The address is not loopback, and connections are not secured.
    #[error(
        "{0} can be reached from other machines, and tokens would travel in the clear: name --tls-certificate and --tls-key, or --plaintext-beyond-loopback where something in front of the server secures connections"
    )]
    Plaintext(SocketAddr),
    /// The address cannot be had.
    #[error("{address} cannot be listened on: {source}; choose another with --listen, or stop what uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The transport failed.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The reflection service could not be built.
    #[error("the API's descriptors cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The API's descriptors could not be read.
    #[error("the API's descriptors cannot be read: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// The log failed, at start or later.
    #[error("{0}")]
    Log(Arc<LogError>),
}

/// A server that has its address: on a port of the machine, or on connections that come from elsewhere.
pub struct BoundServer<I = Incoming> {
    incoming: I,
    address: SocketAddr,
    config: ServerConfig,
    access: AccessRecord,
    standing: Standing,
    load: Arc<Load>,
    listener: Option<CallListener>,
}

const SERVICES: [&str; 7] = ["", WORKSPACE, CYCLE, OBJECTIVE, KPI, PROGRESS, AUDIT];
/// Streams that a peer has reset and the server has not yet forgotten: beyond it the connection is abuse.
const RESET_STREAMS_MAX: usize = 1024;
/// How often what nobody has asked for in a while is let go.
const FORGET_EVERY: Duration = Duration::from_secs(5);

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 * 1024 * 1024,
            streams_per_connection_max: 256,
            keepalive_interval_s: 30,
            keepalive_timeout_s: 10,
            drain_s: 10,
            record_peer: false,
            web_origins: Vec::new(),
            subscriptions: SubscriptionLimits::default(),
            load: LoadLimits::default(),
            authenticator: Arc::new(Authenticator::open()),
            tls: None,
            plaintext_beyond_loopback: false,
        }
    }
}

impl ServerConfig {
    /// Whether a server may listen there.
    ///
    /// # Errors
    /// Others reach the address and nobody would have to show who they are, or tokens would travel in the clear.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), ServeError> {
        if address.ip().is_loopback() {
            return Ok(());
        }
        if self.authenticator.is_open() {
            return Err(ServeError::NotLoopback(address));
        }
        if self.tls.is_none() && !self.plaintext_beyond_loopback {
            return Err(ServeError::Plaintext(address));
        }
        Ok(())
    }
}

impl BoundServer {
    /// Takes an address; port 0 takes any free one.
    ///
    /// # Errors
    /// The address cannot be had, or others reach it and nobody would have to show who they are, or tokens would travel in the
    /// clear.
    pub fn bind(address: SocketAddr, config: ServerConfig) -> Result<Self, ServeError> {
        config.check_address(address)?;
        let listen = |source: std::io::Error| ServeError::Listen {
            address,
            source: source.into(),
        };
        let incoming = TcpIncoming::bind(address)
            .map_err(listen)?
            .with_nodelay(Some(true))
            // HTTP/1 has no pings: the operating system finds out that a browser is gone.
            .with_keepalive(Some(Duration::from_secs(config.keepalive_interval_s)));
        let address = incoming.local_addr().map_err(listen)?;
        let load = Arc::new(Load::new(config.load));
        let incoming = Arc::clone(load.doors()).admit(incoming);
        let incoming = match &config.tls {
            Some(tls) => Arc::clone(tls).secure(Duration::from_secs(config.load.handshake_s_max), incoming),
            None => Socket::plain(incoming),
        };
        Ok(Self::of(incoming, address, config, load))
    }
}

impl<I> BoundServer<I> {
    /// A server on connections that whoever embeds it accepts, and counts. The address is what it is called by.
    pub fn on(incoming: I, address: SocketAddr, config: ServerConfig) -> Self {
        let load = Arc::new(Load::new(config.load));
        Self::of(incoming, address, config, load)
    }

    fn of(incoming: I, address: SocketAddr, config: ServerConfig, load: Arc<Load>) -> Self {
        let standing = Standing::default();
        standing.bound_by(Arc::clone(&load));
        Self {
            incoming,
            address,
            config,
            access: AccessRecord::nowhere(),
            standing,
            load,
            listener: None,
        }
    }

    /// Keeps refused and denied calls there. Whoever opens the engine opens the record, behind the lock of the store;
    /// [`BoundServer::serve`] closes it when it ends.
    #[must_use]
    pub fn keeping_attempts_in(mut self, access: AccessRecord) -> Self {
        self.access = access;
        self
    }

    /// Tells somebody of every call that has ended and belongs to a trace that is kept.
    #[must_use]
    pub fn telling_of_calls(mut self, listener: CallListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// How it stands, from now until it has ended.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, or until the engine fails.
    ///
    /// `open` gives the engine; it runs beside the server, which says NOT_SERVING meanwhile. When it stops it says so
    /// to everybody, ends the streams, lets calls end for a while, and closes the engine.
    ///
    /// # Errors
    /// The log cannot be opened or has failed, or the transport has.
    pub async fn serve<C, E>(
        self,
        open: impl FnOnce() -> Result<Engine, LogError> + Send + 'static,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<C, E>>,
        C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let opening = async {
            let opened = tokio::task::spawn_blocking(open).await;
            opened.unwrap_or_else(|_panicked| Err(stopped_while_opening()))
        };
        let access = self.access.clone();
        let standing = self.standing.clone();
        let served = self.serve_once(opening, shutdown).await;
        // Also behind a failure nobody is told to come.
        standing.drain();
        // However it ended: what was refused before is kept.
        let closed = tokio::task::spawn_blocking(move || access.close()).await;
        if closed.is_err() {
            tracing::error!("the access record did not close in good order; its newest entries may be lost");
        }
        served
    }

    /// As [`BoundServer::serve`], for whoever embeds the server in a runtime of its own: `opening` gives the engine, and runs
    /// where it is awaited.
    ///
    /// # Errors
    /// As [`BoundServer::serve`].
    pub async fn serve_once<C, E>(
        self,
        opening: impl Future<Output = Result<Engine, LogError>> + Send,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<C, E>>,
        C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let engine = self.standing.place_of_engine();
        let tally = Arc::new(CallTally::of_the_api()?);
        let (drain, draining) = watch::channel(false);
        let api = Api::new(
            Arc::clone(&engine),
            draining.clone(),
            self.config.record_peer,
            self.config.subscriptions,
            self.access.clone(),
            Arc::clone(&self.load),
        );
        let attempts = Attempts::new(self.access.clone(), Arc::clone(&engine), self.config.record_peer)?;
        self.standing.count_in(Arc::clone(&tally));
        self.standing.look_at(Arc::clone(api.subscriptions()));
        let health = HealthReporter::new();
        report(&health, ServingStatus::NotServing).await;
        let routes = routes(&api, &health, self.config.message_bytes_max)?;
        let until_drained = wait_for(draining);
        let first_call_within = Duration::from_secs(self.config.load.first_call_s_max);
        let incoming = self
            .incoming
            .map(move |accepted| accepted.map(|io| Closable::new(io, first_call_within)));
        let server = builder(&self.config)
            .layer(Attached)
            .layer(NamedOriginsOnly::new(
                &self.config.web_origins,
                attempts.clone(),
                Arc::clone(&self.load),
            ))
            .layer(cors(&self.config.web_origins))
            .layer(GrpcWebLayer::new())
            .layer(Observation::new(tally, self.listener))
            .layer(Identified::new(Arc::clone(&self.config.authenticator)))
            .layer(Bounded(Arc::clone(&self.load)))
            .layer(attempts)
            .layer(Admitted)
            .layer(RevisionTrailer)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, until_drained);
        let authenticator = Arc::clone(&self.config.authenticator);
        let looking_after = async {
            tokio::select! {
                never = look_after(&api) => never,
                never = authenticator.follow() => never,
            }
        };
        tokio::pin!(server, looking_after, shutdown);
        let life = async {
            let opened = tokio::select! {
                opened = opening => opened,
                // Nothing was promised to anybody yet.
                () = &mut shutdown => return Ok(None),
            };
            let opened = opened.map_err(|error| ServeError::Log(Arc::new(error)))?;
            let running = engine.get_or_init(|| opened).clone();
            report(&health, ServingStatus::Serving).await;
            self.standing.begin();
            tracing::info!(address = %self.address, "serving");
            tokio::select! {
                error = running.failure() => Err(ServeError::Log(error)),
                () = shutdown => Ok(Some(running)),
            }
        };
        let running = tokio::select! {
            served = &mut server => return Ok(served?),
            never = &mut looking_after => match never {},
            // After a failure of the disk nothing may be said any more: what is open is dropped.
            lived = life => match lived? {
                Some(running) => running,
                None => return Ok(()),
            },
        };
        report(&health, ServingStatus::NotServing).await;
        self.standing.drain();
        drain.send_replace(true);
        let drained = tokio::select! {
            drained = tokio::time::timeout(Duration::from_secs(self.config.drain_s), server) => drained,
            // Whoever has stopped reading is in the way of the end.
            never = looking_after => match never {},
        };
        let closed = tokio::task::spawn_blocking(move || running.close()).await;
        if closed.is_err() {
            tracing::error!("the engine did not close in good order; the next start recovers");
        }
        match drained {
            Ok(served) => Ok(served?),
            Err(_) => {
                tracing::warn!(
                    drain_s = self.config.drain_s,
                    "calls that did not end in time were dropped"
                );
                Ok(())
            }
        }
    }
}

/// The limits of a connection. A request over HTTP/1, which gRPC-Web alone may use, has 30 s for its headers: hyper's own
/// limit, for which tonic sets the clock.
fn builder(config: &ServerConfig) -> Server {
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(config.streams_per_connection_max)
        .http2_max_header_list_size(config.load.header_list_bytes_max)
        .http2_keepalive_interval(Some(Duration::from_secs(config.keepalive_interval_s)))
        .http2_keepalive_timeout(Some(Duration::from_secs(config.keepalive_timeout_s)))
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(RESET_STREAMS_MAX))
}

fn routes(api: &Api, health: &HealthReporter, message_bytes_max: usize) -> Result<Routes, ServeError> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(API_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    macro_rules! limited {
        ($server:expr) => {
            $server
                .max_decoding_message_size(message_bytes_max)
                .max_encoding_message_size(message_bytes_max)
        };
    }
    let mut routes = Routes::builder();
    routes
        .add_service(tonic_health::pb::health_server::HealthServer::new(
            tonic_health::server::HealthService::from_health_reporter(health.clone()),
        ))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(limited!(WorkspaceServiceServer::new(api.clone())))
        .add_service(limited!(CycleServiceServer::new(api.clone())))
        .add_service(limited!(ObjectiveServiceServer::new(api.clone())))
        .add_service(limited!(KpiServiceServer::new(api.clone())))
        .add_service(ProgressCalls::new(api, message_bytes_max))
        // A commit may be as large as the largest message; an export and a page of whole commits have to be able to carry it.
        .add_service(
            limited!(AuditServiceServer::new(api.clone()))
                .max_encoding_message_size(message_bytes_max.max(RECORD_MESSAGE_BYTES_MAX)),
        );
    Ok(routes.routes())
}

/// Ends subscribers that have stopped reading, and lets go what was kept for those who are gone.
async fn look_after(api: &Api) -> Infallible {
    let forget = async {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            api.load().forget_idle();
            api.load().close_the_stalled();
            if let Ok(engine) = api.engine() {
                engine.forget_idle();
            }
        }
    };
    tokio::select! {
        never = api.subscriptions().end_the_stalled() => never,
        never = forget => never,
    }
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}

async fn wait_for(mut draining: watch::Receiver<bool>) {
    // A sender that is gone means that the server is ending as well.
    let _ended = draining.wait_for(|draining| *draining).await;
}

fn stopped_while_opening() -> LogError {
    let context = "the log could not be opened: the program failed on an error of its own; report it";
    LogError::new(crate::log::LogErrorKind::Io, context)
}
