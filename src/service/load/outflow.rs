//! How much of answers is made and not yet taken by whoever asked, of each principal and of all callers together. An answer may have
//! 4 MiB and a caller many calls: who asks and does not read would have the server keep all of it.
//!
//! Invariant: what is counted is given back when its bytes are let go by whoever has them, which is the transport: it takes all
//! that a call has to say at once, and keeps it until the client lets it come. Until then the call is open. One answer alone is
//! always sent. It does not know what an answer says, nor whether its call has changed something; so whoever is refused is told that
//! they cannot know either.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use smol_str::SmolStr;
use tonic::Status;
use tonic::body::Body;

use super::bounded::OpenCall;
use super::places::{Place, Places};
use crate::service::status;

/// The bytes of all answers that are made and not taken.
pub(super) struct Outflow {
    bytes_max: usize,
    /// Each has half of the whole, so that one alone keeps nobody from reading.
    principals: Places<SmolStr>,
    all: Places<()>,
    over: AtomicU64,
}

/// An answer's body.
struct Sent {
    body: Body,
    principal: Option<SmolStr>,
    outflow: Arc<Outflow>,
    call: Option<Arc<OpenCall>>,
    /// Its status was said in the place of what it would have been.
    is_refused: bool,
}

/// A piece of an answer, as long as anybody has it.
struct Piece {
    bytes: Bytes,
    _room: Option<Room>,
    _call: Option<Arc<OpenCall>>,
}

/// Room; free again when it is dropped.
struct Room {
    _of_principal: Option<Place<SmolStr>>,
    _of_all: Place<()>,
}

/// Pieces up to this size are not counted, in bytes: calls are bounded, and so are these.
const SMALL_BYTES_MAX: usize = 4 * 1024;

impl Outflow {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            principals: Places::new(bytes_max.div_ceil(2)),
            all: Places::new(bytes_max),
            over: AtomicU64::new(0),
        }
    }

    /// An answer whose bytes are counted, and whose call is open until they are taken.
    pub(super) fn count(
        self: &Arc<Self>,
        principal: Option<SmolStr>,
        call: Option<Arc<OpenCall>>,
        body: Body,
    ) -> Body {
        Body::new(Sent {
            body,
            principal,
            outflow: Arc::clone(self),
            call,
            is_refused: false,
        })
    }

    /// How many answers were not sent.
    pub(super) fn over(&self) -> u64 {
        self.over.load(Ordering::Relaxed)
    }

    /// Room for so many bytes; none where there is none left.
    fn room(&self, principal: Option<&SmolStr>, bytes: usize) -> Option<Room> {
        let of_principal = match principal {
            // What is larger than all that there may be has all of it.
            Some(principal) => Some(
                self.principals
                    .take_many(principal, bytes.min(self.bytes_max.div_ceil(2)))?,
            ),
            None => None,
        };
        Some(Room {
            _of_principal: of_principal,
            _of_all: self.all.take_many(&(), bytes.min(self.bytes_max))?,
        })
    }
}

impl Sent {
    /// A piece as it is sent, or what is said in its place.
    fn send(&mut self, bytes: Bytes) -> Result<Frame<Bytes>, Status> {
        let room = match bytes.len() {
            0..=SMALL_BYTES_MAX => None,
            many => match self.outflow.room(self.principal.as_ref(), many) {
                None => return self.refuse(),
                room => room,
            },
        };
        if room.is_none() && self.call.is_none() {
            return Ok(Frame::data(bytes));
        }
        Ok(Frame::data(Bytes::from_owner(Piece {
            bytes,
            _room: room,
            _call: self.call.clone(),
        })))
    }

    fn refuse(&mut self) -> Result<Frame<Bytes>, Status> {
        self.is_refused = true;
        self.outflow.over.fetch_add(1, Ordering::Relaxed);
        let mut trailers = HeaderMap::new();
        status::too_much_unread(self.outflow.bytes_max).add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_refused {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame.into_data(),
            other => return Poll::Ready(other),
        };
        Poll::Ready(Some(match frame {
            Ok(bytes) => self.send(bytes),
            Err(trailers) => Ok(trailers),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.is_refused || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::{BodyExt, Full, StreamBody};
    use tonic::Code;

    use super::*;

    const BYTES_MAX: usize = 1_000_000;

    fn answer(outflow: &Arc<Outflow>, of: &str, bytes: usize) -> Body {
        let full = Full::new(Bytes::from(vec![0; bytes]));
        let body = Body::new(full.map_err(|never| match never {}));
        outflow.count(Some(of.into()), None, body)
    }

    /// What the transport takes of an answer, to keep it as long as it likes: bytes, or a status in their place.
    async fn taken(mut body: Body) -> Result<Bytes, Status> {
        let frame = body.frame().await.expect("a frame").expect("no fault");
        if frame.is_data() {
            return Ok(frame.into_data().unwrap_or_default());
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
        let trailers = frame.into_trailers().unwrap_or_default();
        Err(Status::from_header_map(&trailers).expect("a status"))
    }

    #[tokio::test]
    async fn who_asks_and_does_not_read_has_half_and_others_are_answered() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let ask = |of, bytes| taken(answer(&outflow, of, bytes));
        let mut unread = Vec::new();
        for _ in 0..5 {
            unread.push(ask("a", 100_000).await.expect("room"));
        }
        let refused = ask("a", 100_000).await.expect_err("it has half");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(ask("a", SMALL_BYTES_MAX).await.is_ok(), "what is small is sent");
        assert!(ask("b", 100_000).await.is_ok());
        // What is left of a piece keeps the room of all of it.
        let rest = unread.remove(0).split_off(99_999);
        assert!(ask("a", 100_000).await.is_err());
        drop(rest);
        assert_eq!(ask("a", 100_000).await.expect("room").len(), 100_000);
        assert_eq!(outflow.over(), 2);
    }

    #[tokio::test]
    async fn all_together_have_the_whole_and_one_alone_is_always_answered() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let ask = |of, bytes| taken(answer(&outflow, of, bytes));
        let unread = (ask("a", 500_000).await, ask("b", 400_000).await);
        assert!(unread.0.is_ok() && unread.1.is_ok());
        assert!(ask("c", 200_000).await.is_err());
        // What was taken of their own is let go with the refusal.
        assert!(ask("c", 100_000).await.is_ok());
        drop(unread);
        assert_eq!(ask("a", 3_000_000).await.expect("one").len(), 3_000_000);
    }

    #[tokio::test]
    async fn of_a_stream_each_piece_is_counted_as_long_as_somebody_has_it() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let piece = || Ok::<_, Status>(Frame::data(Bytes::from(vec![0; 200_000])));
        let pieces = futures_util::stream::iter((0..5).map(move |_| piece()));
        let mut body = outflow.count(Some("a".into()), None, Body::new(StreamBody::new(pieces)));
        let mut held = Vec::new();
        for _ in 0..2 {
            let frame = body.frame().await.expect("a frame").expect("a piece");
            held.push(frame.into_data().expect("bytes"));
        }
        assert!(taken(answer(&outflow, "a", 200_000)).await.is_err());
        held.clear();
        for _ in 0..3 {
            let frame = body.frame().await.expect("a frame").expect("a piece");
            assert!(frame.is_data());
        }
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_call_is_open_until_its_answer_was_taken() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let places = Places::<SmolStr>::new(1);
        let place = places.take(&"a".into()).expect("a place");
        let call = Some(Arc::new(OpenCall::OfPrincipal(place)));
        let small = Full::new(Bytes::from_static(b"small"));
        let body = Body::new(small.map_err(|never| match never {}));
        let kept = taken(outflow.count(None, call, body)).await.expect("bytes");
        assert!(
            places.take(&"a".into()).is_none(),
            "its body has ended, and it has not"
        );
        assert_eq!(kept.as_ref(), b"small");
        drop(kept);
        assert!(places.take(&"a".into()).is_some());
    }
}
