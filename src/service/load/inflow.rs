//! How much of requests is received and not yet understood, of all calls together. A message may have 4 MiB and a caller many
//! calls: each is small, and all of them are not.
//!
//! Invariant: what is counted is given back with the body that it came in. Where there is too much the large ones are refused
//! first. A stream of messages has bounds of its own and is not counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;

use crate::service::status;

/// The bytes of all requests that are being received.
pub(super) struct Inflow {
    bytes_max: usize,
    bytes: AtomicUsize,
    over: AtomicU64,
}

/// A request's body, whose bytes are counted until it is dropped.
struct Received {
    body: Body,
    bytes: usize,
    inflow: Arc<Inflow>,
}

/// Requests up to this size are let through until there is twice as much as there may be, in bytes.
const SMALL_BYTES_MAX: usize = 64 * 1024;

impl Inflow {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: AtomicUsize::new(0),
            over: AtomicU64::new(0),
        }
    }

    pub(super) fn count(self: &Arc<Self>, body: Body) -> Body {
        Body::new(Received {
            body,
            bytes: 0,
            inflow: Arc::clone(self),
        })
    }

    /// How many calls were refused.
    pub(super) fn over(&self) -> u64 {
        self.over.load(Ordering::Relaxed)
    }
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) else {
            return Poll::Ready(frame);
        };
        let more = data.len();
        self.bytes += more;
        let all = self.inflow.bytes.fetch_add(more, Ordering::Relaxed) + more;
        let bytes_max = match self.bytes <= SMALL_BYTES_MAX {
            true => self.inflow.bytes_max.saturating_mul(2),
            false => self.inflow.bytes_max,
        };
        if all > bytes_max {
            self.inflow.over.fetch_add(1, Ordering::Relaxed);
            return Poll::Ready(Some(Err(status::too_many_bytes(self.inflow.bytes_max))));
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

impl Drop for Received {
    fn drop(&mut self) {
        self.inflow.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use tonic::Code;

    use super::*;

    fn body(inflow: &Arc<Inflow>, bytes: usize) -> Body {
        let full = Full::new(Bytes::from(vec![0; bytes]));
        inflow.count(Body::new(full.map_err(|never| match never {})))
    }

    #[tokio::test]
    async fn all_requests_together_have_so_many_bytes_and_what_is_understood_makes_room() {
        let inflow = Arc::new(Inflow::new(1_000_000));
        let (mut first, mut second) = (body(&inflow, 900_000), body(&inflow, 200_000));
        assert!(first.frame().await.expect("a frame").is_ok());
        let refused = second.frame().await.expect("a frame").expect_err("too many");
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let mut small = body(&inflow, 60_000);
        assert!(
            small.frame().await.expect("a frame").is_ok(),
            "large ones are refused first"
        );
        drop((first, second, small));
        assert_eq!(inflow.bytes.load(Ordering::Relaxed), 0);
        let mut third = body(&inflow, 1_000_000);
        assert!(third.frame().await.expect("a frame").is_ok());
        assert_eq!(inflow.over(), 1);
    }

    #[tokio::test]
    async fn also_small_requests_have_an_end() {
        let inflow = Arc::new(Inflow::new(100_000));
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut small = body(&inflow, 60_000);
            assert!(small.frame().await.expect("a frame").is_ok());
            held.push(small);
        }
        let mut small = body(&inflow, 60_000);
        assert!(
            small.frame().await.expect("a frame").is_err(),
            "240,000 of 200,000"
        );
    }
}
