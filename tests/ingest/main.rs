//! Streams of rows: every row is told of once it is durable, whatever breaks, and no stream grows without bound.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;
#[path = "../common/mod.rs"]
mod common;
mod gate;
#[path = "../common/process.rs"]
mod process;
mod rows;

mod broken;
mod documentation;
mod endings;
mod outcomes;
mod pressure;
