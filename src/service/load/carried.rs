//! What the bytes of an answer carry with them until they are let go: the room that they take, and the place of their call.
//!
//! Who counts an answer stands inside of the layers that may write it anew (as text for a page in a browser), and who hands it to the
//! transport outside of them. What is counted there is handed past these layers, and attached to the bytes that come out.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::Map;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::bounded::OpenCall;
use super::outflow::Room;

/// What a piece carries.
pub(super) struct Carried {
    pub(super) _room: Option<Room>,
    pub(super) _call: Option<Arc<OpenCall>>,
}

/// What was counted of one answer and not attached yet. It is in the answer's extensions.
#[derive(Clone, Default)]
pub(super) struct Carrier(Arc<Mutex<Vec<Carried>>>);

/// The layer that attaches it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attached;

/// A service whose answers carry what was counted of them.
#[derive(Clone, Debug)]
pub(crate) struct WithCarried<S>(S);

/// A body as it is handed to the transport.
struct Carrying {
    body: Body,
    carrier: Carrier,
}

/// Bytes, as long as anybody has them.
struct Piece {
    bytes: Bytes,
    _carried: Vec<Carried>,
}

type Answered = Result<Response<Body>, Infallible>;

impl Carrier {
    pub(super) fn put(&self, carried: Carried) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(carried);
    }

    fn attach(&self, bytes: Bytes) -> Bytes {
        let carried = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match carried.is_empty() {
            true => bytes,
            false => Bytes::from_owner(Piece {
                bytes,
                _carried: carried,
            }),
        }
    }
}

/// A body whose pieces carry what comes by the carrier.
pub(super) fn carrying(carrier: Carrier, body: Body) -> Body {
    Body::new(Carrying { body, carrier })
}

fn attached(answered: Answered) -> Answered {
    let mut answer = answered?;
    Ok(match answer.extensions_mut().remove::<Carrier>() {
        Some(carrier) => answer.map(|body| carrying(carrier, body)),
        None => answer,
    })
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Carrying {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let attach = |frame: Frame<Bytes>| frame.map_data(|bytes| self.carrier.attach(bytes));
        Poll::Ready(frame.map(|frame| frame.map(attach)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S> Layer<S> for Attached {
    type Service = WithCarried<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithCarried(inner)
    }
}

impl<S> Service<Request<Body>> for WithCarried<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Map<S::Future, fn(Answered) -> Answered>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request).map(attached)
    }
}
