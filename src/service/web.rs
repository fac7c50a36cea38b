//! Pages in a browser: which of them may talk to the server, and what their browser is told.
//!
//! Invariant: what a page of an origin that nobody named has sent reaches no service. A browser says with every POST where
//! its page comes from, also with one that it sends without asking first, and also when a stranger's host name was made
//! to point at this machine; so an `Origin` that is not named is refused, and one that is absent means that no page asks.
//! It does not know what is called.

use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, Ready, ready};
use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::Deserialize;
use thiserror::Error;
use tonic::body::Body;
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::attempts::Attempts;
use super::load::Load;
use super::status;

/// Where a page comes from, as its browser says it: scheme, host, and the port if it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WebOrigin(HeaderValue);

/// A text that no browser sends as an origin.
#[derive(Debug, Error)]
#[error(
    "{0:?} is no origin: write it as the browser does, for example https://bi.example.com or http://localhost:8080, in small letters, \
     without a path, and without :443 or :80"
)]
pub struct NoOrigin(String);

/// Refuses what comes from a page of another origin.
#[derive(Clone)]
pub(super) struct NamedOriginsOnly {
    named: Arc<[WebOrigin]>,
    attempts: Attempts,
    load: Arc<Load>,
}

/// A service that hears of named origins only.
#[derive(Clone)]
pub(super) struct WithNamedOrigins<S> {
    inner: S,
    named: Arc<[WebOrigin]>,
    attempts: Attempts,
    load: Arc<Load>,
}

/// What a page may read of an answer's headers: a refusal comes in them, without a body.
const READABLE: [HeaderName; 6] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("binnacle-revision"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
];
/// How long a browser need not ask again.
const ASKED_FOR: Duration = Duration::from_secs(2 * 60 * 60);

impl FromStr for WebOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let wrong = || NoOrigin(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let own_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong()),
        };
        // Compared as texts later: there is one way to write it, and it is the browser's.
        let host = authority.host().to_ascii_lowercase();
        let written = match authority.port_u16() {
            None => format!("{scheme}://{host}"),
            Some(port) if port == own_port => return Err(wrong()),
            Some(port) => format!("{scheme}://{host}:{port}"),
        };
        if host.is_empty() || host.contains('*') || written != text {
            return Err(wrong());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for WebOrigin {
    type Error = NoOrigin;

    fn try_from(text: String) -> Result<Self, NoOrigin> {
        text.parse()
    }
}

impl NamedOriginsOnly {
    pub(super) fn new(named: &[WebOrigin], attempts: Attempts, load: Arc<Load>) -> Self {
        Self {
            named: named.into(),
            attempts,
            load,
        }
    }
}

/// Answers browsers that ask on behalf of a page of a named origin, before it calls.
pub(super) fn cors(named: &[WebOrigin]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(named.iter().map(|origin| origin.0.clone())))
        .allow_methods([Method::POST])
        // Metadata has any name, and whoever is named may call everything.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(READABLE)
        .max_age(ASKED_FOR)
}

impl<S> Layer<S> for NamedOriginsOnly {
    type Service = WithNamedOrigins<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithNamedOrigins {
            inner,
            named: Arc::clone(&self.named),
            attempts: self.attempts.clone(),
            load: Arc::clone(&self.load),
        }
    }
}

impl<S: Service<Request<B>, Response = Response<Body>>, B> Service<Request<B>> for WithNamedOrigins<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if may_pass(request.headers(), &self.named) {
            Either::Left(self.inner.call(request))
        } else {
            let mut refusal = status::origin_not_allowed().into_http();
            // A browser that asks first has not called yet. Whoever calls too often does not fill the record.
            if request.method() == Method::POST
                && self.load.enter_stranger(request.extensions()).is_ok()
                && let Some(watched) = self.attempts.watch(&request)
            {
                watched.ended(refusal.headers(), false);
            }
            // For whoever does not speak gRPC: a browser shows this in its console.
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            Either::Right(ready(Ok(refusal)))
        }
    }
}

fn may_pass(headers: &HeaderMap, named: &[WebOrigin]) -> bool {
    headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| named.iter().any(|named| named.0 == origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends_and_nothing_else() {
        for origin in [
            "https://bi.example.com",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://[::1]:8080",
            "https://a.b:80",
        ] {
            let read: WebOrigin = origin.parse().expect(origin);
            assert_eq!(read.0, origin);
        }
        for text in [
            "",
            "*",
            "null",
            "bi.example.com",
            "https://",
            "https://*.example.com",
            "https://bi.example.com/",
            "https://bi.example.com/page",
            "https://bi.example.com?x",
            "https://bi.example.com:443",
            "http://bi.example.com:80",
            "https://BI.example.com",
            "https://me@bi.example.com",
            "https://bi.example.com:99999",
            "https://bi.example.com:",
            "file:///page.html",
            "https://a.example https://b.example",
        ] {
            let refused = text.parse::<WebOrigin>().expect_err(text).to_string();
            assert!(refused.contains("https://bi.example.com"), "{refused}");
        }
    }
}
