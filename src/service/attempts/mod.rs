//! Which calls leave an attempt in the access record, and what is said of them. One layer for all calls: it sees the path, the
//! metadata, the first bytes of the request and the status of the answer, and knows nothing of what a call does.
//!
//! Kept is what was denied, and of calls that change something every other refusal but those that say nothing about the caller
//! (`is_refusal`). Denied is what was answered PERMISSION_DENIED or UNAUTHENTICATED, and where callers are known what was answered
//! NOT_FOUND to one for whom the whole workspace is not there: whether it is makes no difference, also not in time. A refused dry run
//! changed nothing and wanted to change nothing: it is a question like a read, and kept only when it was denied.
//!
//! Invariant: whoever has its refusal finds the attempt: it is left before the status goes onto the wire. A call that succeeds
//! pays for references to what it sent, or a copy where that is short, and nothing is read of that.
//!
//! It stands inside of what speaks gRPC-Web, so that there is one form of bodies and statuses; what refuses calls by their
//! metadata alone has to stand inside of it, or leave its attempts itself, as `web` does.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::{Join, Map, Ready, join, ready as at_once};
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::{Layer, Service};

use self::calls::{Asked, Call, Calls};
use super::principal::Asker;
use crate::access::{AccessRecord, Attempt, Texts};
use crate::domain::Id;
use crate::engine::{Clock, Engine, Hosted, SystemClock};

mod calls;

/// The layer.
#[derive(Clone, Debug)]
pub(super) struct Attempts(Arc<Keeper>);

/// A service whose refused calls are kept.
#[derive(Clone, Debug)]
pub(super) struct WithAttempts<S> {
    inner: S,
    attempts: Attempts,
}

struct Keeper {
    record: AccessRecord,
    calls: Calls,
    engine: Arc<OnceLock<Engine>>,
    record_peer: bool,
}

/// A call that is under way.
pub(super) struct Watched {
    keeper: Arc<Keeper>,
    uri: Uri,
    asker: Asker,
    seen: Arc<Seen>,
}

/// The first bytes of a request as they come, by reference.
#[derive(Default)]
struct Seen(Mutex<Vec<Bytes>>);

/// A request's body, of which the first bytes are remembered.
struct WatchedBody {
    body: Body,
    seen: Arc<Seen>,
    /// How many more bytes are remembered.
    left_bytes: usize,
    /// Pieces up to this length are copied, in bytes, so that they do not hold the larger buffer that they came in.
    copied_bytes_max: usize,
}

type Answered<E> = Result<Response<Body>, E>;

/// How much of a request is remembered while it is under way, in bytes: all of most, and the beginning of large batches.
const SEEN_BYTES_MAX: usize = 64 * 1024;
/// The same of a stream, whose first message says what it is about. It may be open for long.
const SEEN_OF_STREAM_BYTES_MAX: usize = 4 * 1024;
/// Most requests are short, and many of them may wait in the engine's queue.
const COPIED_BYTES_MAX: usize = 1024;
const STATUS: &str = "grpc-status";
/// Reasons that say how much there is to do, and nothing about who asked: many are refused for them at once, and would push out
/// what the record is for.
const OF_LOAD: [&str; 4] = ["RATE_LIMITED", "TOO_MANY_OPEN_CALLS", "OVERLOADED", "DISK_LOW"];

impl Attempts {
    /// # Errors
    /// The program's own description of the API cannot be read.
    pub(super) fn new(
        record: AccessRecord,
        engine: Arc<OnceLock<Engine>>,
        record_peer: bool,
    ) -> Result<Self, prost_reflect::DescriptorError> {
        // Where nothing is kept nothing has to be known.
        let calls = if record.is_kept() {
            Calls::load()?
        } else {
            Calls::default()
        };
        Ok(Self(Arc::new(Keeper {
            record,
            calls,
            engine,
            record_peer,
        })))
    }

    /// A call as it comes; none: nothing is kept here.
    pub(super) fn watch<B>(&self, request: &Request<B>) -> Option<Watched> {
        self.0.record.is_kept().then(|| Watched {
            keeper: Arc::clone(&self.0),
            uri: request.uri().clone(),
            asker: Asker::of(request.headers(), request.extensions()),
            seen: Arc::default(),
        })
    }
}

impl Watched {
    fn call(&self) -> Option<&Call> {
        self.keeper.calls.get(self.uri.path())
    }

    /// Remembers the beginning of the request, in case that it will be refused.
    fn body(&self, body: Body) -> Body {
        let Some(call) = self.call() else { return body };
        let (left_bytes, copied_bytes_max) = if call.takes_stream {
            (SEEN_OF_STREAM_BYTES_MAX, SEEN_OF_STREAM_BYTES_MAX)
        } else {
            (SEEN_BYTES_MAX, COPIED_BYTES_MAX)
        };
        Body::new(WatchedBody {
            body,
            seen: Arc::clone(&self.seen),
            left_bytes,
            copied_bytes_max,
        })
    }

    /// The answer: its status is in its headers, or behind what it streams.
    fn answer(self, answer: Response<Body>) -> Response<Body> {
        if answer.headers().contains_key(STATUS) {
            self.ended(answer.headers(), false);
            return answer;
        }
        if !self.call().is_some_and(|call| call.answers_stream) {
            return answer;
        }
        answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                if let Some(trailers) = frame.trailers_ref() {
                    self.ended(trailers, true);
                }
                frame
            }))
        })
    }

    /// Whether the workspace of a resource is not there for who asked.
    fn is_hidden(&self, resource: &str) -> bool {
        let Some((caller, engine)) = self.asker.known().zip(self.keeper.engine.get()) else {
            return false;
        };
        let name = resource.strip_prefix("workspaces/");
        let sees = |hosted: Arc<Hosted>| caller.sees(hosted.published().state.workspace());
        match name.and_then(|name| Id::parse(name.split('/').next()?).ok()) {
            Some(id) => !engine.hosted(&id).is_ok_and(sees),
            // The beginning of the request does not say what it was about: whoever hides must not be hidden.
            None => self.call().is_some(),
        }
    }

    /// The call was answered so. Who was answered something before was no stranger then.
    pub(super) fn ended(&self, trailers: &HeaderMap, has_begun: bool) {
        let Some(code) = trailers.get(STATUS).map(|code| Code::from_bytes(code.as_bytes())) else {
            return;
        };
        let call = self.call();
        let is_write = call.is_some_and(|call| call.is_write);
        let may_be_hidden = code == Code::NotFound && !has_begun && self.asker.known().is_some();
        if !(is_denial(code) || may_be_hidden || is_write && is_refusal(code)) {
            return;
        }
        let asked = call.map_or_else(Asked::default, |call| call.asked(&self.seen.bytes()));
        let is_denied = is_denial(code) || may_be_hidden && self.is_hidden(&asked.resource);
        if !is_denied && (!is_write || asked.is_dry_run) {
            return;
        }
        let Some(status) = Status::from_header_map(trailers) else {
            return;
        };
        let reason = status.get_details_error_info().map(|info| info.reason);
        if reason.as_deref().is_some_and(|reason| OF_LOAD.contains(&reason)) {
            return;
        }
        self.keeper.record.keep(Attempt {
            time: self.keeper.now(),
            texts: Texts {
                method: self.uri.path().trim_start_matches('/').to_owned(),
                resource: asked.resource,
                code: name(code).to_owned(),
                reason: reason.unwrap_or_default(),
                message: status.message().to_owned(),
                request_id: asked.request_id,
                ..self.asker.texts(self.keeper.record_peer)
            },
        });
    }
}

impl Keeper {
    /// What the engine's clock says; before there is an engine, the machine's.
    fn now(&self) -> crate::domain::Timestamp {
        self.engine
            .get()
            .map_or_else(|| SystemClock::default().wall(), Engine::now)
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

/// Whether a call that ended so was refused for what was asked, or who asked.
fn is_refusal(code: Code) -> bool {
    match code {
        // They say something about the server or the network.
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => false,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => true,
    }
}

fn is_denial(code: Code) -> bool {
    matches!(code, Code::PermissionDenied | Code::Unauthenticated)
}

/// A code as gRPC spells it.
pub(super) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl Seen {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).concat()
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if self.left_bytes > 0
            && let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let length = data.len().min(self.left_bytes);
            self.left_bytes -= length;
            let kept = if length <= self.copied_bytes_max {
                Bytes::copy_from_slice(&data[..length])
            } else {
                data.slice(..length)
            };
            let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(kept);
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

impl<S> Layer<S> for Attempts {
    type Service = WithAttempts<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithAttempts {
            inner,
            attempts: self.clone(),
        }
    }
}

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>> for WithAttempts<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Map<
        Join<S::Future, Ready<Option<Watched>>>,
        fn((Answered<S::Error>, Option<Watched>)) -> Answered<S::Error>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watched = self.attempts.watch(&request);
        let request = match &watched {
            Some(watched) => request.map(|body| watched.body(body)),
            None => request,
        };
        join(self.inner.call(request), at_once(watched)).map(|(answered, watched)| match watched {
            Some(watched) => answered.map(|answer| watched.answer(answer)),
            None => answered,
        })
    }
}
