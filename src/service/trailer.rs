//! The trailer `binnacle-revision`: the revision that made a write durable, also when it changed nothing, or that one resource
//! was read at.
//!
//! tonic sends a unary answer's metadata ahead of the message, where a revision does not belong: it is known to be
//! durable only at the end. So a handler leaves it in the answer's extensions and this layer adds it to the trailers.

use std::task::{Context, Poll};

use futures_util::future::{FutureExt, Map};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::domain::Revision;

/// Left in the extensions of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct DurableAt(pub(super) Revision);

/// Adds the trailer.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevisionTrailer;

/// A service whose answers get the trailer.
#[derive(Clone, Debug)]
pub(super) struct WithRevisionTrailer<S>(S);

/// The trailer's name.
const NAME: &str = "binnacle-revision";

impl<S> Layer<S> for RevisionTrailer {
    type Service = WithRevisionTrailer<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithRevisionTrailer(inner)
    }
}

impl<S: Service<Request<B>, Response = Response<Body>>, B> Service<Request<B>> for WithRevisionTrailer<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Map<S::Future, fn(Result<Response<Body>, S::Error>) -> Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.call(request).map(|result| result.map(with_trailer))
    }
}

fn with_trailer(answer: Response<Body>) -> Response<Body> {
    let Some(&DurableAt(revision)) = answer.extensions().get::<DurableAt>() else {
        return answer;
    };
    answer.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                add(trailers, revision);
            }
            frame
        }))
    })
}

fn add(trailers: &mut HeaderMap, revision: Revision) {
    trailers.insert(NAME, HeaderValue::from(revision.0));
}
