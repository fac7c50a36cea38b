//! One RPC as it is seen from outside: the span that its log lines stand in, the ids by which it is found again, how it ended
//! and how long it took. One layer for all calls.
//!
//! Every answer has the metadata `x-request-id` and `traceparent`; with them, and with a line at the end of the call, it is
//! found in logs and traces. What happens in a call is logged within its span.
//!
//! Invariant: a call is counted once, when it has ended: with the code of its status, or as CANCELLED when its caller, or the
//! end of the server, was quicker than that. It stands inside of what speaks gRPC-Web, so that there is one form of statuses,
//! and outside of whatever refuses calls. It does not know who keeps spans, nor who reads the counts.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{Join, Map, Ready, join, ready as at_once};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;
use tracing::instrument::Instrumented;

use self::request_id::{REQUEST_ID, request_id};
use self::trace_context::Hex;
use super::attempts;

pub use self::tally::{CallTally, MethodTally};
pub use self::trace_context::TraceContext;

mod request_id;
mod tally;
mod trace_context;

/// Hears of every call that has ended and belongs to a trace that is kept. It is told on the way of the answer, so it must not
/// wait.
pub type CallListener = Arc<dyn Fn(EndedCall<'_>) + Send + Sync>;

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct EndedCall<'a> {
    /// The method without the first slash, if the API has it.
    pub method: Option<&'a str>,
    /// What was called, without the first slash; of what the API does not have at most 200 characters.
    pub called: &'a str,
    /// The id of the call.
    pub request_id: &'a str,
    /// Its place in its trace.
    pub place: TraceContext,
    /// The caller's.
    pub caller: Option<TraceContext>,
    /// When it began.
    pub began: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended, as gRPC spells it.
    pub code: &'static str,
    /// Whether the conventions of OpenTelemetry call that an error of a server.
    pub is_error: bool,
}

/// The layer.
#[derive(Clone)]
pub(super) struct Observation {
    tally: Arc<CallTally>,
    listener: Option<CallListener>,
}

/// A service whose calls are observed.
#[derive(Clone)]
pub(super) struct Observed<S> {
    inner: S,
    observation: Observation,
}

/// A call that is under way. Dropped, it was cancelled.
pub(super) struct OpenCall {
    observation: Observation,
    /// Its place in the tally; none: the API does not have it.
    method: Option<usize>,
    /// What was called, where the API does not have it.
    made_up: String,
    request_id: HeaderValue,
    place: TraceContext,
    caller: Option<TraceContext>,
    began: Instant,
    began_time: SystemTime,
    span: tracing::Span,
    has_ended: bool,
}

/// The body of an answer whose status comes behind it.
struct ObservedBody {
    body: Body,
    call: OpenCall,
}

type Answered<E> = Result<Response<Body>, E>;

const TRACEPARENT: &str = "traceparent";
const STATUS: &str = "grpc-status";
/// Of what is called although the API does not have it, so much is logged, in characters.
const CALLED_CHARS_MAX: usize = 200;

impl Observation {
    pub(super) fn new(tally: Arc<CallTally>, listener: Option<CallListener>) -> Self {
        Self { tally, listener }
    }

    /// A call as it comes.
    fn begin<B>(&self, request: &Request<B>) -> OpenCall {
        let path = request.uri().path();
        let method = self.tally.find(path);
        self.tally.method(method).begin();
        let made_up = match method {
            Some(_) => String::new(),
            None => path
                .trim_start_matches('/')
                .chars()
                .take(CALLED_CHARS_MAX)
                .collect(),
        };
        let headers = request.headers();
        // One number for both: chance comes from the operating system, at half a microsecond.
        let fresh = uuid::Uuid::new_v4();
        let request_id = request_id(headers, fresh);
        let caller = headers.get(TRACEPARENT).and_then(|text| text.to_str().ok());
        let caller = caller.and_then(TraceContext::parse);
        let place = TraceContext::below(caller.as_ref(), fresh, self.listener.is_some());
        let span = tracing::info_span!(
            "rpc",
            method = method.map_or(made_up.as_str(), |_| self.tally.method(method).name()),
            request_id = request_id.to_str().unwrap_or_default(),
            trace_id = %Hex(&place.trace_id),
        );
        OpenCall {
            observation: self.clone(),
            method,
            made_up,
            request_id,
            place,
            caller,
            began: Instant::now(),
            began_time: SystemTime::now(),
            span,
            has_ended: false,
        }
    }
}

impl OpenCall {
    /// The answer with its metadata. Its status is in its headers, or comes behind its body.
    fn answer(mut self, mut answer: Response<Body>) -> Response<Body> {
        let headers = answer.headers_mut();
        headers.insert(REQUEST_ID, self.request_id.clone());
        if let Ok(place) = HeaderValue::try_from(self.place.to_string()) {
            headers.insert(TRACEPARENT, place);
        }
        match code_in(answer.headers()) {
            Some(code) => {
                self.end(code);
                answer
            }
            None => answer.map(|body| Body::new(ObservedBody { body, call: self })),
        }
    }

    /// It has ended so; what is said later does not count.
    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let tally = self.observation.tally.method(self.method);
        let duration = self.began.elapsed();
        tally.end(code, duration);
        let (name, duration_s) = (attempts::name(code), duration.as_secs_f64());
        if is_fault(code) {
            tracing::info!(parent: &self.span, code = name, duration_s, "the call failed");
        } else {
            tracing::debug!(parent: &self.span, code = name, duration_s, "the call has ended");
        }
        if let Some(listener) = &self.observation.listener
            && self.place.is_sampled
        {
            let method = self.method.map(|_| tally.name());
            listener(EndedCall {
                method,
                called: method.unwrap_or(&self.made_up),
                request_id: self.request_id.to_str().unwrap_or_default(),
                place: self.place,
                caller: self.caller,
                began: self.began_time,
                ended: self.began_time + duration,
                code: name,
                is_error: is_error(code),
            });
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        // A call that panics is dropped as one whose caller has gone away is.
        self.end(match std::thread::panicking() {
            true => Code::Internal,
            false => Code::Cancelled,
        });
    }
}

/// Whether it is the server's fault that a call ended so. That it starts or stops is none: who asks again and again meanwhile
/// must not fill the log.
fn is_fault(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss)
}

fn is_error(code: Code) -> bool {
    is_fault(code)
        || matches!(
            code,
            Code::DeadlineExceeded | Code::Unimplemented | Code::Unavailable
        )
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get(STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}

impl http_body::Body for ObservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, call } = &mut *self;
        let frame = {
            let _within = call.span.enter();
            ready!(Pin::new(body).poll_frame(context))
        };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(code_in) {
                    call.end(code);
                }
            }
            Some(Err(status)) => call.end(status.code()),
            // An answer without a status.
            None => call.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S> Layer<S> for Observation {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observed {
            inner,
            observation: self.clone(),
        }
    }
}

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>> for Observed<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Map<
        Join<Instrumented<S::Future>, Ready<OpenCall>>,
        fn((Answered<S::Error>, OpenCall)) -> Answered<S::Error>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = self.observation.begin(&request);
        let answering = call.span.in_scope(|| self.inner.call(request));
        let answering = answering.instrument(call.span.clone());
        join(answering, at_once(call)).map(|(answered, call)| answered.map(|answer| call.answer(answer)))
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").finish_non_exhaustive()
    }
}
