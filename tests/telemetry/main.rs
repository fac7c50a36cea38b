//! What a server shows to whoever operates it: ids and spans of calls, metrics, health. A real server, a plain connection for
//! what speaks HTTP, and a collector of our own.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/process.rs"]
mod process;

mod calls;
mod collector;
mod exposition;
mod http;
mod metrics;
mod spans;
