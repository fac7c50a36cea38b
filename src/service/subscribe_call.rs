//! The call Subscribe. Its messages are encoded once for all who are sent the same, so it has a codec of its own, which
//! writes bytes as they are; every other call of `ProgressService` goes the ordinary way.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use prost::bytes::{BufMut, Bytes};
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

use super::Api;
use super::from_proto;
use super::subscription::{Reading, Subscription};
use crate::proto::api;
use crate::proto::api::progress_service_server::{ProgressServiceServer, SERVICE_NAME};

/// `ProgressService` on the wire.
#[derive(Clone)]
pub(super) struct ProgressCalls {
    api: Api,
    others: ProgressServiceServer<Api>,
    message_bytes_max: usize,
}

/// The one call.
struct Subscribe(Api);

/// Reads requests and writes messages that are encoded already.
#[derive(Default)]
struct EncodedMessages;

const PATH: &str = "/binnacle.v1.ProgressService/Subscribe";
/// What a stream that says nothing holds to write into, in bytes. It grows with what is said.
const BUFFER_BYTES: usize = 1024;
/// Behind so many bytes what is written is sent.
const YIELD_BYTES: usize = 32 * 1024;

impl Api {
    /// A subscription's messages, encoded.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(super) async fn encoded_messages(&self, request: api::SubscribeRequest) -> Result<Reading, Status> {
        let (workspace, asked) = from_proto::subscription(request)?;
        let subscriptions = self.subscriptions();
        let place = subscriptions.place()?;
        let engine = self.engine()?.clone();
        let subscription =
            Subscription::begin(engine, subscriptions, &workspace, asked, self.draining()).await?;
        Ok(subscriptions.read(subscription, place))
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
        let subscribe = Subscribe(self.api.clone());
        let bytes_max = self.message_bytes_max;
        Box::pin(async move {
            let mut grpc =
                Grpc::new(EncodedMessages).apply_max_message_size_config(Some(bytes_max), Some(bytes_max));
            Ok(grpc.server_streaming(subscribe, request).await)
        })
    }
}

impl ServerStreamingService<api::SubscribeRequest> for Subscribe {
    type Response = Bytes;
    type ResponseStream = Reading;
    type Future = BoxFuture<'static, Result<Response<Reading>, Status>>;

    fn call(&mut self, request: Request<api::SubscribeRequest>) -> Self::Future {
        let api = self.0.clone();
        Box::pin(async move { Ok(Response::new(api.encoded_messages(request.into_inner()).await?)) })
    }
}

impl Codec for EncodedMessages {
    type Encode = Bytes;
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

impl Encoder for EncodedMessages {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(BUFFER_BYTES, YIELD_BYTES)
    }
}
