//! The border between the API and the core: gRPC messages in, commands and queries out, and answers back.
//!
//! What stands here: `names` (full resource names), `mask` (update masks), `etag`, `ids` (of what is created), `pages` (page tokens), `from_proto` (a
//! request becomes a parsed command, or every violation in it), `to_proto` (resources, figures and events become
//! messages), `status` (a refusal becomes a `google.rpc.Status`).
//!
//! Invariant: what passes `from_proto` needs no second check; nothing behind it sees a message of the API. These modules
//! do not know the engine, the log, clocks or connections.

pub mod etag;
pub mod from_proto;
pub mod ids;
pub mod mask;
pub mod names;
pub mod pages;
pub mod status;
pub mod to_proto;
