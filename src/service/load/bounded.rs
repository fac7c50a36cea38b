//! The layer that keeps every caller within their limits, and every call within its time.
//!
//! It stands inside of what finds out who calls, and outside of whatever keeps refused calls: who calls too often must not fill
//! the access record. Where nobody has to show who they are there is nobody to hold a limit against.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, Ready, ready};
use http::{Request, Response};
use http_body_util::BodyExt;
use smol_str::SmolStr;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::carried::Carrier;
use super::outflow::Asked;
use super::places::Place;
use super::{Excess, Load, doors};
use crate::service::caller::Caller;
use crate::service::connection::Connection;
use crate::service::status;

/// The layer.
#[derive(Clone)]
pub(crate) struct Bounded(pub(crate) Arc<Load>);

/// A service whose callers have limits.
#[derive(Clone)]
pub(crate) struct WithinLimits<S> {
    inner: S,
    load: Arc<Load>,
}

/// The place of an open call; free again when it is dropped.
pub(super) enum OpenCall {
    OfPrincipal(#[expect(dead_code, reason = "held until the call has ended")] Place<SmolStr>),
    OfStrangers(#[expect(dead_code, reason = "held until the call has ended")] Place<Option<IpAddr>>),
}

/// A call that has no answer yet. Dropped, it was given up.
struct Unanswered(Option<Connection>);

type Answered = Result<Response<Body>, Infallible>;

/// What an orchestrator asks every few seconds. It costs no more to answer than to refuse.
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";
const STATUS: &str = "grpc-status";
/// What takes messages one after the other, each in its time.
const INGEST: &str = "/binnacle.v1.KpiService/IngestMeasurements";
/// What has bounds of its own for what its readers do not read (`service::subscription`).
const SUBSCRIBE: &str = "/binnacle.v1.ProgressService/Subscribe";
const REFLECTION: &str = "/grpc.reflection.";
/// What a field of a header takes beside its name and its value (RFC 9113, 6.5.2), in bytes.
const FIELD_FRAME_BYTES: usize = 32;

impl Load {
    /// A call as it comes. It is open until what is answered here is dropped.
    fn enter<B>(&self, request: &Request<B>) -> Result<Option<OpenCall>, Status> {
        let bytes_max = self.limits.header_list_bytes_max;
        if header_list_bytes(request) > usize::try_from(bytes_max).unwrap_or(usize::MAX) {
            return Err(status::headers_too_large(bytes_max));
        }
        let caller = request.extensions().get::<Caller>();
        let Some(caller) = caller.filter(|_| request.uri().path() != HEALTH_CHECK) else {
            return Ok(None);
        };
        if let Some(identity) = caller.identity() {
            let entered = self.principals.enter(&identity.principal);
            let refused = |excess| status::too_many_calls("you make", excess);
            return Ok(entered.map_err(refused)?.map(OpenCall::OfPrincipal));
        }
        if caller.is_refused() {
            let entered = self.enter_stranger(request.extensions());
            let refused =
                |excess| status::too_many_calls("callers of your address whom nobody knows make", excess);
            return Ok(entered.map_err(refused)?.map(OpenCall::OfStrangers));
        }
        Ok(None)
    }

    /// A call of somebody whom nobody knows.
    pub(crate) fn enter_stranger(
        &self,
        extensions: &http::Extensions,
    ) -> Result<Option<Place<Option<IpAddr>>>, Excess> {
        let peer = extensions
            .get::<Connection>()
            .and_then(|connection| connection.peer);
        self.strangers.enter(&peer.map(|peer| doors::network(peer.ip())))
    }
}

/// What the header list of a call takes. HTTP/2 keeps to its limit by itself.
fn header_list_bytes<B>(request: &Request<B>) -> usize {
    let fields = request.headers().iter();
    fields.fold(0, |sum, (name, value)| {
        sum + name.as_str().len() + value.len() + FIELD_FRAME_BYTES
    })
}

fn is_of_a_stranger<B>(request: &Request<B>) -> bool {
    request
        .extensions()
        .get::<Caller>()
        .is_some_and(Caller::is_refused)
}

/// Who calls, where they are known.
fn principal_of<B>(request: &Request<B>) -> Option<SmolStr> {
    let caller = request.extensions().get::<Caller>()?;
    Some(caller.identity()?.principal.clone())
}

impl Unanswered {
    fn end(mut self, answer: &Response<Body>) {
        let connection = self.0.take();
        // Whose status is in the headers has nothing else to say.
        if let Some(connection) = connection.filter(|_| !answer.headers().contains_key(STATUS)) {
            connection.answered();
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.gave_up();
        }
    }
}

impl<S> Layer<S> for Bounded {
    type Service = WithinLimits<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithinLimits {
            inner,
            load: Arc::clone(&self.0),
        }
    }
}

impl<S> Service<Request<Body>> for WithinLimits<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Answered>, BoxFuture<'static, Answered>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connection = request.extensions().get::<Connection>().cloned();
        let place = match self.load.enter(&request) {
            Ok(place) => place,
            Err(refused) => return Either::Left(ready(Ok(refused.into_http()))),
        };
        if let Some(connection) = &connection
            && !is_of_a_stranger(&request)
        {
            connection.called();
        }
        let path = request.uri().path();
        let is_counted = path != INGEST && !path.starts_with(REFLECTION);
        let outflow = (path != SUBSCRIBE).then(|| Arc::clone(&self.load.outflow));
        let principal = principal_of(&request);
        let request = request.map(|body| {
            let connection = connection.clone();
            // Who breaks off a request has given the call up.
            let body = Body::new(body.map_err(move |broken| {
                if let Some(connection) = &connection {
                    connection.gave_up();
                }
                broken
            }));
            match is_counted {
                true => self.load.inflow.count(body),
                false => body,
            }
        });
        let answer_s_max = self.load.limits.answer_s_max;
        let answering = tokio::time::timeout(Duration::from_secs(answer_s_max), self.inner.call(request));
        let unanswered = Unanswered(connection.clone());
        Either::Right(Box::pin(async move {
            let answer = match answering.await {
                Ok(Ok(answer)) => answer,
                Err(_) => status::not_in_time(answer_s_max).into_http(),
            };
            unanswered.end(&answer);
            // Until its answer has ended, and was taken, the call is open.
            let call = place.map(Arc::new);
            Ok(match (outflow, call) {
                (Some(outflow), call) => {
                    let carrier = Carrier::default();
                    let of = Asked {
                        principal,
                        connection,
                        call,
                    };
                    let mut answer = answer.map(|body| outflow.count(of, carrier.clone(), body));
                    answer.extensions_mut().insert(carrier);
                    answer
                }
                (None, Some(call)) => answer.map(|body| {
                    Body::new(body.map_frame(move |frame| {
                        let _open = &call;
                        frame
                    }))
                }),
                (None, None) => answer,
            })
        }))
    }
}
