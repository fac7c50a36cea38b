//! The generated messages: the API's (`api`) and the stored ones (`stored`). Their comments are in `proto/`.
//!
//! Only `service/` and `cli/` name the API's messages, only `log/codec` the stored ones.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/protos.rs"));

pub use self::binnacle::event::v1 as stored;
pub use self::binnacle::v1 as api;
pub use self::google::r#type as google_type;

/// The API's descriptor set with everything it imports, for server reflection.
pub const API_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/api.bin"));
