//! TLS for connections: a certificate that is changed while the server runs, client certificates where they are asked for, and
//! handshakes that take neither long nor many places.
//!
//! Invariant: a connection is handed on when its handshake is done, and one that never finishes is nothing but a place among so
//! many for so long. What is open is never touched when a certificate changes.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::{Stream, StreamExt};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::load::Entered;
use crate::identity::FileVersion;

/// Where the certificate and the key are, and whose clients' certificates are believed.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate and those above it (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// Who signs clients' certificates (PEM); none: no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot be had.
#[derive(Debug, Error)]
pub enum TlsFault {
    /// A file is not what it should be.
    #[error("{path} {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// They do not fit each other.
    #[error("{certificate} and {key} cannot be used together: {why}", certificate = certificate.display(), key = key.display())]
    Unfit {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        why: String,
    },
}

/// What connections are secured with.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
    looked: Mutex<(Instant, [FileVersion; 3])>,
}

/// A connection that calls may come on.
pub struct Socket {
    bytes: SocketBytes,
    /// Held until it is closed.
    _entered: Entered,
}

enum SocketBytes {
    /// As they came.
    Plain(TcpStream),
    /// The handshake is done.
    Secured(Box<TlsStream<TcpStream>>),
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its addresses.
    pub(super) tcp: TcpConnectInfo,
    /// The client's certificate (DER), verified.
    pub(super) certificate: Option<Arc<[u8]>>,
}

/// Connections that calls may come on.
pub type Incoming = Pin<Box<dyn Stream<Item = io::Result<Socket>> + Send>>;

/// How often the files are looked at, when somebody connects.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many handshakes there are at once; who comes then waits at the door.
const HANDSHAKES_MAX: usize = 8192;

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not fit each other.
    pub fn new(files: TlsFiles) -> Result<Self, TlsFault> {
        let versions = files.versions();
        let config = files.read()?;
        Ok(Self {
            files,
            config: ArcSwap::from_pointee(config),
            looked: Mutex::new((Instant::now(), versions)),
        })
    }

    /// Whether clients are asked for certificates.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What the next connection is secured with: the files as they are, where they can be read, else as they were.
    fn newest(&self) -> Arc<ServerConfig> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, versions) = &mut *looked;
        if at.elapsed() >= LOOK_EVERY {
            *at = Instant::now();
            let newest = self.files.versions();
            if newest != *versions {
                match self.files.read() {
                    Ok(config) => {
                        *versions = newest;
                        tracing::info!("the certificate has changed: new connections have the new one");
                        self.config.store(Arc::new(config));
                    }
                    Err(fault) => tracing::error!(%fault, "new connections have the certificate of before"),
                }
            }
        }
        self.config.load_full()
    }

    /// Secures connections as they come, each within so long.
    pub(super) fn secure(
        self: Arc<Self>,
        handshake_max: Duration,
        incoming: impl Stream<Item = (TcpStream, Entered)> + Send + 'static,
    ) -> Incoming {
        let (done, secured) = mpsc::channel(64);
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        tokio::spawn(async move {
            let mut incoming = pin!(incoming);
            loop {
                let place = tokio::select! {
                    place = Arc::clone(&handshakes).acquire_owned() => place,
                    () = done.closed() => return,
                };
                let Ok(place) = place else { return };
                let accepted = tokio::select! {
                    accepted = incoming.next() => accepted,
                    () = done.closed() => return,
                };
                let Some((stream, entered)) = accepted else { return };
                let acceptor = TlsAcceptor::from(self.newest());
                let done = done.clone();
                tokio::spawn(async move {
                    let _place = place;
                    let bytes = match tokio::time::timeout(handshake_max, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => SocketBytes::Secured(Box::new(stream)),
                        Ok(Err(error)) => return tracing::debug!(%error, "a handshake failed"),
                        Err(_) => return tracing::debug!("a handshake took too long"),
                    };
                    let socket = Socket {
                        bytes,
                        _entered: entered,
                    };
                    // Who does not take it any more is about to end.
                    drop(done.send(Ok(socket)).await);
                });
            }
        });
        Box::pin(ReceiverStream::new(secured))
    }
}

impl TlsFiles {
    fn versions(&self) -> [FileVersion; 3] {
        let client_ca = self.client_ca.as_deref().map(FileVersion::at);
        [
            FileVersion::at(&self.certificate),
            FileVersion::at(&self.key),
            client_ca.unwrap_or_default(),
        ]
    }

    fn read(&self) -> Result<ServerConfig, TlsFault> {
        let unfit = |error: &dyn std::fmt::Display| TlsFault::Unfit {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            why: error.to_string(),
        };
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates_in(path)? {
                    roots
                        .add(certificate)
                        .map_err(|error| file(path, &format!("holds no CA: {error}")))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    // Who comes without one may still have a token.
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| file(path, &format!("holds no CA: {error}")))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| file(&self.key, &format!("holds no private key in PEM: {error}")))?;
        let mut config = builder
            .with_single_cert(certificates_in(&self.certificate)?, key)
            .map_err(|error| unfit(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The certificates in a file (PEM); there is one at least.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| file(path, &format!("holds no certificate in PEM: {error}")))?;
    match found.is_empty() {
        true => Err(file(path, "holds no certificate in PEM")),
        false => Ok(found),
    }
}

fn file(path: &Path, why: &str) -> TlsFault {
    TlsFault::File {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

impl Socket {
    /// Connections as they come.
    pub(super) fn plain(incoming: impl Stream<Item = (TcpStream, Entered)> + Send + 'static) -> Incoming {
        Box::pin(incoming.map(|(stream, entered)| {
            Ok(Self {
                bytes: SocketBytes::Plain(stream),
                _entered: entered,
            })
        }))
    }
}

impl Connected for Socket {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        match &self.bytes {
            SocketBytes::Plain(tcp) => Peer {
                tcp: tcp.connect_info(),
                certificate: None,
            },
            SocketBytes::Secured(stream) => {
                let (tcp, session) = stream.get_ref();
                let certificate = session.peer_certificates().and_then(<[_]>::first);
                Peer {
                    tcp: tcp.connect_info(),
                    certificate: certificate.map(|certificate| certificate.as_ref().into()),
                }
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            SocketBytes::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            SocketBytes::Secured(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().bytes {
            SocketBytes::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            SocketBytes::Secured(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().bytes {
            SocketBytes::Plain(tcp) => Pin::new(tcp).poll_write_vectored(context, bytes),
            SocketBytes::Secured(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.bytes {
            SocketBytes::Plain(tcp) => tcp.is_write_vectored(),
            SocketBytes::Secured(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            SocketBytes::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            SocketBytes::Secured(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            SocketBytes::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            SocketBytes::Secured(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
