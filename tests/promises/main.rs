//! The promises of Subscribe under real faults: ordered, unique, reliable, atomic, resumable, bookmarkable.
//!
//! A fault is a file that provokes it once and gives evidence; a promise is a file with a test for each fault. What the
//! promises mean is in `subscriber::promise`.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/subscriber/mod.rs"]
mod subscriber;

mod company;
mod fault;
mod host;
mod kinds;

mod conflict;
mod crowd;
mod cut_snapshot;
mod draining;
mod killed_client;
mod killed_server;
mod memory;
mod room;
mod slow_reader;
mod stopped_reader;
mod tokens;

mod atomic;
mod bookmarkable;
mod ordered;
mod reliable;
mod resumable;
mod unique;

use subscriber::{history, promise, truth};
