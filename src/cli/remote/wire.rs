//! Calls of the API as its descriptors describe them: one function for every method, so that a command which works on
//! every resource needs no list of them.

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Status};

use crate::cli::Failure;
use crate::cli::connection::Channel;
use crate::cli::connection::{self, patiently};

/// Whom calls go to, and who asks.
pub(in crate::cli) struct Wire {
    channel: Channel,
    actor: Option<MetadataValue<Ascii>>,
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// The address is none, or nothing answers there.
    pub(in crate::cli) async fn open(
        server: &str,
        actor: Option<MetadataValue<Ascii>>,
    ) -> Result<Self, Failure> {
        let channel = connection::open(server).await?;
        Ok(Self { channel, actor })
    }

    /// Calls a method, again where that may help.
    ///
    /// # Errors
    /// What the server refuses, or that it could not be reached.
    pub(in crate::cli) async fn call(
        &self,
        method: &MethodDescriptor,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let path = PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
        let answer = patiently(async || {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready()
                .await
                .map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
            let request = connection::request(request.clone(), self.actor.as_ref());
            grpc.unary(request, path.clone(), Described(method.output()))
                .await
        });
        Ok(answer.await?.into_inner())
    }
}

/// Encodes any message, and decodes those that a descriptor describes.
struct Described(MessageDescriptor);

impl Codec for Described {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0.clone())
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Encoder for Described {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message
            .encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Described {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), buffer);
        message
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
