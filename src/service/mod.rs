//! The border between the API and the core: gRPC messages in, commands and queries out, and answers back.
//!
//! What stands here: `names` (full resource names), `mask` (update masks), `etag`, `pages` (page tokens), `filter` (which of a list,
//! in which order), `from_proto` (a
//! request becomes a parsed command, or every violation in it), `to_proto` (resources, figures and events become
//! messages), `status` (a refusal becomes a `google.rpc.Status`).
//!
//! `api` is what every call has in common, `reads` what those have that read; a file a service stands beside it. `subscription` is one reader's stream and `subscribe_call` its
//! way onto the wire, `ingest` one writer's, `server` puts everything together, `web` lets pages in or not, `connection`
//! closes what nobody reads, `load` keeps callers and connections within their limits, `principal` is the one place where a principal is made,
//! `attempts` leaves refused calls in the access record. `rpc` is one call as it is seen from outside, and `standing` the whole
//! server: what is logged, traced and counted of them.
//!
//! Invariant: what passes `from_proto` needs no second check; nothing behind it sees a message of the API. The mapping
//! knows neither engine nor connections.

mod api;
mod attempts;
mod audit;
mod caller;
mod connection;
mod cycles;
mod etag;
mod filter;
mod forecasts;
mod from_proto;
mod ids;
mod ingest;
mod kpi_answers;
mod kpis;
mod lists;
mod load;
mod mask;
mod moment;
mod names;
mod objectives;
mod pages;
mod principal;
mod progress;
mod reads;
mod rpc;
mod score_series;
mod series;
mod server;
mod simulation;
mod standing;
mod status;
mod subscribe_call;
mod subscription;
mod tls;
mod to_proto;
mod trailer;
mod tree;
mod web;
mod workspaces;

pub use api::Api;
pub use load::{Load, LoadLimits, Turned};
pub use rpc::{CallListener, CallTally, EndedCall, MethodTally, TraceContext};
pub use server::{BoundServer, ServeError, ServerConfig};
pub use standing::{Readiness, Standing};
pub use subscription::SubscriptionLimits;
pub use tls::{Incoming, Socket, Tls, TlsFault, TlsFiles, certificates_in};
pub use web::WebOrigin;
