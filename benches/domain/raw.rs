//! A client that takes an answer's bytes and does not read them, so that what is measured is the server and the wire.

use prost::Message;
use prost::bytes::Buf;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

struct Raw<T>(std::marker::PhantomData<T>);
struct Encoding<T>(std::marker::PhantomData<T>);
struct Counting;

impl<T: Message + 'static> Codec for Raw<T> {
    type Encode = T;
    type Decode = usize;
    type Encoder = Encoding<T>;
    type Decoder = Counting;

    fn encoder(&mut self) -> Self::Encoder {
        Encoding(std::marker::PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        Counting
    }
}

impl<T: Message + 'static> Encoder for Encoding<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(to)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Counting {
    type Item = usize;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<usize>, Status> {
        let bytes = from.remaining();
        from.advance(bytes);
        Ok(Some(bytes))
    }
}

/// Calls, and answers how many bytes came back.
pub(crate) async fn call<T: Message + 'static>(channel: &Channel, path: &'static str, message: T) -> usize {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let path = path.parse().expect("a path");
    let codec = Raw(std::marker::PhantomData);
    client
        .unary(Request::new(message), path, codec)
        .await
        .expect("an answer")
        .into_inner()
}
