//! The call Subscribe. Its messages are encoded and framed once for all who are sent the same, so they become the body of the
//! answer as they are; every other call of `ProgressService` goes the ordinary way.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use http::HeaderMap;
use http_body::Frame;
use prost::bytes::Bytes;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

use super::Api;
use super::caller::Caller;
use super::connection::Connection;
use super::from_proto;
use super::subscription::{Reading, Subscription};
use crate::domain::Right;
use crate::proto::api;
use crate::proto::api::progress_service_server::{ProgressServiceServer, SERVICE_NAME};

/// `ProgressService` on the wire.
#[derive(Clone)]
pub(super) struct ProgressCalls {
    api: Api,
    others: ProgressServiceServer<Api>,
    message_bytes_max: usize,
}

/// The one call. Where there is no refusal it leaves what there is to read.
struct Subscribe {
    api: Api,
    reading: Arc<Mutex<Option<Reading>>>,
}

/// Reads requests. What it would write is nothing: messages go another way.
#[derive(Default)]
struct RequestsAlone;

/// Messages as the body of an answer: they are framed already, and go onto the wire as all readers share them.
struct Answer {
    reading: Reading,
    is_over: bool,
}

const PATH: &str = "/binnacle.v1.ProgressService/Subscribe";

impl Api {
    /// A subscription's messages, encoded.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    async fn encoded_messages(
        &self,
        request: api::SubscribeRequest,
        connection: Option<Connection>,
    ) -> Result<Reading, Status> {
        let (workspace, asked) = from_proto::subscription(request)?;
        let subscriptions = self.subscriptions();
        let hosted = self.hosted(&workspace, Right::Read)?;
        let guard = Caller::current()?.guard(&hosted, Right::Read);
        let place = subscriptions.place()?;
        let engine = self.engine()?.clone();
        let subscription =
            Subscription::begin(engine, subscriptions, &workspace, asked, self.draining()).await?;
        Ok(subscriptions.read(subscription, guard, place, connection))
    }
}

impl ProgressCalls {
    pub(super) fn new(api: &Api, message_bytes_max: usize) -> Self {
        Self {
            api: api.clone(),
            others: ProgressServiceServer::new(api.clone())
                .max_decoding_message_size(message_bytes_max)
                .max_encoding_message_size(message_bytes_max),
            message_bytes_max,
        }
    }
}

impl NamedService for ProgressCalls {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for ProgressCalls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<http::Request<Body>>::poll_ready(&mut self.others, context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return self.others.call(request);
        }
        let reading = Arc::new(Mutex::new(None));
        let subscribe = Subscribe {
            api: self.api.clone(),
            reading: Arc::clone(&reading),
        };
        let bytes_max = self.message_bytes_max;
        Box::pin(async move {
            let mut grpc =
                Grpc::new(RequestsAlone).apply_max_message_size_config(Some(bytes_max), Some(bytes_max));
            // It reads the request, and answers a refusal, or the head of an answer without a message.
            let answer = grpc.server_streaming(subscribe, request).await;
            let reading = reading.lock().unwrap_or_else(PoisonError::into_inner).take();
            Ok(match reading {
                Some(reading) => answer.map(|_empty| {
                    Body::new(Answer {
                        reading,
                        is_over: false,
                    })
                }),
                None => answer,
            })
        })
    }
}

impl ServerStreamingService<api::SubscribeRequest> for Subscribe {
    type Response = ();
    type ResponseStream = stream::Empty<Result<(), Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<api::SubscribeRequest>) -> Self::Future {
        let (api, place) = (self.api.clone(), Arc::clone(&self.reading));
        Box::pin(async move {
            let connection = request.extensions().get().cloned();
            let reading = api.encoded_messages(request.into_inner(), connection).await?;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
            Ok(Response::new(stream::empty()))
        })
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let status = match ready!(self.reading.poll_next_unpin(context)) {
            Some(Ok(messages)) => return Poll::Ready(Some(Ok(Frame::data(messages)))),
            Some(Err(status)) => status,
            None => Status::ok(""),
        };
        self.is_over = true;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(
            status
                .add_header(&mut trailers)
                .map(|()| Frame::trailers(trailers)),
        ))
    }
}

impl Codec for RequestsAlone {
    type Encode = ();
    type Decode = api::SubscribeRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<api::SubscribeRequest>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(BufferSettings::default())
    }
}

impl Encoder for RequestsAlone {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}
