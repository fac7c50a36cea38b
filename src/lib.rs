//! Binnacle: an event-sourced OKR and KPI service.
//!
//! The log is the database. The state is a value: a function of a prefix of the log. A command is decided against the
//! newest state, what it decided is made durable, and only then does anybody see it.
//!
//! ```text
//!  gRPC request
//!     │  service     message → Command (the only room that knows tonic)
//!     ▼
//!  engine            one committer thread owns the newest state of every workspace
//!     │  domain      decide: (state, Command) → events or a refusal; evolve: (state, event) → state. Pure
//!     │  projection  what follows from the state: scores, status, health, and what of it changed. Pure
//!     ▼
//!  log               the whole group in one durable write
//!     ▼
//!  engine            publishes the new state, wakes subscribers, answers the callers
//! ```
//!
//! Beside it stand `identity`: from a credential to a principal; `access`: what was refused, kept for the auditor within a bound;
//! and `telemetry`: what the server shows of itself to whoever operates it.
//!
//! `whole_file` is what two rooms write their keys with, and `disk` what three ask how much room there is.
//!
//! To read the code, begin with [`domain`] (its `command`, `decide`, `event`, `evolve`), go on with
//! `engine/committer.rs`, then [`log`], then [`service`]. `docs/architecture.md` walks through the house.

pub mod access;
pub mod cli;
pub mod disk;
pub mod domain;
pub mod engine;
pub mod identity;
pub mod log;
pub mod projection;
pub mod proto;
pub mod service;
pub mod telemetry;
mod whole_file;
