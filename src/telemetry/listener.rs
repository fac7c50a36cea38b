//! The port for whoever watches the server: `GET /metrics`, `/livez` and `/readyz`, over HTTP/1.1.
//!
//! Nobody is authenticated: who reaches the port reads what is shown. Invariant: it changes nothing, and holds little: so many
//! connections at once, each for one answer and a short time, and one exposition after the other. It does not know what is
//! shown.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prost::bytes::Bytes;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};

use super::exposition::{Exposition, Format};
use crate::service::{Readiness, Standing};

/// A port that is listened on and not served yet.
#[derive(Debug)]
pub struct MetricsListener {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why there are no metrics.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// The address cannot be had.
    #[error(
        "{address} cannot be listened on: {source}; choose another with --metrics-listen, or stop what uses it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Who answers.
struct Answerer {
    standing: Standing,
    exposition: Arc<Exposition>,
    /// Whose turn it is to have the exposition written.
    turn: Arc<Mutex<()>>,
}

type Answer = Response<Full<Bytes>>;

const CONNECTIONS_MAX: usize = 64;
/// A connection is for one answer, which has to be taken in this time.
const CONNECTION_MAX: Duration = Duration::from_secs(30);
/// Who says nothing for so long is in the way of others.
const HEADERS_MAX: Duration = Duration::from_secs(2);
/// Behind an error of the operating system, as when there are too many files.
const PAUSE: Duration = Duration::from_millis(100);
const TEXT: &str = "text/plain; charset=utf-8";

impl MetricsListener {
    /// Takes an address; port 0 takes any free one.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, MetricsError> {
        let failed = |source| MetricsError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for as long as it is polled.
    pub async fn serve(self, standing: Standing, exposition: Exposition) -> Infallible {
        let answerer = Arc::new(Answerer {
            standing,
            exposition: Arc::new(exposition),
            turn: Arc::default(),
        });
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let accepted = self.listener.accept().await;
            // Who comes when all places are taken waits in the operating system's queue.
            let place = Arc::clone(&places).acquire_owned().await;
            match accepted {
                Ok((stream, _)) => {
                    let answerer = Arc::clone(&answerer);
                    tokio::spawn(async move {
                        answer(stream, answerer).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection for metrics was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Answers one connection.
async fn answer(stream: TcpStream, answerer: Arc<Answerer>) {
    let service = service_fn(move |request| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(answerer.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_MAX, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection for metrics failed"),
        Err(_) => tracing::debug!("a connection for metrics took too long and was closed"),
    }
}

impl Answerer {
    async fn answer<B>(&self, request: &Request<B>) -> Answer {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut refused = sentence(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.");
            refused
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match request.uri().path() {
            "/metrics" => self.metrics(format_for(request.headers())).await,
            "/livez" => sentence(StatusCode::OK, "The process runs."),
            "/readyz" => ready(self.standing.readiness()),
            _ => sentence(
                StatusCode::NOT_FOUND,
                "There is nothing here: ask for /metrics, /livez or /readyz.",
            ),
        }
    }

    async fn metrics(&self, format: Format) -> Answer {
        // Whoever does not wait for the answer leaves the turn to its end all the same: one at a time looks at the disk.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let exposition = Arc::clone(&self.exposition);
        // It looks at the disk, and at every workspace.
        let written = tokio::task::spawn_blocking(move || {
            let written = exposition.write(format);
            drop(turn);
            written
        })
        .await;
        match written {
            Ok(Ok(text)) => body(StatusCode::OK, format.content_type(), text),
            Ok(Err(_)) | Err(_) => sentence(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The metrics cannot be written: the program failed on an error of its own; report it.",
            ),
        }
    }
}

fn ready(readiness: Readiness) -> Answer {
    match readiness {
        Readiness::Ready => sentence(StatusCode::OK, "The server takes calls."),
        Readiness::Starting => sentence(
            StatusCode::SERVICE_UNAVAILABLE,
            "The log is being replayed: calls are taken when it is.",
        ),
        Readiness::Draining => sentence(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is about to stop: it takes no more calls.",
        ),
    }
}

/// OpenMetrics for who says that it takes it. Whoever does prefers it to the older form.
fn format_for(headers: &HeaderMap) -> Format {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut types = accepted
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','));
    let takes_it = types.any(|accepted| {
        let mut parts = accepted.split(';').map(str::trim);
        let is_it = parts.next() == Some("application/openmetrics-text");
        is_it
            && parts.all(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                match name {
                    "version" => value == "1.0.0",
                    "q" => value.parse().is_ok_and(|quality: f32| quality > 0.0),
                    _ => true,
                }
            })
    });
    if takes_it {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    }
}

fn sentence(status: StatusCode, sentence: &'static str) -> Answer {
    body(status, TEXT, format!("{sentence}\n"))
}

fn body(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_who_says_that_it_takes_it() {
        let format = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            format_for(&headers)
        };
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
            "text/plain, application/openmetrics-text;version=0.0.1;q=0.5, application/openmetrics-text;version=1.0.0;q=0.1",
        ] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept}");
        }
        for accept in [
            "*/*",
            "text/html",
            "text/plain;version=0.0.4",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text2",
        ] {
            assert_eq!(format(accept), Format::Prometheus, "{accept}");
        }
        assert_eq!(format_for(&HeaderMap::new()), Format::Prometheus);
    }

    #[test]
    fn only_a_server_that_takes_calls_is_ready() {
        let statuses = [Readiness::Starting, Readiness::Ready, Readiness::Draining];
        let statuses = statuses.map(|readiness| ready(readiness).status().as_u16());
        assert_eq!(statuses, [503, 200, 503]);
    }
}
