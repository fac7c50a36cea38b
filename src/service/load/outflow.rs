//! How much of answers is made and not yet taken by whoever asked, of each principal and of all callers together. An answer may have
//! 4 MiB and a caller many calls: who asks and does not read would have the server keep all of it.
//!
//! Invariant: what is counted is given back when the bytes that carry it (`carried`) are let go by whoever has them, which is the
//! transport: it takes all that a call has to say as soon as it is said, and keeps it until the client lets it come. (So does hyper
//! 1.12, over HTTP/2 without regard to the windows of the client.) Until then the call is open. Where
//! nothing else is held a piece is sent however large it is. It does not know what an answer says, nor whether its call has changed something; so whoever is
//! refused is told that they cannot know either.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use smol_str::SmolStr;
use tonic::Status;
use tonic::body::Body;

use super::bounded::OpenCall;
use super::carried::{Carried, Carrier};
use super::places::{Place, Places};
use crate::service::connection::Connection;
use crate::service::status;

/// The bytes of all answers that are made and not taken.
pub(super) struct Outflow {
    bytes_max: usize,
    principals: Places<SmolStr>,
    all: Places<()>,
    untaken: Arc<Mutex<Untaken>>,
    over: AtomicU64,
}

/// Whose answer it is.
pub(super) struct Asked {
    pub(super) principal: Option<SmolStr>,
    pub(super) connection: Option<Connection>,
    pub(super) call: Option<Arc<OpenCall>>,
}

/// An answer's body.
struct Sent {
    body: Body,
    of: Asked,
    outflow: Arc<Outflow>,
    carrier: Carrier,
    /// Its status was said in the place of what it would have been.
    is_refused: bool,
}

/// Room of a piece; free again when it is dropped.
pub(super) struct Room {
    _of_principal: Option<Place<SmolStr>>,
    _of_all: Place<()>,
    number: u64,
    untaken: Arc<Mutex<Untaken>>,
}

/// Pieces that were not taken, by their number, the oldest first.
#[derive(Default)]
struct Untaken {
    next: u64,
    pieces: BTreeMap<u64, UntakenPiece>,
}

struct UntakenPiece {
    since: Instant,
    bytes: usize,
    connection: Option<Connection>,
}

/// The part of the whole that a principal has.
const SHARE: usize = 4;
/// Pieces up to this size are not counted, in bytes: calls are bounded, and so are these.
const SMALL_BYTES_MAX: usize = 4 * 1024;

impl Outflow {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            principals: Places::new(bytes_max.div_ceil(SHARE)),
            all: Places::new(bytes_max),
            untaken: Arc::default(),
            over: AtomicU64::new(0),
        }
    }

    /// An answer whose bytes are counted, and whose call is open until they are taken. What they carry is handed to `carrier`.
    pub(super) fn count(self: &Arc<Self>, of: Asked, carrier: Carrier, body: Body) -> Body {
        Body::new(Sent {
            body,
            of,
            outflow: Arc::clone(self),
            carrier,
            is_refused: false,
        })
    }

    /// How many answers were not sent.
    pub(super) fn over(&self) -> u64 {
        self.over.load(Ordering::Relaxed)
    }

    /// Closes the connections that have not taken a piece for so long, where such pieces are more than half of the whole: some who
    /// do not read must not keep everybody from being answered.
    pub(super) fn close_the_stalled(&self, longest: Duration) {
        let (bytes, connections) = {
            let untaken = lock(&self.untaken);
            let old = || {
                let pieces = untaken.pieces.values();
                pieces.take_while(|piece| piece.since.elapsed() >= longest)
            };
            let bytes: usize = old().map(|piece| piece.bytes).sum();
            let connections: Vec<_> = old().filter_map(|piece| piece.connection.clone()).collect();
            (bytes, connections)
        };
        if bytes <= self.bytes_max / 2 {
            return;
        }
        for connection in connections {
            tracing::debug!(peer = ?connection.peer, "a connection was closed: it does not take its answers, and others need the room");
            connection.close();
        }
    }

    /// Room for so many bytes; none where there is none left.
    fn room(&self, of: &Asked, bytes: usize) -> Option<Room> {
        let of_principal = match &of.principal {
            // What is larger than all that there may be has all of it.
            Some(principal) => Some(
                self.principals
                    .take_many(principal, bytes.min(self.bytes_max.div_ceil(SHARE)))?,
            ),
            None => None,
        };
        let of_all = self.all.take_many(&(), bytes.min(self.bytes_max))?;
        let mut untaken = lock(&self.untaken);
        let number = untaken.next;
        untaken.next += 1;
        let piece = UntakenPiece {
            since: Instant::now(),
            bytes,
            connection: of.connection.clone(),
        };
        untaken.pieces.insert(number, piece);
        drop(untaken);
        Some(Room {
            _of_principal: of_principal,
            _of_all: of_all,
            number,
            untaken: Arc::clone(&self.untaken),
        })
    }
}

fn lock(untaken: &Mutex<Untaken>) -> MutexGuard<'_, Untaken> {
    // Nobody panics while they hold it, and each change is whole.
    untaken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Room {
    fn drop(&mut self) {
        lock(&self.untaken).pieces.remove(&self.number);
    }
}

impl Sent {
    /// A piece as it is sent, or what is said in its place.
    fn send(&mut self, bytes: Bytes) -> Result<Frame<Bytes>, Status> {
        let room = match bytes.len() {
            0..=SMALL_BYTES_MAX => None,
            many => match self.outflow.room(&self.of, many) {
                None => return self.refuse(),
                room => room,
            },
        };
        let call = self.of.call.clone();
        if room.is_some() || call.is_some() {
            self.carrier.put(Carried {
                _room: room,
                _call: call,
            });
        }
        Ok(Frame::data(bytes))
    }

    fn refuse(&mut self) -> Result<Frame<Bytes>, Status> {
        self.is_refused = true;
        self.outflow.over.fetch_add(1, Ordering::Relaxed);
        let mut trailers = HeaderMap::new();
        status::too_much_unread().add_header(&mut trailers)?;
        Ok(Frame::trailers(trailers))
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

    use super::super::carried::carrying;
    use super::*;
    use crate::service::connection::Closable;

    const BYTES_MAX: usize = 2_000_000;

    fn of(principal: &str) -> Asked {
        Asked {
            principal: Some(principal.into()),
            connection: None,
            call: None,
        }
    }

    fn sent(outflow: &Arc<Outflow>, of: Asked, body: Body) -> Body {
        let carrier = Carrier::default();
        carrying(carrier.clone(), outflow.count(of, carrier, body))
    }

    fn answer(outflow: &Arc<Outflow>, principal: &str, bytes: usize) -> Body {
        let full = Full::new(Bytes::from(vec![0; bytes]));
        let body = Body::new(full.map_err(|never| match never {}));
        sent(outflow, of(principal), body)
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
    async fn who_asks_and_does_not_read_has_a_share_and_others_are_answered() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let ask = |of, bytes| taken(answer(&outflow, of, bytes));
        let mut unread = Vec::new();
        for _ in 0..5 {
            unread.push(ask("a", 100_000).await.expect("room"));
        }
        let refused = ask("a", 100_000).await.expect_err("it has its share");
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
        let mut unread = Vec::new();
        for principal in ["a", "b", "c"] {
            unread.push(ask(principal, 500_000).await.expect("room"));
        }
        unread.push(ask("d", 400_000).await.expect("room"));
        assert!(ask("e", 200_000).await.is_err());
        // What was taken of their own is let go with the refusal.
        assert!(ask("e", 100_000).await.is_ok());
        drop(unread);
        assert_eq!(ask("a", 3_000_000).await.expect("one").len(), 3_000_000);
    }

    #[tokio::test]
    async fn of_a_stream_each_piece_is_counted_as_long_as_somebody_has_it() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let piece = || Ok::<_, Status>(Frame::data(Bytes::from(vec![0; 200_000])));
        let pieces = futures_util::stream::iter((0..5).map(move |_| piece()));
        let mut body = sent(&outflow, of("a"), Body::new(StreamBody::new(pieces)));
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
        let asked = Asked { call, ..of("a") };
        let kept = taken(sent(&outflow, asked, body)).await.expect("bytes");
        assert!(
            places.take(&"a".into()).is_none(),
            "its body has ended, and it has not"
        );
        assert_eq!(kept.as_ref(), b"small");
        drop(kept);
        assert!(places.take(&"a".into()).is_some());
    }

    #[tokio::test]
    async fn connections_that_take_nothing_are_closed_where_others_need_the_room() {
        let outflow = Arc::new(Outflow::new(BYTES_MAX));
        let (_peer, io) = tokio::io::duplex(64);
        let io = Closable::new(io, Duration::from_secs(3600));
        let stalled = Some(io.connection());
        let full = |bytes| {
            let full = Full::new(Bytes::from(vec![0; bytes]));
            Body::new(full.map_err(|never| match never {}))
        };
        let mut unread = Vec::new();
        for principal in ["a", "b"] {
            let asked = Asked {
                connection: stalled.clone(),
                ..of(principal)
            };
            let body = sent(&outflow, asked, full(500_000));
            unread.push(taken(body).await.expect("room"));
        }
        outflow.close_the_stalled(Duration::ZERO);
        assert!(!io.is_closed(), "half is not much");
        let last = taken(answer(&outflow, "c", 10_000)).await;
        outflow.close_the_stalled(Duration::from_secs(3600));
        assert!(!io.is_closed(), "it has time");
        outflow.close_the_stalled(Duration::ZERO);
        assert!(io.is_closed());
        drop((unread, last));
        assert!(lock(&outflow.untaken).pieces.is_empty());
    }
}
