//! One subscription as its client sees it: the bytes of an HTTP/2 stream, cut into gRPC messages where they lie.
//!
//! The generated client would copy and decode every message; with a thousand clients beside one server on the same cores
//! that would be most of what is measured. What a client costs that decodes is measured by itself, see `beginning`.

use std::future::poll_fn;

use binnacle::proto::api;
use http_body_util::{BodyExt, Full};
use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::Service;

/// How many bytes may be on the way to one stream, and to one connection, before the client has taken them: as much as a
/// client that means to keep up allows. hyper's own are 2 MiB and 5 MiB.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// Streams on one connection; the server takes 256.
pub(crate) const STREAMS_PER_CONNECTION: usize = 200;

const PATH: &str = "/binnacle.v1.ProgressService/Subscribe";
/// A message begins with a byte that says whether it is compressed, and its length in four.
const PREFIX_BYTES: usize = 5;

pub(crate) async fn connect(address: &str) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .expect("a URI")
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect()
        .await
        .expect("a connection")
}

/// The messages of one subscription.
pub(crate) struct Stream {
    body: Body,
    /// The beginning of a message whose end has not come yet.
    rest: BytesMut,
}

impl Stream {
    pub(crate) async fn open(mut channel: Channel, request: &api::SubscribeRequest) -> Self {
        let mut message = BytesMut::with_capacity(PREFIX_BYTES + request.encoded_len());
        message.put_u8(0);
        message.put_u32(u32::try_from(request.encoded_len()).expect("a length"));
        request.encode(&mut message).expect("room for it");
        let request = http::Request::post(PATH)
            .header(http::header::CONTENT_TYPE, "application/grpc")
            .header(http::header::TE, "trailers")
            .body(Body::new(Full::new(message.freeze())))
            .expect("a request");
        poll_fn(|context| channel.poll_ready(context))
            .await
            .expect("a connection");
        let response = channel.call(request).await.expect("an answer");
        said(response.headers()).expect("a subscription");
        let rest = BytesMut::new();
        Self {
            body: response.into_body(),
            rest,
        }
    }

    /// Waits for bytes and gives every message that is whole now to `take`; an error: the server has ended the stream.
    pub(crate) async fn read(&mut self, take: impl FnMut(&[u8])) -> Result<(), String> {
        let frame = self
            .body
            .frame()
            .await
            .ok_or("the stream has ended without a word")?;
        match frame.map_err(|status| status.to_string())?.into_data() {
            Ok(bytes) => {
                self.cut(&bytes, take);
                Ok(())
            }
            Err(end) => {
                end.trailers_ref().map_or(Ok(()), said)?;
                Err("the server has ended the stream as if all were said".to_owned())
            }
        }
    }

    fn cut(&mut self, bytes: &Bytes, mut take: impl FnMut(&[u8])) {
        let mut new = &bytes[..];
        // Seldom: a message that was cut in two on its way is put together first.
        while !self.rest.is_empty() && !new.is_empty() {
            let wanted = length(&self.rest).map_or(PREFIX_BYTES, |length| PREFIX_BYTES + length);
            let (more, behind) = new.split_at(new.len().min(wanted - self.rest.len()));
            self.rest.extend_from_slice(more);
            new = behind;
            if length(&self.rest).is_some_and(|length| self.rest.len() == PREFIX_BYTES + length) {
                take(&self.rest[PREFIX_BYTES..]);
                self.rest.clear();
            }
        }
        while let Some(length) = length(new).filter(|length| new.len() >= PREFIX_BYTES + length) {
            take(&new[PREFIX_BYTES..PREFIX_BYTES + length]);
            new = &new[PREFIX_BYTES + length..];
        }
        self.rest.extend_from_slice(new);
    }
}

/// How long the message is that begins here, if so much is known.
fn length(bytes: &[u8]) -> Option<usize> {
    let (prefix, _) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
    let [compressed, length @ ..] = *prefix;
    assert_eq!(compressed, 0, "nobody asked for compression");
    usize::try_from(u32::from_be_bytes(length)).ok()
}

/// What the server has to say where it refuses or ends a stream.
fn said(headers: &http::HeaderMap) -> Result<(), String> {
    match tonic::Status::from_header_map(headers) {
        Some(status) if status.code() != tonic::Code::Ok => Err(status.to_string()),
        _ => Ok(()),
    }
}
