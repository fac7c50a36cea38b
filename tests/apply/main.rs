//! `binnacle apply` and `binnacle export` as a person meets them: the real program, a real server, and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test")]

mod lists;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/proxy.rs"]
mod proxy;
mod server;

mod bad_rows;
mod broken;
mod changes;
mod documentation;
mod gauges;
mod round_trip;
